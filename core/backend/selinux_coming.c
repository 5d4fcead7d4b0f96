/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pattern is told from a path by its wildcards, so what is literal in it, up to the last slash
 * before the first of them, is the directory to watch.
 */
#include "backend/selinux_coming.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

#define WILD "*?[{\\"

size_t pcl_selinux_await_len(const char *pattern)
{
	size_t len = strcspn(pattern, WILD);

	while (len && pattern[len - 1] != '/')
		len--;
	return len ? len - 1 : 0;
}

bool pcl_selinux_is_deep(const char *pattern)
{
	const char *rest = pattern + pcl_selinux_await_len(pattern);

	rest += *rest == '/';
	return strchr(rest, '/') || strstr(rest, "**");
}

/* The first entry that is not before path. */
static size_t find_entry(const struct pcl_selinux_view *view, const char *path)
{
	size_t from = 0, to = view->entry_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (strcmp(view->entries[middle].path, path) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool has_entry(const struct pcl_selinux_view *view, const char *path)
{
	size_t at = find_entry(view, path);

	return at < view->entry_count && !strcmp(view->entries[at].path, path);
}

static int add_await(struct pcl_selinux_record *record, const char *path)
{
	return record->await_count < PCL_SELINUX_AWAITS_MAX
		       ? pcl_strings_add(&record->awaits, &record->await_count, path)
		       : 0;
}

static int add_directories(const struct pcl_selinux_view *view, const char *path, bool deep,
			   struct pcl_selinux_record *record)
{
	pcl_autofree char *below = NULL;
	size_t len;
	int error = add_await(record, path);

	if (error || !deep)
		return error;
	if (asprintf(&below, "%s/", strcmp(path, "/") ? path : "") < 0) {
		below = NULL;
		return -ENOMEM;
	}
	len = strlen(below);
	for (size_t i = find_entry(view, below);
	     !error && i < view->entry_count && !strncmp(view->entries[i].path, below, len); i++)
		if (view->entries[i].kind == 'd' && view->entries[i].path[len])
			error = add_await(record, view->entries[i].path);
	return error;
}

static int add_pattern(const struct pcl_selinux_view *view, const char *pattern,
		       struct pcl_selinux_record *record)
{
	size_t len = pcl_selinux_await_len(pattern);
	pcl_autofree char *path = len ? strndup(pattern, len) : strdup("/");
	int error = path ? pcl_selinux_record_add_coming(record, pattern, true) : -ENOMEM;

	if (error)
		return error;
	if (len && !has_entry(view, path))
		return pcl_selinux_record_add_coming(record, path, false);
	return add_directories(view, path, pcl_selinux_is_deep(pattern), record);
}

struct adding {
	const struct pcl_selinux_view *view;
	struct pcl_selinux_record *record;
};

static int add_place(void *context, const char *path)
{
	const struct adding *adding = context;

	return has_entry(adding->view, path)
		       ? 0
		       : pcl_selinux_record_add_coming(adding->record, path, false);
}

static int add_rule(const struct pcl_backend_domain *domain, const struct pcl_rule *rule,
		    struct adding *adding)
{
	if (rule->class != PCL_CLASS_PROCESS && rule->class != PCL_CLASS_FILE)
		return 0;
	switch (rule->match) {
	case PCL_MATCH_PATH:
	case PCL_MATCH_DIR:
	case PCL_MATCH_DIR_RECURSIVE:
		return pcl_aliases_each(domain->aliases, rule->object, add_place, adding);
	case PCL_MATCH_PATTERN:
		return add_pattern(adding->view, rule->object, adding->record);
	default:
		return 0;
	}
}

int pcl_selinux_find_comings(const struct pcl_backend_input *input,
			     const struct pcl_selinux_view *view, struct pcl_selinux_record *record)
{
	struct adding adding = {view, record};
	int error = 0;

	for (size_t i = 0; i < input->domain_count; i++) {
		const struct pcl_backend_domain *domain = &input->domains[i];

		for (size_t r = 0; !domain->id && !error && r < domain->ruleset->rule_count; r++)
			error = add_rule(domain, domain->ruleset->rules[r], &adding);
	}
	return error;
}
