/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call OPERATION TEXT: makes one system call, then says TEXT. unlink and unlinkat take a file away
 * that it made before; unlink-32 does so by the call of a 32-bit program (int 0x80); setuid sets
 * the user that it has.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "replay.h"

#define USAGE "call unlink|unlinkat|unlink-32|setuid TEXT"
#define SCRATCH "/tmp/call"

static int make_scratch(void)
{
	int fd = open(SCRATCH, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : close(fd);
}

static long do_unlink(void)
{
#ifdef SYS_unlink
	return make_scratch() ? -1 : syscall(SYS_unlink, SCRATCH);
#else
	errno = ENOSYS;
	return -1;
#endif
}

static long do_unlinkat(void)
{
	return make_scratch() ? -1 : syscall(SYS_unlinkat, AT_FDCWD, SCRATCH, 0);
}

/* KERNEL: a 64-bit program may make the calls of 32-bit ones; what they point at must lie low. */
static long do_unlink_32(void)
{
#ifdef __x86_64__
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long result = 10; /* unlink */

	if (low == MAP_FAILED || make_scratch())
		return -1;
	memcpy(low, SCRATCH, sizeof(SCRATCH));
	__asm__ volatile("int $0x80"
			 : "+a"(result)
			 : "b"(low)
			 : "memory", "cc", "r8", "r9", "r10", "r11");
	if (result >= 0)
		return result;
	errno = (int)-result;
#else
	errno = ENOSYS;
#endif
	return -1;
}

static long do_setuid(void)
{
	return setuid(getuid());
}

static const struct {
	const char *name;
	long (*run)(void);
} operations[] = {
	{"unlink", do_unlink},
	{"unlinkat", do_unlinkat},
	{"unlink-32", do_unlink_32},
	{"setuid", do_setuid},
};

int main(int argc, char **argv)
{
	if (argc != 3)
		return replay_usage(USAGE);
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (strcmp(operations[i].name, argv[1]) != 0)
			continue;
		if (operations[i].run() >= 0)
			return replay_done(argv[1], argv[2], strlen(argv[2]));
		return errno == EPERM || errno == EACCES ? replay_refused(argv[1], errno)
							 : replay_broken(argv[1], errno);
	}
	return replay_usage(USAGE);
}
