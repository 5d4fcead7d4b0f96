/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drop_exec PATH TEXT: writes a program (itself) to PATH, makes it executable and executes it, as
 * a dropper does with its payload. The payload says TEXT.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "spawn.h"

#define PAYLOAD_WORD "--payload"
#define COPY_CHUNK 65536
#define DROPPED_MODE 0755

static int copy_all(int from, int to)
{
	static char chunk[COPY_CHUNK];
	ssize_t len;

	while ((len = read(from, chunk, sizeof(chunk))) > 0)
		if (write(to, chunk, (size_t)len) != len)
			return errno ? errno : ENOSPC;
	return len < 0 ? errno : 0;
}

int main(int argc, char **argv)
{
	char *payload[] = {NULL, PAYLOAD_WORD, NULL, NULL};
	int from, to, error;

	if (argc == 3 && strcmp(argv[1], PAYLOAD_WORD) == 0)
		return puts(argv[2]) < 0 ? REPLAY_BROKEN : REPLAY_DONE;
	if (argc != 3)
		return replay_usage("drop_exec PATH TEXT");
	from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return replay_broken("self", errno);
	to = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (to < 0)
		return replay_refused("create", errno);
	error = copy_all(from, to);
	if (error)
		return replay_refused("write", error);
	if (fchmod(to, DROPPED_MODE) != 0)
		return replay_refused("chmod", errno);
	/* KERNEL: a file that is open for writing is not executed (ETXTBSY). */
	(void)close(to);
	payload[0] = argv[1];
	payload[2] = argv[2];
	return spawn_and_report(payload);
}
