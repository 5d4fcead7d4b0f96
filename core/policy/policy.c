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
#include "policy/glob.h"
#include "policy/reader.h"

static const char *const class_names[] = {
	[PCL_CLASS_PROCESS] = "process",	 [PCL_CLASS_FILE] = "file",
	[PCL_CLASS_NETWORK] = "network",	 [PCL_CLASS_DNS] = "dns",
	[PCL_CLASS_CAPABILITY] = "capabilities", [PCL_CLASS_SYSCALL] = "syscalls",
	[PCL_CLASS_DEVICE] = "device",		 [PCL_CLASS_NATIVE] = "apparmor",
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
	[PCL_MATCH_PATTERN] = "pattern",
	[PCL_MATCH_NAME] = "execname",
	[PCL_MATCH_PROTOCOL] = "protocol",
	[PCL_MATCH_DOMAIN] = "domain",
	[PCL_MATCH_CAPABILITY] = "capability",
	[PCL_MATCH_SYSCALL] = "syscall",
	[PCL_MATCH_DEVICE] = "device",
	[PCL_MATCH_PRESET] = "preset",
	[PCL_MATCH_NATIVE] = "apparmor",
};
static_assert(PCL_ARRAY_SIZE(match_names) == PCL_MATCH_COUNT, "a matcher without a name");

static const char *const kind_names[] = {
	[PCL_KIND_CONTAINER] = "KubeArmorPolicy",
	[PCL_KIND_HOST] = "KubeArmorHostPolicy",
	[PCL_KIND_CLUSTER] = "KubeArmorClusterPolicy",
};
static_assert(PCL_ARRAY_SIZE(kind_names) == PCL_KIND_COUNT, "a kind without a name");

static const char *const protocol_names[] = {
	[PCL_PROTOCOL_TCP] = "tcp",
	[PCL_PROTOCOL_UDP] = "udp",
	[PCL_PROTOCOL_ICMP] = "icmp",
	[PCL_PROTOCOL_ICMPV6] = "icmpv6",
	[PCL_PROTOCOL_SCTP] = "sctp",
	[PCL_PROTOCOL_DCCP] = "dccp",
	[PCL_PROTOCOL_RAW] = "raw",
	[PCL_PROTOCOL_STREAM] = "stream",
	[PCL_PROTOCOL_DGRAM] = "dgram",
	[PCL_PROTOCOL_RDM] = "rdm",
	[PCL_PROTOCOL_SEQPACKET] = "seqpacket",
	[PCL_PROTOCOL_PACKET] = "packet",
	[PCL_PROTOCOL_ALL] = "all",
};
static_assert(PCL_ARRAY_SIZE(protocol_names) == PCL_PROTOCOL_COUNT, "a protocol without a name");

static const struct {
	const char *name;
	enum pcl_class class;
} presets[] = {
	[PCL_PRESET_FILELESS_EXEC] = {"filelessExec", PCL_CLASS_PROCESS},
	[PCL_PRESET_ANONYMOUS_MAP_EXEC] = {"anonymousMapExec", PCL_CLASS_PROCESS},
	[PCL_PRESET_PROTECT_ENV] = {"protectEnv", PCL_CLASS_FILE},
	[PCL_PRESET_EXEC] = {"exec", PCL_CLASS_PROCESS},
	[PCL_PRESET_PROTECT_PROC] = {"protectProc", PCL_CLASS_FILE},
};
static_assert(PCL_ARRAY_SIZE(presets) == PCL_PRESET_COUNT, "a preset without a name");

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

const char *pcl_protocol_name(enum pcl_protocol protocol)
{
	return protocol_names[protocol];
}

const char *pcl_preset_name(enum pcl_preset preset)
{
	return presets[preset].name;
}

enum pcl_class pcl_preset_class(enum pcl_preset preset)
{
	return presets[preset].class;
}

void pcl_rule_free(struct pcl_rule **rule)
{
	if (!*rule)
		return;
	free((*rule)->id);
	free((*rule)->object);
	pcl_strings_free(&(*rule)->sources, &(*rule)->source_count);
	pcl_strings_free(&(*rule)->args, &(*rule)->arg_count);
	pcl_strings_free(&(*rule)->syscalls, &(*rule)->syscall_count);
	for (size_t i = 0; i < (*rule)->source_dir_count; i++)
		free((*rule)->source_dirs[i].path);
	free((*rule)->source_dirs);
	pcl_glob_free(&(*rule)->glob);
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
	for (size_t i = 0; i < dead->expression_count; i++)
		pcl_strings_free(&dead->expressions[i].values, &dead->expressions[i].value_count);
	free(dead->expressions);
	pcl_strings_free(&dead->containers, &dead->container_count);
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
