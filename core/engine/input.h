/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a state to what a backend takes: a ruleset per domain, the links on this node's paths.
 */
#ifndef PCL_ENGINE_INPUT_H
#define PCL_ENGINE_INPUT_H

#include "backend/backend.h"
#include "engine/state.h"

struct pcl_input {
	struct pcl_backend_input backend; /* points into the rest and into the state */
	struct pcl_ruleset **rulesets;	  /* one per member */
	struct pcl_aliases *aliases;	  /* one per member */
	struct pcl_backend_domain *domains;
	const struct pcl_rule **rules;
	size_t count; /* of members */
	char **notes; /* places that rules mean and do not say, a line each */
	size_t note_count;
};

/* The state must outlive the input. -ENOMEM with diag. */
int pcl_input_make(const struct pcl_state *state, struct pcl_input **ret_input,
		   struct pcl_diag *diag);
void pcl_input_free(struct pcl_input **input);

#endif
