/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the backend does of each rule that is applied, kept with the state: asked once, when the
 * policies are applied, and shown from then on.
 */
#ifndef PCL_ENGINE_STATUSES_H
#define PCL_ENGINE_STATUSES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"

/* A status with its reason. */
struct pcl_status_kind {
	enum pcl_status status;
	char *reason; /* owned */
	size_t count; /* rules that are so */
};

struct pcl_statuses {
	struct pcl_status_kind *kinds; /* all but exact, in the order of their first rules */
	size_t kind_count;
	uint32_t *kind_of; /* by a rule's number - 1: 0 for exact, else an index in kinds + 1 */
	size_t rule_count;
};

void pcl_statuses_fini(struct pcl_statuses *statuses);

/* Asks backend of each of rules, which are in the order of their numbers. 0 or -ENOMEM. */
int pcl_statuses_ask(const struct pcl_backend *backend, unsigned kernel,
		     const struct pcl_rule *const *rules, size_t count,
		     struct pcl_statuses *ret_statuses);

/* Of the rule of a number; exact where nobody was asked. The reason is borrowed. */
struct pcl_rule_status pcl_statuses_get(const struct pcl_statuses *statuses, uint32_t number);

/* How many rules have the status; 0 of exact where nobody was asked. */
size_t pcl_statuses_count(const struct pcl_statuses *statuses, enum pcl_status status);

/* An array of objects, or NULL without memory. */
json_t *pcl_statuses_to_json(const struct pcl_statuses *statuses);
/* Of count rules. -EBADMSG for what the other would not have written; -ENOMEM. */
int pcl_statuses_from_json(const json_t *json, size_t count, struct pcl_statuses *ret_statuses);

#endif
