/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portcullis events: alerts as JSON lines, in KubeArmor's fields.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "engine/alert.h"
#include "engine/engine.h"

enum {
	OPT_NO_FOLLOW = 1,
};

static const struct option options[] = {
	{"no-follow", no_argument, NULL, OPT_NO_FOLLOW},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int help(void)
{
	(void)puts(
		"usage: portcullis events [--no-follow]\n"
		"Prints alerts as JSON lines, with KubeArmor's Alert fields and RuleID, Domain and\n"
		"Generation, until it is interrupted. An alert is handed out once.\n\n"
		"  --no-follow   print what is pending, then end\n\n"
		"Exit codes: 0, 1 failed, or nothing is applied.");
	return pcl_cli_finish(PCL_EXIT_YES);
}

static volatile sig_atomic_t stopped;

/* An interrupted wait ends the reading, and that is the usual way to end. */
static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* The reader goes on where that fails, and says why. A signal waits for the end of the change. */
static void apply_again(const struct pcl_backend *backend)
{
	pcl_cleanup(pcl_engine_close) struct pcl_engine *engine = NULL;
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	sigset_t all, before;
	int error;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	error = pcl_engine_open(0, &engine, &diag);
	if (!error && engine->backend == backend)
		error = pcl_engine_apply_again(engine, &diag);
	if (error)
		(void)pcl_cli_fail_diag(PCL_EXIT_NO, &diag);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}

static int print_event(const struct pcl_event *event, void *context)
{
	struct pcl_alerts *alerts = context;
	struct pcl_event told = *event;
	int error;

	if (!pcl_alert_attribute(alerts, &told))
		return 0;
	error = pcl_cli_print_json(pcl_alert_make(alerts, &told));
	if (!error && told.flags & PCL_EVENT_APPLY_AGAIN)
		apply_again(alerts->backend);
	return !error && stopped ? -EINTR : error;
}

static void catch_signals(void)
{
	const struct sigaction action = {.sa_handler = stop};

	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

/* The lock is not kept while reading: policies change under a reader that follows. */
static int live_backend(const struct pcl_backend **ret_backend, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_engine_close) struct pcl_engine *engine = NULL;
	int error = pcl_engine_open(0, &engine, diag);

	if (error)
		return error;
	if (!engine->backend)
		return pcl_diag_set(
			diag, -ENOENT,
			"nothing is applied, so there are no alerts; see portcullis apply");
	*ret_backend = engine->backend;
	return 0;
}

int pcl_cmd_events(int argc, char **argv)
{
	pcl_cleanup(pcl_alerts_fini) struct pcl_alerts alerts = {0};
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	int option, timeout_ms = -1, error;

	while ((option = pcl_cli_getopt(argc, argv, options)) != -1) {
		if (option == 'h')
			return help();
		if (option != OPT_NO_FOLLOW)
			return PCL_EXIT_USAGE;
		timeout_ms = 0;
	}
	if (optind != argc)
		return pcl_cli_fail(PCL_EXIT_USAGE, "events: takes no argument");
	error = live_backend(&alerts.backend, &diag);
	if (error)
		return pcl_cli_fail_diag(pcl_cli_exit_code(error), &diag);
	if (!alerts.backend->events)
		return pcl_cli_finish(PCL_EXIT_YES);
	catch_signals();
	error = alerts.backend->events(timeout_ms, print_event, &alerts, &diag);
	if (error > 0)
		return error;
	if (error && error != -EINTR)
		return pcl_cli_fail_diag(pcl_cli_exit_code(error), &diag);
	return pcl_cli_finish(PCL_EXIT_YES);
}
