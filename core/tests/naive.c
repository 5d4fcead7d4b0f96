/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision once more: which policies select the domain, which rules match, and the seven steps.
 */
#include "naive.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* --- does the policy select the domain? ---------------------------------------------------------
 */

/* What gen_domain() makes: the labels of each domain as bits of gen_labels. */
static const struct {
	bool host;
	unsigned ns; /* into gen_namespaces */
	unsigned labels;
	bool container; /* is called GEN_CONTAINER */
} domains[GEN_DOMAIN_COUNT] = {
	{true, 0, 1u << 2, false},
	{false, 0, 1u << 0, true},
	{false, 0, 1u << 1 | 1u << 2, false},
	{false, 1, 1u << 0, false},
};

static bool selects(const struct gen_policy *policy, unsigned domain)
{
	unsigned labels = domains[domain].labels, ns = 1u << domains[domain].ns;

	if (domains[domain].host)
		return policy->kind == PCL_KIND_HOST && (labels & policy->labels) == policy->labels;
	if (policy->kind == PCL_KIND_HOST)
		return false;
	if (policy->kind == PCL_KIND_CONTAINER && policy->ns != domains[domain].ns)
		return false;
	if ((labels & policy->labels) != policy->labels)
		return false;
	if (policy->in && !(labels & policy->in))
		return false;
	if (labels & policy->not_in)
		return false;
	if (policy->kind == PCL_KIND_CLUSTER &&
	    ((policy->ns_in && !(ns & policy->ns_in)) || (ns & policy->ns_not_in)))
		return false;
	return !policy->container || domains[domain].container;
}

/* --- does the rule match? ------------------------------------------------------------------------
 */

static size_t depth(const char *path)
{
	size_t count = 0;

	for (; *path; path++)
		count += *path == '/' && path[1];
	return count;
}

static bool in_directory(const char *dir, bool recursive, const char *path)
{
	size_t len = strcmp(dir, "/") ? strlen(dir) : 0;

	if (!strcmp(dir, path))
		return true;
	if (strlen(path) <= len || memcmp(path, dir, len) != 0 || path[len] != '/')
		return false;
	return recursive || depth(path) == depth(dir) + 1;
}

static bool glob_from(const char *start, const char *pattern, const char *text)
{
	size_t stars = strspn(pattern, "*");

	if (!*pattern)
		return !*text;
	if (stars) {
		bool name = pattern > start && pattern[-1] == '/' &&
			    (!pattern[stars] || pattern[stars] == '/');

		if (name && (!*text || *text == '/'))
			return false;
		for (text += name;; text++) {
			if (glob_from(start, pattern + stars, text))
				return true;
			if (!*text || (stars == 1 && *text == '/'))
				return false;
		}
	}
	if (!*text)
		return false;
	if (*pattern == '?')
		return *text != '/' && glob_from(start, pattern + 1, text + 1);
	if (*pattern == '[') {
		/* "[x-y]" or "[^x-y]" */
		bool negated = pattern[1] == '^';
		char low = pattern[1 + negated], high = pattern[3 + negated];

		if ((*text >= low && *text <= high) == negated || (negated && *text == '/'))
			return false;
		return glob_from(start, pattern + 5 + negated, text + 1);
	}
	return *pattern == *text && glob_from(start, pattern + 1, text + 1);
}

bool naive_glob(const char *pattern, const char *text)
{
	return glob_from(pattern, pattern, text);
}

static bool pattern_matches(const char *pattern, const char *path)
{
	/* The one pattern with a group is written out by hand. */
	if (strchr(pattern, '{'))
		return !strcmp(path, "/a/b/c") || !strcmp(path, "/d/b/c");
	return naive_glob(pattern, path);
}

static bool source_matches(const struct gen_rule *rule, const char *source)
{
	bool matches = !rule->sources && !rule->source_dirs;

	for (unsigned i = 0; source && i < 3; i++)
		if (rule->sources & 1u << i && !strcmp(source, gen_sources[i]))
			matches = true;
	for (unsigned i = 0; source && i < 2; i++)
		if (rule->source_dirs & 1u << i &&
		    in_directory(gen_source_dirs[i].path, gen_source_dirs[i].recursive, source))
			matches = true;
	return matches;
}

