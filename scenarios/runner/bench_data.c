/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From batches to rows. A contender's cost is compared with the floor's of the same round in wall
 * clock, because the machine drifts between rounds; counts of instructions do not drift, so there
 * the medians are compared.
 */
#include "bench_data.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bench/stats.h"
#include "text.h"

static const char *const contender_names[] = {
	[GNT_BENCH_NONE] = "none",
	[GNT_BENCH_FLOOR] = "floor",
	[GNT_BENCH_PORTCULLIS] = "portcullis",
	[GNT_BENCH_CONTAINED] = "contained",
	[GNT_BENCH_UNPOLICED] = "unpoliced",
};
static_assert(PCL_ARRAY_SIZE(contender_names) == GNT_BENCH_CONTENDER_COUNT,
	      "a contender has no name");

static const struct {
	const char *name;
	const char *lsm;
	const char *floor;
} backends[] = {
	[GNT_BENCH_BPF_LSM] = {"bpf_lsm", "bpf", "empty LSM programs"},
	[GNT_BENCH_APPARMOR] = {"apparmor", "apparmor", "a profile that permits all"},
	[GNT_BENCH_SELINUX] = {"selinux", "selinux", "none, which has the system's policy"},
};
static_assert(PCL_ARRAY_SIZE(backends) == GNT_BENCH_BACKEND_COUNT, "a backend has no name");

const char *gnt_bench_backend_name(enum gnt_bench_backend backend)
{
	return backends[backend].name;
}

const char *gnt_bench_backend_lsm(enum gnt_bench_backend backend)
{
	return backends[backend].lsm;
}

const char *gnt_bench_backend_floor(enum gnt_bench_backend backend)
{
	return backends[backend].floor;
}

const char *gnt_bench_contender_name(enum gnt_bench_contender contender)
{
	return contender_names[contender];
}

static bool takes_container(enum gnt_bench_contender contender)
{
	return contender == GNT_BENCH_CONTAINED || contender == GNT_BENCH_UNPOLICED;
}

bool gnt_bench_contender_has_rules(enum gnt_bench_contender contender)
{
	return contender >= GNT_BENCH_PORTCULLIS;
}

static void visit_fini(struct gnt_bench_visit *visit)
{
	free(visit->samples);
}

void gnt_bench_data_fini(struct gnt_bench_data *data)
{
	for (size_t i = 0; i < data->count; i++)
		visit_fini(&data->visits[i]);
	free(data->visits);
	*data = (struct gnt_bench_data){0};
}

/* Samples per operation from the times of batches; -EPROTO if they are no numbers. */
static int read_times(const json_t *times, json_int_t iterations, json_int_t empty,
		      struct gnt_bench_visit *visit)
{
	const size_t count = json_array_size(times);

	if (!count || iterations < 1)
		return -EPROTO;
	visit->samples = calloc(count, sizeof(*visit->samples));
	if (!visit->samples)
		return -ENOMEM;
	visit->sample_count = count;
	for (size_t i = 0; i < count; i++) {
		const json_t *time = json_array_get(times, i);

		if (!json_is_integer(time))
			return -EPROTO;
		visit->samples[i] = (double)(json_integer_value(time) - empty) / (double)iterations;
	}
	return 0;
}

static int read_output(const char *output, struct gnt_bench_visit *visit)
{
	pcl_cleanup(json_decrefp) json_t *root = json_loads(output, 0, NULL);
	json_int_t iterations, empty;
	json_t *times;
	const char *op;
	int depth;

	if (!root || json_unpack(root, "{s:s, s:i, s:I, s:I, s:o}", "op", &op, "depth", &depth,
				 "iterations", &iterations, "empty", &empty, "times", &times))
		return -EPROTO;
	if (strcmp(op, gnt_latency_op_name(visit->op)) != 0 || depth != visit->depth)
		return -EPROTO;
	return read_times(times, iterations, empty, visit);
}

int gnt_bench_data_add(struct gnt_bench_data *data, const struct gnt_bench_visit *visit,
		       const char *output, struct pcl_diag *diag)
{
	pcl_cleanup(visit_fini) struct gnt_bench_visit filled = *visit;
	struct gnt_bench_visit *grown;
	int error = read_output(output, &filled);

	if (error)
		return pcl_diag_set(diag, error,
				    "the guest's latency program said what is no measurement of %s "
				    "at depth %d; are the runner and the guest image of one build?",
				    gnt_latency_op_name(visit->op), visit->depth);
	grown = reallocarray(data->visits, data->count + 1, sizeof(*data->visits));
	if (!grown)
		return pcl_diag_errno(diag, -ENOMEM, "bench");
	data->visits = grown;
	data->visits[data->count++] = filled;
	filled.samples = NULL;
	return 0;
}

