/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other people's programs, run for what is not our purpose: qemu-img, gpgv, xorriso and the like.
 */
#ifndef GNT_TOOL_H
#define GNT_TOOL_H

#include "base/diag.h"

/*
 * Runs argv (NULL-terminated) without a shell, and dies with it. Its output goes to out_fd, or with
 * out_fd -1 into ret_out (owned, may be NULL: thrown away). An exit other than 0 is -EREMOTEIO, and
 * diag has the last line of its complaint; a program that is not there is -ENOENT with its package.
 */
int gnt_tool_run(const char *const *argv, int out_fd, char **ret_out, struct pcl_diag *diag);

#endif
