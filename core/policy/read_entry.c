/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an entry of each list is about: paths, directories, patterns, names, protocols, domains,
 * capabilities, system calls, devices, presets.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "policy/entry.h"
#include "policy/glob.h"
#include "policy/names.h"

/* Longer than any protocol or capability, and than any DNS name. */
#define WORD_SIZE 512

static int missing(const struct pcl_entry *entry, const char *key)
{
	/* The word that is unknown is likely the one that is missing; no rule, but no complaint. */
	if (entry->suspect)
		return 0;
	return pcl_yaml_error(entry->reader->file, entry->node, entry->reader->diag, -EINVAL,
			      "%s has no %s; add one", entry->context, key);
}

/* --- process and file ------------------------------------------------------------------------ */

static int read_args(struct pcl_entry *entry, struct pcl_rule *rule)
{
	const struct pcl_yaml_node *list = pcl_reader_get(entry->node, "allowedArgs");
	int error;

	if (!list)
		return 0;
	error = pcl_reader_texts(entry->reader, list, "allowedArgs", &rule->args, &rule->arg_count);
	if (error)
		return error;
	if (!rule->arg_count)
		return pcl_reader_notice(entry->reader, list,
					 "allowedArgs is empty; any argument is allowed");
	rule->flags |= PCL_RULE_ALLOWED_ARGS;
	return 0;
}

static int read_execname(struct pcl_entry *entry, const struct pcl_yaml_node *node,
			 struct pcl_rule **ret_rule)
{
	const char *name;
	int error = pcl_yaml_string(entry->reader->file, node, &name, entry->reader->diag);

	if (error)
		return error;
	if (!*name || strchr(name, '/'))
		return pcl_yaml_error(entry->reader->file, node, entry->reader->diag, -EINVAL,
				      "execname \"%.80s\" must be a file's name; for a path use "
				      "path",
				      name);
	return pcl_entry_new_rule(entry, PCL_MATCH_NAME, name, ret_rule);
}

int pcl_entry_read_path(struct pcl_entry *entry)
{
	const struct pcl_yaml_node *path = pcl_reader_get(entry->node, "path");
	const struct pcl_yaml_node *name = entry->list->class == PCL_CLASS_PROCESS
						   ? pcl_reader_get(entry->node, "execname")
						   : NULL;
	pcl_cleanup(pcl_rule_free) struct pcl_rule *rule = NULL;
	pcl_autofree char *object = NULL;
	int error;

	if (!path && !name)
		return missing(entry, "path");
	if (path && name)
		return pcl_yaml_error(entry->reader->file, entry->node, entry->reader->diag,
				      -EINVAL,
				      "%s has a path and an execname; make two entries of it",
				      entry->context);
	if (name) {
		error = read_execname(entry, name, &rule);
	} else {
		error = pcl_reader_path(entry->reader, path, "path", PCL_PATH_FILE, &object);
		if (!error)
			error = pcl_entry_new_rule(entry, PCL_MATCH_PATH, object, &rule);
	}
	if (!error)
		error = read_args(entry, rule);
	return error ? error : pcl_entry_add_rule(entry, pcl_take_ptr(rule), NULL);
}

int pcl_entry_read_dir(struct pcl_entry *entry)
{
	const struct pcl_yaml_node *dir = pcl_reader_get(entry->node, "dir");
	struct pcl_rule *rule = NULL;
	pcl_autofree char *object = NULL;
	bool recursive = false;
	int error;

	if (!dir)
		return missing(entry, "dir");
	error = pcl_reader_path(entry->reader, dir, "dir", PCL_PATH_DIRECTORY, &object);
	if (!error)
		error = pcl_reader_flag(entry->reader, entry->node, "recursive", &recursive);
	if (!error)
		error = pcl_entry_new_rule(entry,
					   recursive ? PCL_MATCH_DIR_RECURSIVE : PCL_MATCH_DIR,
					   object, &rule);
	return error ? error : pcl_entry_add_rule(entry, rule, NULL);
}

