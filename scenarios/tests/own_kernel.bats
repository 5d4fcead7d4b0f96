#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Kernels of the user's own: an image with its modules as a package unpacks them, a build tree, a
# package. All are made out of the 6.1 kernel of the cache, and run on a target of another series,
# so that a guest that boots the target's own kernel is noticed.

bats_require_minimum_version 1.5.0

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
	cache=${PORTCULLIS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/portcullis}
	export kernel=$cache/kernels/6.1
	[ -s "$kernel/release" ] || skip "no kernel 6.1 in the cache (scripts/kernels 6.1)"
	release=$(cat "$kernel/release")
	export release modules=$kernel/modules/lib/modules/$release
	# What is made ready goes into a cache of this test's own.
	export PORTCULLIS_CACHE=$BATS_FILE_TMPDIR/cache
	mkdir -p "$PORTCULLIS_CACHE"
	ln -s "$cache/kernels" "$PORTCULLIS_CACHE/kernels"
	[ ! -e "$cache/kvm-probe" ] || cp "$cache/kvm-probe" "$PORTCULLIS_CACHE/"
}

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
	gauntlet=build/gauntlet
	out=$BATS_TEST_TMPDIR/results
	tree=$BATS_TEST_TMPDIR/tree
}

# wanted_modules: those that the target wants, with all that they need, relative to $modules.
wanted_modules() {
	sed -n -E '/\/(virtio_pci|virtio_console)\.ko:/{s/://;p}' "$modules/modules.dep" | tr ' ' '\n' |
		sort -u
}
# make_tree: as `make` leaves a build tree.
make_tree() {
	local file
	mkdir -p "$tree/arch/x86/boot" "$tree/include/config"
	cp "$kernel/vmlinuz" "$tree/arch/x86/boot/bzImage"
	cp "$kernel/config" "$tree/.config"
	cp "$modules"/modules.builtin* "$tree/"
	echo "$release" >"$tree/include/config/kernel.release"
	for file in $(wanted_modules); do
		file=${file#kernel/}
		mkdir -p "$tree/${file%/*}"
		cp "$modules/kernel/$file" "$tree/$file"
		echo "${file%.ko}.o" >>"$tree/modules.order"
	done
}
# make_modules DIR [COMPRESS]: lib/modules/RELEASE as a package brings it, without an index.
make_modules() {
	local file
	for file in $(wanted_modules); do
		mkdir -p "$1/${file%/*}"
		cp "$modules/$file" "$1/$file"
		[ $# -lt 2 ] || xz "$1/$file"
	done
	cp "$modules"/modules.builtin* "$modules/modules.order" "$1/"
}
# make_deb NAME ROOT: prints the package.
make_deb() {
	mkdir -p "$2/DEBIAN"
	printf 'Package: %s\nVersion: 1\nArchitecture: amd64\nMaintainer: nobody\nDescription: %s\n' \
		"$1" "a test" >"$2/DEBIAN/control"
	dpkg-deb -Zgzip -b "$2" "$BATS_TEST_TMPDIR/$1.deb" >/dev/null
	echo "$BATS_TEST_TMPDIR/$1.deb"
}

# boots OPTION...: a case passes, on the kernel that was named.
boots() {
	run "$gauntlet" run file/shadow-read --on debian-6.12+bpf --lsm landlock,yama,bpf \
		--contender portcullis --results "$out" "$@"
	echo "$output"
	[ "$status" -eq 0 ]
	jq -e --arg release "$release" '.targets[0].release == $release
		and (.cases | length) == 1 and all(.cases[]; .verdict == "INLINE_DENY")' "$out/results.json"
	[[ $(jq -r '.cases[0].reproduce' "$out/results.json") == *" $1 $2"* ]]
}
# refused CODE PATTERN OPTION...: one line, before anything boots.
refused() {
	local code=$1 pattern=$2
	shift 2
	run --separate-stderr "$gauntlet" run file/shadow-read --on debian-6.12+bpf --results "$out" "$@"
	# shellcheck disable=SC2154  # bats sets stderr
	echo "exit $status, want $code; want /$pattern/ in: $stderr"
	[ "$status" -eq "$code" ]
	[[ $stderr =~ $pattern ]]
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	[ ! -e "$out" ]
}

@test "a build tree" {
	make_tree
	boots --kernel-tree "$tree"
}

@test "an image and its modules, compressed and without an index" {
	make_modules "$BATS_TEST_TMPDIR/$release" compress
	boots --kernel "$kernel/vmlinuz" --modules "$BATS_TEST_TMPDIR/$release"
	[ ! -e "$BATS_TEST_TMPDIR/$release/modules.dep" ]
}

@test "one package, and the parts of a split one together" {
	root=$BATS_TEST_TMPDIR/root
	mkdir -p "$root/boot"
	cp "$kernel/vmlinuz" "$root/boot/vmlinuz-$release"
	cp "$kernel/config" "$root/boot/config-$release"
	make_modules "$root/lib/modules/$release" compress
	deb=$(make_deb linux-image-test "$root")
	boots --deb "$deb"
	binary=$BATS_TEST_TMPDIR/binary
	mkdir -p "$binary/usr/lib/modules/$release"
	cp "$kernel/vmlinuz" "$kernel/config" "$binary/usr/lib/modules/$release/"
	binary_deb=$(make_deb linux-binary-test "$binary")
	mkdir -p "$BATS_TEST_TMPDIR/modules/usr/lib/modules"
	make_modules "$BATS_TEST_TMPDIR/modules/usr/lib/modules/$release"
	modules_deb=$(make_deb linux-modules-test "$BATS_TEST_TMPDIR/modules")
	rm -rf "$out"
	refused 2 'hold no vmlinuz' --deb "$modules_deb"
	boots --deb "$binary_deb" --deb "$modules_deb"
}

@test "a tree that is no tree, or not built" {
	refused 2 'no folder /no/such' --kernel-tree /no/such
	mkdir -p "$tree"
	refused 2 'no kernel build tree' --kernel-tree "$tree"
	make_tree
	rm "$tree/$(sed -n 's/\.o$/.ko/;1p' "$tree/modules.order")"
	refused 2 'not built whole: no .*\.ko' --kernel-tree "$tree"
	rm "$tree/arch/x86/boot/bzImage"
	refused 2 'not built: no arch/x86/boot/bzImage' --kernel-tree "$tree"
}

@test "a kernel that lacks what a guest needs: exit 3, all of it named" {
	make_tree
	sed -i -e 's/^CONFIG_VIRTIO_CONSOLE=.*/# CONFIG_VIRTIO_CONSOLE is not set/' \
		-e '/^CONFIG_DEVTMPFS=/d' "$tree/.config"
	refused 3 'lacks CONFIG_DEVTMPFS=y CONFIG_VIRTIO_CONSOLE=m .*kernel.config' --kernel-tree "$tree"
}

@test "a kernel without BTF: said before, and ENV_UNMET only where it is needed" {
	make_tree
	sed -i '/^CONFIG_DEBUG_INFO_BTF=/d' "$tree/.config"
	run --separate-stderr scripts/own-kernel --tree "$tree"
	echo "$stderr"
	[ "$status" -eq 0 ]
	[[ $stderr == *"notice: "*"CONFIG_DEBUG_INFO_BTF=y"*"BPF will not run"* ]]
}

@test "every kernel of the cache has what vm-images/kernel.config asks for" {
	for config in "$PORTCULLIS_CACHE"/kernels/*/config; do
		mkdir -p "$tree/arch/x86/boot" "$tree/include/config"
		cp "$config" "$tree/.config"
		echo image >"$tree/arch/x86/boot/bzImage"
		echo 1.0 >"$tree/include/config/kernel.release"
		run --separate-stderr scripts/own-kernel --tree "$tree"
		echo "$config: $stderr"
		[ "$status" -eq 0 ]
		[ -z "$stderr" ]
	done
}

@test "wrong use" {
	refused 2 'one kernel at a time' --kernel "$kernel/vmlinuz" --kernel-tree /tmp
	refused 2 'cannot read the package /no/such' --deb /no/such
	refused 2 'is no Debian package' --deb "$kernel/config"
	refused 2 'no lib/modules/RELEASE' --kernel "$kernel/vmlinuz" --modules /tmp
}
