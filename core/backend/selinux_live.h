/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel has loaded, what of it is ours, and what processes need of ours. Private to the
 * backend.
 */
#ifndef PCL_BACKEND_SELINUX_LIVE_H
#define PCL_BACKEND_SELINUX_LIVE_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>

#include "backend/selinux_record.h"
#include "base/cleanup.h"

/* A type that the policy of a generation has besides, and no other. */
#define PCL_SELINUX_MARK "portcullis_generation_%" PRIu64 "_t"
#define PCL_SELINUX_MARK_LEN 64

#define pcl_selinux_autorecord struct pcl_selinux_record pcl_cleanup(pcl_selinux_record_fini)

/*
 * Between commands, which the engine's lock keeps apart, and a reader of events, who has none of
 * it. On selinuxfs itself, which is there whenever there is anything to be kept apart. -1 without
 * it.
 */
void pcl_selinux_lock(int *ret_fd);

bool pcl_selinux_generation_is_loaded(uint64_t generation);
/* Whether the policy has anything of ours. */
bool pcl_selinux_binary_is_ours(const struct pcl_selinux_binary *policy);

int pcl_selinux_binary_load(const struct pcl_selinux_binary *policy, struct pcl_diag *diag);
int pcl_selinux_binary_get(struct pcl_selinux_binary *policy, struct pcl_diag *diag);
int pcl_selinux_binary_patch(const struct pcl_selinux_binary *from,
			     const struct pcl_selinux_changes *changes,
			     struct pcl_selinux_binary *to, struct pcl_diag *diag);

/* What is written down as applied; 0, and generation 0 where nothing is. */
int pcl_selinux_applied_load(struct pcl_selinux_record *record, struct pcl_diag *diag);

/* The node's own policy, as it was kept. */
int pcl_selinux_original_get(struct pcl_selinux_binary *policy, struct pcl_diag *diag);
/*
 * Loads it, with what processes need of ours, and what kept has already; kept becomes all of that.
 * *ret_kept: there is any.
 */
int pcl_selinux_original_put(const struct pcl_selinux_binary *original,
			     struct pcl_selinux_changes *kept, bool *ret_kept,
			     struct pcl_diag *diag);

/* Adds types that processes have to changes. *ret_any: whether changes had not all of them. */
int pcl_selinux_types_keep(struct pcl_selinux_changes *changes, bool *ret_any,
			   struct pcl_diag *diag);

#endif
