/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portcullis explain: what a policy set says of one operation, and the steps to it.
 *
 * Asks the model, never the kernel, so it works on any machine and for any domain.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "policy/decide.h"
#include "policy/path.h"

enum {
	OPT_JSON = 1,
	OPT_OP,
	OPT_OBJECT,
	OPT_NO_PATH,
	OPT_SOURCE,
	OPT_OWNER,
	OPT_DOMAIN,
	OPT_LABELS,
	OPT_NAMESPACE,
	OPT_POSTURE,
	OPT_HOSTNAME,
};

static const struct option options[] = {
	{"op", required_argument, NULL, OPT_OP},
	{"object", required_argument, NULL, OPT_OBJECT},
	{"no-path", no_argument, NULL, OPT_NO_PATH},
	{"source", required_argument, NULL, OPT_SOURCE},
	{"owner", no_argument, NULL, OPT_OWNER},
	{"domain", required_argument, NULL, OPT_DOMAIN},
	{"labels", required_argument, NULL, OPT_LABELS},
	{"namespace", required_argument, NULL, OPT_NAMESPACE},
	{"posture", required_argument, NULL, OPT_POSTURE},
	{"hostname", required_argument, NULL, OPT_HOSTNAME},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static const char *const op_names[PCL_ACCESS_COUNT + 1] = {
	[PCL_ACCESS_EXECUTE] = "execute",
	[PCL_ACCESS_READ] = "read",
	[PCL_ACCESS_WRITE] = "write",
};

static const char *const effect_names[PCL_EFFECT_COUNT] = {
	[PCL_EFFECT_NONE] = "nothing",
	[PCL_EFFECT_ALLOW] = "Allow",
	[PCL_EFFECT_BLOCK] = "Block",
	[PCL_EFFECT_AUDIT] = "Audit",
};

/* What the command line says; texts are borrowed from argv but for the normalised paths. */
struct request {
	const char *op;
	const char *object_text;
	const char *source_text;
	const char *domain;
	const char *labels;
	const char *ns;
	const char *hostname;
	char *object;
	char *source;
	bool no_path;
	bool json;
	struct pcl_postures postures;
	struct pcl_operation operation;
};

static void request_fini(struct request *request)
{
	free(request->object);
	free(request->source);
}

static int help(void)
{
	(void)puts(
		"usage: portcullis explain POLICY... --op execute|read|write --object PATH [OPTION...]\n"
		"Says whether the policies permit the operation, which rule decides, and the steps.\n\n"
		"  --op OP           execute, read or write (anything that changes the object)\n"
		"  --object PATH     the file itself, symlinks resolved, as the domain's root sees it\n"
		"  --no-path         instead: an object without a path (a memfd, a deleted file)\n"
		"  --source PATH     the executable that the acting task runs\n"
		"  --owner           the acting user owns the object\n"
		"  --domain NAME     \"host\" (the default without --labels), or a container's name\n"
		"  --labels K=V,...  the container's labels, or more labels of the host\n"
		"  --namespace NS    the container's namespace; without it any namespace's policies\n"
		"                    select it\n"
		"  --posture P       what an allow-list does with the rest: audit (default) or block\n"
		"  --hostname NAME   instead of this machine's name\n"
		"  --json            one JSON object on standard output\n\n"
		"Exit codes: 0 permitted, 1 refused, 2 wrong command line or bad policy.");
	return pcl_cli_finish(PCL_EXIT_YES);
}

static bool take_option(struct request *request, int option)
{
	switch (option) {
	case OPT_JSON:
		request->json = true;
		return true;
	case OPT_OP:
		request->op = optarg;
		return true;
	case OPT_OBJECT:
		request->object_text = optarg;
		return true;
	case OPT_NO_PATH:
		request->no_path = true;
		return true;
	case OPT_SOURCE:
		request->source_text = optarg;
		return true;
	case OPT_OWNER:
		request->operation.owner = true;
		return true;
	case OPT_DOMAIN:
		request->domain = optarg;
		return true;
	case OPT_LABELS:
		request->labels = optarg;
		return true;
	case OPT_NAMESPACE:
		request->ns = optarg;
		return true;
	case OPT_POSTURE:
		return pcl_cli_posture(optarg, &request->postures.file);
	case OPT_HOSTNAME:
		request->hostname = optarg;
		return true;
	default:
		return false; /* the error was printed */
	}
}

static int normalise(const char *what, const char *text, char **ret_path)
{
	const char *reason = "out of memory";

	if (pcl_path_normalise(text, ret_path, &reason))
		return pcl_cli_fail(PCL_EXIT_USAGE, "explain: %s \"%s\" cannot be used: %s", what,
				    text, reason);
	return 0;
}

static int fill_access(struct request *request)
{
	const char *near;

	if (!request->op)
		return pcl_cli_fail(PCL_EXIT_USAGE,
				    "explain: --op execute, read or write is missing");
	for (int access = 0; access < PCL_ACCESS_COUNT; access++) {
		if (!strcmp(request->op, op_names[access])) {
			request->operation.access = (enum pcl_access)access;
			return 0;
		}
	}
	near = pcl_nearest_word(request->op, op_names);
	return pcl_cli_fail(
		PCL_EXIT_USAGE,
		near ? "explain: unknown --op \"%s\"; did you mean \"%s\"?"
		     : "explain: unknown --op \"%s\"; it must be execute, read or write",
		request->op, near);
}

static int fill_operation(struct request *request)
{
	int exit_code = fill_access(request);

	if (exit_code)
		return exit_code;
	if (!request->object_text == !request->no_path)
		return pcl_cli_fail(PCL_EXIT_USAGE,
				    "explain: give one of --object PATH and --no-path");
	if (request->object_text)
		exit_code = normalise("--object", request->object_text, &request->object);
	if (!exit_code && request->source_text)
		exit_code = normalise("--source", request->source_text, &request->source);
	request->operation.object = request->object;
	request->operation.source = request->source;
	return exit_code;
}

static int make_domain(const struct request *request, struct pcl_domain **ret_domain)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	char hostname[HOST_NAME_MAX + 1] = "localhost";
	const char *name = request->domain;
	int error;

	if (!name)
		name = request->labels || request->ns ? "container" : PCL_HOST_DOMAIN_NAME;
	if (!strcmp(name, PCL_HOST_DOMAIN_NAME)) {
		if (request->ns)
			return pcl_cli_fail(
				PCL_EXIT_USAGE,
				"explain: the host has no namespace; remove --namespace");
		if (!request->hostname)
			(void)gethostname(hostname, sizeof(hostname) - 1);
		error = pcl_domain_new_host(request->hostname ? request->hostname : hostname,
					    request->labels, ret_domain, &diag);
	} else {
		error = pcl_domain_new(name, request->ns, request->labels, ret_domain, &diag);
	}
	return error ? pcl_cli_fail(PCL_EXIT_USAGE, "explain: %s", pcl_diag_text(&diag)) : 0;
}

