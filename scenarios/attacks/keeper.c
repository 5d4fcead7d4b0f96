/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper MODE PATH: opens PATH (MODE read, write or path), and stays in the background with the
 * descriptor, to use it or give it away when it is asked to. keeper peer is the service of peer.h.
 * A case starts it in its setup, before any policy is on. There is one keeper at a time: a new one
 * sends the old one away. It ends by itself after a while.
 *
 * What it can be asked, see keeper.h: r read, w write, t truncate, m write by a shared mapping,
 * M the same by a mapping made before, c change the mode, x set an extended attribute, g give the
 * descriptor, p tell its number, e execute a program, that says something, n give a new TCP socket,
 * k give one that is connected to the peer, q end.
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "keeper.h"
#include "peer.h"

#define USAGE "keeper read|write|path PATH, or keeper peer"
/* Longer than a case takes on a loaded machine. */
#define LIFE_S 120
#define TEXT "overwritten by the keeper"

/* A shared mapping that is there from the beginning, or NULL. */
static char *early_page;

static void map_early(int fd)
{
	char *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	early_page = page == MAP_FAILED ? NULL : page;
}

static int early_write(void)
{
	if (!early_page)
		return -1;
	early_page[0] = '#';
	return msync(early_page, 1, MS_SYNC);
}

static int shared_write(int fd)
{
	char *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED)
		return -1;
	page[0] = '#';
	return msync(page, 1, MS_SYNC);
}

/* What the program says; -1 with errno. KERNEL: a successful execve closes the pipe for errno. */
static ssize_t execute(char *data, size_t size)
{
	int out[2], report[2], error = 0;
	ssize_t len;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) || pipe2(report, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)dup2(out[1], STDOUT_FILENO);
		(void)execl(KEEPER_PROGRAM, KEEPER_PROGRAM, KEEPER_WORD, NULL);
		error = errno;
		_exit(write(report[1], &error, sizeof(error)) != sizeof(error));
	}
	(void)close(out[1]);
	(void)close(report[1]);
	len = pid < 0 ? -1 : read(out[0], data, size);
	if (read(report[0], &error, sizeof(error)) == sizeof(error))
		len = -1;
	(void)close(out[0]);
	(void)close(report[0]);
	(void)waitpid(pid, NULL, 0);
	errno = error;
	return len;
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
	else if (question == 'M')
		result = early_write();
	else if (question == 'c')
		result = fchmod(fd, 04777);
	else if (question == 'x')
		result = fsetxattr(fd, "trusted.keeper", "1", 1, 0);
	else if (question == 'e')
		answer->len = (int)(result = execute(answer->data, sizeof(answer->data)));
	else if (!strchr("gpnk", question))
		result = -(errno = EINVAL);
	answer->error = result < 0 ? errno : 0;
}

/* A TCP socket, connected to the peer or not. */
static int make_socket(int connected)
{
	struct sockaddr_in address = peer_address();
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connected)
		(void)connect(fd, (struct sockaddr *)&address, sizeof(address));
	return fd;
}

static int answer_one(int connection, int fd, char question)
{
	struct keeper_answer answer = {.fd = fd, .pid = getpid()};
	int given = strchr("nk", question) ? make_socket(question == 'k') : fd, sent;
	union keeper_control control = {0};
	struct iovec part = {.iov_base = &answer, .iov_len = sizeof(answer)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	act(question, fd, &answer);
	if (strchr("gnk", question)) {
		message.msg_control = control.space;
		message.msg_controllen = sizeof(control.space);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &given, sizeof(given));
	}
	sent = sendmsg(connection, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
	if (given != fd)
		(void)close(given);
	return sent;
}

static void answer_questions(int listener, int fd)
{
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

/* stream and datagram are the peer's sockets, or -1, which poll() passes over. */
static void serve(int listener, int fd, int stream, int datagram)
{
	struct pollfd wait[] = {{.fd = listener, .events = POLLIN},
				{.fd = stream, .events = POLLIN},
				{.fd = datagram, .events = POLLIN}};

	for (;;) {
		if (poll(wait, 3, -1) < 0)
			continue;
		if (wait[0].revents)
			answer_questions(listener, fd);
		if (wait[1].revents)
			peer_answer_stream(stream);
		if (wait[2].revents)
			peer_answer_datagram(datagram);
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

/* The descriptor to keep: of the path, or any where the keeper is the peer. -1 with errno. */
static int open_kept(const char *mode, const char *path)
{
	int flags = O_CLOEXEC;

	if (!path)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	flags |= *mode == 'r' ? O_RDONLY : *mode == 'w' ? O_RDWR : O_PATH;
	return open(path, flags);
}

static int open_listener(void)
{
	struct sockaddr_un address;
	socklen_t len = keeper_address(&address);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	return fd < 0 || bind(fd, (struct sockaddr *)&address, len) || listen(fd, 4) ? -1 : fd;
}

int main(int argc, char **argv)
{
	bool peer = argc == 2 && strcmp(argv[1], "peer") == 0;
	int fd, listener, stream = -1, datagram = -1;
	pid_t pid;

	if (!peer && (argc != 3 || !strchr("rwp", argv[1][0])))
		return replay_usage(USAGE);
	fd = open_kept(argv[1], argv[2]);
	if (fd < 0)
		return replay_broken("open", errno);
	if (*argv[1] == 'w')
		map_early(fd);
	send_old_away();
	listener = open_listener();
	if (listener < 0)
		return replay_broken("listen", errno);
	if (peer && (peer_loopback_up() || (stream = peer_socket(SOCK_STREAM)) < 0 ||
		     (datagram = peer_socket(SOCK_DGRAM)) < 0))
		return replay_broken("peer", errno);
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
	serve(listener, fd, stream, datagram);
}
