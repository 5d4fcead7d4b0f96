#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Which backend apply takes, in a booted guest that has two. drive/auto.sh does it and says what it saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	guest_run auto.sh 600 ubuntu-24.04+bpf
}

@test "the backend that does best of the rules is taken on ubuntu-24.04+bpf" {
	guest_holds ubuntu-24.04+bpf 26
}
