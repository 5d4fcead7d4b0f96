#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In a guest with AppArmor and its parser: who is bound (in a container of crun's, too, where the guest
# has it), what a change and its interruptions leave, what a parser that fails leaves, and that nothing
# is left by remove. Says what it saw; see say.sh.
# shellcheck disable=SC2015
. /tmp/say.sh
p=/opt/gauntlet/portcullis
parser=/usr/sbin/apparmor_parser
profiles=/sys/kernel/security/apparmor/profiles
work=/run/drive
mkdir -p $work
cd $work || exit 1
for file in a b c; do echo "secret-$file" >$work/$file; done

# policy FILE...: blocks them for the host; a line makes its text unlike any before, so that it is compiled.
round=0
policy() {
	round=$((round + 1))
	printf 'apiVersion: security.kubearmor.com/v1\nkind: KubeArmorHostPolicy\nmetadata: {name: keep}\nspec:\n'
	printf '  nodeSelector: {matchLabels: {kubearmor.io/hostname: "*"}}\n  action: Block\n  file:\n    matchPaths:\n'
	for file; do printf '    - path: %s\n' "$work/$file"; done
	printf '    - path: %s\n' "$work/round-$round"
}
apply() { # POLICY
	$p apply --backend apparmor --best-effort "$1" >$work/said 2>&1
}
# Which of a, b, c a process that is executed now may not read.
refused() {
	for file in a b c; do cat $work/$file >/dev/null 2>&1 || printf %s $file; done
}
count() { grep -c "$@" || true; }
# load_theirs NAME_AND_ATTACHMENT FILE: a profile that is not ours, refuses a file and tells of it.
load_theirs() {
	$parser -rK <<PROFILE 2>said || echo "not ok parser: $(cat said)"
profile $1 flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  network,
  ptrace,
  signal,
  mount,
  audit deny $2 rw,
}
PROFILE
}

is 'nothing is refused before' '' "$(refused)"
policy a >a.yaml
$p apply --backend apparmor a.yaml >said 2>&1
is 'what is looser is refused without --best-effort' 3 $?
apply a.yaml
is 'a policy is applied' 0 $?
is 'the host is told who is not bound yet' 1 "$(count 'not bound by apparmor until the next program' <said)"
is 'its file is refused, its neighbours are not' a "$(refused)"
$p events --no-follow >heard
is 'an event names the rule' 1 "$(count '"RuleID":"keep#file.matchPaths\[0\]"' <heard)"
$p events --no-follow >heard
is 'an event is told once' 0 "$(count RuleID <heard)"
is 'status says who is not bound' 1 "$($p status | count 'not bound by apparmor until the next program')"
mount --bind /etc /etc && mount -o remount,ro,bind /etc
policy b >b.yaml
apply b.yaml
is 'nothing is written in /etc' 'b 0' "$(refused) $?"
umount /etc

# A change while somebody tries: a and b change in turn, c is refused under each.
policy a c >ac.yaml
policy b c >bc.yaml
apply ac.yaml
sh -c "while [ ! -e $work/stop ]; do cat $work/c && echo leak; echo try; done" >tries 2>/dev/null &
for turn in 1 2 3 4 5 6 7 8; do
	apply bc.yaml && apply ac.yaml || echo "not ok turn $turn: $(cat said)"
done
touch stop
wait $!
is 'no moment without confinement' 0 "$(count leak <tries)"
is 'somebody tried meanwhile' yes "$([ "$(count try <tries)" -ge 20 ] && echo yes || count try <tries)"

