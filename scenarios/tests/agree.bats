#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Three LSMs, one verdict: on each kernel BPF-LSM, AppArmor and SELinux do the same random operations, at
# least 10,000 each, and are held to the model and compared with each other, but for what statuses name; of
# what all three do about a third is under rules with sources. Each kernel has policies of its own.
# PCL_MODEL_OPERATIONS asks for more or fewer of all, PCL_JOBS for guests at once.

bats_require_minimum_version 1.5.0

kernels=(debian-5.10 debian-6.1 debian-6.12 debian-7)
operations=${PCL_MODEL_OPERATIONS:-10000}

setup_file() {
	local seed=1
	cd "$BATS_TEST_DIRNAME/../.." || exit
	for kernel in "${kernels[@]}"; do
		build/gauntlet model --common --on "$kernel+apparmor+bpf" --on "$kernel+selinux+bpf" \
			--seed "$seed" --operations "$operations" --results "$BATS_FILE_TMPDIR" \
			>"$BATS_FILE_TMPDIR/$kernel.out" 2>&1 &
		seed=$((seed + 100))
		[ "$(jobs -rp | wc -l)" -lt "${PCL_JOBS:-2}" ] || wait -n || true
	done
	wait
}

# agree KERNEL: each of the three was compared of all operations that were asked for, most of them by
# three; nothing differed but what statuses name, which is the smaller part; and of what was done a good
# part was refused.
agree() {
	local counts
	cat "$BATS_FILE_TMPDIR/$1.out"
	counts=$(sed -n 's/^common: //p' "$BATS_FILE_TMPDIR/$1.out")
	jq -e --argjson wanted "$operations" \
		'(.backends | keys) == ["apparmor", "bpf_lsm", "selinux"]
		and ([.backends[] | select(.compared < $wanted)] | length) == 0
		and .by_three * 2 > .operations and .differences == 0 and .alike * 3 > .pairs * 2
		and (.runs | length) == 3
		and ([.runs[] | select(.refused * 25 < .operations or .alerts * 50 < .operations)]
			| length) == 0' <<<"$counts"
}

# sources KERNEL: SELinux did a good part under sets with sources, and rules with sources decided or told.
sources() {
	sed -n 's/^common: //p' "$BATS_FILE_TMPDIR/$1.out" |
		jq -e '[.runs[] | select(.backend == "selinux")
			| {operations, with_sources, by_sources}
			| select(.with_sources * 4 > .operations and .by_sources * 50 > .operations)]
			| if length == 1 then .[0] else false end'
}

@test "three backends do the same as the model and as each other on 5.10" {
	agree debian-5.10
}

@test "three backends do the same as the model and as each other on 6.1" {
	agree debian-6.1
}

@test "three backends do the same as the model and as each other on 6.12" {
	agree debian-6.12
}

@test "three backends do the same as the model and as each other on the newest kernel" {
	agree debian-7
}

@test "SELinux does operations under rules with sources on all" {
	for kernel in "${kernels[@]}"; do
		sources "$kernel"
	done
}

@test "backends are compared on targets of one kernel that have two of them" {
	cd "$BATS_TEST_DIRNAME/../.."
	run -2 build/gauntlet model --common --on debian-6.1+bpf
	[[ $output == *"debian-6.1+bpf does not have bpf and another LSM"* ]]
	run -2 build/gauntlet model --common --on debian-6.1+apparmor+bpf --on debian-6.12+selinux+bpf
	[[ $output == *"have different kernels"* ]]
	run -2 build/gauntlet model --common --backend apparmor --on debian-6.1+apparmor+bpf
	[[ $output == *"--backend says nothing"* ]]
	run -2 build/gauntlet model --common --operations 20001 --on debian-6.1+apparmor+bpf
	[[ $output == *"up to 20000 operations"* ]]
}

# one_of BACKEND SEED INDEX: an operation of the common sequence, and its case.
one_of() {
	build/guest/model --backend "$1" --seed "$2" --beside bpf_lsm --print "$3"
}

@test "the common sequence is the same whoever enforces" {
	cd "$BATS_TEST_DIRNAME/../.."
	for seed in 1 2 31 32; do
		for backend in apparmor selinux; do
			diff <(one_of bpf_lsm "$seed" 99) <(one_of "$backend" "$seed" 99)
		done
	done
	run -1 diff -q <(one_of bpf_lsm 1 98) <(one_of bpf_lsm 1 99)
}

@test "the case of an operation of the common sequence can be read and is refused as it says" {
	local index=0
	cd "$BATS_TEST_DIRNAME/../.."
	until one_of bpf_lsm 17 $index | grep '^  errno: EACCES'; do
		index=$((index + 1))
		[ "$index" -lt 100 ]
	done
	mkdir -p "$BATS_TEST_TMPDIR/cases/model"
	one_of bpf_lsm 17 $index | sed -n '/^----$/,/^----$/{/^----$/!p}' \
		>"$BATS_TEST_TMPDIR/cases/model/one.yaml"
	run -0 build/gauntlet run model/one --cases "$BATS_TEST_TMPDIR/cases" --on debian-6.1+bpf \
		--contender portcullis --results "$BATS_TEST_TMPDIR"
	[[ $output == *"as expected"* && $output == *INLINE_DENY* ]]
}
