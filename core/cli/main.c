/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portcullis: takes KubeArmor policies and enforces them inline. This file finds the verb.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"

struct verb {
	const char *name;
	const char *help; /* one line */
	int (*run)(int argc, char **argv);
};

static const struct verb verbs[] = {
	{"probe", "what this node has, and which backends can enforce here", pcl_cmd_probe},
	{"check", "read policies and say what is wrong with them", pcl_cmd_check},
	{"compile", "show what a backend would load for policies; works offline", pcl_cmd_compile},
	{"explain", "what a policy set says of one operation, and why; works offline",
	 pcl_cmd_explain},
	{"diff", "what changes in meaning between two policy sets, by example", pcl_cmd_diff},
	{"apply", "enforce policies instead of what was applied before", pcl_cmd_apply},
	{"status", "what is applied and live", pcl_cmd_status},
	{"remove", "take all of it away", pcl_cmd_remove},
	{"events", "alerts as JSON lines", pcl_cmd_events},
	{"domain", "containers as domains that policies select by label", pcl_cmd_domain},
};

static int help(void)
{
	(void)puts("usage: portcullis VERB [OPTION...] [ARGUMENT...]\n"
		   "Enforces KubeArmor policies inline, by the kernel's own security hooks.\n");
	for (size_t i = 0; i < PCL_ARRAY_SIZE(verbs); i++)
		(void)printf("  %-9s %s\n", verbs[i].name, verbs[i].help);
	(void)puts(
		"\nportcullis VERB --help tells more. Exit codes: 0 yes, 1 no (refused, failed),\n"
		"2 wrong command line or bad policy, 3 this node can't.");
	return pcl_cli_finish(PCL_EXIT_YES);
}

static int unknown_verb(const char *word)
{
	const char *names[PCL_ARRAY_SIZE(verbs) + 1] = {NULL}, *near;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(verbs); i++)
		names[i] = verbs[i].name;
	near = pcl_nearest_word(word, names);
	if (near)
		return pcl_cli_fail(PCL_EXIT_USAGE, "unknown verb \"%s\"; did you mean \"%s\"?",
				    word, near);
	return pcl_cli_fail(PCL_EXIT_USAGE, "unknown verb \"%s\"; see portcullis --help", word);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return pcl_cli_fail(PCL_EXIT_USAGE, "no verb given; see portcullis --help");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return help();
	if (!strcmp(argv[1], "--version")) {
		(void)printf("portcullis %s\n", PCL_VERSION);
		return pcl_cli_finish(PCL_EXIT_YES);
	}
	for (size_t i = 0; i < PCL_ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	return unknown_verb(argv[1]);
}
