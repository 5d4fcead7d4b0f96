/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console patterns. They are searched anywhere in a line, since a guest program's half line may
 * stand in front of the kernel's. What is allowed is listed with its reason, and only for splats:
 * a panic is never excused.
 */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A line that is longer is judged in pieces. */
#define LINE_MAX_LEN 4096

static const struct {
	const char *text;
	enum gnt_console_finding finding;
} patterns[] = {
	{"Kernel panic - not syncing", GNT_CONSOLE_PANIC},
	{"BUG: ", GNT_CONSOLE_SPLAT},
	{"kernel BUG at ", GNT_CONSOLE_SPLAT},
	{"Oops: ", GNT_CONSOLE_SPLAT},
	{"general protection fault", GNT_CONSOLE_SPLAT},
	{"WARNING: CPU: ", GNT_CONSOLE_SPLAT},
	{"WARNING: possible ", GNT_CONSOLE_SPLAT},
	{"WARNING: suspicious ", GNT_CONSOLE_SPLAT},
	{"WARNING: bad unlock ", GNT_CONSOLE_SPLAT},
	{"INFO: rcu_", GNT_CONSOLE_SPLAT},
	{"rcu: INFO: ", GNT_CONSOLE_SPLAT},
	{"detected stalls on CPUs", GNT_CONSOLE_SPLAT},
	{"self-detected stall on CPU", GNT_CONSOLE_SPLAT},
	{"INFO: task ", GNT_CONSOLE_SPLAT}, /* ... blocked for more than N seconds */
	{"soft lockup", GNT_CONSOLE_SPLAT},
	{"hard LOCKUP", GNT_CONSOLE_SPLAT},
	{"KASAN: ", GNT_CONSOLE_SPLAT},
	{"UBSAN: ", GNT_CONSOLE_SPLAT},
	{"refcount_t: ", GNT_CONSOLE_SPLAT},
	{"Unable to handle kernel", GNT_CONSOLE_SPLAT},
	{"stack-protector: ", GNT_CONSOLE_SPLAT},
};

static const struct {
	const char *text;
	const char *reason;
} allowed[] = {
	{"rcu: INFO: Setting", "a setting that is printed at boot, no stall"},
};

enum gnt_console_finding gnt_console_judge(const char *line)
{
	enum gnt_console_finding worst = GNT_CONSOLE_QUIET;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(patterns); i++) {
		if (patterns[i].finding > worst && strstr(line, patterns[i].text))
			worst = patterns[i].finding;
	}
	for (size_t i = 0; worst == GNT_CONSOLE_SPLAT && i < PCL_ARRAY_SIZE(allowed); i++) {
		if (strstr(line, allowed[i].text))
			worst = GNT_CONSOLE_QUIET;
	}
	return worst;
}

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
	free(console->detail);
	free(console->last);
	*console = (struct gnt_console){.fd = -1};
}

static void end_line(struct gnt_console *console)
{
	enum gnt_console_finding finding;

	while (console->line_len && strchr("\r \t", console->line[console->line_len - 1]))
		console->line_len--;
	console->line[console->line_len] = '\0';
	if (!console->line_len)
		return;
	finding = gnt_console_judge(console->line);
	if (finding > console->worst) {
		console->worst = finding;
		free(console->detail);
		console->detail = strdup(console->line);
	}
	free(console->last);
	console->last = strdup(console->line);
	console->line_len = 0;
}

enum gnt_console_finding gnt_console_scan(struct gnt_console *console)
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
	return console->worst;
}
