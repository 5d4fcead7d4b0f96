#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In a guest with SELinux, enforcing: what is refused, what a change and its interruptions leave, that
# another policy's load is put right, and that nothing is left by remove. Says what it saw; see say.sh.
# shellcheck disable=SC2015
. /tmp/say.sh
p=/opt/gauntlet/portcullis
attacks=/opt/gauntlet/attacks
selinux=/sys/fs/selinux
node=/usr/share/gauntlet/selinux/policy
work=/srv/drive
mkdir -p $work/dir
cd $work || exit 1
for file in a b c; do echo "secret-$file" >$work/$file; done
ln a other

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
is 'it is not relabelled' 10 "$(code $attacks/tamper relabel a unconfined_u:object_r:etc_t:s0)"
apply a.yaml
is 'the same again changes nothing' a "$(refused)"

# A package manager puts a new file in the place of one that a rule tells of: then none holds.
echo old >packaged
policy a packaged | sed 's/action: Block/action: Audit/' >told.yaml
apply told.yaml
is 'status knows nothing of what is as it was' 0 "$($p status | count 'replaced or relabelled')"
cp packaged packaged.new
mv packaged.new packaged
is 'status tells of a file that was replaced' 1 \
	"$($p status | count "^1 file has been replaced or relabelled.*($work/packaged)")"
is 'and how many there are' 1 "$($p status --json | count '"escaped":1[,}]')"
apply told.yaml
is 'applied again, rules hold for it' 0 "$($p status | count 'replaced or relabelled')"

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

# A directory that may not be read is looked through all the same, when the next policy comes.
mkdir -p tree/deep bin
echo 'secret-tree' >tree/deep/file
cp /opt/gauntlet/attacks/hello bin/tool
cat >tree.yaml <<END
apiVersion: security.kubearmor.com/v1
kind: KubeArmorHostPolicy
metadata: {name: keep}
spec:
  nodeSelector: {matchLabels: {kubearmor.io/hostname: "*"}}
  action: Block
  file:
    matchPaths: [{path: $work/a}]
    matchDirectories: [{dir: $work/tree/, recursive: true}]
  process:
    matchDirectories: [{dir: $work/bin/}]
END
apply tree.yaml
is 'a directory and what lies in it is refused' '' "$(ls tree 2>/dev/null; cat tree/deep/file 2>/dev/null)"
$p events --no-follow >/dev/null
cat other 2>said
is 'a file is refused by a name that it had before' 1 "$(count 'Permission denied' <said)"
mkdir tree/new tree/deep/new 2>/dev/null
ln bin/tool dir/tool 2>/dev/null
mv bin/tool dir/tool 2>/dev/null
bin/tool >said 2>&1
is 'a program gets no other name' '126 ' "$? $(ls dir)"
$p events --no-follow >heard
is 'an event names the rule of a file by another name' yes "$(grep "\"Resource\":\"$work/a\"" heard |
	grep -q '"RuleID":"keep#file.matchPaths\[0\]"' && echo yes)"
is 'and that of what was to be made, wherever it was' yes "$(grep '"Resource":"new"' heard |
	grep -q '"RuleID":"keep#file.matchDirectories\[0\]"' && echo yes)"
policy b >b.yaml
apply b.yaml
is 'what lay in it is free under the next policy' secret-tree "$(cat tree/deep/file)"
is 'and nothing of it has a label of ours' 0 "$(count "^place.*$work/tree" </run/portcullis/selinux/applied)"
rm -r tree bin
apply ac.yaml

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

