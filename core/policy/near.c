/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ruleset's index finds the rules; what is added here is when each of them arrived.
 */
#include "policy/near.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "policy/index.h"
#include "policy/kubearmor.h"

struct arrival {
	const struct pcl_rule *rule;
	size_t order;
};

struct pcl_near_index {
	const struct pcl_ruleset *ruleset;
	struct arrival *arrivals; /* sorted by address */
	size_t count;
};

static int compare_addresses(const void *a, const void *b)
{
	uintptr_t left = (uintptr_t)((const struct arrival *)a)->rule;
	uintptr_t right = (uintptr_t)((const struct arrival *)b)->rule;

	return left < right ? -1 : left > right;
}

static int compare_orders(const void *a, const void *b)
{
	const struct arrival *left = a, *right = b;

	return left->order < right->order ? -1 : left->order > right->order;
}

int pcl_near_index_new(const struct pcl_policy_set *set, const struct pcl_ruleset *ruleset,
		       struct pcl_near_index **ret_index)
{
	pcl_cleanup(pcl_near_index_free) struct pcl_near_index *index = calloc(1, sizeof(*index));
	size_t count = 0;

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < set->policy_count; i++)
		count += set->policies[i]->rule_count;
	index->ruleset = ruleset;
	index->arrivals = calloc(count + 1, sizeof(*index->arrivals));
	if (!index->arrivals)
		return -ENOMEM;
	for (size_t i = 0; i < set->policy_count; i++) {
		const struct pcl_policy *policy = set->policies[i];

		for (size_t r = 0; r < policy->rule_count; r++) {
			index->arrivals[index->count] =
				(struct arrival){policy->rules[r], index->count};
			index->count++;
		}
	}
	qsort(index->arrivals, index->count, sizeof(*index->arrivals), compare_addresses);
	*ret_index = pcl_take_ptr(index);
	return 0;
}

void pcl_near_index_free(struct pcl_near_index **index)
{
	if (!*index)
		return;
	free((*index)->arrivals);
	free(*index);
	*index = NULL;
}

/* A question on its way. */
struct search {
	const struct pcl_near_index *index;
	const struct pcl_operation *operation; /* as it was asked */
	struct arrival found[PCL_NEAR_MAX];
	size_t count;
	size_t visits;
	bool cut;
};

static bool holds(const struct pcl_rule *rule, const struct pcl_operation *operation)
{
	if (rule->match == PCL_MATCH_PROTOCOL &&
	    pcl_kubearmor_protocol_matches((enum pcl_protocol)rule->number, &operation->socket))
		return true;
	return pcl_rule_matches(rule, operation);
}

static void found(void *context, size_t rank)
{
	struct search *search = context;
	const struct pcl_near_index *index = search->index;
	struct arrival key = {index->ruleset->rules[rank], 0};
	const struct arrival *arrival;

	search->visits++;
	if (search->cut || !holds(key.rule, search->operation))
		return;
	for (size_t i = 0; i < search->count; i++)
		if (search->found[i].rule == key.rule)
			return;
	if (search->count == PCL_NEAR_MAX) {
		search->cut = true;
		return;
	}
	arrival = bsearch(&key, index->arrivals, index->count, sizeof(key), compare_addresses);
	if (arrival)
		search->found[search->count++] = *arrival;
}

void pcl_near_find(const struct pcl_near_index *index, const struct pcl_operation *operation,
		   struct pcl_near *ret_near)
{
	struct search search = {.index = index, .operation = operation};
	struct pcl_operation asked = *operation;

	pcl_index_find(index->ruleset->index, operation, found, &search);
	switch (operation->access) {
	case PCL_ACCESS_EXECUTE:
		asked.access = PCL_ACCESS_READ;
		pcl_index_find(index->ruleset->index, &asked, found, &search);
		break;
	case PCL_ACCESS_READ:
	case PCL_ACCESS_WRITE:
		asked.access = PCL_ACCESS_EXECUTE;
		pcl_index_find(index->ruleset->index, &asked, found, &search);
		break;
	case PCL_ACCESS_SOCKET:
		/* KubeArmor does not see that the family is another one. */
		asked.socket.family = AF_INET;
		pcl_index_find(index->ruleset->index, &asked, found, &search);
		break;
	case PCL_ACCESS_MAP:
	case PCL_ACCESS_RESOLVE:
	case PCL_ACCESS_CAPABILITY:
	case PCL_ACCESS_SYSCALL:
	case PCL_ACCESS_DEVICE:
		break;
	}
	qsort(search.found, search.count, sizeof(search.found[0]), compare_orders);
	for (size_t i = 0; i < search.count; i++)
		ret_near->rules[i] = search.found[i].rule;
	ret_near->count = search.count;
	ret_near->cut = search.cut;
	ret_near->visits = search.visits;
}
