/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stall preempt|irq SECONDS: keeps this CPU busy in the kernel, with interrupts on ("preempt": the
 * kernel's watchdogs see it) or off ("irq": nothing in the guest sees it). Needs a kernel from
 * 5.17 on; says so and exits 1 where the programs cannot be loaded.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stall.skel.h"

#define USAGE "usage: stall preempt|irq SECONDS"
#define NS_PER_S 1000000000ull

static int failed(const char *what, int error)
{
	fprintf(stderr, "stall: cannot %s: %s\n", what, strerror(error));
	return 1;
}

static unsigned long long now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long long)now.tv_sec * NS_PER_S + (unsigned long long)now.tv_nsec;
}

static int stall(bool irq, unsigned long long ns)
{
	struct stall_bpf *skel = stall_bpf__open();
	const struct timespec moment = {.tv_nsec = 1000000};
	struct bpf_link *link;
	int error;

	if (!skel)
		return failed("open the programs", errno);
	(void)bpf_program__set_autoload(skel->progs.stall_irq_off, irq);
	(void)bpf_program__set_autoload(skel->progs.stall_preempt_off, !irq);
	error = stall_bpf__load(skel);
	if (error)
		return failed("load the programs", -error);
	link = bpf_program__attach(irq ? skel->progs.stall_irq_off : skel->progs.stall_preempt_off);
	if (!link)
		return failed("attach the program", errno);
	skel->bss->stall_until_ns = now_ns() + ns;
	/* The next system call, or the switch to another task that it makes, is the one. */
	(void)nanosleep(&moment, NULL);
	skel->bss->stall_until_ns = 0;
	(void)bpf_link__destroy(link);
	stall_bpf__destroy(skel);
	puts("stall: over");
	return 0;
}

int main(int argc, char **argv)
{
	bool irq = argc > 1 && strcmp(argv[1], "irq") == 0;
	char *end = NULL;
	unsigned long seconds = argc == 3 ? strtoul(argv[2], &end, 10) : 0;

	if (argc != 3 || (!irq && strcmp(argv[1], "preempt") != 0) || !*argv[2] || *end) {
		fprintf(stderr, "%s\n", USAGE);
		return 2;
	}
	return stall(irq, seconds * NS_PER_S);
}
