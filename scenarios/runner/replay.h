/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program that ran in the guest came to: went through, was refused with an errno, or broke.
 * A replay program says so in one JSON line (scenarios/attacks/replay.h); any other program by how
 * its execve and its exit went. Pure.
 */
#ifndef GNT_REPLAY_H
#define GNT_REPLAY_H

#include "guest.h"
#include "verdict.h"

/* Exit codes of replay programs; the contract is in scenarios/attacks/README.md. */
#define GNT_REPLAY_EXIT_DONE 0
#define GNT_REPLAY_EXIT_REFUSED 10

/* ret_detail is owned: the step and what was said. */
void gnt_replay_read(const struct gnt_exec_result *result, enum gnt_outcome *ret_outcome,
		     int *ret_errno, char **ret_detail);

#endif
