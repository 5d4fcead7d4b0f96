/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks that belong to a domain and are not under its rules: some backends bind a task only as it
 * starts. Never silent: what is found is told with every change and by status.
 */
#ifndef PCL_ENGINE_UNBOUND_H
#define PCL_ENGINE_UNBOUND_H

#include "backend/backend.h"
#include "engine/state.h"

/* Processes are named as far as this; the rest are counted. */
#define PCL_UNBOUND_NAMES 3

struct pcl_unbound {
	size_t counts[PCL_BINDING_COUNT]; /* processes, by how they are bound */
	char *names[PCL_BINDING_COUNT];	  /* "12 nginx, 14 sh"; NULL: none */
};

/*
 * One for each member of state, in its order (owned array); NULL and 0 where the backend binds all
 * at once. 0 or -ENOMEM.
 */
int pcl_unbound_find(const struct pcl_state *state, const struct pcl_backend *backend,
		     struct pcl_unbound **ret_unbound);
void pcl_unbound_free(struct pcl_unbound **unbound, size_t count);

/* A line for people (owned) about one kind; NULL where there is none of it, or no memory. */
char *pcl_unbound_text(const struct pcl_unbound *unbound, enum pcl_binding binding,
		       const struct pcl_backend *backend, const struct pcl_domain *domain);

#endif
