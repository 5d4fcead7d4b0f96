#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A container with all capabilities against our maps, programs and pins, in a booted guest of the
# oldest and the newest kernel. drive/guard.sh does it and says what it saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	guest_run guard.sh 600 debian-5.10+bpf debian-7.3+bpf
}

@test "containers leave our own alone on debian-5.10+bpf" {
	guest_holds debian-5.10+bpf 70
}

@test "containers leave our own alone on debian-7.3+bpf" {
	guest_holds debian-7.3+bpf 70
}
