/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A target: kernel + LSM stack + userland, read from its manifest vm-images/<id>.yaml.
 */
#ifndef GNT_TARGET_H
#define GNT_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

enum gnt_channel {
	GNT_CHANNEL_VIRTIO_SERIAL, /* /dev/virtio-ports/portcullis.agent */
	GNT_CHANNEL_SERIAL,	   /* the second 8250 port, /dev/ttyS1: everywhere, slow */
};

struct gnt_target {
	char *id;	    /* "bottlerocket-6.1" */
	char *title;	    /* one line */
	char *stands_for;   /* the real thing this stands in for; NULL for a plain target */
	char **differences; /* what differs from it, one line each */
	size_t difference_count;
	char *kernel;  /* series in the kernel cache: "6.1", "6.12" */
	char *cmdline; /* appended to the runner's own kernel command line; holds lsm= */
	char **lsm;    /* LSMs that must be active in the guest, in this order */
	size_t lsm_count;
	char **modules; /* kernel modules that the agent loads, without .ko */
	size_t module_count;
	enum gnt_channel channel;
	int memory_mib;
};

/* All manifests of a directory, sorted by id. Owned array; 0 or -errno with diag FILE:LINE:COLUMN.
 */
int gnt_targets_load(const char *dir, struct gnt_target ***ret_targets, size_t *ret_count,
		     struct pcl_diag *diag);
void gnt_targets_free(struct gnt_target ***targets, size_t count);

#endif
