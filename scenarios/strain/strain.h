/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands of strain share. Each runs in a guest, as root, and puts the engine under a
 * strain that the command line is too slow for.
 */
#ifndef SCENARIOS_STRAIN_STRAIN_H
#define SCENARIOS_STRAIN_STRAIN_H

#include "base/diag.h"

/* Each takes what stands behind its name and returns an exit code. */
int strain_switch(int argc, char **argv);

int strain_usage(void);
/* Says why on standard error; returns the exit code of failure. */
int strain_fail(int error, const struct pcl_diag *diag);
/* The file with this text and nothing else. 0 or -errno. */
int strain_write(const char *path, const char *text);

#endif
