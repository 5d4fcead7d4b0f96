/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KubeArmor's enforcers, one function each.
 *
 * What they do was read in KubeArmor's sources of July 2026 and not measured. Where reading leaves
 * a doubt, an enforcer is taken to agree with us, so that no difference is made up. It must not be
 * used to enforce anything.
 */
#include "policy/kubearmor.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

/* Limits of KubeArmor's BPF programs: a map key, a walk up a path, the search for directories. */
#define BPF_PATH_LEN_MAX 199
#define BPF_DIR_LEN_MAX 63

static const char *const names[] = {
	[PCL_KUBEARMOR_BPF] = "BPF-LSM",
	[PCL_KUBEARMOR_APPARMOR] = "AppArmor",
	[PCL_KUBEARMOR_SELINUX] = "SELinux",
	[PCL_KUBEARMOR_DEVICES] = "device",
};
static_assert(PCL_ARRAY_SIZE(names) == PCL_KUBEARMOR_COUNT, "an enforcer without a name");

const char *pcl_kubearmor_name(enum pcl_kubearmor enforcer)
{
	return names[enforcer];
}

bool pcl_kubearmor_serves(enum pcl_kubearmor enforcer, const struct pcl_domain *domain,
			  enum pcl_access access)
{
	/* System calls are audited by a monitor, whoever enforces. */
	if (access == PCL_ACCESS_SYSCALL)
		return false;
	if ((enforcer == PCL_KUBEARMOR_DEVICES) != (access == PCL_ACCESS_DEVICE))
		return false;
	return (enforcer != PCL_KUBEARMOR_SELINUX && enforcer != PCL_KUBEARMOR_DEVICES) ||
	       domain->host;
}

static bool is_dir(const struct pcl_rule *rule)
{
	return rule->match == PCL_MATCH_DIR || rule->match == PCL_MATCH_DIR_RECURSIVE;
}

static bool is_path_class(enum pcl_class class)
{
	return class == PCL_CLASS_PROCESS || class == PCL_CLASS_FILE;
}

/* How many sources of its own a rule names. */
static bool has_source(const struct pcl_rule *rule)
{
	return rule->source_count || rule->source_dir_count;
}

static size_t components(const char *path)
{
	size_t count = 0;

	for (; *path; path++)
		count += *path == '/' && path[1];
	return count;
}

static const char *bpf_gap(const struct pcl_rule *rule, bool host)
{
	size_t len = strlen(rule->object);

	switch (rule->match) {
	case PCL_MATCH_PATTERN:
		return "ignores patterns";
	case PCL_MATCH_NAME:
		return has_source(rule) ? "never finds an execname that has a fromSource" : NULL;
	case PCL_MATCH_CAPABILITY:
		return host ? "does not enforce capabilities on the host" : NULL;
	case PCL_MATCH_PATH:
		if (len > BPF_PATH_LEN_MAX)
			return "compares no path longer than 199 bytes";
		break;
	case PCL_MATCH_DIR:
	case PCL_MATCH_DIR_RECURSIVE:
		/* With the slash that it puts behind. */
		if (len + 1 > BPF_DIR_LEN_MAX)
			return "finds no directory rule longer than 63 bytes";
		break;
	case PCL_MATCH_PROTOCOL:
	case PCL_MATCH_DOMAIN:
	case PCL_MATCH_SYSCALL:
	case PCL_MATCH_DEVICE:
	case PCL_MATCH_PRESET:
	case PCL_MATCH_NATIVE:
		return NULL;
	}
	return components(rule->object) > PCL_KUBEARMOR_COMPONENTS_MAX
		       ? "sees the last 20 components of a path only"
		       : NULL;
}

static const char *apparmor_gap(const struct pcl_rule *rule)
{
	if (rule->match == PCL_MATCH_PATTERN && rule->class == PCL_CLASS_PROCESS &&
	    rule->action == PCL_ACTION_ALLOW)
		return "leaves an allowed pattern of processes out of the profile";
	if (rule->match == PCL_MATCH_DOMAIN)
		return "knows no DNS rules";
	if (rule->match == PCL_MATCH_PRESET)
		return "knows no presets";
	if (rule->flags & PCL_RULE_NO_TERMINAL)
		return "ignores pts";
	if (rule->flags & PCL_RULE_ALLOWED_ARGS)
		return "ignores allowedArgs";
	return NULL;
}

static bool selinux_knows_protocol(const struct pcl_rule *rule)
{
	return rule->number == PCL_PROTOCOL_TCP || rule->number == PCL_PROTOCOL_UDP ||
	       rule->number == PCL_PROTOCOL_ICMP || rule->number == PCL_PROTOCOL_RAW;
}

