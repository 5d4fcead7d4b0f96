/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privilege OPERATION TEXT: does what takes one capability, then says TEXT: chown, setuid, chroot,
 * mknod, sethostname (sys_admin), port (net_bind_service), raw (net_raw), nice (sys_nice).
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "replay.h"

#define USAGE "privilege chown|setuid|chroot|mknod|sethostname|port|raw|nice TEXT"
#define SCRATCH "/tmp/privilege"
#define NOBODY 65534

static int do_chown(void)
{
	int fd = (unlink(SCRATCH), creat(SCRATCH, 0600));

	return fd < 0 ? -1 : fchown(fd, NOBODY, NOBODY);
}

static int do_setuid(void)
{
	return setuid(NOBODY);
}

static int do_chroot(void)
{
	return chroot("/tmp");
}

static int do_mknod(void)
{
	(void)unlink(SCRATCH);
	return mknod(SCRATCH, S_IFCHR | 0600, makedev(1, 3));
}

static int do_sethostname(void)
{
	return sethostname("taken", 5);
}

static int do_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(81)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof(address));
}

static int do_raw(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int do_nice(void)
{
	return setpriority(PRIO_PROCESS, 0, -5);
}

static const struct {
	const char *name;
	int (*run)(void);
} operations[] = {
	{"chown", do_chown},
	{"setuid", do_setuid},
	{"chroot", do_chroot},
	{"mknod", do_mknod},
	{"sethostname", do_sethostname},
	{"port", do_port},
	{"raw", do_raw},
	{"nice", do_nice},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 3 && i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (strcmp(argv[1], operations[i].name))
			continue;
		if (operations[i].run() >= 0)
			return replay_done(argv[1], argv[2], strlen(argv[2]));
		return errno == EPERM || errno == EACCES ? replay_refused(argv[1], errno)
							 : replay_broken(argv[1], errno);
	}
	return replay_usage(USAGE);
}
