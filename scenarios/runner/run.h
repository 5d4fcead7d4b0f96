/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run: cases x targets x contenders. Each target has one worker process with one VM at a time;
 * the parent starts workers side by side, shows progress and collects results.
 *
 * Guarantee: whatever happens to a worker or to the parent, no VM stays behind (workers and QEMU
 * die with their parents), and every planned line ends as a row or as a counted skip.
 */
#ifndef GNT_RUN_H
#define GNT_RUN_H

#include <stdio.h>

#include "case.h"
#include "contender.h"
#include "results.h"
#include "target.h"
#include "vm.h"

struct gnt_run_options {
	const struct gnt_target *const *targets;
	size_t target_count;
	const struct gnt_case *const *cases;
	size_t case_count;
	const struct gnt_contender *const *contenders;
	size_t contender_count;
	const char *kernel;		     /* --kernel, or NULL */
	const char *modules;		     /* --modules, or NULL */
	const char *append;		     /* --append, or NULL */
	const char *lsm;		     /* --lsm, or NULL */
	const char *corpus_dir;		     /* or NULL: cases that need it are skipped */
	const char *results_dir;	     /* exists */
	const char *reproduce;		     /* the command up to "run", for lines that reproduce */
	const char *reproduce_options;	     /* --lsm and the like, "" for none */
	const struct gnt_health_list *allow; /* kernel troubles that are no failure */
	enum gnt_accel accel;
	int jobs;
	int timeout_s; /* per program; 0: each case's own */
	bool detach;   /* programs are detached between cases */
};

/* Fills results; 0, or a negative errno with diag where the run itself could not be done. */
int gnt_run(const struct gnt_run_options *options, struct gnt_results *results,
	    struct pcl_diag *diag);

/* One line of the plan of a target; index counts cases x contenders, contenders fastest. */
struct gnt_run_line {
	const struct gnt_case *test_case;
	const struct gnt_contender *contender;
};
size_t gnt_run_line_count(const struct gnt_run_options *options);
struct gnt_run_line gnt_run_line(const struct gnt_run_options *options, size_t index);

/* worker.c: runs all lines of one target, writing messages to out; never returns an error. */
void gnt_worker(const struct gnt_run_options *options, const struct gnt_target *target, FILE *out);

/* row.c */
json_t *gnt_row_new(const struct gnt_run_options *options, const struct gnt_target *target,
		    struct gnt_run_line line, enum gnt_verdict verdict, enum gnt_incident incident,
		    const char *detail);
json_t *gnt_skip_new(const struct gnt_target *target, struct gnt_run_line line, const char *reason);

/* progress.c: one line per target, rewritten in place on a terminal. */
struct gnt_progress;
struct gnt_progress *gnt_progress_new(const struct gnt_run_options *options, FILE *out);
void gnt_progress_free(struct gnt_progress **progress);
/* What a target is doing now. */
void gnt_progress_set(struct gnt_progress *progress, size_t target, const char *text);
/* A finished row. */
void gnt_progress_row(struct gnt_progress *progress, size_t target, const json_t *row);

#endif
