/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portcullis status: what is applied and live.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/rules.h"
#include "engine/engine.h"
#include "engine/unbound.h"

enum {
	OPT_JSON = 1,
};

static const struct option options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int help(void)
{
	(void)puts(
		"usage: portcullis status [--json]\n"
		"Says what is applied: generation, backend, attached programs, domains with their\n"
		"rules, processes that are not bound yet, rules that are not enforced exactly, lost\n"
		"alerts.\n\n"
		"Exit codes: 0 something is applied, 1 nothing is, or failed.");
	return pcl_cli_finish(PCL_EXIT_YES);
}

static const char *posture_name(enum pcl_posture posture)
{
	return posture == PCL_POSTURE_BLOCK ? "block" : "audit";
}

/* Of each member of the state (owned), or NULL where the backend has none. */
static struct pcl_backend_tally *read_tallies(const struct pcl_engine *engine)
{
	size_t count = engine->state->member_count;
	pcl_autofree struct pcl_backend_tally *tallies = calloc(count, sizeof(*tallies));
	pcl_autofree uint32_t *ids = calloc(count, sizeof(*ids));

	if (!tallies || !ids || !engine->backend || !engine->backend->tallies)
		return NULL;
	for (size_t i = 0; i < count; i++)
		ids[i] = engine->state->members[i].id;
	if (engine->backend->tallies(ids, count, tallies, NULL))
		return NULL;
	return pcl_take_ptr(tallies);
}

/* Of each member of the state (owned), or NULL where the backend binds all at once. */
static struct pcl_unbound *find_unbound(const struct pcl_engine *engine)
{
	struct pcl_unbound *unbound = NULL;

	(void)pcl_unbound_find(engine->state, engine->backend, &unbound);
	return unbound;
}

static json_t *unbound_json(const struct pcl_unbound *unbound)
{
	return unbound ? json_pack("{s:I, s:I, s:I}", "bound",
				   (json_int_t)unbound->counts[PCL_BINDING_NOW], "at_execve",
				   (json_int_t)unbound->counts[PCL_BINDING_EXEC], "at_start",
				   (json_int_t)unbound->counts[PCL_BINDING_START])
		       : NULL;
}

static json_t *domain_json(const struct pcl_state *state, const struct pcl_member *member,
			   const struct pcl_backend_tally *tally, const struct pcl_unbound *unbound)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < state->set->policy_count; i++) {
		const struct pcl_policy *policy = state->set->policies[i];

		if (!pcl_domain_selected(member->domain, policy))
			continue;
		for (size_t r = 0; r < policy->rule_count; r++)
			(void)json_array_append_new(rules, json_string(policy->rules[r]->id));
	}
	return json_pack("{s:s, s:s*, s:i, s:o, s:I, s:I, s:I, s:o*}", "name", member->domain->name,
			 "cgroup", member->cgroup, "id", (int)member->id, "rules", rules, "alerts",
			 (json_int_t)(tally ? tally->sent : 0), "lost_alerts",
			 (json_int_t)(tally ? tally->lost : 0), "suppressed_alerts",
			 (json_int_t)(tally ? tally->suppressed : 0), "processes",
			 unbound_json(unbound));
}

/* How many objects rules do not hold for any more, or -errno; *ret_name (owned) is one of them. */
static ssize_t find_escaped(const struct pcl_engine *engine, char **ret_name, struct pcl_diag *diag)
{
	size_t count = 0;
	int error = 0;

	*ret_name = NULL;
	if (engine->backend && engine->backend->escaped)
		error = engine->backend->escaped(&count, ret_name, diag);
	return error ? error : (ssize_t)count;
}

/* null: it could not be found out. */
static json_t *escaped_json(const struct pcl_engine *engine)
{
	pcl_autofree char *name = NULL;
	ssize_t count = find_escaped(engine, &name, NULL);

	return count < 0 ? json_null() : json_integer(count);
}

static int print_json(const struct pcl_engine *engine)
{
	json_t *domains = json_array(), *programs = json_array();
	pcl_autofree struct pcl_backend_tally *tallies = read_tallies(engine);
	struct pcl_unbound *unbound = find_unbound(engine);
	const struct pcl_state *state = engine->state;

	for (size_t i = 0; engine->backend && i < state->member_count; i++)
		(void)json_array_append_new(domains, domain_json(state, &state->members[i],
								 tallies ? &tallies[i] : NULL,
								 unbound ? &unbound[i] : NULL));
	pcl_unbound_free(&unbound, state->member_count);
	for (size_t i = 0; i < engine->live.program_count; i++)
		(void)json_array_append_new(programs, json_string(engine->live.programs[i]));
	return pcl_cli_print_json(
		json_pack("{s:b, s:I, s:s*, s:s, s:{s:s, s:s, s:s, s:s}, s:o, s:o, s:I, s:I, "
			  "s:I, s:I, s:I, s:o, s:o}",
			  "applied", engine->backend != NULL, "generation",
			  (json_int_t)engine->live.generation, "backend",
			  engine->backend ? engine->backend->name : NULL, "posture",
			  posture_name(state->postures.file), "postures", "file",
			  posture_name(state->postures.file), "network",
			  posture_name(state->postures.network), "capabilities",
			  posture_name(state->postures.capabilities), "device",
			  posture_name(state->postures.device), "programs", programs, "domains",
			  domains, "alerts", (json_int_t)engine->live.alerts.sent, "lost_alerts",
			  (json_int_t)engine->live.alerts.lost, "suppressed_alerts",
			  (json_int_t)engine->live.alerts.suppressed, "unknown_paths",
			  (json_int_t)engine->live.unknown_paths, "no_room",
			  (json_int_t)engine->live.no_room, "escaped", escaped_json(engine),
			  "rules", pcl_cli_rules_json(state)));
}

