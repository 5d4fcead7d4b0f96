# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What the scripts in guests say. guest_run puts it into the guest beside them.

is() { # NAME WANT GOT
	if [ "$2" = "$3" ]; then echo "ok $1"; else echo "not ok $1: want $2, got $3"; fi
}
# The exit code of a command, its output thrown away.
code() {
	"$@" >/dev/null 2>&1
	echo $?
}
