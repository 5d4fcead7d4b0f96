/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program in a session of its own whose controlling terminal is a fresh pseudo-terminal.
 * The program keeps its standard files, so its answer is read as without a terminal.
 *
 * usage: at_terminal PROGRAM [ARG...]
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "replay.h"

static int open_terminal(void)
{
	int main_fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), terminal_fd, zero = 0;
	char name[32];
	unsigned number;

	if (main_fd < 0 || ioctl(main_fd, TIOCSPTLCK, &zero) || ioctl(main_fd, TIOCGPTN, &number))
		return -1;
	snprintf(name, sizeof(name), "/dev/pts/%u", number);
	terminal_fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return terminal_fd;
}

int main(int argc, char **argv)
{
	int status, terminal_fd = open_terminal();
	pid_t pid;

	if (argc < 2)
		return replay_usage("at_terminal PROGRAM [ARG...]");
	if (terminal_fd < 0)
		return replay_broken("terminal", errno);
	pid = fork();
	if (pid < 0)
		return replay_broken("fork", errno);
	if (!pid) {
		if (setsid() < 0 || ioctl(terminal_fd, TIOCSCTTY, 0))
			exit(replay_broken("TIOCSCTTY", errno));
		execv(argv[1], argv + 1);
		exit(replay_refused("execve", errno));
	}
	/* The other side stays open here, or the child would be hung up. */
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return replay_broken("wait", errno);
	return WEXITSTATUS(status);
}
