/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SELinux's files: the mode, the policy, questions to it, and the labels of files. Private to the
 * backend.
 */
#ifndef PCL_BACKEND_SELINUX_FS_H
#define PCL_BACKEND_SELINUX_FS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

enum pcl_selinux_mode {
	PCL_SELINUX_ABSENT, /* not built in, not active, or selinuxfs is not mounted */
	PCL_SELINUX_EMPTY,  /* no policy is loaded: nothing is refused */
	PCL_SELINUX_PERMISSIVE,
	PCL_SELINUX_ENFORCING,
};

enum pcl_selinux_mode pcl_selinux_mode_read(void);

/* The loaded policy. Owned. */
int pcl_selinux_policy_get(void **ret_policy, size_t *ret_size, struct pcl_diag *diag);
/* In the place of the loaded one, in one step; on error that one stays. */
int pcl_selinux_policy_load(const void *policy, size_t size, struct pcl_diag *diag);

/* Whether the loaded policy has a type. false where it cannot be asked. */
bool pcl_selinux_type_is_loaded(const char *type);

/*
 * Whether the loaded policy lets this process have permission of an object of context. -EACCES
 * with diag where it does not; a class that the policy does not have is allowed.
 */
int pcl_selinux_may(const char *context, const char *class_name, const char *permission,
		    struct pcl_diag *diag);
/* The context that the policy gives NAME of initial_contexts. Owned; NULL where it has none. */
char *pcl_selinux_initial_context(const char *name);

/* A file's label; a link's own. Owned; NULL where it has none. */
char *pcl_selinux_label_get(const char *path);
/* 0 or -errno. */
int pcl_selinux_label_set(const char *path, const char *context);

/*
 * Calls fn with the type of each process that runs, perhaps with one many times; stops at an error,
 * which it returns. -errno where processes cannot be seen.
 */
int pcl_selinux_processes(int (*fn)(const char *type, void *context), void *context);

/* "USER:ROLE:TYPE...": where TYPE is, and how long; NULL where context is none. */
const char *pcl_selinux_type_in(const char *context, size_t *ret_len);
/* context with another type. Owned; NULL without memory. context is one. */
char *pcl_selinux_with_type(const char *context, const char *type);

#endif
