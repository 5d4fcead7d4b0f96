/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program as a child and tells a refused execve (with its errno) from a program that ran.
 */
#ifndef GNT_ATTACK_SPAWN_H
#define GNT_ATTACK_SPAWN_H

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "replay.h"

/* What is executed, as execveat() takes it. */
struct spawn_how {
	int dir;
	const char *name;
	int flags;
	char **argv;
};

/* In the child: never returns. The errno of a failed execve goes into the report pipe. */
static inline void spawn_child(const struct spawn_how *how, int out_fd, int report_fd)
{
	int error;

	if (dup2(out_fd, STDOUT_FILENO) >= 0 && dup2(out_fd, STDERR_FILENO) >= 0)
		(void)syscall(SYS_execveat, how->dir, how->name, how->argv, environ, how->flags);
	error = errno;
	if (write(report_fd, &error, sizeof(error)) != sizeof(error))
		_exit(REPLAY_BROKEN);
	_exit(REPLAY_REFUSED);
}

static inline size_t spawn_read_all(int fd, char *data, size_t max)
{
	size_t len = 0;
	ssize_t got;

	while (len < max && (got = read(fd, data + len, max - len)) > 0)
		len += (size_t)got;
	return len;
}

/* Prints the answer and returns the exit code for main. */
static inline int spawn_how_and_report(const struct spawn_how *how)
{
	static char data[REPLAY_DATA_MAX];
	int out[2], report[2], error = 0, status = 0;
	size_t len;
	pid_t pid;

	/* KERNEL: a successful execve closes the report pipe (O_CLOEXEC), so reading nothing from
	 * it means that the program started. */
	if (pipe2(out, O_CLOEXEC) != 0 || pipe2(report, O_CLOEXEC) != 0)
		return replay_broken("pipe", errno);
	pid = fork();
	if (pid < 0)
		return replay_broken("fork", errno);
	if (pid == 0)
		spawn_child(how, out[1], report[1]);
	(void)close(out[1]);
	(void)close(report[1]);
	if (read(report[0], &error, sizeof(error)) != sizeof(error))
		error = 0;
	len = spawn_read_all(out[0], data, sizeof(data));
	if (waitpid(pid, &status, 0) != pid)
		return replay_broken("wait", errno);
	if (error)
		return replay_refused("execve", error);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return replay_broken("child", 0);
	return replay_done("execve", data, len);
}

/* argv[0] is the path. */
static inline int spawn_and_report(char **argv)
{
	const struct spawn_how how = {.dir = AT_FDCWD, .name = argv[0], .argv = argv};

	return spawn_how_and_report(&how);
}

/*
 * Others that execute in the caller's stead. execute returns errno, and only where nothing was
 * executed in the place of who calls it; so do these.
 */
struct job; /* the program's own */
typedef int (*spawn_execute_fn)(const struct job *job);

/* A grandchild whose parent is gone. The report ends where it executes (O_CLOEXEC). */
static inline int spawn_grandchild(spawn_execute_fn execute, const struct job *job)
{
	int report[2], error = 0, status;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC))
		return EIO;
	pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			error = execute(job);
			_exit(write(report[1], &error, sizeof(error)) != sizeof(error));
		}
		_exit(0);
	}
	(void)close(report[1]);
	(void)waitpid(pid, &status, 0);
	return read(report[0], &error, sizeof(error)) == sizeof(error) ? error : 0;
}

struct spawn_thread {
	spawn_execute_fn execute;
	const struct job *job;
};

static inline void *spawn_thread_main(void *argument)
{
	const struct spawn_thread *thread = argument;

	return (void *)(intptr_t)thread->execute(thread->job);
}

/* KERNEL: a thread that executes takes the place of the whole process. */
static inline int spawn_thread(spawn_execute_fn execute, const struct job *job)
{
	struct spawn_thread argument = {execute, job};
	pthread_t thread;
	void *error;

	if (pthread_create(&thread, NULL, spawn_thread_main, &argument) ||
	    pthread_join(thread, &error))
		return EIO;
	return (int)(intptr_t)error;
}

#endif
