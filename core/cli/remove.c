/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portcullis remove: takes enforcement, policies and domains away.
 */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "engine/engine.h"

static const struct option options[] = {
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int help(void)
{
	(void)puts(
		"usage: portcullis remove\n"
		"Takes all of it away: enforcement (at once, in one step), policies, domains, alerts\n"
		"that nobody read. Removing what is not there is no error.\n\n"
		"Exit codes: 0 nothing is left, 1 failed.");
	return pcl_cli_finish(PCL_EXIT_YES);
}

int pcl_cmd_remove(int argc, char **argv)
{
	pcl_cleanup(pcl_engine_close) struct pcl_engine *engine = NULL;
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	int option, error;

	while ((option = pcl_cli_getopt(argc, argv, options)) != -1)
		return option == 'h' ? help() : PCL_EXIT_USAGE;
	if (optind != argc)
		return pcl_cli_fail(
			PCL_EXIT_USAGE,
			"remove: takes no argument, and takes everything away; to change "
			"the policies apply the new set");
	error = pcl_engine_open(PCL_ENGINE_ANY_STATE, &engine, &diag);
	if (!error)
		error = pcl_engine_remove(engine, &diag);
	if (error)
		return pcl_cli_fail_diag(pcl_cli_exit_code(error), &diag);
	return pcl_cli_finish(PCL_EXIT_YES);
}
