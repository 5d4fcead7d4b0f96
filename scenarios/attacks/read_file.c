/* SPDX-License-Identifier: Apache-2.0 */
/* read_file PATH: opens a file for reading and shows what is in it. */
#include <fcntl.h>

#include "replay.h"

int main(int argc, char **argv)
{
	static char data[REPLAY_DATA_MAX];
	ssize_t len;
	int fd;

	if (argc != 2)
		return replay_usage("read_file PATH");
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return replay_refused("open", errno);
	len = read(fd, data, sizeof(data));
	if (len < 0)
		return replay_refused("read", errno);
	return replay_done("read", data, (size_t)len);
}
