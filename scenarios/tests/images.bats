#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Real images without a real image: fetched from a server on loopback, checked, converted, kept. Each
# way to be wrong is refused with one line, and nothing is kept. No VM is started here.

bats_require_minimum_version 1.5.0
load drive/server.bash

setup_file() {
	export GNUPGHOME=$BATS_FILE_TMPDIR/gnupg
	export web=$BATS_FILE_TMPDIR/web
	mkdir -m 0700 "$GNUPGHOME"
	mkdir "$web"
	make_keys
	make_files
	start_server "$web"
}

teardown_file() {
	stop_server
	gpgconf --kill gpg-agent
}

setup() {
	gauntlet=$BATS_TEST_DIRNAME/../../build/gauntlet
	export GAUNTLET_IMAGES=$BATS_TEST_TMPDIR/manifests
	export PORTCULLIS_CACHE=$BATS_TEST_TMPDIR/cache
	mkdir -p "$GAUNTLET_IMAGES"
	: >"$BATS_FILE_TMPDIR/log"
	print=$(cat "$BATS_FILE_TMPDIR/print")
}

make_key() { # make_key NAME: prints its fingerprint
	gpg --batch --quiet --pinentry-mode loopback --passphrase '' \
		--quick-generate-key "$1 <nobody@localhost>" ed25519 sign 1d 2>/dev/null
	gpg --batch --with-colons --list-keys "$1" | awk -F: '$1 == "fpr" { print $10; exit }'
}

make_keys() {
	make_key maker >"$BATS_FILE_TMPDIR/print"
	make_key stranger >"$BATS_FILE_TMPDIR/stranger"
	gpg --batch --export maker >"$web/key.gpg"
	gpg --batch --armor --export maker >"$web/key.asc"
	gpg --batch --export stranger >"$web/stranger.gpg"
}

# A disk of 1 MiB with something on it, in every form.
make_files() {
	local raw=$BATS_FILE_TMPDIR/disk.raw
	seq 1 40000 >"$raw"
	truncate -s 1M "$raw"
	qemu-img convert -f raw -O qcow2 "$raw" "$web/disk.qcow2"
	qemu-img convert -f raw -O vmdk "$raw" "$BATS_FILE_TMPDIR/inside.vmdk"
	cp "$raw" "$web/disk.raw"
	lz4 -q "$raw" "$web/disk.raw.lz4"
	xz -k -c "$raw" >"$web/disk.raw.xz"
	tar -C "$BATS_FILE_TMPDIR" -cf "$web/disk.ova" inside.vmdk
	seq 1 5000 >"$web/vmlinuz"
	seq 1 3000 >"$web/initrd"
	qemu-img create -q -f qcow2 -b "$raw" -F raw "$web/leaning.qcow2"
	(cd "$web" && sha256sum disk.* vmlinuz initrd leaning.qcow2 >SHA256SUMS)
	gpg --batch --yes --local-user maker --detach-sign -o "$web/SHA256SUMS.gpg" "$web/SHA256SUMS"
	gpg --batch --yes --local-user stranger --detach-sign -o "$web/by-stranger.gpg" \
		"$web/SHA256SUMS"
}

