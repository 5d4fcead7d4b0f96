/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container root file systems. "Own" is made of real copies, never of bind mounts or hard links:
 * a policy for the container must be seen to hold for its file and not for the host's twin.
 */
#include "rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"

#define WALK_FDS 16

/* What the userland is; modules stay out, and of /opt/gauntlet only what an attack needs. */
static const char *const copied_trees[] = {"/usr/bin", "/usr/sbin", "/etc",
					   "/opt/gauntlet/attacks"};
static const char *const copied_files[] = {"/opt/gauntlet/busybox", "/opt/gauntlet/latency",
					   "/opt/gauntlet/nop"};
static const char *const merged[] = {"bin", "sbin", "lib"};
static const char *const made[] = {"proc", "sys",     "dev",  "dev/shm", "tmp",	    "run",
				   "root", "usr/lib", "home", "var",	 "var/log", "var/tmp"};
static const struct {
	const char *name;
	unsigned int minor;
} devices[] = {{"null", 3}, {"zero", 5}, {"full", 7}, {"random", 8}, {"urandom", 9}};
static const struct {
	const char *type;
	const char *path;
	unsigned long flags;
	const char *options;
} mounts[] = {
	{"proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
	{"sysfs", "sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL},
	{"tmpfs", "dev/shm", MS_NOSUID | MS_NODEV, "mode=1777"},
	{"tmpfs", "tmp", MS_NOSUID | MS_NODEV, "mode=1777"},
	{"tmpfs", "run", MS_NOSUID | MS_NODEV, "mode=0755"},
};

/* nftw() takes no argument for its callback; the container's init is single-threaded. */
static char copy_root[256];
/* How much of a source's path is not repeated below copy_root. */
static size_t copy_skip;

static int copy_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	char target[4096], link[4096];
	ssize_t len;

	(void)kind;
	(void)where;
	if (snprintf(target, sizeof(target), "%s%s", copy_root, path + copy_skip) >=
	    (int)sizeof(target))
		return -ENAMETOOLONG;
	if (S_ISDIR(info->st_mode))
		return agt_files_mkdirs(target, info->st_mode & 07777);
	if (S_ISREG(info->st_mode))
		return agt_files_copy(path, target, info->st_mode & 07777);
	if (!S_ISLNK(info->st_mode))
		return 0;
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return -errno;
	link[len] = '\0';
	return symlink(link, target) < 0 ? -errno : 0;
}

int agt_rootfs_copy_tree(const char *from, const char *to)
{
	int error;

	(void)snprintf(copy_root, sizeof(copy_root), "%s", to);
	copy_skip = strlen(from);
	error = nftw(from, copy_entry, WALK_FDS, FTW_PHYS | FTW_MOUNT);
	copy_skip = 0;
	return error < 0 ? error : error ? -EIO : 0;
}

static int copy_userland(void)
{
	char target[4096];
	struct stat info;
	int error = 0;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(copied_trees) && !error; i++) {
		if (lstat(copied_trees[i], &info) == 0)
			error = nftw(copied_trees[i], copy_entry, WALK_FDS, FTW_PHYS | FTW_MOUNT);
	}
	for (size_t i = 0; i < PCL_ARRAY_SIZE(copied_files) && !error; i++) {
		if (lstat(copied_files[i], &info) < 0)
			continue;
		(void)snprintf(target, sizeof(target), "%s%s", copy_root, copied_files[i]);
		error = agt_files_copy(copied_files[i], target, 0755);
	}
	return error < 0 ? error : error ? -EIO : 0;
}

/* Relative to the new root, which is the working directory. */
static int fill_root(void)
{
	char path[64];
	int error;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(made); i++) {
		error = agt_files_mkdirs(made[i], 0755);
		if (error)
			return error;
	}
	for (size_t i = 0; i < PCL_ARRAY_SIZE(merged); i++) {
		(void)snprintf(path, sizeof(path), "usr/%s", merged[i]);
		if (symlink(path, merged[i]) < 0)
			return -errno;
	}
	for (size_t i = 0; i < PCL_ARRAY_SIZE(devices); i++) {
		(void)snprintf(path, sizeof(path), "dev/%s", devices[i].name);
		if (mknod(path, S_IFCHR | 0666, makedev(1, devices[i].minor)) < 0 ||
		    chmod(path, 0666) < 0)
			return -errno;
	}
	for (size_t i = 0; i < PCL_ARRAY_SIZE(mounts); i++) {
		if (mount(mounts[i].type, mounts[i].path, mounts[i].type, mounts[i].flags,
			  mounts[i].options) < 0)
			return -errno;
	}
	return 0;
}

int agt_rootfs_enter_own(const char *name)
{
	int error;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	(void)snprintf(copy_root, sizeof(copy_root), "/run/containers/%s", name);
	error = agt_files_mkdirs(copy_root, 0755);
	if (error)
		return error;
	if (mount("tmpfs", copy_root, "tmpfs", 0, "mode=0755") < 0)
		return -errno;
	error = copy_userland();
	if (error)
		return error;
	if (chdir(copy_root) < 0)
		return -errno;
	error = fill_root();
	if (error)
		return error;
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

int agt_rootfs_enter_shared(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return -errno;
	return 0;
}