int pcl_entry_read_pattern(struct pcl_entry *entry)
{
	const struct pcl_yaml_node *node = pcl_reader_get(entry->node, "pattern");
	pcl_cleanup(pcl_rule_free) struct pcl_rule *rule = NULL;
	struct pcl_glob *glob = NULL;
	const char *pattern, *reason = NULL;
	size_t offset = 0;
	int error;

	if (!node)
		return missing(entry, "pattern");
	error = pcl_yaml_string(entry->reader->file, node, &pattern, entry->reader->diag);
	if (error)
		return error;
	error = pcl_glob_new(pattern, &glob, &reason, &offset);
	if (error == -ENOMEM)
		return pcl_reader_no_memory(entry->reader);
	if (error)
		return pcl_yaml_error(entry->reader->file, node, entry->reader->diag, error,
				      "pattern \"%.80s\" cannot be used from its byte %zu on; %s",
				      pattern, offset + 1, reason);
	error = pcl_entry_new_rule(entry, PCL_MATCH_PATTERN, pattern, &rule);
	if (error) {
		pcl_glob_free(&glob);
		return error;
	}
	rule->glob = glob;
	if (pattern[0] != '/' && pattern[0] != '*' && pattern[0] != '{' && pattern[0] != '[' &&
	    pattern[0] != '?' && pattern[0] != '\\')
		error = pcl_reader_notice(
			entry->reader, node,
			"pattern \"%s\" matches nothing; a path begins with \"/\"", pattern);
	return error ? error : pcl_entry_add_rule(entry, pcl_take_ptr(rule), NULL);
}

/* --- words: network, dns, capabilities ------------------------------------------------------- */

/* What a word of a comma list becomes; word may be changed in place. */
typedef int (*word_fn)(struct pcl_entry *entry, const struct pcl_yaml_node *node, char *word,
		       struct pcl_rule **ret_rule);

static int read_protocol(struct pcl_entry *entry, const struct pcl_yaml_node *node, char *word,
			 struct pcl_rule **ret_rule)
{
	const char *names[PCL_PROTOCOL_COUNT + 1] = {NULL};

	for (char *at = word; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	for (int i = 0; i < PCL_PROTOCOL_COUNT; i++) {
		int error;

		names[i] = pcl_protocol_name((enum pcl_protocol)i);
		if (strcmp(word, names[i]) != 0)
			continue;
		error = pcl_entry_new_rule(entry, PCL_MATCH_PROTOCOL, names[i], ret_rule);
		if (!error)
			(*ret_rule)->number = (unsigned)i;
		return error;
	}
	return pcl_reader_unknown(entry->reader, node, "protocol", word, names);
}

static int read_capability(struct pcl_entry *entry, const struct pcl_yaml_node *node, char *word,
			   struct pcl_rule **ret_rule)
{
	int number = pcl_capability_number(word), error = 0;

	if (number < 0)
		return pcl_reader_unknown(entry->reader, node, "capability", word,
					  pcl_capability_names);
	if (strcmp(word, pcl_capability_names[number]) != 0)
		error = pcl_reader_notice(entry->reader, node,
					  "capability \"%s\" is read as \"%s\"", word,
					  pcl_capability_names[number]);
	/* Short, as the word may stand in the id. */
	(void)strcpy(word, pcl_capability_names[number]);
	if (!error)
		error = pcl_entry_new_rule(entry, PCL_MATCH_CAPABILITY, word, ret_rule);
	if (!error)
		(*ret_rule)->number = (unsigned)number;
	return error;
}

static int read_domain(struct pcl_entry *entry, const struct pcl_yaml_node *node, char *word,
		       struct pcl_rule **ret_rule)
{
	size_t len = strlen(word), label = 0;
	bool good = true;

