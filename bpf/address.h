/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses as keys: of tables that forget, whose entries hold what they are about. */
#ifndef PCL_BPF_ADDRESS_H
#define PCL_BPF_ADDRESS_H

#include "loop.h"

/*
 * The lower half of an address that may be a pointer: with that the verifier allows arithmetic.
 * KERNEL: it does so where who loads the program may know addresses. The compiler would shift.
 */
static __always_inline __u64 low_half(__u64 address)
{
	register __u64 from asm("r1") = address;
	__u32 half;

	asm volatile("%0 = w1" : "=w"(half) : "r"(from));
	return half;
}

/* The place of an address in a table of 1 << bits entries. */
static __always_inline __u32 table_slot(__u64 address, __u32 bits)
{
	return (__u32)(low_half(address) * 0x9E3779B97F4A7C15ULL >> (64 - bits));
}

/* The same, so that the compiler does not take what it equals in its stead: a pointer. */
static __always_inline __u64 hidden(__u64 number)
{
	asm volatile("" : "+r"(number));
	return number;
}

#endif
