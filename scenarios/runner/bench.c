/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gauntlet bench: the bench's command line. Progress goes to standard error, the table to standard
 * output, everything to results.json; rows that were measured are kept whatever failed after them.
 */
#include "bench.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bench_policy.h"
#include "cli.h"
#include "own_kernel.h"
#include "paths.h"
#include "results.h"
#include "select.h"
#include "text.h"

/* Depths in one --depth list; more is a campaign, not a bench. */
#define DEPTHS_MAX 16
/* What is promised of a node. */
#define DOMAINS_MAX 10000

#ifdef PCL_SANITIZED
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

struct bench_command {
	struct gnt_words targets;
	struct gnt_own_kernel kernel;
	const char *results;
	int depths[DEPTHS_MAX];
	size_t depth_count;
	int rounds;
	int rules;
	int domains;
	enum gnt_bench_backend backend;
	unsigned units;
};

static void bench_command_fini(struct bench_command *command)
{
	gnt_words_fini(&command->targets);
	gnt_own_kernel_fini(&command->kernel);
}

static int take_depths(struct bench_command *command, const char *value, struct pcl_diag *diag)
{
	pcl_autofree char *copy = strdup(value);
	char *rest = copy, *word;

	if (!copy)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	command->depth_count = 0;
	while ((word = strsep(&rest, ",")) != NULL) {
		int error;

		if (command->depth_count == DEPTHS_MAX)
			return pcl_diag_set(diag, -EINVAL, "--depth takes at most %d depths",
					    DEPTHS_MAX);
		error = gnt_cli_number("--depth", word, 1, GNT_BENCH_DEPTH_MAX,
				       &command->depths[command->depth_count], diag);
		if (error)
			return error;
		command->depth_count++;
	}
	return 0;
}

static int take_unit(struct bench_command *command, const char *value, struct pcl_diag *diag)
{
	static const struct {
		const char *word;
		unsigned units;
	} words[] = {
		{"ns", GNT_BENCH_NS},
		{"guest_insns", GNT_BENCH_GUEST_INSNS},
		{"both", GNT_BENCH_NS | GNT_BENCH_GUEST_INSNS},
	};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].word, value) != 0)
			continue;
		command->units = words[i].units;
		return 0;
	}
	return pcl_diag_set(diag, -EINVAL, "--unit is ns, guest_insns or both, not \"%s\"", value);
}

static int take_backend(struct bench_command *command, const char *value, struct pcl_diag *diag)
{
	for (int i = 0; i < GNT_BENCH_BACKEND_COUNT; i++) {
		if (strcmp(gnt_bench_backend_name((enum gnt_bench_backend)i), value) != 0)
			continue;
		command->backend = (enum gnt_bench_backend)i;
		return 0;
	}
	return pcl_diag_set(diag, -EINVAL, "--backend is bpf_lsm, apparmor or selinux, not \"%s\"",
			    value);
}

static int take(void *context, const char *name, const char *value, struct pcl_diag *diag)
{
	struct bench_command *command = context;
	int taken = gnt_own_kernel_take(&command->kernel, name, value, diag);

	if (taken <= 0)
		return taken;
	if (!name)
		return pcl_diag_set(diag, -EINVAL, "bench takes no \"%s\": targets go with --on",
				    value);
	if (strcmp(name, "--on") == 0)
		return gnt_words_add(&command->targets, value, diag);
	if (strcmp(name, "--unit") == 0)
		return take_unit(command, value, diag);
	if (strcmp(name, "--backend") == 0)
		return take_backend(command, value, diag);
	if (strcmp(name, "--depth") == 0)
		return take_depths(command, value, diag);
	if (strcmp(name, "--rounds") == 0)
		return gnt_cli_number(name, value, 1, GNT_BENCH_ROUNDS_MAX, &command->rounds, diag);
	if (strcmp(name, "--rules") == 0)
		return gnt_cli_number(name, value, GNT_BENCH_RULES_MIN, GNT_BENCH_RULES_MAX,
				      &command->rules, diag);
	if (strcmp(name, "--containers") == 0) {
		command->domains = command->domains ? command->domains : 1;
		return 0;
	}
	if (strcmp(name, "--domains") == 0)
		return gnt_cli_number(name, value, 1, DOMAINS_MAX, &command->domains, diag);
	if (!*value)
		return pcl_diag_set(diag, -EINVAL, "%s needs a value", name);
	command->results = value;
	return 0;
}

