/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statuses in text and JSON.
 */
#include "cli/rules.h"

#include <stdio.h>

#include "cli/cli.h"

/* A kind that many rules share is shown by the first ones; --json has all. */
#define RULES_SHOWN 20u

json_t *pcl_cli_rules_json(const struct pcl_state *state)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < state->rule_count; i++) {
		const struct pcl_rule *rule = state->rules[i];
		const struct pcl_rule_status status =
			pcl_statuses_get(&state->statuses, (uint32_t)i + 1);

		(void)json_array_append_new(rules,
					    json_pack("{s:s, s:s, s:s*, s:s, s:i}", "id", rule->id,
						      "status", pcl_status_name(status.status),
						      "reason", status.reason, "file",
						      rule->policy->file, "line",
						      (int)rule->place.line));
	}
	return rules;
}

static void print_rules_of(const struct pcl_state *state, uint32_t kind)
{
	size_t shown = 0;

	for (size_t i = 0; i < state->rule_count && shown < RULES_SHOWN; i++) {
		if (state->statuses.kind_of[i] != kind)
			continue;
		pcl_cli_print("    %s (%s:%u)", state->rules[i]->id, state->rules[i]->policy->file,
			      state->rules[i]->place.line);
		shown++;
	}
	if (state->statuses.kinds[kind - 1].count > shown)
		pcl_cli_print("    and %zu more", state->statuses.kinds[kind - 1].count - shown);
}

void pcl_cli_print_statuses(const struct pcl_state *state)
{
	const struct pcl_statuses *statuses = &state->statuses;

	pcl_cli_print("  exact: %zu rules", pcl_statuses_count(statuses, PCL_STATUS_EXACT));
	for (size_t i = 0; i < statuses->kind_count; i++) {
		pcl_cli_print("  %s: %zu rules; %s %s", pcl_status_name(statuses->kinds[i].status),
			      statuses->kinds[i].count, state->backend, statuses->kinds[i].reason);
		print_rules_of(state, (uint32_t)i + 1);
	}
}

const char *pcl_cli_mark(const struct pcl_state *state, const struct pcl_rule *rule)
{
	static const char *const marks[PCL_STATUS_COUNT] = {
		[PCL_STATUS_EXACT] = "",
		[PCL_STATUS_STRICTER] = "  (stricter)",
		[PCL_STATUS_LOOSER] = "  (looser)",
		[PCL_STATUS_UNSUPPORTED] = "  (unsupported)",
	};

	return marks[pcl_state_status(state, rule).status];
}
