/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* As judge.h, about an object that is a number: a kind of socket, a capability, a system call. */
#ifndef PCL_BPF_NUMBER_H
#define PCL_BPF_NUMBER_H

#include "judge.h"

#include <bpf/bpf_tracing.h>

#ifdef PCL_OLD_KERNEL
REPLACED int judge_parked_number(__u64 live)
{
	return -EACCES;
}
#define judge_number_policed(ask, asker)                                                           \
	((asker)->state->number = *(ask), judge_parked_number((asker)->live))
#else
REPLACED int judge_policed_number(const struct pcl_number *ask, struct pcl_task *state,
				  struct pcl_bpf_domain *domain, __u64 live)
{
	return -EACCES;
}
#define judge_number_policed(ask, asker)                                                           \
	judge_policed_number(ask, (asker)->state, (asker)->domain, (asker)->live)
#endif

/* 0 or -EACCES. */
static __always_inline int judge_number(const struct pcl_number *ask)
{
	struct pcl_asker asker;
	int found = find_asker(ask->class, 0, &asker);

	if (found <= 0)
		return found;
	return judge_number_policed(ask, &asker) ? -EACCES : 0;
}

#endif
