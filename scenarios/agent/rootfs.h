/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's view of the file system, made from inside its new mount namespace.
 */
#ifndef AGT_ROOTFS_H
#define AGT_ROOTFS_H

/* A tmpfs with copies of the guest's userland becomes "/". 0 or a negative errno. */
int agt_rootfs_enter_own(const char *name);

/* The host's root stays; only /proc is mounted anew for the pid namespace. */
int agt_rootfs_enter_shared(void);

/* Copies what is below from (directories, files, links) to below to. 0 or a negative errno. */
int agt_rootfs_copy_tree(const char *from, const char *to);

#endif
