/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query udp|udp6|headers|tcp|pair|split|parts NAME: asks a resolver for NAME. The resolver is this
 * program too, on port 53 of the loopback interface: so that it got the question is what is told.
 *
 * headers is udp6 with headers between that of IPv6 and that of UDP. pair asks for an innocent name
 * first, in the same segment of TCP; split sends the question in two segments; parts makes two
 * datagrams of one call (UDP_SEGMENT), the second of them the question.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "replay.h"

/* The headers of linux have what this libc's tcp_info is too short for, and clash with it. */
#include <linux/tcp.h>

#define USAGE "query udp|udp6|headers|tcp|pair|split|parts NAME"
#define HEARD "canary-of-the-resolver"
#define DNS_PORT 53
#define MESSAGE_MAX 512
#define SEGMENT_OPTION 103 /* UDP_SEGMENT */
/* A delivery on the loopback interface, on a loaded machine. */
#define DELIVERY_MS 10000

struct bytes {
	unsigned char at[2 * MESSAGE_MAX];
	size_t len;
};

static void put(struct bytes *bytes, const void *from, size_t len)
{
	memcpy(bytes->at + bytes->len, from, len);
	bytes->len += len;
}

static void put_number(struct bytes *bytes, unsigned number)
{
	uint16_t wire = htons((uint16_t)number);

	put(bytes, &wire, sizeof(wire));
}

/* One question, for an address. */
static void put_query(struct bytes *bytes, const char *name)
{
	const unsigned header[] = {1, 0x100, 1, 0, 0, 0};

	for (size_t i = 0; i < sizeof(header) / sizeof(*header); i++)
		put_number(bytes, header[i]);
	while (*name) {
		unsigned char len = (unsigned char)strcspn(name, ".");

		put(bytes, &len, 1);
		put(bytes, name, len);
		name += len + (name[len] == '.');
	}
	put(bytes, "", 1);
	put_number(bytes, 1);
	put_number(bytes, 1);
}

/* As TCP has it, behind its length. */
static void put_message(struct bytes *bytes, const char *name)
{
	struct bytes message = {.len = 0};

	put_query(&message, name);
	put_number(bytes, (unsigned)message.len);
	put(bytes, message.at, message.len);
}

static socklen_t resolver_address(int family, struct sockaddr_storage *address)
{
	struct sockaddr_in *in = (struct sockaddr_in *)address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	address->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		in->sin_port = htons(DNS_PORT);
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*in);
	}
	in6->sin6_port = htons(DNS_PORT);
	in6->sin6_addr = in6addr_loopback;
	return sizeof(*in6);
}

/* A socket of the resolver and one that talks to it. 0, or the step that failed. */
static const char *open_both(int family, int type, int *ret_resolver, int *ret_client)
{
	struct sockaddr_storage address;
	socklen_t len = resolver_address(family, &address);
	int one = 1;

	*ret_resolver = socket(family, type, 0);
	*ret_client = socket(family, type, 0);
	if (*ret_resolver < 0 || *ret_client < 0)
		return "socket";
	(void)setsockopt(*ret_resolver, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(*ret_resolver, (struct sockaddr *)&address, len))
		return "bind";
	if (type == SOCK_STREAM && listen(*ret_resolver, 1))
		return "listen";
	return connect(*ret_client, (struct sockaddr *)&address, len) ? "connect" : NULL;
}

/* The resolver gets what was sent, want bytes of it in all, whose end is what was asked last. */
static int hear(int fd, const struct bytes *sent, size_t want)
{
	static unsigned char got[2 * MESSAGE_MAX];
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	size_t have = 0;

	while (have < want) {
		ssize_t len = poll(&wait, 1, DELIVERY_MS) > 0
				      ? recv(fd, got + have, sizeof(got) - have, 0)
				      : -1;

		if (len <= 0)
			return replay_broken("recv", len ? ETIMEDOUT : EPIPE);
		have += (size_t)len;
	}
	if (have != want || memcmp(got, sent->at + sent->len - want, want) != 0)
		return replay_broken("compare", EPROTO);
	return replay_done("query", HEARD, strlen(HEARD));
}

