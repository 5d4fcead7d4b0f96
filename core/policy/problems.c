/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of what is wrong with policies.
 *
 * A message is "what; how to mend it" by convention, so its last "; " parts the two.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "policy/reader.h"

static void problem_fini(struct pcl_problem *problem)
{
	free(problem->file);
	free(problem->text);
	free(problem->what);
	free(problem->hint);
}

void pcl_problems_fini(struct pcl_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		problem_fini(&problems->items[i]);
	free(problems->items);
	memset(problems, 0, sizeof(*problems));
}

/* The message without the place that it begins with. */
static const char *without_place(const struct pcl_diag *diag)
{
	const char *text = pcl_diag_text(diag);
	pcl_autofree char *place = NULL;
	int len;

	if (!diag->file)
		return text;
	len = asprintf(&place, "%s:%u:%u: ", diag->file, diag->line, diag->column);
	if (len < 0)
		place = NULL;
	return place && !strncmp(text, place, (size_t)len) ? text + len : text;
}

static char *last_part(char *text)
{
	char *last = NULL;

	for (char *at = strstr(text, "; "); at; at = strstr(at + 2, "; "))
		last = at;
	return last;
}

int pcl_problems_add(struct pcl_problems *problems, struct pcl_diag *diag)
{
	struct pcl_problem problem = {.error = diag->error};
	char *hint;

	if (problems->count >= PCL_PROBLEMS_MAX) {
		problems->left_out++;
		pcl_diag_fini(diag);
		return 0;
	}
	if (pcl_array_grow(&problems->items, problems->count, sizeof(problem)))
		return -ENOMEM;
	problem.what = strdup(without_place(diag));
	if (!problem.what)
		return -ENOMEM;
	hint = last_part(problem.what);
	if (hint) {
		problem.hint = strdup(hint + 2);
		*hint = '\0';
	}
	problem.place = (struct pcl_place){diag->line, diag->column};
	problem.file = pcl_take_ptr(diag->file);
	problem.text = pcl_take_ptr(diag->subject);
	problems->items[problems->count++] = problem;
	pcl_diag_fini(diag);
	return 0;
}

static int compare_places(const void *a, const void *b)
{
	const struct pcl_problem *left = a, *right = b;

	if (left->place.line != right->place.line)
		return left->place.line < right->place.line ? -1 : 1;
	if (left->place.column != right->place.column)
		return left->place.column < right->place.column ? -1 : 1;
	return strcmp(left->what, right->what);
}

void pcl_problems_sort(struct pcl_problems *problems, size_t from)
{
	if (problems->count > from + 1)
		qsort(problems->items + from, problems->count - from, sizeof(*problems->items),
		      compare_places);
}

int pcl_reader_catch(struct pcl_reader *reader, int error)
{
	if (!error || error == -ENOMEM)
		return error;
	return pcl_problems_add(reader->problems, reader->diag) ? pcl_reader_no_memory(reader) : 0;
}

char *pcl_problem_text(const struct pcl_problem *problem)
{
	const char *hint = problem->hint ? problem->hint : "";
	const char *separator = problem->hint ? "; " : "";
	char *text = NULL;
	int len;

	if (problem->file && problem->place.line)
		len = asprintf(&text, "%s:%u:%u: %s%s%s", problem->file, problem->place.line,
			       problem->place.column, problem->what, separator, hint);
	else
		len = asprintf(&text, "%s%s%s", problem->what, separator, hint);
	return len < 0 ? NULL : text;
}