# Cut short: the old ruleset or the new one, and status says which.
cut_short() { # KIND MAX
	point=1
	while [ $point -le "$2" ]; do
		policy a >old.yaml && apply old.yaml || echo "not ok $1 $point: $(cat said)"
		policy b >new.yaml
		env "PORTCULLIS_$1_AT=$point" $p apply --backend apparmor --best-effort new.yaml >cut.said 2>&1
		code=$?
		[ $code = 0 ] && break
		held=$(refused)
		said=$($p status | count "path $work/$held ")
		[ "$held $said" = 'a 1' ] || [ "$held $said" = 'b 1' ] ||
			echo "not ok $1 at $point: $held is refused, status says $said: $(cat cut.said)"
		[ "$1" = KILL ] || [ "$held" = a ] || echo "not ok $1 at $point: the new one holds: $(cat cut.said)"
		[ "$1" = KILL ] || is "a failure is one line ($point)" 1 "$(wc -l <cut.said)"
		point=$((point + 1))
	done
	is "$1 came to an end" 0 "$code"
	is "$1 at several points" yes "$([ $point -gt "$3" ] && echo yes || echo $point)"
}
cut_short KILL 30 5
cut_short FAIL 10 2
apply new.yaml
is 'and the next change goes on' b "$(refused)"

# A parser that is not what it should be. Its text is new each time, so it is asked.
policy a >old.yaml
apply old.yaml
mkdir parsers
broken() { # NAME SCRIPT
	printf '#!/bin/sh\n%s\n' "$2" >"parsers/$1"
	chmod 755 "parsers/$1"
	policy b >new.yaml
	mount --bind "parsers/$1" $parser || echo "not ok $1: cannot be put in its place"
	apply new.yaml
	code=$?
	umount $parser
	is "parser $1: refused" yes "$([ $code != 0 ] && echo yes || echo $code)"
	is "parser $1: one line" 1 "$(wc -l <said)"
	is "parser $1: what was applied stays" a "$(refused)"
}
broken fails 'echo "AppArmor parser error: no memory for it" >&2; exit 1'
is 'its own words are told' 1 "$(count 'no memory for it' <said)"
broken silent 'exit 0'
broken killed 'kill -9 $$'
broken another 'printf "\\004\\010\\000version\\000\\002\\001\\002\\003\\004 other"'
mount --bind /dev/null $parser
policy b >new.yaml
apply new.yaml
is 'parser missing: refused' 3 $?
umount $parser
is 'parser missing: what was applied stays' a "$(refused)"

# Older features that the parser's own configuration pins, without sockets: it is told others.
mkdir -p /etc/apparmor
printf 'caps {mask {chown\n}\n}\nfile {mask {read write\n}\n}\n' >pinned
echo "policy-features=$work/pinned" >/etc/apparmor/parser.conf
ip link set lo up
send() { /opt/gauntlet/attacks/carry "$1" send hello >/dev/null 2>&1 && echo sent || echo refused; }
is 'a datagram is sent before' sent "$(send udp4)"
printf 'apiVersion: security.kubearmor.com/v1\nkind: KubeArmorHostPolicy\nmetadata: {name: net}\nspec:\n' >udp.yaml
printf '  nodeSelector: {matchLabels: {kubearmor.io/hostname: "*"}}\n  action: Block\n' >>udp.yaml
printf '  network: {matchProtocols: [{protocol: udp}]}\n' >>udp.yaml
apply udp.yaml
is 'pinned features: datagrams are refused, streams are not' 'refused sent' "$(send udp4) $(send tcp4)"
rm /etc/apparmor/parser.conf
apply old.yaml

# A program that the distribution has a profile for is in both where who starts it is bound.
mkdir -p theirs
cp /opt/gauntlet/busybox theirs/sh
echo theirs >d
mkfifo stay
load_theirs "distribution $work/theirs/sh" $work/d
cat >look <<'LOOK'
read -r label </proc/self/attr/current
refused=
for file in a b c d; do cat $file >/dev/null 2>&1 || refused=$refused$file; done
echo "$label $refused"
LOOK
both='distribution//&portcullis-host (enforce)'
is 'unbound: a program of the distribution is in its own profile alone' 'distribution (enforce) d' \
	"$(theirs/sh look)"
