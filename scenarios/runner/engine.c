/* SPDX-License-Identifier: Apache-2.0 */
/* The engine in the guest; see engine.h. */
#include "engine.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "guest.h"
#include "support.h"
#include "text.h"

#define POLICY_DIR "/run/gauntlet-policies"
#define IDLE_POLICY POLICY_DIR "/idle.yaml"
/* First load of a BPF object parses the kernel's BTF: 0.2 s under emulation, more when loaded. */
#define ENGINE_TIMEOUT_MS 180000
#define ENGINE_ARGS_MAX 64
#define REFUSAL_MAX 300
/* As portcullis --help has it: this node, or its backend, can't. */
#define EXIT_UNSUPPORTED 3
/* A policy is text of a few kilobytes; this is far above any. */
#define POLICY_SIZE_MAX (1 << 20)

/*
 * Beside a case's policies, or alone between cases. The label is that of a domain that has no task,
 * or nobody's. A rule of every class, so that the programs of every class are needed.
 */
static const char idle_policy[] =
	"apiVersion: security.kubearmor.com/v1\n"
	"kind: KubeArmorPolicy\n"
	"metadata: {name: idle}\n"
	"spec:\n"
	"  selector: {matchLabels: {gauntlet: idle}}\n"
	"  action: Block\n"
	"  file: {matchPaths: [{path: /run/gauntlet-idle}]}\n"
	"  process: {matchPaths: [{path: /run/gauntlet-idle}]}\n"
	"  network: {matchProtocols: [{protocol: sctp}]}\n"
	"  capabilities: {matchCapabilities: [{capability: mac_admin}]}\n";
#define IDLE_NAME "gauntlet-idle"
#define IDLE_CGROUP "/sys/fs/cgroup/" IDLE_NAME

static void decref(json_t **json)
{
	json_decref(*json);
}

/*
 * Runs the engine with argv; a non-zero exit is put into ret_refusal, not an error. ret_exit is its
 * exit code.
 */
static int run_for_exit(struct gnt_vm *vm, const char *const *argv, int *ret_exit, char **ret_out,
			char **ret_refusal, struct pcl_diag *diag)
{
	struct gnt_exec_result result pcl_cleanup(gnt_exec_result_fini) = {0};
	struct gnt_exec exec = {.argv = argv, .timeout_ms = ENGINE_TIMEOUT_MS};
	int error = gnt_guest_exec(vm, &exec, &result, diag);

	if (error)
		return error;
	if (result.timed_out)
		return pcl_diag_set(diag, -ETIMEDOUT, "portcullis %s did not end within %d s",
				    argv[1], ENGINE_TIMEOUT_MS / 1000);
	*ret_exit = result.exit_code;
	if (result.exit_code != 0) {
		pcl_autofree char *line =
			gnt_text_first_line(*result.err ? result.err : result.out, REFUSAL_MAX);

		if (result.spawn_errno)
			*ret_refusal = gnt_text_new("cannot run %s: %s", argv[0],
						    strerror(result.spawn_errno));
		else if (result.signal)
			*ret_refusal = gnt_text_new("portcullis %s was killed by signal %d",
						    argv[1], result.signal);
		else
			*ret_refusal = gnt_text_new("portcullis %s, exit %d: %s", argv[1],
						    result.exit_code, line ? line : "");
		return *ret_refusal ? 0 : pcl_diag_set(diag, -ENOMEM, "no memory");
	}
	if (ret_out)
		*ret_out = pcl_take_ptr(result.out);
	return 0;
}

static int run_engine(struct gnt_vm *vm, const char *const *argv, char **ret_out,
		      char **ret_refusal, struct pcl_diag *diag)
{
	int ignored;

	return run_for_exit(vm, argv, &ignored, ret_out, ret_refusal, diag);
}

static int read_whole(const char *path, char **ret_text, struct pcl_diag *diag)
{
	pcl_autofclose FILE *file = fopen(path, "re");
	pcl_autofree char *text = NULL;
	size_t len;

	if (!file)
		return pcl_diag_errno(diag, -errno, "cannot read policy %s", path);
	text = malloc(POLICY_SIZE_MAX + 1);
	if (!text)
		return pcl_diag_set(diag, -ENOMEM, "no memory for policy %s", path);
	len = fread(text, 1, POLICY_SIZE_MAX, file);
	if (ferror(file))
		return pcl_diag_errno(diag, -EIO, "cannot read policy %s", path);
	text[len] = '\0';
	*ret_text = pcl_take_ptr(text);
	return 0;
}

int gnt_policy_text(const struct gnt_case *test_case, const struct gnt_policy_ref *policy,
		    const char *corpus_dir, char **ret_text, struct pcl_diag *diag)
{
	pcl_autofree char *path = NULL;

	if (policy->from == GNT_POLICY_INLINE) {
		*ret_text = strdup(policy->value);
		return *ret_text ? 0 : pcl_diag_set(diag, -ENOMEM, "no memory");
	}
	path = gnt_text_new("%s/%s",
			    policy->from == GNT_POLICY_CORPUS ? corpus_dir : test_case->dir,
			    policy->value);
	if (!path)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	return read_whole(path, ret_text, diag);
}

