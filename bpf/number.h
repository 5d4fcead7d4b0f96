/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The decision about an object that is a number: a kind of socket, a capability, a system call. One
 * look into the trie map at most, then the set says, as for a path.
 */
#ifndef PCL_BPF_NUMBER_H
#define PCL_BPF_NUMBER_H

#include "judge.h"

#include <bpf/bpf_tracing.h>

/* pcl_number.quiet */
#define NUMBER_QUIET (1u << 0)	 /* no alert at all */
#define NUMBER_PENDING (1u << 1) /* no alert where it is permitted: another hook follows */

static __always_inline int say_number(const struct pcl_number *ask, struct pcl_task *state,
				      __u64 live, const struct pcl_bpf_outcome *outcome)
{
	__u32 refused = outcome->flags & PCL_OUTCOME_REFUSE;
	struct pcl_alert alert = {
		.generation = live >> 1,
		.rule = pcl_outcome_named(outcome),
		.domain = state->domain,
		.flags = refused ? PCL_EVENT_REFUSED : 0,
		.hook = ask->hook,
		.access = ask->access,
	};

	if ((outcome->flags & PCL_OUTCOME_ALERT) && !(ask->quiet & NUMBER_QUIET) &&
	    !(!refused && (ask->quiet & NUMBER_PENDING))) {
		state->detail = ask->detail;
		send_alert(&alert, state);
	}
	return refused ? -EACCES : 0;
}

static __always_inline int decide_number(const struct pcl_number *ask, struct pcl_task *state,
					 struct pcl_bpf_domain *domain, __u64 live)
{
	__u32 class = ask->class - PCL_BPF_CLASS_COUNT;
	const struct pcl_question question = {.access = PCL_BPF_ACCESS_NUMBERED};
	struct pcl_bpf_outcome outcome = {};
	void *trie = trie_of(live);
	__u32 set;

	if (!trie || class >= PCL_BPF_NUMBERED_COUNT)
		return -EACCES;
	set = set_of_number(trie, &domain->numbers[class], ask->number);
	if (join_set(&question, state, set, live, &outcome))
		return -EACCES;
	return say_number(ask, state, live, &outcome);
}

#ifdef PCL_OLD_KERNEL
__noinline int judge_parked_number(__u64 live)
{
	struct pcl_task *state = task_state(current_task());
	struct pcl_bpf_domain *domain = state ? domain_entry(live, state->domain) : NULL;

	return domain ? decide_number(&state->number, state, domain, live) : -EACCES;
}

static __always_inline int judge_number_policed(const struct pcl_number *ask,
						struct pcl_task *state,
						struct pcl_bpf_domain *domain, __u64 live)
{
	state->number = *ask;
	return judge_parked_number(live);
}
#else
/* In the hook itself: the kernel allows eight frames, and the search for the source takes seven. */
static __always_inline int judge_number_policed(const struct pcl_number *ask,
						struct pcl_task *state,
						struct pcl_bpf_domain *domain, __u64 live)
{
	return decide_number(ask, state, domain, live);
}
#endif

/* 0 or -EACCES. Leaves early where the current task's domain has no rules of the class. */
static __always_inline int judge_number(const struct pcl_number *ask)
{
	struct task_struct *task = current_task();
	struct pcl_bpf_control *ctl = pcl_control();
	struct pcl_bpf_domain *domain;
	struct pcl_task *state;
	__u64 live;

	/* FAIL-OPEN: the kernel's own threads act for the kernel and belong to no domain. */
	if (!ctl || !(live = ctl->live) || (GET(task, flags) & PF_KTHREAD))
		return 0;
	state = current_state(task, ctl, live);
	if (!state)
		return -EACCES;
	domain = domain_entry(live, state->domain);
	if (!domain)
		return -EACCES;
	if (!(domain->active & (1u << ask->class)))
		return 0;
	return judge_number_policed(ask, state, domain, live) ? -EACCES : 0;
}

#endif
