/* SPDX-License-Identifier: Apache-2.0 */
/* Results: the run's record and its files; see results.h. */
#include "results.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "health.h"
#include "text.h"

#define LATEST_LINK "latest"
#define LINE_MAX_LEN 256

/* The first line that a program prints, for "git" and "qemu"; NULL where it cannot be run. */
static char *first_line_of(const char *command)
{
	char line[LINE_MAX_LEN];
	FILE *pipe = popen(command, "re"); /* NOLINT(cert-env33-c): constant commands only */
	char *text = NULL;

	if (!pipe)
		return NULL;
	if (fgets(line, sizeof(line), pipe))
		text = gnt_text_first_line(line, LINE_MAX_LEN);
	if (pclose(pipe) != 0 || (text && !*text)) {
		free(text);
		return NULL;
	}
	return text;
}

static json_t *string_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *host_record(void)
{
	struct utsname uts;
	json_t *host;

	if (uname(&uts) != 0)
		memset(&uts, 0, sizeof(uts));
	host = json_pack("{s:s, s:s, s:i}", "kernel", uts.release, "machine", uts.machine, "cpus",
			 (int)sysconf(_SC_NPROCESSORS_ONLN));
	return host ? host : json_null();
}

int gnt_results_init(struct gnt_results *results, const char *command, struct pcl_diag *diag)
{
	pcl_autofree char *git = first_line_of("git describe --always --dirty 2>/dev/null");
	pcl_autofree char *qemu = first_line_of("qemu-system-x86_64 --version 2>/dev/null");
	pcl_autofree char *id = NULL;
	char stamp[32], started[32];
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm) || !strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm) ||
	    !strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return pcl_diag_set(diag, -EINVAL, "cannot tell the time");
	id = gnt_text_new("%s-%d", stamp, (int)getpid());
	results->run =
		json_pack("{s:s, s:s, s:o, s:o, s:o, s:n, s:s}", "id", id ? id : stamp, "started",
			  started, "git", string_or_null(git), "host", host_record(), "qemu",
			  string_or_null(qemu), "accel", "command", command);
	results->targets = json_array();
	results->cases = json_array();
	results->skipped = json_array();
	results->health = json_array();
	results->latency = json_array();
	if (!results->run || !results->targets || !results->cases || !results->skipped ||
	    !results->health || !results->latency)
		return pcl_diag_set(diag, -ENOMEM, "no memory for results");
	return 0;
}

void gnt_results_fini(struct gnt_results *results)
{
	json_decref(results->run);
	json_decref(results->targets);
	json_decref(results->cases);
	json_decref(results->skipped);
	json_decref(results->health);
	json_decref(results->latency);
	memset(results, 0, sizeof(*results));
}

const char *gnt_results_id(const struct gnt_results *results)
{
	return json_string_value(json_object_get(results->run, "id"));
}

void gnt_results_take_target(struct gnt_results *results, json_t *target)
{
	const char *id = json_string_value(json_object_get(target, "id"));
	const json_t *entry;
	size_t i;

	json_array_foreach(results->targets, i, entry) {
		const char *known = json_string_value(json_object_get(entry, "id"));

		if (id && known && strcmp(id, known) == 0) {
			json_decref(target);
			return;
		}
	}
	(void)json_array_append_new(results->targets, target);
}

void gnt_results_add_accel(struct gnt_results *results, const char *accel)
{
	const char *known = json_string_value(json_object_get(results->run, "accel"));

	if (known && strcmp(known, accel) == 0)
		return;
	(void)json_object_set_new(results->run, "accel", json_string(known ? "mixed" : accel));
}

int gnt_results_add_latency(struct gnt_results *results, const struct gnt_latency_rows *rows,
			    struct pcl_diag *diag)
{
	json_t *array = gnt_latency_rows_json(rows);

	if (!array || json_array_extend(results->latency, array) != 0) {
		json_decref(array);
		return pcl_diag_set(diag, -ENOMEM, "no memory for latency rows");
	}
	json_decref(array);
	return 0;
}

/* mkdir -p. */
static int make_dirs(const char *path, struct pcl_diag *diag)
{
	pcl_autofree char *partial = strdup(path);

	if (!partial)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	for (char *at = partial + 1;; at++) {
		char kept = *at;

		if (kept != '/' && kept != '\0')
			continue;
		*at = '\0';
		if (mkdir(partial, 0777) != 0 && errno != EEXIST)
			return pcl_diag_errno(diag, -errno, "cannot make the results folder %s",
					      partial);
		*at = kept;
		if (!kept)
			return 0;
	}
}

/* The link is a convenience: where it cannot be made, the run goes on. */
static void link_latest(const char *root, const char *id)
{
	pcl_autofree char *fresh = gnt_text_new("%s/.latest-%s", root, id);
	pcl_autofree char *link = gnt_text_new("%s/" LATEST_LINK, root);

	if (!fresh || !link || symlink(id, fresh) != 0)
		return;
	if (rename(fresh, link) != 0)
		(void)unlink(fresh);
}

