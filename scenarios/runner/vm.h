/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One virtual machine: boot, talk to its agent, notice how it died, end it.
 *
 * Guarantee: nothing outlives the runner. QEMU is started with a parent-death signal, every wait
 * has a deadline, and gnt_vm_free() ends and reaps the process whatever state it is in. The console
 * is always kept in a file, and scanned while the guest runs.
 */
#ifndef GNT_VM_H
#define GNT_VM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "health.h"
#include "target.h"

enum gnt_accel {
	GNT_ACCEL_AUTO, /* KVM where a probe boot proved it, else TCG with a notice */
	GNT_ACCEL_TCG,
	GNT_ACCEL_KVM,
};

/* Deterministic virtual time: -icount shift=0,sleep=off, fixed seed and RTC; implies TCG. */
#define GNT_VM_ICOUNT (1u << 0)
/* The serial console is the caller's terminal (gauntlet shell); the agent starts a shell there. */
#define GNT_VM_INTERACTIVE (1u << 1)

struct gnt_vm_options {
	const struct gnt_target *target;
	const char *kernel_path;   /* bzImage instead of the cached one, or NULL */
	const char *modules_dir;   /* its lib/modules/VERSION, or NULL */
	const char *append;	   /* words behind the target's own, or NULL */
	const char *lsm;	   /* replaces the target's lsm= list, or NULL */
	char *const *more_modules; /* beside the target's; those that the kernel has are loaded */
	size_t more_module_count;
	const char *log_dir;   /* console.log and qemu.log are written here; must exist */
	const char *guest_dir; /* build/guest: base.cpio and friends; NULL: beside the program */
	enum gnt_accel accel;
	unsigned flags;	     /* GNT_VM_* */
	int cpus;	     /* 0: one, with which everything is measured */
	int boot_timeout_ms; /* from start to the agent's first answer */
	/* A guest that sends no heartbeat for so long while it is waited for hangs; 0: 30 s. */
	int beat_lost_ms;
	/*
	 * Requests (a JSON array) that the agent serves by itself before it opens the channel, so
	 * that under deterministic time nothing from outside reaches the guest while they run;
	 * travels as /plan.json in the initramfs. The replies are the hello's "plan". NULL: none.
	 */
	const json_t *plan;
	/* Kernel troubles that are no failure; NULL: none is allowed. Outlives the VM. */
	const struct gnt_health_list *allow;
};

/* How a guest ended or fails to end; each is a result of its own. */
enum gnt_vm_state {
	GNT_VM_RUNNING,
	GNT_VM_OFF,   /* powered off as asked */
	GNT_VM_PANIC, /* kernel panic seen on the console */
	GNT_VM_SPLAT, /* still running; oops, BUG, WARNING, lockup, RCU stall seen on the console */
	GNT_VM_HANG,  /* no answer within the deadline, or no heartbeat; hang.txt tells more */
	GNT_VM_DEAD,  /* QEMU ended by itself without any of the above */
};

struct gnt_vm;

/*
 * Boots and waits for the agent. 0, or a negative errno with diag; then *ret_state tells a panic
 * (GNT_VM_PANIC), a hang (GNT_VM_HANG), a dead QEMU (GNT_VM_DEAD) from a missing file
 * (GNT_VM_OFF: nothing was started; no QEMU installed, no kernel, no memory).
 */
int gnt_vm_start(const struct gnt_vm_options *options, struct gnt_vm **ret_vm,
		 enum gnt_vm_state *ret_state, struct pcl_diag *diag);

/*
 * One request to the agent and its reply (see scenarios/agent/README.md for the operations).
 * timeout_ms is the caller's deadline for the reply; the request's own "timeout_ms" is the agent's.
 * -ETIMEDOUT, -EIO with diag: ask gnt_vm_state(). An operation that the agent refused is no error
 * here: the reply has "error". ret_reply is owned by the caller (json_decref).
 */
int gnt_vm_call(struct gnt_vm *vm, const json_t *request, int timeout_ms, json_t **ret_reply,
		struct pcl_diag *diag);

/* The agent's hello: kernel release, lsm list, cmdline, btf, ...; borrowed. */
const json_t *gnt_vm_hello(const struct gnt_vm *vm);
enum gnt_vm_state gnt_vm_state(struct gnt_vm *vm);
/*
 * What made the state PANIC or SPLAT, or NULL: fingerprint, line, what ran. Borrowed, until the
 * next call.
 */
const char *gnt_vm_state_detail(struct gnt_vm *vm);
/* The finding that it tells of, or NULL. Borrowed. */
const struct gnt_finding *gnt_vm_trouble(struct gnt_vm *vm);

/*
 * Says what runs from now on: whatever the kernel complains of until the next mark is put down to
 * it, and so is a change of /proc/sys/kernel/tainted. Errors as gnt_vm_call().
 */
int gnt_vm_mark(struct gnt_vm *vm, const char *text, struct pcl_diag *diag);
/* Troubles of the kernel so far, allowed ones too, oldest first; NULL behind the last. Borrowed. */
const struct gnt_finding *gnt_vm_finding(struct gnt_vm *vm, size_t index);
/* The troubles so far do not count for gnt_vm_state() any more: the caller has noted them. */
void gnt_vm_acknowledge(struct gnt_vm *vm);
/* "kvm" or "tcg", as used. */
const char *gnt_vm_accel(const struct gnt_vm *vm);
/* From the start (a probe for KVM not counted) to the agent's hello, milliseconds of wall clock. */
int gnt_vm_boot_ms(const struct gnt_vm *vm);

/* Asks for power-off, waits a little, then ends and reaps QEMU; findings stay to be read. */
void gnt_vm_stop(struct gnt_vm *vm);
/* Stops it if need be. NULL-safe. */
void gnt_vm_free(struct gnt_vm **vm);

/* Interactive only: waits until the guest ends; 0 or negative errno. */
int gnt_vm_wait(struct gnt_vm *vm, struct pcl_diag *diag);

/*
 * Whether KVM really runs a stock kernel here: boots one under a short deadline once, remembers the
 * answer in the cache (keyed by machine boot id and QEMU version). ret_reason (owned) says why not.
 */
int gnt_kvm_probe(bool *ret_works, char **ret_reason, struct pcl_diag *diag);

#endif