static const char *selinux_gap(const struct pcl_rule *rule)
{
	if (rule->match == PCL_MATCH_PATTERN)
		return "ignores patterns";
	if (rule->match == PCL_MATCH_NAME)
		return "ignores execname";
	if (rule->match == PCL_MATCH_CAPABILITY)
		return "ignores capabilities";
	if (rule->match == PCL_MATCH_DOMAIN)
		return "knows no DNS rules";
	if (rule->match == PCL_MATCH_PROTOCOL && !has_source(rule))
		return "takes network rules with a fromSource only";
	if (rule->match == PCL_MATCH_PROTOCOL && !selinux_knows_protocol(rule))
		return "knows tcp, udp, icmp and raw only";
	if (rule->action == PCL_ACTION_ALLOW && !has_source(rule))
		return "ignores an Allow without a fromSource";
	if (rule->flags & PCL_RULE_OWNER_ONLY)
		return "ignores ownerOnly";
	if (rule->flags & PCL_RULE_NO_TERMINAL)
		return "ignores pts";
	if (rule->flags & PCL_RULE_ALLOWED_ARGS)
		return "ignores allowedArgs";
	return NULL;
}

const char *pcl_kubearmor_gap(enum pcl_kubearmor enforcer, const struct pcl_rule *rule, bool host)
{
	switch (enforcer) {
	case PCL_KUBEARMOR_BPF:
		return bpf_gap(rule, host);
	case PCL_KUBEARMOR_APPARMOR:
		return apparmor_gap(rule);
	case PCL_KUBEARMOR_SELINUX:
		return selinux_gap(rule);
	case PCL_KUBEARMOR_DEVICES:
		break;
	}
	return NULL;
}

bool pcl_kubearmor_protocol_matches(enum pcl_protocol protocol, const struct pcl_socket *socket)
{
	/* Other families give the numbers other meanings, and refuse the ones they do not have. */
	bool inet = socket->family == AF_INET || socket->family == AF_INET6;
	int type = socket->type & 0xf, number = inet || !socket->protocol ? socket->protocol : -1;

	switch (protocol) {
	case PCL_PROTOCOL_TCP:
		return number == IPPROTO_TCP || (type == SOCK_STREAM && !number);
	case PCL_PROTOCOL_UDP:
		return number == IPPROTO_UDP || (type == SOCK_DGRAM && !number);
	case PCL_PROTOCOL_ICMP:
		return number == IPPROTO_ICMP;
	case PCL_PROTOCOL_ICMPV6:
		return number == IPPROTO_ICMPV6;
	case PCL_PROTOCOL_SCTP:
		return number == IPPROTO_SCTP;
	case PCL_PROTOCOL_DCCP:
		return type == SOCK_DCCP;
	case PCL_PROTOCOL_RAW:
		return type == SOCK_RAW;
	case PCL_PROTOCOL_STREAM:
		return type == SOCK_STREAM;
	case PCL_PROTOCOL_DGRAM:
		return type == SOCK_DGRAM;
	case PCL_PROTOCOL_RDM:
		return type == SOCK_RDM;
	case PCL_PROTOCOL_SEQPACKET:
		return type == SOCK_SEQPACKET;
	case PCL_PROTOCOL_PACKET:
		return type == SOCK_PACKET;
	case PCL_PROTOCOL_ALL:
		return true;
	}
	return false;
}

/* The effect of a rule of whose flags the enforcer knows these only. */
static bool refuses(const struct pcl_rule *rule, unsigned flags,
		    const struct pcl_operation *operation)
{
	struct pcl_rule known = *rule;

	known.flags &= flags;
	return pcl_rule_effect_on(&known, operation) == PCL_EFFECT_BLOCK;
}

void pcl_kubearmor_find_lists(const struct pcl_ruleset *ruleset,
			      struct pcl_kubearmor_lists *ret_lists)
{
	struct pcl_kubearmor_lists lists = {0};

	for (size_t i = 0; i < ruleset->rule_count; i++) {
		const struct pcl_rule *rule = ruleset->rules[i];

		if (rule->action != PCL_ACTION_ALLOW)
			continue;
		/* AppArmor's template looks at the policy, what it ignores included. */
		lists.listed[PCL_KUBEARMOR_APPARMOR][rule->class] |= rule->class != PCL_CLASS_DNS;
		lists.listed[PCL_KUBEARMOR_BPF][rule->class] |=
			!bpf_gap(rule, ruleset->domain->host);
	}
	*ret_lists = lists;
}

