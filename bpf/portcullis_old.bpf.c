/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The same programs for kernels that lack bpf_loop, task storage or pointer arguments of global
 * functions (5.10, 5.15); loop.h says what stands in their place. core/backend/bpf_lsm_load.c
 * chooses.
 */
#define PCL_OLD_KERNEL 1
#include "portcullis.bpf.c"
