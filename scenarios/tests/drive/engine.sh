#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs in a guest (engine.bats puts it there): the engine's promises, one line each, as
# "ok NAME" or "not ok NAME: what was seen". Ends with a line "done".
# shellcheck disable=SC3043  # busybox sh has local

P=/opt/gauntlet/portcullis

# shellcheck source=scenarios/tests/drive/say.sh
. /tmp/say.sh
reads() { if cat "$1" >/dev/null 2>&1; then echo yes; else echo no; fi; }
runs() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }
repeat() { # COUNT TEXT
	local i=0 text=
	while [ "$i" -lt "$1" ]; do
		text=$text$2
		i=$((i + 1))
	done
	echo "$text"
}
events() { $P events --no-follow >/tmp/events 2>/dev/null; }
# The rules that pending events name, in order, space-separated.
rules() {
	events
	sed 's/.*"RuleID":"\([^"]*\)".*/\1/' /tmp/events | tr '\n' ' ' | sed 's/ $//'
}
host_policy() { # NAME; the spec on standard input
	cat <<-END
		apiVersion: security.kubearmor.com/v1
		kind: KubeArmorHostPolicy
		metadata:
		  name: $1
		spec:
		  nodeSelector:
		    matchLabels:
		      kubearmor.io/hostname: "*"
	END
	cat
}

mkdir -p /t/secret/deep/er /t/prog
echo s >/t/secret/a
echo s >/t/secret/deep/er/b
echo o >/t/other
echo r >/t/readonly
cp /usr/bin/busybox /t/prog/ls
cp /usr/bin/busybox /usr/bin/engine-test
cp /opt/gauntlet/attacks/hello_dynamic /t/prog/dynamic
cp /opt/gauntlet/attacks/loader.so /t/loader

host_policy a >/tmp/a.yaml <<-END
	  action: Block
	  file:
	    matchDirectories:
	    - dir: /t/secret/
	      recursive: true
	    matchPaths:
	    - path: /t/readonly
	      readOnly: true
	  process:
	    matchPaths:
	    - path: /t/prog/ls
	    - path: /bin/engine-test
	    - path: /t/prog/dynamic
END
host_policy b >/tmp/b.yaml <<-END
	  action: Block
	  file:
	    matchDirectories:
	    - dir: /t/secret/
	    matchPaths:
	    - path: /t/other
	  process:
	    matchPaths:
	    - path: /t/prog/ls
END

# A first apply, killed a little later each time; whatever a kill left is found by the next one, and at
# the end by one that is not killed. To load the programs takes longest of all that is done here.
killed_first() { # TURN...
	for i; do
		$P apply /tmp/a.yaml >/dev/null 2>&1 &
		applying=$!
		usleep $((i * 90000))
		kill -9 $applying 2>/dev/null
		wait $applying 2>/dev/null
		# 0: it was faster.
		is "killed-first-does-not-fail-$i" yes "$(case $? in 0 | 137) echo yes ;; esac)"
		# All of the policy, or none of it, and status says which.
		holds=$(reads /t/secret/a)
		is "killed-first-whole-$i" "$holds" "$(runs /t/prog/ls /t)"
		is "killed-first-status-$i" "$([ "$holds" = yes ] && echo 1 || echo 0)" "$(code $P status)"
		[ "$holds" = yes ] || $P remove
	done
}

