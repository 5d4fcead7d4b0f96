/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's console, read from the file that QEMU writes, line by line, for signs of a kernel in
 * trouble.
 */
#ifndef GNT_CONSOLE_H
#define GNT_CONSOLE_H

#include <stddef.h>

enum gnt_console_finding {
	GNT_CONSOLE_QUIET,
	GNT_CONSOLE_SPLAT, /* oops, BUG, WARNING, lockup, stall: the kernel goes on, but is not well
			    */
	GNT_CONSOLE_PANIC,
};

struct gnt_console {
	int fd; /* read end of the log; -1 before open */
	char *line;
	size_t line_len, line_size;
	enum gnt_console_finding worst;
	char *detail; /* the line that is the worst, the first of its kind; NULL while quiet */
	char *last;   /* the last line that is not empty, for "what was it doing" */
};

/* The file must exist. 0 or a negative errno. */
int gnt_console_open(struct gnt_console *console, const char *path);
void gnt_console_fini(struct gnt_console *console);

/* Reads what was written since; returns the worst finding so far. */
enum gnt_console_finding gnt_console_scan(struct gnt_console *console);

/* What one line says; pure. */
enum gnt_console_finding gnt_console_judge(const char *line);

#endif
