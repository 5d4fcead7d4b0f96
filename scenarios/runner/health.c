/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel troubles by the words that kernels use, 5.10 to 7.x, x86 and arm64.
 *
 * Patterns are searched anywhere in a line, since a guest program's half line may stand in front of
 * the kernel's. The first that matches decides, so the more specific come first.
 */
#include "health.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "text.h"

/* A trace with registers has 40 to 60 lines; what comes later belongs to something else. */
#define TRACE_LINES_MAX 120
#define FUNCTION_MAX_LEN 64
#define WORDS_MAX 6

static const char *const kind_names[GNT_HEALTH_KIND_COUNT] = {
	[GNT_HEALTH_NONE] = "none",
	[GNT_HEALTH_PANIC] = "panic",
	[GNT_HEALTH_OOPS] = "oops",
	[GNT_HEALTH_GPF] = "gpf",
	[GNT_HEALTH_BUG] = "bug",
	[GNT_HEALTH_WARN] = "warn",
	[GNT_HEALTH_SOFT_LOCKUP] = "soft-lockup",
	[GNT_HEALTH_HARD_LOCKUP] = "hard-lockup",
	[GNT_HEALTH_RCU_STALL] = "rcu-stall",
	[GNT_HEALTH_HUNG_TASK] = "hung-task",
	[GNT_HEALTH_KASAN] = "kasan",
	[GNT_HEALTH_KCSAN] = "kcsan",
	[GNT_HEALTH_KMSAN] = "kmsan",
	[GNT_HEALTH_KFENCE] = "kfence",
	[GNT_HEALTH_UBSAN] = "ubsan",
	[GNT_HEALTH_LOCKDEP] = "lockdep",
	[GNT_HEALTH_REFCOUNT] = "refcount",
	[GNT_HEALTH_STACK] = "stack",
	[GNT_HEALTH_TAINT] = "taint",
};

static const struct {
	const char *text;
	enum gnt_health_kind kind;
} patterns[] = {
	{"Kernel panic - not syncing", GNT_HEALTH_PANIC},
	{"KASAN: ", GNT_HEALTH_KASAN},
	{"BUG: KCSAN: ", GNT_HEALTH_KCSAN},
	{"BUG: KMSAN: ", GNT_HEALTH_KMSAN},
	{"BUG: KFENCE: ", GNT_HEALTH_KFENCE},
	{"UBSAN: ", GNT_HEALTH_UBSAN},
	{"soft lockup", GNT_HEALTH_SOFT_LOCKUP},
	{"workqueue lockup", GNT_HEALTH_SOFT_LOCKUP},
	{"hard LOCKUP", GNT_HEALTH_HARD_LOCKUP},
	{"Hard LOCKUP", GNT_HEALTH_HARD_LOCKUP},
	{"detected stalls on ", GNT_HEALTH_RCU_STALL}, /* CPUs/tasks */
	{"self-detected stall on CPU", GNT_HEALTH_RCU_STALL},
	{"detected expedited stalls", GNT_HEALTH_RCU_STALL},
	{"INFO: rcu_", GNT_HEALTH_RCU_STALL},  /* INFO: rcu_tasks ... */
	{"INFO: task ", GNT_HEALTH_HUNG_TASK}, /* ... blocked for more than N seconds */
	{"WARNING: possible ", GNT_HEALTH_LOCKDEP},
	{"WARNING: inconsistent lock state", GNT_HEALTH_LOCKDEP},
	{"WARNING: suspicious ", GNT_HEALTH_LOCKDEP},
	{"WARNING: bad unlock ", GNT_HEALTH_LOCKDEP},
	{"WARNING: lock held when ", GNT_HEALTH_LOCKDEP},
	{"WARNING: held lock freed", GNT_HEALTH_LOCKDEP},
	{"WARNING: Nested lock ", GNT_HEALTH_LOCKDEP},
	{"BUG: Invalid wait context", GNT_HEALTH_LOCKDEP},
	{"BUG: unable to handle ", GNT_HEALTH_OOPS},
	{"BUG: kernel NULL pointer ", GNT_HEALTH_OOPS},
	{"Unable to handle kernel ", GNT_HEALTH_OOPS}, /* arm64 */
	{"general protection fault", GNT_HEALTH_GPF},
	{"refcount_t: ", GNT_HEALTH_REFCOUNT},
	{"stack-protector: ", GNT_HEALTH_STACK},
	{"stack guard page was hit", GNT_HEALTH_STACK},
	{"Insufficient stack space to handle exception", GNT_HEALTH_STACK},
	{"kernel BUG at ", GNT_HEALTH_BUG},
	{"BUG: ", GNT_HEALTH_BUG},
	{"WARNING: CPU: ", GNT_HEALTH_WARN},
	{"WARNING: stack ", GNT_HEALTH_WARN}, /* the unwinder's */
	{"Oops: ", GNT_HEALTH_OOPS},
	{"Oops - ", GNT_HEALTH_OOPS},
	{"Internal error: ", GNT_HEALTH_OOPS}, /* arm64 */
};

