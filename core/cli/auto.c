/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The choice of a backend, rule by rule and class by class.
 */
#include "cli/auto.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/cli.h"

/* Whether apply takes the set without being told to take or to leave out more. */
static bool is_taken(const struct pcl_choice *choice)
{
	const struct pcl_candidate *chosen = &choice->candidates[choice->chosen];

	if (choice->chosen == choice->count)
		return false;
	return !pcl_choice_count(chosen, PCL_STATUS_LOOSER) &&
	       !pcl_choice_count(chosen, PCL_STATUS_UNSUPPORTED);
}

/* --- text ------------------------------------------------------------------------------------
 */

static void print_candidate(const struct pcl_candidate *candidate)
{
	pcl_cli_print("%-9s %s: %zu exact, %zu stricter, %zu looser, %zu unsupported",
		      candidate->backend->name, candidate->lacks ? "cannot be used" : "can be used",
		      pcl_choice_count(candidate, PCL_STATUS_EXACT),
		      pcl_choice_count(candidate, PCL_STATUS_STRICTER),
		      pcl_choice_count(candidate, PCL_STATUS_LOOSER),
		      pcl_choice_count(candidate, PCL_STATUS_UNSUPPORTED));
	if (candidate->lacks)
		pcl_cli_print("  %s", candidate->lacks);
}

static void print_rule(const struct pcl_choice *choice, const struct pcl_rule *rule,
		       uint32_t number)
{
	pcl_cli_print("%s:%u: %s", rule->policy->file, rule->place.line, rule->id);
	for (size_t i = 0; i < choice->count; i++) {
		const struct pcl_rule_status status =
			pcl_statuses_get(&choice->candidates[i].statuses, number);

		pcl_cli_print("  %s %s: %s%s%s", i == choice->chosen ? "*" : " ",
			      choice->candidates[i].backend->name, pcl_status_name(status.status),
			      status.reason ? ": " : "", status.reason ? status.reason : "");
	}
}

/* Every candidate was asked of all rules, so the first one knows how many a class has. */
static size_t count_class(const struct pcl_choice *choice, enum pcl_class class)
{
	size_t count = 0;

	for (size_t s = 0; choice->count && s < PCL_STATUS_COUNT; s++)
		count += choice->candidates[0].counts[class][s];
	return count;
}

static void print_class_by(const struct pcl_choice *choice, size_t index, enum pcl_class class)
{
	const struct pcl_candidate *candidate = &choice->candidates[index];

	pcl_cli_print("  %s %s: %zu exact, %zu stricter, %zu looser, %zu unsupported%s",
		      index == choice->chosen ? "*" : " ", candidate->backend->name,
		      candidate->counts[class][PCL_STATUS_EXACT],
		      candidate->counts[class][PCL_STATUS_STRICTER],
		      candidate->counts[class][PCL_STATUS_LOOSER],
		      candidate->counts[class][PCL_STATUS_UNSUPPORTED],
		      candidate->lacks ? "; cannot be used" : "");
}

static void print_class(const struct pcl_choice *choice, enum pcl_class class)
{
	size_t better = pcl_choice_better(choice, class);

	if (!count_class(choice, class))
		return;
	pcl_cli_print("class %s", pcl_class_name(class));
	for (size_t i = 0; i < choice->count; i++)
		print_class_by(choice, i, class);
	if (better < choice->count)
		pcl_cli_print("  %s would do better of the class %s, but one backend "
			      "enforces all of a set",
			      choice->candidates[better].backend->name, pcl_class_name(class));
}

static int print_text(const struct pcl_choice *choice, const struct pcl_rule *const *rules,
		      size_t count, const char *why)
{
	for (size_t i = 0; i < choice->count; i++)
		print_candidate(&choice->candidates[i]);
	for (size_t i = 0; i < count; i++)
		print_rule(choice, rules[i], (uint32_t)i + 1);
	for (enum pcl_class c = 0; (int)c < PCL_CLASS_COUNT; c++)
		print_class(choice, c);
	if (choice->chosen < choice->count)
		pcl_cli_print("%s is taken: %s", choice->candidates[choice->chosen].backend->name,
			      why);
	else
		pcl_cli_print("no backend is taken: %s", why);
	if (choice->chosen < choice->count && !is_taken(choice))
		pcl_cli_print("apply takes the set with --best-effort only");
	return pcl_cli_finish(is_taken(choice) ? PCL_EXIT_YES : PCL_EXIT_UNSUPPORTED);
}

/* --- JSON ------------------------------------------------------------------------------------
 */