static void print_escaped(const struct pcl_engine *engine)
{
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	pcl_autofree char *name = NULL;
	ssize_t count = find_escaped(engine, &name, &diag);

	if (count < 0)
		(void)printf("whether files were replaced since is not known: %s\n",
			     pcl_diag_text(&diag));
	if (count > 0)
		(void)printf("%zd file%s been replaced or relabelled since, so no rule holds for "
			     "%s (%s%s): apply the policies again\n",
			     count, count == 1 ? " has" : "s have", count == 1 ? "it" : "them",
			     name ? name : "", count == 1 ? "" : ", ...");
}

static void print_unbound(const struct pcl_engine *engine)
{
	struct pcl_unbound *unbound = find_unbound(engine);
	size_t count = engine->state->member_count;

	for (size_t i = 0; unbound && i < count; i++)
		for (enum pcl_binding b = PCL_BINDING_NOW; (int)b < PCL_BINDING_COUNT; b++) {
			pcl_autofree char *text =
				pcl_unbound_text(&unbound[i], b, engine->backend,
						 engine->state->members[i].domain);

			if (text)
				(void)printf("%s\n", text);
		}
	pcl_unbound_free(&unbound, count);
}

static void print_domain(const struct pcl_state *state, const struct pcl_member *member,
			 const struct pcl_backend_tally *tally)
{
	pcl_autofree char *place = pcl_member_place(member);

	(void)printf("domain %s%s%s\n", member->domain->name, place && *place ? " " : "",
		     place ? place : "");
	if (tally && (tally->lost || tally->suppressed))
		(void)printf("  %" PRIu64 " alerts, %" PRIu64 " lost, %" PRIu64 " suppressed\n",
			     tally->sent, tally->lost, tally->suppressed);
	for (size_t i = 0; i < state->set->policy_count; i++) {
		const struct pcl_policy *policy = state->set->policies[i];

		if (!pcl_domain_selected(member->domain, policy))
			continue;
		for (size_t r = 0; r < policy->rule_count; r++)
			(void)printf("  %-5s %s %s  %s%s\n", pcl_cli_action(policy->rules[r]),
				     pcl_match_name(policy->rules[r]->match),
				     pcl_cli_object(policy->rules[r]), policy->rules[r]->id,
				     pcl_cli_mark(state, policy->rules[r]));
	}
}

/* Those of the other classes, where they are not that of file. */
static void print_postures(const struct pcl_postures *postures)
{
	if (postures->network != postures->file)
		(void)printf("posture of network: %s\n", posture_name(postures->network));
	if (postures->capabilities != postures->file)
		(void)printf("posture of capabilities: %s\n", posture_name(postures->capabilities));
	if (postures->device != postures->file)
		(void)printf("posture of device: %s\n", posture_name(postures->device));
}

static void print_text(const struct pcl_engine *engine)
{
	pcl_autofree struct pcl_backend_tally *tallies = read_tallies(engine);
	const struct pcl_state *state = engine->state;

	if (!engine->backend) {
		(void)puts("nothing is applied");
		return;
	}
	(void)printf("generation %" PRIu64 " by %s, posture %s, %zu programs attached\n",
		     engine->live.generation, engine->backend->name,
		     posture_name(state->postures.file), engine->live.program_count);
	print_postures(&state->postures);
	if (engine->live.alerts.lost)
		(void)printf("%" PRIu64 " alerts lost: nobody read them in time\n",
			     engine->live.alerts.lost);
	if (engine->live.alerts.suppressed)
		(void)printf("%" PRIu64 " alerts suppressed: over the rate of their rule\n",
			     engine->live.alerts.suppressed);
	if (engine->live.no_room)
		(void)printf("%" PRIu64 " operations refused for want of memory for a task\n",
			     engine->live.no_room);
	if (engine->live.unknown_paths)
		(void)printf("%" PRIu64 " operations on paths that could not be built\n",
			     engine->live.unknown_paths);
	print_unbound(engine);
	print_escaped(engine);
	for (size_t i = 0; i < state->member_count; i++)
		print_domain(state, &state->members[i], tallies ? &tallies[i] : NULL);
	pcl_cli_print_statuses(state);
}

int pcl_cmd_status(int argc, char **argv)
{
	pcl_cleanup(pcl_engine_close) struct pcl_engine *engine = NULL;
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	bool json = false;
	int option, error;

	while ((option = pcl_cli_getopt(argc, argv, options)) != -1) {
		if (option == 'h')
			return help();
		if (option != OPT_JSON)
			return PCL_EXIT_USAGE;
		json = true;
	}
	if (optind != argc)
		return pcl_cli_fail(PCL_EXIT_USAGE, "status: takes no argument");
	error = pcl_engine_open(0, &engine, &diag);
	if (error)
		return pcl_cli_fail_diag(pcl_cli_exit_code(error), &diag);
	if (json && print_json(engine))
		return PCL_EXIT_NO;
	if (!json)
		print_text(engine);
	return pcl_cli_finish(engine->backend ? PCL_EXIT_YES : PCL_EXIT_NO);
}
