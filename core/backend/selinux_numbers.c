/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets and capabilities. SELinux has a class for the sockets of each protocol, and a permission
 * for each capability; what is refused of one is asked of the model, by one socket of its kind.
 */
#include <assert.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backend/selinux_maker.h"
#include "base/cleanup.h"
#include "policy/names.h"

/* What the model calls a use of a socket; also of those from before. */
static const char *const socket_permissions[] = {"create", "bind", "connect", "listen",
						 "accept", "read", "write"};

/* KERNEL: socket_type_to_security_class(). Not in every libc's headers: DCCP and its type. */
#define TYPE_DCCP 6
#define PROTOCOL_DCCP 33
#define PROTOCOL_SCTP 132
/* Of no protocol that a rule names. */
#define PROTOCOL_RESERVED 255

static const struct {
	const char *name;
	struct pcl_socket socket;
} named_classes[] = {
	{"tcp_socket", {AF_INET, SOCK_STREAM, 0}},
	{"udp_socket", {AF_INET, SOCK_DGRAM, 0}},
	{"sctp_socket", {AF_INET, SOCK_SEQPACKET, PROTOCOL_SCTP}},
	{"dccp_socket", {AF_INET, TYPE_DCCP, PROTOCOL_DCCP}},
	{"packet_socket", {AF_PACKET, SOCK_RAW, 0}},
	{"rawip_socket", {AF_INET, SOCK_RAW, PROTOCOL_RESERVED}},
};

/* Which class a rule cannot do without; NULL: none. */
static const char *const class_of[PCL_PROTOCOL_COUNT] = {
	[PCL_PROTOCOL_TCP] = "tcp_socket",	 [PCL_PROTOCOL_UDP] = "udp_socket",
	[PCL_PROTOCOL_SCTP] = "sctp_socket",	 [PCL_PROTOCOL_DCCP] = "dccp_socket",
	[PCL_PROTOCOL_PACKET] = "packet_socket",
};

/* One of the class; of those that no rule but "all" is about, any. */
static struct pcl_socket socket_of(const char *class_name)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(named_classes); i++)
		if (!strcmp(named_classes[i].name, class_name))
			return named_classes[i].socket;
	return (struct pcl_socket){AF_ALG, SOCK_SEQPACKET, 0};
}

static int add(struct pcl_selinux_plan *plan, const char *class_name,
	       const char *const *permissions, size_t count, const struct pcl_rule *const *rules,
	       size_t rule_count, struct pcl_selinux_refuse **ret_refuse)
{
	struct pcl_selinux_reason reason;

	if (pcl_selinux_reason_make(rules, rule_count, &reason))
		return -ENOMEM;
	return pcl_selinux_add_refuse(plan, class_name, permissions, count, &reason, ret_refuse);
}

static bool has_class(const struct pcl_selinux_view *view, const char *class_name)
{
	for (size_t i = 0; i < view->class_count; i++)
		if (!strcmp(view->classes[i], class_name))
			return true;
	return false;
}

static int check_classes(const struct pcl_ruleset *ruleset, const struct pcl_selinux_view *view,
			 struct pcl_diag *diag)
{
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		const struct pcl_rule *rule = ruleset->rules[i];
		const char *class_name =
			rule->match == PCL_MATCH_PROTOCOL ? class_of[rule->number] : NULL;

		if (class_name && !has_class(view, class_name))
			return pcl_diag_set(diag, -EOPNOTSUPP,
					    "%s:%u:%u: rule %s: this node's SELinux policy has no "
					    "class %s",
					    rule->policy->file, rule->place.line,
					    rule->place.column, rule->id, class_name);
	}
	return 0;
}

struct socket_plan {
	const struct pcl_selinux_judge *judge;
	const struct pcl_selinux_programs *programs;
	const struct pcl_rule *rules[PCL_SELINUX_SOURCES_MAX + 1]; /* that refuse */
	size_t rule_count;
};

