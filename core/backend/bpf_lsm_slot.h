/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan's tables in one of the two slots, of which the other is live. Private to the backend.
 */
#ifndef PCL_BACKEND_BPF_LSM_SLOT_H
#define PCL_BACKEND_BPF_LSM_SLOT_H

#include "backend/bpf_lsm_pins.h"
#include "backend/bpf_lsm_plan.h"

/* Fills the dead slot, after every program that could still read it has ended. */
int pcl_bpf_slot_fill(const struct pcl_pins *pins, const struct pcl_bpf_plan *plan, __u32 slot,
		      struct pcl_diag *diag);

/* Frees the memory of the slot that is dead now. */
void pcl_bpf_slot_empty(const struct pcl_pins *pins, __u32 slot);

#endif
