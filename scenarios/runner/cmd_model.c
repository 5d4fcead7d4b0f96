/* SPDX-License-Identifier: Apache-2.0 */
/* gauntlet model: random policies and operations, the model's word against the kernel's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "agree.h"
#include "base/cleanup.h"
#include "cli.h"
#include "guest.h"
#include "paths.h"
#include "select.h"
#include "text.h"
#include "verdict.h"

#define BOOT_TIMEOUT_MS 120000
#define RESULTS_BELOW_ROOT "build/results"
#define DEFAULT_OPERATIONS "20000"
/* A busy machine with an emulated processor does few a second. */
#define OPERATION_MS 200
#define LEAST_MS 300000
#define OPERATIONS_MAX 30000000
/* What the guest puts around a case file, and before what it says to people. */
#define CASE_MARK "----\n"
#define TELL_MARK "model: "
#define COUNTS_MARK "{\"backend\""
/* Of so many operations what is told fits into what the guest keeps of a program's output. */
#define COMMON_MAX 20000

#define auto_json pcl_cleanup(json_decrefp) json_t *

struct model_command {
	struct gnt_words targets;
	const char *backend, *seed, *operations, *results, *kernel, *modules;
	int operation_count;
	bool common;
};

static void model_command_fini(struct model_command *command)
{
	gnt_words_fini(&command->targets);
}

static int take(void *context, const char *name, const char *value, struct pcl_diag *diag)
{
	struct model_command *command = context;
	int number;

	if (!name)
		return pcl_diag_set(diag, -EINVAL, "\"%s\" is no option; targets are named by --on",
				    value);
	if (strcmp(name, "--on") == 0)
		return gnt_words_add(&command->targets, value, diag);
	if (strcmp(name, "--backend") == 0)
		command->backend = value;
	else if (strcmp(name, "--common") == 0)
		command->common = true;
	else if (strcmp(name, "--results") == 0)
		command->results = value;
	else if (strcmp(name, "--kernel") == 0)
		command->kernel = value;
	else if (strcmp(name, "--modules") == 0)
		command->modules = value;
	else if (strcmp(name, "--seed") == 0) {
		command->seed = value;
		return gnt_cli_number(name, value, 0, 2000000000, &number, diag);
	} else {
		command->operations = value;
		return gnt_cli_number(name, value, 1, OPERATIONS_MAX, &command->operation_count,
				      diag);
	}
	return 0;
}

static const struct gnt_cli cli = {
	.usage = "gauntlet model --on TARGET... [OPTION...]\n"
		 "       gauntlet model --common --on TARGET... [OPTION...]",
	.about =
		"Draws policy sets and operations, does the operations in the guest, and compares\n"
		"errno and alerts with the model's decision. A difference is made smaller and kept\n"
		"as a case file. The same seed draws the same.\n"
		"With --common each target has bpf and another LSM, all of one kernel. All backends\n"
		"do the same operations, each on the first target that has it and but for what one\n"
		"does not take, and are compared with each other, too.",
	.options =
		(const struct gnt_cli_option[]){
			{"--on", "TARGET", "where; may be given more than once"},
			{"--backend", "NAME", "what enforces (bpf_lsm)"},
			{"--common", NULL, "all backends of the targets, and whether they agree"},
			{"--seed", "N", "of the first policy set (1)"},
			{"--operations", "N", "how many at least (" DEFAULT_OPERATIONS ")"},
			{"--kernel", "BZIMAGE", "boot this kernel instead of the target's"},
			{"--modules", "DIR", "its lib/modules/VERSION"},
			{"--results", "DIR",
			 "where logs and cases go (" RESULTS_BELOW_ROOT "/model)"},
			{0},
		},
	.take = take,
};

static int make_dir(const char *dir, struct pcl_diag *diag)
{
	return mkdir(dir, 0777) != 0 && errno != EEXIST
		       ? pcl_diag_errno(diag, -errno, "cannot make %s", dir)
		       : 0;
}

static int make_log_dir(const struct model_command *command, const char *target, char **ret_dir,
			struct pcl_diag *diag)
{
	pcl_autofree char *root = NULL, *all = NULL, *dir = NULL;
	int error = gnt_path_below_root(RESULTS_BELOW_ROOT, &root, diag);

