/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies in: files and directories, documents, metadata, spec and selectors.
 *
 * Guarantee: all or nothing per call, and nothing that a policy says is dropped: a word is
 * enforced, refused as not enforced by this version, or refused as unknown, each with
 * FILE:LINE:COLUMN. It must not look at the system beyond the files it is given.
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
#define DEFAULT_NAMESPACE "default"
/* Kubernetes' limits for object names and namespaces. */
#define NAME_LEN_MAX 253
#define NAMESPACE_LEN_MAX 63

static const char *const document_words[] = {"apiVersion", "kind",   "metadata",
					     "spec",	   "status", NULL};
static const struct pcl_words document_known = {document_words, 5};

/* What Kubernetes itself writes there has no meaning for enforcement. */
static const char *const metadata_words[] = {"name",
					     "namespace",
					     "labels",
					     "annotations",
					     "uid",
					     "generation",
					     "resourceVersion",
					     "creationTimestamp",
					     "deletionTimestamp",
					     "ownerReferences",
					     "finalizers",
					     "managedFields",
					     "selfLink",
					     "generateName",
					     "clusterName",
					     NULL};
static const struct pcl_words metadata_known = {metadata_words, 15};

#define SPEC_WORDS "process", "file", "severity", "tags", "message", "action"
#define SPEC_FOREIGN_WORDS "network", "capabilities", "syscalls", "apparmor"

static const char *const container_words[] = {"selector", SPEC_WORDS, SPEC_FOREIGN_WORDS, "presets",
					      NULL};
static const char *const host_words[] = {"nodeSelector", SPEC_WORDS, SPEC_FOREIGN_WORDS, "device",
					 NULL};
static const struct pcl_words spec_known[PCL_KIND_COUNT] = {
	[PCL_KIND_CONTAINER] = {container_words, 7},
	[PCL_KIND_HOST] = {host_words, 7},
};

static const char *const selector_words[] = {"matchLabels", "matchExpressions", NULL};
static const struct pcl_words selector_known = {selector_words, 1};

/* The language's kinds; the first PCL_KIND_COUNT are enforced and stand in their enum's order. */
static const char *const kind_words[] = {"KubeArmorPolicy", "KubeArmorHostPolicy",
					 "KubeArmorClusterPolicy", "KubeArmorNetworkPolicy", NULL};

int pcl_reader_no_memory(struct pcl_reader *reader)
{
	return pcl_diag_set(reader->diag, -ENOMEM, "%s: out of memory", reader->file->name);
}

int pcl_reader_notice(struct pcl_reader *reader, const struct pcl_yaml_node *node,
		      const char *format, ...)
{
	pcl_autofree char *text = NULL, *line = NULL;
	struct pcl_policy_set *set = reader->set;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0) {
		text = NULL;
		return -ENOMEM;
	}
	if (asprintf(&line, "%s:%u:%u: %s", reader->file->name, node->place.line,
		     node->place.column, text) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	pcl_text_one_line(line);
	return pcl_strings_add(&set->notices, &set->notice_count, line);
}

static bool says_nothing(const struct pcl_yaml_node *node)
{
	if (node->type != PCL_YAML_SCALAR)
		return !node->count;
	return !node->quoted &&
	       (!node->text_len || !strcmp(node->text, "~") || !strcasecmp(node->text, "null"));
}

const struct pcl_yaml_node *pcl_reader_get(const struct pcl_yaml_node *mapping, const char *key)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(mapping, key);

	return node && node->type == PCL_YAML_SCALAR && says_nothing(node) ? NULL : node;
}

int pcl_reader_check_words(struct pcl_reader *reader, const struct pcl_yaml_node *mapping,
			   const struct pcl_words *words, const char *context)
{
	int error;

	error = pcl_yaml_only_keys(reader->file, mapping, words->words, context, reader->diag);
	if (error)
		return error;
	for (size_t i = 0; i < mapping->count; i++) {
		const struct pcl_yaml_node *key = mapping->keys[i], *value = mapping->items[i];
		size_t word = 0;

		while (strcmp(words->words[word], key->text))
			word++;
		if (word < words->enforced_count || says_nothing(value))
			continue;
		if (!strcmp(key->text, "ownerOnly") && value->type == PCL_YAML_SCALAR &&
		    !strcasecmp(value->text, "false"))
			continue;
		return pcl_yaml_error(reader->file, key, reader->diag, -EOPNOTSUPP,
				      "\"%s\" in %s is not enforced by this version; remove it",
				      key->text, context);
	}
	return 0;
}

