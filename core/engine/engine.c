/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening, and the one way by which things change.
 */
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/steps.h"
#include "base/yaml.h"
#include "engine/choice.h"
#include "engine/input.h"
#include "engine/unbound.h"
#include "node/cgroup.h"

#define LOCK_PATH PCL_STATE_DIR "/lock"

/* Generations whose files stay for late events. */
#define GENERATIONS_KEPT 8

/* --- opening --------------------------------------------------------------------------------- */

/* Whether the locked file is still the one that others would open: remove deletes it. */
static bool lock_is_current(int fd)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && stat(LOCK_PATH, &named) == 0 &&
	       held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

static int try_lock(int *ret_fd, struct pcl_diag *diag)
{
	pcl_autoclose int fd = -1;

	if (mkdir(PCL_STATE_DIR, 0700) < 0 && errno != EEXIST)
		return pcl_diag_errno(diag, -errno,
				      "cannot make " PCL_STATE_DIR " (portcullis needs root here)");
	fd = open(LOCK_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return pcl_diag_errno(diag, -errno,
				      "cannot open " LOCK_PATH " (portcullis needs root here)");
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return pcl_diag_errno(diag, -errno, "cannot lock " LOCK_PATH);
	if (!lock_is_current(fd))
		return -EAGAIN;
	*ret_fd = pcl_take_fd(&fd);
	return 0;
}

static int take_lock(struct pcl_engine *engine, struct pcl_diag *diag)
{
	int error;

	do
		error = try_lock(&engine->lock_fd, diag);
	while (error == -EAGAIN);
	return error;
}

/* Asks each backend; the one that has something live says which generation holds. */
static int find_live(struct pcl_engine *engine, struct pcl_diag *diag)
{
	for (size_t i = 0; pcl_backends[i]; i++) {
		struct pcl_backend_live live;
		int error = pcl_backends[i]->live(&live, diag);

		if (error)
			return error;
		/* Two are live only when a change of backend was cut short: the later one holds. */
		if (live.generation > engine->live.generation) {
			engine->live = live;
			engine->backend = pcl_backends[i];
		}
	}
	return 0;
}

static int load_state(struct pcl_engine *engine, struct pcl_diag *diag)
{
	int error;

	if (!engine->backend)
		return pcl_state_new(engine->node->hostname, NULL, &engine->state, diag);
	error = pcl_state_load(engine->live.generation, &engine->state, diag);
	if (error == -ENOENT)
		return pcl_diag_set(diag, -EBADMSG,
				    "generation %" PRIu64
				    " is enforced by %s, but its file in " PCL_STATE_DIR
				    " is gone; enforcement goes on; run \"portcullis "
				    "remove\" and apply the policies again",
				    engine->live.generation, engine->backend->name);
	return error;
}

int pcl_engine_open(unsigned flags, struct pcl_engine **ret_engine, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_engine_close) struct pcl_engine *engine = calloc(1, sizeof(*engine));
	int error;

	if (!engine)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	engine->lock_fd = -1;
	error = take_lock(engine, diag);
	if (!error)
		error = pcl_node_probe(&engine->node, diag);
	if (!error && !(flags & PCL_ENGINE_ANY_STATE)) {
		error = find_live(engine, diag);
		if (!error)
			error = load_state(engine, diag);
	}
	if (error)
		return error;
	*ret_engine = pcl_take_ptr(engine);
	return 0;
}

void pcl_engine_close(struct pcl_engine **engine)
{
	if (!*engine)
		return;
	pcl_state_free(&(*engine)->state);
	pcl_node_free(&(*engine)->node);
	pcl_closep(&(*engine)->lock_fd);
	pcl_strings_free(&(*engine)->notes, &(*engine)->note_count);
	free(*engine);
	*engine = NULL;
}

/* --- changing -------------------------------------------------------------------------------- */

/* The first that this node can; where it can none, the first, which says what is missing. */
static const struct pcl_backend *any_backend(const struct pcl_node *node)
{
	for (size_t i = 0; pcl_backends[i]; i++)
		/* "none" can always be had and enforces nothing, so it is never chosen by itself.
		 */
		if (!pcl_backends[i]->idle && !pcl_backends[i]->probe(node, NULL))
			return pcl_backends[i];
	return pcl_backends[0];
}