	if (error)
		return error;
	all = command->results ? strdup(command->results) : gnt_text_new("%s/model", root);
	dir = all ? gnt_text_new("%s/%s", all, target) : NULL;
	if (!dir)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	if (!command->results)
		error = make_dir(root, diag);
	if (!error)
		error = make_dir(all, diag);
	if (!error)
		error = make_dir(dir, diag);
	if (!error)
		*ret_dir = pcl_take_ptr(dir);
	return error;
}

static int write_file(const char *path, const char *text, size_t len, struct pcl_diag *diag)
{
	pcl_autofclose FILE *out = fopen(path, "w");

	if (!out || fwrite(text, 1, len, out) != len)
		return pcl_diag_errno(diag, -EIO, "cannot write %s", path);
	return 0;
}

/* Keeps the case of a difference as a file, and prints the rest of what the guest said. */
static int tell_difference(const char *text, const char *dir, const char *name,
			   struct pcl_diag *diag)
{
	const char *begin = strstr(text, CASE_MARK), *end = NULL;
	pcl_autofree char *area = gnt_text_new("%s/model", dir);
	pcl_autofree char *path = gnt_text_new("%s/model/%s.yaml", dir, name);
	int error;

	if (begin)
		end = strstr(begin + strlen(CASE_MARK), CASE_MARK);
	if (!begin || !end || !area || !path) {
		fputs(text, stdout);
		return 0;
	}
	begin += strlen(CASE_MARK);
	printf("%.*s", (int)(begin - text - (ptrdiff_t)strlen(CASE_MARK)), text);
	error = make_dir(area, diag);
	if (!error)
		error = write_file(path, begin, (size_t)(end - begin), diag);
	if (!error)
		printf("do it again: %s run model/%s --cases %s --on TARGET\n", gnt_program, name,
		       dir);
	return error;
}

/* Behind what was told of each operation. */
static const char *told(const char *text)
{
	const char *behind = strstr(text, "\n" TELL_MARK);

	if (!strncmp(text, TELL_MARK, strlen(TELL_MARK)))
		return text;
	return behind ? behind + 1 : text;
}

static enum gnt_exit exit_of(const struct gnt_exec_result *result, const char *target,
			     const char *dir, struct pcl_diag *diag)
{
	const char *counts = strstr(result->out, COUNTS_MARK);

	if (result->timed_out) {
		(void)pcl_diag_set(diag, -ETIMEDOUT, "%s: the guest did not come to an end",
				   target);
		return GNT_EXIT_HANG;
	}
	if (result->exit_code == 1)
		return tell_difference(told(result->out), dir, "difference", diag)
			       ? GNT_EXIT_INFRA
			       : GNT_EXIT_UNEXPECTED;
	if (result->exit_code != 0 || !counts) {
		(void)pcl_diag_set(diag, -EIO, "%s: the guest cannot: %s", target, result->err);
		return result->exit_code == 3 ? GNT_EXIT_ENV_UNMET : GNT_EXIT_INFRA;
	}
	return GNT_EXIT_OK;
}

static enum gnt_exit exit_of_state(enum gnt_vm_state state)
{
	if (state == GNT_VM_PANIC || state == GNT_VM_SPLAT)
		return GNT_EXIT_PANIC;
	return state == GNT_VM_HANG ? GNT_EXIT_HANG : GNT_EXIT_INFRA;
}

static void free_vm(struct gnt_vm **vm)
{
	gnt_vm_free(vm);
}

static enum gnt_exit boot(const struct model_command *command, const struct gnt_target *target,
			  char **ret_dir, struct gnt_vm **ret_vm, struct pcl_diag *diag)
{
	enum gnt_vm_state state = GNT_VM_OFF;
	struct gnt_vm_options options = {.target = target,
					 .kernel_path = command->kernel,
					 .modules_dir = command->modules,
					 .boot_timeout_ms = BOOT_TIMEOUT_MS};

	if (make_log_dir(command, target->id, ret_dir, diag))
		return GNT_EXIT_INFRA;
	options.log_dir = *ret_dir;
	return gnt_vm_start(&options, ret_vm, &state, diag) ? exit_of_state(state) : GNT_EXIT_OK;
}

