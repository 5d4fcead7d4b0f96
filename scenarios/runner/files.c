/* SPDX-License-Identifier: Apache-2.0 */
/* A case's files; see files.h. */
#include "files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "guest.h"
#include "text.h"

/* On a tmpfs of its own accord (/run), outside every path that a case's policy names. */
#define SAVE_DIR "/run/gauntlet"
/* For a program of the setup; it does little, and the machine may be loaded. */
#define RUN_TIMEOUT_MS 30000
#define SAID_MAX 120

enum saved_state {
	SAVED_UNKNOWN,
	SAVED_ABSENT, /* nothing was there: remove */
	SAVED_COPY,   /* a copy lies in SAVE_DIR: copy back */
	SAVED_KEEP,   /* a directory that was there before: leave */
};

struct gnt_files {
	const struct gnt_case *test_case;
	enum saved_state *saved; /* one per setup step */
};

int gnt_files_new(const struct gnt_case *test_case, struct gnt_files **ret_files,
		  struct pcl_diag *diag)
{
	struct gnt_files *files = calloc(1, sizeof(*files));

	if (files)
		files->saved = calloc(test_case->setup_count + 1, sizeof(*files->saved));
	if (!files || !files->saved) {
		free(files);
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	}
	files->test_case = test_case;
	*ret_files = files;
	return 0;
}

void gnt_files_free(struct gnt_files **files)
{
	if (!*files)
		return;
	free((*files)->saved);
	free(*files);
	*files = NULL;
}

char *gnt_files_host_path(const char *path, bool in_container, int container_pid)
{
	if (!in_container)
		return strdup(path);
	return gnt_text_new("/proc/%d/root%s", container_pid, path);
}

static const char *step_target(const struct gnt_step *step)
{
	return step->op == GNT_STEP_COPY ? step->to : step->path;
}

static char *save_path(size_t i)
{
	return gnt_text_new(SAVE_DIR "/saved-%zu", i);
}

/* Steps that name the same path twice: the first one saved what was there. */
static bool saved_before(const struct gnt_files *files, size_t index)
{
	const struct gnt_case *c = files->test_case;

	for (size_t i = 0; i < index; i++)
		if (!c->setup[i].in_container && c->setup[i].op != GNT_STEP_RUN &&
		    strcmp(step_target(&c->setup[i]), step_target(&c->setup[index])) == 0)
			return true;
	return false;
}

static int save(struct gnt_files *files, struct gnt_vm *vm, size_t i, struct pcl_diag *diag)
{
	const struct gnt_step *step = &files->test_case->setup[i];
	pcl_autofree char *copy = save_path(i);
	struct gnt_file_stat st;
	int error;

	if (files->saved[i] != SAVED_UNKNOWN)
		return 0;
	if (saved_before(files, i)) {
		files->saved[i] = SAVED_KEEP;
		return 0;
	}
	error = gnt_guest_stat(vm, step_target(step), &st, diag);
	if (error)
		return error;
	if (!st.exists) {
		files->saved[i] = SAVED_ABSENT;
		return 0;
	}
	if (step->op == GNT_STEP_MKDIR) {
		files->saved[i] = SAVED_KEEP;
		return 0;
	}
	error = gnt_guest_mkdir(vm, SAVE_DIR, 0700, diag);
	if (!error)
		error = gnt_guest_copy(vm, step_target(step), copy, -1, diag);
	if (!error)
		files->saved[i] = SAVED_COPY;
	return error;
}

static int run_program(const struct gnt_files *files, const struct gnt_step *step,
		       struct gnt_vm *vm, struct pcl_diag *diag)
{
	struct gnt_exec_result result pcl_cleanup(gnt_exec_result_fini) = {0};
	struct gnt_exec exec = {
		.setup = true,
		.argv = (const char *const *)step->argv,
		.container = step->in_container ? files->test_case->container.name : NULL,
		.timeout_ms = RUN_TIMEOUT_MS,
	};
	int error = gnt_guest_exec(vm, &exec, &result, diag);
	pcl_autofree char *said = NULL;

	if (error || (result.exit_code == 0 && !result.timed_out))
		return error;
	said = gnt_text_first_line(*result.err ? result.err : result.out, SAID_MAX);
	if (result.spawn_errno)
		return pcl_diag_set(diag, -EREMOTEIO, "cannot run %s: %s", step->argv[0],
				    strerror(result.spawn_errno));
	return pcl_diag_set(diag, -EREMOTEIO, "%s ended with %d%s: %s", step->argv[0],
			    result.exit_code, result.timed_out ? " (out of time)" : "",
			    said ? said : "");
}

static int run_step(const struct gnt_step *step, struct gnt_vm *vm, int container_pid,
		    struct pcl_diag *diag)
{
	pcl_autofree char *target =
		gnt_files_host_path(step_target(step), step->in_container, container_pid);

	if (!target)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	switch (step->op) {
	case GNT_STEP_RUN:
		return -EINVAL; /* run_program() */
	case GNT_STEP_PUT:
		return gnt_guest_put(vm, target, step->mode, step->text, diag);
	case GNT_STEP_COPY:
		return gnt_guest_copy(vm, step->path, target, step->mode, diag);
	case GNT_STEP_MKDIR:
		return gnt_guest_mkdir(vm, target, step->mode, diag);
	}
	return -EINVAL;
}

int gnt_files_setup(struct gnt_files *files, struct gnt_vm *vm, bool in_container,
		    int container_pid, struct pcl_diag *diag)
{
	const struct gnt_case *c = files->test_case;

	for (size_t i = 0; i < c->setup_count; i++) {
		int error = 0;

		if (c->setup[i].in_container != in_container)
			continue;
		if (!in_container && c->setup[i].op != GNT_STEP_RUN)
			error = save(files, vm, i, diag);
		if (!error && c->setup[i].op == GNT_STEP_RUN)
			error = run_program(files, &c->setup[i], vm, diag);
		else if (!error)
			error = run_step(&c->setup[i], vm, container_pid, diag);
		if (error)
			return pcl_diag_context(diag, error, "setup step %zu", i + 1);
	}
	return 0;
}

int gnt_files_sweep(struct gnt_files *files, struct gnt_vm *vm, struct pcl_diag *diag)
{
	const struct gnt_case *c = files->test_case;

	for (size_t i = 0; i < c->cleanup_count; i++) {
		int error = gnt_guest_remove(vm, c->cleanup[i], diag);

		if (error)
			return error;
	}
	return 0;
}

int gnt_files_restore(struct gnt_files *files, struct gnt_vm *vm, struct pcl_diag *diag)
{
	const struct gnt_case *c = files->test_case;
	int error = gnt_files_sweep(files, vm, diag);

	/* Last first, so that a folder made by setup goes after what setup put into it. */
	for (size_t i = c->setup_count; i-- > 0 && !error;) {
		pcl_autofree char *copy = save_path(i);
		const char *target = step_target(&c->setup[i]);

		if (files->saved[i] == SAVED_ABSENT)
			error = gnt_guest_remove(vm, target, diag);
		else if (files->saved[i] == SAVED_COPY)
			error = gnt_guest_copy(vm, copy, target, -1, diag);
	}
	if (!error)
		error = gnt_guest_remove(vm, SAVE_DIR, diag);
	return error;
}
