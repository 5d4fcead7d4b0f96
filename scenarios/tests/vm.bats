#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# gauntlet in booted machines: one good run, and the proof that it can fail in every way it must.

bats_require_minimum_version 1.5.0

setup() {
	gauntlet=$BATS_TEST_DIRNAME/../../build/gauntlet
	out=$BATS_TEST_TMPDIR/results
	own_cases=$BATS_TEST_DIRNAME/cases
}

# The machine that this run started must be gone: its console log's path is in its command line.
teardown() {
	if pgrep -f "path=$BATS_TEST_TMPDIR" >/dev/null; then
		echo "a VM was left running"
		return 1
	fi
}

# runs CODE ARGUMENT...
runs() {
	local code=$1
	shift
	run --separate-stderr "$gauntlet" run --results "$out" "$@"
	if [ "$status" -ne "$code" ]; then
		echo "exit $status, expected $code"
		echo "$output"
		# shellcheck disable=SC2154  # bats sets stderr
		echo "$stderr"
		return 1
	fi
}

# row FILTER: holds for every row.
row() {
	jq -e "(.cases | length) > 0 and all(.cases[]; $1)" "$out/results.json" >/dev/null || {
		echo "want $1"
		jq .cases "$out/results.json"
		return 1
	}
}

@test "a good run: missed without, refused with portcullis; results in all their forms" {
	runs 0 file/shadow-read --on ubuntu-24.04+bpf
	row '.pass and .mitre == "T1003.008" and .duration_ms > 0'
	jq -e '.cases[] | select(.contender == "none") | .verdict == "MISSED" and .errno == null' \
		"$out/results.json"
	jq -e '.cases[] | select(.contender == "portcullis") | .verdict == "INLINE_DENY"
		and .errno == "EACCES" and .event_rule == "guard-shadow#file.matchPaths[0]"' \
		"$out/results.json"
	jq -e '.schema == 1 and .run.id and .run.started and .run.qemu and .run.host
		and (.run.accel == "tcg" or .run.accel == "kvm")
		and (.targets[0].lsm | index("bpf")) and .latency == []' "$out/results.json"
	[[ $(jq -r '.cases[0].reproduce' "$out/results.json") == *"run file/shadow-read --on ubuntu-24.04+bpf --contender none" ]]
	grep -q '<testsuite name="ubuntu-24.04+bpf" tests="2" failures="0" errors="0"' "$out/junit.xml"
	[ -s "$out/ubuntu-24.04+bpf/console.log" ]
	while IFS= read -r line; do [ "${#line}" -le 100 ]; done <<<"$(grep -E 'shadow-read +' <<<"$output")"
}

@test "with enforcement off the same cases are MISSED and the exit code is 1" {
	runs 1 file/shadow-read exec/blocked-program --on bottlerocket-6.1 \
		--contender portcullis/none
	row '.verdict == "MISSED" and .expected == "INLINE_DENY" and (.pass | not)'
	[[ $output == *"--on bottlerocket-6.1 --contender portcullis/none"* ]]
	grep -q 'failures="2"' "$out/junit.xml"
}

@test "a guest that panics: exit 4, the console line named; the next case gets a new guest" {
	runs 4 self/panic self/works --cases "$own_cases" --on bottlerocket-6.1 --contender none
	jq -e '.cases[] | select(.case == "self/panic") | .verdict == "INFRA" and .incident == "panic"
		and (.detail | test("panic"; "i"))' "$out/results.json"
	jq -e '.cases[] | select(.case == "self/works") | .pass' "$out/results.json"
	[ -s "$out/bottlerocket-6.1-2/console.log" ]
}

# health FILTER: holds for some finding of the run.
health() {
	jq -e "any(.health[]; $1)" "$out/results.json" >/dev/null || {
		echo "want $1"
		jq .health "$out/results.json"
		return 1
	}
}

@test "a kernel that warns or becomes tainted: exit 4, put down to the arm that ran" {
	runs 4 self/warn self/taint self/works --cases "$own_cases" --on bottlerocket-6.1 \
		--contender none
	health '.kind == "warn" and .during == "self/warn none arm B" and .count == 1
		and .fingerprint == "warn:planted_inner>planted_outer"'
	health '.kind == "taint" and .during == "self/taint none arm A" and .fingerprint == "taint:U"'
	jq -e '(.health | length) == 2' "$out/results.json"
	jq -e '.cases[] | select(.case == "self/warn") | .verdict == "INFRA" and .incident == "splat"
		and (.pass | not) and .health[0].fingerprint == "warn:planted_inner>planted_outer"' \
		"$out/results.json"
	jq -e '.cases[] | select(.case == "self/works") | .pass' "$out/results.json"
	[[ $output == *"KERNEL bottlerocket-6.1 during self/warn none arm B: warn:planted"* ]]
	grep -q 'kernel: warn:planted_inner&gt;planted_outer during self/warn none arm B' "$out/junit.xml"
}

