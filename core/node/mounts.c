/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads mountinfo and follows names as bpf/mount.h does. KERNEL: mountinfo lists the mounts of a
 * namespace in the order in which they came into it; from 6.8 on in that of their unique numbers.
 */
#include "node/mounts.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

/* Mounts on mounts; more are no tree any more. */
#define DEPTH_MAX 64

/* Mountinfo writes space, tab, newline and backslash as \ooo. */
static char *unescape(const char *text)
{
	char *plain = malloc(strlen(text) + 1), *to = plain;

	while (plain && *text) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] && text[3]) {
			/* The low three bits of an octal digit's character are its value. */
			*to++ = (char)((text[1] & 7) << 6 | (text[2] & 7) << 3 | (text[3] & 7));
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	if (plain)
		*to = '\0';
	return plain;
}

/* "id parent major:minor root point ..."; a line that is not like that is no mount. */
static int read_line(char *line, struct pcl_mounts *mounts)
{
	char *rest = line, *fields[5] = {NULL};
	struct pcl_mount mount;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(fields); i++) {
		fields[i] = strsep(&rest, " \n");
		if (!fields[i])
			return 0;
	}
	if (fields[3][0] != '/' || fields[4][0] != '/')
		return 0;
	if (pcl_array_grow(&mounts->items, mounts->count, sizeof(mount)))
		return -ENOMEM;
	mount.device = strdup(fields[2]);
	mount.root = unescape(fields[3]);
	mount.point = unescape(fields[4]);
	mounts->items[mounts->count++] = mount;
	return mount.device && mount.root && mount.point ? 0 : -ENOMEM;
}

int pcl_mounts_read(const char *path, struct pcl_mounts *ret_mounts, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_mounts_fini) struct pcl_mounts mounts = {0};
	pcl_autofclose FILE *file = fopen(path, "re");
	pcl_autofree char *line = NULL;
	size_t capacity = 0;

	if (!file)
		return pcl_diag_errno(diag, -errno, "cannot read %s", path);
	while (getline(&line, &capacity, file) > 0)
		if (read_line(line, &mounts))
			return pcl_diag_set(diag, -ENOMEM, "out of memory");
	*ret_mounts = mounts;
	mounts = (struct pcl_mounts){0};
	return 0;
}

void pcl_mounts_fini(struct pcl_mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		free(mounts->items[i].device);
		free(mounts->items[i].root);
		free(mounts->items[i].point);
	}
	free(mounts->items);
	*mounts = (struct pcl_mounts){0};
}

int pcl_path_is_in(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (len && dir[len - 1] == '/')
		len--;
	return !strncmp(path, dir, len) && (path[len] == '/' || !path[len]);
}

/* What of path lies below dir, with the slash in front; "" is dir itself. */
static const char *below(const char *path, const char *dir)
{
	const char *rest = path + (dir[1] ? strlen(dir) : 0);

	return rest[0] == '/' && !rest[1] ? "" : rest;
}

/* The mount that leads to path: the deepest, and of those at one place the topmost. */
static const struct pcl_mount *mount_at(const struct pcl_mounts *mounts, const char *path)
{
	const struct pcl_mount *best = NULL;

	for (size_t i = 0; i < mounts->count; i++) {
		const struct pcl_mount *mount = &mounts->items[i];

		if (pcl_path_is_in(path, mount->point) &&
		    (!best || strlen(mount->point) >= strlen(best->point)))
			best = mount;
	}
	return best;
}

static const struct pcl_mount *oldest(const struct pcl_mounts *mounts, const char *device,
				      const char *inside)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (!strcmp(mounts->items[i].device, device) &&
		    pcl_path_is_in(inside, mounts->items[i].root))
			return &mounts->items[i];
	return NULL;
}

static int join(char joined[PATH_MAX], const char *first, const char *second)
{
	int len = snprintf(joined, PATH_MAX, "%s%s", first[1] ? first : "", second);

	if (!joined[0])
		strcpy(joined, "/");
	return len >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int name_at(const struct pcl_mounts *mounts, const char *path, int depth,
		   char name[PATH_MAX]);

/* The name of the place where mount lies: that of the directory above, and its own last part. */
static int name_of_point(const struct pcl_mounts *mounts, const struct pcl_mount *mount, int depth,
			 char name[PATH_MAX])
{
	char above[PATH_MAX], named[PATH_MAX];
	const char *slash = strrchr(mount->point, '/');
	int error;

	if (!mount->point[1]) {
		strcpy(name, "/");
		return 0;
	}
	if (strlen(mount->point) >= sizeof(above))
		return -ENAMETOOLONG;
	snprintf(above, sizeof(above), "%.*s",
		 slash == mount->point ? 1 : (int)(slash - mount->point), mount->point);
	error = name_at(mounts, above, depth - 1, named);
	return error ? error : join(name, named, slash);
}

static int name_at(const struct pcl_mounts *mounts, const char *path, int depth,
		   char name[PATH_MAX])
{
	const struct pcl_mount *reaching = mount_at(mounts, path), *naming;
	char inside[PATH_MAX], point[PATH_MAX];
	int error;

	if (!depth)
		return -ELOOP;
	if (!reaching)
		return -ENOENT;
	error = join(inside, reaching->root, below(path, reaching->point));
	if (error)
		return error;
	naming = oldest(mounts, reaching->device, inside);
	if (!naming)
		naming = reaching;
	error = name_of_point(mounts, naming, depth, point);
	return error ? error : join(name, point, below(inside, naming->root));
}

int pcl_mounts_name(const struct pcl_mounts *mounts, const char *path, char **ret_name)
{
	char name[PATH_MAX];
	int error = name_at(mounts, path, DEPTH_MAX, name);

	if (error)
		return error;
	*ret_name = strdup(name);
	return *ret_name ? 0 : -ENOMEM;
}
