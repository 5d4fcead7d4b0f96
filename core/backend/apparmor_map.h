/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which profile stood for which domain and which program, by generation: what a record of the
 * kernel must be looked up in, for it names the profile alone. One file each below /run/portcullis,
 * kept as long as the states of the generations are. Private to the backend.
 */
#ifndef PCL_BACKEND_APPARMOR_MAP_H
#define PCL_BACKEND_APPARMOR_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

struct pcl_apparmor_place {
	char *profile;
	char *source; /* NULL: the domain's own profile */
	uint32_t domain;
	bool kept; /* of a source that no rule names any more, for the tasks that are in it */
};

/* Zero-initialise. */
struct pcl_apparmor_map {
	struct pcl_apparmor_place *places;
	size_t count;
};

/* Copies. 0 or -ENOMEM. */
int pcl_apparmor_map_add(struct pcl_apparmor_map *map, const struct pcl_apparmor_place *place);
void pcl_apparmor_map_fini(struct pcl_apparmor_map *map);
/* NULL where the profile is none of the map's. */
const struct pcl_apparmor_place *pcl_apparmor_map_find(const struct pcl_apparmor_map *map,
						       const char *profile);

int pcl_apparmor_map_save(const struct pcl_apparmor_map *map, uint64_t generation,
			  struct pcl_diag *diag);
/* 0 with an empty map where there is no file. -ENOMEM, -EBADMSG. */
int pcl_apparmor_map_load(uint64_t generation, struct pcl_apparmor_map *ret_map);
void pcl_apparmor_map_delete(uint64_t generation);
/* Of generations up to and including last. */
void pcl_apparmor_maps_prune(uint64_t last);

#endif
