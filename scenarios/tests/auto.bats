#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Which backend apply takes, in booted guests that have two: drive/auto.sh where these are BPF-LSM and
# AppArmor, drive/auto_selinux.sh where the other is SELinux, that can be used or for some reason cannot.
# They do it and say what they saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	guest_run auto.sh 600 ubuntu-24.04+bpf
	guest_arguments=(yes 'can be used')
	guest_run auto_selinux.sh 600 debian-6.12+selinux+bpf
	# The agent may; a privileged pod may not.
	guest_arguments=(no 'does not allow .*:control_t:.* the permission load_policy'
		system_u:system_r:control_t:s0)
	guest_run auto_selinux.sh 600 bottlerocket-6.12
	guest_arguments=(no 'has no policy loaded, so it refuses nothing')
	guest_run auto_selinux.sh 600 al2-5.10
}

@test "the backend that does best of the rules is taken on ubuntu-24.04+bpf" {
	guest_holds ubuntu-24.04+bpf 26
}

@test "the backend that does best of the rules is taken on debian-6.12+selinux+bpf" {
	guest_holds debian-6.12+selinux+bpf 24
}

@test "BPF-LSM is taken where the policy does not let one load another, on bottlerocket-6.12" {
	guest_holds bottlerocket-6.12 16
}

@test "BPF-LSM is taken where SELinux has no policy, on al2-5.10" {
	guest_holds al2-5.10 16
}
