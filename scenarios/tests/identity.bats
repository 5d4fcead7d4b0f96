#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Who belongs to a domain, in a booted guest of the oldest and the newest kernel: by cgroup and by
# namespaces, from a container's first process on, and no way out. drive/identity.sh does it all in
# one boot and says what it saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	guest_run identity.sh 600 debian-5.10+bpf debian-7.3+bpf
}

@test "nobody leaves a domain on debian-5.10+bpf" {
	guest_holds debian-5.10+bpf 79
}

@test "nobody leaves a domain on debian-7.3+bpf" {
	guest_holds debian-7.3+bpf 79
}
