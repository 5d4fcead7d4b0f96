#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs in a guest (cut.bats puts it there): apply, domain and remove are killed, and made to fail, at
# every point that the engine has (core/base/fault.h). Whatever was cut short, the old ruleset or the
# new one holds, whole, and status says which. One line each, "ok NAME" or "not ok NAME: what was
# seen". Ends with a line "done".
# shellcheck disable=SC3043  # busybox sh has local

P=/opt/gauntlet/portcullis
CG=/sys/fs/cgroup
# More than there are points anywhere.
MANY=50

# shellcheck source=scenarios/tests/drive/say.sh
. /tmp/say.sh
reads() { if cat "$1" >/dev/null 2>&1; then echo yes; else echo no; fi; }
runs() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }
in_group() { # CGROUP COMMAND...
	local group="$1"
	shift
	# shellcheck disable=SC2016  # the inner shell expands it
	sh -c 'echo 0 >/sys/fs/cgroup/$1/cgroup.procs && shift && "$@"' sh "$group" "$@"
}
# Runs portcullis, killed at point N; sets code, and point to the name of the point.
cut() { # N ARGUMENT...
	local n="$1"
	shift
	PORTCULLIS_KILL_AT=$n $P "$@" >/tmp/out 2>/tmp/err
	code=$?
	point=$(sed -n 's/^portcullis: killed at point [0-9]*, //p' /tmp/err)
}

was_killed() { [ "$code" = 137 ] && [ "$n" -lt $MANY ]; }
has_failed() { [ "$code" != 0 ] && [ "$n" -lt $MANY ]; }

mkdir -p /t /tmp
for file in a b both host; do
	echo "$file" >/t/$file
	cp /opt/gauntlet/attacks/hello /t/run-$file
done
# One set of rules blocks all of a, the other all of b: files and programs, of the host and of a
# container. What stands in both is never free.
for name in a b; do
	for kind in host web; do
		cat <<-END
			---
			apiVersion: security.kubearmor.com/v1
			kind: $([ $kind = host ] && echo KubeArmorHostPolicy || echo KubeArmorPolicy)
			metadata: {name: $kind-$name}
			spec:
			  $([ $kind = host ] && echo 'nodeSelector: {matchLabels: {kubearmor.io/hostname: "*"}}' || echo 'selector: {matchLabels: {app: web}}')
			  action: Block
			  file:
			    matchPaths: [{path: /t/$name}, {path: /t/both}$([ $kind = host ] && echo ', {path: /t/host}')]
			  process:
			    matchPaths: [{path: /t/run-$name}]
		END
		# A class that only one of the sets has, so that programs are attached and detached.
		[ $name = a ] ||
			echo '  network: {matchProtocols: [{protocol: sctp}]}'
	done >/tmp/$name.yaml
done

# What holds: a, b, none, or whatever else it is.
holds() {
	local seen
	seen="$(reads /t/a) $(runs /t/run-a hi) $(reads /t/b) $(runs /t/run-b hi) $(reads /t/both)"
	case $seen in
	"no no yes yes no") echo a ;;
	"yes yes no no no") echo b ;;
	"yes yes yes yes yes") echo none ;;
	*) echo "mixed: $seen" ;;
	esac
}
# The same in the container; what it does not have, the host has.
holds_inside() {
	local seen
	seen="$(runs in_group web cat /t/a) $(runs in_group web /t/run-a hi) $(runs in_group web cat /t/b) $(runs in_group web /t/run-b hi) $(runs in_group web cat /t/both)"
	case $seen in
	"no no yes yes no") echo a ;;
	"yes yes no no no") echo b ;;
	*) echo "mixed: $seen" ;;
	esac
}
# What status says that holds.
says() {
	$P status >/tmp/status 2>&1
	case $? in
	0) sed -n 's/^  Block .* host-\([ab]\)#file.matchPaths\[0\]\(  .*\)*$/\1/p' /tmp/status ;;
	1) grep -qx 'nothing is applied' /tmp/status && echo none ;;
	esac
}
generation() { $P status | sed -n '1s/^generation \([0-9]*\) .*/\1/p'; }
other() { if [ "$1" = a ]; then echo b; else echo a; fi; }

