/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of many globs. The parser takes half the time for one line of a hundred globs that it takes
 * for a hundred lines, so what is refused or granted alike is collected and stands in one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/apparmor_maker.h"
#include "base/array.h"

/* A line's globs have that many bytes at most, unless one alone has more: the parser's scanner
 * takes 16 KiB for a word. */
#define GLOBS_LEN_MAX 4096

static bool is_like(const struct pcl_apparmor_line *a, const struct pcl_apparmor_line *b)
{
	return a->form == b->form && a->deeds == b->deeds && !strcmp(a->verb, b->verb) &&
	       !strcmp(a->who, b->who);
}

static struct pcl_apparmor_line *get_line(struct pcl_apparmor_maker *maker,
					  const struct pcl_apparmor_line *like)
{
	for (size_t i = 0; i < maker->line_count; i++)
		if (is_like(&maker->lines[i], like))
			return &maker->lines[i];
	if (pcl_array_grow(&maker->lines, maker->line_count, sizeof(*maker->lines)))
		return NULL;
	maker->lines[maker->line_count] = *like;
	return &maker->lines[maker->line_count++];
}

void pcl_apparmor_add_glob(struct pcl_apparmor_maker *maker, const struct pcl_apparmor_line *like,
			   char *glob, const struct pcl_rule *rule)
{
	struct pcl_apparmor_line *line = get_line(maker, like);

	if (!glob || !line ||
	    pcl_array_grow(&line->globs, line->glob_count, sizeof(*line->globs))) {
		maker->globs_failed = true;
		free(glob);
		return;
	}
	line->globs[line->glob_count++] = (struct pcl_apparmor_glob){glob, rule};
}

/* How many globs from the first on have room in one line. */
static size_t count_fitting(const struct pcl_apparmor_glob *globs, size_t count)
{
	size_t len = 0, fitting = 0;

	while (fitting < count && (len += strlen(globs[fitting].text) + 1) <= GLOBS_LEN_MAX)
		fitting++;
	return fitting ? fitting : 1;
}

static void put_globs(struct pcl_apparmor_maker *maker, const struct pcl_apparmor_glob *globs,
		      size_t count)
{
	(void)fputs(count > 1 ? "\"/{" : "\"/", maker->out);
	for (size_t i = 0; i < count; i++)
		(void)fprintf(maker->out, "%s%s", i ? "," : "", globs[i].text);
	(void)fputs(count > 1 ? "}\"" : "\"", maker->out);
}

static const char *before(enum pcl_apparmor_form form)
{
	if (form == PCL_APPARMOR_FORM_LINK_TO)
		return "link " PCL_APPARMOR_ANY_NAME " -> ";
	return form == PCL_APPARMOR_FORM_LINK_OF ? "link " : "";
}

static void put_tail(struct pcl_apparmor_maker *maker, const struct pcl_apparmor_line *line)
{
	switch (line->form) {
	case PCL_APPARMOR_FORM_ACCESS:
		(void)fputc(' ', maker->out);
		pcl_apparmor_put_permissions(maker, line->deeds, line->verb);
		break;
	case PCL_APPARMOR_FORM_LINK_OF:
		(void)fputs(" -> " PCL_APPARMOR_ANY_NAME, maker->out);
		break;
	case PCL_APPARMOR_FORM_STAY:
		(void)fputs(" w", maker->out);
		break;
	case PCL_APPARMOR_FORM_LINK_TO:
		break;
	}
}

/* Which rule each glob is of stands above a line of several. */
static void put_line(struct pcl_apparmor_maker *maker, const struct pcl_apparmor_line *line,
		     const struct pcl_apparmor_glob *globs, size_t count)
{
	for (size_t i = 0; count > 1 && i < count; i++) {
		(void)fprintf(maker->out, "\t# \"/%s\":", globs[i].text);
		pcl_apparmor_put_rule(maker, globs[i].rule);
		(void)fputc('\n', maker->out);
	}
	pcl_apparmor_start_line(maker);
	(void)fprintf(maker->out, "\t%s%s%s", line->verb, line->who, before(line->form));
	put_globs(maker, globs, count);
	put_tail(maker, line);
	pcl_apparmor_end_line(maker, count > 1 ? NULL : globs[0].rule);
}

int pcl_apparmor_put_globs(struct pcl_apparmor_maker *maker)
{
	for (size_t i = 0; i < maker->line_count; i++) {
		const struct pcl_apparmor_line *line = &maker->lines[i];

		for (size_t at = 0, count; at < line->glob_count; at += count) {
			count = count_fitting(line->globs + at, line->glob_count - at);
			put_line(maker, line, line->globs + at, count);
		}
	}
	return maker->globs_failed ? -ENOMEM : 0;
}

void pcl_apparmor_free_globs(struct pcl_apparmor_maker *maker)
{
	for (size_t i = 0; i < maker->line_count; i++) {
		struct pcl_apparmor_line *line = &maker->lines[i];

		for (size_t at = 0; at < line->glob_count; at++)
			free(line->globs[at].text);
		free(line->globs);
	}
	free(maker->lines);
	maker->lines = NULL;
	maker->line_count = 0;
	maker->globs_failed = false;
}