/* Names travel in rule ids ("NAMESPACE/NAME#..."), so they must not hold their separators. */
static int check_name(struct pcl_reader *reader, const struct pcl_yaml_node *node, const char *what,
		      size_t len_max)
{
	static const char *const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789-._";

	if (node->text_len > len_max)
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "%s is longer than %zu characters", what, len_max);
	if (!node->text_len || node->text[strspn(node->text, letters)])
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "%s \"%s\" must consist of letters, digits, \"-\", \".\" and "
				      "\"_\"",
				      what, node->text);
	return 0;
}

static int read_name(struct pcl_reader *reader, const struct pcl_yaml_node *node, const char *what,
		     size_t len_max, char **ret_name)
{
	const char *text;
	char *copy;
	int error;

	error = pcl_yaml_string(reader->file, node, &text, reader->diag);
	if (!error)
		error = check_name(reader, node, what, len_max);
	if (error)
		return error;
	copy = strdup(text);
	if (!copy)
		return pcl_reader_no_memory(reader);
	*ret_name = copy;
	return 0;
}

static int read_metadata(struct pcl_reader *reader, const struct pcl_yaml_node *document,
			 struct pcl_policy *policy)
{
	const struct pcl_yaml_node *metadata = pcl_reader_get(document, "metadata"), *node;
	int error;

	if (!metadata)
		return pcl_yaml_error(reader->file, document, reader->diag, -EINVAL,
				      "the policy has no metadata; add metadata.name");
	error = pcl_reader_check_words(reader, metadata, &metadata_known, "metadata");
	if (error)
		return error;
	node = pcl_reader_get(metadata, "name");
	if (!node)
		return pcl_yaml_error(reader->file, metadata, reader->diag, -EINVAL,
				      "the policy has no metadata.name; add one");
	error = read_name(reader, node, "the policy's name", NAME_LEN_MAX, &policy->name);
	if (error)
		return error;
	node = pcl_reader_get(metadata, "namespace");
	if (policy->kind == PCL_KIND_HOST) {
		if (node && pcl_reader_notice(reader, node,
					      "a host policy has no namespace; it is ignored"))
			return pcl_reader_no_memory(reader);
		return 0;
	}
	if (node)
		return read_name(reader, node, "the namespace", NAMESPACE_LEN_MAX, &policy->ns);
	policy->ns = strdup(DEFAULT_NAMESPACE);
	return policy->ns ? 0 : pcl_reader_no_memory(reader);
}

static int add_label(struct pcl_reader *reader, struct pcl_policy *policy, const char *key,
		     const char *value)
{
	struct pcl_label label;

	if (pcl_array_grow(&policy->selector, policy->selector_count, sizeof(*policy->selector)))
		return pcl_reader_no_memory(reader);
	label.key = strdup(key);
	label.value = strdup(value);
	if (!label.key || !label.value) {
		free(label.key);
		free(label.value);
		return pcl_reader_no_memory(reader);
	}
	policy->selector[policy->selector_count++] = label;
	return 0;
}

