/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the other programs talk to the keeper (keeper.c), which was started before the policy and
 * holds a descriptor since then: over an abstract unix socket, one byte of a question, one
 * struct keeper_answer back, with a descriptor where one is given. The socket is of the type
 * SEQPACKET, which an allow-list can list without listing TCP.
 */
#ifndef GNT_ATTACK_KEEPER_H
#define GNT_ATTACK_KEEPER_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "scratch.h"

#define KEEPER_NAME "gauntlet-keeper"
/* What it executes when it is asked to. */
#define KEEPER_PROGRAM "/opt/gauntlet/attacks/hello"
#define KEEPER_WORD "executed-by-the-keeper"

struct keeper_answer {
	int error; /* 0: done */
	int fd;	   /* the number in the keeper */
	int pid;   /* the keeper's, as it sees itself */
	int len;
	char data[256];
};

union keeper_control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static inline socklen_t keeper_address(struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	/* An abstract name begins with a zero byte and belongs to the network namespace. */
	memcpy(address->sun_path + 1, KEEPER_NAME, sizeof(KEEPER_NAME) - 1);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(KEEPER_NAME));
}

/* A connection, or -1. */
static inline int keeper_connect(void)
{
	struct sockaddr_un address;
	socklen_t len = keeper_address(&address);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, len) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* 0, or -1 with errno; ret_fd (optional) is the descriptor that came along, or -1. */
static inline int keeper_ask(int connection, char question, struct keeper_answer *answer,
			     int *ret_fd)
{
	union keeper_control control = {0};
	struct iovec part = {.iov_base = answer, .iov_len = sizeof(*answer)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct cmsghdr *header;

	if (ret_fd) {
		*ret_fd = -1;
		message.msg_control = control.space;
		message.msg_controllen = sizeof(control.space);
	}
	if (write(connection, &question, 1) != 1)
		return -1;
	if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(*answer))
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (ret_fd && header && header->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(header), sizeof(*ret_fd));
	return 0;
}

#endif
