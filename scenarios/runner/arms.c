/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arms of a case; see arms.h.
 *
 * The agent is a task of the host, so a policy on the host binds it too: with a policy on, nothing
 * here reads what the policy may guard. Canaries are looked at after the policy is off again.
 */
#include "arms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "files.h"
#include "guest.h"
#include "replay.h"
#include "text.h"

#define MS_PER_S 1000
/* An agent operation that brings the guest down never answers. */
#define AGENT_OP_TIMEOUT_MS 5000

struct arms {
	struct gnt_vm *vm;
	const struct gnt_case *test_case;
	const struct gnt_contender *contender;
	const struct gnt_arms_options *options;
	struct gnt_arms_result *result;
	struct gnt_files *files;
	struct gnt_file_stat *before; /* one per canary */
	bool container_running;
	bool policed; /* the policies are applied */
	int container_pid;
	char *cgroup;
};

static void arms_fini(struct arms *arms)
{
	gnt_files_free(&arms->files);
	free(arms->before);
	free(arms->cgroup);
}

void gnt_arms_result_fini(struct gnt_arms_result *result)
{
	free(result->event_rule);
	free(result->incident_detail);
	free(result->apply_error);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(result->details); i++)
		free(result->details[i]);
	memset(result, 0, sizeof(*result));
}

static void set_incident(struct gnt_arms_result *result, enum gnt_incident incident,
			 const char *text)
{
	if (result->seen.incident != GNT_INCIDENT_NONE)
		return;
	result->seen.incident = incident;
	result->incident_detail = strdup(text);
	result->seen.incident_detail = result->incident_detail;
}

/* Turns a failed call into an incident: what the guest's state says comes before the error. */
static int fail(struct arms *arms, int error, const struct pcl_diag *diag)
{
	const char *console = gnt_vm_state_detail(arms->vm);
	const struct gnt_finding *trouble = gnt_vm_trouble(arms->vm);

	switch (gnt_vm_state(arms->vm)) {
	case GNT_VM_PANIC:
		set_incident(arms->result, GNT_INCIDENT_PANIC,
			     console ? console : pcl_diag_text(diag));
		break;
	case GNT_VM_SPLAT:
		set_incident(arms->result,
			     trouble && gnt_health_is_stuck(trouble->kind) ? GNT_INCIDENT_HANG
									   : GNT_INCIDENT_SPLAT,
			     console ? console : pcl_diag_text(diag));
		break;
	case GNT_VM_HANG:
		set_incident(arms->result, GNT_INCIDENT_HANG, pcl_diag_text(diag));
		break;
	case GNT_VM_RUNNING:
	case GNT_VM_OFF:
	case GNT_VM_DEAD:
		set_incident(arms->result,
			     error == -ETIMEDOUT ? GNT_INCIDENT_HANG : GNT_INCIDENT_INFRA,
			     pcl_diag_text(diag));
		break;
	}
	return error;
}

/* What the kernel complains of from now on is of this arm. */
static int mark(struct arms *arms, const char *arm, struct pcl_diag *diag)
{
	pcl_autofree char *text =
		gnt_text_new("%s %s %s", arms->test_case->id, arms->contender->id, arm);

	return gnt_vm_mark(arms->vm, text ? text : arm, diag);
}

static int container_start(struct arms *arms, struct pcl_diag *diag)
{
	const struct gnt_container_spec *spec = &arms->test_case->container;
	int error;

	if (!arms->test_case->has_container)
		return 0;
	free(pcl_take_ptr(arms->cgroup));
	error = gnt_guest_container_start(arms->vm, spec->name, spec->root, &arms->container_pid,
					  &arms->cgroup, diag);
	arms->container_running = error == 0;
	return error;
}

static int container_stop(struct arms *arms, struct pcl_diag *diag)
{
	if (!arms->container_running)
		return 0;
	arms->container_running = false;
	return gnt_guest_container_stop(arms->vm, arms->test_case->container.name, diag);
}

static int snapshot(struct arms *arms, struct pcl_diag *diag)
{
	const struct gnt_case *c = arms->test_case;

	for (size_t i = 0; i < c->canary_count; i++) {
		const struct gnt_canary *canary = &c->canaries[i];
		pcl_autofree char *path = NULL;
		int error;

		if (canary->kind == GNT_CANARY_HIDDEN)
			continue;
		path = gnt_files_host_path(canary->value, canary->in_container,
					   arms->container_pid);
		if (!path)
			return pcl_diag_set(diag, -ENOMEM, "no memory");
		error = gnt_guest_stat(arms->vm, path, &arms->before[i], diag);
		if (error)
			return error;
	}
	return 0;
}

