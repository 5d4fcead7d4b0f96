/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one program and reports how it went: exit, signal, output, time, or why it could not start.
 *
 * The program is a child of the agent even when it runs inside a container: a helper enters the
 * container and then makes the program with CLONE_PARENT, so that its status comes here unchanged.
 * What the child meets before execve, and execve's own errno, travel through a close-on-exec pipe:
 * end of file means that the program is running.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"

/* Two outputs of this size, each byte as six characters of JSON at worst, still fit... */
#define OUTPUT_MAX (1u << 20)
#define TIMEOUT_DEFAULT_MS 30000
#define TIMEOUT_MAX_MS 86400000
/* A full pipe, 64 KiB, is read in as many parts. */
#define DRAIN_PARTS 16
/* ...and a process that outlives SIGKILL this long sits in the kernel: reported, not waited for. */
#define KILL_WAIT_MS 5000

enum report_kind {
	REPORT_PID,    /* the helper says which process is the program */
	REPORT_STEP,   /* the child could not prepare itself */
	REPORT_EXECVE, /* execve failed */
};

struct report {
	enum report_kind kind;
	int value; /* pid, or errno */
	char step[32];
};

struct output {
	int fd; /* -1 once it is at its end */
	char *data;
	size_t len;
	bool truncated;
};

struct job {
	char **argv;
	const json_t *env;
	const char *cwd;
	const char *profile;
	uid_t uid;
	gid_t gid;
	bool in_container;
	struct agt_container_door door;
	int stdin_fd;
	int report_fd; /* the agent's end */
	struct output out, err;
	pid_t pid;
	int64_t started_ns, deadline_ns;
	bool timed_out;
	int spawn_errno;
	int status;
};

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int left_ms(int64_t deadline_ns)
{
	int64_t left = (deadline_ns - now_ns() + 999999) / 1000000;

	return left < 0 ? 0 : left > TIMEOUT_MAX_MS ? TIMEOUT_MAX_MS : (int)left;
}

static void job_fini(struct job *job)
{
	free(job->argv);
	agt_container_close_door(&job->door);
	pcl_closep(&job->stdin_fd);
	pcl_closep(&job->report_fd);
	pcl_closep(&job->out.fd);
	pcl_closep(&job->err.fd);
	free(job->out.data);
	free(job->err.data);
}

/* --- in the child ----------------------------------------------------------------------------- */

__attribute__((noreturn)) static void report_and_exit(int fd, enum report_kind kind, int value,
						      const char *step)
{
	struct report report = {.kind = kind, .value = value};

	(void)strncpy(report.step, step, sizeof(report.step) - 1);
	/* A write of this size is atomic; nobody could be told of its failure. */
	(void)!write(fd, &report, sizeof(report));
	_exit(kind == REPORT_PID ? 0 : 127);
}

static void set_environment(const json_t *env)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)env, key, value) {
		if (json_is_string(value))
			(void)setenv(key, json_string_value(value), 1);
		else
			(void)unsetenv(key);
	}
}

/* As a container runtime does it: the program runs in the profile, or not at all. */
static int set_profile(const char *profile)
{
	static const char *const files[] = {"/proc/self/attr/apparmor/exec",
					    "/proc/self/attr/exec"};
	char text[256];
	int fd = -1, error = 0;

	if (snprintf(text, sizeof(text), "exec %s", profile) >= (int)sizeof(text))
		return -ENAMETOOLONG;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(files) && fd < 0; i++)
		fd = open(files[i], O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		error = -errno;
	(void)close(fd);
	return error;
}

__attribute__((noreturn)) static void run_program(const struct job *job, int report_fd)
{
	agt_child_reset_signals();
	(void)setsid();
	set_environment(job->env);
	if (job->cwd && chdir(job->cwd) < 0)
		report_and_exit(report_fd, REPORT_STEP, errno, "chdir");
	if (job->profile) {
		int error = set_profile(job->profile);

		if (error)
			report_and_exit(report_fd, REPORT_STEP, -error, "apparmor profile");
	}
	if (job->gid && (setgroups(0, NULL) < 0 || setresgid(job->gid, job->gid, job->gid) < 0))
		report_and_exit(report_fd, REPORT_STEP, errno, "setresgid");
	if (job->uid && (setgroups(0, NULL) < 0 || setresuid(job->uid, job->uid, job->uid) < 0))
		report_and_exit(report_fd, REPORT_STEP, errno, "setresuid");
	(void)execvp(job->argv[0], job->argv);
	report_and_exit(report_fd, REPORT_EXECVE, errno, "execve");
}

