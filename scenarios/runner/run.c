/* SPDX-License-Identifier: Apache-2.0 */
/* The parent of a run: workers side by side, their messages, their ends; see run.h. */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "text.h"

/* How often the parent looks whether it was interrupted, should a signal arrive between checks. */
#define POLL_MS 500
#define READ_CHUNK 65536

struct job {
	pid_t pid;    /* 0: not started or reaped */
	int fd;	      /* its messages, -1: none */
	char *buffer; /* an unfinished line */
	size_t buffer_len;
	bool *told; /* per line of the plan: a row or a skip has come */
	bool started;
	bool ended;
};

struct run {
	const struct gnt_run_options *options;
	struct gnt_results *results;
	struct gnt_progress *progress;
	struct job *jobs; /* one per target */
	size_t line_count;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static void run_fini(struct run *run)
{
	for (size_t i = 0; run->jobs && i < run->options->target_count; i++) {
		struct job *job = &run->jobs[i];

		if (job->pid > 0) {
			(void)kill(job->pid, SIGKILL);
			(void)waitpid(job->pid, NULL, 0);
		}
		if (job->fd >= 0)
			(void)close(job->fd);
		free(job->buffer);
		free(job->told);
	}
	free(run->jobs);
	gnt_progress_free(&run->progress);
}

static int run_init(struct run *run, struct pcl_diag *diag)
{
	size_t count = run->options->target_count;

	run->line_count = gnt_run_line_count(run->options);
	run->jobs = calloc(count + 1, sizeof(*run->jobs));
	run->progress = gnt_progress_new(run->options, stderr);
	if (!run->jobs || !run->progress)
		return pcl_diag_set(diag, -ENOMEM, "no memory for the run");
	for (size_t i = 0; i < count; i++)
		run->jobs[i].fd = -1;
	for (size_t i = 0; i < count; i++) {
		run->jobs[i].told = calloc(run->line_count + 1, sizeof(bool));
		if (!run->jobs[i].told)
			return pcl_diag_set(diag, -ENOMEM, "no memory for the run");
	}
	return 0;
}

/* In the child. */
static void become_worker(const struct run *run, size_t target, int fd, pid_t parent)
{
	FILE *out;

	/* KERNEL: the signal is sent when the parent dies later; one that died already is caught by
	 * the check that follows. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (getppid() != parent)
		_exit(GNT_EXIT_INFRA);
	out = fdopen(fd, "w");
	if (!out)
		_exit(GNT_EXIT_INFRA);
	gnt_worker(run->options, run->options->targets[target], out);
	_exit(fclose(out) == 0 ? 0 : GNT_EXIT_INFRA);
}

static int start_job(struct run *run, size_t target, struct pcl_diag *diag)
{
	struct job *job = &run->jobs[target];
	pid_t parent = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return pcl_diag_errno(diag, -errno, "cannot make a pipe");
	(void)fflush(NULL);
	job->pid = fork();
	if (job->pid == 0) {
		(void)close(fds[0]);
		become_worker(run, target, fds[1], parent);
	}
	(void)close(fds[1]);
	if (job->pid < 0) {
		job->pid = 0;
		(void)close(fds[0]);
		return pcl_diag_errno(diag, -errno, "cannot start a worker");
	}
	job->fd = fds[0];
	job->started = true;
	return 0;
}

static void take_line(struct run *run, size_t target, const char *line, size_t len)
{
	json_t *message = json_loadb(line, len, 0, NULL);
	const char *progress = json_string_value(json_object_get(message, "progress"));
	const char *accel = json_string_value(json_object_get(message, "accel"));
	json_t *record = json_object_get(message, "target");
	json_t *row = json_object_get(message, "row");
	json_t *skip = json_object_get(message, "skip");
	json_t *health = json_object_get(message, "health");
	size_t index = (size_t)json_integer_value(json_object_get(message, "index"));

	if (progress)
		gnt_progress_set(run->progress, target, progress);
	if (json_is_object(record))
		gnt_results_take_target(run->results, json_incref(record));
	if (accel)
		gnt_results_add_accel(run->results, accel);
	if ((json_is_object(row) || json_is_object(skip)) && index < run->line_count)
		run->jobs[target].told[index] = true;
	if (json_is_object(row)) {
		(void)json_array_append(run->results->cases, row);
		gnt_progress_row(run->progress, target, row);
	}
	if (json_is_object(skip))
		(void)json_array_append(run->results->skipped, skip);
	if (json_is_object(health))
		(void)json_array_append(run->results->health, health);
	json_decref(message);
}

/* Returns false at the end of the worker's messages. */
static bool read_messages(struct run *run, size_t target)
{
	struct job *job = &run->jobs[target];
	char *grown = realloc(job->buffer, job->buffer_len + READ_CHUNK);
	char *newline;
	ssize_t len;

	if (!grown)
		return false;
	job->buffer = grown;
	len = read(job->fd, job->buffer + job->buffer_len, READ_CHUNK);
	if (len < 0)
		return errno == EINTR || errno == EAGAIN;
	if (len == 0)
		return false;
	job->buffer_len += (size_t)len;
	while ((newline = memchr(job->buffer, '\n', job->buffer_len)) != NULL) {
		size_t line_len = (size_t)(newline - job->buffer);

		take_line(run, target, job->buffer, line_len);
		job->buffer_len -= line_len + 1;
		memmove(job->buffer, newline + 1, job->buffer_len);
	}
	return true;
}

/*
 * A worker has ended: what it did not tell of becomes a row (the line it was at) and skips. So a
 * crash of ours is an error of the run and not a shorter table.
 */
static void close_job(struct run *run, size_t target)
{
	struct job *job = &run->jobs[target];
	pcl_autofree char *why = NULL;
	bool at_row = true;
	int status = 0;

	(void)close(job->fd);
	job->fd = -1;
	if (job->pid > 0)
		(void)waitpid(job->pid, &status, 0);
	job->pid = 0;
	job->ended = true;
	if (interrupted)
		why = gnt_text_new("interrupted by signal %d", (int)interrupted);
	else if (WIFSIGNALED(status))
		why = gnt_text_new("the runner's worker was killed by signal %d", WTERMSIG(status));
	else
		why = gnt_text_new("the runner's worker ended early, exit %d", WEXITSTATUS(status));
	for (size_t i = 0; i < run->line_count; i++) {
		struct gnt_run_line line = gnt_run_line(run->options, i);
		const struct gnt_target *t = run->options->targets[target];

		if (job->told[i])
			continue;
		if (at_row)
			(void)json_array_append_new(run->results->cases,
						    gnt_row_new(run->options, t, line,
								GNT_VERDICT_INFRA,
								GNT_INCIDENT_INFRA,
								why ? why : "worker ended"));
		else
			(void)json_array_append_new(run->results->skipped,
						    gnt_skip_new(t, line, why ? why : "ended"));
		at_row = false;
	}
}

static size_t running_jobs(const struct run *run)
{
	size_t running = 0;

	for (size_t i = 0; i < run->options->target_count; i++)
		running += run->jobs[i].started && !run->jobs[i].ended;
	return running;
}

static int start_jobs(struct run *run, struct pcl_diag *diag)
{
	for (size_t i = 0; i < run->options->target_count && !interrupted; i++) {
		int error;

		if (run->jobs[i].started)
			continue;
		if (running_jobs(run) >= (size_t)run->options->jobs)
			return 0;
		error = start_job(run, i, diag);
		if (error)
			return error;
	}
	return 0;
}

static int wait_messages(struct run *run, struct pcl_diag *diag)
{
	size_t count = run->options->target_count;
	pcl_autofree struct pollfd *polls = calloc(count + 1, sizeof(*polls));

	if (!polls)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	for (size_t i = 0; i < count; i++)
		polls[i] = (struct pollfd){.fd = run->jobs[i].fd, .events = POLLIN};
	if (poll(polls, count, POLL_MS) < 0 && errno != EINTR)
		return pcl_diag_errno(diag, -errno, "cannot wait for the workers");
	for (size_t i = 0; i < count; i++)
		if (polls[i].fd >= 0 && polls[i].revents && !read_messages(run, i))
			close_job(run, i);
	return 0;
}

/* All VMs end with their workers: QEMU is sent a signal when the process that started it dies. */
static void stop_jobs(struct run *run)
{
	for (size_t i = 0; i < run->options->target_count; i++)
		if (run->jobs[i].pid > 0)
			(void)kill(run->jobs[i].pid, SIGTERM);
}

static void record_interruption(struct run *run)
{
	for (size_t i = 0; i < run->options->target_count; i++) {
		if (run->jobs[i].started)
			continue;
		for (size_t k = 0; k < run->line_count; k++)
			(void)json_array_append_new(run->results->skipped,
						    gnt_skip_new(run->options->targets[i],
								 gnt_run_line(run->options, k),
								 "interrupted"));
	}
	(void)json_object_set_new(run->results->run, "interrupted", json_integer(interrupted));
}

/* Rows come in as workers finish them; the file lists them target by target. */
static void sort_rows(struct run *run)
{
	json_t *sorted = json_array();
	const json_t *row;
	size_t i;

	for (size_t t = 0; sorted && t < run->options->target_count; t++) {
		json_array_foreach(run->results->cases, i, row) {
			const char *id = json_string_value(json_object_get(row, "target"));

			if (id && strcmp(id, run->options->targets[t]->id) == 0)
				(void)json_array_append(sorted, (json_t *)row);
		}
	}
	if (sorted) {
		json_decref(run->results->cases);
		run->results->cases = sorted;
	}
}

/* A target that never came up still has its entry, with what its manifest says. */
static void add_missing_targets(struct run *run)
{
	for (size_t i = 0; i < run->options->target_count; i++) {
		const struct gnt_target *t = run->options->targets[i];
		json_t *record = json_pack("{s:s, s:s}", "id", t->id, "kernel", t->version);

		if (record)
			gnt_results_take_target(run->results, record);
	}
}

static bool boots_anything(const struct gnt_run_options *options)
{
	for (size_t i = 0; i < options->case_count; i++)
		if (options->corpus_dir || !gnt_case_needs_corpus(options->cases[i]))
			return options->target_count && options->contender_count;
	return false;
}

/*
 * Asks once for all workers whether KVM works, so that one probe boots and one notice is printed.
 * Where the question itself cannot be answered (no QEMU, no kernel), each boot says why.
 */
static void decide_accel(struct gnt_run_options *options)
{
	pcl_autofree char *reason = NULL;
	bool works = false;

	if (options->accel != GNT_ACCEL_AUTO || !boots_anything(options) ||
	    gnt_kvm_probe(&works, &reason, NULL) != 0)
		return;
	options->accel = works ? GNT_ACCEL_KVM : GNT_ACCEL_TCG;
	if (!works)
		(void)fprintf(stderr, "gauntlet: emulating (TCG), for KVM does not work here: %s\n",
			      reason ? reason : "unknown");
}

int gnt_run(const struct gnt_run_options *given, struct gnt_results *results, struct pcl_diag *diag)
{
	struct gnt_run_options options = *given;
	struct run run pcl_cleanup(run_fini) = {.options = &options, .results = results};
	struct sigaction action = {.sa_handler = on_signal}, old_int, old_term;
	bool stopped = false;
	int error;

	decide_accel(&options);
	error = run_init(&run, diag);
	if (error)
		return error;
	(void)sigaction(SIGINT, &action, &old_int);
	(void)sigaction(SIGTERM, &action, &old_term);
	error = start_jobs(&run, diag);
	while (!error && running_jobs(&run)) {
		error = wait_messages(&run, diag);
		if (interrupted && !stopped) {
			stop_jobs(&run);
			stopped = true;
		}
		if (!error)
			error = start_jobs(&run, diag);
	}
	(void)sigaction(SIGINT, &old_int, NULL);
	(void)sigaction(SIGTERM, &old_term, NULL);
	if (interrupted)
		record_interruption(&run);
	sort_rows(&run);
	add_missing_targets(&run);
	return error;
}
