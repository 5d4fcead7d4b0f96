/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does one operation, or serves operations from standard input until its end. A copy of it at
 * another path is another source.
 *
 * usage: act OPERATION [A [B [NUMBER...]]]
 *        act serve
 *        act serve-each	each operation is done by a process of its own
 *
 * What follows "serve" is passed over: a script's name, whose interpreter it is.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "act.h"
#include "replay.h"

#define RENAME_SWAP 2 /* RENAME_EXCHANGE */
/* Of a child: far above what any operation takes. */
#define STACK_LEN 65536

static int answer(long result)
{
	return result < 0 ? errno : 0;
}

static int open_and_close(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0777);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

/* Without a name; -1 with errno. */
static int copy_to_memory(const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC), to = memfd_create("copy", MFD_CLOEXEC);
	ssize_t sent = 1;

	while (from >= 0 && to >= 0 && sent > 0)
		sent = sendfile(to, from, NULL, 1 << 20);
	if (from >= 0)
		(void)close(from);
	return from < 0 || sent < 0 ? -1 : to;
}

/* What is to be executed by a descriptor; -1: by its name. False with errno. */
static int open_program(const struct act_request *request, int *ret_fd)
{
	*ret_fd = -1;
	if (request->op == ACT_EXECUTE_AT)
		*ret_fd = open(request->a, O_PATH | O_CLOEXEC);
	else if (request->op == ACT_MEMORY)
		*ret_fd = copy_to_memory(request->a);
	else
		return 1;
	return *ret_fd >= 0;
}

/* Returns errno where the program is not executed in the place of the caller. */
static int become_program(const struct act_request *request)
{
	char *argv[ACT_ARGS + 2] = {(char *)request->a};
	size_t count = 1;
	int fd;

	for (unsigned i = 0; i < ACT_ARGS; i++)
		if (request->number[0] & 1 << i)
			argv[count++] = (char *)act_args[i];
	if (!open_program(request, &fd))
		return errno;
	if (fd >= 0)
		(void)syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	else
		execve(request->a, argv, environ);
	return errno;
}

/* What a child makes of a request, in memory that it shares with its parent. */
struct errand {
	const struct act_request *request;
	int error;
};

/*
 * The parent waits until the child has ended or executes something, so the child takes the parent's
 * memory as it is: to copy it would take an emulated processor longer than most operations do.
 */
static pid_t start(int (*run)(void *), struct errand *errand, char *stack_end)
{
	return clone(run, stack_end, CLONE_VM | CLONE_VFORK | SIGCHLD, errand);
}

static int run_program(void *context)
{
	struct errand *errand = context;

	errand->error = become_program(errand->request);
	return 0;
}

/* In a child, whose error is none if it has become the program. */
static int execute(const struct act_request *request, struct act_reply *reply)
{
	static char stack[STACK_LEN] __attribute__((aligned(16)));
	struct errand errand = {.request = request};
	pid_t pid = start(run_program, &errand, stack + sizeof(stack));
	int status;

	if (pid < 0)
		return errno;
	reply->pid = pid;
	if (waitpid(pid, &status, 0) != pid || (!errand.error && status))
		return ECHILD;
	return errand.error;
}

static int map_executable(void)
{
	void *page = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? errno : answer(munmap(page, 1));
}

static int talk(const struct act_request *request)
{
	int fd = socket(request->number[0], request->number[1] | SOCK_CLOEXEC, request->number[2]);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

static int act_on_name(const struct act_request *request)
{
	const char *a = request->a, *b = request->b;

	switch ((enum act_op)request->op) {
	case ACT_TRUNCATE:
		return answer(truncate(a, 0));
	case ACT_UNLINK:
		return answer(unlink(a));
	case ACT_RENAME:
	case ACT_REPLACE:
		return answer(rename(a, b));
	case ACT_EXCHANGE:
		return answer(syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_SWAP));
	case ACT_LINK:
		return answer(link(a, b));
	case ACT_SYMLINK:
		return answer(symlink("nowhere", a));
	case ACT_MKDIR:
		return answer(mkdir(a, 0777));
	case ACT_RMDIR:
		return answer(rmdir(a));
	case ACT_MKNOD:
		return answer(mknod(a, S_IFIFO | 0777, 0));
	case ACT_CHMOD:
		return answer(chmod(a, (mode_t)request->number[0]));
	case ACT_CHOWN:
		return answer(chown(a, (uid_t)request->number[0], (gid_t)-1));
	default:
		return EINVAL;
	}
}

