/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rounds KIND COUNT CGROUP: moves things under a reader that a policy binds, and looks after each
 * move whether the reader sees the truth. The mover stays where it is; the reader puts itself into
 * CGROUP, a domain in which everything below /race/blocked and /race/blocked2 is blocked. It opens
 * by a directory's descriptor, so that only what the engine keeps of the directory could be stale.
 *
 *   dir       renames the directory into the blocked place and back
 *   ancestor  the same to a directory three levels up
 *   mount     moves a mount into the blocked place and back
 *   swap      renames between the two blocked places all the time, with no regard to the reader
 *
 * ok: every round was as it must be; the data is the number of rounds.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "replay.h"

#define USAGE "rounds dir|ancestor|mount|swap COUNT CGROUP"

struct kind {
	const char *name;
	const char *free_place; /* what moves, and whereto */
	const char *blocked_place;
	const char *inside; /* the directory that is opened, below the place */
	int (*move)(const char *from, const char *to);
};

static int move_mount(const char *from, const char *to)
{
	return mount(from, to, NULL, MS_MOVE, NULL);
}

static const struct kind kinds[] = {
	{"dir", "/race/free/d", "/race/blocked/d", "", rename},
	{"ancestor", "/race/free/a", "/race/blocked/a", "/b/c", rename},
	{"mount", "/race/free/m", "/race/blocked/m", "/in", move_mount},
	{"swap", "/race/blocked2/s", "/race/blocked/s", "", rename},
};

/* What could not be done, for main() to tell. */
static const char *failed_step;

static int failed(const char *step)
{
	failed_step = step;
	return -1;
}

static int make_dirs(const char *path)
{
	char part[256];

	for (size_t i = 1; i <= strlen(path); i++) {
		if (path[i] && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0755) && errno != EEXIST)
			return failed("mkdir");
	}
	return 0;
}

/* Makes the places and the file; returns an O_PATH descriptor of the directory, or -1. */
static int prepare(const struct kind *kind)
{
	char path[256];
	int dir, file;

	if (make_dirs("/race/free") || make_dirs("/race/blocked") || make_dirs("/race/blocked2") ||
	    make_dirs(kind->free_place))
		return -1;
	if (kind->move == move_mount) {
		if (make_dirs(kind->blocked_place))
			return -1;
		if (mount("none", kind->free_place, "tmpfs", 0, NULL))
			return failed("mount");
	}
	snprintf(path, sizeof(path), "%s%s", kind->free_place, kind->inside);
	if (make_dirs(path))
		return -1;
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	file = dir < 0 ? -1 : openat(dir, "f", O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	if (file < 0)
		return failed("create");
	close(file);
	return dir;
}

static int enter(const char *cgroup)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		return failed("cgroup");
	close(fd);
	return 0;
}

/* 1 may read, 0 refused, -1 something else. */
static int may_read(int dir)
{
	int file = openat(dir, "f", O_RDONLY | O_CLOEXEC);

	if (file >= 0) {
		close(file);
		return 1;
	}
	return errno == EACCES ? 0 : -1;
}

/* Answers each byte with what may_read() says. */
static void reader(int dir, const char *cgroup, int questions, int answers)
{
	char question, answer;

	if (enter(cgroup))
		_exit(1);
	while (read(questions, &question, 1) == 1) {
		answer = (char)('1' + may_read(dir));
		if (write(answers, &answer, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static int ask(int questions, int answers)
{
	char byte = '?';

	if (write(questions, &byte, 1) != 1 || read(answers, &byte, 1) != 1)
		return failed("reader");
	return byte - '1';
}

/* After each move the reader must see where the directory is now. */
static long take_turns(const struct kind *kind, long count, int questions, int answers)
{
	for (long i = 0; i < count; i++) {
		if (ask(questions, answers) != 1)
			return failed("free") - i;
		if (kind->move(kind->free_place, kind->blocked_place))
			return failed("move") - i;
		if (ask(questions, answers) != 0)
			return failed("blocked") - i;
		if (kind->move(kind->blocked_place, kind->free_place))
			return failed("move back") - i;
	}
	return count;
}

/* Whatever the moment, the directory is in a blocked place. */
static long swap(const struct kind *kind, long count, int questions, int answers)
{
	pid_t mover = fork();
	long done = 0;

	if (mover < 0)
		return failed("fork");
	while (!mover)
		if (kind->move(kind->free_place, kind->blocked_place) ||
		    kind->move(kind->blocked_place, kind->free_place))
			_exit(1);
	while (done < count && ask(questions, answers) == 0)
		done++;
	kill(mover, SIGKILL);
	waitpid(mover, NULL, 0);
	return done == count ? count : failed("swap") - done;
}

static long run(const struct kind *kind, long count, const char *cgroup)
{
	int questions[2], answers[2], dir = prepare(kind);
	pid_t child;
	long done;

	if (dir < 0)
		return -1;
	if (pipe2(questions, O_CLOEXEC) || pipe2(answers, O_CLOEXEC))
		return failed("pipe");
	child = fork();
	if (child < 0)
		return failed("fork");
	if (!child) {
		close(questions[1]);
		reader(dir, cgroup, questions[0], answers[1]);
	}
	close(questions[0]);
	close(answers[1]);
	done = strcmp(kind->name, "swap") ? take_turns(kind, count, questions[1], answers[0])
					  : swap(kind, count, questions[1], answers[0]);
	close(questions[1]);
	waitpid(child, NULL, 0);
	return done;
}

int main(int argc, char **argv)
{
	long count = argc == 4 ? atol(argv[2]) : 0, done;
	char text[64];

	for (size_t i = 0; count > 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, argv[1]) != 0)
			continue;
		done = run(&kinds[i], count, argv[3]);
		if (done < 0)
			return replay_failed(failed_step, errno, REPLAY_BROKEN);
		return replay_done(argv[1], text,
				   (size_t)snprintf(text, sizeof(text), "%ld", done));
	}
	return replay_usage(USAGE);
}