/* more: two more words of the command line, NULL: none. */
static enum gnt_exit run_model(const struct model_command *command, struct gnt_vm *vm,
			       const struct gnt_target *target, const char *backend,
			       const char *const more[2], struct gnt_exec_result *ret_result,
			       struct pcl_diag *diag)
{
	const char *argv[] = {
		GNT_GUEST_TOOLS "/model", "--seed",    command->seed, "--operations",
		command->operations,	  "--backend", backend,	      more ? more[0] : NULL,
		more ? more[1] : NULL,	  NULL};
	long long limit_ms = (long long)command->operation_count * OPERATION_MS;
	struct gnt_exec exec = {.argv = argv,
				.timeout_ms = (int)(limit_ms < LEAST_MS	    ? LEAST_MS
						    : limit_ms > 2000000000 ? 2000000000
									    : limit_ms)};
	enum gnt_vm_state state;

	if (gnt_guest_exec(vm, &exec, ret_result, diag))
		return exit_of_state(gnt_vm_state(vm));
	state = gnt_vm_state(vm);
	if (state == GNT_VM_RUNNING)
		return GNT_EXIT_OK;
	(void)pcl_diag_set(diag, -EIO, "%s: %s", target->id, gnt_vm_state_detail(vm));
	return exit_of_state(state);
}

static enum gnt_exit run_on(const struct model_command *command, const struct gnt_target *target,
			    struct pcl_diag *diag)
{
	struct gnt_exec_result result pcl_cleanup(gnt_exec_result_fini) = {0};
	struct gnt_vm *vm pcl_cleanup(free_vm) = NULL;
	pcl_autofree char *dir = NULL;
	enum gnt_exit exit = boot(command, target, &dir, &vm, diag);

	if (!exit)
		exit = run_model(command, vm, target, command->backend, NULL, &result, diag);
	if (exit)
		return exit;
	exit = exit_of(&result, target->id, dir, diag);
	if (!exit)
		printf("%s: %s", target->id, strstr(result.out, COUNTS_MARK));
	return exit;
}

static enum gnt_exit run_each(const struct model_command *command,
			      const struct gnt_target *const *targets, size_t count,
			      struct pcl_diag *diag)
{
	enum gnt_exit worst = GNT_EXIT_OK;

	for (size_t i = 0; i < count; i++) {
		enum gnt_exit exit = run_on(command, targets[i], diag);

		if (diag->error)
			(void)gnt_cli_fail(exit, diag);
		pcl_diag_fini(diag);
		*diag = (struct pcl_diag){0};
		worst = gnt_exit_worse(worst, exit);
	}
	return worst;
}

/* --- backends with each other ------------------------------------------------------------------
 */

/* The backend beside BPF-LSM; NULL: the target does not have two. */
static const char *beside_bpf(const struct gnt_target *target)
{
	if (!gnt_target_has_lsm(target, "bpf"))
		return NULL;
	if (gnt_target_has_lsm(target, "apparmor"))
		return "apparmor";
	return gnt_target_has_lsm(target, "selinux") ? "selinux" : NULL;
}

static int check_common(const struct model_command *command,
			const struct gnt_target *const *targets, size_t count,
			struct pcl_diag *diag)
{
	if (command->backend)
		return pcl_diag_set(diag, -EINVAL,
				    "--common takes all backends, so --backend says nothing");
	if (command->operation_count > COMMON_MAX)
		return pcl_diag_set(diag, -EINVAL,
				    "--common does up to %d operations; more with another --seed",
				    COMMON_MAX);
	for (size_t i = 0; i < count; i++) {
		if (!beside_bpf(targets[i]))
			return pcl_diag_set(diag, -EINVAL,
					    "%s does not have bpf and another LSM, as in "
					    "debian-6.1+selinux+bpf",
					    targets[i]->id);
		if (strcmp(targets[i]->version, targets[0]->version) != 0)
			return pcl_diag_set(diag, -EINVAL, "%s and %s have different kernels",
					    targets[0]->id, targets[i]->id);
	}
	return 0;
}

