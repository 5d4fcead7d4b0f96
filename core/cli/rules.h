/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the statuses of rules that are applied are shown.
 */
#ifndef PCL_CLI_RULES_H
#define PCL_CLI_RULES_H

#include <jansson.h>

#include "engine/state.h"

/* An array of all rules with their statuses. */
json_t *pcl_cli_rules_json(const struct pcl_state *state);

/* On standard output, how many rules are exact, and of the others which and why. */
void pcl_cli_print_statuses(const struct pcl_state *state);

/* To stand behind a rule in a list: " (looser)"; empty for what is exact. Static text. */
const char *pcl_cli_mark(const struct pcl_state *state, const struct pcl_rule *rule);

#endif
