#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs in a guest (identity.bats puts it there): who belongs to a domain, by cgroup and, where no
# cgroup tells a container, by its namespaces. One line each, "ok NAME" or "not ok NAME: what was
# seen". Ends with a line "done".
# shellcheck disable=SC3043  # busybox sh has local

P=/opt/gauntlet/portcullis
CG=/sys/fs/cgroup

# shellcheck source=scenarios/tests/drive/say.sh
. /tmp/say.sh
reads() { if "$@" cat /t/secret >/dev/null 2>&1; then echo yes; else echo no; fi; }
in_group() { # CGROUP COMMAND...
	# shellcheck disable=SC2016  # the inner shell expands it
	GROUP=$1 sh -c 'echo 0 >$GROUP/cgroup.procs && shift && "$@"' sh "$@"
}
# A container without a cgroup of its own: new namespaces, and a first process that does what comes
# through its pipe. Sets first, its number on the host.
container() { # NAME UNSHARE-OPTION...
	local name="$1" parent
	shift
	mkfifo "/tmp/$name.in" "/tmp/$name.out"
	# shellcheck disable=SC2016  # the inner shell expands it
	NAME=$name unshare "$@" -f sh -c 'mount -t proc proc /proc 2>/dev/null
		exec 8<>/tmp/$NAME.in
		while read -r line <&8; do
			sh -c "$line" >/dev/null 2>&1
			echo $? >/tmp/$NAME.out
		done' &
	parent=$!
	first=
	while [ -z "$first" ]; do
		usleep 10000
		read -r first </proc/$parent/task/$parent/children
	done 2>/dev/null
	first=${first% }
}
inside() { # NAME COMMAND: its exit code
	local answer
	echo "$2" >"/tmp/$1.in"
	read -r answer <"/tmp/$1.out"
	echo "$answer"
}
number() { # PID KIND
	readlink "/proc/$1/ns/$2" | tr -dc 0-9
}

mkdir -p /t /tmp
echo s >/t/secret
echo o >/t/other
cp /usr/bin/busybox /t/cat
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
	  file:
	    matchPaths:
	    - path: /t/secret
	  process:
	    matchPaths:
	    - path: /t/cat
END
# Whatever started this script, its tasks are in the root cgroup from now on.
echo 0 >$CG/cgroup.procs
is applies 0 "$(code $P apply /tmp/web.yaml)"

# --- by cgroup ------------------------------------------------------------------------------------
mkdir $CG/web $CG/web/in $CG/other
is empty-cgroup-added 0 "$(code $P domain add web --labels app=web --cgroup $CG/web)"
is first-process no "$(reads in_group $CG/web)"
is first-exec 126 "$(code in_group $CG/web sh -c '/t/cat /t/other')"
is first-exec-below 126 "$(code in_group $CG/web/in sh -c '/t/cat /t/other')"
is host-free yes "$(reads)"
is other-group-free yes "$(reads in_group $CG/other)"
# A way out: it works for another container, and does not get this one out.
way() { # NAME COMMAND...
	local name="$1"
	shift
	is "$name-by-itself" yes "$(reads in_group $CG/other "$@")"
	is "$name" no "$(reads in_group $CG/web "$@")"
}
way unshare unshare -m -p -f
way unshare-all unshare -m -u -i -n -p -f
way user-namespace unshare -U -r
way setns nsenter -t 1 -m -p
way chroot chroot /
way re-exec sh -c 'exec sh -c "exec \"\$@\"" sh "$@"' sh
# shellcheck disable=SC2016  # the inner shells expand it
way double-fork sh -c '(setsid sh -c "\"\$@\" >/tmp/stolen" sh "$@" 2>/dev/null; echo $? >/tmp/tried) &
	while [ ! -s /tmp/tried ]; do usleep 10000; done
	read -r code </tmp/tried
	rm /tmp/tried
	exit "$code"' sh
mkdir $CG/third
way move sh -c 'echo 0 >/sys/fs/cgroup/third/cgroup.procs && "$@"' sh
way move-to-root sh -c 'echo 0 >/sys/fs/cgroup/cgroup.procs && "$@"' sh
way move-then-fork sh -c 'echo 0 >/sys/fs/cgroup/third/cgroup.procs && sh -c "sh -c \"\$*\"" sh "$@"' sh
rmdir $CG/web/in $CG/web
mkdir $CG/web
is made-again-is-another yes "$(reads in_group $CG/web)"
is made-again-can-be-added 0 "$(code $P domain add web2 --labels app=web --cgroup $CG/web)"
is made-again-is-covered no "$(reads in_group $CG/web)"
is removed 0 "$(code $P domain remove web)"
is still-covered no "$(reads in_group $CG/web)"
is removed-too 0 "$(code $P domain remove web2)"
is free-again yes "$(reads in_group $CG/web)"

