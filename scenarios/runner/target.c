/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads target manifests. Strict: an unknown key, a wrong type or an id that is not the file's name
 * is refused with its place, because a target that silently is not what it says makes every result
 * on it worthless.
 */
#include "target.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/yaml.h"

#define SUFFIX ".yaml"
#define MEMORY_DEFAULT_MIB 256
/* Below this kernels do not come up; above it a laptop cannot run two side by side. */
#define MEMORY_MIN_MIB 96
#define MEMORY_MAX_MIB 8192

static const char *const known_keys[] = {"id",	    "title",   "stands_for", "differences",
					 "kernel",  "cmdline", "lsm",	     "modules",
					 "channel", "memory",  NULL};
static const char *const channel_names[] = {
	[GNT_CHANNEL_VIRTIO_SERIAL] = "virtio-serial", [GNT_CHANNEL_SERIAL] = "serial", NULL};

static void target_free(struct gnt_target **target_ptr)
{
	struct gnt_target *target = *target_ptr;

	*target_ptr = NULL;
	if (!target)
		return;
	free(target->id);
	free(target->title);
	free(target->stands_for);
	free(target->kernel);
	free(target->cmdline);
	pcl_strings_free(&target->differences, &target->difference_count);
	pcl_strings_free(&target->lsm, &target->lsm_count);
	pcl_strings_free(&target->modules, &target->module_count);
	free(target);
}

void gnt_targets_free(struct gnt_target ***targets, size_t count)
{
	for (size_t i = 0; *targets && i < count; i++)
		target_free(&(*targets)[i]);
	free(*targets);
	*targets = NULL;
}

/* What every reader of one key needs. */
struct source {
	const struct pcl_yaml_file *file;
	const struct pcl_yaml_node *root;
	struct pcl_diag *diag;
};

static int read_string(const struct source *source, const char *key, bool required, char **ret_text)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(source->root, key);
	const char *text;
	int error;

	if (!node)
		return required ? pcl_yaml_error(source->file, source->root, source->diag, -EINVAL,
						 "the target has no \"%s\"", key)
				: 0;
	error = pcl_yaml_string(source->file, node, &text, source->diag);
	if (error)
		return error;
	if (!*text)
		return pcl_yaml_error(source->file, node, source->diag, -EINVAL, "\"%s\" is empty",
				      key);
	*ret_text = strdup(text);
	return *ret_text ? 0 : pcl_diag_errno(source->diag, -ENOMEM, "%s", source->file->name);
}

/* The lists of a target that is being read; what was added stays with it on an error. */
static int read_strings(const struct source *source, const char *key, char ***ret_strings,
			size_t *ret_count)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(source->root, key);

	if (!node)
		return 0;
	if (node->type != PCL_YAML_SEQUENCE)
		return pcl_yaml_error(source->file, node, source->diag, -EINVAL,
				      "\"%s\" must be a list", key);
	for (size_t i = 0; i < node->count; i++) {
		const char *text;
		int error = pcl_yaml_string(source->file, node->items[i], &text, source->diag);

		if (error)
			return error;
		error = pcl_strings_add(ret_strings, ret_count, text);
		if (error)
			return pcl_diag_errno(source->diag, error, "%s", source->file->name);
	}
	return 0;
}

static int read_channel(const struct source *source, enum gnt_channel *ret_channel)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(source->root, "channel");
	const char *text, *near;
	int error;

	*ret_channel = GNT_CHANNEL_VIRTIO_SERIAL;
	if (!node)
		return 0;
	error = pcl_yaml_string(source->file, node, &text, source->diag);
	if (error)
		return error;
	for (size_t i = 0; channel_names[i]; i++) {
		if (strcmp(channel_names[i], text) == 0) {
			*ret_channel = (enum gnt_channel)i;
			return 0;
		}
	}
	near = pcl_nearest_word(text, channel_names);
	return pcl_yaml_error(source->file, node, source->diag, -EINVAL, "no channel \"%s\": %s%s",
			      text, near ? "did you mean " : "virtio-serial or serial",
			      near ? near : "");
}

static int read_memory(const struct source *source, int *ret_memory_mib)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(source->root, "memory");
	int64_t mib = MEMORY_DEFAULT_MIB;
	int error = node ? pcl_yaml_int(source->file, node, MEMORY_MIN_MIB, MEMORY_MAX_MIB, &mib,
					source->diag)
			 : 0;

	if (!error)
		*ret_memory_mib = (int)mib;
	return error;
}

