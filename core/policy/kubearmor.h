/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How KubeArmor's own enforcers decide, as far as it can be told from reading them: so that lint
 * can say where a policy set will behave otherwise here. It decides nothing of ours.
 *
 * Pure. An enforcer is asked with the rules that hold the operation's object (found by
 * policy/near.h) in the order in which the policies arrived, for to two of the three the order
 * matters.
 */
#ifndef PCL_POLICY_KUBEARMOR_H
#define PCL_POLICY_KUBEARMOR_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/decide.h"

enum pcl_kubearmor {
	PCL_KUBEARMOR_BPF,
	PCL_KUBEARMOR_APPARMOR,
	PCL_KUBEARMOR_SELINUX,
	PCL_KUBEARMOR_DEVICES, /* its handler of USB devices, beside whichever of the others */
};
#define PCL_KUBEARMOR_COUNT 4

struct pcl_kubearmor_verdict {
	bool refused;
	const struct pcl_rule *rule; /* that decided; NULL: none did, or the posture */
};

/* Of a path its BPF programs walk so many components, from the end. */
#define PCL_KUBEARMOR_COMPONENTS_MAX 20

/* "BPF-LSM", "AppArmor", "SELinux", "device" */
const char *pcl_kubearmor_name(enum pcl_kubearmor enforcer);

/* Whether the enforcer decides access at all: SELinux serves the host only, and only one devices.
 */
bool pcl_kubearmor_serves(enum pcl_kubearmor enforcer, const struct pcl_domain *domain,
			  enum pcl_access access);

/*
 * Why the enforcer ignores rule, or a part of it, as the end of a sentence that begins with its
 * name ("ignores patterns"); NULL where it takes the whole rule. Static.
 */
const char *pcl_kubearmor_gap(enum pcl_kubearmor enforcer, const struct pcl_rule *rule, bool host);

/* Which classes are allow-lists in the eyes of each enforcer. */
struct pcl_kubearmor_lists {
	bool listed[PCL_KUBEARMOR_COUNT][PCL_CLASS_COUNT];
};

void pcl_kubearmor_find_lists(const struct pcl_ruleset *ruleset,
			      struct pcl_kubearmor_lists *ret_lists);

/*
 * What enforcer does with operation in the ruleset's domain. near: every rule, in order of arrival,
 * whose matcher holds the operation's object whatever its source, of the operation's class and,
 * for an operation on a path, of both process and file.
 */
void pcl_kubearmor_decide(enum pcl_kubearmor enforcer, const struct pcl_ruleset *ruleset,
			  const struct pcl_kubearmor_lists *lists,
			  const struct pcl_rule *const *near, size_t near_count,
			  const struct pcl_operation *operation,
			  struct pcl_kubearmor_verdict *ret_verdict);

/* Whether KubeArmor's BPF programs, which see no address family, take socket for protocol. */
bool pcl_kubearmor_protocol_matches(enum pcl_protocol protocol, const struct pcl_socket *socket);

#endif