# --- one policy after another ----------------------------------------------------------------
is free-before yes "$(reads /t/secret/a)"
is loader-before yes "$(runs /t/loader /t/prog/dynamic hi)"
is status-nothing 1 "$(code $P status)"
killed_first 1 2 3
is applies 0 "$(code $P apply /tmp/a.yaml)"
is outlives-its-process no "$(reads /t/secret/deep/er/b)"
is names-the-rule 'a#file.matchDirectories[0]' "$(rules)"
is event-is-handed-out-once '' "$(rules)"
is neighbour yes "$(reads /t/other)"
is program-refused 126 "$(code sh -c '/t/prog/ls /t')"
is link-means-both-names 126 "$(code sh -c '/usr/bin/engine-test true')"
is both-rules-named 'a#process.matchPaths[0] a#process.matchPaths[1]' "$(rules)"
is readonly-reads yes "$(reads /t/readonly)"
is readonly-append no "$(runs sh -c 'echo x >>/t/readonly')"
is readonly-truncate no "$(runs truncate -s 0 /t/readonly)"
is readonly-unlink no "$(runs rm -f /t/readonly)"
is readonly-rename no "$(runs mv /t/readonly /t/r2)"
is readonly-link no "$(runs ln /t/readonly /t/r2)"
is readonly-chmod no "$(runs chmod 777 /t/readonly)"
is readonly-chown no "$(runs chown 1 /t/readonly)"
is readonly-replace no "$(runs mv -f /t/other /t/readonly)"
is create no "$(runs touch /t/secret/new)"
is mkdir no "$(runs mkdir /t/secret/dir)"
is symlink no "$(runs ln -s /t/other /t/secret/link)"
is mkfifo no "$(runs mkfifo /t/secret/fifo)"
is rmdir no "$(runs rmdir /t/secret/deep/er)"
is program-rename no "$(runs mv /t/prog/ls /t/prog/l2)"
is program-link no "$(runs ln /t/prog/ls /t/l2)"
is parent-rename no "$(runs mv /t/prog /t/prog2)"
is grandparent-rename no "$(runs mv /t /t2)"
is through-symlink no "$(ln -s /t/secret/a /tmp/link && reads /tmp/link)"
is through-dots no "$(reads /t/prog/../secret/./a)"
is through-proc no "$(reads /proc/self/root/t/secret/a)"
is relative no "$(cd /t/secret/deep && reads er/b)"
is chroot no "$(runs chroot /t /prog/ls)"
events

