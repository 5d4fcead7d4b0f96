/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference decision, and what it is made of: whether a rule matches, what it then does, and
 * what follows from the best rule of each effect. The ruleset's index only says which rules to
 * look at; without one all are looked at, with the same outcome.
 */
#include "policy/decide.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "policy/glob.h"
#include "policy/index.h"

static const enum pcl_class access_classes[] = {
	[PCL_ACCESS_EXECUTE] = PCL_CLASS_PROCESS,
	[PCL_ACCESS_READ] = PCL_CLASS_FILE,
	[PCL_ACCESS_WRITE] = PCL_CLASS_FILE,
	[PCL_ACCESS_MAP] = PCL_CLASS_PROCESS,
	[PCL_ACCESS_SOCKET] = PCL_CLASS_NETWORK,
	[PCL_ACCESS_RESOLVE] = PCL_CLASS_DNS,
	[PCL_ACCESS_CAPABILITY] = PCL_CLASS_CAPABILITY,
	[PCL_ACCESS_SYSCALL] = PCL_CLASS_SYSCALL,
	[PCL_ACCESS_DEVICE] = PCL_CLASS_DEVICE,
};
static_assert(PCL_ARRAY_SIZE(access_classes) == PCL_ACCESS_COUNT, "an access without a class");

enum pcl_class pcl_access_class(enum pcl_access access)
{
	return access_classes[access];
}

static bool is_below(const char *path, const char *dir, size_t dir_len)
{
	return !strncmp(path, dir, dir_len) && (!path[dir_len] || path[dir_len] == '/');
}

static bool matches_directory(const char *dir, bool recursive, const char *path)
{
	size_t len = strlen(dir);

	/* The root is the one directory that ends in a slash. */
	if (len == 1)
		len = 0;
	if (!is_below(path, dir, len))
		return false;
	return recursive || !path[len] || !strchr(path + len + 1, '/');
}

bool pcl_rule_matches_object(const struct pcl_rule *rule, const char *path)
{
	const char *slash;

	switch (rule->match) {
	case PCL_MATCH_PATH:
		return !strcmp(path, rule->object);
	case PCL_MATCH_DIR:
		return matches_directory(rule->object, false, path);
	case PCL_MATCH_DIR_RECURSIVE:
		return matches_directory(rule->object, true, path);
	case PCL_MATCH_PATTERN:
		return pcl_glob_match(rule->glob, path);
	case PCL_MATCH_NAME:
		slash = strrchr(path, '/');
		return !strcmp(slash ? slash + 1 : path, rule->object);
	case PCL_MATCH_PROTOCOL:
	case PCL_MATCH_DOMAIN:
	case PCL_MATCH_CAPABILITY:
	case PCL_MATCH_SYSCALL:
	case PCL_MATCH_DEVICE:
	case PCL_MATCH_PRESET:
	case PCL_MATCH_NATIVE:
		return false;
	}
	return false;
}

/* KERNEL: include/linux/net.h, SOCK_TYPE_MASK: the flags of socket(2) are above these bits. */
#define SOCKET_TYPE_MASK 0xf
/* Not in every libc's headers. */
#define PROTOCOL_MPTCP 262

/* What the family gives a socket of this type whose protocol is 0. */
static int own_protocol(int type, int protocol)
{
	if (protocol || type == SOCK_RAW)
		return protocol;
	if (type == SOCK_STREAM)
		return IPPROTO_TCP;
	return type == SOCK_DGRAM ? IPPROTO_UDP : 0;
}

