/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which domain the current task belongs to.
 *
 * A task belongs to the domain whose cgroup it is in or below, or else, to that whose mount
 * namespace it is in, or whose pid namespace it is in or below; once in a container's domain it
 * stays there, and so do its children, whatever cgroup or namespaces they move to. The answer is
 * kept with the task and looked up again when another ruleset is live or the task was moved, and,
 * as long as it is a visitor (visit.h), each time. With it is kept whether the task came in from
 * outside.
 *
 * Only the live ruleset says which domains there are: the maps that lead to domains are filled
 * before it is switched and cleared after, so what they say of any other domain counts as not said.
 */
#ifndef PCL_BPF_TASK_H
#define PCL_BPF_TASK_H

#include "asker.h"
#include "question.h"
#include "read.h"
#include "visit.h"

static __always_inline struct pcl_bpf_domain *domain_entry(__u64 live, __u32 domain)
{
	__u32 index = (live & 1) * PCL_BPF_DOMAINS_MAX + domain;

	return bpf_map_lookup_elem(&domains, &index);
}

/* Takes the domain that a map leads to, where there is one and the live ruleset has it. */
static __always_inline bool take_domain(struct pcl_task *state, const struct pcl_bpf_cgroup *found,
					__u64 live)
{
	struct pcl_bpf_domain *entry = found ? domain_entry(live, found->domain) : NULL;

	if (!entry || entry->incarnation != found->incarnation)
		return false;
	state->domain = found->domain;
	state->incarnation = found->incarnation;
	return true;
}

#ifdef PCL_OLD_KERNEL

struct pcl_search {
	struct pcl_task *state;
	__u64 live;
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

	if (take_domain(search->state, bpf_map_lookup_elem(&cgroups, &id), search->live))
		return 1;
	search->level--;
	return search->level < 1;
}

/* From level upwards, as far as one loop goes. Returns whether that was the end of it. */
__noinline int search_part(__u32 level, __u64 live)
{
	struct task_struct *task = current_task();
	struct pcl_search search = {
		.state = task_state(task),
		.live = live,
		.cgroup = (__u64)GET2(task, cgroups, dfl_cgrp),
		.level = (int)level,
	};

	if (!search.state)
		return 1;
	LOOP(PCL_LOOP_ROUNDS, search_step, &search);
	return search.state->domain || search.level < 1;
}

static __always_inline void search_domain(struct pcl_task *state, __u64 live, __u32 level)
{
	__u32 i;

	state->domain = PCL_BPF_DOMAIN_HOST;
	state->incarnation = 0;
	for (i = 0; i < PCL_LOOP_ROUNDS && i * PCL_LOOP_ROUNDS < level; i++)
		if (search_part(level - i * PCL_LOOP_ROUNDS, live))
			break;
}

#else

struct pcl_search {
	struct pcl_task *state;
	__u64 live;
	int level;
};

static long search_step(__u32 i, struct pcl_search *search)
{
	__u64 id = bpf_get_current_ancestor_cgroup_id(search->level);

	if (take_domain(search->state, bpf_map_lookup_elem(&cgroups, &id), search->live))
		return 1;
	search->level--;
	return search->level < 1;
}

static __always_inline void search_domain(struct pcl_task *state, __u64 live, __u32 level)
{
	struct pcl_search search = {.state = state, .live = live, .level = (int)level};

	state->domain = PCL_BPF_DOMAIN_HOST;
	state->incarnation = 0;
	if (level > 0)
		LOOP(level, search_step, &search);
}

#endif

struct pcl_space_search {
	struct pcl_task *state;
	__u64 live;
	__u64 ns; /* struct pid_namespace */
};

/* Whether the task belongs to the domain of a namespace. */
static __always_inline bool take_space(struct pcl_task *state, __u64 key, __u64 live)
{
	return take_domain(state, bpf_map_lookup_elem(&spaces, &key), live);
}

