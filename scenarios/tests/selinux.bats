#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The SELinux backend in booted guests of the oldest kernel and the newest and one between, with Debian's
# policy: what is refused, what changes leave that are cut short or fail, on file systems that keep no
# labels or may not be written, without room, what happens as another policy is loaded, and of files that
# take the place of ruled ones.
# drive/selinux.sh does it and says what it saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	guest_run selinux.sh 1800 debian-5.10+selinux debian-6.1+selinux debian-7.3+selinux
}

@test "SELinux holds through every change on debian-5.10+selinux" {
	guest_holds debian-5.10+selinux 124
}

@test "SELinux holds through every change on debian-6.1+selinux" {
	guest_holds debian-6.1+selinux 124
}

@test "SELinux holds through every change on debian-7.3+selinux" {
	guest_holds debian-7.3+selinux 124
}

# part_holds TARGET PART COUNT: of one part of the script COUNT promises hold; skipped where it says why.
part_holds() {
	local said=$BATS_FILE_TMPDIR/$1 why
	why=$(sed -n "s/^# $2: //p" "$said")
	[ -z "$why" ] || skip "$why"
	[ "$(grep -c "^ok $2: " "$said")" -eq "$3" ]
}

@test "a policy newer than the engine knows is refused on debian-7.3+selinux" {
	part_holds debian-7.3+selinux 'newer policy' 4
}

@test "policies of version 34 are changed as others on debian-7.3+selinux" {
	part_holds debian-7.3+selinux 'version 34' 10
}

@test "policies of version 35 are changed as others on debian-7.3+selinux" {
	part_holds debian-7.3+selinux 'version 35' 12
}
