/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which backend apply would take for a policy set, and why.
 */
#ifndef PCL_CLI_AUTO_H
#define PCL_CLI_AUTO_H

#include "engine/choice.h"
#include "policy/policy.h"

/*
 * Prints what each backend does of each rule of set on this node, and which is taken. Returns an
 * exit code: 3 where apply would not take the set by itself.
 */
int pcl_cli_print_auto(const struct pcl_policy_set *set, const struct pcl_node *node, bool json);

#endif
