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

#ifdef PCL_OLD_KERNEL

struct pcl_search {
	struct pcl_task *state;
	__u64 cgroup; /* of the current task */
	int level;
};

/* KERNEL: before 6.1 a cgroup holds the ids of all that are above it. */
static __always_inline __u64 ancestor_id(const struct pcl_search *search)
{
	__u64 id = 0;

	bpf_probe_read_kernel(&id, sizeof(id),
			      (void *)(search->cgroup +
				       bpf_core_field_offset(struct cgroup___ids, ancestor_ids) +
				       sizeof(id) * (__u64)search->level));
	return id;
}

static long search_step(__u32 i, struct pcl_search *search)
{
	__u64 id = ancestor_id(search);
	struct pcl_bpf_cgroup *cgroup = bpf_map_lookup_elem(&cgroups, &id);

	if (cgroup) {
		search->state->domain = cgroup->domain;
		search->state->incarnation = cgroup->incarnation;
		return 1;
	}
	search->level--;
	return search->level < 1;
}

/* From level upwards, as far as one loop goes. Returns whether that was the end of it. */
__noinline int search_part(__u32 level)
{
	struct task_struct *task = current_task();
	struct pcl_search search = {
		.state = task_state(task),
		.cgroup = (__u64)GET2(task, cgroups, dfl_cgrp),
		.level = (int)level,
	};

	if (!search.state)
		return 1;
	LOOP(PCL_LOOP_ROUNDS, search_step, &search);
	return search.state->domain || search.level < 1;
}

static __always_inline void search_domain(struct pcl_task *state, __u32 level)
{
	__u32 i;

	state->domain = PCL_BPF_DOMAIN_HOST;
	state->incarnation = 0;
	for (i = 0; i < PCL_LOOP_ROUNDS && i * PCL_LOOP_ROUNDS < level; i++)
		if (search_part(level - i * PCL_LOOP_ROUNDS))
			break;
}

#else

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

static __always_inline void search_domain(struct pcl_task *state, __u32 level)
{
	struct pcl_search search = {.level = (int)level};

	if (level > 0)
		LOOP(level, search_step, &search);
	state->domain = search.found.domain;
	state->incarnation = search.found.incarnation;
}

#endif

static __always_inline struct pcl_bpf_domain *domain_entry(__u64 live, __u32 domain)
{
	__u32 index = (live & 1) * PCL_BPF_DOMAINS_MAX + domain;

	return bpf_map_lookup_elem(&domains, &index);
}

GLOBAL int place_task(struct pcl_task *state, __u64 live, __u64 epoch, __u64 cgroup_id, __u32 level)
{
	struct pcl_bpf_domain *kept;

	if (!state)
		return 0;
	kept = state->domain ? domain_entry(live, state->domain) : NULL;
	if (!kept || kept->incarnation != state->incarnation)
		search_domain(state, level);
	state->cgroup_id = cgroup_id;
	state->epoch = epoch;
	return 0;
}

/* The current task's state with its domain up to date, or NULL when the kernel has no memory. */
static __always_inline struct pcl_task *current_state(struct task_struct *task,
						      struct pcl_bpf_control *ctl, __u64 live)
{
	struct pcl_task *state = task_state(task);
	struct cgroup *cgroup;
	__u64 cgroup_id, epoch;

	if (!state)
		return NULL;
	cgroup = GET2(task, cgroups, dfl_cgrp);
	cgroup_id = GET2(cgroup, kn, id);
	epoch = ctl->epoch;
	if (state->epoch != epoch || state->cgroup_id != cgroup_id)
		place_task(state, live, epoch, cgroup_id, GET(cgroup, level));
	return state;
}

#endif
