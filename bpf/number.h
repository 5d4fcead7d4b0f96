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

static __always_inline int judge_number_policed(const struct pcl_number *ask,
						struct pcl_task *state,
						struct pcl_bpf_domain *domain, __u64 live)
{
	state->number = *ask;
	return judge_parked_number(live);
}
#else
REPLACED int judge_number_policed(const struct pcl_number *ask, struct pcl_task *state,
				  struct pcl_bpf_domain *domain, __u64 live)
{
	return -EACCES;
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
