#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What the engine keeps of files and directories (docs/cache.md), raced in a booted guest of each kind
# by whatever makes it stale. drive/race.sh does it and says what it saw. RACE_ROUNDS is how often;
# scripts/race has a million of each, on one kernel, and takes what the guest said from RACE_OUT. Of
# RACE_KINDS alone, where there are any.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	rounds=${RACE_ROUNDS:-10000}
	read -ra guest_arguments <<<"$rounds ${RACE_KINDS:-}"
	# A round takes some thousand instructions of the guest.
	targets=(debian-6.12+bpf)
	[ "$rounds" -gt 10000 ] || targets+=(debian-6.1+bpf debian-5.10+bpf debian-7.3+bpf)
	guest_run race.sh $((600 + rounds / 25)) "${targets[@]}"
	[ -z "${RACE_OUT:-}" ] || cp "$BATS_FILE_TMPDIR/debian-6.12+bpf" "$RACE_OUT"
}

# holds TARGET: each kind, and what is done for them.
holds() {
	local kinds=15
	[ -z "${RACE_KINDS:-}" ] || kinds=$(wc -w <<<"$RACE_KINDS")
	guest_holds "$1" $((13 + kinds))
}

@test "nothing kept is stale on debian-6.1+bpf" {
	holds debian-6.1+bpf
}

@test "nothing kept is stale on debian-6.12+bpf" {
	holds debian-6.12+bpf
}

@test "nothing kept is stale on debian-5.10+bpf" {
	holds debian-5.10+bpf
}

@test "nothing kept is stale on debian-7.3+bpf" {
	holds debian-7.3+bpf
}