static inline bool matches_protocol(enum pcl_protocol protocol, const struct pcl_socket *socket)
{
	bool inet = socket->family == AF_INET || socket->family == AF_INET6;
	int type = socket->type & SOCKET_TYPE_MASK;
	int number = inet ? own_protocol(type, socket->protocol) : -1;

	switch (protocol) {
	case PCL_PROTOCOL_TCP:
		/* MPTCP speaks TCP on the wire, and falls back to it by itself. */
		return number == IPPROTO_TCP || number == PROTOCOL_MPTCP;
	case PCL_PROTOCOL_UDP:
		return number == IPPROTO_UDP || number == IPPROTO_UDPLITE;
	case PCL_PROTOCOL_ICMP:
		return number == IPPROTO_ICMP;
	case PCL_PROTOCOL_ICMPV6:
		return number == IPPROTO_ICMPV6;
	case PCL_PROTOCOL_SCTP:
		return number == IPPROTO_SCTP;
	case PCL_PROTOCOL_DCCP:
		return number == IPPROTO_DCCP || (inet && type == SOCK_DCCP);
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
		return socket->family == AF_PACKET || type == SOCK_PACKET;
	case PCL_PROTOCOL_ALL:
		return true;
	}
	return false;
}

bool pcl_protocol_matches(enum pcl_protocol protocol, const struct pcl_socket *socket)
{
	return matches_protocol(protocol, socket);
}

/* Unrolled, each word comes to a comparison or two. */
unsigned pcl_protocols_of(const struct pcl_socket *socket)
{
	unsigned words = 0;

#pragma GCC unroll 16
	for (int word = 0; word < PCL_PROTOCOL_COUNT; word++)
		if (matches_protocol((enum pcl_protocol)word, socket))
			words |= 1u << word;
	return words;
}

/* The name itself or one below it, whatever its case, with or without the dot at its end. */
static bool matches_domain(const char *domain, const char *name)
{
	size_t len = strlen(domain), name_len = strlen(name);

	if (name_len && name[name_len - 1] == '.')
		name_len--;
	if (name_len > PCL_DOMAIN_LEN_MAX || name_len < len)
		return false;
	return !strncasecmp(name + name_len - len, domain, len) &&
	       (name_len == len || name[name_len - len - 1] == '.');
}

static bool matches_number(int wanted, int number)
{
	return wanted == PCL_DEVICE_ANY || wanted == number;
}

static bool matches_device(const struct pcl_device *wanted, const struct pcl_device *device)
{
	return matches_number(wanted->class, device->class) &&
	       matches_number(wanted->sub_class, device->sub_class) &&
	       matches_number(wanted->protocol, device->protocol) &&
	       matches_number(wanted->level, device->level);
}

/* The part of path behind /proc/PID, or NULL where it is no such path. */
static const char *below_process(const char *path)
{
	size_t digits;

	if (strncmp(path, "/proc/", 6) != 0)
		return NULL;
	digits = strspn(path + 6, "0123456789");
	path += 6 + digits;
	return digits && (!*path || *path == '/') ? path : NULL;
}

static bool is_environment(const char *below)
{
	if (!strncmp(below, "/task/", 6))
		below += 6 + strspn(below + 6, "0123456789");
	return !strcmp(below, "/environ");
}

const char *const pcl_memory_dirs[PCL_MEMORY_DIR_COUNT] = {"/dev/shm", "/run/shm"};

static bool matches_preset(enum pcl_preset preset, const struct pcl_operation *operation)
{
	bool path = operation->object && !operation->object_unknown;
	const char *below;

	switch (preset) {
	case PCL_PRESET_ANONYMOUS_MAP_EXEC:
		return operation->access == PCL_ACCESS_MAP;
	case PCL_PRESET_FILELESS_EXEC:
		if (operation->access != PCL_ACCESS_EXECUTE || operation->object_unknown)
			return false;
		for (size_t i = 0; operation->object && i < PCL_MEMORY_DIR_COUNT; i++)
			if (is_below(operation->object, pcl_memory_dirs[i],
				     strlen(pcl_memory_dirs[i])))
				return true;
		return !operation->object;
	case PCL_PRESET_EXEC:
		return operation->access == PCL_ACCESS_EXECUTE && operation->entered;
	case PCL_PRESET_PROTECT_ENV:
	case PCL_PRESET_PROTECT_PROC:
		below = path && !operation->own_process ? below_process(operation->object) : NULL;
		return below && (preset == PCL_PRESET_PROTECT_PROC || is_environment(below));
	}
	return false;
}

