/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel troubles: lines as kernels print them, fingerprints of whole traces, taint, and the list
 * of what is allowed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "scenarios/runner/health.h"

static void trouble_is_told_from_chatter(void **state)
{
	static const struct {
		const char *line;
		enum gnt_health_kind expected;
	} lines[] = {
		{"[    2.385442] Kernel panic - not syncing: sysrq triggered crash",
		 GNT_HEALTH_PANIC},
		{"half a line[    1.0] Kernel panic - not syncing: Attempted to kill init!",
		 GNT_HEALTH_PANIC},
		{"[   12.1] BUG: kernel NULL pointer dereference, address: 0000000000000010",
		 GNT_HEALTH_OOPS},
		{"[   12.1] BUG: unable to handle page fault for address: ffffffffdead0000",
		 GNT_HEALTH_OOPS},
		{"[   12.1] Unable to handle kernel paging request at virtual address dead",
		 GNT_HEALTH_OOPS},
		{"[   12.1] Oops: 0002 [#1] PREEMPT SMP NOPTI", GNT_HEALTH_OOPS},
		{"[   12.1] Internal error: Oops: 0000000096000004 [#1] SMP", GNT_HEALTH_OOPS},
		{"[   12.1] general protection fault, probably for non-canonical address 0xdead",
		 GNT_HEALTH_GPF},
		{"[   12.1] Oops: general protection fault, probably for non-canonical address",
		 GNT_HEALTH_GPF},
		{"[   12.1] kernel BUG at mm/slub.c:435!", GNT_HEALTH_BUG},
		{"[   12.1] BUG: sleeping function called from invalid context at a.c:1",
		 GNT_HEALTH_BUG},
		{"[   12.1] BUG: scheduling while atomic: sh/71/0x00000002", GNT_HEALTH_BUG},
		{"[   12.1] WARNING: CPU: 0 PID: 71 at kernel/bpf/verifier.c:12 f+0x1/0x2",
		 GNT_HEALTH_WARN},
		{"[   12.1] WARNING: kernel/bpf/verifier.c:12 at f+0x1/0x2, CPU#0: sh/71",
		 GNT_HEALTH_WARN},
		{"[   60.0] rcu: INFO: rcu_preempt self-detected stall on CPU",
		 GNT_HEALTH_RCU_STALL},
		{"[   60.0] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:",
		 GNT_HEALTH_RCU_STALL},
		{"[   60.0] rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: {",
		 GNT_HEALTH_RCU_STALL},
		{"[   60.0] INFO: rcu_tasks detected stalls on tasks:", GNT_HEALTH_RCU_STALL},
		{"[   60.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:79]",
		 GNT_HEALTH_SOFT_LOCKUP},
		{"[   60.0] BUG: workqueue lockup - pool cpus=0 node=0 stuck for 31s!",
		 GNT_HEALTH_SOFT_LOCKUP},
		{"[   60.0] NMI watchdog: Watchdog detected hard LOCKUP on cpu 0",
		 GNT_HEALTH_HARD_LOCKUP},
		{"[  242.0] INFO: task sh:80 blocked for more than 120 seconds.",
		 GNT_HEALTH_HUNG_TASK},
		{"[   12.1] BUG: KASAN: slab-out-of-bounds in f+0x1/0x2", GNT_HEALTH_KASAN},
		{"[   12.1] BUG: KCSAN: data-race in a / b", GNT_HEALTH_KCSAN},
		{"[   12.1] BUG: KFENCE: use-after-free read in f+0x1/0x2", GNT_HEALTH_KFENCE},
		{"[   12.1] UBSAN: shift-out-of-bounds in lib/x.c:12:3", GNT_HEALTH_UBSAN},
		{"[   12.1] WARNING: possible circular locking dependency detected",
		 GNT_HEALTH_LOCKDEP},
		{"[   12.1] WARNING: suspicious RCU usage", GNT_HEALTH_LOCKDEP},
		{"[   12.1] WARNING: inconsistent lock state", GNT_HEALTH_LOCKDEP},
		{"[   12.1] refcount_t: underflow; use-after-free.", GNT_HEALTH_REFCOUNT},
		{"[    0.1] rcu: INFO: Setting things up", GNT_HEALTH_NONE},
		{"[    1.2] amd_pstate: the _CPC object is not present in SBIOS", GNT_HEALTH_NONE},
		{"[    1.2] warning: `x' uses 32-bit capabilities", GNT_HEALTH_NONE},
		{"[    1.2] WARNING: Spectre v2 is left on at this machine", GNT_HEALTH_NONE},
		{"", GNT_HEALTH_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		enum gnt_health_kind kind = gnt_health_judge(lines[i].line);

		if (kind != lines[i].expected)
			fail_msg("judged %s: %s", gnt_health_kind_name(kind), lines[i].line);
	}
}

/* The finding of a text of lines, the first of which tells it. */
static struct gnt_finding *read_trace(const char *text)
{
	char *copy pcl_autofree = strdup(text);
	char *rest = copy, *line = strsep(&rest, "\n");
	struct gnt_finding *finding = gnt_finding_new(gnt_health_judge(line), line, "x");

	assert_non_null(finding);
	while ((line = strsep(&rest, "\n")) != NULL)
		gnt_finding_add(finding, line);
	return finding;
}

static void check_fingerprint(const char *text, const char *want)
{
	struct gnt_finding *finding = read_trace(text);

	assert_string_equal(finding->fingerprint, want);
	gnt_finding_free(&finding);
}

static void fingerprints_name_what_the_kernel_was_doing(void **state)
{
	(void)state;
	check_fingerprint(
		"[   12.100000] WARNING: CPU: 0 PID: 71 at kernel/x.c:12 inner.isra.0+0x12/0x340\n"
		"[   12.100001] Modules linked in: virtio_console virtio_pci\n"
		"[   12.100002] CPU: 0 PID: 71 Comm: sh Not tainted 6.1.0-56-cloud-amd64 #1\n"
		"[   12.100003] RIP: 0010:inner.isra.0+0x12/0x340\n"
		"[   12.100004] Code: 7f c3 cc cc\n"
		"[   12.100005] RSP: 0018:ffffffffb5a03e98 EFLAGS: 00000246\n"
		"[   12.100006] Call Trace:\n"
		"[   12.100007]  <TASK>\n"
		"[   12.100008]  ? __warn+0x7d/0xc0\n"
		"[   12.100009]  ? inner.isra.0+0x12/0x340\n"
		"[   12.100010]  middle.constprop.0+0x32/0x79 [some_module]\n"
		"[   12.100011]  bpf_prog_0123456789abcdef_file_open+0x1/0x2\n"
		"[   12.100012]  do_syscall_64+0x55/0xb0\n"
		"[   12.100013]  </TASK>\n"
		"[   12.100014] ---[ end trace 0000000000000000 ]---\n"
		"[   12.100015]  stranger+0x1/0x2",
		"warn:inner>middle>bpf/file_open");
	check_fingerprint("watchdog: BUG: soft lockup - CPU#0 stuck for 3s! [stall:90]\n"
			  "RIP: 0010:__x86_indirect_thunk_array+0xa/0x20\n"
			  "Call Trace:\n"
			  " bpf_prog_0123456789abcdef_inner+0x1/0x2",
			  "soft-lockup:bpf/inner");
	check_fingerprint("[T71] WARNING: kernel/x.c:12 at inner+0x12/0x340, CPU#0: sh/71\n"
			  "[T71]  outer+0x1/0x20",
			  "warn:inner>outer");
	check_fingerprint("[  2.0] Kernel panic - not syncing: sysrq triggered crash\n"
			  "[  2.0] CPU: 0 PID: 71 Comm: sh\n"
			  "[  2.0] Call Trace:\n"
			  "[  2.0]  dump_stack_lvl+0x44/0x5c\n"
			  "[  2.0]  panic+0x118/0x2ed\n"
			  "[  2.0]  sysrq_handle_crash+0x16/0x20\n"
			  "[  2.0]  __handle_sysrq.cold+0x44/0x11c\n"
			  "[  2.0]  write_sysrq_trigger+0x24/0x40",
			  "panic:sysrq_handle_crash>__handle_sysrq>write_sysrq_trigger");
	check_fingerprint("Unable to handle kernel NULL pointer dereference at 0000000000000008\n"
			  "Internal error: Oops: 0000000096000004 [#1] SMP\n"
			  "pc : inner+0x10/0x40\n"
			  "lr : outer+0x1c/0x100\n"
			  "Call trace:\n"
			  " inner+0x10/0x40 (P)\n"
			  " middle+0x1c/0x100\n"
			  " el0_svc+0x34/0xf0",
			  "oops:inner>middle");
}

static void a_stuck_cpu_is_known_by_what_it_was_stuck_in(void **state)
{
	(void)state;
	check_fingerprint("[ 22.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:79]\n"
			  "[ 22.0] RIP: 0010:spin+0x5/0x10\n"
			  "[ 22.0] Call Trace:\n"
			  "[ 22.0]  <IRQ>\n"
			  "[ 22.0]  some_timer+0x1b9/0x210\n"
			  "[ 22.0]  </IRQ>\n"
			  "[ 22.0]  <TASK>\n"
			  "[ 22.0]  asm_sysvec_apic_timer_interrupt+0x16/0x20\n"
			  "[ 22.0]  caller+0x1/0x2\n",
			  "soft-lockup:spin>caller");
}

static void without_a_trace_the_words_stand_for_it(void **state)
{
	(void)state;
	check_fingerprint("[ 12.3] BUG: not 17 real 0xdeadbeef", "bug:BUG-not-real-xdeadbeef");
	check_fingerprint("[   12.345] INFO: task sh:80 blocked for more than 120 seconds.",
			  "hung-task:INFO-task-sh-blocked-for-more");
	check_fingerprint("[  542.345] INFO: task sh:4711 blocked for more than 241 seconds.",
			  "hung-task:INFO-task-sh-blocked-for-more");
}

static void taint_is_explained(void **state)
{
	char text[GNT_TAINT_TEXT_SIZE];
	struct gnt_finding *finding = gnt_finding_new_taint(1u << 9 | 1u << 13, "x");

	(void)state;
	assert_non_null(finding);
	assert_string_equal(finding->fingerprint, "taint:WE");
	assert_non_null(strstr(finding->line, "kernel warned"));
	assert_non_null(strstr(finding->line, "unsigned module"));
	gnt_finding_free(&finding);
	gnt_health_taint_text(~0ull, text);
	assert_int_equal(strlen(text), 64);
	gnt_health_taint_text(0, text);
	assert_string_equal(text, "");
}

/* Loads a list from text; word (NULL: none) must be in the refusal. */
static int load(const char *text, struct gnt_health_list *ret_list, const char *word)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	char path[] = "/tmp/test_health.XXXXXX";
	int fd = mkstemp(path), error;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	error = gnt_health_list_load(path, ret_list, &diag);
	(void)unlink(path);
	if (word && !strstr(pcl_diag_text(&diag), word))
		fail_msg("want \"%s\" in: %s", word, pcl_diag_text(&diag));
	return error;
}

