/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portcullis diff: what changes in meaning between two policy sets, by example.
 */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "policy/diff.h"

enum {
	OPT_JSON = 1,
};

static const struct option options[] = {
	PCL_CLI_ABOUT_OPTIONS,
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct request {
	struct pcl_cli_about about;
	bool json;
};

static int help(void)
{
	(void)puts(
		"usage: portcullis diff [OPTION...] OLD NEW\n"
		"Says by example which operations NEW refuses that OLD permits, and the reverse. OLD\n"
		"and NEW are files or directories of policies, or - for standard input. Examples come\n"
		"from the rules of both; \"portcullis explain\" takes each as it is printed.\n\n"
		"  --domain D        only there: \"host\", a container's labels as K=V,..., or its name;\n"
		"                    without it, the host and one container for each selector\n"
		"  --labels K=V,..., --namespace NS, --hostname NAME\n"
		"                    more of the domain, as for explain\n"
		"  --posture P       what an allow-list does with the rest: audit (default) or block,\n"
		"                    for all classes, or as file=block,network=audit\n"
		"  --json            one JSON object on standard output\n\n"
		"Exit codes: 0 no difference was found, 1 there are some, 2 wrong command line or bad\n"
		"policy.");
	return pcl_cli_finish(PCL_EXIT_YES);
}

static bool take_option(struct request *request, int option)
{
	switch (option) {
	case OPT_JSON:
		request->json = true;
		return true;
	default:
		return pcl_cli_take_about(&request->about, option);
	}
}

static void print_rule(const char *when, const struct pcl_rule *rule)
{
	if (rule)
		pcl_cli_print("    %s: %s (%s), %s:%u", when, rule->id,
			      pcl_action_name(rule->action), rule->policy->file, rule->place.line);
}

static void print_changes(const struct pcl_changes *changes)
{
	bool any = false, refused = false;

	for (size_t i = 0; i < changes->count; i++) {
		const struct pcl_change *change = &changes->items[i];

		if (!any || refused != change->refused)
			pcl_cli_print("newly %s:", change->refused ? "refused" : "allowed");
		any = true;
		refused = change->refused;
		if (change->more)
			pcl_cli_print("  %s, in %s (and %zu more by the same rules)",
				      change->operation, change->domain, change->more);
		else
			pcl_cli_print("  %s, in %s", change->operation, change->domain);
		print_rule("before", change->before);
		print_rule("after", change->after);
	}
	if (changes->left_out)
		pcl_cli_print("and %zu more examples; give --domain or smaller sets to see them",
			      changes->left_out);
	if (!any)
		pcl_cli_print("no difference found");
}

static int print_json(const struct pcl_changes *changes)
{
	json_t *array = json_array();

	for (size_t i = 0; i < changes->count; i++) {
		const struct pcl_change *change = &changes->items[i];
		const struct pcl_rule *rule = change->after ? change->after : change->before;

		(void)json_array_append_new(
			array, json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:i, s:I}", "change",
					 change->refused ? "refused" : "allowed", "domain",
					 change->domain, "operation", change->operation,
					 "rule_before", change->before ? change->before->id : NULL,
					 "rule_after", change->after ? change->after->id : NULL,
					 "file", rule ? rule->policy->file : NULL, "line",
					 rule ? (int)rule->place.line : 0, "more",
					 (json_int_t)change->more));
	}
	return pcl_cli_print_json(json_pack("{s:o, s:I}", "changes", array, "left_out",
					    (json_int_t)changes->left_out));
}

static int diff(const struct request *request, char **paths)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *old = NULL, *new = NULL;
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	pcl_cleanup(pcl_changes_free) struct pcl_changes *changes = NULL;
	int exit_code = 0;

	if (request->about.domain || request->about.labels || request->about.ns)
		exit_code = pcl_cli_domain("diff", &request->about, &domain);
	if (!exit_code)
		exit_code = pcl_cli_read_policies(&paths[0], 1, &old);
	if (!exit_code)
		exit_code = pcl_cli_read_policies(&paths[1], 1, &new);
	if (exit_code)
		return exit_code;
	if (pcl_diff(old, new, domain, &request->about.postures, &changes))
		return pcl_cli_fail(PCL_EXIT_NO, "diff: out of memory");
	if (request->json)
		exit_code = print_json(changes);
	else
		print_changes(changes);
	if (exit_code)
		return exit_code;
	return pcl_cli_finish(changes->count ? PCL_EXIT_NO : PCL_EXIT_YES);
}

int pcl_cmd_diff(int argc, char **argv)
{
	struct request request = {0};
	int option;

	while ((option = pcl_cli_getopt(argc, argv, options)) != -1) {
		if (option == 'h')
			return help();
		if (!take_option(&request, option))
			return PCL_EXIT_USAGE;
	}
	if (argc - optind != 2)
		return pcl_cli_fail(PCL_EXIT_USAGE,
				    "diff: OLD and NEW are needed; see portcullis diff --help");
	return diff(&request, argv + optind);
}
