/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node's view for a plan: what its file systems hold, and what its policy has. Private to the
 * backend.
 */
#ifndef PCL_BACKEND_SELINUX_LOOK_H
#define PCL_BACKEND_SELINUX_LOOK_H

#include <sys/types.h>

#include "backend/selinux_plan.h"

/*
 * Of the files of this process's root, across mounts, without what the kernel, the network and
 * overlays show (their layers are seen where they lie). policy is the node's own, and is only
 * asked. Of input the sources are looked at that the host's rules name. -EACCES with diag where a
 * directory may not be read.
 */
int pcl_selinux_look(const struct pcl_backend_input *input, struct pcl_selinux_policy *policy,
		     struct pcl_selinux_view **ret_view, struct pcl_diag *diag);

/* Whether files of that file system are looked at, and can be given labels. */
bool pcl_selinux_is_looked_at(dev_t device);

/* A file that may have a label of ours. Returning nonzero ends the walk with that value. */
typedef int (*pcl_selinux_file_fn)(const char *path, void *context);
/* The same walk, for whoever wants no view. */
int pcl_selinux_walk(pcl_selinux_file_fn fn, void *context, struct pcl_diag *diag);

/* The clones that a policy has, as changes that would make them: names and bases, no refusals. */
int pcl_selinux_clones_of(const void *policy, size_t size, struct pcl_selinux_changes *changes,
			  struct pcl_diag *diag);

#endif
