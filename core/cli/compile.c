/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portcullis compile: what a backend would load for a policy set. Runs anywhere, as any user, and
 * changes nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/apparmor_plan.h"
#include "backend/bpf_lsm_plan.h"
#include "backend/selinux_plan.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "cli/cli.h"

enum {
	OPT_JSON = 1,
	OPT_TO,
	OPT_VIEW,
};

static const struct option options[] = {
	{"to", required_argument, NULL, OPT_TO},
	{"view", required_argument, NULL, OPT_VIEW},
	PCL_CLI_ABOUT_OPTIONS,
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct request {
	const char *to;
	const char *view;
	struct pcl_cli_about about;
	bool json;
};

/* What is compiled: the set's rules in the domains that it is asked for. */
struct work {
	struct pcl_policy_set *set;
	struct pcl_domain **domains;
	struct pcl_ruleset **rulesets;
	struct pcl_backend_domain *backend_domains;
	size_t count;
	const struct pcl_rule **rules;
	struct pcl_backend_input input;
};

static void work_fini(struct work *work)
{
	for (size_t i = 0; i < work->count; i++) {
		if (work->rulesets)
			pcl_ruleset_free(&work->rulesets[i]);
		pcl_domain_free(&work->domains[i]);
	}
	free((void *)work->domains);
	free((void *)work->rulesets);
	free(work->backend_domains);
	free((void *)work->rules);
	pcl_policy_set_free(&work->set);
}

static int help(void)
{
	(void)puts(
		"usage: portcullis compile --to bpf|apparmor|selinux [OPTION...] POLICY...\n"
		"Shows what the backend would load for the policies: the contents of the BPF programs'\n"
		"maps, AppArmor's profiles, or SELinux's types, constraints and labels, with the rule\n"
		"and its place beside each line. Asks no kernel and changes nothing. Paths are taken as\n"
		"written: links are followed on apply.\n\n"
		"  --view FILE       selinux: what a node's file systems hold, a line each, as made by\n"
		"                    find / -printf '%p %y %Z\\n'; without it, files are shown as the\n"
		"                    rules name them\n"
		"  --domain D        only for: \"host\", a container's labels as K=V,..., or its name;\n"
		"                    without it, the host and one container for each selector\n"
		"  --labels K=V,..., --namespace NS, --hostname NAME\n"
		"                    more of the domain, as for explain\n"
		"  --posture P       what an allow-list does with the rest: audit (default) or block,\n"
		"                    for all classes, or as file=block,network=audit\n"
		"  --json            one JSON object on standard output\n\n"
		"Exit codes: 0 compiled, 2 wrong command line or bad policy, 3 a rule that the backend\n"
		"does not support.");
	return pcl_cli_finish(PCL_EXIT_YES);
}

static bool take_option(struct request *request, int option)
{
	switch (option) {
	case OPT_JSON:
		request->json = true;
		return true;
	case OPT_TO:
		request->to = optarg;
		return true;
	case OPT_VIEW:
		request->view = optarg;
		return true;
	default:
		return pcl_cli_take_about(&request->about, option);
	}
}

/* --- domains --------------------------------------------------------------------------------- */

static bool is_known(const struct work *work, const struct pcl_domain *domain)
{
	for (size_t i = 0; i < work->count; i++)
		if (pcl_domain_equal(work->domains[i], domain))
			return true;
	return false;
}

/* Containers that the set describes by labels alone have one name; a number tells them apart. */
static int number_name(const struct work *work, size_t index)
{
	struct pcl_domain *domain = work->domains[index];
	size_t namesakes = 0;
	char *name = NULL;

	for (size_t i = 0; i < index; i++)
		namesakes += !strncmp(work->domains[i]->name, domain->name, strlen(domain->name));
	if (!namesakes)
		return 0;
	if (asprintf(&name, "%s-%zu", domain->name, namesakes + 1) < 0)
		return -ENOMEM;
	free(domain->name);
	domain->name = name;
	return 0;
}

static int describe_domains(struct work *work)
{
	for (size_t i = 0; i < work->set->policy_count; i++) {
		pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;

		if (pcl_domain_describe(work->set->policies[i], &domain))
			return -ENOMEM;
		if (is_known(work, domain))
			continue;
		if (pcl_array_grow(&work->domains, work->count, sizeof(struct pcl_domain *)))
			return -ENOMEM;
		work->domains[work->count++] = pcl_take_ptr(domain);
	}
	for (size_t i = 0; i < work->count; i++)
		if (number_name(work, i))
			return -ENOMEM;
	return 0;
}

/* An exit code after the error line, or 0. */
static int find_domains(const struct request *request, struct work *work)
{
	struct pcl_domain *domain = NULL;
	int exit_code;

	if (!request->about.domain && !request->about.labels)
		return describe_domains(work) ? pcl_cli_fail(PCL_EXIT_NO, "compile: out of memory")
					      : 0;
	exit_code = pcl_cli_domain("compile", &request->about, &domain);
	if (exit_code)
		return exit_code;
	work->domains = calloc(1, sizeof(struct pcl_domain *));
	if (!work->domains) {
		pcl_domain_free(&domain);
		return pcl_cli_fail(PCL_EXIT_NO, "compile: out of memory");
	}
	work->domains[work->count++] = domain;
	return 0;
}

static int resolve(const struct request *request, struct work *work)
{
	size_t rule_count = 0;

	work->rulesets = calloc(work->count + 1, sizeof(struct pcl_ruleset *));
	work->backend_domains = calloc(work->count + 1, sizeof(*work->backend_domains));
	if (!work->rulesets || !work->backend_domains ||
	    pcl_policy_set_rules(work->set, &work->rules, &rule_count))
		return -ENOMEM;
	for (size_t i = 0; i < work->count; i++) {
		if (pcl_resolve(work->set, work->domains[i], &request->about.postures,
				&work->rulesets[i]))
			return -ENOMEM;
		work->backend_domains[i] = (struct pcl_backend_domain){
			.ruleset = work->rulesets[i],
			.id = work->domains[i]->host ? 0 : (uint32_t)i + 1,
			.incarnation = (uint32_t)i + 1,
			.cgroup_id = work->domains[i]->host ? 0 : i + 1,
		};
	}
	work->input = (struct pcl_backend_input){
		.generation = 1,
		.domains = work->backend_domains,
		.domain_count = work->count,
		.rules = work->rules,
		.rule_count = rule_count,
	};
	return 0;
}

/* --- what is shown --------------------------------------------------------------------------- */

typedef struct pcl_rule_status (*status_fn)(const struct pcl_rule *rule, unsigned kernel);

static void print_statuses(const struct work *work, status_fn status_of)
{
	for (size_t i = 0; i < work->input.rule_count; i++) {
		const struct pcl_rule *rule = work->rules[i];
		const struct pcl_rule_status status = status_of(rule, 0);

		if (status.reason)
			pcl_cli_print("# %s:%u: %s is %s: it %s", rule->policy->file,
				      rule->place.line, rule->id, pcl_status_name(status.status),
				      status.reason);
	}
}

static json_t *statuses_json(const struct work *work, status_fn status_of)
{
	json_t *list = json_array();

	for (size_t i = 0; i < work->input.rule_count; i++) {
		const struct pcl_rule *rule = work->rules[i];
		const struct pcl_rule_status status = status_of(rule, 0);

		(void)json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:s, s:s*}", "rule",
							    rule->id, "file", rule->policy->file,
							    "line", (int)rule->place.line, "status",
							    pcl_status_name(status.status),
							    "reason", status.reason));
	}
	return list;
}

