/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gauntlet bench: the bench's command line. Progress goes to standard error, the table to standard
 * output, everything to results.json; rows that were measured are kept whatever failed after them.
 */
#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/yaml.h"
#include "bench_policy.h"
#include "paths.h"
#include "results.h"

/* Depths in one --depth list; more is a campaign, not a bench. */
#define DEPTHS_MAX 16
#define BENCH_LSM "bpf"

struct command {
	const char **on; /* ids as given; the strings are argv's */
	size_t on_count;
	const char *results_dir;
	int depths[DEPTHS_MAX];
	size_t depth_count;
	int rounds;
	int rules;
	unsigned units;
	bool help;
};

struct targets {
	struct gnt_target **all;
	size_t all_count;
	struct gnt_target **chosen; /* borrowed from all */
	size_t chosen_count;
};

static void command_fini(struct command *command)
{
	free(command->on);
}

static void targets_fini(struct targets *targets)
{
	gnt_targets_free(&targets->all, targets->all_count);
	free(targets->chosen);
}

static void print_help(void)
{
	printf("usage: gauntlet bench [--on TARGET]... [options]\n"
	       "\n"
	       "Measures what an open and an exec cost in each target with nothing attached, with\n"
	       "empty LSM programs (the floor) and with portcullis under rules that do not match.\n"
	       "\n"
	       "  --on TARGET     only this target; may be repeated; default: all that have bpf\n"
	       "  --unit UNIT     ns (wall clock), guest_insns (instructions under deterministic\n"
	       "                  time, each target booted twice), or both; default both\n"
	       "  --rounds N      rounds of wall clock, default %d\n"
	       "  --rules N       rules of the policy, %d to %d, default %d\n"
	       "  --depth D,...   directories above the file, 1 to %d, default %d\n"
	       "  --results DIR   where results.json goes; default build/results/RUN\n"
	       "  --help          this text\n"
	       "\n"
	       "exit: 0 measured; 1 two boots did not count the same, or a contender was not on or\n"
	       "off as it should; 2 usage; 3 a target cannot enforce; 4 panic; 5 hang; 6 no VM\n",
	       GNT_BENCH_ROUNDS_DEFAULT, GNT_BENCH_RULES_MIN, GNT_BENCH_RULES_MAX,
	       GNT_BENCH_RULES_DEFAULT, GNT_BENCH_DEPTH_MAX, GNT_BENCH_DEPTH_DEFAULT);
}

static int parse_number(const char *option, const char *text, int min, int max, int *ret_value,
			struct pcl_diag *diag)
{
	char *end = NULL;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max)
		return pcl_diag_set(diag, -EINVAL, "%s wants a number from %d to %d, not \"%s\"",
				    option, min, max, text);
	*ret_value = (int)value;
	return 0;
}

static int parse_depths(const char *text, struct command *command, struct pcl_diag *diag)
{
	pcl_autofree char *copy = strdup(text);
	char *rest = copy, *word;

	if (!copy)
		return pcl_diag_errno(diag, -ENOMEM, "bench");
	command->depth_count = 0;
	while ((word = strsep(&rest, ",")) != NULL) {
		int error;

		if (command->depth_count == DEPTHS_MAX)
			return pcl_diag_set(diag, -EINVAL, "--depth takes at most %d depths",
					    DEPTHS_MAX);
		error = parse_number("--depth", word, 1, GNT_BENCH_DEPTH_MAX,
				     &command->depths[command->depth_count], diag);
		if (error)
			return error;
		command->depth_count++;
	}
	return 0;
}

static int parse_unit(const char *text, unsigned *ret_units, struct pcl_diag *diag)
{
	static const struct {
		const char *name;
		unsigned units;
	} known[] = {
		{"ns", GNT_BENCH_NS},
		{"guest_insns", GNT_BENCH_GUEST_INSNS},
		{"both", GNT_BENCH_NS | GNT_BENCH_GUEST_INSNS},
	};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(known); i++) {
		if (!strcmp(text, known[i].name)) {
			*ret_units = known[i].units;
			return 0;
		}
	}
	return pcl_diag_set(diag, -EINVAL, "--unit is ns, guest_insns or both, not \"%s\"", text);
}

