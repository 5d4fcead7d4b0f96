/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a folder of manifests to images, and from images to targets. An image's target is named as
 * the image, and one more for each cell; what a target says is read by target_read.c.
 */
#include "image.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "image_read.h"
#include "paths.h"
#include "target_read.h"
#include "text.h"

#define SUFFIX ".yaml"
#define IMAGES_ENV "GAUNTLET_IMAGES"
/* systemd and cloud-init do not live in what an initramfs is content with. */
#define MEMORY_DEFAULT_MIB 1024

void gnt_image_free(struct gnt_image **image_ptr)
{
	struct gnt_image *image = *image_ptr;

	*image_ptr = NULL;
	if (!image)
		return;
	free(image->id);
	free(image->title);
	free(image->manifest);
	free(image->verified_date);
	free(image->verified_sha256);
	free(image->verified_by);
	free(image->discover_url);
	free(image->discover_match);
	for (int i = 0; i < GNT_IMAGE_FILE_COUNT; i++) {
		free(image->files[i]);
		free(image->sha256[i]);
	}
	free(image->by_hand);
	free(image->sums);
	free(image->signature);
	free(image->fingerprint);
	free(image->key);
	free(image->tuf_root);
	free(image->tuf_root_sha512);
	free(image->tuf_metadata);
	free(image->tuf_targets);
	free(image->agent_dir);
	free(image->agent_label);
	free(image->user_data);
	free(image);
}

void gnt_images_free(struct gnt_image ***images, size_t count)
{
	for (size_t i = 0; *images && i < count; i++)
		gnt_image_free(&(*images)[i]);
	free(*images);
	*images = NULL;
}

int gnt_images_dir(char **ret_dir, struct pcl_diag *diag)
{
	const char *own = getenv(IMAGES_ENV);

	if (!own || !*own)
		return gnt_path_below_root(GNT_IMAGES_BELOW_ROOT, ret_dir, diag);
	*ret_dir = strdup(own);
	return *ret_dir ? 0 : pcl_diag_errno(diag, -ENOMEM, "images");
}

static int is_manifest(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name), suffix_len = strlen(SUFFIX);

	return entry->d_name[0] != '.' && len > suffix_len &&
	       strcmp(entry->d_name + len - suffix_len, SUFFIX) == 0;
}

static int open_manifest(const char *dir, const char *name, struct pcl_yaml_file **ret_file,
			 struct gnt_image **ret_image, struct pcl_diag *diag)
{
	struct pcl_yaml_file *file pcl_cleanup(pcl_yaml_free) = NULL;
	struct gnt_image *image pcl_cleanup(gnt_image_free) = NULL;
	pcl_autofree char *path = gnt_text_new("%s/%s", dir, name);
	int error =
		path ? pcl_yaml_load(path, &file, diag) : pcl_diag_errno(diag, -ENOMEM, "%s", name);

	if (error)
		return error;
	if (file->document_count != 1)
		return pcl_diag_set(diag, -EINVAL, "%s: one manifest a file, this has %zu", path,
				    file->document_count);
	error = gnt_image_read(file, &image, diag);
	if (error)
		return error;
	/* The name of the file is how people call it. */
	if (strncmp(image->id, name, strlen(name) - strlen(SUFFIX)) != 0 ||
	    strlen(image->id) != strlen(name) - strlen(SUFFIX))
		return pcl_yaml_error(file, pcl_yaml_get(file->documents[0], "id"), diag, -EINVAL,
				      "id \"%s\" must be the file's name without " SUFFIX,
				      image->id);
	*ret_file = pcl_take_ptr(file);
	*ret_image = pcl_take_ptr(image);
	return 0;
}

/* For each manifest in order of names; the callback may take the image. */
typedef int (*image_fn)(const struct pcl_yaml_file *file, struct gnt_image **image, void *context,
			struct pcl_diag *diag);

static int for_each(const char *dir, image_fn take, void *context, struct pcl_diag *diag)
{
	struct dirent **entries = NULL;
	int count = scandir(dir, &entries, is_manifest, alphasort);
	int error = 0;

	if (count < 0)
		return errno == ENOENT ? 0 : pcl_diag_errno(diag, -errno, "images: %s", dir);
	for (int i = 0; i < count; i++) {
		struct pcl_yaml_file *file pcl_cleanup(pcl_yaml_free) = NULL;
		struct gnt_image *image pcl_cleanup(gnt_image_free) = NULL;

		if (!error)
			error = open_manifest(dir, entries[i]->d_name, &file, &image, diag);
		if (!error)
			error = take(file, &image, context, diag);
		free(entries[i]);
	}
	free(entries);
	return error;
}