is 'bound: it is in both, and both refuse' "$both ad" "$(sh -c 'theirs/sh look; :')"
is 'bound: what it executes is in both, too' "$both ad" "$(sh -c 'theirs/sh -c "sh look; :"; :')"
is 'bound: another program is in the host'"'"'s alone' 'portcullis-host (enforce) a' "$(sh -c 'sh look; :')"
sh -c 'exec theirs/sh -c "echo there; read -r line"' >ready <stay &
inner=$!
theirs/sh -c 'echo there; read -r line' >ready.too <>stay &
outer=$!
until grep -qs there ready && grep -qs there ready.too; do :; done
is 'status tells of who is in theirs alone' 1 "$($p status | count "not bound by apparmor until .*$outer")"
apply new.yaml
is 'a change binds who is in both' "$both" "$(cat /proc/$inner/attr/current)"
kill $inner $outer

# Where system calls are audited, what both profiles tell of one call has one serial.
policy d >told.yaml
apply told.yaml
$p events --no-follow >/dev/null
is 'audited: system calls are' 0 "$(/opt/gauntlet/attacks/auditing on >said; echo $?)"
is 'audited: both refuse one call' "$both d" "$(sh -c 'theirs/sh look; :')"
/opt/gauntlet/attacks/auditing off >said
$p events --no-follow >heard
is 'audited: an event names the rule, once' 1 "$(count '"RuleID":"keep#file.matchPaths\[0\]"' <heard)"
apply old.yaml
printf distribution >/sys/kernel/security/apparmor/.remove

# No room for the state.
mount -t tmpfs -o size=256k tmpfs parsers
cp -a /run/portcullis/. parsers/ && mount --move parsers /run/portcullis
dd if=/dev/zero of=/run/portcullis/filler bs=4k >/dev/null 2>&1
policy b >new.yaml
apply new.yaml
is 'disk full: refused' 1 $?
is 'disk full: what was applied stays' a "$(refused)"
umount /run/portcullis
apply new.yaml
is 'disk full: the next change works' 'b' "$(refused)"

# A container by a real runtime, whose domain and profile are there first.
bundle=/var/crun/bundle
mkdir -p $bundle/rootfs/bin $bundle/rootfs/srv $bundle/rootfs/proc $bundle/rootfs/dev
cp /opt/gauntlet/busybox $bundle/rootfs/bin/busybox
for tool in sh cat sleep tac; do ln $bundle/rootfs/bin/busybox $bundle/rootfs/bin/$tool 2>/dev/null ||
	cp /opt/gauntlet/busybox $bundle/rootfs/bin/$tool; done
