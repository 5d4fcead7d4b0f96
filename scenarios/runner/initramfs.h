/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initramfs of one VM.
 */
#ifndef GNT_INITRAMFS_H
#define GNT_INITRAMFS_H

#include <jansson.h>
#include <stddef.h>

#include "base/diag.h"
#include "kernel.h"
#include "target.h"

struct gnt_initramfs_options {
	const char *guest_dir; /* NULL: guest/ beside the running program */
	const struct gnt_kernel *kernel;
	const struct gnt_target *target;
	char *const *modules; /* names; loaded by the agent, with what they need */
	size_t module_count;
	const json_t *plan; /* or NULL */
};

/*
 * A sealed-off copy in memory, to be given to QEMU as /proc/self/fd/N: nothing to clean up, and two
 * VMs never share a half-written file. Holds the base image, the parts of the target's userland and
 * its SELinux policy, its modules, what the agent must make of the guest, and the plan.
 */
int gnt_initramfs_open(const struct gnt_initramfs_options *options, int *ret_fd,
		       struct pcl_diag *diag);

#endif
