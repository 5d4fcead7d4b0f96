/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of a policy put together from others. Pure. Private to the backend.
 */
#ifndef PCL_BACKEND_SELINUX_BETWEEN_H
#define PCL_BACKEND_SELINUX_BETWEEN_H

#include "backend/selinux_record.h"

bool pcl_selinux_has_clone(const struct pcl_selinux_changes *changes, const char *name);
/* Unless there is one of that name. base may be NULL. 0 or -ENOMEM. */
int pcl_selinux_clone_add(struct pcl_selinux_changes *changes, const char *name, const char *base);
/* All of from but the marks of generations. 0 or -ENOMEM. */
int pcl_selinux_clones_add(struct pcl_selinux_changes *changes,
			   const struct pcl_selinux_changes *from);

/*
 * What holds while labels change from one ruleset to another: all types and what is entered by
 * them, the old refusals, and the new ones of files, so that a file is never without either. 0 or
 * -ENOMEM.
 */
int pcl_selinux_between(const struct pcl_selinux_record *old, const struct pcl_selinux_record *new,
			struct pcl_selinux_changes *ret_changes);

#endif
