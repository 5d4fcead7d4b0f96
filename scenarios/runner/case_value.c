/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a case file; see case_value.h. */
#include "case_value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define MODE_MAX 07777

int gnt_case_no_memory(const struct gnt_case_reader *r)
{
	return pcl_diag_set(r->diag, -ENOMEM, "%s: no memory", r->file->name);
}

int gnt_case_need(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		  enum pcl_yaml_type type, const char *what)
{
	static const char *const names[] = {
		[PCL_YAML_SCALAR] = "a word",
		[PCL_YAML_SEQUENCE] = "a list",
		[PCL_YAML_MAPPING] = "a mapping",
	};

	if (node->type == type)
		return 0;
	return pcl_yaml_error(r->file, node, r->diag, -EINVAL, "%s must be %s, not %s", what,
			      names[type], names[node->type]);
}

int gnt_case_string(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		    char **ret_text)
{
	const char *text;
	int error = pcl_yaml_string(r->file, node, &text, r->diag);
	char *copy;

	if (error)
		return error;
	copy = strdup(text);
	if (!copy)
		return gnt_case_no_memory(r);
	*ret_text = copy;
	return 0;
}

/* The string under key; a missing key is an error unless optional. */
int gnt_case_key(const struct gnt_case_reader *r, const struct pcl_yaml_node *mapping,
		 const char *key, bool optional, char **ret_text)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(mapping, key);

	if (node)
		return gnt_case_string(r, node, ret_text);
	if (optional)
		return 0;
	return pcl_yaml_error(r->file, mapping, r->diag, -EINVAL, "\"%s\" is missing here", key);
}

int gnt_case_path(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		  char **ret_path)
{
	const char *path;
	int error = pcl_yaml_string(r->file, node, &path, r->diag);

	if (error)
		return error;
	if (path[0] != '/')
		return pcl_yaml_error(r->file, node, r->diag, -EINVAL,
				      "\"%s\" must be an absolute path in the guest", path);
	return gnt_case_string(r, node, ret_path);
}

/* A list of strings as a NULL-terminated array. */
int gnt_case_words(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		   const char *what, char ***ret_words, size_t *ret_count)
{
	int error = gnt_case_need(r, node, PCL_YAML_SEQUENCE, what);

	if (error)
		return error;
	*ret_words = calloc(node->count + 1, sizeof(char *));
	if (!*ret_words)
		return gnt_case_no_memory(r);
	for (size_t i = 0; i < node->count; i++) {
		error = gnt_case_string(r, node->items[i], &(*ret_words)[i]);
		if (error)
			return error;
		*ret_count = i + 1;
	}
	return 0;
}

/* "in: host" or "in: container"; the default is the host. */
int gnt_case_where(const struct gnt_case_reader *r, const struct pcl_yaml_node *mapping,
		   const struct gnt_case *c, bool *ret_in_container)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(mapping, "in");
	const char *text;
	int error;

	if (!node)
		return 0;
	error = pcl_yaml_string(r->file, node, &text, r->diag);
	if (error)
		return error;
	if (strcmp(text, "host") != 0 && strcmp(text, "container") != 0)
		return pcl_yaml_error(r->file, node, r->diag, -EINVAL,
				      "\"in\" must be host or container, not \"%s\"", text);
	*ret_in_container = strcmp(text, "container") == 0;
	if (*ret_in_container && !c->has_container)
		return pcl_yaml_error(r->file, node, r->diag, -EINVAL,
				      "the case has no container: add a \"container\" mapping");
	return 0;
}

int gnt_case_mode(const struct gnt_case_reader *r, const struct pcl_yaml_node *mapping,
		  int *ret_mode)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(mapping, "mode");
	const char *text;
	char *end;
	long mode;
	int error;

	if (!node)
		return 0;
	error = pcl_yaml_string(r->file, node, &text, r->diag);
	if (error)
		return error;
	mode = strtol(text, &end, 8);
	if (!*text || *end || mode < 0 || mode > MODE_MAX)
		return pcl_yaml_error(r->file, node, r->diag, -EINVAL,
				      "\"mode\" must be octal digits such as \"0644\", not \"%s\"",
				      text);
	*ret_mode = (int)mode;
	return 0;
}
