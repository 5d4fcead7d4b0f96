/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portcullis explain: what a policy set says of one operation, and why.
 *
 * Asks the model, never the kernel, so it works on any machine and for any domain.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "policy/question.h"
#include "policy/why.h"

enum {
	OPT_JSON = 1,
	OPT_POLICY,
	OPT_OP,
	OPT_OBJECT,
	OPT_NO_PATH,
	OPT_SOURCE,
	OPT_OWNER,
};

static const struct option options[] = {
	{"policy", required_argument, NULL, OPT_POLICY},
	{"op", required_argument, NULL, OPT_OP},
	{"object", required_argument, NULL, OPT_OBJECT},
	{"no-path", no_argument, NULL, OPT_NO_PATH},
	{"source", required_argument, NULL, OPT_SOURCE},
	{"owner", no_argument, NULL, OPT_OWNER},
	PCL_CLI_ABOUT_OPTIONS,
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* --op's words, and what they are at the beginning of a question. */
static const char *const op_names[] = {"execute", "read", "write", NULL};
static const char *const op_starts[] = {"exec", "file read", "file write"};

static const char *const effect_names[PCL_EFFECT_COUNT] = {
	[PCL_EFFECT_NONE] = "nothing",
	[PCL_EFFECT_ALLOW] = "Allow",
	[PCL_EFFECT_BLOCK] = "Block",
	[PCL_EFFECT_AUDIT] = "Audit",
};

/* What the command line says; texts are borrowed from argv. */
struct request {
	char **policies; /* owned */
	size_t policy_count;
	const char *op;
	const char *object;
	const char *source;
	struct pcl_cli_about about;
	bool no_path;
	bool owner;
	bool json;
	struct pcl_question *question; /* owned */
	char *text;		       /* the operation in words; owned */
};

static void request_fini(struct request *request)
{
	pcl_strings_free(&request->policies, &request->policy_count);
	pcl_question_free(&request->question);
	free(request->text);
}

static int help(void)
{
	(void)puts(
		"usage: portcullis explain --policy PATH... [OPTION...] OPERATION\n"
		"       portcullis explain POLICY... --op execute|read|write --object PATH [OPTION...]\n"
		"Says whether the policies permit the operation, which rule decides, which others\n"
		"match, and why they do not decide.\n\n"
		"OPERATION is one of\n"
		"  exec PATH                                  map (anonymous memory, executable)\n"
		"  file read|write|unlink|rename|... PATH     syscall NAME [PATH]\n"
		"  connect tcp|udp|icmp|raw|...               resolve NAME\n"
		"  capability NAME                            device CLASS\n"
		"followed by any of: by SOURCE, uid N, owner N (the acting user, the object's owner),\n"
		"args A,B,..., terminal, entered (from outside the container), own (below the acting\n"
		"process's own /proc/PID), family NAME, type NAME, subclass N, protocol N, level N.\n"
		"PATH is the file itself, symlinks resolved, as the domain's root sees it; \"none\" is\n"
		"an object without a path (a memfd, a deleted file).\n\n"
		"  --policy PATH     a file, a directory, or - for standard input; may be repeated\n"
		"  --domain D        \"host\" (the default), the container's labels as K=V,..., or its\n"
		"                    name\n"
		"  --labels K=V,...  the container's labels, or more labels of the host\n"
		"  --namespace NS    the container's namespace; without it any namespace's policies\n"
		"                    select it\n"
		"  --posture P       what an allow-list does with the rest: audit (default) or block,\n"
		"                    for all classes, or as file=block,network=audit\n"
		"  --hostname NAME   instead of this machine's name\n"
		"  --json            one JSON object on standard output\n"
		"  --op, --object PATH | --no-path, --source PATH, --owner\n"
		"                    the operation by options, with the policies as arguments\n\n"
		"Exit codes: 0 permitted, 1 refused, 2 wrong command line or bad policy.");
	return pcl_cli_finish(PCL_EXIT_YES);
}

static bool take_option(struct request *request, int option)
{
	switch (option) {
	case OPT_JSON:
		request->json = true;
		return true;
	case OPT_POLICY:
		return !pcl_strings_add(&request->policies, &request->policy_count, optarg) ||
		       pcl_cli_fail(0, "explain: out of memory");
	case OPT_OP:
		request->op = optarg;
		return true;
	case OPT_OBJECT:
		request->object = optarg;
		return true;
	case OPT_NO_PATH:
		request->no_path = true;
		return true;
	case OPT_SOURCE:
		request->source = optarg;
		return true;
	case OPT_OWNER:
		request->owner = true;
		return true;
	default:
		return pcl_cli_take_about(&request->about, option);
	}
}

/* --- the operation --------------------------------------------------------------------------- */

static int ask(struct request *request, const char *text)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};

	if (pcl_question_parse(text, &request->question, &diag))
		return pcl_cli_fail(PCL_EXIT_USAGE, "explain: %s", pcl_diag_text(&diag));
	request->text = pcl_question_print(&request->question->operation);
	return request->text ? 0 : pcl_cli_fail(PCL_EXIT_NO, "explain: out of memory");
}

