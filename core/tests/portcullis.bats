#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The command line of portcullis without root and without a VM: what it reads, what it answers, and
# its exit codes. What the kernel then does is tested in the VMs.

setup() {
	root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	portcullis=$root/build/portcullis
	tmp=$BATS_TEST_TMPDIR
	[ -x "$portcullis" ] || {
		echo "no $portcullis; run make build" >&2
		return 1
	}
	cat >"$tmp/secret.yaml" <<-'YAML'
		apiVersion: security.kubearmor.com/v1
		kind: KubeArmorHostPolicy
		metadata:
		  name: keep-secret
		spec:
		  nodeSelector:
		    matchLabels:
		      kubearmor.io/hostname: "*"
		  severity: 7
		  file:
		    matchPaths:
		    - path: /etc/secret
		    matchDirectories:
		    - dir: /srv/data/
		      recursive: true
		      readOnly: true
		  action: Block
	YAML
}

teardown() {
	[ -z "${open:-}" ] || rm -rf "$open"
}

# Bats prints $output of a failed assertion only when told to.
fails_with() { # fails_with CODE TEXT: the last run ended with CODE and said TEXT in one line
	[ "$status" -eq "$1" ] || {
		echo "want exit $1, got $status: $output"
		return 1
	}
	[[ $output == *"$2"* ]] || {
		echo "want \"$2\", got: $output"
		return 1
	}
	[ "${#lines[@]}" -eq 1 ] || {
		echo "want one line, got: $output"
		return 1
	}
}
# variant SED-EXPRESSION: the good policy with one mistake in it, in $tmp/bad.yaml
variant() { sed "$1" "$tmp/secret.yaml" >"$tmp/bad.yaml"; }

@test "help names every verb and the exit codes" {
	run "$portcullis" --help
	[ "$status" -eq 0 ]
	for verb in probe check compile explain diff apply status remove events domain; do
		[[ $output == *"  $verb "* ]] || {
			echo "verb $verb is missing: $output"
			return 1
		}
		run "$portcullis" "$verb" --help
		[ "$status" -eq 0 ]
		[[ $output == usage:* ]]
		run "$portcullis" --help
	done
	[[ $output == *"Exit codes"* ]]
}

@test "version is one line" {
	run "$portcullis" --version
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == portcullis\ * ]]
}

@test "a wrong verb is answered with the nearest one" {
	run "$portcullis" aply
	fails_with 2 '"apply"'
}

@test "a wrong option is answered with the nearest one" {
	run "$portcullis" check --jsn "$tmp/secret.yaml"
	fails_with 2 '--json'
}

@test "no verb at all is a usage error" {
	run "$portcullis"
	[ "$status" -eq 2 ]
}

@test "check accepts a good policy and counts its rules" {
	run "$portcullis" check "$tmp/secret.yaml"
	[ "$status" -eq 0 ]
	[[ $output == *keep-secret*"2 rules"* ]]
	run "$portcullis" check --json "$tmp/secret.yaml"
	[ "$status" -eq 0 ]
	[ "$(jq -r '.policies[0].name' <<<"$output")" = keep-secret ]
}

@test "check reads standard input" {
	run bash -c "'$portcullis' check - <'$tmp/secret.yaml'"
	[ "$status" -eq 0 ]
}

@test "check points at an unknown field and offers the nearest" {
	variant 's/matchPaths:/matchPath:/'
	run "$portcullis" check "$tmp/bad.yaml"
	fails_with 2 "$tmp/bad.yaml:11:"
	[[ $output == *matchPaths* ]]
}

