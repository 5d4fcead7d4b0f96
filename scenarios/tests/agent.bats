#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The agent and the VM layer, in a booted guest of each kind. One boot serves most tests: the
# requests are sent in setup_file, and each test looks at the replies that it is about.

bats_require_minimum_version 1.5.0

TARGETS="bottlerocket-6.1 ubuntu-24.04+bpf"

# request NAME JSON: remembered in order; reply TARGET NAME finds its answer.
request() { printf '%s\t%s\n' "$1" "$2" >>"$BATS_FILE_TMPDIR/requests"; }

all_requests() {
	request ran '{"op":"exec","argv":["sh","-c","cat; echo $FOO; pwd; echo err >&2; exit 3"],"stdin":"in\n","env":{"FOO":"bar"},"cwd":"/tmp"}'
	request user '{"op":"exec","argv":["id","-u"],"uid":1000,"gid":1000}'
	request missing '{"op":"exec","argv":["/nosuch"]}'
	request not_program '{"op":"exec","argv":["/etc/passwd"]}'
	request killed '{"op":"exec","argv":["sh","-c","kill -9 $$"]}'
	request late '{"op":"exec","argv":["sh","-c","sleep 77 & sleep 77"],"timeout_ms":300}'
	request endless '{"op":"exec","argv":["yes"],"timeout_ms":500}'
	request left '{"op":"exec","argv":["sh","-c","sleep 88 & echo started"],"timeout_ms":20000}'
	request leftovers '{"op":"exec","argv":["sh","-c","ps | grep -c \"slee[p] 77\""]}'
	request bytes '{"op":"exec","argv":["printf","a\\377b"]}'
	request put '{"op":"put","path":"/data/a/f","mode":"0640","text":"abc"}'
	request stat '{"op":"stat","path":"/data/a/f"}'
	request get '{"op":"get","path":"/data/a/f"}'
	request link '{"op":"exec","argv":["ln","-s","/data/a/f","/data/link"]}'
	request through '{"op":"put","path":"/data/link","text":"new"}'
	request untouched '{"op":"get","path":"/data/a/f"}'
	request binary '{"op":"put","path":"/data/bin","base64":"AAH/"}'
	request get_binary '{"op":"get","path":"/data/bin"}'
	request copy '{"op":"copy","from":"/opt/gauntlet/busybox","to":"/usr/bin/ls"}'
	request copied '{"op":"exec","argv":["sh","-c","[ ! -L /usr/bin/ls ] && [ -L /usr/bin/cat ] && ls -d /data"]}'
	request unlink '{"op":"unlink","path":"/data"}'
	request gone '{"op":"stat","path":"/data"}'
	request unknown '{"op":"dance"}'
	request start '{"op":"container_start","name":"web"}'
	request twice '{"op":"container_start","name":"web"}'
	request inside '{"op":"exec","container":"web","argv":["sh","-c","cat /proc/self/cgroup; hostname; readlink /proc/1/exe; ls /proc | grep -c \"^[0-9]\"; echo x >/only-here"]}'
	request outside '{"op":"stat","path":"/only-here"}'
	request inside_late '{"op":"exec","container":"web","argv":["sleep","99"],"timeout_ms":300}'
	request inside_missing '{"op":"exec","container":"web","argv":["/nosuch"]}'
	request shared '{"op":"container_start","name":"side","root":"shared"}'
	request in_shared '{"op":"exec","container":"side","argv":["sh","-c","[ -e /init ] && readlink /proc/self"]}'
	request stop '{"op":"container_stop","name":"web"}'
	request stop_shared '{"op":"container_stop","name":"side"}'
	request after '{"op":"exec","argv":["sh","-c","find /sys/fs/cgroup -mindepth 1 -type d"]}'
	request ping '{"op":"ping"}'
}

# drive TARGET [icount]: requests on standard input, replies to standard output.
drive() {
	mkdir -p "$BATS_FILE_TMPDIR/log-$1"
	timeout 120 "$BATS_FILE_TMPDIR/vm_call" "$1" "$BATS_FILE_TMPDIR/log-$1" "${@:2}"
}

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
	gcc -std=gnu17 -D_GNU_SOURCE -Icore -iquote . -o "$BATS_FILE_TMPDIR/vm_call" \
		scenarios/tests/drive/vm_call.c build/libgauntlet.a build/libportcullis.a \
		$(make -s list-libs)
	all_requests
	for target in $TARGETS; do
		cut -f2 "$BATS_FILE_TMPDIR/requests" |
			drive "$target" >"$BATS_FILE_TMPDIR/$target" 2>"$BATS_FILE_TMPDIR/$target.err"
	done
}

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
}

