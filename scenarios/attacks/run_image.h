/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of a program that have no name. Each returns a descriptor to execute, or -1. */
#ifndef GNT_ATTACK_RUN_IMAGE_H
#define GNT_ATTACK_RUN_IMAGE_H

#include <stdint.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include "scratch.h"

static inline int image_copy(const char *program, int to)
{
	int from = open(program, O_RDONLY | O_CLOEXEC);
	ssize_t sent = 1;

	while (from >= 0 && to >= 0 && sent > 0)
		sent = sendfile(to, from, NULL, 1 << 20);
	if (from >= 0)
		(void)close(from);
	return from < 0 || to < 0 || sent < 0 ? -1 : 0;
}

static inline int image_in_memory(const char *program, int sealed)
{
	int fd = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (image_copy(program, fd))
		return -1;
	if (sealed &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
		return -1;
	return fd;
}

/* KERNEL: what is open for writing is not executed, so it is opened anew and the writer closed. */
static inline int image_read_only(int writer)
{
	char name[64];
	int fd;

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", writer);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	(void)close(writer);
	return fd;
}

static inline int image_deleted(const char *program)
{
	int writer = open(SCRATCH "/gone", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	int fd;

	if (image_copy(program, writer))
		return -1;
	fd = image_read_only(writer);
	return fd < 0 || unlink(SCRATCH "/gone") ? -1 : fd;
}

static inline int image_nameless(const char *program)
{
	int writer = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0755);

	return image_copy(program, writer) ? -1 : image_read_only(writer);
}

#endif
