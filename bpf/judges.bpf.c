/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The judges: each takes the place of the function of judge.h or number.h that it is named after,
 * in every hook that calls it. core/backend/bpf_lsm_judges.c puts them in.
 *
 * KERNEL: such a program has the arguments of the function that it replaces, and is verified by
 * itself, with frames and stack of its own. It may replace the function in several programs (from
 * 5.10).
 */
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "decide.h"
#include "decide_number.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#ifdef PCL_OLD_KERNEL
SEC("freplace/judge_parked")
int pcl_judge(__u64 live)
{
	struct pcl_task *state = task_state(current_task());
	struct pcl_bpf_domain *domain = state ? domain_entry(live, state->domain) : NULL;

	return domain ? decide(&state->ask, state, domain, live, false) : -EACCES;
}

SEC("freplace/judge_parked_number")
int pcl_judge_number(__u64 live)
{
	struct pcl_task *state = task_state(current_task());
	struct pcl_bpf_domain *domain = state ? domain_entry(live, state->domain) : NULL;

	return domain ? decide_number(&state->number, state, domain, live) : -EACCES;
}
#else
SEC("freplace/judge_whole")
int pcl_judge(const struct pcl_question *ask)
{
	struct pcl_asker asker;
	int found = ask ? find_asker(ask->class, ask->flags, &asker) : -EACCES;

	return found > 0 ? decide(ask, asker.state, asker.domain, asker.live, false) : found;
}

SEC("freplace/judge_fast")
int pcl_judge_fast(const struct pcl_question *ask, struct pcl_task *state,
		   struct pcl_bpf_domain *domain, __u64 live)
{
	return ask && state && domain ? decide(ask, state, domain, live, true) : -EACCES;
}

SEC("freplace/judge_policed_number")
int pcl_judge_number(const struct pcl_number *ask, struct pcl_task *state,
		     struct pcl_bpf_domain *domain, __u64 live)
{
	return ask && state && domain ? decide_number(ask, state, domain, live) : -EACCES;
}
#endif
