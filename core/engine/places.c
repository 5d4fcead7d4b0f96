/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds places. What is found holds at this moment; the next apply looks again.
 */
#include "engine/places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "node/hard_links.h"
#include "node/mounts.h"
#include "policy/decide.h"

/* Looking through a file system for a file's other names may take long: apply says when it was cut.
 */
#define HARD_LINKS_TIMEOUT_MS 3000
/* A policy set of thousands of rules has thousands of places; the first ones tell. */
#define NOTES_MAX 64

struct finder {
	const struct pcl_ruleset *ruleset;
	int root_fd;
	struct pcl_aliases *aliases;
	struct pcl_mounts mounts;
	char ***notes;
	size_t *note_count;
};

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_path(const struct pcl_rule *rule)
{
	return rule->match == PCL_MATCH_PATH || rule->match == PCL_MATCH_DIR ||
	       rule->match == PCL_MATCH_DIR_RECURSIVE;
}

/* A preset of directories, which its rule does not name. */
static size_t dirs_of(const struct pcl_rule *rule)
{
	return rule->match == PCL_MATCH_PRESET && rule->number == PCL_PRESET_FILELESS_EXEC
		       ? PCL_MEMORY_DIR_COUNT
		       : 0;
}

static int note(struct finder *finder, const char *name, const char *place, const char *why)
{
	pcl_autofree char *text = NULL;

	if (*finder->note_count >= NOTES_MAX)
		return 0;
	if (asprintf(&text, "%s also means %s: %s", name, place, why) < 0)
		return -ENOMEM;
	return pcl_strings_add(finder->notes, finder->note_count, text);
}

static int add(struct finder *finder, const char *name, const char *place, const char *why)
{
	const struct pcl_alias *alias = pcl_aliases_find(finder->aliases, name);
	size_t before = alias ? alias->more_count : 0;

	if (pcl_aliases_add_more(finder->aliases, name, place))
		return -ENOMEM;
	alias = pcl_aliases_find(finder->aliases, name);
	return alias && alias->more_count > before ? note(finder, name, place, why) : 0;
}

/* The name of what lies at place, as the kernel names it, if that is another one. */
static int add_named(struct finder *finder, const char *name, const char *place)
{
	pcl_autofree char *named = NULL;
	int error = pcl_mounts_name(&finder->mounts, place, &named);

	if (error == -ENOMEM)
		return error;
	return error || !strcmp(named, place)
		       ? 0
		       : add(finder, name, named, "it is a later mount of it");
}

/* What lies on mounts below a recursive directory. */
static int add_mounted_below(struct finder *finder, const char *dir)
{
	int error = 0;

	for (size_t i = 0; i < finder->mounts.count && !error; i++) {
		const char *point = finder->mounts.items[i].point;

		if (pcl_path_is_in(point, dir))
			error = add_named(finder, dir, point);
	}
	return error;
}

/* An alias may move when another is added, so the places are copied first. */
static int add_mounted(struct finder *finder, const char *name, bool recursive)
{
	const struct pcl_alias *alias = pcl_aliases_find(finder->aliases, name);
	char *places[3] = {strdup(name)};
	size_t count = 1;
	int error = 0;

	for (size_t i = 0; alias && i < alias->target_count; i++)
		places[count++] = strdup(alias->targets[i]);
	for (size_t i = 0; i < count; i++) {
		if (!error)
			error = places[i] ? add_named(finder, name, places[i]) : -ENOMEM;
		free(places[i]);
	}
	return !error && recursive ? add_mounted_below(finder, name) : error;
}

static int add_linked(const struct pcl_linked *linked, const char *path, void *context)
{
	struct finder *finder = context;
	pcl_autofree char *named = NULL;
	int error = pcl_mounts_name(&finder->mounts, path, &named);

	if (error == -ENOMEM)
		return error;
	return add(finder, linked->path, error ? path : named, "a hard link to it");
}

