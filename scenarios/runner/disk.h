/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A boot from an image's disk: its seed, and QEMU's words for both.
 *
 * Guarantee: the image in the cache is never written to; what the guest writes is gone with it.
 */
#ifndef GNT_DISK_H
#define GNT_DISK_H

#include <stddef.h>

#include "base/diag.h"
#include "vm.h"

struct gnt_disk {
	char *kernel; /* for a direct boot; NULL: the image's own boot loader */
	char *initrd;
	char **args; /* QEMU's */
	size_t arg_count;
	/* Files of this one boot, removed by gnt_disk_fini(). */
	char *seed_path;
	char *overlay_path;
	char *metadata_path;
};

/* -ENOENT with the command that fetches the image when it is not at hand. */
int gnt_disk_prepare(const struct gnt_vm_options *options, enum gnt_channel channel,
		     struct gnt_disk *ret_disk, struct pcl_diag *diag);
void gnt_disk_fini(struct gnt_disk *disk);

#endif