static long space_step(__u32 i, struct pcl_space_search *search)
{
	struct pid_namespace *ns = (struct pid_namespace *)search->ns;
	__u32 number;

	if (!ns)
		return 1;
	number = BPF_CORE_READ(ns, ns.inum);
	if (take_space(search->state, PCL_SPACE_PID | number, search->live))
		return 1;
	search->ns = (__u64)BPF_CORE_READ(ns, parent);
	return 0;
}

/* KERNEL: pid namespaces are nested at most 32 deep (MAX_PID_NS_LEVEL). */
#define PID_NS_LEVELS 33

/* What a container shares with others tells less: its mount namespace comes first. */
static __always_inline void search_spaces(struct pcl_task *state, __u64 live)
{
	struct pcl_space_search search = {.state = state, .live = live};
	struct task_struct *task = current_task();
	struct pid *pid;
	__u32 level;

	if (take_space(state, PCL_SPACE_MOUNT | state->mount_ns, live))
		return;
	pid = BPF_CORE_READ(task, thread_pid);
	level = BPF_CORE_READ(pid, level);
	bpf_core_read(&search.ns, sizeof(search.ns), &pid->numbers[level].ns);
	LOOP(PID_NS_LEVELS, space_step, &search);
}

static __always_inline __u32 mount_ns_of(struct task_struct *task)
{
	return FOLLOW2(struct task_struct, task, nsproxy, struct nsproxy, mnt_ns)
		       ? FOLLOW3(struct task_struct, task, nsproxy, struct nsproxy, mnt_ns,
				 struct mnt_namespace, ns.inum)
		       : 0;
}

/*
 * Whether the task came into its domain from outside: it was seen elsewhere while the domain was
 * there already, and the domain has executed its first program. A task that is seen for the first
 * time was there before us: each one since is seen when it is born (task_alloc).
 */
static __always_inline bool has_entered(const struct pcl_task *state, __u64 looked)
{
	__u32 domain = state->domain;
	struct pcl_bpf_home *home = bpf_map_lookup_elem(&homes, &domain);

	return home && home->incarnation == state->incarnation && home->mnt_ns &&
	       looked >= home->since;
}

/* looked is what was live when the task was placed last, 0: never. */
GLOBAL int place_task(struct pcl_task *state, __u64 live, __u32 level, __u64 looked)
{
	bool host = state && state->domain == PCL_BPF_DOMAIN_HOST;
	struct pcl_bpf_domain *kept, *placed;

	if (!state)
		return 0;
	forget_asker(current_task());
	kept = state->domain ? domain_entry(live, state->domain) : NULL;
	if (!kept || kept->incarnation != state->incarnation) {
		search_domain(state, live, level);
		if (state->mount_ns && state->domain == PCL_BPF_DOMAIN_HOST)
			search_spaces(state, live);
		state->visiting = host && !state->arrived && is_visitor(state);
		if (state->visiting) {
			state->domain = PCL_BPF_DOMAIN_HOST;
			state->incarnation = 0;
		}
		state->entered = state->domain != PCL_BPF_DOMAIN_HOST && has_entered(state, looked);
	}
	/* Where there is none, all is asked of it, and refused. */
	placed = domain_entry(live, state->domain);
	state->active = placed ? placed->active : ~0u;
	return 0;
}

/* The task executes a program: that is the container's, whoever sent it there. */
static __always_inline void end_visit(struct task_struct *task, struct pcl_task *state, __u64 live)
{
	if (!state->visiting)
		return;
	state->arrived = 1;
	place_task(state, live,
		   FOLLOW3(struct task_struct, task, cgroups, struct css_set, dfl_cgrp,
			   struct cgroup, level),
		   state->live);
}

/* The id of the cgroup that the task is in. */
static __always_inline __u64 cgroup_of(struct task_struct *task)
{
	struct cgroup *cgroup = GET2(task, cgroups, dfl_cgrp);

	return GET2(cgroup, kn, id);
}

