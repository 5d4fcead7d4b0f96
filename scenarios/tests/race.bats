#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What the engine keeps of files and directories (docs/cache.md), raced in a booted guest of each kind
# by whatever makes it stale. drive/race.sh does it and says what it saw. RACE_ROUNDS is how often;
# scripts/race has a million of each, on one kernel, and takes what the guest said from RACE_OUT.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	rounds=${RACE_ROUNDS:-10000}
	guest_arguments=("$rounds")
	# A round takes some thousand instructions of the guest.
	targets=(debian-6.12+bpf)
	[ "$rounds" -gt 10000 ] || targets+=(debian-6.1+bpf debian-5.10+bpf debian-7.3+bpf)
	guest_run race.sh $((600 + rounds / 25)) "${targets[@]}"
	[ -z "${RACE_OUT:-}" ] || cp "$BATS_FILE_TMPDIR/debian-6.12+bpf" "$RACE_OUT"
}

@test "nothing kept is stale on debian-6.1+bpf" {
	guest_holds debian-6.1+bpf 28
}

@test "nothing kept is stale on debian-6.12+bpf" {
	guest_holds debian-6.12+bpf 28
}

@test "nothing kept is stale on debian-5.10+bpf" {
	guest_holds debian-5.10+bpf 28
}

@test "nothing kept is stale on debian-7.3+bpf" {
	guest_holds debian-7.3+bpf 28
}
