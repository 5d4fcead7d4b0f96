/* SPDX-License-Identifier: Apache-2.0 */
/* gauntlet run: choose, run, write, print. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli.h"
#include "own_kernel.h"
#include "paths.h"
#include "run.h"
#include "select.h"
#include "text.h"

#define JOBS_MAX 64
/* More VMs than this at once need memory rather than cores; ask for them with --jobs. */
#define JOBS_DEFAULT_MAX 4
#define TIMEOUT_MAX_S 3600
#define RESULTS_BELOW_ROOT "build/results"
#define ALLOW_BELOW_ROOT "scenarios/health.yaml"

struct run_command {
	struct gnt_words cases;
	struct gnt_words targets;
	struct gnt_words contenders;
	const char *lsm;
	const char *append;
	struct gnt_own_kernel kernel;
	const char *results;
	const char *corpus;
	const char *cases_dir;
	const char *allow;
	enum gnt_accel accel;
	int jobs;
	int timeout_s;
	bool detach;
};

static void run_command_fini(struct run_command *command)
{
	gnt_words_fini(&command->cases);
	gnt_words_fini(&command->targets);
	gnt_words_fini(&command->contenders);
	gnt_own_kernel_fini(&command->kernel);
}

static int take_accel(struct run_command *command, const char *value, struct pcl_diag *diag)
{
	static const struct {
		const char *word;
		enum gnt_accel accel;
	} words[] = {{"auto", GNT_ACCEL_AUTO}, {"tcg", GNT_ACCEL_TCG}, {"kvm", GNT_ACCEL_KVM}};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].word, value) != 0)
			continue;
		command->accel = words[i].accel;
		return 0;
	}
	return pcl_diag_set(diag, -EINVAL, "--accel is auto, tcg or kvm, not \"%s\"", value);
}

static int take(void *context, const char *name, const char *value, struct pcl_diag *diag)
{
	struct run_command *command = context;
	const struct {
		const char *name;
		const char **text;
	} texts[] = {
		{"--lsm", &command->lsm},	  {"--append", &command->append},
		{"--results", &command->results}, {"--corpus", &command->corpus},
		{"--cases", &command->cases_dir}, {"--allow", &command->allow},
	};
	int taken = gnt_own_kernel_take(&command->kernel, name, value, diag);

	if (taken <= 0)
		return taken;
	if (!name)
		return gnt_words_add(&command->cases, value, diag);
	if (strcmp(name, "--on") == 0)
		return gnt_words_add(&command->targets, value, diag);
	if (strcmp(name, "--contender") == 0)
		return gnt_words_add(&command->contenders, value, diag);
	if (strcmp(name, "--jobs") == 0)
		return gnt_cli_number(name, value, 1, JOBS_MAX, &command->jobs, diag);
	if (strcmp(name, "--timeout") == 0)
		return gnt_cli_number(name, value, 1, TIMEOUT_MAX_S, &command->timeout_s, diag);
	if (strcmp(name, "--detach") == 0) {
		command->detach = true;
		return 0;
	}
	if (strcmp(name, "--accel") == 0)
		return take_accel(command, value, diag);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(texts); i++) {
		if (strcmp(texts[i].name, name) != 0)
			continue;
		if (!*value)
			return pcl_diag_set(diag, -EINVAL, "%s needs a value", name);
		*texts[i].text = value;
	}
	return 0;
}

