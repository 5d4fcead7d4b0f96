/* SPDX-License-Identifier: Apache-2.0 */
/* Ways by descriptors, by other interfaces of the kernel, and by going for the enforcer. */
#ifndef GNT_ATTACK_REACH_OTHER_H
#define GNT_ATTACK_REACH_OTHER_H

#include <dirent.h>
#include <linux/bpf.h>
#include <stdint.h>

#include "reach_mounts.h"
#include "uring.h"

/* musl has no name_to_handle_at's struct under every _GNU_SOURCE; the kernel's is this. */
struct handle {
	unsigned bytes;
	int type;
	unsigned char data[128];
};

static int by_handle(const char *path, const char *other, struct spot *spot)
{
	struct handle handle = {.bytes = sizeof(handle.data)};
	int mount_id, mount_fd;

	(void)other;
	if (syscall(SYS_name_to_handle_at, AT_FDCWD, path, &handle, &mount_id, 0))
		return attempt_refused("name_to_handle_at");
	/* The parent's parent: a rule may cover the object's own directory. */
	mount_fd = open(dir_of(dir_of(path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount_fd < 0)
		return attempt_broken("mount");
	spot->fd = (int)syscall(SYS_open_by_handle_at, mount_fd, &handle, O_RDONLY | O_CLOEXEC);
	return spot->fd < 0 ? attempt_refused("open_by_handle_at") : ATTEMPT_DONE;
}

static int ring_open(const char *path, unsigned flags, struct spot *spot)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uintptr_t)path,
		.open_flags = O_RDONLY | O_CLOEXEC,
	};
	int setup, result = uring_once(flags, &sqe, &setup);

	errno = -result;
	/* Whether a thread may take the submissions is a permission of its own to SELinux. */
	if (setup)
		return errno == EACCES ? attempt_refused("io_uring_setup")
				       : attempt_broken("io_uring_setup");
	spot->fd = result;
	return result < 0 ? attempt_refused("io_uring openat") : ATTEMPT_DONE;
}

static int by_ring(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	return ring_open(path, 0, spot);
}

/* A kernel thread of the ring takes the submissions. */
static int by_polled_ring(const char *path, const char *other, struct spot *spot)
{
	(void)other;
	return ring_open(path, IORING_SETUP_SQPOLL, spot);
}

/* --- descriptors from before the policy ------------------------------------------------------- */

static int by_received(const char *path, const char *other, struct spot *spot)
{
	struct keeper_answer answer;
	int connection = keeper_connect();

	(void)path;
	(void)other;
	if (connection < 0)
		return attempt_broken("keeper");
	errno = EACCES;
	/* KERNEL: a descriptor that security_file_receive() refuses is left out of the message. */
	if (keeper_ask(connection, 'g', &answer, &spot->fd) || spot->fd < 0)
		return attempt_refused("SCM_RIGHTS");
	return ATTEMPT_DONE;
}

/* The keeper's pid, whose pid namespace must be ours, and its descriptor's number. */
static int keeper_where(pid_t *ret_pid, int *ret_fd)
{
	struct keeper_answer answer;
	int connection = keeper_connect();

	if (connection < 0 || keeper_ask(connection, 'p', &answer, NULL))
		return attempt_broken("keeper");
	*ret_pid = answer.pid;
	*ret_fd = answer.fd;
	return 0;
}

static int by_pidfd(const char *path, const char *other, struct spot *spot)
{
	pid_t pid;
	int fd, error = keeper_where(&pid, &fd), pidfd;

	(void)path;
	(void)other;
	if (error)
		return error;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return attempt_broken("pidfd_open");
	spot->fd = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	return spot->fd < 0 ? attempt_refused("pidfd_getfd") : ATTEMPT_DONE;
}

static int by_keepers_proc(const char *path, const char *other, struct spot *spot)
{
	pid_t pid;
	int fd, error = keeper_where(&pid, &fd);

	(void)path;
	(void)other;
	return error ? error : NAME_AS(spot, "/proc/%d/fd/%d", (int)pid, fd);
}

