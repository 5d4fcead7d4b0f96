#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs in a guest (guard.bats puts it there): a container with all capabilities, in the host's own
# namespaces, cannot get at what enforces its policy; the host's administrator can. One line each,
# "ok NAME" or "not ok NAME: what was seen". Ends with a line "done".

P=/opt/gauntlet/portcullis
A=/opt/gauntlet/attacks
PINS=/sys/fs/bpf/portcullis

# shellcheck source=scenarios/tests/drive/say.sh
. /tmp/say.sh
can() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }
web() {
	# shellcheck disable=SC2016  # the inner shell expands it
	sh -c 'echo 0 >/sys/fs/cgroup/web/cgroup.procs && "$@"' sh "$@"
}
# A file system of BPF that is not ours stays the container's own business.
own() {
	# shellcheck disable=SC2016
	web unshare -m sh -c 'mkdir -p /own && mount -t bpf bpf /own && mkdir /own/dir && rmdir /own/dir'
}

mkdir -p /t /tmp /mnt /sys/fs/bpf/others
echo s >/t/secret
cat >/tmp/web.yaml <<-END
	apiVersion: security.kubearmor.com/v1
	kind: KubeArmorPolicy
	metadata:
	  name: web
	spec:
	  selector:
	    matchLabels:
	      app: web
	  action: Block
	  process:
	    matchPaths:
	    - path: /t/cat
END
cp /usr/bin/busybox /t/cat
mkdir /sys/fs/cgroup/web
is before-the-domain yes "$(can web mkdir /sys/fs/bpf/before)"
is applies 0 "$(code $P apply /tmp/web.yaml)"
is domain 0 "$(code $P domain add web --labels app=web --cgroup /sys/fs/cgroup/web)"
is enforces 126 "$(code web sh -c '/t/cat /t/secret')"

# --- descriptors ------------------------------------------------------------------------------------
is by-id-host 0 "$(code $A/steal id)"
echo "# the host gets $($A/steal id | sed 's/.*"data": "\(.*\)"}/\1/')"
is by-id 10 "$(code web $A/steal id)"
for map in "$PINS"/maps/*; do
	is "host-gets-${map##*/}" 0 "$(code $A/steal "$map")"
	is "gets-${map##*/}" 10 "$(code web $A/steal "$map")"
	is "reads-${map##*/}" no "$(can web cat "$map")"
done
is host-gets-program 0 "$(code $A/steal $PINS/programs/pcl_bprm_check)"
is gets-program 10 "$(code web $A/steal $PINS/programs/pcl_bprm_check)"

# --- names ------------------------------------------------------------------------------------------
link=$PINS/links/pcl_bprm_check
is unlink no "$(can web rm -f $link)"
is rename no "$(can web mv $link $PINS/links/x)"
is rename-out no "$(can web mv $link /sys/fs/bpf/x)"
is rename-over no "$(can web mv /sys/fs/bpf/others $PINS/links)"
is rename-directory no "$(can web mv $PINS/links $PINS/l)"
is rename-all no "$(can web mv $PINS /sys/fs/bpf/x)"
is rmdir no "$(can web rm -rf $PINS)"
is mkdir no "$(can web mkdir $PINS/links/x)"
is symlink no "$(can web ln -s /tmp $PINS/links/x)"
is hardlink no "$(can web ln $link /sys/fs/bpf/x)"
is chmod no "$(can web chmod 777 $PINS)"
is elsewhere-unlink no "$(can web unshare -m sh -c "mount --bind /sys/fs/bpf /mnt && rm /mnt/portcullis/links/pcl_bprm_check")"
is inside-unlink no "$(can web unshare -m sh -c "mount --bind $PINS/links /mnt && rm /mnt/pcl_bprm_check")"
is chroot-unlink no "$(can web chroot $PINS rm links/pcl_bprm_check)"
is unmount no "$(can web umount /sys/fs/bpf)"
is unmount-lazily no "$(can web umount -l /sys/fs/bpf)"
is unmount-above no "$(can web umount -l /sys)"
is others-rename yes "$(can web mv /sys/fs/bpf/others /sys/fs/bpf/other)"
is others-mkdir yes "$(can web mkdir /sys/fs/bpf/other/dir)"
is its-own yes "$(can own)"

# --- and nothing came of it -------------------------------------------------------------------------
is still-enforces 126 "$(code web sh -c '/t/cat /t/secret')"
is still-there 0 "$(code $P status)"
is host-free 0 "$(code /t/cat /t/secret)"
is host-unlinks yes "$(can rm $link)"
is host-removes 0 "$(code $P remove)"
is nothing-pinned no "$([ -e $PINS ] && echo yes || echo no)"
echo 'done'
