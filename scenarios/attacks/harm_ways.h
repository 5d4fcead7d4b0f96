/* SPDX-License-Identifier: Apache-2.0 */
/* Ways by plain system calls. Each returns an enum attempt. */
#ifndef GNT_ATTACK_HARM_WAYS_H
#define GNT_ATTACK_HARM_WAYS_H

#include <linux/fs.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "scratch.h"

#define TEXT "overwritten"
#define XATTR "trusted.harm"
#define OTHER SCRATCH "/other"

#define CHECK(step, expression) ((expression) < 0 ? attempt_refused(step) : ATTEMPT_DONE)

static int read_only(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int writable(const char *path)
{
	return open(path, O_RDWR | O_CLOEXEC);
}

static int harm_truncate(const char *path)
{
	return CHECK("truncate", truncate(path, 0));
}

/* KERNEL: O_TRUNC truncates although the descriptor is only for reading. */
static int harm_open_truncate(const char *path)
{
	return CHECK("open", open(path, O_RDONLY | O_TRUNC | O_CLOEXEC));
}

static int harm_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? attempt_refused("open") : CHECK("write", write(fd, TEXT, sizeof(TEXT)));
}

static int harm_unlink(const char *path)
{
	return CHECK("unlink", unlink(path));
}

static int harm_unlink_at(const char *path)
{
	int dir = open(dir_of(path), O_PATH | O_CLOEXEC);

	return CHECK("unlinkat", unlinkat(dir, base_of(path), 0));
}

static int harm_rmdir(const char *path)
{
	return CHECK("rmdir", rmdir(path));
}

static int harm_rename(const char *path)
{
	return CHECK("rename", rename(path, OTHER));
}

static int harm_rename_over(const char *path)
{
	int error = scratch_file(OTHER, TEXT);

	return error ? error : CHECK("rename", rename(OTHER, path));
}

static int harm_exchange(const char *path)
{
	int error = scratch_file(OTHER, TEXT);

	return error ? error
		     : CHECK("exchange", syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, OTHER,
						 RENAME_EXCHANGE));
}

/*
 * A second name, outside of the scratch folder, which the next program empties, so that a
 * canary may watch it. The old name stays.
 */
static const char *second_name(const char *path)
{
	static char name[WAY_PATH_MAX];

	(void)snprintf(name, sizeof(name), "/var/second-%s", base_of(path));
	return name;
}

static int harm_link(const char *path)
{
	return CHECK("link", link(path, second_name(path)));
}

static int harm_link_into(const char *path)
{
	int error = scratch_file(OTHER, TEXT);

	return error ? error : CHECK("link", link(OTHER, path));
}

static int harm_tmpfile_link(const char *path)
{
	char name[64];
	int fd = open(SCRATCH, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);

	if (fd < 0)
		return attempt_broken("O_TMPFILE");
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return CHECK("linkat", linkat(AT_FDCWD, name, AT_FDCWD, path, AT_SYMLINK_FOLLOW));
}

static int harm_symlink(const char *path)
{
	return CHECK("symlink", symlink("/etc/passwd", path));
}

static int harm_mkdir(const char *path)
{
	return CHECK("mkdir", mkdir(path, 0755));
}

static int harm_mknod(const char *path)
{
	return CHECK("mknod", mknod(path, S_IFIFO | 0644, 0));
}

