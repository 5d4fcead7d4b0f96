#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In a guest with SELinux, enforcing: what is refused, what a change and its interruptions leave, that
# another policy's load is put right, and that nothing is left by remove. Says what it saw; see say.sh.
# shellcheck disable=SC2015
. /tmp/say.sh
p=/opt/gauntlet/portcullis
selinux=/sys/fs/selinux
node=/usr/share/gauntlet/selinux/policy
work=/srv/drive
mkdir -p $work/dir
cd $work || exit 1
for file in a b c; do echo "secret-$file" >$work/$file; done

policy() { # FILE...: blocks them for the host
	printf 'apiVersion: security.kubearmor.com/v1\nkind: KubeArmorHostPolicy\nmetadata: {name: keep}\nspec:\n'
	printf '  nodeSelector: {matchLabels: {kubearmor.io/hostname: "*"}}\n  action: Block\n  file:\n    matchPaths:\n'
	for file; do printf '    - path: %s\n' "$work/$file"; done
}
apply() { # POLICY
	$p apply --backend selinux --best-effort "$1" >said 2>&1
}
# Which of a, b, c may not be read.
refused() {
	for file in a b c; do cat $work/$file >/dev/null 2>&1 || printf %s $file; done
}
count() { grep -c "$@" || true; }
# What became of labels, as was written down: before, after, and whose.
labels() { grep ^label /run/portcullis/selinux/applied; }
# What the kernel makes of the node's own policy, and of the one that is loaded.
digest() { sha256sum <$selinux/policy; }
load() { dd if="$1" of=$selinux/load bs=16M 2>/dev/null; }

load $node
before=$(digest)
is 'nothing is refused before' '' "$(refused)"
policy a >a.yaml
$p apply --backend selinux a.yaml >said 2>&1
is 'what is looser is refused without --best-effort' 3 $?
is 'and nothing is loaded' "$before" "$(digest)"
apply a.yaml
is 'a policy is applied' 0 $?
is 'its file is refused, its neighbours are not' a "$(refused)"
cat a 2>said
is 'as not permitted' 1 "$(count 'Permission denied' <said)"
$p events --no-follow >heard
is 'an event names the rule' yes "$([ "$(count '"RuleID":"keep#file.matchPaths\[0\]"' <heard)" -gt 0 ] && echo yes)"
is 'and the file' yes "$([ "$(count "\"Resource\":\"$work/a\"" <heard)" -gt 0 ] && echo yes)"
$p events --no-follow >heard
is 'an event is told once' 0 "$(count RuleID <heard)"
given=$(labels)
is 'the type says what it stands in for' yes "$(labels | awk -v path=$work/a '$4 == path {
	split($2, before, ":"); split($3, after, ":"); print after[3] == "portcullis_rw_" before[3] ? "yes" : $0 }')"
is 'the neighbour keeps its label' 0 "$(labels | count "$work/b\$")"
ln a dir/link 2>/dev/null
mv a dir/a 2>/dev/null
is 'it is neither linked nor moved' 'a ' "$(ls a 2>/dev/null) $(ls dir)"
apply a.yaml
is 'the same again changes nothing' a "$(refused)"

# From one to another, while somebody tries: c is refused under each.
policy a c >ac.yaml
policy b c >bc.yaml
apply ac.yaml
sh -c "while [ ! -e $work/stop ]; do cat $work/c && echo leak; echo try; done" >tries 2>/dev/null &
for turn in 1 2 3; do
	apply bc.yaml && is "turn $turn there" bc "$(refused)"
	apply ac.yaml && is "turn $turn back" ac "$(refused)"
done
touch stop
wait $!
is 'no moment without confinement' 0 "$(count leak <tries)"
is 'somebody tried meanwhile' yes "$([ "$(count try <tries)" -ge 20 ] && echo yes || count try <tries)"