static const struct gnt_cli cli = {
	.usage = "gauntlet bench [OPTION...]",
	.about =
		"Measures what an open and an exec cost in each target with nothing attached, with\n"
		"the LSM at its emptiest (the floor) and with portcullis under rules that do not match.\n"
		"Wall clock in one boot, in turns; instructions under deterministic time in two boots\n"
		"that must count the same. Writes results.json.\n"
		"\n"
		"Exit: 0 measured, 1 two boots did not count the same or a contender was not on or off\n"
		"as it should be, 2 usage, 3 a target cannot enforce, 4 kernel panic or splat, 5 hang,\n"
		"6 infrastructure. The most serious wins.",
	.options =
		(const struct gnt_cli_option[]){
			{"--on", "TARGET",
			 "measure this target (repeat; default: the usual ones of the backend)"},
			GNT_OWN_KERNEL_OPTIONS,
			{"--backend", "NAME", "bpf_lsm, apparmor or selinux (default bpf_lsm)"},
			{"--unit", "UNIT", "ns, guest_insns or both (default both)"},
			{"--rounds", "N", "rounds of wall clock (default 3)"},
			{"--rules", "N", "rules that do not match (default 100)"},
			{"--depth", "D,...", "directories above the file (default 6)"},
			{"--containers", NULL,
			 "also measure where the rules are a container's: its task, the host's"},
			{"--domains", "N", "the same with N containers that have rules"},
			{"--results", "DIR", "write here (default build/results/RUN-ID)"},
			{0},
		},
	.take = take,
};

static_assert(GNT_BENCH_ROUNDS_DEFAULT == 3 && GNT_BENCH_RULES_DEFAULT == 100 &&
		      GNT_BENCH_DEPTH_DEFAULT == 6,
	      "the help names the defaults");

/* The targets named; without names the usual ones that have the backend's LSM. ret_targets is an
 * owned array. */
static int choose(const struct bench_command *command, struct gnt_stock *stock,
		  const struct gnt_target ***ret_targets, size_t *ret_count, struct pcl_diag *diag)
{
	pcl_autofree const struct gnt_target **targets = NULL;
	const char *lsm = gnt_bench_backend_lsm(command->backend);
	size_t count = 0, kept = 0;
	int error = gnt_stock_load_targets(stock, diag);

	if (!error)
		error = gnt_select_targets(stock, &command->targets, &targets, &count, diag);
	if (error)
		return error;
	for (size_t i = 0; i < count; i++) {
		if (command->targets.count || gnt_target_has_lsm(targets[i], lsm))
			targets[kept++] = targets[i];
	}
	if (!kept)
		return pcl_diag_set(diag, -ENOENT,
				    "no usual target in vm-images/ has %s in its lsm", lsm);
	*ret_targets = pcl_take_ptr(targets);
	*ret_count = kept;
	return 0;
}

static void say(void *context, const char *target, const char *line)
{
	(void)context;
	fprintf(stderr, "%s: %s\n", target, line);
}

/* Keeps what the guest said of itself. */
static void booted(void *context, const struct gnt_target *target, const struct gnt_vm *vm)
{
	struct gnt_results *results = context;
	const json_t *hello = gnt_vm_hello(vm);
	json_t *record = json_pack("{s:s, s:s, s:O?, s:O?, s:s*, s:i}", "id", target->id, "kernel",
				   target->version, "release", json_object_get(hello, "kernel"),
				   "lsm", json_object_get(hello, "lsm"), "stands_for",
				   target->stands_for, "boot_ms", gnt_vm_boot_ms(vm));

	gnt_results_add_accel(results, gnt_vm_accel(vm));
	if (record)
		gnt_results_take_target(results, record);
}

