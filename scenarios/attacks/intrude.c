/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intrude WAY CGROUP PROGRAM TEXT: goes into the cgroup of a container from outside, and executes
 * PROGRAM there, which says TEXT: itself (way direct), or by a child (fork), a grandchild whose
 * parent is gone (double-fork) or a thread (thread).
 */
#include <limits.h>

#include "spawn.h"

#define USAGE "intrude WAY CGROUP PROGRAM TEXT"

struct job {
	char *program;
	char *text;
};

/* All return errno, and only where PROGRAM was not executed in the place of the caller. */

static int direct(const struct job *job)
{
	char *argv[] = {job->program, job->text, NULL};

	(void)execv(job->program, argv);
	return errno;
}

static int by_child(const struct job *job)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(direct(job));
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static int by_grandchild(const struct job *job)
{
	return spawn_grandchild(direct, job);
}

static int by_thread(const struct job *job)
{
	return spawn_thread(direct, job);
}

static const struct {
	const char *name;
	int (*execute)(const struct job *job);
} ways[] = {
	{"direct", direct},
	{"fork", by_child},
	{"double-fork", by_grandchild},
	{"thread", by_thread},
};

static int join(const char *cgroup)
{
	char path[PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		return -1;
	return close(fd);
}

/* In a child of ours, which is the one that goes in. */
static int go_in(int (*execute)(const struct job *job), const char *cgroup, const struct job *job)
{
	static char data[REPLAY_DATA_MAX];
	int out[2], status = 0;
	size_t len;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC))
		return replay_broken("pipe", errno);
	pid = fork();
	if (pid == 0) {
		if (dup2(out[1], STDOUT_FILENO) < 0 || join(cgroup))
			_exit(EIO);
		_exit(execute(job));
	}
	(void)close(out[1]);
	len = spawn_read_all(out[0], data, sizeof(data));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return replay_broken("wait", errno);
	if (WEXITSTATUS(status) == EIO)
		return replay_broken("prepare", EIO);
	if (WEXITSTATUS(status))
		return replay_refused("execve", WEXITSTATUS(status));
	return replay_done("execve", data, len);
}

int main(int argc, char **argv)
{
	struct job job;

	if (argc != 5)
		return replay_usage(USAGE);
	job = (struct job){.program = argv[3], .text = argv[4]};
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, argv[1]) == 0)
			return go_in(ways[i].execute, argv[2], &job);
	return replay_usage(USAGE);
}
