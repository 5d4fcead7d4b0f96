/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the guest what its target's manifest says: mounts with their options, the control groups'
 * version, and a read-only root. Nothing here is fatal: what failed is a line of the hello, and the
 * host refuses to run anything in a guest that is not what it should be.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"
#include "rootfs.h"

/* A new file system is filled here before it is moved to its place. */
#define STAGE "/.gauntlet-stage"
#define OPTIONS_SIZE 256

static json_t *target;
static json_t *failures;
static bool root_closed;

static const struct {
	const char *word;
	unsigned long flag;
	bool clears; /* the kernel's default, which is nothing to set */
} words[] = {
	{"ro", MS_RDONLY, false},	{"rw", MS_RDONLY, true},
	{"noexec", MS_NOEXEC, false},	{"exec", MS_NOEXEC, true},
	{"nosuid", MS_NOSUID, false},	{"suid", MS_NOSUID, true},
	{"nodev", MS_NODEV, false},	{"dev", MS_NODEV, true},
	{"noatime", MS_NOATIME, false}, {"relatime", MS_RELATIME, false},
};

static void fail(const char *what, const char *path, int error)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "%s%s%s: %s", what, *path ? " " : "", path,
		       strerror(-error));
	fprintf(stderr, "agent: target: %s\n", line);
	if (!failures)
		failures = json_array();
	(void)json_array_append_new(failures, agt_text_json(line, strlen(line)));
}

void agt_target_load(void)
{
	json_error_t error;

	if (access(AGT_TARGET_PATH, F_OK) < 0)
		return;
	target = json_load_file(AGT_TARGET_PATH, 0, &error);
	if (!json_is_object(target))
		fail("what the target is", AGT_TARGET_PATH, -EBADMSG);
	/* Not for the guest's programs to see, nor for a policy to be confused by. */
	(void)unlink(AGT_TARGET_PATH);
}

static bool is(const char *key, const char *value)
{
	const char *text = json_string_value(json_object_get(target, key));

	return text && strcmp(text, value) == 0;
}

bool agt_target_has_bpffs(void)
{
	return !json_is_false(json_object_get(target, "bpffs"));
}

bool agt_target_is_v1(void)
{
	return is("cgroup", "v1");
}

bool agt_target_mounts(const char *path)
{
	const json_t *mount;
	size_t i;

	json_array_foreach(json_object_get(target, "mounts"), i, mount) {
		const char *at = json_string_value(json_object_get(mount, "path"));

		if (at && strcmp(at, path) == 0)
			return true;
	}
	return false;
}

/* Words that are flags to mount(2), and the rest, which is the file system's own. */
static void split_options(const char *options, unsigned long *ret_flags, char rest[OPTIONS_SIZE])
{
	char copy[OPTIONS_SIZE], *left = copy, *word;
	size_t len = 0;

	(void)snprintf(copy, sizeof(copy), "%s", options);
	*ret_flags = 0;
	rest[0] = '\0';
	while ((word = strsep(&left, ",")) != NULL) {
		size_t i = 0;

		while (i < PCL_ARRAY_SIZE(words) && strcmp(words[i].word, word) != 0)
			i++;
		if (i < PCL_ARRAY_SIZE(words))
			*ret_flags |= words[i].clears ? 0 : words[i].flag;
		else if (*word)
			len += (size_t)snprintf(rest + len, OPTIONS_SIZE - len, "%s%s",
						len ? "," : "", word);
	}
}

/* Puts a new file system at path, with what the directory had. */
static int mount_one(const char *path, const char *type, const char *options)
{
	char rest[OPTIONS_SIZE];
	unsigned long flags;
	int error;

	split_options(options, &flags, rest);
	error = agt_files_mkdirs(path, 0755);
	if (!error)
		error = agt_files_mkdirs(STAGE, 0700);
	if (error)
		return error;
	if (mount(type, STAGE, type, flags & ~(unsigned long)MS_RDONLY, rest) < 0)
		return -errno;
	error = agt_rootfs_copy_tree(path, STAGE);
	if (!error && mount(STAGE, path, NULL, MS_MOVE, NULL) < 0)
		error = -errno;
	if (error)
		(void)umount2(STAGE, MNT_DETACH);
	else if ((flags & MS_RDONLY) && mount(NULL, path, NULL, MS_REMOUNT | flags, rest) < 0)
		error = -errno;
	(void)rmdir(STAGE);
	return error;
}

static void mount_all(void)
{
	const json_t *mount;
	size_t i;

	json_array_foreach(json_object_get(target, "mounts"), i, mount) {
		const char *path = json_string_value(json_object_get(mount, "path"));
		const char *type = json_string_value(json_object_get(mount, "type"));
		const char *options = json_string_value(json_object_get(mount, "options"));
		int error = path && type && options ? mount_one(path, type, options) : -EBADMSG;

		if (error)
			fail("mount", path ? path : "", error);
	}
}

/*
 * KERNEL: the flag of the mount, not that of the file system, which could not be set again while a
 * removed file is still open somewhere.
 */
int agt_target_root_open(void)
{
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) < 0 ? -errno : 0;
}

int agt_target_root_close(void)
{
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0 ? -errno : 0;
}

bool agt_target_root_is_closed(void)
{
	return root_closed;
}

/* Where SELinux is not active the host sees that in the list of LSMs. */
static void load_selinux(void)
{
	const char *policy = json_string_value(json_object_get(target, "selinux")), *step;
	int error;

	if (!agt_selinux_mount() || !policy)
		return;
	error = agt_selinux_load(json_is_true(json_object_get(target, "enforcing")), &step);
	if (error)
		fail(step, policy, error);
}

void agt_target_setup(void)
{
	int error;

	(void)umask(0);
	mount_all();
	(void)umask(022);
	if (agt_target_is_v1()) {
		error = agt_cgroup_setup_v1();
		if (error)
			fail("cgroup v1", "", error);
	} else {
		agt_cgroup_setup_v2();
	}
	load_selinux();
	if (is("rootfs", "read-only")) {
		error = agt_target_root_close();
		if (error)
			fail("read-only root", "", error);
		root_closed = error == 0;
	}
}

json_t *agt_target_failures(void)
{
	return failures ? json_incref(failures) : json_array();
}
