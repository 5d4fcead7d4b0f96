/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: all lines of one target, one VM at a time, in a process of its own. It tells the
 * parent what it does in JSON lines: {"progress"}, {"target", "accel"}, {"index", "row"},
 * {"index", "skip"}, {"health"}. A guest that had an incident is not used again; the next line gets
 * a new one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "arms.h"
#include "base/cleanup.h"
#include "image.h"
#include "image_store.h"
#include "preflight.h"
#include "run.h"
#include "text.h"

/* Under emulation a boot takes 4 s; a loaded machine may need several times that. */
#define BOOT_TIMEOUT_MS 60000
/* --lsm holds a handful of names. */
#define LSM_MAX 32

struct worker {
	const struct gnt_run_options *options;
	const struct gnt_target *target;
	FILE *out;
	struct gnt_vm *vm;
	struct gnt_engine engine; /* in that VM */
	int boots;
	bool target_told;
	size_t findings_told; /* of this VM */
	/* Where a boot failed, every further line gets the same answer without another boot. */
	enum gnt_incident boot_incident;
	char *boot_detail;
	char *unmet; /* what the guest is not, though its manifest says so; NULL: it is all of it */
	/* What must be active: the target's own list, or --lsm's. */
	char *lsm_words;
	char *lsm[LSM_MAX];
	size_t lsm_count;
	/* What any of the cases needs; borrowed. */
	char **modules;
	size_t module_count;
};

static void tell(const struct worker *worker, json_t *message)
{
	if (message && json_dumpf(message, worker->out, JSON_COMPACT) == 0) {
		(void)fputc('\n', worker->out);
		(void)fflush(worker->out);
	}
	json_decref(message);
}

static void tell_progress(const struct worker *worker, const char *text)
{
	tell(worker, json_pack("{s:s}", "progress", text));
}

static long long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void split_lsm(struct worker *worker)
{
	char *rest, *word, *save = NULL;

	if (!worker->options->lsm) {
		for (size_t i = 0; i < worker->target->lsm_count && i < LSM_MAX; i++)
			worker->lsm[worker->lsm_count++] = worker->target->lsm[i];
		return;
	}
	worker->lsm_words = strdup(worker->options->lsm);
	for (rest = worker->lsm_words; rest && worker->lsm_count < LSM_MAX; rest = NULL) {
		for (word = strtok_r(rest, ",", &save); word && worker->lsm_count < LSM_MAX;
		     word = strtok_r(NULL, ",", &save))
			worker->lsm[worker->lsm_count++] = word;
	}
}

/* Which file the root was, and whether anybody has vouched for it before; NULL without an image. */
static json_t *image_record(const struct gnt_image *image)
{
	json_t *kept = NULL, *record;

	if (!image || gnt_store_record(image, &kept, NULL) != 0)
		return NULL;
	record = json_pack("{s:O?, s:O?, s:O?, s:s}", "sha256", json_object_get(kept, "sha256"),
			   "version", json_object_get(kept, "version"), "proof",
			   json_object_get(kept, "proof"), "verified",
			   image->verified_date ? image->verified_date : "never");
	json_decref(kept);
	return record;
}

static void tell_target(struct worker *worker)
{
	const json_t *hello = gnt_vm_hello(worker->vm);
	const struct gnt_target *t = worker->target;
	json_t *record;

	if (worker->target_told)
		return;
	worker->target_told = true;
	record = json_pack("{s:s, s:s, s:O?, s:O?, s:s*, s:i, s:o*}", "id", t->id, "kernel",
			   t->version, "release", json_object_get(hello, "kernel"), "lsm",
			   json_object_get(hello, "lsm"), "stands_for", t->stands_for, "boot_ms",
			   gnt_vm_boot_ms(worker->vm), "image", image_record(t->image));
	tell(worker, json_pack("{s:o, s:s}", "target", record ? record : json_null(), "accel",
			       gnt_vm_accel(worker->vm)));
}

static enum gnt_incident start_incident(enum gnt_vm_state state)
{
	switch (state) {
	case GNT_VM_PANIC:
		return GNT_INCIDENT_PANIC;
	case GNT_VM_SPLAT:
		return GNT_INCIDENT_SPLAT;
	case GNT_VM_HANG:
		return GNT_INCIDENT_HANG;
	case GNT_VM_RUNNING:
	case GNT_VM_OFF:
	case GNT_VM_DEAD:
		break;
	}
	return GNT_INCIDENT_INFRA;
}

