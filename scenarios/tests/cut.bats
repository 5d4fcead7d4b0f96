#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Apply, domain and remove, killed and made to fail at every point of theirs, in booted guests of the
# oldest kernel and the newest. drive/cut.sh does it and says what it saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	guest_run cut.sh 1500 debian-5.10+bpf debian-7.3+bpf
}

@test "what is cut short leaves a whole ruleset on debian-7.3+bpf" {
	guest_holds debian-7.3+bpf 190
}

@test "what is cut short leaves a whole ruleset on debian-5.10+bpf" {
	guest_holds debian-5.10+bpf 190
}