static int read_labels(struct pcl_reader *reader, const struct pcl_yaml_node *labels,
		       const char *context, struct pcl_policy *policy)
{
	if (labels->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(reader->file, labels, reader->diag, -EINVAL,
				      "%s.matchLabels must be a mapping of label to value",
				      context);
	for (size_t i = 0; i < labels->count; i++) {
		const char *value;
		int error;

		error = pcl_yaml_string(reader->file, labels->items[i], &value, reader->diag);
		if (!error)
			error = add_label(reader, policy, labels->keys[i]->text, value);
		if (error)
			return error;
	}
	return 0;
}

/* An empty selector of a host policy would silently mean every host, so it must say so. */
static int read_selector(struct pcl_reader *reader, const struct pcl_yaml_node *spec,
			 struct pcl_policy *policy)
{
	bool host = policy->kind == PCL_KIND_HOST;
	const char *key = host ? "nodeSelector" : "selector";
	const struct pcl_yaml_node *selector = pcl_reader_get(spec, key), *labels = NULL;
	int error;

	if (selector) {
		error = pcl_reader_check_words(reader, selector, &selector_known, key);
		if (error)
			return error;
		labels = pcl_reader_get(selector, "matchLabels");
	}
	if (labels) {
		error = read_labels(reader, labels, key, policy);
		if (error)
			return error;
	}
	if (policy->selector_count)
		return 0;
	if (host)
		return pcl_yaml_error(reader->file, selector ? selector : spec, reader->diag,
				      -EINVAL,
				      "nodeSelector.matchLabels is missing or empty; write "
				      "kubearmor.io/hostname: \"*\" for every host");
	if (pcl_reader_notice(reader, selector ? selector : spec,
			      "the selector is empty; the policy holds for every container of "
			      "namespace %s",
			      policy->ns))
		return pcl_reader_no_memory(reader);
	return 0;
}

static int read_spec(struct pcl_reader *reader, const struct pcl_yaml_node *document,
		     struct pcl_policy *policy)
{
	const struct pcl_yaml_node *spec = pcl_reader_get(document, "spec");
	struct pcl_attributes attributes = {0};
	int error;

	if (!spec)
		return pcl_yaml_error(reader->file, document, reader->diag, -EINVAL,
				      "the policy has no spec; add one");
	error = pcl_reader_check_words(reader, spec, &spec_known[policy->kind], "spec");
	if (!error)
		error = read_selector(reader, spec, policy);
	if (!error)
		error = pcl_reader_attributes(reader, spec, &attributes);
	for (int class = 0; !error && class <= PCL_CLASS_FILE; class ++) {
		const struct pcl_yaml_node *section =
			pcl_reader_get(spec, pcl_class_name((enum pcl_class) class));

		if (section)
			error = pcl_reader_section(reader, policy, (enum pcl_class) class, section,
						   &attributes);
	}
	if (!error && !policy->rule_count &&
	    pcl_reader_notice(reader, document, "policy \"%s\" has no rules; it does nothing",
			      policy->name))
		return pcl_reader_no_memory(reader);
	return error;
}

static int read_policy(struct pcl_reader *reader, enum pcl_kind kind,
		       const struct pcl_yaml_node *document)
{
	pcl_cleanup(pcl_policy_free) struct pcl_policy *policy = NULL;
	struct pcl_policy_set *set = reader->set;
	int error;

	error = pcl_reader_check_words(reader, document, &document_known, "the policy");
	if (error)
		return error;
	policy = calloc(1, sizeof(*policy));
	if (!policy)
		return pcl_reader_no_memory(reader);
	policy->kind = kind;
	policy->place = document->place;
	policy->file = strdup(reader->file->name);
	if (!policy->file)
		return pcl_reader_no_memory(reader);
	error = read_metadata(reader, document, policy);
	if (!error)
		error = read_spec(reader, document, policy);
	if (error)
		return error;
	if (pcl_array_grow(&set->policies, set->policy_count, sizeof(*set->policies)))
		return pcl_reader_no_memory(reader);
	set->policies[set->policy_count++] = pcl_take_ptr(policy);
	return 0;
}

/* A kind that is not ours: skipped with a notice, unless it hides or resembles a policy. */
static int read_foreign_kind(struct pcl_reader *reader, const struct pcl_yaml_node *node,
			     const char *kind, const char *api)
{
	const char *near = pcl_nearest_word(kind, kind_words);

	if (!strcmp(kind, kind_words[2]) || !strcmp(kind, kind_words[3]))
		return pcl_yaml_error(reader->file, node, reader->diag, -EOPNOTSUPP,
				      "%s is not enforced by this version; use %s or %s", kind,
				      kind_words[0], kind_words[1]);
	if (!strcmp(kind, "List"))
		return pcl_yaml_error(reader->file, node, reader->diag, -EOPNOTSUPP,
				      "a List of objects is not read by this version; write its "
				      "items as documents separated by \"---\"");
	if (near)
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "unknown kind \"%.60s\"; did you mean \"%s\"?", kind, near);
	if (!strncmp(api, API_GROUP, strlen(API_GROUP)))
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "unknown kind \"%.60s\" of %s; it must be %s or %s", kind,
				      api, kind_words[0], kind_words[1]);
	return pcl_reader_notice(reader, node, "skipped: %.60s is no KubeArmor policy", kind)
		       ? pcl_reader_no_memory(reader)
		       : 0;
}

