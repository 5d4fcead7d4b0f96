/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The decision about an object that is a number. One look into the trie map at most, then the set
 * says, as for a path.
 */
#ifndef PCL_BPF_DECIDE_NUMBER_H
#define PCL_BPF_DECIDE_NUMBER_H

#include "decide.h"

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

#endif
