/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tasks of the host beside containers. Most of what a node does is theirs, and where the host has
 * no rules nothing of it is judged: so it is kept by the task's address that it is such a task, and
 * its state, which is several times dearer to find, is left alone.
 *
 * An entry is valid for the very task, ruleset and cgroup. It is forgotten when the task is placed
 * anew (task.h), so a task that was in a container is none of the host's when it comes back to the
 * host's cgroup; and when its memory becomes another task's. KERNEL: security_task_alloc() comes
 * before anybody can run the new task, and the program there is attached before a ruleset with
 * containers is live.
 */
#ifndef PCL_BPF_OUTSIDE_H
#define PCL_BPF_OUTSIDE_H

#include "address.h"
#include "maps.h"

static __always_inline struct pcl_outsider *outsider_entry(__u64 task)
{
	return &resident.outsiders[table_slot(task, PCL_OUTSIDERS_BITS)];
}

static __always_inline __u64 outsider_check(__u64 task, __u64 live, __u64 cgroup_id, __u64 active)
{
	return task * 0x9E3779B97F4A7C15ULL + live * 0x94D049BB133111EBULL +
	       cgroup_id * 0xD6E8FEB86659FD93ULL + active;
}

/* Whether the task is known to be the host's, which has no rules of the class. */
static __always_inline bool is_outsider(const struct task_struct *pointer, __u64 live,
					__u64 cgroup_id, __u32 class)
{
	__u64 task = (__u64)pointer, kept_task, active;
	const struct pcl_outsider *kept = outsider_entry(task);

	kept_task = *(volatile __u64 *)&kept->task;
	if (hidden(kept_task) != task)
		return false;
	active = *(volatile __u64 *)&kept->active;
	return !((kept->live ^ live) | (kept->cgroup_id ^ cgroup_id) | (active & (1ull << class)) |
		 (kept->check ^ outsider_check(kept_task, live, cgroup_id, active)));
}

static __always_inline void forget_outsider(const struct task_struct *pointer)
{
	struct pcl_outsider *kept = outsider_entry((__u64)pointer);

	if (hidden(kept->task) == (__u64)pointer)
		*(volatile __u64 *)&kept->task = 0;
}

/* For the task itself alone: so nobody places it meanwhile. */
static __always_inline void keep_outsider(const struct task_struct *pointer,
					  const struct pcl_task *state)
{
	struct pcl_outsider *kept = outsider_entry((__u64)pointer);

	/* Whose namespaces tell the domain may enter one at any time; who visits, may arrive. */
	if (resident.control.spaces || state->domain != PCL_BPF_DOMAIN_HOST || state->visiting)
		return;
	*(volatile __u64 *)&kept->task = (__u64)pointer;
	kept->live = state->live;
	kept->cgroup_id = state->cgroup_id;
	kept->active = state->active;
	kept->check = outsider_check(*(volatile __u64 *)&kept->task, state->live, state->cgroup_id,
				     state->active);
}

#endif