static int find_hard_links(struct finder *finder)
{
	pcl_autofree struct pcl_linked *items =
		calloc(finder->ruleset->rule_count + 1, sizeof(*items));
	bool complete = true;
	size_t count = 0;
	int error;

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < finder->ruleset->rule_count; i++)
		if (finder->ruleset->rules[i]->match == PCL_MATCH_PATH &&
		    pcl_hard_linked(finder->root_fd, finder->ruleset->rules[i]->object,
				    &items[count]))
			count++;
	if (!count)
		return 0;
	error = pcl_hard_links_find(finder->root_fd, items, count, HARD_LINKS_TIMEOUT_MS,
				    add_linked, finder, &complete);
	for (size_t i = 0; i < count && !error && !complete; i++)
		if (items[i].found < items[i].links)
			error = note(finder, items[i].path, "names that were not found",
				     "the search for its hard links was cut short");
	return error;
}

static int collect(const struct pcl_ruleset *ruleset, const char ***ret_paths, size_t *ret_count)
{
	size_t count = 0;
	const char **paths;

	for (size_t i = 0; i < ruleset->rule_count; i++)
		count += 1 + ruleset->rules[i]->source_count + ruleset->rules[i]->source_dir_count +
			 dirs_of(ruleset->rules[i]);
	paths = calloc(count + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	count = 0;
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		if (has_path(ruleset->rules[i]))
			paths[count++] = ruleset->rules[i]->object;
		for (size_t s = 0; s < ruleset->rules[i]->source_count; s++)
			paths[count++] = ruleset->rules[i]->sources[s];
		for (size_t s = 0; s < ruleset->rules[i]->source_dir_count; s++)
			paths[count++] = ruleset->rules[i]->source_dirs[s].path;
		for (size_t d = 0; d < dirs_of(ruleset->rules[i]); d++)
			paths[count++] = pcl_memory_dirs[d];
	}
	qsort((void *)paths, count, sizeof(*paths), compare_texts);
	*ret_paths = paths;
	*ret_count = count;
	return 0;
}

static int add_all_mounted(struct finder *finder, const char *const *paths, size_t count)
{
	const struct pcl_ruleset *ruleset = finder->ruleset;
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		if (!i || strcmp(paths[i], paths[i - 1]))
			error = add_mounted(finder, paths[i], false);
	for (size_t i = 0; i < ruleset->rule_count && !error; i++) {
		const struct pcl_rule *rule = ruleset->rules[i];

		if (rule->match == PCL_MATCH_DIR_RECURSIVE)
			error = add_mounted(finder, rule->object, true);
		for (size_t s = 0; s < rule->source_dir_count && !error; s++)
			if (rule->source_dirs[s].recursive)
				error = add_mounted(finder, rule->source_dirs[s].path, true);
		for (size_t d = 0; d < dirs_of(rule) && !error; d++)
			error = add_mounted(finder, pcl_memory_dirs[d], true);
	}
	return error;
}

int pcl_places_find(const struct pcl_ruleset *ruleset, int root_fd, int pid,
		    struct pcl_aliases *aliases, char ***notes, size_t *note_count,
		    struct pcl_diag *diag)
{
	struct finder finder = {ruleset, root_fd, aliases, {0}, notes, note_count};
	const char **paths = NULL;
	char mountinfo[64];
	size_t count = 0;
	int error = collect(ruleset, &paths, &count);

	for (size_t i = 0; i < count && !error; i++)
		error = pcl_aliases_add(aliases, root_fd, paths[i], diag);
	snprintf(mountinfo, sizeof(mountinfo), "/proc/%d/mountinfo", pid);
	if (!error && !pcl_mounts_read(mountinfo, &finder.mounts, NULL))
		error = add_all_mounted(&finder, paths, count);
	if (!error)
		error = find_hard_links(&finder);
	pcl_mounts_fini(&finder.mounts);
	free((void *)paths);
	return error ? pcl_diag_set(diag, error, "out of memory") : 0;
}
