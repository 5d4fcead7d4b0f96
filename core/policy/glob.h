/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path patterns, written as AppArmor writes them; the one matcher of all backends.
 *
 *   *        any bytes but "/"; as a whole name ("/a/" + "*") at least one
 *   **       any bytes, "/" too; after "/" and at the end, or before "/", at least one that is none
 *   ?        one byte but "/"
 *   [a-z]    one byte of the set; [^a-z] one byte but those and "/"
 *   {a,b}    one of at least two alternatives, which may nest and be empty
 *   \x       x itself
 *
 * Bytes, not characters. Compiling takes time and space linear in the pattern; matching takes at
 * most pattern times text, whatever the pattern, with no allocation and no recursion.
 */
#ifndef PCL_POLICY_GLOB_H
#define PCL_POLICY_GLOB_H

#include <stdbool.h>
#include <stddef.h>

struct pcl_glob;

/*
 * 0; or -EINVAL with *ret_reason (static text, how to mend it) and the offset of the offending
 * byte; or -ENOMEM.
 */
int pcl_glob_new(const char *pattern, struct pcl_glob **ret_glob, const char **ret_reason,
		 size_t *ret_offset);
void pcl_glob_free(struct pcl_glob **glob);

/* Whether the whole of text matches. */
bool pcl_glob_match(const struct pcl_glob *glob, const char *text);

/* What every match begins with, taken literally: borrowed, not NUL-terminated. For indexes. */
const char *pcl_glob_prefix(const struct pcl_glob *glob, size_t *ret_len);

/*
 * A text that matches: a new string, the shortest path through the pattern with wildcards filled by
 * letters, so that two variants differ wherever the pattern leaves a choice. 0 or -ENOMEM.
 */
int pcl_glob_example(const struct pcl_glob *glob, unsigned variant, char **ret_text);

#endif