echo canary >$bundle/rootfs/srv/secret
echo notes >$bundle/rootfs/srv/notes
group=/sys/fs/cgroup/web
cat >web.yaml <<'YAML'
apiVersion: security.kubearmor.com/v1
kind: KubeArmorPolicy
metadata: {name: keep, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  file: {matchPaths: [{path: /srv/secret}]}
  action: Block
YAML
if command -v crun >/dev/null; then
	cat >$bundle/config.json <<'JSON'
{"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "hostname": "web",
 "process": {"terminal": false, "user": {"uid": 0, "gid": 0}, "cwd": "/", "apparmorProfile": "portcullis-web",
  "args": ["/bin/sh", "-c", "while :; do sleep 1; done"], "env": ["PATH=/bin"]},
 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}],
 "linux": {"cgroupsPath": "/web", "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}]}}
JSON
	crun="crun --root /run/crun --cgroup-manager=cgroupfs"
	mkdir -p $group
	$p domain add web --labels app=web --namespace default --cgroup $group 2>said
	is 'a domain is added before its container' 0 $?
	$crun run --detach --no-pivot --bundle $bundle web </dev/null >crun.log 2>&1 || echo "not ok crun: $(cat crun.log)"
	is 'the runtime starts it in its profile' 'portcullis-web (enforce)' \
		"$(cat /proc/"$(head -n 1 $group/cgroup.procs)"/attr/current)"
	is 'a container reads before' canary "$($crun exec web /bin/cat /srv/secret 2>&1)"
	apply web.yaml
	is 'refused in the container that ran before' 1 \
		"$($crun exec web /bin/cat /srv/secret 2>&1 | count 'Permission denied')"
	is 'its neighbour is not' notes "$($crun exec web /bin/cat /srv/notes 2>&1)"
	is 'nobody in it is left unbound' 0 "$($p status | count '^web: .*not bound')"
	$p events --no-follow >heard
	is 'an event names the domain' 1 "$(count '"Domain":"web".*"RuleID":"default/keep#' <heard)"
	$crun delete --force web

	# The same below a profile of the runtime's as well, as docker-default is: both bind.
	echo theirs >$bundle/rootfs/srv/theirs
	load_theirs runtime-default /srv/theirs
	sed -i 's|"portcullis-web"|"portcullis-web//\&runtime-default"|' $bundle/config.json
	$crun run --detach --no-pivot --bundle $bundle web </dev/null >crun.log 2>&1 || echo "not ok crun: $(cat crun.log)"
	is 'the runtime starts it in both profiles' yes \
		"$(grep -qE '^(portcullis-web//&runtime-default|runtime-default//&portcullis-web) \(enforce\)$' \
			/proc/"$(head -n 1 $group/cgroup.procs)"/attr/current && echo yes)"
	is 'stacked: the domain refuses' 1 "$($crun exec web /bin/cat /srv/secret 2>&1 | count 'Permission denied')"
	is 'stacked: the runtime'"'"'s profile refuses' 1 \
		"$($crun exec web /bin/cat /srv/theirs 2>&1 | count 'Permission denied')"
	is 'stacked: neither refuses the neighbour' notes "$($crun exec web /bin/cat /srv/notes 2>&1)"
	is 'stacked: nobody is left unbound' 0 "$($p status | count '^web: .*not bound')"
	$p events --no-follow >heard
	is 'stacked: an event names the rule' 1 "$(count '"Domain":"web".*"RuleID":"default/keep#' <heard)"
	apply "$work/new.yaml"
	is 'stacked: without its rules only the runtime'"'"'s profile refuses' 'canary 1' \
		"$($crun exec web /bin/cat /srv/secret 2>&1) $($crun exec web /bin/cat /srv/theirs 2>&1 | count 'Permission denied')"
	apply web.yaml
	is 'stacked: a change binds the running container again' 1 \
		"$($crun exec web /bin/cat /srv/secret 2>&1 | count 'Permission denied')"
	$crun delete --force web
	printf runtime-default >/sys/kernel/security/apparmor/.remove
fi

$p remove
is 'remove' 0 $?
is 'no profile is left' 0 "$(count portcullis <$profiles)"
is 'no file is left' no "$([ -e /run/portcullis ] && echo yes || echo no)"
is 'nothing is refused after' '' "$(refused)"
# Removing is cut short: nothing binds, or all does, and the next change goes on.
point=1
code=1
while [ $point -le 20 ] && [ $code != 0 ]; do
	policy a >old.yaml && apply old.yaml || echo "not ok remove $point: $(cat said)"
	PORTCULLIS_KILL_AT=$point $p remove >cut.said 2>&1
	code=$?
	held=$(refused)
	$p status >/dev/null 2>&1
	applied=$?
	[ "$held $applied" = 'a 0' ] || [ "$held $applied" = ' 1' ] ||
		echo "not ok remove cut at $point: '$held' is refused, status exits $applied: $(cat cut.said)"
	point=$((point + 1))
done
is 'remove cut at several points' yes "$([ $point -gt 4 ] && echo yes || echo $point)"
is "and it came to its end" 0 "$code"
is 'no profile is left then' 0 "$(count portcullis <$profiles)"
echo 'done'