static int choose_backend(const struct pcl_node *node, const char *name,
			  const struct pcl_backend **ret_backend, struct pcl_diag *diag)
{
	const char *names[8] = {NULL}, *near;

	if (!name) {
		*ret_backend = any_backend(node);
		return 0;
	}
	*ret_backend = pcl_backend_find(name);
	if (*ret_backend)
		return 0;
	for (size_t i = 0; pcl_backends[i] && i + 1 < PCL_ARRAY_SIZE(names); i++)
		names[i] = pcl_backends[i]->name;
	near = pcl_nearest_word(name, names);
	return pcl_diag_set(diag, -EINVAL, "there is no backend \"%s\"%s%s%s; see portcullis probe",
			    name, near ? "; did you mean \"" : "", near ? near : "",
			    near ? "\"?" : "");
}

/* The one that does best of next's rules, where nobody names one. */
static int choose_for_rules(const struct pcl_engine *engine, const char *name,
			    struct pcl_state *next, const struct pcl_backend **ret_backend,
			    struct pcl_diag *diag)
{
	struct pcl_choice choice pcl_cleanup(pcl_choice_fini) = {0};
	struct pcl_choice_asked asked = {.backends = pcl_backends, .node = engine->node};

	if (name)
		return choose_backend(engine->node, name, ret_backend, diag);
	if (pcl_state_number(next))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	asked.known = engine->backend;
	asked.known_kernel = engine->backend ? engine->state->kernel : 0;
	asked.rules = next->rules;
	asked.rule_count = next->rule_count;
	if (pcl_choice_make(&asked, 0, &choice))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	/* Where there is none the first says what is missing. */
	*ret_backend = choice.chosen < choice.count ? choice.candidates[choice.chosen].backend
						    : pcl_backends[0];
	return 0;
}

static uint64_t next_generation(const struct pcl_engine *engine)
{
	uint64_t last = pcl_state_last();

	return (last > engine->live.generation ? last : engine->live.generation) + 1;
}

/* What holds already is not undone for want of memory to tell of it. */
static void note_unbound(struct pcl_engine *engine)
{
	pcl_autofree struct pcl_unbound *unbound = NULL;
	size_t count = engine->state->member_count;

	if (pcl_unbound_find(engine->state, engine->backend, &unbound) || !unbound)
		return;
	for (size_t i = 0; i < count; i++)
		for (enum pcl_binding b = PCL_BINDING_NOW; (int)b < PCL_BINDING_COUNT; b++) {
			pcl_autofree char *text =
				pcl_unbound_text(&unbound[i], b, engine->backend,
						 engine->state->members[i].domain);

			if (text)
				(void)pcl_strings_add(&engine->notes, &engine->note_count, text);
		}
	pcl_unbound_free(&unbound, count);
}

/*
 * Makes next the live state: its file first, then the kernel. next's backend is set here. On error
 * nothing has changed. Takes next.
 */
static int commit(struct pcl_engine *engine, struct pcl_state *next,
		  const struct pcl_backend *backend, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_state_free) struct pcl_state *state = next;
	pcl_cleanup(pcl_input_free) struct pcl_input *input = NULL;
	/* What each refuses it also refuses the other, to label a file for one. */
	const struct pcl_backend *was = engine->backend != backend ? engine->backend : NULL;
	int error;

	state->generation = next_generation(engine);
	free(state->backend);
	state->backend = strdup(backend->name);
	if (!state->backend)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	error = pcl_input_make(state, &input, diag);
	pcl_steps_end("engine: rules are resolved");
	if (!error)
		error = pcl_state_save(state, diag);
	if (error)
		return error;
	pcl_fault_point("engine: state is written");
	error = backend->apply(&input->backend, diag);
	if (error) {
		pcl_state_delete(state->generation);
		return was ? pcl_diag_context(diag, error,
					      "%s is in force and may be in the way of %s "
					      "(portcullis remove takes it away)",
					      was->name, backend->name)
			   : error;
	}
	pcl_fault_point("engine: backend has applied");
	error = was ? was->remove(diag) : 0;
	if (error)
		(void)pcl_diag_context(diag, error,
				       "%s is in force now, but of %s something is left "
				       "(portcullis remove takes away both)",
				       backend->name, was->name);
	if (state->generation > GENERATIONS_KEPT)
		pcl_state_prune(state->generation - GENERATIONS_KEPT);
	pcl_fault_point("engine: old states are gone");
	/* A change after this one, by the same open engine, goes on from here. */
	engine->live.generation = state->generation;
	pcl_strings_free(&engine->notes, &engine->note_count);
	engine->notes = pcl_take_ptr(input->notes);
	engine->note_count = input->note_count;
	input->note_count = 0;
	pcl_state_free(&engine->state);
	engine->state = pcl_take_ptr(state);
	engine->backend = backend;
	note_unbound(engine);
	return error;
}