static json_t *profiles_json(const struct pcl_apparmor_plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->count; i++) {
		const struct pcl_apparmor_profile *profile = &plan->profiles[i];
		char hash[17];

		(void)snprintf(hash, sizeof(hash), "%016" PRIx64, profile->hash);
		(void)json_array_append_new(list,
					    json_pack("{s:s, s:i, s:s*, s:s, s:s}", "name",
						      profile->name, "domain", (int)profile->domain,
						      "source", profile->source, "hash", hash,
						      "text", profile->text));
	}
	return list;
}

/* What a plan refuses, with its place; an exit code after the error line, or 0. */
static int check_support(const char *backend, const struct work *work, status_fn status_of)
{
	for (size_t i = 0; i < work->input.rule_count; i++) {
		const struct pcl_rule *rule = work->rules[i];
		const struct pcl_rule_status status = status_of(rule, 0);

		if (status.status == PCL_STATUS_UNSUPPORTED)
			return pcl_cli_fail(PCL_EXIT_UNSUPPORTED,
					    "%s:%u:%u: rule %s cannot be compiled: %s %s",
					    rule->policy->file, rule->place.line,
					    rule->place.column, rule->id, backend, status.reason);
	}
	return 0;
}

static int show_apparmor(const struct request *request, const struct work *work)
{
	pcl_cleanup(pcl_apparmor_plan_free) struct pcl_apparmor_plan *plan = NULL;
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	int error = pcl_apparmor_plan(&work->input, NULL, &plan, &diag);

	if (error)
		return pcl_cli_fail_diag(pcl_cli_exit_code(error), &diag);
	if (request->json)
		return pcl_cli_print_json(json_pack("{s:s, s:o, s:o}", "to", request->to,
						    "profiles", profiles_json(plan), "rules",
						    statuses_json(work, pcl_apparmor_status)));
	print_statuses(work, pcl_apparmor_status);
	for (size_t i = 0; i < plan->count; i++)
		(void)fputs(plan->profiles[i].text, stdout);
	return pcl_cli_finish(PCL_EXIT_YES);
}