/* The name of the file is how people and results call a target, so the two must agree. */
static int check_id(const struct source *source, const char *id, const char *base)
{
	size_t id_len = strlen(id);

	if (strncmp(base, id, id_len) == 0 && strcmp(base + id_len, SUFFIX) == 0)
		return 0;
	return pcl_yaml_error(source->file, pcl_yaml_get(source->root, "id"), source->diag, -EINVAL,
			      "id \"%s\" must be the file's name without " SUFFIX, id);
}

static int check_lsm(const struct source *source, const struct gnt_target *target)
{
	if (target->lsm_count)
		return 0;
	return pcl_yaml_error(source->file, source->root, source->diag, -EINVAL,
			      "the target must say which LSMs are active: lsm: [...]");
}

static int read_target(const struct source *source, const char *base,
		       struct gnt_target **ret_target)
{
	struct gnt_target *target pcl_cleanup(target_free) = calloc(1, sizeof(*target));
	int error;

	if (!target)
		return pcl_diag_errno(source->diag, -ENOMEM, "%s", source->file->name);
	error = pcl_yaml_only_keys(source->file, source->root, known_keys, "target", source->diag);
	if (error || (error = read_string(source, "id", true, &target->id)) ||
	    (error = check_id(source, target->id, base)) ||
	    (error = read_string(source, "title", true, &target->title)) ||
	    (error = read_string(source, "stands_for", false, &target->stands_for)) ||
	    (error = read_string(source, "kernel", true, &target->kernel)) ||
	    (error = read_string(source, "cmdline", false, &target->cmdline)) ||
	    (error = read_strings(source, "differences", &target->differences,
				  &target->difference_count)) ||
	    (error = read_strings(source, "lsm", &target->lsm, &target->lsm_count)) ||
	    (error = check_lsm(source, target)) ||
	    (error = read_strings(source, "modules", &target->modules, &target->module_count)) ||
	    (error = read_channel(source, &target->channel)) ||
	    (error = read_memory(source, &target->memory_mib)))
		return error;
	*ret_target = pcl_take_ptr(target);
	return 0;
}

static int load_one(const char *dir, const char *base, struct gnt_target **ret_target,
		    struct pcl_diag *diag)
{
	struct pcl_yaml_file *file pcl_cleanup(pcl_yaml_free) = NULL;
	char *path pcl_autofree = NULL;
	struct source source = {.diag = diag};
	int error;

	if (asprintf(&path, "%s/%s", dir, base) < 0)
		return pcl_diag_errno(diag, -ENOMEM, "%s", dir);
	error = pcl_yaml_load(path, &file, diag);
	if (error)
		return error;
	if (file->document_count != 1)
		return pcl_diag_set(diag, -EINVAL, "%s: one target a file, this has %zu", path,
				    file->document_count);
	source.file = file;
	source.root = file->documents[0];
	if (source.root->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(file, source.root, diag, -EINVAL,
				      "a target is a mapping with id, title, kernel, lsm, ...");
	return read_target(&source, base, ret_target);
}

static int is_manifest(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name), suffix_len = strlen(SUFFIX);

	return entry->d_name[0] != '.' && len > suffix_len &&
	       strcmp(entry->d_name + len - suffix_len, SUFFIX) == 0;
}

static int compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int compare_targets(const void *a, const void *b)
{
	return strcmp((*(struct gnt_target *const *)a)->id, (*(struct gnt_target *const *)b)->id);
}

int gnt_targets_load(const char *dir, struct gnt_target ***ret_targets, size_t *ret_count,
		     struct pcl_diag *diag)
{
	struct dirent **entries = NULL;
	struct gnt_target **targets;
	int count = scandir(dir, &entries, is_manifest, compare_entries);
	size_t loaded = 0;
	int error = 0;

	if (count < 0)
		return pcl_diag_errno(diag, -errno, "targets: %s", dir);
	targets = calloc((size_t)count + 1, sizeof(*targets));
	if (!targets)
		error = pcl_diag_errno(diag, -ENOMEM, "targets");
	for (int i = 0; i < count; i++) {
		if (!error && !(error = load_one(dir, entries[i]->d_name, &targets[loaded], diag)))
			loaded++;
		free(entries[i]);
	}
	free(entries);
	if (error) {
		gnt_targets_free(&targets, loaded);
		return error;
	}
	/* Sorted by id: "a+b.yaml" comes before "a.yaml", and "a" before "a+b". */
	qsort(targets, loaded, sizeof(*targets), compare_targets);
	*ret_targets = targets;
	*ret_count = loaded;
	return 0;
}