static bool same_file(const struct gnt_file_stat *a, const struct gnt_file_stat *b)
{
	return a->exists == b->exists && a->size == b->size && a->mode == b->mode &&
	       strcmp(a->sha256, b->sha256) == 0 && strcmp(a->marks, b->marks) == 0;
}

/* Whether every canary is as at the snapshot; output is what the attack printed. */
static int check_canaries(struct arms *arms, const char *output, bool *ret_intact,
			  struct pcl_diag *diag)
{
	const struct gnt_case *c = arms->test_case;

	*ret_intact = true;
	for (size_t i = 0; i < c->canary_count; i++) {
		const struct gnt_canary *canary = &c->canaries[i];
		pcl_autofree char *path = NULL;
		struct gnt_file_stat now;
		int error;

		if (canary->kind == GNT_CANARY_HIDDEN) {
			if (strstr(output, canary->value))
				*ret_intact = false;
			continue;
		}
		path = gnt_files_host_path(canary->value, canary->in_container,
					   arms->container_pid);
		if (!path)
			return pcl_diag_set(diag, -ENOMEM, "no memory");
		error = gnt_guest_stat(arms->vm, path, &now, diag);
		if (error)
			return error;
		if (canary->kind == GNT_CANARY_ABSENT ? now.exists
						      : !same_file(&now, &arms->before[i]))
			*ret_intact = false;
	}
	return 0;
}

/* Everything in its place, nothing applied. */
static int prepare(struct arms *arms, struct pcl_diag *diag)
{
	int error = gnt_files_setup(arms->files, arms->vm, false, 0, diag);

	if (!error)
		error = container_start(arms, diag);
	if (!error)
		error = gnt_files_setup(arms->files, arms->vm, true, arms->container_pid, diag);
	if (!error)
		error = snapshot(arms, diag);
	return error;
}

static int put_back(struct arms *arms, struct pcl_diag *diag)
{
	int error = container_stop(arms, diag);

	if (!error)
		error = gnt_files_sweep(arms->files, arms->vm, diag);
	return error;
}

static int timeout_ms(const struct arms *arms)
{
	int timeout_s =
		arms->options->timeout_s ? arms->options->timeout_s : arms->test_case->timeout_s;

	return timeout_s * MS_PER_S;
}

/* Runs attack or twin. ret_output (owned, optional) is all that it printed. */
static int run_program(struct arms *arms, const struct gnt_program *program, const char *what,
		       struct gnt_attempt *attempt, char **detail, char **ret_output,
		       struct pcl_diag *diag)
{
	struct gnt_exec_result result pcl_cleanup(gnt_exec_result_fini) = {0};
	pcl_autofree char *profile = NULL;
	struct gnt_exec exec = {
		.argv = (const char *const *)program->argv,
		.container = program->in_container ? arms->test_case->container.name : NULL,
		.uid = program->uid,
		.timeout_ms = timeout_ms(arms),
	};
	int error;

	if (program->agent_op) {
		error = gnt_guest_op(arms->vm, program->agent_op, AGENT_OP_TIMEOUT_MS, diag);
		attempt->outcome = GNT_OUTCOME_DONE;
		if (ret_output)
			*ret_output = strdup("");
		return error;
	}
	/* What a runtime does by its configuration, once there is such a profile. */
	if (program->in_container && arms->policed && arms->contender->profiles) {
		profile = gnt_text_new("portcullis-%s", arms->test_case->container.name);
		exec.profile = profile;
	}
	error = gnt_guest_exec(arms->vm, &exec, &result, diag);
	if (error)
		return error;
	gnt_replay_read(&result, &attempt->outcome, &attempt->error, detail);
	attempt->detail = *detail;
	if (result.timed_out) {
		pcl_autofree char *text = gnt_text_new("the %s did not end within %d s", what,
						       timeout_ms(arms) / MS_PER_S);

		set_incident(arms->result, GNT_INCIDENT_HANG, text ? text : "time-out");
		return -ECANCELED;
	}
	if (ret_output)
		*ret_output = gnt_text_new("%s%s", result.out, result.err);
	return 0;
}

/* Arm A. */
static int run_free(struct arms *arms, struct pcl_diag *diag)
{
	struct gnt_arms_result *result = arms->result;
	struct gnt_observation *seen = &result->seen;
	pcl_autofree char *output = NULL;
	int error = mark(arms, "arm A", diag);

	if (!error)
		error = prepare(arms, diag);
	if (error == -EREMOTEIO && gnt_vm_state(arms->vm) == GNT_VM_RUNNING) {
		/* The guest is well, the case's own setup is not. */
		result->details[0] = strdup(pcl_diag_text(diag));
		seen->baseline.outcome = GNT_OUTCOME_BROKEN;
		seen->baseline.detail = result->details[0];
		return put_back(arms, diag);
	}
	if (!error)
		error = run_program(arms, &arms->test_case->attack, "attack without policy",
				    &seen->baseline, &result->details[0], &output, diag);
	if (!error)
		error = check_canaries(arms, output ? output : "", &seen->baseline.canary_intact,
				       diag);
	if (!error)
		error = run_program(arms, &arms->test_case->twin, "twin without policy",
				    &seen->twin_free, &result->details[1], NULL, diag);
	if (!error)
		error = put_back(arms, diag);
	return error;
}