# Cut short: the old ruleset or the new one, and status says which. The next change starts from there.
policy a >old.yaml
cut_short() { # KIND MAX LEAST
	point=1 code='' now=a
	apply a.yaml || echo "not ok $1: $(cat said)"
	while [ $point -le "$2" ]; do
		next=$([ "$now" = a ] && echo b || echo a)
		env "PORTCULLIS_$1_AT=$point" $p apply --backend selinux --best-effort "$next.yaml" >cut.said 2>&1
		code=$?
		[ $code = 0 ] && break
		# Between the two a file is under either; the next command decides.
		said=$($p status | sed -n "s,.*path $work/\([abc]\) .*,\1,p")
		held=$(refused)
		[ "$held$said" = aa ] || [ "$held$said" = bb ] ||
			echo "not ok $1 at $point: $held is refused, status says $said: $(cat cut.said)"
		[ "$1" = KILL ] || [ "$held" = "$now" ] || echo "not ok $1 at $point: the new one holds: $(cat cut.said)"
		[ "$1" = KILL ] || is "a failure is one line ($point)" 1 "$(wc -l <cut.said)"
		[ "$held" = "$now" ] || now=$next
		point=$((point + 1))
	done
	is "$1 came to an end" "0 $next" "$code $(refused)"
	is "$1 at several points" yes "$([ $point -gt "$3" ] && echo yes || echo $point)"
}
cut_short KILL 30 6
cut_short FAIL 10 2

# The first one cut short leaves nothing or itself, and so does a removal that the next one finishes:
# from where one was left, the other is cut next.
$p remove >said 2>&1 || echo "not ok remove before: $(cat said)"
turn=0 applies=0 removals=0 held='' ended='' first=''
while [ "$ended" != removed ] && [ $turn -lt 80 ]; do
	turn=$((turn + 1))
	if [ "$held" = a ]; then
		removals=$((removals + 1))
		PORTCULLIS_KILL_AT=$removals $p remove >cut.said 2>&1 && ended=removed
	elif [ "$ended" = applied ]; then
		apply old.yaml || echo "not ok apply before removal $removals: $(cat said)"
	else
		applies=$((applies + 1))
		PORTCULLIS_KILL_AT=$applies $p apply --backend selinux --best-effort old.yaml >cut.said 2>&1 && ended=applied && first=$(refused)
	fi
	said=$($p status | sed -n "s,.*path $work/\([abc]\) .*,\1,p")
	held=$(refused)
	[ "$held$said" = '' ] || [ "$held$said" = aa ] ||
		echo "not ok cut at $applies and $removals: $held is refused, status says $said: $(cat cut.said)"
done
is 'the first one came to an end' a "$first"
is 'a removal came to an end' 'removed ' "$ended $held"
echo "# the first one was cut at $((applies - 1)) points, a removal at $((removals - 1))"
is 'both at several points' yes "$([ $applies -gt 9 ] && [ $removals -gt 9 ] && echo yes || echo "$applies $removals")"
$p remove >said 2>&1
is 'remove' 0 $?
is 'the policy is back' "$before" "$(digest)"
is 'no state is left' '' "$(ls /run/portcullis 2>/dev/null)"
apply a.yaml
is 'labels were back, since all were given again' "$given" "$(labels)"

# A removal that fails says so in one line, and the next one ends it.
fail_removals() {
	for point in 1 2 3 4 5 6 7 8; do
		[ "$(refused)" = a ] || apply old.yaml || echo "not ok apply before failure $point: $(cat said)"
		PORTCULLIS_FAIL_AT=$point $p remove >cut.said 2>&1 && return
		is "a removal that fails is one line ($point)" 1 "$(wc -l <cut.said)"
		[ "$(refused)" = '' ] || [ "$(refused)" = a ] || echo "not ok removal failed at $point: $(refused)"
		$p remove >said 2>&1 || echo "not ok remove behind failure $point: $(cat said)"
		is "the next one leaves nothing ($point)" "$before" "$(digest)$(refused)"
	done
}
fail_removals
is 'a removal failed at several points' yes "$([ "$point" -gt 2 ] && echo yes || echo "$point")"
$p remove

# File systems that keep no labels: one whose label is given at the mount, and on older kernels ramfs.
mkdir -p none given writable views
mount -t ramfs none none
mount -t tmpfs -o context=system_u:object_r:tmp_t:s0 given given
for place in none given; do echo "secret-$place" >$place/file; done
policy a none/file given/file >none.yaml
apply none.yaml
is 'without labels: what can be labelled is refused' '0 a' "$? $(refused)"
is 'without labels: what cannot is missed, as was said' 'secret-given 1' \
	"$(cat given/file) $(count 'misses .* what cannot be labelled' <said)"
