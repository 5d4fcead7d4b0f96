#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What make test ends with: scripts/tally must not take a suite that died, or ran nothing, for one that
# passed.

bats_require_minimum_version 1.5.0

tally=$BATS_TEST_DIRNAME/../../scripts/tally

# adds CODE LAST_LINE NAME...: the exit code of a tally of these suites, and how it ends.
adds() {
	local code=$1 last=$2
	shift 2
	run "$tally" "${@/#/$BATS_TEST_TMPDIR/}"
	if [ "$status" -ne "$code" ] || [ "${lines[-1]}" != "$last" ]; then
		echo "exit $status, expected $code; want \"$last\" at the end of: $output"
		return 1
	fi
}

says() { [[ $output == *"$1"* ]] || { echo "want \"$1\" in: $output"; return 1; }; }

# suite NAME LINE...
suite() {
	local name=$1
	shift
	printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/$name"
}

setup() {
	suite good.tap '1..2' 'ok 1 one' 'ok 2 two' '# exit 0'
}

@test "what passed is added up over suites" {
	suite other.tap '1..1' 'ok 1 - three' '# exit 0'
	adds 0 '3 passed, 0 failed, 0 skipped' good.tap other.tap
}

@test "what failed is named with its suite and what that said of it" {
	suite bad.tap '1..3' 'ok 1 one' 'not ok 2 two' '# why it failed' 'ok 3 three' '# exit 1'
	adds 1 '4 passed, 1 failed, 0 skipped' good.tap bad.tap
	says 'failed   bad: two'
	says '# why it failed'
}

@test "what was skipped is named with its reason, as bats and as cmocka write it" {
	suite skips.tap '1..3' 'ok 1 one' 'ok 2 two # skip no kernel' 'not ok 3 # SKIP three' '# exit 0'
	adds 0 '3 passed, 0 failed, 2 skipped' good.tap skips.tap
	says 'two # skip no kernel'
	says 'skipped  skips: three'
}

@test "a suite that ended before its plan has failed" {
	suite short.tap '1..3' 'ok 1 one' '# exit 0'
	adds 1 '3 passed, 1 failed, 0 skipped' good.tap short.tap
	says 'failed   short: planned 3 tests and ran 1'
}

@test "a suite that ended with an error after its last test has failed" {
	suite died.tap '1..1' 'ok 1 one' '# exit 139'
	adds 1 '3 passed, 1 failed, 0 skipped' good.tap died.tap
	says 'failed   died: ended with code 139'
}

@test "a suite that ran nothing has failed, whether it said something or not" {
	suite silent.tap
	: >"$BATS_TEST_TMPDIR/empty.tap"
	suite none.tap '1..0' '# exit 0'
	adds 1 '2 passed, 3 failed, 0 skipped' good.tap silent.tap empty.tap none.tap
	says 'failed   empty: ran nothing'
}

@test "nothing passed is a failure" {
	suite skips.tap '1..1' 'ok 1 one # skip no kernel' '# exit 0'
	adds 1 '0 passed, 0 failed, 1 skipped' skips.tap
}
