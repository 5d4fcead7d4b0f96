#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In a guest with crun: a container that a real runtime started is a domain; its secret is read before
# the policy, refused with it, and the file beside it is not. Says "crun: all as expected" at the end.
set -eu
engine=/opt/gauntlet/portcullis
bundle=/var/crun/bundle
mkdir -p $bundle/rootfs/bin $bundle/rootfs/srv $bundle/rootfs/proc $bundle/rootfs/dev
cp /opt/gauntlet/busybox $bundle/rootfs/bin/busybox
for tool in sh cat sleep; do ln -s busybox $bundle/rootfs/bin/$tool; done
echo canary >$bundle/rootfs/srv/secret
echo notes >$bundle/rootfs/srv/notes
cat >$bundle/config.json <<'JSON'
{"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "hostname": "web",
 "process": {"terminal": false, "user": {"uid": 0, "gid": 0}, "cwd": "/", "args": ["/bin/sleep", "600"],
  "env": ["PATH=/bin"]},
 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}],
 "linux": {"cgroupsPath": "/web", "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}]}}
JSON
crun="crun --root /run/crun --cgroup-manager=cgroupfs"
$crun run --no-pivot --detach --bundle $bundle web </dev/null >/run/web.log 2>&1 || { cat /run/web.log; exit 1; }
trap '$engine remove >/dev/null 2>&1; $crun delete --force web >/dev/null 2>&1' EXIT
[ "$($crun exec web /bin/cat /srv/secret)" = canary ] || { echo "not readable without a policy"; exit 1; }
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
if out=$($crun exec web /bin/cat /srv/secret 2>&1); then echo "read with the policy on"; exit 1; fi
case $out in *"Permission denied"*) ;; *) echo "refused otherwise: $out"; exit 1 ;; esac
[ "$($crun exec web /bin/cat /srv/notes)" = notes ] || { echo "the neighbour is refused"; exit 1; }
$engine events --no-follow | grep -q 'default/keep#file.matchPaths\[0\]' || { echo "no event names the rule"; exit 1; }
echo "crun: all as expected"
