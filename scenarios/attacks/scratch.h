/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs with many ways share: where an attempt stands, so that main() can tell a
 * refusal from a broken attempt, and a place for what a way needs beside its object. The place is
 * /var/reach, on the root file system as most objects are (a hard link must stay on one), and is
 * removed by the case's cleanup.
 */
#ifndef GNT_ATTACK_SCRATCH_H
#define GNT_ATTACK_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>

#include "replay.h"

#define SCRATCH "/var/reach"
/* Longer than any path that the kernel takes, with what a way puts before it. */
#define WAY_PATH_MAX (PATH_MAX + 64)

enum attempt {
	ATTEMPT_DONE = 0,
	ATTEMPT_REFUSED = -1, /* the kernel said no to what is attempted */
	ATTEMPT_BROKEN = -2,  /* something that only prepares it failed */
};

/* The step that failed, and its errno. */
static const char *attempt_step = "?";
static int attempt_errno;

static inline int attempt_refused(const char *step)
{
	attempt_step = step;
	attempt_errno = errno;
	return ATTEMPT_REFUSED;
}

static inline int attempt_broken(const char *step)
{
	attempt_step = step;
	attempt_errno = errno;
	return ATTEMPT_BROKEN;
}

/* The answer of a program whose attempt did not go through. */
static inline int attempt_report(int attempt)
{
	return attempt == ATTEMPT_REFUSED ? replay_refused(attempt_step, attempt_errno)
					  : replay_broken(attempt_step, attempt_errno);
}

static int scratch_remove(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	(void)remove(path);
	return 0;
}

/* Anew: what an earlier program left there goes. */
static inline int scratch_make(void)
{
	(void)nftw(SCRATCH, scratch_remove, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return mkdir(SCRATCH, 0755) && errno != EEXIST ? attempt_broken("scratch") : 0;
}

static inline int scratch_dir(const char *name)
{
	return mkdir(name, 0755) && errno != EEXIST ? attempt_broken("scratch") : 0;
}

static inline int scratch_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t len = (ssize_t)strlen(text);

	if (fd < 0 || write(fd, text, (size_t)len) != len)
		return attempt_broken("scratch");
	(void)close(fd);
	return 0;
}

/* The directory of an absolute path, in a buffer that the next call uses again. */
static inline const char *dir_of(const char *path)
{
	static char dir[WAY_PATH_MAX];
	size_t len = strlen(path);

	while (len && path[len - 1] != '/')
		len--;
	if (len > 1)
		len--;
	len = len < sizeof(dir) ? len : sizeof(dir) - 1;
	/* path may be what the last call returned. */
	memmove(dir, path, len);
	dir[len] = '\0';
	return dir;
}

static inline const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

#endif