static int read_document(struct pcl_reader *reader, const struct pcl_yaml_node *document)
{
	const struct pcl_yaml_node *kind_node, *api_node;
	const char *kind, *api = "";
	int error;

	if (document->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(reader->file, document, reader->diag, -EINVAL,
				      "a policy must be a mapping with apiVersion, kind, metadata "
				      "and spec");
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
	for (int k = 0; k <= PCL_KIND_HOST; k++) {
		if (strcmp(kind, pcl_kind_name((enum pcl_kind)k)))
			continue;
		if (strcmp(api, API_VERSION))
			return pcl_yaml_error(reader->file, api_node ? api_node : document,
					      reader->diag, -EINVAL,
					      "apiVersion of a %s must be %s", kind, API_VERSION);
		return read_policy(reader, (enum pcl_kind)k, document);
	}
	return read_foreign_kind(reader, kind_node, kind, api);
}

static int read_documents(struct pcl_policy_set *set, const struct pcl_yaml_file *file,
			  struct pcl_diag *diag)
{
	struct pcl_reader reader = {.file = file, .set = set, .diag = diag};
	int error = 0;

	for (size_t i = 0; !error && i < file->document_count; i++)
		error = read_document(&reader, file->documents[i]);
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
		return pcl_diag_set(diag, -EEXIST,
				    "%s:%u:%u: a second %s with the name \"%s%s%s\", first in "
				    "%s:%u; rename or remove one",
				    second->file, second->place.line, second->place.column,
				    pcl_kind_name(second->kind), second->ns ? second->ns : "",
				    second->ns ? "/" : "", second->name, first->file,
				    first->place.line);
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

static int read_file(struct pcl_policy_set *added, const char *path, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_yaml_free) struct pcl_yaml_file *file = NULL;
	int error;

	error = pcl_yaml_load(path, &file, diag);
	return error ? error : read_documents(added, file, diag);
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

static int read_directory(struct pcl_policy_set *added, const char *path, struct pcl_diag *diag)
{
	struct dirent **entries = NULL;
	int count, error = 0;

	count = scandir(path, &entries, is_policy_file, compare_entries);
	if (count < 0)
		return pcl_diag_errno(diag, -errno, "%s: cannot read the directory", path);
	if (!count)
		error = pcl_diag_set(diag, -ENOENT, "%s: no *.yaml or *.yml file in the directory",
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
			error = read_file(added, file, diag);
		free(entries[i]);
	}
	free(entries);
	return error;
}

int pcl_policy_set_read(struct pcl_policy_set *set, const char *path, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *added = NULL;
	struct stat st;
	int error;

	error = pcl_policy_set_new(&added);
	if (error)
		return pcl_diag_set(diag, error, "%s: out of memory", path);
	if (!strcmp(path, "-") || stat(path, &st) || !S_ISDIR(st.st_mode))
		error = read_file(added, path, diag);
	else
		error = read_directory(added, path, diag);
	return error ? error : merge(set, added, diag);
}

int pcl_policy_set_read_memory(struct pcl_policy_set *set, const char *name, const char *data,
			       size_t data_len, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *added = NULL;
	pcl_cleanup(pcl_yaml_free) struct pcl_yaml_file *file = NULL;
	int error;

	error = pcl_policy_set_new(&added);
	if (error)
		return pcl_diag_set(diag, error, "%s: out of memory", name);
	error = pcl_yaml_load_memory(name, data, data_len, &file, diag);
	if (!error)
		error = read_documents(added, file, diag);
	return error ? error : merge(set, added, diag);
}