static int add_domain(struct gnt_vm *vm, const struct gnt_container_spec *spec, const char *backend,
		      const char *cgroup, int pid, char **ret_refusal, struct pcl_diag *diag)
{
	const char *argv[ENGINE_ARGS_MAX] = {GNT_GUEST_ENGINE, "domain",     "add",	 spec->name,
					     "--labels",       spec->labels, "--cgroup", cgroup};
	size_t argc = 8;
	char number[16];

	if (!cgroup) {
		(void)snprintf(number, sizeof(number), "%d", pid);
		argv[6] = "--pid";
		argv[7] = number;
	}
	if (spec->ns) {
		argv[argc++] = "--namespace";
		argv[argc++] = spec->ns;
	}
	if (backend) {
		argv[argc++] = "--backend";
		argv[argc++] = backend;
	}
	return run_engine(vm, argv, NULL, ret_refusal, diag);
}

/* The domain without tasks, and its policy. */
static int add_idle(struct gnt_engine *engine, struct gnt_vm *vm, char **ret_refusal,
		    struct pcl_diag *diag)
{
	static const char *const argv[] = {GNT_GUEST_ENGINE, "domain",	  "add",
					   IDLE_NAME,	     "--labels",  "gauntlet=idle",
					   "--cgroup",	     IDLE_CGROUP, NULL};
	int error = gnt_guest_put(vm, IDLE_POLICY, 0600, idle_policy, diag);

	if (error || engine->idle)
		return error;
	error = gnt_guest_mkdir(vm, IDLE_CGROUP, 0755, diag);
	if (!error)
		error = run_engine(vm, argv, NULL, ret_refusal, diag);
	engine->idle = !error && !*ret_refusal;
	return error;
}

/* ret_path is owned. */
static int put_policy(struct gnt_vm *vm, const struct gnt_case *test_case, size_t index,
		      const char *corpus_dir, char **ret_path, struct pcl_diag *diag)
{
	pcl_autofree char *text = NULL, *path = NULL;
	int error =
		gnt_policy_text(test_case, &test_case->policies[index], corpus_dir, &text, diag);

	if (error)
		return error;
	path = gnt_text_new(POLICY_DIR "/%zu.yaml", index);
	if (!path)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	error = gnt_guest_put(vm, path, 0600, text, diag);
	if (!error)
		*ret_path = pcl_take_ptr(path);
	return error;
}

int gnt_engine_apply(struct gnt_engine *engine, struct gnt_vm *vm, const struct gnt_case *test_case,
		     const struct gnt_contender *contender, const char *corpus_dir,
		     const char *cgroup, int pid, char **ret_refusal, bool *ret_unsupported,
		     struct pcl_diag *diag)
{
	const char *argv[ENGINE_ARGS_MAX + 1] = {GNT_GUEST_ENGINE, "apply"};
	char *paths[ENGINE_ARGS_MAX] = {NULL};
	size_t argc = 2, put = 0;
	int rule_events, other_events, exit_code = 0, error;
	bool keep = engine->keep && !test_case->new_engine && contender->kept;
	enum pcl_status worst = PCL_STATUS_EXACT;
	pcl_autofree char *ignored = NULL;

	if (contender->backend) {
		argv[argc++] = "--backend";
		argv[argc++] = contender->backend;
	}
	if (test_case->posture) {
		argv[argc++] = "--posture";
		argv[argc++] = test_case->posture;
	}
	if (keep)
		argv[argc++] = IDLE_POLICY;
	error = gnt_support_worst(test_case, contender, corpus_dir, &worst, diag);
	if (error)
		return error;
	/* Of what cannot be enforced at all nothing may be left out in silence. */
	if (worst != PCL_STATUS_UNSUPPORTED &&
	    (test_case->best_effort || worst == PCL_STATUS_LOOSER))
		argv[argc++] = "--best-effort";
	if (argc + test_case->policy_count > ENGINE_ARGS_MAX)
		return pcl_diag_set(diag, -E2BIG, "a case may hold at most %zu policies",
				    ENGINE_ARGS_MAX - argc);
	error = gnt_guest_mkdir(vm, POLICY_DIR, 0700, diag);
	for (; put < test_case->policy_count && !error; put++) {
		error = put_policy(vm, test_case, put, corpus_dir, &paths[put], diag);
		argv[argc++] = paths[put];
	}
	engine->touched = true;
	engine->backend = contender->backend;
	engine->kept = contender->kept;
	if (!error && keep)
		error = add_idle(engine, vm, ret_refusal, diag);
	/* Such a set is refused whoever is there, and a domain costs a change of its own. */
	engine->domain = pid && !*ret_refusal && worst != PCL_STATUS_UNSUPPORTED
				 ? test_case->container.name
				 : NULL;
	if (!error && engine->domain)
		error = add_domain(vm, &test_case->container, contender->backend, cgroup, pid,
				   ret_refusal, diag);
	if (!error && !*ret_refusal)
		error = run_for_exit(vm, argv, &exit_code, NULL, ret_refusal, diag);
	*ret_unsupported = worst == PCL_STATUS_UNSUPPORTED && exit_code == EXIT_UNSUPPORTED;
	if (!error && !*ret_refusal) {
		engine->applied = true;
		engine->loaded = true;
		error = gnt_engine_events(engine, vm, "", &rule_events, &other_events, &ignored,
					  diag);
	}
	for (size_t i = 0; i < put; i++)
		free(paths[i]);
	return error;
}

