/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies in: files and directories, documents and lists of them, and the set that they join.
 *
 * Guarantee: all or nothing per call, and nothing that a policy says is dropped: a word becomes
 * part of the model or a problem with FILE:LINE:COLUMN. It must not look at the system beyond the
 * files it is given.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "policy/reader.h"

#define API_VERSION "security.kubearmor.com/v1"
#define API_GROUP "security.kubearmor.com/"
#define NETWORK_POLICY "KubeArmorNetworkPolicy"

/* The kinds that are read, in their enum's order. */
static const char *const kind_words[] = {"KubeArmorPolicy", "KubeArmorHostPolicy",
					 "KubeArmorClusterPolicy", NULL};

/* A kind that is not ours: skipped with a notice, unless it hides or resembles a policy. */
static int read_foreign_kind(struct pcl_reader *reader, const struct pcl_yaml_node *node,
			     const char *kind, const char *api)
{
	const char *near = pcl_nearest_word(kind, kind_words);

	if (!strcmp(kind, NETWORK_POLICY))
		return pcl_yaml_error(reader->file, node, reader->diag, -EOPNOTSUPP,
				      "a " NETWORK_POLICY " configures a firewall, which no "
				      "security module enforces; leave it to one, or write %s with "
				      "spec.network",
				      kind_words[0]);
	if (near)
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "unknown kind \"%.60s\"; did you mean \"%s\"?", kind, near);
	if (!strncmp(api, API_GROUP, strlen(API_GROUP)))
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "unknown kind \"%.60s\" of %s; it must be %s, %s or %s", kind,
				      api, kind_words[0], kind_words[1], kind_words[2]);
	return pcl_reader_notice(reader, node, "skipped: %.60s is no KubeArmor policy", kind);
}

static int read_document(struct pcl_reader *reader, const struct pcl_yaml_node *document,
			 bool in_list);

/* What "kubectl get -o yaml" prints. A list in a list is none of that. */
static int read_list(struct pcl_reader *reader, const struct pcl_yaml_node *document)
{
	const struct pcl_yaml_node *items = pcl_reader_get(document, "items");
	int error;

	if (!items)
		return 0;
	error = pcl_reader_list(reader, items, "items", "kind: KubeArmorPolicy");
	for (size_t i = 0; !error && i < items->count; i++)
		error = pcl_reader_catch(reader, read_document(reader, items->items[i], true));
	return error;
}

/* "KubeArmorPolicyList" and its like. */
static bool is_policy_list(const char *kind)
{
	for (int k = 0; k < PCL_KIND_COUNT; k++) {
		const char *name = pcl_kind_name((enum pcl_kind)k);

		if (!strncmp(kind, name, strlen(name)) && !strcmp(kind + strlen(name), "List"))
			return true;
	}
	return false;
}