static bool is_taken(enum pcl_status status, enum pcl_effort effort)
{
	switch (effort) {
	case PCL_EFFORT_EXACT:
		return status == PCL_STATUS_EXACT;
	case PCL_EFFORT_FULL:
		return status == PCL_STATUS_EXACT || status == PCL_STATUS_STRICTER;
	case PCL_EFFORT_BEST:
		return true;
	}
	return false;
}

static int refuse_rule(const struct pcl_rule *rule, const struct pcl_rule_status *status,
		       size_t more, const struct pcl_backend *backend, struct pcl_diag *diag)
{
	static const char *const verdicts[PCL_STATUS_COUNT] = {
		[PCL_STATUS_STRICTER] = "would be enforced stricter than it says",
		[PCL_STATUS_LOOSER] = "would be enforced looser than it says",
		[PCL_STATUS_UNSUPPORTED] = "cannot be enforced",
	};
	const char *help = status->status == PCL_STATUS_STRICTER ? "leave --exact out"
								 : "apply with --best-effort";

	(void)pcl_diag_set(diag, -EOPNOTSUPP,
			   "%s:%u:%u: rule %s %s%s: backend %s %s; remove it, or %s",
			   rule->policy->file, rule->place.line, rule->place.column, rule->id,
			   verdicts[status->status], more ? " (and others)" : "", backend->name,
			   status->reason, help);
	pcl_diag_set_place(diag, rule->policy->file, rule->place.line, rule->place.column,
			   rule->object);
	return -EOPNOTSUPP;
}

/* In the order of the policies, which is the reader's. The worst is told, of those the first. */
static int check_statuses(const struct pcl_state *state, const struct pcl_backend *backend,
			  enum pcl_effort effort, struct pcl_diag *diag)
{
	struct pcl_rule_status worst = {PCL_STATUS_EXACT, NULL};
	const struct pcl_rule *first = NULL;
	size_t refused = 0;

	for (enum pcl_status s = PCL_STATUS_EXACT; (int)s < PCL_STATUS_COUNT; s++)
		if (!is_taken(s, effort))
			refused += pcl_statuses_count(&state->statuses, s);
	if (!refused || backend->idle)
		return 0;
	for (size_t i = 0; i < state->set->policy_count; i++)
		for (size_t r = 0; r < state->set->policies[i]->rule_count; r++) {
			const struct pcl_rule *rule = state->set->policies[i]->rules[r];
			const struct pcl_rule_status status = pcl_state_status(state, rule);

			if (is_taken(status.status, effort) || status.status <= worst.status)
				continue;
			worst = status;
			first = rule;
		}
	return refuse_rule(first, &worst, refused - 1, backend, diag);
}

/* This node's, which was found out when something was applied before. */
static unsigned kernel_for(const struct pcl_engine *engine, const struct pcl_backend *backend)
{
	return engine->backend == backend ? engine->state->kernel : backend->kernel();
}

/* Fills what state knows of its rules. */
static int ask_statuses(struct pcl_state *state, const struct pcl_backend *backend, unsigned kernel,
			struct pcl_diag *diag)
{
	state->kernel = kernel;
	if (pcl_state_number(state) ||
	    pcl_statuses_ask(backend, kernel, state->rules, state->rule_count, &state->statuses))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	return 0;
}