static void the_list_allows_what_it_names(void **state)
{
	struct gnt_health_list list pcl_cleanup(gnt_health_list_fini) = {0};
	struct gnt_finding *warn = read_trace("WARNING: CPU: 0 at x.c:1 f+0x1/0x2\n g+0x1/0x2");
	struct gnt_finding *stall = read_trace("rcu: INFO: rcu_preempt self-detected stall on CPU");
	struct gnt_finding *panic = read_trace("Kernel panic - not syncing: x");

	(void)state;
	assert_int_equal(
		load("allow:\n"
		     "- {fingerprint: \"warn:f>g\", from: \"6.1\", to: \"6.12\", reason: a}\n"
		     "- {pattern: \"self-detected\", reason: b}\n"
		     "- {pattern: \"Kernel panic\", reason: c}\n",
		     &list, NULL),
		0);
	assert_ptr_equal(gnt_health_list_find(&list, warn, "6.1.0-56-cloud-amd64"),
			 &list.entries[0]);
	assert_ptr_equal(gnt_health_list_find(&list, warn, "6.12.9+x"), &list.entries[0]);
	assert_null(gnt_health_list_find(&list, warn, "6.13.1"));
	assert_null(gnt_health_list_find(&list, warn, "5.10.0"));
	assert_null(gnt_health_list_find(&list, warn, NULL));
	assert_ptr_equal(gnt_health_list_find(&list, stall, NULL), &list.entries[1]);
	/* A panic never is, whatever a pattern says. */
	assert_null(gnt_health_list_find(&list, panic, "6.1.0"));
	assert_null(gnt_health_list_find(NULL, warn, "6.1.0"));
	gnt_finding_free(&warn);
	gnt_finding_free(&stall);
	gnt_finding_free(&panic);
}

