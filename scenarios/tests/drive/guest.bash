# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# For bats files whose work is one script in a booted guest, which prints "ok NAME" or "not ok NAME:
# what was seen" and at its end "done".

# guest_run SCRIPT SECONDS TARGET...: boots each target and runs drive/SCRIPT in it, PCL_JOBS targets at
# once, or all. The array guest_size (CPUS MIB) makes them larger than their manifests; what is in
# guest_arguments is given to the script.
guest_size=()
guest_arguments=()
guest_run() {
	local script=$1 seconds=$2 target
	shift 2
	cd "$BATS_TEST_DIRNAME/../.." || exit
	gcc -std=gnu17 -D_GNU_SOURCE -Icore -iquote . -o "$BATS_FILE_TMPDIR/vm_call" \
		scenarios/tests/drive/vm_call.c build/libgauntlet.a build/libportcullis.a \
		$(make -s list-libs)
	jq -nc --rawfile text "scenarios/tests/drive/$script" --rawfile say scenarios/tests/drive/say.sh \
		'{op: "put", path: "/tmp/say.sh", mode: "0644", text: $say},
		{op: "put", path: "/tmp/drive.sh", mode: "0755", text: $text}' \
		>"$BATS_FILE_TMPDIR/requests"
	jq -nc --argjson ms "${seconds}000" '{op: "exec", argv: (["sh", "/tmp/drive.sh"] + $ARGS.positional),
		timeout_ms: $ms, host_timeout_ms: ($ms + 10000)}' \
		--args "${guest_arguments[@]}" >>"$BATS_FILE_TMPDIR/requests"
	for target; do
		[ "$(jobs -rp | wc -l)" -lt "${PCL_JOBS:-$#}" ] || wait -n || true
		mkdir -p "$BATS_FILE_TMPDIR/log-$target"
		timeout $((seconds + 70)) "$BATS_FILE_TMPDIR/vm_call" "$target" \
			"$BATS_FILE_TMPDIR/log-$target" ${guest_size:+size "${guest_size[@]}"} <"$BATS_FILE_TMPDIR/requests" \
			>"$BATS_FILE_TMPDIR/$target.replies" 2>"$BATS_FILE_TMPDIR/$target.err" &
	done
	wait
	for target; do
		jq -r 'select(.stdout) | .stdout, .stderr' "$BATS_FILE_TMPDIR/$target.replies" \
			>"$BATS_FILE_TMPDIR/$target" || true
	done
}

# guest_holds TARGET COUNT: the guest came to the end, and of at least COUNT promises all hold.
guest_holds() {
	local target=$1 count=$2 bad
	if ! grep -qx 'done' "$BATS_FILE_TMPDIR/$target"; then
		cat "$BATS_FILE_TMPDIR/$target.err" "$BATS_FILE_TMPDIR/$target.replies"
		return 1
	fi
	grep '^#' "$BATS_FILE_TMPDIR/$target" || true
	# As many as the script has, so that none is lost silently.
	[ "$(grep -cE '^(not )?ok ' "$BATS_FILE_TMPDIR/$target")" -ge "$count" ]
	if bad=$(grep '^not ok' "$BATS_FILE_TMPDIR/$target"); then
		echo "$bad"
		return 1
	fi
}