# manifest SOURCE [FORMAT]: the image "test"; SOURCE is YAML in braces.
manifest() {
	cat >"$GAUNTLET_IMAGES/test.yaml" <<-YAML
		id: test
		title: a small disk
		verified: never
		source: $1
		format: ${2:-qcow2}
		boot: {direct: ${direct:-false}}
		seed: {kind: nocloud-iso}
		target: {kernel: "6.1", lsm: [capability]}
	YAML
}
# signed [HOW [FORMAT [SIGNATURE [KEY [FINGERPRINT]]]]]
signed() {
	manifest "{files: {disk: 'http://127.0.0.1:$port/${1:-plain}/disk.${2:-qcow2}'},
		sums: SHA256SUMS, signature: ${3:-SHA256SUMS.gpg},
		key: {fingerprint: ${5:-$print}, from: 'http://127.0.0.1:$port/plain/${4:-key.gpg}'}}" \
		"${2:-qcow2}"
}
# refuses CODE PATTERN: fetching ends so, with one line of complaint, and nothing is kept.
refuses() {
	run --separate-stderr "$gauntlet" images fetch test
	# shellcheck disable=SC2154 # bats sets stderr
	complaint=$(grep -v '^gauntlet: \(fetching\|converting\)' <<<"$stderr")
	if [ "$status" -ne "$1" ] || ! [[ $complaint =~ $2 ]] ||
		[ "$(wc -l <<<"$complaint")" -ne 1 ]; then
		echo "exit $status, expected $1; want /$2/ in one line: $complaint"
		return 1
	fi
	not_at_hand
}
not_at_hand() {
	[ ! -e "$PORTCULLIS_CACHE/images/test" ]
	[ "$("$gauntlet" images list --json | jq '.[0].at_hand')" = false ]
}
# fetches: and what is kept is the disk.
fetches() {
	run --separate-stderr "$gauntlet" images fetch test
	[ "$status" -eq 0 ] || {
		echo "exit $status: $stderr"
		return 1
	}
	qemu-img compare -q "$PORTCULLIS_CACHE/images/test/disk.qcow2" "$BATS_FILE_TMPDIR/disk.raw"
	[ "$(find "$PORTCULLIS_CACHE/images" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
}

@test "list: every real image is there, unverified, and none without a check" {
	unset GAUNTLET_IMAGES
	run --separate-stderr "$gauntlet" images list --json
	[ "$status" -eq 0 ]
	jq -e 'map(select(.id | startswith("real-"))) | length >= 11 and
		all(.verified == "never" and .check != null)' <<<"$output"
	for name in cos-109 bottlerocket-6.1 al2 al2023 ubuntu-22.04 ubuntu-24.04 ubuntu-26.04; do
		jq -e --arg id "real-$name" 'map(.id) | index($id)' <<<"$output"
	done
}

@test "fetch: signed checksums, every format" {
	for format in qcow2 raw raw.lz4 raw.xz ova; do
		signed plain "$format"
		fetches
		jq -e --arg print "${print,,}" '.proof == "signature by " + $print and .version == null' \
			"$PORTCULLIS_CACHE/images/test/image.json"
	done
}

@test "fetch: an armoured key, and a second time nothing is fetched" {
	signed plain qcow2 SHA256SUMS.gpg key.asc
	fetches
	: >"$BATS_FILE_TMPDIR/log"
	run --separate-stderr "$gauntlet" images fetch test
	[ "$status" -eq 0 ]
	[[ $output == *"at hand already"* ]]
	run ! grep disk.qcow2 "$BATS_FILE_TMPDIR/log"
}

@test "fetch: the version behind latest, and kernel and initrd" {
	direct=true manifest "{discover: 'http://127.0.0.1:$port/latest/', match: '/os-images/([0-9.]+)/',
		files: {disk: 'http://127.0.0.1:$port/os-images/{version}/disk.qcow2',
			kernel: 'http://127.0.0.1:$port/plain/vmlinuz',
			initrd: 'http://127.0.0.1:$port/plain/initrd'}, sums: SHA256SUMS}"
	fetches
	[ "$(jq -r .version "$PORTCULLIS_CACHE/images/test/image.json")" = 1.2.3 ]
	cmp "$web/vmlinuz" "$PORTCULLIS_CACHE/images/test/vmlinuz"
	cmp "$web/initrd" "$PORTCULLIS_CACHE/images/test/initrd"
}

@test "fetch: a cut transfer goes on where it stopped" {
	signed cut
	fetches
	grep -E 'GET /cut/disk.qcow2 bytes=[1-9][0-9]*- 206' "$BATS_FILE_TMPDIR/log"
}

@test "fetch: cut again and again is refused; what came serves the next time" {
	signed torn
	refuses 6 'cut again and again, after [1-9][0-9]* bytes'
	[ -s "$PORTCULLIS_CACHE/images/.test.new/published.part" ]
	# Another address is another file: nothing of it is used.
	signed plain
	fetches
	grep -E 'GET /plain/disk.qcow2 - 200' "$BATS_FILE_TMPDIR/log"
}

