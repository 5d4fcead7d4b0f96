/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What differs between the two flavours of the programs, so that all else is written once. The
 * flavour for old kernels (5.10, 5.15) is compiled with PCL_OLD_KERNEL. There
 *
 * - a loop is bounded and followed by the verifier round by round, so it has fewer rounds. What is
 *   not done after the last one counts as unknown: callers look at what the steps left behind,
 *   never at a number of rounds, and refuse where that says "not ended";
 * - a function with pointer arguments is verified anew by each caller (static); a global one may
 *   have numbers only, and is verified once (PART);
 * - the current task is a number, whose fields are read with faults handled (GET);
 * - the state of a task lies in a hash, from which task_free takes it (maps.h).
 */
#ifndef PCL_BPF_LOOP_H
#define PCL_BPF_LOOP_H

#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#ifdef PCL_OLD_KERNEL
#define PCL_IS_OLD true

/* A function that takes pointers, and that is verified once where the kernel can. Not every object
 * calls each of them. */
#define GLOBAL static __noinline __attribute__((unused))

/* Rounds of one bounded loop: the verifier keeps 8,192 branches of one path in mind. */
#define PCL_LOOP_ROUNDS 64u

/*
 * Calls step(i, context) until it returns another value than 0, at most count times. A step that
 * keeps its state in a map converges.
 */
#define LOOP(count, step, context)                                                                 \
	do {                                                                                       \
		for (__u32 i_ = 0; i_ < PCL_LOOP_ROUNDS && i_ < (count); i_++)                     \
			if (step(i_, context))                                                     \
				break;                                                             \
	} while (0)

#define GET(pointer, field) BPF_CORE_READ(pointer, field)
#define GET2(pointer, first, second) BPF_CORE_READ(pointer, first, second)
#define GET3(pointer, first, second, third) BPF_CORE_READ(pointer, first, second, third)

static __always_inline struct task_struct *current_task(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

#else
#define PCL_IS_OLD false

#define GLOBAL __noinline
#define LOOP(count, step, context) bpf_loop(count, step, context, 0)
#define GET(pointer, field) ((pointer)->field)
#define GET2(pointer, first, second) ((pointer)->first->second)
#define GET3(pointer, first, second, third) ((pointer)->first->second->third)

static __always_inline struct task_struct *current_task(void)
{
	return bpf_get_current_task_btf();
}

#endif

#endif
