#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In a guest with both BPF-LSM and AppArmor: which of them apply takes for which rules, that the other
# then has nothing, and that probe --policy says it before. Says what it saw; see say.sh.
# shellcheck disable=SC2015
. /tmp/say.sh
p=/opt/gauntlet/portcullis
profiles=/sys/kernel/security/apparmor/profiles
work=/run/drive
mkdir -p $work
cd $work || exit 1
for file in a b; do echo "secret-$file" >$work/$file; done

# policy NAME: one for the host; what it says beside that is on the standard input.
policy() {
	printf 'apiVersion: security.kubearmor.com/v1\nkind: KubeArmorHostPolicy\nmetadata: {name: %s}\nspec:\n' "$1"
	printf '  nodeSelector: {matchLabels: {kubearmor.io/hostname: "*"}}\n  severity: 5\n'
	cat
	printf '  action: Block\n'
}
policy exact >exact.yaml <<YAML
  file: {matchPaths: [{path: $work/a}]}
YAML
policy words >words.yaml <<YAML
  apparmor: |
    deny $work/b r,
YAML
policy both >both.yaml <<YAML
  file: {matchPaths: [{path: $work/a}]}
  apparmor: |
    deny $work/b r,
YAML
# Which of a, b a process that is executed now may not read.
refused() {
	for file in a b; do cat $work/$file >/dev/null 2>&1 || printf %s $file; done
}
taken() { # POLICY
	$p probe --policy "$1" | sed -n 's/ is taken: .*//p'
}
by() { $p status | sed -n '1s/.* by \([a-z_]*\).*/\1/p'; }
has() { # whether each has something: bpf's pins, AppArmor's profiles
	printf '%s %s' "$([ -e /sys/fs/bpf/portcullis ] && echo bpf || echo none)" \
		"$(grep -q '^portcullis' $profiles && echo apparmor || echo none)"
}

is 'nothing is refused before' '' "$(refused)"
is 'probe: what both do, the exact one takes' bpf_lsm "$(taken exact.yaml)"
$p probe --policy exact.yaml >said
is 'probe: such a set is taken' 0 $?
is 'probe: why' 1 "$(grep -c 'bpf_lsm is taken: 1 exact; better than apparmor (1 looser)' said)"
$p apply exact.yaml >said 2>&1
is 'apply takes it' 0 $?
is 'and says by which' 1 "$(grep -c '^generation .* by bpf_lsm' said)"
is 'status says so' bpf_lsm "$(by)"
is 'its file is refused, its neighbour is not' a "$(refused)"
is 'AppArmor has nothing' 'bpf none' "$(has)"

is "probe: AppArmor's own words are AppArmor's" apparmor "$(taken words.yaml)"
$p apply words.yaml >said 2>&1
is 'apply changes to AppArmor' '0 apparmor' "$? $(by)"
is 'the words hold, and the rule of before does not' b "$(refused)"
is 'BPF-LSM has nothing' 'none apparmor' "$(has)"

is 'probe: of two, the one that leaves nothing out' apparmor "$(taken both.yaml)"
$p probe --policy both.yaml >said
is 'probe: such a set is not taken as it is' 3 $?
is 'probe: what the other would do better' 1 "$(grep -c 'bpf_lsm would do better of the class file' said)"
$p apply both.yaml >said 2>&1
is 'apply refuses it' 3 $?
is 'and names the backend and the rule' 1 "$(grep -c 'rule both#file.matchPaths\[0\] .*backend apparmor' said)"
is 'what was applied stays' 'b apparmor' "$(refused) $(by)"
$p apply --best-effort both.yaml >said 2>&1
is 'with --best-effort it is taken' '0 apparmor' "$? $(by)"
is 'and both hold' ab "$(refused)"

$p apply exact.yaml >said 2>&1
is 'apply changes back' '0 bpf_lsm a' "$? $(by) $(refused)"
is 'no profile is left' 'bpf none' "$(has)"
$p apply --backend apparmor --best-effort exact.yaml >said 2>&1
is 'who is named is taken' '0 apparmor a' "$? $(by) $(refused)"
$p remove
is 'remove' '0 none none' "$? $(has)"
is 'nothing is refused after' '' "$(refused)"
echo 'done'
