/* SPDX-License-Identifier: Apache-2.0 */
/*
 * There is no way from an inode to its names but to look at all of them. Directories are kept as
 * paths in a queue, so that neither depth nor descriptors run out; what cannot be opened is left
 * out.
 */
#include "node/hard_links.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"

struct search {
	int root_fd;
	struct pcl_linked *items;
	size_t count;
	size_t open; /* items of which names are missing */
	char **dirs; /* still to be looked at */
	size_t dir_count;
	pcl_hard_link_fn fn;
	void *context;
};

static const char *relative(const char *path)
{
	return path[1] ? path + 1 : ".";
}

bool pcl_hard_linked(int root_fd, const char *path, struct pcl_linked *ret_linked)
{
	struct stat status;

	if (fstatat(root_fd, relative(path), &status, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(status.st_mode) || status.st_nlink < 2)
		return false;
	*ret_linked = (struct pcl_linked){status.st_dev, status.st_ino, status.st_nlink, 0, path};
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct pcl_linked *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* Two rules may name one file by two of its names. */
static int found(struct search *search, dev_t device, const struct dirent *entry, const char *path)
{
	const struct pcl_linked key = {.device = device, .inode = entry->d_ino};
	struct pcl_linked *item = bsearch(&key, search->items, search->count, sizeof(key), compare);
	int error = 0;

	while (item && item > search->items && !compare(item - 1, &key))
		item--;
	for (; item && !error && item < search->items + search->count && !compare(item, &key);
	     item++) {
		if (++item->found == item->links)
			search->open--;
		if (strcmp(path, item->path) != 0)
			error = search->fn(item, path, search->context);
	}
	return error;
}

static int look_at(struct search *search, const char *path, dev_t device)
{
	int fd = openat(search->root_fd, relative(path),
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	pcl_autoclosedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct stat status;
	int error = 0;

	if (!dir) {
		pcl_closep(&fd);
		return 0;
	}
	/* Another file system is mounted here. */
	if (fstat(fd, &status) < 0 || status.st_dev != device)
		return 0;
	while (!error && (entry = readdir(dir))) {
		char below[PATH_MAX];

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    snprintf(below, sizeof(below), "%s/%s", path[1] ? path : "", entry->d_name) >=
			    (int)sizeof(below))
			continue;
		if (entry->d_type == DT_DIR)
			error = pcl_strings_add(&search->dirs, &search->dir_count, below);
		else if (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN)
			error = found(search, device, entry, below);
	}
	return error;
}

/* The highest directory above path on the same file system. */
static int top_of(int root_fd, const struct pcl_linked *item, char top[PATH_MAX])
{
	char path[PATH_MAX], *slash;
	struct stat status;

	if (strlen(item->path) >= sizeof(path))
		return -ENAMETOOLONG;
	strcpy(path, item->path);
	top[0] = '\0';
	while ((slash = strrchr(path, '/'))) {
		slash[slash == path ? 1 : 0] = '\0';
		if (fstatat(root_fd, relative(path), &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    status.st_dev != item->device)
			break;
		strcpy(top, path);
		if (!path[1])
			break;
	}
	return top[0] ? 0 : -ENOENT;
}

/* One file system. Returns 0, -ETIME, or another error. */
static int look_through(struct search *search, const struct pcl_linked *item, long long end_ms)
{
	char top[PATH_MAX];
	int error = top_of(search->root_fd, item, top);

	if (error)
		return 0;
	error = pcl_strings_add(&search->dirs, &search->dir_count, top);
	while (!error && search->dir_count && search->open) {
		pcl_autofree char *path = search->dirs[--search->dir_count];

		error = now_ms() > end_ms ? -ETIME : look_at(search, path, item->device);
	}
	while (search->dir_count)
		free(search->dirs[--search->dir_count]);
	return error;
}

int pcl_hard_links_find(int root_fd, struct pcl_linked *items, size_t count, int timeout_ms,
			pcl_hard_link_fn fn, void *context, bool *ret_complete)
{
	struct search search = {.root_fd = root_fd, .items = items, .count = count, .open = count};
	long long end_ms = now_ms() + timeout_ms;
	int error = 0;

	search.fn = fn;
	search.context = context;
	if (count)
		qsort(items, count, sizeof(*items), compare);
	for (size_t i = 0; i < count && !error; i++)
		if (!i || items[i].device != items[i - 1].device)
			error = look_through(&search, &items[i], end_ms);
	free((void *)search.dirs);
	*ret_complete = !error && !search.open;
	return error == -ETIME ? 0 : error;
}
