/* SPDX-License-Identifier: Apache-2.0 */
/* What the benches that need no VM say of themselves in results/. */
#ifndef GNT_BENCH_REPORT_H
#define GNT_BENCH_REPORT_H

#include <jansson.h>

/* Start, commit, host and command of a run; owned, NULL without memory. */
json_t *gnt_report_run(const char *commit, const char *command);

#endif