/* Said by a trouble that another line announced; by themselves they announce one. */
static const char *const continuations[] = {"Oops: ",		"Oops - ",
					    "Internal error: ", "refcount_t: ",
					    "kernel BUG at ",	"general protection fault"};

/*
 * Functions that report or deliver a trouble and are in every trace of its kind: the beginnings of
 * their names. What is left is what the kernel was doing.
 */
static const char *const machinery[] = {
	"dump_stack",
	"show_stack",
	"show_regs",
	"show_trace",
	"dump_backtrace",
	"__warn",
	"warn_slowpath",
	"report_bug",
	"handle_bug",
	"exc_",
	"asm_exc_",
	"asm_sysvec_",
	"sysvec_",
	"__sysvec_",
	"asm_common_",
	"common_interrupt",
	"__x86_indirect_thunk_",
	"__x86_return_thunk",
	"die",
	"__die",
	"oops_end",
	"panic",
	"vpanic",
	"nmi_panic",
	"page_fault_oops",
	"bad_area",
	"__bad_area",
	"do_user_addr_",
	"do_error_trap",
	"do_trap",
	"no_context",
	"do_page_fault",
	"fixup_",
	"invalid_op",
	"kernelmode_",
	"watchdog_",
	"__run_hrtimer",
	"__hrtimer_",
	"hrtimer_",
	"tick_",
	"update_process_",
	"rcu_sched_clock",
	"rcu_dump_",
	"print_",
	"trigger_",
	"nmi_",
	"kasan_",
	"__kasan_",
	"check_panic_",
	"end_report",
	"ubsan_",
	"__ubsan_",
	"handle_overflow",
	"lockdep_",
	"__lock_acquire",
	"lock_acquire",
	"lock_release",
	"check_noncircular",
	"mark_lock",
	"__schedule",
	"schedule",
	"preempt_schedule",
	"entry_SYSCALL",
	"do_syscall_64",
	"x64_sys_call",
	"ret_from_fork",
	"syscall_",
	"el0",
	"el1",
	"do_el",
	"invoke_syscall",
	"bug_handler",
	"brk_handler",
	"call_break_hook",
	"do_debug_",
	"do_mem_abort",
	"do_translation_",
	"do_bad_area",
	"__do_kernel_fault",
	"arm64_notify_",
	"add_taint",
	"refcount_warn_",
	"__stack_chk_",
	"hung_task",
	"check_hung_",
	"kthread",
	"irq_exit",
	"__irq_exit",
	"do_exit",
	"make_task_dead",
	"rewind_stack",
	"secondary_startup",
	"asm_",
	"apic_timer_",
	"smp_apic_",
	"error_entry",
	"page_fault",
};

/* /proc/sys/kernel/tainted, from bit 0 on. */
static const char taint_letters[] = "PFSRMBUDAWCIOELKXTNJ";
static const char *const taint_words[] = {
	"proprietary module",
	"module forced in",
	"machine out of specification",
	"module forced out",
	"machine check",
	"bad page",
	"set by user space",
	"kernel died (oops)",
	"ACPI table overridden",
	"kernel warned",
	"staging driver",
	"firmware bug worked around",
	"out-of-tree module",
	"unsigned module",
	"soft lockup",
	"kernel live-patched",
	"auxiliary, by distro",
	"randomised structures",
	"in-kernel test",
	"userspace mutating debug",
};
static_assert(sizeof(taint_letters) - 1 == PCL_ARRAY_SIZE(taint_words), "a word for each letter");
static_assert(GNT_TAINT_TEXT_SIZE > 64, "room for each of 64 bits");

/* From 6.18 on: "WARNING: kernel/file.c:12 at function+0x1/0x2, CPU#0: comm/12". */
static bool is_located_warning(const char *line)
{
	const char *at = strstr(line, "WARNING: ");
	size_t len;

	if (!at)
		return false;
	at += strlen("WARNING: ");
	len = strcspn(at, " ");
	if (strncmp(at + len, " at ", 4) != 0)
		return false;
	while (len && isdigit((unsigned char)at[len - 1]))
		len--;
	return len > 1 && at[len - 1] == ':';
}

enum gnt_health_kind gnt_health_judge(const char *line)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(patterns); i++)
		if (strstr(line, patterns[i].text))
			return patterns[i].kind;
	return is_located_warning(line) ? GNT_HEALTH_WARN : GNT_HEALTH_NONE;
}

bool gnt_health_continues(const char *line)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(continuations); i++)
		if (strstr(line, continuations[i]))
			return true;
	return false;
}

