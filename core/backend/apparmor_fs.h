/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor's files in securityfs: what the kernel mediates, which profiles are ours, load, unload.
 * Private to the backend.
 */
#ifndef PCL_BACKEND_APPARMOR_FS_H
#define PCL_BACKEND_APPARMOR_FS_H

#include <stddef.h>

#include "base/diag.h"

/*
 * Names of profiles that begin so, or with PCL_APPARMOR_PREFIX of the plan, are this backend's to
 * replace and remove.
 */
#define PCL_APPARMOR_MARK "portcullis."

/* What the kernel mediates, in the form that the parser reads: nested "name {value}". Owned. */
int pcl_apparmor_features_read(char **ret_text, struct pcl_diag *diag);

/* Our profiles that are loaded. None where there is no AppArmor. */
int pcl_apparmor_profiles_list(char ***ret_names, size_t *ret_count, struct pcl_diag *diag);

/*
 * Loads compiled profiles, one behind the other: all of them, or on error none. Those of a name
 * that is there are replaced for running tasks, too.
 */
int pcl_apparmor_profiles_load(const void *set, size_t len, struct pcl_diag *diag);

/* 0 too where there is none of that name. */
int pcl_apparmor_profile_unload(const char *name, struct pcl_diag *diag);

#endif
