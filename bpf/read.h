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

#endif
