/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed reads from a YAML tree, and the one way to say where an error is.
 *
 * Every refusal names FILE:LINE:COLUMN, what was expected and what was found.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/yaml.h"

/* Values are quoted in messages up to this many bytes; a novel in the wrong place stays short. */
#define SHOWN_LEN_MAX 60

static const char *const type_names[] = {
	[PCL_YAML_SCALAR] = "a single value",
	[PCL_YAML_SEQUENCE] = "a list",
	[PCL_YAML_MAPPING] = "a mapping",
};

const struct pcl_yaml_node *pcl_yaml_get(const struct pcl_yaml_node *mapping, const char *key)
{
	if (!mapping || mapping->type != PCL_YAML_MAPPING)
		return NULL;
	for (size_t i = 0; i < mapping->count; i++)
		if (!strcmp(mapping->keys[i]->text, key))
			return mapping->items[i];
	return NULL;
}

int pcl_yaml_error(const struct pcl_yaml_file *file, const struct pcl_yaml_node *node,
		   struct pcl_diag *diag, int error, const char *format, ...)
{
	pcl_autofree char *text = NULL;
	va_list args;

	if (!diag)
		return error;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (!node)
		return pcl_diag_set(diag, error, "%s: %s", file->name,
				    text ? text : strerror(-error));
	(void)pcl_diag_set(diag, error, "%s:%u:%u: %s", file->name, node->place.line,
			   node->place.column, text ? text : strerror(-error));
	pcl_diag_set_place(diag, file->name, node->place.line, node->place.column, node->text);
	return error;
}

/* What was expected, and how it is written. */
struct expected {
	const char *what;
	const char *hint;
};

static const struct expected a_text = {"a text", "write a single value, in quotes if need be"};
static const struct expected a_boolean = {"true or false", "write one of them, without quotes"};
static const struct expected a_number = {"a whole number", "write digits only, without quotes"};

static int mismatch(const struct pcl_yaml_file *file, const struct pcl_yaml_node *node,
		    struct pcl_diag *diag, const struct expected *expected)
{
	if (!node)
		return pcl_yaml_error(file, NULL, diag, -EINVAL, "expected %s, found nothing; %s",
				      expected->what, expected->hint);
	if (node->type != PCL_YAML_SCALAR)
		return pcl_yaml_error(file, node, diag, -EINVAL, "expected %s, found %s; %s",
				      expected->what, type_names[node->type], expected->hint);
	if (!node->text_len)
		return pcl_yaml_error(file, node, diag, -EINVAL,
				      "expected %s, found an empty value; %s", expected->what,
				      expected->hint);
	return pcl_yaml_error(file, node, diag, -EINVAL, "expected %s, found %s\"%.*s\"%s; %s",
			      expected->what, node->quoted ? "the text " : "", SHOWN_LEN_MAX,
			      node->text, node->text_len > SHOWN_LEN_MAX ? "..." : "",
			      expected->hint);
}

int pcl_yaml_string(const struct pcl_yaml_file *file, const struct pcl_yaml_node *node,
		    const char **ret_text, struct pcl_diag *diag)
{
	/* A plain 6.1 or true is taken as text: the author of `kernel: 6.1` meant the text. */
	if (!node || node->type != PCL_YAML_SCALAR)
		return mismatch(file, node, diag, &a_text);
	if (!node->quoted &&
	    (!node->text_len || !strcmp(node->text, "~") || !strcasecmp(node->text, "null")))
		return mismatch(file, node, diag, &a_text);
	*ret_text = node->text;
	return 0;
}

int pcl_yaml_bool(const struct pcl_yaml_file *file, const struct pcl_yaml_node *node,
		  bool *ret_value, struct pcl_diag *diag)
{
	/* The words that Kubernetes' own reader takes for booleans. */
	static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes",
					  "YES",  "on",	  "On",	  "ON"};
	static const char *const no[] = {"false", "False", "FALSE", "no", "No",
					 "NO",	  "off",   "Off",   "OFF"};

	if (!node || node->type != PCL_YAML_SCALAR || node->quoted)
		return mismatch(file, node, diag, &a_boolean);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(yes); i++) {
		if (!strcmp(node->text, yes[i])) {
			*ret_value = true;
			return 0;
		}
		if (!strcmp(node->text, no[i])) {
			*ret_value = false;
			return 0;
		}
	}
	return mismatch(file, node, diag, &a_boolean);
}

int pcl_yaml_int(const struct pcl_yaml_file *file, const struct pcl_yaml_node *node, int64_t min,
		 int64_t max, int64_t *ret_value, struct pcl_diag *diag)
{
	const char *digits;
	int64_t value;

	if (!node || node->type != PCL_YAML_SCALAR || node->quoted)
		return mismatch(file, node, diag, &a_number);
	digits = node->text + (node->text[0] == '-' || node->text[0] == '+');
	/* No leading zero: 010 is ten to one reader of YAML and eight to another. */
	if (!*digits || digits[strspn(digits, "0123456789")] || (digits[0] == '0' && digits[1]))
		return mismatch(file, node, diag, &a_number);
	errno = 0;
	value = strtoll(node->text, NULL, 10);
	if (errno || value < min || value > max)
		return pcl_yaml_error(file, node, diag, -EINVAL,
				      "%.*s is outside of %lld to %lld; choose a number "
				      "between",
				      SHOWN_LEN_MAX, node->text, (long long)min, (long long)max);
	*ret_value = value;
	return 0;
}

int pcl_yaml_only_keys(const struct pcl_yaml_file *file, const struct pcl_yaml_node *mapping,
		       const char *const *known, const char *context, struct pcl_diag *diag)
{
	if (mapping->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(file, mapping, diag, -EINVAL,
				      "%s must be a mapping, found %s; write it as lines of "
				      "\"name: value\"",
				      context, type_names[mapping->type]);
	for (size_t i = 0; i < mapping->count; i++) {
		const struct pcl_yaml_node *key = mapping->keys[i];
		const char *const *word = known;
		const char *near;

		while (*word && strcmp(*word, key->text))
			word++;
		if (*word)
			continue;
		near = pcl_nearest_word(key->text, known);
		if (near)
			return pcl_yaml_error(file, key, diag, -EINVAL,
					      "unknown field \"%.*s\" in %s; did you mean "
					      "\"%s\"?",
					      SHOWN_LEN_MAX, key->text, context, near);
		return pcl_yaml_error(file, key, diag, -EINVAL,
				      "unknown field \"%.*s\" in %s; remove it", SHOWN_LEN_MAX,
				      key->text, context);
	}
	return 0;
}
