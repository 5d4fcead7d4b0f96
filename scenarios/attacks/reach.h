/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a way to reach an object comes to: something that openat() or execveat() takes, or a
 * descriptor that is open already.
 */
#ifndef GNT_ATTACK_REACH_H
#define GNT_ATTACK_REACH_H

#include "scratch.h"

struct spot {
	int dir;	  /* name is below it; AT_FDCWD else */
	const char *name; /* NULL: fd is open already */
	int fd;
	pid_t helper;	  /* a child that must live meanwhile, or 0 */
	const char *undo; /* a mount in this namespace that must go afterwards, or NULL */
};

struct way {
	const char *name;
	/* other is a second path for the ways that take one, or NULL. enum attempt. */
	int (*find)(const char *path, const char *other, struct spot *spot);
};

/* A name made for the way; there is only one at a time. */
static char way_name[2 * WAY_PATH_MAX];

#define NAME_AS(spot, ...)                                                                         \
	((void)snprintf(way_name, sizeof(way_name), __VA_ARGS__), (spot)->name = way_name,         \
	 ATTEMPT_DONE)

#endif