static int read_document(struct pcl_reader *reader, const struct pcl_yaml_node *document,
			 bool in_list)
{
	const struct pcl_yaml_node *kind_node, *api_node;
	const char *kind, *api = "";
	int error;

	if (document->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(reader->file, document, reader->diag, -EINVAL,
				      "a policy must be a mapping; begin it with apiVersion, kind, "
				      "metadata and spec");
	kind_node = pcl_reader_get(document, "kind");
	if (!kind_node)
		return pcl_yaml_error(reader->file, document, reader->diag, -EINVAL,
				      "the document has no kind; add kind: %s or kind: %s",
				      kind_words[0], kind_words[1]);
	error = pcl_yaml_string(reader->file, kind_node, &kind, reader->diag);
	if (error)
		return error;
	api_node = pcl_reader_get(document, "apiVersion");
	if (api_node) {
		error = pcl_yaml_string(reader->file, api_node, &api, reader->diag);
		if (error)
			return error;
	}
	for (int k = 0; k < PCL_KIND_COUNT; k++) {
		if (strcmp(kind, pcl_kind_name((enum pcl_kind)k)))
			continue;
		error = 0;
		if (strcmp(api, API_VERSION) != 0)
			error = pcl_yaml_error(reader->file, api_node ? api_node : document,
					       reader->diag, -EINVAL,
					       "the apiVersion of a %s is wrong or missing; it "
					       "must be %s",
					       kind, API_VERSION);
		error = pcl_reader_catch(reader, error);
		if (error)
			return error;
		return pcl_reader_policy(reader, (enum pcl_kind)k, document);
	}
	if (!in_list && (!strcmp(kind, "List") || is_policy_list(kind)))
		return read_list(reader, document);
	return read_foreign_kind(reader, kind_node, kind, api);
}

static int read_documents(struct pcl_policy_set *set, const struct pcl_yaml_file *file,
			  struct pcl_diag *diag, struct pcl_problems *problems)
{
	struct pcl_reader reader = {file, set, diag, problems, false};
	size_t known = problems->count;
	int error = 0;

	for (size_t i = 0; !error && i < file->document_count; i++)
		error = pcl_reader_catch(&reader,
					 read_document(&reader, file->documents[i], false));
	pcl_problems_sort(problems, known);
	return error;
}

/* A policy and its place in the order of reading, to sort by name and still tell which was first.
 */
struct named {
	const struct pcl_policy *policy;
	size_t index;
};

static int compare_identity(const struct pcl_policy *a, const struct pcl_policy *b)
{
	int order;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	order = strcmp(a->ns ? a->ns : "", b->ns ? b->ns : "");
	return order ? order : strcmp(a->name, b->name);
}

static int compare_named(const void *a, const void *b)
{
	const struct named *left = a, *right = b;
	int order = compare_identity(left->policy, right->policy);

	if (order)
		return order;
	return left->index < right->index ? -1 : 1;
}

static int check_names(const struct pcl_policy_set *old, const struct pcl_policy_set *added,
		       struct pcl_diag *diag)
{
	size_t count = old->policy_count + added->policy_count;
	pcl_autofree struct named *all = calloc(count + 1, sizeof(*all));

	if (!all)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		all[i].policy = i < old->policy_count ? old->policies[i]
						      : added->policies[i - old->policy_count];
		all[i].index = i;
	}
	qsort(all, count, sizeof(*all), compare_named);
	for (size_t i = 1; i < count; i++) {
		const struct pcl_policy *first = all[i - 1].policy, *second = all[i].policy;

		if (compare_identity(first, second))
			continue;
		(void)pcl_diag_set(diag, -EEXIST,
				   "%s:%u:%u: a second %s with the name \"%s%s%s\", first in "
				   "%s:%u; rename or remove one",
				   second->file, second->place.line, second->place.column,
				   pcl_kind_name(second->kind), second->ns ? second->ns : "",
				   second->ns ? "/" : "", second->name, first->file,
				   first->place.line);
		pcl_diag_set_place(diag, second->file, second->place.line, second->place.column,
				   second->name);
		return -EEXIST;
	}
	return 0;
}

/* Moves all of added into set, or nothing on error. */
static int merge(struct pcl_policy_set *set, struct pcl_policy_set *added, struct pcl_diag *diag)
{
	size_t policy_count = set->policy_count, notice_count = set->notice_count;
	int error;

	error = check_names(set, added, diag);
	if (error)
		return error;
	for (size_t i = 0; !error && i < added->policy_count; i++)
		error = pcl_array_grow(&set->policies, policy_count + i, sizeof(*set->policies));
	for (size_t i = 0; !error && i < added->notice_count; i++)
		error = pcl_array_grow(&set->notices, notice_count + i, sizeof(*set->notices));
	if (error)
		return pcl_diag_set(diag, error, "out of memory");
	for (size_t i = 0; i < added->policy_count; i++)
		set->policies[set->policy_count++] = added->policies[i];
	for (size_t i = 0; i < added->notice_count; i++)
		set->notices[set->notice_count++] = added->notices[i];
	added->policy_count = 0;
	added->notice_count = 0;
	return 0;
}

/* A mistake in the YAML itself ends its file, and only that. */
static int read_file(struct pcl_policy_set *added, const char *path, struct pcl_diag *diag,
		     struct pcl_problems *problems)
{
	pcl_cleanup(pcl_yaml_free) struct pcl_yaml_file *file = NULL;
	int error = pcl_yaml_load(path, &file, diag);

