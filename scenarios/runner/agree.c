/* SPDX-License-Identifier: Apache-2.0 */
#include "agree.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "text.h"

#define WORD_MAX 16
#define RULES_MAX 64
#define FIELDS 3

/* In the order of a line. */
static const char *const field_names[FIELDS] = {"errno", "refused by", "told of by"};
static const char field_letters[FIELDS] = {'e', 'r', 't'};

struct run {
	char *backend, *target;
};

/* One operation, as one run did it. */
struct record {
	unsigned long long seed;
	unsigned long index;
	unsigned set_hash, hash;
	size_t run;
	char word[WORD_MAX];
	char fields[FIELDS][RULES_MAX];
	char named[FIELDS + 1];
};

struct gnt_agree {
	struct run *runs;
	size_t run_count;
	struct record *records;
	size_t record_count;
};

static int no_memory(struct pcl_diag *diag)
{
	return pcl_diag_set(diag, -ENOMEM, "no memory");
}

int gnt_agree_new(struct gnt_agree **ret_agree, struct pcl_diag *diag)
{
	*ret_agree = calloc(1, sizeof(**ret_agree));
	return *ret_agree ? 0 : no_memory(diag);
}

void gnt_agree_free(struct gnt_agree **agree)
{
	if (!*agree)
		return;
	for (size_t i = 0; i < (*agree)->run_count; i++) {
		free((*agree)->runs[i].backend);
		free((*agree)->runs[i].target);
	}
	free((*agree)->runs);
	free((*agree)->records);
	free(*agree);
	*agree = NULL;
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* The set that the lines behind are about. */
struct heading {
	unsigned long long seed;
	unsigned hash;
	bool known;
};

static int read_operation(struct gnt_agree *agree, const struct heading *heading, const char *line,
			  int len, struct pcl_diag *diag)
{
	struct record *record;
	int end = 0;

	if (pcl_array_grow(&agree->records, agree->record_count, sizeof(*agree->records)))
		return no_memory(diag);
	record = &agree->records[agree->record_count];
	*record = (struct record){.seed = heading->seed,
				  .set_hash = heading->hash,
				  .run = agree->run_count - 1};
	if (!heading->known ||
	    sscanf(line, "%lu %x %15s %63s %63s %63s %3s%n", &record->index, &record->hash,
		   record->word, record->fields[0], record->fields[1], record->fields[2],
		   record->named, &end) != 7 ||
	    end != len)
		return pcl_diag_set(diag, -EINVAL, "\"%.*s\" says nothing of an operation", len,
				    line);
	agree->record_count++;
	return 0;
}

static int add_run(struct gnt_agree *agree, const char *backend, const char *target,
		   struct pcl_diag *diag)
{
	struct run *run;

	if (pcl_array_grow(&agree->runs, agree->run_count, sizeof(*agree->runs)))
		return no_memory(diag);
	run = &agree->runs[agree->run_count++];
	*run = (struct run){strdup(backend), strdup(target)};
	return run->backend && run->target ? 0 : no_memory(diag);
}

int gnt_agree_add(struct gnt_agree *agree, const char *backend, const char *target,
		  const char *text, struct pcl_diag *diag)
{
	struct heading heading = {0};
	int error = add_run(agree, backend, target, diag);

	while (!error && *text) {
		size_t len = strcspn(text, "\n");

		if (isdigit((unsigned char)*text))
			error = read_operation(agree, &heading, text, (int)len, diag);
		else if (sscanf(text, "set %llu %x", &heading.seed, &heading.hash) == 2)
			heading.known = true;
		text += len + (text[len] == '\n');
	}
	return error;
}

/* --- comparing ---------------------------------------------------------------------------------
 */

static int by_operation(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->seed != y->seed)
		return x->seed < y->seed ? -1 : 1;
	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return x->run < y->run ? -1 : x->run > y->run;
}

static struct gnt_agree_backend *backend_of(const struct gnt_agree *agree,
					    struct gnt_agreement *agreement,
					    const struct record *record)
{
	size_t i = 0;

	while (strcmp(agreement->backends[i].name, agree->runs[record->run].backend) != 0)
		i++;
	return &agreement->backends[i];
}

static int list_backends(const struct gnt_agree *agree, struct gnt_agreement *agreement,
			 struct pcl_diag *diag)
{
	for (size_t r = 0; r < agree->run_count; r++) {
		size_t i = 0;

		while (i < agreement->backend_count &&
		       strcmp(agreement->backends[i].name, agree->runs[r].backend) != 0)
			i++;
		if (i < agreement->backend_count)
			continue;
		if (pcl_array_grow(&agreement->backends, i, sizeof(*agreement->backends)))
			return no_memory(diag);
		agreement->backends[i] =
			(struct gnt_agree_backend){.name = strdup(agree->runs[r].backend)};
		agreement->backend_count++;
		if (!agreement->backends[i].name)
			return no_memory(diag);
	}
	return 0;
}

static int note_named(struct gnt_agree_backend *backend, const char *word, struct pcl_diag *diag)
{
	size_t i = 0;

	while (i < backend->named_count && strcmp(backend->named[i].word, word) != 0)
		i++;
	if (i == backend->named_count) {
		if (pcl_array_grow(&backend->named, i, sizeof(*backend->named)))
			return no_memory(diag);
		backend->named[i] = (struct gnt_agree_named){.word = strdup(word)};
		backend->named_count++;
		if (!backend->named[i].word)
			return no_memory(diag);
	}
	backend->named[i].pairs++;
	return 0;
}

