#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In a guest with crun: a container that a real runtime started is a domain; its secret is read before
# the policy, refused with it, and the file beside it is not. The container's own process reads, over
# and over, and so does what crun sends in; `--no-pivot` is for docs/limits.md. Then what `crun exec`
# starts is refused by a preset, and the first process of a container whose domain was there before it
# is not. Says "crun: all as expected" at the end.
set -eu
engine=/opt/gauntlet/portcullis
bundle=/var/crun/bundle
mkdir -p $bundle/rootfs/bin $bundle/rootfs/srv $bundle/rootfs/proc $bundle/rootfs/dev $bundle/rootfs/out
cp /opt/gauntlet/busybox $bundle/rootfs/bin/busybox
for tool in sh cat sleep; do ln -s busybox $bundle/rootfs/bin/$tool; done
echo canary >$bundle/rootfs/srv/secret
echo notes >$bundle/rootfs/srv/notes
cat >$bundle/rootfs/bin/reader <<'SH'
n=0
while :; do
	n=$((n + 1))
	{ echo "secret: $(cat /srv/secret 2>&1)"; echo "notes: $(cat /srv/notes 2>&1)"; } >/out/next
	mv /out/next /out/now
	echo $n >/out/round
	sleep 1
done
SH
cat >$bundle/config.json <<'JSON'
{"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "hostname": "web",
 "process": {"terminal": false, "user": {"uid": 0, "gid": 0}, "cwd": "/", "args": ["/bin/sh", "/bin/reader"],
  "env": ["PATH=/bin"]},
 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}],
 "linux": {"cgroupsPath": "/web", "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}]}}
JSON
crun="crun --root /run/crun --cgroup-manager=cgroupfs"
late=/var/crun/late
mkdir -p $late/rootfs
cp -a $bundle/rootfs/. $late/rootfs/
sed 's,"/web","/late",' $bundle/config.json >$late/config.json
$crun run --detach --bundle $bundle web </dev/null >/run/web.log 2>&1 || { cat /run/web.log; exit 1; }
trap '$engine remove >/dev/null 2>&1; $crun delete --force web >/dev/null 2>&1
	$crun delete --force late >/dev/null 2>&1' EXIT
# said LINE [BUNDLE]: the container says LINE in what it wrote two rounds from now.
said() {
	out=${2:-$bundle}/rootfs/out
	last=$(cat "$out/round" 2>/dev/null || echo 0) tries=0
	while [ "$(cat "$out/round" 2>/dev/null || echo 0)" -lt $((last + 2)) ]; do
		tries=$((tries + 1))
		[ $tries -lt 60 ] || { echo "the container has stopped"; return 1; }
		sleep 1
	done
	grep -q "$1" "$out/now" || { cat "$out/now"; return 1; }
}
said '^secret: canary$' || { echo "not readable without a policy"; exit 1; }
cat >/run/web.yaml <<'YAML'
apiVersion: security.kubearmor.com/v1
kind: KubeArmorPolicy
metadata: {name: keep, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  file: {matchPaths: [{path: /srv/secret}]}
  action: Block
YAML
$engine domain add web --labels app=web --namespace default --cgroup /sys/fs/cgroup/web
$engine apply /run/web.yaml
said '^secret: .*Permission denied$' || { echo "not refused with the policy on"; exit 1; }
said '^notes: notes$' || { echo "the neighbour is refused"; exit 1; }
$engine events --no-follow | grep -q 'default/keep#file.matchPaths\[0\]' || { echo "no event names the rule"; exit 1; }
# What the runtime sends in is the container's from its program on, not while it still is the runtime's.
$crun exec web /bin/cat /srv/notes | grep -q '^notes$' || { echo "crun exec is refused"; exit 1; }
if $crun exec web /bin/cat /srv/secret; then echo "crun exec reads the secret"; exit 1; fi

# preset ACTION: applies the preset.
preset() {
	cat >/run/exec.yaml <<YAML
apiVersion: security.kubearmor.com/v1
kind: KubeArmorPolicy
metadata: {name: from-outside, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  presets: [{name: exec}]
  action: $1
YAML
	$engine apply /run/exec.yaml
}
# told ACTION: how many events of that action name the preset's rule, of those not read yet.
told() {
	$engine events --no-follow | grep 'default/from-outside#presets\[0\]' | grep -c "\"Action\": *\"$1\""
}
# goes_in NAME: crun executes a program in the container, which says what it should.
goes_in() {
	[ "$($crun exec "$1" /bin/cat /srv/notes </dev/null 2>/run/exec.log)" = notes ]
}
# stays_out NAME: that is refused.
stays_out() {
	if goes_in "$1"; then return 1; fi
	grep -qi 'permission denied' /run/exec.log || { cat /run/exec.log; return 1; }
}
preset Audit
goes_in web || { cat /run/exec.log; echo "exec is refused where the preset audits"; exit 1; }
[ "$(told Audit)" = 1 ] || { echo "an audited exec is not told once"; exit 1; }
preset Block
stays_out web || { echo "exec is not refused"; exit 1; }
[ "$(told Block)" = 1 ] || { echo "a refused exec is not told once"; exit 1; }
said '^notes: notes$' || { echo "who was inside is refused"; exit 1; }
mkdir /sys/fs/cgroup/late
$engine domain add late --labels app=web --namespace default --cgroup /sys/fs/cgroup/late
$crun run --detach --bundle $late late </dev/null >/run/late.log 2>&1 || { cat /run/late.log; echo "the first process is refused"; exit 1; }
said '^notes: notes$' $late || { echo "what the first process starts is refused"; exit 1; }
stays_out late || { echo "exec is not refused there"; exit 1; }
echo "crun: all as expected"