static bool same_cell(const struct gnt_bench_visit *a, const struct gnt_bench_visit *b)
{
	return a->contender == b->contender && a->op == b->op && a->depth == b->depth;
}

/* Batches of b that differ from a's; all of them if the two are no runs of one plan. */
static size_t count_differences(const struct gnt_bench_visit *a, const struct gnt_bench_visit *b)
{
	size_t differences = 0;

	if (!same_cell(a, b) || a->round != b->round || a->sample_count != b->sample_count)
		return a->sample_count;
	/* No tolerance: both come from integers by the same arithmetic. */
	for (size_t i = 0; i < a->sample_count; i++)
		differences += a->samples[i] != b->samples[i];
	return differences;
}

bool gnt_bench_data_equal(const struct gnt_bench_data *a, const struct gnt_bench_data *b,
			  char **ret_difference)
{
	const struct gnt_bench_visit *first = NULL;
	size_t differences = 0, total = 0;

	for (size_t i = 0; i < a->count && i < b->count; i++) {
		const size_t here = count_differences(&a->visits[i], &b->visits[i]);

		differences += here;
		total += a->visits[i].sample_count;
		if (here && !first)
			first = &a->visits[i];
	}
	if (a->count == b->count && !differences)
		return true;
	if (!first) {
		if (asprintf(ret_difference, "one boot gave %zu measurements, the other %zu",
			     a->count, b->count) < 0)
			*ret_difference = NULL;
		return false;
	}
	if (asprintf(ret_difference,
		     "%zu of %zu batches differ between the two boots, first %s at depth %d under "
		     "%s",
		     differences, total, gnt_latency_op_name(first->op), first->depth,
		     gnt_bench_contender_name(first->contender)) < 0)
		*ret_difference = NULL;
	return false;
}

/* A growing list of numbers. */
struct list {
	double *values;
	size_t count;
};

static void list_fini(struct list *list)
{
	free(list->values);
}

static int list_append(struct list *list, const double *values, size_t count)
{
	double *grown = reallocarray(list->values, list->count + count, sizeof(*list->values));

	if (!grown)
		return -ENOMEM;
	list->values = grown;
	memcpy(list->values + list->count, values, count * sizeof(*values));
	list->count += count;
	return 0;
}

static double visit_median(const struct gnt_bench_visit *visit)
{
	struct gnt_stats stats = {0};

	/* NaN makes the row's numbers NaN rather than wrong; memory for a few samples is there. */
	if (gnt_stats_compute(visit->samples, visit->sample_count, &stats))
		return NAN;
	return stats.median;
}

/* The visit of a cell like `cell` but under `contender`, in `round`, or NULL. */
static const struct gnt_bench_visit *find_visit(const struct gnt_bench_data *data,
						const struct gnt_bench_visit *cell,
						enum gnt_bench_contender contender, int round)
{
	for (size_t i = 0; i < data->count; i++) {
		const struct gnt_bench_visit *visit = &data->visits[i];

		if (visit->contender == contender && visit->op == cell->op &&
		    visit->depth == cell->depth && visit->round == round)
			return visit;
	}
	return NULL;
}

/* Cost over base's, round by round: median and spread of the ratios; 0 where base is missing. */
static int compute_ratio(const struct gnt_bench_data *data, const struct gnt_bench_visit *cell,
			 enum gnt_bench_contender base, double *ret_ratio, double *ret_spread)
{
	pcl_cleanup(list_fini) struct list ratios = {0};
	struct gnt_stats stats;
	int error;

	for (size_t i = 0; i < data->count; i++) {
		const struct gnt_bench_visit *visit = &data->visits[i];
		const struct gnt_bench_visit *other = find_visit(data, cell, base, visit->round);
		double ratio;

		if (!same_cell(visit, cell) || !other)
			continue;
		ratio = visit_median(visit) / visit_median(other);
		error = isfinite(ratio) ? list_append(&ratios, &ratio, 1) : 0;
		if (error)
			return error;
	}
	*ret_ratio = 0;
	*ret_spread = 0;
	if (!ratios.count)
		return 0;
	error = gnt_stats_compute(ratios.values, ratios.count, &stats);
	if (error)
		return error;
	*ret_ratio = stats.median;
	*ret_spread = stats.iqr;
	return 0;
}