# has NAME FILTER: the reply to NAME satisfies the jq filter, in every target.
has() {
	local number target
	number=$(cut -f1 "$BATS_FILE_TMPDIR/requests" | grep -nx "$1" | cut -d: -f1)
	for target in $TARGETS; do
		# The hello is the first line.
		sed -n "$((number + 1))p" "$BATS_FILE_TMPDIR/$target" >"$BATS_TEST_TMPDIR/reply"
		if ! jq -e "$2" "$BATS_TEST_TMPDIR/reply" >/dev/null; then
			echo "$target, $1: want $2"
			echo "got $(cat "$BATS_TEST_TMPDIR/reply")"
			return 1
		fi
	done
}

@test "the hello tells the kernel and exactly the LSMs of the manifest" {
	for target in $TARGETS; do
		manifest=$(build/gauntlet list targets --json |
			jq --arg id "$target" '.[] | select(.id == $id)')
		want=$(jq -r '.lsm | join(",")' <<<"$manifest")
		got=$(head -1 "$BATS_FILE_TMPDIR/$target" | jq -r '.lsm | join(",")')
		echo "$target: got $got, want $want"
		[ "$got" = "$want" ]
		kernel=$(jq -r .kernel <<<"$manifest")
		head -1 "$BATS_FILE_TMPDIR/$target" | jq -e --arg k "$kernel." '.kernel | startswith($k)'
	done
}

@test "a program's exit, outputs, input, environment and directory" {
	has ran '.exit == 3 and .signal == null and .stdout == "in\nbar\n/tmp\n" and .stderr == "err\n"'
	has user '.exit == 0 and .stdout == "1000\n"'
}

@test "a program that cannot start is told by its errno, one that is killed by its signal" {
	has missing '.spawn_errno == 2 and .exit == null'
	has not_program '.spawn_errno == 13 and .exit == null'
	has killed '.signal == 9 and .exit == null and .timed_out == false'
}

@test "at the time limit the whole process group is killed" {
	has late '.timed_out and .signal == 9'
	has leftovers '.stdout == "0\n"'
	has endless '.timed_out and .signal == 9 and .truncated'
}

@test "a child that is left behind does not hold the answer up" {
	has left '.exit == 0 and .stdout == "started\n" and .duration_ns < 10e9'
}

@test "output that is no text is repaired" {
	has bytes '.stdout == "a\ufffdb"'
}

@test "files are put, read, described and removed" {
	has stat '.exists and .type == "file" and .size == 3 and .mode == 416 and
		.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"'
	has get '.text == "abc"'
	has get_binary '.base64 == "AAH/"'
	has gone '.exists == false'
}

@test "a symbolic link is replaced, not written through" {
	has through '.error == null'
	has untouched '.text == "abc"'
	has copied '.exit == 0'
}

@test "an unknown operation and a second container of a name are refused" {
	has unknown '.error | test("dance")'
	has twice '.error | test("running")'
}

@test "a container has its own cgroup, pids, host name and root" {
	has start '.pid > 1 and .cgroup == "/sys/fs/cgroup/web"'
	# Its init, the shell, ls and grep.
	has inside '.exit == 0 and (.stdout | test("^0::/web\nweb\n.*\n[345]\n$"))'
	has outside '.exists == false'
	has inside_late '.timed_out and .signal == 9'
	has inside_missing '.spawn_errno == 2'
}

@test "a container can share the host's root" {
	has in_shared '.exit == 0 and (.stdout | test("^[0-9]{1,2}\n$"))'
}

@test "a stopped container leaves nothing" {
	has stop '.error == null'
	has stop_shared '.error == null'
	has after '.stdout == ""'
	has ping '.pong'
}

