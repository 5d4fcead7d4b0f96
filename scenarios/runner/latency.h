/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency results: what one operation costs in one target under one contender, with the raw
 * samples. bench.c fills the rows, results.c stores them, the table prints them.
 */
#ifndef GNT_LATENCY_H
#define GNT_LATENCY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum gnt_latency_op {
	GNT_LATENCY_OPEN,  /* openat + close */
	GNT_LATENCY_EXEC,  /* vfork + execve + wait of a small static program */
	GNT_LATENCY_FIRST, /* openat + close just after a rename, when nothing is kept */
	GNT_LATENCY_WRITE, /* pwrite of one byte */
};
#define GNT_LATENCY_OP_COUNT 4

enum gnt_latency_unit {
	GNT_LATENCY_NS,		 /* wall clock of the guest, nanoseconds per operation */
	GNT_LATENCY_GUEST_INSNS, /* executed guest instructions per operation, virtual time */
};
#define GNT_LATENCY_UNIT_COUNT 2

/* One line of results.json's "latency". */
struct gnt_latency_row {
	char *target;
	char *contender; /* "none", "floor", "portcullis", "contained", "unpoliced" */
	enum gnt_latency_op op;
	enum gnt_latency_unit unit;
	int rules;    /* rules in force, 0 for none and floor */
	int domains;  /* containers with rules */
	bool policed; /* they are for the task that is measured */
	int depth;    /* directories above the measured file */
	/* ns: the median of each round; guest_insns: one count per batch of a boot. Owned. */
	double *samples;
	size_t sample_count;
	double median; /* of samples */
	double p99;    /* of all batches of all rounds */
	double mean;   /* of all batches: with what is left to ticks and to RCU */
	double spread; /* interquartile range of samples */
	/*
	 * Cost over the floor's, 0 where the floor was not measured. ns: the median over rounds of
	 * the ratio within a round, so that drift cancels; guest_insns: the ratio of the medians.
	 */
	double vs_floor;
	double vs_floor_spread; /* interquartile range of the ratios of the rounds; 0 for
				   guest_insns */
	double vs_none;		/* likewise over nothing attached */
	int boots;		/* guest_insns: boots whose counts were compared, else 1 */
	bool boots_agree; /* guest_insns: every count of every boot was the same, to the last digit
			   */
};

struct gnt_latency_rows {
	struct gnt_latency_row *rows;
	size_t count;
};

void gnt_latency_row_fini(struct gnt_latency_row *row);
void gnt_latency_rows_fini(struct gnt_latency_rows *rows);

/* Appends a row and takes what it owns; row is zeroed. 0 or -ENOMEM (then row is as before). */
int gnt_latency_rows_take(struct gnt_latency_rows *rows, struct gnt_latency_row *row);

/* The array "latency" of results.json; a new reference, NULL when out of memory. */
json_t *gnt_latency_rows_json(const struct gnt_latency_rows *rows);

/* The table for a terminal, within 100 columns, ending with a newline. Owned; NULL: no memory. */
char *gnt_latency_rows_table(const struct gnt_latency_rows *rows);

const char *gnt_latency_op_name(enum gnt_latency_op op);       /* "open", "exec", ... */
const char *gnt_latency_unit_name(enum gnt_latency_unit unit); /* "ns", "guest_insns" */

#endif