is 'without labels: ramfs is as the mount table says' "$(grep -q 'none ramfs .*seclabel' /proc/mounts || echo secret-none)" \
	"$(cat none/file 2>/dev/null)"
umount none
umount given

# A file system from a machine without SELinux: mounted with a label, it is given none that lasts.
dd if=/dev/zero of=image bs=1k count=512 2>/dev/null
mkdir -p disk
mke2fs -F image >/dev/null
mount -o loop,context=system_u:object_r:tmp_t:s0 image disk
echo secret-old >disk/old
echo other >disk/other
umount disk
mount -o loop image disk
policy a disk/old >old.yaml
apply old.yaml
is 'unlabelled: refused like any other, its neighbour is not' '0 a  other' \
	"$? $(refused) $(cat disk/old 2>/dev/null) $(cat disk/other)"
$p events --no-follow >heard
is 'unlabelled: it had no label' 1 "$(labels | count ':unlabeled_t:.*disk/old$')"
is 'unlabelled: an event names the rule' 1 \
	"$(count '"RuleID":"keep#file.matchPaths\[1\]".*"Resource":"[^"]*/disk/old"' <heard)"
$p remove
is 'unlabelled: removed' "secret-old $before" "$(cat disk/old) $(digest)"
umount disk

# A read-only file system: what lies there keeps its label, which the policy knows as long as it is so.
mount -t tmpfs writable writable
echo secret-kept >writable/kept
echo secret-late >writable/late
policy a writable/kept >kept.yaml
apply kept.yaml
given=$(labels | grep 'writable/kept$')
mount -o remount,ro writable
is 'read-only: what was refused there still is' 'a ' "$(refused) $(cat writable/kept 2>/dev/null)"
policy a writable/kept writable/late >late.yaml
apply late.yaml
is 'read-only: a label that is right stays' '0 a ' "$? $(refused) $(cat writable/kept 2>/dev/null)"
is 'read-only: what cannot get one is missed, as was said' 'secret-late 1' \
	"$(cat writable/late) $(count 'misses .* what cannot be labelled' <said)"
apply b.yaml
is 'read-only: a ruleset without it frees it' '0 b secret-kept' "$? $(refused) $(cat writable/kept)"
$p remove >said 2>&1
is 'read-only: remove leaves it readable' '0  secret-kept' "$? $(refused) $(cat writable/kept)"
is 'read-only: its type is still known' no "$([ "$(digest)" = "$before" ] || echo no)"
mount -o remount,rw writable
$p remove >said 2>&1
is 'read-only: the next removal ends it' "0 $before" "$? $(digest)"
apply kept.yaml
is 'read-only: its label was back, since it was given again' "$given" "$(labels | grep 'writable/kept$')"
$p remove
# A mount that is read-only beside the same files elsewhere, and then over the only place.
mount --bind writable views && mount -o remount,ro,bind views
policy writable/kept a >kept.yaml
apply kept.yaml
is 'read-only mount: labels are given by another name' '0 a  ' \
	"$? $(refused) $(cat writable/kept 2>/dev/null) $(cat views/kept 2>/dev/null)"
umount views
mount --bind writable writable && mount -o remount,ro,bind writable
apply late.yaml
is 'read-only mount: where there is no other, refused' 1 $?
is 'read-only mount: in one line that says why' '1 1' "$(wc -l <said) $(count 'mount it for writing' <said)"
is 'read-only mount: what was applied stays' 'a secret-late' \
	"$(refused)$(cat writable/kept 2>/dev/null) $(cat writable/late)"
umount writable
$p remove
umount writable

# Nothing is written in /etc, and no tool of the node's is used.
mount --bind /etc /etc && mount -o remount,ro,bind /etc
env -i PATH=/nowhere $p apply --backend selinux --best-effort a.yaml >said 2>&1
is 'read-only /etc, no tools: applied' '0 a' "$? $(refused)"
umount /etc

