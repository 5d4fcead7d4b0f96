/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map_exec WAY TEXT: puts machine code into memory that no file stands behind, runs it there, and
 * says TEXT if it did what it should. Way named is the harmless one: the code of a file, mapped as
 * it is.
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "replay.h"

#define USAGE "map_exec WAY TEXT"
#define PAGE 4096ul
#define HALF_FILE "/tmp/map-exec"

/* Returns 42, and needs nothing around it. */
#if defined(__x86_64__)
static const uint8_t code[] = {0xb8, 42, 0, 0, 0, 0xc3};
#elif defined(__aarch64__)
static const uint8_t code[] = {0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6};
#endif

/* Each returns where the code lies, ready to run, or MAP_FAILED with errno. */

static void *with_code(void *page)
{
	if (page != MAP_FAILED)
		memcpy(page, code, sizeof(code));
	return page;
}

static void *made_executable(void *page)
{
	if (page == MAP_FAILED || mprotect(page, PAGE, PROT_READ | PROT_EXEC))
		return MAP_FAILED;
	return page;
}

static void *map_anew(int prot, int flags, int fd)
{
	return mmap(NULL, PAGE, prot, flags, fd, 0);
}

static void *at_once(void)
{
	return with_code(
		map_anew(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1));
}

static void *later(void)
{
	return made_executable(
		with_code(map_anew(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1)));
}

static void *shared(void)
{
	return with_code(
		map_anew(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1));
}

static void *shared_later(void)
{
	return made_executable(
		with_code(map_anew(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1)));
}

static void *zero_device(void)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);

	return with_code(map_anew(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, fd));
}

static void *heap(void)
{
	void *page = aligned_alloc(PAGE, PAGE);

	return page ? made_executable(with_code(page)) : MAP_FAILED;
}

static void *stack(void)
{
	static uintptr_t begin;
	char here[4 * PAGE];

	/* Far enough below the frames of what is called next. */
	begin = ((uintptr_t)here + PAGE - 1) & ~(PAGE - 1);
	return made_executable(with_code((void *)begin));
}

static int memory_file(void)
{
	int fd = memfd_create("code", MFD_CLOEXEC);

	return fd < 0 || write(fd, code, sizeof(code)) != sizeof(code) ? -1 : fd;
}

static void *memfd(void)
{
	return map_anew(PROT_READ | PROT_EXEC, MAP_SHARED, memory_file());
}

static void *memfd_later(void)
{
	return made_executable(map_anew(PROT_READ, MAP_PRIVATE, memory_file()));
}

static void *segment(void)
{
	int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0700);
	void *page = id < 0 ? MAP_FAILED : shmat(id, NULL, SHM_EXEC);

	if (id >= 0)
		(void)shmctl(id, IPC_RMID, NULL);
	return with_code(page);
}

/* A file with other code in it, so that it is memory that must have changed. */
static int half_file(void)
{
	int fd = open(HALF_FILE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	(void)unlink(HALF_FILE);
	return fd < 0 || ftruncate(fd, PAGE) ? -1 : fd;
}

static void *copied(void)
{
	return made_executable(
		with_code(map_anew(PROT_READ | PROT_WRITE, MAP_PRIVATE, half_file())));
}

static void *copied_at_once(void)
{
	return with_code(map_anew(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, half_file()));
}

/* Executable first, then writable too. */
static void *opened_up(void)
{
	void *page = map_anew(PROT_READ | PROT_EXEC, MAP_PRIVATE, half_file());

	if (page == MAP_FAILED || mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC))
		return MAP_FAILED;
	return with_code(page);
}

/* KERNEL: with this personality whatever may be read is mapped executable. */
static void *implied(void)
{
	(void)personality(READ_IMPLIES_EXEC);
	return with_code(map_anew(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
}

static void *named(void)
{
	int fd = open(HALF_FILE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	void *page;

	if (fd < 0 || write(fd, code, sizeof(code)) != sizeof(code))
		return MAP_FAILED;
	page = map_anew(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd);
	(void)unlink(HALF_FILE);
	return page;
}

static const struct {
	const char *name;
	void *(*map)(void);
} ways[] = {
	{"at-once", at_once},
	{"later", later},
	{"shared", shared},
	{"shared-later", shared_later},
	{"zero-device", zero_device},
	{"heap", heap},
	{"stack", stack},
	{"memfd", memfd},
	{"memfd-later", memfd_later},
	{"segment", segment},
	{"copied", copied},
	{"copied-at-once", copied_at_once},
	{"opened-up", opened_up},
	{"implied", implied},
	{"named", named},
};

static int run_at(void *page)
{
	int (*function)(void);

	__builtin___clear_cache(page, (char *)page + sizeof(code));
	memcpy(&function, &page, sizeof(function));
	return function();
}

static int map_and_run(void *(*map)(void), const char *text)
{
	void *page = map();

	if (page == MAP_FAILED)
		return errno == EACCES || errno == EPERM ? replay_refused("map", errno)
							 : replay_broken("map", errno);
	if (run_at(page) != 42)
		return replay_broken("run", 0);
	return replay_done("run", text, strlen(text));
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return replay_usage(USAGE);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, argv[1]) == 0)
			return map_and_run(ways[i].map, argv[2]);
	return replay_usage(USAGE);
}
