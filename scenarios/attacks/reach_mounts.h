/* SPDX-License-Identifier: Apache-2.0 */
/* Ways by mounts, namespaces and other roots. */
#ifndef GNT_ATTACK_REACH_MOUNTS_H
#define GNT_ATTACK_REACH_MOUNTS_H

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "keeper.h"
#include "reach_names.h"

/* linux/mount.h does not go together with sys/mount.h. */
#define TREE_CLONE 1		 /* OPEN_TREE_CLONE */
#define TREE_RECURSIVE 0x8000	 /* AT_RECURSIVE */
#define MOVE_EMPTY_PATH 0x4	 /* MOVE_MOUNT_F_EMPTY_PATH */
#define NEW_NAMESPACE 0x02000000 /* CLONE_NEWCGROUP */

#define PLACE SCRATCH "/place"

/* A mount namespace of our own, whose mounts nobody else sees and which end with us. */
static int own_mounts(void)
{
	if (unshare(CLONE_NEWNS))
		return attempt_broken("unshare");
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ? attempt_broken("private") : 0;
}

static int own_place(void)
{
	int error = own_mounts();

	return error ? error : scratch_dir(PLACE);
}

static int bind_to(const char *from, const char *to, unsigned long flags)
{
	return mount(from, to, NULL, MS_BIND | flags, NULL) ? attempt_refused("bind") : 0;
}

static int by_bind(const char *path, const char *other, struct spot *spot)
{
	int error = own_mounts();

	(void)other;
	if (!error)
		error = scratch_file(SCRATCH "/file", "");
	if (!error)
		error = bind_to(path, SCRATCH "/file", 0);
	spot->name = SCRATCH "/file";
	return error;
}

static int by_parent_bind(const char *path, const char *other, struct spot *spot)
{
	int error = own_place();

	(void)other;
	if (!error)
		error = bind_to(dir_of(path), PLACE, MS_REC);
	return error ? error : NAME_AS(spot, PLACE "/%s", base_of(path));
}

static int by_root_bind(const char *path, const char *other, struct spot *spot)
{
	int error = own_place();

	(void)other;
	if (!error)
		error = bind_to("/", PLACE, MS_REC);
	return error ? error : NAME_AS(spot, PLACE "%s", path);
}

/* In the namespace that everybody is in. */
static int by_bind_here(const char *path, const char *other, struct spot *spot)
{
	int error = scratch_dir(PLACE);

	(void)other;
	if (!error)
		error = bind_to(dir_of(path), PLACE, 0);
	if (error)
		return error;
	spot->undo = PLACE;
	return NAME_AS(spot, PLACE "/%s", base_of(path));
}

/* The object takes the place of other, which is allowed. */
static int by_bind_over(const char *path, const char *other, struct spot *spot)
{
	int error = own_mounts();

	if (!other) {
		errno = EINVAL;
		return attempt_broken("OTHER");
	}
	if (!error)
		error = bind_to(path, other, 0);
	spot->name = other;
	return error;
}

static int by_move(const char *path, const char *other, struct spot *spot)
{
	int error = own_place();
	const char *dir = dir_of(path);

	(void)other;
	if (!error)
		error = bind_to(dir, dir, 0);
	if (!error && mount(dir, PLACE, NULL, MS_MOVE, NULL))
		return attempt_refused("move");
	return error ? error : NAME_AS(spot, PLACE "/%s", base_of(path));
}

static int by_open_tree(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	spot->dir = (int)syscall(SYS_open_tree, AT_FDCWD, dir_of(path),
				 TREE_CLONE | TREE_RECURSIVE | O_CLOEXEC);
	spot->name = base_of(path);
	return spot->dir < 0 ? attempt_refused("open_tree") : ATTEMPT_DONE;
}

static int by_move_mount(const char *path, const char *other, struct spot *spot)
{
	int error = own_place();

	if (!error)
		error = by_open_tree(path, other, spot);
	if (error)
		return error;
	if (syscall(SYS_move_mount, spot->dir, "", AT_FDCWD, PLACE, MOVE_EMPTY_PATH))
		return attempt_refused("move_mount");
	spot->dir = AT_FDCWD;
	return NAME_AS(spot, PLACE "/%s", base_of(path));
}