static void conclude(struct pcl_kubearmor_verdict *ret_verdict, bool refused,
		     const struct pcl_rule *rule)
{
	ret_verdict->refused = refused;
	ret_verdict->rule = rule;
}

static bool posture_blocks(const struct pcl_ruleset *ruleset, enum pcl_class class)
{
	return pcl_postures_get(&ruleset->postures, class) == PCL_POSTURE_BLOCK;
}

/* --- BPF-LSM: of the map's entries the first that matches decides --------------------------------
 */

enum bpf_step {
	BPF_EXACT_SOURCE,
	BPF_DIR_SOURCE,
	BPF_EXACT,
	BPF_NAME,
	BPF_DIR,
	BPF_STEP_COUNT,
};

/* A socket's type is looked up before its protocol; a domain name before its parents. */
static bool is_wide(const struct pcl_rule *rule, const struct pcl_operation *operation)
{
	if (rule->match == PCL_MATCH_PROTOCOL)
		return rule->number < PCL_PROTOCOL_RAW;
	if (rule->match == PCL_MATCH_DOMAIN)
		return strcmp(rule->object, operation->name);
	/* The entry of a directory itself, which has no slash, is an exact one. */
	return is_dir(rule) && strcmp(rule->object, operation->object);
}

static enum bpf_step bpf_step(const struct pcl_rule *rule, const struct pcl_operation *operation)
{
	if (rule->match == PCL_MATCH_NAME)
		return BPF_NAME;
	if (is_wide(rule, operation))
		return has_source(rule) ? BPF_DIR_SOURCE : BPF_DIR;
	return has_source(rule) ? BPF_EXACT_SOURCE : BPF_EXACT;
}

/*
 * Whether a later rule of the same step takes the place of an earlier one: it has the same key and
 * was put later; or it lies deeper, unless it is not recursive and a recursive one was found above.
 */
static bool bpf_replaces(const struct pcl_rule *rule, const struct pcl_rule *before,
			 enum bpf_step step)
{
	size_t len, before_len;

	if (step != BPF_DIR && step != BPF_DIR_SOURCE)
		return true;
	if (rule->match == PCL_MATCH_PROTOCOL)
		return true;
	len = strlen(rule->object);
	before_len = strlen(before->object);
	if (len == before_len)
		return true;
	if (rule->match == PCL_MATCH_DOMAIN)
		return len > before_len;
	if (len > before_len)
		return rule->match == PCL_MATCH_DIR_RECURSIVE ||
		       before->match != PCL_MATCH_DIR_RECURSIVE;
	return before->match != PCL_MATCH_DIR_RECURSIVE && rule->match == PCL_MATCH_DIR_RECURSIVE;
}

/* What the programs see of the operation, so that a rule can be found at all. */
static bool bpf_sees(const struct pcl_rule *rule, const struct pcl_operation *operation)
{
	if (rule->match == PCL_MATCH_PROTOCOL)
		return pcl_kubearmor_protocol_matches((enum pcl_protocol)rule->number,
						      &operation->socket);
	if (!operation->object || rule->match == PCL_MATCH_NAME)
		return true;
	if (components(operation->object) > PCL_KUBEARMOR_COMPONENTS_MAX)
		return false;
	return rule->match != PCL_MATCH_PATH || strlen(operation->object) <= BPF_PATH_LEN_MAX;
}

static void bpf_decide(const struct pcl_ruleset *ruleset, const struct pcl_kubearmor_lists *lists,
		       const struct pcl_rule *const *near, size_t near_count,
		       const struct pcl_operation *operation,
		       struct pcl_kubearmor_verdict *ret_verdict)
{
	enum pcl_class class = pcl_access_class(operation->access);
	const struct pcl_rule *found[BPF_STEP_COUNT] = {NULL};
	const unsigned all_flags = ~0u;

	for (size_t i = 0; i < near_count; i++) {
		const struct pcl_rule *rule = near[i];
		enum bpf_step step;

		if (rule->class != class || rule->action == PCL_ACTION_AUDIT ||
		    pcl_kubearmor_gap(PCL_KUBEARMOR_BPF, rule, ruleset->domain->host) ||
		    !pcl_rule_matches_source(rule, operation->source) || !bpf_sees(rule, operation))
			continue;
		if (rule->match == PCL_MATCH_PRESET) {
			/* Presets are programs of their own. */
			if (refuses(rule, all_flags, operation)) {
				conclude(ret_verdict, true, rule);
				return;
			}
			continue;
		}
		step = bpf_step(rule, operation);
		if (!found[step] || bpf_replaces(rule, found[step], step))
			found[step] = rule;
	}
	for (int step = 0; step < BPF_STEP_COUNT; step++) {
		if (!found[step])
			continue;
		conclude(ret_verdict, refuses(found[step], all_flags, operation), found[step]);
		return;
	}
	/* Mapping is a preset's own matter. */
	conclude(ret_verdict,
		 operation->access != PCL_ACCESS_MAP && posture_blocks(ruleset, class) &&
			 lists->listed[PCL_KUBEARMOR_BPF][class],
		 NULL);
}

