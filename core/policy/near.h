/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the rules that hold an object, whatever their source and action, in order of arrival: what
 * lint compares a rule with. decide asks for one verdict; this asks for everybody who has a say.
 */
#ifndef PCL_POLICY_NEAR_H
#define PCL_POLICY_NEAR_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/decide.h"

/* More rules about one object than this are not compared; lint then says so. */
#define PCL_NEAR_MAX 64

struct pcl_near_index;

struct pcl_near {
	const struct pcl_rule *rules[PCL_NEAR_MAX];
	size_t count;
	bool cut;      /* there were more */
	size_t visits; /* rules that had to be looked at: what a decision costs, too */
};

/*
 * Over ruleset, which was resolved from set and outlives the index; the order of set's policies is
 * that of arrival. 0 or -ENOMEM.
 */
int pcl_near_index_new(const struct pcl_policy_set *set, const struct pcl_ruleset *ruleset,
		       struct pcl_near_index **ret_index);
void pcl_near_index_free(struct pcl_near_index **index);

/*
 * Rules whose matcher holds the operation's object: of the operation's class, and for an operation
 * on a path of both process and file. For sockets also those that KubeArmor takes to hold it.
 */
void pcl_near_find(const struct pcl_near_index *index, const struct pcl_operation *operation,
		   struct pcl_near *ret_near);

#endif
