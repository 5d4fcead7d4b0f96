#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Twenty thousand rules in one domain and five hundred domains, in a booted guest; with other
# guest_arguments (100000 10000 and 1,024 MiB) what docs/promises.md states. drive/capacity.sh does it
# and says what it saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	# shellcheck disable=SC2034  # guest_run uses both
	guest_size=(1 512) guest_arguments=(20000 500)
	guest_run capacity.sh 400 debian-6.12+bpf
}

@test "many rules and many domains hold on debian-6.12+bpf" {
	guest_holds debian-6.12+bpf 15
}
