/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portcullis check: reads policies and says every mistake, what will surprise, and what was
 * understood. Touches nothing.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/report.h"
#include "policy/lint.h"

enum {
	OPT_JSON = 1,
	OPT_FORMAT,
	OPT_NO_LINT,
	OPT_ALL,
};

enum format {
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_GITHUB,
};

static const char *const format_names[] = {
	[FORMAT_TEXT] = "text",
	[FORMAT_JSON] = "json",
	[FORMAT_GITHUB] = "github",
	NULL,
};

struct request {
	enum format format;
	bool lint;
	bool all;
};

static const struct option options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"format", required_argument, NULL, OPT_FORMAT},
	{"no-lint", no_argument, NULL, OPT_NO_LINT},
	{"all", no_argument, NULL, OPT_ALL},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int help(void)
{
	(void)puts(
		"usage: portcullis check [OPTION...] POLICY...\n"
		"Reads policies (files, directories of *.yaml and *.yml, or - for standard input) and\n"
		"says every mistake as FILE:LINE:COLUMN, what will surprise, and what was understood.\n\n"
		"  --format FORMAT  text (the default), json (one object on standard output), or\n"
		"                   github (annotations of a workflow)\n"
		"  --json           the same as --format json\n"
		"  --no-lint        only mistakes, no warnings\n"
		"  --all            every warning, not only the first ones of each kind; json and\n"
		"                   github have all in any case\n\n"
		"Exit codes: 0 good, with warnings or without; 2 a bad policy.");
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
	for (size_t i = 0; i < rule->source_dir_count; i++)
		(void)json_array_append_new(sources,
					    json_sprintf("%s/%s", rule->source_dirs[i].path,
							 rule->source_dirs[i].recursive ? "**"
											: "*"));
	for (size_t i = 0; i < rule->tag_count; i++)
		(void)json_array_append_new(tags, json_string(rule->tags[i]));
	json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:b, s:b, s:i, s:o, s:s*, s:i, s:i}",
			 "id", rule->id, "class", pcl_class_name(rule->class), "action",
			 pcl_action_name(rule->action), "match", pcl_match_name(rule->match),
			 "object", rule->object, "sources", sources, "read_only",
			 !!(rule->flags & PCL_RULE_READ_ONLY), "owner_only",
			 !!(rule->flags & PCL_RULE_OWNER_ONLY), "no_terminal",
			 !!(rule->flags & PCL_RULE_NO_TERMINAL), "severity", rule->severity, "tags",
			 tags, "message", rule->message, "line", (int)rule->place.line, "column",
			 (int)rule->place.column);
	if (rule->arg_count)
		(void)json_object_set_new(json, "allowed_args",
					  pcl_report_texts(rule->args, rule->arg_count));
	if (rule->syscall_count)
		(void)json_object_set_new(json, "syscalls",
					  pcl_report_texts(rule->syscalls, rule->syscall_count));
	return json;
}

static json_t *expressions_json(const struct pcl_policy *policy)
{
	json_t *array = json_array();

	for (size_t i = 0; i < policy->expression_count; i++) {
		const struct pcl_expression *expression = &policy->expressions[i];

		(void)json_array_append_new(
			array,
			json_pack("{s:s, s:s, s:o}", "key",
				  expression->on_namespace ? "namespace" : "label", "operator",
				  expression->negated ? "NotIn" : "In", "values",
				  pcl_report_texts(expression->values, expression->value_count)));
	}
	return array;
}

static json_t *policy_json(const struct pcl_policy *policy)
{
	json_t *rules = json_array(), *selector = json_object();

	for (size_t i = 0; i < policy->rule_count; i++)
		(void)json_array_append_new(rules, rule_json(policy->rules[i]));
	for (size_t i = 0; i < policy->selector_count; i++)
		(void)json_object_set_new(selector, policy->selector[i].key,
					  json_string(policy->selector[i].value));
	return json_pack("{s:s, s:s, s:s?, s:s, s:i, s:o, s:o, s:o, s:o}", "kind",
			 pcl_kind_name(policy->kind), "name", policy->name, "namespace", policy->ns,
			 "file", policy->file, "line", (int)policy->place.line, "selector",
			 selector, "expressions", expressions_json(policy), "containers",
			 pcl_report_texts(policy->containers, policy->container_count), "rules",
			 rules);
}

