#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What loading takes in a booted guest: the verifier's count of each program, and the steps of an apply,
# a change of one rule among a thousand and a removal, by each backend. On four targets, or on
# the one that PCL_LOAD_TARGET names (scripts/load has all); what was measured is added to the file
# PCL_LOAD_OUT. drive/load.sh does it and says what it saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	# shellcheck disable=SC2034  # guest_run uses it
	guest_arguments=(1000)
	read -ra targets <<<"${PCL_LOAD_TARGET:-debian-5.10+bpf debian-7.3+bpf debian-6.12+apparmor debian-6.12+selinux}"
	guest_run load.sh 600 "${targets[@]}"
}

# holds TARGET COUNT
holds() {
	[ -z "${PCL_LOAD_TARGET:-}" ] || skip "PCL_LOAD_TARGET is set"
	guest_holds "$1" "$2"
}

@test "every program has room in the verifier, and apply tells its steps, on debian-5.10+bpf" {
	holds debian-5.10+bpf 11
}

@test "every program has room in the verifier, and apply tells its steps, on debian-7.3+bpf" {
	holds debian-7.3+bpf 11
}

@test "apply tells its steps with AppArmor" {
	holds debian-6.12+apparmor 8
}

@test "apply tells its steps with SELinux" {
	holds debian-6.12+selinux 10
}

@test "what PCL_LOAD_TARGET names holds and is measured" {
	[ -n "${PCL_LOAD_TARGET:-}" ] || skip "PCL_LOAD_TARGET is not set (scripts/load)"
	guest_holds "$PCL_LOAD_TARGET" 8
	sed -n 's/^# figures //p' "$BATS_FILE_TMPDIR/$PCL_LOAD_TARGET" >>"$PCL_LOAD_OUT"
}