/* Adds what one backend did in a guest. runs: what it counted. */
static enum gnt_exit run_backend(const struct model_command *command, struct gnt_vm *vm,
				 const struct gnt_target *target, const char *backend,
				 const char *beside, const char *dir, struct gnt_agree *agree,
				 json_t *runs, struct pcl_diag *diag)
{
	struct gnt_exec_result result pcl_cleanup(gnt_exec_result_fini) = {0};
	const char *const more[] = {"--beside", beside};
	enum gnt_exit exit = run_model(command, vm, target, backend, more, &result, diag);
	json_t *counts;

	if (!exit)
		exit = exit_of(&result, target->id, dir, diag);
	if (exit)
		return exit;
	if (gnt_agree_add(agree, backend, target->id, result.out, diag))
		return GNT_EXIT_INFRA;
	counts = json_loads(strstr(result.out, COUNTS_MARK), 0, NULL);
	if (!counts || json_object_set_new(counts, "target", json_string(target->id)) ||
	    json_array_append_new(runs, counts)) {
		(void)pcl_diag_set(diag, -EIO, "%s: what the guest counted cannot be read",
				   target->id);
		return GNT_EXIT_INFRA;
	}
	return GNT_EXIT_OK;
}

static bool has_run(const json_t *runs, const char *backend)
{
	const json_t *run;
	size_t i;

	json_array_foreach(runs, i, run) {
		if (!strcmp(json_string_value(json_object_get(run, "backend")), backend))
			return true;
	}
	return false;
}

/* What the target's backends do, but for one that has done it on another target. */
static enum gnt_exit run_both(const struct model_command *command, const struct gnt_target *target,
			      struct gnt_agree *agree, json_t *runs, struct pcl_diag *diag)
{
	struct gnt_vm *vm pcl_cleanup(free_vm) = NULL;
	pcl_autofree char *dir = NULL;
	const char *const backends[] = {"bpf_lsm", beside_bpf(target)};
	enum gnt_exit exit = boot(command, target, &dir, &vm, diag);

	for (size_t i = 0; !exit && i < PCL_ARRAY_SIZE(backends); i++)
		if (!has_run(runs, backends[i]))
			exit = run_backend(command, vm, target, backends[i], backends[!i], dir,
					   agree, runs, diag);
	return exit;
}

/* Has a guest print the case of one. */
static int tell_case(struct gnt_vm *vm, const struct gnt_agree_difference *difference,
		     const char *dir, struct pcl_diag *diag)
{
	struct gnt_exec_result result pcl_cleanup(gnt_exec_result_fini) = {0};
	pcl_autofree char *seed = gnt_text_new("%llu", difference->seed);
	pcl_autofree char *index = gnt_text_new("%lu", difference->index);
	pcl_autofree char *name =
		gnt_text_new("difference-%llu-%lu", difference->seed, difference->index);
	const char *argv[] = {GNT_GUEST_TOOLS "/model",
			      "--seed",
			      seed,
			      "--backend",
			      "bpf_lsm",
			      "--beside",
			      "bpf_lsm",
			      "--print",
			      index,
			      NULL};
	const struct gnt_exec exec = {.argv = argv, .timeout_ms = LEAST_MS};
	int error;

	if (!seed || !index || !name)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	printf("%s\n", difference->text);
	error = gnt_guest_exec(vm, &exec, &result, diag);
	return error ? error : tell_difference(result.out, dir, name, diag);
}

static enum gnt_exit tell_disagreement(const struct model_command *command,
				       const struct gnt_target *target,
				       const struct gnt_agreement *agreement, struct pcl_diag *diag)
{
	struct gnt_vm *vm pcl_cleanup(free_vm) = NULL;
	pcl_autofree char *dir = NULL;
	enum gnt_exit exit = boot(command, target, &dir, &vm, diag);

	for (size_t i = 0; !exit && i < agreement->told_count; i++)
		if (tell_case(vm, &agreement->told[i], dir, diag))
			exit = GNT_EXIT_INFRA;
	return exit ? exit : GNT_EXIT_UNEXPECTED;
}

static json_t *json_of_named(const struct gnt_agree_backend *backend)
{
	json_t *named = json_object();

	for (size_t i = 0; i < backend->named_count; i++)
		(void)json_object_set_new(named, backend->named[i].word,
					  json_integer((json_int_t)backend->named[i].pairs));
	return named;
}

