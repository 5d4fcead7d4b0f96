/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the rules of a ruleset that may match an operation without looking at the others: a hash
 * table from what a rule is about (a path, a directory, a pattern's literal beginning, a name, a
 * protocol, ...) to the rules' ranks. It only narrows down: whether a rule matches is decided by
 * pcl_rule_matches(), so a collision of hashes costs time and decides nothing.
 */
#ifndef PCL_POLICY_INDEX_H
#define PCL_POLICY_INDEX_H

#include "policy/decide.h"

/* Over ruleset's rules, which must stay as they are. 0 or -ENOMEM. */
int pcl_index_new(const struct pcl_ruleset *ruleset, struct pcl_index **ret_index);
void pcl_index_free(struct pcl_index **index);

/*
 * Calls visit with the rank of every rule that may match the operation, in no order, perhaps more
 * than once. Every rule that does match is visited.
 */
void pcl_index_find(const struct pcl_index *index, const struct pcl_operation *operation,
		    void (*visit)(void *context, size_t rank), void *context);

#endif