	if (error && error != -ENOMEM)
		return pcl_problems_add(problems, diag) ? -ENOMEM : 0;
	return error ? error : read_documents(added, file, diag, problems);
}

static int is_policy_file(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"));
}

/* Bytes, not the locale's order: the same order of notices on every machine. */
static int compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_directory(struct pcl_policy_set *added, const char *path, struct pcl_diag *diag,
			  struct pcl_problems *problems)
{
	struct dirent **entries = NULL;
	int count, error = 0;

	count = scandir(path, &entries, is_policy_file, compare_entries);
	if (count < 0)
		return pcl_diag_errno(diag, -errno, "%s: cannot read the directory", path);
	if (!count)
		error = pcl_diag_set(
			diag, -ENOENT,
			"%s: no *.yaml or *.yml file in the directory; folders below it "
			"are not looked into, so name them",
			path);
	for (int i = 0; i < count; i++) {
		pcl_autofree char *file = NULL;

		if (!error &&
		    asprintf(&file, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/",
			     entries[i]->d_name) < 0) {
			file = NULL;
			error = pcl_diag_set(diag, -ENOMEM, "%s: out of memory", path);
		}
		if (!error)
			error = read_file(added, file, diag, problems);
		free(entries[i]);
	}
	free(entries);
	return error;
}

/* Moves added into set where nothing is wrong with it; keeps what is wrong. */
static int finish(struct pcl_policy_set *set, struct pcl_policy_set *added, int error,
		  struct pcl_diag *diag, struct pcl_problems *problems, size_t known)
{
	if (!error && problems->count + problems->left_out == known)
		error = merge(set, added, diag);
	if (error && pcl_problems_add(problems, diag))
		return -ENOMEM;
	if (problems->count > known)
		return problems->items[known].error;
	return problems->count + problems->left_out > known ? -EINVAL : error;
}

int pcl_policy_set_read_all(struct pcl_policy_set *set, const char *path,
			    struct pcl_problems *problems)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *added = NULL;
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	size_t known = problems->count + problems->left_out;
	struct stat st;
	int error;

	error = pcl_policy_set_new(&added);
	if (error)
		error = pcl_diag_set(&diag, error, "%s: out of memory", path);
	else if (!strcmp(path, "-") || stat(path, &st) || !S_ISDIR(st.st_mode))
		error = read_file(added, path, &diag, problems);
	else
		error = read_directory(added, path, &diag, problems);
	return finish(set, added, error, &diag, problems, known);
}

/* The first of the problems as an explanation. */
static int explain_first(const struct pcl_problems *problems, int error, struct pcl_diag *diag)
{
	const struct pcl_problem *first = problems->items;
	pcl_autofree char *text = NULL;

	if (!problems->count)
		return error ? pcl_diag_set(diag, error, "out of memory") : 0;
	text = pcl_problem_text(first);
	(void)pcl_diag_set(diag, first->error, "%s", text ? text : first->what);
	if (first->file)
		pcl_diag_set_place(diag, first->file, first->place.line, first->place.column,
				   first->text);
	return first->error;
}

int pcl_policy_set_read(struct pcl_policy_set *set, const char *path, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_problems_fini) struct pcl_problems problems = {0};
	int error = pcl_policy_set_read_all(set, path, &problems);

	return explain_first(&problems, error, diag);
}

int pcl_policy_set_read_memory(struct pcl_policy_set *set, const char *name, const char *data,
			       size_t data_len, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *added = NULL;
	pcl_cleanup(pcl_problems_fini) struct pcl_problems problems = {0};
	pcl_cleanup(pcl_yaml_free) struct pcl_yaml_file *file = NULL;
	struct pcl_diag own pcl_cleanup(pcl_diag_fini) = {0};
	int error;

	error = pcl_policy_set_new(&added);
	if (error)
		return pcl_diag_set(diag, error, "%s: out of memory", name);
	error = pcl_yaml_load_memory(name, data, data_len, &file, &own);
	if (!error)
		error = read_documents(added, file, &own, &problems);
	error = finish(set, added, error, &own, &problems, 0);
	return explain_first(&problems, error, diag);
}
