/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tamper OPERATION PATH [OTHER]: changes a file or its name without opening it: unlink, rename,
 * link, symlink, truncate, chmod, mkdir, relabel. symlink makes PATH point to OTHER, relabel gives
 * it OTHER as its SELinux label.
 */
#include <sys/stat.h>
#include <sys/xattr.h>

#include "replay.h"

#define USAGE                                                                                      \
	"tamper unlink|truncate|chmod|mkdir PATH, or tamper rename|link|symlink|relabel PATH OTHER"

static int do_unlink(const char *path, const char *other)
{
	(void)other;
	return unlink(path);
}

static int do_rename(const char *path, const char *other)
{
	return rename(path, other);
}

static int do_link(const char *path, const char *other)
{
	return link(path, other);
}

static int do_symlink(const char *path, const char *other)
{
	return symlink(other, path);
}

static int do_truncate(const char *path, const char *other)
{
	(void)other;
	return truncate(path, 0);
}

static int do_chmod(const char *path, const char *other)
{
	(void)other;
	return chmod(path, 04777);
}

static int do_mkdir(const char *path, const char *other)
{
	(void)other;
	return mkdir(path, 0755);
}

static int do_relabel(const char *path, const char *other)
{
	return lsetxattr(path, "security.selinux", other, strlen(other) + 1, 0);
}

static const struct {
	const char *name;
	int argc;
	int (*run)(const char *path, const char *other);
} operations[] = {
	{"unlink", 3, do_unlink},     {"rename", 4, do_rename},	  {"link", 4, do_link},
	{"symlink", 4, do_symlink},   {"chmod", 3, do_chmod},	  {"mkdir", 3, do_mkdir},
	{"truncate", 3, do_truncate}, {"relabel", 4, do_relabel},
};

int main(int argc, char **argv)
{
	if (argc < 3)
		return replay_usage(USAGE);
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (strcmp(operations[i].name, argv[1]) != 0 || operations[i].argc != argc)
			continue;
		if (operations[i].run(argv[2], argc > 3 ? argv[3] : NULL) != 0)
			return replay_refused(operations[i].name, errno);
		return replay_done(operations[i].name, argv[2], strlen(argv[2]));
	}
	return replay_usage(USAGE);
}
