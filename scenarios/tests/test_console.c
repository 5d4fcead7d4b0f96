/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a console that grows is read: lines, marks, and the findings that stand behind them.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "scenarios/runner/console.h"

static void put(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void a_growing_file_is_read_by_lines(void **state)
{
	char path[] = "/tmp/test_console.XXXXXX";
	int fd = mkstemp(path);
	struct gnt_console console = {.fd = -1};

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(gnt_console_open(&console, path), 0);
	put(fd, "[ 1.0] fine\r\n[ 1.1] Kernel pa");
	gnt_console_scan(&console);
	assert_int_equal(console.finding_count, 0);
	assert_string_equal(console.last, "[ 1.0] fine");
	put(fd, "nic - not syncing: x\n");
	gnt_console_scan(&console);
	assert_int_equal(console.finding_count, 1);
	assert_string_equal(console.findings[0]->line, "Kernel panic - not syncing: x");
	assert_null(console.findings[0]->during);
	gnt_console_fini(&console);
	(void)close(fd);
	(void)unlink(path);
}

static void endless_lines_are_judged_in_pieces(void **state)
{
	char path[] = "/tmp/test_console.XXXXXX", filler[1000];
	int fd = mkstemp(path);
	struct gnt_console console = {.fd = -1};

	(void)state;
	memset(filler, 'x', sizeof(filler) - 1);
	filler[sizeof(filler) - 1] = '\0';
	assert_int_equal(gnt_console_open(&console, path), 0);
	for (int i = 0; i < 20; i++)
		put(fd, filler);
	put(fd, "BUG: z");
	for (int i = 0; i < 20; i++)
		put(fd, filler);
	gnt_console_scan(&console);
	assert_int_equal(console.finding_count, 1);
	assert_int_equal(console.findings[0]->kind, GNT_HEALTH_BUG);
	gnt_console_fini(&console);
	(void)close(fd);
	(void)unlink(path);
}

/* Opens a console on a new file, which fd writes. */
static struct gnt_console open_new(int *ret_fd)
{
	char path[] = "/tmp/test_console.XXXXXX";
	struct gnt_console console = {.fd = -1};

	*ret_fd = mkstemp(path);
	assert_true(*ret_fd >= 0);
	assert_int_equal(gnt_console_open(&console, path), 0);
	(void)unlink(path);
	return console;
}

static void a_finding_stands_behind_its_mark(void **state)
{
	int fd;
	struct gnt_console console = open_new(&fd);

	(void)state;
	put(fd, "[ 1.0] BUG: at boot\n"
		"[ 2.0] gauntlet: mark a/b none arm A\n"
		"[ 2.1] fine\n"
		"[ 3.0] gauntlet: mark a/b none arm B\n"
		"[ 3.1] WARNING: CPU: 0 PID: 71 at kernel/a.c:12 second+0x1/0x2\n"
		"[ 3.2]  first+0x1/0x2\n"
		"[ 4.0] gauntlet: mark a/b none after\n"
		"[ 4.1]  third+0x1/0x2\n");
	gnt_console_scan(&console);
	assert_int_equal(console.finding_count, 2);
	assert_null(console.findings[0]->during);
	assert_string_equal(console.findings[1]->during, "a/b none arm B");
	/* The mark ends the trace. */
	assert_string_equal(console.findings[1]->fingerprint, "warn:second>first");
	assert_string_equal(console.mark, "a/b none after");
	gnt_console_fini(&console);
	(void)close(fd);
}

static void the_same_again_is_counted(void **state)
{
	int fd;
	struct gnt_console console = open_new(&fd);

	(void)state;
	put(fd, "gauntlet: mark one\n");
	for (int i = 0; i < 200; i++)
		put(fd, "[ 1.0] WARNING: CPU: 0 PID: 71 at kernel/a.c:12 f+0x1/0x2\n"
			"[ 1.0] ---[ end trace 0000000000000000 ]---\n");
	put(fd, "gauntlet: mark two\n"
		"[ 2.0] WARNING: CPU: 1 PID: 9 at kernel/a.c:12 f+0x7/0x9\n"
		"gauntlet: mark three\n");
	gnt_console_scan(&console);
	assert_int_equal(console.finding_count, 2);
	assert_int_equal(console.findings[0]->count, 200);
	assert_string_equal(console.findings[1]->during, "two");
	gnt_console_fini(&console);
	(void)close(fd);
}

static void a_flood_does_not_hide_the_panic(void **state)
{
	int fd;
	struct gnt_console console = open_new(&fd);

	(void)state;
	for (int i = 0; i < 500; i++) {
		char line[64];

		(void)snprintf(line, sizeof(line), "BUG: f%c%c\n", 'a' + i % 26, 'a' + i / 26);
		put(fd, line);
	}
	put(fd, "Kernel panic - not syncing: x\n");
	gnt_console_scan(&console);
	assert_in_range(console.finding_count, 10, 100);
	assert_int_equal(console.findings[console.finding_count - 1]->kind, GNT_HEALTH_PANIC);
	gnt_console_fini(&console);
	(void)close(fd);
}

static void a_dump_that_was_asked_for_is_no_trouble(void **state)
{
	int fd;
	struct gnt_console console = open_new(&fd);

	(void)state;
	console.deaf = true;
	put(fd, "Kernel panic - not syncing: NMI: Not continuing\n");
	gnt_console_scan(&console);
	assert_int_equal(console.finding_count, 0);
	gnt_console_fini(&console);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_growing_file_is_read_by_lines),
		cmocka_unit_test(endless_lines_are_judged_in_pieces),
		cmocka_unit_test(a_finding_stands_behind_its_mark),
		cmocka_unit_test(the_same_again_is_counted),
		cmocka_unit_test(a_flood_does_not_hide_the_panic),
		cmocka_unit_test(a_dump_that_was_asked_for_is_no_trouble),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
