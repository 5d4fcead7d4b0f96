/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A kernel that is stuck on purpose: each program loops until a moment that user space sets. For
 * the tests of the harness only; never attached by portcullis.
 *
 * KERNEL: BPF is not preempted by the scheduler on a kernel with voluntary preemption, and at a
 * context switch interrupts are off as well. bpf_loop() is there from 5.17 on.
 */
#include "kernel.h"

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The most that one bpf_loop() takes; nested, about 2^46 rounds: for ever. */
#define ROUNDS (1u << 23)

volatile __u64 stall_until_ns; /* monotonic; 0: not yet */

static long inner(__u32 index, void *unused)
{
	return bpf_ktime_get_ns() >= stall_until_ns;
}

static long outer(__u32 index, void *unused)
{
	bpf_loop(ROUNDS, inner, NULL, 0);
	return bpf_ktime_get_ns() >= stall_until_ns;
}

static __always_inline void stall(void)
{
	if (stall_until_ns)
		bpf_loop(ROUNDS, outer, NULL, 0);
}

SEC("raw_tp/sys_enter")
int stall_preempt_off(void *ctx)
{
	stall();
	return 0;
}

SEC("raw_tp/sched_switch")
int stall_irq_off(void *ctx)
{
	stall();
	return 0;
}
