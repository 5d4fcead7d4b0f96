/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rules the BPF-LSM backend enforces. The engine asks before anything is changed, and the
 * plan asks again: a rule that is not enforced must never be left out in silence.
 */
#include "backend/bpf_lsm_plan.h"
#include "backend/bpf_lsm_syscalls.h"

static const char *const classes[PCL_CLASS_COUNT] = {
	[PCL_CLASS_DNS] = "does not see DNS queries",
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
		return NULL;
	case PCL_MATCH_PRESET:
		return "has no presets";
	case PCL_MATCH_DOMAIN:
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

const char *pcl_bpf_unsupported(const struct pcl_rule *rule)
{
	const char *reason = classes[rule->class];

	if (!reason && rule->class == PCL_CLASS_SYSCALL)
		reason = unsupported_syscalls(rule);
	if (!reason)
		reason = unsupported_match(rule->match);
	if (reason)
		return reason;
	if (rule->flags & PCL_RULE_ALLOWED_ARGS)
		return "does not see arguments, which allowedArgs asks for";
	if (rule->flags & ~(PCL_RULE_READ_ONLY | PCL_RULE_OWNER_ONLY | PCL_RULE_NO_TERMINAL))
		return "does not know this kind of condition";
	if (rule->source_dir_count)
		return "does not know directories as sources";
	return NULL;
}
