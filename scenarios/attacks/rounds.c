/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rounds KIND COUNT CGROUP: moves things under a reader that a policy binds, and looks after each
 * move whether the reader sees the truth. The mover stays where it is; the reader puts itself into
 * CGROUP, a domain in which everything below /race/blocked and /race/blocked2 is blocked. It opens
 * by a descriptor of the directory, or of the file itself, so that only what the engine keeps of
 * them could be stale.
 *
 *   dir       renames the directory into the blocked place and back
 *   ancestor  the same to a directory three levels up
 *   mount     moves a mount into the blocked place and back
 *   file      renames the file itself, which is opened by a descriptor of it
 *   swap      renames between the two blocked places all the time, with no regard to the reader
 *   owner     gives the file to another user and back, in a place that is its owner's alone
 *   chroot    the reader moves its root to and fro, and opens both places by it
 *   unlink    the file is listed as permitted: the reader opens it, then the name is removed
 *   reuse     makes files in a free place, has them opened, removes them, and makes as many in a
 *             blocked place: some get a directory entry that lies where one of the former lay
 *   link      gives the file a second name in the blocked place, and takes it away
 *   leave     a task of the host does what it may, comes into CGROUP, and goes back out of it
 *   birth     tasks of the host end, and children of the reader, which has left CGROUP, are born,
 *             some where one of those lay, in the same cgroup
 *
 * The others are for where there is the host's domain alone: the reader writes by a descriptor that
 * it has had from the beginning. In /race/owned/ only the owner may write, which the reader is not.
 *
 *   use       renames the file into that place and back
 *   ruleset   makes the ruleset that blocks the file live, and the one that does not, in turn
 *   refile    opens a file, writes, closes it, and opens one in that place as its owner, whose
 *             descriptor some other user then writes to: mostly the same memory
 *
 * ok: every round was as it must be; the data is the number of rounds.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "replay.h"

#define USAGE                                                                                      \
	"rounds dir|ancestor|mount|file|swap|owner|chroot|unlink|reuse|link|leave|birth|use|"      \
	"ruleset|refile COUNT CGROUP"
#define CONTROL "/sys/fs/bpf/portcullis/maps/control"

/* Files of one round of "reuse": more than the kernel keeps aside for one processor. */
#define CROWD 64

/* What the reader is asked to open. */
enum question {
	SAME = '?',	/* what it has a descriptor of, or the file in it */
	FREE = 'f',	/* the crowd in the free place */
	BLOCKED = 'b',	/* and in the blocked one */
	ROOT = 'r',	/* both places, with another root */
	HOLD = 'h',	/* takes a descriptor of the name anew, and opens by it */
	HELD = 'H',	/* opens by that again */
	OTHER = 'o',	/* both names of the file */
	CHILDREN = 'c', /* a crowd of children, the blocked place */
	WRITE = 'w',	/* what it has a descriptor of, as another user */
};

struct kind;

/* The rounds: how many were as they must be, or what failed(). */
typedef long (*rounds_fn)(const struct kind *kind, long count, int questions, int answers);

static long take_turns(const struct kind *kind, long count, int questions, int answers);
static long swap(const struct kind *kind, long count, int questions, int answers);
static long move_root(const struct kind *kind, long count, int questions, int answers);
static long remove_name(const struct kind *kind, long count, int questions, int answers);
static long reuse(const struct kind *kind, long count, int questions, int answers);
static long name_twice(const struct kind *kind, long count, int questions, int answers);
static long leave(const struct kind *kind, long count, int questions, int answers);
static long give_birth(const struct kind *kind, long count, int questions, int answers);
static long open_again(const struct kind *kind, long count, int questions, int answers);

struct kind {
	const char *name;
	const char *free_place; /* what moves, and whereto */
	const char *blocked_place;
	const char *inside; /* the directory that is opened, below the place; NULL: a file moves */
	int (*move)(const char *from, const char *to);
	rounds_fn work;
	bool writes; /* by the descriptor; else it is opened anew each time */
};

/* Of the domain, and of the one above it. */
static const char *own_group;

static int move_mount(const char *from, const char *to)
{
	return mount(from, to, NULL, MS_MOVE, NULL);
}

/* The reader's file is its own or another's in turn. */
static int change_owner(const char *from, const char *to)
{
	struct stat status;

	(void)to;
	return stat(from, &status) ? -1 : chown(from, status.st_uid ? 0 : 1, (gid_t)-1);
}

/*
 * Which one is live decides, not what lies where: both are there (drive/race.sh), and the store is
 * the engine's. Its number of a generation and a slot comes first in every version.
 */