@test "fetch: cut each time, and no telling whether it is the same file: given up" {
	signed bare
	refuses 6 'cut again and again'
	[ "$(grep -c '/bare/disk.qcow2' "$BATS_FILE_TMPDIR/log")" -le 6 ]
}

@test "refused: a broken checksum, and what was at hand stays" {
	signed
	fetches
	before=$(sha256sum <"$PORTCULLIS_CACHE/images/test/disk.qcow2")
	cp "$web/disk.raw.xz" "$BATS_TEST_TMPDIR/good"
	printf x >>"$web/disk.raw.xz"
	signed plain raw.xz
	run --separate-stderr "$gauntlet" images fetch test
	cp "$BATS_TEST_TMPDIR/good" "$web/disk.raw.xz"
	[ "$status" -eq 6 ]
	[[ $stderr == *"is not what was published: sha256 "* ]]
	[ "$before" = "$(sha256sum <"$PORTCULLIS_CACHE/images/test/disk.qcow2")" ]
	[ ! -e "$PORTCULLIS_CACHE/images/.test.new" ]
}

@test "refused: checksums that were changed, by the signature" {
	cp "$web/SHA256SUMS" "$BATS_TEST_TMPDIR/good"
	echo >>"$web/SHA256SUMS"
	signed
	refuses 6 'the signature does not fit: what it signs was changed' || bad=1
	cp "$BATS_TEST_TMPDIR/good" "$web/SHA256SUMS"
	[ -z "$bad" ]
}

@test "refused: a signature by somebody else, by any road" {
	stranger=$(cat "$BATS_FILE_TMPDIR/stranger")
	signed plain qcow2 by-stranger.gpg
	refuses 6 'by a key .* that is not the one expected'
	signed plain qcow2 by-stranger.gpg stranger.gpg
	refuses 6 "by the key $stranger, and not by"
	signed plain qcow2 SHA256SUMS.gpg stranger.gpg
	refuses 6 'not the one expected'
	signed plain qcow2 vmlinuz
	refuses 6 'no signature that gpgv can read'
	# The road is open for whom the manifest names.
	signed plain qcow2 by-stranger.gpg stranger.gpg "$stranger"
	fetches
}

@test "refused: what the server does not have, and a server that is down" {
	signed plain raw.zst
	sed -i 's/^format: .*/format: raw/' "$GAUNTLET_IMAGES/test.yaml"
	refuses 6 'SHA256SUMS: disk.raw.zst is not listed'
	signed plain qcow2 none.gpg
	refuses 6 'none.gpg: the server answers 404'
	signed away
	refuses 6 'the server answers 503'
	manifest "{files: {disk: 'http://127.0.0.1:1/disk.qcow2'}, sums: SHA256SUMS}"
	refuses 6 '127.0.0.1:1/SHA256SUMS'
}

@test "refused: a manifest without a check, or with one that checks nothing" {
	manifest "{files: {disk: 'http://127.0.0.1:$port/plain/disk.qcow2'}}"
	run --separate-stderr "$gauntlet" images fetch test
	[ "$status" -eq 2 ]
	[[ $stderr == *"test.yaml:4:"*"no checksum"* ]]
	manifest "{files: {disk: 'http://127.0.0.1:$port/plain/disk.qcow2'}, sha256: {disk: abc}}"
	run --separate-stderr "$gauntlet" images fetch test
	[ "$status" -eq 2 ]
	manifest "{files: {disk: 'http://192.0.2.1/disk.qcow2'}, sums: SHA256SUMS}"
	refuses 6 'checksums without a signature must come by https'
}

@test "refused: a disk that leans on a file of this machine" {
	manifest "{files: {disk: 'http://127.0.0.1:$port/plain/leaning.qcow2'}, sums: SHA256SUMS}"
	refuses 6 'leans on another file'
}

