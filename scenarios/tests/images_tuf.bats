#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An image from a TUF repository that this file makes and signs, as Bottlerocket's is: from a pinned
# root over a new one to timestamp, snapshot, targets. Each link that is broken is refused.

bats_require_minimum_version 1.5.0
load drive/server.bash

setup_file() {
	export web=$BATS_FILE_TMPDIR/web keys=$BATS_FILE_TMPDIR/keys good=$BATS_FILE_TMPDIR/good
	mkdir "$web" "$keys" "$good"
	for key in one two three; do
		openssl genpkey -quiet -algorithm ed25519 -out "$keys/$key"
	done
	openssl genpkey -quiet -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out "$keys/rsa"
	openssl genpkey -quiet -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out "$keys/ec"
	qemu-img create -q -f raw "$BATS_FILE_TMPDIR/old" 64K
	seq 1 40000 >"$BATS_FILE_TMPDIR/new"
	truncate -s 1M "$BATS_FILE_TMPDIR/new"
	start_server "$web"
	make_repository
	cp "$web"/* "$good/"
}

teardown_file() { stop_server; }

setup() {
	gauntlet=$BATS_TEST_DIRNAME/../../build/gauntlet
	export GAUNTLET_IMAGES=$BATS_TEST_TMPDIR/manifests
	export PORTCULLIS_CACHE=$BATS_TEST_TMPDIR/cache
	mkdir -p "$GAUNTLET_IMAGES"
	rm -f "${web:?}"/*
	cp "$good"/* "$web/"
	manifest
}

manifest() { # manifest [SHA512]
	cat >"$GAUNTLET_IMAGES/test.yaml" <<-YAML
		id: test
		title: a small disk
		verified: never
		source:
		  files: {disk: 'disk-v([0-9.]+)[.]img'}
		  tuf:
		    root: http://127.0.0.1:$port/plain/root.json
		    root_sha512: ${1:-$(sha512sum <"$good/root.json" | cut -c 1-128)}
		    metadata: http://127.0.0.1:$port/plain
		    targets: http://127.0.0.1:$port/plain
		format: raw
		seed: {kind: nocloud-iso}
		target: {kernel: "6.1", lsm: [capability]}
	YAML
}

# canonical: JSON on standard input, as it is signed: a new line in a key is one there too.
canonical() { jq -cSj . | sed 's/\\n/\n/g'; }
hex() { od -An -v -tx1 | tr -d ' \n'; }

key_json() { # key_json NAME: the public half as TUF writes it
	case $1 in
	rsa | ec)
		jq -n --arg pem "$(openssl pkey -in "$keys/$1" -pubout)" --arg name "$1" '{
			keytype: (if $name == "rsa" then "rsa" else "ecdsa" end),
			scheme: (if $name == "rsa" then "rsassa-pss-sha256" else "ecdsa-sha2-nistp256" end),
			keyval: {public: $pem}}'
		;;
	*)
		jq -n --arg raw "$(openssl pkey -in "$keys/$1" -pubout -outform DER | tail -c 32 | hex)" \
			'{keytype: "ed25519", scheme: "ed25519", keyval: {public: $raw}}'
		;;
	esac
}
key_id() { key_json "$1" | canonical | sha256sum | cut -c 1-64; }

signature() { # signature KEY FILE: in hexadecimal
	case $1 in
	rsa)
		openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1 \
			-sign "$keys/rsa" "$2" | hex
		;;
	ec) openssl dgst -sha256 -sign "$keys/ec" "$2" | hex ;;
	*) openssl pkeyutl -sign -rawin -inkey "$keys/$1" -in "$2" | hex ;;
	esac
}

# sign NAME KEY...: standard input is what is signed; writes $web/NAME.
sign() {
	local name=$1 key list=()
	shift
	cat >"$BATS_FILE_TMPDIR/plain.json"
	canonical <"$BATS_FILE_TMPDIR/plain.json" >"$BATS_FILE_TMPDIR/signed"
	for key; do
		list+=("$(jq -n --arg id "$(key_id "$key")" \
			--arg sig "$(signature "$key" "$BATS_FILE_TMPDIR/signed")" '{keyid: $id, sig: $sig}')")
	done
	printf '%s\n' "${list[@]}" | jq -s --slurpfile signed "$BATS_FILE_TMPDIR/plain.json" \
		'{signatures: ., signed: $signed[0]}' >"$web/$name"
}

# root VERSION ROOT-KEYS...: who signs the root; the other roles have one key each.
root() {
	local version=$1 key ids all='{}'
	shift
	ids=$(for key; do key_id "$key"; done | jq -Rs 'split("\n")[:-1]')
	for key in "$@" rsa ec three; do
		all=$(jq --arg id "$(key_id "$key")" --argjson key "$(key_json "$key")" \
			'.[$id] = $key' <<<"$all")
	done
	jq -n --argjson version "$version" --argjson keys "$all" --argjson ids "$ids" \
		--arg rsa "$(key_id rsa)" --arg ec "$(key_id ec)" --arg three "$(key_id three)" \
		--arg expires "${expires:-2100-01-01T00:00:00Z}" '{
		_type: "root", spec_version: "1.0.0", version: $version, expires: $expires,
		consistent_snapshot: true, keys: $keys, roles: {
			root: {keyids: $ids, threshold: 2},
			timestamp: {keyids: [$rsa], threshold: 1},
			snapshot: {keyids: [$ec], threshold: 1},
			targets: {keyids: [$three], threshold: 1}}}'
}

# role NAME VERSION BODY: what timestamp, snapshot and targets have in common.
role() {
	jq -n --arg type "$1" --argjson version "$2" --argjson body "$3" \
		--arg expires "${expires:-2100-01-01T00:00:00Z}" \
		'{_type: $type, spec_version: "1.0.0", version: $version, expires: $expires} + $body'
}
timestamp() { role timestamp 9 "$(jq -n --argjson version "${1:-4}" '{meta: {"snapshot.json": {
	version: $version}}}')"; }
snapshot() { role snapshot 4 "$(jq -n --arg sum "$(sha256sum <"$web/7.targets.json" | cut -c 1-64)" \
	'{meta: {"targets.json": {version: 7, hashes: {sha256: $sum}}}}')"; }
targets() {
	local old new
	old=$(sha256sum <"$BATS_FILE_TMPDIR/old" | cut -c 1-64)
	new=$(sha256sum <"$BATS_FILE_TMPDIR/new" | cut -c 1-64)
	role targets 7 "$(jq -n --arg old "$old" --arg new "$new" '{targets: {
		"disk-v1.9.0.img": {length: 65536, hashes: {sha256: $old}},
		"disk-v1.10.0.img": {length: 1048576, hashes: {sha256: $new}},
		"disk-v1.11.0.img.lz4": {length: 1, hashes: {sha256: $old}}}}')"
	cp "$BATS_FILE_TMPDIR/old" "$web/$old.disk-v1.9.0.img"
	cp "$BATS_FILE_TMPDIR/new" "$web/$new.disk-v1.10.0.img"
}

# The root was once signed by one and two; two and three have taken over.
make_repository() {
	root 1 one two | sign root.json one two
	root 2 two three | sign 2.root.json one two three
	targets | sign 7.targets.json three
	snapshot | sign 4.snapshot.json ec
	timestamp | sign timestamp.json rsa
}

refuses() { # refuses PATTERN
	run --separate-stderr "$gauntlet" images fetch test
	# shellcheck disable=SC2154 # bats sets stderr
	if [ "$status" -ne 6 ] || ! [[ $stderr =~ $1 ]] || [ "$(wc -l <<<"$stderr")" -ne 1 ]; then
		echo "exit $status, expected 6; want /$1/ in one line: $stderr"
		return 1
	fi
	[ ! -e "$PORTCULLIS_CACHE/images/test" ]
}

@test "tuf: the newest version is found and fetched, by every kind of key" {
	run --separate-stderr "$gauntlet" images fetch test
	echo "$stderr"
	[ "$status" -eq 0 ]
	qemu-img compare -q -f qcow2 -F raw "$PORTCULLIS_CACHE/images/test/disk.qcow2" \
		"$BATS_FILE_TMPDIR/new"
	jq -e '.version == "1.10.0" and .proof == "tuf, root 2, targets 7"' \
		"$PORTCULLIS_CACHE/images/test/image.json"
}

@test "tuf: a root that is not the pinned one" {
	manifest "$(sha512sum <"$BATS_FILE_TMPDIR/new" | cut -c 1-128)"
	refuses 'root.json is not the root that the manifest trusts'
}

@test "tuf: too few signatures, also where one key signs twice" {
	root 2 two three | sign 2.root.json two three
	refuses '2.root.json has 1 valid signatures of keys for root, and needs 2'
	root 2 two three | sign 2.root.json one one three
	refuses '2.root.json has 1 valid signatures'
}

@test "tuf: a new root that its own keys have not signed" {
	root 2 two three | sign 2.root.json one two
	refuses '2.root.json has 1 valid signatures'
}

@test "tuf: a root of another version" {
	root 5 two three | sign 2.root.json one two three
	refuses '2.root.json is of version 5'
}

@test "tuf: a timestamp by a key of another role, or changed after it was signed" {
	timestamp | sign timestamp.json ec
	refuses 'timestamp.json has 0 valid signatures of keys for timestamp'
	timestamp | sign timestamp.json rsa
	sed -i 's/2100/2200/' "$web/timestamp.json"
	refuses 'timestamp.json has 0 valid signatures'
}

@test "tuf: what has expired" {
	expires=2020-01-01T00:00:00Z
	timestamp | sign timestamp.json rsa
	refuses 'timestamp.json expired at 2020-01-01T00:00:00Z'
	expires=2020-01-01T00:00:00Z
	root 2 two three | sign 2.root.json one two three
	refuses '2.root.json expired'
}

@test "tuf: an old snapshot in the place of the new, and targets of another checksum" {
	timestamp 5 | sign timestamp.json rsa
	cp "$web/4.snapshot.json" "$web/5.snapshot.json"
	refuses '5.snapshot.json is of version 4, expected 5'
	cp "$good"/* "$web/"
	jq . "$web/7.targets.json" >"$BATS_TEST_TMPDIR/laid-out-anew"
	jq -c . "$BATS_TEST_TMPDIR/laid-out-anew" >"$web/7.targets.json"
	refuses '7.targets.json has another checksum than the one signed'
}

@test "tuf: metadata of one role in the place of another" {
	cp "$web/timestamp.json" "$web/4.snapshot.json"
	refuses '4.snapshot.json is of type "timestamp" and not snapshot'
}

@test "tuf: a disk that is not the one signed" {
	for file in "$web"/*.disk-v1.10.0.img; do printf x >>"$file"; done
	run --separate-stderr "$gauntlet" images fetch test
	[ "$status" -eq 6 ]
	[[ $stderr == *"is not what was published"* ]]
	[ ! -e "$PORTCULLIS_CACHE/images/test" ]
}
