/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What policies are made of: known words, flags, texts, paths, sources, attributes.
 *
 * Nothing is dropped in silence: what is read otherwise than it is written gets a notice.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "policy/path.h"
#include "policy/reader.h"

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
		return pcl_reader_no_memory(reader);
	}
	if (asprintf(&line, "%s:%u:%u: %s", reader->file->name, node->place.line,
		     node->place.column, text) < 0) {
		line = NULL;
		return pcl_reader_no_memory(reader);
	}
	pcl_text_one_line(line);
	return pcl_strings_add(&set->notices, &set->notice_count, line)
		       ? pcl_reader_no_memory(reader)
		       : 0;
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

int pcl_reader_unknown(struct pcl_reader *reader, const struct pcl_yaml_node *node,
		       const char *what, const char *word, const char *const *known)
{
	/* Lists of a few words are told as a whole. */
	enum {
		FEW = 5,
		ALL_SIZE = 160
	};
	const char *near = pcl_nearest_word(word, known);
	char all[ALL_SIZE] = "";
	size_t count = 0, len = 0;

	if (near)
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "unknown %s \"%.60s\"; did you mean \"%s\"?", what, word,
				      near);
	while (known[count])
		count++;
	for (size_t i = 0; i < count && count <= FEW && len < sizeof(all); i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s",
					!i		 ? ""
					: i + 1 == count ? " or "
							 : ", ",
					known[i]);
	if (len)
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "unknown %s \"%.60s\"; it must be %s", what, word, all);
	return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
			      "unknown %s \"%.60s\"; remove it", what, word);
}

static bool is_object_word(const char *word)
{
	return !strcmp(word, "path") || !strcmp(word, "dir") || !strcmp(word, "pattern");
}

/* Where no word of the context is near, one that the language has elsewhere may be meant. */
static bool is_foreign_word(const char *word)
{
	static const char *const elsewhere[] = {"apiVersion",
						"kind",
						"metadata",
						"spec",
						"selector",
						"nodeSelector",
						"matchLabels",
						"matchExpressions",
						"process",
						"file",
						"network",
						"capabilities",
						"syscalls",
						"device",
						"presets",
						"apparmor",
						"matchPaths",
						"matchPatterns",
						"matchDirectories",
						"matchProtocols",
						"fromSource",
						"ownerOnly",
						"readOnly",
						"recursive",
						"execname",
						"allowedArgs",
						"pts",
						"action",
						"severity",
						"tags",
						"message",
						NULL};

	for (size_t i = 0; elsewhere[i]; i++)
		if (!strcmp(elsewhere[i], word))
			return true;
	return false;
}

static int unknown_field(struct pcl_reader *reader, const struct pcl_yaml_node *key,
			 const char *const *words, const char *context)
{
	const char *near = pcl_nearest_word(key->text, words);

	/* What an entry is about has another name in each list, which is the first word. */
	if (is_object_word(key->text) && is_object_word(words[0]))
		near = words[0];
	if (is_foreign_word(key->text))
		return pcl_yaml_error(reader->file, key, reader->diag, -EINVAL,
				      "the field \"%.60s\" does not belong in %s; move or remove "
				      "it",
				      key->text, context);
	if (near)
		return pcl_yaml_error(reader->file, key, reader->diag, -EINVAL,
				      "unknown field \"%.60s\" in %s; did you mean \"%s\"?",
				      key->text, context, near);
	return pcl_yaml_error(reader->file, key, reader->diag, -EINVAL,
			      "unknown field \"%.60s\" in %s; remove it", key->text, context);
}

int pcl_reader_words(struct pcl_reader *reader, const struct pcl_yaml_node *mapping,
		     const char *const *words, const char *context)
{
	if (mapping->type != PCL_YAML_MAPPING)
		return pcl_yaml_only_keys(reader->file, mapping, words, context, reader->diag);
	for (size_t i = 0; i < mapping->count; i++) {
		const struct pcl_yaml_node *key = mapping->keys[i];
		const char *const *word = words;

		while (*word && strcmp(*word, key->text) != 0)
			word++;
		if (!*word && pcl_reader_catch(reader, unknown_field(reader, key, words, context)))
			return -ENOMEM;
	}
	return 0;
}

int pcl_reader_list(struct pcl_reader *reader, const struct pcl_yaml_node *node,
		    const char *context, const char *items)
{
	if (node->type == PCL_YAML_SEQUENCE)
		return 0;
	return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
			      "%s must be a list; write it as lines of \"- %s\"", context, items);
}

static int read_action(struct pcl_reader *reader, const struct pcl_yaml_node *node,
		       enum pcl_action *ret_action)
{
	const char *names[PCL_ACTION_COUNT + 1] = {NULL}, *text;
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
	return pcl_reader_unknown(reader, node, "action", text, names);
}

