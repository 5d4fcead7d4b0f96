/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How paths and patterns stand in a profile's text. Private to the AppArmor plan.
 *
 * Everything is written between quotes, and every byte that the parser could take for something
 * else is escaped, so that no path or pattern can end its line.
 */
#ifndef PCL_BACKEND_APPARMOR_TEXT_H
#define PCL_BACKEND_APPARMOR_TEXT_H

#include <stdbool.h>
#include <stdio.h>

/* path, taken literally. */
void pcl_apparmor_put_path(const char *path, FILE *out);
/* A pattern of policy/glob.h behind its first slash, with the same meaning. */
void pcl_apparmor_put_pattern(const char *pattern, FILE *out);
/* What others wrote, as the rest of a comment. */
void pcl_apparmor_put_comment(const char *text, FILE *out);
/*
 * Whether text (AppArmor's own words in a policy) stays within the braces of the profile that it is
 * put into, and ends outside of quotes.
 */
bool pcl_apparmor_is_whole(const char *text);

#endif
