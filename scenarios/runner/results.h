/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results of a run: collected as the JSON that is written, so that the file, the JUnit report and
 * the tables on the terminal can only say the same. Fields: results/README.md and schema.json.
 */
#ifndef GNT_RESULTS_H
#define GNT_RESULTS_H

#include <jansson.h>
#include <stdio.h>

#include "base/diag.h"
#include "latency.h"
#include "verdict.h"

#define GNT_RESULTS_SCHEMA 1

struct gnt_results {
	json_t *run;	 /* {id, started, git, host, qemu, accel, ...} */
	json_t *targets; /* [{id, kernel, lsm, ...}] */
	json_t *cases;	 /* [{target, contender, case, ...}] */
	json_t *skipped; /* [{target, contender, case, reason}] */
	json_t *health;	 /* [{target, during, kind, fingerprint, line, count, allowed?}] */
	json_t *latency; /* [{target, contender, op, ...}] */
};

/* Starts a run: its id, the time, the machine. command is the command line as typed. */
int gnt_results_init(struct gnt_results *results, const char *command, struct pcl_diag *diag);
void gnt_results_fini(struct gnt_results *results);

const char *gnt_results_id(const struct gnt_results *results);

/* A target once, by its id; a later one with the same id is dropped. Takes target. */
void gnt_results_take_target(struct gnt_results *results, json_t *target);
/* "tcg" or "kvm" of a VM that ran; both make "mixed". */
void gnt_results_add_accel(struct gnt_results *results, const char *accel);
int gnt_results_add_latency(struct gnt_results *results, const struct gnt_latency_rows *rows,
			    struct pcl_diag *diag);

/*
 * Makes the folder (dir NULL: DEFAULT_ROOT/ID, with a symlink "latest" beside it) and proves that
 * it can be written, before any VM boots. ret_dir is owned.
 */
int gnt_results_dir(const struct gnt_results *results, const char *dir, const char *default_root,
		    char **ret_dir, struct pcl_diag *diag);

/* Writes results.json and junit.xml, each under a temporary name first. */
int gnt_results_write(const struct gnt_results *results, const char *dir, struct pcl_diag *diag);

/* The exit code that the rows come to. */
enum gnt_exit gnt_results_exit(const struct gnt_results *results);

/* junit.c */
int gnt_junit_write(const struct gnt_results *results, FILE *out);
/* table.c: verdicts, what failed and how to do it again; latency where measured. */
void gnt_results_print(const struct gnt_results *results, FILE *out);

#endif
