#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Model against kernel: 20,000 random operations a kernel with BPF-LSM and 10,000 with AppArmor, and
# with SELinux on the oldest and the newest, each with the errno and the alerts that policy/decide.h
# says, but for what the statuses of the last two name. PCL_MODEL_OPERATIONS asks for more or fewer of
# all, PCL_JOBS for guests at once.

bats_require_minimum_version 1.5.0

kernels=(debian-5.10 debian-6.1 debian-6.12 debian-7)
targets=("${kernels[@]/%/+bpf}" "${kernels[@]/%/+apparmor}" debian-5.10+selinux debian-7+selinux)

# operations TARGET: how many.
operations() {
	case $1 in
	*+apparmor | *+selinux) echo "${PCL_MODEL_OPERATIONS:-10000}" ;;
	*) echo "${PCL_MODEL_OPERATIONS:-20000}" ;;
	esac
}

setup_file() {
	local backend
	cd "$BATS_TEST_DIRNAME/../.." || exit
	for target in "${targets[@]}"; do
		backend=bpf_lsm
		[[ $target != *+apparmor ]] || backend=apparmor
		[[ $target != *+selinux ]] || backend=selinux
		build/gauntlet model --on "$target" --backend "$backend" \
			--results "$BATS_FILE_TMPDIR" --operations "$(operations "$target")" \
			>"$BATS_FILE_TMPDIR/$target.out" 2>&1 &
		echo $! >"$BATS_FILE_TMPDIR/$target.pid"
		[ "$(jobs -rp | wc -l)" -lt "${PCL_JOBS:-2}" ] || wait -n || true
	done
	wait
}

# holds TARGET: all operations were done, a good part was refused, and nothing differed.
holds() {
	local counts
	cat "$BATS_FILE_TMPDIR/$1.out"
	counts=$(sed -n 's/^[^ ]*: \({"backend".*}\)$/\1/p' "$BATS_FILE_TMPDIR/$1.out")
	jq -e --argjson wanted "$(operations "$1")" \
		'.operations >= $wanted and .refused * 25 > .operations and .alerts * 50 > .operations
		and ([.by_operation[] | select(. == 0)] | length) == 0' <<<"$counts"
}

@test "random operations on 5.10 are as the model says" {
	holds debian-5.10+bpf
}

@test "random operations on 6.1 are as the model says" {
	holds debian-6.1+bpf
}

@test "random operations on 6.12 are as the model says" {
	holds debian-6.12+bpf
}

@test "random operations on the newest kernel are as the model says" {
	holds debian-7+bpf
}

@test "random operations on 5.10 are as the model says, with AppArmor" {
	holds debian-5.10+apparmor
}

@test "random operations on 6.1 are as the model says, with AppArmor" {
	holds debian-6.1+apparmor
}

@test "random operations on 6.12 are as the model says, with AppArmor" {
	holds debian-6.12+apparmor
}

@test "random operations on the newest kernel are as the model says, with AppArmor" {
	holds debian-7+apparmor
}

@test "random operations on 5.10 are as the model says, with SELinux" {
	holds debian-5.10+selinux
}

@test "random operations on the newest kernel are as the model says, with SELinux" {
	holds debian-7+selinux
}

@test "a target that is not there, and no target, are refused" {
	cd "$BATS_TEST_DIRNAME/../.."
	run -2 build/gauntlet model --on debian-6.13+bpf
	[[ $output == *"debian-6.1"* ]]
	run -2 build/gauntlet model
	[[ $output == *"--on TARGET"* ]]
}
