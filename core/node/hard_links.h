/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other names of files that rules name: hard links that were there before the rules.
 */
#ifndef PCL_NODE_HARD_LINKS_H
#define PCL_NODE_HARD_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* A file with more names than one. */
struct pcl_linked {
	dev_t device;
	ino_t inode;
	nlink_t links;	  /* names that it has */
	nlink_t found;	  /* names that were found */
	const char *path; /* borrowed: the name that is known */
};

/* Returns 0, or what ends the search. path is valid during the call. */
typedef int (*pcl_hard_link_fn)(const struct pcl_linked *linked, const char *path, void *context);

/* Whether path (absolute, below root_fd) is a file with more names; then fills ret_linked. */
bool pcl_hard_linked(int root_fd, const char *path, struct pcl_linked *ret_linked);

/*
 * Looks through the file systems that the files lie on, as far as they are to be seen below
 * root_fd, and calls fn for every name but the known one. Ends when all names are found or after
 * timeout_ms; ret_complete tells which. Sorts items. 0, -ENOMEM or what fn returned.
 */
int pcl_hard_links_find(int root_fd, struct pcl_linked *items, size_t count, int timeout_ms,
			pcl_hard_link_fn fn, void *context, bool *ret_complete);

#endif
