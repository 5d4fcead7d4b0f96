#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A hundred rulesets switched under load, in a booted guest of two CPUs, so that a switch falls into
# the middle of a program. drive/switch.sh does it and says what it saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	# shellcheck disable=SC2034  # guest_run uses it
	guest_size=(2 256)
	guest_run switch.sh 1100 debian-5.10+bpf debian-6.12+bpf
}

@test "no switch opens a gap or mixes rulesets on debian-5.10+bpf" {
	guest_holds debian-5.10+bpf 8
}

@test "no switch opens a gap or mixes rulesets on debian-6.12+bpf" {
	guest_holds debian-6.12+bpf 8
}
