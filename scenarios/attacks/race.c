/* SPDX-License-Identifier: Apache-2.0 */
/*
 * race WAY PATH TRIES [MARK]: tries to read PATH (way exec: to run it, and see MARK), again and
 * again, by a name that somebody changes all the time between PATH and something harmless, so that
 * what is judged might be another thing than what is opened. One success is a success; if there is
 * none, but some tries were refused, the whole is refused.
 *
 *   symlink  a link is replaced, now to PATH, now to a harmless file
 *   parent   a directory changes places with a link to PATH's directory
 *   mount    PATH's directory is bound over a harmless one and taken away again
 *   exec     as symlink, and the link is executed
 */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "scratch.h"
#include "spawn.h"

#define USAGE "race symlink|parent|mount|exec PATH TRIES [MARK]"
#define EXCHANGE 2 /* RENAME_EXCHANGE */
#define NAME SCRATCH "/name"
#define SPARE SCRATCH "/spare"
#define HARMLESS SCRATCH "/harmless"
#define HARMLESS_TEXT "harmless"
struct race {
	const char *path;
	const char *mark;
	char name[WAY_PATH_MAX];
};

struct way {
	const char *word;
	int (*prepare)(struct race *race);
	void (*turn)(const struct race *race);	 /* one change and its reverse */
	int (*attempt)(const struct race *race); /* 1 success, 0 harmless, -1 and errno */
};

static int prepare_symlink(struct race *race)
{
	(void)snprintf(race->name, sizeof(race->name), NAME);
	if (scratch_file(HARMLESS, HARMLESS_TEXT))
		return ATTEMPT_BROKEN;
	return symlink(HARMLESS, NAME) ? attempt_broken("symlink") : 0;
}

static void turn_symlink(const struct race *race)
{
	(void)!symlink(race->path, SPARE);
	(void)rename(SPARE, NAME);
	(void)!symlink(HARMLESS, SPARE);
	(void)rename(SPARE, NAME);
}

/* A harmless directory with a file of the same name. */
static int prepare_dir(struct race *race)
{
	char file[WAY_PATH_MAX];

	(void)snprintf(race->name, sizeof(race->name), NAME "/%s", base_of(race->path));
	(void)snprintf(file, sizeof(file), "%s", race->name);
	return scratch_dir(NAME) || scratch_file(file, HARMLESS_TEXT) ? ATTEMPT_BROKEN : 0;
}

static int prepare_parent(struct race *race)
{
	if (prepare_dir(race))
		return ATTEMPT_BROKEN;
	return symlink(dir_of(race->path), SPARE) ? attempt_broken("symlink") : 0;
}

static void turn_parent(const struct race *race)
{
	(void)race;
	(void)syscall(SYS_renameat2, AT_FDCWD, NAME, AT_FDCWD, SPARE, EXCHANGE);
	(void)syscall(SYS_renameat2, AT_FDCWD, NAME, AT_FDCWD, SPARE, EXCHANGE);
}

static int prepare_mount(struct race *race)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return attempt_broken("unshare");
	return prepare_dir(race);
}

/* On one CPU the reader comes in between only by chance, so now and then it is let in. */
static void turn_mount(const struct race *race)
{
	static unsigned turns;

	(void)mount(dir_of(race->path), NAME, NULL, MS_BIND, NULL);
	if (turns++ % 4 == 0)
		(void)sched_yield();
	(void)umount2(NAME, MNT_DETACH);
}

/* What a try read. */
static char found[64];

static int attempt_read(const struct race *race)
{
	int fd = open(race->name, O_RDONLY | O_CLOEXEC), error;
	ssize_t len;

	if (fd < 0)
		return -1;
	len = read(fd, found, sizeof(found) - 1);
	error = errno;
	(void)close(fd);
	errno = error;
	if (len < 0)
		return -1;
	return len > 0 && strncmp(found, HARMLESS_TEXT, strlen(HARMLESS_TEXT)) != 0;
}

/* The child executes in memory of its own; the pipe tells errno, nothing where it started. */
static int attempt_exec(const struct race *race)
{
	char *argv[] = {(char *)race->name, (char *)race->mark, NULL};
	int status = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		(void)execv(race->name, argv);
		/* The harmless file is no program (ENOEXEC, or EACCES for want of the mode). */
		_exit(errno == ENOEXEC ? 100 : errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		errno = EIO;
		return -1;
	}
	if (WEXITSTATUS(status) == 0)
		return 1;
	errno = WEXITSTATUS(status);
	return errno == 100 ? 0 : -1;
}

static int prepare_exec(struct race *race)
{
	int error = prepare_symlink(race);

	return error ? error : chmod(HARMLESS, 0755) ? attempt_broken("chmod") : 0;
}

static const struct way ways[] = {
	{"symlink", prepare_symlink, turn_symlink, attempt_read},
	{"parent", prepare_parent, turn_parent, attempt_read},
	{"mount", prepare_mount, turn_mount, attempt_read},
	{"exec", prepare_exec, turn_symlink, attempt_exec},
};

static pid_t start_mover(const struct way *way, const struct race *race)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		way->turn(race);
}

/* Counts what came of it; ends at the first success. */
static int try_all(const struct way *way, const struct race *race, long tries)
{
	long refused = 0;
	int denial = 0;

	for (long i = 0; i < tries; i++) {
		int got = way->attempt(race);

		if (got > 0)
			return replay_done(way->word, found, strlen(found));
		if (got < 0 && (errno == EACCES || errno == EPERM)) {
			refused++;
			denial = errno;
		}
	}
	return refused ? replay_refused(way->word, denial) : replay_broken("no try met it", 0);
}

static int run(const struct way *way, struct race *race, long tries)
{
	int code = scratch_make();
	pid_t mover;

	if (!code)
		code = way->prepare(race);
	if (code)
		return attempt_report(code);
	mover = start_mover(way, race);
	if (mover < 0)
		return replay_broken("fork", errno);
	code = try_all(way, race, tries);
	(void)kill(mover, SIGKILL);
	(void)waitpid(mover, NULL, 0);
	return code;
}

int main(int argc, char **argv)
{
	struct race race = {0};

	if (argc != 4 && argc != 5)
		return replay_usage(USAGE);
	race.path = argv[2];
	race.mark = argc == 5 ? argv[4] : "";
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].word, argv[1]) == 0)
			return run(&ways[i], &race, atol(argv[3]));
	return replay_usage(USAGE);
}