	if (len && word[len - 1] == '.')
		word[--len] = '\0';
	for (size_t i = 0; i < len && good; i++) {
		unsigned char c = (unsigned char)word[i];

		word[i] = (char)tolower(c);
		good = c == '.' ? label > 0 : isalnum(c) || c == '-' || c == '_';
		label = c == '.' ? 0 : label + 1;
	}
	if (!good || !label || len > PCL_DOMAIN_LEN_MAX)
		return pcl_yaml_error(entry->reader->file, node, entry->reader->diag, -EINVAL,
				      "domain \"%.80s\" is no DNS name; write it as "
				      "\"example.com\", which covers the names below it",
				      word);
	return pcl_entry_new_rule(entry, PCL_MATCH_DOMAIN, word, ret_rule);
}

static bool has_object(const struct pcl_policy *policy, size_t from, const char *object)
{
	for (size_t i = from; i < policy->rule_count; i++)
		if (!strcmp(policy->rules[i]->object, object))
			return true;
	return false;
}

/* One rule for each word of the comma list. */
static int read_words(struct pcl_entry *entry, const char *key, word_fn read)
{
	const struct pcl_yaml_node *node = pcl_reader_get(entry->node, key);
	size_t first = entry->policy->rule_count;
	const char *text;
	bool several;
	int error;

	if (!node)
		return missing(entry, key);
	error = pcl_yaml_string(entry->reader->file, node, &text, entry->reader->diag);
	several = !error && strchr(text, ',');
	for (const char *at = error ? NULL : text; at && !error;) {
		size_t len = strcspn(at, ",");
		const char *next = at[len] ? at + len + 1 : NULL;
		struct pcl_rule *rule = NULL;
		char word[WORD_SIZE];

		for (; len && *at == ' '; len--)
			at++;
		while (len && at[len - 1] == ' ')
			len--;
		(void)snprintf(word, sizeof(word), "%.*s", (int)(len < WORD_SIZE ? len : 0), at);
		if (!word[0])
			return pcl_yaml_error(entry->reader->file, node, entry->reader->diag,
					      -EINVAL, "%s \"%.80s\" has an empty word; remove it",
					      key, text);
		error = read(entry, node, word, &rule);
		if (!error && has_object(entry->policy, first, rule->object)) {
			error = pcl_reader_notice(entry->reader, node, "\"%s\" is listed twice",
						  word);
			pcl_rule_free(&rule);
		} else if (!error) {
			error = pcl_entry_add_rule(entry, rule, several ? rule->object : NULL);
		}
		at = next;
	}
	return error;
}

int pcl_entry_read_protocol(struct pcl_entry *entry)
{
	return read_words(entry, "protocol", read_protocol);
}

int pcl_entry_read_domain(struct pcl_entry *entry)
{
	return read_words(entry, "domain", read_domain);
}

int pcl_entry_read_capability(struct pcl_entry *entry)
{
	return read_words(entry, "capability", read_capability);
}

/* --- syscalls -------------------------------------------------------------------------------- */

static int read_syscalls(struct pcl_entry *entry, struct pcl_rule *rule)
{
	const struct pcl_yaml_node *list = pcl_reader_get(entry->node, "syscall");
	int error;

	if (!list || (list->type == PCL_YAML_SEQUENCE && !list->count))
		return missing(entry, "syscall");
	error = pcl_reader_texts(entry->reader, list, "syscall", &rule->syscalls,
				 &rule->syscall_count);
	for (size_t i = 0; !error && i < list->count; i++)
		if (pcl_syscall_check(list->items[i]->text))
			error = pcl_reader_unknown(entry->reader, list->items[i], "system call",
						   list->items[i]->text, pcl_syscall_names);
	return error;
}

int pcl_entry_read_syscall(struct pcl_entry *entry)
{
	pcl_cleanup(pcl_rule_free) struct pcl_rule *rule = NULL;
	int error = pcl_entry_new_rule(entry, PCL_MATCH_SYSCALL, "", &rule);

	if (!error)
		error = read_syscalls(entry, rule);
	return error ? error : pcl_entry_add_rule(entry, pcl_take_ptr(rule), NULL);
}

int pcl_entry_read_syscall_path(struct pcl_entry *entry)
{
	const struct pcl_yaml_node *node = pcl_reader_get(entry->node, "path");
	pcl_cleanup(pcl_rule_free) struct pcl_rule *rule = NULL;
	enum pcl_match match = PCL_MATCH_PATH;
	pcl_autofree char *object = NULL;
	bool recursive = false;
	int error;

	if (!node)
		return missing(entry, "path");
	error = pcl_reader_path(entry->reader, node, "path", PCL_PATH_ANY_DIRECTORY, &object);
	if (!error)
		error = pcl_reader_flag(entry->reader, entry->node, "recursive", &recursive);
	if (error)
		return error;
	/* A slash at the end tells a directory; so does the word that only directories have. */
	if (recursive)
		match = PCL_MATCH_DIR_RECURSIVE;
	else if (node->text[node->text_len - 1] == '/')
		match = PCL_MATCH_DIR;
	error = pcl_entry_new_rule(entry, match, object, &rule);
	if (!error)
		error = read_syscalls(entry, rule);
	return error ? error : pcl_entry_add_rule(entry, pcl_take_ptr(rule), NULL);
}

/* --- device ---------------------------------------------------------------------------------- */

/* KERNEL: the USB's numbers are bytes; its tree is at most 7 levels deep. */
#define DEVICE_NUMBER_MAX 255
#define DEVICE_LEVEL_MAX 7

static int read_device_class(struct pcl_entry *entry, const struct pcl_yaml_node *node,
			     int *ret_class)
{
	const char *text;
	char *end;
	long number;
	int error = pcl_yaml_string(entry->reader->file, node, &text, entry->reader->diag);

	if (error)
		return error;
	if (!strcasecmp(text, "all")) {
		*ret_class = PCL_DEVICE_ANY;
		return 0;
	}
	*ret_class = pcl_device_class_number(text);
	if (*ret_class >= 0)
		return 0;
	number = strtol(text, &end, !strncasecmp(text, "0x", 2) ? 16 : 10);
	if (!isdigit((unsigned char)text[0]) || *end)
		return pcl_reader_unknown(entry->reader, node, "device class", text,
					  pcl_device_class_names);
	if (number > DEVICE_NUMBER_MAX)
		return pcl_yaml_error(entry->reader->file, node, entry->reader->diag, -EINVAL,
				      "device class %.20s is too large; it must be at most %d",
				      text, DEVICE_NUMBER_MAX);
	*ret_class = (int)number;
	return 0;
}

static int read_device_number(struct pcl_entry *entry, const char *key, int64_t min, int64_t max,
			      int *ret_number)
{
	const struct pcl_yaml_node *node = pcl_reader_get(entry->node, key);
	int64_t number = PCL_DEVICE_ANY;
	int error = 0;

	if (node)
		error = pcl_yaml_int(entry->reader->file, node, min, max, &number,
				     entry->reader->diag);
	*ret_number = (int)number;
	return error;
}

/* "any" for what the rule leaves open. */
static int device_text(const struct pcl_device *device, char **ret_text)
{
	const int numbers[] = {device->class, device->sub_class, device->protocol, device->level};
	char texts[4][12];

	for (size_t i = 0; i < PCL_ARRAY_SIZE(numbers); i++)
		(void)snprintf(texts[i], sizeof(texts[i]),
			       numbers[i] == PCL_DEVICE_ANY ? "any" : "%d", numbers[i]);
	if (asprintf(ret_text, "class=%s,subClass=%s,protocol=%s,level=%s", texts[0], texts[1],
		     texts[2], texts[3]) < 0) {
		*ret_text = NULL;
		return -ENOMEM;
	}
	return 0;
}

int pcl_entry_read_device(struct pcl_entry *entry)
{
	const struct pcl_yaml_node *class = pcl_reader_get(entry->node, "class");
	pcl_autofree char *object = NULL;
	struct pcl_device device = {0};
	struct pcl_rule *rule = NULL;
	int error;

	if (!class)
		return missing(entry, "class");
	error = read_device_class(entry, class, &device.class);
	if (!error)
		error = read_device_number(entry, "subClass", 0, DEVICE_NUMBER_MAX,
					   &device.sub_class);
	if (!error)
		error = read_device_number(entry, "protocol", 0, DEVICE_NUMBER_MAX,
					   &device.protocol);
	if (!error)
		error = read_device_number(entry, "level", 1, DEVICE_LEVEL_MAX, &device.level);
	if (!error && device_text(&device, &object))
		error = pcl_reader_no_memory(entry->reader);
	if (!error)
		error = pcl_entry_new_rule(entry, PCL_MATCH_DEVICE, object, &rule);
	if (error)
		return error;
	rule->device = device;
	return pcl_entry_add_rule(entry, rule, NULL);
}

/* --- presets -------------------------------------------------------------------------------- */

int pcl_entry_read_preset(struct pcl_entry *entry)
{
	const struct pcl_yaml_node *node = pcl_reader_get(entry->node, "name");
	const char *names[PCL_PRESET_COUNT + 1] = {NULL}, *text;
	struct pcl_rule *rule = NULL;
	int error, preset;

	if (!node)
		return missing(entry, "name");
	error = pcl_yaml_string(entry->reader->file, node, &text, entry->reader->diag);
	if (error)
		return error;
	for (int i = 0; i < PCL_PRESET_COUNT; i++)
		names[i] = pcl_preset_name((enum pcl_preset)i);
	for (preset = 0; names[preset] && strcmp(text, names[preset]) != 0;)
		preset++;
	if (!names[preset])
		return pcl_reader_unknown(entry->reader, node, "preset", text, names);
	if (entry->attributes.has_action && entry->attributes.action == PCL_ACTION_ALLOW)
		return pcl_yaml_error(
			entry->reader->file, entry->node, entry->reader->diag, -EINVAL,
			"preset \"%s\" cannot be Allowed; its action must be Audit or "
			"Block",
			text);
	error = pcl_entry_new_rule(entry, PCL_MATCH_PRESET, text, &rule);
	if (error)
		return error;
	rule->number = (unsigned)preset;
	rule->class = pcl_preset_class((enum pcl_preset)preset);
	return pcl_entry_add_rule(entry, rule, NULL);
}