__attribute__((noreturn)) static void run_in_container(const struct job *job, int report_fd)
{
	const char *step = "";
	int error = agt_container_enter(&job->door, &step);
	long pid;

	if (error)
		report_and_exit(report_fd, REPORT_STEP, -error, step);
	/*
	 * KERNEL: setns() on a pid namespace moves the next children only, so one more is needed.
	 * The raw call, because fork() cannot be given CLONE_PARENT.
	 */
	pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	if (pid < 0)
		report_and_exit(report_fd, REPORT_STEP, errno, "clone");
	if (pid > 0)
		report_and_exit(report_fd, REPORT_PID, (int)pid, "");
	run_program(job, report_fd);
}

__attribute__((noreturn)) static void child_main(const struct job *job, int out_fd, int err_fd,
						 int report_fd)
{
	if (dup2(job->stdin_fd, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(err_fd, 2) < 0)
		report_and_exit(report_fd, REPORT_STEP, errno, "dup2");
	if (job->in_container)
		run_in_container(job, report_fd);
	run_program(job, report_fd);
}

/* --- in the agent -------------------------------------------------------------------------------
 */

static int open_stdin(const json_t *text)
{
	int fd pcl_autoclose = -1;
	const char *data = json_string_value(text);
	size_t left = json_string_length(text);

	if (!data) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd < 0 ? -errno : pcl_take_fd(&fd);
	}
	fd = memfd_create("stdin", MFD_CLOEXEC);
	while (fd >= 0 && left) {
		ssize_t put = write(fd, data, left);

		if (put < 0)
			return -errno;
		data += put;
		left -= (size_t)put;
	}
	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return pcl_take_fd(&fd);
}

static int parse_argv(const json_t *list, char ***ret_argv, struct pcl_diag *diag)
{
	size_t count = json_array_size(list);
	char **argv pcl_autofree = calloc(count + 1, sizeof(*argv));

	if (!argv)
		return pcl_diag_errno(diag, -ENOMEM, "exec");
	for (size_t i = 0; i < count; i++) {
		argv[i] = (char *)json_string_value(json_array_get(list, i));
		if (!argv[i])
			count = 0;
	}
	if (!count)
		return pcl_diag_set(diag, -EINVAL, "exec: \"argv\" must be a list of strings");
	*ret_argv = pcl_take_ptr(argv);
	return 0;
}

static int job_prepare(struct job *job, const json_t *request, struct pcl_diag *diag)
{
	const char *container = json_string_value(json_object_get(request, "container"));
	const json_t *timeout = json_object_get(request, "timeout_ms");
	json_int_t timeout_ms;
	int error = parse_argv(json_object_get(request, "argv"), &job->argv, diag);

	if (error)
		return error;
	job->env = json_object_get(request, "env");
	job->cwd = json_string_value(json_object_get(request, "cwd"));
	job->profile = json_string_value(json_object_get(request, "apparmor"));
	job->uid = (uid_t)json_integer_value(json_object_get(request, "uid"));
	job->gid = (gid_t)json_integer_value(json_object_get(request, "gid"));
	job->in_container = container != NULL;
	if (container && (error = agt_container_open_door(container, &job->door, diag)))
		return error;
	job->stdin_fd = open_stdin(json_object_get(request, "stdin"));
	if (job->stdin_fd < 0)
		return pcl_diag_errno(diag, job->stdin_fd, "exec: stdin");
	job->out.data = malloc(OUTPUT_MAX);
	job->err.data = malloc(OUTPUT_MAX);
	if (!job->out.data || !job->err.data)
		return pcl_diag_errno(diag, -ENOMEM, "exec");
	timeout_ms = json_is_integer(timeout) ? json_integer_value(timeout) : TIMEOUT_DEFAULT_MS;
	if (timeout_ms < 0 || timeout_ms > TIMEOUT_MAX_MS)
		return pcl_diag_set(diag, -EINVAL, "exec: \"timeout_ms\" must be 0 to %d",
				    TIMEOUT_MAX_MS);
	job->started_ns = now_ns();
	job->deadline_ns = job->started_ns + 1000000 * timeout_ms;
	return 0;
}

static int job_fork(struct job *job)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, report[2] = {-1, -1};
	int error = 0;

	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 ||
	    pipe2(report, O_CLOEXEC) < 0) {
		error = -errno;
	} else {
		job->pid = fork();
		if (job->pid == 0)
			child_main(job, out[1], err[1], report[1]);
		if (job->pid < 0)
			error = -errno;
	}
	pcl_closep(&out[1]);
	pcl_closep(&err[1]);
	pcl_closep(&report[1]);
	job->out.fd = out[0];
	job->err.fd = err[0];
	job->report_fd = report[0];
	if (!error) {
		(void)fcntl(job->out.fd, F_SETFL, O_NONBLOCK);
		(void)fcntl(job->err.fd, F_SETFL, O_NONBLOCK);
	}
	return error;
}

