/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and searches the list of allowed kernel troubles; see health_allow.h. */
#include "health_allow.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/yaml.h"
#include "health.h"

static const char *const entry_keys[] = {"fingerprint", "pattern", "from", "to", "reason", NULL};
static const char *const file_keys[] = {"allow", NULL};

static void entry_fini(struct gnt_health_entry *entry)
{
	free(entry->fingerprint);
	free(entry->pattern);
	free(entry->from);
	free(entry->to);
	free(entry->reason);
	*entry = (struct gnt_health_entry){0};
}

void gnt_health_list_fini(struct gnt_health_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		entry_fini(&list->entries[i]);
	free(list->entries);
	*list = (struct gnt_health_list){0};
}

static int read_text(const struct pcl_yaml_file *file, const struct pcl_yaml_node *entry,
		     const char *key, char **ret_text, struct pcl_diag *diag)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(entry, key);
	const char *text;
	int error;

	if (!node)
		return 0;
	error = pcl_yaml_string(file, node, &text, diag);
	if (error)
		return error;
	if (text[strspn(text, " \t\n")] == '\0')
		return pcl_yaml_error(file, node, diag, -EINVAL, "\"%s\" is empty", key);
	*ret_text = strdup(text);
	return *ret_text ? 0 : pcl_diag_errno(diag, -ENOMEM, "%s", file->name);
}

static int check_series(const struct pcl_yaml_file *file, const struct pcl_yaml_node *entry,
			const char *key, const char *text, struct pcl_diag *diag)
{
	if (!text || (isdigit((unsigned char)*text) && !text[strspn(text, "0123456789.")]))
		return 0;
	return pcl_yaml_error(file, pcl_yaml_get(entry, key), diag, -EINVAL,
			      "\"%s\" is a kernel series (6.1, 6.12), not \"%s\"", key, text);
}

static int read_entry(const struct pcl_yaml_file *file, const struct pcl_yaml_node *node,
		      struct gnt_health_entry *ret_entry, struct pcl_diag *diag)
{
	struct gnt_health_entry entry pcl_cleanup(entry_fini) = {0};
	int error;

	if (node->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(file, node, diag, -EINVAL,
				      "an entry is a mapping with fingerprint or pattern, and "
				      "reason");
	if ((error = pcl_yaml_only_keys(file, node, entry_keys, "allow", diag)) ||
	    (error = read_text(file, node, "fingerprint", &entry.fingerprint, diag)) ||
	    (error = read_text(file, node, "pattern", &entry.pattern, diag)) ||
	    (error = read_text(file, node, "from", &entry.from, diag)) ||
	    (error = read_text(file, node, "to", &entry.to, diag)) ||
	    (error = read_text(file, node, "reason", &entry.reason, diag)) ||
	    (error = check_series(file, node, "from", entry.from, diag)) ||
	    (error = check_series(file, node, "to", entry.to, diag)))
		return error;
	if (!entry.reason)
		return pcl_yaml_error(
			file, node, diag, -EINVAL,
			"the entry has no \"reason\": say why the kernel may do this");
	if (!entry.fingerprint && !entry.pattern)
		return pcl_yaml_error(file, node, diag, -EINVAL,
				      "the entry would allow everything: give fingerprint or "
				      "pattern");
	if (entry.fingerprint && strncmp(entry.fingerprint, "panic:", 6) == 0)
		return pcl_yaml_error(file, node, diag, -EINVAL, "a panic is never allowed");
	*ret_entry = entry;
	entry = (struct gnt_health_entry){0};
	return 0;
}

int gnt_health_list_load(const char *path, struct gnt_health_list *ret_list, struct pcl_diag *diag)
{
	struct pcl_yaml_file *file pcl_cleanup(pcl_yaml_free) = NULL;
	struct gnt_health_list list pcl_cleanup(gnt_health_list_fini) = {0};
	const struct pcl_yaml_node *allow, *root;
	int error = pcl_yaml_load(path, &file, diag);

	if (error)
		return error;
	if (file->document_count != 1)
		return pcl_diag_set(diag, -EINVAL, "%s: want one document, \"allow: [...]\"", path);
	root = file->documents[0];
	if (root->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(file, root, diag, -EINVAL, "want \"allow: [...]\"");
	error = pcl_yaml_only_keys(file, root, file_keys, "list", diag);
	if (error)
		return error;
	allow = pcl_yaml_get(root, "allow");
	if (!allow || allow->type != PCL_YAML_SEQUENCE)
		return pcl_yaml_error(file, allow ? allow : root, diag, -EINVAL,
				      "\"allow\" must be a list");
	for (size_t i = 0; i < allow->count; i++) {
		if (pcl_array_grow(&list.entries, list.count, sizeof(*list.entries)) < 0)
			return pcl_diag_errno(diag, -ENOMEM, "%s", path);
		error = read_entry(file, allow->items[i], &list.entries[list.count], diag);
		if (error)
			return error;
		list.count++;
	}
	*ret_list = list;
	list = (struct gnt_health_list){0};
	return 0;
}

int gnt_health_compare_series(const char *release, const char *series)
{
	while (isdigit((unsigned char)*series)) {
		char *release_end, *series_end;
		unsigned long a = strtoul(release, &release_end, 10);
		unsigned long b = strtoul(series, &series_end, 10);

		if (a != b)
			return a < b ? -1 : 1;
		release = *release_end == '.' ? release_end + 1 : release_end;
		series = *series_end == '.' ? series_end + 1 : series_end;
	}
	return 0;
}

static bool allows(const struct gnt_health_entry *entry, const struct gnt_finding *finding,
		   const char *release)
{
	if (entry->fingerprint && strcmp(entry->fingerprint, finding->fingerprint) != 0)
		return false;
	if (entry->pattern && !strstr(finding->line, entry->pattern))
		return false;
	/* Which kernel it is must be known to say that an entry is about it. */
	if ((entry->from || entry->to) && !release)
		return false;
	return (!entry->from || gnt_health_compare_series(release, entry->from) >= 0) &&
	       (!entry->to || gnt_health_compare_series(release, entry->to) <= 0);
}

const struct gnt_health_entry *gnt_health_list_find(const struct gnt_health_list *list,
						    const struct gnt_finding *finding,
						    const char *release)
{
	if (finding->kind == GNT_HEALTH_PANIC)
		return NULL;
	for (size_t i = 0; list && i < list->count; i++)
		if (allows(&list->entries[i], finding, release))
			return &list->entries[i];
	return NULL;
}