# --- mounts --------------------------------------------------------------------------------------
mkdir -p /m/a /m/b /m/own
: >/m/file
mount --bind /t/secret /m/a
mount --bind /t /m/b
mount --bind /t/secret/a /m/file
is bind-of-directory no "$(reads /m/a/a)"
is bind-of-parent no "$(reads /m/b/secret/deep/er/b)"
is bind-of-file no "$(reads /m/file)"
is bind-program 126 "$(code sh -c '/m/b/prog/ls /t')"
is bind-create no "$(runs touch /m/a/new)"
is bind-rename no "$(runs mv /m/b/readonly /m/b/r2)"
is bind-neighbour yes "$(reads /m/b/other)"
is bind-has-the-true-name '/t/secret/a /t/secret/deep/er/b /t/secret/a /t/prog/ls /t/secret/new /t/readonly' \
	"$(events; sed 's/.*"Resource":"\([^"]*\)".*/\1/' /tmp/events | tr '\n' ' ' | sed 's/ $//')"
is mount-namespace no "$(runs unshare -m sh -c 'mount -t tmpfs none /m/own && mkdir /m/own/t && mount --bind /t /m/own/t && cat /m/own/t/secret/a')"
is mount-namespace-neighbour yes "$(runs unshare -m sh -c 'mount -t tmpfs none /m/own && mkdir /m/own/t && mount --bind /t /m/own/t && cat /m/own/t/other')"
is mount-namespace-root no "$(runs unshare -m sh -c 'mount --rbind / /m/own && chroot /m/own cat /t/secret/a')"
# What lies there is another file, and it is that one which is reached.
mount --bind /t/other /t/secret/a
is bind-over-blocked yes "$(reads /t/secret/a)"
umount /t/secret/a
umount /m/a /m/b /m/file
# To take the mount away that gives a name would give another one.
mkdir -p /m/named /m/later
mount -t tmpfs none /m/named
mkdir /m/named/secret
echo s >/m/named/secret/x
echo n >/m/named/n
host_policy mounts >/tmp/mounts.yaml <<-END
	  action: Block
	  file:
	    matchDirectories:
	    - dir: /m/named/secret/
	      recursive: true
	    - dir: /t/secret/
	      recursive: true
END
is mounts-apply 0 "$(code $P apply /tmp/mounts.yaml)"
mount --bind /m/named /m/later
is later-mount no "$(reads /m/later/secret/x)"
is later-mount-neighbour yes "$(reads /m/later/n)"
is umount-named no "$(runs umount /m/named)"
is umount-named-lazily no "$(runs umount -l /m/named)"
is umount-named-event '/m/named mounts#file.matchDirectories[0]' \
	"$(events; sed -n '/SB_UMOUNT/s/.*"Resource":"\([^"]*\)".*"RuleID":"\([^"]*\)".*/\1 \2/p
	/SB_UMOUNT/s/.*"RuleID":"\([^"]*\)".*"Resource":"\([^"]*\)".*/\2 \1/p' /tmp/events | sort -u)"
is move-named no "$(runs mount --move /m/named /m/b)"
is umount-by-a-peer no "$(runs unshare -m --propagation shared sh -c 'umount /m/named')"
is umount-elsewhere no "$(runs unshare -m sh -c 'umount /m/named && cat /m/later/secret/x')"
is umount-later yes "$(runs umount /m/later)"
# A rule whose path leads over a later mount, and a file with two names.
mkdir -p /m/data/www /m/www
echo x >/m/data/www/x
mount --bind /m/data/www /m/www
echo k >/m/key
ln /m/key /m/data/key2
host_policy places >/tmp/places.yaml <<-END
	  action: Block
	  file:
	    matchDirectories:
	    - dir: /m/www/
	    matchPaths:
	    - path: /m/key
END
is places-are-said '/m/key also means /m/data/key2 /m/www also means /m/data/www' \
	"$($P apply /tmp/places.yaml 2>&1 | sed -n 's/^portcullis: \(.* also means [^:]*\):.*/\1/p' | sort | tr '\n' ' ' | sed 's/ $//')"
is place-mounted no "$(reads /m/www/x)"
is place-below no "$(reads /m/data/www/x)"
is place-hard-link no "$(reads /m/data/key2)"
is place-neighbour yes "$(reads /m/named/n)"
umount /m/www
# Descriptors from before the policy, and what needs none.
is before-remove 0 "$(code $P remove)"
killed_first 4 5 6
exec 7</t/secret/a 8>>/t/readonly
is descriptors-apply 0 "$(code $P apply /tmp/a.yaml)"
is descriptor-read no "$(runs sh -c 'cat <&7')"
is descriptor-append no "$(runs sh -c 'echo x >&8')"
exec 7<&- 8>&-
is descriptor-neighbour yes "$(exec 7</t/readonly; runs sh -c 'cat <&7')"
is readonly-touch no "$(runs touch /t/readonly)"
is touch-neighbour yes "$(runs touch /t/other)"
is loaded-by-hand no "$(runs /t/loader /t/prog/dynamic hi)"
is loaded-neighbour yes "$(runs /t/loader /opt/gauntlet/attacks/hello_dynamic hi)"
events
umount /m/named

# --- replacing, refusing, undoing -------------------------------------------------------------
is replaces 0 "$(code $P apply /tmp/b.yaml)"
is new-rule no "$(reads /t/other)"
is old-rule-gone yes "$(reads /t/secret/deep/er/b)"
is still-refused no "$(reads /t/secret/a)"
is new-names 'b#file.matchPaths[0] b#file.matchDirectories[0]' "$(rules)"
reads /t/other >/dev/null
is again 0 "$(code $P apply /tmp/a.yaml)"
is old-event-keeps-its-rule 'b#file.matchPaths[0]' "$(rules)"
before=$($P status --json)
sed 's/matchDirectories/matchDirectoris/' /tmp/a.yaml >/tmp/bad.yaml
is bad-policy 2 "$(code $P apply /tmp/bad.yaml)"
is bad-backend 2 "$(code $P apply --backend bpflsm /tmp/a.yaml)"
is missing-policy 2 "$(code $P apply /tmp/nothing.yaml)"
host_policy c >/tmp/beyond.yaml <<-END
	  action: Block
	  file:
	    matchPaths:
	    - path: /t/other
	  device:
	    matchDevice:
	    - class: HID
END
is beyond-the-backend 3 "$(code $P apply /tmp/b.yaml /tmp/beyond.yaml)"
is beyond-is-named 1 "$($P apply /tmp/b.yaml /tmp/beyond.yaml 2>&1 |
	grep -c '/tmp/beyond.yaml:[0-9]*:[0-9]*: rule c#device.matchDevice\[0\] .*does not see devices')"
is beyond-is-not-there yes "$(reads /t/other)"
is nothing-half-applied "$before" "$($P status --json)"

# --- statuses ------------------------------------------------------------------------------------
# What is looser is refused by default, and nothing of the set is there; then it is taken on demand.
host_policy loose >/tmp/loose.yaml <<-END
	  action: Block
	  file:
	    matchPaths:
	    - path: /t/other
	  capabilities:
	    matchCapabilities:
	    - capability: sys_admin
	      fromSource:
	      - path: /opt/gauntlet/nothing
	    - capability: setpcap
	      action: Audit
	  device:
	    matchDevice:
	    - class: HID
END
status_of() { # RULE: what status says of it
	$P status --json | sed "s/.*\"id\": *\"$1\", *\"status\": *\"\([a-z]*\)\".*/\1/"
}
sed '/device:/,$d' /tmp/loose.yaml >/tmp/looser.yaml
is looser-refused 3 "$(code $P apply /tmp/looser.yaml)"
is looser-is-named 1 "$($P apply /tmp/looser.yaml 2>&1 |
	grep -c '/tmp/looser.yaml:[0-9]*:[0-9]*: rule loose#capabilities.matchCapabilities\[0\] would be enforced looser .*memory reserve')"
