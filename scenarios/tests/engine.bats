#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The engine's promises in a booted guest of each kind: what is applied outlives the process, is
# replaced and removed whole, also under load and when it is killed; long and deep paths;
# containers as domains. drive/engine.sh does it all in one boot and says what it saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	guest_run engine.sh 900 debian-6.1+bpf ubuntu-24.04+bpf debian-5.10+bpf debian-7.3+bpf
}

@test "the engine keeps its promises on debian-6.1+bpf" {
	guest_holds debian-6.1+bpf 160
}

@test "the engine keeps its promises on ubuntu-24.04+bpf" {
	guest_holds ubuntu-24.04+bpf 160
}

@test "the engine keeps its promises on debian-5.10+bpf" {
	guest_holds debian-5.10+bpf 160
}

@test "the engine keeps its promises on debian-7.3+bpf" {
	guest_holds debian-7.3+bpf 160
}
