/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "strain.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"switch", strain_switch},
};

int strain_usage(void)
{
	fputs("usage: strain switch ROUNDS\n", stderr);
	return 2;
}

int strain_fail(int error, const struct pcl_diag *diag)
{
	fprintf(stderr, "strain: %s (%s)\n", pcl_diag_text(diag), strerror(-error));
	return EXIT_FAILURE;
}

int strain_write(const char *path, const char *text)
{
	pcl_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t len = strlen(text);

	if (fd < 0)
		return -errno;
	return write(fd, text, len) == (ssize_t)len ? 0 : -EIO;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < PCL_ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 2, argv + 2);
	return strain_usage();
}