is looser-is-not-there yes "$(reads /t/other)"
is looser-changed-nothing "$before" "$($P status --json)"
is best-effort 0 "$(code $P apply --best-effort /tmp/loose.yaml)"
is best-effort-holds no "$(reads /t/other)"
is best-effort-event 'loose#file.matchPaths[0]' "$(rules)"
is best-effort-tells-looser looser "$(status_of 'loose#capabilities.matchCapabilities\[0\]')"
is best-effort-tells-unsupported unsupported "$(status_of 'loose#device.matchDevice\[0\]')"
mkdir /sys/fs/cgroup/statuses
is best-effort-domain 0 "$(code $P domain add statuses --cgroup /sys/fs/cgroup/statuses)"
is best-effort-outlives looser "$(status_of 'loose#capabilities.matchCapabilities\[0\]')"
is best-effort-domain-goes 0 "$(code $P domain remove statuses)"
rmdir /sys/fs/cgroup/statuses
is best-effort-lists "1 1" "$($P status | grep -c '  looser: 1 rules; bpf_lsm misses the use of the memory reserve') \
$($P status | grep -c '  unsupported: 1 rules; bpf_lsm does not see devices')"
# By path a kernel with the old programs is stricter, and --exact does not have that.
if $P probe | grep -q 'bpf_lsm.*(old'; then
	is exact-refuses-stricter 3 "$(code $P apply --exact /tmp/b.yaml)"
	is stricter-is-said 1 "$($P apply /tmp/b.yaml | grep -c '  stricter: [0-9]* rules; bpf_lsm takes a path')"
else
	is exact-takes-exact 0 "$(code $P apply --exact /tmp/b.yaml)"
	is exact-is-said 1 "$($P apply /tmp/b.yaml | grep -c '  exact: [1-9][0-9]* rules')"
fi

# --- long and deep ------------------------------------------------------------------------------
host_policy paths >/tmp/paths.yaml <<-END
	  action: Block
	  file:
	    matchPaths:
END
: >/tmp/paths
for depth in 1 2 15 16 17 31 32 33 60; do
	dir=/p$depth$(repeat $((depth - 1)) /e)
	for len in 1 8 31 32 33 64 65 255; do
		name=$(repeat "$len" f)
		mkdir -p "$dir"
		echo x >"$dir/$name"
		echo x >"$dir/${name%f}g"
		echo "    - path: $dir/$name" >>/tmp/paths.yaml
		echo "$dir/$name" >>/tmp/paths
	done
