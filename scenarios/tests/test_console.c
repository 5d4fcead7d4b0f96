/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the console says about a kernel: lines as kernels print them, and how they are read from a
 * file that grows.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "scenarios/runner/console.h"

static void trouble_is_told_from_chatter(void **state)
{
	static const struct {
		const char *line;
		enum gnt_console_finding expected;
	} lines[] = {
		{"[    2.385442] Kernel panic - not syncing: sysrq triggered crash",
		 GNT_CONSOLE_PANIC},
		{"half a line[    1.0] Kernel panic - not syncing: Attempted to kill init!",
		 GNT_CONSOLE_PANIC},
		{"[   12.1] BUG: kernel NULL pointer dereference, address: 0000000000000010",
		 GNT_CONSOLE_SPLAT},
		{"[   12.1] WARNING: CPU: 0 PID: 71 at kernel/bpf/verifier.c:12 f+0x1/0x2",
		 GNT_CONSOLE_SPLAT},
		{"[   12.1] Oops: 0002 [#1] PREEMPT SMP NOPTI", GNT_CONSOLE_SPLAT},
		{"[   60.0] rcu: INFO: rcu_preempt self-detected stall on CPU", GNT_CONSOLE_SPLAT},
		{"[   60.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:79]",
		 GNT_CONSOLE_SPLAT},
		{"[  242.0] INFO: task sh:80 blocked for more than 120 seconds.",
		 GNT_CONSOLE_SPLAT},
		{"[    0.1] rcu: INFO: Setting things up", GNT_CONSOLE_QUIET},
		{"[    1.2] amd_pstate: the _CPC object is not present in SBIOS or ACPI disabled",
		 GNT_CONSOLE_QUIET},
		{"[    1.2] warning: `x' uses 32-bit capabilities", GNT_CONSOLE_QUIET},
		{"", GNT_CONSOLE_QUIET},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (gnt_console_judge(lines[i].line) != lines[i].expected)
			fail_msg("judged wrongly: %s", lines[i].line);
	}
}

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
	assert_int_equal(gnt_console_scan(&console), GNT_CONSOLE_QUIET);
	assert_string_equal(console.last, "[ 1.0] fine");
	put(fd, "nic - not syncing: x\n");
	assert_int_equal(gnt_console_scan(&console), GNT_CONSOLE_PANIC);
	assert_string_equal(console.detail, "[ 1.1] Kernel panic - not syncing: x");
	/* The first of a kind is kept, and a splat after a panic is no news. */
	put(fd, "[ 1.2] BUG: y\n[ 1.3] Kernel panic - not syncing: z\n");
	assert_int_equal(gnt_console_scan(&console), GNT_CONSOLE_PANIC);
	assert_string_equal(console.detail, "[ 1.1] Kernel panic - not syncing: x");
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
	assert_int_equal(gnt_console_scan(&console), GNT_CONSOLE_SPLAT);
	gnt_console_fini(&console);
	(void)close(fd);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trouble_is_told_from_chatter),
		cmocka_unit_test(a_growing_file_is_read_by_lines),
		cmocka_unit_test(endless_lines_are_judged_in_pieces),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
