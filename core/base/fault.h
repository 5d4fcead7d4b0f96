/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points at which a change of the node may be cut short, for the test that cuts it at each of them.
 *
 * Points are numbered from 1 in the order in which a process first comes to them; one inside a loop
 * counts once, so its first round is what is cut off from the others.
 *
 *   PORTCULLIS_KILL_AT=N   the process kills itself at its Nth point, after a line that names it;
 *                          N may be the name instead
 *   PORTCULLIS_FAIL_AT=N   the Nth of the points that can fail does
 *
 * Without these variables a point costs a look at a pointer. Whoever can set them for a command of
 * root's can do anything else, too.
 */
#ifndef PCL_BASE_FAULT_H
#define PCL_BASE_FAULT_H

#include "base/diag.h"

/* A point behind a step that has been done (base/steps.h times it). name is a static string, unlike
 * any other point's. */
void pcl_fault_point(const char *name);

/* The same before a step that may fail: -ENOMEM with diag where this one is to. */
int pcl_fault_fails(const char *name, struct pcl_diag *diag);

#endif