static int parse_option(int option, const char *text, struct command *command,
			struct pcl_diag *diag)
{
	switch (option) {
	case 'o':
		command->on[command->on_count++] = text;
		return 0;
	case 'R':
		command->results_dir = text;
		return 0;
	case 'n':
		return parse_number("--rounds", text, 1, GNT_BENCH_ROUNDS_MAX, &command->rounds,
				    diag);
	case 'r':
		return parse_number("--rules", text, GNT_BENCH_RULES_MIN, GNT_BENCH_RULES_MAX,
				    &command->rules, diag);
	case 'd':
		return parse_depths(text, command, diag);
	case 'u':
		return parse_unit(text, &command->units, diag);
	case 'h':
		command->help = true;
		return 0;
	}
	return -EINVAL;
}

static int parse_command(int argc, char **argv, struct command *command, struct pcl_diag *diag)
{
	static const struct option known[] = {
		{"on", required_argument, NULL, 'o'},	  {"results", required_argument, NULL, 'R'},
		{"rounds", required_argument, NULL, 'n'}, {"rules", required_argument, NULL, 'r'},
		{"depth", required_argument, NULL, 'd'},  {"unit", required_argument, NULL, 'u'},
		{"help", no_argument, NULL, 'h'},	  {NULL, 0, NULL, 0},
	};
	static const char *const words[] = {"--on",    "--results", "--rounds", "--rules",
					    "--depth", "--unit",    "--help",	NULL};
	int option, error = 0;

	command->on = calloc((size_t)argc + 1, sizeof(*command->on));
	if (!command->on)
		return pcl_diag_errno(diag, -ENOMEM, "bench");
	optind = 1;
	while (!error && (option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		const char *given = argv[optind - 1];
		const char *nearest = option == '?' ? pcl_nearest_word(given, words) : NULL;

		if (option == ':')
			return pcl_diag_set(diag, -EINVAL, "%s wants a value", given);
		if (option == '?')
			return pcl_diag_set(diag, -EINVAL, "no option %s%s%s%s", given,
					    nearest ? "; did you mean " : "",
					    nearest ? nearest : "", nearest ? "?" : "");
		error = parse_option(option, optarg, command, diag);
	}
	if (!error && optind < argc)
		return pcl_diag_set(diag, -EINVAL, "bench takes no \"%s\"; targets go with --on",
				    argv[optind]);
	return error;
}

static bool has_bpf(const struct gnt_target *target)
{
	for (size_t i = 0; i < target->lsm_count; i++) {
		if (!strcmp(target->lsm[i], BENCH_LSM))
			return true;
	}
	return false;
}

static int unknown_target(const struct targets *targets, const char *id, struct pcl_diag *diag)
{
	pcl_autofree const char **ids = calloc(targets->all_count + 1, sizeof(*ids));
	const char *nearest = NULL;

	for (size_t i = 0; ids && i < targets->all_count; i++)
		ids[i] = targets->all[i]->id;
	if (ids)
		nearest = pcl_nearest_word(id, ids);
	return pcl_diag_set(diag, -ENOENT, "no target \"%s\"%s%s; see gauntlet list targets", id,
			    nearest ? "; did you mean " : "", nearest ? nearest : "");
}

/* The ones named, in that order; without names all that have bpf. */
static int choose_targets(const struct command *command, struct targets *targets,
			  struct pcl_diag *diag)
{
	targets->chosen =
		calloc(targets->all_count + command->on_count + 1, sizeof(*targets->chosen));
	if (!targets->chosen)
		return pcl_diag_errno(diag, -ENOMEM, "bench");
	for (size_t i = 0; !command->on_count && i < targets->all_count; i++) {
		if (has_bpf(targets->all[i]))
			targets->chosen[targets->chosen_count++] = targets->all[i];
	}
	for (size_t i = 0; i < command->on_count; i++) {
		size_t found = 0;

		while (found < targets->all_count &&
		       strcmp(targets->all[found]->id, command->on[i]) != 0)
			found++;
		if (found == targets->all_count)
			return unknown_target(targets, command->on[i], diag);
		targets->chosen[targets->chosen_count++] = targets->all[found];
	}
	return targets->chosen_count
		       ? 0
		       : pcl_diag_set(diag, -ENOENT, "no target in vm-images/ has bpf in its lsm");
}

static int load_targets(const struct command *command, struct targets *targets,
			struct pcl_diag *diag)
{
	pcl_autofree char *dir = NULL;
	int error = gnt_path_below_root("vm-images", &dir, diag);

	if (!error)
		error = gnt_targets_load(dir, &targets->all, &targets->all_count, diag);
	return error ? error : choose_targets(command, targets, diag);
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
				   target->kernel, "release", json_object_get(hello, "kernel"),
				   "lsm", json_object_get(hello, "lsm"), "stands_for",
				   target->stands_for, "boot_ms", gnt_vm_boot_ms(vm));

	gnt_results_add_accel(results, gnt_vm_accel(vm));
	if (record)
		gnt_results_take_target(results, record);
}

