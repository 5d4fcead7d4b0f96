/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mistakes and warnings as people, programs and GitHub read them.
 */
#ifndef PCL_CLI_REPORT_H
#define PCL_CLI_REPORT_H

#include <jansson.h>

#include "policy/lint.h"
#include "policy/policy.h"

/* One line each, on standard error. warnings may be NULL, here and below. */
void pcl_report_problems(const struct pcl_problems *problems);
/* Of warnings that are alike, at most alike_max are shown; then how many more there are. */
void pcl_report_warnings(const struct pcl_warnings *warnings, size_t alike_max);

/* Arrays of objects. */
json_t *pcl_report_problems_json(const struct pcl_problems *problems);
json_t *pcl_report_warnings_json(const struct pcl_warnings *warnings);
json_t *pcl_report_texts(char *const *texts, size_t count);

/* Everything as a workflow's commands on standard output, which GitHub shows beside the lines. */
void pcl_report_github(const struct pcl_policy_set *set, const struct pcl_problems *problems,
		       const struct pcl_warnings *warnings);

#endif
