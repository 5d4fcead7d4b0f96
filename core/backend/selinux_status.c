/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the SELinux backend does of a rule. A promise: what is more or less than the rule says is
 * named, and the plan does exactly that.
 */
#include "backend/selinux_plan.h"

#include <linux/capability.h>

const char *const pcl_selinux_kernel_names[] = {"any", NULL};

static const char *const classes[PCL_CLASS_COUNT] = {
	[PCL_CLASS_DNS] = "does not see which name is asked for",
	[PCL_CLASS_SYSCALL] = "does not see system calls",
	[PCL_CLASS_DEVICE] = "does not see devices being plugged in",
	[PCL_CLASS_NATIVE] = "is not AppArmor, whose own rules these are",
};

/* KERNEL: socket_type_to_security_class() tells apart protocols of inet, and families. */
static const char *unsupported_protocol(const struct pcl_rule *rule)
{
	switch ((enum pcl_protocol)rule->number) {
	case PCL_PROTOCOL_ICMP:
	case PCL_PROTOCOL_ICMPV6:
		return "cannot tell ICMP of the one inet from that of the other, or from raw sockets";
	case PCL_PROTOCOL_RAW:
	case PCL_PROTOCOL_STREAM:
	case PCL_PROTOCOL_DGRAM:
	case PCL_PROTOCOL_RDM:
	case PCL_PROTOCOL_SEQPACKET:
		return "knows sockets by family and protocol, not by type";
	case PCL_PROTOCOL_TCP:
	case PCL_PROTOCOL_UDP:
	case PCL_PROTOCOL_SCTP:
	case PCL_PROTOCOL_DCCP:
	case PCL_PROTOCOL_PACKET:
	case PCL_PROTOCOL_ALL:
		break;
	}
	return NULL;
}

/* KERNEL: who executes is the one that asks for execute; what else is asked is of what it becomes.
 */
static const char *unsupported_source(const struct pcl_rule *rule)
{
	if (rule->class == PCL_CLASS_CAPABILITY)
		return "does not tell by program who uses a capability";
	if (rule->class == PCL_CLASS_PROCESS && (rule->action != PCL_ACTION_BLOCK || rule->flags))
		return "does not know by which program one is executed, but where that is blocked";
	return NULL;
}

/* Why nothing of rule is enforced; NULL where it is. */
static const char *unsupported(const struct pcl_rule *rule)
{
	if (classes[rule->class])
		return classes[rule->class];
	if (rule->policy->kind != PCL_KIND_HOST)
		return "is for the host: it does not know containers";
	if (rule->source_count && unsupported_source(rule))
		return unsupported_source(rule);
	if (rule->flags & PCL_RULE_OWNER_ONLY)
		return "does not know who owns a file";
	if (rule->flags & PCL_RULE_NO_TERMINAL)
		return "does not see whether a task has a terminal";
	if (rule->flags & PCL_RULE_ALLOWED_ARGS)
		return "does not see a program's arguments";
	if (rule->action == PCL_ACTION_AUDIT && rule->class == PCL_CLASS_NETWORK)
		return "does not tell of sockets that are permitted";
	if (rule->action == PCL_ACTION_AUDIT && rule->class == PCL_CLASS_CAPABILITY)
		return "does not tell of capabilities that are permitted";
	return rule->match == PCL_MATCH_PROTOCOL ? unsupported_protocol(rule) : NULL;
}

static const char *missed_process(const struct pcl_rule *rule)
{
	if (rule->action == PCL_ACTION_AUDIT)
		return "labels programs as the policy is applied: misses what gets such a name later, "
		       "and the interpreter that a script names";
	if (rule->action == PCL_ACTION_ALLOW && !rule->flags)
		return "labels programs as the policy is applied: takes a listed program for listed "
		       "wherever it is moved to or linked; misses interpreters that scripts name, "
		       "loaders run by hand, and alerts of what an audited list leaves out; refuses "
		       "what gets a listed name later, and containers too";
	if (rule->match == PCL_MATCH_PATTERN || rule->match == PCL_MATCH_NAME)
		return "labels programs as the policy is applied: misses what gets such a name later; "
		       "refuses mapping them executable and replacing them, and containers too";
	return "labels programs as the policy is applied: misses what is moved there later, made "
	       "where nothing was, or made by a transition with a name; refuses mapping them "
	       "executable, replacing them and moving directories above, what is made below new "
	       "directories, and containers too";
}

