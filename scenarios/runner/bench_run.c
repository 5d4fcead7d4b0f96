/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bench's VMs. Wall clock: one VM at a time and nothing beside it, the plan worked off over the
 * channel. Counted instructions: two boots of a target side by side, which disturbs nothing,
 * because their time is their own; the plan travels in with the initramfs, since a request that
 * arrived at a moment of the host's choosing would end the determinism.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "bench.h"
#include "text.h"

/* A boot takes 4 s under emulation here; a machine ten times slower still boots. */
#define BOOT_TIMEOUT_MS 60000
/*
 * A boot that works off a plan under -icount: 30 s here, several minutes on a busy machine; and
 * what many rules and domains take, 100,000 of them several minutes more.
 */
#define PLAN_TIMEOUT_MS 600000
#define PLAN_RULE_TIMEOUT_MS 30
#define PLAN_DOMAIN_TIMEOUT_MS 300
/* One step over the channel, beyond the guest's own limit. */
#define CALL_TIMEOUT_MORE_MS 30000

/* What a thousand rules and a thousand domains need beside the target's own memory, generously. */
#define RULES_MIB 14
#define DOMAINS_MIB 50

#define COUNTED_BOOTS 2

static const int default_depths[] = {GNT_BENCH_DEPTH_DEFAULT};

/* One boot and what came of it. */
struct boot {
	const struct gnt_bench_options *options;
	const struct gnt_target *target;
	const struct gnt_bench_plan *plan;
	json_t *requests; /* NULL: over the channel */
	bool quiet;	  /* in a thread of its own: nobody is called */
	char *log_dir;
	struct gnt_bench_data data;
	struct pcl_diag diag;
	enum gnt_exit exit;
	bool started; /* there was a guest, so there is a console to look at */
};

static void boot_fini(struct boot *boot)
{
	json_decref(boot->requests);
	free(boot->log_dir);
	gnt_bench_data_fini(&boot->data);
	pcl_diag_fini(&boot->diag);
}

__attribute__((format(printf, 3, 4))) static void say(const struct gnt_bench_options *options,
						      const struct gnt_target *target,
						      const char *format, ...)
{
	pcl_autofree char *line = NULL;
	va_list args;

	if (!options->say)
		return;
	va_start(args, format);
	if (vasprintf(&line, format, args) < 0)
		line = NULL;
	va_end(args);
	options->say(options->context, target->id, line ? line : "out of memory");
}

static enum gnt_exit exit_of_state(enum gnt_vm_state state)
{
	switch (state) {
	case GNT_VM_PANIC:
	case GNT_VM_SPLAT:
		return GNT_EXIT_PANIC;
	case GNT_VM_HANG:
		return GNT_EXIT_HANG;
	case GNT_VM_RUNNING:
	case GNT_VM_OFF:
	case GNT_VM_DEAD:
		return GNT_EXIT_INFRA;
	}
	return GNT_EXIT_INFRA;
}

static enum gnt_exit exit_of_step(int error)
{
	switch (error) {
	case -EPERM:
		return GNT_EXIT_UNEXPECTED;
	case -EOPNOTSUPP:
		return GNT_EXIT_ENV_UNMET;
	default:
		return GNT_EXIT_INFRA;
	}
}

/* Over the channel, with a line per round. */
static void work_off_calls(struct boot *boot, struct gnt_vm *vm)
{
	int said_round = -1;

	for (size_t i = 0; i < boot->plan->count; i++) {
		const struct gnt_bench_step *step = &boot->plan->steps[i];
		pcl_cleanup(json_decrefp) json_t *reply = NULL;
		int error;

		if (step->kind == GNT_BENCH_STEP_MEASURE && step->visit.round != said_round) {
			said_round = step->visit.round;
			say(boot->options, boot->target, "wall clock, round %d of %d",
			    said_round + 1, boot->options->rounds);
		}
		if (gnt_vm_call(vm, step->request,
				boot->plan->step_timeout_ms + CALL_TIMEOUT_MORE_MS, &reply,
				&boot->diag)) {
			boot->exit = exit_of_state(gnt_vm_state(vm));
			return;
		}
		error = gnt_bench_plan_take(step, reply, &boot->data, &boot->diag);
		if (error) {
			boot->exit = exit_of_step(error);
			return;
		}
	}
}

/* The replies came with the hello. */
static void work_off_hello(struct boot *boot, struct gnt_vm *vm)
{
	const json_t *replies = json_object_get(gnt_vm_hello(vm), "plan");

	if (json_array_size(replies) != boot->plan->count) {
		(void)pcl_diag_set(&boot->diag, -EPROTO,
				   "the guest answered %zu of %zu steps of the plan; is its image "
				   "older than gauntlet? run `make build`",
				   json_array_size(replies), boot->plan->count);
		boot->exit = GNT_EXIT_INFRA;
		return;
	}
	for (size_t i = 0; i < boot->plan->count; i++) {
		int error = gnt_bench_plan_take(&boot->plan->steps[i], json_array_get(replies, i),
						&boot->data, &boot->diag);

		if (error) {
			boot->exit = exit_of_step(error);
			return;
		}
	}
}

