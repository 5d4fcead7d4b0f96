# SPDX-License-Identifier: Apache-2.0
#
# Portcullis: build, check, test, demo. One file, not recursive; everything made goes below build/.
# Sources are found by wildcard, so a new file needs no line here.
#
#   V=1       show the commands         SAN=1     address and undefined-behaviour sanitizers
#   CC=clang  the other compiler        WERROR=1  warnings are errors (make check sets it)
#   B=DIR     another build folder      PORTCULLIS_CACHE=DIR  where kernels are kept

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

ifeq ($(origin CC),default)
CC := gcc
endif
AR       ?= ar
MUSL_CC  ?= musl-gcc
BPF_CC   ?= clang
# Debian puts bpftool in /usr/sbin, which is not on every user's PATH.
BPFTOOL  ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
Q        := $(if $(V),,@)
# make -s says nothing at all.
SILENT   := $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
say       = $(if $(V)$(SILENT),@:,@printf '  %-8s %s\n' '$1' '$(patsubst $(B)/%,%,$2)')

JOBS     ?= $(shell nproc)
CACHE    := $(or $(PORTCULLIS_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/portcullis)
# make arm64 builds the guests of arm64 targets by the cross compiler; libraries: scripts/arm64.
ARCH     ?= x86_64
ifeq ($(ARCH),arm64)
ARM_ROOT := $(CACHE)/arm64
CC       := aarch64-linux-gnu-gcc
AR       := aarch64-linux-gnu-ar
MUSL_CC  := $(ARM_ROOT)/bin/musl-gcc
MUSL_LOADER := $(firstword $(wildcard $(ARM_ROOT)/lib/ld-musl-*.so.1))
MULTIARCH := aarch64-linux-gnu
KERNEL_INCLUDE := /usr/aarch64-linux-gnu/include
BPF_ARCH := arm64
CPPFLAGS += -isystem $(ARM_ROOT)/usr/include
LDFLAGS  += -L$(ARM_ROOT)/usr/lib/aarch64-linux-gnu
export STRIP := aarch64-linux-gnu-strip
export BUSYBOX := $(ARM_ROOT)/bin/busybox
else
MULTIARCH := x86_64-linux-gnu
KERNEL_INCLUDE := /usr/include/$(MULTIARCH)
BPF_ARCH := x86
endif
# The newer libsepol that scripts/sepol fetched, where it is there; SEPOL= takes the system's all the same.
ifneq ($(ARCH),arm64)
SEPOL    := $(patsubst %/packages.lock,%,$(wildcard $(CACHE)/sepol/packages.lock))
endif
CPPFLAGS += $(if $(SEPOL),-isystem $(SEPOL)/usr/include)
VERSION  := 0.1.0
SAN      ?=
WERROR   ?=
B        ?= build$(if $(SAN),/san)

# --- sources ------------------------------------------------------------------------------------
LAYERS       := base policy node backend engine
CORE_SRC     := $(foreach d,$(LAYERS),$(wildcard core/$d/*.c))
CLI_SRC      := $(wildcard core/cli/*.c)
RUNNER_SRC   := $(wildcard scenarios/runner/*.c)
AGENT_SRC    := $(wildcard scenarios/agent/*.c)
ATTACK_SRC   := $(wildcard scenarios/attacks/*.c)
# bench/ holds guest programs, one file each, and code that the runner and the tests share.
BENCH_GUEST  := bench/latency.c bench/floor.c bench/verifier.c
BENCH_TINY   := bench/nop.c
# Guest programs of the harness's own tests, one file each.
TROUBLE_SRC  := $(wildcard scenarios/trouble/*.c)
PROOF_SRC    := $(wildcard scenarios/proof/*.c)
MODEL_SRC    := $(wildcard scenarios/model/*.c)
STRAIN_SRC   := $(wildcard scenarios/strain/*.c)
BENCH_HOST   := bench/policy.c bench/native.c
BENCH_SRC    := $(filter-out $(BENCH_GUEST) $(BENCH_TINY) $(BENCH_HOST),$(wildcard bench/*.c))
TEST_DIRS    := core/tests bench/tests scenarios/tests
TEST_SRC     := $(foreach d,$(TEST_DIRS),$(wildcard $d/test_*.c))
FUZZ_SRC     := $(wildcard core/tests/fuzz_*.c)
TEST_HELPERS := $(filter-out $(TEST_SRC) $(FUZZ_SRC),$(foreach d,$(TEST_DIRS),$(wildcard $d/*.c)))
BPF_SRC      := $(wildcard bpf/*.bpf.c)
HEADERS      := $(foreach d,$(LAYERS) cli tests,$(wildcard core/$d/*.h)) \
		$(wildcard scenarios/*/*.h bench/*.h bench/tests/*.h)
HOST_SRC     := $(CORE_SRC) $(CLI_SRC) $(RUNNER_SRC) $(AGENT_SRC) $(BENCH_SRC) $(BENCH_GUEST) $(BENCH_HOST) $(TROUBLE_SRC) $(PROOF_SRC) \
		$(MODEL_SRC) $(STRAIN_SRC) \
		$(TEST_SRC) $(TEST_HELPERS)

obj = $(patsubst %.c,$(B)/obj/%.o,$1)

# --- flags --------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Wnull-dereference -fno-common $(if $(WERROR),-Werror)
ifneq ($(findstring clang,$(CC)),)
# Clang counts GNU extensions that gnu17 code uses on purpose (statement expressions in the take
# macros, zero-initialised structs) as pedantic; gcc keeps -Wpedantic without complaint.
WARN += -Wno-gnu-statement-expression -Wno-gnu-zero-variadic-macro-arguments \
	-Wno-missing-field-initializers
endif
# FORTIFY needs optimisation; sanitizers replace both it and the static link.
HARDEN  := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fPIE
LDHARD  := -Wl,-z,relro,-z,now
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	    -fno-omit-frame-pointer -DPCL_SANITIZED=1
CPPFLAGS += -D_GNU_SOURCE -DPCL_VERSION='"$(VERSION)"' -Icore -iquote . -isystem $(B)/bpf
CFLAGS   ?= -O2 -g
ALLFLAGS  = -std=gnu17 $(CFLAGS) $(WARN) $(CPPFLAGS) -MD -MP
ifdef SAN
MODE     := $(SANFLAGS) -fPIE
LDMODE   := -pie $(LDHARD) $(LDFLAGS)
LDSTATIC := -pie $(LDHARD) $(LDFLAGS)
else
MODE     := $(HARDEN)
LDMODE   := -pie $(LDHARD)
# One file that runs in any guest, whatever its libc: static, and still position-independent.
LDSTATIC := -static-pie $(LDHARD) $(LDFLAGS)
endif

# One clear line instead of a shell's "not found" in the middle of a build.
ifneq ($(filter-out help setup demo test clean,$(or $(MAKECMDGOALS),help)),)
MISSING := $(strip $(foreach t,$(CC) $(BPF_CC) $(MUSL_CC) $(BPFTOOL),$(if $(shell command -v $t),,$t)))
$(if $(MISSING),$(error $(MISSING) not found: run scripts/setup (make setup)))
endif

# --- goals --------------------------------------------------------------------------------------
PROGRAMS := $(B)/portcullis $(B)/gauntlet
GUEST    := $(B)/guest/model $(B)/guest/strain $(B)/guest/agent $(patsubst bench/%.c,$(B)/guest/%,$(BENCH_GUEST) $(BENCH_TINY)) \
	    $(patsubst scenarios/trouble/%.c,$(B)/guest/%,$(TROUBLE_SRC)) $(B)/guest/prove \
	    $(patsubst scenarios/attacks/%.c,$(B)/guest/attacks/%,$(ATTACK_SRC)) \
	    $(addprefix $(B)/guest/attacks/,hello_dynamic preload.so loader.so)
SKELS    := $(patsubst bpf/%.bpf.c,$(B)/bpf/%.skel.h,$(BPF_SRC))
SYSCALLS := $(B)/bpf/syscall_numbers.h
TESTS    := $(foreach s,$(TEST_SRC),$(B)/tests/$(basename $(notdir $s)))
# Those that scripts/parsers fetched.
PARSERS  := $(patsubst $(CACHE)/parsers/%/packages.lock,$(B)/guest/userland/%.cpio,\
	    $(wildcard $(CACHE)/parsers/*/packages.lock))
IMAGE    := $(B)/guest/base.cpio $(B)/guest/selinux/bottlerocket.cpio $(B)/guest/selinux/debian.cpio \
	    $(B)/guest/userland/crun.cpio $(B)/guest/userland/apparmor-3.cpio $(PARSERS)

.PHONY: help
help:
	@echo 'Two commands on a fresh Debian 12 machine:'
	@echo '  make demo      install, build, boot two VMs, attack them, measure; ends with two tables'
	@echo '  make test      everything that can be tested; ends with N passed, N failed, N skipped'
	@echo 'Day to day:'
	@echo '  make build     build/portcullis, build/gauntlet and what the guests need'
	@echo '  make check     format, lint, layers, headers, both compilers, unit tests; no root, no VM'
	@echo '  make unit      the unit tests alone'
	@echo '  make fuzz      the policy reader and the pattern matcher under libFuzzer, FUZZ_SECONDS (60) each'
	@echo '  make bench-policy  speed and memory of 100,000 rules, without a VM; writes results/policy.json'
	@echo '  make bench-native  the decision of an open on this kernel, by root; writes results/native.json'
	@echo '  make disk-test real images: a whole Debian is built, served, fetched, booted (root, minutes)'
	@echo '  make bench     latency of open and exec in every target'
	@echo '  make race      a million rounds (RACE_ROUNDS) of each race against what is kept of files; an hour'
	@echo '  make matrix    the cases on every target, and the table of it in docs/matrix.md; an hour'
	@echo '  make format    clang-format everything in place'
	@echo '  make arm64     the guests of arm64 targets, after scripts/arm64'
	@echo '  make setup     Debian packages and the kernels of the targets'
	@echo '  make clean     remove build/ (kernels stay in the cache)'
	@echo 'Variables: V=1  SAN=1  CC=clang  WERROR=1  B=DIR  PORTCULLIS_CACHE=DIR  DEBIAN_MIRROR=URL'

# The guest's side alone, into build/arm64: gauntlet itself stays a program of this machine.
.PHONY: arm64 guest
arm64:
	$(Q)+$(MAKE) --no-print-directory ARCH=arm64 B=build/arm64 guest
guest: $(IMAGE)

.PHONY: build
build: $(PROGRAMS) $(GUEST) $(IMAGE)

# --- host programs ------------------------------------------------------------------------------
$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALLFLAGS) $(MODE) -c -o $@ $<

