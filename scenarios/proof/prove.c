/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prove LSM[:WORD]...: makes each LSM refuse something of its own, and prints for each one JSON
 * line
 * {"lsm", "ok", "detail"}. Exit 0 when each did, 1 when one did not, 2 for wrong words.
 *
 * selinux:POLICY says which policy is loaded; lockdown:MODE which mode.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proof.h"

static const struct {
	const char *lsm;
	proof_fn run;
} proofs[] = {
	{"bpf", proof_bpf},
	{"apparmor", proof_apparmor},
	{"selinux", proof_selinux},
	{"landlock", proof_landlock},
	{"lockdown", proof_lockdown},
	{"yama", proof_yama},
	{"capability", proof_capability},
};
#define PROOF_COUNT (sizeof(proofs) / sizeof(proofs[0]))

int proof_failed(struct proof *proof, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	(void)vsnprintf(proof->detail, sizeof(proof->detail), format, list);
	va_end(list);
	return -1;
}

int proof_in_child(int (*act)(const void *argument), const void *argument)
{
	pid_t pid;
	int status;

	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(act(argument));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int open_and_close(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

int proof_open(const char *path)
{
	return open_and_close(path, O_RDONLY);
}

int proof_open_for_writing(const char *path)
{
	return open_and_close(path, O_WRONLY);
}

static int make_files(void)
{
	return open_and_close(PROOF_FILE, O_RDWR | O_CREAT) ||
	       open_and_close(PROOF_OTHER, O_RDWR | O_CREAT);
}

static int run_one(const char *lsm, const char *word)
{
	struct proof proof = {.word = word};
	int result = -1;
	json_t *line;
	size_t i = 0;

	while (i < PROOF_COUNT && strcmp(proofs[i].lsm, lsm) != 0)
		i++;
	if (i == PROOF_COUNT)
		(void)proof_failed(&proof, "nobody knows what it refuses");
	else
		result = proofs[i].run(&proof);
	line = json_pack("{s:s, s:b, s:s}", "lsm", lsm, "ok", result == 0, "detail", proof.detail);
	(void)json_dumpf(line, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(line);
	return result;
}

int main(int argc, char **argv)
{
	int code = 0, error;

	if (argc < 2) {
		fputs("usage: prove LSM[:WORD]...\n", stderr);
		return 2;
	}
	error = make_files();
	if (error) {
		fprintf(stderr, "prove: cannot make " PROOF_FILE ": %s\n", strerror(error));
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		char *colon = strchr(argv[i], ':');

		if (colon)
			*colon = '\0';
		if (run_one(argv[i], colon ? colon + 1 : NULL))
			code = 1;
	}
	(void)unlink(PROOF_FILE);
	(void)unlink(PROOF_OTHER);
	return code;
}
