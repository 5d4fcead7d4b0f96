/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency rows: kept, turned into JSON, printed as a table. Computes nothing; bench_data.c does.
 */
#include "latency.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const char *const op_names[] = {
	[GNT_LATENCY_OPEN] = "open",
	[GNT_LATENCY_EXEC] = "exec",
	[GNT_LATENCY_FIRST] = "first",
	[GNT_LATENCY_WRITE] = "write",
};
static_assert(PCL_ARRAY_SIZE(op_names) == GNT_LATENCY_OP_COUNT, "an operation has no name");

static const char *const unit_names[] = {
	[GNT_LATENCY_NS] = "ns",
	[GNT_LATENCY_GUEST_INSNS] = "guest_insns",
};
static_assert(PCL_ARRAY_SIZE(unit_names) == GNT_LATENCY_UNIT_COUNT, "a unit has no name");

const char *gnt_latency_op_name(enum gnt_latency_op op)
{
	return op_names[op];
}

const char *gnt_latency_unit_name(enum gnt_latency_unit unit)
{
	return unit_names[unit];
}

void gnt_latency_row_fini(struct gnt_latency_row *row)
{
	free(row->target);
	free(row->contender);
	free(row->samples);
}

void gnt_latency_rows_fini(struct gnt_latency_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		gnt_latency_row_fini(&rows->rows[i]);
	free(rows->rows);
	*rows = (struct gnt_latency_rows){0};
}

int gnt_latency_rows_take(struct gnt_latency_rows *rows, struct gnt_latency_row *row)
{
	struct gnt_latency_row *grown =
		reallocarray(rows->rows, rows->count + 1, sizeof(*rows->rows));

	if (!grown)
		return -ENOMEM;
	rows->rows = grown;
	rows->rows[rows->count++] = *row;
	*row = (struct gnt_latency_row){0};
	return 0;
}

/* Digits that mean something: a JSON full of 17-digit noise helps nobody who reads it. */
static json_t *rounded(double value, double step)
{
	return json_real(round(value / step) * step);
}

static json_t *samples_json(const struct gnt_latency_row *row)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < row->sample_count; i++) {
		if (json_array_append_new(array, json_real(row->samples[i]))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *row_json(const struct gnt_latency_row *row)
{
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:i, s:i, s:b, s:b, s:i, s:o, s:f, s:f, s:f, s:f, s:o?, s:o?, s:o?, "
		"s:i, s:o*}",
		"target", row->target, "contender", row->contender, "op", op_names[row->op], "unit",
		unit_names[row->unit], "rules", row->rules, "domains", row->domains, "policed",
		row->policed, "cached", row->op != GNT_LATENCY_FIRST, "depth", row->depth,
		"samples", samples_json(row), "median", row->median, "p99", row->p99, "mean",
		row->mean, "spread", row->spread, "vs_floor",
		row->vs_floor > 0 ? rounded(row->vs_floor, 1e-6) : NULL, "vs_floor_spread",
		row->vs_floor > 0 ? rounded(row->vs_floor_spread, 1e-6) : NULL, "vs_none",
		row->vs_none > 0 ? rounded(row->vs_none, 1e-6) : NULL, "boots", row->boots,
		"boots_agree",
		row->unit == GNT_LATENCY_GUEST_INSNS ? json_boolean(row->boots_agree) : NULL);
}

json_t *gnt_latency_rows_json(const struct gnt_latency_rows *rows)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < rows->count; i++) {
		if (json_array_append_new(array, row_json(&rows->rows[i]))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* "1.034x", or "-" where there is nothing to compare with. */
static void format_ratio(char *text, size_t size, double ratio)
{
	if (ratio > 0)
		snprintf(text, size, "%.*fx", ratio < 100 ? 3 : 0, ratio);
	else
		snprintf(text, size, "-");
}

#define ROW_FORMAT "%-25.25s %-4s %-5s %5s %-10.10s %9s %9s %8s %8s %8s\n"

static void print_row(FILE *out, const struct gnt_latency_row *row)
{
	/* Which backend it is says more than whose. */
	const char *slash = strchr(row->contender, '/');
	char depth[16], median[32], p99[32], vs_floor[24], vs_none[24], spread[24];

	snprintf(depth, sizeof(depth), "%d", row->depth);
	snprintf(median, sizeof(median), "%.0f", row->median);
	snprintf(p99, sizeof(p99), "%.0f", row->p99);
	format_ratio(vs_floor, sizeof(vs_floor), row->vs_floor);
	format_ratio(vs_none, sizeof(vs_none), row->vs_none);
	if (row->unit == GNT_LATENCY_GUEST_INSNS)
		snprintf(spread, sizeof(spread), "%s", row->boots_agree ? "exact" : "DIFFERS");
	else
		snprintf(spread, sizeof(spread), "+-%.1f%%",
			 row->median > 0 ? 50 * row->spread / row->median : 0);
	fprintf(out, ROW_FORMAT, row->target, op_names[row->op],
		row->unit == GNT_LATENCY_NS ? "ns" : "insns", depth,
		slash ? slash + 1 : row->contender, median, p99, vs_floor, vs_none, spread);
}

char *gnt_latency_rows_table(const struct gnt_latency_rows *rows)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, ROW_FORMAT, "TARGET", "OP", "UNIT", "DEPTH", "CONTENDER", "MEDIAN", "P99",
		"VS FLOOR", "VS NONE", "SPREAD");
	for (size_t i = 0; i < rows->count; i++)
		print_row(out, &rows->rows[i]);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
