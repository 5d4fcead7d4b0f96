/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portcullis remove: takes enforcement, policies and domains away.
 */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/steps.h"
#include "cli/cli.h"
#include "engine/engine.h"

enum {
	OPT_STEPS = 1,
	OPT_JSON,
};

static const struct option options[] = {
	{"steps", no_argument, NULL, OPT_STEPS},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int help(void)
{
	(void)puts(
		"usage: portcullis remove [OPTION...]\n"
		"Takes all of it away: enforcement (at once, in one step), policies, domains, alerts\n"
		"that nobody read. Removing what is not there is no error.\n\n"
		"  --steps  tell how long each step took\n"
		"  --json   one JSON object on standard output\n\n"
		"Exit codes: 0 nothing is left, 1 failed.");
	return pcl_cli_finish(PCL_EXIT_YES);
}

static int report(bool json, bool steps)
{
	if (json)
		return pcl_cli_print_json(
			json_pack("{s:o*}", "steps", steps ? pcl_cli_steps_json() : NULL));
	if (steps)
		pcl_cli_print_steps();
	return pcl_cli_finish(PCL_EXIT_YES);
}

int pcl_cmd_remove(int argc, char **argv)
{
	pcl_cleanup(pcl_engine_close) struct pcl_engine *engine = NULL;
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	bool json = false, steps = false;
	int option, error;

	while ((option = pcl_cli_getopt(argc, argv, options)) != -1) {
		if (option == 'h')
			return help();
		if (option == '?')
			return PCL_EXIT_USAGE;
		steps |= option == OPT_STEPS;
		json |= option == OPT_JSON;
	}
	if (optind != argc)
		return pcl_cli_fail(
			PCL_EXIT_USAGE,
			"remove: takes no argument, and takes everything away; to change "
			"the policies apply the new set");
	if (steps)
		pcl_steps_begin();
	error = pcl_engine_open(PCL_ENGINE_ANY_STATE, &engine, &diag);
	pcl_steps_end("node is known");
	if (!error)
		error = pcl_engine_remove(engine, &diag);
	if (error)
		return pcl_cli_fail_diag(pcl_cli_exit_code(error), &diag);
	pcl_steps_end("done");
	return report(json, steps);
}