static int by_mount_namespace(const char *path, const char *other, struct spot *spot)
{
	int error = own_mounts();

	return error ? error : by_itself(path, other, spot);
}

/* The pid namespace is that of the next child: of the program that is run, or of none. */
static int by_all_namespaces(const char *path, const char *other, struct spot *spot)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID |
		    NEW_NAMESPACE))
		return attempt_broken("unshare");
	return by_itself(path, other, spot);
}

static int by_user_namespace(const char *path, const char *other, struct spot *spot)
{
	int error = scratch_dir(PLACE);

	(void)other;
	if (!error && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return attempt_broken("unshare");
	if (!error)
		error = bind_to(dir_of(path), PLACE, MS_REC);
	return error ? error : NAME_AS(spot, PLACE "/%s", base_of(path));
}

static int by_chroot(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	if (chroot(dir_of(path)) || chdir("/"))
		return attempt_refused("chroot");
	return NAME_AS(spot, "/%s", base_of(path));
}

/*
 * KERNEL: the initramfs root cannot be pivoted away, so a tmpfs becomes the root first; then the
 * object's directory is the root of the namespace.
 */
static int by_pivot(const char *path, const char *other, struct spot *spot)
{
	int error = own_place();

	(void)other;
	if (!error && mount("none", PLACE, "tmpfs", 0, NULL))
		return attempt_broken("tmpfs");
	if (!error)
		error = scratch_dir(PLACE "/in");
	if (!error)
		error = bind_to(dir_of(path), PLACE "/in", MS_REC);
	if (error)
		return error;
	if (chroot(PLACE) || chdir("/in"))
		return attempt_broken("chroot");
	if (syscall(SYS_pivot_root, ".", "."))
		return attempt_broken("pivot_root");
	if (umount2(".", MNT_DETACH) || chdir("/"))
		return attempt_broken("umount");
	return NAME_AS(spot, "/%s", base_of(path));
}

static int by_overlay(const char *path, const char *other, struct spot *spot)
{
	static char options[WAY_PATH_MAX];
	int error = own_place();

	(void)other;
	if (!error)
		error = scratch_dir(SCRATCH "/empty");
	if (error)
		return error;
	(void)snprintf(options, sizeof(options), "lowerdir=%s:" SCRATCH "/empty", dir_of(path));
	if (mount("none", PLACE, "overlay", MS_RDONLY, options))
		return attempt_refused("overlay");
	return NAME_AS(spot, PLACE "/%s", base_of(path));
}

/* The directory is covered by another mount, and reached by a descriptor from before. */
static int by_covered(const char *path, const char *other, struct spot *spot)
{
	int error = own_mounts();

	if (!error)
		error = by_dir_fd(path, other, spot);
	if (!error && mount("none", dir_of(path), "tmpfs", 0, NULL))
		return attempt_broken("tmpfs");
	return error;
}

/* A child in a mount namespace of its own binds the directory; we go through its root. */
static int by_other_root(const char *path, const char *other, struct spot *spot)
{
	int ready[2];
	char byte = 0;

	(void)other;
	if (scratch_dir(PLACE) || pipe2(ready, O_CLOEXEC))
		return attempt_broken("pipe");
	spot->helper = fork();
	if (spot->helper == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		byte = (char)(own_mounts() || bind_to(dir_of(path), PLACE, MS_REC));
		(void)!write(ready[1], &byte, 1);
		for (;;)
			(void)pause();
	}
	if (spot->helper < 0 || read(ready[0], &byte, 1) != 1 || byte)
		return attempt_broken("child");
	return NAME_AS(spot, "/proc/%d/root" PLACE "/%s", (int)spot->helper, base_of(path));
}

/* Back into the mount namespace that the keeper holds a descriptor of. */
static int by_setns(const char *path, const char *other, struct spot *spot)
{
	struct keeper_answer answer;
	int connection = keeper_connect(), fd;

	if (connection < 0 || keeper_ask(connection, 'g', &answer, &fd) || fd < 0)
		return attempt_broken("keeper");
	if (setns(fd, CLONE_NEWNS))
		return attempt_broken("setns");
	return by_itself(path, other, spot);
}

#endif