/* A path goes into the question in quotes, so that blanks in it do no harm. */
static void print_quoted(FILE *stream, const char *text)
{
	(void)fputc('"', stream);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', stream);
		(void)fputc(*text, stream);
	}
	(void)fputc('"', stream);
}

static int ask_by_options(struct request *request)
{
	pcl_autofree char *text = NULL;
	size_t op = 0, len = 0;
	const char *near;
	FILE *stream;

	if (!request->op)
		return pcl_cli_fail(PCL_EXIT_USAGE,
				    "explain: --policy PATH OPERATION, or --op execute, read or "
				    "write is missing");
	while (op_names[op] && strcmp(request->op, op_names[op]) != 0)
		op++;
	if (!op_names[op]) {
		near = pcl_nearest_word(request->op, op_names);
		return pcl_cli_fail(
			PCL_EXIT_USAGE,
			near ? "explain: unknown --op \"%s\"; did you mean \"%s\"?"
			     : "explain: unknown --op \"%s\"; it must be execute, read or write",
			request->op, near);
	}
	if (!request->object == !request->no_path)
		return pcl_cli_fail(PCL_EXIT_USAGE,
				    "explain: give one of --object PATH and --no-path");
	stream = open_memstream(&text, &len);
	if (!stream)
		return pcl_cli_fail(PCL_EXIT_NO, "explain: out of memory");
	(void)fprintf(stream, "%s ", op_starts[op]);
	print_quoted(stream, request->object ? request->object : "none");
	if (request->source) {
		(void)fputs(" by ", stream);
		print_quoted(stream, request->source);
	}
	if (request->owner)
		(void)fputs(" uid 0 owner 0", stream);
	if (fclose(stream))
		return pcl_cli_fail(PCL_EXIT_NO, "explain: out of memory");
	return ask(request, text);
}

static int ask_by_words(struct request *request, char *const *words, int count)
{
	pcl_autofree char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);
	int exit_code;

	for (int i = 0; stream && i < count; i++)
		(void)fprintf(stream, "%s%s", i ? " " : "", words[i]);
	if (!stream || fclose(stream))
		return pcl_cli_fail(PCL_EXIT_NO, "explain: out of memory");
	exit_code = ask(request, text);
	if (exit_code)
		return exit_code;
	/* The answer repeats the words that were asked in. */
	free(request->text);
	request->text = pcl_take_ptr(text);
	return 0;
}

/* --- the answer ------------------------------------------------------------------------------ */

static const char *errno_name(const struct pcl_verdict *verdict)
{
	return verdict->error == -EPERM ? "EPERM" : "EACCES";
}

