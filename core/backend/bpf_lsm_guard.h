/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the kernel side what is ours, so that it can keep containers away from it (bpf/guard.h).
 * Private to the backend.
 */
#ifndef PCL_BACKEND_BPF_LSM_GUARD_H
#define PCL_BACKEND_BPF_LSM_GUARD_H

#include "backend/bpf_lsm_load.h"
#include "base/diag.h"

struct pcl_pins;

/* Maps, programs and the place of the pins, once they are loaded and pinned. */
int pcl_guard_prepare(const struct pcl_pins *pins, const struct pcl_bpf_object *object,
		      struct pcl_diag *diag);

/* The links that are pinned now. */
int pcl_guard_links(const struct pcl_pins *pins, struct pcl_diag *diag);

#endif
