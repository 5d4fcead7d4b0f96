/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rest of a list: globs for every path that a list of paths and directories does not name. With
 * posture audit just that is told of, and AppArmor has no word for "all but". Private to the plan.
 *
 * The globs may hold some of what the list names, but miss nothing of what it does not.
 */
#ifndef PCL_BACKEND_APPARMOR_REST_H
#define PCL_BACKEND_APPARMOR_REST_H

#include <stddef.h>

#include "policy/policy.h"

struct pcl_apparmor_rest;

/* NULL without memory. */
struct pcl_apparmor_rest *pcl_apparmor_rest_new(void);
void pcl_apparmor_rest_free(struct pcl_apparmor_rest **rest);

/* path is normalised; match is PATH, DIR or DIR_RECURSIVE. 0 or -ENOMEM. */
int pcl_apparmor_rest_add(struct pcl_apparmor_rest *rest, const char *path, enum pcl_match match);

/*
 * Calls print with each glob, written as apparmor_text.h does. -E2BIG, and nothing was printed,
 * where there are more than the parser compiles in a moment; -ENOMEM.
 */
int pcl_apparmor_rest_print(const struct pcl_apparmor_rest *rest,
			    void (*print)(void *context, const char *glob), void *context);

#endif
