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

/*
 * Whether it was permitted to anyone: where everybody is the host's, nobody need look who asks, and
 * a task of which nothing is kept yet costs no more than another. Where there are containers, who
 * asks comes first, since most tasks may be the host's, which has no rules.
 */
static __always_inline bool known_for_anyone(__u64 dentry, __u64 mnt, __u32 access)
{
	struct pcl_moment moment;

	return resident.control.alone &&
	       verdict_stands(dentry, mnt, live_now(), PCL_VERDICT_ANYONE, 1ull << access, &moment);
}

static __always_inline bool known_for_asker(__u64 dentry, __u64 mnt, __u32 access,
					    const struct pcl_asker *asker)
{
	struct pcl_moment moment;

	return !resident.control.alone &&
	       verdict_stands(dentry, mnt, asker->live, verdict_domain(asker->state),
			      1ull << access, &moment);
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

/* 0 or -EACCES, where it is not known for anyone. flags are ASK_*. */
static __always_inline int judge_unknown(__u32 hook, __u32 class, __u32 access, __u64 dentry,
					 __u64 mnt, __u32 flags)
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

	if (found > 0 && (flags & ASK_FAST) && known_for_asker(dentry, mnt, access, &asker))
		return 0;
	if (found > 0)
		found = find_rules(&asker);
	return found > 0 ? judge_policed(&ask, &asker) : found;
}

#ifdef PCL_OLD_KERNEL
/* There is one judge for all. */
#define judge_slow judge_unknown
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

/* 0 or -EACCES. flags are ASK_*, and constant. */
static __always_inline int judge(__u32 hook, __u32 class, __u32 access, __u64 dentry, __u64 mnt,
				 __u32 flags)
{
	if (!(flags & ASK_FAST))
		return judge_slow(hook, class, access, dentry, mnt, flags);
	if (known_for_anyone(dentry, mnt, access))
		return 0;
	return judge_unknown(hook, class, access, dentry, mnt, flags);
}

#endif
