/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolve: which rules hold in a domain, in the one order that attribution follows.
 *
 * The order is total because ids are unique, so the outcome cannot depend on the order of arrival.
 */
#include "policy/resolve.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/index.h"

/* Matchers of one class from the most specific to the least; the rest keeps the order total. */
static const int match_order[] = {
	[PCL_MATCH_PATH] = 0,	    [PCL_MATCH_NAME] = 1,	   [PCL_MATCH_PATTERN] = 2,
	[PCL_MATCH_DIR] = 3,	    [PCL_MATCH_DIR_RECURSIVE] = 3, [PCL_MATCH_PRESET] = 4,
	[PCL_MATCH_SYSCALL] = 5,    [PCL_MATCH_PROTOCOL] = 6,	   [PCL_MATCH_DOMAIN] = 7,
	[PCL_MATCH_CAPABILITY] = 8, [PCL_MATCH_DEVICE] = 9,	   [PCL_MATCH_NATIVE] = 10,
};
static_assert(PCL_ARRAY_SIZE(match_order) == PCL_MATCH_COUNT, "a matcher without a place");

/* A rule of a protocol, of a socket type, of all. */
static int protocol_order(const struct pcl_rule *rule)
{
	if (rule->number == PCL_PROTOCOL_ALL)
		return 2;
	return rule->number >= PCL_PROTOCOL_RAW;
}

/* As KubeArmor weighs what a device rule tells. */
static int device_weight(const struct pcl_device *device)
{
	return (device->class != PCL_DEVICE_ANY ? 100 : 0) +
	       (device->level != PCL_DEVICE_ANY ? 100 : 0) +
	       (device->sub_class != PCL_DEVICE_ANY ? 10 : 0) +
	       (device->protocol != PCL_DEVICE_ANY ? 1 : 0);
}

/* The longer text comes first. */
static int compare_lengths(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	return a_len == b_len ? 0 : a_len > b_len ? -1 : 1;
}

static int compare_within(const struct pcl_rule *a, const struct pcl_rule *b)
{
	int order;

	switch (a->match) {
	case PCL_MATCH_DIR:
	case PCL_MATCH_DIR_RECURSIVE:
		/* Directories that hold the same object lie inside each other: the longer is
		 * inside. */
		order = compare_lengths(a->object, b->object);
		if (order || a->match == b->match)
			return order;
		return a->match == PCL_MATCH_DIR ? -1 : 1;
	case PCL_MATCH_PATTERN:
	case PCL_MATCH_DOMAIN:
		return compare_lengths(a->object, b->object);
	case PCL_MATCH_PROTOCOL:
		return protocol_order(a) - protocol_order(b);
	case PCL_MATCH_DEVICE:
		return device_weight(&b->device) - device_weight(&a->device);
	case PCL_MATCH_PATH:
	case PCL_MATCH_NAME:
	case PCL_MATCH_CAPABILITY:
	case PCL_MATCH_SYSCALL:
	case PCL_MATCH_PRESET:
	case PCL_MATCH_NATIVE:
		return 0;
	}
	return 0;
}

int pcl_rule_compare_specificity(const struct pcl_rule *a, const struct pcl_rule *b)
{
	int order = match_order[a->match] - match_order[b->match];
	bool a_sourced = a->source_count || a->source_dir_count;
	bool b_sourced = b->source_count || b->source_dir_count;

	if (!order)
		order = compare_within(a, b);
	if (order)
		return order;
	if (a_sourced != b_sourced)
		return a_sourced ? -1 : 1;
	return 0;
}

int pcl_rule_compare(const struct pcl_rule *a, const struct pcl_rule *b)
{
	int order = pcl_rule_compare_specificity(a, b);

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

int pcl_policy_set_rules(const struct pcl_policy_set *set, const struct pcl_rule ***ret_rules,
			 size_t *ret_count)
{
	const struct pcl_rule **rules;
	size_t count = 0;

	for (size_t i = 0; i < set->policy_count; i++)
		count += set->policies[i]->rule_count;
	rules = calloc(count + 1, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	count = 0;
	for (size_t i = 0; i < set->policy_count; i++)
		for (size_t r = 0; r < set->policies[i]->rule_count; r++)
			rules[count++] = set->policies[i]->rules[r];
	qsort((void *)rules, count, sizeof(*rules), compare_rules);
	*ret_rules = rules;
	*ret_count = count;
	return 0;
}

static void add_policy(struct pcl_ruleset *ruleset, const struct pcl_policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct pcl_rule *rule = policy->rules[i];

		ruleset->rules[ruleset->rule_count++] = rule;
		/* These refuse nothing, whatever their action. */
		if (rule->class == PCL_CLASS_SYSCALL || rule->class == PCL_CLASS_NATIVE)
			continue;
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
	if (pcl_index_new(ruleset, &ruleset->index))
		return -ENOMEM;
	*ret_ruleset = pcl_take_ptr(ruleset);
	return 0;
}

void pcl_ruleset_free(struct pcl_ruleset **ruleset)
{
	if (!*ruleset)
		return;
	pcl_index_free(&(*ruleset)->index);
	free((void *)(*ruleset)->rules);
	free(*ruleset);
	*ruleset = NULL;
}

enum pcl_posture pcl_postures_get(const struct pcl_postures *postures, enum pcl_class class)
{
	switch (class) {
	case PCL_CLASS_PROCESS:
	case PCL_CLASS_FILE:
		return postures->file;
	case PCL_CLASS_NETWORK:
	case PCL_CLASS_DNS:
		return postures->network;
	case PCL_CLASS_CAPABILITY:
		return postures->capabilities;
	case PCL_CLASS_DEVICE:
		return postures->device;
	case PCL_CLASS_SYSCALL:
	case PCL_CLASS_NATIVE:
		return PCL_POSTURE_AUDIT;
	}
	return PCL_POSTURE_AUDIT;
}
