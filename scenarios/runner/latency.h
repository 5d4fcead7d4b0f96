/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency results: what one operation costs in one target under one contender, with the raw
 * samples. bench.c fills the rows, results.c stores them, the table prints them.
 */
#ifndef GNT_LATENCY_H
#define GNT_LATENCY_H

#include <jansson.h>
#include <stddef.h>

#include "base/diag.h"

enum gnt_latency_op {
	GNT_LATENCY_OPEN, /* openat + close */
	GNT_LATENCY_EXEC, /* vfork + execve + wait of a small static program */
};
#define GNT_LATENCY_OP_COUNT 2

enum gnt_latency_unit {
	GNT_LATENCY_NS,		 /* wall clock of the guest, nanoseconds per operation */
	GNT_LATENCY_GUEST_INSNS, /* executed guest instructions per operation, virtual time */
};
#define GNT_LATENCY_UNIT_COUNT 2

/* One line of results.json's "latency". */
struct gnt_latency_row {
	char *target;
	char *contender; /* "none", "floor", "portcullis" */
	enum gnt_latency_op op;
	enum gnt_latency_unit unit;
	int rules; /* rules in force, 0 for none and floor */
	int depth; /* directories above the measured file */
	/* ns: the median of each round; guest_insns: one count per batch of a boot. Owned. */
	double *samples;
	size_t sample_count;
	double median;	 /* of samples */
	double p99;	 /* of all batches of all rounds */
	double spread;	 /* interquartile range of samples */
	double vs_floor; /* median over the floor's median; 0 where there is no floor */
	double vs_none;	 /* likewise over nothing attached */
};

struct gnt_latency_rows {
	struct gnt_latency_row *rows;
	size_t count;
};

void gnt_latency_rows_fini(struct gnt_latency_rows *rows);

/* Appends a row and takes what it owns; row is zeroed. 0 or -ENOMEM (then row is as before). */
int gnt_latency_rows_take(struct gnt_latency_rows *rows, struct gnt_latency_row *row);

/* The array "latency" of results.json; a new reference, NULL when out of memory. */
json_t *gnt_latency_rows_json(const struct gnt_latency_rows *rows);

/* The table for a terminal, within 100 columns, ending with a newline. Owned; NULL: no memory. */
char *gnt_latency_rows_table(const struct gnt_latency_rows *rows);

const char *gnt_latency_op_name(enum gnt_latency_op op);       /* "open", "exec" */
const char *gnt_latency_unit_name(enum gnt_latency_unit unit); /* "ns", "guest_insns" */

#endif
