/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children. As process 1 the agent inherits every orphan, so waitpid(-1) is called in one place,
 * and the statuses of the few children that someone waits for are kept aside.
 *
 * KERNEL: SIGCHLD is not queued; one signalfd read may stand for many ends. So every look reaps
 * until nothing is left.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"

/* One running exec plus every container's init; more containers than this are refused. */
#define WATCHED_MAX 32

static struct {
	pid_t pid; /* 0: free */
	int status;
	bool ended;
} watched[WATCHED_MAX];
static int signal_fd = -1;

void agt_child_init(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0)
		perror("agent: signalfd");
}

int agt_child_fd(void)
{
	return signal_fd;
}

void agt_child_reset_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
}

int agt_child_watch(pid_t pid)
{
	for (size_t i = 0; i < WATCHED_MAX; i++) {
		if (watched[i].pid == 0) {
			watched[i].pid = pid;
			watched[i].ended = false;
			return 0;
		}
	}
	return -EMFILE;
}

void agt_child_forget(pid_t pid)
{
	for (size_t i = 0; i < WATCHED_MAX; i++) {
		if (watched[i].pid == pid)
			watched[i].pid = 0;
	}
}

static void note_end(pid_t pid, int status)
{
	for (size_t i = 0; i < WATCHED_MAX; i++) {
		if (watched[i].pid == pid) {
			watched[i].status = status;
			watched[i].ended = true;
		}
	}
}

bool agt_child_reap(pid_t pid, int *ret_status)
{
	struct signalfd_siginfo info;
	int status;
	pid_t ended;

	while (read(signal_fd, &info, sizeof(info)) > 0)
		continue;
	while ((ended = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
		note_end(ended, status);
	for (size_t i = 0; i < WATCHED_MAX; i++) {
		if (pid > 0 && watched[i].pid == pid && watched[i].ended) {
			watched[i].pid = 0;
			*ret_status = watched[i].status;
			return true;
		}
	}
	return false;
}