/* Measures and writes; returns the exit code. */
static enum gnt_exit measure(const struct command *command, const struct targets *targets,
			     struct gnt_results *results, struct pcl_diag *diag)
{
	pcl_cleanup(gnt_latency_rows_fini) struct gnt_latency_rows rows = {0};
	pcl_autofree char *default_root = NULL, *dir = NULL, *table = NULL;
	struct gnt_bench_options options = {
		.targets = targets->chosen,
		.target_count = targets->chosen_count,
		.depths = command->depth_count ? command->depths : NULL,
		.depth_count = command->depth_count,
		.rounds = command->rounds,
		.rules = command->rules,
		.units = command->units,
		.say = say,
		.booted = booted,
		.context = results,
	};
	enum gnt_exit result;

	if (gnt_path_below_root("build/results", &default_root, diag) ||
	    gnt_results_dir(results, command->results_dir, default_root, &dir, diag))
		return GNT_EXIT_INFRA;
	options.log_dir = dir;
	result = gnt_bench_run(&options, &rows);
	if (gnt_results_add_latency(results, &rows, diag) || gnt_results_write(results, dir, diag))
		return gnt_exit_worse(result, GNT_EXIT_INFRA);
	table = gnt_latency_rows_table(&rows);
	if (table && rows.count)
		printf("%s%d rules that do not match; results in %s\n", table, command->rules, dir);
	return result;
}

int gnt_cmd_bench(int argc, char **argv)
{
	pcl_cleanup(command_fini) struct command command = {
		.rounds = GNT_BENCH_ROUNDS_DEFAULT,
		.rules = GNT_BENCH_RULES_DEFAULT,
		.units = GNT_BENCH_NS | GNT_BENCH_GUEST_INSNS,
	};
	pcl_cleanup(targets_fini) struct targets targets = {0};
	pcl_cleanup(gnt_results_fini) struct gnt_results results = {0};
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	enum gnt_exit result = GNT_EXIT_OK;

#ifdef PCL_SANITIZED
	fprintf(stderr,
		"gauntlet: a build with sanitizers measures nothing; build without SAN=1\n");
	return GNT_EXIT_USAGE;
#endif
	if (parse_command(argc, argv, &command, &diag) ||
	    (!command.help && load_targets(&command, &targets, &diag)))
		result = GNT_EXIT_USAGE;
	else if (command.help)
		print_help();
	else if (gnt_results_init(&results, "gauntlet bench", &diag))
		result = GNT_EXIT_INFRA;
	else
		result = measure(&command, &targets, &results, &diag);
	if (diag.text)
		fprintf(stderr, "gauntlet: %s%s\n", pcl_diag_text(&diag),
			result == GNT_EXIT_USAGE ? " (see gauntlet bench --help)" : "");
	return (int)result;
}