static int probe_writable(const char *dir, struct pcl_diag *diag)
{
	pcl_autofree char *path = gnt_text_new("%s/.probe", dir);
	pcl_autoclose int fd = -1;
	int error = 0;

	if (!path)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return pcl_diag_errno(
			diag, -errno,
			"cannot write into the results folder %s (choose another with "
			"--results)",
			dir);
	if (write(fd, "probe\n", 6) != 6)
		error = pcl_diag_errno(diag, errno ? -errno : -ENOSPC,
				       "cannot write into the results folder %s", dir);
	(void)unlink(path);
	return error;
}

int gnt_results_dir(const struct gnt_results *results, const char *dir, const char *default_root,
		    char **ret_dir, struct pcl_diag *diag)
{
	const char *id = gnt_results_id(results);
	pcl_autofree char *path = dir ? strdup(dir) : gnt_text_new("%s/%s", default_root, id);
	int error;

	if (!path)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	error = make_dirs(path, diag);
	if (!error)
		error = probe_writable(path, diag);
	if (error)
		return error;
	if (!dir)
		link_latest(default_root, id);
	*ret_dir = pcl_take_ptr(path);
	return 0;
}

static int write_json(const struct gnt_results *results, FILE *out)
{
	json_t *root =
		json_pack("{s:i, s:O, s:O, s:O, s:O, s:O, s:O}", "schema", GNT_RESULTS_SCHEMA,
			  "run", results->run, "targets", results->targets, "cases", results->cases,
			  "skipped", results->skipped, "health", results->health, "latency",
			  results->latency);
	int error = -ENOMEM;

	if (root && json_dumpf(root, out, JSON_INDENT(2)) == 0)
		error = fputc('\n', out) == EOF ? -EIO : 0;
	else if (root)
		error = errno ? -errno : -EIO;
	json_decref(root);
	return error;
}

static int write_file(const struct gnt_results *results, const char *dir, const char *name,
		      int (*write_to)(const struct gnt_results *results, FILE *out),
		      struct pcl_diag *diag)
{
	pcl_autofree char *fresh = gnt_text_new("%s/.%s.new", dir, name);
	pcl_autofree char *path = gnt_text_new("%s/%s", dir, name);
	FILE *out;
	int error;

	if (!fresh || !path)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	out = fopen(fresh, "we");
	if (!out)
		return pcl_diag_errno(diag, -errno, "cannot write %s", fresh);
	errno = 0;
	error = write_to(results, out);
	if (!error && (fflush(out) != 0 || fsync(fileno(out)) != 0))
		error = -errno;
	/* A full disk may show only here. */
	if (fclose(out) != 0 && !error)
		error = -errno;
	if (!error && rename(fresh, path) != 0)
		error = -errno;
	if (error) {
		(void)unlink(fresh);
		return pcl_diag_errno(diag, error, "cannot write %s", path);
	}
	return 0;
}

int gnt_results_write(const struct gnt_results *results, const char *dir, struct pcl_diag *diag)
{
	int error = write_file(results, dir, "results.json", write_json, diag);

	if (!error)
		error = write_file(results, dir, "junit.xml", gnt_junit_write, diag);
	return error;
}

static enum gnt_exit row_exit(const json_t *row)
{
	const char *word = json_string_value(json_object_get(row, "verdict"));
	const char *incident = json_string_value(json_object_get(row, "incident"));
	enum gnt_verdict verdict;

	if (!word || gnt_verdict_parse(word, &verdict) != 0)
		return GNT_EXIT_INFRA;
	return gnt_verdict_exit(verdict,
				incident ? gnt_incident_parse(incident) : GNT_INCIDENT_INFRA,
				json_is_true(json_object_get(row, "pass")));
}

static enum gnt_exit health_exit(const json_t *row)
{
	const char *kind = json_string_value(json_object_get(row, "kind"));

	return kind && gnt_health_is_stuck(gnt_health_kind_parse(kind)) ? GNT_EXIT_HANG
									: GNT_EXIT_PANIC;
}

enum gnt_exit gnt_results_exit(const struct gnt_results *results)
{
	enum gnt_exit worst = GNT_EXIT_OK;
	const json_t *row;
	size_t i;

	if (json_array_size(results->cases) == 0)
		return GNT_EXIT_NOTHING_RAN;
	json_array_foreach(results->cases, i, row)
		worst = gnt_exit_worse(worst, row_exit(row));
	/* Also what the kernel said while no case ran: at boot, at power-off. */
	json_array_foreach(results->health, i, row)
		if (!json_object_get(row, "allowed"))
			worst = gnt_exit_worse(worst, health_exit(row));
	return worst;
}
