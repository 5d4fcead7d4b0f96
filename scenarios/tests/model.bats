#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Model against kernel: random operations under rules of all kinds that BPF-LSM enforces, most of which no
# other backend does, each with the errno and the alerts that policy/decide.h says. agree.bats is about the
# rest. PCL_MODEL_OPERATIONS asks for more or fewer, PCL_JOBS for guests at once.

bats_require_minimum_version 1.5.0

targets=(debian-5.10+bpf debian-6.1+bpf debian-6.12+bpf debian-7+bpf)
operations=${PCL_MODEL_OPERATIONS:-10000}

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
	for target in "${targets[@]}"; do
		build/gauntlet model --on "$target" --operations "$operations" --results "$BATS_FILE_TMPDIR" \
			>"$BATS_FILE_TMPDIR/$target.out" 2>&1 &
		[ "$(jobs -rp | wc -l)" -lt "${PCL_JOBS:-2}" ] || wait -n || true
	done
	wait
}

# holds TARGET: all operations were done, a good part was refused, and nothing differed.
holds() {
	local counts
	cat "$BATS_FILE_TMPDIR/$1.out"
	counts=$(sed -n 's/^[^ ]*: \({"backend".*}\)$/\1/p' "$BATS_FILE_TMPDIR/$1.out")
	jq -e --argjson wanted "$operations" \
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

@test "a target that is not there, and no target, are refused" {
	cd "$BATS_TEST_DIRNAME/../.."
	run -2 build/gauntlet model --on debian-6.13+bpf
	[[ $output == *"debian-6.1"* ]]
	run -2 build/gauntlet model
	[[ $output == *"--on TARGET"* ]]
}
