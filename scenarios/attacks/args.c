/* SPDX-License-Identifier: Apache-2.0 */
/*
 * args many PROGRAM ALLOWED LAST: executes a program with ALLOWED a thousand times and LAST behind.
 * args race PROGRAM ALLOWED OTHER: executes it again and again with one argument, which another
 * process changes all the time between the two.
 */
#include <signal.h>
#include <sys/mman.h>

#include "spawn.h"

#define USAGE "args many PROGRAM ALLOWED LAST | args race PROGRAM ALLOWED OTHER"
#define MANY 1000
#define RACE_ROUNDS 300
#define ROOM 256

static int run_many(char *program, char *allowed, char *last)
{
	char *argv[MANY + 3] = {program};

	for (size_t i = 1; i <= MANY; i++)
		argv[i] = allowed;
	/* It says the first. */
	argv[1] = last;
	argv[MANY + 1] = allowed;
	return spawn_and_report(argv);
}

/* What the program said; -1 and errno where it was not executed. */
static ssize_t run_once(char *program, char *argument, char *said)
{
	char *argv[] = {program, argument, NULL};
	int out[2], report[2], error = 0;
	size_t len;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) || pipe2(report, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid == 0) {
		const struct spawn_how how = {.dir = AT_FDCWD, .name = program, .argv = argv};

		spawn_child(&how, out[1], report[1]);
	}
	(void)close(out[1]);
	(void)close(report[1]);
	if (pid < 0 || read(report[0], &error, sizeof(error)) != sizeof(error))
		error = pid < 0 ? errno : 0;
	len = spawn_read_all(out[0], said, ROOM - 1);
	(void)close(out[0]);
	(void)close(report[0]);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	said[len] = '\0';
	errno = error;
	return error ? -1 : (ssize_t)len;
}

static void change_for_ever(volatile char *shared, const char *one, const char *other)
{
	for (;;) {
		for (size_t i = 0; i < ROOM && (!i || one[i - 1]); i++)
			shared[i] = one[i];
		for (size_t i = 0; i < ROOM && (!i || other[i - 1]); i++)
			shared[i] = other[i];
	}
}

static int run_race(char *program, char *allowed, char *other)
{
	char *shared = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int refusals = 0, result = -1;
	char said[ROOM];
	pid_t changer;

	if (shared == MAP_FAILED || strlen(allowed) != strlen(other) || strlen(other) >= ROOM)
		return replay_broken("prepare", errno);
	strcpy(shared, allowed);
	changer = fork();
	if (changer == 0)
		change_for_ever(shared, allowed, other);
	for (int i = 0; i < RACE_ROUNDS && result < 0; i++) {
		if (run_once(program, shared, said) < 0 && errno == EACCES)
			refusals++;
		else if (!strncmp(said, other, strlen(other)))
			result = replay_done("execve", said, strlen(said));
	}
	if (changer > 0) {
		(void)kill(changer, SIGKILL);
		(void)waitpid(changer, NULL, 0);
	}
	if (result >= 0)
		return result;
	return refusals ? replay_refused("execve", EACCES) : replay_broken("race", 0);
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return replay_usage(USAGE);
	if (!strcmp(argv[1], "many"))
		return run_many(argv[2], argv[3], argv[4]);
	if (!strcmp(argv[1], "race"))
		return run_race(argv[2], argv[3], argv[4]);
	return replay_usage(USAGE);
}