static const char *decided_by(const struct pcl_verdict *verdict)
{
	if (verdict->rule)
		return verdict->refused ? "Block" : "Allow";
	if (verdict->by_posture)
		return "posture";
	return "no rule";
}

static bool is_near(const struct pcl_rule *rule, const struct pcl_operation *operation)
{
	return rule->class == pcl_access_class(operation->access) &&
	       pcl_rule_matches(rule, operation);
}

static void print_rule(const char *title, const struct pcl_rule *rule)
{
	pcl_cli_print("  %-8s %s (%s), %s:%u", title, rule->id, pcl_cli_action(rule),
		      rule->policy->file, rule->place.line);
}

static void print_head(const struct pcl_ruleset *ruleset, const struct request *request,
		       const struct pcl_verdict *verdict)
{
	const struct pcl_rule *rule = verdict->rule;

	pcl_cli_print("%s: %s in domain %s%s%s%s", verdict->refused ? "refused" : "permitted",
		      request->text, ruleset->domain->name, verdict->refused ? " (" : "",
		      verdict->refused ? errno_name(verdict) : "",
		      verdict->refused ? ")"
		      : verdict->alert ? ", with an alert"
				       : "");
	if (rule) {
		print_rule("rule", rule);
		pcl_cli_print("  policy   %s %s%s%s", pcl_kind_name(rule->policy->kind),
			      rule->policy->ns ? rule->policy->ns : "", rule->policy->ns ? "/" : "",
			      rule->policy->name);
		if (rule->severity)
			pcl_cli_print("  severity %d", rule->severity);
		if (rule->message)
			pcl_cli_print("  message  %s", rule->message);
	} else if (verdict->by_posture) {
		pcl_cli_print(
			"  policy   %s: the class is an allow-list, and nothing listed matches",
			PCL_DEFAULT_POSTURE_NAME);
	} else if (verdict->refused) {
		pcl_cli_print("  the path cannot be built, so it may be a blocked one");
	} else {
		pcl_cli_print("  no rule decides, and the class is no allow-list");
	}
	if (verdict->audit_rule)
		print_rule("audited", verdict->audit_rule);
}

static void print_others(const struct pcl_policy_set *set, const struct pcl_ruleset *ruleset,
			 const struct request *request, const struct pcl_verdict *verdict)
{
	const struct pcl_operation *operation = &request->question->operation;
	enum pcl_class class = pcl_access_class(operation->access);
	size_t selected = 0, class_count = 0, near_count = 0;

	for (size_t i = 0; i < set->policy_count; i++)
		selected += pcl_domain_selected(ruleset->domain, set->policies[i]);
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		class_count += ruleset->rules[i]->class == class;
		near_count += is_near(ruleset->rules[i], operation);
	}
	pcl_cli_print("of %zu policies %zu select the domain; they have %zu rules of class %s%s",
		      set->policy_count, selected, class_count, pcl_class_name(class),
		      ruleset->allow_list[class] ? ", which an Allow makes an allow-list" : "");
	if (near_count)
		pcl_cli_print("rules that match:");
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		const struct pcl_rule *rule = ruleset->rules[i];
		pcl_autofree char *why = NULL;

		if (!is_near(rule, operation))
			continue;
		why = pcl_why(rule, operation, verdict);
		pcl_cli_print("  %s:%u: %s (%s %s, %s): %s", rule->policy->file, rule->place.line,
			      rule->id, pcl_match_name(rule->match), pcl_cli_object(rule),
			      pcl_cli_action(rule), why ? why : "out of memory");
	}
}

static json_t *step_json(const struct pcl_rule *rule, const struct pcl_operation *operation,
			 const struct pcl_verdict *verdict)
{
	pcl_autofree char *why = pcl_why(rule, operation, verdict);

	return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:b, s:s, s:b, s:s?}", "rule", rule->id,
			 "file", rule->policy->file, "line", (int)rule->place.line, "match",
			 pcl_match_name(rule->match), "object", pcl_cli_object(rule), "action",
			 pcl_cli_action(rule), "source_matches",
			 pcl_rule_matches_source(rule, operation->source), "effect",
			 effect_names[pcl_rule_applies(rule, operation)], "decides",
			 rule == verdict->rule, "why", why);
}

