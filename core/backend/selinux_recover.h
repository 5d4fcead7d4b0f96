/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways back: removal, and what a change that was cut short or somebody else's policy has left. The
 * caller has the lock (selinux_live.h). Private to the backend.
 */
#ifndef PCL_BACKEND_SELINUX_RECOVER_H
#define PCL_BACKEND_SELINUX_RECOVER_H

#include "backend/selinux_live.h"

/* Puts right whatever is found. *ret_generation: what is applied then. */
int pcl_selinux_recover(uint64_t *ret_generation, struct pcl_diag *diag);
/* Takes all of it away. */
int pcl_selinux_remove_all(struct pcl_diag *diag);
/* Back to what was applied, labels first: until then the policy has the types of both. */
int pcl_selinux_undo(const struct pcl_selinux_record *next, struct pcl_diag *diag);
/* Records; the node's policy too unless something of ours is in the loaded one (kept). */
void pcl_selinux_forget(bool kept);

/*
 * Rules that keep directories from being read keep us from seeing what lies there, so for the time
 * of looking they do not, all else goes on; until the end of it.
 */
int pcl_selinux_look_begin(const struct pcl_selinux_record *applied,
			   const struct pcl_selinux_binary *original, struct pcl_diag *diag);
int pcl_selinux_look_end(const struct pcl_selinux_record *applied,
			 const struct pcl_selinux_binary *original, struct pcl_diag *diag);

#endif
