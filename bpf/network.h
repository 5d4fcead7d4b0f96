/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sockets: what kind one is, and whether the current task may use it.
 *
 * Every use is judged, not only the making: a socket may be inherited, received from another task,
 * or be older than the policy. Sockets that the kernel opened for itself are its own business.
 */
#ifndef PCL_BPF_NETWORK_H
#define PCL_BPF_NETWORK_H

#include "number.h"

#include <bpf/bpf_endian.h>

/* As user space lays them out, which never changes. */
struct sockaddr_in {
	__u16 sin_family;
	__be16 sin_port;
	__be32 sin_addr;
};
#define SIN6_ADDR_OFFSET 8

static __always_inline __u32 socket_kind(const struct pcl_bpf_kinds *kinds, __u32 family,
					 __u32 type, __u32 protocol)
{
	__u32 f = family < PCL_SOCKET_FAMILIES ? family : PCL_SOCKET_FAMILIES - 1;
	__u32 p = protocol < PCL_SOCKET_PROTOCOLS ? protocol : PCL_SOCKET_PROTOCOLS - 1;

	/* The compiler knows these bounds and would leave out the masks that show the verifier. */
	barrier_var(f);
	barrier_var(p);
	f = kinds->family[f & (PCL_SOCKET_FAMILIES - 1)] & (PCL_SOCKET_COLUMNS - 1);
	p = kinds->protocol[p & (PCL_SOCKET_PROTOCOLS - 1)] & (PCL_SOCKET_COLUMNS - 1);
	return kinds->kind[f][type & (PCL_SOCKET_TYPES - 1)][p];
}

/* The address that an operation names, where it is one of the two families that alerts show. */
static __always_inline void read_address(struct pcl_bpf_detail *detail, const void *address,
					 int len)
{
	struct sockaddr_in in = {};

	if (!address || len < (int)sizeof(in))
		return;
	bpf_probe_read_kernel(&in, sizeof(in), address);
	if (in.sin_family != AF_INET && in.sin_family != AF_INET6)
		return;
	detail->port = bpf_ntohs(in.sin_port);
	if (in.sin_family == AF_INET) {
		__builtin_memcpy(detail->address, &in.sin_addr, 4);
		detail->address_len = 4;
	} else if (len >= SIN6_ADDR_OFFSET + 16) {
		bpf_probe_read_kernel(detail->address, 16, address + SIN6_ADDR_OFFSET);
		detail->address_len = 16;
	}
}

static __always_inline int judge_kind(__u32 hook, __u32 quiet, __u32 family, __u32 type,
				      __u32 protocol, const void *address, int address_len)
{
	struct pcl_number ask = {
		.class = PCL_BPF_NETWORK,
		.hook = hook,
		.access = PCL_BPF_SOCKET,
		.quiet = quiet,
		.detail = {.family = family, .type = type & 0xf, .protocol = protocol},
	};

	ask.number = socket_kind(&resident.control.kinds, family, type, protocol);
	read_address(&ask.detail, address, address_len);
	return judge_number(&ask);
}

/* The current task uses a socket that is there. */
static __always_inline int judge_socket(__u32 hook, __u32 quiet, struct socket *sock,
					const void *address, int address_len)
{
	struct sock *sk = BPF_CORE_READ(sock, sk);

	if (!sk || BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock))
		return 0;
	return judge_kind(hook, quiet, BPF_CORE_READ(sk, __sk_common.skc_family),
			  BPF_CORE_READ(sk, sk_type), BPF_CORE_READ(sk, sk_protocol), address,
			  address_len);
}

SEC("lsm/socket_create")
int BPF_PROG(pcl_socket_create, int family, int type, int protocol, int kern)
{
	return kern ? 0 : judge_kind(PCL_HOOK_SOCKET_CREATE, 0, family, type, protocol, NULL, 0);
}

SEC("lsm/socket_connect")
int BPF_PROG(pcl_socket_connect, struct socket *sock, const void *address, int len)
{
	return judge_socket(PCL_HOOK_SOCKET_CONNECT, 0, sock, address, len);
}

SEC("lsm/socket_bind")
int BPF_PROG(pcl_socket_bind, struct socket *sock, const void *address, int len)
{
	return judge_socket(PCL_HOOK_SOCKET_BIND, 0, sock, address, len);
}

SEC("lsm/socket_listen")
int BPF_PROG(pcl_socket_listen, struct socket *sock, int backlog)
{
	return judge_socket(PCL_HOOK_SOCKET_LISTEN, 0, sock, NULL, 0);
}

SEC("lsm/socket_accept")
int BPF_PROG(pcl_socket_accept, struct socket *sock, struct socket *made)
{
	return judge_socket(PCL_HOOK_SOCKET_ACCEPT, 0, sock, NULL, 0);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(pcl_socket_sendmsg, struct socket *sock, struct msghdr *msg, int size)
{
	return judge_socket(PCL_HOOK_SOCKET_SENDMSG, 0, sock, msg->msg_name, msg->msg_namelen);
}

SEC("lsm/socket_recvmsg")
int BPF_PROG(pcl_socket_recvmsg, struct socket *sock, struct msghdr *msg, int size, int flags)
{
	return judge_socket(PCL_HOOK_SOCKET_RECVMSG, 0, sock, NULL, 0);
}

/*
 * KERNEL: before 6.5 sendfile and splice hand pages to a socket without socket_sendmsg; all that is
 * asked is whether the file may be written. Read and write come here as well, and then to the hooks
 * above, so only a refusal says so.
 */
SEC("lsm/file_permission")
int BPF_PROG(pcl_socket_file, struct file *file, int mask)
{
	if ((GET2(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	return judge_socket(PCL_HOOK_FILE_PERMISSION, NUMBER_PENDING, GET(file, private_data), NULL,
			    0);
}

#endif
