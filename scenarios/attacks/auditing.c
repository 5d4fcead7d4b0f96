/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auditing on|off: what an audit daemon switches on as it starts. System calls are audited then,
 * and all records of one have one serial.
 */
#include <linux/audit.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "replay.h"

static int switch_auditing(int fd, bool on)
{
	struct {
		struct nlmsghdr header;
		struct audit_status status;
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = AUDIT_SET,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.status = {.mask = AUDIT_STATUS_ENABLED, .enabled = on},
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer;

	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	if (recv(fd, &answer, sizeof(answer), 0) < (ssize_t)sizeof(answer))
		return -EPROTO;
	return answer.header.nlmsg_type == NLMSG_ERROR ? answer.error.error : -EPROTO;
}

int main(int argc, char **argv)
{
	bool on = argc == 2 && !strcmp(argv[1], "on");
	int fd, error;

	if (!on && (argc != 2 || strcmp(argv[1], "off") != 0))
		return replay_usage("auditing on|off");
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	if (fd < 0)
		return replay_refused("socket", errno);
	error = switch_auditing(fd, on);
	if (error)
		return replay_refused("switch", -error);
	return replay_done("switch", argv[1], strlen(argv[1]));
}
