/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long each step of a change took. Steps end at the fault points (base/fault.h) and where
 * somebody says so; they are recorded only where they are asked for. One change a process.
 */
#ifndef PCL_BASE_STEPS_H
#define PCL_BASE_STEPS_H

#include <stddef.h>

struct pcl_step {
	const char *name; /* of what was done at its end */
	double ms;	  /* of all its rounds, wall clock */
};

/* Records from now on. */
void pcl_steps_begin(void);

/* Ends a step; name is a static string. Nothing where nothing is recorded. */
void pcl_steps_end(const char *name);

/* In the order of their first ends; borrowed until the next end. */
const struct pcl_step *pcl_steps(size_t *ret_count);

#endif
