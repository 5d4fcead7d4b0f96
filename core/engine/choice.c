/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The choice of a backend by what it does of the rules.
 */
#include "engine/choice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

static void candidate_fini(struct pcl_candidate *candidate)
{
	free(candidate->lacks);
	pcl_statuses_fini(&candidate->statuses);
}

void pcl_choice_fini(struct pcl_choice *choice)
{
	for (size_t i = 0; i < choice->count; i++)
		candidate_fini(&choice->candidates[i]);
	free(choice->candidates);
	*choice = (struct pcl_choice){0};
}

size_t pcl_choice_count(const struct pcl_candidate *candidate, enum pcl_status status)
{
	size_t count = 0;

	for (size_t i = 0; i < PCL_CLASS_COUNT; i++)
		count += candidate->counts[i][status];
	return count;
}

/* --- comparing -------------------------------------------------------------------------------
 */

/* Below 0 where a's rules are enforced better; the worst that can be is compared first. */
static int compare_counts(const size_t a[PCL_STATUS_COUNT], const size_t b[PCL_STATUS_COUNT])
{
	for (int s = PCL_STATUS_COUNT - 1; s > PCL_STATUS_EXACT; s--)
		if (a[s] != b[s])
			return a[s] < b[s] ? -1 : 1;
	return 0;
}

static int compare(const struct pcl_candidate *a, const struct pcl_candidate *b)
{
	size_t of_a[PCL_STATUS_COUNT], of_b[PCL_STATUS_COUNT];

	for (enum pcl_status s = PCL_STATUS_EXACT; (int)s < PCL_STATUS_COUNT; s++) {
		of_a[s] = pcl_choice_count(a, s);
		of_b[s] = pcl_choice_count(b, s);
	}
	return compare_counts(of_a, of_b);
}

/* --- making ----------------------------------------------------------------------------------
 */

static int probe(const struct pcl_choice_asked *asked, struct pcl_candidate *candidate)
{
	pcl_cleanup(pcl_diag_fini) struct pcl_diag why = {0};

	if (!candidate->backend->probe(asked->node, &why))
		return 0;
	candidate->lacks = strdup(pcl_diag_text(&why));
	return candidate->lacks ? 0 : -ENOMEM;
}

static int ask(const struct pcl_choice_asked *asked, struct pcl_candidate *candidate)
{
	const struct pcl_backend *backend = candidate->backend;

	candidate->kernel = asked->known == backend ? asked->known_kernel : backend->kernel();
	if (pcl_statuses_ask(backend, candidate->kernel, asked->rules, asked->rule_count,
			     &candidate->statuses))
		return -ENOMEM;
	for (size_t i = 0; i < asked->rule_count; i++) {
		const struct pcl_rule_status status =
			pcl_statuses_get(&candidate->statuses, (uint32_t)i + 1);

		candidate->counts[asked->rules[i]->class][status.status]++;
	}
	return 0;
}

static bool is_perfect(const struct pcl_candidate *candidate)
{
	return !candidate->lacks &&
	       pcl_choice_count(candidate, PCL_STATUS_EXACT) == candidate->statuses.rule_count;
}

int pcl_choice_make(const struct pcl_choice_asked *asked, unsigned flags,
		    struct pcl_choice *ret_choice)
{
	struct pcl_choice choice pcl_cleanup(pcl_choice_fini) = {0};
	size_t best = SIZE_MAX;

	for (size_t i = 0; asked->backends[i]; i++) {
		struct pcl_candidate *candidate;

		if (asked->backends[i]->idle)
			continue;
		if (pcl_array_grow(&choice.candidates, choice.count, sizeof(*candidate)))
			return -ENOMEM;
		candidate = &choice.candidates[choice.count++];
		*candidate = (struct pcl_candidate){.backend = asked->backends[i]};
		if (probe(asked, candidate))
			return -ENOMEM;
		if (candidate->lacks && !(flags & PCL_CHOICE_ALL))
			continue;
		if (ask(asked, candidate))
			return -ENOMEM;
		if (!candidate->lacks &&
		    (best == SIZE_MAX || compare(candidate, &choice.candidates[best]) < 0))
			best = choice.count - 1;
		if (!(flags & PCL_CHOICE_ALL) && is_perfect(candidate))
			break;
	}
	choice.chosen = best < choice.count ? best : choice.count;
	*ret_choice = choice;
	choice = (struct pcl_choice){0};
	return 0;
}

/* --- explaining ------------------------------------------------------------------------------
 */

static void print_counts(const struct pcl_candidate *candidate, FILE *out)
{
	bool any = false;

	for (enum pcl_status s = PCL_STATUS_EXACT; (int)s < PCL_STATUS_COUNT; s++) {
		size_t count = pcl_choice_count(candidate, s);

		if (!count)
			continue;
		(void)fprintf(out, "%s%zu %s", any ? ", " : "", count, pcl_status_name(s));
		any = true;
	}
	if (!any)
		(void)fputs("no rules", out);
}

/* Of the others that can be used, each with what it is compared by. */
static void print_rivals(const struct pcl_choice *choice, FILE *out)
{
	const struct pcl_candidate *chosen = &choice->candidates[choice->chosen];
	bool any = false;

	for (size_t i = 0; i < choice->count; i++) {
		const struct pcl_candidate *rival = &choice->candidates[i];

		if (rival == chosen || rival->lacks)
			continue;
		(void)fprintf(out, "%s%s %s (", any ? ", and " : "",
			      compare(chosen, rival) < 0 ? "better than"
							 : "as good as, and cheaper than,",
			      rival->backend->name);
		print_counts(rival, out);
		(void)fputc(')', out);
		any = true;
	}
	if (!any)
		(void)fputs("no other can be used here", out);
}

char *pcl_choice_why(const struct pcl_choice *choice)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	if (choice->chosen < choice->count) {
		print_counts(&choice->candidates[choice->chosen], out);
		(void)fputs("; ", out);
		print_rivals(choice, out);
	} else {
		(void)fputs("none can be used here", out);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

size_t pcl_choice_better(const struct pcl_choice *choice, enum pcl_class class)
{
	size_t best = choice->chosen;

	if (choice->chosen == choice->count)
		return choice->count;
	for (size_t i = 0; i < choice->count; i++)
		if (!choice->candidates[i].lacks &&
		    compare_counts(choice->candidates[i].counts[class],
				   choice->candidates[best].counts[class]) < 0)
			best = i;
	return best == choice->chosen ? choice->count : best;
}
