#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A flood of refusals in a booted guest of the oldest and the newest kernel: nothing gets through,
# nobody waits, and every alert is counted once. drive/flood.sh does it and says what it saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	guest_run flood.sh 600 debian-5.10+bpf debian-7.3+bpf
}

@test "alerts are counted in a flood on debian-5.10+bpf" {
	guest_holds debian-5.10+bpf 28
}

@test "alerts are counted in a flood on debian-7.3+bpf" {
	guest_holds debian-7.3+bpf 28
}
