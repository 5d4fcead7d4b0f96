#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs in a guest (load.bats puts it there): which steps an apply of RULES rules takes by the backend that
# the node has, a change of one of them, and a removal; and of BPF-LSM what the programs cost the verifier,
# each out of the 1,000,000 instructions that it may follow. One line each, "ok NAME" or "not ok NAME: what
# was seen"; a line "# figures" with what was measured, as JSON. Ends with a line "done".
#
# Usage: load.sh RULES

P=/opt/gauntlet/portcullis
RULES=$1
case $(cat /sys/kernel/security/lsm) in
*bpf*) BACKEND=bpf_lsm ;;
*selinux*) BACKEND=selinux ;;
*) BACKEND=apparmor ;;
esac
# That what runs already is not bound by AppArmor is no complaint.
complaint() { grep -v 'not bound by apparmor' /tmp/error | head -n 1; }
# The rules of AppArmor and SELinux are looser than they say.
apply() { $P apply --backend $BACKEND --best-effort --steps --json "$1"; }

# shellcheck source=scenarios/tests/drive/say.sh
. /tmp/say.sh
reads() { if cat "$1" >/dev/null 2>&1; then echo yes; else echo no; fi; }
# Of the JSON objects on standard input, one a line, an array.
array() { awk 'BEGIN { printf "[" } { printf "%s%s", (NR > 1 ? "," : ""), $0 } END { printf "]" }'; }
now_ms() { sed 's/^\([0-9]*\)\.\([0-9][0-9]\).*/\1\20/' /proc/uptime; }

policy() { # the number of the rule that is another one
	awk -v rules="$RULES" -v other="$1" 'BEGIN {
		print "apiVersion: security.kubearmor.com/v1\nkind: KubeArmorHostPolicy"
		print "metadata: {name: many}\nspec:"
		print "  nodeSelector: {matchLabels: {kubearmor.io/hostname: \"*\"}}\n  action: Block"
		print "  file:\n    matchPaths:"
		for (i = 0; i < rules; i++)
			printf "    - {path: /t/d%d/f%d%s}\n", i / 100, i, i == other ? "-other" : ""
	}'
}
mkdir -p /t/d0
for name in f0 f1 f1-other; do echo x >/t/d0/$name; done
if [ $BACKEND = selinux ]; then
	# Only what is there gets a label.
	for i in $(seq 0 $((RULES - 1))); do
		[ $((i % 100)) -gt 0 ] || mkdir -p /t/d$((i / 100))
		echo x >/t/d$((i / 100))/f"$i"
	done
fi
# How many of all files may be read.
free() { for file in /t/d*/f*; do true <"$file" && echo x; done 2>/dev/null | grep -c x; }
policy -1 >/tmp/before.yaml
policy 1 >/tmp/after.yaml
held() { for name in f0 f1 f1-other; do reads /t/d0/$name; done | tr '\n' ' '; }

programs=
if [ $BACKEND = bpf_lsm ]; then
	/opt/gauntlet/verifier >/tmp/verifier
	is verifier-takes-all 0 $?
	is programs-are-many yes "$([ "$(grep -c '"loaded": true' /tmp/verifier)" -ge 20 ] && echo yes)"
	# Room for what later kernels take longer over, and for what is still to come.
	is each-has-room '' "$(sed -n 's/.*"program": "\([^"]*\)".*"verified": \([0-9-]*\), "limit": \([0-9]*\).*/\1 \2 \3/p' /tmp/verifier |
		awk '$2 < 1 || $2 > $3 / 2')"
	programs=" \"programs\": $(array </tmp/verifier),"
fi

is free 'yes yes yes ' "$(held)"
apply /tmp/before.yaml >/tmp/apply.json 2>/tmp/error
is applies '0 ' "$? $(complaint)"
is holds 'no no yes ' "$(held)"
[ $BACKEND != selinux ] || is holds-all 1 "$(free)"
apply /tmp/after.yaml >/tmp/change.json 2>/tmp/error
is changes '0 ' "$? $(complaint)"
is holds-changed 'no yes no ' "$(held)"
before=$(now_ms)
$P remove --steps --json >/tmp/remove.json 2>/tmp/error
is removes '0 ' "$? $(complaint)"
removed_ms=$(($(now_ms) - before))
is free-again 'yes yes yes ' "$(held)"
[ $BACKEND != selinux ] || is all-free-again $((RULES + 1)) "$(free)"
is tells-steps 3 "$(grep -l '"step": *"' /tmp/apply.json /tmp/change.json /tmp/remove.json | wc -l)"
steps() { tr -d '\n' <"$1" | sed 's/.*"steps": *\(\[[^]]*\]\).*/\1/'; }
echo "# figures {\"kernel\": \"$(uname -r)\", \"backend\": \"$BACKEND\", \"rules\": $RULES,$programs" \
	"\"apply\": $(steps /tmp/apply.json), \"change\": $(steps /tmp/change.json)," \
	"\"remove\": $(steps /tmp/remove.json), \"remove_ms\": $removed_ms}"
echo 'done'
