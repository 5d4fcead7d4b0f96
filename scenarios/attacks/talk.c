/* SPDX-License-Identifier: Apache-2.0 */
/*
 * talk WAY: gets the peer's secret over the network (see peer.h; the keeper plays the peer, started
 * in the case's setup outside of what the policy binds), by one of many ways to use a socket.
 *
 * Whatever the way, one system call of it is refused where the policy forbids it: that is the step
 * which is told.
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>

#include "keeper.h"
#include "peer.h"
#include "uring.h"

#define USAGE "talk WAY"
#define PROTOCOL_MPTCP 262
#define OWN_PORT 4999
/* An answer on the loopback interface, on a loaded machine. */
#define ANSWER_MS 5000
#define PACKET_MAX 2048

static char said[PACKET_MAX];

/* What the peer says, which anything read by fd may hold, among other traffic. */
static int listen_for_secret(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	ssize_t len;

	for (int i = 0; i < 64; i++) {
		if (poll(&wait, 1, ANSWER_MS) <= 0) {
			errno = ETIMEDOUT;
			return attempt_broken("answer");
		}
		len = recv(fd, said, sizeof(said) - 1, 0);
		if (len < 0)
			return attempt_refused("recv");
		for (ssize_t at = 0; at + (ssize_t)strlen(PEER_SECRET) <= len; at++)
			if (memcmp(said + at, PEER_SECRET, strlen(PEER_SECRET)) == 0) {
				memmove(said, PEER_SECRET, sizeof(PEER_SECRET));
				return ATTEMPT_DONE;
			}
		if (len == 0)
			break;
	}
	errno = EPROTO;
	return attempt_broken("answer");
}

static int connect_and_listen(int fd)
{
	struct sockaddr_in peer = peer_address();

	if (fd < 0)
		return attempt_refused("socket");
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		return attempt_refused("connect");
	return listen_for_secret(fd);
}

static int by_tcp(void)
{
	return connect_and_listen(socket(AF_INET, SOCK_STREAM, 0));
}

static int by_flagged_tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

	/* Back to waiting, as only the socket's type was meant to be written in an odd way. */
	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, 0);
	return connect_and_listen(fd);
}

static int by_mptcp(void)
{
	return connect_and_listen(socket(AF_INET, SOCK_STREAM, PROTOCOL_MPTCP));
}

static int by_mapped_tcp(void)
{
	struct sockaddr_in6 peer = {.sin6_family = AF_INET6, .sin6_port = htons(PEER_PORT)};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd < 0)
		return attempt_refused("socket");
	(void)inet_pton(AF_INET6, "::ffff:127.0.0.1", &peer.sin6_addr);
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		return attempt_refused("connect");
	return listen_for_secret(fd);
}

/* The address comes with the data, and no connect is called. */
static int by_fast_open(void)
{
	struct sockaddr_in peer = peer_address();
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return attempt_refused("socket");
	if (sendto(fd, "?", 1, MSG_FASTOPEN, (struct sockaddr *)&peer, sizeof(peer)) < 0)
		return attempt_refused("sendto");
	return listen_for_secret(fd);
}

static int ring(const char *step, const struct io_uring_sqe *sqe)
{
	int setup, result = uring_once(0, sqe, &setup);

	errno = -result;
	if (setup)
		return attempt_broken("io_uring_setup");
	return result < 0 ? attempt_refused(step) : ATTEMPT_DONE;
}

static int by_ring_connect(void)
{
	struct sockaddr_in peer = peer_address();
	int fd = socket(AF_INET, SOCK_STREAM, 0), error;
	const struct io_uring_sqe sqe = {.opcode = IORING_OP_CONNECT,
					 .fd = fd,
					 .addr = (uintptr_t)&peer,
					 .off = sizeof(peer)};

	if (fd < 0)
		return attempt_refused("socket");
	error = ring("ring connect", &sqe);
	return error ? error : listen_for_secret(fd);
}

/* IORING_OP_SOCKET: the ring makes the socket as well. */
static int by_ring_socket(void)
{
	const struct io_uring_sqe sqe = {.opcode = 45, .fd = AF_INET, .off = SOCK_STREAM, .len = 0};
	int setup, fd = uring_once(0, &sqe, &setup);

	errno = -fd;
	if (setup || fd == -EINVAL)
		return attempt_broken("io_uring");
	return fd < 0 ? attempt_refused("ring socket") : connect_and_listen(fd);
}

/* --- sockets of somebody else ------------------------------------------------------------------
 */

static int from_keeper(char question, int *ret_fd)
{
	struct keeper_answer answer;
	int connection = keeper_connect(), error;

	if (connection < 0)
		return attempt_broken("keeper");
	error = keeper_ask(connection, question, &answer, ret_fd);
	/* It serves nobody else meanwhile. */
	(void)close(connection);
	errno = EACCES;
	return error || *ret_fd < 0 ? attempt_refused("SCM_RIGHTS") : 0;
}

/* A socket that was made, but not connected, by the keeper. */
static int by_received(void)
{
	int fd, error = from_keeper('n', &fd);

	return error ? error : connect_and_listen(fd);
}

/* One that is connected already. */
static int by_connected(void)
{
	int fd, error = from_keeper('k', &fd);

	if (error)
		return error;
	return listen_for_secret(fd);
}