static int check_tags(struct pcl_reader *reader, const struct pcl_yaml_node *tags)
{
	if (tags->type != PCL_YAML_SEQUENCE)
		return pcl_yaml_error(reader->file, tags, reader->diag, -EINVAL,
				      "tags must be a list of texts; write tags: [one, "
				      "another]");
	for (size_t i = 0; i < tags->count; i++) {
		const char *text;
		int error = pcl_yaml_string(reader->file, tags->items[i], &text, reader->diag);

		if (error)
			return error;
	}
	return 0;
}

static int read_action_of(struct pcl_reader *reader, const struct pcl_yaml_node *mapping,
			  struct pcl_attributes *attributes)
{
	const struct pcl_yaml_node *node = pcl_reader_get(mapping, "action");
	int error;

	if (!node)
		return 0;
	error = read_action(reader, node, &attributes->action);
	attributes->has_action |= !error;
	return error;
}

static int read_severity_of(struct pcl_reader *reader, const struct pcl_yaml_node *mapping,
			    struct pcl_attributes *attributes)
{
	const struct pcl_yaml_node *node = pcl_reader_get(mapping, "severity");
	int64_t severity = 0;
	int error;

	if (!node)
		return 0;
	error = pcl_yaml_int(reader->file, node, PCL_SEVERITY_MIN, PCL_SEVERITY_MAX, &severity,
			     reader->diag);
	if (!error)
		attributes->severity = (int)severity;
	return error;
}

static int read_tags_of(struct pcl_reader *reader, const struct pcl_yaml_node *mapping,
			struct pcl_attributes *attributes)
{
	const struct pcl_yaml_node *node = pcl_reader_get(mapping, "tags");
	int error;

	if (!node)
		return 0;
	error = check_tags(reader, node);
	if (!error && node->count)
		attributes->tags = node;
	return error;
}

static int read_message_of(struct pcl_reader *reader, const struct pcl_yaml_node *mapping,
			   struct pcl_attributes *attributes)
{
	const struct pcl_yaml_node *node = pcl_reader_get(mapping, "message");
	const char *message = NULL;
	int error;

	if (!node)
		return 0;
	error = pcl_yaml_string(reader->file, node, &message, reader->diag);
	if (!error && *message)
		attributes->message = message;
	return error;
}

int pcl_reader_attributes(struct pcl_reader *reader, const struct pcl_yaml_node *mapping,
			  struct pcl_attributes *attributes)
{
	int error;

	error = pcl_reader_catch(reader, read_action_of(reader, mapping, attributes));
	if (!error)
		error = pcl_reader_catch(reader, read_severity_of(reader, mapping, attributes));
	if (!error)
		error = pcl_reader_catch(reader, read_tags_of(reader, mapping, attributes));
	if (!error)
		error = pcl_reader_catch(reader, read_message_of(reader, mapping, attributes));
	return error;
}

/* What is well formed but may be meant otherwise. */
static int notice_odd_path(struct pcl_reader *reader, const struct pcl_yaml_node *node,
			   const char *field, const char *text, const char *path)
{
	int error = 0;

	if (strstr(text, "//") || strstr(text, "/./"))
		error = pcl_reader_notice(reader, node, "%s \"%s\" is read as \"%s\"", field, text,
					  path);
	if (!error && strpbrk(text, "*?[{"))
		error = pcl_reader_notice(reader, node,
					  "%s \"%s\" is taken literally; *, ?, [ and { are "
					  "wildcards in matchPatterns only",
					  field, text);
	return error;
}

int pcl_reader_path(struct pcl_reader *reader, const struct pcl_yaml_node *node, const char *field,
		    enum pcl_path_kind kind, char **ret_path)
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
				      "%s \"%.80s\" cannot be used; %s", field, text, reason);
	slash_at_end = text[strlen(text) - 1] == '/';
	if (kind == PCL_PATH_FILE && slash_at_end)
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "%s \"%.80s\" names a directory; remove the slash at its "
				      "end, or use matchDirectories",
				      field, text);
	if (kind == PCL_PATH_DIRECTORY && !slash_at_end)
		error = pcl_reader_notice(reader, node,
					  "%s \"%s\" has no slash at its end; read as \"%s/\"",
					  field, text, path);
	if (!error)
		error = notice_odd_path(reader, node, field, text, path);
	if (error)
		return error;
	*ret_path = pcl_take_ptr(path);
	return 0;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void pcl_texts_sort(char **texts, size_t *count)
{
	size_t kept = 0;

	if (!*count)
		return;
	qsort((void *)texts, *count, sizeof(*texts), compare_texts);
	for (size_t i = 1; i < *count; i++) {
		if (strcmp(texts[kept], texts[i]) != 0)
			texts[++kept] = texts[i];
		else
			free(texts[i]);
	}
	*count = kept + 1;
}