# No room for the state: first while something is applied, then for the first ruleset.
mkdir -p room
full() { dd if=/dev/zero of=/run/portcullis/filler bs=4k >/dev/null 2>&1; }
mount -t tmpfs -o size=8m room room
cp -a /run/portcullis/. room/ && mount --move room /run/portcullis
full
apply b.yaml
is 'disk full: refused in one line' '1 1' "$? $(wc -l <said)"
is 'disk full: what was applied stays' a "$(refused)"
is 'disk full: status says so' 1 "$($p status | count "path $work/a ")"
rm /run/portcullis/filler
apply b.yaml
is 'disk full: the next change works' '0 b' "$? $(refused)"
mount -o remount,ro /run/portcullis
apply a.yaml
is 'read-only state: refused in one line' '1 1 b' "$? $(wc -l <said) $(refused)"
mount -o remount,rw /run/portcullis
full
$p remove >said 2>&1
is 'disk full: remove works' "0 $before" "$? $(digest)$(refused)"
full
apply a.yaml
is 'disk full: the first ruleset is refused in one line' '1 1 ' "$? $(wc -l <said) $(refused)"
is 'disk full: and nothing of it is left' "$before" "$(digest)"
rm -f /run/portcullis/filler
umount /run/portcullis
$p remove

# A policy of a version that the engine does not know, where the kernel does.
known=$($p probe | sed -n 's/.*policies up to version \([0-9]*\).*/\1/p')
kernels=$(cat $selinux/policyvers)
is 'the engine says which versions it knows' yes "$([ "$known" -ge 33 ] && echo yes)"
version_of() { dd if="$1" bs=1 skip=16 count=1 2>/dev/null | od -An -tu1 | tr -d ' '; }
above=$((known + 1))
if [ "$above" -le "$kernels" ]; then
	apply a.yaml
	cp $node newer
	# shellcheck disable=SC2059  # the format is the byte
	printf "\\$(printf %o $above)" | dd of=newer bs=1 seek=16 conv=notrunc 2>/dev/null
	load newer
	is 'newer policy: it is loaded' $above "$(version_of $selinux/policy)"
	$p status >said 2>&1
	is 'newer policy: not taken for enforced, in one line' '1 1' "$(count "has version $above" <said) $(wc -l <said)"
	$p probe >said
	is 'newer policy: probe says why' 1 "$(count "^selinux .*has version $above" <said)"
	load $node
	$p status >said 2>&1
	is 'newer policy: ours is back on top of one that is known' '0 a' "$? $(refused)"
	rm newer
	$p remove
else
	echo "# newer policy: the engine knows all versions that this kernel takes (up to $kernels)"
fi

# Sources: by their files' labels, as they are executed. Each is a program of its own.
mkdir -p $work/bin
for name in cat sh sleep tool; do cp /bin/busybox $work/bin/$name; done
cp /opt/gauntlet/attacks/privilege $work/bin/talker
cp /opt/gauntlet/attacks/privilege $work/bin/other
cp /opt/gauntlet/attacks/exec_file $work/bin/starter
sources() { # [MORE]: a is not for cat, starter may not execute tool, talker has no TCP
	cat <<-YAML
		apiVersion: security.kubearmor.com/v1
		kind: KubeArmorHostPolicy
		metadata: {name: sources}
		spec:
		  nodeSelector: {matchLabels: {kubearmor.io/hostname: "*"}}
		  action: Block
		  file: {matchPaths: [{path: $work/a, fromSource: [{path: $work/bin/cat}, {path: $work/bin/sleep}]}$1]}
		  process: {matchPaths: [{path: $work/bin/other, fromSource: [{path: $work/bin/starter}]}]}
		  network: {matchProtocols: [{protocol: tcp, fromSource: [{path: $work/bin/talker}]}]}
	YAML
}
# Who is refused what; words of those that are.
from_sources() {
	$work/bin/cat $work/a >/dev/null 2>&1 || printf 'cat '
	$work/bin/cat $work/b >/dev/null 2>&1 || printf 'cat-b '
	cat $work/a >/dev/null 2>&1 || printf 'other-cat '
	$work/bin/starter $work/bin/other nice x >/dev/null 2>&1 || printf 'starter '
	$work/bin/starter $work/bin/talker nice x >/dev/null 2>&1 || printf 'starter-talker '
	$work/bin/other nice x >/dev/null 2>&1 || printf 'shell '
	$work/bin/talker port x >/dev/null 2>&1 || printf 'talker '
	$work/bin/talker nice x >/dev/null 2>&1 || printf 'talker-nice '
	$work/bin/other port x >/dev/null 2>&1 || printf 'other '
	# Who executes something else is no source any more, and comes back by executing one.
	$work/bin/starter /bin/cat $work/a >/dev/null 2>&1 || printf 'left '
	$work/bin/starter $work/bin/sh -c "$work/bin/cat $work/a" >/dev/null 2>&1 || printf 'again '
	$work/bin/sh -c "$work/bin/other nice x" >/dev/null 2>&1 || printf 'left-shell '
}
is 'sources: nothing is refused before' '' "$(from_sources)"
sources >sources.yaml
apply sources.yaml
is 'sources: such a policy is applied' 0 $?
is 'sources: who runs one is refused, nobody else' 'cat starter talker again ' "$(from_sources)"
$p events --no-follow >/dev/null
$work/bin/cat $work/a 2>said
is 'sources: as not permitted' 1 "$(count 'Permission denied' <said)"
$p events --no-follow >heard
is 'sources: an event names the rule and the source' yes "$(grep '"RuleID":"sources#file.matchPaths\[0\]"' heard |
	grep -q "\"Source\":\"$work/bin/cat" && echo yes)"