static void a_bad_list_is_refused(void **state)
{
	struct gnt_health_list list = {0};

	(void)state;
	assert_int_not_equal(load("allow: [{fingerprint: x}]\n", &list, "reason"), 0);
	assert_int_not_equal(load("allow: [{pattern: x, reason: \" \"}]\n", &list, "empty"), 0);
	assert_int_not_equal(load("allow: [{reason: x}]\n", &list, "everything"), 0);
	assert_int_not_equal(load("allow: [{fingerprint: \"panic:x\", reason: x}]\n", &list,
				  "never"),
			     0);
	assert_int_not_equal(load("allow: [{pattern: x, from: old, reason: x}]\n", &list, "series"),
			     0);
	assert_int_not_equal(load("allow: [{patern: x, reason: x}]\n", &list, "pattern"), 0);
	assert_int_not_equal(load("allow: yes\n", &list, "list"), 0);
	assert_null(list.entries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trouble_is_told_from_chatter),
		cmocka_unit_test(fingerprints_name_what_the_kernel_was_doing),
		cmocka_unit_test(a_stuck_cpu_is_known_by_what_it_was_stuck_in),
		cmocka_unit_test(without_a_trace_the_words_stand_for_it),
		cmocka_unit_test(taint_is_explained),
		cmocka_unit_test(the_list_allows_what_it_names),
		cmocka_unit_test(a_bad_list_is_refused),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