static const struct gnt_cli cli = {
	.usage = "gauntlet run [CASE...] [OPTION...]",
	.about =
		"Boots each target, replays each case with each contender in three arms, and writes\n"
		"results.json, junit.xml and the console logs. Without words: all cases on the usual\n"
		"targets (list targets --json: usual), contenders none and portcullis. A CASE may also\n"
		"be an area: file, exec, ...; a TARGET also a pattern: 'debian-*+bpf', all\n"
		"\n"
		"Exit: 0 all as expected, 1 an expectation failed, 2 usage or bad case, 3 the target\n"
		"lacks what is needed, 4 kernel panic or splat, 5 hang or time-out, 6 infrastructure,\n"
		"8 broken replay, 9 nothing ran. The most serious wins.",
	.options =
		(const struct gnt_cli_option[]){
			{"--on", "TARGET", "run on this target, or pattern, or all (repeat)"},
			{"--contender", "C", "none, portcullis, portcullis/BACKEND (repeat)"},
			{"--lsm", "LIST", "boot with this lsm= list instead of the target's"},
			{"--append", "WORDS", "more words on the kernel's command line"},
			GNT_OWN_KERNEL_OPTIONS,
			{"--results", "DIR", "write here (default build/results/RUN-ID)"},
			{"--corpus", "DIR", "where the policies of the corpus are"},
			{"--cases", "DIR", "cases from another folder"},
			{"--allow", "FILE",
			 "kernel troubles that do not fail the run (default\n"
			 "                         scenarios/health.yaml)"},
			{"--jobs", "N", "VMs side by side (default: one per core, at most 4)"},
			{"--timeout", "S", "seconds for each program, instead of the case's own"},
			{"--detach", NULL,
			 "let the engine detach its programs between cases: slower on\n"
			 "                         most kernels, but each case has the hooks of its own "
			 "rules"},
			{"--accel", "HOW", "auto, tcg or kvm (default auto: KVM where it works)"},
			{0},
		},
	.take = take,
};

static int default_jobs(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (cpus < 1)
		return 1;
	return cpus > JOBS_DEFAULT_MAX ? JOBS_DEFAULT_MAX : (int)cpus;
}

/* Options that a line to reproduce must repeat. */
static char *reproduce_options(const struct run_command *command)
{
	const struct {
		const char *name;
		const char *value;
	} parts[] = {
		{"--lsm", command->lsm},
		{"--cases", command->cases_dir},
		{"--corpus", command->corpus},
		{"--allow", command->allow},
	};
	char *text = gnt_own_kernel_words(&command->kernel);

	for (size_t i = 0; i < PCL_ARRAY_SIZE(parts); i++)
		if (parts[i].value)
			(void)gnt_text_set(&text, "%s %s %s", text ? text : "", parts[i].name,
					   parts[i].value);
	if (command->append)
		(void)gnt_text_set(&text, "%s --append '%s'", text ? text : "", command->append);
	if (command->detach)
		(void)gnt_text_set(&text, "%s --detach", text ? text : "");
	if (command->timeout_s)
		(void)gnt_text_set(&text, "%s --timeout %d", text ? text : "", command->timeout_s);
	return text;
}

static char *command_line(int argc, char **argv)
{
	char *text = gnt_text_new("%s", gnt_program);

	for (int i = 0; i < argc; i++)
		(void)gnt_text_set(&text, "%s %s", text ? text : "", argv[i]);
	return text;
}

struct selection {
	struct gnt_stock stock;
	struct gnt_health_list allow;
	const struct gnt_case **cases;
	const struct gnt_target **targets;
	const struct gnt_contender **contenders;
	size_t case_count;
	size_t target_count;
	size_t contender_count;
	char *corpus_dir;
};

static void selection_fini(struct selection *selection)
{
	free(selection->cases);
	free(selection->targets);
	free(selection->contenders);
	free(selection->corpus_dir);
	gnt_health_list_fini(&selection->allow);
	gnt_stock_fini(&selection->stock);
}

static int load_allowed(const char *given, struct gnt_health_list *ret_list, struct pcl_diag *diag)
{
	pcl_autofree char *usual = NULL;
	int error = given ? 0 : gnt_path_below_root(ALLOW_BELOW_ROOT, &usual, diag);

	return error ? error : gnt_health_list_load(given ? given : usual, ret_list, diag);
}