/* A rule of the operation's class whose matcher holds the object, whatever its source says. */
static bool is_near(const struct pcl_rule *rule, const struct pcl_operation *operation)
{
	return rule->class == pcl_access_class(operation->access) && operation->object &&
	       pcl_rule_matches_object(rule, operation->object);
}

static enum pcl_effect effect_of(const struct pcl_rule *rule, const struct pcl_operation *operation)
{
	if (!pcl_rule_matches_source(rule, operation->source))
		return PCL_EFFECT_NONE;
	return pcl_rule_effect(rule, operation->access, operation->owner);
}

static const char *decided_by(const struct pcl_verdict *verdict)
{
	if (verdict->rule)
		return verdict->refused ? "Block" : "Allow";
	if (verdict->by_posture)
		return "posture";
	return "no rule";
}

static void print_rule(const char *title, const struct pcl_rule *rule)
{
	pcl_cli_print("  %-8s %s (%s), %s:%u", title, rule->id, pcl_action_name(rule->action),
		      rule->policy->file, rule->place.line);
}

static void print_head(const struct pcl_ruleset *ruleset, const struct request *request,
		       const struct pcl_verdict *verdict)
{
	const struct pcl_rule *rule = verdict->rule;

	pcl_cli_print("%s: %s %s by %s in domain %s", verdict->refused ? "refused" : "permitted",
		      request->op, request->object ? request->object : "an object without a path",
		      request->source ? request->source : "an unnamed source",
		      ruleset->domain->name);
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
		pcl_cli_print("  policy   %s", PCL_DEFAULT_POSTURE_NAME);
	}
	if (verdict->audit_rule)
		print_rule("audited", verdict->audit_rule);
}

static void print_step(const struct pcl_rule *rule, const struct request *request)
{
	bool from_source = pcl_rule_matches_source(rule, request->source);

	pcl_cli_print("     %s:%u: %s, %s %s%s: %s", rule->policy->file, rule->place.line, rule->id,
		      pcl_match_name(rule->match), rule->object,
		      rule->flags & PCL_RULE_READ_ONLY ? ", readOnly" : "",
		      from_source ? effect_names[effect_of(rule, &request->operation)]
				  : "the source is not in its fromSource");
}

