/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls, which are only audited: told of as they begin, whatever comes of them.
 *
 * KERNEL: what replaces a function of LSM programs cannot replace one of a tracepoint's, so this
 * one program decides by itself.
 */
#ifndef PCL_BPF_SYSCALLS_H
#define PCL_BPF_SYSCALLS_H

#include "decide_number.h"
#include "number.h"

#if defined(__TARGET_ARCH_arm64)
#define TIF_32BIT (1ul << 22)
#else
#define TS_COMPAT 0x2
#endif

/*
 * Whether the call is one of a 32-bit program. KERNEL: x86 says so with the task for as long as the
 * call takes, int 0x80 of a 64-bit program included, and before the tracepoint.
 */
static __always_inline bool is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_arm64)
	struct task_struct___arm64 *arch = (void *)task;

	return BPF_CORE_READ(arch, thread_info.flags) & TIF_32BIT;
#else
	struct task_struct___x86 *arch = (void *)task;

	return BPF_CORE_READ(arch, thread_info.status) & TS_COMPAT;
#endif
}

/* KERNEL: outside of a system call the number is -1; a tracer may have set it to that. */
SEC("tp_btf/sys_enter")
int BPF_PROG(pcl_sys_enter, struct pt_regs *regs, long id)
{
	__u32 number = (__u32)id;
	struct pcl_number ask = {
		.class = PCL_BPF_SYSCALL,
		.hook = PCL_HOOK_SYS_ENTER,
		.access = PCL_BPF_SYSTEM_CALL,
	};
	struct pcl_asker asker;

	if (id < 0 || find_asker(PCL_BPF_SYSCALL, 0, &asker) <= 0)
		return 0;
	if (is_compat(current_task()))
		number |= PCL_SYSCALL_COMPAT;
	ask.number = number;
	ask.detail.number = number;
	decide_number(&ask, asker.state, asker.domain, asker.live);
	return 0;
}

#endif
