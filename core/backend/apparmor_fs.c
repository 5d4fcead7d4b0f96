/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain reads and writes: there is one write for a set of profiles and nothing that libapparmor
 * would do better, and its kernel interface writes files one at a time.
 */
#include "backend/apparmor_fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/apparmor_plan.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/fault.h"

#define APPARMOR_DIR "/sys/kernel/security/apparmor"
#define FEATURES_DIR APPARMOR_DIR "/features"
#define PROFILES_FILE APPARMOR_DIR "/profiles"
/* Two levels are known; a loop is impossible, but a depth must end somewhere. */
#define FEATURES_DEPTH_MAX 8

/* --- features -------------------------------------------------------------------------------- */

static int print_directory(FILE *out, const char *path, unsigned depth);

static int print_value(FILE *out, const char *path)
{
	pcl_autofclose FILE *in = fopen(path, "re");
	char buffer[4096];
	size_t len;

	if (!in)
		return -errno;
	while ((len = fread(buffer, 1, sizeof(buffer), in)))
		(void)fwrite(buffer, 1, len, out);
	return ferror(in) ? -EIO : 0;
}

static int print_entry(FILE *out, const char *dir, const char *name, unsigned depth)
{
	pcl_autofree char *path = NULL;
	struct stat status;
	int error;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return -ENOMEM;
	if (stat(path, &status) < 0)
		return -errno;
	(void)fprintf(out, "%s {", name);
	error = S_ISDIR(status.st_mode) ? print_directory(out, path, depth + 1)
					: print_value(out, path);
	(void)fputs("}\n", out);
	return error;
}

/* Sorted, so that the same features are the same text. */
static int print_directory(FILE *out, const char *path, unsigned depth)
{
	struct dirent **entries = NULL;
	int count = depth < FEATURES_DEPTH_MAX ? scandir(path, &entries, NULL, alphasort) : -1;
	int error = count < 0 ? -errno : 0;

	for (int i = 0; i < count; i++) {
		if (!error && entries[i]->d_name[0] != '.')
			error = print_entry(out, path, entries[i]->d_name, depth);
		free(entries[i]);
	}
	free(entries);
	return error;
}

int pcl_apparmor_features_read(char **ret_text, struct pcl_diag *diag)
{
	pcl_autofree char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int error;

	if (!out)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	error = print_directory(out, FEATURES_DIR, 0);
	if (fclose(out) != 0 && !error)
		error = -ENOMEM;
	if (error)
		return pcl_diag_errno(diag, error,
				      "apparmor: cannot read what the kernel mediates in %s",
				      FEATURES_DIR);
	*ret_text = pcl_take_ptr(text);
	return 0;
}

/* --- profiles -------------------------------------------------------------------------------- */

/* A line is "NAME (MODE)"; the name may hold blanks. */
static bool cut_mode(char *line)
{
	char *mode = strrchr(line, '(');

	if (!mode || mode == line || mode[-1] != ' ')
		return false;
	mode[-1] = '\0';
	return true;
}

static bool is_ours(const char *name)
{
	return !strncmp(name, PCL_APPARMOR_PREFIX, strlen(PCL_APPARMOR_PREFIX)) ||
	       !strncmp(name, PCL_APPARMOR_MARK, strlen(PCL_APPARMOR_MARK));
}

int pcl_apparmor_profiles_list(char ***ret_names, size_t *ret_count, struct pcl_diag *diag)
{
	pcl_autofclose FILE *file = fopen(PROFILES_FILE, "re");
	pcl_autofree char *line = NULL;
	size_t size = 0, count = 0;
	char **names = NULL;
	int error = 0;

	if (!file && errno != ENOENT)
		return pcl_diag_errno(diag, -errno, "apparmor: cannot read " PROFILES_FILE);
	while (file && !error && getline(&line, &size, file) >= 0)
		if (cut_mode(line) && is_ours(line))
			error = pcl_strings_add(&names, &count, line);
	if (file && ferror(file))
		error = -EIO;
	if (error) {
		pcl_strings_free(&names, &count);
		return pcl_diag_errno(diag, error, "apparmor: cannot read " PROFILES_FILE);
	}
	*ret_names = names;
	*ret_count = count;
	return 0;
}

static int try_write(const char *path, const void *data, size_t len)
{
	pcl_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	/*
	 * KERNEL: what one write at offset 0 holds is loaded as a whole or not at all, so a short
	 * write is never resumed. It may say that it took more than it was given (a compressed
	 * copy is counted), so only a failure counts.
	 */
	return write(fd, data, len) < 0 ? -errno : 0;
}

/*
 * KERNEL: a task whose profile was replaced or removed takes its new label as it asks for something
 * next, and what it opened under the old one is then refused to it as another's. So once more.
 */
static int write_once(const char *path, const void *data, size_t len)
{
	int error = try_write(path, data, len);

	return error == -EACCES ? try_write(path, data, len) : error;
}

static const char *load_hint(int error)
{
	switch (error) {
	case -EPROTO:
	case -EPROTONOSUPPORT:
		return " (the parser's format is not this kernel's: is it of another release?)";
	case -EACCES:
	case -EPERM:
		return " (this needs CAP_MAC_ADMIN, and policy that is not locked)";
	default:
		return "";
	}
}

int pcl_apparmor_profiles_load(const void *set, size_t len, struct pcl_diag *diag)
{
	int error = pcl_fault_fails("apparmor: profiles are loaded", diag);

	if (error)
		return error;
	error = write_once(APPARMOR_DIR "/.replace", set, len);
	if (error)
		return pcl_diag_errno(diag, error,
				      "apparmor: the kernel does not take the profiles%s",
				      load_hint(error));
	return 0;
}

int pcl_apparmor_profile_unload(const char *name, struct pcl_diag *diag)
{
	int error = write_once(APPARMOR_DIR "/.remove", name, strlen(name));

	if (error && error != -ENOENT)
		return pcl_diag_errno(diag, error, "apparmor: cannot remove profile %s", name);
	return 0;
}