@test "check takes the whole language" {
	cat >>"$tmp/secret.yaml" <<-'YAML'
		  network:
		    matchProtocols:
		    - protocol: tcp,udp
		  capabilities:
		    matchCapabilities:
		    - capability: net_raw
		  process:
		    matchPatterns:
		    - pattern: /opt/**
	YAML
	run "$portcullis" check "$tmp/secret.yaml"
	[ "$status" -eq 0 ]
	[[ $output == *"6 rules"* ]]
}

@test "check finds several mistakes in one go, each with its place" {
	variant 's/Block/Blok/; s/severity: 7/severity: 77/; s/readOnly/readOnyl/'
	run "$portcullis" check "$tmp/bad.yaml"
	[ "$status" -eq 2 ]
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[0]} == *"$tmp/bad.yaml:9:"*77* ]]
	[[ ${lines[1]} == *"$tmp/bad.yaml:16:"*'"readOnly"?' ]]
	[[ ${lines[2]} == *"$tmp/bad.yaml:17:"*'"Block"?' ]]
	run "$portcullis" check --json "$tmp/bad.yaml"
	[ "$status" -eq 2 ]
	[ "$(jq -c '[.errors[] | .line, .text]' <<<"$output")" = '[9,"77",16,"readOnyl",17,"Blok"]' ]
}

@test "check --format github annotates lines" {
	variant 's/Block/Blok/'
	run "$portcullis" check --format github "$tmp/bad.yaml"
	[ "$status" -eq 2 ]
	[[ $output == "::error file=$tmp/bad.yaml,line=17,col=11,title="*Blok* ]]
	run "$portcullis" check --format githup "$tmp/bad.yaml"
	fails_with 2 '"github"'
}

@test "check warns where KubeArmor decides otherwise, and of merged-/usr" {
	variant 's,/etc/secret,/bin/sh,'
	run "$portcullis" check --json "$tmp/bad.yaml"
	[ "$status" -eq 0 ]
	jq -e '.warnings | length > 0' <<<"$output"
	jq -e '[.warnings[] | select(.line == 12)] | length > 0' <<<"$output"
	run "$portcullis" check --json --no-lint "$tmp/bad.yaml"
	jq -e '.warnings | length == 0' <<<"$output"
}

@test "check points at a wrong action" {
	variant 's/Block/Blok/'
	run "$portcullis" check "$tmp/bad.yaml"
	fails_with 2 "$tmp/bad.yaml:17:"
	[[ $output == *Block* ]]
}

@test "check points at a severity out of range" {
	variant 's/severity: 7/severity: 11/'
	run "$portcullis" check "$tmp/bad.yaml"
	fails_with 2 "$tmp/bad.yaml:9:"
}

@test "check points at a relative path" {
	variant 's,/etc/secret,etc/secret,'
	run "$portcullis" check "$tmp/bad.yaml"
	fails_with 2 "$tmp/bad.yaml:12:"
}

@test "check explains broken YAML with its place" {
	printf 'kind: [KubeArmorHostPolicy\nmetadata: {\n' >"$tmp/bad.yaml"
	run "$portcullis" check "$tmp/bad.yaml"
	fails_with 2 "$tmp/bad.yaml:"
}

@test "check explains a duplicate key" {
	variant 's/^  severity: 7/  severity: 7\n  severity: 8/'
	run "$portcullis" check "$tmp/bad.yaml"
	fails_with 2 "$tmp/bad.yaml:10:"
}

@test "check explains a file that is not there" {
	run "$portcullis" check "$tmp/absent.yaml"
	fails_with 2 "$tmp/absent.yaml"
}

@test "check survives a file of zeros, a directory loop and a huge line" {
	head -c 4096 /dev/zero >"$tmp/zeros.yaml"
	run "$portcullis" check "$tmp/zeros.yaml"
	[ "$status" -eq 2 ]
	{ printf 'kind: '; head -c 2000000 /dev/zero | tr '\0' a; } >"$tmp/long.yaml"
	run "$portcullis" check "$tmp/long.yaml"
	[ "$status" -le 2 ]
	mkdir "$tmp/dir" && ln -s . "$tmp/dir/loop"
	cp "$tmp/secret.yaml" "$tmp/dir/"
	run "$portcullis" check "$tmp/dir"
	[ "$status" -le 2 ]
}

@test "one bad file among good ones refuses the set" {
	variant 's/Block/Blok/'
	run "$portcullis" check "$tmp/secret.yaml" "$tmp/bad.yaml"
	[ "$status" -eq 2 ]
	[[ $output == *"$tmp/bad.yaml:17:"* ]]
}

@test "compile shows the profile, with each line's rule and its place" {
	run "$portcullis" compile --to apparmor "$tmp/secret.yaml"
	[ "$status" -eq 0 ]
	[[ $output == *'profile "portcullis-host" "/{,**}" '* ]]
	[[ $output == *'audit deny "/etc/secret{,/}" rkmwl, # keep-secret#file.matchPaths[0] '*secret.yaml:12* ]]
	[[ $output == *"# "*"secret.yaml:12: keep-secret#file.matchPaths[0] is looser: "* ]]
}

@test "compile --json has the profiles, and each rule's status" {
	run "$portcullis" compile --to apparmor "$tmp/secret.yaml" --json
	[ "$status" -eq 0 ]
	[ "$(jq -r '.profiles[].name' <<<"$output")" = portcullis-host ]
	[ "$(jq -r '.rules[].status' <<<"$output" | sort -u)" = looser ]
}

@test "compile --to bpf shows the same policy's plan" {
	run "$portcullis" compile --to bpf "$tmp/secret.yaml"
	[ "$status" -eq 0 ]
	[[ $output == *'refuse(keep-secret#file.matchPaths[0])'* ]]
}

@test "compile --to selinux shows types, constraints and labels, each with its rule" {
	printf '%s\n' '/etc d system_u:object_r:etc_t:s0' '/etc/secret f system_u:object_r:etc_t:s0' \
		'/etc/other f system_u:object_r:etc_t:s0' >"$tmp/view"
	run "$portcullis" compile --to selinux "$tmp/secret.yaml" --view "$tmp/view"
	[ "$status" -eq 0 ]
	[[ $output == *"label /etc/secret system_u:object_r:etc_t:s0 -> system_u:object_r:portcullis_rw_etc_t:s0 # keep-secret#file.matchPaths[0] $tmp/secret.yaml:12"* ]]
	[[ $output == *"type portcullis_rw_etc_t as etc_t # keep-secret#file.matchPaths[0] "* ]]
	[[ $output == *"refuse file { read } of { portcullis_rw_etc_t }"* ]]
	[[ $output != *"label /etc/other"* ]]
	[[ $output == *"# "*"secret.yaml:12: keep-secret#file.matchPaths[0] is looser: "* ]]
}

@test "compile --to selinux without a view shows files as the rules name them" {
	run "$portcullis" compile --to selinux "$tmp/secret.yaml" --json
	[ "$status" -eq 0 ]
	[[ $(jq -r .plan <<<"$output") == "files path /etc/secret refuse read write # keep-secret#file.matchPaths[0] $tmp/secret.yaml:12
files dir-recursive /srv/data allow read refuse write # "* ]]
	[ "$(jq -r '.rules[].status' <<<"$output" | sort -u)" = looser ]
}

@test "compile --view takes a view that can be read, and for SELinux alone" {
	run "$portcullis" compile --to selinux "$tmp/secret.yaml" --view "$tmp/none"
	[ "$status" -eq 2 ]
	echo '/etc/secret file' >"$tmp/view"
	run "$portcullis" compile --to selinux "$tmp/secret.yaml" --view "$tmp/view"
	[ "$status" -eq 2 ]
	[[ $output == *"$tmp/view:1: a file is PATH KIND CONTEXT"* ]]
	run "$portcullis" compile --to bpf "$tmp/secret.yaml" --view "$tmp/view"
	[ "$status" -eq 2 ]
	[[ $output == *"--view is for --to selinux"* ]]
}

@test "compile gives each selector's container a profile of its own name" {
	for app in a b b; do
		printf '%s\n' 'apiVersion: security.kubearmor.com/v1' 'kind: KubeArmorPolicy' \
			"metadata: {name: p$((++n))}" "spec: {selector: {matchLabels: {app: $app}}," \
			'  process: {matchPaths: [{path: /x}]}}' ---
	done >"$tmp/boxes.yaml"
	run "$portcullis" compile --to apparmor "$tmp/boxes.yaml" --json
	[ "$status" -eq 0 ]
	[ "$(jq -r '.profiles[].name' <<<"$output")" = $'portcullis-container\nportcullis-container-2' ]
}

@test "compile names a rule that the backend does not support" {
	sed 's/^  file:/  syscalls: {matchSyscalls: [{syscall: [unlink]}]}\n&/' "$tmp/secret.yaml" >"$tmp/call.yaml"
	run "$portcullis" compile --to apparmor "$tmp/call.yaml"
	[ "$status" -eq 3 ]
	[[ $output == *"call.yaml:10:30: rule keep-secret#syscalls.matchSyscalls[0] "*"does not see system calls"* ]]
}

@test "compile asks for what to compile to" {
	run "$portcullis" compile "$tmp/secret.yaml"
	[ "$status" -eq 2 ]
	run "$portcullis" compile --to apparmour "$tmp/secret.yaml"
	[ "$status" -eq 2 ]
}

@test "explain refuses the file, names the rule and its place" {
	run "$portcullis" explain "$tmp/secret.yaml" --op read --object /etc/secret
	[ "$status" -eq 1 ]
	[[ $output == *"keep-secret#file.matchPaths[0]"* ]]
	[[ $output == *"$tmp/secret.yaml:12"* ]]
}

@test "explain permits the neighbour" {
	run "$portcullis" explain "$tmp/secret.yaml" --op read --object /etc/secretary
	[ "$status" -eq 0 ]
}

@test "explain: read-only permits reading and refuses writing, at any depth" {
	run "$portcullis" explain "$tmp/secret.yaml" --op read --object /srv/data/a/b/c
	[ "$status" -eq 0 ]
	run "$portcullis" explain "$tmp/secret.yaml" --op write --object /srv/data/a/b/c
	[ "$status" -eq 1 ]
	run "$portcullis" explain "$tmp/secret.yaml" --op write --object /srv/database
	[ "$status" -eq 0 ]
}

@test "explain --json has the verdict, the errno and the rule" {
	run "$portcullis" explain "$tmp/secret.yaml" --op read --object /etc/secret --json
	[ "$status" -eq 1 ]
	[ "$(jq -r '.verdict' <<<"$output")" = refused ]
	[ "$(jq -r '.rule' <<<"$output")" = 'keep-secret#file.matchPaths[0]' ]
}

@test "explain: a host policy says nothing of a container" {
	run "$portcullis" explain "$tmp/secret.yaml" --op read --object /etc/secret \
		--labels app=web --namespace shop
	[ "$status" -eq 0 ]
}

@test "explain answers a question in words" {
	run "$portcullis" explain --policy "$tmp/secret.yaml" --domain host \
		'file read /etc/secret by /bin/cat uid 0'
	[ "$status" -eq 1 ]
	[[ ${lines[0]} == "refused: file read /etc/secret by /bin/cat uid 0 in domain host (EACCES)" ]]
	[[ $output == *"keep-secret#file.matchPaths[0]"*"$tmp/secret.yaml:12"* ]]
	run "$portcullis" explain --policy "$tmp/secret.yaml" file unlink /srv/data/x
	[ "$status" -eq 1 ]
	run "$portcullis" explain --policy "$tmp/secret.yaml" exec /etc/secret
	[ "$status" -eq 0 ]
}

@test "explain says why the other rules that match do not decide" {
	cat >>"$tmp/secret.yaml" <<-'YAML'
		  process:
		    matchPaths:
		    - path: /usr/bin/apt
		      action: Allow
		    matchDirectories:
		    - dir: /usr/bin/
		    - dir: /usr/
		      recursive: true
		      fromSource: [{path: /bin/bash}]
		    - dir: /
		      recursive: true
		      fromSource: [{path: /bin/zsh}]
	YAML
	run "$portcullis" explain --policy "$tmp/secret.yaml" 'exec /usr/bin/apt by /bin/bash uid 0'
	[ "$status" -eq 1 ]
	[[ $output == *"matchDirectories[0] (dir /usr/bin, Block): decides"* ]]
	[[ $output == *"matchPaths[0] (path /usr/bin/apt, Allow): loses, for a Block beats every Allow"* ]]
	[[ $output == *"matchDirectories[1]"*"refuses too; the one named is more specific"* ]]
	[[ $output == *"matchDirectories[2]"*"the source is not in its fromSource"* ]]
	run "$portcullis" explain --policy "$tmp/secret.yaml" --json 'exec /usr/bin/apt by /bin/bash'
	[ "$(jq -c '[.steps[] | select(.decides) | .line]' <<<"$output")" = '[23]' ]
	jq -e 'all(.steps[]; .why | length > 0)' <<<"$output"
}

@test "explain: capabilities fail with EPERM, and a posture may be of one class" {
	cat >>"$tmp/secret.yaml" <<-'YAML'
		  capabilities:
		    matchCapabilities:
		    - capability: net_raw
		  network:
		    matchProtocols:
		    - protocol: tcp
		      action: Allow
	YAML
	run "$portcullis" explain --policy "$tmp/secret.yaml" --json capability net_raw
	[ "$status" -eq 1 ]
	[ "$(jq -r .errno <<<"$output")" = EPERM ]
	run "$portcullis" explain --policy "$tmp/secret.yaml" connect udp
	[ "$status" -eq 0 ]
	run "$portcullis" explain --policy "$tmp/secret.yaml" --posture network=block connect udp
	[ "$status" -eq 1 ]
	[[ $output == *DefaultPosture* ]]
	run "$portcullis" explain --policy "$tmp/secret.yaml" --posture netwrk=block connect udp
	fails_with 2 network=
}

@test "explain points at a wrong word of the question" {
	run "$portcullis" explain --policy "$tmp/secret.yaml" 'exce /bin/sh'
	fails_with 2 '"exec"'
	run "$portcullis" explain --policy "$tmp/secret.yaml"
	fails_with 2 'operation'
}

@test "explain: --domain takes labels" {
	sed 's/HostPolicy/Policy/; s/nodeSelector/selector/; s/kubearmor.io.*/app: web/' \
		"$tmp/secret.yaml" >"$tmp/pod.yaml"
	run "$portcullis" explain --policy "$tmp/pod.yaml" --domain app=web file read /etc/secret
	[ "$status" -eq 1 ]
	run "$portcullis" explain --policy "$tmp/pod.yaml" --domain app=db file read /etc/secret
	[ "$status" -eq 0 ]
}