/* --- the enforcer ------------------------------------------------------------------------------
 */

static int join_cgroup(const char *dir)
{
	char path[WAY_PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		return attempt_broken("cgroup");
	(void)close(fd);
	return 0;
}

static int mount_cgroups(void)
{
	int error = own_place();

	if (!error && mount("none", PLACE, "cgroup2", 0, NULL))
		return attempt_broken("cgroup2");
	return error;
}

static int by_root_cgroup(const char *path, const char *other, struct spot *spot)
{
	int error = mount_cgroups();

	if (!error)
		error = join_cgroup(PLACE);
	return error ? error : by_itself(path, other, spot);
}

/* A cgroup beside that of the container. */
static int by_new_cgroup(const char *path, const char *other, struct spot *spot)
{
	int error = mount_cgroups();

	if (!error)
		error = scratch_dir(PLACE "/reach");
	if (!error)
		error = join_cgroup(PLACE "/reach");
	return error ? error : by_itself(path, other, spot);
}

/* Removes whatever it can below dir, in one level of folders after the other. */
static void remove_below(const char *dir, int levels)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	char path[WAY_PATH_MAX];

	while (stream && (entry = readdir(stream))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (levels)
			remove_below(path, levels - 1);
		(void)rename(path, PLACE "/away");
		(void)remove(path);
	}
	if (stream)
		(void)closedir(stream);
}

/* Everything that is pinned, wherever it stands: enforcement must not hang on what we can remove.
 */
static int by_unpin(const char *path, const char *other, struct spot *spot)
{
	int error = own_place();

	if (!error && mount("none", PLACE, "bpf", 0, NULL))
		return attempt_broken("bpf");
	if (error)
		return error;
	remove_below(PLACE, 4);
	remove_below("/sys/fs/bpf", 4);
	return by_itself(path, other, spot);
}

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* A descriptor of the next object of a kind, or -1 at the end; refused ones are passed over. */
static int next_object(int next_command, int open_command, uint32_t *id)
{
	union bpf_attr attr;
	long fd;

	for (;;) {
		memset(&attr, 0, sizeof(attr));
		attr.start_id = *id;
		if (bpf(next_command, &attr))
			return -1;
		*id = attr.next_id;
		memset(&attr, 0, sizeof(attr));
		attr.link_id = *id;
		fd = bpf(open_command, &attr);
		if (fd >= 0)
			return (int)fd;
	}
}

static void empty_map(int fd)
{
	static unsigned char key[512], zeros[4096];
	union bpf_attr attr;

	memset(key, 0, sizeof(key));
	/* An array takes zeros for its values, a hash loses its keys. */
	for (int i = 0; i < 64; i++) {
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = (uint32_t)fd;
		attr.key = i ? (uintptr_t)key : 0;
		attr.next_key = (uintptr_t)key;
		if (bpf(BPF_MAP_GET_NEXT_KEY, &attr))
			return;
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = (uint32_t)fd;
		attr.key = (uintptr_t)key;
		if (bpf(BPF_MAP_DELETE_ELEM, &attr) == 0)
			continue;
		attr.value = (uintptr_t)zeros;
		(void)bpf(BPF_MAP_UPDATE_ELEM, &attr);
	}
}

/* Every link is detached and every map emptied that we get a descriptor of. */
static int by_detach(const char *path, const char *other, struct spot *spot)
{
	union bpf_attr attr;
	uint32_t id = 0;
	int fd;

	while ((fd = next_object(BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID, &id)) >= 0) {
		memset(&attr, 0, sizeof(attr));
		attr.link_detach.link_fd = (uint32_t)fd;
		(void)bpf(BPF_LINK_DETACH, &attr);
		(void)close(fd);
	}
	id = 0;
	while ((fd = next_object(BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID, &id)) >= 0) {
		empty_map(fd);
		(void)close(fd);
	}
	return by_itself(path, other, spot);
}

#endif
