#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What loading takes in a booted guest: the verifier's count of each program, and the steps of an apply,
# a change of one rule among a thousand and a removal. On two kernels, or on those that PCL_LOAD_TARGETS
# names (scripts/load has all); what was measured is added to the file PCL_LOAD_OUT. drive/load.sh does
# it and says what it saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	# shellcheck disable=SC2034  # guest_run uses it
	guest_arguments=(1000)
	read -ra targets <<<"${PCL_LOAD_TARGETS:-debian-5.10+bpf debian-7.3+bpf}"
	guest_run load.sh 600 "${targets[@]}"
}

# holds TARGET
holds() {
	[[ " ${PCL_LOAD_TARGETS:-$1} " == *" $1 "* ]] || skip "PCL_LOAD_TARGETS does not name it"
	guest_holds "$1" 10
	[ -z "${PCL_LOAD_OUT:-}" ] || sed -n 's/^# figures //p' "$BATS_FILE_TMPDIR/$1" >>"$PCL_LOAD_OUT"
}

@test "every program has room in the verifier, and apply tells its steps, on debian-5.10+bpf" {
	holds debian-5.10+bpf
}

@test "every program has room in the verifier, and apply tells its steps, on debian-7.3+bpf" {
	holds debian-7.3+bpf
}
