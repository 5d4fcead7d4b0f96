/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that rules are about and no file has yet, and where they may come. Private to the backend.
 *
 * A label is given to files that are there. What is made in a ruled directory gets the directory's;
 * of any other name that a rule is about it has to be noticed that a file has it.
 */
#ifndef PCL_BACKEND_SELINUX_COMING_H
#define PCL_BACKEND_SELINUX_COMING_H

#include "backend/selinux_plan.h"
#include "backend/selinux_record.h"

/* More directories are not watched for names that match patterns: each takes memory of the
 * kernel's.
 */
#define PCL_SELINUX_AWAITS_MAX 4096

/*
 * Of the host's rules on files: to record's comings the patterns and the places without a file in
 * view, and to its awaits the directories in view where names that match a pattern may come. 0 or
 * -ENOMEM.
 */
int pcl_selinux_find_comings(const struct pcl_backend_input *input,
			     const struct pcl_selinux_view *view,
			     struct pcl_selinux_record *record);

/* The length of the directory that all names lie below that match a pattern; 0: the root. */
size_t pcl_selinux_await_len(const char *pattern);
/* Whether names that match may lie in directories below that one. */
bool pcl_selinux_is_deep(const char *pattern);

#endif
