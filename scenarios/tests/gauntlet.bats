#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# gauntlet's words, without a VM: list, help, mistakes, what is missing. None may start QEMU.

setup() {
	gauntlet=$BATS_TEST_DIRNAME/../../build/gauntlet
	out=$BATS_TEST_TMPDIR/results
	cases=$BATS_TEST_TMPDIR/cases
}

# gives CODE PATTERN ARGUMENT...: this exit code, and one line of complaint that matches.
gives() {
	local code=$1 pattern=$2
	shift 2
	run --separate-stderr "$gauntlet" "$@"
	# shellcheck disable=SC2154  # bats sets stderr
	if [ "$status" -ne "$code" ] || ! [[ $stderr =~ $pattern ]]; then
		echo "exit $status, expected $code; want /$pattern/ in: $stderr"
		return 1
	fi
	[ "$(wc -l <<<"$stderr")" -eq 1 ] || {
		echo "more than one line: $stderr"
		return 1
	}
}

# bad_case TEXT: a folder of cases with one file in it.
bad_case() {
	mkdir -p "$cases/area"
	printf '%s\n' "$1" >"$cases/area/bad.yaml"
}

bats_require_minimum_version 1.5.0

@test "list: targets have id, kernel and lsm; cases are area/name; contenders are known" {
	run --separate-stderr "$gauntlet" list targets --json
	[ "$status" -eq 0 ]
	jq -e 'length >= 32 and all(.id and .kernel and (.lsm | type == "array"))' <<<"$output"
	jq -e 'map(.id) | index("bottlerocket-6.1") and index("ubuntu-24.04+bpf")' <<<"$output"
	run --separate-stderr "$gauntlet" list cases --json
	[ "$status" -eq 0 ]
	jq -e 'length >= 8 and all(.id | test("^[a-z0-9-]+/[a-z0-9_-]+$"))' <<<"$output"
	run --separate-stderr "$gauntlet" list contenders --json
	[ "$status" -eq 0 ]
	jq -e 'map(.id) == ["none", "portcullis", "portcullis/bpf_lsm", "portcullis/apparmor",
		"portcullis/selinux", "portcullis/none"]' \
		<<<"$output"
}

@test "list: plain output begins with the id" {
	run --separate-stderr "$gauntlet" list contenders
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "none "* ]]
}

@test "help and version" {
	run --separate-stderr "$gauntlet" --help
	[ "$status" -eq 0 ]
	for verb in list run bench shell; do [[ $output == *"$verb"* ]]; done
	run --separate-stderr "$gauntlet" run --help
	[ "$status" -eq 0 ]
	for word in --on --contender --lsm --kernel --modules --results --corpus --jobs --timeout; do
		[[ $output == *"$word"* ]] || { echo "no $word"; return 1; }
	done
	run --separate-stderr "$gauntlet" --version
	[[ $output =~ ^gauntlet\ [0-9] ]]
}

@test "a wrong word is answered with the nearest right one" {
	gives 2 'did you mean run\?' rnu
	gives 2 'did you mean --on\?' run --onn x
	gives 2 'did you mean bottlerocket-6.1\?' run --on bottlerocket-6.2
	gives 2 'did you mean file/shadow-read\?' run file/shadow-raed
	gives 2 'did you mean portcullis\?' run --contender portculis
	gives 2 'did you mean targets\?' list target
	gives 2 'did you mean bottlerocket-6.1\?' shell bottlerocket-6.2
}

@test "wrong use" {
	gives 2 'needs a value' run --on
	gives 2 'number from 1' run --jobs 0
	gives 2 'number from 1' run --timeout soon
	gives 2 'list what' list
	gives 2 'which target' shell
	gives 2 'goes with --kernel' run --modules /tmp
	gives 2 'takes no value' list cases --json=yes
}

@test "what is not there: kernel, corpus, cases" {
	gives 2 'cannot read the kernel /no/such' run --kernel /no/such
	gives 2 '/no/such is no folder' run --corpus /no/such
	gives 2 'cannot read the folder of cases /no/such' run --cases /no/such
}

@test "a bad case is refused by file, line and column, with the nearest word" {
	bad_case 'titel: x'
	gives 2 'bad.yaml:1:1: .*title' run --cases "$cases"
	bad_case 'title: [unfinished'
	gives 2 'bad.yaml:[0-9]+:[0-9]+' list cases --cases "$cases"
	[ ! -e "$out" ]
}

@test "a list of allowed kernel troubles: no reason, no entry" {
	printf 'allow:\n- pattern: "WARNING"\n' >"$BATS_TEST_TMPDIR/allow.yaml"
	gives 2 'allow.yaml:2:3: .*no "reason"' run --allow "$BATS_TEST_TMPDIR/allow.yaml"
	gives 2 '/no/such' run --allow /no/such
}

@test "an empty folder of cases: nothing ran is an error" {
	mkdir -p "$cases/area"
	run --separate-stderr "$gauntlet" run --cases "$cases" --results "$out"
	echo "$output"
	[ "$status" -eq 9 ]
	[[ $output == *"nothing ran"* ]]
	jq -e '.schema == 1 and .cases == []' "$out/results.json"
}

@test "results that cannot be written: one line, before anything boots" {
	touch "$out"
	gives 6 'results folder' run --results "$out/below"
	[ -c /dev/full ] || skip "no /dev/full"
	mkdir "$out.dir"
	ln -s /dev/full "$out.dir/.probe"
	gives 6 'results folder.*No space' run --results "$out.dir"
}

@test "without QEMU: one reason, exit 6, every line accounted for" {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	run env PATH="$BATS_TEST_TMPDIR/bin" "$gauntlet" run file/shadow-read --on bottlerocket-6.1 \
		--results "$out"
	echo "$output"
	[ "$status" -eq 6 ]
	[[ $output == *qemu-system-x86_64* ]]
	jq -e '.cases | length == 2 and all(.verdict == "INFRA" and (.pass | not))' \
		"$out/results.json"
}

@test "without kernels: says how to fetch them, exit 6" {
	run env PORTCULLIS_CACHE="$BATS_TEST_TMPDIR/empty" "$gauntlet" run file/shadow-read \
		--on bottlerocket-6.1 --accel tcg --results "$out"
	echo "$output"
	[ "$status" -eq 6 ]
	[[ $output == *"scripts/kernels 6.1"* ]]
}

@test "without the corpus its cases are skipped and counted, with the reason" {
	# A checkout of its own, beside which there is no corpus.
	local root=$BATS_TEST_TMPDIR/checkout
	mkdir -p "$root/build" "$root/scenarios/cases"
	cp -r "$BATS_TEST_DIRNAME/../../vm-images" "$root/"
	cp -r "$BATS_TEST_DIRNAME/../cases/container" "$root/scenarios/cases/"
	cp "$BATS_TEST_DIRNAME/../health.yaml" "$root/scenarios/"
	cp "$gauntlet" "$root/build/"
	run env -u PORTCULLIS_CORPUS "$root/build/gauntlet" run container/exec-from-source \
		container/exec-under-usr --on bottlerocket-6.1 --results "$out"
	echo "$output"
	[ "$status" -eq 9 ]
	jq -e '(.skipped | length) == 4 and (.cases | length) == 0
		and all(.skipped[]; .reason | test("corpus"))' "$out/results.json"
}
