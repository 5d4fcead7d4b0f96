/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs share: option errors that name the right word, output, reading of policies.
 */
#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/steps.h"
#include "cli/report.h"
#include "engine/engine.h"

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

static bool parse_posture(const char *text, size_t len, enum pcl_posture *ret_posture)
{
	static const char *const names[PCL_POSTURE_COUNT] = {
		[PCL_POSTURE_AUDIT] = "audit",
		[PCL_POSTURE_BLOCK] = "block",
	};

	for (int i = 0; i < PCL_POSTURE_COUNT; i++) {
		if (strlen(names[i]) != len || strncmp(text, names[i], len) != 0)
			continue;
		*ret_posture = (enum pcl_posture)i;
		return true;
	}
	(void)pcl_cli_fail(PCL_EXIT_USAGE, "--posture must be audit or block, not \"%.*s\"",
			   (int)len, text);
	return false;
}

bool pcl_cli_postures(const char *text, struct pcl_postures *postures)
{
	const struct {
		const char *name;
		enum pcl_posture *posture;
	} parts[] = {
		{"file=", &postures->file},
		{"network=", &postures->network},
		{"capabilities=", &postures->capabilities},
		{"device=", &postures->device},
	};
	enum pcl_posture all;

	if (!strchr(text, '=')) {
		if (!parse_posture(text, strlen(text), &all))
			return false;
		*postures = (struct pcl_postures){all, all, all, all};
		return true;
	}
	for (size_t len; *text; text += len + (text[len] == ',')) {
		size_t part = 0, name_len = 0;

		len = strcspn(text, ",");
		for (; part < PCL_ARRAY_SIZE(parts); part++) {
			name_len = strlen(parts[part].name);
			if (len >= name_len && !strncmp(text, parts[part].name, name_len))
				break;
		}
		if (part == PCL_ARRAY_SIZE(parts)) {
			(void)pcl_cli_fail(PCL_EXIT_USAGE,
					   "--posture: \"%.*s\" must begin with file=, network=, "
					   "capabilities= or device=",
					   (int)len, text);
			return false;
		}
		if (!parse_posture(text + name_len, len - name_len, parts[part].posture))
			return false;
	}
	return true;
}

bool pcl_cli_take_about(struct pcl_cli_about *about, int option)
{
	switch (option) {
	case PCL_CLI_OPT_DOMAIN:
		about->domain = optarg;
		return true;
	case PCL_CLI_OPT_LABELS:
		about->labels = optarg;
		return true;
	case PCL_CLI_OPT_NAMESPACE:
		about->ns = optarg;
		return true;
	case PCL_CLI_OPT_POSTURE:
		return pcl_cli_postures(optarg, &about->postures);
	case PCL_CLI_OPT_HOSTNAME:
		about->hostname = optarg;
		return true;
	default:
		return false;
	}
}

int pcl_cli_domain(const char *verb, const struct pcl_cli_about *about,
		   struct pcl_domain **ret_domain)
{
	const char *name = about->domain, *ns = about->ns, *labels = about->labels;
	const char *hostname = about->hostname;
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	char own_name[HOST_NAME_MAX + 1] = "localhost";
	int error;

	if (name && strchr(name, '=')) {
		if (labels)
			return pcl_cli_fail(PCL_EXIT_USAGE,
					    "%s: labels are given by --domain and by --labels; "
					    "remove one",
					    verb);
		labels = name;
		/* Labels alone speak of a container. */
		error = pcl_domain_new("container", ns, labels, ret_domain, &diag);
	} else if (name ? !strcmp(name, PCL_HOST_DOMAIN_NAME) : !labels && !ns) {
		if (ns)
			return pcl_cli_fail(PCL_EXIT_USAGE,
					    "%s: the host has no namespace; remove --namespace",
					    verb);
		if (!hostname)
			(void)gethostname(own_name, sizeof(own_name) - 1);
		error = pcl_domain_new_host(hostname ? hostname : own_name, labels, ret_domain,
					    &diag);
	} else {
		error = pcl_domain_new(name ? name : "container", ns, labels, ret_domain, &diag);
	}
	return error ? pcl_cli_fail(PCL_EXIT_USAGE, "%s: %s", verb, pcl_diag_text(&diag)) : 0;
}

int pcl_cli_read_policies(char *const *paths, int count, struct pcl_policy_set **ret_set)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;
	pcl_cleanup(pcl_problems_fini) struct pcl_problems problems = {0};

	if (pcl_policy_set_new(&set))
		return pcl_cli_fail(PCL_EXIT_NO, "out of memory");
	for (int i = 0; i < count; i++)
		if (pcl_policy_set_read_all(set, paths[i], &problems) == -ENOMEM)
			return pcl_cli_fail(PCL_EXIT_NO, "out of memory");
	pcl_report_problems(&problems);
	if (problems.count)
		return PCL_EXIT_USAGE;
	*ret_set = pcl_take_ptr(set);
	return 0;
}

const char *pcl_cli_object(const struct pcl_rule *rule)
{
	return rule->match == PCL_MATCH_SYSCALL ? rule->syscalls[0] : rule->object;
}

const char *pcl_cli_action(const struct pcl_rule *rule)
{
	/* System calls are audited, whatever the rule says. */
	return pcl_action_name(rule->class == PCL_CLASS_SYSCALL ? PCL_ACTION_AUDIT : rule->action);
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

json_t *pcl_cli_steps_json(void)
{
	json_t *list = json_array();
	size_t count;
	const struct pcl_step *steps = pcl_steps(&count);

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, json_pack("{s:s, s:f}", "step", steps[i].name,
							    "ms", steps[i].ms));
	return list;
}

void pcl_cli_print_steps(void)
{
	size_t count;
	const struct pcl_step *steps = pcl_steps(&count);

	for (size_t i = 0; i < count; i++)
		(void)printf("  %9.3f ms  %s\n", steps[i].ms, steps[i].name);
}

void pcl_cli_print_notes(const struct pcl_engine *engine)
{
	for (size_t i = 0; i < engine->note_count; i++)
		(void)fprintf(stderr, "portcullis: %s\n", engine->notes[i]);
}
