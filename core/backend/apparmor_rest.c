/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree of path components. What a directory does not list is what lies behind any other name than
 * those of its children; "any other name" is told letter by letter, as a name that leaves all of
 * them at one place: "[^bs]*" and "b[^i]*" and "b" are all but names beginning with "bi" and "s".
 */
#include "backend/apparmor_rest.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/apparmor_text.h"
#include "base/array.h"
#include "base/cleanup.h"

/* Some ten to a hundred paths' worth, and a tenth of a second of the parser's time. */
#define GLOBS_MAX 500

struct node {
	char *name;		/* of one component; NULL: the root */
	struct node **children; /* sorted by name */
	size_t child_count;
	bool self;	   /* itself is listed */
	bool children_too; /* so is what lies directly in it */
	bool all;	   /* and everything below */
};

struct pcl_apparmor_rest {
	struct node root;
};

/* Where globs go, and what stands before the one at hand. */
struct printer {
	void (*print)(void *context, const char *glob); /* NULL: they are counted only */
	void *context;
	const char *path; /* of the directory at hand, without a slash at its end */
	size_t count;	  /* of alternatives */
	int error;
};

static void node_fini(struct node *node)
{
	for (size_t i = 0; i < node->child_count; i++) {
		node_fini(node->children[i]);
		free(node->children[i]);
	}
	free((void *)node->children);
	free(node->name);
}

struct pcl_apparmor_rest *pcl_apparmor_rest_new(void)
{
	return calloc(1, sizeof(struct pcl_apparmor_rest));
}

void pcl_apparmor_rest_free(struct pcl_apparmor_rest **rest)
{
	if (*rest)
		node_fini(&(*rest)->root);
	free(*rest);
	*rest = NULL;
}

/* The child of that name, which is made where there is none; NULL without memory. */
static struct node *get_child(struct node *node, const char *name, size_t len)
{
	struct node *child;
	size_t at = node->child_count;
	int order = 1;

	while (at && (order = strncmp(node->children[at - 1]->name, name, len)) >= 0) {
		if (!order && !node->children[at - 1]->name[len])
			return node->children[at - 1];
		at--;
	}
	child = calloc(1, sizeof(*child));
	if (child)
		child->name = strndup(name, len);
	if (!child || !child->name ||
	    pcl_array_grow(&node->children, node->child_count, sizeof(struct node *))) {
		if (child)
			node_fini(child);
		free(child);
		return NULL;
	}
	memmove((void *)&node->children[at + 1], (void *)&node->children[at],
		(node->child_count - at) * sizeof(struct node *));
	node->children[at] = child;
	node->child_count++;
	return child;
}

int pcl_apparmor_rest_add(struct pcl_apparmor_rest *rest, const char *path, enum pcl_match match)
{
	struct node *node = &rest->root;

	while (*(path += strspn(path, "/"))) {
		size_t len = strcspn(path, "/");

		node = get_child(node, path, len);
		if (!node)
			return -ENOMEM;
		path += len;
	}
	node->self = true;
	node->children_too |= match == PCL_MATCH_DIR;
	node->all |= match == PCL_MATCH_DIR_RECURSIVE;
	return 0;
}

/* --- globs --------------------------------------------------------------------------------------
 */

/* What does not stand for itself in a set is left out of it: then more is told of. */
static bool is_plain(char letter)
{
	return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
	       (letter >= '0' && letter <= '9') || letter == '.' || letter == '_';
}

/* A name that begins with prefix and goes on as wildcards say. */
static void put_name(FILE *out, const char *prefix, size_t prefix_len, const char *wildcards,
		     size_t *count)
{
	char text[PATH_MAX];

	(void)snprintf(text, sizeof(text), "%.*s", (int)prefix_len, prefix);
	if ((*count)++)
		(void)fputc(',', out);
	pcl_apparmor_put_path(text, out);
	(void)fputs(wildcards, out);
}

/*
 * Names that begin as children [low, high) do, which share len letters, and are none of them. The
 * children are sorted, so those that go on by one letter stand together.
 */
static void put_others(FILE *out, const struct node *directory, size_t low, size_t high, size_t len,
		       size_t *count)
{
	const char *name = low < high ? directory->children[low]->name : "";
	char set[300] = "[^/";
	size_t used = strlen(set);

	if (len && !name[len])
		low++; /* this one is the prefix itself */
	else if (len)
		put_name(out, name, len, "", count);
	for (size_t i = low, next; i < high; i = next) {
		char letter = directory->children[i]->name[len];

		next = i;
		while (next < high && directory->children[next]->name[len] == letter)
			next++;
		if (is_plain(letter))
			set[used++] = letter;
		put_others(out, directory, i, next, len + 1, count);
	}
	(void)snprintf(set + used, sizeof(set) - used, "]*");
	put_name(out, name, len, low < high ? set : "?*", count);
}

static void print_glob(struct printer *printer, const char *glob)
{
	if (printer->print)
		printer->print(printer->context, glob);
}

/* Of what lies in the directory, all but its children; of those, only the names are listed. */
static void print_others(struct printer *printer, const struct node *directory)
{
	pcl_autofree char *glob = NULL;
	size_t len = 0, count = 0;
	FILE *out = open_memstream(&glob, &len);

	if (out) {
		pcl_apparmor_put_path(printer->path, out);
		(void)fputs(directory->child_count ? "/{" : "/", out);
		put_others(out, directory, 0, directory->child_count, 0, &count);
		(void)fprintf(out, "%s%s", directory->child_count ? "}" : "",
			      directory->children_too ? "/**" : "{,/**}");
	}
	if (!out || fclose(out) != 0)
		printer->error = -ENOMEM;
	else
		print_glob(printer, glob);
	printer->count += count;
}

/* The directory, or file, itself. */
static void print_self(struct printer *printer, const struct node *node)
{
	pcl_autofree char *glob = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&glob, &len);

	if (out) {
		pcl_apparmor_put_path(printer->path, out);
		(void)fputs(node->name ? "{,/}" : "/", out);
	}
	if (!out || fclose(out) != 0)
		printer->error = -ENOMEM;
	else
		print_glob(printer, glob);
	printer->count++;
}

static void put_rest(struct printer *printer, const struct node *node, bool listed)
{
	const char *path = printer->path;

	if (node->all)
		return;
	if (!listed && !node->self)
		print_self(printer, node);
	print_others(printer, node);
	for (size_t i = 0; i < node->child_count && printer->count <= GLOBS_MAX; i++) {
		pcl_autofree char *below = NULL;

		if (asprintf(&below, "%s/%s", path, node->children[i]->name) < 0) {
			printer->error = -ENOMEM;
			break;
		}
		printer->path = below;
		put_rest(printer, node->children[i], node->children_too);
		printer->path = path;
	}
}

int pcl_apparmor_rest_print(const struct pcl_apparmor_rest *rest,
			    void (*print)(void *context, const char *glob), void *context)
{
	struct printer counter = {.path = ""};
	struct printer printer = {.print = print, .context = context, .path = ""};

	put_rest(&counter, &rest->root, false);
	if (counter.error || counter.count > GLOBS_MAX)
		return counter.error ? counter.error : -E2BIG;
	put_rest(&printer, &rest->root, false);
	return printer.error;
}
