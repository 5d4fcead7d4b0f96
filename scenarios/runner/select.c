/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing cases, targets, contenders; see select.h. */
#include "select.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "image.h"
#include "paths.h"

int gnt_stock_load_cases(struct gnt_stock *stock, const char *cases_dir, struct pcl_diag *diag)
{
	pcl_autofree char *dir = NULL;
	int error = 0;

	if (cases_dir)
		return gnt_cases_load(cases_dir, &stock->cases, &stock->case_count, diag);
	error = gnt_path_below_root(GNT_CASES_BELOW_ROOT, &dir, diag);
	if (error)
		return error;
	return gnt_cases_load(dir, &stock->cases, &stock->case_count, diag);
}

int gnt_stock_load_targets(struct gnt_stock *stock, struct pcl_diag *diag)
{
	pcl_autofree char *dir = NULL, *images = NULL;
	int error = gnt_path_below_root(GNT_TARGETS_BELOW_ROOT, &dir, diag);

	if (error)
		return error;
	error = gnt_targets_load(dir, &stock->targets, &stock->target_count, diag);
	if (!error)
		error = gnt_images_dir(&images, diag);
	if (!error)
		error = gnt_images_add_targets(images, &stock->targets, &stock->target_count, diag);
	return error;
}

void gnt_stock_fini(struct gnt_stock *stock)
{
	gnt_cases_free(&stock->cases, stock->case_count);
	gnt_targets_free(&stock->targets, stock->target_count);
}

/* The id of item i of whatever is chosen from. */
typedef const char *(*id_of_fn)(const void *items, size_t i);

static const char *case_id(const void *items, size_t i)
{
	return ((struct gnt_case *const *)items)[i]->id;
}

static const char *target_id(const void *items, size_t i)
{
	return ((struct gnt_target *const *)items)[i]->id;
}

/* Whether a word on the command line means item i. */
typedef bool (*means_fn)(const char *word, const void *items, size_t i);

static const char *contender_id(const void *items, size_t i)
{
	return ((const struct gnt_contender *)items)[i].id;
}

static bool means_case(const char *word, const void *items, size_t i)
{
	const char *id = case_id(items, i);
	size_t len = strlen(word);

	if (strcmp(word, id) == 0)
		return true;
	if (len && word[len - 1] == '/')
		len--;
	return len && strncmp(word, id, len) == 0 && id[len] == '/' && !strchr(word, '.');
}

static bool means_target(const char *word, const void *items, size_t i)
{
	const struct gnt_target *target = ((struct gnt_target *const *)items)[i];

	/* An image may not be at hand and boots slowly: it is asked for by name. */
	if (target->image)
		return strcmp(word, target->id) == 0;
	return strcmp(word, "all") == 0 || fnmatch(word, target->id, 0) == 0 ||
	       (target->alias && fnmatch(word, target->alias, 0) == 0);
}

static bool means_contender(const char *word, const void *items, size_t i)
{
	return strcmp(word, contender_id(items, i)) == 0;
}

static int refuse(const char *what, const char *word, const void *items, size_t count,
		  id_of_fn id_of, struct pcl_diag *diag)
{
	pcl_autofree const char **ids = calloc(count + 1, sizeof(*ids));
	pcl_autofree char *hint = NULL;

	for (size_t i = 0; ids && i < count; i++)
		ids[i] = id_of(items, i);
	hint = ids ? gnt_cli_hint(word, ids, count) : NULL;
	return pcl_diag_set(diag, -EINVAL, "no %s \"%s\"%s (gauntlet list %ss)", what, word,
			    hint ? hint : "", what);
}

/* Marks in chosen (count flags) what words name. */
static int mark(const char *what, const struct gnt_words *words, const void *items, size_t count,
		id_of_fn id_of, means_fn means, bool *chosen, struct pcl_diag *diag)
{
	for (size_t w = 0; w < words->count; w++) {
		bool found = false;

		for (size_t i = 0; i < count; i++) {
			if (!means(words->items[w], items, i))
				continue;
			chosen[i] = true;
			found = true;
		}
		if (!found)
			return refuse(what, words->items[w], items, count, id_of, diag);
	}
	return 0;
}

int gnt_select_cases(const struct gnt_stock *stock, const struct gnt_words *words,
		     const struct gnt_case ***ret_cases, size_t *ret_count, struct pcl_diag *diag)
{
	pcl_autofree bool *chosen = calloc(stock->case_count + 1, sizeof(bool));
	pcl_autofree const struct gnt_case **cases =
		calloc(stock->case_count + 1, sizeof(struct gnt_case *));
	size_t count = 0;
	int error;

	if (!chosen || !cases)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	error = mark("case", words, stock->cases, stock->case_count, case_id, means_case, chosen,
		     diag);
	if (error)
		return error;
	for (size_t i = 0; i < stock->case_count; i++)
		if (chosen[i] || !words->count)
			cases[count++] = stock->cases[i];
	*ret_cases = pcl_take_ptr(cases);
	*ret_count = count;
	return 0;
}

int gnt_select_targets(const struct gnt_stock *stock, const struct gnt_words *words,
		       const struct gnt_target ***ret_targets, size_t *ret_count,
		       struct pcl_diag *diag)
{
	pcl_autofree bool *chosen = calloc(stock->target_count + 1, sizeof(bool));
	pcl_autofree const struct gnt_target **targets =
		calloc(stock->target_count + 1, sizeof(struct gnt_target *));
	size_t count = 0;
	int error;

	if (!chosen || !targets)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	error = mark("target", words, stock->targets, stock->target_count, target_id, means_target,
		     chosen, diag);
	if (error)
		return error;
	for (size_t i = 0; i < stock->target_count; i++)
		if (chosen[i] || (!words->count && stock->targets[i]->usual))
			targets[count++] = stock->targets[i];
	*ret_targets = pcl_take_ptr(targets);
	*ret_count = count;
	return 0;
}

int gnt_select_contenders(const struct gnt_words *words, const struct gnt_contender ***ret,
			  size_t *ret_count, struct pcl_diag *diag)
{
	static const char *const usual[] = {GNT_CONTENDER_NONE, "portcullis"};
	static const struct gnt_words usual_words = {(const char **)usual, PCL_ARRAY_SIZE(usual)};
	pcl_autofree bool *chosen = calloc(gnt_contender_count + 1, sizeof(bool));
	pcl_autofree const struct gnt_contender **contenders =
		calloc(gnt_contender_count + 1, sizeof(struct gnt_contender *));
	size_t count = 0;
	int error;

	if (!chosen || !contenders)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	error = mark("contender", words->count ? words : &usual_words, gnt_contenders,
		     gnt_contender_count, contender_id, means_contender, chosen, diag);
	if (error)
		return error;
	for (size_t i = 0; i < gnt_contender_count; i++)
		if (chosen[i])
			contenders[count++] = &gnt_contenders[i];
	*ret = pcl_take_ptr(contenders);
	*ret_count = count;
	return 0;
}