@test "diff says by example what is refused and allowed anew" {
	sed 's,/etc/secret,/etc/other,' "$tmp/secret.yaml" >"$tmp/new.yaml"
	run "$portcullis" diff "$tmp/secret.yaml" "$tmp/new.yaml"
	[ "$status" -eq 1 ]
	[[ $output == *"newly refused:"*"file read /etc/other, in host"*"newly allowed:"*"file read /etc/secret"* ]]
	run "$portcullis" diff --json "$tmp/secret.yaml" "$tmp/new.yaml"
	[ "$(jq -r '.changes[0].change + " " + .changes[0].operation' <<<"$output")" = \
		"refused file read /etc/other" ]
	run "$portcullis" diff "$tmp/secret.yaml" "$tmp/secret.yaml"
	[ "$status" -eq 0 ]
	run "$portcullis" diff "$tmp/secret.yaml"
	fails_with 2 NEW
}

@test "explain without an operation is a usage error" {
	run "$portcullis" explain "$tmp/secret.yaml" --object /etc/secret
	fails_with 2 --op
}

@test "probe answers as any user, and in JSON" {
	run "$portcullis" probe --json
	[ "$status" -eq 0 ] || [ "$status" -eq 3 ]
	jq -e 'type == "object"' <<<"$output" >/dev/null
}