const char *gnt_health_text(const char *line)
{
	const char *text = line;

	/* "[   12.345678]" and, where the kernel names the caller, "[  T71]" or "[C0]". */
	while (*text == '[') {
		const char *end = strchr(text, ']');
		size_t len = end ? (size_t)(end - text) - 1 : 0;

		if (!end || strspn(text + 1, " 0123456789.TC") < len || !len)
			break;
		text = end + 1;
	}
	while (*text == ' ' && text[1])
		text++;
	return text;
}

const char *gnt_health_kind_name(enum gnt_health_kind kind)
{
	return kind_names[kind];
}

enum gnt_health_kind gnt_health_kind_parse(const char *word)
{
	for (int i = 0; i < GNT_HEALTH_KIND_COUNT; i++)
		if (strcmp(kind_names[i], word) == 0)
			return (enum gnt_health_kind)i;
	return GNT_HEALTH_NONE;
}

bool gnt_health_is_stuck(enum gnt_health_kind kind)
{
	return kind == GNT_HEALTH_SOFT_LOCKUP || kind == GNT_HEALTH_HARD_LOCKUP ||
	       kind == GNT_HEALTH_RCU_STALL || kind == GNT_HEALTH_HUNG_TASK;
}

unsigned long long gnt_health_taint_of(enum gnt_health_kind kind)
{
	switch (kind) {
	case GNT_HEALTH_OOPS:
	case GNT_HEALTH_GPF:
		return 1u << 7;
	case GNT_HEALTH_BUG: /* BUG() dies; "scheduling while atomic" only warns */
		return 1u << 7 | 1u << 9 | 1u << 5;
	case GNT_HEALTH_WARN:
	case GNT_HEALTH_REFCOUNT:
		return 1u << 9;
	case GNT_HEALTH_KASAN:
	case GNT_HEALTH_KFENCE:
	case GNT_HEALTH_KMSAN:
		return 1u << 5;
	case GNT_HEALTH_SOFT_LOCKUP:
		return 1u << 14;
	default:
		return 0;
	}
}

void gnt_health_taint_text(unsigned long long bits, char *text)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		if (!(bits >> bit & 1))
			continue;
		*text++ = '?';
		if (bit < sizeof(taint_letters) - 1)
			text[-1] = taint_letters[bit];
	}
	*text = '\0';
}

/* --- one finding ------------------------------------------------------------------------------ */

static bool is_machinery(const char *name)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(machinery); i++)
		if (strncmp(name, machinery[i], strlen(machinery[i])) == 0)
			return true;
	return false;
}

/*
 * A function's name as it is in every build: no ".isra.0", no ".cold", and of a BPF program its own
 * name, not the digest in front of it.
 */
static char *plain_name(const char *text, size_t len)
{
	static const char bpf[] = "bpf_prog_";
	size_t digest = sizeof(bpf) - 1;

	if (len > digest && strncmp(text, bpf, digest) == 0) {
		size_t hex = strspn(text + digest, "0123456789abcdef");

		if (hex == 16 && text[digest + hex] == '_' && digest + hex + 1 < len)
			return gnt_text_new("bpf/%.*s", (int)(len - digest - hex - 1),
					    text + digest + hex + 1);
	}
	return strndup(text, strcspn(text, ".+") < len ? strcspn(text, ".+") : len);
}

/* "name+0x1a/0x2b": the end of the name, or NULL where at does not look like it. */
static const char *symbol_end(const char *at)
{
	size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.");
	size_t offset;

	if (!len || len > FUNCTION_MAX_LEN || isdigit((unsigned char)*at) ||
	    strncmp(at + len, "+0x", 3) != 0)
		return NULL;
	offset = strspn(at + len + 3, "0123456789abcdef");
	return offset && strncmp(at + len + 3 + offset, "/0x", 3) == 0 ? at + len : NULL;
}

/* A "?" before the symbol marks what only lies about on the stack. */
static bool is_guess(const char *start, const char *symbol)
{
	while (symbol > start && symbol[-1] == ' ')
		symbol--;
	return symbol > start && symbol[-1] == '?';
}

/* The symbol of a line, or NULL. ret_len is the length of its name. */
static const char *find_symbol(const char *line, size_t *ret_len)
{
	for (const char *at = line; *at; at++) {
		const char *end = at == line || strchr(" :(", at[-1]) ? symbol_end(at) : NULL;

		if (!end)
			continue;
		if (is_guess(line, at))
			return NULL;
		*ret_len = (size_t)(end - at);
		return at;
	}
	return NULL;
}

/* The words of a line without numbers and punctuation, for what has no trace. */
static char *words_of(const char *line)
{
	char *words = gnt_text_new("%s", "");
	const char *at = gnt_health_text(line);

	for (int count = 0; words && *at && count < WORDS_MAX;) {
		size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");

		if (len > 1) {
			(void)gnt_text_set(&words, "%s%s%.*s", words, *words ? "-" : "", (int)len,
					   at);
			count++;
		}
		/* What a digit stands beside is an address, a number or a name of this boot. */
		at += len;
		at += strcspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
	}
	return words;
}

