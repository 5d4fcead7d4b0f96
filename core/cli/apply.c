/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portcullis apply: puts a policy set in the place of what is applied.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/steps.h"
#include "cli/cli.h"
#include "cli/rules.h"
#include "engine/engine.h"

enum {
	OPT_BACKEND = 1,
	OPT_POSTURE,
	OPT_NODE_LABELS,
	OPT_ALERT_RATE,
	OPT_BEST_EFFORT,
	OPT_EXACT,
	OPT_STEPS,
	OPT_JSON,
};

static const struct option options[] = {
	{"backend", required_argument, NULL, OPT_BACKEND},
	{"posture", required_argument, NULL, OPT_POSTURE},
	{"node-labels", required_argument, NULL, OPT_NODE_LABELS},
	{"alert-rate", required_argument, NULL, OPT_ALERT_RATE},
	{"best-effort", no_argument, NULL, OPT_BEST_EFFORT},
	{"exact", no_argument, NULL, OPT_EXACT},
	{"steps", no_argument, NULL, OPT_STEPS},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int help(void)
{
	(void)puts(
		"usage: portcullis apply [OPTION...] POLICY...\n"
		"Enforces the policies of the files or directories (- is standard input) instead of\n"
		"what was applied before, in one step. On any error nothing changes. A rule that\n"
		"the backend enforces looser than it says, or not at all, is such an error.\n\n"
		"  --backend NAME        bpf_lsm, apparmor, selinux, or none (enforces nothing);\n"
		"                        default: that which this node can and which does best of\n"
		"                        the rules, as portcullis probe --policy tells\n"
		"  --posture VALUE       what an allow-list does with what it does not list:\n"
		"                        audit (permit, with an alert; the default) or block, for\n"
		"                        all classes, or as file=block,network=audit\n"
		"  --node-labels K=V,..  labels that nodeSelector may ask for, besides the host name\n"
		"  --alert-rate N        alerts a second for one rule in one domain (default 64, after\n"
		"                        a burst of 256); those over it are counted; 0: no limit\n"
		"  --best-effort         take rules that are enforced looser too, and leave out those\n"
		"                        that are not supported; portcullis status tells which\n"
		"  --exact               take no rule either that is enforced stricter than it says\n"
		"  --steps               tell how long each step took\n"
		"  --json                one JSON object on standard output\n\n"
		"Exit codes: 0 applied, 1 failed, 2 bad policy, 3 this node can't (see portcullis "
		"probe).");
	return pcl_cli_finish(PCL_EXIT_YES);
}

static int read_rate(const char *text, uint32_t *ret_rate)
{
	char *end;
	unsigned long rate = strtoul(text, &end, 10);

	if (*end || end == text || *text == '-' || rate > PCL_ALERT_RATE_MAX)
		return pcl_cli_fail(PCL_EXIT_USAGE,
				    "apply: --alert-rate \"%s\" is no number from 0 to %u", text,
				    PCL_ALERT_RATE_MAX);
	*ret_rate = (uint32_t)rate;
	return 0;
}

static size_t rules_for(const struct pcl_state *state, const struct pcl_domain *domain)
{
	size_t count = 0;

	for (size_t i = 0; i < state->set->policy_count; i++)
		if (pcl_domain_selected(domain, state->set->policies[i]))
			count += state->set->policies[i]->rule_count;
	return count;
}

/* A policy that selects nothing is no error, as a container may come later, but is worth a word. */
static void print_unselected(const struct pcl_state *state)
{
	for (size_t i = 0; i < state->set->policy_count; i++) {
		const struct pcl_policy *policy = state->set->policies[i];
		bool selected = false;

		for (size_t m = 0; m < state->member_count && !selected; m++)
			selected = pcl_domain_selected(state->members[m].domain, policy);
		if (!selected)
			(void)fprintf(stderr, "portcullis: %s:%u: %s selects no domain now\n",
				      policy->file, policy->place.line, policy->name);
	}
}

static int report(const struct pcl_state *state, bool json, bool steps)
{
	json_t *domains = json_object();

	for (size_t i = 0; i < state->member_count; i++) {
		const struct pcl_domain *domain = state->members[i].domain;

		(void)json_object_set_new(domains, domain->name,
					  json_integer((json_int_t)rules_for(state, domain)));
	}
	if (json)
		return pcl_cli_print_json(
			json_pack("{s:I, s:s, s:i, s:o, s:o, s:o*}", "generation",
				  (json_int_t)state->generation, "backend", state->backend,
				  "policies", (int)state->set->policy_count, "rules_by_domain",
				  domains, "rules", pcl_cli_rules_json(state), "steps",
				  steps ? pcl_cli_steps_json() : NULL));
	(void)printf("generation %" PRIu64 " by %s: %zu polic%s\n", state->generation,
		     state->backend, state->set->policy_count,
		     state->set->policy_count == 1 ? "y" : "ies");
	for (size_t i = 0; i < state->member_count; i++)
		(void)printf("  %s: %zu rules\n", state->members[i].domain->name,
			     rules_for(state, state->members[i].domain));
	json_decref(domains);
	pcl_cli_print_statuses(state);
	if (steps)
		pcl_cli_print_steps();
	return pcl_cli_finish(PCL_EXIT_YES);
}

/* Of one option, which changes nothing about the others. False after an error line. */
static bool read_option(int option, struct pcl_apply_options *apply)
{
	switch (option) {
	case OPT_BACKEND:
		apply->backend = optarg;
		return true;
	case OPT_NODE_LABELS:
		apply->node_labels = optarg;
		return true;
	case OPT_ALERT_RATE:
		return !read_rate(optarg, &apply->alert_rate);
	case OPT_POSTURE:
		return pcl_cli_postures(optarg, &apply->postures);
	case OPT_BEST_EFFORT:
	case OPT_EXACT:
		if (apply->effort != PCL_EFFORT_FULL) {
			(void)pcl_cli_fail(PCL_EXIT_USAGE,
					   "apply: one of --best-effort and --exact, once");
			return false;
		}
		apply->effort = option == OPT_EXACT ? PCL_EFFORT_EXACT : PCL_EFFORT_BEST;
		return true;
	default:
		return false;
	}
}

int pcl_cmd_apply(int argc, char **argv)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;
	pcl_cleanup(pcl_engine_close) struct pcl_engine *engine = NULL;
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	struct pcl_apply_options apply = {.postures = {.file = PCL_POSTURE_AUDIT},
					  .alert_rate = PCL_ALERT_RATE};
	bool json = false, steps = false;
	int option, error;

	while ((option = pcl_cli_getopt(argc, argv, options)) != -1) {
		if (option == 'h')
			return help();
		if (option == OPT_JSON)
			json = true;
		else if (option == OPT_STEPS)
			steps = true;
		else if (!read_option(option, &apply))
			return PCL_EXIT_USAGE;
	}
	if (optind == argc)
		return pcl_cli_fail(PCL_EXIT_USAGE,
				    "apply: no policy given; see portcullis apply --help");
	if (steps)
		pcl_steps_begin();
	error = pcl_cli_read_policies(argv + optind, argc - optind, &set);
	if (error)
		return error;
	pcl_cli_print_notices(set);
	if (!set->policy_count)
		return pcl_cli_fail(PCL_EXIT_USAGE, "apply: no KubeArmor policy in what was given; "
						    "to take all away: portcullis remove");
	pcl_steps_end("policies are read");
	error = pcl_engine_open(0, &engine, &diag);
	pcl_steps_end("node is known");
	if (!error)
		error = pcl_engine_apply(engine, pcl_take_ptr(set), &apply, &diag);
	if (error)
		return pcl_cli_fail_diag(pcl_cli_exit_code(error), &diag);
	print_unselected(engine->state);
	pcl_cli_print_notes(engine);
	pcl_steps_end("done");
	return report(engine->state, json, steps);
}
