/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other end of a conversation: a service on the loopback interface that tells a secret to
 * whoever talks to it, by TCP as soon as one connects, by UDP in answer to anything.
 */
#ifndef GNT_ATTACK_PEER_H
#define GNT_ATTACK_PEER_H

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "replay.h"

#define PEER_PORT 4711
#define PEER_SECRET "canary-of-the-peer"

static inline struct sockaddr_in peer_address(void)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(PEER_PORT),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline int peer_loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error;

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request))
		return -1;
	request.ifr_flags |= IFF_UP;
	error = ioctl(fd, SIOCSIFFLAGS, &request);
	(void)close(fd);
	return error;
}

/* A listening or bound socket of the type, or -1. */
static inline int peer_socket(int type)
{
	struct sockaddr_in address = peer_address();
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return -1;
	/* KERNEL: TCP fast open needs a queue at the listener, and the sysctl's bit 2. */
	if (type == SOCK_STREAM) {
		one = 8;
		(void)setsockopt(fd, IPPROTO_TCP, 23 /* TCP_FASTOPEN */, &one, sizeof(one));
		if (listen(fd, 8))
			return -1;
	}
	return fd;
}

static inline void peer_answer_stream(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, PEER_SECRET, sizeof(PEER_SECRET) - 1);
	(void)shutdown(fd, SHUT_WR);
	(void)close(fd);
}

static inline void peer_answer_datagram(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char text[64];

	if (recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &len) >= 0)
		(void)sendto(fd, PEER_SECRET, sizeof(PEER_SECRET) - 1, 0, (struct sockaddr *)&from,
			     len);
}

#endif
