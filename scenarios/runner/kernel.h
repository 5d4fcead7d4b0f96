/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel a VM boots: one of the cache that scripts/kernels fills, or a file of the user's.
 */
#ifndef GNT_KERNEL_H
#define GNT_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

struct gnt_kernel {
	char *image;	   /* bzImage */
	char *modules_dir; /* lib/modules/RELEASE, or NULL: everything is built in */
};

/* ${PORTCULLIS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/portcullis}; owned. */
int gnt_kernel_cache_dir(char **ret_dir, struct pcl_diag *diag);

/* -ENOENT with the command that mends it when the series is not in the cache. */
int gnt_kernel_find(const char *series, struct gnt_kernel *ret_kernel, struct pcl_diag *diag);

/* "7.3" for the series "7" of the cache. Owned; -ENOENT where the cache has none. */
int gnt_kernel_version(const char *series, char **ret_version, struct pcl_diag *diag);

/* A kernel by path; modules_dir may be NULL. */
int gnt_kernel_own(const char *image, const char *modules_dir, struct gnt_kernel *ret_kernel,
		   struct pcl_diag *diag);

void gnt_kernel_fini(struct gnt_kernel *kernel);

/*
 * The files, relative to modules_dir, that must be loaded for names, dependencies first; built-in
 * ones are left out. Owned, with owned strings. -ENOENT with diag for a module nobody knows.
 */
int gnt_kernel_modules(const struct gnt_kernel *kernel, char *const *names, size_t name_count,
		       char ***ret_files, size_t *ret_count, struct pcl_diag *diag);

/* Whether name is a module of this kernel or built in. */
bool gnt_kernel_has_module(const struct gnt_kernel *kernel, const char *name);

/* A release or series ("6.1", "5.10.0-46-cloud-amd64") as a number to compare, or -EINVAL. */
int gnt_kernel_number(const char *release);

#endif
