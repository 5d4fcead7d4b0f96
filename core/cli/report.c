/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How mistakes and warnings are shown. What they say was made elsewhere.
 */
#include "cli/report.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static void print_problem(const struct pcl_problem *problem)
{
	const char *separator = problem->hint ? "; " : "";

	if (problem->file && problem->place.line)
		(void)pcl_cli_fail(PCL_EXIT_USAGE, "%s:%u:%u: %s%s%s", problem->file,
				   problem->place.line, problem->place.column, problem->what,
				   separator, or_empty(problem->hint));
	else
		(void)pcl_cli_fail(PCL_EXIT_USAGE, "%s%s%s", problem->what, separator,
				   or_empty(problem->hint));
}

void pcl_report_problems(const struct pcl_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		print_problem(&problems->items[i]);
	if (problems->left_out)
		(void)pcl_cli_fail(PCL_EXIT_USAGE, "%zu more mistakes; mend these first",
				   problems->left_out);
}

/* Warnings of one kind that speak of one enforcer, or of none. */
struct alike {
	enum pcl_lint_kind kind;
	const char *enforcer;
	size_t count;
};

/* Enforcers are three, and none. */
#define ALIKE_MAX (PCL_LINT_COUNT * 4)

static struct alike *find_alike(struct alike *alikes, size_t *count,
				const struct pcl_warning *warning)
{
	const char *enforcer = or_empty(warning->enforcer);

	for (size_t i = 0; i < *count; i++)
		if (alikes[i].kind == warning->kind && !strcmp(alikes[i].enforcer, enforcer))
			return &alikes[i];
	if (*count == ALIKE_MAX)
		return NULL;
	alikes[*count] = (struct alike){.kind = warning->kind, .enforcer = enforcer};
	return &alikes[(*count)++];
}

void pcl_report_warnings(const struct pcl_warnings *warnings, size_t alike_max)
{
	struct alike alikes[ALIKE_MAX];
	size_t count = 0;

	for (size_t i = 0; warnings && i < warnings->count; i++) {
		const struct pcl_warning *warning = &warnings->items[i];
		struct alike *alike = find_alike(alikes, &count, warning);

		if (alike && ++alike->count > alike_max)
			continue;
		(void)pcl_cli_fail(PCL_EXIT_YES, "warning: %s:%u:%u: %s%s%s", warning->file,
				   warning->place.line, warning->place.column, warning->what,
				   warning->hint ? "; " : "", or_empty(warning->hint));
	}
	for (size_t i = 0; i < count; i++)
		if (alikes[i].count > alike_max)
			(void)pcl_cli_fail(PCL_EXIT_YES,
					   "warning: %zu more of kind %s%s%s; --all shows them",
					   alikes[i].count - alike_max,
					   pcl_lint_kind_name(alikes[i].kind),
					   alikes[i].enforcer[0] ? ", " : "", alikes[i].enforcer);
}

