/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolve: many policies to one ruleset per domain, in a total order that does not depend on the
 * order of arrival. The first of the three laws: precedence is decided here and in decide.c, once,
 * and never in a backend.
 */
#ifndef PCL_POLICY_RESOLVE_H
#define PCL_POLICY_RESOLVE_H

#include "policy/domain.h"
#include "policy/policy.h"

enum pcl_posture {
	PCL_POSTURE_AUDIT, /* an allow-list permits what it does not list, with an alert */
	PCL_POSTURE_BLOCK, /* and refuses it */
};
#define PCL_POSTURE_COUNT 2

#define PCL_DEFAULT_POSTURE_NAME "DefaultPosture"

/* Process follows file, and dns follows network. */
struct pcl_postures {
	enum pcl_posture file;
	enum pcl_posture network;
	enum pcl_posture capabilities;
	enum pcl_posture device;
};

struct pcl_index;

struct pcl_ruleset {
	const struct pcl_domain *domain; /* borrowed */
	/*
	 * Rules of the policies that select domain, best attribution first: the most specific
	 * matcher, then with a source before without, then higher severity, then policy name, then
	 * id. A path is more specific than a name, a name than a pattern (longer before shorter), a
	 * pattern than a directory (longer before shorter, then plain before recursive), a
	 * directory than a preset; a protocol than a socket type, and "all" is last; a longer
	 * domain name comes first; a device by what its rule tells (class and level, then subClass,
	 * then protocol). Duplicates in meaning stay: they change nothing. Borrowed from the policy
	 * set.
	 */
	const struct pcl_rule **rules;
	size_t rule_count;
	struct pcl_postures postures;
	bool allow_list[PCL_CLASS_COUNT]; /* some rule of the class has action Allow */
	bool any_block[PCL_CLASS_COUNT];  /* some rule of the class can refuse (Block, or a flag)
					   */
	struct pcl_index *index;	  /* finds the rules for an operation; policy/index.h */
};

/* The posture that holds for class. */
enum pcl_posture pcl_postures_get(const struct pcl_postures *postures, enum pcl_class class);

int pcl_resolve(const struct pcl_policy_set *set, const struct pcl_domain *domain,
		const struct pcl_postures *postures, struct pcl_ruleset **ret_ruleset);
void pcl_ruleset_free(struct pcl_ruleset **ruleset);

/* Its first part: below 0 where a is more specific, with a source before without. */
int pcl_rule_compare_specificity(const struct pcl_rule *a, const struct pcl_rule *b);

/* Total order of attribution described above; as for qsort, over const struct pcl_rule *. */
int pcl_rule_compare(const struct pcl_rule *a, const struct pcl_rule *b);

/*
 * All rules of set in that order, which is the one that backends number them in. The array is the
 * caller's to free, the rules are the set's. 0 or -ENOMEM.
 */
int pcl_policy_set_rules(const struct pcl_policy_set *set, const struct pcl_rule ***ret_rules,
			 size_t *ret_count);

#endif