static int apply(struct arms *arms, struct pcl_diag *diag)
{
	const struct gnt_case *c = arms->test_case;
	bool unsupported = false;
	int error;

	if (!arms->contender->engine)
		return 0;
	error = gnt_engine_apply(arms->options->engine, arms->vm, c, arms->contender,
				 arms->options->corpus_dir, arms->cgroup,
				 arms->container_running ? arms->container_pid : 0,
				 &arms->result->apply_error, &unsupported, diag);
	arms->result->seen.apply_error = arms->result->apply_error;
	arms->policed = !error && !arms->result->apply_error;
	arms->result->seen.unsupported = !arms->policed && unsupported;
	return error;
}

static int collect_events(struct arms *arms, struct pcl_diag *diag)
{
	struct gnt_arms_result *result = arms->result;

	if (!arms->contender->engine)
		return 0;
	return gnt_engine_events(arms->options->engine, arms->vm, arms->test_case->expect_rule,
				 &result->seen.rule_events, &result->seen.other_events,
				 &result->event_rule, diag);
}

/* Arms B and C. */
static int run_policed(struct arms *arms, struct pcl_diag *diag)
{
	struct gnt_arms_result *result = arms->result;
	struct gnt_observation *seen = &result->seen;
	pcl_autofree char *output = NULL;
	int error = mark(arms, "arm B", diag);

	if (!error)
		error = prepare(arms, diag);
	if (!error)
		error = apply(arms, diag);
	if (!error)
		error = run_program(arms, &arms->test_case->attack, "attack", &seen->attack,
				    &result->details[2], &output, diag);
	if (!error)
		error = collect_events(arms, diag);
	if (!error)
		error = mark(arms, "arm C", diag);
	if (!error)
		error = run_program(arms, &arms->test_case->twin, "twin", &seen->twin,
				    &result->details[3], NULL, diag);
	arms->policed = false;
	if (!error)
		error = gnt_engine_clear(arms->options->engine, arms->vm, diag);
	if (!error)
		error = check_canaries(arms, output ? output : "", &seen->attack.canary_intact,
				       diag);
	if (!error)
		error = put_back(arms, diag);
	return error;
}

/* Before and after a case that may break the engine, or must see it loaded. */
static int unload(struct arms *arms, struct pcl_diag *diag)
{
	struct gnt_engine *engine = arms->options->engine;

	return arms->test_case->new_engine && engine->loaded
		       ? gnt_engine_unload(engine, arms->vm, diag)
		       : 0;
}

static int run_arms(struct arms *arms, struct pcl_diag *diag)
{
	int error = gnt_files_new(arms->test_case, &arms->files, diag);

	arms->before = calloc(arms->test_case->canary_count + 1, sizeof(*arms->before));
	if (!arms->before && !error)
		error = pcl_diag_set(diag, -ENOMEM, "no memory");
	if (!error)
		error = unload(arms, diag);
	if (!error)
		error = run_free(arms, diag);
	/* Arms B and C say nothing where arm A already failed. */
	if (!error && arms->result->seen.baseline.outcome == GNT_OUTCOME_DONE &&
	    arms->result->seen.twin_free.outcome == GNT_OUTCOME_DONE)
		error = run_policed(arms, diag);
	if (!error)
		error = unload(arms, diag);
	if (!error)
		error = gnt_files_restore(arms->files, arms->vm, diag);
	/* Also what came late is on the console before this. */
	if (!error)
		error = mark(arms, "after", diag);
	return error;
}

void gnt_arms_run(struct gnt_vm *vm, const struct gnt_case *test_case,
		  const struct gnt_contender *contender, const struct gnt_arms_options *options,
		  struct gnt_arms_result *result)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct arms arms pcl_cleanup(arms_fini) = {
		.vm = vm,
		.test_case = test_case,
		.contender = contender,
		.options = options,
		.result = result,
	};
	int error;

	memset(result, 0, sizeof(*result));
	error = run_arms(&arms, &diag);
	if (error) {
		(void)fail(&arms, error, &diag);
	} else if (gnt_vm_state(vm) == GNT_VM_SPLAT || gnt_vm_state(vm) == GNT_VM_PANIC) {
		/* All went on as if nothing had been, but the kernel is not well. */
		(void)fail(&arms, -EIO, &diag);
	}
}
