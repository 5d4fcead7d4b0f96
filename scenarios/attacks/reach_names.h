/* SPDX-License-Identifier: Apache-2.0 */
/* Ways to name an object otherwise, or to give it another name. */
#ifndef GNT_ATTACK_REACH_NAMES_H
#define GNT_ATTACK_REACH_NAMES_H

#include <linux/openat2.h>
#include <sys/syscall.h>

#include "reach.h"

#define EXCHANGE 2 /* RENAME_EXCHANGE */

static int by_itself(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	spot->name = path;
	return ATTEMPT_DONE;
}

static int by_symlink(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	if (symlink(path, SCRATCH "/link"))
		return attempt_broken("symlink");
	spot->name = SCRATCH "/link";
	return ATTEMPT_DONE;
}

static int by_parent_symlink(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	if (symlink(dir_of(path), SCRATCH "/up"))
		return attempt_broken("symlink");
	return NAME_AS(spot, SCRATCH "/up/%s", base_of(path));
}

static int by_relative(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	if (chdir(dir_of(path)))
		return attempt_refused("chdir");
	spot->name = base_of(path);
	return ATTEMPT_DONE;
}

static int by_dotdot(const char *path, const char *other, struct spot *spot)
{
	const char *dir = dir_of(path);

	(void)other;
	return NAME_AS(spot, "%s/../%s/./%s", dir, base_of(dir), base_of(path));
}

static int by_slashes(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	return NAME_AS(spot, "//%s///.//%s", dir_of(path), base_of(path));
}

static int by_proc_root(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	return NAME_AS(spot, "/proc/self/root%s", path);
}

static int by_proc_cwd(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	if (chdir(dir_of(path)))
		return attempt_refused("chdir");
	return NAME_AS(spot, "/proc/self/cwd/%s", base_of(path));
}

static int path_of(const char *path)
{
	return open(path, O_PATH | O_CLOEXEC);
}

static int by_dir_fd(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	spot->dir = path_of(dir_of(path));
	spot->name = base_of(path);
	return spot->dir < 0 ? attempt_refused("O_PATH") : ATTEMPT_DONE;
}

static int by_proc_fd(const char *path, const char *other, struct spot *spot)
{
	int fd = path_of(dir_of(path));

	(void)other;
	if (fd < 0)
		return attempt_refused("O_PATH");
	return NAME_AS(spot, "/proc/self/fd/%d/%s", fd, base_of(path));
}

static int by_o_path(const char *path, const char *other, struct spot *spot)
{
	int fd = path_of(path);

	(void)other;
	if (fd < 0)
		return attempt_refused("O_PATH");
	return NAME_AS(spot, "/proc/self/fd/%d", fd);
}

static int by_dev_fd(const char *path, const char *other, struct spot *spot)
{
	int fd = path_of(path);

	(void)other;
	if (fd < 0)
		return attempt_refused("O_PATH");
	if (symlink("/proc/self/fd", "/dev/fd") && errno != EEXIST)
		return attempt_broken("/dev/fd");
	return NAME_AS(spot, "/dev/fd/%d", fd);
}

/* --- another name is made ----------------------------------------------------------------------
 */

static int by_link(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	if (link(path, SCRATCH "/hard"))
		return attempt_refused("link");
	spot->name = SCRATCH "/hard";
	return ATTEMPT_DONE;
}

static int by_proc_link(const char *path, const char *other, struct spot *spot)
{
	int error = by_o_path(path, other, spot);

	if (error)
		return error;
	if (linkat(AT_FDCWD, way_name, AT_FDCWD, SCRATCH "/hard", AT_SYMLINK_FOLLOW))
		return attempt_refused("linkat");
	spot->name = SCRATCH "/hard";
	return ATTEMPT_DONE;
}

static int by_empty_link(const char *path, const char *other, struct spot *spot)
{
	int fd = path_of(path);

	(void)other;
	if (fd < 0)
		return attempt_refused("O_PATH");
	if (linkat(fd, "", AT_FDCWD, SCRATCH "/hard", AT_EMPTY_PATH))
		return attempt_refused("linkat");
	spot->name = SCRATCH "/hard";
	return ATTEMPT_DONE;
}

static int by_rename(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	if (rename(path, SCRATCH "/moved"))
		return attempt_refused("rename");
	spot->name = SCRATCH "/moved";
	return ATTEMPT_DONE;
}

static int by_parent_rename(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	if (rename(dir_of(path), SCRATCH "/dir"))
		return attempt_refused("rename");
	return NAME_AS(spot, SCRATCH "/dir/%s", base_of(path));
}

static int by_exchange(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	if (scratch_file(SCRATCH "/decoy", "nothing"))
		return ATTEMPT_BROKEN;
	if (syscall(SYS_renameat2, AT_FDCWD, SCRATCH "/decoy", AT_FDCWD, path, EXCHANGE))
		return attempt_refused("exchange");
	spot->name = SCRATCH "/decoy";
	return ATTEMPT_DONE;
}

static int by_parent_exchange(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	if (scratch_dir(SCRATCH "/empty"))
		return ATTEMPT_BROKEN;
	if (syscall(SYS_renameat2, AT_FDCWD, dir_of(path), AT_FDCWD, SCRATCH "/empty", EXCHANGE))
		return attempt_refused("exchange");
	return NAME_AS(spot, SCRATCH "/empty/%s", base_of(path));
}

/* A copy under another name: another file to a rule for the path, and no listed one either. */
static int by_copy(const char *path, const char *other, struct spot *spot)
{
	static char chunk[65536];
	int from = open(path, O_RDONLY | O_CLOEXEC), to;
	const char *name = other && *other == '/' ? other : SCRATCH "/copy";
	ssize_t len;

	if (from < 0)
		return attempt_refused("open");
	to = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	if (to < 0)
		return attempt_refused("create");
	while ((len = read(from, chunk, sizeof(chunk))) > 0)
		if (write(to, chunk, (size_t)len) != len)
			return attempt_refused("write");
	(void)close(from);
	(void)close(to);
	spot->name = name;
	return ATTEMPT_DONE;
}

/* --- openat2 -----------------------------------------------------------------------------------
 */

static int open_how(int dir, const char *name, unsigned resolve, struct spot *spot)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = resolve};

	spot->fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	return spot->fd < 0 ? attempt_refused("openat2") : ATTEMPT_DONE;
}

static int by_in_root(const char *path, const char *other, struct spot *spot)
{
	int dir = path_of(dir_of(path));

	(void)other;
	(void)snprintf(way_name, sizeof(way_name), "/%s", base_of(path));
	return dir < 0 ? attempt_refused("O_PATH") : open_how(dir, way_name, RESOLVE_IN_ROOT, spot);
}

static int by_beneath(const char *path, const char *other, struct spot *spot)
{
	int dir = path_of(dir_of(path));

	(void)other;
	return dir < 0 ? attempt_refused("O_PATH")
		       : open_how(dir, base_of(path), RESOLVE_BENEATH | RESOLVE_NO_XDEV, spot);
}

static int by_no_symlinks(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	return open_how(AT_FDCWD, path, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS, spot);
}

#endif