/* The current task's state with its domain up to date, or NULL when the kernel has no memory. */
static __always_inline struct pcl_task *current_state(struct task_struct *task, __u64 live)
{
	struct pcl_task *state = task_state(task);
	struct cgroup *cgroup;
	__u64 cgroup_id, looked;
	__u32 mount_ns = 0;

	if (!state) {
		__sync_fetch_and_add(&resident.control.no_room, 1);
		return NULL;
	}
	cgroup = GET2(task, cgroups, dfl_cgrp);
	cgroup_id = cgroup_of(task);
	/* A task of the host may enter a container's namespaces and stay in its cgroup. */
	if (resident.control.spaces)
		mount_ns = mount_ns_of(task);
	if (state->live != live || state->cgroup_id != cgroup_id || state->mount_ns != mount_ns ||
	    state->visiting) {
		looked = state->live;
		state->live = live;
		state->cgroup_id = cgroup_id;
		state->mount_ns = mount_ns;
		place_task(state, live, FOLLOW(struct cgroup, cgroup, level), looked);
	}
	return state;
}

/* Where everybody is the host's, nobody need look who asks. */
static __always_inline bool asks_by_task(void)
{
	return pcl_keeps_askers && !resident.control.alone;
}

/* The domain, for keeping: its incarnation too. */
static __always_inline __u64 domain_word(const struct pcl_task *state)
{
	return (__u64)state->incarnation << 32 | state->domain;
}

/* Who asks, and by which ruleset. */
struct pcl_asker {
	struct pcl_task *state;
	struct pcl_bpf_domain *domain;
	__u64 live;
};

/*
 * The ruleset to judge by, 0: none. What one operation asks after its first question is answered by
 * the ruleset that answered that, else two names of one rename might find a hole between the old
 * ruleset and the new. It is whole until the hook ends (the fence in maps.h).
 */
static __always_inline __u64 live_for(__u32 flags)
{
	struct pcl_task *state;
	__u64 live = live_now();

	if (!(flags & ASK_MORE) || !live)
		return live;
	state = task_state(current_task());
	return state ? state->live : live;
}

/*
 * Who asks, but for domain. 1: its domain has rules of the class. 0: it has none, or nothing is to
 * be judged. Or -EACCES. flags: the question's.
 */
static __always_inline int find_state(__u32 class, __u32 flags, struct pcl_asker *ret_asker)
{
	struct task_struct *task = current_task();
	struct pcl_kept_asker kept;
	__u64 live;

	/* FAIL-OPEN: the kernel's own threads act for the kernel and belong to no domain. */
	if (!(live = live_for(flags)) || (GET(task, flags) & PF_KTHREAD))
		return 0;
	if (!(flags & ASK_FAST) && asks_by_task() &&
	    asker_is_kept(task, live, cgroup_of(task), &kept) && !(kept.active & (1u << class)))
		return 0;
	ret_asker->live = live;
	ret_asker->state = current_state(task, live);
	if (!ret_asker->state)
		return -EACCES;
	/* An execution, or what a loader maps that was executed; not who moves a program. */
	if (class == PCL_BPF_PROCESS && !(flags & ASK_NAMED))
		end_visit(task, ret_asker->state, live);
	if (asks_by_task())
		keep_asker(task, ret_asker->state, domain_word(ret_asker->state));
	return !!(ret_asker->state->active & (1u << class));
}

/* 1, with the domain; or -EACCES. */
static __always_inline int find_rules(struct pcl_asker *asker)
{
	asker->domain = domain_entry(asker->live, asker->state->domain);
	return asker->domain ? 1 : -EACCES;
}

/* Both, and the same answers. */
static __always_inline int find_asker(__u32 class, __u32 flags, struct pcl_asker *ret_asker)
{
	int found = find_state(class, flags, ret_asker);

	return found > 0 ? find_rules(ret_asker) : found;
}

#endif
