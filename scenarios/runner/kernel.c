/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds kernels and modules. Dependencies are read from depmod's modules.dep, so nothing here knows
 * which module needs which.
 */
#include "kernel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"

/* Above any part of a version, so that the parts make one number. */
#define KERNEL_NUMBER_MAX 9999

int gnt_kernel_cache_dir(char **ret_dir, struct pcl_diag *diag)
{
	const char *own = getenv("PORTCULLIS_CACHE");
	const char *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	char *dir = NULL;
	int got;

	if (own && *own)
		got = asprintf(&dir, "%s", own);
	else if (xdg && *xdg)
		got = asprintf(&dir, "%s/portcullis", xdg);
	else if (home && *home)
		got = asprintf(&dir, "%s/.cache/portcullis", home);
	else
		return pcl_diag_set(diag, -ENOENT, "no kernel cache: set PORTCULLIS_CACHE or HOME");
	if (got < 0)
		return pcl_diag_errno(diag, -ENOMEM, "kernel cache");
	*ret_dir = dir;
	return 0;
}

void gnt_kernel_fini(struct gnt_kernel *kernel)
{
	free(kernel->image);
	free(kernel->modules_dir);
	*kernel = (struct gnt_kernel){0};
}

static char *read_first_line(const char *path)
{
	FILE *file pcl_autofclose = fopen(path, "re");
	char *line pcl_autofree = NULL;
	size_t size = 0;

	if (!file || getline(&line, &size, file) < 0)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return *line ? pcl_take_ptr(line) : NULL;
}

int gnt_kernel_find(const char *series, struct gnt_kernel *ret_kernel, struct pcl_diag *diag)
{
	struct gnt_kernel kernel pcl_cleanup(gnt_kernel_fini) = {0};
	char *cache pcl_autofree = NULL, *release_path pcl_autofree = NULL;
	char *release pcl_autofree = NULL;
	int error = gnt_kernel_cache_dir(&cache, diag);

	if (error)
		return error;
	if (asprintf(&kernel.image, "%s/kernels/%s/vmlinuz", cache, series) < 0 ||
	    asprintf(&release_path, "%s/kernels/%s/release", cache, series) < 0)
		return pcl_diag_errno(diag, -ENOMEM, "kernel %s", series);
	if (access(kernel.image, R_OK) < 0)
		return pcl_diag_set(diag, -ENOENT,
				    "no kernel %s in the cache (%s): run scripts/kernels %s",
				    series, kernel.image, series);
	release = read_first_line(release_path);
	if (!release)
		return pcl_diag_set(
			diag, -ENOENT,
			"kernel %s in the cache is not whole (%s): run scripts/kernels %s", series,
			release_path, series);
	if (asprintf(&kernel.modules_dir, "%s/kernels/%s/modules/lib/modules/%s", cache, series,
		     release) < 0)
		return pcl_diag_errno(diag, -ENOMEM, "kernel %s", series);
	*ret_kernel = kernel;
	kernel = (struct gnt_kernel){0};
	return 0;
}

int gnt_kernel_version(const char *series, char **ret_version, struct pcl_diag *diag)
{
	char *cache pcl_autofree = NULL, *path pcl_autofree = NULL, *release pcl_autofree = NULL;
	int major, minor, error = gnt_kernel_cache_dir(&cache, diag);

	if (error)
		return error;
	if (asprintf(&path, "%s/kernels/%s/release", cache, series) < 0)
		return pcl_diag_errno(diag, -ENOMEM, "kernel %s", series);
	release = read_first_line(path);
	if (!release || sscanf(release, "%d.%d", &major, &minor) != 2)
		return pcl_diag_set(diag, -ENOENT,
				    "no kernel %s in the cache (%s): run scripts/kernels %s",
				    series, path, series);
	return asprintf(ret_version, "%d.%d", major, minor) < 0
		       ? pcl_diag_errno(diag, -ENOMEM, "kernel %s", series)
		       : 0;
}

int gnt_kernel_own(const char *image, const char *modules_dir, struct gnt_kernel *ret_kernel,
		   struct pcl_diag *diag)
{
	struct gnt_kernel kernel pcl_cleanup(gnt_kernel_fini) = {0};