@test "probe --policy tells of each rule what each backend does, and which is taken" {
	run "$portcullis" probe --policy "$tmp/secret.yaml" --json
	chosen=$(jq -r '.chosen' <<<"$output")
	[ "$(jq '.rules | length' <<<"$output")" -eq 2 ]
	[ "$(jq -r '.rules[0].statuses[].backend' <<<"$output")" = "$(jq -r '.backends[].backend' <<<"$output")" ]
	[ "$(jq -r '.rules[] | select(.rule == "keep-secret#file.matchPaths[0]") | .statuses[] | select(.backend == "apparmor").status' <<<"$output")" = looser ]
	# As an ordinary user nothing can be used, as root perhaps something.
	if [ "$chosen" = null ]; then
		[ "$status" -eq 3 ]
		[ "$(jq '.taken' <<<"$output")" = false ]
		[[ $(jq -r .why <<<"$output") == "none can be used here" ]]
	else
		[ "$(jq -r --arg c "$chosen" '.backends[] | select(.backend == $c).usable' <<<"$output")" = true ]
	fi
	run "$portcullis" probe --policy "$tmp/secret.yaml"
	[[ $output == *"secret.yaml:12: keep-secret#file.matchPaths[0]"* ]]
	[[ $output == *"apparmor: looser: judges a file by the name "* ]]
}

@test "probe --policy tells of each class what each backend does of it" {
	run "$portcullis" probe --policy "$tmp/secret.yaml" --json
	[ "$(jq -c '[.classes[].class]' <<<"$output")" = "$(jq -c '[.rules[].class] | unique' <<<"$output")" ]
	# A class's rules, by whichever backend, are all of that class.
	jq -e '. as $all | all(.classes[]; .class as $c | all(.backends[];
		.exact + .stricter + .looser + .unsupported == ([$all.rules[] | select(.class == $c)] | length)))' <<<"$output"
	[ "$(jq '.classes[] | select(.class == "file").backends[] | select(.backend == "apparmor").looser' <<<"$output")" -ge 1 ]
	run "$portcullis" probe --policy "$tmp/secret.yaml"
	[[ $output == *$'\n'"class file"$'\n'* ]]
	[[ $output =~ "  apparmor: 0 exact, 0 stricter, "[1-9]" looser, 0 unsupported" ]]
}

