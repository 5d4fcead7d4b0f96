/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who asks, kept by the task's address: its domain and the classes that it has rules of. Beside
 * containers most of what a node does is the host's, which often has no rules, and a task's state
 * is several times dearer to find.
 *
 * An entry is of the very task, ruleset and cgroup. It is forgotten when the task is placed anew
 * (task.h), so a task that was in a container is none of the host's when it comes back to the
 * host's cgroup; and when its memory becomes another task's. KERNEL: security_task_alloc() comes
 * before anybody can run the new task, and the program there is attached before a ruleset with
 * containers is live.
 *
 * Only the task itself fills its entry, and locks it for that; and it reads its own address last.
 * So what it read before is its own: who else filled the entry meanwhile, took that address away,
 * and only the task itself puts it there again. That takes loads that keep their order.
 */
#ifndef PCL_BPF_ASKER_H
#define PCL_BPF_ASKER_H

#include "address.h"
#include "maps.h"

#if !defined(PCL_OLD_KERNEL) && defined(__TARGET_ARCH_x86)
#define pcl_keeps_askers true
#else
#define pcl_keeps_askers false
#endif

/* In task: the entry is being filled. No address is odd. */
#define ASKER_LOCKED 1ull

static __always_inline struct pcl_kept_asker *asker_entry(__u64 task)
{
	struct pcl_kept_asker *entry = &resident_here()->askers[table_slot(task, PCL_ASKERS_BITS)];

	/* Its address once, not that of each word. */
	asm volatile("" : "+r"(entry));
	return entry;
}

/*
 * KERNEL: ids of cgroups count from 1, and generations do, so this is the same only if both are,
 * as long as neither comes to a million millions or to eight million.
 */
static __always_inline __u64 asker_moment(__u64 live, __u64 cgroup_id)
{
	return (live << 40) + cgroup_id;
}

/* Whether the current task is kept, as it is under live in its cgroup. */
static __always_inline bool asker_is_kept(const struct task_struct *pointer, __u64 live,
					  __u64 cgroup_id, struct pcl_kept_asker *ret)
{
	const struct pcl_kept_asker *kept = asker_entry((__u64)pointer);

	ret->moment = *(volatile __u64 *)&kept->moment;
	if (ret->moment != asker_moment(live, cgroup_id))
		return false;
	ret->domain = *(volatile __u64 *)&kept->domain;
	ret->active = *(volatile __u64 *)&kept->active;
	return hidden(*(volatile __u64 *)&kept->task) == (__u64)pointer;
}

/* What is kept of the address, which becomes another task's, or is placed anew. */
static __always_inline void forget_asker(const struct task_struct *pointer)
{
	struct pcl_kept_asker *kept = asker_entry((__u64)pointer);
	__u64 old = *(volatile __u64 *)&kept->task;

	/* Somebody else who locks it meanwhile, puts another task there. */
	if (pcl_keeps_askers && hidden(old) == (__u64)pointer)
		__sync_bool_compare_and_swap(&kept->task, old, 0);
}

/* For the current task alone. domain as a verdict has it (verdict.h). */
static __always_inline void keep_asker(const struct task_struct *pointer,
				       const struct pcl_task *state, __u64 domain)
{
	struct pcl_kept_asker *kept = asker_entry((__u64)pointer);
	__u64 old = *(volatile __u64 *)&kept->task;

	/* Whose namespaces tell the domain may enter one at any time; who visits, may arrive. */
	if (resident.control.spaces || state->visiting || old == ASKER_LOCKED ||
	    !__sync_bool_compare_and_swap(&kept->task, old, ASKER_LOCKED))
		return;
	*(volatile __u64 *)&kept->moment = asker_moment(state->live, state->cgroup_id);
	*(volatile __u64 *)&kept->domain = domain;
	*(volatile __u64 *)&kept->active = state->active;
	*(volatile __u64 *)&kept->task = (__u64)pointer;
}

#endif