static int print_json(const struct pcl_ruleset *ruleset, const struct request *request,
		      const struct pcl_verdict *verdict)
{
	const struct pcl_operation *operation = &request->question->operation;
	enum pcl_class class = pcl_access_class(operation->access);
	const struct pcl_rule *rule = verdict->rule;
	json_t *steps = json_array();

	for (size_t i = 0; i < ruleset->rule_count; i++)
		if (is_near(ruleset->rules[i], operation))
			(void)json_array_append_new(steps, step_json(ruleset->rules[i], operation,
								     verdict));
	return pcl_cli_print_json(json_pack(
		"{s:s, s:s, s:s?, s:s, s:s?, s:s?, s:s?, s:s?, s:o, s:s?, s:b, s:b, s:s, s:s, s:o}",
		"operation", request->text, "verdict", verdict->refused ? "refused" : "permitted",
		"errno", verdict->refused ? errno_name(verdict) : NULL, "decided_by",
		decided_by(verdict), "rule", rule ? rule->id : NULL, "policy",
		rule		      ? rule->policy->name
		: verdict->by_posture ? PCL_DEFAULT_POSTURE_NAME
				      : NULL,
		"action", rule ? pcl_cli_action(rule) : NULL, "file",
		rule ? rule->policy->file : NULL, "line",
		rule ? json_integer(rule->place.line) : json_null(), "audit_rule",
		verdict->audit_rule ? verdict->audit_rule->id : NULL, "alert", verdict->alert,
		"allow_list", ruleset->allow_list[class], "class", pcl_class_name(class), "domain",
		ruleset->domain->name, "steps", steps));
}

static int explain(const struct request *request)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *ruleset = NULL;
	struct pcl_verdict verdict;
	int exit_code;

	exit_code = pcl_cli_domain("explain", &request->about, &domain);
	if (!exit_code)
		exit_code =
			pcl_cli_read_policies(request->policies, (int)request->policy_count, &set);
	if (exit_code)
		return exit_code;
	if (pcl_resolve(set, domain, &request->about.postures, &ruleset))
		return pcl_cli_fail(PCL_EXIT_NO, "explain: out of memory");
	pcl_decide(ruleset, &request->question->operation, &verdict);
	if (request->json) {
		exit_code = print_json(ruleset, request, &verdict);
		if (exit_code)
			return exit_code;
	} else {
		pcl_cli_print_notices(set);
		print_head(ruleset, request, &verdict);
		print_others(set, ruleset, request, &verdict);
	}
	return pcl_cli_finish(verdict.refused ? PCL_EXIT_NO : PCL_EXIT_YES);
}

int pcl_cmd_explain(int argc, char **argv)
{
	pcl_cleanup(request_fini) struct request request = {0};
	int option, exit_code;

	while ((option = pcl_cli_getopt(argc, argv, options)) != -1) {
		if (option == 'h')
			return help();
		if (!take_option(&request, option))
			return PCL_EXIT_USAGE;
	}
	if (request.policies && !request.op) {
		exit_code = ask_by_words(&request, argv + optind, argc - optind);
		return exit_code ? exit_code : explain(&request);
	}
	for (int i = optind; i < argc; i++)
		if (pcl_strings_add(&request.policies, &request.policy_count, argv[i]))
			return pcl_cli_fail(PCL_EXIT_NO, "explain: out of memory");
	if (!request.policy_count)
		return pcl_cli_fail(PCL_EXIT_USAGE,
				    "explain: no policy given; see portcullis explain --help");
	exit_code = ask_by_options(&request);
	return exit_code ? exit_code : explain(&request);
}