@test "import: by hand only with its checksum; else as published" {
	manifest "{by_hand: ask its maker}"
	sum=$(sha256sum "$web/disk.qcow2" | cut -c 1-64)
	run --separate-stderr "$gauntlet" images import test "$web/disk.qcow2"
	[ "$status" -eq 2 ]
	[[ $stderr == *--sha256* ]]
	run --separate-stderr "$gauntlet" images import test "$web/disk.qcow2" --sha256 "${sum//[0-4]/5}"
	[ "$status" -eq 6 ]
	not_at_hand
	run --separate-stderr "$gauntlet" images import test "$web/disk.qcow2" --sha256 "$sum"
	[ "$status" -eq 0 ]
	[ "$(jq -r .proof "$PORTCULLIS_CACHE/images/test/image.json")" = "checksum given at import" ]
	[ -e "$web/disk.qcow2" ]
	signed
	run --separate-stderr "$gauntlet" images import test "$web/vmlinuz"
	[ "$status" -eq 6 ]
	run --separate-stderr "$gauntlet" images import test "$web/disk.qcow2"
	[ "$status" -eq 0 ]
}

@test "verify: an image at hand, a file, and what has changed" {
	signed
	run --separate-stderr "$gauntlet" images verify test
	[ "$status" -eq 6 ]
	[[ $stderr == *"images fetch test"* ]]
	fetches
	"$gauntlet" images verify test
	"$gauntlet" images verify "$web/disk.qcow2"
	run ! "$gauntlet" images verify test "$web/vmlinuz"
	run ! "$gauntlet" images verify "$web/vmlinuz"
	printf x >>"$PORTCULLIS_CACHE/images/test/disk.qcow2"
	run --separate-stderr "$gauntlet" images verify test
	[ "$status" -eq 6 ]
	[[ $stderr == *"has changed since it was checked"* ]]
}

@test "usage: verbs, ids, numbers of words" {
	for line in "images" "images fetsh x" "images fetch" "images fetch none" "images list x" \
		"images import test" "images verify test --sha256 12"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$gauntlet" $line
		[ "$status" -eq 2 ]
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
	done
}

# asks PATH [HEADER]: one request to the metadata server, whose connection is its input and output.
asks() {
	printf 'GET %s HTTP/1.1\r\nHost: 169.254.169.254\r\n%bConnection: close\r\n\r\n' "$1" "${2-}" |
		"$gauntlet" metadata "$BATS_TEST_TMPDIR/user-data" | tr -d '\r'
}

@test "metadata: user data for who asks as Google's client does, and for nobody else" {
	printf '#cloud-config\nruncmd: []\n' >"$BATS_TEST_TMPDIR/user-data"
	path=/computeMetadata/v1/instance/attributes/user-data
	[[ $(asks "$path") == "HTTP/1.1 403 "* ]]
	got=$(asks "$path" 'Metadata-Flavor: Google\r\n')
	[[ $got == "HTTP/1.1 200 OK"*"Metadata-Flavor: Google"*$'\n\n#cloud-config\nruncmd: []' ]]
	got=$(asks '/computeMetadata/v1/instance/?recursive=true' 'Metadata-Flavor: Google\r\n')
	jq -e '.attributes["user-data"] | startswith("#cloud-config")' <<<"${got##*$'\n\n'}"
	got=$(asks '/computeMetadata/v1/instance/attributes/?recursive=True' 'Metadata-Flavor: Google\r\n')
	jq -e '.["user-data"] | startswith("#cloud-config")' <<<"${got##*$'\n\n'}"
	got=$(asks '/computeMetadata/v1/project/attributes/?recursive=True' 'Metadata-Flavor: Google\r\n')
	[ "${got##*$'\n\n'}" = "{}" ]
	[[ $(asks /computeMetadata/v1/instance/none 'Metadata-Flavor: Google\r\n') == "HTTP/1.1 404 "* ]]
	[[ $(asks /latest/meta-data 'Metadata-Flavor: Google\r\n') == "HTTP/1.1 404 "* ]]
}

@test "run: an image that is not at hand is said so, and booted by no other" {
	signed
	run --separate-stderr "$gauntlet" run file/shadow-read --on test --accel tcg \
		--results "$BATS_TEST_TMPDIR/results"
	[ "$status" -eq 6 ]
	jq -e '[.cases[] | .verdict == "INFRA" and (.detail | test("images fetch test"))] | all' \
		"$BATS_TEST_TMPDIR/results/results.json"
}
