/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of images; see image_store.h. */
#include "image_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel.h"
#include "text.h"

#define RECORD "image.json"
#define LOCK ".lock"

static int images_dir(char **ret_dir, struct pcl_diag *diag)
{
	pcl_autofree char *cache = NULL;
	int error = gnt_kernel_cache_dir(&cache, diag);

	if (error)
		return error;
	*ret_dir = gnt_text_new("%s/images", cache);
	return *ret_dir ? 0 : pcl_diag_errno(diag, -ENOMEM, "images");
}

int gnt_store_dir(const char *id, char **ret_dir, struct pcl_diag *diag)
{
	pcl_autofree char *images = NULL;
	int error = images_dir(&images, diag);

	if (error)
		return error;
	*ret_dir = gnt_text_new("%s/%s", images, id);
	return *ret_dir ? 0 : pcl_diag_errno(diag, -ENOMEM, "images");
}

int gnt_store_record(const struct gnt_image *image, json_t **ret_record, struct pcl_diag *diag)
{
	pcl_autofree char *dir = NULL, *path = NULL;
	json_error_t parse;
	json_t *record;
	int error = gnt_store_dir(image->id, &dir, diag);

	if (error)
		return error;
	path = gnt_text_new("%s/" RECORD, dir);
	if (!path)
		return pcl_diag_errno(diag, -ENOMEM, "images");
	if (access(path, R_OK) != 0)
		return image->by_hand
			       ? pcl_diag_set(
					 diag, -ENOENT,
					 "image %s is not here, and nobody publishes it: gauntlet "
					 "images import %s FILE --sha256 HEX",
					 image->id, image->id)
			       : pcl_diag_set(diag, -ENOENT,
					      "image %s is not here: gauntlet images fetch %s",
					      image->id, image->id);
	record = json_load_file(path, JSON_REJECT_DUPLICATES, &parse);
	if (!json_is_object(record)) {
		json_decref(record);
		return pcl_diag_set(diag, -EINVAL, "%s is no record of an image: fetch it again",
				    path);
	}
	*ret_record = record;
	return 0;
}

/* Makes a folder and those above it. */
static int make_dirs(const char *path, struct pcl_diag *diag)
{
	pcl_autofree char *copy = strdup(path);

	if (!copy)
		return pcl_diag_errno(diag, -ENOMEM, "%s", path);
	for (char *slash = strchr(copy + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(copy, 0777) != 0 && errno != EEXIST)
			return pcl_diag_errno(diag, -errno, "cannot make %s", copy);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

int gnt_work_open(const char *id, struct gnt_work *ret_work, struct pcl_diag *diag)
{
	pcl_autofree char *images = NULL, *dir = NULL, *lock = NULL;
	int lock_fd pcl_autoclose = -1;
	struct stat info, own;
	int error = images_dir(&images, diag);

	if (error)
		return error;
	dir = gnt_text_new("%s/.%s.new", images, id);
	lock = dir ? gnt_text_new("%s/" LOCK, dir) : NULL;
	if (!lock)
		return pcl_diag_errno(diag, -ENOMEM, "images");
	error = make_dirs(dir, diag);
	if (error)
		return error;
	lock_fd = open(lock, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (lock_fd < 0)
		return pcl_diag_errno(diag, -errno, "%s", lock);
	/* Who had it before removes the file with the lock; then this is one of nobody. */
	if (flock(lock_fd, LOCK_EX | LOCK_NB) != 0 || stat(lock, &info) != 0 ||
	    fstat(lock_fd, &own) != 0 || info.st_ino != own.st_ino)
		return pcl_diag_set(diag, -EBUSY, "image %s is being fetched by somebody else", id);
	ret_work->dir = pcl_take_ptr(dir);
	ret_work->lock_fd = pcl_take_fd(&lock_fd);
	return 0;
}

/* Files only: neither we nor a source make folders in there. */
static void empty_dir(const char *path, const char *but)
{
	DIR *dir pcl_autoclosedir = opendir(path);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    (!but || strcmp(entry->d_name, but) != 0))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
}

void gnt_work_clear(const struct gnt_work *work)
{
	if (work->dir)
		empty_dir(work->dir, LOCK);
}

int gnt_work_finish(struct gnt_work *work, const char *id, const json_t *record,
		    struct pcl_diag *diag)
{
	pcl_autofree char *dir = NULL, *old = NULL, *path = NULL, *lock = NULL;
	int error = gnt_store_dir(id, &dir, diag);

	if (error)
		return error;
	old = gnt_text_new("%s.old", dir);
	path = gnt_text_new("%s/" RECORD, work->dir);
	lock = gnt_text_new("%s/" LOCK, work->dir);
	if (!old || !path || !lock)
		return pcl_diag_errno(diag, -ENOMEM, "images");
	if (json_dump_file(record, path, JSON_INDENT(2)) != 0)
		return pcl_diag_set(diag, -EIO, "cannot write %s", path);
	(void)unlink(lock);
	if (rename(dir, old) != 0 && errno != ENOENT)
		return pcl_diag_errno(diag, -errno, "cannot replace %s", dir);
	if (rename(work->dir, dir) != 0) {
		error = -errno;
		(void)rename(old, dir);
		return pcl_diag_errno(diag, error, "cannot put %s in place", dir);
	}
	empty_dir(old, NULL);
	(void)rmdir(old);
	free(pcl_take_ptr(work->dir));
	return 0;
}

void gnt_work_fini(struct gnt_work *work)
{
	pcl_autofree char *lock = work->dir ? gnt_text_new("%s/" LOCK, work->dir) : NULL;

	if (lock)
		(void)unlink(lock);
	if (work->dir)
		(void)rmdir(work->dir);
	pcl_closep(&work->lock_fd);
	work->lock_fd = -1;
	free(pcl_take_ptr(work->dir));
}
