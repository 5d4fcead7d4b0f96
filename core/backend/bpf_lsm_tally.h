/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counts of alerts by domain, and their rate. Private to the backend.
 */
#ifndef PCL_BACKEND_BPF_LSM_TALLY_H
#define PCL_BACKEND_BPF_LSM_TALLY_H

#include "backend/backend.h"

struct pcl_pins;

/* Before the switch: the counts of domains that come begin at 0, those of the others go on. */
void pcl_bpf_tally_prepare(const struct pcl_pins *pins, const struct pcl_backend_input *input);
void pcl_bpf_tally_sum(const struct pcl_pins *pins, struct pcl_backend_tally *ret_sum);

/* struct pcl_backend's tallies. */
int pcl_bpf_tally_read(const uint32_t *ids, size_t count, struct pcl_backend_tally *ret_tallies,
		       struct pcl_diag *diag);

#endif