static void print_steps(const struct pcl_policy_set *set, const struct pcl_ruleset *ruleset,
			const struct request *request, const struct pcl_verdict *verdict)
{
	enum pcl_class class = pcl_access_class(request->operation.access);
	size_t selected = 0, near_count = 0, class_count = 0;

	for (size_t i = 0; i < set->policy_count; i++)
		selected += pcl_domain_selected(ruleset->domain, set->policies[i]);
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		class_count += ruleset->rules[i]->class == class;
		near_count += is_near(ruleset->rules[i], &request->operation);
	}
	pcl_cli_print("steps:");
	pcl_cli_print("  1. policies that select the domain: %zu of %zu; their rules of class %s: "
		      "%zu; %s",
		      selected, set->policy_count, pcl_class_name(class), class_count,
		      ruleset->allow_list[class] ? "an Allow among them makes it an allow-list"
						 : "no allow-list");
	pcl_cli_print("  2. rules that match the object: %zu", near_count);
	for (size_t i = 0; i < ruleset->rule_count; i++)
		if (is_near(ruleset->rules[i], &request->operation))
			print_step(ruleset->rules[i], request);
	pcl_cli_print("  3. decided by %s: %s%s", decided_by(verdict),
		      verdict->refused ? "refused (EACCES)" : "permitted",
		      verdict->alert ? ", with an alert" : "");
}

static json_t *step_json(const struct pcl_rule *rule, const struct request *request,
			 const struct pcl_verdict *verdict)
{
	return json_pack("{s:s, s:s, s:i, s:s, s:s, s:b, s:s, s:b}", "rule", rule->id, "file",
			 rule->policy->file, "line", (int)rule->place.line, "match",
			 pcl_match_name(rule->match), "object", rule->object, "source_matches",
			 pcl_rule_matches_source(rule, request->source), "effect",
			 effect_names[effect_of(rule, &request->operation)], "decides",
			 rule == verdict->rule);
}

static int print_json(const struct pcl_ruleset *ruleset, const struct request *request,
		      const struct pcl_verdict *verdict)
{
	const struct pcl_rule *rule = verdict->rule;
	enum pcl_class class = pcl_access_class(request->operation.access);
	json_t *steps = json_array();

	for (size_t i = 0; i < ruleset->rule_count; i++)
		if (is_near(ruleset->rules[i], &request->operation))
			(void)json_array_append_new(steps,
						    step_json(ruleset->rules[i], request, verdict));
	return pcl_cli_print_json(json_pack(
		"{s:s, s:s?, s:s, s:s?, s:s?, s:s?, s:s?, s:o, s:s?, s:b, s:b, s:s, s:s, s:o}",
		"verdict", verdict->refused ? "refused" : "permitted", "errno",
		verdict->refused ? "EACCES" : NULL, "decided_by", decided_by(verdict), "rule",
		rule ? rule->id : NULL, "policy",
		rule		      ? rule->policy->name
		: verdict->by_posture ? PCL_DEFAULT_POSTURE_NAME
				      : NULL,
		"action", rule ? pcl_action_name(rule->action) : NULL, "file",
		rule ? rule->policy->file : NULL, "line",
		rule ? json_integer(rule->place.line) : json_null(), "audit_rule",
		verdict->audit_rule ? verdict->audit_rule->id : NULL, "alert", verdict->alert,
		"allow_list", ruleset->allow_list[class], "class", pcl_class_name(class), "domain",
		ruleset->domain->name, "steps", steps));
}

static int explain(const struct request *request, char *const *paths, int count)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *ruleset = NULL;
	struct pcl_verdict verdict;
	int exit_code;

	exit_code = make_domain(request, &domain);
	if (!exit_code)
		exit_code = pcl_cli_read_policies(paths, count, &set);
	if (exit_code)
		return exit_code;
	if (pcl_resolve(set, domain, &request->postures, &ruleset))
		return pcl_cli_fail(PCL_EXIT_NO, "explain: out of memory");
	pcl_decide(ruleset, &request->operation, &verdict);
	if (request->json) {
		exit_code = print_json(ruleset, request, &verdict);
		if (exit_code)
			return exit_code;
	} else {
		pcl_cli_print_notices(set);
		print_head(ruleset, request, &verdict);
		print_steps(set, ruleset, request, &verdict);
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
	if (optind == argc)
		return pcl_cli_fail(PCL_EXIT_USAGE,
				    "explain: no policy given; see portcullis explain --help");
	exit_code = fill_operation(&request);
	return exit_code ? exit_code : explain(&request, argv + optind, argc - optind);
}
