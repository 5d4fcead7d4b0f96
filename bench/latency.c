/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one open, exec or write costs, measured inside the guest.
 *
 *   latency --op open|exec|first|write --depth D --prepare
 *   latency --op open|exec|first|write --depth D --iterations N --repeat R [--clock monotonic|tsc]
 *
 * --prepare makes D directories and in them a file and a copy of the program `nop` that lies beside
 * this one. Without it, R batches of N operations are timed, after a batch to warm up, and printed
 * as one line of JSON: the time of every batch, and what the same loop costs with an operation that
 * does nothing ("empty", the median of as many batches), which the reader takes off.
 *
 * "first" is an open after a rename somewhere else, which is not timed: whoever keeps something by
 * path must look anew. "write" writes a byte of an open file in /run again and again, at whatever
 * depth.
 *
 * The time stamp counter is for QEMU's -icount shift=0, where it counts executed instructions, one
 * by one. Does not judge, average or drop anything, and prints no number if any operation failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include "base/cleanup.h"

#define BENCH_ROOT "/bench"
/* What is written or renamed lies where also a guest with a read-only root can write. */
#define SCRATCH "/run/bench"
#define USAGE                                                                                      \
	"usage: latency --op open|exec|first|write --depth D "                                     \
	"(--prepare | --iterations N --repeat R [--clock monotonic|tsc])"

/* Deep enough for any question about depth, and paths stay far below PATH_MAX. */
#define DEPTH_MAX 256
#define ITERATIONS_MAX 10000000
#define REPEAT_MAX 100000

enum clock_source {
	CLOCK_SOURCE_MONOTONIC,
	CLOCK_SOURCE_TSC,
};

struct options {
	const struct operation *operation;
	int depth;
	long iterations;
	long repeat;
	bool prepare;
	enum clock_source clock;
};

/* An operation: 0, or -errno. */
typedef int (*operation_fn)(const char *path);

static int failed(const char *what, const char *where, int error)
{
	fprintf(stderr, "latency: cannot %s %s: %s\n", what, where, strerror(error));
	return 1;
}

static int operation_none(const char *path)
{
	(void)path;
	return 0;
}

static int operation_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return close(fd) ? -errno : 0;
}

static int operation_exec(const char *path)
{
	static char *const environment[] = {NULL};
	char *const argv[] = {(char *)path, NULL};
	int status = 0;
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): the thing to be measured. */
	pid_t pid = vfork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		execve(path, argv, environment);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	/* The child shares our memory but cannot return an errno cleanly; 127 means refused. */
	return status ? -EACCES : 0;
}

/* Of what --op write writes to. */
static int written_fd = -1;

static int operation_write(const char *path)
{
	(void)path;
	return pwrite(written_fd, "x", 1, 0) == 1 ? 0 : -errno;
}

static int open_written(const char *path)
{
	(void)path;
	if (written_fd >= 0)
		return 0;
	written_fd = open(SCRATCH "-written", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return written_fd < 0 ? -errno : 0;
}

static int rename_elsewhere(const char *path)
{
	static const char *const names[] = {SCRATCH "-moved", SCRATCH "-moved-again"};
	int fd;

	(void)path;
	if (rename(names[0], names[1]) && errno == ENOENT) {
		fd = open(names[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || close(fd) || rename(names[0], names[1]))
			return -errno;
	}
	return rename(names[1], names[0]) ? -errno : 0;
}

static const struct operation {
	const char *name;
	operation_fn run;
	operation_fn before; /* each batch, not timed; or NULL */
	bool executes;
} operations[] = {
	{"open", operation_open, NULL, false},
	{"exec", operation_exec, NULL, true},
	{"first", operation_open, rename_elsewhere, false},
	{"write", operation_write, open_written, false},
};

static const struct operation nothing = {"nothing", operation_none, NULL, false};

static const struct operation *operation_named(const char *name)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(operations); i++)
		if (!strcmp(operations[i].name, name))
			return &operations[i];
	return NULL;
}

/* The counter of the processor: of cycles on x86, of a fixed clock on arm64. */
static uint64_t read_counter(void)
{
#ifdef __x86_64__
	return __rdtsc();
#elif defined(__aarch64__)
	uint64_t count;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(count)::"memory");
	return count;
#else
#error "which counter does this processor have?"
#endif
}