static int finish(struct gnt_results *results, const struct gnt_latency_rows *rows, const char *dir,
		  const struct bench_command *command, enum gnt_exit code)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_autofree char *table = gnt_latency_rows_table(rows);

	if (rows->count && table)
		printf("\n%sportcullis with %d rules that do not match; floor: %s\n\n", table,
		       command->rules, gnt_bench_backend_floor(command->backend));
	if (gnt_results_add_latency(results, rows, &diag) != 0 ||
	    gnt_results_write(results, dir, &diag) != 0) {
		(void)gnt_cli_fail(GNT_EXIT_INFRA, &diag);
		code = gnt_exit_worse(code, GNT_EXIT_INFRA);
	} else {
		printf("results: %s/results.json\n", dir);
	}
	printf("exit %d: %s\n", (int)code, gnt_exit_text(code));
	return (int)code;
}

static int measure(const struct bench_command *command, const struct gnt_target *const *targets,
		   size_t target_count, struct gnt_results *results)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_cleanup(gnt_latency_rows_fini) struct gnt_latency_rows rows = {0};
	pcl_autofree char *results_root = NULL, *dir = NULL;
	struct gnt_bench_options options = {
		.targets = targets,
		.target_count = target_count,
		.depths = command->depth_count ? command->depths : NULL,
		.depth_count = command->depth_count,
		.rounds = command->rounds,
		.rules = command->rules,
		.backend = command->backend,
		.domains = command->domains,
		.units = command->units,
		.kernel_path = command->kernel.image_path,
		.modules_dir = command->kernel.modules_path,
		.say = say,
		.booted = booted,
		.context = results,
	};
	enum gnt_exit code;

	if (gnt_path_below_root("build/results", &results_root, &diag) != 0 ||
	    gnt_results_dir(results, command->results, results_root, &dir, &diag) != 0)
		return gnt_cli_fail(GNT_EXIT_INFRA, &diag);
	options.log_dir = dir;
	code = gnt_bench_run(&options, &rows);
	return finish(results, &rows, dir, command, code);
}

static char *command_line(int argc, char **argv)
{
	char *text = gnt_text_new("%s", gnt_program);

	for (int i = 0; i < argc; i++)
		(void)gnt_text_set(&text, "%s %s", text ? text : "", argv[i]);
	return text;
}

int gnt_cmd_bench(int argc, char **argv)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct bench_command command pcl_cleanup(bench_command_fini) = {
		.rounds = GNT_BENCH_ROUNDS_DEFAULT,
		.rules = GNT_BENCH_RULES_DEFAULT,
		.units = GNT_BENCH_NS | GNT_BENCH_GUEST_INSNS,
	};
	struct gnt_stock stock pcl_cleanup(gnt_stock_fini) = {0};
	struct gnt_results results pcl_cleanup(gnt_results_fini) = {0};
	pcl_autofree const struct gnt_target **targets = NULL;
	pcl_autofree char *line = command_line(argc, argv);
	size_t target_count = 0;
	int code = gnt_cli_parse(&cli, argc, argv, &command), error;

	if (code != GNT_CLI_GO)
		return code;
	error = gnt_own_kernel_prepare(&command.kernel, &diag);
	if (error)
		return gnt_cli_fail(gnt_own_kernel_exit(error), &diag);
	if (command.domains && command.backend != GNT_BENCH_BPF_LSM) {
		(void)pcl_diag_set(&diag, -EINVAL,
				   "--containers and --domains are measured with bpf_lsm only");
		return gnt_cli_fail(GNT_EXIT_USAGE, &diag);
	}
	if (choose(&command, &stock, &targets, &target_count, &diag) != 0)
		return gnt_cli_fail(GNT_EXIT_USAGE, &diag);
	if (SANITIZED) {
		(void)pcl_diag_set(&diag, -EINVAL,
				   "a build with sanitizers measures nothing: "
				   "build without SAN=1");
		return gnt_cli_fail(GNT_EXIT_USAGE, &diag);
	}
	if (gnt_results_init(&results, line ? line : "gauntlet bench", &diag) != 0)
		return gnt_cli_fail(GNT_EXIT_INFRA, &diag);
	return measure(&command, targets, target_count, &results);
}
