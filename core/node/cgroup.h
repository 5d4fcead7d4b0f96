/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cgroups (v2) as the identity of containers.
 */
#ifndef PCL_NODE_CGROUP_H
#define PCL_NODE_CGROUP_H

#include <stdint.h>
#include <sys/types.h>

#include "base/diag.h"

#define PCL_CGROUP_DIR "/sys/fs/cgroup"

/*
 * The cgroup at path: absolute, below PCL_CGROUP_DIR, or relative to it. ret_path is its absolute
 * path (owned), ret_id the kernel's id of it. -EINVAL for the root cgroup, which is the host, and
 * for what is no cgroup v2 directory; -ENOENT where it does not exist.
 */
int pcl_cgroup_open(const char *path, char **ret_path, uint64_t *ret_id, struct pcl_diag *diag);

/* The cgroup of a process, likewise. -ESRCH where there is no such process. */
int pcl_cgroup_of_pid(pid_t pid, char **ret_path, uint64_t *ret_id, struct pcl_diag *diag);

/* A descriptor of the root cgroup, or -errno with diag where it cannot be seen. */
int pcl_cgroup_open_root(struct pcl_diag *diag);

/* Some process in the cgroup or below it, or 0 where it is empty or gone. */
pid_t pcl_cgroup_any_pid(const char *path);

#endif
