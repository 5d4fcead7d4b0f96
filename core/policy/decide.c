/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference decision. Linear in the rules on purpose: it is read more often than it is run,
 * and every faster form in a backend is tested against it.
 */
#include "policy/decide.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

static const enum pcl_class access_classes[] = {
	[PCL_ACCESS_EXECUTE] = PCL_CLASS_PROCESS,
	[PCL_ACCESS_READ] = PCL_CLASS_FILE,
	[PCL_ACCESS_WRITE] = PCL_CLASS_FILE,
};
static_assert(PCL_ARRAY_SIZE(access_classes) == PCL_ACCESS_COUNT, "an access without a class");

enum pcl_class pcl_access_class(enum pcl_access access)
{
	return access_classes[access];
}

bool pcl_rule_matches_object(const struct pcl_rule *rule, const char *path)
{
	size_t len = strlen(rule->object);

	if (strncmp(path, rule->object, len))
		return false;
	if (!path[len])
		return true;
	if (rule->match == PCL_MATCH_PATH)
		return false;
	/* Below the directory: a slash follows its name, or it is the root, which ends in one. */
	if (len > 1) {
		if (path[len] != '/')
			return false;
		len++;
	}
	return rule->match == PCL_MATCH_DIR_RECURSIVE || !strchr(path + len, '/');
}

bool pcl_rule_matches_source(const struct pcl_rule *rule, const char *source)
{
	size_t low = 0, high = rule->source_count;

	if (!rule->source_count)
		return true;
	if (!source)
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(source, rule->sources[middle]);

		if (!order)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

enum pcl_effect pcl_rule_effect(const struct pcl_rule *rule, enum pcl_access access, bool owner)
{
	bool granted;

	if (pcl_access_class(access) != rule->class)
		return PCL_EFFECT_NONE;
	granted = (!(rule->flags & PCL_RULE_READ_ONLY) || access != PCL_ACCESS_WRITE) &&
		  (!(rule->flags & PCL_RULE_OWNER_ONLY) || owner);
	switch (rule->action) {
	case PCL_ACTION_AUDIT:
		/* The language audits what readOnly and ownerOnly would grant, and only that. */
		return granted ? PCL_EFFECT_AUDIT : PCL_EFFECT_NONE;
	case PCL_ACTION_ALLOW:
		return granted ? PCL_EFFECT_ALLOW : PCL_EFFECT_BLOCK;
	case PCL_ACTION_BLOCK:
		return rule->flags && granted ? PCL_EFFECT_ALLOW : PCL_EFFECT_BLOCK;
	}
	return PCL_EFFECT_NONE;
}

static enum pcl_effect effect_on(const struct pcl_rule *rule, const struct pcl_operation *operation)
{
	if (operation->object_unknown || !operation->object)
		return PCL_EFFECT_NONE;
	if (!pcl_rule_matches_object(rule, operation->object) ||
	    !pcl_rule_matches_source(rule, operation->source))
		return PCL_EFFECT_NONE;
	return pcl_rule_effect(rule, operation->access, operation->owner);
}

/* What follows for an access of class from the best rule of each effect. */
static void conclude(const struct pcl_ruleset *ruleset, enum pcl_class class, bool object_unknown,
		     const struct pcl_rule *const first[PCL_EFFECT_COUNT],
		     struct pcl_verdict *ret_verdict)
{
	struct pcl_verdict verdict = {0};

	if (first[PCL_EFFECT_BLOCK]) {
		verdict.refused = true;
		verdict.rule = first[PCL_EFFECT_BLOCK];
	} else if (object_unknown && ruleset->any_block[class]) {
		/* It may be the blocked object, so it is refused, though no rule can be named. */
		verdict.refused = true;
	} else if (first[PCL_EFFECT_ALLOW]) {
		verdict.rule = first[PCL_EFFECT_ALLOW];
	} else if (ruleset->allow_list[class]) {
		verdict.by_posture = true;
		verdict.refused = ruleset->postures.file == PCL_POSTURE_BLOCK;
	}
	if (verdict.refused)
		verdict.error = -EACCES;
	else
		verdict.audit_rule = first[PCL_EFFECT_AUDIT];
	verdict.alert = verdict.refused || verdict.by_posture || verdict.audit_rule;
	*ret_verdict = verdict;
}

void pcl_decide(const struct pcl_ruleset *ruleset, const struct pcl_operation *operation,
		struct pcl_verdict *ret_verdict)
{
	const struct pcl_rule *first[PCL_EFFECT_COUNT] = {NULL};

	/* Rules stand in the order of attribution, so the first of each effect is the one to name.
	 */
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		enum pcl_effect effect = effect_on(ruleset->rules[i], operation);

		if (!first[effect])
			first[effect] = ruleset->rules[i];
	}
	conclude(ruleset, pcl_access_class(operation->access), operation->object_unknown, first,
		 ret_verdict);
}

void pcl_decide_matched(const struct pcl_ruleset *ruleset, const struct pcl_rule *const *rules,
			size_t rule_count, enum pcl_access access, bool owner,
			struct pcl_verdict *ret_verdict)
{
	const struct pcl_rule *first[PCL_EFFECT_COUNT] = {NULL};

	for (size_t i = 0; i < rule_count; i++) {
		enum pcl_effect effect = pcl_rule_effect(rules[i], access, owner);

		if (!first[effect])
			first[effect] = rules[i];
	}
	conclude(ruleset, pcl_access_class(access), false, first, ret_verdict);
}