/* The console of each boot is kept: TARGET, TARGET-2, ... in the results folder. */
static char *log_dir(struct worker *worker)
{
	char *dir = worker->boots == 1 ? gnt_text_new("%s/%s", worker->options->results_dir,
						      worker->target->id)
				       : gnt_text_new("%s/%s-%d", worker->options->results_dir,
						      worker->target->id, worker->boots);

	if (dir && mkdir(dir, 0777) != 0 && errno != EEXIST)
		free(pcl_take_ptr(dir));
	return dir;
}

/* What the guest's kernel complained of since the last time; row (may be NULL) gets it too. */
static void tell_findings(struct worker *worker, json_t *row)
{
	const struct gnt_finding *finding;
	json_t *list = json_array();

	while ((finding = gnt_vm_finding(worker->vm, worker->findings_told)) != NULL) {
		json_t *object = gnt_finding_json(finding, worker->target->id);

		worker->findings_told++;
		(void)json_array_append(list, object);
		tell(worker, json_pack("{s:o}", "health", object ? object : json_null()));
	}
	if (row && json_array_size(list))
		(void)json_object_set(row, "health", list);
	json_decref(list);
}

static void end_vm(struct worker *worker)
{
	if (!worker->vm)
		return;
	gnt_vm_stop(worker->vm);
	tell_findings(worker, NULL);
	gnt_vm_free(&worker->vm);
}

static void preflight(struct worker *worker)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct gnt_preflight_options options = {
		.target = worker->target,
		.lsm = worker->lsm,
		.lsm_count = worker->lsm_count,
		.lsm_replaced = worker->options->lsm != NULL,
	};

	free(pcl_take_ptr(worker->unmet));
	if (gnt_preflight(worker->vm, &options, &worker->unmet, &diag) == 0)
		return;
	worker->boot_incident = start_incident(gnt_vm_state(worker->vm));
	worker->boot_detail = strdup(pcl_diag_text(&diag));
	end_vm(worker);
}

static void boot(struct worker *worker)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	enum gnt_vm_state state = GNT_VM_OFF;
	pcl_autofree char *logs = NULL;
	struct gnt_vm_options vm_options = {
		.target = worker->target,
		.kernel_path = worker->options->kernel,
		.modules_dir = worker->options->modules,
		.lsm = worker->options->lsm,
		.append = worker->options->append,
		.more_modules = worker->modules,
		.more_module_count = worker->module_count,
		.allow = worker->options->allow,
		.accel = worker->options->accel,
		.boot_timeout_ms = BOOT_TIMEOUT_MS,
	};
	int error;

	worker->boots++;
	tell_progress(worker, "booting");
	logs = log_dir(worker);
	vm_options.log_dir = logs;
	if (!logs)
		error = pcl_diag_errno(&diag, -errno, "cannot make a folder for the console log");
	else
		error = gnt_vm_start(&vm_options, &worker->vm, &state, &diag);
	if (error) {
		worker->vm = NULL;
		worker->boot_incident = start_incident(state);
		worker->boot_detail = strdup(pcl_diag_text(&diag));
		return;
	}
	/* KERNEL: with control groups of version 1 it takes a process to tell a domain. */
	worker->engine = (struct gnt_engine){
		.keep = !worker->options->detach && worker->target->cgroup == GNT_CGROUP_V2,
	};
	tell_target(worker);
	/* A complaint at boot fails the run, but the cases can still say what they have to. */
	worker->findings_told = 0;
	tell_findings(worker, NULL);
	gnt_vm_acknowledge(worker->vm);
	preflight(worker);
}

static void tell_row(const struct worker *worker, size_t index, json_t *row)
{
	tell(worker,
	     json_pack("{s:I, s:o}", "index", (json_int_t)index, "row", row ? row : json_null()));
}

static void tell_plain_row(const struct worker *worker, size_t index, enum gnt_verdict verdict,
			   enum gnt_incident incident, const char *detail)
{
	struct gnt_run_line line = gnt_run_line(worker->options, index);

	tell_row(worker, index,
		 gnt_row_new(worker->options, worker->target, line, verdict, incident, detail));
}