/* The samples a row shows (medians of rounds, or batches where there is one round), and all. */
static int gather(const struct gnt_bench_data *data, const struct gnt_bench_visit *cell,
		  enum gnt_latency_unit unit, struct list *shown, struct list *all)
{
	for (size_t i = 0; i < data->count; i++) {
		const struct gnt_bench_visit *visit = &data->visits[i];
		double median;
		int error;

		if (!same_cell(visit, cell))
			continue;
		median = visit_median(visit);
		error = list_append(all, visit->samples, visit->sample_count);
		if (!error && unit == GNT_LATENCY_NS)
			error = list_append(shown, &median, 1);
		else if (!error)
			error = list_append(shown, visit->samples, visit->sample_count);
		if (error)
			return error;
	}
	return 0;
}

static int fill_numbers(const struct gnt_bench_data *data, const struct gnt_bench_visit *cell,
			struct gnt_latency_row *row)
{
	pcl_cleanup(list_fini) struct list shown = {0};
	pcl_cleanup(list_fini) struct list all = {0};
	struct gnt_stats shown_stats, all_stats;
	double spread;
	int error = gather(data, cell, row->unit, &shown, &all);

	if (!error)
		error = gnt_stats_compute(shown.values, shown.count, &shown_stats);
	if (!error)
		error = gnt_stats_compute(all.values, all.count, &all_stats);
	if (!error)
		error = compute_ratio(data, cell, GNT_BENCH_FLOOR, &row->vs_floor,
				      &row->vs_floor_spread);
	if (!error)
		error = compute_ratio(data, cell, GNT_BENCH_NONE, &row->vs_none, &spread);
	if (error)
		return error;
	row->median = shown_stats.median;
	row->spread = shown_stats.iqr;
	row->p99 = all_stats.p99;
	row->mean = all_stats.mean;
	row->samples = pcl_take_ptr(shown.values);
	row->sample_count = shown.count;
	return 0;
}

static int add_row(const struct gnt_bench_data *data, const struct gnt_bench_visit *cell,
		   const struct gnt_bench_row_facts *facts, struct gnt_latency_rows *rows)
{
	pcl_cleanup(gnt_latency_row_fini) struct gnt_latency_row row = {
		.op = cell->op,
		.unit = facts->unit,
		.rules = gnt_bench_contender_has_rules(cell->contender) ? facts->rules : 0,
		.domains = takes_container(cell->contender) ? facts->domains : 0,
		.policed = cell->contender == GNT_BENCH_PORTCULLIS ||
			   cell->contender == GNT_BENCH_CONTAINED,
		.depth = cell->depth,
		.boots = facts->boots,
		.boots_agree = facts->boots_agree,
	};
	int error;

	row.target = strdup(facts->target);
	/* The engine's own name stands for its usual backend. */
	if (cell->contender == GNT_BENCH_PORTCULLIS && facts->backend != GNT_BENCH_BPF_LSM)
		row.contender = gnt_text_new("portcullis/%s", backends[facts->backend].name);
	else
		row.contender = strdup(gnt_bench_contender_name(cell->contender));
	if (!row.target || !row.contender)
		return -ENOMEM;
	error = fill_numbers(data, cell, &row);
	return error ? error : gnt_latency_rows_take(rows, &row);
}

/* The first visit of each contender like `cell`, in the order of contenders. */
static int add_cell_rows(const struct gnt_bench_data *data, const struct gnt_bench_visit *cell,
			 const struct gnt_bench_row_facts *facts, struct gnt_latency_rows *rows)
{
	for (int contender = 0; contender < GNT_BENCH_CONTENDER_COUNT; contender++) {
		const struct gnt_bench_visit *visit = NULL;
		int error;

		for (size_t i = 0; i < data->count && !visit; i++)
			visit = find_visit(data, cell, (enum gnt_bench_contender)contender,
					   data->visits[i].round);
		error = visit ? add_row(data, visit, facts, rows) : 0;
		if (error)
			return error;
	}
	return 0;
}

int gnt_bench_data_rows(const struct gnt_bench_data *data, const struct gnt_bench_row_facts *facts,
			struct gnt_latency_rows *rows)
{
	for (size_t i = 0; i < data->count; i++) {
		const struct gnt_bench_visit *visit = &data->visits[i];
		bool seen = false;
		int error;

		for (size_t j = 0; j < i && !seen; j++)
			seen = data->visits[j].op == visit->op &&
			       data->visits[j].depth == visit->depth;
		error = seen ? 0 : add_cell_rows(data, visit, facts, rows);
		if (error)
			return error;
	}
	return 0;
}
