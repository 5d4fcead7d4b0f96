#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In a guest with BPF-LSM and SELinux: which of them apply takes, that probe says it before and why, and
# that the other then has nothing. Says what it saw; see say.sh.
#
# Usage: auto_selinux.sh yes|no WORDS [CONTEXT]: whether SELinux can be used here, and what probe says of
# it; CONTEXT is what is tried in, instead of the agent's own
. /tmp/say.sh
p=/opt/gauntlet/portcullis
usable=$1
words=$2
policy=/sys/fs/selinux/policy
# A kernel that is old makes of exact what is stricter.
does='\(exact\|stricter\)'
[ -z "$3" ] || printf %s "$3" >/proc/self/attr/current || exit 1
work=/run/drive
mkdir -p $work
cd $work || exit 1
for file in a b; do echo "secret-$file" >$work/$file; done
for file in a b; do
	cat >$file.yaml <<-END
		apiVersion: security.kubearmor.com/v1
		kind: KubeArmorHostPolicy
		metadata: {name: keep}
		spec:
		  nodeSelector: {matchLabels: {kubearmor.io/hostname: "*"}}
		  action: Block
		  file: {matchPaths: [{path: $work/$file}]}
	END
done
refused() {
	for file in a b; do cat $work/$file >/dev/null 2>&1 || printf %s $file; done
}
by() { $p status | sed -n '1s/.* by \([a-z_]*\).*/\1/p'; }
pins() { [ -e /sys/fs/bpf/portcullis ] && echo bpf || echo none; }
digest() { sha256sum <$policy; }

is 'nothing is refused before' '' "$(refused)"
$p probe >said
is 'probe: the node can enforce' 0 $?
is 'probe: BPF-LSM can be used' 1 "$(grep -c '^bpf_lsm *can be used' said)"
is 'probe: SELinux, and why not' 1 "$(grep -c "^selinux .*$words" said)"
$p probe --policy a.yaml >said
is 'probe --policy: such a set is taken' 0 $?
is 'probe --policy: SELinux, and why not' yes "$(grep -q "$words" said && echo yes)"
is 'probe --policy: which is taken, and how it does' 1 "$(grep -c "^bpf_lsm is taken: 1 $does; " said)"
is 'probe --policy: what each does of the rule' '1 1' \
	"$(grep -c "^  \* bpf_lsm: $does" said) $(grep -c '^    selinux: looser: ' said)"
is 'probe --policy: what each does of the class' 1 "$(sed -n '/^class file/,$p' said | grep -c '^    selinux: 0 exact, .* 1 looser')"
$p apply a.yaml >said 2>&1
is 'apply takes it' '0 bpf_lsm bpf' "$? $(by) $(pins)"
is 'its file is refused, its neighbour is not' a "$(refused)"
if [ "$usable" = yes ]; then
	before=$(digest)
	is 'probe --policy: the other that could be taken' 1 \
		"$($p probe --policy a.yaml | grep -c 'better than selinux (1 looser)')"
	$p apply --backend selinux a.yaml >said 2>&1
	is 'who is named is asked: looser is refused' '3 bpf_lsm' "$? $(by)"
	$p apply --backend selinux --best-effort b.yaml >said 2>&1
	is 'with --best-effort it is taken' '0 selinux none b' "$? $(by) $(pins) $(refused)"
	is 'and the policy is another' other "$([ "$(digest)" = "$before" ] || echo other)"
	$p apply a.yaml >said 2>&1
	is 'apply changes back' '0 bpf_lsm a' "$? $(by) $(refused)"
	is 'the policy is as it was' "$before" "$(digest)"
	# BPF-LSM keeps everybody from giving a ruled file another label.
	$p apply --backend selinux --best-effort a.yaml >said 2>&1
	is 'a file of both: refused in one line' '1 1 1' \
		"$? $(wc -l <said) $(grep -c 'bpf_lsm is in force and may be in the way of selinux' said)"
	is 'a file of both: what was applied stays' 'bpf_lsm a' "$(by) $(refused)"
	$p apply --backend selinux --best-effort b.yaml >said 2>&1 || echo "not ok apply: $(cat said)"
	$p apply b.yaml >said 2>&1
	is 'a file of both: what is left is told' '1 1 1' \
		"$? $(wc -l <said) $(grep -c 'bpf_lsm is in force now, but of selinux something is left' said)"
	is 'a file of both: the new one holds' 'bpf_lsm b' "$(by) $(refused)"
	$p remove
	is 'a file of both: remove takes away all' "0 none $before" "$? $(pins) $(digest)"
else
	$p apply --backend selinux --best-effort a.yaml >said 2>&1
	is 'who is named and cannot is refused' 3 $?
	is 'in one line that says why' '1 1' "$(wc -l <said) $(grep -c "$words" said)"
	is 'what was applied stays' 'bpf_lsm a' "$(by) $(refused)"
fi
$p remove
is 'remove' '0 none' "$? $(pins)"
is 'nothing is refused after' '' "$(refused)"
echo 'done'
