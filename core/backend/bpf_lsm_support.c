/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the BPF-LSM backend does of a rule. The engine asks before anything is changed, and the plan
 * asks again: a rule that is not enforced must never be left out in silence.
 */

#include "backend/bpf_lsm_load.h"
#include "backend/bpf_lsm_plan.h"
#include "backend/bpf_lsm_syscalls.h"

static const char *const classes[PCL_CLASS_COUNT] = {
	[PCL_CLASS_DEVICE] = "does not see devices being plugged in",
	[PCL_CLASS_NATIVE] = "is not AppArmor, whose own rules these are",
};

static const char *unsupported_match(enum pcl_match match)
{
	switch (match) {
	case PCL_MATCH_PATH:
	case PCL_MATCH_DIR:
	case PCL_MATCH_DIR_RECURSIVE:
	case PCL_MATCH_NAME:
	case PCL_MATCH_PROTOCOL:
	case PCL_MATCH_CAPABILITY:
	case PCL_MATCH_PATTERN:
	case PCL_MATCH_SYSCALL:
	case PCL_MATCH_PRESET:
	case PCL_MATCH_DOMAIN:
		return NULL;
	case PCL_MATCH_DEVICE:
	case PCL_MATCH_NATIVE:
		break;
	}
	return "does not know this kind of rule";
}

static const char *unsupported_syscalls(const struct pcl_rule *rule)
{
	uint32_t numbers[PCL_SYSCALL_NUMBERS_MAX];

	if (rule->match != PCL_MATCH_SYSCALL)
		return "does not see on which path a system call acts";
	for (size_t i = 0; i < rule->syscall_count; i++)
		if (!pcl_bpf_syscall_numbers(rule->syscalls[i], numbers))
			return "does not know the number of one of these system calls";
	return NULL;
}

/* Why nothing of rule is enforced; NULL where it is. */
static const char *unsupported(const struct pcl_rule *rule)
{
	const char *reason = classes[rule->class];

	if (!reason && rule->class == PCL_CLASS_SYSCALL)
		reason = unsupported_syscalls(rule);
	if (!reason)
		reason = unsupported_match(rule->match);
	if (reason)
		return reason;
	if (rule->class == PCL_CLASS_DNS && (rule->source_count || rule->source_dir_count))
		return "does not see which program sends a query, which fromSource asks for";
	if (rule->flags & ~(PCL_RULE_READ_ONLY | PCL_RULE_OWNER_ONLY | PCL_RULE_NO_TERMINAL |
			    PCL_RULE_ALLOWED_ARGS))
		return "does not know this kind of condition";
	return NULL;
}

/* What the rule lets by; NULL: nothing. */
static const char *missed(const struct pcl_rule *rule, unsigned kernel)
{
	bool by_ring = rule->class == PCL_CLASS_FILE || rule->class == PCL_CLASS_NETWORK;

	if (by_ring && kernel == PCL_BPF_KERNEL_OLDEST)
		return "misses what io_uring hands to its workers, which are the kernel's threads "
		       "here";
	if (rule->class == PCL_CLASS_DNS)
		return "misses queries by packet sockets, by sockets made outside of the domain, "
		       "and from memory that is changed while it is sent (MSG_ZEROCOPY, splice)";
	return rule->class == PCL_CLASS_CAPABILITY ? pcl_status_missed_capability(rule) : NULL;
}

/* What is refused and the rule does not say; NULL: nothing. */
static const char *overdone(const struct pcl_rule *rule, unsigned kernel)
{
	bool by_path = rule->class == PCL_CLASS_PROCESS || rule->class == PCL_CLASS_FILE;

	if (by_path && kernel >= PCL_BPF_KERNEL_OLD)
		return "takes a path of more than 1,024 levels, or one that is looked at while "
		       "renames never rest, for unknown, and refuses it where a rule of the class "
		       "can block";
	return NULL;
}

struct pcl_rule_status pcl_bpf_status(const struct pcl_rule *rule, unsigned kernel)
{
	const char *reason = unsupported(rule);

	if (reason)
		return (struct pcl_rule_status){PCL_STATUS_UNSUPPORTED, reason};
	reason = missed(rule, kernel);
	if (reason)
		return (struct pcl_rule_status){PCL_STATUS_LOOSER, reason};
	reason = overdone(rule, kernel);
	if (reason)
		return (struct pcl_rule_status){PCL_STATUS_STRICTER, reason};
	return (struct pcl_rule_status){PCL_STATUS_EXACT, NULL};
}
