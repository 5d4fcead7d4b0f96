#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Model against kernel: random operations, each with the errno and the alerts that policy/decide.h
# says, but for what the statuses of AppArmor and SELinux name. On the oldest and on the newest kernel
# all three backends do the same operations, at least 10,000 each, and are compared with each other,
# too, of what all three do about a quarter under rules with sources; there BPF-LSM does 10,000 besides
# of what no other takes. On the others BPF-LSM does 20,000 and AppArmor 10,000. PCL_MODEL_OPERATIONS asks
# for more or fewer of all, PCL_JOBS for guests at once.

bats_require_minimum_version 1.5.0

common=(debian-5.10 debian-7)
targets=(debian-5.10+bpf debian-6.1+bpf debian-6.12+bpf debian-7+bpf debian-6.1+apparmor debian-6.12+apparmor)

# operations TARGET: how many.
operations() {
	case $1 in
	debian-6.1+bpf | debian-6.12+bpf) echo "${PCL_MODEL_OPERATIONS:-20000}" ;;
	*) echo "${PCL_MODEL_OPERATIONS:-10000}" ;;
	esac
}

# model NAME [OPTION...]: in the background, with what it says in NAME.out.
model() {
	local name=$1
	shift
	build/gauntlet model --results "$BATS_FILE_TMPDIR" "$@" >"$BATS_FILE_TMPDIR/$name.out" 2>&1 &
	[ "$(jobs -rp | wc -l)" -lt "${PCL_JOBS:-2}" ] || wait -n || true
}

setup_file() {
	local backend
	cd "$BATS_TEST_DIRNAME/../.." || exit
	for kernel in "${common[@]}"; do
		model "$kernel" --common --on "$kernel+apparmor+bpf" --on "$kernel+selinux+bpf" \
			--operations "$(operations "$kernel")"
	done
	for target in "${targets[@]}"; do
		backend=bpf_lsm
		[[ $target != *+apparmor ]] || backend=apparmor
		model "$target" --on "$target" --backend "$backend" --operations "$(operations "$target")"
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

# agree KERNEL: each of the three was compared of all operations that were asked for, most of them by
# three; nothing differed but what statuses name, which is the smaller part; and of what was done a good
# part was refused.
agree() {
	local counts
	cat "$BATS_FILE_TMPDIR/$1.out"
	counts=$(sed -n 's/^common: //p' "$BATS_FILE_TMPDIR/$1.out")
	jq -e --argjson wanted "$(operations "$1")" \
		'(.backends | keys) == ["apparmor", "bpf_lsm", "selinux"]
		and ([.backends[] | select(.compared < $wanted)] | length) == 0
		and .by_three * 2 > .operations and .differences == 0 and .alike * 4 > .pairs * 3
		and (.runs | length) == 4
		and ([.runs[] | select(.refused * 25 < .operations or .alerts * 50 < .operations)]
			| length) == 0' <<<"$counts"
}

# sources KERNEL: SELinux did a good part under sets with sources, and rules with sources decided or told.
sources() {
	sed -n 's/^common: //p' "$BATS_FILE_TMPDIR/$1.out" |
		jq -e '[.runs[] | select(.backend == "selinux")
			| {operations, with_sources, by_sources}
			| select(.with_sources * 10 > .operations and .by_sources * 100 > .operations)]
			| if length == 1 then .[0] else false end'
}

@test "three backends do the same as the model and as each other on 5.10" {
	agree debian-5.10
}

@test "three backends do the same as the model and as each other on the newest kernel" {
	agree debian-7
}

@test "SELinux does operations under rules with sources on both" {
	for kernel in "${common[@]}"; do
		sources "$kernel"
	done
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

@test "random operations on 6.1 are as the model says, with AppArmor" {
	holds debian-6.1+apparmor
}

@test "random operations on 6.12 are as the model says, with AppArmor" {
	holds debian-6.12+apparmor
}

@test "a target that is not there, and no target, are refused" {
	cd "$BATS_TEST_DIRNAME/../.."
	run -2 build/gauntlet model --on debian-6.13+bpf
	[[ $output == *"debian-6.1"* ]]
	run -2 build/gauntlet model
	[[ $output == *"--on TARGET"* ]]
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
	cd "$BATS_TEST_DIRNAME/../.."
	mkdir -p "$BATS_TEST_TMPDIR/cases/model"
	one_of bpf_lsm 17 2 | sed -n '/^----$/,/^----$/{/^----$/!p}' \
		>"$BATS_TEST_TMPDIR/cases/model/one.yaml"
	run -0 build/gauntlet run model/one --cases "$BATS_TEST_TMPDIR/cases" --on debian-6.1+bpf \
		--contender portcullis --results "$BATS_TEST_TMPDIR"
	[[ $output == *"as expected"* && $output == *INLINE_DENY* ]]
}