static bool has_text(char *const *sorted, size_t count, const char *text)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(text, sorted[middle]);

		if (!order)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

bool pcl_rule_matches(const struct pcl_rule *rule, const struct pcl_operation *operation)
{
	bool path = operation->object && !operation->object_unknown;

	if (rule->class == PCL_CLASS_SYSCALL &&
	    (!operation->name || !has_text(rule->syscalls, rule->syscall_count, operation->name)))
		return false;
	switch (rule->match) {
	case PCL_MATCH_PATH:
	case PCL_MATCH_DIR:
	case PCL_MATCH_DIR_RECURSIVE:
	case PCL_MATCH_PATTERN:
	case PCL_MATCH_NAME:
		return path && operation->access != PCL_ACCESS_MAP &&
		       pcl_rule_matches_object(rule, operation->object);
	case PCL_MATCH_PROTOCOL:
		return pcl_protocol_matches((enum pcl_protocol)rule->number, &operation->socket);
	case PCL_MATCH_DOMAIN:
		return operation->name && !operation->object_unknown &&
		       matches_domain(rule->object, operation->name);
	case PCL_MATCH_CAPABILITY:
		return rule->number == operation->capability;
	case PCL_MATCH_SYSCALL:
		return true;
	case PCL_MATCH_DEVICE:
		return matches_device(&rule->device, &operation->device);
	case PCL_MATCH_PRESET:
		return matches_preset((enum pcl_preset)rule->number, operation);
	case PCL_MATCH_NATIVE:
		return false;
	}
	return false;
}

bool pcl_rule_matches_source(const struct pcl_rule *rule, const char *source)
{
	if (!rule->source_count && !rule->source_dir_count)
		return true;
	if (!source)
		return false;
	for (size_t i = 0; i < rule->source_dir_count; i++)
		if (matches_directory(rule->source_dirs[i].path, rule->source_dirs[i].recursive,
				      source))
			return true;
	return has_text(rule->sources, rule->source_count, source);
}

/* Arguments that are not known are not allowed ones. */
static bool has_allowed_args(const struct pcl_rule *rule, const struct pcl_operation *operation)
{
	if (!operation->args || !operation->arg_count)
		return false;
	for (size_t i = 0; i < operation->arg_count; i++)
		if (!has_text(rule->args, rule->arg_count, operation->args[i]))
			return false;
	return true;
}

enum pcl_effect pcl_rule_effect_on(const struct pcl_rule *rule,
				   const struct pcl_operation *operation)
{
	unsigned flags = rule->flags;
	bool granted;

	if (pcl_access_class(operation->access) != rule->class)
		return PCL_EFFECT_NONE;
	if (rule->class == PCL_CLASS_SYSCALL)
		return PCL_EFFECT_AUDIT;
	granted = (!(flags & PCL_RULE_READ_ONLY) || operation->access != PCL_ACCESS_WRITE) &&
		  (!(flags & PCL_RULE_OWNER_ONLY) || operation->owner) &&
		  (!(flags & PCL_RULE_NO_TERMINAL) || !operation->terminal) &&
		  (!(flags & PCL_RULE_ALLOWED_ARGS) || has_allowed_args(rule, operation));
	switch (rule->action) {
	case PCL_ACTION_AUDIT:
		/* The language audits what the flags would grant, and only that. */
		return granted ? PCL_EFFECT_AUDIT : PCL_EFFECT_NONE;
	case PCL_ACTION_ALLOW:
		return granted ? PCL_EFFECT_ALLOW : PCL_EFFECT_BLOCK;
	case PCL_ACTION_BLOCK:
		return flags && granted ? PCL_EFFECT_ALLOW : PCL_EFFECT_BLOCK;
	}
	return PCL_EFFECT_NONE;
}

enum pcl_effect pcl_rule_effect(const struct pcl_rule *rule, enum pcl_access access, bool owner)
{
	struct pcl_operation operation = {.access = access, .owner = owner};

	return pcl_rule_effect_on(rule, &operation);
}