/* --- AppArmor: a profile per source, in which deny wins
 * ------------------------------------------- */

#define APPARMOR_FLAGS (PCL_RULE_READ_ONLY | PCL_RULE_OWNER_ONLY)

/*
 * Whether a rule for any source is left out of the profile of operation's source, which has a rule
 * of its own for the same key or for a directory around it.
 */
static bool apparmor_leaves_out(const struct pcl_rule *rule, const struct pcl_rule *const *near,
				size_t near_count, const struct pcl_operation *operation)
{
	if (has_source(rule) || !operation->source)
		return false;
	for (size_t i = 0; i < near_count; i++) {
		const struct pcl_rule *own = near[i];

		if (own->class != rule->class || !has_source(own) ||
		    own->action == PCL_ACTION_AUDIT ||
		    !pcl_rule_matches_source(own, operation->source))
			continue;
		if (own->match == rule->match && !strcmp(own->object, rule->object))
			return true;
		if (is_dir(own) && (is_dir(rule) || rule->match == PCL_MATCH_PATH) &&
		    pcl_rule_matches_object(own, rule->object))
			return true;
	}
	return false;
}

/* A profile that lists processes under the posture block grants no other file, and the reverse. */
static bool apparmor_refuses_the_rest(const struct pcl_ruleset *ruleset,
				      const struct pcl_kubearmor_lists *lists, enum pcl_class class)
{
	const bool *listed = lists->listed[PCL_KUBEARMOR_APPARMOR];

	if (!posture_blocks(ruleset, class))
		return false;
	if (is_path_class(class))
		return listed[PCL_CLASS_PROCESS] || listed[PCL_CLASS_FILE];
	return listed[class];
}

static void apparmor_decide(const struct pcl_ruleset *ruleset,
			    const struct pcl_kubearmor_lists *lists,
			    const struct pcl_rule *const *near, size_t near_count,
			    const struct pcl_operation *operation,
			    struct pcl_kubearmor_verdict *ret_verdict)
{
	enum pcl_class class = pcl_access_class(operation->access);
	const struct pcl_rule *allow = NULL;

	for (size_t i = 0; i < near_count; i++) {
		const struct pcl_rule *rule = near[i];
		const bool known = rule->match != PCL_MATCH_PRESET &&
				   rule->match != PCL_MATCH_DOMAIN &&
				   !(rule->match == PCL_MATCH_PATTERN &&
				     pcl_kubearmor_gap(PCL_KUBEARMOR_APPARMOR, rule, false));

		if (rule->class != class || !known || rule->action == PCL_ACTION_AUDIT ||
		    !pcl_rule_matches_source(rule, operation->source) ||
		    (rule->match == PCL_MATCH_PROTOCOL && !pcl_rule_matches(rule, operation)) ||
		    apparmor_leaves_out(rule, near, near_count, operation))
			continue;
		if (refuses(rule, APPARMOR_FLAGS, operation)) {
			conclude(ret_verdict, true, rule);
			return;
		}
		if (!allow)
			allow = rule;
	}
	conclude(ret_verdict,
		 !allow && operation->access != PCL_ACCESS_MAP &&
			 apparmor_refuses_the_rest(ruleset, lists, class),
		 allow);
}

/* --- SELinux: one label per file, and the last one set holds
 * ---------------------------------------- */

/* The order in which rules become lines, and whether rule becomes one for source at all. */
static int selinux_order(const struct pcl_rule *rule)
{
	return (rule->action == PCL_ACTION_BLOCK ? 0 : 2) + (rule->class == PCL_CLASS_FILE);
}

static bool selinux_labels(const struct pcl_rule *rule, const struct pcl_operation *operation)
{
	if (rule->action == PCL_ACTION_AUDIT || !is_path_class(rule->class) ||
	    (rule->match != PCL_MATCH_PATH && !is_dir(rule)))
		return false;
	if (rule->action == PCL_ACTION_ALLOW && !has_source(rule))
		return false;
	/* It labels what is in a directory, never the directory. */
	return !is_dir(rule) || strcmp(rule->object, operation->object);
}

