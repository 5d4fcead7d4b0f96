/* SPDX-License-Identifier: Apache-2.0 */
/* write_file append|create|truncate PATH TEXT: opens a file for writing and puts text into it. */
#include <fcntl.h>

#include "replay.h"

#define USAGE "write_file append|create|truncate PATH TEXT"
#define NEW_FILE_MODE 0644

static int flags_of(const char *how)
{
	static const struct {
		const char *how;
		int flags;
	} table[] = {
		{"append", O_APPEND},
		{"create", O_CREAT | O_EXCL},
		{"truncate", O_TRUNC},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].how, how) == 0)
			return table[i].flags;
	return -1;
}

int main(int argc, char **argv)
{
	size_t len;
	int fd, flags;

	if (argc != 4)
		return replay_usage(USAGE);
	flags = flags_of(argv[1]);
	if (flags < 0)
		return replay_usage(USAGE);
	len = strlen(argv[3]);
	fd = open(argv[2], O_WRONLY | O_CLOEXEC | flags, NEW_FILE_MODE);
	if (fd < 0)
		return replay_refused("open", errno);
	if (write(fd, argv[3], len) != (ssize_t)len)
		return replay_refused("write", errno);
	if (close(fd) != 0)
		return replay_refused("close", errno);
	return replay_done("write", argv[3], len);
}