/* What of the two nobody names; NULL: they are alike, but for what was expected to be otherwise of
 * *ret_a, *ret_b, or both. */
static const char *differs(const struct record *a, const struct record *b, bool *ret_a, bool *ret_b)
{
	*ret_a = *ret_b = false;
	if (a->set_hash != b->set_hash || a->hash != b->hash)
		return "what was done";
	for (size_t i = 0; i < FIELDS; i++) {
		bool of_a = strchr(a->named, field_letters[i]) != NULL;
		bool of_b = strchr(b->named, field_letters[i]) != NULL;

		if (!strcmp(a->fields[i], b->fields[i]))
			continue;
		if (!of_a && !of_b)
			return field_names[i];
		*ret_a |= of_a;
		*ret_b |= of_b;
	}
	return NULL;
}

static int tell(const struct gnt_agree *agree, struct gnt_agreement *agreement,
		const struct record *a, const struct record *b, const char *what,
		struct pcl_diag *diag)
{
	const struct record *both[] = {a, b};
	struct gnt_agree_difference *last =
		agreement->told_count ? &agreement->told[agreement->told_count - 1] : NULL;

	agreement->differences++;
	if (agreement->told_count == GNT_AGREE_TOLD ||
	    (last && last->seed == a->seed && last->index == a->index))
		return 0;
	last = &agreement->told[agreement->told_count++];
	last->seed = a->seed;
	last->index = a->index;
	last->text = gnt_text_new("seed %llu, operation %lu (%s): %s differs", a->seed, a->index,
				  a->word, what);
	for (size_t i = 0; i < 2; i++)
		if (!last->text ||
		    gnt_text_add(&last->text, "%s on %s: errno %s, refused by %s, told of by %s",
				 agree->runs[both[i]->run].backend,
				 agree->runs[both[i]->run].target, both[i]->fields[0],
				 both[i]->fields[1], both[i]->fields[2]))
			return no_memory(diag);
	return 0;
}

static int compare_two(const struct gnt_agree *agree, struct gnt_agreement *agreement,
		       const struct record *a, const struct record *b, struct pcl_diag *diag)
{
	bool named_a, named_b;
	const char *what = differs(a, b, &named_a, &named_b);
	int error = 0;

	agreement->pairs++;
	if (what)
		return tell(agree, agreement, a, b, what, diag);
	if (named_a)
		error = note_named(backend_of(agree, agreement, a), a->word, diag);
	if (!error && named_b)
		error = note_named(backend_of(agree, agreement, b), b->word, diag);
	agreement->alike += !named_a && !named_b;
	return error;
}

/* One operation, and all that did it. */
static int compare_all(const struct gnt_agree *agree, struct gnt_agreement *agreement,
		       const struct record *records, size_t count, struct pcl_diag *diag)
{
	size_t kinds = 0;
	int error = 0;

	for (size_t i = 0; !error && i < count; i++) {
		bool again = false;

		for (size_t j = 0; !error && j < i; j++) {
			again |= backend_of(agree, agreement, &records[j]) ==
				 backend_of(agree, agreement, &records[i]);
			error = compare_two(agree, agreement, &records[j], &records[i], diag);
		}
		kinds += !again;
	}
	if (kinds < 2)
		return error;
	agreement->operations++;
	agreement->by_three += kinds == 3;
	for (size_t b = 0; b < agreement->backend_count; b++)
		for (size_t i = 0; i < count; i++)
			if (backend_of(agree, agreement, &records[i]) == &agreement->backends[b]) {
				agreement->backends[b].compared++;
				break;
			}
	return error;
}

int gnt_agree_compare(struct gnt_agree *agree, struct gnt_agreement *ret_agreement,
		      struct pcl_diag *diag)
{
	struct gnt_agreement agreement pcl_cleanup(gnt_agreement_fini) = {0};
	const struct record *records = agree->records;
	int error = list_backends(agree, &agreement, diag);

	if (agree->record_count)
		qsort(agree->records, agree->record_count, sizeof(*agree->records), by_operation);
	for (size_t i = 0, end; !error && i < agree->record_count; i = end) {
		for (end = i + 1; end < agree->record_count; end++)
			if (records[end].seed != records[i].seed ||
			    records[end].index != records[i].index)
				break;
		error = compare_all(agree, &agreement, &records[i], end - i, diag);
	}
	if (error)
		return error;
	*ret_agreement = agreement;
	agreement = (struct gnt_agreement){0};
	return 0;
}

void gnt_agreement_fini(struct gnt_agreement *agreement)
{
	for (size_t b = 0; b < agreement->backend_count; b++) {
		struct gnt_agree_backend *backend = &agreement->backends[b];

		for (size_t i = 0; i < backend->named_count; i++)
			free(backend->named[i].word);
		free(backend->named);
		free(backend->name);
	}
	free(agreement->backends);
	for (size_t i = 0; i < agreement->told_count; i++)
		free(agreement->told[i].text);
	*agreement = (struct gnt_agreement){0};
}