@test "panic, hang, splat and a guest that turns itself off are told apart" {
	target=${TARGETS%% *}
	[ "$(echo '{"op":"panic"}' | drive "$target" | jq -r 'select(.failed).state')" = panic ]
	[ "$(echo '{"op":"hang","host_timeout_ms":1000}' | drive "$target" |
		jq -r 'select(.failed).state')" = hang ]
	[ "$(echo '{"op":"exec","argv":["sh","-c","echo \"<4>BUG: not real\" >/dev/kmsg"]}' |
		drive "$target" | tail -1 | jq -r .state)" = splat ]
	[ "$(echo '{"op":"exec","argv":["/usr/bin/busybox","poweroff","-f"]}' | drive "$target" |
		jq -r 'select(.failed).state')" = dead ]
}

@test "a busy guest is not dead, a dead agent is noticed long before the deadline" {
	target=${TARGETS%% *}
	printf '%s\n' '{"op":"exec","argv":["timeout","6","sh","-c","while :; do :; done"]}' '{"op":"mute"}' \
		'{"op":"ping","host_timeout_ms":100000}' |
		drive "$target" beat 3000 >"$BATS_TEST_TMPDIR/replies"
	cat "$BATS_TEST_TMPDIR/replies"
	sed -n 2p "$BATS_TEST_TMPDIR/replies" | jq -e '.signal == 15 and .duration_ns > 5e9'
	sed -n 4p "$BATS_TEST_TMPDIR/replies" |
		jq -e '.state == "hang" and (.failed | capture("in (?<ms>[0-9]+) ms").ms | tonumber < 60000)'
}

@test "a hung guest is dumped: registers, and what its kernel says to the magic keys" {
	target=${TARGETS%% *}
	echo '{"op":"hang","host_timeout_ms":2000}' | drive "$target" | sed -n 2p |
		jq -e '.state == "hang" and (.failed | test("hang.txt"))'
	dump=$BATS_FILE_TMPDIR/log-$target/hang.txt
	[ "$(grep -c '^RIP=' "$dump")" -eq 2 ]
	grep -q 'sysrq: Show backtrace of all active CPUs' "$dump"
	grep -q 'sysrq: Show State' "$dump"
	grep -q 'Mem-Info' "$dump"
	grep -Eq 'task:agent|task:init' "$dump"
}

@test "a CPU that spins with interrupts off: the NMI shows where" {
	for target in $TARGETS; do
		echo '{"op":"exec","argv":["/opt/gauntlet/stall","irq","600"],"timeout_ms":600000,"host_timeout_ms":90000}' |
			drive "$target" beat 10000 >"$BATS_TEST_TMPDIR/replies"
		cat "$BATS_TEST_TMPDIR/replies"
		sed -n 2p "$BATS_TEST_TMPDIR/replies" | jq -e '.state == "hang" and (.failed | test("panic") | not)'
		grep -q 'interrupts are off' "$BATS_FILE_TMPDIR/log-$target/hang.txt"
		grep -q 'bpf_prog_[0-9a-f]*_stall_irq_off' "$BATS_FILE_TMPDIR/log-$target/hang.txt"
	done
}

@test "no VM outlives a runner that is killed" {
	target=${TARGETS%% *}
	mkdir -p "$BATS_TEST_TMPDIR/log"
	mkfifo "$BATS_TEST_TMPDIR/in"
	"$BATS_FILE_TMPDIR/vm_call" "$target" "$BATS_TEST_TMPDIR/log" \
		<"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>/dev/null 3>&- &
	runner=$!
	exec 9>"$BATS_TEST_TMPDIR/in"
	for ((i = 0; i < 600; i++)); do
		[ -s "$BATS_TEST_TMPDIR/out" ] && break
		read -rt 0.1 <> <(:) || true
	done
	qemu=$(pgrep -P "$runner")
	[ -n "$qemu" ]
	kill -9 "$runner"
	timeout 10 tail --pid="$runner" -f /dev/null
	exec 9>&-
	for ((i = 0; i < 100; i++)); do
		# A zombie has no command line: it waits to be reaped, and runs no more.
		[ -s "/proc/$qemu/cmdline" ] && [ -n "$(tr -d '\0' <"/proc/$qemu/cmdline")" ] || break
		read -rt 0.1 <> <(:) || true
	done
	[ ! -e "/proc/$qemu" ] || [ -z "$(tr -d '\0' <"/proc/$qemu/cmdline")" ]
}
