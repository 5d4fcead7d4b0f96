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
#include <stdint.h>

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

/*
 * For who builds an automaton of several patterns: the steps that a text so far can have reached,
 * ascending, at most pcl_glob_step_count() of them. A text that reaches none matches nothing,
 * whatever follows.
 */
size_t pcl_glob_step_count(const struct pcl_glob *glob);
/* The steps before any text; their number. */
size_t pcl_glob_begin(const struct pcl_glob *glob, uint16_t *ret_steps);
/* Those that byte leads to from steps; their number. */
size_t pcl_glob_advance(const struct pcl_glob *glob, const uint16_t *steps, size_t count,
			unsigned char byte, uint16_t *ret_steps);
/* Whether the text that reached steps matches. */
bool pcl_glob_ends(const struct pcl_glob *glob, const uint16_t *steps, size_t count);
/*
 * Splits the classes of bytes until no two bytes of one class are told apart by the pattern. Begin
 * with all classes 0 and *count 1.
 */
void pcl_glob_split(const struct pcl_glob *glob, uint8_t class_of[256], unsigned *count);

#endif