/* KERNEL: binding a unix socket makes a file. */
static int harm_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return CHECK("bind", bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int harm_create(const char *path)
{
	return CHECK("create", open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
}

/* --- metadata ----------------------------------------------------------------------------------
 */

static int harm_chmod(const char *path)
{
	return CHECK("chmod", chmod(path, 04777));
}

static int harm_fchmod(const char *path)
{
	int fd = read_only(path);

	return fd < 0 ? attempt_refused("open") : CHECK("fchmod", fchmod(fd, 04777));
}

static int harm_proc_chmod(const char *path)
{
	char name[64];
	int fd = open(path, O_PATH | O_CLOEXEC);

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return CHECK("chmod", chmod(name, 04777));
}

static int harm_fchmodat2(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	/* fchmodat2() has this number on every architecture. */
	return CHECK("fchmodat2", syscall(452, fd, "", 04777, AT_EMPTY_PATH));
}

static int harm_chown(const char *path)
{
	return CHECK("chown", chown(path, 1000, 1000));
}

static int harm_fchown(const char *path)
{
	int fd = read_only(path);

	return fd < 0 ? attempt_refused("open") : CHECK("fchown", fchown(fd, 1000, 1000));
}

static int harm_setxattr(const char *path)
{
	return CHECK("setxattr", setxattr(path, XATTR, "1", 1, 0));
}

static int harm_fsetxattr(const char *path)
{
	int fd = read_only(path);

	return fd < 0 ? attempt_refused("open")
		      : CHECK("fsetxattr", fsetxattr(fd, XATTR, "1", 1, 0));
}

/* The attribute is there: the case's setup set it. */
static int harm_removexattr(const char *path)
{
	return CHECK("removexattr", removexattr(path, XATTR));
}

/* An access list as the kernel takes it: version 2; owner, uid 1000, group, mask, others. */
static int harm_set_acl(const char *path)
{
	static const uint32_t list[] = {2,   0x00060001, ~0u, 0x00070002, 1000, 0x00040004,
					~0u, 0x00070010, ~0u, 0x00040020, ~0u};

	return CHECK("setxattr", setxattr(path, "system.posix_acl_access", list, sizeof(list), 0));
}

static const struct timespec long_ago[2] = {{1, 0}, {1, 0}};

static int harm_utimes(const char *path)
{
	return CHECK("utimensat", utimensat(AT_FDCWD, path, long_ago, 0));
}

static int harm_futimens(const char *path)
{
	int fd = read_only(path);

	return fd < 0 ? attempt_refused("open") : CHECK("futimens", futimens(fd, long_ago));
}

static int harm_chattr(const char *path)
{
	int fd = read_only(path), flags = FS_NODUMP_FL;

	return fd < 0 ? attempt_refused("open")
		      : CHECK("FS_IOC_SETFLAGS", ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

/* --- content by other means --------------------------------------------------------------------
 */

static int harm_map_shared(const char *path)
{
	int fd = writable(path);
	char *page;

	if (fd < 0)
		return attempt_refused("open");
	page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return attempt_refused("mmap");
	page[0] = '#';
	return CHECK("msync", msync(page, 1, MS_SYNC));
}

/* Both ends of a copy into path; the source says TEXT. */
static int copy_ends(const char *path, int *ret_from, int *ret_to)
{
	if (scratch_file(OTHER, TEXT))
		return ATTEMPT_BROKEN;
	*ret_from = read_only(OTHER);
	*ret_to = writable(path);
	return *ret_to < 0 ? attempt_refused("open") : 0;
}

static int harm_copy_range(const char *path)
{
	int from, to, error = copy_ends(path, &from, &to);

	return error ? error
		     : CHECK("copy_file_range",
			     copy_file_range(from, NULL, to, NULL, sizeof(TEXT), 0));
}

static int harm_sendfile(const char *path)
{
	int from, to, error = copy_ends(path, &from, &to);

	return error ? error : CHECK("sendfile", sendfile(to, from, NULL, sizeof(TEXT)));
}

static int harm_splice(const char *path)
{
	int from, to, pipe_fd[2], error = copy_ends(path, &from, &to);

	if (error)
		return error;
	if (pipe2(pipe_fd, O_CLOEXEC) || splice(from, NULL, pipe_fd[1], NULL, sizeof(TEXT), 0) < 0)
		return attempt_broken("splice");
	return CHECK("splice", splice(pipe_fd[0], NULL, to, NULL, sizeof(TEXT), 0));
}

#endif