done
long=$(repeat 15 "/$(repeat 250 z)")
mkdir -p "$long"
echo x >"$long/f"
echo x >"$long/g"
echo "    - path: $long/f" >>/tmp/paths.yaml
echo "$long/f" >>/tmp/paths
is paths-apply 0 "$(code $P apply /tmp/paths.yaml)"
through=0 over=0
while read -r path; do
	cat "$path" >/dev/null 2>&1 && through=$((through + 1))
	cat "${path%f}g" >/dev/null 2>&1 || over=$((over + 1))
done </tmp/paths
is paths-count 73 "$(wc -l </tmp/paths)"
is paths-through 0 "$through"
is paths-overblocked 0 "$over"
events
is paths-events 73 "$(wc -l </tmp/events)"
is paths-whole 1 "$(grep -c "\"Resource\":\"$long/f\"" /tmp/events)"
mount -t tmpfs none /p2
mkdir /p2/e
is mount-over no "$(runs touch /p2/e/f)"
umount /p2

# --- allow-lists --------------------------------------------------------------------------------
host_policy allow >/tmp/allow.yaml <<-END
	  process:
	    matchDirectories:
	    - dir: /usr/bin/
	    - dir: /opt/gauntlet/
	      recursive: true
	    matchPaths:
	    - path: /t/prog/ls
	  action: Allow
