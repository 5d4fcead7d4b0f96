/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs share: exit codes, options, output. Each verb has a file of its own.
 *
 * The cli is the only layer besides engine/ that prints. A verb gets its own name as argv[0].
 */
#ifndef PCL_CLI_CLI_H
#define PCL_CLI_CLI_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>

#include "base/diag.h"
#include "policy/domain.h"
#include "policy/policy.h"
#include "policy/resolve.h"

/* Stable exit codes. */
#define PCL_EXIT_YES 0	       /* done, permitted, as wanted */
#define PCL_EXIT_NO 1	       /* refused, differs, failed */
#define PCL_EXIT_USAGE 2       /* wrong command line or bad policy */
#define PCL_EXIT_UNSUPPORTED 3 /* this node can't */

int pcl_cmd_probe(int argc, char **argv);
int pcl_cmd_check(int argc, char **argv);
int pcl_cmd_compile(int argc, char **argv);
int pcl_cmd_explain(int argc, char **argv);
int pcl_cmd_diff(int argc, char **argv);
int pcl_cmd_apply(int argc, char **argv);
int pcl_cmd_status(int argc, char **argv);
int pcl_cmd_remove(int argc, char **argv);
int pcl_cmd_events(int argc, char **argv);
int pcl_cmd_domain(int argc, char **argv);

/*
 * getopt_long() for a verb: long options only, given in any order around the arguments. Returns the
 * option's val (make it 1 or more), -1 at the end with optind at the first argument, or '?' after
 * it has printed one line that names the nearest option. "--help" and "-h" must be among options.
 */
int pcl_cli_getopt(int argc, char **argv, const struct option *options);

/*
 * Prints the text and a newline on standard output, control characters replaced by "?": policies
 * are written by others and must not steer the terminal. Output errors show in pcl_cli_finish().
 */
void pcl_cli_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints "portcullis: TEXT" likewise on standard error; returns exit_code. */
int pcl_cli_fail(int exit_code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with an explanation as TEXT. */
int pcl_cli_fail_diag(int exit_code, const struct pcl_diag *diag);

/* The exit code for a negative errno of the engine: bad input, a node that can't, or failed. */
int pcl_cli_exit_code(int error);

/* Prints json as one line on standard output and drops it; PCL_EXIT_NO when that fails. */
int pcl_cli_print_json(json_t *json);
/* Flushes standard output: PCL_EXIT_NO with a message where it failed (a full disk), else code. */
int pcl_cli_finish(int exit_code);

/*
 * "audit" or "block" for all classes, or a list as "file=block,network=audit", which changes only
 * what it names: file (and process), network (and dns), capabilities, device. False after an error
 * line that names the option.
 */
bool pcl_cli_postures(const char *text, struct pcl_postures *postures);

/* Options about the domain that is asked for; texts are borrowed from argv. */
struct pcl_cli_about {
	const char *domain; /* "host", labels as "k=v,...", or another name */
	const char *labels;
	const char *ns;
	const char *hostname;
	struct pcl_postures postures;
};

/* Their vals, out of the way of a verb's own, and their lines among a verb's options. */
enum {
	PCL_CLI_OPT_DOMAIN = 1000,
	PCL_CLI_OPT_LABELS,
	PCL_CLI_OPT_NAMESPACE,
	PCL_CLI_OPT_POSTURE,
	PCL_CLI_OPT_HOSTNAME,
};
#define PCL_CLI_ABOUT_OPTIONS                                                                      \
	{"domain", required_argument, NULL, PCL_CLI_OPT_DOMAIN},                                   \
		{"labels", required_argument, NULL, PCL_CLI_OPT_LABELS},                           \
		{"namespace", required_argument, NULL, PCL_CLI_OPT_NAMESPACE},                     \
		{"posture", required_argument, NULL, PCL_CLI_OPT_POSTURE},                         \
	{                                                                                          \
		"hostname", required_argument, NULL, PCL_CLI_OPT_HOSTNAME                          \
	}

/*
 * Takes what pcl_cli_getopt() returned, with optarg. False for what is none of them, of which
 * getopt has told, and for a bad value, after the error line.
 */
bool pcl_cli_take_about(struct pcl_cli_about *about, int option);

/*
 * The domain that they describe; the host where they say nothing. 0, or an exit code after the
 * error line, which begins with verb.
 */
int pcl_cli_domain(const char *verb, const struct pcl_cli_about *about,
		   struct pcl_domain **ret_domain);

/*
 * Reads every path into a new set. 0, or an exit code after a line for each mistake. Notices are
 * left in the set; pcl_cli_print_notices() puts them on standard error.
 */
int pcl_cli_read_policies(char *const *paths, int count, struct pcl_policy_set **ret_set);
/* What a rule is about and what it does, in a word, for lists of rules. Borrowed. */
const char *pcl_cli_object(const struct pcl_rule *rule);
const char *pcl_cli_action(const struct pcl_rule *rule);
void pcl_cli_print_notices(const struct pcl_policy_set *set);

/* How long each step of a change took (base/steps.h), as an array and a line each. */
json_t *pcl_cli_steps_json(void);
void pcl_cli_print_steps(void);

struct pcl_engine;

/* What the last change found out, on standard error, a line each. */
void pcl_cli_print_notes(const struct pcl_engine *engine);

#endif