sources ", {path: $work/b}" >more.yaml
apply more.yaml
is 'sources: another ruleset with them holds' 'cat cat-b starter talker again ' "$(from_sources)"
apply sources.yaml

# A file that is put in the place of a ruled one, as a package manager does it, or relabelled, by
# somebody who may. Whoever reads events gives it the label, and says so.
replace() { for file; do echo "secret-$file" >"$file.new" && mv "$file.new" "$file"; done; }
cat_reads() { $work/bin/cat $work/"$1" 2>/dev/null; }
tells() { grep "\"Resource\":\"$work/$2\"" heard | count "lsm=$1\""; } # MARK FILE
wait_for() { until [ "$(tells "$1" "$2")" -ge "$3" ]; do :; done; } # MARK FILE TIMES
type=$(awk -F '\t' -v path=$work/a '$1 == "place" && $5 == path { print $4 }' /run/portcullis/selinux/applied)
label=unconfined_u:object_r:${type#portcullis_*_}:s0
replace a
is 'replaced: nothing is refused of the new one' secret-a "$(cat_reads a)"
: >heard
$p events >heard 2>/dev/null &
reader=$!
wait_for FILE_REPLACED a 1
is 'replaced before somebody reads events: it is refused' '' "$(cat_reads a)"
replace b a
wait_for FILE_REPLACED a 2
is 'replaced while somebody does: it is refused' '' "$(cat_reads a)"
is 'replaced: who is no source reads it' secret-a "$(cat a)"
is 'replaced: the neighbour is nobody'\''s' 'secret-b 0 0' "$(cat_reads b) $(tells FILE_REPLACED b) $(tells FILE_ESCAPED b)"
is 'replaced: status knows of none' 0 "$($p status | count 'replaced or relabelled')"
until grep "\"Resource\":\"$work/a\"" heard | grep -q '"RuleID":"sources#file.matchPaths\[0\]"'; do cat_reads a; done
echo 'ok replaced: an event names the rule of the new one'
rm a
echo secret-a >a
wait_for FILE_REPLACED a 3
is 'removed and made again: it is refused' '' "$(cat_reads a)"
is 'relabelled by one who may' 0 "$(code $attacks/tamper relabel a "$label")"
wait_for FILE_REPLACED a 4
is 'relabelled: it is refused' '' "$(cat_reads a)"
$attacks/tamper relabel a unconfined_u:object_r:etc_t:s0 >said
wait_for FILE_ESCAPED a 1
is 'a type without a clone: told, and no rule holds for it' 'secret-a 1' \
	"$(cat_reads a) $($p status | count '^1 file has been replaced or relabelled')"
is 'no other was told of so' 1 "$(count 'lsm=FILE_ESCAPED' <heard)"
rm a
ln -s b a
wait_for FILE_ESCAPED a 2
rm a
echo secret-a >a
wait_for FILE_REPLACED a 5
is 'a link in its place is told, and a file again is refused' '' "$(cat_reads a)"
$attacks/tamper relabel a unconfined_u:object_r:etc_t:s0 >said
wait_for FILE_ESCAPED a 3
apply sources.yaml
is 'a type without a clone: applied again, rules do' ' 0' \
	"$(cat_reads a) $($p status | count 'replaced or relabelled')"
kill $reader
wait $reader
watches=$(cat /proc/sys/fs/inotify/max_user_watches)
echo 1 >/proc/sys/fs/inotify/max_user_watches
$p events >heard 2>/dev/null &
reader=$!
until [ "$(count 'lsm=NOT_WATCHED' <heard)" -gt 0 ]; do :; done
kill $reader
wait $reader
is 'more directories than may be watched: said in one line' 1 "$(count 'lsm=NOT_WATCHED' <heard)"
echo "$watches" >/proc/sys/fs/inotify/max_user_watches

# Names that no file has as policies are applied. Whoever reads events has them applied again when one has.
printf 'apiVersion: security.kubearmor.com/v1\nkind: KubeArmorHostPolicy\nmetadata: {name: coming}\nspec:\n' >coming.yaml
printf '  nodeSelector: {matchLabels: {kubearmor.io/hostname: "*"}}\n  action: Block\n  file:\n' >>coming.yaml
printf '    matchPaths: [{path: %s}]\n    matchPatterns: [{pattern: "%s"}]\n' \
	"$work/later/deep/key" "$work/keys/*.key" >>coming.yaml
mkdir keys
apply coming.yaml
$p events >heard 2>/dev/null &
reader=$!
until_refused() { # FILE: so many tries take longer than an apply
	tries=0
	while cat "$1" >/dev/null 2>&1 && [ $tries -lt 5000 ]; do tries=$((tries + 1)); done
}
until [ -d /proc/$reader/fdinfo ] && cat /proc/$reader/fdinfo/* 2>/dev/null | grep -q '^inotify '; do :; done
echo secret-moved >moved
mv moved keys/moved.key
echo secret-made >keys/made.key
echo notes >keys/notes
mkdir -p later/deep
echo secret-later >later/deep/key
for file in keys/moved.key keys/made.key later/deep/key; do until_refused $file; done
is 'coming: what has a ruled name now is refused, its neighbour is not' ' notes' \
	"$(cat keys/moved.key keys/made.key later/deep/key 2>/dev/null) $(cat keys/notes)"
is 'coming: one is told of' 1 "$(count 'lsm=FILE_APPEARED' <heard)"
cat keys/made.key >/dev/null 2>&1
tries=0
until grep -q '"RuleID":"coming#file.matchPatterns\[0\]".*made.key' heard || [ $tries -ge 5000 ]; do
	tries=$((tries + 1))
done
is 'coming: an event names the rule' yes "$([ $tries -lt 5000 ] && echo yes)"
kill $reader
wait $reader
echo secret-early >keys/early.key
is 'coming: while nobody reads events it is missed, as was said' secret-early "$(cat keys/early.key)"
$p events >heard 2>/dev/null &
reader=$!
until_refused keys/early.key
is 'coming: before somebody did, it is refused as well' '' "$(cat keys/early.key 2>/dev/null)"
kill $reader
wait $reader
apply sources.yaml
rm -r keys later

# What runs one when rules or policies go keeps what it may do.
$work/bin/sleep 1000 &
sleeper=$!
until grep -q "portcullis_[0-9a-f]*_" /proc/$sleeper/attr/current; do :; done
mkfifo go gone
$work/bin/sh -c "read x <$work/go; /bin/cat $work/b >$work/gone" &
apply a.yaml
echo go >go
is 'sources: who ran one goes on under other rules' secret-b "$(cat gone)"
is 'sources: none is one any more' a "$(refused)"
apply sources.yaml
is 'sources: they are again' 'cat starter talker again ' "$(from_sources)"
$p remove >said 2>&1
is 'sources: remove' '0 ' "$? $(from_sources)"
is 'sources: who runs one is still known to the policy' yes "$([ "$(digest)" != "$before" ] &&
	grep -q "portcullis_[0-9a-f]*_" /proc/$sleeper/attr/current && echo yes)"
apply a.yaml
is 'sources: rules come on top of that' '0 a' "$? $(refused)"
is 'replaced: a removal has taken the label back' 1 "$(labels | awk -v path=$work/a '$4 == path && $2 !~ /portcullis/' | count .)"
$p remove
kill $sleeper
wait $sleeper
$p remove
is 'sources: and once it ended, the policy is back' "$before" "$(digest)"
is 'sources: no state is left of them' '' "$(ls /run/portcullis 2>/dev/null)"
# Of the same type as the others again.
rm a
echo secret-a >a

# Policies of versions 34 and 35, with what only those can say: in a conditional, by which commands files
# may be asked, and who is never audited, which is here everybody.
apply a.yaml
type=$(labels | awk -v path=$work/a '$4 == path { split($2, before, ":"); print before[3] }')
$p remove
policy a c | sed "s,path: $work/c,&\n      readOnly: true," >asked.yaml
switch() { echo "$1" >$selinux/booleans/aide_mmap_files && echo 1 >$selinux/commit_pending_bools; }
# Which of b and c may not be asked by an ioctl whether they are terminals.
unasked() {
	for file in b c; do stty <$work/$file 2>&1 | grep -q 'Permission denied' && printf %s $file; done
}
sources_never_audited() { # VERSION
	apply sources.yaml
	is "version $1: sources are refused" 'cat starter talker again ' "$(from_sources)"
	$p events --no-follow >/dev/null
	$work/bin/cat $work/a 2>/dev/null
	$p events --no-follow >heard
	is "version $1: and nothing is told of them" 0 "$(count '"RuleID"' <heard)"
}
from_version() { # VERSION EVENTS
	if [ "$1" -gt "$known" ]; then
		echo "# version $1: the engine was built with a libsepol that knows no policies above version $known"
		return
	elif [ "$1" -gt "$kernels" ]; then
		echo "# version $1: this kernel knows no policies above version $kernels"
		return
	fi
	/opt/gauntlet/policy "$1" unconfined_t "$type" aide_mmap_files <$node >newer && load newer
	is "version $1: it is loaded" "$1" "$(version_of $selinux/policy)"
	newer=$(digest)
	switch 1
	is "version $1: commands are refused before" bc "$(unasked)"
	switch 0
	apply asked.yaml
	is "version $1: a policy is applied" '0 a' "$? $(refused)"
	echo more 2>/dev/null >>$work/c
	is "version $1: to a file that is still read" secret-c "$(cat $work/c)"
	is "version $1: its type is a clone" yes "$(labels | awk -v path=$work/c -v base="$type" '$4 == path {
		split($3, after, ":"); print after[3] ~ "^portcullis_[a-z]+_" base "$" ? "yes" : $0 }')"
	is "version $1: what we load has it, too" "$1" "$(version_of $selinux/policy)"
	is "version $1: with the boolean off, commands pass" '' "$(unasked)"
	switch 1
	is "version $1: with it on, they are refused for the clone, too" bc "$(unasked)"
	$p events --no-follow >/dev/null
	cat $work/a 2>/dev/null
	$p events --no-follow >heard
	is "version $1: of the refusal is told unless nothing is" "$2" \
		"$([ "$(count '"RuleID":"keep#file.matchPaths\[0\]"' <heard)" -gt 0 ] && echo told)"
	[ -z "$2" ] && sources_never_audited "$1"
	switch 0
	$p remove
	is "version $1: remove leaves what was loaded" "0 $newer " "$? $(digest) $(refused)"
	load $node
	rm newer
}
from_version 34 told
from_version 35 ''
is 'the first policy is back' "$before" "$(digest)"

# What it is not.
echo 0 >$selinux/enforce
apply a.yaml
is 'permissive is refused' '3 1' "$? $(count 'is permissive' <said)"
echo 1 >$selinux/enforce
echo 'done'
