/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the running kernel has the variables by which its programs read the arguments of a program
 * that is about to be executed (bpf/args.h). Private to the backend.
 */
#ifndef PCL_BACKEND_BPF_LSM_MEMORY_H
#define PCL_BACKEND_BPF_LSM_MEMORY_H

#include <stdint.h>

#include "backend/backend.h"
#include "backend/bpf_lsm_plan.h"

struct pcl_bpf_memory {
	uint64_t page_offset_base_at; /* 0: no rule asks for arguments */
	uint64_t pgdir_shift_at;      /* 0: page tables have four levels */
	uint64_t physical_mask_at;    /* 0: no bits of addresses are taken */
};

/*
 * All zero where no rule of plan asks for arguments; else 0, or -EOPNOTSUPP and diag names the
 * first that does.
 */
int pcl_bpf_memory_find(const struct pcl_bpf_plan *plan, const struct pcl_backend_input *input,
			struct pcl_bpf_memory *ret_memory, struct pcl_diag *diag);

#endif
