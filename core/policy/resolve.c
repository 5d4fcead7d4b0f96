/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolve: which rules hold in a domain, in the one order that attribution follows.
 *
 * The order is total because ids are unique, so the outcome cannot depend on the order of arrival.
 */
#include "policy/resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static int compare_specificity(const struct pcl_rule *a, const struct pcl_rule *b)
{
	size_t a_len, b_len;

	if ((a->match == PCL_MATCH_PATH) != (b->match == PCL_MATCH_PATH))
		return a->match == PCL_MATCH_PATH ? -1 : 1;
	if (a->match != PCL_MATCH_PATH) {
		/* Directories that hold the same object lie inside each other: the longer is
		 * inside. */
		a_len = strlen(a->object);
		b_len = strlen(b->object);
		if (a_len != b_len)
			return a_len > b_len ? -1 : 1;
		if (a->match != b->match)
			return a->match == PCL_MATCH_DIR ? -1 : 1;
	}
	if (!a->source_count != !b->source_count)
		return a->source_count ? -1 : 1;
	return 0;
}

int pcl_rule_compare(const struct pcl_rule *a, const struct pcl_rule *b)
{
	int order = compare_specificity(a, b);

	if (order)
		return order;
	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	order = strcmp(a->policy->name, b->policy->name);
	return order ? order : strcmp(a->id, b->id);
}

static int compare_rules(const void *a, const void *b)
{
	return pcl_rule_compare(*(const struct pcl_rule *const *)a,
				*(const struct pcl_rule *const *)b);
}

static void add_policy(struct pcl_ruleset *ruleset, const struct pcl_policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct pcl_rule *rule = policy->rules[i];

		ruleset->rules[ruleset->rule_count++] = rule;
		if (rule->action == PCL_ACTION_ALLOW)
			ruleset->allow_list[rule->class] = true;
		if (rule->action == PCL_ACTION_BLOCK ||
		    (rule->action == PCL_ACTION_ALLOW && rule->flags))
			ruleset->any_block[rule->class] = true;
	}
}

int pcl_resolve(const struct pcl_policy_set *set, const struct pcl_domain *domain,
		const struct pcl_postures *postures, struct pcl_ruleset **ret_ruleset)
{
	pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *ruleset = NULL;
	size_t count = 0;

	ruleset = calloc(1, sizeof(*ruleset));
	if (!ruleset)
		return -ENOMEM;
	for (size_t i = 0; i < set->policy_count; i++)
		if (pcl_domain_selected(domain, set->policies[i]))
			count += set->policies[i]->rule_count;
	ruleset->rules = calloc(count + 1, sizeof(struct pcl_rule *));
	if (!ruleset->rules)
		return -ENOMEM;
	ruleset->domain = domain;
	ruleset->postures = *postures;
	for (size_t i = 0; i < set->policy_count; i++)
		if (pcl_domain_selected(domain, set->policies[i]))
			add_policy(ruleset, set->policies[i]);
	qsort(ruleset->rules, ruleset->rule_count, sizeof(struct pcl_rule *), compare_rules);
	*ret_ruleset = pcl_take_ptr(ruleset);
	return 0;
}

void pcl_ruleset_free(struct pcl_ruleset **ruleset)
{
	if (!*ruleset)
		return;
	free((void *)(*ruleset)->rules);
	free(*ruleset);
	*ruleset = NULL;
}
