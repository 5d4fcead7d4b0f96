/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What else a domain's rules mean besides what they say: links followed, later mounts named as the
 * kernel names them, hard links looked for.
 */
#ifndef PCL_ENGINE_PLACES_H
#define PCL_ENGINE_PLACES_H

#include "node/links.h"
#include "policy/resolve.h"

/*
 * Fills aliases (empty before) for a domain whose tasks see root_fd, and whose mounts are those of
 * pid. Appends to notes a line for each place that is no symbolic link's. 0 or -ENOMEM with diag;
 * mounts that cannot be read are no error.
 */
int pcl_places_find(const struct pcl_ruleset *ruleset, int root_fd, int pid,
		    struct pcl_aliases *aliases, char ***notes, size_t *note_count,
		    struct pcl_diag *diag);

#endif
