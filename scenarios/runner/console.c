/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From bytes to lines to findings. A finding stays open for the lines of its trace until the next
 * trouble, the next mark, or the end that the kernel prints.
 */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"

/* A line that is longer is judged in pieces. */
#define LINE_MAX_LEN 4096
/* A kernel that warns without end has said all by then; a panic is always kept. */
#define FINDINGS_MAX 64

int gnt_console_open(struct gnt_console *console, const char *path)
{
	console->line = malloc(LINE_MAX_LEN + 1);
	if (!console->line)
		return -ENOMEM;
	console->line_size = LINE_MAX_LEN;
	console->fd = open(path, O_RDONLY | O_CLOEXEC);
	return console->fd < 0 ? -errno : 0;
}

void gnt_console_fini(struct gnt_console *console)
{
	pcl_closep(&console->fd);
	free(console->line);
	free(console->mark);
	free(console->last);
	for (size_t i = 0; i < console->finding_count; i++)
		gnt_finding_free(&console->findings[i]);
	free(console->findings);
	*console = (struct gnt_console){.fd = -1};
}

static struct gnt_finding *open_finding(struct gnt_console *console)
{
	struct gnt_finding *last =
		console->finding_count ? console->findings[console->finding_count - 1] : NULL;

	return last && !last->closed ? last : NULL;
}

/* The same trouble again under the same mark is counted, not listed. */
static void close_finding(struct gnt_console *console)
{
	struct gnt_finding *last = open_finding(console);

	if (!last)
		return;
	last->closed = true;
	for (size_t i = 0; i + 1 < console->finding_count; i++) {
		if (!gnt_finding_same(console->findings[i], last))
			continue;
		console->findings[i]->count++;
		gnt_finding_free(&last);
		console->finding_count--;
		return;
	}
}

void gnt_console_take(struct gnt_console *console, struct gnt_finding *finding)
{
	bool full = console->finding_count >= FINDINGS_MAX;

	close_finding(console);
	if (!finding)
		return;
	if ((full && finding->kind != GNT_HEALTH_PANIC) ||
	    pcl_array_grow(&console->findings, console->finding_count,
			   sizeof(struct gnt_finding *)) < 0)
		gnt_finding_free(&finding);
	else
		console->findings[console->finding_count++] = finding;
}

static void judge_line(struct gnt_console *console, const char *line)
{
	struct gnt_finding *open = open_finding(console);
	enum gnt_health_kind kind = gnt_health_judge(line);

	if (open &&
	    (kind == GNT_HEALTH_NONE || (gnt_health_continues(line) && kind != GNT_HEALTH_PANIC)))
		gnt_finding_add(open, line);
	else if (kind != GNT_HEALTH_NONE)
		gnt_console_take(console, gnt_finding_new(kind, line, console->mark));
	if (open && open->closed) {
		/* It closed itself; whether it is a repetition has still to be seen. */
		open->closed = false;
		close_finding(console);
	}
}

static void end_line(struct gnt_console *console)
{
	const char *mark;

	while (console->line_len && strchr("\r \t", console->line[console->line_len - 1]))
		console->line_len--;
	console->line[console->line_len] = '\0';
	if (!console->line_len)
		return;
	console->line_len = 0;
	mark = strstr(console->line, GNT_CONSOLE_MARK);
	if (mark) {
		close_finding(console);
		free(console->mark);
		console->mark = strdup(mark + strlen(GNT_CONSOLE_MARK));
		return;
	}
	if (!console->deaf)
		judge_line(console, console->line);
	free(console->last);
	console->last = strdup(console->line);
}

void gnt_console_scan(struct gnt_console *console)
{
	char buffer[4096];
	ssize_t got;

	while (console->fd >= 0 && (got = read(console->fd, buffer, sizeof(buffer))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (buffer[i] == '\n' || console->line_len == console->line_size)
				end_line(console);
			if (buffer[i] != '\n' && buffer[i] != '\0')
				console->line[console->line_len++] = buffer[i];
		}
	}
}
