/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JUnit XML of a run, for CI: one suite per target, one test per case and contender. A failed
 * expectation is a <failure>, a verdict that says nothing (INFRA, ...) an <error>.
 */
#include <errno.h>
#include <string.h>

#include "results.h"

static const char *field(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* XML 1.0 has no way to write most control characters: they become '?'. */
static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			(void)fputs("&amp;", out);
			break;
		case '<':
			(void)fputs("&lt;", out);
			break;
		case '>':
			(void)fputs("&gt;", out);
			break;
		case '"':
			(void)fputs("&quot;", out);
			break;
		default:
			(void)fputc((unsigned char)*text < ' ' && *text != '\n' && *text != '\t'
					    ? '?'
					    : *text,
				    out);
		}
	}
}

static void put_attribute(FILE *out, const char *name, const char *value)
{
	(void)fprintf(out, " %s=\"", name);
	put_escaped(out, value);
	(void)fputc('"', out);
}

static bool is_error(const json_t *row)
{
	enum gnt_verdict verdict;

	if (gnt_verdict_parse(field(row, "verdict"), &verdict) != 0)
		return true;
	return verdict == GNT_VERDICT_INFRA || verdict == GNT_VERDICT_ENV_UNMET ||
	       verdict == GNT_VERDICT_BROKEN_REPLAY;
}

static void put_case_start(FILE *out, const json_t *row, double seconds)
{
	(void)fputs("    <testcase", out);
	put_attribute(out, "classname", field(row, "contender"));
	put_attribute(out, "name", field(row, "case"));
	(void)fprintf(out, " time=\"%.3f\"", seconds);
}

static void put_row(FILE *out, const json_t *row)
{
	const char *kind = is_error(row) ? "error" : "failure";
	const json_t *finding;
	size_t i;

	put_case_start(out, row, json_number_value(json_object_get(row, "duration_ms")) / 1000.0);
	if (json_is_true(json_object_get(row, "pass"))) {
		(void)fputs("/>\n", out);
		return;
	}
	(void)fprintf(out, ">\n      <%s", kind);
	put_attribute(out, "type", field(row, "verdict"));
	put_attribute(out, "message", field(row, "detail"));
	(void)fputc('>', out);
	put_escaped(out, field(row, "reproduce"));
	json_array_foreach(json_object_get(row, "health"), i, finding) {
		(void)fprintf(out,
			      "\n%s: ", json_object_get(finding, "allowed") ? "allowed" : "kernel");
		put_escaped(out, field(finding, "fingerprint"));
		(void)fputs(" during ", out);
		put_escaped(out, field(finding, "during"));
	}
	(void)fprintf(out, "</%s>\n    </testcase>\n", kind);
}

/* Whether a row of the case that ran tells of it already. */
static bool in_a_row(const struct gnt_results *results, const json_t *finding)
{
	const json_t *row, *entry;
	size_t i, k;

	json_array_foreach(results->cases, i, row) {
		if (strcmp(field(row, "target"), field(finding, "target")) != 0)
			continue;
		json_array_foreach(json_object_get(row, "health"), k, entry)
			if (json_equal(entry, finding))
				return true;
	}
	return false;
}

/* A complaint of the kernel while no case ran. */
static bool is_of_target(const struct gnt_results *results, const json_t *finding,
			 const char *target)
{
	return strcmp(field(finding, "target"), target) == 0 &&
	       !json_object_get(finding, "allowed") && !in_a_row(results, finding);
}

static void put_finding(FILE *out, const json_t *finding)
{
	(void)fputs("    <testcase classname=\"kernel\"", out);
	put_attribute(out, "name", field(finding, "during"));
	(void)fputs(" time=\"0.000\">\n      <error", out);
	put_attribute(out, "type", field(finding, "kind"));
	put_attribute(out, "message", field(finding, "fingerprint"));
	(void)fputc('>', out);
	put_escaped(out, field(finding, "line"));
	(void)fputs("</error>\n    </testcase>\n", out);
}

static void put_skipped(FILE *out, const json_t *row)
{
	put_case_start(out, row, 0);
	(void)fputs(">\n      <skipped", out);
	put_attribute(out, "message", field(row, "reason"));
	(void)fputs("/>\n    </testcase>\n", out);
}

static void put_suite(FILE *out, const struct gnt_results *results, const char *target)
{
	int tests = 0, failures = 0, errors = 0, skipped = 0;
	const json_t *row;
	size_t i;

	json_array_foreach(results->cases, i, row) {
		if (strcmp(field(row, "target"), target) != 0)
			continue;
		tests++;
		if (json_is_true(json_object_get(row, "pass")))
			continue;
		if (is_error(row))
			errors++;
		else
			failures++;
	}
	json_array_foreach(results->skipped, i, row)
		skipped += strcmp(field(row, "target"), target) == 0;
	json_array_foreach(results->health, i, row) {
		tests += is_of_target(results, row, target);
		errors += is_of_target(results, row, target);
	}
	(void)fputs("  <testsuite", out);
	put_attribute(out, "name", target);
	(void)fprintf(out, " tests=\"%d\" failures=\"%d\" errors=\"%d\" skipped=\"%d\">\n",
		      tests + skipped, failures, errors, skipped);
	json_array_foreach(results->cases, i, row)
		if (strcmp(field(row, "target"), target) == 0)
			put_row(out, row);
	json_array_foreach(results->skipped, i, row)
		if (strcmp(field(row, "target"), target) == 0)
			put_skipped(out, row);
	json_array_foreach(results->health, i, row)
		if (is_of_target(results, row, target))
			put_finding(out, row);
	(void)fputs("  </testsuite>\n", out);
}

int gnt_junit_write(const struct gnt_results *results, FILE *out)
{
	const json_t *target;
	size_t i;

	(void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
	put_attribute(out, "name", "gauntlet");
	(void)fputs(">\n", out);
	json_array_foreach(results->targets, i, target)
		put_suite(out, results, field(target, "id"));
	(void)fputs("</testsuites>\n", out);
	return ferror(out) ? (errno ? -errno : -EIO) : 0;
}
