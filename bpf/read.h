/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading the kernel's memory by address. Addresses are kept as numbers: nothing is locked, so what
 * lies there may be gone, and every read handles its fault.
 */
#ifndef PCL_BPF_READ_H
#define PCL_BPF_READ_H

#include "loop.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* From 6.2: a number becomes a typed pointer that may be read directly, faults handled. */
extern void *bpf_rdonly_cast(void *obj, __u32 btf_id) __ksym __weak;

/* Where false, bpf_probe_read_kernel does the same at several times the price. */
#ifdef PCL_RDONLY_CAST
#define pcl_has_rdonly_cast true
#else
#define pcl_has_rdonly_cast false
#endif

#define READ_FIELD(type, address, field)                                                           \
	({                                                                                         \
		__typeof__(((type *)0)->field) value_;                                             \
		__u64 address_ = (__u64)(address);                                                 \
                                                                                                   \
		if (pcl_has_rdonly_cast)                                                           \
			value_ = ((type *)bpf_rdonly_cast((void *)address_,                        \
							  bpf_core_type_id_kernel(type)))          \
					 ->field;                                                  \
		else                                                                               \
			bpf_core_read(&value_, sizeof(value_), &((type *)address_)->field);        \
		value_;                                                                            \
	})

/*
 * As GET(), for what is followed seldom: each read carries a check. KERNEL: for each pointer that
 * is read through a trusted one (a hook's argument, the current task) the verifier goes through all
 * of the kernel's types up to four times, on each of its ways; what is read by address is not
 * trusted.
 */
#ifdef PCL_RDONLY_CAST
#define OF_PATH(pointer, field) READ_FIELD(struct path, pointer, field)
#define FOLLOW(type, pointer, field) READ_FIELD(type, pointer, field)
#define FOLLOW2(type, pointer, first, type2, second)                                               \
	({                                                                                         \
		__u64 first_ = (__u64)READ_FIELD(type, pointer, first);                            \
		READ_FIELD(type2, first_, second);                                                 \
	})
#define FOLLOW3(type, pointer, first, type2, second, type3, third)                                 \
	({                                                                                         \
		__u64 second_ = (__u64)FOLLOW2(type, pointer, first, type2, second);               \
		READ_FIELD(type3, second_, third);                                                 \
	})
#else
#define OF_PATH(pointer, field) ((pointer)->field) /* of a hook's argument */
#define FOLLOW(type, pointer, field) GET(pointer, field)
#define FOLLOW2(type, pointer, first, type2, second) GET2(pointer, first, second)
#define FOLLOW3(type, pointer, first, type2, second, type3, third)                                 \
	GET3(pointer, first, second, third)
#endif

#endif