@test "what a list allows with a reason does not fail the run, and is counted" {
	cat >"$BATS_TEST_TMPDIR/allow.yaml" <<-'YAML'
		allow:
		- {fingerprint: "warn:planted_inner>planted_outer", from: "6.1", to: "6.1", reason: planted}
		- {pattern: "became tainted: U", reason: we did it}
	YAML
	runs 0 self/warn self/taint --cases "$own_cases" --on bottlerocket-6.1 --contender none \
		--allow "$BATS_TEST_TMPDIR/allow.yaml"
	health '.allowed == "planted"'
	health '.kind == "taint" and .allowed == "we did it"'
	[[ $output == *"allowed 2 complaints"*"planted"* ]]
	# Of another kernel it is not allowed.
	sed -i 's/6\.1"/6.12"/g' "$BATS_TEST_TMPDIR/allow.yaml"
	runs 4 self/warn --cases "$own_cases" --on bottlerocket-6.1 --contender none \
		--allow "$BATS_TEST_TMPDIR/allow.yaml"
}

@test "a guest that does not answer: exit 5" {
	runs 5 self/hang --cases "$own_cases" --on bottlerocket-6.1 --contender none
	row '.verdict == "INFRA" and .incident == "hang" and (.pass | not)'
}

@test "a dead agent is never a pass" {
	runs 5 self/mute --cases "$own_cases" --on bottlerocket-6.1 --contender none --timeout 2
	row '.verdict == "INFRA" and .incident == "hang" and (.pass | not)'
	grep -q '^--- QEMU: info registers' "$out/bottlerocket-6.1/hang.txt"
	runs 4 self/die --cases "$own_cases" --on bottlerocket-6.1 --contender none
	row '.verdict == "INFRA" and .incident == "panic" and (.pass | not)
		and (.detail | test("kill init"))'
}

@test "a kernel that is stuck for a while: its watchdogs are heard, exit 5" {
	runs 5 self/stall --cases "$own_cases" --on bottlerocket-6.1 --contender none
	row '.verdict == "INFRA" and .incident == "hang" and (.pass | not)'
	# Where the watchdog finds the CPU differs, so that what it was doing is not always to be told.
	health '(.kind == "soft-lockup" or .kind == "rcu-stall") and .during == "self/stall none arm A"'
}

@test "a program that does not end: exit 5" {
	runs 5 self/endless --cases "$own_cases" --on bottlerocket-6.1 --contender none
	row '.verdict == "INFRA" and .incident == "hang" and (.detail | test("within 2 s"))'
}

@test "a guest without the LSM: exit 3, both values told" {
	runs 3 file/shadow-read --on bottlerocket-6.1 --lsm lockdown,yama --contender portcullis
	row '.verdict == "ENV_UNMET" and (.detail | test("needs LSM bpf; active: .*yama"))'
}

@test "a manifest that promises more than the guest has: exit 3" {
	runs 3 file/shadow-read --on bottlerocket-6.1 --lsm lockdown,yama,smack --contender none
	row '.verdict == "ENV_UNMET" and (.detail | test("LSM smack .* not active"))'
}

@test "a replay that is broken: exit 8" {
	runs 8 self/broken --cases "$own_cases" --on bottlerocket-6.1 --contender none
	row '.verdict == "BROKEN_REPLAY"'
}

@test "interrupted: no VM is left, results are written" {
	"$gauntlet" run file --on bottlerocket-6.1 --contender portcullis --results "$out" \
		>"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
	local pid=$! code=0 i
	# The first verdict: the machine is up, and most of the cases are still to come.
	for ((i = 0; i < 400; i++)); do
		grep -q '^ok ' "$BATS_TEST_TMPDIR/log" && break
		read -rt 0.1 <> <(:) || true
	done
	grep -q '^ok ' "$BATS_TEST_TMPDIR/log"
	kill -TERM "$pid"
	wait "$pid" || code=$?
	cat "$BATS_TEST_TMPDIR/log"
	[ "$code" -eq 6 ]
	jq -e '.run.interrupted == 15 and (.skipped | length) > 0' "$out/results.json"
}