/* JSON is UTF-8; a file's name or a text that was cut need not be. */
static json_t *text_json(const char *text)
{
	json_t *json = text ? json_string(text) : json_null();
	pcl_autofree char *shown = NULL;

	if (json)
		return json;
	shown = strdup(text);
	for (char *at = shown; at && *at; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	return shown ? json_string(shown) : NULL;
}

json_t *pcl_report_texts(char *const *texts, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(array, text_json(texts[i]));
	return array;
}

json_t *pcl_report_problems_json(const struct pcl_problems *problems)
{
	json_t *array = json_array();

	for (size_t i = 0; i < problems->count; i++) {
		const struct pcl_problem *problem = &problems->items[i];

		(void)json_array_append_new(array, json_pack("{s:s?, s:i, s:i, s:s?, s:s, s:s?}",
							     "file", problem->file, "line",
							     (int)problem->place.line, "column",
							     (int)problem->place.column, "text",
							     problem->text, "message",
							     problem->what, "hint", problem->hint));
	}
	return array;
}

json_t *pcl_report_warnings_json(const struct pcl_warnings *warnings)
{
	json_t *array = json_array();

	for (size_t i = 0; warnings && i < warnings->count; i++) {
		const struct pcl_warning *warning = &warnings->items[i];

		(void)json_array_append_new(
			array,
			json_pack("{s:s, s:o, s:i, s:i, s:o, s:s?, s:s?, s:o, s:o, s:s*, s:o, "
				  "s:s*, s:s*}",
				  "kind", pcl_lint_kind_name(warning->kind), "file",
				  text_json(warning->file), "line", (int)warning->place.line,
				  "column", (int)warning->place.column, "text",
				  text_json(warning->text), "rule",
				  warning->rule ? warning->rule->id : NULL, "other",
				  warning->other ? warning->other->id : NULL, "message",
				  text_json(warning->what), "hint", text_json(warning->hint),
				  "enforcer", warning->enforcer, "example",
				  text_json(warning->example), "ours", warning->ours, "theirs",
				  warning->theirs));
	}
	return array;
}

/* --- GitHub ----------------------------------------------------------------------------------- */

/* What would end the command, or one of its properties, goes as its hexadecimal number. */
static void print_escaped(const char *text, const char *special)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (strchr(special, c) || c < ' ')
			(void)printf("%%%02X", c);
		else
			(void)putchar(c);
	}
}

static void print_command(const char *level, const char *file, unsigned line, unsigned column,
			  const char *title, const char *what, const char *hint)
{
	(void)printf("::%s ", level);
	if (file) {
		(void)fputs("file=", stdout);
		print_escaped(file, "%:,");
		if (line)
			(void)printf(",line=%u,col=%u", line, column);
		(void)putchar(',');
	}
	(void)fputs("title=", stdout);
	print_escaped(title, "%:,");
	(void)fputs("::", stdout);
	print_escaped(what, "%");
	if (hint) {
		(void)fputs("; ", stdout);
		print_escaped(hint, "%");
	}
	(void)putchar('\n');
}

/* The place that a notice begins with; *ret_rest is what follows. False: it has none. */
static bool split_notice(const char *notice, char **ret_file, unsigned *ret_line,
			 unsigned *ret_column, const char **ret_rest)
{
	for (const char *at = strchr(notice, ':'); at; at = strchr(at + 1, ':')) {
		char *after_line, *after_column;
		unsigned long line = strtoul(at + 1, &after_line, 10), column;

		if (!isdigit((unsigned char)at[1]) || *after_line != ':' ||
		    !isdigit((unsigned char)after_line[1]))
			continue;
		column = strtoul(after_line + 1, &after_column, 10);
		if (strncmp(after_column, ": ", 2) != 0)
			continue;
		*ret_file = strndup(notice, (size_t)(at - notice));
		*ret_line = (unsigned)line;
		*ret_column = (unsigned)column;
		*ret_rest = after_column + 2;
		return true;
	}
	return false;
}

void pcl_report_github(const struct pcl_policy_set *set, const struct pcl_problems *problems,
		       const struct pcl_warnings *warnings)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct pcl_problem *problem = &problems->items[i];

		print_command("error", problem->file, problem->place.line, problem->place.column,
			      "bad policy", problem->what, problem->hint);
	}
	for (size_t i = 0; warnings && i < warnings->count; i++) {
		const struct pcl_warning *warning = &warnings->items[i];

		print_command("warning", warning->file, warning->place.line, warning->place.column,
			      pcl_lint_kind_name(warning->kind), warning->what, warning->hint);
	}
	for (size_t i = 0; i < set->notice_count; i++) {
		pcl_autofree char *file = NULL;
		unsigned line = 0, column = 0;
		const char *rest = set->notices[i];

		(void)split_notice(set->notices[i], &file, &line, &column, &rest);
		print_command("notice", file, line, column, "notice", rest, NULL);
	}
}
