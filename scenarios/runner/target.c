/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a directory of manifests to targets: which layers make one (the manifest it is like, its own
 * keys, a cell's), what it is called, and that no two have one name. The keys themselves are read
 * by target_read.c.
 */
#include "target.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/yaml.h"
#include "image.h"
#include "kernel.h"
#include "target_read.h"
#include "text.h"

#define SUFFIX ".yaml"
#define MEMORY_DEFAULT_MIB 256
/* "a is like b" leads somewhere: a circle, or more steps than anybody can follow, is a mistake. */
#define LIKE_MAX 4

void gnt_target_free(struct gnt_target **target_ptr)
{
	struct gnt_target *target = *target_ptr;

	*target_ptr = NULL;
	if (!target)
		return;
	free(target->id);
	free(target->alias);
	free(target->title);
	free(target->stands_for);
	free(target->kernel);
	free(target->version);
	free(target->cmdline);
	free(target->selinux_policy);
	free(target->lockdown);
	pcl_strings_free(&target->differences, &target->difference_count);
	pcl_strings_free(&target->lsm, &target->lsm_count);
	pcl_strings_free(&target->modules, &target->module_count);
	pcl_strings_free(&target->userland, &target->userland_count);
	pcl_strings_free(&target->apparmor, &target->apparmor_count);
	for (size_t i = 0; i < target->mount_count; i++) {
		free(target->mounts[i].path);
		free(target->mounts[i].type);
		free(target->mounts[i].options);
	}
	free(target->mounts);
	for (size_t i = 0; i < target->known_count; i++) {
		free(target->known[i].test_case);
		free(target->known[i].verdict);
		free(target->known[i].reason);
	}
	free(target->known);
	gnt_image_free(&target->image);
	free(target);
}

void gnt_targets_free(struct gnt_target ***targets, size_t count)
{
	for (size_t i = 0; *targets && i < count; i++)
		gnt_target_free(&(*targets)[i]);
	free(*targets);
	*targets = NULL;
}

bool gnt_target_has_lsm(const struct gnt_target *target, const char *lsm)
{
	for (size_t i = 0; i < target->lsm_count; i++) {
		if (strcmp(target->lsm[i], lsm) == 0)
			return true;
	}
	return false;
}

const struct gnt_known *gnt_target_known(const struct gnt_target *target, const char *case_id)
{
	for (size_t i = 0; i < target->known_count; i++) {
		if (fnmatch(target->known[i].test_case, case_id, 0) == 0)
			return &target->known[i];
	}
	return NULL;
}

/* What is being read. */
struct loader {
	const char *dir;
	struct pcl_diag *diag;
	struct gnt_target **targets;
	size_t count;
};

static int no_memory(const struct loader *loader)
{
	return pcl_diag_errno(loader->diag, -ENOMEM, "targets of %s", loader->dir);
}

static int open_manifest(const struct loader *loader, const char *name,
			 struct pcl_yaml_file **ret_file)
{
	struct pcl_yaml_file *file pcl_cleanup(pcl_yaml_free) = NULL;
	pcl_autofree char *path = gnt_text_new("%s/%s" SUFFIX, loader->dir, name);
	int error;

	if (!path)
		return no_memory(loader);
	error = pcl_yaml_load(path, &file, loader->diag);
	if (error)
		return error;
	if (file->document_count != 1)
		return pcl_diag_set(loader->diag, -EINVAL, "%s: one manifest a file, this has %zu",
				    path, file->document_count);
	if (file->documents[0]->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(file, file->documents[0], loader->diag, -EINVAL,
				      "a target is a mapping with id, title, kernel, lsm, ...");
	*ret_file = pcl_take_ptr(file);
	return 0;
}

/* A manifest and, behind it, those that it is like. */
struct chain {
	struct pcl_yaml_file *files[LIKE_MAX];
	size_t count;
};

static void chain_fini(struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		pcl_yaml_free(&chain->files[i]);
}

static int open_chain(const struct loader *loader, const char *name, struct chain *chain)
{
	pcl_autofree char *next = strdup(name);

	while (next) {
		const struct pcl_yaml_file *from =
			chain->count ? chain->files[chain->count - 1] : NULL;
		int error;

		if (chain->count == LIKE_MAX)
			return pcl_yaml_error(from, pcl_yaml_get(from->documents[0], "like"),
					      loader->diag, -ELOOP,
					      "like \"%s\": a circle, or more than %d manifests",
					      next, LIKE_MAX);
		error = open_manifest(loader, next, &chain->files[chain->count]);
		if (error)
			return from ? pcl_diag_context(loader->diag, error, "%s: like", from->name)
				    : error;
		chain->count++;
		free(pcl_take_ptr(next));
		error = gnt_target_read_string(chain->files[chain->count - 1],
					       chain->files[chain->count - 1]->documents[0], "like",
					       &next, loader->diag);
		if (error)
			return error;
	}
	return chain->count ? 0 : no_memory(loader);
}

/* The cells of a manifest, or of the nearest that it is like. Borrowed, or NULL. */
static const struct pcl_yaml_node *cells_of(const struct chain *chain, size_t *ret_owner)
{
	for (size_t i = 0; i < chain->count; i++) {
		const struct pcl_yaml_node *cells =
			pcl_yaml_get(chain->files[i]->documents[0], "cells");

		*ret_owner = i;
		if (cells)
			return cells;
	}
	return NULL;
}

/*
 * A kernel without a minor number ("7") is the newest of its series, as the cache has it: then the
 * version is "7.3", and an id that ends in the series names the version. Without that kernel in the
 * cache the version is the series, and the boot says how to get one.
 */
static int name_version(const struct loader *loader, struct gnt_target *target, const char *name,
			const char *cell)
{
	size_t name_len = strlen(name), kernel_len = strlen(target->kernel);
	pcl_autofree char *version = NULL;
	bool in_name;
	int error = 0;

	if (!strchr(target->kernel, '.'))
		error = gnt_kernel_version(target->kernel, &version, NULL);
	target->version = error || !version ? strdup(target->kernel) : pcl_take_ptr(version);
	if (!target->version)
		return no_memory(loader);
	in_name = strcmp(target->version, target->kernel) != 0 && name_len > kernel_len &&
		  name[name_len - kernel_len - 1] == '-' &&
		  strcmp(name + name_len - kernel_len, target->kernel) == 0;
	target->id =
		gnt_text_new("%.*s%s%s%s", (int)(in_name ? name_len - kernel_len : name_len), name,
			     in_name ? target->version : "", cell ? "+" : "", cell ? cell : "");
	if (in_name)
		target->alias = gnt_text_new("%s%s%s", name, cell ? "+" : "", cell ? cell : "");
	return target->id && (!in_name || target->alias) ? 0 : no_memory(loader);
}

static int refuse_second(const struct loader *loader, const struct pcl_yaml_file *file,
			 const struct pcl_yaml_node *node, const struct gnt_target *target)
{
	for (size_t i = 0; i < loader->count; i++) {
		if (strcmp(loader->targets[i]->id, target->id) == 0)
			return pcl_yaml_error(file, node, loader->diag, -EEXIST,
					      "a second target \"%s\"", target->id);
	}
	return 0;
}

/* One target: the layers of the chain from its end, and then the cell's if it is one. */
static int add_target(struct loader *loader, const struct chain *chain, const char *name,
		      const char *cell, size_t owner, const struct pcl_yaml_node *layer)
{
	struct gnt_target *target pcl_cleanup(gnt_target_free) = calloc(1, sizeof(*target));
	const struct pcl_yaml_file *file = chain->files[0];
	int error = 0;

	if (!target)
		return no_memory(loader);
	target->memory_mib = MEMORY_DEFAULT_MIB;
	target->bpffs = true;
	for (size_t i = chain->count; !error && i-- > 0;) {
		/* Likeness is of shape: what it is and stands for, each says for itself. */
		free(pcl_take_ptr(target->title));
		free(pcl_take_ptr(target->stands_for));
		target->usual = false;
		error = gnt_target_read_layer(chain->files[i], chain->files[i]->documents[0], 0,
					      target, loader->diag);
	}
	if (!error && layer) {
		target->usual = false;
		error = gnt_target_read_layer(chain->files[owner], layer, GNT_LAYER_CELL, target,
					      loader->diag);
	}
	if (!error)
		error = gnt_target_check(file, file->documents[0], target, loader->diag);
	if (!error)
		error = name_version(loader, target, name, cell);
	if (!error)
		error = refuse_second(loader, file, file->documents[0], target);
	if (!error && pcl_array_grow(&loader->targets, loader->count, sizeof(target)))
		error = no_memory(loader);
	if (!error)
		loader->targets[loader->count++] = pcl_take_ptr(target);
	return error;
}

/* The name of the file is how people and results call a target, so the two must agree. */
static int check_id(const struct loader *loader, const struct pcl_yaml_file *file, const char *name)
{
	const struct pcl_yaml_node *root = file->documents[0];
	pcl_autofree char *id = NULL;
	int error = gnt_target_read_string(file, root, "id", &id, loader->diag);

	if (error)
		return error;
	if (!id)
		return pcl_yaml_error(file, root, loader->diag, -EINVAL,
				      "the target has no \"id\"");
	if (strcmp(id, name) != 0)
		return pcl_yaml_error(file, pcl_yaml_get(root, "id"), loader->diag, -EINVAL,
				      "id \"%s\" must be the file's name without " SUFFIX, id);
	return 0;
}

static int load_manifest(struct loader *loader, const char *name)
{
	struct chain chain pcl_cleanup(chain_fini) = {0};
	const struct pcl_yaml_node *cells;
	size_t owner = 0;
	int error = open_chain(loader, name, &chain);

	if (!error)
		error = check_id(loader, chain.files[0], name);
	if (!error)
		error = add_target(loader, &chain, name, NULL, 0, NULL);
	if (error)
		return error;
	cells = cells_of(&chain, &owner);
	if (cells && cells->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(chain.files[owner], cells, loader->diag, -EINVAL,
				      "\"cells\" is {NAME: {...}}: each makes a target ID+NAME");
	for (size_t i = 0; cells && !error && i < cells->count; i++) {
		if (cells->items[i]->type != PCL_YAML_MAPPING)
			error = pcl_yaml_error(chain.files[owner], cells->items[i], loader->diag,
					       -EINVAL, "a cell is a mapping with title, lsm, ...");
		else
			error = add_target(loader, &chain, name, cells->keys[i]->text, owner,
					   cells->items[i]);
	}
	return error;
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
	struct loader loader = {.dir = dir, .diag = diag};
	struct dirent **entries = NULL;
	int count = scandir(dir, &entries, is_manifest, compare_entries);
	int error = 0;

	if (count < 0)
		return pcl_diag_errno(diag, -errno, "targets: %s", dir);
	for (int i = 0; i < count; i++) {
		entries[i]->d_name[strlen(entries[i]->d_name) - strlen(SUFFIX)] = '\0';
		if (!error)
			error = load_manifest(&loader, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (error) {
		gnt_targets_free(&loader.targets, loader.count);
		return error;
	}
	if (loader.count)
		qsort(loader.targets, loader.count, sizeof(*loader.targets), compare_targets);
	*ret_targets = loader.targets;
	*ret_count = loader.count;
	return 0;
}