# --- a runtime's process, which is in the cgroup before it is in the container ---------------------------
# What lies in /hosts has no mount in the container, so it has no name there.
mkdir -p $CG/run /hosts
mount -t tmpfs tmpfs /hosts
echo o >/hosts/other
mkfifo /tmp/run.in /tmp/run.pid
# shellcheck disable=SC2016  # the inner shells expand it
in_group $CG/run unshare -m sh -c 'umount /hosts && echo $$ >/tmp/run.pid && read -r line </tmp/run.in' &
read -r run </tmp/run.pid
E=/opt/gauntlet/attacks/enter
enters() { # OUTSIDE COMMAND...: what the command says
	$E $CG/run "$run" "$@" 2>/dev/null | grep -o '^[so]$'
}
is run-before s "$(enters /hosts/other cat /t/secret)"
is run-back-before s "$(enters /hosts/other nsenter -t 1 -m cat /t/secret)"
is run-added 0 "$(code $P domain add run --labels app=web --cgroup $CG/run)"
is run-secret '' "$(enters /hosts/other cat /t/secret)"
is run-other o "$(enters /hosts/other cat /t/other)"
# What it opens outside is the host's business, also where the container's rule has the same name.
is run-outside o "$(enters /t/secret cat /t/other)"
# Once it executes a program it is the container's, wherever it stands.
is run-stays-outside 10 "$(code $E $CG/run - /hosts/other /t/cat /t/other)"
is run-host-free yes "$(reads)"
# Who is the container's stays that, also in the host's namespace.
is run-back '' "$(enters /hosts/other nsenter -t 1 -m cat /t/secret)"
is run-back-other o "$(enters /hosts/other nsenter -t 1 -m cat /t/other)"
echo >/tmp/run.in
is run-removed 0 "$(code $P domain remove run)"

# --- by namespaces --------------------------------------------------------------------------------
container box -m -p
box=$first
mount=$(number "$box" mnt)
is before 0 "$(inside box 'cat /t/secret')"
is box-added 0 "$(code $P domain add box --labels app=web --pid "$box")"
is box-again 1 "$(code $P domain add box2 --labels app=web --pid "$box")"
is box-listed "box $mount" "$($P domain list --json | sed 's/.*"name":"\(box\)".*"mount_ns":\([0-9]*\).*/\1 \2/')"
is box-file 1 "$(inside box 'cat /t/secret')"
is box-exec 126 "$(inside box '/t/cat /t/other')"
is box-other 0 "$(inside box 'cat /t/other')"
is box-host-free yes "$(reads)"
is box-entered no "$(reads nsenter -t "$box" -m)"
is box-pid-entered no "$(reads nsenter -t "$box" -p)"
is box-unshare 1 "$(inside box 'unshare -m -p -f cat /t/secret')"
is box-user-namespace 1 "$(inside box 'unshare -U -r cat /t/secret')"
is box-chroot 1 "$(inside box 'chroot / cat /t/secret')"
is box-double-fork 1 "$(inside box 'sh -c "(setsid cat /t/secret >/tmp/box.stolen &) &"; sleep 1; test -s /tmp/box.stolen')"
is box-moved 1 "$(inside box "echo 0 >$CG/other/cgroup.procs; cat /t/secret")"
is box-by-host-pid 2 "$(code $P domain add self --labels app=web --pid 1)"
is box-no-process 1 "$(code $P domain add none --labels app=web --pid 4194303)"

# Before the domain was added: tasks that had left the namespaces, and the first process.
container old -m -p
old=$first
inside old 'unshare -m sh -c "while [ ! -e /tmp/go ]; do sleep 0.1; done; cat /t/secret; echo \$? >/tmp/left" & echo' >/dev/null
is old-added 0 "$(code $P domain add old --labels app=web --pid "$old")"
: >/tmp/go
while [ ! -s /tmp/left ]; do usleep 10000; done
is old-left-before 1 "$(cat /tmp/left)"
container sibling -m -p
is sibling-free 0 "$(inside sibling 'cat /t/secret')"

# Containers of a pod share a pid namespace: their mount namespaces tell them.
container pod -m
pod=$first
is pod-added 0 "$(code $P domain add pod --labels app=api --pid "$pod")"
is pod-free 0 "$(inside pod 'cat /t/secret')"
is pod-removed 0 "$(code $P domain remove pod)"

# --- numbers that are used again --------------------------------------------------------------------
# KERNEL: the lowest free number is given out, so a new container gets those of one that is gone.
container gone -m -p
number=$(number "$first" mnt)
kill -9 "$first"
while [ -e "/proc/$first" ]; do usleep 10000; done
usleep 200000
container next -m -p
is numbers-come-again "$number" "$(number "$first" mnt)"
kill -9 "$box"
while [ -e "/proc/$box" ]; do usleep 10000; done
usleep 200000
again=no
for i in 1 2 3 4 5 6 7 8; do
	container "new$i" -m -p
	[ "$(number "$first" mnt)" != "$mount" ] || again=yes
	is "new-$i-free" 0 "$(inside "new$i" 'cat /t/secret')"
done
is kept-number-comes-not no "$again"
is gone-box-removed 0 "$(code $P domain remove box)"
is kept-while-needed 2 "$(grep -c '^nsfs /run/portcullis/namespaces/' /proc/mounts)"

# --- taking it away ---------------------------------------------------------------------------------
is removes 0 "$(code $P remove)"
is nothing-mounted 0 "$(grep -c /run/portcullis /proc/mounts)"
is nothing-in-run no "$([ -e /run/portcullis ] && echo yes || echo no)"
is old-free 0 "$(inside old 'cat /t/secret')"
echo 'done'