static bool protocol_matches(unsigned protocol, const struct pcl_socket *socket)
{
	bool inet = socket->family == AF_INET || socket->family == AF_INET6;
	int type = socket->type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK), number = socket->protocol;

	switch ((enum pcl_protocol)protocol) {
	case PCL_PROTOCOL_TCP:
		/* 262 is MPTCP, whose packets are TCP's. */
		return inet && (number == 6 || number == 262 || (type == SOCK_STREAM && !number));
	case PCL_PROTOCOL_UDP:
		return inet && (number == 17 || (type == SOCK_DGRAM && !number));
	case PCL_PROTOCOL_ICMP:
		return inet && number == 1;
	case PCL_PROTOCOL_ICMPV6:
		return inet && number == 58;
	case PCL_PROTOCOL_SCTP:
		return inet && number == 132;
	case PCL_PROTOCOL_DCCP:
		return false; /* none is drawn */
	case PCL_PROTOCOL_RAW:
		return type == SOCK_RAW && socket->family != AF_UNIX &&
		       socket->family != AF_NETLINK;
	case PCL_PROTOCOL_STREAM:
		return type == SOCK_STREAM;
	case PCL_PROTOCOL_DGRAM:
		return type == SOCK_DGRAM;
	case PCL_PROTOCOL_RDM:
		return type == SOCK_RDM;
	case PCL_PROTOCOL_SEQPACKET:
		return type == SOCK_SEQPACKET;
	case PCL_PROTOCOL_PACKET:
		return socket->family == AF_PACKET;
	case PCL_PROTOCOL_ALL:
		return true;
	}
	return false;
}

/* The name and what is below it: compared label by label from the end. */
static bool dns_matches(const char *domain, const char *name)
{
	char buffer[64];
	size_t len = (size_t)snprintf(buffer, sizeof(buffer), "%s", name);
	const char *at = buffer;

	if (buffer[len - 1] == '.')
		buffer[len - 1] = '\0';
	while (at) {
		if (!strcasecmp(at, domain))
			return true;
		at = strchr(at, '.');
		at += at ? 1 : 0;
	}
	return false;
}

static bool device_matches(const struct pcl_device *wanted, const struct pcl_device *device)
{
	return (wanted->class < 0 || wanted->class == device->class) &&
	       (wanted->sub_class < 0 || wanted->sub_class == device->sub_class) &&
	       (wanted->protocol < 0 || wanted->protocol == device->protocol) &&
	       (wanted->level < 0 || wanted->level == device->level);
}

static bool preset_matches(unsigned preset, const struct pcl_operation *operation)
{
	const char *path = operation->object_unknown ? NULL : operation->object;

	switch ((enum pcl_preset)preset) {
	case PCL_PRESET_FILELESS_EXEC:
		if (operation->access != PCL_ACCESS_EXECUTE || operation->object_unknown)
			return false;
		return !path || in_directory("/dev/shm", true, path) ||
		       in_directory("/run/shm", true, path);
	case PCL_PRESET_ANONYMOUS_MAP_EXEC:
		return operation->access == PCL_ACCESS_MAP;
	case PCL_PRESET_EXEC:
		return operation->access == PCL_ACCESS_EXECUTE && operation->entered;
	case PCL_PRESET_PROTECT_ENV:
		return path && !operation->own_process &&
		       (!strcmp(path, "/proc/7/environ") ||
			!strcmp(path, "/proc/7/task/8/environ"));
	case PCL_PRESET_PROTECT_PROC:
		return path && !operation->own_process && in_directory("/proc/7", true, path);
	}
	return false;
}

static bool path_matches(const struct gen_rule *rule, const char *path)
{
	const char *slash;

	switch (rule->list) {
	case GEN_PROCESS_PATH:
	case GEN_FILE_PATH:
		return !strcmp(path, gen_paths[rule->object]);
	case GEN_PROCESS_DIR:
	case GEN_FILE_DIR:
		return in_directory(gen_paths[rule->object], rule->recursive, path);
	case GEN_SYSCALL_PATH:
		if (rule->recursive || rule->slash)
			return in_directory(gen_paths[rule->object], rule->recursive, path);
		return !strcmp(path, gen_paths[rule->object]);
	case GEN_PROCESS_PATTERN:
	case GEN_FILE_PATTERN:
		return pattern_matches(gen_patterns[rule->object], path);
	case GEN_PROCESS_NAME:
		slash = strrchr(path, '/');
		return !strcmp(slash + 1, gen_names[rule->object]);
	case GEN_PROTOCOL:
	case GEN_DNS:
	case GEN_CAPABILITY:
	case GEN_SYSCALL:
	case GEN_DEVICE:
	case GEN_PRESET:
		break;
	}
	return false;
}

static bool object_matches(const struct gen_rule *rule, const struct pcl_operation *operation)
{
	switch (rule->list) {
	case GEN_PROTOCOL:
		return protocol_matches(rule->object, &operation->socket);
	case GEN_DNS:
		return !operation->object_unknown &&
		       dns_matches(gen_dns_names[rule->object], operation->name);
	case GEN_CAPABILITY:
		return gen_capabilities[rule->object] == operation->capability;
	case GEN_SYSCALL:
		return true;
	case GEN_DEVICE:
		return device_matches(&gen_devices[rule->object], &operation->device);
	case GEN_PRESET:
		return preset_matches(rule->object, operation);
	case GEN_PROCESS_PATH:
	case GEN_PROCESS_NAME:
	case GEN_PROCESS_DIR:
	case GEN_PROCESS_PATTERN:
	case GEN_FILE_PATH:
	case GEN_FILE_DIR:
	case GEN_FILE_PATTERN:
	case GEN_SYSCALL_PATH:
		break;
	}
	/* Of mapping only presets speak. */
	return operation->object && !operation->object_unknown &&
	       operation->access != PCL_ACCESS_MAP && path_matches(rule, operation->object);
}

