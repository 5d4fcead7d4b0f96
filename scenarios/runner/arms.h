/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arms of a case, run in one guest for one contender: the attack and its twin without policy,
 * then both with the contender on; between them everything is put back. What happened is written
 * down in a gnt_observation; the verdict is drawn from it elsewhere (verdict.h).
 *
 * Guarantee: after gnt_arms_run() the guest is as before, or the observation carries an incident,
 * after which the caller must not use the guest again.
 */
#ifndef GNT_ARMS_H
#define GNT_ARMS_H

#include "case.h"
#include "contender.h"
#include "engine.h"
#include "verdict.h"
#include "vm.h"

struct gnt_arms_options {
	const char *corpus_dir;	   /* NULL: none; then no case that needs it may come here */
	int timeout_s;		   /* for each program; 0: the case's own */
	struct gnt_engine *engine; /* of the guest */
};

struct gnt_arms_result {
	struct gnt_observation seen; /* its strings are owned by this struct */
	char *event_rule;	     /* RuleID of the deciding event of arm B, or NULL */
	char *incident_detail;
	char *apply_error;
	char *details[4];
};

void gnt_arms_result_fini(struct gnt_arms_result *result);

/* Fills result whatever happens; never fails, since a failure is an observation too. */
void gnt_arms_run(struct gnt_vm *vm, const struct gnt_case *test_case,
		  const struct gnt_contender *contender, const struct gnt_arms_options *options,
		  struct gnt_arms_result *result);

/*
 * What the guest must have and has not, in one line with both values (owned), or NULL where all is
 * there. expected_lsm is the target's list, or the --lsm of the command line.
 */
char *gnt_env_unmet(const json_t *hello, char *const *expected_lsm, size_t expected_lsm_count,
		    const struct gnt_case *test_case, const struct gnt_contender *contender);

/*
 * Why the case means nothing on this kernel, which is older than what the case uses; NULL where it
 * does. Such a line is skipped and counted.
 */
char *gnt_env_too_old(const json_t *hello, const struct gnt_case *test_case);

#endif
