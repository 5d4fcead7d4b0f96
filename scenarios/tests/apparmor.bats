#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The AppArmor backend in booted guests of the oldest and the newest kernel and one between, each with
# another parser: who is bound, and what changes leave that are cut short or fail. drive/apparmor.sh
# does it and says what it saw.

bats_require_minimum_version 1.5.0

load drive/guest

gauntlet=$BATS_TEST_DIRNAME/../../build/gauntlet
newest=$("$gauntlet" list targets --json | jq -r '.[].id | select(test("^debian-7[.0-9]*[+]apparmor-5$"))')
targets=(debian-5.10+apparmor debian-6.12+apparmor-4 "$newest")

has_parser() { [ -e "$BATS_TEST_DIRNAME/../../build/guest/userland/$1.cpio" ]; }

setup_file() {
	local there=("${targets[0]}")
	! has_parser apparmor-4 || there+=("${targets[1]}")
	! has_parser apparmor-5 || there+=("${targets[2]}")
	guest_run apparmor.sh 900 "${there[@]}"
}

@test "AppArmor holds through every change on 5.10 with Debian 12's parser" {
	guest_holds "${targets[0]}" 55
}

@test "AppArmor holds through every change on 6.12 with Debian 13's parser" {
	has_parser apparmor-4 || skip "parser 4 is not there: make setup build"
	guest_holds "${targets[1]}" 70
}

@test "AppArmor holds through every change on the newest kernel with Debian sid's parser" {
	has_parser apparmor-5 || skip "parser 5 is not there: make setup build"
	guest_holds "${targets[2]}" 70
}
