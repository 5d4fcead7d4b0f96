#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs in a guest (capacity.bats puts it there): so many rules in one domain and
# so many domains (its arguments), whether the first, a middle and the last of them hold, and what
# they cost. One line each, "ok NAME" or "not ok NAME: what was seen"; a line "# figures"
# with what was measured, as JSON. Ends with a line "done".
# shellcheck disable=SC3043  # busybox sh has local

P=/opt/gauntlet/portcullis
CG=/sys/fs/cgroup
RULES=${1:-20000}
DOMAINS=${2:-500}

# shellcheck source=scenarios/tests/drive/say.sh
. /tmp/say.sh
reads() { if cat "$1" >/dev/null 2>&1; then echo yes; else echo no; fi; }
inside() { # CGROUP FILE
	# shellcheck disable=SC2016  # the inner shell expands it
	sh -c 'echo 0 >/sys/fs/cgroup/$1/cgroup.procs; if cat "$2" >/dev/null 2>&1; then echo yes; else echo no; fi' sh "$1" "$2"
}
# Of the whole machine, in KiB, with what could be given back counted as free. Maps go when a worker of
# the kernel comes to it, so it is read until it stays the same.
free_kib() {
	local last='' now='' tries=0
	while [ $tries -lt 200 ]; do
		sync
		echo 3 >/proc/sys/vm/drop_caches
		now=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
		if [ -n "$last" ] && [ $((now - last)) -lt 128 ] && [ $((last - now)) -lt 128 ]; then
			break
		fi
		last=$now
		tries=$((tries + 1))
	done
	echo "$now"
}
now_ms() { sed 's/^\([0-9]*\)\.\([0-9][0-9]\).*/\1\20/' /proc/uptime; }
error_of() { "$@" 2>&1 >/dev/null | head -n 1; }

# RULES files in directories of 1,000, each with a rule of its own.
policy() { # RULES
	awk -v rules="$1" 'BEGIN {
		print "apiVersion: security.kubearmor.com/v1\nkind: KubeArmorHostPolicy"
		print "metadata: {name: many}\nspec:"
		print "  nodeSelector: {matchLabels: {kubearmor.io/hostname: \"*\"}}\n  action: Block"
		print "  file:\n    matchPaths:"
		for (i = 0; i < rules; i++)
			printf "    - {path: /t/d%d/f%d}\n", i / 1000, i
	}'
}

mkdir /t
last=$((RULES - 1)) middle=$((RULES / 2))
for i in 0 $middle $last; do
	mkdir -p /t/d$((i / 1000))
	echo x >/t/d$((i / 1000))/f"$i"
	echo x >/t/d$((i / 1000))/neighbour"$i"
done
files() { for i in 0 $middle $last; do reads "/t/d$((i / 1000))/$1$i"; done | tr '\n' ' '; }
policy 1 >/tmp/one.yaml
policy "$RULES" >/tmp/many.yaml
cat >/tmp/box.yaml <<'END'
apiVersion: security.kubearmor.com/v1
kind: KubeArmorPolicy
metadata: {name: box}
spec:
  selector: {matchLabels: {app: box}}
  action: Block
  file: {matchPaths: [{path: /t/secret}]}
END
echo x >/t/secret
echo x >/t/neighbour
first=c0 half=c$((DOMAINS / 2)) final=c$((DOMAINS - 1))
mkdir "$CG/other"
i=0
while [ $i -lt "$DOMAINS" ]; do
	mkdir $CG/c$i
	echo c$i c$i app=box
	i=$((i + 1))
done >/tmp/domains
boxes() { for c in $first $half $final other; do inside "$c" "$1"; done | tr '\n' ' '; }

# --- domains --------------------------------------------------------------------------------------
# The programs and the tables that are always there, so that what is added is the domains' own.
$P apply /tmp/one.yaml /tmp/box.yaml 2>/dev/null
is one-applies 0 $?
is free-inside "yes yes yes yes " "$(boxes /t/secret)"
empty=$(free_kib)
before=$(now_ms)
is domains-added '' "$(error_of $P domain add --from /tmp/domains)"
domains_ms=$(($(now_ms) - before))
full=$(free_kib)
domains_kib=$((empty - full))
is refused-inside "no no no yes " "$(boxes /t/secret)"
is neighbour-inside "yes yes yes yes " "$(boxes /t/neighbour)"
is all-listed $((DOMAINS + 1)) "$($P domain list | wc -l)"

# --- rules, beside them ---------------------------------------------------------------------------
is free-before "no yes yes " "$(files f)"
before=$(now_ms)
is many-apply '' "$(error_of $P apply /tmp/many.yaml /tmp/box.yaml)"
rules_ms=$(($(now_ms) - before))
rules_kib=$((full - $(free_kib)))
is refused "no no no " "$(files f)"
is neighbours "yes yes yes " "$(files neighbour)"
is still-refused-inside "no no no yes " "$(boxes /t/secret)"

# --- one more, and what is too much ---------------------------------------------------------------
before=$(now_ms)
is another-is-added '' "$(error_of $P domain add other --labels app=box --cgroup other)"
another_ms=$(($(now_ms) - before))
is another-holds no "$(inside other /t/secret)"
echo 'late other' >/tmp/late
is twins-are-refused "portcullis: $CG/other is the domain \"other\" already" "$(error_of $P domain add --from /tmp/late)"
if [ "$DOMAINS" -ge 10000 ]; then
	i=0
	while [ $i -lt 300 ]; do
		mkdir $CG/more$i
		echo more$i more$i app=box
		i=$((i + 1))
	done >/tmp/more
	is too-many-are-refused "portcullis: there are 10239 domains, which is the limit" "$(error_of $P domain add --from /tmp/more)"
	is refused-as-a-whole "$((DOMAINS + 2)) yes no" "$($P domain list | wc -l) $(inside more0 /t/secret) $(inside c0 /t/secret)"
fi
echo "# figures {\"kernel\": \"$(uname -r)\", \"rules\": $RULES, \"rules_kib\": $rules_kib, \"rules_ms\": $rules_ms," \
	"\"domains\": $DOMAINS, \"domains_kib\": $domains_kib, \"domains_ms\": $domains_ms, \"another_ms\": $another_ms}"
is removes '' "$(error_of $P remove)"
echo 'done'
