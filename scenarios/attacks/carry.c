/* SPDX-License-Identifier: Apache-2.0 */
/*
 * carry KIND WAY TEXT [PROGRAM]: makes two sockets that are connected over loopback, sends TEXT
 * through them, and shows what came out. KIND: tcp4, tcp6, mapped (IPv4 in IPv6), mptcp, fastopen,
 * udp4, udp6, unix, raw (protocol 253, for tests), packet. WAY: send, write, writev, sendmmsg,
 * sendfile, splice. With PROGRAM, a copy of this one, PROGRAM inherits the sockets and does the
 * talking, so that the making of a socket and its use have different sources.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <stdbool.h>
#include <unistd.h>

#include "replay.h"

#define USAGE                                                                                      \
	"carry tcp4|tcp6|mapped|mptcp|fastopen|udp4|udp6|unix|raw|packet "                         \
	"send|write|writev|sendmmsg|sendfile|splice TEXT [PROGRAM]"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* Where PROGRAM finds them. */
#define SENDER 100
#define RECEIVER 101
#define INHERITED "inherited"

struct pair {
	int sender;
	int receiver;
};

/* What failed, for the answer. */
static const char *step = "socket";

static int at(const char *name, int result)
{
	if (result < 0)
		step = name;
	return result;
}

static socklen_t loopback(int family, const char *kind, struct sockaddr_storage *ret_address)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret_address;
	struct sockaddr_in *four = (struct sockaddr_in *)ret_address;

	memset(ret_address, 0, sizeof(*ret_address));
	if (family == AF_INET6) {
		six->sin6_family = AF_INET6;
		inet_pton(AF_INET6, strcmp(kind, "mapped") ? "::1" : "::ffff:127.0.0.1",
			  &six->sin6_addr);
		return sizeof(*six);
	}
	four->sin_family = AF_INET;
	four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*four);
}

/* A stream from sender to receiver; fastopen sends the text with the connection. */
static int open_stream(const char *kind, const char *text, int family, int protocol,
		       struct pair *pair)
{
	struct sockaddr_storage address;
	socklen_t len = loopback(family, kind, &address);
	int listener = at("socket", socket(family, SOCK_STREAM, protocol));
	int queue = 5;

	if (listener < 0 || at("bind", bind(listener, (struct sockaddr *)&address, len)) ||
	    at("listen", listen(listener, 1)) ||
	    at("getsockname", getsockname(listener, (struct sockaddr *)&address, &len)))
		return -1;
	pair->sender = at("socket", socket(family, SOCK_STREAM, protocol));
	if (pair->sender < 0)
		return -1;
	if (!strcmp(kind, "fastopen")) {
		(void)setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
		if (at("sendto", (int)sendto(pair->sender, text, strlen(text), MSG_FASTOPEN,
					     (struct sockaddr *)&address, len)) < 0)
			return -1;
	} else if (at("connect", connect(pair->sender, (struct sockaddr *)&address, len))) {
		return -1;
	}
	pair->receiver = at("accept", accept(listener, NULL, NULL));
	return pair->receiver < 0 ? -1 : 0;
}

static int open_datagrams(const char *kind, int family, int type, int protocol, struct pair *pair)
{
	struct sockaddr_storage address;
	socklen_t len = loopback(family, kind, &address);

	pair->receiver = at("socket", socket(family, type, protocol));
	if (pair->receiver < 0)
		return -1;
	pair->sender = at("socket", socket(family, type, protocol));
	if (pair->sender < 0 ||
	    at("bind", bind(pair->receiver, (struct sockaddr *)&address, len)) ||
	    at("getsockname", getsockname(pair->receiver, (struct sockaddr *)&address, &len)))
		return -1;
	return at("connect", connect(pair->sender, (struct sockaddr *)&address, len));
}

/* A packet that one sends over loopback comes in again. */
static int open_packets(struct pair *pair)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_LOOPBACK),
				      .sll_ifindex = (int)if_nametoindex("lo")};

	pair->receiver = at("socket", socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_LOOPBACK)));
	pair->sender = pair->receiver;
	if (pair->receiver < 0)
		return -1;
	return at("bind", bind(pair->receiver, (struct sockaddr *)&address, sizeof(address)));
}

