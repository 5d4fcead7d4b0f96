/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KERNEL: a mount of a namespace's file holds the namespace, and its number is its inode's until
 * the last holder lets go. A mount namespace may be mounted only in an older one, which the host's
 * is; and as the mounts here are private, they do not spread into a container.
 */
#include "node/spaces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"

static const char *const kinds[] = {"mnt", "pid"};

static int open_space(int process_fd, const char *kind, uint32_t *ret_number)
{
	char name[16];
	struct stat status;
	pcl_autoclose int fd = -1;

	snprintf(name, sizeof(name), "ns/%s", kind);
	fd = openat(process_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	*ret_number = (uint32_t)status.st_ino;
	return pcl_take_fd(&fd);
}

static int open_process(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The directory stays the process's: where that has ended, nothing can be opened in it. */
static int open_spaces(pid_t pid, struct pcl_spaces *spaces)
{
	pcl_autoclose int process_fd = open_process(pid);

	if (process_fd < 0)
		return process_fd;
	spaces->mount_fd = open_space(process_fd, kinds[0], &spaces->mount);
	if (spaces->mount_fd < 0)
		return spaces->mount_fd;
	spaces->pid_fd = open_space(process_fd, kinds[1], &spaces->pid);
	return spaces->pid_fd < 0 ? spaces->pid_fd : 0;
}

void pcl_spaces_close(struct pcl_spaces *spaces)
{
	pcl_closep(&spaces->mount_fd);
	pcl_closep(&spaces->pid_fd);
	spaces->mount_fd = spaces->pid_fd = -1;
}

int pcl_spaces_of_pid(pid_t pid, struct pcl_spaces *ret_spaces, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_spaces_close) struct pcl_spaces host = PCL_SPACES_NONE;
	struct pcl_spaces spaces = PCL_SPACES_NONE;
	int error = open_spaces(1, &host);

	if (error)
		return pcl_diag_errno(diag, error, "cannot read the host's namespaces");
	error = open_spaces(pid, &spaces);
	if (error) {
		pcl_spaces_close(&spaces);
		return error == -ENOENT || error == -ESRCH
			       ? pcl_diag_set(diag, -ESRCH, "there is no process %d", (int)pid)
			       : pcl_diag_errno(diag, error, "namespaces of process %d", (int)pid);
	}
	if (spaces.mount == host.mount)
		spaces.mount = 0;
	if (spaces.pid == host.pid)
		spaces.pid = 0;
	if (!spaces.mount && !spaces.pid) {
		pcl_spaces_close(&spaces);
		return pcl_diag_set(diag, -EINVAL,
				    "process %d is in no cgroup v2 of a container and in the "
				    "host's own mount and pid namespaces: nothing tells it from "
				    "the host",
				    (int)pid);
	}
	*ret_spaces = spaces;
	return 0;
}

/* --- keeping --------------------------------------------------------------------------------- */

static void kept_path(uint32_t number, const char *kind, char path[64])
{
	snprintf(path, 64, PCL_SPACES_DIR "/%u.%s", number, kind);
}

/* A mount of its own, so that what is mounted below is not seen by those who share /run. */
static int make_dir(struct pcl_diag *diag)
{
	struct stat above, dir;

	if (mkdir(PCL_SPACES_DIR, 0700) < 0 && errno != EEXIST)
		return pcl_diag_errno(diag, -errno, "cannot make " PCL_SPACES_DIR);
	if (stat(PCL_SPACES_DIR, &dir) < 0 || stat(PCL_SPACES_DIR "/..", &above) < 0)
		return pcl_diag_errno(diag, -errno, "cannot make " PCL_SPACES_DIR);
	if (dir.st_dev != above.st_dev)
		return 0;
	if (mount("portcullis", PCL_SPACES_DIR, "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV,
		  "mode=0700") < 0 ||
	    mount(NULL, PCL_SPACES_DIR, NULL, MS_PRIVATE, NULL) < 0)
		return pcl_diag_errno(diag, -errno, "cannot mount on " PCL_SPACES_DIR);
	return 0;
}

static int keep_one(int fd, uint32_t number, const char *kind, struct pcl_diag *diag)
{
	char path[64], source[32];
	pcl_autoclose int file = -1;

	kept_path(number, kind, path);
	snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
	file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return pcl_diag_errno(diag, -errno, "cannot make %s", path);
	if (mount(source, path, NULL, MS_BIND, NULL) < 0)
		return pcl_diag_errno(diag, -errno, "cannot keep a namespace as %s", path);
	return 0;
}

int pcl_spaces_keep(const struct pcl_spaces *spaces, uint32_t number, struct pcl_diag *diag)
{
	int error = make_dir(diag);

	/* Left by somebody who was killed before the number was a domain's. */
	pcl_spaces_drop(number);
	if (!error)
		error = keep_one(spaces->mount_fd, number, kinds[0], diag);
	pcl_fault_point("domain: one namespace is kept");
	if (!error)
		error = keep_one(spaces->pid_fd, number, kinds[1], diag);
	if (error)
		pcl_spaces_drop(number);
	return error;
}

void pcl_spaces_drop(uint32_t number)
{
	char path[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		kept_path(number, kinds[i], path);
		(void)umount2(path, MNT_DETACH);
		(void)unlink(path);
	}
}

void pcl_spaces_drop_all(void)
{
	pcl_autoclosedir DIR *dir = opendir(PCL_SPACES_DIR);
	struct dirent *entry;
	unsigned number;

	while (dir && (entry = readdir(dir)))
		if (sscanf(entry->d_name, "%u.", &number) == 1)
			pcl_spaces_drop(number);
	if (!dir)
		return;
	(void)umount2(PCL_SPACES_DIR, MNT_DETACH);
	(void)rmdir(PCL_SPACES_DIR);
}

/* --- looking --------------------------------------------------------------------------------- */

static bool is_in(pid_t pid, uint32_t mount, uint32_t pid_space)
{
	pcl_cleanup(pcl_spaces_close) struct pcl_spaces spaces = PCL_SPACES_NONE;

	if (open_spaces(pid, &spaces))
		return false;
	return (!mount || spaces.mount == mount) && (!pid_space || spaces.pid == pid_space);
}

pid_t pcl_spaces_any_pid(uint32_t mount, uint32_t pid)
{
	pcl_autoclosedir DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		char *end;
		long number = strtol(entry->d_name, &end, 10);

		if (!*end && number > 0 && number <= INT32_MAX && is_in((pid_t)number, mount, pid))
			return (pid_t)number;
	}
	return 0;
}
