/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a distribution is told at its first boot, and the medium that carries it together with the
 * agent and its tools: user data, and start.sh, which puts the tools in their place and starts the
 * agent as a service under the label that the image's manifest names.
 */
#ifndef GNT_SEED_H
#define GNT_SEED_H

#include <stddef.h>

#include "base/diag.h"
#include "image.h"

struct gnt_seed_config {
	const struct gnt_image *image;
	const char *guest_dir; /* build/guest; portcullis lies beside it */
	const char *work_dir;  /* for files; exists */
	enum gnt_channel channel;
	bool shell; /* a shell on the console instead of the agent */
	char *const *modules;
	size_t module_count;
};

/*
 * Writes WORK/seed.img, an ISO or a FAT file system as the image wants it. 0, or a negative errno
 * with diag. It is the caller's to remove.
 */
int gnt_seed_make(const struct gnt_seed_config *config, const char *path, struct pcl_diag *diag);

/* The user data by itself, as a metadata server hands it out; owned. */
char *gnt_seed_user_data(const struct gnt_image *image);

#endif
