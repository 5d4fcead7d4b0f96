#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs in a guest (switch.bats puts it there): rulesets switched under load. One line each, "ok NAME"
# or "not ok NAME: what was seen". Ends with a line "done".

P=/opt/gauntlet/portcullis
ROUNDS=${1:-100}

# shellcheck source=scenarios/tests/drive/say.sh
. /tmp/say.sh

/opt/gauntlet/strain switch "$ROUNDS" >/tmp/counts 2>/tmp/err
is switch-ends 0 $?
read -r rounds tried free mixed wrong </tmp/counts
echo "# $rounds switches under $tried operations $(cat /tmp/err)"
is all-switches "$ROUNDS" "$rounds"
is under-load yes "$([ "${tried:-0}" -gt "$ROUNDS" ] && echo yes)"
is never-free 0 "$free"
is never-mixed 0 "$mixed"
is never-wrong 0 "$wrong"
# Each generation is one switch, and the domain's.
is status-counts-them "generation $((ROUNDS + 2)) by bpf_lsm" "$($P status | sed -n '1s/,.*//p')"
$P remove
is removes 0 $?
echo 'done'
