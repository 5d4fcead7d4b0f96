/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper MODE PATH: opens PATH (MODE read, write or path), and stays in the background with the
 * descriptor, to use it or give it away when it is asked to. A case starts it in its setup, before
 * any policy is on. There is one keeper at a time: a new one sends the old one away. It ends by
 * itself after a while.
 *
 * What it can be asked, see keeper.h: r read, w write, t truncate, m write by a shared mapping,
 * c change the mode, x set an extended attribute, g give the descriptor, p tell its number, q end.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/xattr.h>

#include "keeper.h"

#define USAGE "keeper read|write|path PATH"
/* Longer than a case takes on a loaded machine. */
#define LIFE_S 120
#define TEXT "overwritten by the keeper"

static int shared_write(int fd)
{
	char *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED)
		return -1;
	page[0] = '#';
	return msync(page, 1, MS_SYNC);
}

static void act(char question, int fd, struct keeper_answer *answer)
{
	ssize_t result = 0;

	errno = 0;
	if (question == 'r')
		answer->len = (int)(result = pread(fd, answer->data, sizeof(answer->data), 0));
	else if (question == 'w')
		result = pwrite(fd, TEXT, sizeof(TEXT) - 1, 0);
	else if (question == 't')
		result = ftruncate(fd, 0);
	else if (question == 'm')
		result = shared_write(fd);
	else if (question == 'c')
		result = fchmod(fd, 04777);
	else if (question == 'x')
		result = fsetxattr(fd, "trusted.keeper", "1", 1, 0);
	else if (question != 'g' && question != 'p')
		result = -(errno = EINVAL);
	answer->error = result < 0 ? errno : 0;
}

static int answer_one(int connection, int fd, char question)
{
	struct keeper_answer answer = {.fd = fd, .pid = getpid()};
	union keeper_control control = {0};
	struct iovec part = {.iov_base = &answer, .iov_len = sizeof(answer)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	act(question, fd, &answer);
	if (question == 'g') {
		message.msg_control = control.space;
		message.msg_controllen = sizeof(control.space);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(connection, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static void serve(int listener, int fd)
{
	for (;;) {
		int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		char question;

		while (connection >= 0 && read(connection, &question, 1) == 1) {
			if (question == 'q')
				_exit(0);
			if (answer_one(connection, fd, question))
				break;
		}
		if (connection >= 0)
			(void)close(connection);
	}
}

/* Ends the keeper before us and waits until it is gone, which ends the connection. */
static void send_old_away(void)
{
	int old = keeper_connect();
	char byte = 'q';

	if (old < 0)
		return;
	if (write(old, &byte, 1) == 1)
		(void)!read(old, &byte, 1);
	(void)close(old);
}

int main(int argc, char **argv)
{
	int flags = O_CLOEXEC, fd, listener;
	struct sockaddr_un address;
	socklen_t len = keeper_address(&address);
	pid_t pid;

	if (argc != 3 || !strchr("rwp", argv[1][0]))
		return replay_usage(USAGE);
	flags |= argv[1][0] == 'r' ? O_RDONLY : argv[1][0] == 'w' ? O_RDWR : O_PATH;
	fd = open(argv[2], flags);
	if (fd < 0)
		return replay_broken("open", errno);
	send_old_away();
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, len) || listen(listener, 4))
		return replay_broken("listen", errno);
	pid = fork();
	if (pid < 0)
		return replay_broken("fork", errno);
	if (pid > 0)
		return replay_done("listen", "", 0);
	/* The runner waits for its own child only; nothing of it is kept open. */
	(void)setsid();
	for (int std = 0; std < 3; std++)
		(void)close(std);
	(void)alarm(LIFE_S);
	serve(listener, fd);
}
