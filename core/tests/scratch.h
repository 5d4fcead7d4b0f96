/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of the test's own for the engine's state files.
 */
#ifndef PCL_TESTS_SCRATCH_H
#define PCL_TESTS_SCRATCH_H

#include "engine/state.h"

/* For cmocka's group: makes the folder and has the state be there; removes it. */
int scratch_make(void **state);
int scratch_remove(void **state);
/* Between tests. */
int scratch_empty(void **state);
const char *scratch_dir(void);

/* Text of a file in the folder; fails the test where it is not there. Owned. */
char *scratch_read(const char *name);
void scratch_write(const char *name, const char *text);

/*
 * Generation's state, not saved: a host policy "hosts" (two rules), a container policy "web" (one
 * rule with everything a rule can have), and the container "box" with id 9. Owned.
 */
struct pcl_state *scratch_state(uint64_t generation);
/* Fails the test with the explanation. */
void scratch_save(const struct pcl_state *state);

#endif
