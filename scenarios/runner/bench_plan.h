/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the bench asks of a guest, as a list of agent requests made in advance: prepare, then per
 * round and contender switch it on, prove by a canary that it is on (or off), measure, switch off.
 * Pure: the same list is worked off over the channel (wall clock) or travels into the guest
 * (deterministic time), and each reply is judged here.
 */
#ifndef GNT_BENCH_PLAN_H
#define GNT_BENCH_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "bench_data.h"

/* Directories above a file; the guest's program takes no more. */
#define GNT_BENCH_DEPTH_MAX 256
#define GNT_BENCH_ROUNDS_MAX 1000

struct gnt_bench_shape {
	const int *depths; /* borrowed while the plan is made */
	size_t depth_count;
	enum gnt_bench_backend backend;
	int rules;
	int rounds; /* visits of each contender; 1 is enough where time is deterministic */
	enum gnt_latency_unit unit;
	/* Containers with rules; where there are any, the contenders that take one are there, too.
	 */
	int domains;
};

enum gnt_bench_step_kind {
	GNT_BENCH_STEP_DO,    /* must succeed */
	GNT_BENCH_STEP_APPLY, /* must succeed; exit 3 means that the target cannot enforce */
	GNT_BENCH_STEP_OPEN,  /* the canary must be readable */
	GNT_BENCH_STEP_SHUT,  /* the canary must be refused */
	GNT_BENCH_STEP_MEASURE,
};

struct gnt_bench_step {
	enum gnt_bench_step_kind kind;
	struct gnt_bench_visit visit; /* MEASURE: what is measured; others: contender and round */
	json_t *request;
};

struct gnt_bench_plan {
	struct gnt_bench_step *steps;
	size_t count;
	int step_timeout_ms; /* the guest's own, of each step */
};

/* 0 or -ENOMEM; then nothing is left in ret_plan. */
int gnt_bench_plan_make(const struct gnt_bench_shape *shape, struct gnt_bench_plan *ret_plan);
void gnt_bench_plan_fini(struct gnt_bench_plan *plan);

/* All requests as one array, a new reference; NULL without memory. */
json_t *gnt_bench_plan_requests(const struct gnt_bench_plan *plan);

/*
 * Judges the reply to a step and keeps what was measured. -EOPNOTSUPP: the target cannot do what
 * the contender needs; -EPERM: a contender is not on when it should be, or not off; -EIO and
 * others: the step failed. diag says which and why.
 */
int gnt_bench_plan_take(const struct gnt_bench_step *step, const json_t *reply,
			struct gnt_bench_data *data, struct pcl_diag *diag);

#endif
