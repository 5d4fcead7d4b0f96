/* SPDX-License-Identifier: Apache-2.0 */
#include "base/steps.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

/* As many as fault points; what comes after them is left out of the record. */
#define STEPS_MAX 128

static struct {
	bool on;
	double last_ms;
	struct pcl_step steps[STEPS_MAX];
	size_t count;
} record;

static double now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

void pcl_steps_begin(void)
{
	record.on = true;
	record.count = 0;
	record.last_ms = now_ms();
}

void pcl_steps_end(const char *name)
{
	size_t at = 0;
	double now;

	if (!record.on)
		return;
	now = now_ms();
	while (at < record.count && strcmp(record.steps[at].name, name) != 0)
		at++;
	if (at < STEPS_MAX) {
		if (at == record.count)
			record.steps[record.count++] = (struct pcl_step){.name = name};
		record.steps[at].ms += now - record.last_ms;
	}
	record.last_ms = now;
}

const struct pcl_step *pcl_steps(size_t *ret_count)
{
	*ret_count = record.count;
	return record.steps;
}
