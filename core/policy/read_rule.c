/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules in: the sections process and file, their lists and entries, and inheritance.
 *
 * Guarantee: an entry becomes exactly one rule or the whole file set is refused; nothing that an
 * entry says is dropped. It must not decide precedence (resolve.c, decide.c do).
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "policy/path.h"
#include "policy/reader.h"

/* Longest "process.matchDirectories[N]", for messages and ids. */
#define CONTEXT_SIZE 64

#define ATTRIBUTE_WORDS "action", "severity", "tags", "message"
#define ATTRIBUTE_WORD_COUNT 4

/* One list of a section: how its entries name their object, and the words they may use. */
struct rule_list {
	const char *key;
	const char *object_key;
	bool directory;
	struct pcl_words words[PCL_CLASS_COUNT];
};

static const char *const process_path_words[] = {"path",	"fromSource", ATTRIBUTE_WORDS,
						 "execname",	"ownerOnly",  "pts",
						 "allowedArgs", NULL};
static const char *const process_dir_words[] = {"dir",	      "recursive",
						"fromSource", ATTRIBUTE_WORDS,
						"ownerOnly",  "pts",
						NULL};
static const char *const file_path_words[] = {"path",	   "fromSource",
					      "readOnly",  ATTRIBUTE_WORDS,
					      "ownerOnly", "pts",
					      NULL};
static const char *const file_dir_words[] = {"dir",	      "recursive", "fromSource", "readOnly",
					     ATTRIBUTE_WORDS, "ownerOnly", "pts",	 NULL};

static const struct rule_list rule_lists[] = {
	{.key = "matchPaths",
	 .object_key = "path",
	 .words = {[PCL_CLASS_PROCESS] = {process_path_words, 2 + ATTRIBUTE_WORD_COUNT},
		   [PCL_CLASS_FILE] = {file_path_words, 3 + ATTRIBUTE_WORD_COUNT}}},
	{.key = "matchDirectories",
	 .object_key = "dir",
	 .directory = true,
	 .words = {[PCL_CLASS_PROCESS] = {process_dir_words, 3 + ATTRIBUTE_WORD_COUNT},
		   [PCL_CLASS_FILE] = {file_dir_words, 4 + ATTRIBUTE_WORD_COUNT}}},
};

static const char *const section_words[] = {"matchPaths", "matchDirectories", ATTRIBUTE_WORDS,
					    "matchPatterns", NULL};
static const struct pcl_words section_known = {section_words, 2 + ATTRIBUTE_WORD_COUNT};

static const char *const source_words[] = {"path", NULL};
static const struct pcl_words source_known = {source_words, 1};

static int read_action(struct pcl_reader *reader, const struct pcl_yaml_node *node,
		       enum pcl_action *ret_action)
{
	const char *names[PCL_ACTION_COUNT + 1] = {NULL}, *text, *near;
	int error;

	error = pcl_yaml_string(reader->file, node, &text, reader->diag);
	if (error)
		return error;
	for (int action = 0; action < PCL_ACTION_COUNT; action++) {
		names[action] = pcl_action_name((enum pcl_action)action);
		if (!strcmp(text, names[action])) {
			*ret_action = (enum pcl_action)action;
			return 0;
		}
	}
	near = pcl_nearest_word(text, names);
	if (near)
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "unknown action \"%.40s\"; did you mean \"%s\"?", text, near);
	return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
			      "unknown action \"%.40s\"; it must be Allow, Audit or Block", text);
}

static int check_tags(struct pcl_reader *reader, const struct pcl_yaml_node *tags)
{
	if (tags->type != PCL_YAML_SEQUENCE)
		return pcl_yaml_error(reader->file, tags, reader->diag, -EINVAL,
				      "tags must be a list of texts");
	for (size_t i = 0; i < tags->count; i++) {
		const char *text;
		int error = pcl_yaml_string(reader->file, tags->items[i], &text, reader->diag);

		if (error)
			return error;
	}
	return 0;
}

int pcl_reader_attributes(struct pcl_reader *reader, const struct pcl_yaml_node *mapping,
			  struct pcl_attributes *attributes)
{
	const struct pcl_yaml_node *node;
	int error = 0;

