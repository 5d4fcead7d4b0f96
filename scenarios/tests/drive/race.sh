#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs in a guest (race.bats puts it there): what is kept of files and directories is never stale.
# Each way that a name or an owner changes is raced ROUNDS times. One line each, "ok NAME" or "not ok
# NAME: what was seen", and of each race a line "# raced KIND ROUNDS SECONDS". Ends with a line "done".
#
# Usage: race.sh ROUNDS [KIND...]      (default: all kinds)

P=/opt/gauntlet/portcullis
CG=/sys/fs/cgroup
ROUNDS=$1
shift
KINDS=" $* "

# shellcheck source=scenarios/tests/drive/say.sh
. /tmp/say.sh

policy() { # NAME; the file rules and the action on standard input
	cat <<-END
		---
		apiVersion: security.kubearmor.com/v1
		kind: KubeArmorPolicy
		metadata:
		  name: $1
		spec:
		  selector:
		    matchLabels:
		      app: $1
		  file:
		    matchDirectories:
	END
	cat
}
{
	policy race <<-END
		    - dir: /race/blocked/
		      recursive: true
		    - dir: /race/blocked2/
		      recursive: true
		  action: Block
	END
	policy owner <<-END
		    - dir: /race/owned/
		      recursive: true
		      ownerOnly: true
		  action: Block
	END
	policy listed <<-END
		    - dir: /race/listed/
		      recursive: true
		  action: Allow
	END
} >/tmp/race.yaml
is applies 0 "$(code $P apply --posture block /tmp/race.yaml)"
for name in race owner listed; do
	mkdir $CG/$name
	is "domain-$name" 0 "$(code $P domain add $name --labels app=$name --cgroup $CG/$name)"
	# A domain whose home is known: nothing is kept before.
	is "home-$name" 0 "$(code sh -c 'echo 0 >/sys/fs/cgroup/$1/cgroup.procs && exec /opt/gauntlet/busybox true' sh $name)"
done

rounds() { # KIND COUNT DOMAIN
	case $KINDS in "  " | *" $1 "*) ;; *) return ;; esac
	start=$(date +%s)
	did=$(/opt/gauntlet/attacks/rounds "$1" "$2" "$CG/$3" | sed 's/^{"ok": true.*"data": "\([0-9]*\)"}$/\1/')
	echo "# raced $1 $did $(($(date +%s) - start))"
	is "$1" "$2" "$did"
}
rounds dir "$ROUNDS" race
rounds ancestor "$ROUNDS" race
rounds mount "$ROUNDS" race
rounds file "$ROUNDS" race
rounds swap "$ROUNDS" race
rounds chroot "$ROUNDS" race
rounds reuse "$ROUNDS" race
rounds owner "$ROUNDS" owner
rounds unlink "$ROUNDS" listed
rounds link "$ROUNDS" race
# A child each, so a tenth.
rounds leave $(((ROUNDS + 9) / 10)) race
rounds birth $(((ROUNDS + 639) / 640 * 64)) race

# What is kept of descriptors is kept where there is the host's domain alone.
host() { # NAME; the file rules and the action on standard input
	cat <<-END
		---
		apiVersion: security.kubearmor.com/v1
		kind: KubeArmorHostPolicy
		metadata:
		  name: $1
		spec:
		  nodeSelector:
		    matchLabels:
		      kubearmor.io/hostname: "*"
		  file:
	END
	cat
}
owned() {
	host owned <<-END
		    matchDirectories:
		    - dir: /race/owned/
		      recursive: true
		      ownerOnly: true
		  action: Block
	END
}
owned >/tmp/race-host.yaml
{
	owned
	host ruled <<-END
		    matchPaths:
		    - path: /race/free/r
		  action: Block
	END
} >/tmp/race-blocks.yaml
for name in race owner listed; do
	is "no-domain-$name" 0 "$(code $P domain remove $name)"
done
is applies-to-the-host 0 "$(code $P apply /tmp/race-host.yaml)"
rounds use "$ROUNDS" ""
rounds refile "$ROUNDS" ""
# Killed when the second ruleset is live and the first not cleared yet, so that both are there and a
# store of eight bytes switches, as the engine's does.
is applies-blocks 0 "$(code $P apply /tmp/race-blocks.yaml)"
is is-killed 137 "$(code env PORTCULLIS_KILL_AT='bpf: programs are detached' $P apply /tmp/race-host.yaml)"
rounds ruleset "$ROUNDS" ""
echo done
