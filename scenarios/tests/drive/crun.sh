#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In a guest with crun: a container that a real runtime started is a domain; its secret is read before
# the policy, refused with it, and the file beside it is not. The container's own process reads, over
# and over, and so does what crun sends in; `--no-pivot` is for docs/limits.md. Says "crun: all as expected" at the end.
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
$crun run --detach --bundle $bundle web </dev/null >/run/web.log 2>&1 || { cat /run/web.log; exit 1; }
trap '$engine remove >/dev/null 2>&1; $crun delete --force web >/dev/null 2>&1' EXIT
# said LINE: the container says LINE in what it wrote two rounds from now.
said() {
	last=$(cat $bundle/rootfs/out/round 2>/dev/null || echo 0) tries=0
	while [ "$(cat $bundle/rootfs/out/round 2>/dev/null || echo 0)" -lt $((last + 2)) ]; do
		tries=$((tries + 1))
		[ $tries -lt 60 ] || { echo "the container has stopped"; return 1; }
		sleep 1
	done
	grep -q "$1" $bundle/rootfs/out/now || { cat $bundle/rootfs/out/now; return 1; }
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
echo "crun: all as expected"