static void run_arms(struct worker *worker, size_t index)
{
	struct gnt_run_line line = gnt_run_line(worker->options, index);
	struct gnt_arms_options options = {
		.corpus_dir = worker->options->corpus_dir,
		.timeout_s = worker->options->timeout_s,
		.engine = &worker->engine,
	};
	struct gnt_arms_result result pcl_cleanup(gnt_arms_result_fini) = {0};
	pcl_autofree char *detail = NULL;
	long long started = now_ms();
	enum gnt_verdict verdict;
	json_t *row;

	gnt_arms_run(worker->vm, line.test_case, line.contender, &options, &result);
	verdict = gnt_verdict_judge(&result.seen, &line.test_case->expect, &detail);
	row = gnt_row_new(worker->options, worker->target, line, verdict, result.seen.incident,
			  detail);
	if (row) {
		if (result.seen.attack.outcome == GNT_OUTCOME_REFUSED)
			(void)json_object_set_new(row, "errno",
						  json_string(gnt_errno_name(
							  result.seen.attack.error)));
		if (result.event_rule)
			(void)json_object_set_new(row, "event_rule",
						  json_string(result.event_rule));
		(void)json_object_set_new(row, "duration_ms", json_integer(now_ms() - started));
	}
	tell_findings(worker, row);
	tell_row(worker, index, row);
	if (result.seen.incident != GNT_INCIDENT_NONE)
		end_vm(worker);
}

/* Loaded at the boot, as every case of a target runs in the same guest. */
static void gather_modules(struct worker *worker)
{
	const struct gnt_run_options *options = worker->options;
	size_t max = 0;

	for (size_t i = 0; i < options->case_count; i++)
		max += options->cases[i]->requires_module_count;
	worker->modules = calloc(max + 1, sizeof(*worker->modules));
	for (size_t i = 0; worker->modules && i < options->case_count; i++)
		for (size_t m = 0; m < options->cases[i]->requires_module_count; m++)
			worker->modules[worker->module_count++] =
				options->cases[i]->requires_modules[m];
}

static void tell_skip(const struct worker *worker, size_t index, const char *reason)
{
	struct gnt_run_line line = gnt_run_line(worker->options, index);
	json_t *skip = gnt_skip_new(worker->target, line, reason);

	tell(worker, json_pack("{s:I, s:o}", "index", (json_int_t)index, "skip",
			       skip ? skip : json_null()));
}

static void run_line(struct worker *worker, size_t index)
{
	struct gnt_run_line line = gnt_run_line(worker->options, index);
	pcl_autofree char *text = gnt_text_new("%s %s", line.test_case->id, line.contender->id);
	pcl_autofree char *unmet = NULL, *too_old = NULL;

	if (!worker->vm && worker->boot_incident == GNT_INCIDENT_NONE)
		boot(worker);
	if (!worker->vm) {
		tell_plain_row(worker, index, GNT_VERDICT_INFRA, worker->boot_incident,
			       worker->boot_detail);
		return;
	}
	if (worker->unmet) {
		tell_plain_row(worker, index, GNT_VERDICT_ENV_UNMET, GNT_INCIDENT_ENV,
			       worker->unmet);
		return;
	}
	too_old = gnt_env_too_old(gnt_vm_hello(worker->vm), line.test_case);
	if (too_old) {
		tell_skip(worker, index, too_old);
		return;
	}
	unmet = gnt_env_unmet(gnt_vm_hello(worker->vm), worker->lsm, worker->lsm_count,
			      line.test_case, line.contender);
	if (unmet) {
		tell_plain_row(worker, index, GNT_VERDICT_ENV_UNMET, GNT_INCIDENT_ENV, unmet);
		return;
	}
	tell_progress(worker, text ? text : "running");
	run_arms(worker, index);
}

/* The lines of cases that have the engine for themselves, or the others. */
static void run_lines(struct worker *worker, bool new_engine)
{
	size_t count = gnt_run_line_count(worker->options);

	for (size_t i = 0; i < count; i++) {
		struct gnt_run_line line = gnt_run_line(worker->options, i);

		if (line.test_case->new_engine != new_engine)
			continue;
		if (!worker->options->corpus_dir && gnt_case_needs_corpus(line.test_case)) {
			tell_skip(worker, i, "needs the corpus of policies: give --corpus DIR");
			continue;
		}
		run_line(worker, i);
	}
}

void gnt_worker(const struct gnt_run_options *options, const struct gnt_target *target, FILE *out)
{
	struct worker worker = {.options = options, .target = target, .out = out};

	split_lsm(&worker);
	gather_modules(&worker);
	run_lines(&worker, false);
	/* Last, for after each of them the next load takes many seconds. */
	run_lines(&worker, true);
	end_vm(&worker);
	tell_progress(&worker, "done");
	free(worker.boot_detail);
	free(worker.unmet);
	free(worker.lsm_words);
	free(worker.modules);
}
