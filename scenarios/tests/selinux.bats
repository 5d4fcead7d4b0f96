#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The SELinux backend in booted guests of the oldest kernel and the newest and one between, with Debian's
# policy: what is refused, what changes leave that are cut short or fail, on file systems that keep no
# labels or may not be written, without room, and what happens as another policy is loaded.
# drive/selinux.sh does it and says what it saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	guest_run selinux.sh 1800 debian-5.10+selinux debian-6.1+selinux debian-7.3+selinux
}

@test "SELinux holds through every change on debian-5.10+selinux" {
	guest_holds debian-5.10+selinux 95
}

@test "SELinux holds through every change on debian-6.1+selinux" {
	guest_holds debian-6.1+selinux 95
}

@test "SELinux holds through every change on debian-7.3+selinux" {
	guest_holds debian-7.3+selinux 98
}