static int open_pair(const char *kind, const char *text, struct pair *pair)
{
	int sockets[2];

	if (!strcmp(kind, "tcp4") || !strcmp(kind, "fastopen"))
		return open_stream(kind, text, AF_INET, 0, pair);
	if (!strcmp(kind, "tcp6") || !strcmp(kind, "mapped"))
		return open_stream(kind, text, AF_INET6, IPPROTO_TCP, pair);
	if (!strcmp(kind, "mptcp"))
		return open_stream(kind, text, AF_INET, IPPROTO_MPTCP, pair);
	if (!strcmp(kind, "udp4"))
		return open_datagrams(kind, AF_INET, SOCK_DGRAM, 0, pair);
	if (!strcmp(kind, "udp6"))
		return open_datagrams(kind, AF_INET6, SOCK_DGRAM, IPPROTO_UDP, pair);
	if (!strcmp(kind, "raw"))
		return open_datagrams(kind, AF_INET, SOCK_RAW, 253, pair);
	if (!strcmp(kind, "packet"))
		return open_packets(pair);
	if (strcmp(kind, "unix"))
		exit(replay_usage(USAGE));
	if (at("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, sockets)))
		return -1;
	*pair = (struct pair){sockets[0], sockets[1]};
	return 0;
}

static ssize_t send_file(int to, const char *text, size_t len, bool through_pipe)
{
	int fd = memfd_create("text", 0), ends[2];
	loff_t from = 0;

	if (fd < 0 || write(fd, text, len) != (ssize_t)len || pipe(ends))
		exit(replay_broken("memfd", errno));
	if (!through_pipe)
		return sendfile(to, fd, &from, len);
	if (splice(fd, &from, ends[1], NULL, len, 0) != (ssize_t)len)
		exit(replay_broken("splice", errno));
	return splice(ends[0], NULL, to, NULL, len, 0);
}

static ssize_t send_text(int to, const char *way, const char *text)
{
	struct iovec part = {(void *)text, strlen(text)};
	struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};

	if (!strcmp(way, "send"))
		return send(to, text, part.iov_len, MSG_NOSIGNAL);
	if (!strcmp(way, "write"))
		return write(to, text, part.iov_len);
	if (!strcmp(way, "writev"))
		return writev(to, &part, 1);
	if (!strcmp(way, "sendmmsg"))
		return sendmmsg(to, &message, 1, 0);
	if (!strcmp(way, "sendfile") || !strcmp(way, "splice"))
		return send_file(to, text, part.iov_len, !strcmp(way, "splice"));
	exit(replay_usage(USAGE));
}

static int talk(const char *kind, const char *way, const char *text, const struct pair *pair)
{
	char got[REPLAY_DATA_MAX];
	char *begin = got;
	ssize_t len;

	if (strcmp(kind, "fastopen") && send_text(pair->sender, way, text) < 0)
		return errno == EACCES || errno == EPERM ? replay_refused(way, errno)
							 : replay_broken(way, errno);
	len = recv(pair->receiver, got, sizeof(got), 0);
	if (len < 0)
		return errno == EACCES || errno == EPERM ? replay_refused("recv", errno)
							 : replay_broken("recv", errno);
	/* A raw socket gets the IP header, too. */
	if (!strcmp(kind, "raw") && len > 20) {
		begin += 20;
		len -= 20;
	}
	return replay_done("recv", begin, (size_t)len);
}

int main(int argc, char **argv)
{
	struct pair pair = {SENDER, RECEIVER};

	if (argc == 5 && !strcmp(argv[4], INHERITED))
		return talk(argv[1], argv[2], argv[3], &pair);
	if (argc != 4 && argc != 5)
		return replay_usage(USAGE);
	if (open_pair(argv[1], argv[3], &pair))
		return errno == EACCES || errno == EPERM ? replay_refused(step, errno)
							 : replay_broken(step, errno);
	if (argc == 4)
		return talk(argv[1], argv[2], argv[3], &pair);
	if (dup2(pair.sender, SENDER) < 0 || dup2(pair.receiver, RECEIVER) < 0)
		return replay_broken("dup2", errno);
	execl(argv[4], argv[4], argv[1], argv[2], argv[3], INHERITED, (char *)NULL);
	return replay_broken("execl", errno);
}
