/* SPDX-License-Identifier: Apache-2.0 */
/* gauntlet shell TARGET: the guest's shell on this terminal, with the tools at hand. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "cli.h"
#include "guest.h"
#include "own_kernel.h"
#include "paths.h"
#include "select.h"
#include "text.h"

#define SHELL_BOOT_TIMEOUT_MS 60000
#define LOGS_BELOW_ROOT "build/results"

struct shell_command {
	struct gnt_words targets;
	const char *lsm;
	const char *append;
	struct gnt_own_kernel kernel;
};

static void shell_command_fini(struct shell_command *command)
{
	gnt_words_fini(&command->targets);
	gnt_own_kernel_fini(&command->kernel);
}

static int take(void *context, const char *name, const char *value, struct pcl_diag *diag)
{
	struct shell_command *command = context;
	int taken = gnt_own_kernel_take(&command->kernel, name, value, diag);

	if (taken <= 0)
		return taken;
	if (!name && command->targets.count)
		return pcl_diag_set(diag, -EINVAL, "one target at a time, not also \"%s\"", value);
	if (!name)
		return gnt_words_add(&command->targets, value, diag);
	if (strcmp(name, "--append") == 0)
		command->append = value;
	else
		command->lsm = value;
	return 0;
}

static const struct gnt_cli cli = {
	.usage = "gauntlet shell TARGET [OPTION...]",
	.about =
		"An interactive shell in the guest; portcullis and the replay programs are on its\n"
		"PATH. The guest ends when the shell does.",
	.options =
		(const struct gnt_cli_option[]){
			{"--lsm", "LIST", "boot with this lsm= list instead of the target's"},
			{"--append", "WORDS", "more words on the kernel's command line"},
			GNT_OWN_KERNEL_OPTIONS,
			{0},
		},
	.take = take,
};

static int make_log_dir(const char *target, char **ret_dir, struct pcl_diag *diag)
{
	pcl_autofree char *root = NULL, *dir = NULL;
	int error = gnt_path_below_root(LOGS_BELOW_ROOT, &root, diag);

	if (error)
		return error;
	dir = gnt_text_new("%s/shell-%s", root, target);
	if (!dir)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	if ((mkdir(root, 0777) != 0 && errno != EEXIST) ||
	    (mkdir(dir, 0777) != 0 && errno != EEXIST))
		return pcl_diag_errno(diag, -errno, "cannot make %s", dir);
	*ret_dir = pcl_take_ptr(dir);
	return 0;
}

static void free_vm(struct gnt_vm **vm)
{
	gnt_vm_free(vm);
}

static int run_shell(const struct shell_command *command, const struct gnt_target *target,
		     struct pcl_diag *diag)
{
	struct gnt_vm *vm pcl_cleanup(free_vm) = NULL;
	pcl_autofree char *logs = NULL;
	enum gnt_vm_state state;
	struct gnt_vm_options options = {
		.target = target,
		.kernel_path = command->kernel.image_path,
		.modules_dir = command->kernel.modules_path,
		.lsm = command->lsm,
		.append = command->append,
		.flags = GNT_VM_INTERACTIVE,
		.boot_timeout_ms = SHELL_BOOT_TIMEOUT_MS,
	};
	int error = make_log_dir(target->id, &logs, diag);

	options.log_dir = logs;
	if (!error)
		error = gnt_vm_start(&options, &vm, &state, diag);
	if (!error)
		error = gnt_vm_wait(vm, diag);
	return error;
}

int gnt_cmd_shell(int argc, char **argv)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct shell_command command pcl_cleanup(shell_command_fini) = {0};
	struct gnt_stock stock pcl_cleanup(gnt_stock_fini) = {0};
	pcl_autofree const struct gnt_target **targets = NULL;
	size_t count = 0;
	int code = gnt_cli_parse(&cli, argc, argv, &command), error;

	if (code != GNT_CLI_GO)
		return code;
	if (!command.targets.count) {
		(void)pcl_diag_set(&diag, -EINVAL,
				   "a shell in which target? (gauntlet list targets)");
		return gnt_cli_fail(GNT_EXIT_USAGE, &diag);
	}
	error = gnt_own_kernel_prepare(&command.kernel, &diag);
	if (error)
		return gnt_cli_fail(gnt_own_kernel_exit(error), &diag);
	if (gnt_stock_load_targets(&stock, &diag) != 0 ||
	    gnt_select_targets(&stock, &command.targets, &targets, &count, &diag) != 0)
		return gnt_cli_fail(GNT_EXIT_USAGE, &diag);
	if (run_shell(&command, targets[0], &diag) != 0)
		return gnt_cli_fail(GNT_EXIT_INFRA, &diag);
	return GNT_EXIT_OK;
}