/* Reads the reports up to the end of the pipe, which is execve's success or the child's end. */
static int read_reports(struct job *job, struct pcl_diag *diag)
{
	struct pollfd wait = {.fd = job->report_fd, .events = POLLIN};
	struct report report;
	int error = 0;

	while (poll(&wait, 1, left_ms(job->deadline_ns)) > 0) {
		if (read(job->report_fd, &report, sizeof(report)) != (ssize_t)sizeof(report))
			return error;
		if (report.kind == REPORT_PID)
			job->pid = report.value;
		else if (report.kind == REPORT_EXECVE)
			job->spawn_errno = report.value;
		else
			error = pcl_diag_errno(diag, -report.value, "exec: %.*s",
					       (int)sizeof(report.step), report.step);
	}
	return error;
}

/* A part at a time: a program that writes without end must not keep the deadline from being seen.
 */
static void drain(struct output *output)
{
	char rest[4096];

	for (int part = 0; part < DRAIN_PARTS && output->fd >= 0; part++) {
		size_t space = OUTPUT_MAX - output->len;
		ssize_t got = space ? read(output->fd, output->data + output->len, space)
				    : read(output->fd, rest, sizeof(rest));

		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0) {
			pcl_closep(&output->fd);
			output->fd = -1;
		} else if (space) {
			output->len += (size_t)got;
		} else {
			output->truncated = true;
		}
	}
}

static void job_kill(const struct job *job)
{
	(void)kill(-job->pid, SIGKILL);
	(void)kill(job->pid, SIGKILL);
}

/*
 * Until the program itself ended. Children that it left behind may hold the pipes open, so the end
 * of the outputs is not waited for: what is in them then is all that is reported.
 */
static int job_wait(struct job *job, struct pcl_diag *diag)
{
	for (;;) {
		struct pollfd wait[] = {{.fd = agt_child_fd(), .events = POLLIN},
					{.fd = job->out.fd, .events = POLLIN},
					{.fd = job->err.fd, .events = POLLIN}};
		bool ended = agt_child_reap(job->pid, &job->status);

		drain(&job->out);
		drain(&job->err);
		if (ended)
			return 0;
		if (now_ns() >= job->deadline_ns) {
			if (job->timed_out)
				return pcl_diag_set(diag, -ETIMEDOUT,
						    "exec: process %d does not die of SIGKILL",
						    (int)job->pid);
			job->timed_out = true;
			job->deadline_ns = now_ns() + (int64_t)KILL_WAIT_MS * 1000000;
			job_kill(job);
		}
		wait[1].fd = job->out.fd;
		wait[2].fd = job->err.fd;
		(void)poll(wait, PCL_ARRAY_SIZE(wait), left_ms(job->deadline_ns));
	}
}

static void add_result(const struct job *job, json_t *reply)
{
	bool ran = !job->spawn_errno;

	(void)json_object_set_new(reply, "exit",
				  ran && WIFEXITED(job->status)
					  ? json_integer(WEXITSTATUS(job->status))
					  : json_null());
	(void)json_object_set_new(reply, "signal",
				  ran && WIFSIGNALED(job->status)
					  ? json_integer(WTERMSIG(job->status))
					  : json_null());
	(void)json_object_set_new(reply, "timed_out", json_boolean(job->timed_out));
	(void)json_object_set_new(reply, "pid", json_integer(job->pid));
	(void)json_object_set_new(reply, "stdout", agt_text_json(job->out.data, job->out.len));
	(void)json_object_set_new(reply, "stderr", agt_text_json(job->err.data, job->err.len));
	(void)json_object_set_new(reply, "duration_ns", json_integer(now_ns() - job->started_ns));
	if (job->out.truncated || job->err.truncated)
		(void)json_object_set_new(reply, "truncated", json_true());
	if (job->spawn_errno)
		(void)json_object_set_new(reply, "spawn_errno", json_integer(job->spawn_errno));
}

int agt_exec(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	struct job job pcl_cleanup(job_fini) = {.door = AGT_CONTAINER_DOOR_CLOSED,
						.stdin_fd = -1,
						.report_fd = -1,
						.out.fd = -1,
						.err.fd = -1};
	int step_error, error = job_prepare(&job, request, diag);

	if (error)
		return error;
	error = job_fork(&job);
	if (error)
		return pcl_diag_errno(diag, error, "exec: cannot make a process");
	step_error = read_reports(&job, diag);
	/* Nothing is reaped before here, so the status cannot have been lost. */
	error = agt_child_watch(job.pid);
	if (error) {
		job_kill(&job);
		return pcl_diag_errno(diag, error, "exec: too many children are watched");
	}
	if (step_error) {
		/* The child ends by itself; its diag is the one that counts. */
		(void)job_wait(&job, NULL);
		agt_child_forget(job.pid);
		return step_error;
	}
	error = job_wait(&job, diag);
	agt_child_forget(job.pid);
	if (error)
		return error;
	add_result(&job, reply);
	return 0;
}