# Another policy, as an administrator's tool would load it.
load $node
is 'it is gone with our policy' '' "$(refused | tr -d ac)"
$p status >said
is 'the next command puts ours on top' ac "$(refused)"
$p events --no-follow >heard
is 'and an event says so' 1 "$(count 'lsm=POLICY_LOADED' <heard)"
$p events >heard 2>/dev/null &
reader=$!
until [ "$(count "\"Resource\":\"$work/a\"" <heard)" -gt 0 ]; do cat a 2>/dev/null; done
load $node
until [ "$(count 'lsm=POLICY_LOADED' <heard)" -gt 0 ]; do :; done
is 'a reader of events does so at once' ac "$(refused)"
apply bc.yaml
until [ "$(count "\"Resource\":\"$work/b\"" <heard)" -gt 0 ]; do cat b 2>/dev/null; done
kill $reader
wait $reader
is 'and goes by what was applied since' yes "$(grep "\"Resource\":\"$work/b\"" heard | head -n 1 |
	grep -q '"RuleID":"keep#file.matchPaths\[0\]"' && echo yes)"

echo 0 >$selinux/enforce
$p status >said 2>&1
is 'permissive is not taken for enforced' '3 1' "$? $(count 'is permissive now' <said)"
echo 1 >$selinux/enforce

# Cut short: the old ruleset or the new one, and status says which.
cut_short() { # KIND MAX LEAST
	point=1
	while [ $point -le "$2" ]; do
		policy a >old.yaml && apply old.yaml || echo "not ok $1 $point: $(cat said)"
		policy b >new.yaml
		env "PORTCULLIS_$1_AT=$point" $p apply --backend selinux --best-effort new.yaml >cut.said 2>&1
		code=$?
		[ $code = 0 ] && break
		# Between the two a file is under either; the next command decides.
		said=$($p status | sed -n "s,.*path $work/\([abc]\) .*,\1,p")
		held=$(refused)
		[ "$held$said" = aa ] || [ "$held$said" = bb ] ||
			echo "not ok $1 at $point: $held is refused, status says $said: $(cat cut.said)"
		[ "$1" = KILL ] || [ "$held" = a ] || echo "not ok $1 at $point: the new one holds: $(cat cut.said)"
		[ "$1" = KILL ] || is "a failure is one line ($point)" 1 "$(wc -l <cut.said)"
		point=$((point + 1))
	done
	is "$1 came to an end" 0 "$code"
	is "$1 at several points" yes "$([ $point -gt "$3" ] && echo yes || echo $point)"
}
cut_short KILL 30 6
cut_short FAIL 10 2

# The first one cut short leaves nothing, and so does a removal that the next one finishes.
for point in 1 2 3 4 5 6 7 8 9 10 11 12; do
	$p remove >said 2>&1 || echo "not ok remove before $point: $(cat said)"
	PORTCULLIS_KILL_AT=$point $p apply --backend selinux --best-effort old.yaml >cut.said 2>&1 && break
	said=$($p status | sed -n "s,.*path $work/\([abc]\) .*,\1,p")
	held=$(refused)
	[ "$held$said" = '' ] || [ "$held$said" = aa ] ||
		echo "not ok first cut at $point: $held is refused, status says $said: $(cat cut.said)"
done
is 'the first one came to an end' a "$(refused)"
for point in 1 2 3 4 5 6 7 8 9 10 11 12; do
	apply old.yaml || echo "not ok apply before removal $point: $(cat said)"
	PORTCULLIS_KILL_AT=$point $p remove >cut.said 2>&1 && break
	$p status >/dev/null
	[ "$(refused)" = '' ] || [ "$(refused)" = a ] || echo "not ok removal cut at $point: $(refused)"
done
is 'a removal came to an end' '' "$(refused)"
$p remove >said 2>&1
is 'remove' 0 $?
is 'the policy is back' "$before" "$(digest)"
is 'no state is left' '' "$(ls /run/portcullis 2>/dev/null)"
apply a.yaml
is 'labels were back, since all were given again' "$given" "$(labels)"
$p remove

# What it is not.
echo 0 >$selinux/enforce
apply a.yaml
is 'permissive is refused' '3 1' "$? $(count 'is permissive' <said)"
echo 1 >$selinux/enforce
echo 'done'
