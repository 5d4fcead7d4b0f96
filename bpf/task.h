/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which domain the current task belongs to.
 *
 * A task belongs to the domain whose cgroup it is in or below; once in a container's domain it
 * stays there, and so do its children, whatever cgroup or namespaces they move to. The answer is
 * kept with the task and looked up again when domains came or went or the task was moved.
 */
#ifndef PCL_BPF_TASK_H
#define PCL_BPF_TASK_H

#include "maps.h"

#include <bpf/bpf_core_read.h>

struct pcl_search {
	int level;
	struct pcl_bpf_cgroup found;
};

static long search_step(__u32 i, struct pcl_search *search)
{
	__u64 id = bpf_get_current_ancestor_cgroup_id(search->level);
	struct pcl_bpf_cgroup *cgroup = bpf_map_lookup_elem(&cgroups, &id);

	if (cgroup) {
		search->found = *cgroup;
		return 1;
	}
	search->level--;
	return search->level < 1;
}

static __always_inline struct pcl_bpf_domain *domain_entry(__u64 live, __u32 domain)
{
	__u32 index = (live & 1) * PCL_BPF_DOMAINS_MAX + domain;

	return bpf_map_lookup_elem(&domains, &index);
}

__noinline int place_task(struct pcl_task *state, __u64 live, __u64 epoch, __u64 cgroup_id,
			  __u32 level)
{
	struct pcl_search search = {.level = (int)level};
	struct pcl_bpf_domain *kept;

	if (!state)
		return 0;
	kept = state->domain ? domain_entry(live, state->domain) : NULL;
	if (!kept || kept->incarnation != state->incarnation) {
		if (level > 0)
			bpf_loop(level, search_step, &search, 0);
		state->domain = search.found.domain;
		state->incarnation = search.found.incarnation;
	}
	state->cgroup_id = cgroup_id;
	state->epoch = epoch;
	return 0;
}

/* The current task's state with its domain up to date, or NULL when the kernel has no memory. */
static __always_inline struct pcl_task *current_state(struct task_struct *task,
						      struct pcl_bpf_control *ctl, __u64 live)
{
	struct pcl_task *state =
		bpf_task_storage_get(&tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct cgroup *cgroup;
	__u64 cgroup_id, epoch;

	if (!state)
		return NULL;
	cgroup = task->cgroups->dfl_cgrp;
	cgroup_id = cgroup->kn->id;
	epoch = ctl->epoch;
	if (state->epoch != epoch || state->cgroup_id != cgroup_id)
		place_task(state, live, epoch, cgroup_id, cgroup->level);
	return state;
}

#endif