static int show_bpf(const struct request *request, const struct work *work)
{
	pcl_cleanup(pcl_bpf_plan_free) struct pcl_bpf_plan *plan = NULL;
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_autofree char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int error = pcl_bpf_plan_make(&work->input, &plan, &diag);

	if (out && !error)
		pcl_bpf_plan_print(plan, &work->input, out);
	if (!out || fclose(out) != 0)
		return pcl_cli_fail(PCL_EXIT_NO, "compile: out of memory");
	if (error)
		return pcl_cli_fail_diag(pcl_cli_exit_code(error), &diag);
	if (request->json)
		return pcl_cli_print_json(json_pack("{s:s, s:s, s:o}", "to", request->to, "plan",
						    text, "rules",
						    statuses_json(work, pcl_bpf_status)));
	print_statuses(work, pcl_bpf_status);
	(void)fputs(text, stdout);
	return pcl_cli_finish(PCL_EXIT_YES);
}

/* An exit code after the error line, or 0. */
static int read_view(const char *path, struct pcl_selinux_view **ret_view)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_autofclose FILE *file = fopen(path, "re");
	pcl_autofree char *text = NULL;
	size_t capacity = 0;

	if (!file || (getdelim(&text, &capacity, '\0', file) < 0 && ferror(file)))
		return pcl_cli_fail(PCL_EXIT_USAGE, "compile: cannot read %s: %s", path,
				    strerror(errno));
	if (pcl_selinux_view_parse(path, text ? text : "", ret_view, &diag))
		return pcl_cli_fail_diag(PCL_EXIT_USAGE, &diag);
	return 0;
}

static void print_selinux(const struct work *work, const struct pcl_selinux_view *view,
			  const struct pcl_selinux_plan *plan, FILE *out)
{
	for (size_t i = 0; !view && i < work->count; i++)
		pcl_selinux_rules_print(work->rulesets[i], out);
	pcl_selinux_plan_print(plan, out);
}

static int show_selinux(const struct request *request, const struct work *work)
{
	pcl_cleanup(pcl_selinux_view_free) struct pcl_selinux_view *view = NULL;
	pcl_cleanup(pcl_selinux_plan_free) struct pcl_selinux_plan *plan = NULL;
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_autofree char *text = NULL;
	size_t len = 0;
	FILE *out;
	int exit_code = request->view ? read_view(request->view, &view) : 0, error;

	if (exit_code)
		return exit_code;
	error = pcl_selinux_plan(&work->input, view, &plan, &diag);
	if (error)
		return pcl_cli_fail_diag(pcl_cli_exit_code(error), &diag);
	out = open_memstream(&text, &len);
	if (out)
		print_selinux(work, view, plan, out);
	if (!out || fclose(out) != 0)
		return pcl_cli_fail(PCL_EXIT_NO, "compile: out of memory");
	if (request->json)
		return pcl_cli_print_json(json_pack("{s:s, s:s, s:o}", "to", request->to, "plan",
						    text, "rules",
						    statuses_json(work, pcl_selinux_status)));
	print_statuses(work, pcl_selinux_status);
	(void)fputs(text, stdout);
	return pcl_cli_finish(PCL_EXIT_YES);
}

static const struct {
	const char *name;
	status_fn status;
	int (*show)(const struct request *request, const struct work *work);
} targets[] = {
	{"bpf", pcl_bpf_status, show_bpf},
	{"apparmor", pcl_apparmor_status, show_apparmor},
	{"selinux", pcl_selinux_status, show_selinux},
};

static int compile(const struct request *request, char *const *paths, int count, size_t target)
{
	struct work pcl_cleanup(work_fini) work = {0};
	int exit_code = pcl_cli_read_policies(paths, count, &work.set);

	if (!exit_code)
		exit_code = find_domains(request, &work);
	if (exit_code)
		return exit_code;
	if (resolve(request, &work))
		return pcl_cli_fail(PCL_EXIT_NO, "compile: out of memory");
	pcl_cli_print_notices(work.set);
	exit_code = check_support(targets[target].name, &work, targets[target].status);
	return exit_code ? exit_code : targets[target].show(request, &work);
}

int pcl_cmd_compile(int argc, char **argv)
{
	struct request request = {0};
	size_t target = 0;
	int option;

	while ((option = pcl_cli_getopt(argc, argv, options)) != -1) {
		if (option == 'h')
			return help();
		if (!take_option(&request, option))
			return PCL_EXIT_USAGE;
	}
	if (!request.to)
		return pcl_cli_fail(PCL_EXIT_USAGE,
				    "compile: --to bpf, apparmor or selinux is missing");
	while (target < PCL_ARRAY_SIZE(targets) && strcmp(request.to, targets[target].name) != 0)
		target++;
	if (target == PCL_ARRAY_SIZE(targets))
		return pcl_cli_fail(
			PCL_EXIT_USAGE,
			"compile: unknown --to \"%s\"; it must be bpf, apparmor or selinux",
			request.to);
	if (request.view && targets[target].show != show_selinux)
		return pcl_cli_fail(PCL_EXIT_USAGE, "compile: --view is for --to selinux");
	if (optind == argc)
		return pcl_cli_fail(PCL_EXIT_USAGE,
				    "compile: no policy given; see portcullis compile --help");
	return compile(&request, argv + optind, argc - optind, target);
}
