/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy model's own housekeeping: names of enum values, and freeing.
 *
 * Reading is in read.c and read_rule.c; nothing here knows YAML.
 */
#include "policy/policy.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "policy/reader.h"

static const char *const class_names[] = {
	[PCL_CLASS_PROCESS] = "process",
	[PCL_CLASS_FILE] = "file",
};
static_assert(PCL_ARRAY_SIZE(class_names) == PCL_CLASS_COUNT, "a class without a name");

static const char *const action_names[] = {
	[PCL_ACTION_ALLOW] = "Allow",
	[PCL_ACTION_AUDIT] = "Audit",
	[PCL_ACTION_BLOCK] = "Block",
};
static_assert(PCL_ARRAY_SIZE(action_names) == PCL_ACTION_COUNT, "an action without a name");

static const char *const match_names[] = {
	[PCL_MATCH_PATH] = "path",
	[PCL_MATCH_DIR] = "dir",
	[PCL_MATCH_DIR_RECURSIVE] = "dir-recursive",
};
static_assert(PCL_ARRAY_SIZE(match_names) == PCL_MATCH_COUNT, "a matcher without a name");

static const char *const kind_names[] = {
	[PCL_KIND_CONTAINER] = "KubeArmorPolicy",
	[PCL_KIND_HOST] = "KubeArmorHostPolicy",
};
static_assert(PCL_ARRAY_SIZE(kind_names) == PCL_KIND_COUNT, "a kind without a name");

const char *pcl_class_name(enum pcl_class class)
{
	return class_names[class];
}

const char *pcl_action_name(enum pcl_action action)
{
	return action_names[action];
}

const char *pcl_match_name(enum pcl_match match)
{
	return match_names[match];
}

const char *pcl_kind_name(enum pcl_kind kind)
{
	return kind_names[kind];
}

void pcl_rule_free(struct pcl_rule **rule)
{
	if (!*rule)
		return;
	free((*rule)->id);
	free((*rule)->object);
	pcl_strings_free(&(*rule)->sources, &(*rule)->source_count);
	pcl_strings_free(&(*rule)->tags, &(*rule)->tag_count);
	free((*rule)->message);
	free(*rule);
	*rule = NULL;
}

void pcl_policy_free(struct pcl_policy **policy)
{
	struct pcl_policy *dead = *policy;

	if (!dead)
		return;
	for (size_t i = 0; i < dead->rule_count; i++)
		pcl_rule_free(&dead->rules[i]);
	free(dead->rules);
	for (size_t i = 0; i < dead->selector_count; i++) {
		free(dead->selector[i].key);
		free(dead->selector[i].value);
	}
	free(dead->selector);
	free(dead->name);
	free(dead->ns);
	free(dead->file);
	free(dead);
	*policy = NULL;
}

int pcl_policy_set_new(struct pcl_policy_set **ret_set)
{
	struct pcl_policy_set *set = calloc(1, sizeof(*set));

	if (!set)
		return -ENOMEM;
	*ret_set = set;
	return 0;
}

void pcl_policy_set_free(struct pcl_policy_set **set)
{
	if (!*set)
		return;
	for (size_t i = 0; i < (*set)->policy_count; i++)
		pcl_policy_free(&(*set)->policies[i]);
	free((*set)->policies);
	pcl_strings_free(&(*set)->notices, &(*set)->notice_count);
	free(*set);
	*set = NULL;
}