static int act_as_root(const struct act_request *request)
{
	const struct sched_param urgent = {.sched_priority = 1}, usual = {0};
	int error;

	switch ((enum act_op)request->op) {
	case ACT_CHROOT:
		return answer(chroot("/"));
	case ACT_NICE:
		/* setpriority() would say EACCES, whoever refuses. */
		error = answer(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &urgent));
		(void)syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &usual);
		return error;
	case ACT_BOOT:
		error = answer(syscall(SYS_reboot, 0, 0, 0, 0));
		return error == EINVAL ? 0 : error;
	case ACT_ACCOUNT:
		return answer(acct(NULL));
	default:
		return act_on_name(request);
	}
}

static int act(const struct act_request *request, struct act_reply *reply)
{
	switch ((enum act_op)request->op) {
	case ACT_READ:
		return open_and_close(request->a, O_RDONLY);
	case ACT_WRITE:
		return open_and_close(request->a, O_WRONLY);
	case ACT_BOTH:
		return open_and_close(request->a, O_RDWR);
	case ACT_APPEND:
		return open_and_close(request->a, O_WRONLY | O_APPEND);
	case ACT_EMPTY:
		return open_and_close(request->a, O_WRONLY | O_TRUNC);
	case ACT_CREATE:
		return open_and_close(request->a, O_WRONLY | O_CREAT | O_EXCL);
	case ACT_EXECUTE:
	case ACT_EXECUTE_AT:
	case ACT_SCRIPT:
	case ACT_MEMORY:
		return execute(request, reply);
	case ACT_MAP:
		return map_executable();
	case ACT_SOCKET:
		return talk(request);
	default:
		return act_as_root(request);
	}
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int serve_one(const struct act_request *request)
{
	struct act_reply reply = {.pid = getpid(), .begin_ns = now_ns()};

	reply.error = act(request, &reply);
	reply.end_ns = now_ns();
	return write(STDOUT_FILENO, &reply, sizeof(reply)) == (ssize_t)sizeof(reply)
		       ? REPLAY_DONE
		       : REPLAY_BROKEN;
}

static int run_one(void *context)
{
	struct errand *errand = context;

	return serve_one(errand->request);
}

/* By a process that does nothing else, so that its number tells the operation. */
static int serve_apart(const struct act_request *request)
{
	static char stack[STACK_LEN] __attribute__((aligned(16)));
	struct errand errand = {.request = request};
	pid_t pid = start(run_one, &errand, stack + sizeof(stack));
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && !status ? REPLAY_DONE : REPLAY_BROKEN;
}

static int serve(int (*one)(const struct act_request *request))
{
	static struct act_request request;
	int code = REPLAY_DONE;

	while (code == REPLAY_DONE &&
	       read(STDIN_FILENO, &request, sizeof(request)) == (ssize_t)sizeof(request))
		code = one(&request);
	return code;
}

static uint32_t find_word(const char *word)
{
	uint32_t op = 0;

	while (op < ACT_COUNT && strcmp(act_words[op], word) != 0)
		op++;
	return op;
}

int main(int argc, char **argv)
{
	static struct act_request request;
	struct act_reply reply = {0};
	int error;

	if (argc > 1 && !strcmp(argv[1], "serve"))
		return serve(serve_one);
	if (argc > 1 && !strcmp(argv[1], "serve-each"))
		return serve(serve_apart);
	request.op = argc > 1 ? find_word(argv[1]) : ACT_COUNT;
	if (request.op == ACT_COUNT || argc > 7)
		return replay_usage("act OPERATION [A [B [NUMBER...]]] | act serve");
	snprintf(request.a, sizeof(request.a), "%s", argc > 2 ? argv[2] : "");
	snprintf(request.b, sizeof(request.b), "%s", argc > 3 ? argv[3] : "");
	for (int i = 4; i < argc; i++)
		request.number[i - 4] = atoi(argv[i]);
	error = act(&request, &reply);
	if (error == EACCES || error == EPERM)
		return replay_refused(argv[1], error);
	return error ? replay_broken(argv[1], error)
		     : replay_done(argv[1], ACT_DONE, strlen(ACT_DONE));
}