static uint64_t now(enum clock_source clock)
{
	struct timespec ts;

	if (clock == CLOCK_SOURCE_TSC)
		return read_counter();
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* One batch; 0 or -errno of the first operation that failed. */
static int time_batch(const struct options *options, const struct operation *operation,
		      const char *path, uint64_t *ret_time)
{
	/* Through memory, so that the compiler can neither inline nor drop the empty operation. */
	operation_fn volatile op = operation->run;
	int error = operation->before ? operation->before(path) : 0;
	uint64_t start = now(options->clock);

	for (long i = 0; i < options->iterations && !error; i++)
		error = op(path);
	*ret_time = now(options->clock) - start;
	return error;
}

static int compare_times(const void *left, const void *right)
{
	const uint64_t a = *(const uint64_t *)left;
	const uint64_t b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* Warms up, then times options->repeat batches into times. */
static int time_batches(const struct options *options, const struct operation *operation,
			const char *path, uint64_t *times)
{
	int error = time_batch(options, operation, path, &times[0]);

	for (long i = 0; i < options->repeat && !error; i++)
		error = time_batch(options, operation, path, &times[i]);
	return error;
}

static int measure(const struct options *options, const char *path)
{
	/*
	 * KERNEL: where the stack and the vDSO are put decides how many page tables an exec makes;
	 * one place for all keeps that out of the comparison.
	 */
	const int personality_before = personality(ADDR_NO_RANDOMIZE);
	pcl_autofree uint64_t *times = calloc((size_t)options->repeat, sizeof(*times));
	uint64_t empty;
	int error;

	if (personality_before < 0)
		return failed("fix", "the layout of address spaces", errno);
	if (!times)
		return failed("get memory for", "the samples", ENOMEM);
	error = time_batches(options, &nothing, path, times);
	qsort(times, (size_t)options->repeat, sizeof(*times), compare_times);
	empty = times[options->repeat / 2];
	if (!error)
		error = time_batches(options, options->operation, path, times);
	if (error)
		return failed(options->operation->name, path, -error);
	printf("{\"op\":\"%s\",\"depth\":%d,\"iterations\":%ld,\"empty\":%llu,\"times\":[",
	       options->operation->name, options->depth, options->iterations,
	       (unsigned long long)empty);
	for (long i = 0; i < options->repeat; i++)
		printf("%s%llu", i ? "," : "", (unsigned long long)times[i]);
	puts("]}");
	return fflush(stdout) ? failed("write", "the samples", errno) : 0;
}

/* The directory of the given depth: BENCH_ROOT is the first, then d2, d3, ... Owned. */
static char *directory_at(int depth)
{
	pcl_autofree char *path = calloc(1, PATH_MAX);
	size_t length = strlen(BENCH_ROOT);

	if (!path)
		return NULL;
	memcpy(path, BENCH_ROOT, length + 1);
	for (int i = 2; i <= depth; i++)
		length += (size_t)snprintf(path + length, PATH_MAX - length, "/d%d", i);
	return pcl_take_ptr(path);
}

static int copy_file(const char *from, const char *to)
{
	pcl_autoclose int in = open(from, O_RDONLY | O_CLOEXEC);
	pcl_autoclose int out = -1;
	struct stat status;

	if (in < 0 || fstat(in, &status))
		return failed("read", from, errno);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	if (out < 0)
		return failed("make", to, errno);
	for (off_t left = status.st_size; left > 0;) {
		ssize_t sent = sendfile(out, in, NULL, (size_t)left);

		if (sent <= 0)
			return failed("copy to", to, sent < 0 ? errno : EIO);
		left -= sent;
	}
	return 0;
}

/* Makes every directory down to depth, the file, and the copy of nop; again is no error. */
static int prepare(int depth, const char *file, const char *program)
{
	char self[PATH_MAX];
	pcl_autofree char *nop = NULL;
	pcl_autoclose int fd = -1;
	ssize_t length;

	for (int i = 1; i <= depth; i++) {
		pcl_autofree char *dir = directory_at(i);

		if (!dir || (mkdir(dir, 0755) && errno != EEXIST))
			return failed("make", dir ? dir : BENCH_ROOT, errno);
	}
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return failed("make", file, errno);
	length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (length < 0)
		return failed("read", "/proc/self/exe", errno);
	self[length] = '\0';
	if (asprintf(&nop, "%s/nop", dirname(self)) < 0)
		return failed("get memory for", "a path", ENOMEM);
	return copy_file(nop, program);
}

static bool parse_number(const char *text, long max, long *ret_value)
{
	char *end = NULL;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < 1 || value > max)
		return false;
	*ret_value = value;
	return true;
}

static bool parse_option(int option, const char *text, struct options *options)
{
	long depth = 0;
	bool good = true;

	switch (option) {
	case 'o':
		options->operation = operation_named(text);
		return options->operation;
	case 'd':
		good = parse_number(text, DEPTH_MAX, &depth);
		options->depth = (int)depth;
		return good;
	case 'i':
		return parse_number(text, ITERATIONS_MAX, &options->iterations);
	case 'r':
		return parse_number(text, REPEAT_MAX, &options->repeat);
	case 'p':
		options->prepare = true;
		return true;
	case 'c':
		options->clock = strcmp(text, "tsc") ? CLOCK_SOURCE_MONOTONIC : CLOCK_SOURCE_TSC;
		return !strcmp(text, "tsc") || !strcmp(text, "monotonic");
	}
	return false;
}

static bool parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"op", required_argument, NULL, 'o'},
		{"depth", required_argument, NULL, 'd'},
		{"iterations", required_argument, NULL, 'i'},
		{"repeat", required_argument, NULL, 'r'},
		{"clock", required_argument, NULL, 'c'},
		{"prepare", no_argument, NULL, 'p'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (!parse_option(option, optarg, options))
			return false;
	}
	return optind == argc && options->operation && options->depth &&
	       (options->prepare || (options->iterations && options->repeat));
}

int main(int argc, char **argv)
{
	struct options options = {0};
	pcl_autofree char *dir = NULL;
	pcl_autofree char *file = NULL;
	pcl_autofree char *program = NULL;

#ifdef PCL_SANITIZED
	fprintf(stderr, "latency: built with sanitizers, so its times mean nothing; "
			"build without SAN=1\n");
	return 2;
#endif
	if (!parse_options(argc, argv, &options)) {
		fprintf(stderr, "latency: an option is missing or makes no sense; %s\n", USAGE);
		return 2;
	}
	dir = directory_at(options.depth);
	if (!dir || asprintf(&file, "%s/file", dir) < 0 || asprintf(&program, "%s/nop", dir) < 0)
		return failed("get memory for", "a path", ENOMEM);
	if (options.prepare)
		return prepare(options.depth, file, program);
	return measure(&options, options.operation->executes ? program : file);
}
