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

#include "cache.h"
#include "question.h"
#include "task.h"

#define REPLACED __weak __noinline

#ifdef PCL_OLD_KERNEL
/* KERNEL: there a function that can be replaced takes numbers only; the question is parked. */
REPLACED int judge_parked(__u64 live)
{
	return -EACCES;
}

static __always_inline int judge_asked(const struct pcl_question *ask, struct inode *dir)
{
	struct pcl_asker asker;
	int found = find_asker(ask->class, &asker);

	if (found <= 0)
		return found;
	asker.state->ask = *ask;
	return judge_parked(asker.live) ? -EACCES : 0;
}
#else
/* For most hooks; who asks is found by the judge. */
REPLACED int judge_whole(const struct pcl_question *ask)
{
	return -EACCES;
}

/* For the hooks that are called all the time. cache is that of the object's directory, or NULL. */
REPLACED int judge_policed(const struct pcl_question *ask, struct pcl_task *state,
			   struct pcl_bpf_domain *domain, __u64 live, struct pcl_dir *cache)
{
	return -EACCES;
}

static __always_inline int judge_asked(const struct pcl_question *ask, struct inode *dir)
{
	struct pcl_asker asker;
	int found;

	if (!(ask->flags & ASK_FAST))
		return judge_whole(ask) ? -EACCES : 0;
	found = find_asker(ask->class, &asker);
	if (found <= 0)
		return found;
	return judge_policed(ask, asker.state, asker.domain, asker.live, dir_cache(dir)) ? -EACCES
											 : 0;
}
#endif

/* 0 or -EACCES. dir is the object's directory; NULL where it is not at hand. */
static __always_inline int judge(__u32 hook, __u32 class, __u32 access, __u64 dentry, __u64 mnt,
				 __u32 flags, struct inode *dir)
{
	struct pcl_question ask = {
		.object = {.dentry = dentry, .mnt = mnt},
		.access = access,
		.class = class,
		.hook = hook,
		.flags = flags,
	};

	return judge_asked(&ask, dir);
}

#endif