static int plan_timeout_ms(const struct gnt_bench_options *options)
{
	return PLAN_TIMEOUT_MS + options->rules * PLAN_RULE_TIMEOUT_MS +
	       options->domains * PLAN_DOMAIN_TIMEOUT_MS;
}

/* Boots, works the plan off, powers off. A thread's start routine; all results are in the boot. */
static void *run_boot(void *argument)
{
	struct boot *boot = argument;
	const struct gnt_vm_options vm_options = {
		.target = boot->target,
		.kernel_path = boot->options->kernel_path,
		.modules_dir = boot->options->modules_dir,
		.log_dir = boot->log_dir,
		.guest_dir = boot->options->guest_dir,
		.accel = boot->requests ? GNT_ACCEL_TCG : boot->options->accel,
		.flags = boot->requests ? GNT_VM_ICOUNT : 0,
		.boot_timeout_ms =
			boot->requests ? plan_timeout_ms(boot->options) : BOOT_TIMEOUT_MS,
		.plan = boot->requests,
	};
	enum gnt_vm_state state = GNT_VM_OFF;
	struct gnt_vm *vm = NULL;

	if (gnt_vm_start(&vm_options, &vm, &state, &boot->diag)) {
		boot->exit = exit_of_state(state);
		boot->started = state != GNT_VM_OFF;
		return NULL;
	}
	boot->started = true;
	if (boot->requests)
		work_off_hello(boot, vm);
	else
		work_off_calls(boot, vm);
	state = gnt_vm_state(vm);
	if (boot->exit == GNT_EXIT_OK && (state == GNT_VM_PANIC || state == GNT_VM_SPLAT)) {
		boot->exit = GNT_EXIT_PANIC;
		(void)pcl_diag_set(&boot->diag, -EIO, "the guest's kernel complained: %s",
				   gnt_vm_state_detail(vm));
	}
	if (boot->exit == GNT_EXIT_OK && !boot->quiet && boot->options->booted)
		boot->options->booted(boot->options->context, boot->target, vm);
	gnt_vm_free(&vm);
	return NULL;
}

static int boot_init(struct boot *boot, const char *name)
{
	boot->log_dir = gnt_text_new("%s/%s-%s", boot->options->log_dir, boot->target->id, name);
	if (!boot->log_dir)
		return pcl_diag_errno(&boot->diag, -ENOMEM, "bench");
	if (mkdir(boot->log_dir, 0777) && errno != EEXIST)
		return pcl_diag_errno(&boot->diag, -errno, "cannot make %s", boot->log_dir);
	return 0;
}

static int add_rows(const struct boot *boot, const struct gnt_bench_row_facts *facts,
		    struct gnt_latency_rows *rows)
{
	int error = gnt_bench_data_rows(&boot->data, facts, rows);

	if (error)
		say(boot->options, boot->target, "cannot keep the rows: %s", strerror(-error));
	return error;
}

static enum gnt_exit say_failure(const struct boot *boot)
{
	if (boot->started)
		say(boot->options, boot->target, "%s (console: %s/console.log)",
		    pcl_diag_text(&boot->diag), boot->log_dir);
	else
		say(boot->options, boot->target, "%s", pcl_diag_text(&boot->diag));
	return boot->exit;
}

/* What befell the boots; the same mishap is told once. */
static enum gnt_exit say_failures(const struct boot boots[COUNTED_BOOTS])
{
	enum gnt_exit result = GNT_EXIT_OK;

	for (int i = 0; i < COUNTED_BOOTS; i++) {
		const bool told =
			i && boots[i - 1].exit == boots[i].exit &&
			!strcmp(pcl_diag_text(&boots[i - 1].diag), pcl_diag_text(&boots[i].diag));

		if (boots[i].exit != GNT_EXIT_OK && !told)
			(void)say_failure(&boots[i]);
		result = gnt_exit_worse(result, boots[i].exit);
	}
	return result;
}

static enum gnt_exit run_wall_clock(const struct gnt_bench_options *options,
				    const struct gnt_target *target,
				    const struct gnt_bench_plan *plan,
				    struct gnt_latency_rows *rows)
{
	pcl_cleanup(
		boot_fini) struct boot boot = {.options = options, .target = target, .plan = plan};
	const struct gnt_bench_row_facts facts = {
		.target = target->id,
		.unit = GNT_LATENCY_NS,
		.rules = options->rules,
		.backend = options->backend,
		.domains = options->domains,
		.boots = 1,
	};

	say(options, target, "booting for wall clock");
	if (boot_init(&boot, "bench-ns")) {
		boot.exit = GNT_EXIT_INFRA;
		return say_failure(&boot);
	}
	(void)run_boot(&boot);
	if (boot.exit != GNT_EXIT_OK)
		return say_failure(&boot);
	return add_rows(&boot, &facts, rows) ? GNT_EXIT_INFRA : GNT_EXIT_OK;
}

