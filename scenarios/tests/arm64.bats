#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The arm64 target. Its guest is not made by make build: scripts/arm64 and make arm64 do it.

bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
	out=$BATS_TEST_TMPDIR/results
}

@test "a case on arm64: missed without, refused with portcullis" {
	[ -s build/arm64/guest/base.cpio ] || skip "no arm64 guest: scripts/arm64, then make arm64"
	command -v qemu-system-aarch64 >/dev/null || skip "no qemu-system-aarch64 (qemu-system-arm)"
	run build/gauntlet run file/shadow-read --on arm64-debian-6.12+bpf --results "$out"
	echo "$output"
	[ "$status" -eq 0 ]
	jq -e '.targets[0].release | endswith("arm64")' "$out/results.json"
	jq -e '[.cases[].verdict] == ["MISSED", "INLINE_DENY"]' "$out/results.json"
}

@test "without an arm64 guest: says how to make one" {
	mkdir -p "$BATS_TEST_TMPDIR/checkout/build/guest"
	root=$BATS_TEST_TMPDIR/checkout
	cp build/gauntlet "$root/build/"
	cp build/guest/base.cpio "$root/build/guest/"
	cp -r vm-images "$root/"
	mkdir -p "$root/scenarios"
	cp -r scenarios/cases scenarios/health.yaml "$root/scenarios/"
	[ -d "${PORTCULLIS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/portcullis}/kernels/6.12-arm64" ] ||
		skip "no arm64 kernel in the cache: scripts/arm64"
	run "$root/build/gauntlet" run file/shadow-read --on arm64-debian-6.12 --contender none \
		--results "$out"
	echo "$output"
	[ "$status" -eq 6 ]
	[[ $output == *"run scripts/arm64, then make arm64"* ]]
}