static int change_ruleset(const char *from, const char *to)
{
	static volatile uint64_t *live;
	union bpf_attr attr = {.pathname = (uint64_t)(uintptr_t)CONTROL};

	(void)from;
	(void)to;
	if (!live) {
		int map = (int)syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
		void *memory = map < 0 ? MAP_FAILED
				       : mmap(NULL, sizeof(*live), PROT_READ | PROT_WRITE,
					      MAP_SHARED, map, 0);

		if (memory == MAP_FAILED)
			return -1;
		live = memory;
	}
	__atomic_store_n(live, (*live | 1) + 1 + !(*live & 1), __ATOMIC_RELEASE);
	return 0;
}

static const struct kind kinds[] = {
	{"dir", "/race/free/d", "/race/blocked/d", "", rename, take_turns, false},
	{"ancestor", "/race/free/a", "/race/blocked/a", "/b/c", rename, take_turns, false},
	{"mount", "/race/free/m", "/race/blocked/m", "/in", move_mount, take_turns, false},
	{"file", "/race/free/file", "/race/blocked/file", NULL, rename, take_turns, false},
	{"swap", "/race/blocked2/s", "/race/blocked/s", "", rename, swap, false},
	{"owner", "/race/owned/file", "/race/owned/file", NULL, change_owner, take_turns, false},
	{"chroot", "/race/free/r", "/race/blocked/r", NULL, NULL, move_root, false},
	{"unlink", "/race/listed/file", "/race/listed/file", NULL, NULL, remove_name, false},
	{"reuse", "/race/free", "/race/blocked", "", NULL, reuse, false},
	{"link", "/race/free/l", "/race/blocked/l", NULL, NULL, name_twice, false},
	{"leave", "/race/free/o", "/race/blocked/o", NULL, NULL, leave, false},
	{"birth", "/race/free/o", "/race/blocked/o", NULL, NULL, give_birth, false},
	{"use", "/race/free/u", "/race/owned/u", NULL, rename, take_turns, true},
	{"ruleset", "/race/free/r", "/race/free/s", NULL, change_ruleset, take_turns, true},
	{"refile", "/race/free/u", "/race/owned/f", NULL, NULL, open_again, false},
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

static int make_file(const char *path)
{
	int file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0644);

	return file < 0 || close(file) ? failed("create") : 0;
}

/* Makes the file that moves; returns a descriptor of it (O_PATH, or to write), or -1. */
static int prepare_file(const struct kind *kind)
{
	if (make_file(kind->free_place))
		return -1;
	return open(kind->free_place, (kind->writes ? O_WRONLY : O_PATH) | O_CLOEXEC);
}

/* Makes the places and the file; returns an O_PATH descriptor of what the reader opens, or -1. */
static int prepare(const struct kind *kind)
{
	char path[256];
	int dir, file;

	if (make_dirs("/race/free") || make_dirs("/race/blocked") || make_dirs("/race/blocked2") ||
	    make_dirs("/race/owned") || make_dirs("/race/listed"))
		return -1;
	if (!kind->inside)
		return prepare_file(kind);
	if (make_dirs(kind->free_place))
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

/* Out of the domain's cgroup, where the host's tasks are. */
static int enter_above(void)
{
	char above[256];
	char *slash;

	snprintf(above, sizeof(above), "%s", own_group);
	slash = strrchr(above, '/');
	if (!slash)
		return failed("cgroup");
	*slash = '\0';
	return enter(above);
}

/* 1 may read, 0 refused, -1 something else. */
static int may_read(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (file >= 0) {
		close(file);
		return 1;
	}
	return errno == EACCES ? 0 : -1;
}

/* Of the whole crowd, if it is answered alike. */
static int may_read_crowd(const char *place)
{
	char path[64];
	int answer = -1;

	for (int i = 0; i < CROWD; i++) {
		int one;

		snprintf(path, sizeof(path), "%s/crowd%d", place, i);
		one = may_read(path);
		if (i && one != answer)
			return -1;
		answer = one;
	}
	return answer;
}

static int may_read_fd(int fd, const char *below)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d%s", fd, below);
	return may_read(path);
}

/* 1: by another root too the free place is free and the blocked one blocked. */
static int may_read_below_root(void)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), answer = -1;

	if (root < 0)
		return -1;
	if (!chroot("/race") && !chdir("/"))
		answer = may_read("/free/r") == 1 && may_read("/blocked/r") == 0;
	if (fchdir(root) || chroot(".") || may_read("/race/free/r") != 1 ||
	    may_read("/race/blocked/r") != 0)
		answer = 0;
	close(root);
	return answer;
}

static int may_hold(const char *path)
{
	static int held = -1;

	if (path) {
		if (held >= 0)
			close(held);
		held = open(path, O_PATH | O_CLOEXEC);
	}
	return held < 0 ? -1 : may_read_fd(held, "");
}

