/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel of the user's own instead of the targets': --kernel with --modules, --kernel-tree,
 * --deb, the same words for every verb that boots. What they name is made ready by
 * scripts/own-kernel.
 */
#ifndef GNT_OWN_KERNEL_H
#define GNT_OWN_KERNEL_H

#include "cli.h"

struct gnt_own_kernel {
	const char *image;   /* --kernel, borrowed */
	const char *modules; /* --modules, borrowed */
	const char *tree;    /* --kernel-tree, borrowed */
	struct gnt_words debs;
	/* By gnt_own_kernel_prepare(); NULL without any of the options. Owned. */
	char *image_path;
	char *modules_path;
};

/* Rows for a table of options. */
#define GNT_OWN_KERNEL_OPTIONS                                                                     \
	{"--kernel", "BZIMAGE", "boot this kernel instead of the targets'"},                       \
		{"--modules", "DIR", "its lib/modules/RELEASE"},                                   \
		{"--kernel-tree", "DIR", "boot the kernel that was built in this tree"},           \
	{                                                                                          \
		"--deb", "FILE", "boot the kernel of this package (repeat for its parts)"          \
	}

void gnt_own_kernel_fini(struct gnt_own_kernel *kernel);

/* Takes one of the options: 0; 1 where name is none of them; -EINVAL with diag. */
int gnt_own_kernel_take(struct gnt_own_kernel *kernel, const char *name, const char *value,
			struct pcl_diag *diag);

/*
 * 0, or with diag -ENOTSUP where the kernel lacks what a guest needs, another negative errno where
 * it is none or not built. Without any option it does nothing.
 */
int gnt_own_kernel_prepare(struct gnt_own_kernel *kernel, struct pcl_diag *diag);

/* The exit code for prepare's error. */
int gnt_own_kernel_exit(int error);

/* The options as they were given, to be given again; owned, "" for none. */
char *gnt_own_kernel_words(const struct gnt_own_kernel *kernel);

#endif
