/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach ACTION WAY PATH [ARGUMENT]: gets at PATH by one of many ways, and reads it, appends
 * ARGUMENT to it, or executes it with ARGUMENT, which it is to say. The ways are in reach_names.h,
 * reach_mounts.h and reach_other.h. For copy and bind-over ARGUMENT is the other path, and a
 * program that is executed says it too.
 *
 * Refused is what the kernel refuses of the way itself or of its aim; what only prepares the way
 * (a mount namespace, a scratch file) and fails is broken.
 */
#include "reach_other.h"
#include "spawn.h"

#define USAGE "reach read|append|exec WAY PATH [ARGUMENT]"

static const struct way ways[] = {
	{"path", by_itself},
	{"symlink", by_symlink},
	{"parent-symlink", by_parent_symlink},
	{"relative", by_relative},
	{"dotdot", by_dotdot},
	{"slashes", by_slashes},
	{"proc-root", by_proc_root},
	{"proc-cwd", by_proc_cwd},
	{"dir-fd", by_dir_fd},
	{"proc-fd", by_proc_fd},
	{"o-path", by_o_path},
	{"dev-fd", by_dev_fd},
	{"link", by_link},
	{"proc-link", by_proc_link},
	{"empty-link", by_empty_link},
	{"rename", by_rename},
	{"parent-rename", by_parent_rename},
	{"exchange", by_exchange},
	{"parent-exchange", by_parent_exchange},
	{"copy", by_copy},
	{"in-root", by_in_root},
	{"beneath", by_beneath},
	{"no-symlinks", by_no_symlinks},
	{"bind", by_bind},
	{"parent-bind", by_parent_bind},
	{"root-bind", by_root_bind},
	{"bind-here", by_bind_here},
	{"bind-over", by_bind_over},
	{"move", by_move},
	{"open-tree", by_open_tree},
	{"move-mount", by_move_mount},
	{"mount-namespace", by_mount_namespace},
	{"all-namespaces", by_all_namespaces},
	{"user-namespace", by_user_namespace},
	{"chroot", by_chroot},
	{"pivot", by_pivot},
	{"overlay", by_overlay},
	{"covered", by_covered},
	{"other-root", by_other_root},
	{"setns", by_setns},
	{"handle", by_handle},
	{"io-uring", by_ring},
	{"io-uring-polled", by_polled_ring},
	{"received", by_received},
	{"pidfd", by_pidfd},
	{"keepers-proc", by_keepers_proc},
	{"root-cgroup", by_root_cgroup},
	{"new-cgroup", by_new_cgroup},
	{"unpin", by_unpin},
	{"detach", by_detach},
};

static int read_it(struct spot *spot)
{
	static char data[REPLAY_DATA_MAX];
	ssize_t len;

	if (spot->name)
		spot->fd = openat(spot->dir, spot->name, O_RDONLY | O_CLOEXEC);
	if (spot->fd < 0)
		return replay_refused("open", errno);
	len = pread(spot->fd, data, sizeof(data), 0);
	return len < 0 ? replay_refused("read", errno) : replay_done("read", data, (size_t)len);
}

static int append_to_it(struct spot *spot, const char *text)
{
	if (spot->name)
		spot->fd = openat(spot->dir, spot->name, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (spot->fd < 0)
		return replay_refused("open", errno);
	if (write(spot->fd, text, strlen(text)) < 0)
		return replay_refused("write", errno);
	return replay_done("write", text, strlen(text));
}

static int execute_it(struct spot *spot, char *text)
{
	char *argv[] = {(char *)(spot->name ? spot->name : "descriptor"), text, NULL};
	struct spawn_how how = {.dir = spot->dir, .name = spot->name, .argv = argv};

	if (!spot->name) {
		how.dir = spot->fd;
		how.name = "";
		how.flags = AT_EMPTY_PATH;
	}
	return spawn_how_and_report(&how);
}

static int act(const char *action, struct spot *spot, char *argument)
{
	if (strcmp(action, "read") == 0)
		return read_it(spot);
	if (argument && strcmp(action, "append") == 0)
		return append_to_it(spot, argument);
	if (argument && strcmp(action, "exec") == 0)
		return execute_it(spot, argument);
	return replay_usage(USAGE);
}

static int go(const char *action, const struct way *way, const char *path, char *argument)
{
	struct spot spot = {.dir = AT_FDCWD, .fd = -1};
	int code = scratch_make();

	if (!code)
		code = way->find(path, argument, &spot);
	code = code ? attempt_report(code) : act(action, &spot, argument);
	if (spot.helper > 0) {
		(void)kill(spot.helper, SIGKILL);
		(void)waitpid(spot.helper, NULL, 0);
	}
	if (spot.undo)
		(void)umount2(spot.undo, MNT_DETACH);
	return code;
}

int main(int argc, char **argv)
{
	if (argc != 4 && argc != 5)
		return replay_usage(USAGE);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, argv[2]) == 0)
			return go(argv[1], &ways[i], argv[3], argc == 5 ? argv[4] : NULL);
	return replay_usage(USAGE);
}
