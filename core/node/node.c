/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes of the node. Each asks the kernel for the thing itself: a file that must be readable, a
 * file system's magic. Changes nothing.
 */
#include "node/node.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "node/cgroup.h"

#define BTF_PATH "/sys/kernel/btf/vmlinux"
/* The kernel joins at most a dozen short names. */
#define LSM_LIST_MAX 4096

static bool is_filesystem(const char *path, long magic)
{
	struct statfs stats;

	return statfs(path, &stats) == 0 && (long)stats.f_type == magic;
}

static int read_lsms(struct pcl_node *node)
{
	pcl_autofclose FILE *file = fopen(PCL_SECURITYFS_LSM, "re");
	char text[LSM_LIST_MAX], *rest = text, *name;
	size_t len;

	if (!file)
		return 0;
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	node->lsms_known = true;
	while ((name = strsep(&rest, ",")))
		if (*name && pcl_strings_add(&node->lsms, &node->lsm_count, name))
			return -ENOMEM;
	return 0;
}

int pcl_node_probe(struct pcl_node **ret_node, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_node_free) struct pcl_node *node = calloc(1, sizeof(*node));
	struct utsname names;

	if (!node)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	if (uname(&names) < 0)
		return pcl_diag_errno(diag, -errno, "uname");
	node->hostname = strdup(names.nodename);
	node->kernel = strdup(names.release);
	if (!node->hostname || !node->kernel || read_lsms(node))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	node->btf = access(BTF_PATH, R_OK) == 0;
	node->bpffs = is_filesystem(PCL_BPFFS_DIR, BPF_FS_MAGIC);
	node->cgroup2 = is_filesystem(PCL_CGROUP_DIR, CGROUP2_SUPER_MAGIC);
	node->privileged = geteuid() == 0;
	*ret_node = pcl_take_ptr(node);
	return 0;
}

void pcl_node_free(struct pcl_node **node)
{
	if (!*node)
		return;
	pcl_strings_free(&(*node)->lsms, &(*node)->lsm_count);
	free((*node)->hostname);
	free((*node)->kernel);
	free(*node);
	*node = NULL;
}

bool pcl_node_has_lsm(const struct pcl_node *node, const char *lsm)
{
	for (size_t i = 0; i < node->lsm_count; i++)
		if (!strcmp(node->lsms[i], lsm))
			return true;
	return false;
}