/* What follows for an access from the best rule of each effect. */
static void conclude(const struct pcl_ruleset *ruleset, enum pcl_access access, bool object_unknown,
		     const struct pcl_rule *const first[PCL_EFFECT_COUNT],
		     struct pcl_verdict *ret_verdict)
{
	enum pcl_class class = pcl_access_class(access);
	/* Only presets speak of mapping: an allow-list of programs must not break them. */
	bool listed = access != PCL_ACCESS_MAP;
	struct pcl_verdict verdict = {0};

	if (first[PCL_EFFECT_BLOCK]) {
		verdict.refused = true;
		verdict.rule = first[PCL_EFFECT_BLOCK];
	} else if (object_unknown && listed && ruleset->any_block[class]) {
		/* It may be the blocked object, so it is refused, though no rule can be named. */
		verdict.refused = true;
	} else if (first[PCL_EFFECT_ALLOW]) {
		verdict.rule = first[PCL_EFFECT_ALLOW];
	} else if (ruleset->allow_list[class] && listed) {
		verdict.by_posture = true;
		verdict.refused = pcl_postures_get(&ruleset->postures, class) == PCL_POSTURE_BLOCK;
	}
	if (verdict.refused)
		verdict.error =
			class == PCL_CLASS_CAPABILITY || class == PCL_CLASS_DNS ? -EPERM : -EACCES;
	else
		verdict.audit_rule = first[PCL_EFFECT_AUDIT];
	verdict.alert = verdict.refused || verdict.by_posture || verdict.audit_rule;
	*ret_verdict = verdict;
}

struct decision {
	const struct pcl_ruleset *ruleset;
	const struct pcl_operation *operation;
	size_t rank[PCL_EFFECT_COUNT]; /* of the best rule so far; SIZE_MAX: none */
};

static void consider(void *context, size_t rank)
{
	struct decision *decision = context;
	const struct pcl_rule *rule = decision->ruleset->rules[rank];
	enum pcl_effect effect = pcl_rule_effect_on(rule, decision->operation);

	/* Rules stand in the order of attribution, so the first of each effect is the one to name.
	 */
	if (rank < decision->rank[effect] && pcl_rule_matches(rule, decision->operation) &&
	    pcl_rule_matches_source(rule, decision->operation->source))
		decision->rank[effect] = rank;
}

/* Of a query, what cannot be read may be any name. */
static bool may_be_unknown(enum pcl_access access)
{
	return access == PCL_ACCESS_EXECUTE || access == PCL_ACCESS_READ ||
	       access == PCL_ACCESS_WRITE || access == PCL_ACCESS_RESOLVE;
}

void pcl_decide(const struct pcl_ruleset *ruleset, const struct pcl_operation *operation,
		struct pcl_verdict *ret_verdict)
{
	struct decision decision = {ruleset, operation, {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX}};
	const struct pcl_rule *first[PCL_EFFECT_COUNT] = {NULL};

	if (ruleset->index)
		pcl_index_find(ruleset->index, operation, consider, &decision);
	else
		for (size_t i = 0; i < ruleset->rule_count; i++)
			consider(&decision, i);
	for (int effect = 0; effect < PCL_EFFECT_COUNT; effect++)
		if (decision.rank[effect] != SIZE_MAX)
			first[effect] = ruleset->rules[decision.rank[effect]];
	conclude(ruleset, operation->access,
		 operation->object_unknown && may_be_unknown(operation->access), first,
		 ret_verdict);
}

void pcl_decide_matched(const struct pcl_ruleset *ruleset, const struct pcl_rule *const *rules,
			size_t rule_count, const struct pcl_operation *operation,
			struct pcl_verdict *ret_verdict)
{
	const struct pcl_rule *first[PCL_EFFECT_COUNT] = {NULL};

	for (size_t i = 0; i < rule_count; i++) {
		enum pcl_effect effect = pcl_rule_effect_on(rules[i], operation);

		if (!first[effect])
			first[effect] = rules[i];
	}
	conclude(ruleset, operation->access, false, first, ret_verdict);
}