int pcl_reader_texts(struct pcl_reader *reader, const struct pcl_yaml_node *list,
		     const char *context, char ***ret_texts, size_t *ret_count)
{
	int error = pcl_reader_list(reader, list, context, "TEXT");

	for (size_t i = 0; !error && i < list->count; i++) {
		const char *text = NULL;

		error = pcl_yaml_string(reader->file, list->items[i], &text, reader->diag);
		if (!error && pcl_strings_add(ret_texts, ret_count, text))
			error = pcl_reader_no_memory(reader);
	}
	pcl_texts_sort(*ret_texts, ret_count);
	return error;
}

int pcl_reader_flag(struct pcl_reader *reader, const struct pcl_yaml_node *mapping, const char *key,
		    bool *ret_value)
{
	const struct pcl_yaml_node *node = pcl_reader_get(mapping, key);

	*ret_value = false;
	if (!node)
		return 0;
	return pcl_yaml_bool(reader->file, node, ret_value, reader->diag);
}

static int add_source(struct pcl_reader *reader, const struct pcl_yaml_node *node,
		      struct pcl_rule *rule)
{
	pcl_autofree char *path = NULL;
	int error = pcl_reader_path(reader, node, "fromSource path", PCL_PATH_FILE, &path);

	if (error)
		return error;
	if (pcl_array_grow(&rule->sources, rule->source_count, sizeof(*rule->sources)))
		return pcl_reader_no_memory(reader);
	rule->sources[rule->source_count++] = pcl_take_ptr(path);
	return 0;
}

static int add_source_dir(struct pcl_reader *reader, const struct pcl_yaml_node *entry,
			  const struct pcl_yaml_node *node, struct pcl_rule *rule)
{
	struct pcl_source_dir dir = {0};
	int error = pcl_reader_flag(reader, entry, "recursive", &dir.recursive);

	if (!error)
		error = pcl_reader_path(reader, node, "fromSource dir", PCL_PATH_ANY_DIRECTORY,
					&dir.path);
	if (error)
		return error;
	if (pcl_array_grow(&rule->source_dirs, rule->source_dir_count, sizeof(dir))) {
		free(dir.path);
		return pcl_reader_no_memory(reader);
	}
	rule->source_dirs[rule->source_dir_count++] = dir;
	return 0;
}

static int read_source(struct pcl_reader *reader, const struct pcl_yaml_node *entry,
		       bool directories, struct pcl_rule *rule)
{
	static const char *const words[] = {"path", NULL};
	static const char *const dir_words[] = {"path", "dir", "recursive", NULL};
	size_t problems = reader->problems->count + reader->problems->left_out;
	const struct pcl_yaml_node *path, *dir;
	int error;

	error = pcl_reader_words(reader, entry, directories ? dir_words : words, "fromSource");
	if (error)
		return error;
	path = pcl_reader_get(entry, "path");
	dir = directories ? pcl_reader_get(entry, "dir") : NULL;
	/* The word that is unknown is likely the one that is missing. */
	if (!path && !dir && reader->problems->count + reader->problems->left_out > problems)
		return 0;
	if (!path && !dir)
		return pcl_yaml_error(reader->file, entry, reader->diag, -EINVAL,
				      "an entry of fromSource has no path; add one");
	if (path && dir)
		return pcl_yaml_error(reader->file, entry, reader->diag, -EINVAL,
				      "an entry of fromSource has a path and a dir; make two "
				      "entries of it");
	return path ? add_source(reader, path, rule) : add_source_dir(reader, entry, dir, rule);
}

static int compare_dirs(const void *a, const void *b)
{
	const struct pcl_source_dir *left = a, *right = b;
	int order = strcmp(left->path, right->path);

	return order ? order : left->recursive - right->recursive;
}

int pcl_reader_sources(struct pcl_reader *reader, const struct pcl_yaml_node *entry,
		       bool directories, struct pcl_rule *rule)
{
	const struct pcl_yaml_node *list = pcl_reader_get(entry, "fromSource");
	int error;

	if (!list)
		return 0;
	error = pcl_reader_list(reader, list, "fromSource", "path: /...");
	if (error)
		return error;
	if (!list->count)
		return pcl_reader_notice(reader, list,
					 "fromSource is empty; the rule holds for any source");
	for (size_t i = 0; !error && i < list->count; i++)
		error = read_source(reader, list->items[i], directories, rule);
	pcl_texts_sort(rule->sources, &rule->source_count);
	if (rule->source_dir_count)
		qsort(rule->source_dirs, rule->source_dir_count, sizeof(*rule->source_dirs),
		      compare_dirs);
	return error;
}
