/* SPDX-License-Identifier: Apache-2.0 */
/* gauntlet: makes engines run the gauntlet of attacks on many kernels. This file picks the verb. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli.h"
#include "verdict.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} verbs[] = {
	{"list", gnt_cmd_list, "list targets|cases|contenders"},
	{"run", gnt_cmd_run, "replay cases on targets, with and without the engine"},
	{"bench", gnt_cmd_bench, "measure what enforcement costs"},
	{"shell", gnt_cmd_shell, "an interactive shell in a target"},
	{"model", gnt_cmd_model, "random policies and operations, model against kernel"},
	{"images", gnt_cmd_images, "real images of distributions: list, fetch, verify, import"},
};

static void print_help(void)
{
	printf("usage: gauntlet VERB [ARGUMENT...]\n"
	       "Boots virtual machines, applies policies, replays attacks, measures.\n\nVerbs:\n");
	for (size_t i = 0; i < PCL_ARRAY_SIZE(verbs); i++)
		printf("  %-10s %s\n", verbs[i].name, verbs[i].help);
	printf("\n  --help     this text; gauntlet VERB --help says more\n"
	       "  --version  the version\n");
}

static int unknown_verb(const char *word)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	const char *known[PCL_ARRAY_SIZE(verbs)];
	pcl_autofree char *hint = NULL;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(verbs); i++)
		known[i] = verbs[i].name;
	hint = gnt_cli_hint(word, known, PCL_ARRAY_SIZE(known));
	(void)pcl_diag_set(&diag, -EINVAL, "no verb \"%s\"%s (see gauntlet --help)", word,
			   hint ? hint : "");
	return gnt_cli_fail(GNT_EXIT_USAGE, &diag);
}

int main(int argc, char **argv)
{
	if (argc > 0)
		gnt_program = argv[0];
	if (argc < 2) {
		print_help();
		return GNT_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_help();
		return GNT_EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("gauntlet %s\n", PCL_VERSION);
		return GNT_EXIT_OK;
	}
	if (strcmp(argv[1], "metadata") == 0)
		return gnt_cmd_metadata(argc - 1, argv + 1);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].name, argv[1]) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	return unknown_verb(argv[1]);
}
