/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount and pid namespaces as the identity of a container, where no cgroup (v2) of its own tells
 * its tasks. A namespace's number may be used again once it is gone, so those of a domain are kept:
 * bind mounts of /proc/PID/ns/... below PCL_SPACES_DIR, which outlive this process.
 */
#ifndef PCL_NODE_SPACES_H
#define PCL_NODE_SPACES_H

#include <stdint.h>
#include <sys/types.h>

#include "base/diag.h"

#define PCL_SPACES_DIR "/run/portcullis/namespaces"

struct pcl_spaces {
	uint32_t mount; /* numbers; 0: the host's own, by which nothing is told */
	uint32_t pid;
	int mount_fd; /* open as long as they must not go; -1 */
	int pid_fd;
};

#define PCL_SPACES_NONE                                                                            \
	{                                                                                          \
		.mount_fd = -1, .pid_fd = -1                                                       \
	}

/*
 * Those of a process, held open. -ESRCH where there is no such process, -EINVAL where it has both
 * of the host's.
 */
int pcl_spaces_of_pid(pid_t pid, struct pcl_spaces *ret_spaces, struct pcl_diag *diag);
void pcl_spaces_close(struct pcl_spaces *spaces);

/* Keeps them under a number that no other domain has had, until pcl_spaces_drop() of it. */
int pcl_spaces_keep(const struct pcl_spaces *spaces, uint32_t number, struct pcl_diag *diag);
void pcl_spaces_drop(uint32_t number);
void pcl_spaces_drop_all(void);

/* Some process that is in them, or 0. */
pid_t pcl_spaces_any_pid(uint32_t mount, uint32_t pid);

#endif
