/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers come from QEMU and need nothing of the guest. The magic keys come in over the serial
 * console (a break, then the key) and need interrupts; where a CPU spins with interrupts off, an
 * NMI makes the kernel panic with the trace of where it is (unknown_nmi_panic, see cmdline.c).
 */
#include "hang.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "vm.h"

#define MONITOR_TIMEOUT_MS 5000
/* Time between the two looks at the registers: a CPU that moves is seen to move. */
#define LOOK_AGAIN_MS 200
#define TICK_MS 100
/* A kernel that takes interrupts answers a key at once; under emulation the tasks take seconds. */
#define ANSWER_MS 3000
#define QUIET_MS 500
#define ALL_OF_IT_MS 8000

/* In this order: everything reaches the console; CPUs, blocked tasks, memory; last all tasks. */
static const char keys[] = "8lwmt";

static void pause_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

static off_t size_of(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 ? info.st_size : 0;
}

static void dump_monitor(const struct gnt_hang *hang, const char *line, FILE *out)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	char *text pcl_autofree = NULL;

	fprintf(out, "--- QEMU: %s\n", line);
	if (gnt_qmp_monitor(hang->qmp, line, MONITOR_TIMEOUT_MS, &text, &diag) != 0)
		fprintf(out, "%s\n", pcl_diag_text(&diag));
	for (const char *at = text; at && *at; at++) {
		if (*at != '\r')
			(void)fputc(*at, out);
	}
}

/* Waits until the console has said something and is quiet again; false: it said nothing. */
static bool wait_console(const struct gnt_hang *hang, off_t before)
{
	off_t size = before;
	int quiet_ms = 0;

	for (int waited_ms = 0; waited_ms < ALL_OF_IT_MS; waited_ms += TICK_MS) {
		off_t now = size_of(hang->console_path);

		quiet_ms = now == size ? quiet_ms + TICK_MS : 0;
		size = now;
		if (size > before && quiet_ms >= QUIET_MS)
			return true;
		if (size == before && waited_ms >= ANSWER_MS)
			return false;
		pause_ms(TICK_MS);
	}
	return size > before;
}

static bool press(const struct gnt_hang *hang, char key)
{
	off_t before = size_of(hang->console_path);

	if (hang->keys_fd < 0 ||
	    gnt_qmp_run(hang->qmp, "chardev-send-break", json_pack("{s:s}", "id", "console"),
			MONITOR_TIMEOUT_MS, NULL, NULL) != 0 ||
	    write(hang->keys_fd, &key, 1) != 1)
		return false;
	return wait_console(hang, before);
}

static void copy_console(const char *path, off_t from, FILE *out)
{
	FILE *in pcl_autofclose = fopen(path, "re");
	int c;

	if (!in || fseeko(in, from, SEEK_SET) != 0)
		return;
	while ((c = getc(in)) != EOF)
		if (c != '\r')
			(void)fputc(c, out);
}

/* What the kernel itself has to say. */
static void ask_kernel(const struct gnt_hang *hang, FILE *out)
{
	off_t before = size_of(hang->console_path);

	if (press(hang, keys[0])) {
		for (const char *key = keys + 1; *key; key++)
			(void)press(hang, *key);
		fprintf(out, "--- the kernel, by its magic keys %s\n", keys + 1);
	} else if (gnt_qmp_run(hang->qmp, "inject-nmi", NULL, MONITOR_TIMEOUT_MS, NULL, NULL) ==
			   0 &&
		   wait_console(hang, before)) {
		fputs("--- no magic key is taken: interrupts are off; the kernel, by an NMI\n",
		      out);
	} else {
		fputs("--- the kernel takes neither magic keys nor an NMI\n", out);
	}
	copy_console(hang->console_path, before, out);
}

int gnt_hang_dump(const struct gnt_hang *hang, struct pcl_diag *diag)
{
	FILE *out pcl_autofclose = fopen(hang->dump_path, "we");

	if (!out)
		return pcl_diag_errno(diag, -errno, "%s", hang->dump_path);
	fprintf(out, "%s\n", hang->why);
	dump_monitor(hang, "info status", out);
	dump_monitor(hang, "info registers -a", out);
	pause_ms(LOOK_AGAIN_MS);
	dump_monitor(hang, "info registers -a", out);
	ask_kernel(hang, out);
	return fflush(out) == 0 ? 0 : pcl_diag_errno(diag, -errno, "%s", hang->dump_path);
}
