/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this node is: active LSMs, kernel features, host name. Probed, never guessed from a version.
 */
#ifndef PCL_NODE_NODE_H
#define PCL_NODE_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

#define PCL_BPFFS_DIR "/sys/fs/bpf"
#define PCL_SECURITYFS_LSM "/sys/kernel/security/lsm"

struct pcl_node {
	char *hostname;
	char *kernel; /* release, as uname -r */
	char **lsms;  /* active, in the kernel's order */
	size_t lsm_count;
	bool lsms_known; /* securityfs could be read */
	bool btf;	 /* the kernel describes its own types */
	bool bpffs;	 /* pins can be made */
	bool cgroup2;	 /* a cgroup v2 tree is mounted at PCL_CGROUP_DIR */
	bool privileged; /* root, or what stands for it */
};

/* 0 or -ENOMEM; what cannot be found out is false or empty. */
int pcl_node_probe(struct pcl_node **ret_node, struct pcl_diag *diag);
void pcl_node_free(struct pcl_node **node);
bool pcl_node_has_lsm(const struct pcl_node *node, const char *lsm);

#endif