/* 0, or -1: its packets have two headers more, each of eight bytes of padding. */
static int add_headers(int fd)
{
	static const unsigned char padding[8] = {0, 0, 1, 4};

	return setsockopt(fd, IPPROTO_IPV6, IPV6_HOPOPTS, padding, sizeof(padding)) ||
			       setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, padding, sizeof(padding))
		       ? -1
		       : 0;
}

static int ask_by_datagram(int family, bool headers, const char *name)
{
	struct bytes query = {.len = 0};
	int resolver, client;
	const char *failed = open_both(family, SOCK_DGRAM, &resolver, &client);

	if (failed)
		return replay_broken(failed, errno);
	if (headers && add_headers(client))
		return replay_broken("IPV6_HOPOPTS", errno);
	put_query(&query, name);
	if (send(client, query.at, query.len, 0) < 0)
		return replay_refused("send", errno);
	return hear(resolver, &query, query.len);
}

/* Two questions of one length, which the kernel makes two datagrams of. */
static int ask_by_parts(const char *name)
{
	struct bytes query = {.len = 0};
	char innocent[MESSAGE_MAX];
	int resolver, client, size;
	const char *failed = open_both(AF_INET, SOCK_DGRAM, &resolver, &client);

	if (failed)
		return replay_broken(failed, errno);
	(void)snprintf(innocent, sizeof(innocent), "%s", name);
	innocent[0] = innocent[0] == 'x' ? 'y' : 'x';
	innocent[strlen(name) - 1] = 'x';
	put_query(&query, innocent);
	size = (int)query.len;
	put_query(&query, name);
	if (setsockopt(client, IPPROTO_UDP, SEGMENT_OPTION, &size, sizeof(size)))
		return replay_broken("UDP_SEGMENT", errno);
	if (send(client, query.at, query.len, 0) < 0)
		return replay_refused("send", errno);
	return hear(resolver, &query, query.len);
}

/* KERNEL: a segment that is dropped as it leaves stays with its socket, and send says nothing. */
static bool is_kept(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) && info.tcpi_notsent_bytes;
}

static int ask_by_stream(const char *way, const char *name)
{
	size_t first;
	struct bytes query = {.len = 0};
	int resolver, client, connection, one = 1;
	const char *failed = open_both(AF_INET, SOCK_STREAM, &resolver, &client);

	if (failed)
		return replay_broken(failed, errno);
	(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	connection = accept(resolver, NULL, NULL);
	if (connection < 0)
		return replay_broken("accept", errno);
	if (!strcmp(way, "pair"))
		put_message(&query, "innocent.example");
	put_message(&query, name);
	first = strcmp(way, "split") ? query.len : 2;
	if (send(client, query.at, first, 0) < 0)
		return replay_refused("send", errno);
	if (first < query.len && !is_kept(client) &&
	    send(client, query.at + first, query.len - first, 0) < 0)
		return replay_refused("send", errno);
	if (is_kept(client))
		return replay_refused("send", EPERM);
	return hear(connection, &query, query.len);
}

int main(int argc, char **argv)
{
	if (argc != 3 || !*argv[2] || strlen(argv[2]) > MESSAGE_MAX / 2)
		return replay_usage(USAGE);
	if (!strcmp(argv[1], "udp"))
		return ask_by_datagram(AF_INET, false, argv[2]);
	if (!strcmp(argv[1], "udp6"))
		return ask_by_datagram(AF_INET6, false, argv[2]);
	if (!strcmp(argv[1], "headers"))
		return ask_by_datagram(AF_INET6, true, argv[2]);
	if (!strcmp(argv[1], "parts"))
		return ask_by_parts(argv[2]);
	if (!strcmp(argv[1], "tcp") || !strcmp(argv[1], "pair") || !strcmp(argv[1], "split"))
		return ask_by_stream(argv[1], argv[2]);
	return replay_usage(USAGE);
}