	node = pcl_reader_get(mapping, "action");
	if (node) {
		error = read_action(reader, node, &attributes->action);
		if (error)
			return error;
		attributes->has_action = true;
	}
	node = pcl_reader_get(mapping, "severity");
	if (node) {
		int64_t severity = 0;

		error = pcl_yaml_int(reader->file, node, PCL_SEVERITY_MIN, PCL_SEVERITY_MAX,
				     &severity, reader->diag);
		if (error)
			return error;
		attributes->severity = (int)severity;
	}
	node = pcl_reader_get(mapping, "tags");
	if (node) {
		error = check_tags(reader, node);
		if (error)
			return error;
		if (node->count)
			attributes->tags = node;
	}
	node = pcl_reader_get(mapping, "message");
	if (node) {
		const char *message = NULL;

		error = pcl_yaml_string(reader->file, node, &message, reader->diag);
		if (error)
			return error;
		if (*message)
			attributes->message = message;
	}
	return 0;
}

/* A path as written to its one spelling; complains with the field's name. */
static int read_path(struct pcl_reader *reader, const struct pcl_yaml_node *node, const char *field,
		     bool directory, char **ret_path)
{
	pcl_autofree char *path = NULL;
	const char *text, *reason = NULL;
	bool slash_at_end;
	int error;

	error = pcl_yaml_string(reader->file, node, &text, reader->diag);
	if (error)
		return error;
	error = pcl_path_normalise(text, &path, &reason);
	if (error == -ENOMEM)
		return pcl_reader_no_memory(reader);
	if (error)
		return pcl_yaml_error(reader->file, node, reader->diag, error,
				      "%s \"%.80s\" cannot be used: %s", field, text, reason);
	slash_at_end = text[strlen(text) - 1] == '/';
	if (!directory && slash_at_end)
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "%s \"%.80s\" names a directory; remove the slash at its "
				      "end, or use matchDirectories",
				      field, text);
	if (directory && !slash_at_end)
		error = pcl_reader_notice(reader, node,
					  "dir \"%s\" has no slash at its end; read as \"%s/\"",
					  text, path);
	if (!error && (strstr(text, "//") || strstr(text, "/./")))
		error = pcl_reader_notice(reader, node, "%s \"%s\" is read as \"%s\"", field, text,
					  path);
	if (!error && strpbrk(text, "*?[{"))
		error = pcl_reader_notice(reader, node,
					  "%s \"%s\" is taken literally; *, ?, [ and { are no "
					  "wildcards here",
					  field, text);
	if (error)
		return pcl_reader_no_memory(reader);
	*ret_path = pcl_take_ptr(path);
	return 0;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_unique(char **strings, size_t *count)
{
	size_t kept = 0;

	if (!*count)
		return;
	qsort(strings, *count, sizeof(*strings), compare_strings);
	for (size_t i = 1; i < *count; i++) {
		if (strcmp(strings[kept], strings[i]))
			strings[++kept] = strings[i];
		else
			free(strings[i]);
	}
	*count = kept + 1;
}

static int read_sources(struct pcl_reader *reader, const struct pcl_yaml_node *node,
			struct pcl_rule *rule)
{
	int error;

	if (!node)
		return 0;
	if (node->type != PCL_YAML_SEQUENCE)
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "fromSource must be a list of \"- path: /...\"");
	if (!node->count)
		return pcl_reader_notice(reader, node,
					 "fromSource is empty; the rule holds for any source")
			       ? pcl_reader_no_memory(reader)
			       : 0;
	for (size_t i = 0; i < node->count; i++) {
		const struct pcl_yaml_node *entry = node->items[i], *path_node;
		pcl_autofree char *path = NULL;

		error = pcl_reader_check_words(reader, entry, &source_known, "fromSource");
		if (error)
			return error;
		path_node = pcl_reader_get(entry, "path");
		if (!path_node)
			return pcl_yaml_error(reader->file, entry, reader->diag, -EINVAL,
					      "an entry of fromSource has no path; add one");
		error = read_path(reader, path_node, "fromSource path", false, &path);
		if (error)
			return error;
		if (pcl_array_grow(&rule->sources, rule->source_count, sizeof(*rule->sources)))
			return pcl_reader_no_memory(reader);
		rule->sources[rule->source_count++] = pcl_take_ptr(path);
	}
	sort_unique(rule->sources, &rule->source_count);
	return 0;
}

static int read_flag(struct pcl_reader *reader, const struct pcl_yaml_node *entry, const char *key,
		     bool *ret_value)
{
	const struct pcl_yaml_node *node = pcl_reader_get(entry, key);

	*ret_value = false;
	if (!node)
		return 0;
	return pcl_yaml_bool(reader->file, node, ret_value, reader->diag);
}

