/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the AppArmor backend does of a rule. A promise: what is more or less than the rule says is
 * named, and the plan does exactly that.
 */

#include <string.h>

#include "backend/apparmor_plan.h"

const char *const pcl_apparmor_kernel_names[] = {"any", NULL};

static const char *const classes[PCL_CLASS_COUNT] = {
	[PCL_CLASS_DNS] = "does not see which name is asked for",
	[PCL_CLASS_SYSCALL] = "does not see system calls",
	[PCL_CLASS_DEVICE] = "does not see devices being plugged in",
};

/* KERNEL: apparmor_socket_*() look at a socket's family and type; its protocol is not passed on. */
static const char *unsupported_protocol(const struct pcl_rule *rule)
{
	switch ((enum pcl_protocol)rule->number) {
	case PCL_PROTOCOL_ICMP:
	case PCL_PROTOCOL_ICMPV6:
		return "cannot tell a socket of ICMP from one of UDP or another raw one";
	case PCL_PROTOCOL_SCTP:
		return "cannot tell a socket of SCTP from one of TCP";
	case PCL_PROTOCOL_DCCP:
		return "does not know the type of DCCP's sockets";
	case PCL_PROTOCOL_TCP:
	case PCL_PROTOCOL_UDP:
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

/* The parser takes seconds for one name of 2,000 bytes, and eight times that for one of 4,000. */
#define OBJECT_MAX 2048

/* Why nothing of rule is enforced; NULL where it is. */
static const char *unsupported(const struct pcl_rule *rule)
{
	if (classes[rule->class])
		return classes[rule->class];
	if (rule->match == PCL_MATCH_PRESET)
		return "has no words for what presets tell apart";
	if (rule->flags & PCL_RULE_NO_TERMINAL)
		return "does not see whether a task has a terminal";
	if (rule->flags & PCL_RULE_ALLOWED_ARGS)
		return "does not see a program's arguments";
	if ((rule->class == PCL_CLASS_PROCESS || rule->class == PCL_CLASS_FILE) &&
	    strlen(rule->object) > OBJECT_MAX)
		return "takes no name of more than 2,048 bytes";
	if (rule->match == PCL_MATCH_PATTERN && *rule->object != '/')
		return "takes no pattern that begins otherwise than with a slash";
	return rule->match == PCL_MATCH_PROTOCOL ? unsupported_protocol(rule) : NULL;
}

/* Whether it can refuse something: then names are kept from changing for its sake. */
static bool can_refuse(const struct pcl_rule *rule)
{
	return rule->action == PCL_ACTION_BLOCK ||
	       (rule->action == PCL_ACTION_ALLOW && rule->flags);
}

/* KERNEL: what a task that no profile binds has opened is not judged again as another uses it. */
#define BY_NAME "by the name under which it is reached: misses other mounts of it, "
#define OPENED                                                                                     \
	"what was opened before a profile bound its user, or by who has none, changes of times, "  \
	"attributes and ACLs"

/* Rules of directories leave writing alone: a temporary directory must stay one. */
static const char *missed_process(const struct pcl_rule *rule)
{
	if (!can_refuse(rule))
		return "judges a program " BY_NAME
		       "the interpreter that a script or binfmt_misc names, and what a loader maps that is run by "
		       "hand";
	if (rule->match != PCL_MATCH_PATH && rule->match != PCL_MATCH_NAME)
		return "judges a program " BY_NAME
		       "the interpreter that a script or binfmt_misc names, and programs that are renamed first; "
		       "refuses mapping such a file executable, and moving or changing the mode of "
		       "directories above";
	return "judges a program " BY_NAME
	       "and the interpreter that a script or binfmt_misc names; refuses mapping it executable, changing "
	       "it, and moving, making or changing the mode of directories above";
}

static const char *missed_file(const struct pcl_rule *rule)
{
	if (!can_refuse(rule))
		return "judges a file " BY_NAME "and " OPENED;
	/* KERNEL: of a rename and of a hard link, both names are asked about with one owner. */
	if (rule->flags & PCL_RULE_OWNER_ONLY)
		return "judges a file by the name under which it is reached, and both names of what "
		       "is moved, exchanged or linked by one owner: misses other mounts of "
		       "it, " OPENED
		       ", moving one's own file over another's, exchanging the two, and moving "
		       "directories that wildcards match; refuses moving or linking another's file "
		       "to it, and moving, making or changing the mode of the other directories "
		       "above";
	if (rule->match == PCL_MATCH_PATTERN)
		return "judges a file " BY_NAME OPENED
		       ", and moving directories that wildcards match; refuses moving, making or "
		       "changing the mode of the others above";
	return "judges a file " BY_NAME "and " OPENED
	       "; refuses moving, making or changing the mode of directories above";
}

static const char *missed_capability(const struct pcl_rule *rule)
{
	if (rule->action == PCL_ACTION_AUDIT)
		return "tells of several uses in a row by one program once only";
	return pcl_status_missed_capability(rule);
}

/* What an allow-list lets by; NULL: nothing. */
static const char *missed_network(const struct pcl_rule *rule)
{
	if (rule->action != PCL_ACTION_ALLOW)
		return NULL;
	if (rule->number == PCL_PROTOCOL_TCP)
		return "cannot tell TCP from SCTP, which it allows too, and not TCP by raw "
		       "sockets";
	if (rule->number == PCL_PROTOCOL_UDP)
		return "cannot tell UDP from ICMP by datagrams, which it allows too, and not UDP by "
		       "raw sockets";
	return NULL;
}

static const char *missed(const struct pcl_rule *rule)
{
	if (rule->source_count)
		return "knows a program by the name that was executed: misses a source that is a "
		       "container's first program, or the interpreter that a script or binfmt_misc names; refuses "
		       "to execute a source, or to leave it, under no_new_privs, and kills what is "
		       "executed so if rules do not let it be read; and what it misses and refuses "
		       "without fromSource";
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

/* What is refused and the rule does not say; NULL: nothing. */
static const char *overdone(const struct pcl_rule *rule)
{
	if (rule->class != PCL_CLASS_NETWORK || rule->action != PCL_ACTION_BLOCK)
		return NULL;
	if (rule->number == PCL_PROTOCOL_TCP)
		return "cannot tell TCP from SCTP, nor what raw sockets carry, which it refuses "
		       "too";
	if (rule->number == PCL_PROTOCOL_UDP)
		return "cannot tell UDP from ICMP by datagrams, nor what raw sockets carry, which "
		       "it refuses too";
	return NULL;
}

struct pcl_rule_status pcl_apparmor_status(const struct pcl_rule *rule, unsigned kernel)
{
	const char *reason = unsupported(rule);

	(void)kernel;
	if (reason)
		return (struct pcl_rule_status){PCL_STATUS_UNSUPPORTED, reason};
	reason = missed(rule);
	if (reason)
		return (struct pcl_rule_status){PCL_STATUS_LOOSER, reason};
	reason = overdone(rule);
	if (reason)
		return (struct pcl_rule_status){PCL_STATUS_STRICTER, reason};
	return (struct pcl_rule_status){PCL_STATUS_EXACT, NULL};
}