static int choose(struct run_command *command, struct selection *s, struct pcl_diag *diag)
{
	int error = gnt_stock_load_cases(&s->stock, command->cases_dir, diag);
	if (!error)
		error = gnt_stock_load_targets(&s->stock, diag);
	if (!error)
		error = gnt_select_cases(&s->stock, &command->cases, &s->cases, &s->case_count,
					 diag);
	if (!error)
		error = gnt_select_targets(&s->stock, &command->targets, &s->targets,
					   &s->target_count, diag);
	if (!error)
		error = gnt_select_contenders(&command->contenders, &s->contenders,
					      &s->contender_count, diag);
	if (!error)
		error = gnt_path_corpus(command->corpus, &s->corpus_dir, diag);
	if (!error)
		error = load_allowed(command->allow, &s->allow, diag);
	return error;
}

static int finish(const struct gnt_results *results, const char *dir)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	enum gnt_exit code = gnt_results_exit(results);

	if (json_object_get(results->run, "interrupted"))
		code = gnt_exit_worse(code, GNT_EXIT_INFRA);
	gnt_results_print(results, stdout);
	if (gnt_results_write(results, dir, &diag) != 0) {
		(void)gnt_cli_fail(GNT_EXIT_INFRA, &diag);
		code = gnt_exit_worse(code, GNT_EXIT_INFRA);
	} else {
		printf("results: %s/results.json\n", dir);
	}
	printf("exit %d: %s\n", (int)code, gnt_exit_text(code));
	return (int)code;
}

static int run_selection(const struct run_command *command, const struct selection *s,
			 struct gnt_results *results)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_autofree char *results_root = NULL, *dir = NULL;
	pcl_autofree char *repeated = reproduce_options(command);
	struct gnt_run_options options = {
		.targets = s->targets,
		.target_count = s->target_count,
		.cases = s->cases,
		.case_count = s->case_count,
		.contenders = s->contenders,
		.contender_count = s->contender_count,
		.kernel = command->kernel.image_path,
		.modules = command->kernel.modules_path,
		.lsm = command->lsm,
		.append = command->append,
		.corpus_dir = s->corpus_dir,
		.reproduce = gnt_program,
		.reproduce_options = repeated ? repeated : "",
		.allow = &s->allow,
		.accel = command->accel,
		.jobs = command->jobs ? command->jobs : default_jobs(),
		.timeout_s = command->timeout_s,
		.detach = command->detach,
	};
	int error = gnt_path_below_root(RESULTS_BELOW_ROOT, &results_root, &diag);

	if (!error)
		error = gnt_results_dir(results, command->results, results_root, &dir, &diag);
	if (error)
		return gnt_cli_fail(GNT_EXIT_INFRA, &diag);
	options.results_dir = dir;
	error = gnt_run(&options, results, &diag);
	if (error)
		return gnt_cli_fail(GNT_EXIT_INFRA, &diag);
	return finish(results, dir);
}

int gnt_cmd_run(int argc, char **argv)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct run_command command pcl_cleanup(run_command_fini) = {0};
	struct selection selection pcl_cleanup(selection_fini) = {0};
	struct gnt_results results pcl_cleanup(gnt_results_fini) = {0};
	pcl_autofree char *line = command_line(argc, argv);
	int code = gnt_cli_parse(&cli, argc, argv, &command), error;

	if (code != GNT_CLI_GO)
		return code;
	/* What the command line names must be there before any VM boots. */
	error = gnt_own_kernel_prepare(&command.kernel, &diag);
	if (error)
		return gnt_cli_fail(gnt_own_kernel_exit(error), &diag);
	if (choose(&command, &selection, &diag) != 0)
		return gnt_cli_fail(GNT_EXIT_USAGE, &diag);
	if (gnt_results_init(&results, line ? line : "gauntlet run", &diag) != 0)
		return gnt_cli_fail(GNT_EXIT_INFRA, &diag);
	return run_selection(&command, &selection, &results);
}