@test "probe --policy reads the policies first" {
	variant 's/Block/Blok/'
	run "$portcullis" probe --policy "$tmp/bad.yaml"
	fails_with 2 "$tmp/bad.yaml:17:"
	run "$portcullis" probe --policy "$tmp/secret.yaml" --matrix
	fails_with 2 "one of --matrix and --policy"
}

@test "apply refuses a bad policy before it touches the kernel" {
	variant 's/Block/Blok/'
	run "$portcullis" apply "$tmp/bad.yaml"
	fails_with 2 "$tmp/bad.yaml:17:"
}

# beyond SPEC PLACE RULE REASON: apply with the two lines of SPEC more is refused.
beyond() {
	# Audit, for of other actions of system calls there is a notice.
	sed 's/Block/Audit/' "$tmp/secret.yaml" >"$tmp/beyond.yaml"
	printf '  %s:\n    %s\n' "${1%%: *}" "${1#*: }" >>"$tmp/beyond.yaml"
	run "$portcullis" apply --backend bpf_lsm "$tmp/beyond.yaml"
	fails_with 3 "$tmp/beyond.yaml:$2: rule keep-secret#$3 cannot be enforced"
	[[ $output == *"backend bpf_lsm does not $4;"* ]]
}

@test "apply refuses by name, place and reason what the backend does not enforce" {
	[ "$(id -u)" -eq 0 ] || skip "started by an ordinary user: apply needs root"
	beyond 'network: matchDNSQueries: [{domain: a.b, fromSource: [{path: /s}]}]' 19:23 \
		'network.matchDNSQueries[0]' 'see which program sends a query, which fromSource asks for'
	beyond 'syscalls: matchPaths: [{syscall: [unlink], path: /a}]' 19:18 'syscalls.matchPaths[0]' \
		'see on which path a system call acts'
	beyond 'device: matchDevice: [{class: HID}]' 19:19 'device.matchDevice[0]' \
		'see devices being plugged in'
	# A set is refused as a whole, whichever file the rule is in.
	run "$portcullis" apply "$tmp/secret.yaml" "$tmp/beyond.yaml"
	fails_with 2 "keep-secret"
	sed -i 's/keep-secret/other/' "$tmp/beyond.yaml"
	run "$portcullis" apply "$tmp/secret.yaml" "$tmp/beyond.yaml"
	fails_with 3 "$tmp/beyond.yaml:19:19: rule other#device.matchDevice[0]"
}