static void count_event(const json_t *event, const char *rule, int *rule_events, int *other_events,
			char **ret_rule)
{
	const char *action = json_string_value(json_object_get(event, "Action"));
	const char *result = json_string_value(json_object_get(event, "Result"));
	const char *id = json_string_value(json_object_get(event, "RuleID"));

	bool has_rule = id && *id, audited;

	/* What an allow-list does not list is refused by no rule, but in the posture's name. */
	if (id && !*id)
		id = json_string_value(json_object_get(event, "PolicyName"));
	/*
	 * Only what says that it refused counts as the event of a denial. An Audit rule never
	 * refuses, so what it says cannot be taken for one.
	 */
	audited = action && strcmp(action, "Audit") == 0 && has_rule && strcmp(id, rule) == 0;
	if (!audited && (!action || strcmp(action, "Block") != 0 || !id ||
			 (result && strcmp(result, "Passed") == 0)))
		return;
	if (strcmp(id, rule) != 0) {
		(*other_events)++;
		if (!*ret_rule)
			*ret_rule = strdup(id);
		return;
	}
	if ((*rule_events)++ == 0)
		(void)gnt_text_set(ret_rule, "%s", id);
}

int gnt_engine_events(struct gnt_engine *engine, struct gnt_vm *vm, const char *rule,
		      int *ret_rule_events, int *ret_other_events, char **ret_rule,
		      struct pcl_diag *diag)
{
	static const char *const argv[] = {GNT_GUEST_ENGINE, "events", "--no-follow", NULL};
	pcl_autofree char *out = NULL, *refusal = NULL;
	int error;

	*ret_rule_events = 0;
	*ret_other_events = 0;
	if (!engine->applied)
		return 0;
	error = run_engine(vm, argv, &out, &refusal, diag);
	if (error)
		return error;
	/* No events to be had is judged like no events: a denial then stays unproven. */
	for (const char *line = out ? out : ""; *line;) {
		size_t len = strcspn(line, "\n");
		json_t *event pcl_cleanup(decref) = json_loadb(line, len, 0, NULL);

		if (event)
			count_event(event, rule, ret_rule_events, ret_other_events, ret_rule);
		line += len + (line[len] == '\n');
	}
	return 0;
}

int gnt_engine_unload(struct gnt_engine *engine, struct gnt_vm *vm, struct pcl_diag *diag)
{
	static const char *const argv[] = {GNT_GUEST_ENGINE, "remove", NULL};
	pcl_autofree char *refusal = NULL;
	int error = run_engine(vm, argv, NULL, &refusal, diag);

	if (!error && refusal)
		error = pcl_diag_set(diag, -EIO, "the guest is not as before: %s", refusal);
	engine->idle = false;
	engine->loaded = false;
	return error;
}

/* Sets ret_refusal where the engine would not. */
static int apply_idle(const struct gnt_engine *engine, struct gnt_vm *vm, char **ret_refusal,
		      struct pcl_diag *diag)
{
	const char *argv[] = {GNT_GUEST_ENGINE, "apply", IDLE_POLICY, NULL, NULL, NULL};
	const char *const domain[] = {GNT_GUEST_ENGINE, "domain", "remove", engine->domain, NULL};
	int error = 0;

	if (engine->backend) {
		argv[3] = "--backend";
		argv[4] = engine->backend;
	}
	if (engine->domain)
		error = run_engine(vm, domain, NULL, ret_refusal, diag);
	if (!error && !*ret_refusal)
		error = gnt_guest_put(vm, IDLE_POLICY, 0600, idle_policy, diag);
	if (!error && !*ret_refusal)
		error = run_engine(vm, argv, NULL, ret_refusal, diag);
	return error;
}

int gnt_engine_clear(struct gnt_engine *engine, struct gnt_vm *vm, struct pcl_diag *diag)
{
	pcl_autofree char *refusal = NULL;
	int error = 0;

	if (!engine->touched)
		return 0;
	if (engine->applied && engine->kept)
		error = apply_idle(engine, vm, &refusal, diag);
	if (!error && (!engine->applied || !engine->kept || refusal))
		error = gnt_engine_unload(engine, vm, diag);
	if (!error)
		error = gnt_guest_remove(vm, POLICY_DIR, diag);
	engine->touched = false;
	engine->applied = false;
	engine->domain = NULL;
	engine->backend = NULL;
	return error;
}
