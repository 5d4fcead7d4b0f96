/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run WAY PROGRAM TEXT [OTHER]: executes PROGRAM, which is to say TEXT, by one of many ways: other
 * system calls, descriptors, scripts, loaders, threads and forks. The ways that copy the program
 * (memfd, deleted, tmpfile) are for allow-lists, where a copy is no listed program.
 *
 * OTHER is the dynamic loader, for the ways loader and loader-memfd, and the library, for way
 * preload.
 */
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "run_image.h"
#include "scratch.h"
#include "spawn.h"

#define USAGE "run WAY PROGRAM TEXT [OTHER]"

struct job {
	char *program;
	char *text;
	char *other;
};

/* --- how the process comes to be ---------------------------------------------------------------
 */

/* In a child that report_from() forked: the exec itself, by job->program; returns errno. */
static int plain_exec(const struct job *job)
{
	char *argv[] = {job->program, job->text, NULL};

	(void)execv(job->program, argv);
	return errno;
}

static int vfork_exec(const struct job *job)
{
	char *argv[] = {job->program, job->text, NULL};
	volatile int error = 0;
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		(void)execve(argv[0], argv, environ);
		error = errno;
		_exit(REPLAY_REFUSED);
	}
	(void)waitpid(pid, &status, 0);
	return error;
}

static int spawn_exec(const struct job *job)
{
	char *argv[] = {job->program, job->text, NULL};
	pid_t pid;
	int status, error = posix_spawn(&pid, job->program, NULL, NULL, argv, environ);

	if (!error)
		(void)waitpid(pid, &status, 0);
	return error;
}

