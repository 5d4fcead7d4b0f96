/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolves links in user space, component by component below a root that may be a container's.
 * The result is what holds at this moment; a link that is changed later is noticed by the next
 * apply, not before.
 */
#include "node/links.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"

/* As many as the kernel follows (MAXSYMLINKS). */
#define LINKS_MAX 40

struct resolution {
	int root_fd;
	char done[PATH_MAX];  /* absolute and free of links; "" is the root */
	char rest[PATH_MAX];  /* still to be walked */
	char named[PATH_MAX]; /* done, when it had the last component of the name itself */
	bool has_named;
	int links;
};

static int prepend_rest(struct resolution *walk, const char *link)
{
	char joined[PATH_MAX];
	size_t link_len = strlen(link), rest_len = strlen(walk->rest);

	if (link_len + 1 + rest_len >= sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(joined, link, link_len);
	joined[link_len] = '/';
	memcpy(joined + link_len + 1, walk->rest, rest_len + 1);
	memcpy(walk->rest, joined, link_len + 1 + rest_len + 1);
	return 0;
}

/* Takes the next component off rest. 1, 0 when there is none, -ENAMETOOLONG. */
static int next_component(struct resolution *walk, char component[NAME_MAX + 1])
{
	size_t skip = strspn(walk->rest, "/");
	size_t len = strcspn(walk->rest + skip, "/");

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(component, walk->rest + skip, len);
	component[len] = '\0';
	memmove(walk->rest, walk->rest + skip + len, strlen(walk->rest + skip + len) + 1);
	return len > 0;
}

static int append_done(struct resolution *walk, const char *component)
{
	size_t len = strlen(walk->done), more = strlen(component);

	if (len + 1 + more >= sizeof(walk->done))
		return -ENAMETOOLONG;
	walk->done[len] = '/';
	memcpy(walk->done + len + 1, component, more + 1);
	return 0;
}

static void drop_last(struct resolution *walk)
{
	char *slash = strrchr(walk->done, '/');

	if (slash)
		*slash = '\0';
}

/* If done is a link, replaces it by what it points to. 1 followed, 0 no link, or negative errno. */
static int follow(struct resolution *walk)
{
	char link[PATH_MAX];
	int error;
	ssize_t len = readlinkat(walk->root_fd, walk->done + 1, link, sizeof(link) - 1);

	if (len < 0)
		return 0;
	link[len] = '\0';
	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	drop_last(walk);
	if (link[0] == '/')
		walk->done[0] = '\0';
	error = prepend_rest(walk, link);
	return error ? error : 1;
}

static int take_step(struct resolution *walk, const char *component)
{
	if (!strcmp(component, "."))
		return 0;
	if (!strcmp(component, "..")) {
		drop_last(walk);
		return 0;
	}
	return append_done(walk, component);
}

/*
 * Follows name to its end, walk->done. walk->named is name with every link above its last component
 * resolved. -ELOOP or -ENAMETOOLONG where the kernel would not come to the end either; done is then
 * no place that name means.
 */
static int resolve(struct resolution *walk, const char *name)
{
	char component[NAME_MAX + 1];
	int more;

	if (strlen(name) >= sizeof(walk->rest))
		return -ENAMETOOLONG;
	strcpy(walk->rest, name);
	while ((more = next_component(walk, component)) > 0) {
		int error = take_step(walk, component);

		if (error)
			return error;
		if (!walk->has_named && !walk->rest[strspn(walk->rest, "/")]) {
			strcpy(walk->named, walk->done);
			walk->has_named = true;
		}
		if (!walk->done[0])
			continue;
		error = follow(walk);
		if (error < 0)
			return error;
	}
	return more;
}

static int add_target(struct pcl_alias *alias, const char *target)
{
	const char *path = *target ? target : "/";

	if (!strcmp(path, alias->name))
		return 0;
	if (alias->target_count && !strcmp(path, alias->targets[0]))
		return 0;
	alias->targets[alias->target_count] = strdup(path);
	if (!alias->targets[alias->target_count])
		return -ENOMEM;
	alias->target_count++;
	return 0;
}

static void alias_fini(struct pcl_alias *alias)
{
	free(alias->name);
	for (size_t i = 0; i < alias->target_count; i++)
		free(alias->targets[i]);
	pcl_strings_free(&alias->more, &alias->more_count);
}

int pcl_aliases_add(struct pcl_aliases *aliases, int root_fd, const char *name,
		    struct pcl_diag *diag)
{
	struct resolution walk = {.root_fd = root_fd};
	struct pcl_alias alias = {0};
	bool reached;
	int error = 0;

	if (aliases->count && !strcmp(aliases->items[aliases->count - 1].name, name))
		return 0;
	/* A loop is no error: who may make links in a container must not keep policies from being
	 * applied. Nothing can be opened by such a name, so the name alone is what there is. */
	reached = !resolve(&walk, name);
	alias.name = strdup(name);
	if (!alias.name)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	if (walk.has_named)
		error = add_target(&alias, walk.named);
	if (!error && reached)
		error = add_target(&alias, walk.done);
	if (!error && alias.target_count)
		error = pcl_array_grow(&aliases->items, aliases->count, sizeof(alias));
	if (error || !alias.target_count) {
		alias_fini(&alias);
		return error ? pcl_diag_set(diag, error, "out of memory") : 0;
	}
	aliases->items[aliases->count++] = alias;
	return 0;
}

void pcl_aliases_fini(struct pcl_aliases *aliases)
{
	for (size_t i = 0; i < aliases->count; i++)
		alias_fini(&aliases->items[i]);
	free(aliases->items);
	aliases->items = NULL;
	aliases->count = 0;
}

static int compare_alias(const void *name, const void *alias)
{
	return strcmp(name, ((const struct pcl_alias *)alias)->name);
}

const struct pcl_alias *pcl_aliases_find(const struct pcl_aliases *aliases, const char *name)
{
	if (!aliases || !aliases->count)
		return NULL;
	return bsearch(name, aliases->items, aliases->count, sizeof(*aliases->items),
		       compare_alias);
}

int pcl_aliases_each(const struct pcl_aliases *aliases, const char *name,
		     int (*add)(void *context, const char *name), void *context)
{
	const struct pcl_alias *alias = pcl_aliases_find(aliases, name);
	int error = add(context, name);

	for (size_t i = 0; alias && !error && i < alias->target_count; i++)
		error = add(context, alias->targets[i]);
	for (size_t i = 0; alias && !error && i < alias->more_count; i++)
		error = add(context, alias->more[i]);
	return error;
}

static int insert(struct pcl_aliases *aliases, const char *name, struct pcl_alias **ret_alias)
{
	size_t at = 0;
	char *copy = strdup(name);

	if (!copy || pcl_array_grow(&aliases->items, aliases->count, sizeof(*aliases->items))) {
		free(copy);
		return -ENOMEM;
	}
	while (at < aliases->count && strcmp(aliases->items[at].name, name) < 0)
		at++;
	memmove(&aliases->items[at + 1], &aliases->items[at],
		(aliases->count - at) * sizeof(*aliases->items));
	aliases->items[at] = (struct pcl_alias){.name = copy};
	aliases->count++;
	*ret_alias = &aliases->items[at];
	return 0;
}

int pcl_aliases_add_more(struct pcl_aliases *aliases, const char *name, const char *place)
{
	struct pcl_alias *alias = (struct pcl_alias *)pcl_aliases_find(aliases, name);

	if (!strcmp(name, place))
		return 0;
	if (!alias && insert(aliases, name, &alias))
		return -ENOMEM;
	for (size_t i = 0; i < alias->target_count; i++)
		if (!strcmp(alias->targets[i], place))
			return 0;
	for (size_t i = 0; i < alias->more_count; i++)
		if (!strcmp(alias->more[i], place))
			return 0;
	return pcl_strings_add(&alias->more, &alias->more_count, place);
}