/* A copy of the members, in a state with options' labels; the policies are left to the caller. */
static int copy_members(const struct pcl_state *from, struct pcl_state *to, struct pcl_diag *diag)
{
	for (size_t i = 1; i < from->member_count; i++) {
		const struct pcl_member *old = &from->members[i];
		struct pcl_member *member;

		if (pcl_array_grow(&to->members, to->member_count, sizeof(*member)))
			return pcl_diag_set(diag, -ENOMEM, "out of memory");
		member = &to->members[to->member_count++];
		*member = *old;
		member->domain = NULL;
		member->cgroup = old->cgroup ? strdup(old->cgroup) : NULL;
		if ((old->cgroup && !member->cgroup) ||
		    pcl_domain_copy(old->domain, &member->domain))
			return pcl_diag_set(diag, -ENOMEM, "out of memory");
	}
	to->last_id = from->last_id;
	to->last_incarnation = from->last_incarnation;
	return 0;
}

int pcl_engine_apply(struct pcl_engine *engine, struct pcl_policy_set *set,
		     const struct pcl_apply_options *options, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *owned = set;
	pcl_cleanup(pcl_state_free) struct pcl_state *next = NULL;
	const struct pcl_backend *backend;
	int error;

	error = pcl_state_new(engine->node->hostname, options->node_labels, &next, diag);
	if (error)
		return error;
	next->postures = options->postures;
	next->alert_rate = options->alert_rate;
	pcl_policy_set_free(&next->set);
	next->set = pcl_take_ptr(owned);
	error = choose_for_rules(engine, options->backend, next, &backend, diag);
	if (!error)
		error = ask_statuses(next, backend, kernel_for(engine, backend), diag);
	if (!error)
		error = check_statuses(next, backend, options->effort, diag);
	if (!error)
		error = backend->probe(engine->node, diag);
	if (!error)
		error = copy_members(engine->state, next, diag);
	if (error)
		return error;
	return commit(engine, pcl_take_ptr(next), backend, diag);
}

int pcl_engine_remove(struct pcl_engine *engine, struct pcl_diag *diag)
{
	for (size_t i = 0; pcl_backends[i]; i++) {
		int error = pcl_backends[i]->remove(diag);

		if (error)
			return error;
	}
	pcl_fault_point("remove: backends have nothing");
	pcl_spaces_drop_all();
	pcl_fault_point("remove: namespaces are let go");
	pcl_state_prune(UINT64_MAX);
	pcl_fault_point("remove: states are gone");
	(void)unlink(LOCK_PATH);
	pcl_fault_point("remove: lock is gone");
	(void)rmdir(PCL_STATE_DIR);
	engine->backend = NULL;
	return 0;
}

/* --- domains --------------------------------------------------------------------------------- */

/* The state as it is, to be changed and committed: policies and members of its own. */
static int copy_state(const struct pcl_engine *engine, struct pcl_state **ret_next,
		      struct pcl_diag *diag)
{
	pcl_cleanup(pcl_state_free) struct pcl_state *next = NULL;
	int error;

	error = pcl_state_new(engine->node->hostname, engine->state->node_labels, &next, diag);
	if (!error)
		error = copy_members(engine->state, next, diag);
	if (!error && engine->live.generation) {
		pcl_cleanup(pcl_state_free) struct pcl_state *again = NULL;

		/* The policies come from the file, which is where they are kept. */
		error = pcl_state_load(engine->live.generation, &again, diag);
		if (!error) {
			pcl_policy_set_free(&next->set);
			next->set = pcl_take_ptr(again->set);
			next->rules = pcl_take_ptr(again->rules);
			next->rule_count = again->rule_count;
			next->kernel = again->kernel;
			next->statuses = again->statuses;
			again->statuses = (struct pcl_statuses){0};
		}
	}
	if (error)
		return error;
	next->postures = engine->state->postures;
	next->alert_rate = engine->state->alert_rate;
	*ret_next = pcl_take_ptr(next);
	return 0;
}

int pcl_engine_apply_again(struct pcl_engine *engine, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_state_free) struct pcl_state *next = NULL;
	int error = copy_state(engine, &next, diag);

	return error ? error : commit(engine, pcl_take_ptr(next), engine->backend, diag);
}