	if (access(image, R_OK) < 0)
		return pcl_diag_errno(diag, -errno, "kernel %s", image);
	kernel.image = strdup(image);
	kernel.modules_dir = modules_dir ? strdup(modules_dir) : NULL;
	if (!kernel.image || (modules_dir && !kernel.modules_dir))
		return pcl_diag_errno(diag, -ENOMEM, "kernel %s", image);
	*ret_kernel = kernel;
	kernel = (struct gnt_kernel){0};
	return 0;
}

/* A list of owned strings. */
struct file_list {
	char **items;
	size_t count;
};

static void file_list_fini(struct file_list *list)
{
	pcl_strings_free(&list->items, &list->count);
}

/* Each file once, at its first place. */
static int file_list_add(struct file_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], name) == 0)
			return 0;
	}
	return pcl_strings_add(&list->items, &list->count, name);
}

/* Whether path ("kernel/drivers/char/virtio_console.ko") is module name; '-' and '_' are one. */
static bool is_module(const char *path, size_t path_len, const char *name)
{
	size_t start = path_len, i = 0;

	while (start && path[start - 1] != '/')
		start--;
	for (; name[i]; i++) {
		char a = name[i] == '-' ? '_' : name[i];
		char b = start + i < path_len ? path[start + i] : '\0';

		if (a != (b == '-' ? '_' : b))
			return false;
	}
	return strncmp(path + start + i, ".ko", 3) == 0;
}

/* The line of an index file (modules.dep, modules.builtin) for name, owned, or NULL. */
static char *find_line(const char *dir, const char *index, const char *name)
{
	char *path pcl_autofree = NULL, *line pcl_autofree = NULL;
	FILE *file pcl_autofclose = NULL;
	size_t size = 0;

	if (asprintf(&path, "%s/%s", dir, index) < 0)
		return NULL;
	file = fopen(path, "re");
	while (file && getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		if (is_module(line, strcspn(line, ":"), name))
			return pcl_take_ptr(line);
	}
	return NULL;
}

/* A line of modules.dep: "file: needed-last ... needed-first". */
static int add_with_dependencies(struct file_list *list, char *line)
{
	char *colon = strchr(line, ':');
	char *space;
	int error = 0;

	if (!colon)
		return -EINVAL;
	*colon = '\0';
	while (!error && (space = strrchr(colon + 1, ' ')) != NULL) {
		if (space[1])
			error = file_list_add(list, space + 1);
		*space = '\0';
	}
	if (!error && colon[1])
		error = file_list_add(list, colon + 1);
	return error ? error : file_list_add(list, line);
}

int gnt_kernel_modules(const struct gnt_kernel *kernel, char *const *names, size_t name_count,
		       char ***ret_files, size_t *ret_count, struct pcl_diag *diag)
{
	struct file_list list pcl_cleanup(file_list_fini) = {0};

	for (size_t i = 0; kernel->modules_dir && i < name_count; i++) {
		char *line pcl_autofree = find_line(kernel->modules_dir, "modules.dep", names[i]);
		char *builtin pcl_autofree = NULL;
		int error;

		if (!line) {
			builtin = find_line(kernel->modules_dir, "modules.builtin", names[i]);
			if (builtin)
				continue;
			return pcl_diag_set(diag, -ENOENT,
					    "module %s is neither in %s/modules.dep nor built in: "
					    "wrong name, or no depmod",
					    names[i], kernel->modules_dir);
		}
		error = add_with_dependencies(&list, line);
		if (error)
			return pcl_diag_errno(diag, error, "module %s", names[i]);
	}
	*ret_count = list.count;
	*ret_files = pcl_take_ptr(list.items);
	list.count = 0;
	return 0;
}

bool gnt_kernel_has_module(const struct gnt_kernel *kernel, const char *name)
{
	static const char *const indexes[] = {"modules.dep", "modules.builtin"};

	for (size_t i = 0; kernel->modules_dir && i < PCL_ARRAY_SIZE(indexes); i++) {
		char *line pcl_autofree = find_line(kernel->modules_dir, indexes[i], name);

		if (line)
			return true;
	}
	return false;
}

int gnt_kernel_number(const char *release)
{
	char *end;
	unsigned long major = strtoul(release, &end, 10), minor;

	if (end == release || *end != '.' || major > KERNEL_NUMBER_MAX)
		return -EINVAL;
	release = end + 1;
	minor = strtoul(release, &end, 10);
	if (end == release || minor > KERNEL_NUMBER_MAX)
		return -EINVAL;
	return (int)(major * (KERNEL_NUMBER_MAX + 1) + minor);
}