/* --- datagrams ---------------------------------------------------------------------------------
 */

static int by_udp(void)
{
	struct sockaddr_in peer = peer_address();
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return attempt_refused("socket");
	if (sendto(fd, "?", 1, 0, (struct sockaddr *)&peer, sizeof(peer)) < 0)
		return attempt_refused("sendto");
	return listen_for_secret(fd);
}

static int by_connected_udp(void)
{
	struct sockaddr_in peer = peer_address();
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return attempt_refused("socket");
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		return attempt_refused("connect");
	if (write(fd, "?", 1) < 0)
		return attempt_refused("write");
	return listen_for_secret(fd);
}

static int by_many(void)
{
	struct sockaddr_in peer = peer_address();
	struct iovec part = {.iov_base = (char[]){"?"}, .iov_len = 1};
	struct mmsghdr message = {
		.msg_hdr = {.msg_name = &peer,
			    .msg_namelen = sizeof(peer),
			    .msg_iov = &part,
			    .msg_iovlen = 1},
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return attempt_refused("socket");
	if (sendmmsg(fd, &message, 1, 0) < 0)
		return attempt_refused("sendmmsg");
	return listen_for_secret(fd);
}

static int by_ring_send(void)
{
	struct sockaddr_in peer = peer_address();
	struct iovec part = {.iov_base = (char[]){"?"}, .iov_len = 1};
	struct msghdr message = {.msg_name = &peer,
				 .msg_namelen = sizeof(peer),
				 .msg_iov = &part,
				 .msg_iovlen = 1};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), error;
	const struct io_uring_sqe sqe = {.opcode = IORING_OP_SENDMSG,
					 .fd = fd,
					 .addr = (uintptr_t)&message,
					 .len = 1};

	if (fd < 0)
		return attempt_refused("socket");
	error = ring("ring sendmsg", &sqe);
	return error ? error : listen_for_secret(fd);
}

/* --- raw sockets and packets -----------------------------------------------------------------
 */

/* KERNEL: a raw socket also gets a copy of what comes in for its protocol. */
static int by_raw(void)
{
	struct sockaddr_in peer = peer_address();
	struct {
		struct udphdr udp;
		char text[2];
	} datagram = {
		.udp = {.uh_sport = htons(OWN_PORT),
			.uh_dport = htons(PEER_PORT),
			.uh_ulen = htons(sizeof(datagram))},
		.text = "?",
	};
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);

	if (fd < 0)
		return attempt_refused("socket");
	if (sendto(fd, &datagram, sizeof(datagram), 0, (struct sockaddr *)&peer, sizeof(peer)) < 0)
		return attempt_refused("sendto");
	return listen_for_secret(fd);
}

/* A raw socket of TCP's number listens to what somebody else's connection says. */
static int by_raw_tcp(void)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_TCP), ignored, error;

	if (fd < 0)
		return attempt_refused("socket");
	error = from_keeper('k', &ignored);
	return error ? error : listen_for_secret(fd);
}

/* Sniffing: the frames of what the keeper and the peer say to each other. */
static int by_packets(int type)
{
	struct sockaddr_ll lo = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = (int)if_nametoindex("lo")};
	int fd = socket(AF_PACKET, type, htons(ETH_P_ALL)), ignored, error;

	if (fd < 0)
		return attempt_refused("socket");
	if (bind(fd, (struct sockaddr *)&lo, sizeof(lo)))
		return attempt_refused("bind");
	error = from_keeper('k', &ignored);
	return error ? error : listen_for_secret(fd);
}

static int by_raw_packets(void)
{
	return by_packets(SOCK_RAW);
}

static int by_cooked_packets(void)
{
	return by_packets(SOCK_DGRAM);
}

/* --- what is no TCP ----------------------------------------------------------------------------
 */

static int by_unix(void)
{
	struct keeper_answer answer;
	int connection = keeper_connect();

	if (connection < 0)
		return attempt_refused("connect");
	if (keeper_ask(connection, 'p', &answer, NULL))
		return attempt_refused("recv");
	(void)snprintf(said, sizeof(said), "pid %d", answer.pid);
	return ATTEMPT_DONE;
}

static const struct {
	const char *name;
	int (*talk)(void);
} ways[] = {
	{"tcp", by_tcp},
	{"flagged-tcp", by_flagged_tcp},
	{"mptcp", by_mptcp},
	{"mapped-tcp", by_mapped_tcp},
	{"fast-open", by_fast_open},
	{"ring-connect", by_ring_connect},
	{"ring-socket", by_ring_socket},
	{"received", by_received},
	{"connected", by_connected},
	{"udp", by_udp},
	{"connected-udp", by_connected_udp},
	{"many", by_many},
	{"ring-send", by_ring_send},
	{"raw", by_raw},
	{"raw-tcp", by_raw_tcp},
	{"raw-packets", by_raw_packets},
	{"cooked-packets", by_cooked_packets},
	{"unix", by_unix},
};

int main(int argc, char **argv)
{
	int attempt;

	if (argc != 2)
		return replay_usage(USAGE);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, argv[1]) != 0)
			continue;
		attempt = ways[i].talk();
		return attempt ? attempt_report(attempt) : replay_done(argv[1], said, strlen(said));
	}
	return replay_usage(USAGE);
}
