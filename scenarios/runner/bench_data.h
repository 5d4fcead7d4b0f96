/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the bench measured, as it came out of the guest, and the rows made of it. Pure: no VM here.
 */
#ifndef GNT_BENCH_DATA_H
#define GNT_BENCH_DATA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "latency.h"

enum gnt_bench_contender {
	GNT_BENCH_NONE,	      /* nothing attached */
	GNT_BENCH_FLOOR,      /* the LSM at its emptiest: programs, a profile that permit all */
	GNT_BENCH_PORTCULLIS, /* rules that do not match */
	/* The same rules are a container's; measured only where it is asked for: */
	GNT_BENCH_CONTAINED, /* a task of the container */
	GNT_BENCH_UNPOLICED, /* a task of the host, which has no rules */
};
#define GNT_BENCH_CONTENDER_COUNT 5
#define GNT_BENCH_CONTENDER_USUAL 3

/* What enforces. */
enum gnt_bench_backend {
	GNT_BENCH_BPF_LSM,
	GNT_BENCH_APPARMOR,
	GNT_BENCH_SELINUX, /* its floor is its own policy, which "none" has, too */
};
#define GNT_BENCH_BACKEND_COUNT 3

/* As portcullis has it, and as an LSM; static. */
const char *gnt_bench_backend_name(enum gnt_bench_backend backend);
const char *gnt_bench_backend_lsm(enum gnt_bench_backend backend);
/* What its floor is; static. */
const char *gnt_bench_backend_floor(enum gnt_bench_backend backend);

const char *gnt_bench_contender_name(enum gnt_bench_contender contender);
/* Whether there are rules on the node while it is measured. */
bool gnt_bench_contender_has_rules(enum gnt_bench_contender contender);

/* One visit: batches of one operation under one contender, timed in one go. */
struct gnt_bench_visit {
	enum gnt_bench_contender contender;
	enum gnt_latency_op op;
	int depth;
	int round;
	double *samples; /* per operation, the empty loop taken off; one per batch; owned */
	size_t sample_count;
};

struct gnt_bench_data {
	struct gnt_bench_visit *visits;
	size_t count;
};

void gnt_bench_data_fini(struct gnt_bench_data *data);

/*
 * Adds a visit from what bench/latency.c printed; samples of visit must be empty. -EPROTO with diag
 * if the text is not that, or speaks of another operation or depth; -ENOMEM.
 */
int gnt_bench_data_add(struct gnt_bench_data *data, const struct gnt_bench_visit *visit,
		       const char *output, struct pcl_diag *diag);

/*
 * Whether two boots counted the same everywhere, batch by batch. If not, ret_difference (owned)
 * says in one line where they first differ, and how often.
 */
bool gnt_bench_data_equal(const struct gnt_bench_data *a, const struct gnt_bench_data *b,
			  char **ret_difference);

struct gnt_bench_row_facts {
	const char *target;
	enum gnt_latency_unit unit;
	enum gnt_bench_backend backend;
	int rules;
	int domains;
	int boots;
	bool boots_agree;
};

/* Appends a row for each contender, operation and depth in data. 0, -ENOMEM. */
int gnt_bench_data_rows(const struct gnt_bench_data *data, const struct gnt_bench_row_facts *facts,
			struct gnt_latency_rows *rows);

#endif
