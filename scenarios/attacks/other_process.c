/* SPDX-License-Identifier: Apache-2.0 */
/*
 * other_process WAY FILE: reads FILE (environ, status, net/unix, ...) of another process below
 * proc.
 *
 *   other     of process 1 of the pid namespace
 *   thread    of its thread, below task
 *   mount     by a mount of proc that the program makes itself, at another place
 *   detached  by a mount of proc that has no place
 *   bind      by a bind mount of the process's directory
 *   received  by a descriptor that the keeper has opened
 *   own       of the program itself
 *   own-thread, own-top  of a thread of the program itself, below task and below proc
 */
#include <pthread.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "keeper.h"

#define USAGE "other_process WAY FILE"
#define PLACE SCRATCH "/proc"
#define FILE_PATH_MAX 256

/* Not in every libc's headers. */
#ifndef SYS_fsopen
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#define CONFIG_CREATE 6

/* Each returns a descriptor to read, or -1 with errno; attempt is what becomes of that. */

static int open_in(int dir, const char *way, const char *file, int *attempt)
{
	char path[FILE_PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", way, file);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		*attempt = attempt_refused("open");
	return fd;
}

static int by_other(const char *file, int *attempt)
{
	return open_in(AT_FDCWD, "/proc/1", file, attempt);
}

static int by_thread_of_other(const char *file, int *attempt)
{
	return open_in(AT_FDCWD, "/proc/1/task/1", file, attempt);
}

static int by_mount(const char *file, int *attempt)
{
	if (scratch_dir(PLACE) || mount("proc", PLACE, "proc", 0, NULL)) {
		*attempt = attempt_broken("mount");
		return -1;
	}
	return open_in(AT_FDCWD, PLACE "/1", file, attempt);
}

static int by_detached(const char *file, int *attempt)
{
	int context = (int)syscall(SYS_fsopen, "proc", 0), dir;

	if (context < 0 || syscall(SYS_fsconfig, context, CONFIG_CREATE, NULL, NULL, 0) ||
	    (dir = (int)syscall(SYS_fsmount, context, 0, 0)) < 0) {
		*attempt = attempt_broken("fsmount");
		return -1;
	}
	return open_in(dir, "1", file, attempt);
}

static int by_bind(const char *file, int *attempt)
{
	if (scratch_dir(PLACE) || mount("/proc/1", PLACE, NULL, MS_BIND, NULL)) {
		*attempt = attempt_broken("mount");
		return -1;
	}
	return open_in(AT_FDCWD, PLACE, file, attempt);
}

static int by_received(const char *file, int *attempt)
{
	struct keeper_answer answer = {0};
	int connection = keeper_connect(), fd = -1;

	(void)file;
	if (connection < 0 || keeper_ask(connection, 'g', &answer, &fd))
		*attempt = attempt_broken("keeper");
	/* KERNEL: a descriptor that may not be received is left out. */
	else if (fd < 0)
		*attempt = (errno = EACCES, attempt_refused("receive"));
	return fd;
}

static int by_own(const char *file, int *attempt)
{
	return open_in(AT_FDCWD, "/proc/self", file, attempt);
}

static int by_own_thread(const char *file, int *attempt)
{
	char way[64];

	(void)snprintf(way, sizeof(way), "/proc/self/task/%ld", syscall(SYS_gettid));
	return open_in(AT_FDCWD, way, file, attempt);
}

static int by_own_top(const char *file, int *attempt)
{
	char way[64];

	(void)snprintf(way, sizeof(way), "/proc/%ld", syscall(SYS_gettid));
	return open_in(AT_FDCWD, way, file, attempt);
}

static const struct {
	const char *name;
	int (*open)(const char *file, int *attempt);
} ways[] = {
	{"other", by_other},	 {"thread", by_thread_of_other},
	{"mount", by_mount},	 {"detached", by_detached},
	{"bind", by_bind},	 {"received", by_received},
	{"own", by_own},	 {"own-thread", by_own_thread},
	{"own-top", by_own_top},
};

struct job {
	const char *file;
	int (*open)(const char *file, int *attempt);
	int result;
};

static int read_and_report(int fd)
{
	static char data[REPLAY_DATA_MAX];
	ssize_t len = read(fd, data, sizeof(data));

	return len < 0 ? replay_refused("read", errno) : replay_done("read", data, (size_t)len);
}

static void *thread_main(void *argument)
{
	struct job *job = argument;
	int attempt = 0, fd = job->open(job->file, &attempt);

	job->result = fd < 0 ? attempt_report(attempt) : read_and_report(fd);
	return NULL;
}

/* In a thread that is not the first, so that its own number is another than the process's. */
static int run_in_thread(struct job *job)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_main, job) || pthread_join(thread, NULL))
		return replay_broken("thread", EAGAIN);
	return job->result;
}

int main(int argc, char **argv)
{
	struct job job = {0};

	if (argc != 3)
		return replay_usage(USAGE);
	job.file = argv[2];
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, argv[1]) == 0)
			job.open = ways[i].open;
	if (!job.open)
		return replay_usage(USAGE);
	if (scratch_make())
		return replay_broken("scratch", errno);
	return run_in_thread(&job);
}
