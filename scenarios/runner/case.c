/* SPDX-License-Identifier: Apache-2.0 */
/* A case's life, and the folder of all cases; reading one file is in case_read.c. */
#include "case.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "contender.h"
#include "text.h"

#define CASE_SUFFIX ".yaml"

static void free_words(char **words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(words[i]);
	free(words);
}

static void free_program(struct gnt_program *program)
{
	free_words(program->argv, program->argc);
	free(program->agent_op);
}

static void free_lists(struct gnt_case *c)
{
	for (size_t i = 0; i < c->setup_count; i++) {
		free(c->setup[i].path);
		free(c->setup[i].to);
		free(c->setup[i].text);
		free_words(c->setup[i].argv, c->setup[i].argc);
	}
	free(c->setup);
	for (size_t i = 0; i < c->policy_count; i++)
		free(c->policies[i].value);
	free(c->policies);
	for (size_t i = 0; i < c->canary_count; i++)
		free(c->canaries[i].value);
	free(c->canaries);
	for (size_t i = 0; i < c->verdict_count; i++)
		free(c->verdicts[i].contender);
	free(c->verdicts);
}

void gnt_case_free(struct gnt_case **test_case)
{
	struct gnt_case *c = *test_case;

	if (!c)
		return;
	*test_case = NULL;
	free_lists(c);
	free_program(&c->attack);
	free_program(&c->twin);
	free_words(c->mitre_aliases, c->mitre_alias_count);
	free_words(c->requires_lsm, c->requires_lsm_count);
	free_words(c->requires_modules, c->requires_module_count);
	free(c->requires_kernel);
	free(c->posture);
	free_words(c->cleanup, c->cleanup_count);
	free(c->container.name);
	free(c->container.ns);
	free(c->container.labels);
	free(c->container.root);
	free(c->id);
	free(c->dir);
	free(c->title);
	free(c->class);
	free(c->source);
	free(c->mitre_id);
	free(c->mitre_version);
	free(c->expect_rule);
	free(c);
}

void gnt_cases_free(struct gnt_case ***cases, size_t count)
{
	if (!*cases)
		return;
	for (size_t i = 0; i < count; i++)
		gnt_case_free(&(*cases)[i]);
	free(*cases);
	*cases = NULL;
}

struct case_list {
	struct gnt_case **items;
	size_t count;
};

static void free_case_list(struct case_list *list)
{
	gnt_cases_free(&list->items, list->count);
}

static int compare_cases(const void *a, const void *b)
{
	return strcmp((*(struct gnt_case *const *)a)->id, (*(struct gnt_case *const *)b)->id);
}

static int add_case(struct case_list *list, const char *path, const char *id, struct pcl_diag *diag)
{
	struct gnt_case **grown =
		reallocarray(list->items, list->count + 1, sizeof(struct gnt_case *));
	int error;

	if (!grown)
		return pcl_diag_set(diag, -ENOMEM, "no memory for the list of cases");
	list->items = grown;
	error = gnt_case_load(path, id, &list->items[list->count], diag);
	if (error == 0)
		list->count++;
	return error;
}

/* The name's length without the suffix, 0 when it is no case file. */
static size_t stem_len(const char *name)
{
	size_t len = strlen(name), suffix_len = strlen(CASE_SUFFIX);

	if (name[0] == '.' || len <= suffix_len ||
	    strcmp(name + len - suffix_len, CASE_SUFFIX) != 0)
		return 0;
	/* NAME.policy.yaml lies beside its case and is no case. */
	if (memchr(name, '.', len - suffix_len))
		return 0;
	return len - suffix_len;
}

static int load_area(struct case_list *list, const char *dir, const char *area,
		     struct pcl_diag *diag)
{
	pcl_autofree char *area_dir = gnt_text_new("%s/%s", dir, area);
	pcl_autoclosedir DIR *open_dir = area_dir ? opendir(area_dir) : NULL;
	struct dirent *entry;

	if (!open_dir)
		return errno == ENOTDIR
			       ? 0
			       : pcl_diag_errno(diag, -errno, "cannot read %s/%s", dir, area);
	while ((entry = readdir(open_dir)) != NULL) {
		size_t len = stem_len(entry->d_name);
		pcl_autofree char *path = NULL, *id = NULL;
		int error;

		if (!len)
			continue;
		path = gnt_text_new("%s/%s", area_dir, entry->d_name);
		id = gnt_text_new("%s/%.*s", area, (int)len, entry->d_name);
		if (!path || !id)
			return pcl_diag_set(diag, -ENOMEM, "no memory for the list of cases");
		error = add_case(list, path, id, diag);
		if (error)
			return error;
	}
	return 0;
}

int gnt_cases_load(const char *dir, struct gnt_case ***ret_cases, size_t *ret_count,
		   struct pcl_diag *diag)
{
	struct case_list list pcl_cleanup(free_case_list) = {0};
	pcl_autoclosedir DIR *open_dir = opendir(dir);
	struct dirent *entry;

	if (!open_dir)
		return pcl_diag_errno(diag, -errno, "cannot read the folder of cases %s", dir);
	while ((entry = readdir(open_dir)) != NULL) {
		int error;

		if (entry->d_name[0] == '.' || entry->d_type == DT_REG)
			continue;
		error = load_area(&list, dir, entry->d_name, diag);
		if (error)
			return error;
	}
	if (list.count)
		qsort(list.items, list.count, sizeof(list.items[0]), compare_cases);
	*ret_count = list.count;
	*ret_cases = pcl_take_ptr(list.items);
	list.count = 0;
	return 0;
}

bool gnt_case_needs_corpus(const struct gnt_case *test_case)
{
	for (size_t i = 0; i < test_case->policy_count; i++)
		if (test_case->policies[i].from == GNT_POLICY_CORPUS)
			return true;
	return false;
}

enum gnt_verdict gnt_case_expected(const struct gnt_case *test_case, const char *contender)
{
	const struct gnt_case_verdict *by_family = NULL;
	size_t family_len = strcspn(contender, "/");

	for (size_t i = 0; i < test_case->verdict_count; i++) {
		const struct gnt_case_verdict *entry = &test_case->verdicts[i];

		if (strcmp(entry->contender, contender) == 0)
			return entry->verdict;
		if (strlen(entry->contender) == family_len &&
		    strncmp(entry->contender, contender, family_len) == 0)
			by_family = entry;
	}
	if (by_family)
		return by_family->verdict;
	return strcmp(contender, GNT_CONTENDER_NONE) == 0 ? GNT_VERDICT_MISSED
							  : GNT_VERDICT_INLINE_DENY;
}