/* source: what the task runs; NULL: no program that rules name. */
static bool is_refused(struct socket_plan *sockets, const char *class_name, const char *source)
{
	const struct pcl_operation use = {
		.access = PCL_ACCESS_SOCKET,
		.socket = socket_of(class_name),
		.source = source,
	};
	struct pcl_verdict verdict;

	pcl_decide(sockets->judge->ruleset, &use, &verdict);
	if (verdict.refused && verdict.rule && sockets->rule_count < PCL_SELINUX_SOURCES_MAX + 1)
		sockets->rules[sockets->rule_count++] = verdict.rule;
	return verdict.refused;
}

/* Of several names of one program the strictest holds. */
static bool is_refused_to(struct socket_plan *sockets, const char *class_name,
			  const struct pcl_selinux_program *program)
{
	bool refused =
		program->sources & PCL_SELINUX_NO_SOURCE && is_refused(sockets, class_name, NULL);

	for (size_t i = 0; i < sockets->judge->source_count; i++)
		if (program->sources & (1u << i) &&
		    is_refused(sockets, class_name, sockets->judge->sources[i]))
			refused = true;
	return refused;
}

static int plan_class(struct socket_plan *sockets, const char *class_name,
		      struct pcl_selinux_plan *plan)
{
	struct pcl_selinux_refuse *refuse = NULL;
	unsigned differing = 0;
	bool all;

	sockets->rule_count = 0;
	all = is_refused(sockets, class_name, NULL);
	for (size_t p = 0; p < sockets->programs->count; p++)
		if (is_refused_to(sockets, class_name, &sockets->programs->items[p]) != all)
			differing |= 1u << p;
	if (!all && !differing)
		return 0;
	if (add(plan, class_name, socket_permissions, PCL_ARRAY_SIZE(socket_permissions),
		sockets->rules, sockets->rule_count, &refuse))
		return -ENOMEM;
	refuse->others = all && differing;
	return pcl_selinux_name_sources(sockets->programs, differing, &refuse->sources,
					&refuse->sources_count);
}

static int plan_sockets(const struct pcl_selinux_judge *judge,
			const struct pcl_selinux_programs *programs,
			const struct pcl_selinux_view *view, struct pcl_selinux_plan *plan)
{
	struct socket_plan sockets = {.judge = judge, .programs = programs};

	for (size_t i = 0; i < view->class_count; i++)
		if (plan_class(&sockets, view->classes[i], plan))
			return -ENOMEM;
	return 0;
}

/* KERNEL: a class has 32 permissions at most, so capabilities have two; and two in namespaces. */
#define CAPABILITIES_OF_CLASS 32

static int plan_capabilities(const struct pcl_ruleset *ruleset, unsigned from,
			     const char *const classes[2], struct pcl_selinux_plan *plan)
{
	const char *permissions[CAPABILITIES_OF_CLASS];
	const struct pcl_rule *rules[CAPABILITIES_OF_CLASS];
	size_t count = 0, rule_count = 0;

	for (unsigned i = from; i <= CAP_LAST_CAP && i < from + CAPABILITIES_OF_CLASS; i++) {
		const struct pcl_operation use = {.access = PCL_ACCESS_CAPABILITY, .capability = i};
		struct pcl_verdict verdict;

		pcl_decide(ruleset, &use, &verdict);
		if (!verdict.refused)
			continue;
		permissions[count++] = pcl_capability_names[i];
		if (verdict.rule)
			rules[rule_count++] = verdict.rule;
	}
	for (size_t i = 0; count && i < 2; i++)
		if (add(plan, classes[i], permissions, count, rules, rule_count, NULL))
			return -ENOMEM;
	return 0;
}

int pcl_selinux_plan_numbers(const struct pcl_selinux_judge *judge,
			     const struct pcl_selinux_programs *programs,
			     const struct pcl_selinux_view *view, struct pcl_selinux_plan *plan,
			     struct pcl_diag *diag)
{
	static const char *const first[] = {"capability", "cap_userns"};
	static const char *const second[] = {"capability2", "cap2_userns"};
	const struct pcl_ruleset *ruleset = judge->ruleset;
	int error = check_classes(ruleset, view, diag);

	if (!error)
		error = plan_sockets(judge, programs, view, plan);
	if (!error)
		error = plan_capabilities(ruleset, 0, first, plan);
	if (!error)
		error = plan_capabilities(ruleset, CAPABILITIES_OF_CLASS, second, plan);
	return error;
}
