#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# gauntlet bench: its words, and one short measurement in a VM.

setup() {
	gauntlet=$BATS_TEST_DIRNAME/../../build/gauntlet
	out=$BATS_TEST_TMPDIR/results
}

# refuses PATTERN ARGUMENT...: exit 2 and one line that matches, and nothing was made.
refuses() {
	local pattern=$1
	shift
	run "$gauntlet" bench --results "$out" "$@"
	[ "$status" -eq 2 ] || {
		echo "exit $status, expected 2; output: $output"
		return 1
	}
	if [ "${#lines[@]}" -ne 1 ] || ! [[ $output =~ $pattern ]]; then
		echo "expected one line matching $pattern, got: $output"
		return 1
	fi
	[ ! -e "$out" ]
}

@test "bench: help names every option" {
	run "$gauntlet" bench --help
	[ "$status" -eq 0 ]
	for word in --on --backend --unit --rounds --rules --depth --containers --domains --results; do
		[[ $output == *"$word"* ]] || {
			echo "no $word in: $output"
			return 1
		}
	done
}

@test "bench: a wrong word is answered with the nearest right one" {
	refuses 'did you mean --rounds' --round 3
	refuses 'did you mean bottlerocket-6.1' --on bottlerocket-6.2
}

@test "bench: values out of range are refused" {
	refuses '--rounds needs a number' --rounds 0
	refuses '--rounds needs a number' --rounds three
	refuses '--rules needs a number' --rules 1
	refuses '--depth needs a number' --depth 6,0
	refuses '--depth needs a number' --depth 6,
	refuses '--depth takes at most' --depth 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17
	refuses '--backend is bpf_lsm, apparmor or selinux' --backend apparmour
	refuses 'with bpf_lsm only' --backend apparmor --domains 2
	refuses '--unit is ns, guest_insns or both' --unit insns
	refuses 'targets go with --on' bottlerocket-6.1
}

@test "bench: a results folder that cannot be made is said before any VM boots" {
	: >"$BATS_TEST_TMPDIR/file"
	run timeout 10 "$gauntlet" bench --results "$BATS_TEST_TMPDIR/file/below"
	[ "$status" -eq 6 ] || {
		echo "exit $status: $output"
		return 1
	}
	[[ $output == *"$BATS_TEST_TMPDIR/file/below"* ]]
}

@test "bench: two boots count the same instructions, and each contender costs what it should" {
	run "$gauntlet" bench --on bottlerocket-6.1 --unit guest_insns --depth 2,6 --results "$out"
	[ "$status" -eq 0 ] || {
		echo "exit $status: $output"
		return 1
	}
	[[ $output == *"both boots agree to the last digit"* ]]
	# Three contenders, four operations, two depths; deeper costs more, the floor more than nothing,
	# which in an exec is too little to be sure of (250 of 140,000).
	run jq -e '.latency as $rows
		| [$rows[] | select(.op == "open" and .contender == "none")] as $none
		| [$rows[] | select(.contender == "floor")] as $floor
		| [$rows[] | select(.contender == "portcullis")] as $portcullis
		| ($rows | length == 24 and all(.boots_agree and .boots == 2 and .median > 0))
		and $none[0].depth == 2 and $none[0].median < $none[1].median
		and ($floor | length == 8 and all(.vs_floor == 1))
		and all($floor[] | select(.op == "open"); .vs_none > 1)
		and all($floor[] | select(.op == "exec"); .vs_none > 0.99)
		and ($portcullis | length == 8 and all(.rules == 100 and .vs_floor > 1))' \
		"$out/results.json"
	[ "$status" -eq 0 ] || {
		jq -c '.latency[] | del(.samples)' "$out/results.json"
		return 1
	}
}
