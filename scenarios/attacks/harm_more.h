/* SPDX-License-Identifier: Apache-2.0 */
/* Ways where the kernel opens the file itself, by io_uring, and by descriptors from before. */
#ifndef GNT_ATTACK_HARM_MORE_H
#define GNT_ATTACK_HARM_MORE_H

#include <linux/loop.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "harm_ways.h"
#include "keeper.h"
#include "uring.h"

static int harm_handle(const char *path)
{
	struct {
		unsigned bytes;
		int type;
		unsigned char data[128];
	} handle = {.bytes = sizeof(handle.data)};
	int mount_id, mount_fd, fd;

	if (syscall(SYS_name_to_handle_at, AT_FDCWD, path, &handle, &mount_id, 0))
		return attempt_refused("name_to_handle_at");
	mount_fd = open(dir_of(dir_of(path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount_fd < 0)
		return attempt_broken("mount");
	fd = (int)syscall(SYS_open_by_handle_at, mount_fd, &handle, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? attempt_refused("open_by_handle_at")
		      : CHECK("write", write(fd, TEXT, sizeof(TEXT)));
}

/* Process accounting: the kernel appends a record for each process that ends. */
static int harm_acct(const char *path)
{
	int status;
	pid_t pid;

	if (acct(path))
		return attempt_refused("acct");
	pid = fork();
	if (pid == 0)
		_exit(0);
	(void)waitpid(pid, &status, 0);
	(void)acct(NULL);
	return ATTEMPT_DONE;
}

/* A crash writes its core over the file, which the kernel opens in the crashing task's name. */
static int harm_core(const char *path)
{
	static const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	int fd = open("/proc/sys/kernel/core_pattern", O_RDWR | O_CLOEXEC), status;
	char old[256] = "core";
	struct stat before, after;
	pid_t pid;

	if (fd < 0 || pread(fd, old, sizeof(old) - 1, 0) < 0 || stat(path, &before))
		return attempt_broken("core_pattern");
	if (pwrite(fd, path, strlen(path), 0) < 0)
		return attempt_broken("core_pattern");
	pid = fork();
	if (pid == 0) {
		(void)setrlimit(RLIMIT_CORE, &unlimited);
		(void)signal(SIGSEGV, SIG_DFL);
		(void)raise(SIGSEGV);
	}
	(void)waitpid(pid, &status, 0);
	(void)pwrite(fd, old, strcspn(old, "\n"), 0);
	/* KERNEL: a core that is refused is refused in silence. */
	errno = EACCES;
	if (stat(path, &after) || after.st_size == before.st_size)
		return attempt_refused("core");
	return ATTEMPT_DONE;
}

/* The file becomes a disk, which is then written. */
static int harm_loop(const char *path)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), disk, error;
	int fd = writable(path), number;
	char name[64];

	if (fd < 0)
		return attempt_refused("open");
	number = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
	(void)snprintf(name, sizeof(name), "/dev/loop%d", number);
	disk = number < 0 ? -1 : open(name, O_RDWR | O_CLOEXEC);
	if (disk < 0)
		return attempt_broken("loop");
	if (ioctl(disk, LOOP_SET_FD, fd))
		return attempt_refused("LOOP_SET_FD");
	error = CHECK("write", pwrite(disk, TEXT, sizeof(TEXT), 0));
	(void)fsync(disk);
	(void)ioctl(disk, LOOP_CLR_FD);
	return error;
}

/* --- io_uring ----------------------------------------------------------------------------------
 */

static int ring(const char *step, const struct io_uring_sqe *sqe)
{
	int setup, result = uring_once(0, sqe, &setup);

	errno = -result;
	if (setup)
		return attempt_broken("io_uring_setup");
	/* An operation that this kernel does not have. */
	if (result == -EINVAL)
		return attempt_broken(step);
	return result < 0 ? attempt_refused(step) : ATTEMPT_DONE;
}

static int harm_ring_write(const char *path)
{
	int fd = writable(path);
	const struct io_uring_sqe sqe = {.opcode = IORING_OP_WRITE,
					 .fd = fd,
					 .addr = (uintptr_t)TEXT,
					 .len = sizeof(TEXT)};

	return fd < 0 ? attempt_refused("open") : ring("ring write", &sqe);
}

static int harm_ring_unlink(const char *path)
{
	const struct io_uring_sqe sqe = {.opcode = IORING_OP_UNLINKAT,
					 .fd = AT_FDCWD,
					 .addr = (uintptr_t)path};

	return ring("ring unlink", &sqe);
}

/* The new directory's descriptor lies where the length of other operations does. */
static int harm_ring_rename(const char *path)
{
	const struct io_uring_sqe sqe = {.opcode = IORING_OP_RENAMEAT,
					 .fd = AT_FDCWD,
					 .len = (uint32_t)AT_FDCWD,
					 .addr = (uintptr_t)path,
					 .addr2 = (uintptr_t)OTHER};

	return ring("ring rename", &sqe);
}

static int harm_ring_link(const char *path)
{
	const struct io_uring_sqe sqe = {.opcode = IORING_OP_LINKAT,
					 .fd = AT_FDCWD,
					 .len = (uint32_t)AT_FDCWD,
					 .addr = (uintptr_t)path,
					 .addr2 = (uintptr_t)second_name(path)};

	return ring("ring link", &sqe);
}

static int harm_ring_mkdir(const char *path)
{
	const struct io_uring_sqe sqe = {.opcode = IORING_OP_MKDIRAT,
					 .fd = AT_FDCWD,
					 .len = 0755,
					 .addr = (uintptr_t)path};

	return ring("ring mkdir", &sqe);
}

/* IORING_OP_SETXATTR: the path is in addr3, which older headers do not name. */
static int harm_ring_xattr(const char *path)
{
	struct io_uring_sqe sqe = {.opcode = 42,
				   .addr = (uintptr_t)XATTR,
				   .addr2 = (uintptr_t) "1",
				   .len = 1};
	uint64_t address = (uintptr_t)path;

	memcpy((char *)&sqe + 48, &address, sizeof(address));
	return ring("ring setxattr", &sqe);
}

/* --- descriptors from before the policy --------------------------------------------------------
 */

static int kept(char question, const char *step)
{
	struct keeper_answer answer;
	int connection = keeper_connect();

	if (connection < 0 || keeper_ask(connection, question, &answer, NULL))
		return attempt_broken("keeper");
	errno = answer.error;
	return answer.error ? attempt_refused(step) : ATTEMPT_DONE;
}

static int harm_kept_write(const char *path)
{
	(void)path;
	return kept('w', "write");
}

static int harm_kept_truncate(const char *path)
{
	(void)path;
	return kept('t', "ftruncate");
}

static int harm_kept_map(const char *path)
{
	(void)path;
	return kept('m', "mmap");
}

/* A mapping from before: no system call is needed to write. */
static int harm_kept_mapping(const char *path)
{
	(void)path;
	return kept('M', "store");
}

static int harm_kept_chmod(const char *path)
{
	(void)path;
	return kept('c', "fchmod");
}

static int harm_kept_xattr(const char *path)
{
	(void)path;
	return kept('x', "fsetxattr");
}

static int received(int *ret_fd)
{
	struct keeper_answer answer;
	int connection = keeper_connect();

	if (connection < 0)
		return attempt_broken("keeper");
	errno = EACCES;
	if (keeper_ask(connection, 'g', &answer, ret_fd) || *ret_fd < 0)
		return attempt_refused("SCM_RIGHTS");
	return 0;
}

static int harm_received_write(const char *path)
{
	int fd, error = received(&fd);

	(void)path;
	return error ? error : CHECK("write", pwrite(fd, TEXT, sizeof(TEXT), 0));
}

static int harm_received_ring(const char *path)
{
	int fd, error = received(&fd);
	struct io_uring_sqe sqe = {.opcode = IORING_OP_WRITE,
				   .addr = (uintptr_t)TEXT,
				   .len = sizeof(TEXT)};

	(void)path;
	sqe.fd = fd;
	return error ? error : ring("ring write", &sqe);
}

#endif
