/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's console, read from the file that QEMU writes, line by line, for signs of a kernel in
 * trouble. The agent writes marks into the kernel's log ("gauntlet: mark TEXT"), so each finding
 * stands behind the mark of what ran when it was printed, whenever the file is read.
 */
#ifndef GNT_CONSOLE_H
#define GNT_CONSOLE_H

#include <stddef.h>

#include "health.h"

/* The agent writes the same: scenarios/agent/health.c. */
#define GNT_CONSOLE_MARK "gauntlet: mark "

struct gnt_console {
	int fd; /* read end of the log; -1 before open */
	char *line;
	size_t line_len, line_size;
	char *mark; /* the last one, or NULL */
	char *last; /* the last line that is no mark and not empty, for "what was it doing" */
	struct gnt_finding **findings;
	size_t finding_count;
	bool deaf; /* what comes is a dump that was asked for: nothing is found in it */
};

/* The file must exist. 0 or a negative errno. */
int gnt_console_open(struct gnt_console *console, const char *path);
void gnt_console_fini(struct gnt_console *console);

/* Reads what was written since. */
void gnt_console_scan(struct gnt_console *console);

/* Takes finding (may be NULL), which no line of the console told. */
void gnt_console_take(struct gnt_console *console, struct gnt_finding *finding);

#endif