@test "apply refuses what would be enforced looser, and says how to have it" {
	[ "$(id -u)" -eq 0 ] || skip "started by an ordinary user: apply needs root"
	sed '/^  file:/,$d' "$tmp/secret.yaml" >"$tmp/looser.yaml"
	echo '  capabilities: {matchCapabilities: [{capability: sys_nice}, {capability: sys_admin}]}' \
		>>"$tmp/looser.yaml"
	run "$portcullis" apply --backend bpf_lsm "$tmp/looser.yaml"
	fails_with 3 "$tmp/looser.yaml:10:62: rule keep-secret#capabilities.matchCapabilities[1] would"
	[[ $output == *"would be enforced looser than it says: backend bpf_lsm misses "*"--best-effort" ]]
	# The worst is told first.
	echo '  device: {matchDevice: [{class: HID}]}' >>"$tmp/looser.yaml"
	run "$portcullis" apply --backend bpf_lsm --exact "$tmp/looser.yaml"
	fails_with 3 "$tmp/looser.yaml:11:26: rule keep-secret#device.matchDevice[0] cannot be enforced (and"
}

@test "apply takes one of --best-effort and --exact" {
	run "$portcullis" apply --best-effort --exact "$tmp/secret.yaml"
	fails_with 2 "one of --best-effort and --exact"
}

# apart COMMAND: in a mount namespace where /run holds nothing and what is written is thrown away
apart() { unshare -m sh -c "mount -t tmpfs tmpfs /run && $1"; }

