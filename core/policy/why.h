/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a rule that holds an operation's object did or did not decide: for people.
 */
#ifndef PCL_POLICY_WHY_H
#define PCL_POLICY_WHY_H

#include "policy/decide.h"

/* What the rule does to the operation, its source considered. */
enum pcl_effect pcl_rule_applies(const struct pcl_rule *rule,
				 const struct pcl_operation *operation);

/*
 * One line without a full stop. verdict is pcl_decide()'s, rule one of the ruleset's whose matcher
 * matches. A new string, or NULL without memory.
 */
char *pcl_why(const struct pcl_rule *rule, const struct pcl_operation *operation,
	      const struct pcl_verdict *verdict);

#endif
