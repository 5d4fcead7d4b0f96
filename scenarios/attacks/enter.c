/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enter CGROUP PID OUTSIDE PROGRAM [ARGUMENT...]: goes into a container as a runtime does. Puts
 * itself into the cgroup, opens the file OUTSIDE, which is the host's, then enters the mount
 * namespace of process PID and executes PROGRAM there. With "-" for PID it stays outside.
 */
#include <fcntl.h>
#include <sched.h>

#include "replay.h"

static int join_cgroup(const char *cgroup)
{
	char path[256];
	int fd, error = 0;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		error = errno;
	if (fd >= 0)
		close(fd);
	return error;
}

int main(int argc, char **argv)
{
	char path[64];
	int fd, ns = -1;

	if (argc < 5)
		return replay_usage("enter CGROUP PID OUTSIDE PROGRAM [ARGUMENT...]");
	if (strcmp(argv[2], "-") != 0) {
		snprintf(path, sizeof(path), "/proc/%s/ns/mnt", argv[2]);
		ns = open(path, O_RDONLY | O_CLOEXEC);
		if (ns < 0)
			return replay_broken("namespace", errno);
	}
	errno = join_cgroup(argv[1]);
	if (errno)
		return replay_broken("cgroup", errno);
	fd = open(argv[3], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return replay_refused("outside", errno);
	if (ns >= 0 && setns(ns, CLONE_NEWNS))
		return replay_broken("setns", errno);
	execvp(argv[4], argv + 4);
	return replay_refused("execve", errno);
}
