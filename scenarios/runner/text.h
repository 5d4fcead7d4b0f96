/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owned strings for the runner: format into one, append to one. Failing to get memory for a line
 * of text leaves the old text; callers that need the text check for NULL.
 */
#ifndef GNT_TEXT_H
#define GNT_TEXT_H

/* A new string, or NULL without memory. */
char *gnt_text_new(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Replaces *text (owned, may be NULL); 0 or -ENOMEM, then *text is as before. */
int gnt_text_set(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends, with "; " in between where *text is not empty; 0 or -ENOMEM. */
int gnt_text_add(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first line of text without control characters, at most max bytes; a new string. */
char *gnt_text_first_line(const char *text, int max);

#endif
