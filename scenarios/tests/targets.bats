#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Targets: each manifest says what it is, and one that lies gives no result but ENV_UNMET with both
# values. The liars are cells of one manifest in a checkout of their own; all are booted at once.

bats_require_minimum_version 1.5.0

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
	root=$BATS_FILE_TMPDIR/checkout
	mkdir -p "$root/build" "$root/vm-images" "$root/scenarios/cases/file"
	cp scenarios/cases/file/shadow-read.* "$root/scenarios/cases/file/"
	cp build/gauntlet "$root/build/"
	ln -s "$PWD/build/guest" "$root/build/guest"
	[ ! -e scenarios/health.yaml ] || cp scenarios/health.yaml "$root/scenarios/"
	cat >"$root/vm-images/liar.yaml" <<'YAML'
id: liar
title: what it says is true
kernel: "6.1"
cmdline: lsm=landlock,lockdown,yama,selinux,bpf lockdown=integrity
lsm: [lockdown, capability, landlock, yama, selinux, bpf]
lockdown: integrity
modules: [virtio_pci, virtio_console]
cells:
  list: {title: another list, lsm: [lockdown, capability, landlock, yama, smack, selinux, bpf]}
  more: {title: more than it says, lsm: [lockdown, capability, landlock, yama, bpf]}
  bpf: {title: bpf is missing, cmdline: "lsm=landlock,lockdown,yama,selinux lockdown=integrity"}
  lockdown: {title: no lockdown, cmdline: "lsm=landlock,lockdown,yama,selinux,bpf"}
YAML
	local code=0
	(cd "$root" && timeout 300 build/gauntlet run --on all --contender none \
		--results "$BATS_FILE_TMPDIR/results" >"$BATS_FILE_TMPDIR/log" 2>&1) || code=$?
	echo "$code" >"$BATS_FILE_TMPDIR/code"
}

setup() {
	gauntlet=$BATS_TEST_DIRNAME/../../build/gauntlet
	results=$BATS_FILE_TMPDIR/results/results.json
}

# says TARGET PATTERN: ENV_UNMET, and the detail matches.
says() {
	jq -e --arg t "$1" --arg p "$2" 'any(.cases[]; .target == $t) and all(.cases[] | select(.target == $t);
		.verdict == "ENV_UNMET" and (.pass | not) and (.detail | test($p)))' "$results" >/dev/null || {
		echo "$1: want /$2/"
		jq -c '.cases[] | [.target, .verdict, .detail]' "$results"
		return 1
	}
}

@test "what is true runs; the run with the liars ends with 3" {
	cat "$BATS_FILE_TMPDIR/log"
	jq -e '.cases[] | select(.target == "liar") | .pass and .verdict == "MISSED"' "$results"
	[ "$(cat "$BATS_FILE_TMPDIR/code")" -eq 3 ]
}

@test "a wrong LSM list is told with both values" {
	says liar+list 'LSM smack .* not active; active: lockdown,capability,landlock,yama,selinux,bpf, expected: .*smack'
	says liar+more 'LSMs are .*selinux,bpf, expected lockdown,capability,landlock,yama,bpf$'
	says liar+bpf 'LSM bpf .* not active; active: lockdown,capability,landlock,yama,selinux, expected'
}

@test "a wrong lockdown mode is told with both values" {
	says liar+lockdown 'lockdown is none, expected integrity'
}

@test "every target names its LSMs and its kernel, and a stand-in how it differs" {
	run --separate-stderr "$gauntlet" list targets --json
	[ "$status" -eq 0 ]
	jq -e 'length >= 40 and all(.lsm | length > 0) and all(.kernel | test("^[0-9]+([.][0-9]+)?(-arm64)?$"))
		and all(.stands_for == null or (.differences | length > 0))
		and all(.[].known[]; .reason | length > 5)' <<<"$output"
	for id in cos-93 cos-109 cos-125 bottlerocket-6.1 bottlerocket-6.12 bottlerocket-6.18 al2-5.10 \
		al2023-6.1 ubuntu-22.04 ubuntu-22.04+bpf ubuntu-24.04 ubuntu-24.04+bpf ubuntu-26.04 \
		ubuntu-26.04+bpf; do
		jq -e --arg id "$id" 'any(.[]; .id == $id and .stands_for)' <<<"$output" || {
			echo "no $id"
			return 1
		}
	done
	for kernel in 5.10 6.1 6.12 6.18; do
		for lsm in "" +apparmor +selinux +bpf +apparmor+bpf +selinux+bpf; do
			jq -e --arg id "debian-$kernel$lsm" 'any(.[]; .id == $id and .stands_for == null)' \
				<<<"$output" || { echo "no debian-$kernel$lsm"; return 1; }
		done
	done
}

@test "a container of crun is policed as any other" {
	cd "$BATS_TEST_DIRNAME/../.."
	gcc -std=gnu17 -D_GNU_SOURCE -Icore -iquote . -o "$BATS_TEST_TMPDIR/vm_call" \
		scenarios/tests/drive/vm_call.c build/libgauntlet.a build/libportcullis.a \
		$(make -s list-libs)
	mkdir "$BATS_TEST_TMPDIR/log"
	jq -nc --rawfile text scenarios/tests/drive/crun.sh \
		'{op: "put", path: "/run/crun.sh", mode: "0755", text: $text},
		{op: "exec", argv: ["sh", "/run/crun.sh"], timeout_ms: 200000, host_timeout_ms: 220000}' |
		timeout 300 "$BATS_TEST_TMPDIR/vm_call" ubuntu-26.04+bpf "$BATS_TEST_TMPDIR/log" \
			>"$BATS_TEST_TMPDIR/out" 2>/dev/null
	cat "$BATS_TEST_TMPDIR/out"
	grep -q 'crun: all as expected' "$BATS_TEST_TMPDIR/out"
}
