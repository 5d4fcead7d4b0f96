/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the runner asks of a guest, as C calls over gnt_vm_call(): run a program, prepare files,
 * start a container. Each call has a deadline. A guest that died or does not answer is -EIO or
 * -ETIMEDOUT (ask gnt_vm_state() which); an operation that the agent refused is -EREMOTEIO.
 */
#ifndef GNT_GUEST_H
#define GNT_GUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "vm.h"

/* Where the base image keeps our tools, out of the way of policies on the userland. */
#define GNT_GUEST_TOOLS "/opt/gauntlet"
#define GNT_GUEST_ENGINE GNT_GUEST_TOOLS "/portcullis"

struct gnt_exec {
	const char *const *argv; /* NULL-terminated */
	const char *container;	 /* name, or NULL for the host */
	const char *profile;	 /* of AppArmor, as a runtime would set it; NULL: none */
	int uid;
	int timeout_ms;
	bool setup; /* part of a case's setup: a read-only root is open to it */
};

struct gnt_exec_result {
	int exit_code;	 /* -1 where a signal ended it or it did not start */
	int signal;	 /* 0: none */
	int spawn_errno; /* positive: execve itself failed; 0: it started */
	bool timed_out;
	char *out; /* owned, never NULL after success */
	char *err;
};

struct gnt_file_stat {
	bool exists;
	long long size;
	long long mode;
	char sha256[65]; /* empty for what is no regular file */
	char marks[512]; /* owner, time of change, extended attributes; only to be compared */
};

void gnt_exec_result_fini(struct gnt_exec_result *result);

int gnt_guest_exec(struct gnt_vm *vm, const struct gnt_exec *exec,
		   struct gnt_exec_result *ret_result, struct pcl_diag *diag);
int gnt_guest_put(struct gnt_vm *vm, const char *path, int mode, const char *text,
		  struct pcl_diag *diag);
/* mode -1 keeps the source's. */
int gnt_guest_copy(struct gnt_vm *vm, const char *from, const char *to, int mode,
		   struct pcl_diag *diag);
int gnt_guest_mkdir(struct gnt_vm *vm, const char *path, int mode, struct pcl_diag *diag);
/* Removes what is there, recursively; nothing there is no error. */
int gnt_guest_remove(struct gnt_vm *vm, const char *path, struct pcl_diag *diag);
int gnt_guest_stat(struct gnt_vm *vm, const char *path, struct gnt_file_stat *ret_stat,
		   struct pcl_diag *diag);
/* ret_pid: its first process as the host sees it. ret_cgroup is owned, and NULL where the guest has
 * control groups of version 1: then the process is what identifies the container. */
int gnt_guest_container_start(struct gnt_vm *vm, const char *name, const char *root, int *ret_pid,
			      char **ret_cgroup, struct pcl_diag *diag);
int gnt_guest_container_stop(struct gnt_vm *vm, const char *name, struct pcl_diag *diag);
/* An operation without arguments: "panic", "hang", "ping". */
int gnt_guest_op(struct gnt_vm *vm, const char *op, int timeout_ms, struct pcl_diag *diag);

#endif
