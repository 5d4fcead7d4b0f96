/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initramfs of one VM: the base image, the target's modules, and the plan if there is one.
 */
#ifndef GNT_INITRAMFS_H
#define GNT_INITRAMFS_H

#include <jansson.h>
#include <stddef.h>

#include "base/diag.h"
#include "kernel.h"

/*
 * A sealed-off copy in memory, to be given to QEMU as /proc/self/fd/N: nothing to clean up, and two
 * VMs never share a half-written file. guest_dir NULL: guest/ beside the running program.
 * plan may be NULL.
 */
int gnt_initramfs_open(const char *guest_dir, const struct gnt_kernel *kernel,
		       char *const *module_names, size_t module_count, const json_t *plan,
		       int *ret_fd, struct pcl_diag *diag);

#endif
