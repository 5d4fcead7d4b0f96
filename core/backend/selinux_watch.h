/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that somebody puts in the place of ruled ones, or relabels, noticed while a reader of
 * events runs. Private to the backend.
 *
 * A label is the file's and not the name's. So whoever puts another file there by a rename, as
 * package managers do, puts one there that no rule holds for, until it has the label, too. One
 * whose type has a clone that means the same gets it here; of any other it is said that it has
 * escaped. Of a name that rules are about and no file had, it is said that one has appeared.
 */
#ifndef PCL_BACKEND_SELINUX_WATCH_H
#define PCL_BACKEND_SELINUX_WATCH_H

#include "backend/selinux_record.h"

enum pcl_selinux_found {
	PCL_SELINUX_REPLACED,  /* and it has been given its label */
	PCL_SELINUX_ESCAPED,   /* and no rule holds for it until the policies are applied again */
	PCL_SELINUX_APPEARED,  /* where there was none; the policies have to be applied again */
	PCL_SELINUX_UNWATCHED, /* a directory, as there may be others: what is put there goes unseen
				*/
};

/* Without the lock. Returning nonzero ends the looking with that value. */
typedef int (*pcl_selinux_found_fn)(enum pcl_selinux_found found, const char *path, void *context);

struct pcl_selinux_watched {
	char *path;
	int number; /* the kernel's; -1: it is not there */
};

/* PCL_SELINUX_WATCH_INIT before it begins. */
struct pcl_selinux_watch {
	int fd; /* becomes readable when pcl_selinux_watch_read() is wanted; -1: never */
	int names;
	int timer;
	pcl_selinux_found_fn fn;
	void *context;
	struct pcl_selinux_record *applied; /* borrowed; places are kept as they are */
	struct pcl_selinux_watched *directories;
	size_t directory_count;
	bool *due;   /* of each place: to be looked at */
	bool *later; /* again, once the timer has run */
	bool runs;   /* the timer does */
	char **told; /* of each place: the type that it has escaped with, as was told */
	char *unwatched;
	struct pcl_glob **globs; /* of applied's comings that are patterns */

	/* These stay from one record to the next. */
	int pause;	/* a timer; readable when what has appeared is to be told */
	char *appeared; /* to be told */
	char **seen;	/* names without a label of ours as all were looked for last */
	size_t seen_count;
	int64_t quiet_until; /* of CLOCK_MONOTONIC, ns */
};

#define PCL_SELINUX_WATCH_INIT(with_fn, with_context)                                              \
	{                                                                                          \
		.fd = -1, .names = -1, .timer = -1, .pause = -1, .fn = (with_fn),                  \
		.context = (with_context)                                                          \
	}

/* It may begin again, and then knows what it told of names that have appeared. */
void pcl_selinux_watch_end(struct pcl_selinux_watch *watch);
void pcl_selinux_watch_fini(struct pcl_selinux_watch *watch);
/*
 * Watches the places of applied, which its owner keeps until the end, and looks at each once. 0,
 * -ENOMEM, or what fn returned.
 */
int pcl_selinux_watch_begin(struct pcl_selinux_watch *watch, struct pcl_selinux_record *applied);
/* What has happened since; never waits. */
int pcl_selinux_watch_read(struct pcl_selinux_watch *watch);
/* At what could not be looked at, since another policy was loaded or a change was on its way. */
int pcl_selinux_watch_again(struct pcl_selinux_watch *watch);

/* Whether there is a file and it has not the label. */
bool pcl_selinux_has_escaped(const struct pcl_selinux_place *place);

#endif