static const char *missed_file(const struct pcl_rule *rule)
{
	if (rule->action == PCL_ACTION_AUDIT)
		return "labels files as the policy is applied: misses what gets such a name later, and "
		       "takes executing a file for reading it";
	if (rule->action == PCL_ACTION_ALLOW && !rule->flags)
		return "labels files as the policy is applied: takes a listed file for listed wherever "
		       "it is moved to or linked; misses /proc, and alerts of what an audited list "
		       "leaves out; refuses what gets a listed name later, what "
		       "cannot be labelled, and containers too";
	if (rule->match == PCL_MATCH_PATTERN)
		return "labels files as the policy is applied: misses what gets such a name later, and "
		       "what cannot be labelled; refuses executing what may not be read, and "
		       "containers too";
	return "labels files as the policy is applied: misses what is made where nothing was, and "
	       "what cannot be labelled; refuses executing what may not be read, moving directories "
	       "above, what is made below new directories, and containers too";
}

/* KERNEL: as pcl_status_missed_capability() says; and containers are refused it, too. */
static const char *missed_capability(const struct pcl_rule *rule)
{
	if (rule->action == PCL_ACTION_ALLOW)
		return "misses, as an allow-list, what no hook is called for (sys_rawio for low "
		       "addresses, setpcap for capset and securebits, sys_admin for the memory "
		       "reserve), and alerts of what an audited list leaves out; refuses containers "
		       "too";
	switch (rule->number) {
	case CAP_SYS_RAWIO:
		return "misses mappings of low addresses, for which no hook is called; refuses "
		       "containers too";
	case CAP_SETPCAP:
		return "misses capset and securebits, for which no hook is called; refuses "
		       "containers too";
	case CAP_SYS_ADMIN:
		return "misses the use of the memory reserve, for which no hook is called; refuses "
		       "containers too";
	default:
		return NULL;
	}
}

static const char *missed_network(const struct pcl_rule *rule)
{
	if (rule->action == PCL_ACTION_ALLOW)
		return "misses alerts of what an audited list leaves out; refuses, as a list that "
		       "blocks, raw sockets of a listed protocol, UDP-Lite as UDP, and before Linux "
		       "5.11 Multipath TCP as TCP; refuses containers too";
	switch ((enum pcl_protocol)rule->number) {
	case PCL_PROTOCOL_TCP:
		return "misses raw sockets of the protocol, and before Linux 5.11 Multipath TCP; "
		       "refuses containers too";
	case PCL_PROTOCOL_UDP:
		return "misses raw sockets of the protocol, and UDP-Lite; refuses containers too";
	case PCL_PROTOCOL_SCTP:
	case PCL_PROTOCOL_DCCP:
		return "misses raw sockets of the protocol; refuses containers too";
	case PCL_PROTOCOL_ICMP:
	case PCL_PROTOCOL_ICMPV6:
	case PCL_PROTOCOL_RAW:
	case PCL_PROTOCOL_STREAM:
	case PCL_PROTOCOL_DGRAM:
	case PCL_PROTOCOL_RDM:
	case PCL_PROTOCOL_SEQPACKET:
	case PCL_PROTOCOL_PACKET:
	case PCL_PROTOCOL_ALL:
		break;
	}
	return NULL;
}

#define MISSED_SOURCE                                                                                 \
	"knows a program by its file's label as it is executed: misses a source that runs already, "  \
	"that comes to its place later, or that a script or binfmt_misc names as its interpreter, "   \
	"what is executed where a boolean or a bound of the policy decides its domain, and, of a "    \
	"policy without nnp_nosuid_transition, by who has no_new_privs; takes for a source what one " \
	"executes of a type that no file had before; kills a source as it starts that may not read "  \
	"or execute its own file; refuses everything to who runs or ran a source while another "      \
	"policy is loaded; and what it misses and refuses without fromSource"

static const char *missed(const struct pcl_rule *rule)
{
	if (rule->source_count)
		return MISSED_SOURCE;
	switch (rule->class) {
	case PCL_CLASS_PROCESS:
		return missed_process(rule);
	case PCL_CLASS_FILE:
		return missed_file(rule);
	case PCL_CLASS_CAPABILITY:
		return missed_capability(rule);
	case PCL_CLASS_NETWORK:
		return missed_network(rule);
	case PCL_CLASS_DNS:
	case PCL_CLASS_SYSCALL:
	case PCL_CLASS_DEVICE:
	case PCL_CLASS_NATIVE:
		break;
	}
	return NULL;
}

struct pcl_rule_status pcl_selinux_status(const struct pcl_rule *rule, unsigned kernel)
{
	const char *reason = unsupported(rule);

	(void)kernel;
	if (reason)
		return (struct pcl_rule_status){PCL_STATUS_UNSUPPORTED, reason};
	reason = missed(rule);
	if (reason)
		return (struct pcl_rule_status){PCL_STATUS_LOOSER, reason};
	return (struct pcl_rule_status){PCL_STATUS_STRICTER,
					"knows no domains of tasks: refuses containers too"};
}
