/* SPDX-License-Identifier: Apache-2.0 */
/* gauntlet model: random policies and operations, the model's word against the kernel's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
/* What the guest puts around a case file. */
#define CASE_MARK "----\n"

struct model_command {
	struct gnt_words targets;
	const char *backend, *seed, *operations, *results, *kernel, *modules;
	int operation_count;
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
	.usage = "gauntlet model --on TARGET... [OPTION...]",
	.about =
		"Draws policy sets and operations, does the operations in the guest, and compares\n"
		"errno and alerts with the model's decision. A difference is made smaller and kept\n"
		"as a case file. The same seed draws the same.",
	.options =
		(const struct gnt_cli_option[]){
			{"--on", "TARGET", "where; may be given more than once"},
			{"--backend", "NAME", "what enforces (bpf_lsm)"},
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
static int tell_difference(const char *text, const char *dir, struct pcl_diag *diag)
{
	const char *begin = strstr(text, CASE_MARK), *end = NULL;
	pcl_autofree char *area = gnt_text_new("%s/model", dir);
	pcl_autofree char *path = gnt_text_new("%s/model/difference.yaml", dir);
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
		printf("do it again: %s run model/difference --cases %s --on TARGET\n", gnt_program,
		       dir);
	return error;
}

static enum gnt_exit exit_of(const struct gnt_exec_result *result, const char *target,
			     const char *dir, struct pcl_diag *diag)
{
	const char *counts = strstr(result->out, "{\"backend\"");

	if (result->timed_out) {
		(void)pcl_diag_set(diag, -ETIMEDOUT, "%s: the guest did not come to an end",
				   target);
		return GNT_EXIT_HANG;
	}
	if (result->exit_code == 1)
		return tell_difference(result->out, dir, diag) ? GNT_EXIT_INFRA
							       : GNT_EXIT_UNEXPECTED;
	if (result->exit_code != 0 || !counts) {
		(void)pcl_diag_set(diag, -EIO, "%s: the guest cannot: %s", target, result->err);
		return result->exit_code == 3 ? GNT_EXIT_ENV_UNMET : GNT_EXIT_INFRA;
	}
	printf("%s: %s", target, counts);
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

static enum gnt_exit run_on(const struct model_command *command, const struct gnt_target *target,
			    struct pcl_diag *diag)
{
	struct gnt_exec_result result pcl_cleanup(gnt_exec_result_fini) = {0};
	struct gnt_vm *vm pcl_cleanup(free_vm) = NULL;
	pcl_autofree char *dir = NULL;
	enum gnt_vm_state state = GNT_VM_OFF;
	struct gnt_vm_options options = {.target = target,
					 .kernel_path = command->kernel,
					 .modules_dir = command->modules,
					 .boot_timeout_ms = BOOT_TIMEOUT_MS};
	const char *argv[] = {
		GNT_GUEST_TOOLS "/model", "--seed",    command->seed,	 "--operations",
		command->operations,	  "--backend", command->backend, NULL};
	long long limit_ms = (long long)command->operation_count * OPERATION_MS;
	struct gnt_exec exec = {.argv = argv,
				.timeout_ms = (int)(limit_ms < LEAST_MS	    ? LEAST_MS
						    : limit_ms > 2000000000 ? 2000000000
									    : limit_ms)};

	if (make_log_dir(command, target->id, &dir, diag))
		return GNT_EXIT_INFRA;
	options.log_dir = dir;
	if (gnt_vm_start(&options, &vm, &state, diag))
		return exit_of_state(state);
	if (gnt_guest_exec(vm, &exec, &result, diag))
		return exit_of_state(gnt_vm_state(vm));
	state = gnt_vm_state(vm);
	if (state != GNT_VM_RUNNING) {
		(void)pcl_diag_set(diag, -EIO, "%s: %s", target->id, gnt_vm_state_detail(vm));
		return exit_of_state(state);
	}
	return exit_of(&result, target->id, dir, diag);
}

int gnt_cmd_model(int argc, char **argv)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct model_command command pcl_cleanup(model_command_fini) = {.backend = "bpf_lsm",
									.seed = "1",
									.operations =
										DEFAULT_OPERATIONS,
									.operation_count = 20000};
	struct gnt_stock stock pcl_cleanup(gnt_stock_fini) = {0};
	pcl_autofree const struct gnt_target **targets = NULL;
	enum gnt_exit worst = GNT_EXIT_OK;
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
	for (size_t i = 0; i < count; i++) {
		enum gnt_exit exit = run_on(&command, targets[i], &diag);

		if (diag.error)
			(void)gnt_cli_fail(exit, &diag);
		pcl_diag_fini(&diag);
		diag = (struct pcl_diag){0};
		worst = gnt_exit_worse(worst, exit);
	}
	return worst;
}