@test "what enforces nothing takes all, and every rule says so" {
	[ "$(id -u)" -eq 0 ] || skip "started by an ordinary user: apply needs root"
	apart true 2>"$tmp/why" || skip "no mount namespace: $(cat "$tmp/why")"
	run apart "$portcullis apply --backend none $tmp/secret.yaml"
	[ "$status" -eq 0 ]
	[[ $output == *"  exact: 0 rules"* ]]
	[[ $output == *"  unsupported: 2 rules; none enforces nothing"* ]]
	[[ $output == *"    keep-secret#file.matchPaths[0] ($tmp/secret.yaml:12)"* ]]
	run apart "$portcullis apply --backend none --json $tmp/secret.yaml"
	jq -e '.rules | length == 2 and all(.status == "unsupported" and .reason == "enforces nothing")' \
		<<<"$output"
	# Kept with what is applied.
	run apart "$portcullis apply --backend none $tmp/secret.yaml >/dev/null && $portcullis status --json"
	jq -e '.rules | map(.status) == ["unsupported", "unsupported"]' <<<"$output"
	jq -e '.rules[0].line == 12' <<<"$output"
	run apart "$portcullis apply --backend none $tmp/secret.yaml >/dev/null && $portcullis status"
	[[ $output == *"file.matchPaths[0]  (unsupported)"* ]]
}

@test "the table of statuses has a reason for each gap, and the page is made of it" {
	run "$portcullis" probe --matrix --json
	[ "$status" -eq 0 ]
	jq -e '[.rows[].statuses[] | select((.status == "exact") != (.reason == null))] == []' <<<"$output"
	jq -e '[.rows[].statuses[].kernel] | unique == ["any", "full", "old", "oldest", "plain"]' <<<"$output"
	jq -e '.rows[] | select(.rule == "file by path") | .statuses | map(.status) ==
		["exact", "exact", "stricter", "looser", "looser", "looser"]' <<<"$output"
	"$root/scripts/statuses" --check
}

@test "apply without a policy is a usage error" {
	run "$portcullis" apply
	fails_with 2 policy
}

@test "apply offers the nearest backend" {
	[ "$(id -u)" -eq 0 ] || skip "started by an ordinary user, who is told of root first"
	run "$portcullis" apply --backend bpf_lms "$tmp/secret.yaml"
	fails_with 2 bpf_lsm
}

@test "apply and remove say in one line that they need root" {
	as_user=()
	[ "$(id -u)" -ne 0 ] || as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	# Not below $tmp, which bats closes to other users.
	open=$(mktemp -d) && chmod 0755 "$open"
	cp "$portcullis" "$tmp/secret.yaml" "$open/"
	cd "$open"
	run "${as_user[@]}" ./portcullis apply secret.yaml
	fails_with 1 root
	run "${as_user[@]}" ./portcullis remove
	fails_with 1 root
}

@test "the corpus: no crash, and every refusal has file, line and column" {
	corpus=${PORTCULLIS_CORPUS:-$root/../shared/corpus}
	[ -d "$corpus" ] || skip "no corpus: set PORTCULLIS_CORPUS"
	count=0
	while IFS= read -r file; do
		count=$((count + 1))
		run "$portcullis" check "$file"
		[ "$status" -eq 0 ] || [ "$status" -eq 2 ] || {
			echo "$file: exit $status: $output"
			return 1
		}
		if [ "$status" -eq 2 ]; then
			[[ ${lines[-1]} =~ :[0-9]+:[0-9]+:\  ]] || {
				echo "no place in: ${lines[-1]}"
				return 1
			}
		fi
	done < <(find "$corpus" -name '*.yaml' -o -name '*.yml')
	[ "$count" -gt 0 ]
}

@test "domain add --from: a bad line is named, and all stands in the file" {
	printf 'web a app=web more\n' >"$tmp/domains"
	run "$portcullis" domain add --from "$tmp/domains"
	[ "$status" -eq 2 ]
	[[ $output == "portcullis: $tmp/domains:1: a line is NAME CGROUP [K=V,...]" ]]
	printf '\na! b\n' >"$tmp/domains"
	run "$portcullis" domain add --from "$tmp/domains"
	[ "$status" -eq 2 ]
	[[ $output == "portcullis: $tmp/domains:2: domain name \"a!\" must be "* ]]
	run "$portcullis" domain add web --from "$tmp/domains"
	[ "$status" -eq 2 ]
	[[ $output == *"all stands in the file" ]]
}