/* struct clone_args as far as it is used: flags, then what is 0, then exit_signal. */
static int clone3_exec(const struct job *job)
{
	unsigned long long args[8] = {[4] = SIGCHLD};
	long pid = syscall(SYS_clone3, args, sizeof(args));
	int status;

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(plain_exec(job));
	(void)waitpid((pid_t)pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static int session_exec(const struct job *job)
{
	(void)setsid();
	return plain_exec(job);
}

static int double_fork_exec(const struct job *job)
{
	return spawn_grandchild(session_exec, job);
}

static int thread_exec(const struct job *job)
{
	return spawn_thread(plain_exec, job);
}

/* Under another name, as ps shows it. */
static int disguised_exec(const struct job *job)
{
	char *argv[] = {(char[]){"/usr/bin/true"}, job->text, NULL};

	(void)prctl(PR_SET_NAME, "true");
	(void)execv(job->program, argv);
	return errno;
}

/* We execute ourselves anew first, so that the caller is another image of the same program. */
static int again_exec(const struct job *job)
{
	char *argv[] = {(char[]){"run"}, (char[]){"direct"}, job->program, job->text, NULL};

	(void)execv("/proc/self/exe", argv);
	return errno;
}

/* --- what execve is given ----------------------------------------------------------------------
 */

static int execute_fd(int fd, const struct job *job)
{
	char *argv[] = {(char[]){"descriptor"}, job->text, NULL};

	if (fd < 0)
		return errno;
	(void)syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	return errno;
}

static int empty_path_exec(const struct job *job)
{
	return execute_fd(open(job->program, O_RDONLY | O_CLOEXEC), job);
}

static int o_path_exec(const struct job *job)
{
	return execute_fd(open(job->program, O_PATH | O_CLOEXEC), job);
}

static int proc_fd_exec(const struct job *job)
{
	char name[64], *argv[] = {name, job->text, NULL};
	int fd = open(job->program, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	(void)execv(name, argv);
	return errno;
}

static int dir_fd_exec(const struct job *job)
{
	char *argv[] = {job->program, job->text, NULL};
	int dir = open(dir_of(job->program), O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return errno;
	(void)syscall(SYS_execveat, dir, base_of(job->program), argv, environ, AT_SYMLINK_NOFOLLOW);
	return errno;
}

static int memfd_exec(const struct job *job)
{
	return execute_fd(image_in_memory(job->program, 0), job);
}

static int sealed_memfd_exec(const struct job *job)
{
	return execute_fd(image_in_memory(job->program, 1), job);
}

static int memfd_proc_exec(const struct job *job)
{
	char name[64], *argv[] = {name, job->text, NULL};
	int fd = image_in_memory(job->program, 0);

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	(void)execv(name, argv);
	return errno;
}

static int deleted_exec(const struct job *job)
{
	return execute_fd(image_deleted(job->program), job);
}

static int tmpfile_exec(const struct job *job)
{
	return execute_fd(image_nameless(job->program), job);
}

/* --- by another program's hand -----------------------------------------------------------------
 */

static int script_at(const char *path, const char *interpreter, const char *argument)
{
	char text[WAY_PATH_MAX];
	int fd;

	(void)snprintf(text, sizeof(text), "#!%s %s\n", interpreter, argument);
	if (scratch_file(path, text))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0755))
		return -1;
	return close(fd);
}

/* The program is the interpreter; it would say its own argument and the script's name. */
static int script_exec(const struct job *job)
{
	char *argv[] = {(char[]){SCRATCH "/script"}, NULL};

	if (script_at(argv[0], job->program, job->text))
		return EIO;
	(void)execv(argv[0], argv);
	return errno;
}

static int script_chain_exec(const struct job *job)
{
	char *argv[] = {(char[]){SCRATCH "/first"}, NULL};

	if (script_at(SCRATCH "/script", job->program, job->text) ||
	    script_at(argv[0], SCRATCH "/script", "-"))
		return EIO;
	(void)execv(argv[0], argv);
	return errno;
}

/*
 * binfmt_misc hands a file of our own magic to the program. The registration is for all, so it is
 * taken back, whatever came of it.
 */
static int binfmt_exec(const struct job *job)
{
	char rule[WAY_PATH_MAX], *argv[] = {(char[]){SCRATCH "/magic"}, job->text, NULL};
	int fd, error, status;
	pid_t pid;

	if (mount("none", "/proc/sys/fs/binfmt_misc", "binfmt_misc", 0, NULL) && errno != EBUSY)
		return EIO;
	if (scratch_file(argv[0], "GauntletMagic") || chmod(argv[0], 0755))
		return EIO;
	(void)snprintf(rule, sizeof(rule), ":gauntlet:M::GauntletMagic::%s:", job->program);
	fd = open("/proc/sys/fs/binfmt_misc/register", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, rule, strlen(rule)) < 0)
		return EIO;
	(void)close(fd);
	pid = fork();
	if (pid == 0) {
		(void)execv(argv[0], argv);
		_exit(errno);
	}
	(void)waitpid(pid, &status, 0);
	error = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
	fd = open("/proc/sys/fs/binfmt_misc/gauntlet", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)!write(fd, "-1", 2);
	return error;
}

static int loader_exec(const struct job *job)
{
	char *argv[] = {job->other, job->program, job->text, NULL};

	(void)execv(job->other, argv);
	return errno;
}

/* The loader opens what is a copy in memory. */
static int loader_memfd_exec(const struct job *job)
{
	char name[64], *argv[] = {job->other, name, job->text, NULL};
	int fd = image_in_memory(job->program, 0);

	if (fd < 0 || fcntl(fd, F_SETFD, 0))
		return EIO;
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	(void)execv(job->other, argv);
	return errno;
}

static int preload_exec(const struct job *job)
{
	char *argv[] = {job->program, job->text, NULL};
	int fd = open(job->other, O_RDONLY | O_CLOEXEC);

	/* The loader goes on in silence without a library that it may not open. */
	if (fd < 0)
		return errno;
	(void)close(fd);
	(void)setenv("LD_PRELOAD", job->other, 1);
	(void)execv(job->program, argv);
	return errno;
}

static const struct {
	const char *name;
	int (*exec)(const struct job *job);
	int needs_other;
} ways[] = {
	{"fork", plain_exec, 0},
	{"vfork", vfork_exec, 0},
	{"posix-spawn", spawn_exec, 0},
	{"clone3", clone3_exec, 0},
	{"double-fork", double_fork_exec, 0},
	{"thread", thread_exec, 0},
	{"disguised", disguised_exec, 0},
	{"again", again_exec, 0},
	{"empty-path", empty_path_exec, 0},
	{"o-path", o_path_exec, 0},
	{"proc-fd", proc_fd_exec, 0},
	{"dir-fd", dir_fd_exec, 0},
	{"memfd", memfd_exec, 0},
	{"sealed-memfd", sealed_memfd_exec, 0},
	{"memfd-proc", memfd_proc_exec, 0},
	{"deleted", deleted_exec, 0},
	{"tmpfile", tmpfile_exec, 0},
	{"script", script_exec, 0},
	{"script-chain", script_chain_exec, 0},
	{"binfmt", binfmt_exec, 0},
	{"loader", loader_exec, 1},
	{"loader-memfd", loader_memfd_exec, 1},
	{"preload", preload_exec, 1},
};

/* A dynamic loader that may not map a file says so in words; so do we when executed anew. */
static int report_failed_child(const char *output, int status)
{
	static const int denials[] = {EACCES, EPERM};

	for (size_t i = 0; i < sizeof(denials) / sizeof(denials[0]); i++)
		if (strstr(output, strerror(denials[i])))
			return replay_refused("loader", denials[i]);
	/* musl's loader says only this of a file that it cannot map, and no errno; a program that
	 * really is none fails without a policy as well. */
	if (strstr(output, "Not a valid dynamic program"))
		return replay_refused("loader", EACCES);
	return replay_broken("child", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/* The child says on its output what the program says, and in its exit code what went wrong. */
static int report_from(int (*exec)(const struct job *job), const struct job *job)
{
	static char data[REPLAY_DATA_MAX + 1];
	int out[2], report[2], error = 0, status = 0;
	size_t len;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) || pipe2(report, O_CLOEXEC))
		return replay_broken("pipe", errno);
	pid = fork();
	if (pid < 0)
		return replay_broken("fork", errno);
	if (pid == 0) {
		(void)dup2(out[1], STDOUT_FILENO);
		(void)dup2(out[1], STDERR_FILENO);
		error = exec(job);
		_exit(write(report[1], &error, sizeof(error)) != sizeof(error));
	}
	(void)close(out[1]);
	(void)close(report[1]);
	if (read(report[0], &error, sizeof(error)) != sizeof(error))
		error = 0;
	len = spawn_read_all(out[0], data, REPLAY_DATA_MAX);
	if (waitpid(pid, &status, 0) != pid)
		return replay_broken("wait", errno);
	if (error == EIO)
		return replay_broken("prepare", error);
	if (error)
		return replay_refused("execve", error);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return report_failed_child(data, status);
	return replay_done("execve", data, len);
}

int main(int argc, char **argv)
{
	struct job job;

	if (argc == 4 && strcmp(argv[1], "direct") == 0) {
		job = (struct job){.program = argv[2], .text = argv[3]};
		/* For the run that executed us, which reads words only. */
		(void)puts(strerror(plain_exec(&job)));
		return REPLAY_REFUSED;
	}
	if (argc != 4 && argc != 5)
		return replay_usage(USAGE);
	job = (struct job){.program = argv[2],
			   .text = argv[3],
			   .other = argc == 5 ? argv[4] : NULL};
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, argv[1]) != 0 || (ways[i].needs_other && !job.other))
			continue;
		if (scratch_make())
			return replay_broken("scratch", errno);
		return report_from(ways[i].exec, &job);
	}
	return replay_usage(USAGE);
}
