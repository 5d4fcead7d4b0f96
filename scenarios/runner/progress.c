/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress of a run. On a terminal one line per target is rewritten in place; elsewhere (a CI log)
 * one plain line per finished row, nothing rewritten.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "run.h"
#include "text.h"

#define LINE_WIDTH 100

struct line {
	char *text;
	size_t done;
	size_t failed;
};

struct gnt_progress {
	const struct gnt_run_options *options;
	FILE *out;
	bool live;
	bool drawn;
	int id_width;
	size_t planned;
	struct line *lines;
};

struct gnt_progress *gnt_progress_new(const struct gnt_run_options *options, FILE *out)
{
	struct gnt_progress *progress = calloc(1, sizeof(*progress));

	if (progress)
		progress->lines = calloc(options->target_count, sizeof(*progress->lines));
	if (!progress || !progress->lines) {
		free(progress);
		return NULL;
	}
	progress->options = options;
	progress->out = out;
	progress->live = isatty(fileno(out)) == 1;
	progress->planned = gnt_run_line_count(options);
	for (size_t i = 0; i < options->target_count; i++) {
		int len = (int)strlen(options->targets[i]->id);

		if (len > progress->id_width)
			progress->id_width = len;
	}
	return progress;
}

void gnt_progress_free(struct gnt_progress **progress)
{
	struct gnt_progress *p = *progress;

	if (!p)
		return;
	*progress = NULL;
	for (size_t i = 0; i < p->options->target_count; i++)
		free(p->lines[i].text);
	free(p->lines);
	free(p);
}

static void draw(struct gnt_progress *p)
{
	/* Up to the first of our lines; each line is cleared before it is written anew. */
	if (p->drawn)
		(void)fprintf(p->out, "\033[%zuA", p->options->target_count);
	p->drawn = true;
	for (size_t i = 0; i < p->options->target_count; i++) {
		const struct line *line = &p->lines[i];
		pcl_autofree char *text =
			gnt_text_new("%-*s %zu/%zu%s  %s", p->id_width, p->options->targets[i]->id,
				     line->done, p->planned, line->failed ? " !" : "",
				     line->text ? line->text : "waiting");

		(void)fprintf(p->out, "\r\033[K%.*s\n", LINE_WIDTH, text ? text : "");
	}
	(void)fflush(p->out);
}

void gnt_progress_set(struct gnt_progress *progress, size_t target, const char *text)
{
	(void)gnt_text_set(&progress->lines[target].text, "%s", text);
	if (progress->live)
		draw(progress);
}

void gnt_progress_row(struct gnt_progress *progress, size_t target, const json_t *row)
{
	struct line *line = &progress->lines[target];
	bool pass = json_is_true(json_object_get(row, "pass"));
	const char *id = json_string_value(json_object_get(row, "case"));
	const char *contender = json_string_value(json_object_get(row, "contender"));
	const char *verdict = json_string_value(json_object_get(row, "verdict"));

	line->done++;
	line->failed += !pass;
	if (progress->live) {
		draw(progress);
		return;
	}
	(void)fprintf(progress->out, "%s %*s%-*s %s %s: %s%s\n", pass ? "ok  " : "FAIL", 0, "",
		      progress->id_width, progress->options->targets[target]->id, id ? id : "?",
		      contender ? contender : "?", verdict ? verdict : "skipped",
		      pass ? "" : " (not as expected)");
	(void)fflush(progress->out);
}
