/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operation without a path is about, in the words of KubeArmor's alerts.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>

#include "backend/bpf_lsm_events.h"
#include "backend/bpf_lsm_syscalls.h"
#include "base/cleanup.h"
#include "policy/names.h"

/* Not in every libc's headers. */
#define PROTOCOL_MPTCP 262

static const struct {
	unsigned number;
	const char *name;
} protocols[] = {
	{IPPROTO_ICMP, "ICMP"},	      {IPPROTO_TCP, "TCP"},	  {IPPROTO_UDP, "UDP"},
	{IPPROTO_DCCP, "DCCP"},	      {IPPROTO_ICMPV6, "ICMPV6"}, {IPPROTO_SCTP, "SCTP"},
	{IPPROTO_UDPLITE, "UDPLITE"}, {IPPROTO_RAW, "RAW"},	  {PROTOCOL_MPTCP, "MPTCP"},
};

/* prefix and name in upper case, or the number where there is no name. */
static void print_name(FILE *out, const char *prefix, const char *name, unsigned number)
{
	if (!name) {
		(void)fprintf(out, "%u", number);
		return;
	}
	(void)fputs(prefix, out);
	for (; *name; name++)
		(void)fputc(toupper((unsigned char)*name), out);
}

static const char *protocol_name(const struct pcl_bpf_detail *detail)
{
	bool inet = detail->family == AF_INET || detail->family == AF_INET6;

	for (size_t i = 0; inet && i < PCL_ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == detail->protocol)
			return protocols[i].name;
	return NULL;
}

static void print_socket(FILE *out, const struct pcl_bpf_detail *detail, bool local)
{
	char address[INET6_ADDRSTRLEN];

	(void)fputs("domain=", out);
	print_name(out, "AF_", pcl_family_name(detail->family), detail->family);
	(void)fputs(" type=", out);
	print_name(out, "SOCK_", pcl_socket_type_name(detail->type), detail->type);
	(void)fputs(" protocol=", out);
	print_name(out, "", protocol_name(detail), detail->protocol);
	if (!detail->address_len || !inet_ntop(detail->address_len == 4 ? AF_INET : AF_INET6,
					       detail->address, address, sizeof(address)))
		return;
	(void)fprintf(out, " %s=%s port=%u", local ? "localip" : "remoteip", address,
		      (unsigned)detail->port);
}

/* A name as a query has it. What a name does not have is written as master files have it. */
static void print_query(FILE *out, const struct pcl_bpf_event *raw)
{
	size_t len = raw->object_len < PCL_EVENT_NAME_MAX ? raw->object_len : 0, at = 0;

	if (!len && !(raw->flags & PCL_EVENT_UNKNOWN))
		(void)fputc('.', out);
	while (at < len) {
		size_t end = at + 1 + (unsigned char)raw->object[at];

		if (at)
			(void)fputc('.', out);
		for (at++; at < end && at < len; at++) {
			unsigned char byte = (unsigned char)raw->object[at];

			if (isalnum(byte) || byte == '-' || byte == '_')
				(void)fputc(byte, out);
			else
				(void)fprintf(out, "\\%03u", byte);
		}
	}
}

void pcl_bpf_event_detail(const struct pcl_bpf_event *raw, char *ret_text)
{
	FILE *out = fmemopen(ret_text, PCL_EVENT_TEXT_MAX, "w");
	size_t capabilities = 0;

	*ret_text = '\0';
	if (!out)
		return;
	while (pcl_capability_names[capabilities])
		capabilities++;
	switch ((enum pcl_access)raw->access) {
	case PCL_ACCESS_SOCKET:
		print_socket(out, &raw->detail, raw->hook == PCL_HOOK_SOCKET_BIND);
		break;
	case PCL_ACCESS_CAPABILITY:
		print_name(out, "CAP_",
			   raw->detail.number < capabilities
				   ? pcl_capability_names[raw->detail.number]
				   : NULL,
			   raw->detail.number);
		break;
	case PCL_ACCESS_SYSCALL:
		print_name(out, "SYS_", pcl_bpf_syscall_name(raw->detail.number),
			   raw->detail.number);
		break;
	case PCL_ACCESS_RESOLVE:
		print_query(out, raw);
		break;
	case PCL_ACCESS_EXECUTE:
	case PCL_ACCESS_READ:
	case PCL_ACCESS_WRITE:
	case PCL_ACCESS_MAP:
	case PCL_ACCESS_DEVICE:
		break;
	}
	(void)fclose(out);
}
