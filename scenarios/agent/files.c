/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File operations for setting a case up, looking at its canaries and cleaning up after it.
 *
 * The agent is a process of the guest like any other: a policy on the host binds it too, and then
 * the reply has the error. Files are replaced by renaming, so an old symbolic link is never
 * written through.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"

/* Descriptors that the walk of a tree may hold; deeper trees are walked all the same. */
#define WALK_FDS 16

int agt_files_mkdirs(const char *path, mode_t mode)
{
	char *copy pcl_autofree = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *at = copy + 1; *copy && *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	if (mkdir(copy, mode) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

static int make_parents(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *parent pcl_autofree =
		slash && slash != path ? strndup(path, (size_t)(slash - path)) : NULL;

	return parent ? agt_files_mkdirs(parent, 0755) : 0;
}

/* A new file beside path, to be renamed over it. */
static int open_beside(const char *path, char **ret_temporary)
{
	char *name pcl_autofree = NULL;
	int fd, error = make_parents(path);

	if (error)
		return error;
	if (asprintf(&name, "%s.agent-new", path) < 0)
		return -ENOMEM;
	(void)unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	*ret_temporary = pcl_take_ptr(name);
	return fd;
}

static int finish_beside(int fd, const char *temporary, const char *path, mode_t mode)
{
	int error = 0;

	if (fchmod(fd, mode) < 0 || rename(temporary, path) < 0)
		error = -errno;
	if (error)
		(void)unlink(temporary);
	return error;
}

static int write_file(const char *path, mode_t mode, const char *data, size_t data_len)
{
	char *temporary pcl_autofree = NULL;
	int fd pcl_autoclose = open_beside(path, &temporary);

	if (fd < 0)
		return fd;
	while (data_len) {
		ssize_t put = write(fd, data, data_len);

		if (put < 0) {
			int error = -errno;

			(void)unlink(temporary);
			return error;
		}
		data += put;
		data_len -= (size_t)put;
	}
	return finish_beside(fd, temporary, path, mode);
}

int agt_put(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	const json_t *text = json_object_get(request, "text");
	const char *base64 = json_string_value(json_object_get(request, "base64"));
	const char *path;
	void *data pcl_autofree = NULL;
	size_t data_len = 0;
	mode_t mode;
	int error = agt_text_member(request, "path", &path, diag);

	(void)reply;
	if (error || (error = agt_text_mode(request, 0644, &mode, diag)))
		return error;
	if (json_is_string(text) == (base64 != NULL))
		return pcl_diag_set(diag, -EINVAL, "put %s: give one of \"text\", \"base64\"",
				    path);
	if (base64 && (error = agt_text_from_base64(base64, &data, &data_len)))
		return pcl_diag_errno(diag, error, "put %s: base64", path);
	error = base64 ? write_file(path, mode, data, data_len)
		       : write_file(path, mode, json_string_value(text), json_string_length(text));
	return error ? pcl_diag_errno(diag, error, "put %s", path) : 0;
}

/* The whole of a file up to AGT_FILE_MAX; one that is longer is refused, never cut. */
static int read_file(const char *path, char **ret_data, size_t *ret_len)
{
	int fd pcl_autoclose = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *data pcl_autofree = malloc(AGT_FILE_MAX + 1);
	size_t len = 0;

	if (fd < 0)
		return -errno;
	if (!data)
		return -ENOMEM;
	while (len <= AGT_FILE_MAX) {
		ssize_t got = read(fd, data + len, AGT_FILE_MAX + 1 - len);

		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	if (len > AGT_FILE_MAX)
		return -EFBIG;
	*ret_data = pcl_take_ptr(data);
	*ret_len = len;
	return 0;
}

int agt_get(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	char *data pcl_autofree = NULL, *base64 pcl_autofree = NULL;
	const char *path;
	size_t len = 0;
	json_t *text;
	int error = agt_text_member(request, "path", &path, diag);

	if (error)
		return error;
	error = read_file(path, &data, &len);
	if (error)
		return pcl_diag_errno(diag, error, "get %s", path);
	text = memchr(data, '\0', len) ? NULL : json_stringn(data, len);
	if (text)
		return json_object_set_new(reply, "text", text);
	error = agt_text_to_base64(data, len, &base64);
	if (error)
		return pcl_diag_errno(diag, error, "get %s", path);
	return json_object_set_new(reply, "base64", json_string(base64));
}

int agt_mkdir(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	const char *path;
	mode_t mode;
	int error = agt_text_member(request, "path", &path, diag);

	(void)reply;
	if (error || (error = agt_text_mode(request, 0755, &mode, diag)))
		return error;
	error = agt_files_mkdirs(path, mode);
	/* The mode of a directory that was there, or that the umask changed, is set here. */
	if (!error && chmod(path, mode) < 0)
		error = -errno;
	return error ? pcl_diag_errno(diag, error, "mkdir %s", path) : 0;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path) < 0 ? -errno : 0;
}

int agt_unlink(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	const char *path;
	struct stat info;
	int error = agt_text_member(request, "path", &path, diag);

	(void)reply;
	if (error)
		return error;
	if (lstat(path, &info) < 0)
		error = errno == ENOENT ? 0 : -errno;
	else if (S_ISDIR(info.st_mode))
		error = nftw(path, remove_entry, WALK_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	else if (unlink(path) < 0)
		error = -errno;
	return error ? pcl_diag_errno(diag, error, "unlink %s", path) : 0;
}

int agt_files_copy(const char *from, const char *to, mode_t mode)
{
	char *temporary pcl_autofree = NULL;
	int from_fd pcl_autoclose = open(from, O_RDONLY | O_CLOEXEC);
	int to_fd pcl_autoclose = -1;
	ssize_t sent;

	if (from_fd < 0)
		return -errno;
	to_fd = open_beside(to, &temporary);
	if (to_fd < 0)
		return to_fd;
	while ((sent = sendfile(to_fd, from_fd, NULL, 1u << 20)) > 0)
		continue;
	if (sent < 0) {
		int error = -errno;

		(void)unlink(temporary);
		return error;
	}
	return finish_beside(to_fd, temporary, to, mode);
}

int agt_copy(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	const char *from, *to;
	struct stat info;
	mode_t mode;
	int error = agt_text_member(request, "from", &from, diag);

	(void)reply;
	if (error || (error = agt_text_member(request, "to", &to, diag)))
		return error;
	if (stat(from, &info) < 0)
		return pcl_diag_errno(diag, -errno, "copy %s", from);
	error = agt_text_mode(request, info.st_mode & 07777, &mode, diag);
	if (error)
		return error;
	error = agt_files_copy(from, to, mode);
	return error ? pcl_diag_errno(diag, error, "copy %s to %s", from, to) : 0;
}

static void add_digest(json_t *reply, const char *path)
{
	int fd pcl_autoclose = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint8_t digest[AGT_SHA256_LEN];
	char text[2 * AGT_SHA256_LEN + 1];
	int error = fd < 0 ? -errno : agt_sha256_fd(fd, digest);

	if (error) {
		(void)json_object_set_new(reply, "sha256_errno", json_integer(-error));
		return;
	}
	for (size_t i = 0; i < AGT_SHA256_LEN; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
	(void)json_object_set_new(reply, "sha256", json_string(text));
}

/* Extended attributes as "name=hex " one after the other; what does not fit is left out. */
static void add_xattrs(char *text, size_t size, const char *path)
{
	char names[1024];
	unsigned char value[128];
	ssize_t len = llistxattr(path, names, sizeof(names));
	size_t used = strlen(text);

	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t value_len = lgetxattr(path, names + at, value, sizeof(value));

		used += (size_t)snprintf(text + used, size - used, " %s=", names + at);
		for (ssize_t i = 0; i < value_len && used + 3 < size; i++)
			used += (size_t)snprintf(text + used, size - used, "%02x", value[i]);
		if (used + 3 >= size)
			return;
	}
}

/* The flags that chattr sets; 0 where the file system has none. */
static int flags_of(const char *path, const struct stat *info)
{
	int fd pcl_autoclose = -1, flags = 0;

	if (!S_ISREG(info->st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 ? flags : 0;
}

/* All else that an attack may change without touching the content, as one text to compare. */
static void add_marks(json_t *reply, const char *path, const struct stat *info)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%u:%u %x %lld.%09ld", info->st_uid, info->st_gid,
		       (unsigned)flags_of(path, info), (long long)info->st_mtim.tv_sec,
		       info->st_mtim.tv_nsec);
	add_xattrs(text, sizeof(text), path);
	(void)json_object_set_new(reply, "marks", agt_text_json(text, strlen(text)));
}

static const char *kind_of(mode_t mode)
{
	if (S_ISREG(mode))
		return "file";
	if (S_ISDIR(mode))
		return "directory";
	return S_ISLNK(mode) ? "symlink" : "other";
}

int agt_stat(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	const char *path;
	struct stat info;
	int error = agt_text_member(request, "path", &path, diag);

	if (error)
		return error;
	if (lstat(path, &info) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return pcl_diag_errno(diag, -errno, "stat %s", path);
		return json_object_set_new(reply, "exists", json_false());
	}
	(void)json_object_set_new(reply, "exists", json_true());
	(void)json_object_set_new(reply, "type", json_string(kind_of(info.st_mode)));
	(void)json_object_set_new(reply, "size", json_integer(info.st_size));
	(void)json_object_set_new(reply, "mode", json_integer(info.st_mode & 07777));
	(void)json_object_set_new(reply, "uid", json_integer(info.st_uid));
	(void)json_object_set_new(reply, "inode", json_integer((json_int_t)info.st_ino));
	add_marks(reply, path, &info);
	if (S_ISREG(info.st_mode))
		add_digest(reply, path);
	return 0;
}
