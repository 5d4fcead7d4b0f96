/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interactive shell of `gauntlet shell`: busybox sh on the console with job control, no login.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"

__attribute__((noreturn)) static void shell_main(const char *tty)
{
	int fd;

	agt_child_reset_signals();
	(void)setsid();
	fd = open(tty, O_RDWR);
	/* KERNEL: /dev/console is never a controlling terminal; the tty behind it is. */
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 1) < 0)
		perror("agent: no job control");
	for (int std = 0; fd >= 0 && std < 3; std++)
		(void)dup2(fd, std);
	if (fd > 2)
		(void)close(fd);
	(void)setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin:/opt/gauntlet:/opt/gauntlet/attacks",
		     1);
	(void)setenv("TERM", getenv("TERM") ? getenv("TERM") : "vt100", 1);
	(void)setenv("PS1", "\\h:\\w\\$ ", 1);
	(void)!chdir("/root");
	(void)execl("/opt/gauntlet/busybox", "sh", "-i", (char *)NULL);
	perror("agent: /opt/gauntlet/busybox");
	_exit(127);
}

void agt_shell_run(void)
{
	char *name pcl_autofree = NULL;
	char tty[64];
	pid_t pid;
	int status;

	(void)snprintf(tty, sizeof(tty), "/dev/%s",
		       agt_setup_word("console", &name) ? strtok(name, ",") : "ttyS0");
	pid = fork();
	if (pid == 0)
		shell_main(tty);
	if (pid < 0 || agt_child_watch(pid) < 0) {
		perror("agent: shell");
		return;
	}
	while (!agt_child_reap(pid, &status)) {
		struct pollfd wait = {.fd = agt_child_fd(), .events = POLLIN};

		(void)poll(&wait, 1, -1);
	}
}