# Skeletons must be there before the first compile that includes them; -MD tracks them afterwards
# (-MMD would not, as they come in by -isystem).
$(filter $(B)/obj/core/node/% $(B)/obj/core/backend/% $(B)/obj/core/engine/% $(B)/obj/bench/floor.o $(B)/obj/bench/verifier.o \
	$(B)/obj/scenarios/trouble/% $(B)/obj/scenarios/proof/%,\
	$(call obj,$(CORE_SRC) $(BENCH_GUEST) $(TROUBLE_SRC) $(PROOF_SRC))): | $(SKELS) $(SYSCALLS)

# What is compiled for one libsepol is not linked to another. This file changes with the one in use.
$(B)/sepol.used: FORCE
	@mkdir -p $(@D)
	@cat $(if $(SEPOL),$(SEPOL)/packages.lock,/dev/null) | cmp -s - $@ || cp $(if $(SEPOL),$(SEPOL)/packages.lock,/dev/null) $@
.PHONY: FORCE
FORCE:
$(call obj,$(wildcard core/backend/selinux*.c core/tests/*sepol*.c core/tests/*selinux*.c) scenarios/trouble/policy.c): $(B)/sepol.used

$(B)/libportcullis.a: $(call obj,$(CORE_SRC))
$(B)/libgauntlet.a: $(filter-out %/runner/main.o,$(call obj,$(RUNNER_SRC) $(BENCH_SRC)))
# Made anew each time, so that the object of a file that was removed does not stay inside.
$(B)/libportcullis.a $(B)/libgauntlet.a:
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# Debian 12's libelf is built without zstd, so zlib is all it wants. What we need of libsepol, it shows
# in its static form only.
ENGINE_LIBS := -lbpf -lelf -lz -lyaml -ljansson $(if $(SEPOL),$(SEPOL)/usr/lib/$(MULTIARCH)/libsepol.a,-l:libsepol.a) -lm
# gauntlet fetches images and checks what came.
RUNNER_LIBS := $(ENGINE_LIBS) -lcurl -lcrypto -lpthread
.PHONY: list-libs
list-libs: # for tests that link programs of their own
	@echo '$(RUNNER_LIBS)'

$(B)/portcullis: $(call obj,$(CLI_SRC)) $(B)/libportcullis.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(MODE) $(LDSTATIC) -o $@ $^ $(ENGINE_LIBS)

$(B)/gauntlet: $(call obj,scenarios/runner/main.c) $(B)/libgauntlet.a $(B)/libportcullis.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(MODE) $(LDMODE) -o $@ $^ $(RUNNER_LIBS)

# --- BPF ----------------------------------------------------------------------------------------
BPF_WARN := -Wall -Wextra -Wshadow -Wno-unused-parameter $(if $(WERROR),-Werror)

# KERNEL: before 5.15 a loop may come back only by a jump, so blocks must stay in their order.
$(B)/bpf/portcullis_old.bpf.o $(B)/bpf/judges_old.bpf.o: BPF_FLAGS := -mllvm -disable-block-placement
$(B)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$<)
	$(Q)$(BPF_CC) -target bpf -mcpu=v3 -std=gnu17 -O2 -g -D__TARGET_ARCH_$(BPF_ARCH) $(BPF_WARN) $(BPF_FLAGS) -Ibpf \
		-idirafter $(KERNEL_INCLUDE) -MMD -MP -c -o $@ $<

# The numbers of system calls, by the headers of the machine that it is built for; a 64-bit x86 has
# two more sets of them, for programs of 32 bits and for x32.
syscall_names = echo '\#include <asm/$1.h>' | $(CC) -E -dM - | LC_ALL=C sort
$(SYSCALLS): Makefile
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(call syscall_names,unistd) | sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/{"\1", __NR_\1},/p' >$@
ifneq ($(ARCH),arm64)
	$(Q)$(call syscall_names,unistd_32) | \
		sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$$/{"\1", PCL_SYSCALL_COMPAT | \2},/p' >>$@
	$(Q)$(call syscall_names,unistd_x32) | \
		sed -n 's/^#define __NR_\([a-z0-9_]*\) (__X32_SYSCALL_BIT + \([0-9]*\))$$/{"\1", 0x40000000u | \2},/p' >>$@
endif

$(B)/bpf/%.skel.h: $(B)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

# --- what runs in the guest -----------------------------------------------------------------------
$(B)/guest/agent: $(call obj,$(AGENT_SRC)) $(B)/libportcullis.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(MODE) $(LDSTATIC) -o $@ $^ -ljansson

$(B)/guest/model: $(call obj,$(MODEL_SRC)) $(B)/libportcullis.a
$(B)/guest/strain: $(call obj,$(STRAIN_SRC)) $(B)/libportcullis.a
$(B)/guest/model $(B)/guest/strain:
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(MODE) $(LDSTATIC) -o $@ $^ $(ENGINE_LIBS)

$(B)/guest/latency $(B)/guest/floor $(B)/guest/verifier: $(B)/guest/%: $(B)/obj/bench/%.o $(B)/libportcullis.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(MODE) $(LDSTATIC) -o $@ $^ $(ENGINE_LIBS)

$(B)/guest/prove: $(call obj,$(PROOF_SRC))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(MODE) $(LDSTATIC) -o $@ $^ $(ENGINE_LIBS)

$(patsubst scenarios/trouble/%.c,$(B)/guest/%,$(TROUBLE_SRC)): $(B)/guest/%: $(B)/obj/scenarios/trouble/%.o
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(MODE) $(LDSTATIC) -o $@ $^ $(ENGINE_LIBS)

# musl keeps the replay programs small; the kernel's own headers come after musl's.
MUSL_FLAGS := -std=gnu17 -Os -g $(WARN) -D_GNU_SOURCE -static -fstack-protector-strong \
	      $(if $(filter arm64,$(ARCH)),,-idirafter /usr/include) -idirafter $(KERNEL_INCLUDE)

$(B)/guest/attacks/%: scenarios/attacks/%.c
	@mkdir -p $(@D) $(B)/obj/scenarios/attacks
	$(call say,MUSL,$<)
	$(Q)$(MUSL_CC) $(MUSL_FLAGS) -MMD -MP -MT $@ -MF $(B)/obj/scenarios/attacks/$*.d -o $@ $<

# A dynamic program, a library to preload, and musl's libc, which is the loader of both.
MUSL_LOADER  ?= $(firstword $(wildcard /lib/ld-musl-*.so.1))
MUSL_DYNAMIC := $(filter-out -static,$(MUSL_FLAGS))

$(B)/guest/attacks/hello_dynamic: scenarios/attacks/hello.c
	@mkdir -p $(@D)
	$(call say,MUSL,$@)
	$(Q)$(MUSL_CC) $(MUSL_DYNAMIC) -Wl,--dynamic-linker=/opt/gauntlet/attacks/loader.so -o $@ $<

$(B)/guest/attacks/preload.so: scenarios/attacks/dynamic/preload.c
	@mkdir -p $(@D)
	$(call say,MUSL,$@)
	$(Q)$(MUSL_CC) $(MUSL_DYNAMIC) -fPIC -shared -o $@ $<

$(B)/guest/attacks/loader.so: $(MUSL_LOADER)
	@mkdir -p $(@D)
	$(call say,COPY,$@)
	$(Q)cp $< $@

$(B)/guest/nop: bench/nop.c
	@mkdir -p $(@D) $(B)/obj/bench
	$(call say,MUSL,$<)
	$(Q)$(MUSL_CC) $(MUSL_FLAGS) -s -MMD -MP -MT $@ -MF $(B)/obj/bench/nop.d -o $@ $<

$(B)/guest/base.cpio: vm-images/build-base $(GUEST) $(filter %/portcullis,$(PROGRAMS))
	$(call say,IMAGE,$@)
	$(Q)vm-images/build-base $@ $(filter-out $<,$^)

# SELinux policies for guests, compiled here.
$(B)/guest/selinux/bottlerocket.cpio: vm-images/build-selinux $(wildcard vm-images/selinux/bottlerocket.*)
	$(call say,SELINUX,$@)
	$(Q)$< $@ vm-images/selinux/bottlerocket.cil vm-images/selinux/bottlerocket.labels \
		system_u:system_r:super_t:s0

# Debian's default policy, from the modules of the package selinux-policy-default.
REFPOLICY := $(wildcard /usr/share/selinux/default/*.pp.bz2)
$(B)/guest/selinux/debian.cpio: vm-images/build-selinux $(wildcard vm-images/selinux/debian.*) $(REFPOLICY)
	$(call say,SELINUX,$@)
	$(Q)$(if $(REFPOLICY),,echo 'no SELinux modules of Debian: run scripts/setup' >&2; exit 1;) \
		$< $@ vm-images/selinux/debian.cil vm-images/selinux/debian.labels \
		unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023 $(REFPOLICY)

$(B)/guest/selinux/debian.policy: $(B)/guest/selinux/debian.cpio
	$(Q)cpio --quiet -i --to-stdout usr/share/gauntlet/selinux/policy <$< >$@

# What is added to busybox: programs with the libraries that they are linked to.
$(B)/guest/userland/crun.cpio: vm-images/build-userland
	$(call say,IMAGE,$@)
	$(Q)$< $@ /usr/bin/crun

$(B)/guest/userland/apparmor-3.cpio: vm-images/build-userland
	$(call say,IMAGE,$@)
	$(Q)$< $@ /usr/sbin/apparmor_parser

$(PARSERS): $(B)/guest/userland/%.cpio: $(CACHE)/parsers/%/packages.lock vm-images/build-userland
	$(call say,IMAGE,$@)
	$(Q)vm-images/build-userland $@ --root $(CACHE)/parsers/$* /usr/sbin/apparmor_parser

# --- tests --------------------------------------------------------------------------------------
define test_program
$(B)/tests/$(basename $(notdir $1)): $(call obj,$1 $(TEST_HELPERS)) $(B)/libgauntlet.a \
	$(B)/libportcullis.a
endef
$(foreach s,$(TEST_SRC),$(eval $(call test_program,$s)))

$(TESTS):
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(MODE) $(LDMODE) -o $@ $^ -lcmocka $(RUNNER_LIBS)

.PHONY: tests unit list-tests
tests: $(TESTS)
list-tests: # for scripts/test, so that a program whose source is gone is not run
	@printf '%s\n' $(TESTS)
unit: $(TESTS)
	$(Q)set -e; for t in $(TESTS); do $$t; done

# --- checks: without root, without a VM -------------------------------------------------------------
# Each check of a file leaves a stamp, so that a second run looks only at what changed.
C         := $(B)/check
FORMAT_IN := $(HOST_SRC) $(FUZZ_SRC) $(HEADERS) $(ATTACK_SRC) $(BENCH_TINY) $(wildcard bpf/*.[ch] scenarios/attacks/*.h scenarios/attacks/dynamic/*.c)
SCRIPTS   := $(wildcard $(filter-out %.txt %.h %.md,$(wildcard scripts/*)) vm-images/build-base vm-images/build-disk vm-images/build-selinux vm-images/build-userland .ci/run)
CLANG_CPP  = -std=gnu17 $(CPPFLAGS)
host_obj   = $(patsubst %.c,$C/$1/obj/%.o,$(HOST_SRC))
CHECKS    := format scripts layers spdx statuses latency headers gcc clang tidy cppcheck unit fuzz

.PHONY: check $(addprefix check-,$(CHECKS))
check:
	$(Q)+$(MAKE) --no-print-directory -j$(JOBS) -O $(addprefix check-,$(CHECKS))
	@echo 'check: all in order'

# Without what scripts/test does besides: it builds with gcc, warnings being errors, and runs the units.
.PHONY: check-besides
check-besides:
	$(Q)+$(MAKE) --no-print-directory -j$(JOBS) -O $(addprefix check-,$(filter-out gcc unit,$(CHECKS)))

check-format:
	$(call say,FORMAT,all sources)
	$(Q)clang-format --dry-run -Werror $(FORMAT_IN) || \
		{ echo 'check: run make format' >&2; exit 1; }

check-scripts:
	$(call say,SHELL,scripts)
	$(Q)shellcheck $(SCRIPTS)

check-layers:
	$(Q)scripts/layers
check-spdx:
	$(Q)scripts/spdx
check-statuses: $(B)/portcullis
	$(Q)scripts/statuses --check $<
check-latency:
	$(Q)scripts/latency --check

# The whole tree by each compiler, warnings being errors; in folders of their own.
check-gcc check-clang: check-%:
	$(Q)+$(MAKE) --no-print-directory B=$C/$* CC=$* WERROR=1 objects
.PHONY: objects
objects: $(call obj,$(HOST_SRC)) $(SKELS) $(SYSCALLS) $(patsubst scenarios/attacks/%.c,$(B)/guest/attacks/%,$(ATTACK_SRC))

# Every header says all that it needs. That nothing calls its functions here is no finding: a header
# that is a part of one attack defines them for that program, where the compilers look at them.
check-headers: $(patsubst %,$C/headers/%.ok,$(HEADERS)) $(patsubst %,$C/headers/%.ok,$(wildcard bpf/*.h))
$C/headers/bpf/%.h.ok: bpf/%.h $(wildcard bpf/*.h)
	@mkdir -p $(@D)
	$(Q)$(BPF_CC) -target bpf -mcpu=v3 -std=gnu17 -O2 $(BPF_WARN) -Wno-unused -Werror -Ibpf \
		-idirafter /usr/include/x86_64-linux-gnu -fsyntax-only -include $< -x c /dev/null
	@touch $@
$C/headers/%.h.ok: %.h $(HEADERS) | $(SKELS)
	@mkdir -p $(@D)
	$(Q)for cc in gcc clang; do \
		$$cc $(CLANG_CPP) -Wall -Wextra -Wno-unused-function -Werror -fsyntax-only \
			-include $< -x c /dev/null || exit 1; \
	done
	@touch $@

# The object knows the headers, so the stamp is as old as any of them. The analyzer gets a fifth of
# the states that it may look at by itself: three times as quick, and what it ever found is found.
ANALYZER = -Xclang -analyzer-config -Xclang max-nodes=40000
check-tidy: $(patsubst %.c,$C/tidy/%.ok,$(filter-out $(TEST_SRC),$(HOST_SRC)))
$C/tidy/%.ok: %.c $(B)/obj/%.o .clang-tidy
	@mkdir -p $(@D)
	$(call say,TIDY,$<)
	$(Q)clang-tidy --quiet $< -- $(CLANG_CPP) $(ANALYZER) 2>$@.log >$@.out || { cat $@.out; cat $@.log >&2; exit 1; }
	@touch $@

check-cppcheck:
	@mkdir -p $C/cppcheck
	$(call say,CPPCHECK,all sources)
	$(Q)cppcheck --quiet --std=c11 --enable=warning,performance,portability --error-exitcode=1 \
		--inline-suppr --cppcheck-build-dir=$C/cppcheck --suppressions-list=scripts/cppcheck.txt \
		--include=scripts/cppcheck.h -j $(JOBS) -Icore $(sort $(filter-out $(TEST_SRC),$(HOST_SRC)) $(ATTACK_SRC))

check-unit: $(TESTS)
	$(call say,UNIT,$(words $(TESTS)) programs)
	$(Q)mkdir -p $C && for t in $(TESTS); do \
		$$t >$C/unit.log 2>&1 || { cat $C/unit.log; exit 1; }; \
	done

.PHONY: format
format:
	clang-format -i $(FORMAT_IN)

# --- the two commands, and their parts --------------------------------------------------------------
.PHONY: setup demo test bench matrix
setup:
	$(Q)scripts/setup
demo:
	$(Q)+scripts/demo
# A whole distribution, built, served, fetched, booted: by root, in some minutes.
.PHONY: disk-test
disk-test: build
	$(Q)scripts/disk-test
test:
	$(Q)+scripts/test
matrix:
	$(Q)+scripts/matrix
bench: build
	$(Q)$(B)/gauntlet bench

# RACE_ROUNDS of each way that what is kept could become stale; make test has 10,000.
RACE_ROUNDS ?= 1000000
.PHONY: race
race:
	$(Q)scripts/race $(RACE_ROUNDS)

# Of policies alone: reading, checking, resolving, deciding. Writes results/policy.json, and fails
# where a promised limit is not kept.
$(B)/bench-policy: $(B)/obj/bench/policy.o $(B)/libgauntlet.a $(B)/libportcullis.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(MODE) $(LDMODE) -o $@ $^ $(RUNNER_LIBS)

.PHONY: bench-policy
bench-policy: $(B)/bench-policy $(B)/portcullis $(B)/guest/selinux/debian.policy
	$(Q)$< $(B)/portcullis "$$(git describe --always --dirty)" results/policy.json.new || \
		{ rm -f results/policy.json.new; exit 1; }
	$(Q)mv results/policy.json.new results/policy.json

# The decision of an open on this machine's own kernel. By root. Writes results/native.json.
$(B)/obj/bench/native.o: | $(B)/bpf/native.skel.h
$(B)/bench-native: $(B)/obj/bench/native.o $(B)/libgauntlet.a $(B)/libportcullis.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(MODE) $(LDMODE) -o $@ $^ $(RUNNER_LIBS)

.PHONY: bench-native
bench-native: $(B)/bench-native
	$(Q)$< "$$(git describe --always --dirty)" results/native.json.new
	$(Q)mv results/native.json.new results/native.json

# What reads what others wrote, under libFuzzer with both sanitizers: core/tests/fuzz_NAME.c. make fuzz
# gives each program FUZZ_SECONDS, from core/tests/seeds/NAME, FUZZ_CORPUS (a folder, optional) and what
# earlier runs found; make check gives each the same FUZZ_RUNS inputs every time.
FUZZ_SECONDS ?= 60
FUZZ_CORPUS  ?=
FUZZ_RUNS    ?= 20000
FUZZERS      := $(patsubst core/tests/fuzz_%.c,build/fuzz/%,$(FUZZ_SRC))
FUZZ_FLAGS   := -max_len=8192 -timeout=5 -rss_limit_mb=1024 -verbosity=0
FUZZ_CFLAGS  := -std=gnu17 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZ_OBJ     := $(patsubst %.c,build/fuzz/obj/%.o,$(wildcard core/base/*.c core/policy/*.c) core/backend/selinux_view.c)

build/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZ,$<)
	$(Q)clang $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link $(CPPFLAGS) -MMD -MP -c -o $@ $<

$(FUZZERS): build/fuzz/%: build/fuzz/obj/core/tests/fuzz_%.o $(FUZZ_OBJ)
	$(call say,LD,$@)
	$(Q)clang $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ -lyaml

.PHONY: fuzz check-fuzz
fuzz: $(FUZZERS)
	$(Q)set -e; for f in $(FUZZERS); do \
		mkdir -p $$f.found && $$f $(FUZZ_FLAGS) -max_total_time=$(FUZZ_SECONDS) \
			-artifact_prefix=build/fuzz/ $$f.found core/tests/seeds/$${f##*/} $(FUZZ_CORPUS); \
	done
check-fuzz: $(FUZZERS)
	$(call say,FUZZ,$(words $^) programs with $(FUZZ_RUNS) inputs)
	$(Q)for f in $(FUZZERS); do \
		rm -rf $$f.check && mkdir $$f.check && \
		$$f $(FUZZ_FLAGS) -runs=$(FUZZ_RUNS) -seed=1 -artifact_prefix=build/fuzz/ $$f.check \
			core/tests/seeds/$${f##*/} >$$f.log 2>&1 || { cat $$f.log; exit 1; }; \
	done

# --- housekeeping ---------------------------------------------------------------------------------
.PHONY: clean
clean:
	rm -rf build

-include $(patsubst %.o,%.d,$(call obj,$(HOST_SRC))) $(wildcard $(B)/bpf/*.d) \
	$(wildcard $(B)/obj/scenarios/attacks/*.d $(B)/obj/bench/*.d build/fuzz/obj/core/*/*.d)
