/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words for sockets, and a socket for each protocol.
 */
#include <assert.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "policy/names.h"

const char *const pcl_family_names[] = {"inet",	 "inet6", "unix",      "netlink", "packet",
					"vsock", "tipc",  "bluetooth", "alg",	  NULL};
static const int families[] = {AF_INET,	 AF_INET6, AF_UNIX,	 AF_NETLINK, AF_PACKET,
			       AF_VSOCK, AF_TIPC,  AF_BLUETOOTH, AF_ALG};
static_assert(PCL_ARRAY_SIZE(families) + 1 == PCL_ARRAY_SIZE(pcl_family_names),
	      "a number for every name");

const char *const pcl_socket_type_names[] = {"stream",	  "dgram", "raw",    "rdm",
					     "seqpacket", "dccp",  "packet", NULL};
static const int types[] = {SOCK_STREAM,    SOCK_DGRAM, SOCK_RAW,   SOCK_RDM,
			    SOCK_SEQPACKET, SOCK_DCCP,	SOCK_PACKET};
static_assert(PCL_ARRAY_SIZE(types) + 1 == PCL_ARRAY_SIZE(pcl_socket_type_names),
	      "a number for every name");

static const struct pcl_socket example_sockets[] = {
	[PCL_PROTOCOL_TCP] = {AF_INET, SOCK_STREAM, IPPROTO_TCP},
	[PCL_PROTOCOL_UDP] = {AF_INET, SOCK_DGRAM, IPPROTO_UDP},
	[PCL_PROTOCOL_ICMP] = {AF_INET, SOCK_DGRAM, IPPROTO_ICMP},
	[PCL_PROTOCOL_ICMPV6] = {AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6},
	[PCL_PROTOCOL_SCTP] = {AF_INET, SOCK_STREAM, IPPROTO_SCTP},
	[PCL_PROTOCOL_DCCP] = {AF_INET, SOCK_DCCP, IPPROTO_DCCP},
	[PCL_PROTOCOL_RAW] = {AF_INET, SOCK_RAW, IPPROTO_RAW},
	[PCL_PROTOCOL_STREAM] = {AF_UNIX, SOCK_STREAM, 0},
	[PCL_PROTOCOL_DGRAM] = {AF_UNIX, SOCK_DGRAM, 0},
	[PCL_PROTOCOL_RDM] = {AF_TIPC, SOCK_RDM, 0},
	[PCL_PROTOCOL_SEQPACKET] = {AF_UNIX, SOCK_SEQPACKET, 0},
	[PCL_PROTOCOL_PACKET] = {AF_PACKET, SOCK_DGRAM, 0},
	[PCL_PROTOCOL_ALL] = {AF_VSOCK, 0, 0},
};
static_assert(PCL_ARRAY_SIZE(example_sockets) == PCL_PROTOCOL_COUNT, "a protocol without a socket");

static int number_of(const char *name, const char *const *names, const int *numbers)
{
	for (size_t i = 0; names[i]; i++)
		if (!strcmp(name, names[i]))
			return numbers[i];
	return -1;
}

static const char *name_of(int number, const char *const *names, const int *numbers)
{
	for (size_t i = 0; names[i]; i++)
		if (numbers[i] == number)
			return names[i];
	return NULL;
}

int pcl_family_number(const char *name)
{
	return number_of(name, pcl_family_names, families);
}

const char *pcl_family_name(int number)
{
	return name_of(number, pcl_family_names, families);
}

int pcl_socket_type_number(const char *name)
{
	return number_of(name, pcl_socket_type_names, types);
}

const char *pcl_socket_type_name(int number)
{
	return name_of(number, pcl_socket_type_names, types);
}

const struct pcl_socket *pcl_protocol_example(enum pcl_protocol protocol)
{
	return &example_sockets[protocol];
}
