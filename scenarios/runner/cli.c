/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's parser; see cli.h. */
#include "cli.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/yaml.h"
#include "text.h"
#include "verdict.h"

#define OPTIONS_MAX 32
#define HELP_COLUMN 24

const char *gnt_program = "gauntlet";

static void print_help(const struct gnt_cli *cli)
{
	printf("usage: %s\n%s\n", cli->usage, cli->about);
	if (cli->options[0].name)
		printf("\nOptions:\n");
	for (const struct gnt_cli_option *option = cli->options; option->name; option++) {
		pcl_autofree char *left =
			gnt_text_new("  %s%s%s", option->name, option->argument ? " " : "",
				     option->argument ? option->argument : "");

		printf("%-*s %s\n", HELP_COLUMN, left ? left : option->name, option->help);
	}
	printf("%-*s %s\n", HELP_COLUMN, "  --help", "this text");
}

int gnt_cli_fail(int code, const struct pcl_diag *diag)
{
	(void)fprintf(stderr, "gauntlet: %s\n", pcl_diag_text(diag));
	return code;
}

static const struct gnt_cli_option *find_option(const struct gnt_cli *cli, const char *arg,
						size_t len)
{
	for (const struct gnt_cli_option *option = cli->options; option->name; option++)
		if (strlen(option->name) == len && strncmp(option->name, arg, len) == 0)
			return option;
	return NULL;
}

static int unknown_option(const struct gnt_cli *cli, const char *arg, struct pcl_diag *diag)
{
	const char *known[OPTIONS_MAX + 1] = {"--help"};
	pcl_autofree char *word = strndup(arg, strcspn(arg, "="));
	const char *near;
	size_t count = 1;

	for (; cli->options[count - 1].name && count < OPTIONS_MAX; count++)
		known[count] = cli->options[count - 1].name;
	near = word ? pcl_nearest_word(word, known) : NULL;
	if (near)
		return pcl_diag_set(diag, -EINVAL, "unknown option %s: did you mean %s?", word,
				    near);
	return pcl_diag_set(diag, -EINVAL, "unknown option %s: see --help", word ? word : arg);
}

/* One option at argv[*index], which moves over its value. */
static int take_option(const struct gnt_cli *cli, int argc, char **argv, int *index, void *context,
		       struct pcl_diag *diag)
{
	const char *arg = argv[*index];
	size_t len = strcspn(arg, "=");
	const struct gnt_cli_option *option = find_option(cli, arg, len);
	const char *value = arg[len] == '=' ? arg + len + 1 : NULL;

	if (!option)
		return unknown_option(cli, arg, diag);
	if (!option->argument && value)
		return pcl_diag_set(diag, -EINVAL, "%s takes no value", option->name);
	if (option->argument && !value) {
		if (*index + 1 >= argc)
			return pcl_diag_set(diag, -EINVAL, "%s needs a value: %s %s", option->name,
					    option->name, option->argument);
		value = argv[++*index];
	}
	return cli->take(context, option->name, value, diag);
}

int gnt_cli_parse(const struct gnt_cli *cli, int argc, char **argv, void *context)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	bool plain_only = false;
	int error = 0;

	for (int i = 1; i < argc && !error; i++) {
		if (!plain_only && strcmp(argv[i], "--") == 0) {
			plain_only = true;
			continue;
		}
		if (!plain_only && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
			print_help(cli);
			return GNT_EXIT_OK;
		}
		if (!plain_only && argv[i][0] == '-' && argv[i][1])
			error = take_option(cli, argc, argv, &i, context, &diag);
		else
			error = cli->take(context, NULL, argv[i], &diag);
	}
	return error ? gnt_cli_fail(GNT_EXIT_USAGE, &diag) : GNT_CLI_GO;
}

int gnt_cli_number(const char *option, const char *value, int min, int max, int *ret_number,
		   struct pcl_diag *diag)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (errno || end == value || *end || number < min || number > max)
		return pcl_diag_set(diag, -EINVAL, "%s needs a number from %d to %d, not \"%s\"",
				    option, min, max, value);
	*ret_number = (int)number;
	return 0;
}

int gnt_words_add(struct gnt_words *words, const char *word, struct pcl_diag *diag)
{
	const char **grown = reallocarray(words->items, words->count + 1, sizeof(*grown));

	if (!grown)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	words->items = grown;
	words->items[words->count++] = word;
	return 0;
}

void gnt_words_fini(struct gnt_words *words)
{
	free(words->items);
	words->items = NULL;
	words->count = 0;
}

char *gnt_cli_hint(const char *word, const char *const *known, size_t count)
{
	pcl_autofree const char **list = calloc(count + 1, sizeof(*list));
	const char *near;

	if (!list)
		return NULL;
	for (size_t i = 0; i < count; i++)
		list[i] = known[i];
	near = pcl_nearest_word(word, list);
	return near ? gnt_text_new(": did you mean %s?", near) : strdup("");
}