END
cp /usr/bin/busybox /t/cat
is allow-audit-applies 0 "$(code $P apply /tmp/allow.yaml)"
events
is allow-audit-permits 0 "$(code sh -c '/t/cat /t/other')"
events
is allow-audit-alerts 'DefaultPosture Audit Passed' "$(sed 's/.*"PolicyName":"\([^"]*\)".*"Action":"\([^"]*\)","Result":"\([^"]*\)".*/\1 \2 \3/' /tmp/events)"
is allow-block-applies 0 "$(code $P apply --posture block /tmp/allow.yaml)"
is allow-listed 0 "$(code sh -c '/t/prog/ls /t')"
is allow-unlisted 126 "$(code sh -c '/t/cat /t/other')"
is allow-leaves-files yes "$(reads /t/other)"

# --- containers -----------------------------------------------------------------------------------
cat >/tmp/web.yaml <<-END
	apiVersion: security.kubearmor.com/v1
	kind: KubeArmorPolicy
	metadata:
	  name: web
	  namespace: shop
	spec:
	  selector:
	    matchLabels:
	      app: web
	  file:
	    matchPaths:
	    - path: /t/other
	  action: Block
END
mkdir /sys/fs/cgroup/web /sys/fs/cgroup/web/inner /sys/fs/cgroup/db
in_group() { # CGROUP COMMAND...
	local group="$1"
	shift
	# shellcheck disable=SC2016  # the inner shell expands it
	sh -c 'echo 0 >/sys/fs/cgroup/$1/cgroup.procs && shift && "$@"' sh "$group" "$@"
}
events
is policy-before-domain 0 "$(code $P apply /tmp/web.yaml)"
is no-domain-yet yes "$(runs in_group web cat /t/other)"
# A task that was there, and looked at, before it became part of a domain.
in_group web sh -c 'cat /t/other; : >/tmp/ready; while [ ! -e /tmp/go ]; do sleep 0.1; done
	cat /t/other >/dev/null 2>&1; echo $? >/tmp/late' >/dev/null &
late=$!
while [ ! -e /tmp/ready ]; do sleep 0.1; done
is domain-added 0 "$(code $P domain add web --labels app=web,tier=front --cgroup /sys/fs/cgroup/web)"
is domain-again 1 "$(code $P domain add web --labels app=web --cgroup /sys/fs/cgroup/db)"
is domain-of-root 2 "$(code $P domain add root --labels app=web --cgroup /sys/fs/cgroup)"
: >/tmp/go
wait $late
is running-task-covered 1 "$(cat /tmp/late)"
is domain-refused no "$(runs in_group web cat /t/other)"
is below-domain-refused no "$(runs in_group web/inner cat /t/other)"
deep=web$(repeat 140 /n)
mkdir -p "/sys/fs/cgroup/$deep"
is deep-below-domain-refused no "$(runs in_group "$deep" cat /t/other)"
is host-free yes "$(reads /t/other)"
# With rules for the host too, what it may is kept, for it and nobody else.
is both-apply 0 "$(code $P apply /tmp/web.yaml /tmp/a.yaml)"
is host-free-with-rules yes "$(reads /t/other)"
is host-free-as-kept yes "$(reads /t/other)"
is domain-refused-beside-host no "$(runs in_group web cat /t/other)"
is other-group-free yes "$(runs in_group db cat /t/other)"
is domain-event 'shop/web#file.matchPaths[0] web' "$(events; sed 's/.*"Domain":"\([^"]*\)".*"RuleID":"\([^"]*\)".*/\2 \1/' /tmp/events | sort -u)"
is moved-out-stays no "$(runs in_group web sh -c 'echo 0 >/sys/fs/cgroup/db/cgroup.procs && cat /t/other')"
is child-of-moved-stays no "$(runs in_group web sh -c 'echo 0 >/sys/fs/cgroup/db/cgroup.procs && sh -c "sh -c \"cat /t/other\""')"
is unshared-stays no "$(runs in_group web unshare -m -p -f cat /t/other)"
is domain-listed web "$($P domain list | sed -n 's/^\(web\) .*/\1/p')"
is domain-removed 0 "$(code $P domain remove web)"
is removed-is-free yes "$(runs in_group web cat /t/other)"
is removed-twice 1 "$(code $P domain remove web)"

# --- under load, and killed -------------------------------------------------------------------
is load-applies 0 "$(code $P apply /tmp/a.yaml)"
hammer() {
	local permitted=0 tried=0
	while [ ! -e /tmp/stop ]; do
		tried=$((tried + 1))
		# In a shell of its own: a redirection that fails would end this one.
		if read -r _ <"$1"; then permitted=$((permitted + 1)); fi
	done 2>/dev/null
	echo "$tried $permitted"
}
hammer /t/secret/a >/tmp/hammered &
hammering=$!
killed=0 i=0
while [ $i -lt 40 ]; do
	i=$((i + 1))
	file=/tmp/a.yaml
	[ $((i % 2)) = 0 ] || file=/tmp/b.yaml
	$P apply $file >/dev/null 2>&1 &
	applying=$!
	usleep $((i * 7919 % 200000))
	kill -9 $applying 2>/dev/null && killed=$((killed + 1))
	wait $applying 2>/dev/null
done
: >/tmp/stop
wait $hammering
read -r tried permitted </tmp/hammered
echo "# $tried opens during 40 applies, $killed of them killed"
is load-tried yes "$([ "$tried" -gt 100 ] && [ "$killed" -gt 0 ] && echo yes)"
is load-permitted 0 "$permitted"
is load-status 0 "$(code $P status)"
is load-goes-on 0 "$(code $P apply /tmp/b.yaml)"
is load-new-rule no "$(reads /t/other)"

# --- taking it away -----------------------------------------------------------------------------
is removes 0 "$(code $P remove)"
is free-after yes "$(reads /t/secret/a)"
is free-program 0 "$(code /t/prog/ls /t)"
is nothing-pinned '' "$(ls /sys/fs/bpf)"
is nothing-in-run no "$([ -e /run/portcullis ] && echo yes || echo no)"
is removes-again 0 "$(code $P remove)"
is none-backend 0 "$(code $P apply --backend none /tmp/a.yaml)"
is none-enforces-nothing yes "$(reads /t/secret/a)"
is none-takes-all 0 "$(code $P apply --backend none /tmp/beyond.yaml)"
is none-removes 0 "$(code $P remove)"
echo 'done'
