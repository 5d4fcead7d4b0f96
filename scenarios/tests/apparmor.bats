#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The AppArmor backend in booted guests of the oldest and the newest kernel and one between: who is
# bound, and what changes leave that are cut short or fail. drive/apparmor.sh does it and says what it
# saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	guest_run apparmor.sh 900 debian-5.10+apparmor ubuntu-22.04 ubuntu-26.04
}

@test "AppArmor holds through every change on debian-5.10+apparmor" {
	guest_holds debian-5.10+apparmor 44
}

@test "AppArmor holds through every change on ubuntu-22.04" {
	guest_holds ubuntu-22.04 51
}

@test "AppArmor holds through every change on ubuntu-26.04" {
	guest_holds ubuntu-26.04 51
}