static void set_fingerprint(struct gnt_finding *finding)
{
	pcl_autofree char *trace =
		finding->function_count ? gnt_text_new("%s", "") : words_of(finding->line);

	for (size_t i = 0; i < finding->function_count; i++)
		(void)gnt_text_set(&trace, "%s%s%s", trace, i ? ">" : "", finding->functions[i]);
	(void)gnt_text_set(&finding->fingerprint, "%s:%s", kind_names[finding->kind],
			   trace ? trace : "");
}

static void add_function(struct gnt_finding *finding, const char *line)
{
	size_t len = 0, count = finding->function_count;
	const char *symbol = find_symbol(line, &len);
	pcl_autofree char *name = symbol ? plain_name(symbol, len) : NULL;

	if (!name || is_machinery(name))
		return;
	/* The instruction pointer's function heads the trace too. */
	if (count && strcmp(finding->functions[count - 1], name) == 0)
		return;
	finding->functions[finding->function_count++] = pcl_take_ptr(name);
	set_fingerprint(finding);
}

struct gnt_finding *gnt_finding_new(enum gnt_health_kind kind, const char *line, const char *during)
{
	struct gnt_finding *finding = calloc(1, sizeof(*finding));

	if (!finding)
		return NULL;
	finding->kind = kind;
	finding->count = 1;
	finding->line = strdup(gnt_health_text(line));
	finding->during = during ? strdup(during) : NULL;
	if (finding->line) {
		pcl_text_one_line(finding->line);
		set_fingerprint(finding);
		add_function(finding, finding->line);
	}
	if (!finding->line || !finding->fingerprint || (during && !finding->during))
		gnt_finding_free(&finding);
	return finding;
}

struct gnt_finding *gnt_finding_new_taint(unsigned long long bits, const char *during)
{
	char letters[GNT_TAINT_TEXT_SIZE];
	pcl_autofree char *line = NULL;
	struct gnt_finding *finding;

	gnt_health_taint_text(bits, letters);
	line = gnt_text_new("the kernel became tainted: %s", letters);
	for (unsigned bit = 0; line && bit < PCL_ARRAY_SIZE(taint_words); bit++)
		if (bits >> bit & 1)
			(void)gnt_text_set(&line, "%s, %s", line, taint_words[bit]);
	finding = line ? gnt_finding_new(GNT_HEALTH_TAINT, line, during) : NULL;
	if (finding && gnt_text_set(&finding->fingerprint, "taint:%s", letters) < 0)
		gnt_finding_free(&finding);
	if (finding)
		finding->closed = true;
	return finding;
}

void gnt_finding_free(struct gnt_finding **finding_ptr)
{
	struct gnt_finding *finding = *finding_ptr;

	*finding_ptr = NULL;
	if (!finding)
		return;
	for (size_t i = 0; i < finding->function_count; i++)
		free(finding->functions[i]);
	free(finding->line);
	free(finding->during);
	free(finding->fingerprint);
	free(finding);
}

void gnt_finding_add(struct gnt_finding *finding, const char *line)
{
	const char *text = gnt_health_text(line);

	if (++finding->lines > TRACE_LINES_MAX || strstr(line, "---[ end "))
		finding->closed = true;
	if (strstr(line, "<IRQ>"))
		finding->in_interrupt = true;
	if (strstr(line, "</IRQ>"))
		finding->in_interrupt = false;
	if (finding->closed || finding->function_count == GNT_FINDING_FUNCTIONS)
		return;
	/* The timer interrupt that noticed is not what the CPU is stuck in. */
	if (finding->in_interrupt && gnt_health_is_stuck(finding->kind))
		return;
	/* lr repeats what the trace says; RIP of user space has no symbol. */
	if (strncmp(text, "lr : ", 5) == 0 || strstr(line, "Modules linked in:"))
		return;
	add_function(finding, text);
}

bool gnt_finding_same(const struct gnt_finding *a, const struct gnt_finding *b)
{
	if (a->kind != b->kind || strcmp(a->fingerprint, b->fingerprint) != 0)
		return false;
	return a->during && b->during ? strcmp(a->during, b->during) == 0 : a->during == b->during;
}

json_t *gnt_finding_json(const struct gnt_finding *finding, const char *target)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "target", target, "during",
				   finding->during ? finding->during : "boot", "kind",
				   kind_names[finding->kind], "fingerprint", finding->fingerprint,
				   "line", finding->line, "count", (int)finding->count);

	if (object && finding->allowed)
		(void)json_object_set_new(object, "allowed", json_string(finding->allowed->reason));
	return object;
}
