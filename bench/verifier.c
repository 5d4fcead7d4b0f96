/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verifier [--log PROGRAM]: loads the flavour of the BPF programs that this kernel takes and prints
 * for each program, one JSON object a line, how many instructions the verifier followed, out of the
 * 1,000,000 that a program may have. Nothing is attached or left behind. Exit code 1 where the
 * kernel refuses a program; --log prints all that it said of one.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_load.h"
#include "base/cleanup.h"

#define PROGRAMS_MAX 128
/* Statistics take a line; the log of a refused program is cut by the kernel at its end. */
#define STATS_LEN 65536u
#define LOG_LEN (16u << 20)
#define LEVEL_STATS 4u
#define LEVEL_ALL 6u

static char *logs[PROGRAMS_MAX];

/* From logs[count] on; returns how many there are then. */
static size_t give_logs(struct bpf_object *object, const char *named, size_t count)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		bool all = named && !strcmp(named, bpf_program__name(program));
		size_t len = all ? LOG_LEN : STATS_LEN;

		if (count == PROGRAMS_MAX || !(logs[count] = calloc(1, len)))
			break;
		bpf_program__set_log_buf(program, logs[count++], len);
		bpf_program__set_log_level(program, all ? LEVEL_ALL : LEVEL_STATS);
	}
	return count;
}

/* The number behind word in the last line of the log that has it. */
static long number_after(const char *log, const char *word)
{
	const char *at = log, *last = NULL;

	while ((at = strstr(at, word)))
		last = at += strlen(word);
	return last ? strtol(last, NULL, 10) : -1;
}

/* i is the place of the object's first log. */
static void report(struct bpf_object *object, const char *flavour, size_t i, size_t count)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		const char *log = i < count ? logs[i++] : "";

		if (!bpf_program__autoload(program))
			printf("{\"program\": \"%s\", \"flavour\": \"%s\", \"loaded\": false}\n",
			       bpf_program__name(program), flavour);
		else
			printf("{\"program\": \"%s\", \"flavour\": \"%s\", \"loaded\": true, "
			       "\"insns\": %zu, \"verified\": %ld, \"limit\": %ld}\n",
			       bpf_program__name(program), flavour,
			       (size_t)bpf_program__insn_cnt(program),
			       number_after(log, "processed "), number_after(log, "(limit "));
	}
}

/* The end of what the kernel said of the program that it refused. */
static void show_refusal(struct bpf_object *object, size_t i, size_t count, const char *named)
{
	const size_t tail = 3000;
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		const char *log = i < count ? logs[i++] : "";
		size_t len = strlen(log);

		if (named ? strcmp(named, bpf_program__name(program)) != 0 : !len)
			continue;
		printf("# %s\n%s\n", bpf_program__name(program),
		       named || len < tail ? log : log + len - tail);
	}
}

int main(int argc, char **argv)
{
	pcl_cleanup(pcl_bpf_object_close) struct pcl_bpf_object object = {0};
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	const char *named = argc == 3 && !strcmp(argv[1], "--log") ? argv[2] : NULL;
	size_t hooks, count;
	int error = 0;

	if (argc != 1 && !named) {
		fputs("usage: verifier [--log PROGRAM]\n", stderr);
		return 2;
	}
	if (pcl_bpf_object_open(&object, &diag)) {
		fprintf(stderr, "verifier: %s\n", pcl_diag_text(&diag));
		return 1;
	}
	hooks = give_logs(object.hooks, named, 0);
	count = give_logs(object.judges, named, hooks);
	error = pcl_bpf_object_load(&object, &diag);
	if (error)
		fprintf(stderr, "verifier: %s\n", pcl_diag_text(&diag));
	if (error || named) {
		show_refusal(object.hooks, 0, hooks, named);
		show_refusal(object.judges, hooks, count, named);
	}
	if (!error) {
		report(object.hooks, pcl_bpf_flavour_names[object.flavour], 0, hooks);
		report(object.judges, pcl_bpf_flavour_names[object.flavour], hooks, count);
	}
	for (size_t i = 0; i < count; i++)
		free(logs[i]);
	return error ? 1 : 0;
}
