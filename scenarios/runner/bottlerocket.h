/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bottlerocket's first boot: settings, network and boot configuration on its private partition.
 */
#ifndef GNT_BOTTLEROCKET_H
#define GNT_BOTTLEROCKET_H

#include <stddef.h>

#include "base/diag.h"
#include "image.h"

#define GNT_BOTTLEROCKET_PARTITION "BOTTLEROCKET-PRIVATE"

/*
 * Makes overlay, a qcow2 on top of disk (which is not touched), with user-data.toml, net.toml and
 * bootconfig.data written into the ext4 file system of the partition. work_dir is for files
 * between.
 */
int gnt_bottlerocket_overlay(const struct gnt_image *image, const char *disk, const char *overlay,
			     const char *work_dir, struct pcl_diag *diag);

/*
 * Boot configuration in the form in which the kernel takes it from the end of an initrd, which
 * Bottlerocket's boot loader makes of the file; owned.
 */
int gnt_bootconfig(const char *text, unsigned char **ret_data, size_t *ret_len);

#endif