static int copy_attributes(struct pcl_reader *reader, const struct pcl_attributes *attributes,
			   struct pcl_rule *rule)
{
	rule->action = attributes->has_action ? attributes->action : PCL_ACTION_BLOCK;
	rule->severity = attributes->severity;
	if (attributes->message) {
		rule->message = strdup(attributes->message);
		if (!rule->message)
			return pcl_reader_no_memory(reader);
	}
	for (size_t i = 0; attributes->tags && i < attributes->tags->count; i++)
		if (pcl_strings_add(&rule->tags, &rule->tag_count,
				    attributes->tags->items[i]->text))
			return pcl_reader_no_memory(reader);
	return 0;
}

static int set_id(struct pcl_reader *reader, const struct pcl_policy *policy, const char *context,
		  struct pcl_rule *rule)
{
	if (asprintf(&rule->id, "%s%s%s#%s", policy->ns ? policy->ns : "", policy->ns ? "/" : "",
		     policy->name, context) < 0) {
		rule->id = NULL;
		return pcl_reader_no_memory(reader);
	}
	return 0;
}

/* The matcher and its flags; words were checked before. */
static int read_object(struct pcl_reader *reader, const struct rule_list *list,
		       const struct pcl_yaml_node *entry, const char *context,
		       struct pcl_rule *rule)
{
	const struct pcl_yaml_node *node = pcl_reader_get(entry, list->object_key);
	bool recursive = false, read_only = false;
	int error;

	if (!node)
		return pcl_yaml_error(reader->file, entry, reader->diag, -EINVAL,
				      "%s has no %s; add one", context, list->object_key);
	error = read_path(reader, node, list->object_key, list->directory, &rule->object);
	if (!error)
		error = read_flag(reader, entry, "recursive", &recursive);
	if (!error)
		error = read_flag(reader, entry, "readOnly", &read_only);
	if (error)
		return error;
	rule->match = !list->directory ? PCL_MATCH_PATH
		      : recursive      ? PCL_MATCH_DIR_RECURSIVE
				       : PCL_MATCH_DIR;
	if (read_only)
		rule->flags |= PCL_RULE_READ_ONLY;
	return 0;
}

static int read_entry(struct pcl_reader *reader, struct pcl_policy *policy, enum pcl_class class,
		      const struct rule_list *list, const struct pcl_yaml_node *entry,
		      const char *context, const struct pcl_attributes *inherited)
{
	pcl_cleanup(pcl_rule_free) struct pcl_rule *rule = NULL;
	struct pcl_attributes attributes = *inherited;
	int error;

	error = pcl_reader_check_words(reader, entry, &list->words[class], context);
	if (!error)
		error = pcl_reader_attributes(reader, entry, &attributes);
	if (error)
		return error;
	rule = calloc(1, sizeof(*rule));
	if (!rule)
		return pcl_reader_no_memory(reader);
	rule->class = class;
	rule->place = entry->place;
	rule->policy = policy;
	error = read_object(reader, list, entry, context, rule);
	if (!error)
		error = read_sources(reader, pcl_reader_get(entry, "fromSource"), rule);
	if (!error)
		error = copy_attributes(reader, &attributes, rule);
	if (!error)
		error = set_id(reader, policy, context, rule);
	if (error)
		return error;
	if (pcl_array_grow(&policy->rules, policy->rule_count, sizeof(*policy->rules)))
		return pcl_reader_no_memory(reader);
	policy->rules[policy->rule_count++] = pcl_take_ptr(rule);
	return 0;
}

int pcl_reader_section(struct pcl_reader *reader, struct pcl_policy *policy, enum pcl_class class,
		       const struct pcl_yaml_node *section, const struct pcl_attributes *inherited)
{
	struct pcl_attributes attributes = *inherited;
	char context[CONTEXT_SIZE];
	int error;

	(void)snprintf(context, sizeof(context), "spec.%s", pcl_class_name(class));
	error = pcl_reader_check_words(reader, section, &section_known, context);
	if (!error)
		error = pcl_reader_attributes(reader, section, &attributes);
	if (error)
		return error;
	for (size_t l = 0; l < PCL_ARRAY_SIZE(rule_lists); l++) {
		const struct rule_list *list = &rule_lists[l];
		const struct pcl_yaml_node *entries = pcl_reader_get(section, list->key);

		if (!entries)
			continue;
		if (entries->type != PCL_YAML_SEQUENCE)
			return pcl_yaml_error(reader->file, entries, reader->diag, -EINVAL,
					      "%s must be a list of \"- %s: /...\"", list->key,
					      list->object_key);
		for (size_t i = 0; i < entries->count; i++) {
			(void)snprintf(context, sizeof(context), "%s.%s[%zu]",
				       pcl_class_name(class), list->key, i);
			error = read_entry(reader, policy, class, list, entries->items[i], context,
					   &attributes);
			if (error)
				return error;
		}
	}
	return 0;
}