static json_t *candidate_json(const struct pcl_candidate *candidate)
{
	return json_pack("{s:s, s:b, s:s*, s:s, s:I, s:I, s:I, s:I}", "backend",
			 candidate->backend->name, "usable", !candidate->lacks, "lacks",
			 candidate->lacks, "kernel", candidate->backend->kernels[candidate->kernel],
			 "exact", (json_int_t)pcl_choice_count(candidate, PCL_STATUS_EXACT),
			 "stricter", (json_int_t)pcl_choice_count(candidate, PCL_STATUS_STRICTER),
			 "looser", (json_int_t)pcl_choice_count(candidate, PCL_STATUS_LOOSER),
			 "unsupported",
			 (json_int_t)pcl_choice_count(candidate, PCL_STATUS_UNSUPPORTED));
}

static json_t *rule_json(const struct pcl_choice *choice, const struct pcl_rule *rule,
			 uint32_t number)
{
	json_t *statuses = json_array();

	for (size_t i = 0; i < choice->count; i++) {
		const struct pcl_rule_status status =
			pcl_statuses_get(&choice->candidates[i].statuses, number);

		(void)json_array_append_new(statuses,
					    json_pack("{s:s, s:s, s:s*}", "backend",
						      choice->candidates[i].backend->name, "status",
						      pcl_status_name(status.status), "reason",
						      status.reason));
	}
	return json_pack("{s:s, s:s, s:i, s:s, s:o}", "rule", rule->id, "file", rule->policy->file,
			 "line", (int)rule->place.line, "class", pcl_class_name(rule->class),
			 "statuses", statuses);
}

static json_t *class_json(const struct pcl_choice *choice, enum pcl_class class)
{
	size_t better = pcl_choice_better(choice, class);
	json_t *by = json_array();

	for (size_t i = 0; i < choice->count; i++) {
		const size_t *counts = choice->candidates[i].counts[class];

		(void)json_array_append_new(
			by, json_pack("{s:s, s:b, s:I, s:I, s:I, s:I}", "backend",
				      choice->candidates[i].backend->name, "chosen",
				      (int)(i == choice->chosen), "exact",
				      (json_int_t)counts[PCL_STATUS_EXACT], "stricter",
				      (json_int_t)counts[PCL_STATUS_STRICTER], "looser",
				      (json_int_t)counts[PCL_STATUS_LOOSER], "unsupported",
				      (json_int_t)counts[PCL_STATUS_UNSUPPORTED]));
	}
	return json_pack("{s:s, s:s*, s:o}", "class", pcl_class_name(class), "better",
			 better < choice->count ? choice->candidates[better].backend->name : NULL,
			 "backends", by);
}

static json_t *classes_json(const struct pcl_choice *choice)
{
	json_t *list = json_array();

	for (enum pcl_class c = 0; (int)c < PCL_CLASS_COUNT; c++)
		if (count_class(choice, c))
			(void)json_array_append_new(list, class_json(choice, c));
	return list;
}

static int print_json(const struct pcl_choice *choice, const struct pcl_rule *const *rules,
		      size_t count, const char *why)
{
	json_t *candidates = json_array(), *list = json_array();
	bool any = choice->chosen < choice->count;
	int exit_code;

	for (size_t i = 0; i < choice->count; i++)
		(void)json_array_append_new(candidates, candidate_json(&choice->candidates[i]));
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, rule_json(choice, rules[i], (uint32_t)i + 1));
	exit_code = pcl_cli_print_json(
		json_pack("{s:o, s:o, s:o, s:s?, s:s, s:b}", "backends", candidates, "rules", list,
			  "classes", classes_json(choice), "chosen",
			  any ? choice->candidates[choice->chosen].backend->name : NULL, "why", why,
			  "taken", (int)is_taken(choice)));
	return exit_code || is_taken(choice) ? exit_code : PCL_EXIT_UNSUPPORTED;
}

int pcl_cli_print_auto(const struct pcl_policy_set *set, const struct pcl_node *node, bool json)
{
	struct pcl_choice choice pcl_cleanup(pcl_choice_fini) = {0};
	struct pcl_choice_asked asked = {.backends = pcl_backends, .node = node};
	pcl_autofree const struct pcl_rule **rules = NULL;
	pcl_autofree char *why = NULL;

	if (pcl_policy_set_rules(set, &rules, &asked.rule_count))
		return pcl_cli_fail(PCL_EXIT_NO, "probe: out of memory");
	asked.rules = rules;
	if (pcl_choice_make(&asked, PCL_CHOICE_ALL, &choice) || !(why = pcl_choice_why(&choice)))
		return pcl_cli_fail(PCL_EXIT_NO, "probe: out of memory");
	return json ? print_json(&choice, rules, asked.rule_count, why)
		    : print_text(&choice, rules, asked.rule_count, why);
}
