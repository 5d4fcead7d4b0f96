/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portcullis check: reads policies, prints notices and what was understood. Touches nothing.
 */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/cli.h"

enum {
	OPT_JSON = 1,
};

static const struct option options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int help(void)
{
	(void)puts(
		"usage: portcullis check [--json] POLICY...\n"
		"Reads policies (files, directories of *.yaml and *.yml, or - for standard input) and\n"
		"says what was understood, or the first mistake as FILE:LINE:COLUMN.\n\n"
		"  --json    one JSON object on standard output\n\n"
		"Exit codes: 0 good, 2 a bad policy.");
	return pcl_cli_finish(PCL_EXIT_YES);
}

struct counts {
	size_t class[PCL_CLASS_COUNT];
	size_t action[PCL_ACTION_COUNT];
};

static struct counts count_rules(const struct pcl_policy *policy)
{
	struct counts counts = {0};

	for (size_t i = 0; i < policy->rule_count; i++) {
		counts.class[policy->rules[i]->class] += 1;
		counts.action[policy->rules[i]->action] += 1;
	}
	return counts;
}

/* "2 process, 1 file" of the counts that are not zero. */
static void print_counts(FILE *stream, const size_t *counts, int count,
			 const char *(*name)(int index))
{
	const char *separator = "";

	for (int i = 0; i < count; i++) {
		if (!counts[i])
			continue;
		(void)fprintf(stream, "%s%zu %s", separator, counts[i], name(i));
		separator = ", ";
	}
}

static const char *class_name(int class)
{
	return pcl_class_name((enum pcl_class) class);
}

static const char *action_name(int action)
{
	return pcl_action_name((enum pcl_action)action);
}

static void print_policy(const struct pcl_policy *policy)
{
	struct counts counts = count_rules(policy);
	pcl_autofree char *details = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&details, &len);

	if (stream) {
		print_counts(stream, counts.class, PCL_CLASS_COUNT, class_name);
		(void)fputs("; ", stream);
		print_counts(stream, counts.action, PCL_ACTION_COUNT, action_name);
		if (fclose(stream))
			len = 0;
	}
	pcl_cli_print("%s:%u: %s %s%s%s: %zu rule%s%s%s%s", policy->file, policy->place.line,
		      pcl_kind_name(policy->kind), policy->ns ? policy->ns : "",
		      policy->ns ? "/" : "", policy->name, policy->rule_count,
		      policy->rule_count == 1 ? "" : "s", policy->rule_count ? " (" : "",
		      policy->rule_count && len ? details : "", policy->rule_count ? ")" : "");
}

static json_t *rule_json(const struct pcl_rule *rule)
{
	json_t *json, *sources = json_array(), *tags = json_array();

	for (size_t i = 0; i < rule->source_count; i++)
		(void)json_array_append_new(sources, json_string(rule->sources[i]));
	for (size_t i = 0; i < rule->tag_count; i++)
		(void)json_array_append_new(tags, json_string(rule->tags[i]));
	json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:i, s:o, s:s*, s:i, s:i}", "id",
			 rule->id, "class", pcl_class_name(rule->class), "action",
			 pcl_action_name(rule->action), "match", pcl_match_name(rule->match),
			 "object", rule->object, "sources", sources, "read_only",
			 !!(rule->flags & PCL_RULE_READ_ONLY), "severity", rule->severity, "tags",
			 tags, "message", rule->message, "line", (int)rule->place.line, "column",
			 (int)rule->place.column);
	return json;
}

static json_t *policy_json(const struct pcl_policy *policy)
{
	json_t *rules = json_array(), *selector = json_object();

	for (size_t i = 0; i < policy->rule_count; i++)
		(void)json_array_append_new(rules, rule_json(policy->rules[i]));
	for (size_t i = 0; i < policy->selector_count; i++)
		(void)json_object_set_new(selector, policy->selector[i].key,
					  json_string(policy->selector[i].value));
	return json_pack("{s:s, s:s, s:s?, s:s, s:i, s:o, s:o}", "kind",
			 pcl_kind_name(policy->kind), "name", policy->name, "namespace", policy->ns,
			 "file", policy->file, "line", (int)policy->place.line, "selector",
			 selector, "rules", rules);
}

static int print_json(const struct pcl_policy_set *set)
{
	json_t *policies = json_array(), *notices = json_array();

	for (size_t i = 0; i < set->policy_count; i++)
		(void)json_array_append_new(policies, policy_json(set->policies[i]));
	for (size_t i = 0; i < set->notice_count; i++)
		(void)json_array_append_new(notices, json_string(set->notices[i]));
	return pcl_cli_print_json(
		json_pack("{s:o, s:o}", "policies", policies, "notices", notices));
}

int pcl_cmd_check(int argc, char **argv)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;
	bool json = false;
	int option, exit_code;

	while ((option = pcl_cli_getopt(argc, argv, options)) != -1) {
		if (option == 'h')
			return help();
		if (option != OPT_JSON)
			return PCL_EXIT_USAGE;
		json = true;
	}
	if (optind == argc)
		return pcl_cli_fail(PCL_EXIT_USAGE,
				    "check: no policy given; see portcullis check --help");
	exit_code = pcl_cli_read_policies(argv + optind, argc - optind, &set);
	if (exit_code)
		return exit_code;
	if (json) {
		exit_code = print_json(set);
		if (exit_code)
			return exit_code;
	} else {
		pcl_cli_print_notices(set);
		for (size_t i = 0; i < set->policy_count; i++)
			print_policy(set->policies[i]);
	}
	if (!set->policy_count)
		return pcl_cli_fail(PCL_EXIT_USAGE, "check: no KubeArmor policy in what was given");
	return pcl_cli_finish(PCL_EXIT_YES);
}