/* Two boots at once, the second in a thread of its own; false if they could not be begun. */
static bool run_pair(struct boot boots[COUNTED_BOOTS])
{
	static const char *const names[COUNTED_BOOTS] = {"bench-insns-1", "bench-insns-2"};
	pthread_t other;
	int error;

	for (int i = 0; i < COUNTED_BOOTS; i++) {
		if (boot_init(&boots[i], names[i])) {
			boots[i].exit = GNT_EXIT_INFRA;
			return false;
		}
	}
	error = pthread_create(&other, NULL, run_boot, &boots[1]);
	(void)run_boot(&boots[0]);
	if (error)
		(void)run_boot(&boots[1]);
	else
		(void)pthread_join(other, NULL);
	return true;
}

static enum gnt_exit compare_boots(const struct gnt_bench_options *options,
				   const struct gnt_target *target,
				   const struct boot boots[COUNTED_BOOTS],
				   struct gnt_latency_rows *rows)
{
	pcl_autofree char *difference = NULL;
	const bool agree = gnt_bench_data_equal(&boots[0].data, &boots[1].data, &difference);
	const struct gnt_bench_row_facts facts = {
		.target = target->id,
		.unit = GNT_LATENCY_GUEST_INSNS,
		.rules = options->rules,
		.backend = options->backend,
		.domains = options->domains,
		.boots = COUNTED_BOOTS,
		.boots_agree = agree,
	};

	if (agree)
		say(options, target, "guest instructions: both boots agree to the last digit");
	else
		say(options, target, "guest instructions do not repeat: %s",
		    difference ? difference : "out of memory");
	if (add_rows(&boots[0], &facts, rows))
		return GNT_EXIT_INFRA;
	return agree ? GNT_EXIT_OK : GNT_EXIT_UNEXPECTED;
}

static enum gnt_exit run_counted(const struct gnt_bench_options *options,
				 const struct gnt_target *target, const struct gnt_bench_plan *plan,
				 struct gnt_latency_rows *rows)
{
	/*
	 * A virtio port is attended by QEMU's main loop at moments of the host's choosing, and each
	 * may interrupt the guest; a serial port keeps quiet until the guest writes to it.
	 */
	struct gnt_target quiet = *target;
	struct boot boots[COUNTED_BOOTS] = {{0}};
	enum gnt_exit result = GNT_EXIT_OK;

	quiet.channel = GNT_CHANNEL_SERIAL;

	say(options, target, "booting twice for guest instructions");
	for (int i = 0; i < COUNTED_BOOTS; i++)
		boots[i] = (struct boot){
			.options = options,
			.target = &quiet,
			.plan = plan,
			.requests = gnt_bench_plan_requests(plan),
			.quiet = i > 0,
		};
	if (!boots[0].requests || !boots[1].requests)
		say(options, target, "out of memory");
	if (!boots[0].requests || !boots[1].requests || !run_pair(boots))
		result = GNT_EXIT_INFRA;
	result = gnt_exit_worse(result, say_failures(boots));
	if (result == GNT_EXIT_OK)
		result = compare_boots(options, target, boots, rows);
	for (int i = 0; i < COUNTED_BOOTS; i++)
		boot_fini(&boots[i]);
	return result;
}

static enum gnt_exit run_target(const struct gnt_bench_options *options,
				const struct gnt_target *target, enum gnt_latency_unit unit,
				struct gnt_latency_rows *rows)
{
	const bool counted = unit == GNT_LATENCY_GUEST_INSNS;
	const struct gnt_bench_shape shape = {
		.depths = options->depths ? options->depths : default_depths,
		.depth_count = options->depths ? options->depth_count : 1,
		.rules = options->rules,
		.rounds = counted ? 1 : options->rounds,
		.unit = unit,
		.backend = options->backend,
		.domains = options->domains,
	};
	pcl_cleanup(gnt_bench_plan_fini) struct gnt_bench_plan plan = {0};
	struct gnt_target roomy = *target;

	roomy.memory_mib +=
		options->rules / 1000 * RULES_MIB + options->domains / 1000 * DOMAINS_MIB;
	if (gnt_bench_plan_make(&shape, &plan)) {
		say(options, target, "out of memory");
		return GNT_EXIT_INFRA;
	}
	return counted ? run_counted(options, &roomy, &plan, rows)
		       : run_wall_clock(options, &roomy, &plan, rows);
}

enum gnt_exit gnt_bench_run(const struct gnt_bench_options *options, struct gnt_latency_rows *rows)
{
	enum gnt_exit result = GNT_EXIT_OK;

	for (size_t i = 0; i < options->target_count; i++) {
		for (int unit = 0; unit < GNT_LATENCY_UNIT_COUNT; unit++) {
			if (options->units & 1u << unit)
				result = gnt_exit_worse(result,
							run_target(options, options->targets[i],
								   (enum gnt_latency_unit)unit,
								   rows));
		}
	}
	return result;
}
