/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood PATH COUNT TASKS: TASKS tasks open PATH, which a policy refuses, COUNT times each, as fast
 * as they can. ok: each of them was refused; the data is "COUNT REFUSED PER_SECOND LONGEST_US": how
 * many there were, how many were refused with EACCES, how fast, and the longest that one open took.
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "replay.h"

#define USAGE "flood PATH COUNT TASKS"
#define TASKS_MAX 64

struct result {
	uint64_t refused;
	uint64_t longest_ns;
};

static uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void hammer(const char *path, long count, struct result *result)
{
	for (long i = 0; i < count; i++) {
		uint64_t start = now_ns(), took;
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		took = now_ns() - start;
		if (fd < 0 && errno == EACCES)
			result->refused++;
		if (fd >= 0)
			close(fd);
		if (took > result->longest_ns)
			result->longest_ns = took;
	}
}

int main(int argc, char **argv)
{
	long count = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
	long tasks = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
	struct result sum = {0}, *results;
	uint64_t start;
	char text[128];
	int len;

	if (count <= 0 || tasks <= 0 || tasks > TASKS_MAX)
		return replay_usage(USAGE);
	results = mmap(NULL, sizeof(*results) * TASKS_MAX, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		return replay_broken("mmap", errno);
	start = now_ns();
	for (long i = 0; i < tasks; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return replay_broken("fork", errno);
		if (pid == 0) {
			hammer(argv[1], count, &results[i]);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	for (long i = 0; i < tasks; i++) {
		sum.refused += results[i].refused;
		if (results[i].longest_ns > sum.longest_ns)
			sum.longest_ns = results[i].longest_ns;
	}
	len = snprintf(text, sizeof(text), "%ld %llu %llu %llu", count * tasks,
		       (unsigned long long)sum.refused,
		       (unsigned long long)((uint64_t)(count * tasks) * 1000000000u /
					    (now_ns() - start + 1)),
		       (unsigned long long)(sum.longest_ns / 1000));
	if (sum.refused != (uint64_t)(count * tasks))
		return replay_broken("open", 0);
	return replay_done("open", text, (size_t)len);
}