/* 1: each name is judged for itself. */
static int may_read_names(const struct kind *kind)
{
	int by_free = may_read(kind->free_place), by_blocked = may_read(kind->blocked_place);

	return by_free < 0 || by_blocked < 0 ? -1 : by_free == 1 && by_blocked == 0;
}

/* A child's exit status is what it may; -1 where that is none. */
static int ask_child(int (*may)(const char *), const char *path)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		_exit(may(path) & 0xff);
	return pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)
		       ? -1
		       : (signed char)WEXITSTATUS(status);
}

/* Of a crowd of children, one after the other, if it is answered alike. */
static int ask_children(const char *path)
{
	int answer = ask_child(may_read, path);

	for (int i = 1; i < CROWD; i++)
		if (ask_child(may_read, path) != answer)
			return -1;
	return answer;
}

/* As may_read(), of writing, by somebody who owns nothing. */
static int may_write(int fd)
{
	ssize_t len;
	int error;

	if (seteuid(1))
		return -1;
	len = pwrite(fd, "x", 1, 0);
	error = errno;
	if (seteuid(0))
		return -1;
	return len == 1 ? 1 : error == EACCES ? 0 : -1;
}

static int answer_to(const struct kind *kind, int fd, enum question question)
{
	switch (question) {
	case SAME:
		return may_read_fd(fd, kind->inside ? "/f" : "");
	case FREE:
		return may_read_crowd(kind->free_place);
	case BLOCKED:
		return may_read_crowd(kind->blocked_place);
	case ROOT:
		return may_read_below_root();
	case HOLD:
		return may_hold(kind->free_place);
	case HELD:
		return may_hold(NULL);
	case OTHER:
		return may_read_names(kind);
	case CHILDREN:
		/* It was seen inside, so it and they stay in the domain. */
		return may_read(kind->blocked_place) || enter_above()
			       ? -1
			       : ask_children(kind->blocked_place);
	case WRITE:
		return may_write(fd);
	}
	return -1;
}

/* The reader's: what it opens, where it belongs, and its ends of the pipes. */
struct part {
	const struct kind *kind;
	int fd;
	const char *cgroup;
	int questions;
	int answers;
	int other_end; /* of the questions */
};

