#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The engine's promises in a booted guest of each kind: what is applied outlives the process, is
# replaced and removed whole, also under load and when it is killed; long and deep paths;
# containers as domains. drive/engine.sh does it all in one boot and says what it saw.

bats_require_minimum_version 1.5.0

TARGETS="bottlerocket-6.1 ubuntu-24.04+bpf"

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
	gcc -std=gnu17 -D_GNU_SOURCE -Icore -iquote . -o "$BATS_FILE_TMPDIR/vm_call" \
		scenarios/tests/drive/vm_call.c build/libgauntlet.a build/libportcullis.a \
		-lbpf -lelf -lz -lyaml -ljansson -lm -lpthread
	jq -nc --rawfile text scenarios/tests/drive/engine.sh \
		'{op: "put", path: "/tmp/engine.sh", mode: "0755", text: $text}' \
		>"$BATS_FILE_TMPDIR/requests"
	echo '{"op":"exec","argv":["/tmp/engine.sh"],"timeout_ms":170000,"host_timeout_ms":180000}' \
		>>"$BATS_FILE_TMPDIR/requests"
	for target in $TARGETS; do
		mkdir -p "$BATS_FILE_TMPDIR/log-$target"
		timeout 240 "$BATS_FILE_TMPDIR/vm_call" "$target" "$BATS_FILE_TMPDIR/log-$target" \
			<"$BATS_FILE_TMPDIR/requests" >"$BATS_FILE_TMPDIR/$target.replies" \
			2>"$BATS_FILE_TMPDIR/$target.err" &
	done
	wait
	for target in $TARGETS; do
		jq -r 'select(.stdout) | .stdout, .stderr' "$BATS_FILE_TMPDIR/$target.replies" \
			>"$BATS_FILE_TMPDIR/$target" || true
	done
}

# said TARGET: the guest ran the script to its end, and these promises hold.
holds() {
	local target=$1 bad
	if ! grep -qx 'done' "$BATS_FILE_TMPDIR/$target"; then
		cat "$BATS_FILE_TMPDIR/$target.err" "$BATS_FILE_TMPDIR/$target.replies"
		return 1
	fi
	grep '^#' "$BATS_FILE_TMPDIR/$target" || true
	# As many as the script has, so that none is lost silently.
	[ "$(grep -cE '^(not )?ok ' "$BATS_FILE_TMPDIR/$target")" -ge 120 ]
	if bad=$(grep '^not ok' "$BATS_FILE_TMPDIR/$target"); then
		echo "$bad"
		return 1
	fi
}

@test "the engine keeps its promises on bottlerocket-6.1" {
	holds bottlerocket-6.1
}

@test "the engine keeps its promises on ubuntu-24.04+bpf" {
	holds ubuntu-24.04+bpf
}
