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

enum pcl_known {
	KNOWN_NOT,
	KNOWN_FOR_DOMAIN, /* for one domain */
	KNOWN_FOR_ANYONE,
};

/*
 * Whether the same was permitted before and would be again. Where everybody is the host's, nobody
 * need look who asks, and a task of which nothing is kept yet costs no more than another.
 */
static __always_inline enum pcl_known known_before(__u64 dentry, __u64 mnt, __u32 access,
						   __u64 *ret_domain)
{
	struct pcl_bpf_control *ctl = pcl_control();

	if (!ctl || !verdict_stands(dentry, mnt, ctl->live, access, ret_domain))
		return KNOWN_NOT;
	return *ret_domain == PCL_VERDICT_ANYONE ? KNOWN_FOR_ANYONE : KNOWN_FOR_DOMAIN;
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

#ifndef PCL_OLD_KERNEL
/*
 * KERNEL: a link whose pin was removed goes when a worker comes to it, so while all is removed a
 * hook may be called without its judge. By then nothing is live, and it permits.
 */
static __always_inline bool is_anything_live(void)
{
	struct pcl_bpf_control *ctl = pcl_control();

	return ctl && ctl->live;
}
#endif

/* 0 or -EACCES. flags are ASK_*. */
static __always_inline int judge(__u32 hook, __u32 class, __u32 access, __u64 dentry, __u64 mnt,
				 __u32 flags)
{
	struct pcl_question ask = {
		.object = {.dentry = dentry, .mnt = mnt},
		.access = access,
		.class = class,
		.hook = hook,
		.flags = flags,
	};
	enum pcl_known known = KNOWN_NOT;
	struct pcl_asker asker;
	__u64 domain = 0;
	int found;

#ifndef PCL_OLD_KERNEL
	if (!(flags & ASK_FAST))
		return is_anything_live() && judge_whole(&ask) ? -EACCES : 0;
#endif
	if (flags & ASK_FAST)
		known = known_before(dentry, mnt, access, &domain);
	if (known == KNOWN_FOR_ANYONE)
		return 0;
	found = find_state(class, flags, &asker);
	if (found > 0 && known && domain == verdict_domain(asker.state))
		return 0;
	if (found > 0)
		found = find_rules(class, &asker);
	return found > 0 ? judge_policed(&ask, &asker) : found;
}

#endif