/* Whether line b is dropped for line a, which names the same object for the same subject. */
static bool selinux_same_pair(const struct pcl_rule *a, const struct pcl_rule *b)
{
	if (strcmp(a->object, b->object) || is_dir(a) != is_dir(b))
		return false;
	if (has_source(a) != has_source(b))
		return false;
	return !a->source_count || !strcmp(a->sources[0], b->sources[0]);
}

/* Whether line a is written after line b, which arrived before it. */
static bool selinux_is_later(const struct pcl_rule *a, const struct pcl_rule *b)
{
	if (has_source(a) != has_source(b))
		return !has_source(a);
	return selinux_order(a) >= selinux_order(b);
}

static const struct pcl_rule *selinux_label(const struct pcl_rule *const *near, size_t near_count,
					    const struct pcl_operation *operation)
{
	const struct pcl_rule *label = NULL;

	for (size_t i = 0; i < near_count; i++) {
		if (!selinux_labels(near[i], operation))
			continue;
		if (!label || (selinux_same_pair(near[i], label)
				       ? selinux_order(near[i]) < selinux_order(label)
				       : selinux_is_later(near[i], label)))
			label = near[i];
	}
	return label;
}

static void selinux_decide(const struct pcl_rule *const *near, size_t near_count,
			   const struct pcl_operation *operation,
			   struct pcl_kubearmor_verdict *ret_verdict)
{
	enum pcl_class class = pcl_access_class(operation->access);
	const struct pcl_rule *rule = NULL;

	if (is_path_class(class)) {
		if (operation->object)
			rule = selinux_label(near, near_count, operation);
	} else {
		for (size_t i = 0; !rule && i < near_count; i++)
			if (near[i]->class == class && near[i]->action == PCL_ACTION_BLOCK &&
			    pcl_rule_matches(near[i], operation) &&
			    pcl_rule_matches_source(near[i], operation->source) &&
			    !selinux_gap(near[i]))
				rule = near[i];
	}
	if (rule && (rule->class != class || !pcl_rule_matches_source(rule, operation->source)))
		rule = NULL;
	conclude(ret_verdict, rule && refuses(rule, PCL_RULE_READ_ONLY, operation), rule);
}

/* --- devices: the rule that tells most decides
 * ------------------------------------------------------- */

static int device_score(const struct pcl_rule *rule)
{
	return 100 * (rule->device.class != PCL_DEVICE_ANY) +
	       100 * (rule->device.level != PCL_DEVICE_ANY) +
	       10 * (rule->device.sub_class != PCL_DEVICE_ANY) +
	       (rule->device.protocol != PCL_DEVICE_ANY);
}

static void devices_decide(const struct pcl_ruleset *ruleset, const struct pcl_rule *const *near,
			   size_t near_count, struct pcl_kubearmor_verdict *ret_verdict)
{
	const struct pcl_rule *best = NULL;

	for (size_t i = 0; i < near_count; i++) {
		int score = device_score(near[i]), best_score = best ? device_score(best) : -1;

		/* Of equals Block comes before Audit, and Audit before Allow: the last of them. */
		if (near[i]->class == PCL_CLASS_DEVICE &&
		    (score > best_score || (score == best_score && near[i]->action > best->action)))
			best = near[i];
	}
	conclude(ret_verdict,
		 best ? best->action == PCL_ACTION_BLOCK
		      : ruleset->allow_list[PCL_CLASS_DEVICE] &&
				 posture_blocks(ruleset, PCL_CLASS_DEVICE),
		 best);
}

void pcl_kubearmor_decide(enum pcl_kubearmor enforcer, const struct pcl_ruleset *ruleset,
			  const struct pcl_kubearmor_lists *lists,
			  const struct pcl_rule *const *near, size_t near_count,
			  const struct pcl_operation *operation,
			  struct pcl_kubearmor_verdict *ret_verdict)
{
	switch (enforcer) {
	case PCL_KUBEARMOR_BPF:
		bpf_decide(ruleset, lists, near, near_count, operation, ret_verdict);
		return;
	case PCL_KUBEARMOR_APPARMOR:
		apparmor_decide(ruleset, lists, near, near_count, operation, ret_verdict);
		return;
	case PCL_KUBEARMOR_SELINUX:
		selinux_decide(near, near_count, operation, ret_verdict);
		return;
	case PCL_KUBEARMOR_DEVICES:
		devices_decide(ruleset, near, near_count, ret_verdict);
		return;
	}
}