static bool syscall_matches(const struct gen_rule *rule, const struct pcl_operation *operation)
{
	for (unsigned i = 0; i < 3; i++)
		if (rule->syscalls & 1u << i && !strcmp(operation->name, gen_syscalls[i]))
			return true;
	return false;
}

/* --- the seven steps
 * ------------------------------------------------------------------------------ */

static enum pcl_class class_of(enum pcl_access access)
{
	switch (access) {
	case PCL_ACCESS_EXECUTE:
	case PCL_ACCESS_MAP:
		return PCL_CLASS_PROCESS;
	case PCL_ACCESS_READ:
	case PCL_ACCESS_WRITE:
		return PCL_CLASS_FILE;
	case PCL_ACCESS_SOCKET:
		return PCL_CLASS_NETWORK;
	case PCL_ACCESS_RESOLVE:
		return PCL_CLASS_DNS;
	case PCL_ACCESS_CAPABILITY:
		return PCL_CLASS_CAPABILITY;
	case PCL_ACCESS_SYSCALL:
		return PCL_CLASS_SYSCALL;
	case PCL_ACCESS_DEVICE:
		return PCL_CLASS_DEVICE;
	}
	return PCL_CLASS_NATIVE;
}

static bool posture_blocks(const struct pcl_postures *postures, enum pcl_class class)
{
	if (class == PCL_CLASS_NETWORK || class == PCL_CLASS_DNS)
		return postures->network == PCL_POSTURE_BLOCK;
	if (class == PCL_CLASS_CAPABILITY)
		return postures->capabilities == PCL_POSTURE_BLOCK;
	if (class == PCL_CLASS_DEVICE)
		return postures->device == PCL_POSTURE_BLOCK;
	return postures->file == PCL_POSTURE_BLOCK;
}

/* Whether all conditions that the rule sets are met. */
static bool conditions_hold(const struct gen_rule *rule, const struct pcl_operation *operation)
{
	if (rule->flags & PCL_RULE_READ_ONLY && operation->access == PCL_ACCESS_WRITE)
		return false;
	if (rule->flags & PCL_RULE_OWNER_ONLY && !operation->owner)
		return false;
	if (rule->flags & PCL_RULE_NO_TERMINAL && operation->terminal)
		return false;
	if (!(rule->flags & PCL_RULE_ALLOWED_ARGS))
		return true;
	for (size_t i = 0; i < operation->arg_count; i++) {
		bool known = false;

		for (unsigned a = 0; a < 3; a++)
			known |= rule->args & 1u << a && !strcmp(operation->args[i], gen_args[a]);
		if (!known)
			return false;
	}
	return operation->arg_count > 0;
}

void naive_decide(const struct gen_set *set, const struct gen_case *draw,
		  struct naive_verdict *ret_verdict)
{
	const struct pcl_operation *operation = &draw->operation;
	enum pcl_class class = class_of(operation->access);
	bool may_be_unknown =
		operation->access <= PCL_ACCESS_WRITE || operation->access == PCL_ACCESS_RESOLVE;
	bool block = false, allow = false, audit = false, list = false, can_refuse = false;
	struct naive_verdict verdict = {0};

	for (size_t i = 0; i < set->rule_count; i++) {
		const struct gen_rule *rule = &set->rules[i];
		enum pcl_action action = gen_action(set, rule);

		if (gen_class(rule) != class ||
		    !selects(&set->policies[rule->policy], draw->domain))
			continue;
		if (class == PCL_CLASS_SYSCALL) {
			/* Audited, whatever the action. */
			audit |= syscall_matches(rule, operation) &&
				 object_matches(rule, operation) &&
				 source_matches(rule, operation->source);
			continue;
		}
		list |= action == PCL_ACTION_ALLOW;
		can_refuse |=
			action == PCL_ACTION_BLOCK || (action == PCL_ACTION_ALLOW && rule->flags);
		if (!object_matches(rule, operation) || !source_matches(rule, operation->source))
			continue;
		if (action == PCL_ACTION_AUDIT)
			audit |= conditions_hold(rule, operation);
		else if (rule->flags)
			*(conditions_hold(rule, operation) ? &allow : &block) = true;
		else
			*(action == PCL_ACTION_ALLOW ? &allow : &block) = true;
	}
	if (block || (may_be_unknown && operation->object_unknown && can_refuse)) {
		verdict.refused = true;
	} else if (!allow && list && operation->access != PCL_ACCESS_MAP) {
		verdict.by_posture = true;
		verdict.refused = posture_blocks(&draw->postures, class);
	}
	if (verdict.refused)
		verdict.error =
			class == PCL_CLASS_CAPABILITY || class == PCL_CLASS_DNS ? -EPERM : -EACCES;
	verdict.audited = audit && !verdict.refused;
	verdict.alert = verdict.refused || verdict.by_posture || verdict.audited;
	*ret_verdict = verdict;
}