struct image_list {
	struct gnt_image **items;
	size_t count;
};

static int add_image(const struct pcl_yaml_file *file, struct gnt_image **image, void *context,
		     struct pcl_diag *diag)
{
	struct image_list *list = context;

	if (pcl_array_grow(&list->items, list->count, sizeof(*image)))
		return pcl_diag_errno(diag, -ENOMEM, "%s", file->name);
	list->items[list->count++] = pcl_take_ptr(*image);
	return 0;
}

int gnt_images_load(const char *dir, struct gnt_image ***ret_images, size_t *ret_count,
		    struct pcl_diag *diag)
{
	struct image_list list = {0};
	int error = for_each(dir, add_image, &list, diag);

	if (error) {
		gnt_images_free(&list.items, list.count);
		return error;
	}
	*ret_images = list.items;
	*ret_count = list.count;
	return 0;
}

/* --- targets ------------------------------------------------------------------------------------
 */

struct target_list {
	struct gnt_target ***items;
	size_t *count;
};

static int add_target(const struct pcl_yaml_file *file, const char *cell,
		      const struct pcl_yaml_node *layer, struct target_list *list,
		      struct pcl_diag *diag)
{
	const struct pcl_yaml_node *base = pcl_yaml_get(file->documents[0], "target");
	struct gnt_target *target pcl_cleanup(gnt_target_free) = calloc(1, sizeof(*target));
	int error;

	if (!target)
		return pcl_diag_errno(diag, -ENOMEM, "%s", file->name);
	target->memory_mib = MEMORY_DEFAULT_MIB;
	target->bpffs = true;
	if ((error = gnt_image_read(file, &target->image, diag)) ||
	    (error = gnt_target_read_layer(file, base, 0, target, diag)))
		return error;
	if (!target->title)
		target->title = strdup(target->image->title);
	if (layer && (error = gnt_target_read_layer(file, layer, GNT_LAYER_CELL, target, diag)))
		return error;
	error = gnt_target_check(file, base, target, diag);
	if (error)
		return error;
	target->id = gnt_text_new("%s%s%s", target->image->id, cell ? "+" : "", cell ? cell : "");
	target->version = strdup(target->kernel);
	if (!target->id || !target->version || !target->title)
		return pcl_diag_errno(diag, -ENOMEM, "%s", file->name);
	for (size_t i = 0; i < *list->count; i++) {
		if (strcmp((*list->items)[i]->id, target->id) == 0)
			return pcl_yaml_error(file, base, diag, -EEXIST, "a second target \"%s\"",
					      target->id);
	}
	if (pcl_array_grow(list->items, *list->count, sizeof(target)))
		return pcl_diag_errno(diag, -ENOMEM, "%s", file->name);
	(*list->items)[(*list->count)++] = pcl_take_ptr(target);
	return 0;
}

static int add_targets(const struct pcl_yaml_file *file, struct gnt_image **image, void *context,
		       struct pcl_diag *diag)
{
	const struct pcl_yaml_node *root = file->documents[0];
	const struct pcl_yaml_node *base = pcl_yaml_get(root, "target");
	const struct pcl_yaml_node *cells = pcl_yaml_get(root, "cells");
	struct target_list *list = context;
	int error = 0;

	(void)image;
	if (base->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(file, base, diag, -EINVAL,
				      "\"target\" is a mapping with kernel, lsm, ...");
	if (cells && cells->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(file, cells, diag, -EINVAL,
				      "\"cells\" is {NAME: {...}}: each makes a target ID+NAME");
	error = add_target(file, NULL, NULL, list, diag);
	for (size_t i = 0; cells && !error && i < cells->count; i++) {
		if (cells->items[i]->type != PCL_YAML_MAPPING)
			return pcl_yaml_error(file, cells->items[i], diag, -EINVAL,
					      "a cell is a mapping with title, lsm, ...");
		error = add_target(file, cells->keys[i]->text, cells->items[i], list, diag);
	}
	return error;
}

int gnt_images_add_targets(const char *dir, struct gnt_target ***targets, size_t *count,
			   struct pcl_diag *diag)
{
	struct target_list list = {.items = targets, .count = count};

	return for_each(dir, add_targets, &list, diag);
}
