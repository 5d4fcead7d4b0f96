/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who is in a container's cgroup and not in the container yet.
 *
 * A runtime that executes something in a container (crun exec) puts its own process into the
 * cgroup first: that still stands in the host's namespaces, runs the host's program and opens the
 * host's files, which have no name in the container. Such a visitor is the host's until it enters
 * the container's mount namespace or executes a program.
 *
 * Nobody becomes a visitor who was in a domain before, since that is kept with the task (task.h);
 * and nobody who is in a pid namespace of its own, or runs a program of the container's.
 */
#ifndef PCL_BPF_VISIT_H
#define PCL_BPF_VISIT_H

#include "mount.h"

/* Whether the current task, which lies in state's domain by its cgroup, is a visitor there. */
static __always_inline bool is_visitor(const struct pcl_task *state)
{
	struct task_struct *task = current_task();
	__u32 host = PCL_BPF_DOMAIN_HOST, domain = state->domain;
	struct pcl_bpf_home *hosts = bpf_map_lookup_elem(&homes, &host);
	struct pcl_bpf_home *home = bpf_map_lookup_elem(&homes, &domain);
	__u32 ns = namespace_of_task(task);
	__u64 mnt;

	if (!hosts || !home || home->incarnation != state->incarnation || !home->mnt_ns ||
	    ns == home->mnt_ns || ns != hosts->mnt_ns || BPF_CORE_READ(task, thread_pid, level))
		return false;
	mnt = (__u64)BPF_CORE_READ(task, mm, exe_file, f_path.mnt);
	return mnt && namespace_of(mount_of(mnt)) != home->mnt_ns;
}

#endif