/* The tenth of a kind hardly teaches more; a set of thousands of policies has thousands. */
#define ALIKE_SHOWN 10

/* What was read, what is wrong with it, what will surprise. */
struct findings {
	struct pcl_policy_set *set;
	struct pcl_problems problems;
	struct pcl_warnings *warnings;
	size_t alike_shown;
};

static void findings_fini(struct findings *findings)
{
	pcl_warnings_free(&findings->warnings);
	pcl_problems_fini(&findings->problems);
	pcl_policy_set_free(&findings->set);
}

static int print_json(const struct findings *findings)
{
	json_t *policies = json_array(), *notices = json_array();

	for (size_t i = 0; i < findings->set->policy_count; i++)
		(void)json_array_append_new(policies, policy_json(findings->set->policies[i]));
	for (size_t i = 0; i < findings->set->notice_count; i++)
		(void)json_array_append_new(notices, json_string(findings->set->notices[i]));
	return pcl_cli_print_json(
		json_pack("{s:o, s:o, s:o, s:o}", "policies", policies, "notices", notices,
			  "errors", pcl_report_problems_json(&findings->problems), "warnings",
			  pcl_report_warnings_json(findings->warnings)));
}

static int print(const struct findings *findings, enum format format)
{
	const struct pcl_policy_set *set = findings->set;

	switch (format) {
	case FORMAT_JSON:
		return print_json(findings);
	case FORMAT_GITHUB:
		pcl_report_github(set, &findings->problems, findings->warnings);
		return PCL_EXIT_YES;
	case FORMAT_TEXT:
		pcl_cli_print_notices(set);
		pcl_report_problems(&findings->problems);
		pcl_report_warnings(findings->warnings, findings->alike_shown);
		for (size_t i = 0; i < set->policy_count && !findings->problems.count; i++)
			print_policy(set->policies[i]);
		return PCL_EXIT_YES;
	}
	return PCL_EXIT_YES;
}

static int check(char *const *paths, int count, const struct request *request)
{
	pcl_cleanup(findings_fini) struct findings findings = {
		.alike_shown = request->all ? SIZE_MAX : ALIKE_SHOWN,
	};
	int exit_code;

	if (pcl_policy_set_new(&findings.set))
		return pcl_cli_fail(PCL_EXIT_NO, "out of memory");
	for (int i = 0; i < count; i++)
		if (pcl_policy_set_read_all(findings.set, paths[i], &findings.problems) == -ENOMEM)
			return pcl_cli_fail(PCL_EXIT_NO, "out of memory");
	if (request->lint && !findings.problems.count && pcl_lint(findings.set, &findings.warnings))
		return pcl_cli_fail(PCL_EXIT_NO, "out of memory");
	exit_code = print(&findings, request->format);
	if (exit_code)
		return exit_code;
	if (findings.problems.count)
		return pcl_cli_finish(PCL_EXIT_USAGE);
	if (!findings.set->policy_count)
		return pcl_cli_fail(PCL_EXIT_USAGE, "check: no KubeArmor policy in what was given");
	return pcl_cli_finish(PCL_EXIT_YES);
}

static bool take_format(const char *text, enum format *ret_format)
{
	const char *near = pcl_nearest_word(text, format_names);

	for (int i = 0; format_names[i]; i++) {
		if (!strcmp(text, format_names[i])) {
			*ret_format = (enum format)i;
			return true;
		}
	}
	(void)pcl_cli_fail(PCL_EXIT_USAGE,
			   near ? "check: unknown --format \"%s\"; did you mean \"%s\"?"
				: "check: unknown --format \"%s\"; it must be text, json or github",
			   text, near);
	return false;
}

int pcl_cmd_check(int argc, char **argv)
{
	struct request request = {.format = FORMAT_TEXT, .lint = true};
	int option;

	while ((option = pcl_cli_getopt(argc, argv, options)) != -1) {
		if (option == 'h')
			return help();
		if (option == OPT_JSON)
			request.format = FORMAT_JSON;
		else if (option == OPT_NO_LINT)
			request.lint = false;
		else if (option == OPT_ALL)
			request.all = true;
		else if (option != OPT_FORMAT || !take_format(optarg, &request.format))
			return PCL_EXIT_USAGE;
	}
	if (optind == argc)
		return pcl_cli_fail(PCL_EXIT_USAGE,
				    "check: no policy given; see portcullis check --help");
	return check(argv + optind, argc - optind, &request);
}
