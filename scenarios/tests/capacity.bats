#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Many rules in one domain and many domains, in a booted guest: twenty thousand and five hundred, or
# what PCL_CAPACITY says ("RULES DOMAINS MIB"; scripts/capacity goes up to the limits). What was
# measured is added to the file PCL_CAPACITY_OUT. drive/capacity.sh does it and says what it saw.

bats_require_minimum_version 1.5.0

load drive/guest

setup_file() {
	local rules domains mib
	read -r rules domains mib <<<"${PCL_CAPACITY:-20000 500 512}"
	# shellcheck disable=SC2034  # guest_run uses both
	guest_size=(1 "$mib") guest_arguments=("$rules" "$domains")
	guest_run capacity.sh 3000 debian-6.12+bpf
}

@test "many rules and many domains hold on debian-6.12+bpf" {
	guest_holds debian-6.12+bpf 15
	[ -z "${PCL_CAPACITY_OUT:-}" ] ||
		sed -n 's/^# figures //p' "$BATS_FILE_TMPDIR/debian-6.12+bpf" >>"$PCL_CAPACITY_OUT"
}
