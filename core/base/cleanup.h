/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership by scope: cleanup attributes for locals, and "take" to move out of them.
 *
 * Every owning local starts at its empty value (NULL, -1) and carries one of these attributes; a
 * function returns success by taking the value out. So a function can be checked for leaks without
 * reading its callees. The attribute is a GCC extension that clang shares.
 */
#ifndef PCL_BASE_CLEANUP_H
#define PCL_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define pcl_cleanup(func) __attribute__((cleanup(func)))

static inline void pcl_freep(void *ptr)
{
	free(*(void **)ptr);
}

static inline void pcl_closep(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void pcl_fclosep(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

static inline void pcl_closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

#define pcl_autofree pcl_cleanup(pcl_freep)
#define pcl_autoclose pcl_cleanup(pcl_closep)
#define pcl_autofclose pcl_cleanup(pcl_fclosep)
#define pcl_autoclosedir pcl_cleanup(pcl_closedirp)

/* Moves the pointer out of its owner, which becomes NULL. */
#define pcl_take_ptr(ptr)                                                                          \
	__extension__({                                                                            \
		__typeof__(ptr) pcl_taken_ = (ptr);                                                \
		(ptr) = NULL;                                                                      \
		pcl_taken_;                                                                        \
	})

/* Moves a file descriptor out of its owner, which becomes -1. */
static inline int pcl_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define PCL_ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