/* Answers each byte with what may_read() says. */
static int reader(void *arg)
{
	const struct part *part = arg;
	char question, answer;

	close(part->other_end);
	if (enter(part->cgroup))
		_exit(1);
	while (read(part->questions, &question, 1) == 1) {
		answer = (char)('1' + answer_to(part->kind, part->fd, (enum question)question));
		if (write(part->answers, &answer, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static int ask_for(char byte, int questions, int answers)
{
	if (write(questions, &byte, 1) != 1 || read(answers, &byte, 1) != 1)
		return failed("reader");
	return byte - '1';
}

static int ask(const struct kind *kind, int questions, int answers)
{
	return ask_for(kind->writes ? WRITE : SAME, questions, answers);
}

/* After each move the reader must see where the directory is now. */
static long take_turns(const struct kind *kind, long count, int questions, int answers)
{
	for (long i = 0; i < count; i++) {
		if (ask(kind, questions, answers) != 1)
			return failed("free") - i;
		if (kind->move(kind->free_place, kind->blocked_place))
			return failed("move") - i;
		if (ask(kind, questions, answers) != 0)
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
	while (done < count && ask(kind, questions, answers) == 0)
		done++;
	kill(mover, SIGKILL);
	waitpid(mover, NULL, 0);
	return done == count ? count : failed("swap") - done;
}

static long move_root(const struct kind *kind, long count, int questions, int answers)
{
	int file = open(kind->blocked_place, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	if (file < 0)
		return failed("create");
	close(file);
	for (long i = 0; i < count; i++)
		if (ask_for(ROOT, questions, answers) != 1)
			return failed("root") - i;
	return count;
}

/* What has no name any more is not the file that is listed. */
static long remove_name(const struct kind *kind, long count, int questions, int answers)
{
	for (long i = 0; i < count; i++) {
		int file = open(kind->free_place, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

		if (file < 0)
			return failed("create") - i;
		close(file);
		if (ask_for(HOLD, questions, answers) != 1 ||
		    ask_for(HELD, questions, answers) != 1)
			return failed("free") - i;
		if (unlink(kind->free_place))
			return failed("unlink") - i;
		if (ask_for(HELD, questions, answers) != 0)
			return failed("blocked") - i;
	}
	return count;
}

static int make_crowd(const char *place)
{
	char path[64];

	for (int i = 0; i < CROWD; i++) {
		int file;

		snprintf(path, sizeof(path), "%s/crowd%d", place, i);
		file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		if (file < 0)
			return failed("create");
		close(file);
	}
	return 0;
}

static int remove_crowd(const char *place)
{
	char path[64];

	for (int i = 0; i < CROWD; i++) {
		snprintf(path, sizeof(path), "%s/crowd%d", place, i);
		if (unlink(path))
			return failed("unlink");
	}
	return 0;
}

/* Counts files, not crowds. */
static long reuse(const struct kind *kind, long count, int questions, int answers)
{
	for (long done = 0; done < count; done += CROWD) {
		if (make_crowd(kind->free_place))
			return -1;
		if (ask_for(FREE, questions, answers) != 1)
			return failed("free") - done;
		if (remove_crowd(kind->free_place) || make_crowd(kind->blocked_place))
			return -1;
		if (ask_for(BLOCKED, questions, answers) != 0)
			return failed("blocked") - done;
		if (remove_crowd(kind->blocked_place))
			return -1;
	}
	return count;
}

/* What is reached by a name has that name, whichever others there are. */
static long name_twice(const struct kind *kind, long count, int questions, int answers)
{
	for (long i = 0; i < count; i++) {
		if (ask(kind, questions, answers) != 1)
			return failed("free") - i;
		if (link(kind->free_place, kind->blocked_place))
			return failed("link") - i;
		if (ask_for(OTHER, questions, answers) != 1)
			return failed("both") - i;
		if (unlink(kind->blocked_place))
			return failed("unlink") - i;
	}
	return count;
}

/* Of a task of the host: 1, it may read the path, until it was in the domain. */
static int may_read_until_inside(const char *path)
{
	return may_read(path) == 1 && may_read(path) == 1 && !enter(own_group) &&
	       may_read(path) == 0 && !enter_above() && may_read(path) == 0;
}

static long leave(const struct kind *kind, long count, int questions, int answers)
{
	(void)questions;
	(void)answers;
	if (make_file(kind->blocked_place))
		return -1;
	for (long i = 0; i < count; i++)
		if (ask_child(may_read_until_inside, kind->blocked_place) != 1)
			return failed("leave") - i;
	return count;
}

/* Counts children of the reader. */
static long give_birth(const struct kind *kind, long count, int questions, int answers)
{
	if (make_file(kind->blocked_place))
		return -1;
	for (long done = 0; done < count; done += CROWD) {
		if (ask_children(kind->blocked_place) != 1)
			return failed("host") - done;
		if (ask_for(CHILDREN, questions, answers) != 0)
			return failed("blocked") - done;
	}
	return count;
}

/* The reader has no part in it: who opens is who writes. */
static long open_again(const struct kind *kind, long count, int questions, int answers)
{
	(void)questions;
	(void)answers;
	if (make_file(kind->blocked_place))
		return -1;
	for (long i = 0; i < count; i++) {
		int file = open(kind->free_place, O_WRONLY | O_CLOEXEC);

		/* Once to be found, once by what is kept. */
		if (file < 0 || may_write(file) != 1 || may_write(file) != 1 || close(file))
			return failed("free") - i;
		file = open(kind->blocked_place, O_WRONLY | O_CLOEXEC);
		if (file < 0 || may_write(file) != 0 || close(file))
			return failed("owned") - i;
	}
	return count;
}

static long run(const struct kind *kind, long count, const char *cgroup)
{
	int questions[2], answers[2], fd = prepare(kind);
	static _Alignas(16) char stack[65536];
	struct part part = {.kind = kind, .fd = fd, .cgroup = cgroup};
	pid_t child;
	long done;

	if (fd < 0)
		return -1;
	if (pipe2(questions, O_CLOEXEC) || pipe2(answers, O_CLOEXEC))
		return failed("pipe");
	part.questions = questions[0];
	part.answers = answers[1];
	part.other_end = questions[1];
	/*
	 * A process of its own in the mover's memory, whose cgroup, user and root are its own. They
	 * may share it, for they take turns; and an emulated processor forgets all translations
	 * with each change of memory.
	 */
	child = clone(reader, stack + sizeof(stack), CLONE_VM | SIGCHLD, &part);
	if (child < 0)
		return failed("clone");
	close(questions[0]);
	close(answers[1]);
	done = kind->work(kind, count, questions[1], answers[0]);
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
		own_group = argv[3];
		done = run(&kinds[i], count, argv[3]);
		if (done < 0)
			return replay_failed(failed_step, errno, REPLAY_BROKEN);
		return replay_done(argv[1], text,
				   (size_t)snprintf(text, sizeof(text), "%ld", done));
	}
	return replay_usage(USAGE);
}