# --- the first apply ------------------------------------------------------------------------------
is free-before none "$(holds)"
# Up to where the programs are loaded; from there on it goes the way of every apply. Then at the last
# point before and the first after the switch. What the one before left is taken away first: that is cut
# as well, and has a point for each directory, so that no load is cut twice at the same point.
left() { for dir in /sys/fs/bpf/portcullis/*/; do [ -z "$(ls "$dir" 2>/dev/null)" ] || echo "${dir%/}"; done; }
n=0 point='' cleared=''
while [ "$point" != "bpf: loaded or found" ]; do
	for dir in $(left); do
		case "$cleared " in *" $dir "*) continue ;; esac
		cleared="$cleared $dir"
		cut "$dir" apply /tmp/a.yaml
		is "first-apply-clears: $point" "$dir none none" "$point $(says) $(holds)"
	done
	n=$((n + 1))
	cut $((n + $(left | wc -l))) apply /tmp/a.yaml
	was_killed || break
	is "first-apply-is-whole: $point" "none none" "$(says) $(holds)"
done
is first-apply-clears-all 3 "$(echo "$cleared" | wc -w)"
is first-apply-points yes "$([ $n -gt 7 ] && echo yes)"
echo "# the first apply was cut at $n points"
cut "bpf: ready to switch" apply /tmp/a.yaml
is "first-apply-is-whole: $point" "none none" "$(says) $(holds)"
cut "bpf: switched" apply /tmp/a.yaml
is "first-apply-is-whole: $point" "a a" "$(says) $(holds)"
# A class that is new; before 5.13 a program that was attached and let go must be loaded again.
for at in "bpf: a program is attached" "bpf: a program is loaded again" "bpf: a program is attached"; do
	cut "$at" apply /tmp/b.yaml
	is "new-class-is-whole: $at" "$(says)" "$(holds)"
done
is new-class-applies "0 b b" "$(code $P apply /tmp/b.yaml) $(says) $(holds)"
is old-class-applies "0 a a" "$(code $P apply /tmp/a.yaml) $(says) $(holds)"
now=a

# --- the next ones, under load --------------------------------------------------------------------
mkdir $CG/web $CG/late
is domain-added 0 "$(code $P domain add web --labels app=web --cgroup $CG/web)"
hammer() { # FILE; until /tmp/stop is there: how often it was tried, and how often it could be read
	local permitted=0 tried=0
	while [ ! -e /tmp/stop ]; do
		tried=$((tried + 1))
		if read -r _ <"$1"; then permitted=$((permitted + 1)); fi
	done 2>/dev/null
	echo "$tried $permitted"
}
hammer /t/both >/tmp/hammered-host &
host=$!
# shellcheck disable=SC2016
(echo 0 >$CG/web/cgroup.procs; hammer /t/both >/tmp/hammered-web) &
web=$!
kill -STOP $host $web
# Under load is what changes something; to look at what holds then would only take longer.
under_load() { # COMMAND...
	kill -CONT $host $web
	"$@"
	set -- $?
	kill -STOP $host $web
	return "$1"
}
n=0
while :; do
	n=$((n + 1))
	under_load cut $n apply /tmp/"$(other "$now")".yaml
	was_killed || break
	before=$now
	now=$(holds)
	is "apply-is-whole: $point" "$(says)" "$now"
	is "apply-is-whole-inside: $point" "$now" "$(holds_inside)"
	# So that both ways are cut at every point.
	if [ "$now" = "$before" ]; then
		under_load $P apply /tmp/"$(other "$now")".yaml >/dev/null
		is "apply-goes-on: $point" "0 $(other "$now")" "$? $(holds)"
		now=$(other "$now")
	fi
done
is apply-ends 0 "$code"
is apply-points yes "$([ $n -gt 12 ] && echo yes)"
echo "# apply was cut at $((n - 1)) points"
under_load $P apply /tmp/a.yaml >/dev/null
: >/tmp/stop
kill -CONT $host $web
wait $host $web
read -r tried permitted </tmp/hammered-host
echo "# the host tried $tried times"
is host-without-a-gap "yes 0" "$([ "$tried" -gt 100 ] && echo yes) $permitted"
read -r tried permitted </tmp/hammered-web
is container-without-a-gap "yes 0" "$([ "$tried" -gt 100 ] && echo yes) $permitted"

# --- domains --------------------------------------------------------------------------------------
# A task that was there before, and was looked at. What it may read tells whose it is: /t/host is
# blocked by the host's rules alone, and /t/a by both.
mkfifo /tmp/late.in /tmp/late.out
# shellcheck disable=SC2016
in_group late sh -c 'exec 8<>/tmp/late.in 9<>/tmp/late.out
	while read -r line <&8; do
		if read -r text <$line; then echo yes; else echo no; fi >&9
	done 2>/dev/null' &
late=$!
# Held open on both sides: who opened it for each answer could meet the end of the one before.
exec 6<>/tmp/late.out
asks() { # FILE
	local answer
	echo "$1" >/tmp/late.in
	read -r answer <&6
	echo "$answer"
}
# yes: the domain, no: the host; of the task that was there, and of a new one.
covered() { echo "$(asks /t/host) $(asks /t/a) $(runs in_group late cat /t/host) $(runs in_group late cat /t/a)"; }
listed() { if $P domain list | grep -q '^late '; then echo "yes no yes no"; else echo "no no no no"; fi; }
is late-is-the-hosts "no no no no" "$(covered)"
for verb in add remove; do
	n=0
	while :; do
		n=$((n + 1))
		if [ $verb = add ]; then
			$P domain remove late 2>/dev/null
			cut $n domain add late --labels app=web --cgroup $CG/late
		else
			$P domain add late --labels app=web --cgroup $CG/late 2>/dev/null
			cut $n domain remove late
		fi
		was_killed || break
		is "domain-$verb-is-whole: $point" "$(listed)" "$(covered)"
	done
	is domain-$verb-ends 0 "$code"
	is domain-$verb-is-done "$(listed)" "$(covered)"
	echo "# domain $verb was cut at $((n - 1)) points"
done

# --- what fails -----------------------------------------------------------------------------------
n=0
while :; do
	n=$((n + 1))
	before=$(generation)
	PORTCULLIS_FAIL_AT=$n $P apply /tmp/b.yaml >/tmp/out 2>/tmp/err
	code=$?
	has_failed || break
	is "failing-says-so: $(cat /tmp/err)" "1 1 0" "$code $(grep -c "failed, as PORTCULLIS_FAIL_AT=$n asks$" /tmp/err) $(grep -vc "failed, as" /tmp/err)"
	is "failing-leaves-all-$n" "$before a a" "$(generation) $(holds) $(holds_inside)"
done
is failing-ends "0 b" "$code $(holds)"
is failing-points yes "$([ $n -gt 6 ] && echo yes)"
n=0
while :; do
	n=$((n + 1))
	PORTCULLIS_FAIL_AT=$n $P domain add late --labels app=web --cgroup $CG/late >/tmp/out 2>/tmp/err
	code=$?
	has_failed || break
	is "failing-domain-is-the-hosts-$n" "no no" "$(asks /t/host) $(runs in_group late cat /t/host)"
done
is failing-domain-ends 0 "$code"
kill $late

# --- remove ---------------------------------------------------------------------------------------
n=0
while :; do
	n=$((n + 1))
	cut $n remove
	was_killed || break
	is "remove-is-whole: $point" "none none" "$(holds) $(says)"
done
is removes "0 none" "$code $(holds)"
is remove-points yes "$([ $n -gt 8 ] && echo yes)"
echo "# remove was cut at $((n - 1)) points"
is nothing-pinned '' "$(ls /sys/fs/bpf)"
is nothing-in-run no "$([ -e /run/portcullis ] && echo yes || echo no)"
is applies-again "0 b" "$(code $P apply /tmp/b.yaml) $(holds)"
is removes-again 0 "$(code $P remove)"
echo 'done'