static int print_agreement(const struct gnt_agreement *agreement, json_t *runs)
{
	auto_json all =
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:{}, s:O}", "operations",
			  (json_int_t)agreement->operations, "by_three",
			  (json_int_t)agreement->by_three, "pairs", (json_int_t)agreement->pairs,
			  "alike", (json_int_t)agreement->alike, "differences",
			  (json_int_t)agreement->differences, "backends", "runs", runs);
	json_t *backends = json_object_get(all, "backends");
	pcl_autofree char *text = NULL;

	for (size_t b = 0; b < agreement->backend_count; b++) {
		const struct gnt_agree_backend *backend = &agreement->backends[b];

		(void)json_object_set_new(backends, backend->name,
					  json_pack("{s:I, s:o}", "compared",
						    (json_int_t)backend->compared,
						    "not_alike_as_named", json_of_named(backend)));
	}
	text = json_dumps(all, JSON_SORT_KEYS);
	return text ? printf("common: %s\n", text) < 0 : -ENOMEM;
}

static enum gnt_exit judge(const struct model_command *command, const struct gnt_target *target,
			   struct gnt_agree *agree, json_t *runs, struct pcl_diag *diag)
{
	struct gnt_agreement agreement pcl_cleanup(gnt_agreement_fini) = {0};

	if (gnt_agree_compare(agree, &agreement, diag) || print_agreement(&agreement, runs))
		return GNT_EXIT_INFRA;
	if (agreement.differences)
		return tell_disagreement(command, target, &agreement, diag);
	for (size_t b = 0; b < agreement.backend_count; b++)
		if (agreement.backends[b].compared < (unsigned long)command->operation_count) {
			(void)pcl_diag_set(
				diag, -ERANGE,
				"%s was compared of %lu operations with another backend, "
				"and %d were asked for",
				agreement.backends[b].name, agreement.backends[b].compared,
				command->operation_count);
			return GNT_EXIT_UNEXPECTED;
		}
	return GNT_EXIT_OK;
}

static enum gnt_exit run_common(const struct model_command *command,
				const struct gnt_target *const *targets, size_t count,
				struct pcl_diag *diag)
{
	struct gnt_agree *agree pcl_cleanup(gnt_agree_free) = NULL;
	auto_json runs = json_array();
	enum gnt_exit exit = GNT_EXIT_OK;

	if (check_common(command, targets, count, diag))
		return gnt_cli_fail(GNT_EXIT_USAGE, diag);
	if (gnt_agree_new(&agree, diag))
		exit = GNT_EXIT_INFRA;
	for (size_t i = 0; !exit && i < count; i++)
		exit = run_both(command, targets[i], agree, runs, diag);
	if (!exit)
		exit = judge(command, targets[0], agree, runs, diag);
	if (diag->error)
		(void)gnt_cli_fail(exit, diag);
	return exit;
}

int gnt_cmd_model(int argc, char **argv)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct model_command command pcl_cleanup(model_command_fini) = {.seed = "1",
									.operations =
										DEFAULT_OPERATIONS,
									.operation_count = 20000};
	struct gnt_stock stock pcl_cleanup(gnt_stock_fini) = {0};
	pcl_autofree const struct gnt_target **targets = NULL;
	size_t count = 0;
	int code = gnt_cli_parse(&cli, argc, argv, &command);

	if (code != GNT_CLI_GO)
		return code;
	if (!command.targets.count) {
		(void)pcl_diag_set(&diag, -EINVAL,
				   "on which target? say --on TARGET (gauntlet list "
				   "targets)");
		return gnt_cli_fail(GNT_EXIT_USAGE, &diag);
	}
	if (gnt_stock_load_targets(&stock, &diag) != 0 ||
	    gnt_select_targets(&stock, &command.targets, &targets, &count, &diag) != 0)
		return gnt_cli_fail(GNT_EXIT_USAGE, &diag);
	if (command.common)
		return run_common(&command, targets, count, &diag);
	if (!command.backend)
		command.backend = "bpf_lsm";
	return run_each(&command, targets, count, &diag);
}
