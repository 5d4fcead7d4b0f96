/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every hook does: it asks a judge. Those that are called all the time look first whether the
 * task's domain has rules of the class, and most operations end there.
 *
 * Judges are programs of their own (judges.bpf.c), which take the place of the functions below in
 * every hook: so the verifier follows the decision once, not once in each of fifty programs, and
 * its limits on frames and stack begin anew there. They are put in before a hook is attached. The
 * functions themselves refuse.
 *
 * Fails closed: without memory for the task's state, or with a map missing, a
 * policed operation is refused.
 */
#ifndef PCL_BPF_JUDGE_H
#define PCL_BPF_JUDGE_H

#include "question.h"
#include "task.h"
#include "verdict.h"

#define REPLACED __weak __noinline

/* Who asks, as far as that is known without looking, and by which ruleset. */
struct pcl_known {
	__u64 live;
	__u64 domain; /* as a verdict has it: PCL_VERDICT_NOBODY where it is not known */
};

/*
 * Whether the asker is known to have no rules of the class. Where everybody is the host's, nobody
 * need look who asks, and a task of which nothing is kept yet costs no more than another. Where
 * there are containers, who asks comes first, since most tasks may be the host's, which has none.
 */
static __always_inline bool is_free(__u32 class, struct pcl_known *ret_known)
{
	const struct pcl_bpf_control *control = &resident_here()->control;
	struct pcl_kept_asker kept;
	struct task_struct *task;

	ret_known->live = *(volatile __u64 *)&control->live;
	ret_known->domain = control->alone ? PCL_VERDICT_ANYONE : PCL_VERDICT_NOBODY;
	if (!pcl_keeps_askers || control->alone)
		return false;
	task = current_task();
	if (!asker_is_kept(task, ret_known->live, cgroup_of(task), &kept))
		return false;
	ret_known->domain = kept.domain;
	return !(kept.active & (1u << class));
}

static __always_inline bool is_permitted(__u64 dentry, __u64 mnt, __u32 access,
					 const struct pcl_known *known)
{
	struct pcl_moment moment;

	return verdict_stands(dentry, mnt, known->live, known->domain, 1ull << access, &moment);
}

#ifdef PCL_OLD_KERNEL
/* KERNEL: there a function that can be replaced takes numbers only; the question is parked. */
REPLACED int judge_parked(__u64 live)
{
	return -EACCES;
}

static __always_inline int judge_policed(const struct pcl_question *ask,
					 const struct pcl_asker *asker)
{
	asker->state->ask = *ask;
	return judge_parked(asker->live) ? -EACCES : 0;
}
#else
/* For most hooks; who asks is found by the judge. */
REPLACED int judge_whole(const struct pcl_question *ask)
{
	return -EACCES;
}

/* For the hooks that are called all the time. */
REPLACED int judge_fast(const struct pcl_question *ask, struct pcl_task *state,
			struct pcl_bpf_domain *domain, __u64 live)
{
	return -EACCES;
}

static __always_inline int judge_policed(const struct pcl_question *ask,
					 const struct pcl_asker *asker)
{
	return judge_fast(ask, asker->state, asker->domain, asker->live) ? -EACCES : 0;
}
#endif

/* 0 or -EACCES. flags are ASK_*; it is not known to be permitted to the domain known. */
static __always_inline int judge_unknown(__u32 hook, __u32 class, __u32 access, __u64 dentry,
					 __u64 mnt, __u32 flags, __u64 known)
{
	struct pcl_question ask = {
		.object = {.dentry = dentry, .mnt = mnt},
		.access = access,
		.class = class,
		.hook = hook,
		.flags = flags,
	};
	struct pcl_asker asker;
	int found = find_state(class, flags, &asker);

	if (found > 0 && (flags & ASK_FAST) && known == PCL_VERDICT_NOBODY &&
	    is_permitted(dentry, mnt, access,
			 &(struct pcl_known){asker.live, domain_word(asker.state)}))
		return 0;
	if (found > 0)
		found = find_rules(&asker);
	return found > 0 ? judge_policed(&ask, &asker) : found;
}

#ifdef PCL_OLD_KERNEL
/* There is one judge for all. */
static __always_inline int judge_slow(__u32 hook, __u32 class, __u32 access, __u64 dentry,
				      __u64 mnt, __u32 flags)
{
	return judge_unknown(hook, class, access, dentry, mnt, flags, PCL_VERDICT_NOBODY);
}
#else
/*
 * KERNEL: a link whose pin was removed goes when a worker comes to it, so while all is removed a
 * hook may be called without its judge. By then nothing is live, and it permits.
 */
static __always_inline int judge_slow(__u32 hook, __u32 class, __u32 access, __u64 dentry,
				      __u64 mnt, __u32 flags)
{
	struct pcl_question ask = {
		.object = {.dentry = dentry, .mnt = mnt},
		.access = access,
		.class = class,
		.hook = hook,
		.flags = flags,
	};

	return live_now() && judge_whole(&ask) ? -EACCES : 0;
}
#endif

/* As judge(), of who is known, for hooks that are called all the time. */
static __always_inline int judge_known(__u32 hook, __u32 class, __u32 access, __u64 dentry,
				       __u64 mnt, __u32 flags, const struct pcl_known *known)
{
	if (is_permitted(dentry, mnt, access, known))
		return 0;
	return judge_unknown(hook, class, access, dentry, mnt, flags, known->domain);
}

/* 0 or -EACCES. flags are ASK_*, and constant. */
static __always_inline int judge(__u32 hook, __u32 class, __u32 access, __u64 dentry, __u64 mnt,
				 __u32 flags)
{
	struct pcl_known known;

	if (!(flags & ASK_FAST))
		return judge_slow(hook, class, access, dentry, mnt, flags);
	if (is_free(class, &known))
		return 0;
	return judge_known(hook, class, access, dentry, mnt, flags, &known);
}

#endif