/* A free id after the last one given, going round. 0: none is free. */
static uint32_t free_id(const struct pcl_state *state)
{
	for (uint32_t i = 0; i < PCL_DOMAINS_MAX; i++) {
		uint32_t id = (state->last_id + 1 + i) % PCL_DOMAINS_MAX;

		if (id && !pcl_state_member(state, id))
			return id;
	}
	return 0;
}

static int refuse_twin(const struct pcl_member *member, const struct pcl_member *wanted,
		       struct pcl_diag *diag)
{
	pcl_autofree char *place = pcl_member_place(member);

	if (strcmp(member->domain->name, wanted->domain->name))
		return pcl_diag_set(diag, -EEXIST, "%s is the domain \"%s\" already",
				    place ? place : "", member->domain->name);
	return pcl_diag_set(diag, -EEXIST, "there is a domain \"%s\" already (%s); remove it first",
			    wanted->domain->name, place ? place : "");
}

static int check_new(const struct pcl_state *state, const struct pcl_member *wanted,
		     struct pcl_diag *diag)
{
	for (size_t i = 1; i < state->member_count; i++) {
		const struct pcl_member *member = &state->members[i];

		if (pcl_member_same_place(member, wanted) ||
		    !strcmp(member->domain->name, wanted->domain->name))
			return refuse_twin(member, wanted, diag);
	}
	return 0;
}

static int backend_for_domains(const struct pcl_engine *engine, const char *name,
			       const struct pcl_backend **ret_backend, struct pcl_diag *diag)
{
	if (engine->backend && name && strcmp(engine->backend->name, name) != 0)
		return pcl_diag_set(diag, -EINVAL,
				    "policies are applied by %s; apply them by %s first",
				    engine->backend->name, name);
	if (engine->backend) {
		*ret_backend = engine->backend;
		return 0;
	}
	return choose_backend(engine->node, name, ret_backend, diag);
}

void pcl_home_fini(struct pcl_home *place)
{
	free(place->cgroup);
	place->cgroup = NULL;
	pcl_spaces_close(&place->spaces);
}

int pcl_home_of_pid(pid_t pid, struct pcl_home *ret_place, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_diag_fini) struct pcl_diag why = {0};
	struct pcl_home place = PCL_HOME_NONE;
	int error = pcl_cgroup_of_pid(pid, &place.cgroup, &place.cgroup_id, &why);

	/* In no cgroup v2, or in its root as all tasks of a node with v1 are. */
	if (error == -EOPNOTSUPP || error == -EINVAL)
		error = pcl_spaces_of_pid(pid, &place.spaces, diag);
	else if (error)
		return pcl_diag_set(diag, error, "%s", pcl_diag_text(&why));
	if (!error)
		*ret_place = place;
	return error;
}

/* Takes what member owns, and gives it an id and an incarnation of its own. */
static int add_member(struct pcl_state *next, struct pcl_member *member, struct pcl_diag *diag)
{
	member->id = free_id(next);
	if (!member->id)
		return pcl_diag_set(diag, -E2BIG, "there are %u domains, which is the limit",
				    PCL_DOMAINS_MAX - 1);
	if (pcl_array_grow(&next->members, next->member_count, sizeof(*member)))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	member->incarnation = ++next->last_incarnation;
	next->last_id = member->id;
	next->members[next->member_count++] = *member;
	member->domain = NULL;
	member->cgroup = NULL;
	return 0;
}

static int add_newcomer(struct pcl_state *next, struct pcl_newcomer *newcomer,
			struct pcl_diag *diag)
{
	const struct pcl_home *place = &newcomer->place;
	struct pcl_member member = {.cgroup_id = place->cgroup_id,
				    .mount_ns = place->spaces.mount,
				    .pid_ns = place->spaces.pid};
	int error;

	member.domain = pcl_take_ptr(newcomer->domain);
	error = check_new(next, &member, diag);
	if (!error && place->cgroup && !(member.cgroup = strdup(place->cgroup)))
		error = pcl_diag_set(diag, -ENOMEM, "out of memory");
	if (!error)
		error = add_member(next, &member, diag);
	pcl_domain_free(&member.domain);
	free(member.cgroup);
	return error;
}

