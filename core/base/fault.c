/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line before the end is written here, against the rule that only the engine and the commands
 * print: nobody is left to print it later.
 */
#include "base/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/steps.h"

#define KILL_VARIABLE "PORTCULLIS_KILL_AT"
#define FAIL_VARIABLE "PORTCULLIS_FAIL_AT"
/* More than there are in the sources; where they were not, the rest would count as passed. */
#define POINTS_MAX 128

struct counter {
	const char *variable;
	bool read;
	const char *wanted; /* a number from 1, or a name; NULL: none */
	size_t count;
	const char *passed[POINTS_MAX];
};

static struct counter kills = {.variable = KILL_VARIABLE};
static struct counter failures = {.variable = FAIL_VARIABLE};

static const char *wanted_by(struct counter *counter)
{
	if (!counter->read)
		counter->wanted = secure_getenv(counter->variable);
	counter->read = true;
	return counter->wanted;
}

/* Whether this is the first time at the point that is wanted. */
static bool is_wanted(struct counter *counter, const char *name)
{
	const char *wanted = wanted_by(counter);

	if (!wanted)
		return false;
	for (size_t i = 0; i < counter->count; i++)
		if (!strcmp(counter->passed[i], name))
			return false;
	if (counter->count == POINTS_MAX)
		return false;
	counter->passed[counter->count++] = name;
	return counter->count == strtoul(wanted, NULL, 10) || !strcmp(wanted, name);
}

static void may_kill(const char *name)
{
	if (!is_wanted(&kills, name))
		return;
	dprintf(STDERR_FILENO, "portcullis: killed at point %zu, %s\n", kills.count, name);
	(void)kill(getpid(), SIGKILL);
}

void pcl_fault_point(const char *name)
{
	pcl_steps_end(name);
	may_kill(name);
}

int pcl_fault_fails(const char *name, struct pcl_diag *diag)
{
	may_kill(name);
	if (!is_wanted(&failures, name))
		return 0;
	return pcl_diag_set(diag, -ENOMEM, "%s: failed, as " FAIL_VARIABLE "=%zu asks", name,
			    failures.count);
}
