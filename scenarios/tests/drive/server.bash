# SPDX-License-Identifier: Apache-2.0
# For bats files: serve.py on a folder. Sets and exports port; the log is $BATS_FILE_TMPDIR/log.
# shellcheck shell=bash

start_server() { # start_server FOLDER
	"$BATS_TEST_DIRNAME/drive/serve.py" "$1" "$BATS_FILE_TMPDIR/port" "$BATS_FILE_TMPDIR/log" \
		3>&- 4>&- &
	echo $! >"$BATS_FILE_TMPDIR/pid"
	for _ in $(seq 300); do
		[ ! -s "$BATS_FILE_TMPDIR/port" ] || break
		read -r -t 0.1 <> <(:) || true
	done
	port=$(cat "$BATS_FILE_TMPDIR/port")
	export port
}
stop_server() { kill "$(cat "$BATS_FILE_TMPDIR/pid")"; }
