/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a run on the terminal: a table of verdicts (cases down, target and contender across),
 * what was skipped, each failing line with the command that reproduces it. Within 100 columns as
 * long as names are: columns are dropped into further tables rather than wrapped.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "results.h"
#include "text.h"

#define TABLE_WIDTH 100
/* "BASELINE_BLOCKED" and the mark of a failed expectation. */
#define CELL_MIN 13
#define COLUMN_GAP 2

struct column {
	const char *target;
	const char *contender;
	int width;
};

static const char *field(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* The columns of one target from first on, and the width that they take together. */
static size_t target_span(const struct column *columns, size_t count, size_t first, int *ret_width)
{
	size_t next = first;

	*ret_width = -COLUMN_GAP;
	while (next < count && strcmp(columns[next].target, columns[first].target) == 0)
		*ret_width += columns[next++].width + COLUMN_GAP;
	return next;
}

/* A target's name stands over its columns: where they are too narrow, the last is widened. */
static void widen_columns(struct column *columns, size_t count)
{
	for (size_t k = 0; k < count;) {
		int width, len = (int)strlen(columns[k].target);
		size_t next = target_span(columns, count, k, &width);

		if (len > width)
			columns[next - 1].width += len - width;
		k = next;
	}
}

/* Distinct (target, contender) in the order of appearance; owned array. */
static struct column *find_columns(const json_t *rows, size_t *ret_count)
{
	struct column *columns = calloc(json_array_size(rows) + 1, sizeof(*columns));
	const json_t *row;
	size_t i, count = 0;

	*ret_count = 0;
	if (!columns)
		return NULL;
	json_array_foreach(rows, i, row) {
		struct column column = {field(row, "target"), field(row, "contender"), CELL_MIN};
		int len = (int)strlen(column.contender);
		size_t k = 0;

		while (k < count && (strcmp(columns[k].target, column.target) != 0 ||
				     strcmp(columns[k].contender, column.contender) != 0))
			k++;
		if (k == count)
			columns[count++] = column;
		if (len > columns[k].width)
			columns[k].width = len;
		len = (int)strlen(field(row, "verdict")) + 2;
		if (len > columns[k].width)
			columns[k].width = len;
	}
	widen_columns(columns, count);
	*ret_count = count;
	return columns;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Distinct case ids, sorted; owned array of borrowed strings. */
static const char **find_cases(const json_t *rows, size_t *ret_count, int *ret_width)
{
	const char **ids = calloc(json_array_size(rows) + 1, sizeof(*ids));
	const json_t *row;
	size_t i, kept = 0;

	*ret_count = 0;
	*ret_width = (int)strlen("case");
	if (!ids)
		return NULL;
	json_array_foreach(rows, i, row)
		ids[i] = field(row, "case");
	qsort(ids, json_array_size(rows), sizeof(*ids), compare_strings);
	for (i = 0; i < json_array_size(rows); i++) {
		if (kept && strcmp(ids[kept - 1], ids[i]) == 0)
			continue;
		ids[kept++] = ids[i];
		if ((int)strlen(ids[i]) > *ret_width)
			*ret_width = (int)strlen(ids[i]);
	}
	*ret_count = kept;
	return ids;
}

static const json_t *find_row(const json_t *rows, const struct column *column, const char *id)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (strcmp(field(row, "case"), id) == 0 &&
		    strcmp(field(row, "target"), column->target) == 0 &&
		    strcmp(field(row, "contender"), column->contender) == 0)
			return row;
	return NULL;
}

static void print_head(const struct column *columns, size_t count, int name_width, FILE *out)
{
	(void)fprintf(out, "%-*s", name_width, "");
	for (size_t k = 0; k < count;) {
		int span;
		size_t next = target_span(columns, count, k, &span);

		(void)fprintf(out, "  %-*.*s", next < count ? span : 0, span, columns[k].target);
		k = next;
	}
	(void)fprintf(out, "\n%-*s", name_width, "case");
	for (size_t k = 0; k < count; k++)
		(void)fprintf(out, "  %-*s", k + 1 < count ? columns[k].width : 0,
			      columns[k].contender);
	(void)fputc('\n', out);
}

/* As many columns as fit from first; returns how many. */
static size_t columns_that_fit(const struct column *columns, size_t count, int name_width)
{
	int width = name_width;
	size_t k = 0;

	for (; k < count; k++) {
		width += columns[k].width + COLUMN_GAP;
		if (width > TABLE_WIDTH && k > 0)
			break;
	}
	return k;
}

static void print_part(const json_t *rows, const char *const *ids, size_t id_count,
		       const struct column *columns, size_t count, int name_width, FILE *out)
{
	print_head(columns, count, name_width, out);
	for (size_t i = 0; i < id_count; i++) {
		(void)fprintf(out, "%-*s", name_width, ids[i]);
		for (size_t k = 0; k < count; k++) {
			const json_t *row = find_row(rows, &columns[k], ids[i]);
			bool pass = row && json_is_true(json_object_get(row, "pass"));
			pcl_autofree char *cell =
				gnt_text_new("%s%s", row ? field(row, "verdict") : "-",
					     row && !pass ? " !" : "");

			(void)fprintf(out, "  %-*s", k + 1 < count ? columns[k].width : 0,
				      cell ? cell : "");
		}
		(void)fputc('\n', out);
	}
}

static void print_verdicts(const json_t *rows, FILE *out)
{
	size_t column_count = 0, id_count = 0;
	pcl_autofree struct column *columns = find_columns(rows, &column_count);
	int name_width = 0;
	pcl_autofree const char **ids = find_cases(rows, &id_count, &name_width);

	if (!columns || !ids)
		return;
	for (size_t first = 0; first < column_count;) {
		size_t fit = columns_that_fit(columns + first, column_count - first, name_width);

		(void)fputc('\n', out);
		print_part(rows, ids, id_count, columns + first, fit, name_width, out);
		first += fit;
	}
}

static bool same_failure(const json_t *a, const json_t *b)
{
	return a && strcmp(field(a, "target"), field(b, "target")) == 0 &&
	       strcmp(field(a, "verdict"), field(b, "verdict")) == 0 && *field(b, "detail") &&
	       strcmp(field(a, "detail"), field(b, "detail")) == 0;
}

/* One entry per failing line; many that fail for one reason (no kernel, say) are counted. */
static void print_failures(const json_t *rows, FILE *out)
{
	const json_t *row, *shown = NULL;
	size_t i, repeated = 0;

	json_array_foreach(rows, i, row) {
		if (json_is_true(json_object_get(row, "pass")))
			continue;
		if (same_failure(shown, row)) {
			repeated++;
			continue;
		}
		if (repeated)
			(void)fprintf(out, "     and %zu more like it\n", repeated);
		repeated = 0;
		shown = row;
		(void)fprintf(out, "\nFAIL %s %s on %s: %s, expected %s%s%s\n     %s\n",
			      field(row, "case"), field(row, "contender"), field(row, "target"),
			      field(row, "verdict"), field(row, "expected"),
			      *field(row, "detail") ? ": " : "", field(row, "detail"),
			      field(row, "reproduce"));
	}
	if (repeated)
		(void)fprintf(out, "     and %zu more like it\n", repeated);
}

/* What kernels complained of: what fails the run line by line, what is allowed by its reason. */
static void print_health(const json_t *rows, FILE *out)
{
	const json_t *row;
	size_t i, allowed = 0;

	json_array_foreach(rows, i, row) {
		allowed += json_object_get(row, "allowed") != NULL;
		if (json_object_get(row, "allowed"))
			continue;
		(void)fprintf(out, "\nKERNEL %s during %s: %s\n     %s\n", field(row, "target"),
			      field(row, "during"), field(row, "fingerprint"), field(row, "line"));
	}
	if (allowed)
		(void)fprintf(out, "\nallowed %zu complaints of kernels:\n", allowed);
	json_array_foreach(rows, i, row)
		if (json_object_get(row, "allowed"))
			(void)fprintf(out, "     %s during %s: %s: %s\n", field(row, "target"),
				      field(row, "during"), field(row, "fingerprint"),
				      field(row, "allowed"));
}

static bool seen_before(const json_t *rows, size_t index, const char *key, const json_t *row)
{
	const json_t *earlier;
	size_t i;

	json_array_foreach(rows, i, earlier) {
		if (i >= index)
			return false;
		if (strcmp(field(earlier, "reason"), field(row, "reason")) == 0 &&
		    strcmp(field(earlier, key), field(row, key)) == 0)
			return true;
	}
	return false;
}

/* Under each reason how many lines it skipped, and the cases that they are of. */
static void print_skipped(const json_t *rows, FILE *out)
{
	const json_t *row, *other;
	size_t i, k;

	json_array_foreach(rows, i, row) {
		size_t count = 0;

		if (seen_before(rows, i, "reason", row))
			continue;
		json_array_foreach(rows, k, other)
			count += strcmp(field(other, "reason"), field(row, "reason")) == 0;
		(void)fprintf(out, "\nskipped %zu lines: %s\n", count, field(row, "reason"));
		json_array_foreach(rows, k, other)
			if (strcmp(field(other, "reason"), field(row, "reason")) == 0 &&
			    !seen_before(rows, k, "case", other))
				(void)fprintf(out, "     %s\n", field(other, "case"));
	}
}

static void print_counts(const struct gnt_results *results, FILE *out)
{
	size_t passed = 0, total = json_array_size(results->cases), i;
	const json_t *row;

	json_array_foreach(results->cases, i, row)
		passed += json_is_true(json_object_get(row, "pass"));
	(void)fprintf(out, "\n%zu as expected, %zu not, %zu skipped\n", passed, total - passed,
		      json_array_size(results->skipped));
}

void gnt_results_print(const struct gnt_results *results, FILE *out)
{
	print_verdicts(results->cases, out);
	print_failures(results->cases, out);
	print_health(results->health, out);
	print_skipped(results->skipped, out);
	print_counts(results, out);
}
