/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who is asked what: the beginning of every hook. Most operations end here, since the task belongs
 * to no domain or its domain has no rules of the class; the others go to a judge.
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

static __always_inline int judge_policed(const struct pcl_question *ask, struct pcl_task *state,
					 struct pcl_bpf_domain *domain, __u64 live)
{
	state->ask = *ask;
	return judge_parked(live);
}
#define judge_policed_fast(ask, state, domain, live, cache) judge_policed(ask, state, domain, live)
#else
REPLACED int judge_policed(const struct pcl_question *ask, struct pcl_task *state,
			   struct pcl_bpf_domain *domain, __u64 live)
{
	return -EACCES;
}

/* For the hooks that are called all the time. cache is that of the object's directory, or NULL. */
REPLACED int judge_policed_fast(const struct pcl_question *ask, struct pcl_task *state,
				struct pcl_bpf_domain *domain, __u64 live, struct pcl_dir *cache)
{
	return -EACCES;
}
#endif

/* 0 or -EACCES. Leaves early for a kernel thread and for a domain without rules
 * of the class. */
static __always_inline int judge(__u32 hook, __u32 class, __u32 access, __u64 dentry, __u64 mnt,
				 __u32 flags, struct inode *dir)
{
	struct task_struct *task = current_task();
	struct pcl_bpf_control *ctl = pcl_control();
	struct pcl_bpf_domain *domain;
	struct pcl_task *state;
	struct pcl_question ask = {
		.object = {.dentry = dentry, .mnt = mnt},
		.access = access,
		.class = class,
		.hook = hook,
		.flags = flags,
	};
	__u64 live;

	/* FAIL-OPEN: the kernel's own threads act for the kernel and belong to no
	 * domain. */
	if (!ctl || !(live = ctl->live) || (GET(task, flags) & PF_KTHREAD))
		return 0;
	state = current_state(task, ctl, live);
	if (!state)
		return -EACCES;
	domain = domain_entry(live, state->domain);
	if (!domain)
		return -EACCES;
	if (!(domain->active & (1u << class)))
		return 0;
	if (!PCL_IS_OLD && (flags & ASK_FAST))
		return judge_policed_fast(&ask, state, domain, live, dir_cache(dir)) ? -EACCES : 0;
	return judge_policed(&ask, state, domain, live) ? -EACCES : 0;
}

#endif
