/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where checked images are kept: CACHE/images/ID/ with disk.qcow2, perhaps vmlinuz and initrd, and
 * image.json, the record of where they came from and how they were checked.
 *
 * Guarantee: an image is there whole or not at all. It is put together in a folder beside it and
 * renamed; what is not taken is removed.
 */
#ifndef GNT_IMAGE_STORE_H
#define GNT_IMAGE_STORE_H

#include <jansson.h>

#include "base/diag.h"
#include "image.h"

#define GNT_STORE_DISK "disk.qcow2"
#define GNT_STORE_KERNEL "vmlinuz"
#define GNT_STORE_INITRD "initrd"

/* CACHE/images/ID, whether or not it is there; owned. */
int gnt_store_dir(const char *id, char **ret_dir, struct pcl_diag *diag);

/* The record of an image at hand (owned), or -ENOENT with the command that fetches it. */
int gnt_store_record(const struct gnt_image *image, json_t **ret_record, struct pcl_diag *diag);

/*
 * A folder to work in, and a lock on the image, so that two never fetch one at the same time:
 * -EBUSY then. What an earlier fetch that was cut has left is still in it.
 */
struct gnt_work {
	char *dir;
	int lock_fd;
};
int gnt_work_open(const char *id, struct gnt_work *ret_work, struct pcl_diag *diag);
/* Puts the finished image in the place of what was there. */
int gnt_work_finish(struct gnt_work *work, const char *id, const json_t *record,
		    struct pcl_diag *diag);
/* Removes every file in it. */
void gnt_work_clear(const struct gnt_work *work);
/* Gives the lock back; what is in the folder stays if it is not empty. */
void gnt_work_fini(struct gnt_work *work);

#endif
