/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Explained errors: what went wrong, where, and how to mend it, said once nearest to the cause.
 *
 * A public call that can fail for a user's reason takes a struct pcl_diag *, fills it once, and
 * returns a negative errno; callers only add context in front. Nothing here prints.
 * A NULL diag is allowed everywhere and means that nobody wants the explanation.
 */
#ifndef PCL_BASE_DIAG_H
#define PCL_BASE_DIAG_H

#include <stdarg.h>

struct pcl_diag {
	int error;  /* negative errno, 0 when nothing was said */
	char *text; /* one line without a newline; owned; NULL when nothing was said */
	/* Where, for programs, if it is known (pcl_diag_set_place()); text says it too. Owned. */
	char *file;    /* NULL: not known */
	unsigned line; /* from 1; 0: the file as a whole */
	unsigned column;
	char *subject; /* the offending text, or NULL */
};

/* For `struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};` */
void pcl_diag_fini(struct pcl_diag *diag);

/*
 * Sets the explanation (replacing an earlier one) and returns error, a negative errno, unchanged,
 * so that `return pcl_diag_set(diag, -errno, "...")` reads as one step. Appends no errno text:
 * use %m-free wording, or pcl_diag_errno() where the system's word helps.
 */
int pcl_diag_set(struct pcl_diag *diag, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Says where: to be called after the text was set. file and subject are copied; a subject that is
 * long is cut.
 */
void pcl_diag_set_place(struct pcl_diag *diag, const char *file, unsigned line, unsigned column,
			const char *subject);

/* As pcl_diag_set(), and appends ": " and the text of error. */
int pcl_diag_errno(struct pcl_diag *diag, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "CONTEXT: " in front of what was said; returns diag's error (or error if diag is NULL). */
int pcl_diag_context(struct pcl_diag *diag, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Replaces control characters by "?", so that text is one line and can't steer a terminal: what is
 * said quotes what others wrote. The functions above do so by themselves.
 */
void pcl_text_one_line(char *text);

/* What was said, or the text of diag->error, or "no error"; never NULL; borrowed. */
const char *pcl_diag_text(const struct pcl_diag *diag);

#endif
