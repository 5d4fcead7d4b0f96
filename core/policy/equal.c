/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether two policy sets say the same. Places and file names are where it was said, not what.
 */
#include <string.h>

#include "policy/policy.h"

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_texts(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

static bool same_dirs(const struct pcl_rule *a, const struct pcl_rule *b)
{
	if (a->source_dir_count != b->source_dir_count)
		return false;
	for (size_t i = 0; i < a->source_dir_count; i++)
		if (strcmp(a->source_dirs[i].path, b->source_dirs[i].path) != 0 ||
		    a->source_dirs[i].recursive != b->source_dirs[i].recursive)
			return false;
	return true;
}

static bool same_device(const struct pcl_device *a, const struct pcl_device *b)
{
	return a->class == b->class && a->sub_class == b->sub_class && a->protocol == b->protocol &&
	       a->level == b->level;
}

static bool same_rule(const struct pcl_rule *a, const struct pcl_rule *b)
{
	return !strcmp(a->id, b->id) && a->class == b->class && a->match == b->match &&
	       a->action == b->action && a->flags == b->flags && !strcmp(a->object, b->object) &&
	       a->number == b->number && same_device(&a->device, &b->device) &&
	       same_texts(a->args, a->arg_count, b->args, b->arg_count) &&
	       same_texts(a->syscalls, a->syscall_count, b->syscalls, b->syscall_count) &&
	       same_texts(a->sources, a->source_count, b->sources, b->source_count) &&
	       same_dirs(a, b) && a->severity == b->severity &&
	       same_texts(a->tags, a->tag_count, b->tags, b->tag_count) &&
	       same_text(a->message, b->message);
}

static bool same_selectors(const struct pcl_policy *a, const struct pcl_policy *b)
{
	if (a->selector_count != b->selector_count || a->expression_count != b->expression_count)
		return false;
	for (size_t i = 0; i < a->selector_count; i++)
		if (strcmp(a->selector[i].key, b->selector[i].key) != 0 ||
		    strcmp(a->selector[i].value, b->selector[i].value) != 0)
			return false;
	for (size_t i = 0; i < a->expression_count; i++) {
		const struct pcl_expression *left = &a->expressions[i];
		const struct pcl_expression *right = &b->expressions[i];

		if (left->on_namespace != right->on_namespace || left->negated != right->negated ||
		    !same_texts(left->values, left->value_count, right->values, right->value_count))
			return false;
	}
	return same_texts(a->containers, a->container_count, b->containers, b->container_count);
}

static bool same_policy(const struct pcl_policy *a, const struct pcl_policy *b)
{
	if (a->kind != b->kind || strcmp(a->name, b->name) != 0 || !same_text(a->ns, b->ns) ||
	    a->rule_count != b->rule_count || !same_selectors(a, b))
		return false;
	for (size_t i = 0; i < a->rule_count; i++)
		if (!same_rule(a->rules[i], b->rules[i]))
			return false;
	return true;
}

bool pcl_policy_set_equal(const struct pcl_policy_set *a, const struct pcl_policy_set *b)
{
	if (a->policy_count != b->policy_count)
		return false;
	for (size_t i = 0; i < a->policy_count; i++)
		if (!same_policy(a->policies[i], b->policies[i]))
			return false;
	return true;
}