static void drop_spaces(const struct pcl_newcomer *newcomers, size_t count, uint32_t incarnation)
{
	for (size_t i = 0; i < count; i++)
		if (!newcomers[i].place.cgroup)
			pcl_spaces_drop(incarnation + (uint32_t)i);
}

/* incarnation is the first one's; the others follow. */
static int keep_spaces(const struct pcl_newcomer *newcomers, size_t count, uint32_t incarnation,
		       struct pcl_diag *diag)
{
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		if (!newcomers[i].place.cgroup)
			error = pcl_spaces_keep(&newcomers[i].place.spaces,
						incarnation + (uint32_t)i, diag);
	return error;
}

static int add_all(struct pcl_engine *engine, struct pcl_newcomer *newcomers, size_t count,
		   const char *backend_name, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_state_free) struct pcl_state *next = NULL;
	const struct pcl_backend *backend;
	uint32_t incarnation = engine->state->last_incarnation + 1;
	int error = backend_for_domains(engine, backend_name, &backend, diag);

	if (!error)
		error = backend->probe(engine->node, diag);
	if (!error)
		error = copy_state(engine, &next, diag);
	if (error)
		return error;
	next->kernel = kernel_for(engine, backend);
	for (size_t i = 0; i < count && !error; i++)
		error = add_newcomer(next, &newcomers[i], diag);
	if (error)
		return error;
	error = keep_spaces(newcomers, count, incarnation, diag);
	pcl_fault_point("domain: namespaces are kept");
	if (!error)
		error = commit(engine, pcl_take_ptr(next), backend, diag);
	if (error)
		drop_spaces(newcomers, count, incarnation);
	return error;
}

int pcl_engine_add_domains(struct pcl_engine *engine, struct pcl_newcomer *newcomers, size_t count,
			   const char *backend, struct pcl_diag *diag)
{
	int error = add_all(engine, newcomers, count, backend, diag);

	for (size_t i = 0; i < count; i++)
		pcl_domain_free(&newcomers[i].domain);
	return error;
}

int pcl_engine_add_domain(struct pcl_engine *engine, struct pcl_domain *domain,
			  const struct pcl_home *place, const char *backend, struct pcl_diag *diag)
{
	struct pcl_newcomer newcomer = {.domain = domain, .place = *place};

	return pcl_engine_add_domains(engine, &newcomer, 1, backend, diag);
}

static int unknown_domain(const struct pcl_state *state, const char *name, struct pcl_diag *diag)
{
	const char **names = calloc(state->member_count + 1, sizeof(*names)), *near = NULL;

	for (size_t i = 1; names && i < state->member_count; i++)
		names[i - 1] = state->members[i].domain->name;
	if (names)
		near = pcl_nearest_word(name, names);
	free((void *)names);
	return pcl_diag_set(diag, -ENOENT,
			    "there is no domain \"%s\"%s%s%s; see portcullis domain "
			    "list",
			    name, near ? "; did you mean \"" : "", near ? near : "",
			    near ? "\"?" : "");
}

int pcl_engine_remove_domain(struct pcl_engine *engine, const char *name, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_state_free) struct pcl_state *next = NULL;
	const struct pcl_backend *backend;
	uint32_t incarnation;
	size_t at = 1;
	int error;

	while (at < engine->state->member_count &&
	       strcmp(engine->state->members[at].domain->name, name) != 0)
		at++;
	if (at == engine->state->member_count)
		return unknown_domain(engine->state, name, diag);
	error = backend_for_domains(engine, NULL, &backend, diag);
	if (!error)
		error = copy_state(engine, &next, diag);
	if (error)
		return error;
	incarnation = next->members[at].incarnation;
	pcl_domain_free(&next->members[at].domain);
	free(next->members[at].cgroup);
	memmove(&next->members[at], &next->members[at + 1],
		(next->member_count - at - 1) * sizeof(*next->members));
	next->member_count--;
	error = commit(engine, pcl_take_ptr(next), backend, diag);
	pcl_fault_point("domain: is removed");
	/* Last, since until then their numbers mean the domain. */
	if (!error)
		pcl_spaces_drop(incarnation);
	return error;
}
