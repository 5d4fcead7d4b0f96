#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs in a guest (flood.bats puts it there): what becomes of alerts when there are more than anybody
# reads. Whatever it is, verdicts hold, and every alert is counted once. One line each, "ok NAME" or
# "not ok NAME: what was seen". Ends with a line "done".
# shellcheck disable=SC3043  # busybox sh has local

P=/opt/gauntlet/portcullis
# As many as are refused in a few seconds of an emulated machine.
COUNT=${COUNT:-20000}

# shellcheck source=scenarios/tests/drive/say.sh
. /tmp/say.sh
# A number of a domain in status --json, 0 where there is none.
tally() { # DOMAIN KEY
	$P status --json | sed "s/.*\"name\":\"$1\"[^}]*\"$2\":\([0-9]*\).*/\1/"
}
events() { $P events --no-follow >/tmp/events; }
flood() { # TASKS; prints "COUNT REFUSED PER_SECOND LONGEST_US"
	/opt/gauntlet/attacks/flood /t/secret $((COUNT / $1)) "$1" |
		sed -n 's/.*"ok": true.*"data": "\(.*\)".*/\1/p'
}

mkdir -p /t /tmp
echo s >/t/secret
echo o >/t/other
for name in host container; do
	kind=KubeArmorPolicy
	selector='selector: {matchLabels: {app: web}}'
	[ $name = container ] || kind=KubeArmorHostPolicy
	[ $name = container ] || selector='nodeSelector: {matchLabels: {kubearmor.io/hostname: "*"}}'
	cat >/tmp/$name.yaml <<-END
		apiVersion: security.kubearmor.com/v1
		kind: $kind
		metadata: {name: $name}
		spec:
		  $selector
		  action: Block
		  file:
		    matchPaths:
		    - path: /t/secret
		    - path: /t/other
	END
done
is bad-rate 2 "$(code $P apply --alert-rate -1 /tmp/host.yaml)"
is bad-rate-word 2 "$(code $P apply --alert-rate many /tmp/host.yaml)"

# --- nobody reads -----------------------------------------------------------------------------------
is applies-without-limit 0 "$(code $P apply --alert-rate 0 /tmp/host.yaml /tmp/container.yaml)"
mkdir /sys/fs/cgroup/web
is domain 0 "$(code $P domain add web --labels app=web --cgroup /sys/fs/cgroup/web)"
# shellcheck disable=SC2046  # words
set -- $(flood 4)
echo "# $1 opens by 4 tasks, nobody reading: $3 a second, the longest took $4 us"
is flood-refused "$COUNT" "$2"
# A refused task waits for no reader; a busy machine may make it wait for a processor.
is flood-does-not-stall yes "$([ "${4:-30000000}" -lt 30000000 ] && echo yes)"
sent=$(tally host alerts) lost=$(tally host lost_alerts)
is flood-loses yes "$([ "$lost" -gt 0 ] && echo yes)"
is flood-counted "$COUNT" $((sent + lost))
is flood-nothing-suppressed 0 "$(tally host suppressed_alerts)"
is other-domain-lost-nothing 0 "$(tally web lost_alerts)"
events
is what-was-sent-is-there "$sent" "$(wc -l </tmp/events)"
echo 'echo 0 >/sys/fs/cgroup/web/cgroup.procs; cat /t/secret; cat /t/other' >/tmp/in.sh
sh /tmp/in.sh 2>/dev/null
is other-domain-sent 2 "$(tally web alerts)"
events
is room-again 2 "$(wc -l </tmp/events)"
is cwd '"Cwd":"/t"' "$(cd /t && cat /t/secret 2>/dev/null; events; grep -o '"Cwd":"[^"]*"' /tmp/events)"

# --- a rate -----------------------------------------------------------------------------------------
is applies-with-limit 0 "$(code $P apply --alert-rate 10 /tmp/host.yaml /tmp/container.yaml)"
is counts-go-on "$((sent + 1))" "$(tally host alerts)"
sent=$(tally host alerts)
# shellcheck disable=SC2046
set -- $(flood 1)
echo "# $1 opens by 1 task under a limit of 10 a second: $3 a second, the longest took $4 us"
is limited-refused "$COUNT" "$2"
suppressed=$(tally host suppressed_alerts)
is limited-counted "$COUNT" $(($(tally host alerts) - sent + $(tally host lost_alerts) - lost + suppressed))
# 40 at once, then 10 for each second that it took.
is limited yes "$([ $((COUNT - suppressed)) -le $((41 + 10 * (1 + COUNT / $3))) ] && echo yes)"
is limited-burst yes "$([ $((COUNT - suppressed)) -ge 40 ] && echo yes)"
events
is other-rule-is-heard 1 "$(cat /t/other 2>/dev/null; events; wc -l </tmp/events)"
sh /tmp/in.sh 2>/dev/null
events
is other-domain-is-heard 2 "$(wc -l </tmp/events)"
sleep 1
cat /t/secret 2>/dev/null
events
is left-out-is-said 1 "$(grep -c '"Suppressed":[1-9]' /tmp/events)"
is limit-stays-with-domains 0 "$(code $P domain remove web)"
# shellcheck disable=SC2046
set -- $(flood 1)
is limit-stayed yes "$([ "$(tally host suppressed_alerts)" -gt "$suppressed" ] && echo yes)"
is domain-again 0 "$(code $P domain add web --labels app=web --cgroup /sys/fs/cgroup/web)"
is new-domain-counts-anew 0 "$(tally web alerts)"
is removes 0 "$(code $P remove)"
echo 'done'
