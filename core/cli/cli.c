/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs share: option errors that name the right word, output, reading of policies.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* More than any verb has; what exceeds it gets no suggestion. */
#define OPTION_COUNT_MAX 32

__attribute__((format(printf, 3, 0))) static void print_line(FILE *stream, const char *prefix,
							     const char *format, va_list args)
{
	pcl_autofree char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	if (text)
		pcl_text_one_line(text);
	(void)fprintf(stream, "%s%s\n", prefix, text ? text : "out of memory");
}

void pcl_cli_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(stdout, "", format, args);
	va_end(args);
}

int pcl_cli_fail(int exit_code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(stderr, "portcullis: ", format, args);
	va_end(args);
	return exit_code;
}

int pcl_cli_fail_diag(int exit_code, const struct pcl_diag *diag)
{
	return pcl_cli_fail(exit_code, "%s", pcl_diag_text(diag));
}

static int unknown_option(const char *verb, const char *given, const struct option *options)
{
	const char *names[OPTION_COUNT_MAX + 1] = {NULL}, *near;
	pcl_autofree char *word = strndup(given + 2, strcspn(given + 2, "="));

	for (size_t i = 0; i < OPTION_COUNT_MAX && options[i].name; i++)
		names[i] = options[i].name;
	near = word ? pcl_nearest_word(word, names) : NULL;
	if (near)
		return pcl_cli_fail('?', "%s: unknown option %s; did you mean --%s?", verb, given,
				    near);
	return pcl_cli_fail('?', "%s: unknown option %s; see portcullis %s --help", verb, given,
			    verb);
}

int pcl_cli_getopt(int argc, char **argv, const struct option *options)
{
	int option;

	opterr = 0;
	/* The leading ":" tells a missing value (':') from an unknown option ('?'). */
	option = getopt_long(argc, argv, ":h", options, NULL);
	if (option == ':')
		return pcl_cli_fail('?', "%s: option %s needs a value", argv[0], argv[optind - 1]);
	if (option != '?')
		return option;
	/* optopt is 0 for an unknown long option, the option's val where a value was too much. */
	if (!optopt)
		return unknown_option(argv[0], argv[optind - 1], options);
	for (size_t i = 0; options[i].name; i++)
		if (options[i].val == optopt)
			return pcl_cli_fail('?', "%s: option --%s takes no value", argv[0],
					    options[i].name);
	return pcl_cli_fail('?', "%s: unknown option -%c; see portcullis %s --help", argv[0],
			    optopt, argv[0]);
}

int pcl_cli_finish(int exit_code)
{
	if (fflush(stdout) || ferror(stdout))
		return pcl_cli_fail(PCL_EXIT_NO, "cannot write the output: %s", strerror(errno));
	return exit_code;
}

int pcl_cli_print_json(json_t *json)
{
	int error;

	/* Building fails on text that is no UTF-8, which only the command line can bring in. */
	if (!json)
		return pcl_cli_fail(PCL_EXIT_NO, "cannot make JSON: out of memory, or an argument "
						 "is not UTF-8");
	error = json_dumpf(json, stdout, JSON_COMPACT) || fputc('\n', stdout) == EOF;
	json_decref(json);
	if (error)
		return pcl_cli_fail(PCL_EXIT_NO, "cannot write JSON: %s", strerror(errno));
	return pcl_cli_finish(PCL_EXIT_YES);
}

bool pcl_cli_posture(const char *text, enum pcl_posture *ret_posture)
{
	if (!strcmp(text, "audit")) {
		*ret_posture = PCL_POSTURE_AUDIT;
	} else if (!strcmp(text, "block")) {
		*ret_posture = PCL_POSTURE_BLOCK;
	} else {
		(void)pcl_cli_fail(PCL_EXIT_USAGE, "--posture must be audit or block, not \"%s\"",
				   text);
		return false;
	}
	return true;
}

int pcl_cli_read_policies(char *const *paths, int count, struct pcl_policy_set **ret_set)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;

	if (pcl_policy_set_new(&set))
		return pcl_cli_fail(PCL_EXIT_NO, "out of memory");
	for (int i = 0; i < count; i++) {
		struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};

		if (pcl_policy_set_read(set, paths[i], &diag))
			return pcl_cli_fail_diag(diag.error == -ENOMEM ? PCL_EXIT_NO
								       : PCL_EXIT_USAGE,
						 &diag);
	}
	*ret_set = pcl_take_ptr(set);
	return 0;
}

void pcl_cli_print_notices(const struct pcl_policy_set *set)
{
	for (size_t i = 0; i < set->notice_count; i++)
		(void)fprintf(stderr, "portcullis: notice: %s\n", set->notices[i]);
}

int pcl_cli_exit_code(int error)
{
	switch (error) {
	case 0:
		return PCL_EXIT_YES;
	case -EINVAL:
		return PCL_EXIT_USAGE;
	case -EOPNOTSUPP:
		return PCL_EXIT_UNSUPPORTED;
	default:
		return PCL_EXIT_NO;
	}
}
