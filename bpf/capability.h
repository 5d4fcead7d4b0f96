/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Capabilities, wherever the kernel asks whether the current task may use one.
 *
 * KERNEL: the capability module is asked first and the chain ends at the first refusal, so only a
 * capability that the task really has gets here. The kernel asks also to try: an open that the mode
 * forbids asks for dac_read_search, then for dac_override. Each is a use that is judged and told
 * of, but for those that the kernel itself asks not to tell of (CAP_OPT_NOAUDIT).
 */
#ifndef PCL_BPF_CAPABILITY_H
#define PCL_BPF_CAPABILITY_H

#include "number.h"

static __always_inline int judge_capability(__u32 hook, __u32 number, __u32 quiet)
{
	struct pcl_number ask = {
		.class = PCL_BPF_CAPABILITY,
		.number = number,
		.hook = hook,
		.access = PCL_BPF_CAPABLE,
		.quiet = quiet,
		.detail = {.number = number},
	};

	return judge_number(&ask) ? -EPERM : 0;
}

SEC("lsm/capable")
int BPF_PROG(pcl_capable, const struct cred *cred, struct user_namespace *ns, int number,
	     unsigned int options)
{
	return judge_capability(PCL_HOOK_CAPABLE, (__u32)number,
				options & CAP_OPT_NOAUDIT ? NUMBER_QUIET : 0);
}

#endif
