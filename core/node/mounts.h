/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts of a mount namespace, and the name that an object has by the oldest of them that shows it
 * (docs/names.md): a rule whose path leads over a later bind mount means that name too.
 */
#ifndef PCL_NODE_MOUNTS_H
#define PCL_NODE_MOUNTS_H

#include <stddef.h>

#include "base/diag.h"

struct pcl_mount {
	char *device; /* "major:minor" */
	char *root;   /* the directory of the file system that is shown; "/" is all of it */
	char *point;  /* where */
};

/* The oldest first. */
struct pcl_mounts {
	struct pcl_mount *items;
	size_t count;
};

/* From a file as /proc/PID/mountinfo, which tells the places below that process's root. */
int pcl_mounts_read(const char *path, struct pcl_mounts *ret_mounts, struct pcl_diag *diag);
void pcl_mounts_fini(struct pcl_mounts *mounts);

/*
 * The name of what lies at path (absolute, without links). -ENOENT where no mount leads there,
 * -ENAMETOOLONG, -ELOOP where the mounts go round in a circle; -ENOMEM.
 */
int pcl_mounts_name(const struct pcl_mounts *mounts, const char *path, char **ret_name);

/* Whether path is dir or lies below it. */
int pcl_path_is_in(const char *path, const char *dir);

#endif
