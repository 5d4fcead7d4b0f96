/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast policies are read, checked, resolved and decided, on the largest set that is promised:
 * 10,000 policies with 100,000 rules, once all for one container and once spread over a cluster.
 * And how fast 1,000 rules become AppArmor's profiles, by the system's parser, and a change of one;
 * and how fast Debian's SELinux policy is patched for as many, from file to file.
 *
 * Usage: policy PROGRAM COMMIT OUT: PROGRAM is the portcullis whose start is timed, OUT the JSON
 * file. Exits 1 where a limit is not kept. Each round of the large sets runs in a process of its
 * own, whose peak memory is then that round's. It must not be built with sanitizers: it refuses to
 * run then.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "backend/apparmor_plan.h"
#include "backend/selinux_plan.h"
#include "base/cleanup.h"
#include "bench/report.h"
#include "bench/stats.h"
#include "policy/decide.h"
#include "policy/lint.h"

#define POLICIES 10000
#define RULES 100000
#define ROUNDS 7
#define STARTS 41
#define DECISIONS 500000
#define OPERATIONS 4096

/* What is promised. */
#define CHECK_LIMIT_S 1.0
#define MEMORY_LIMIT_MB 300.0
#define DECIDE_LIMIT_NS 1000.0
#define START_LIMIT_MS 5.0
#define COMPILE_LIMIT_MS 300.0
#define CHANGE_LIMIT_MS 50.0
#define PATCH_LIMIT_MS 200.0

/* Policies of ten rules for AppArmor: all for one container, or for as many containers. */
#define PROFILE_POLICIES 100
#define PROFILE_BOXES 20
#define PARSER "/usr/sbin/apparmor_parser"
/* Made by make bench-policy. */
#define NODE_POLICY "build/guest/selinux/debian.policy"
#define FEATURES "core/tests/golden/apparmor/features-6.12"

extern char **environ;

enum shape {
	SHAPE_ONE_DOMAIN,
	SHAPE_CLUSTER,
};
static const char *const shape_names[] = {"one-domain", "cluster"};

static double clock_s(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "policy: %s\n", what);
	exit(EXIT_FAILURE);
}

/* --- the sets
 * --------------------------------------------------------------------------------------- */

/* Ten rules of the kinds that people write, about objects of the policy's own. */
static void print_rules(FILE *stream, int policy)
{
	(void)fputs("  process:\n    matchPaths:\n", stream);
	for (int i = 0; i < 3; i++)
		(void)fprintf(stream, "    - path: /opt/package%d/bin/tool%d\n", policy, i);
	(void)fprintf(stream,
		      "    - path: /usr/bin/only%d\n      fromSource:\n"
		      "      - path: /usr/bin/source%d\n",
		      policy, policy % 7);
	(void)fputs("  file:\n    matchPaths:\n", stream);
	for (int i = 0; i < 3; i++)
		(void)fprintf(stream, "    - path: /srv/data%d/key%d\n", policy, i);
	(void)fprintf(stream,
		      "    matchDirectories:\n    - dir: /srv/tree%d/\n      recursive: true\n"
		      "    - dir: /srv/fixed%d/\n      readOnly: true\n"
		      "    matchPatterns:\n    - pattern: /srv/logs%d/*.log\n",
		      policy, policy, policy);
}

static char *make_text(enum shape shape, int policies)
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	if (!stream)
		die("out of memory");
	for (int i = 0; i < policies; i++) {
		bool spread = shape == SHAPE_CLUSTER;

		(void)fprintf(stream,
			      "---\napiVersion: security.kubearmor.com/v1\nkind: KubeArmorPolicy\n"
			      "metadata:\n  name: policy-%05d\n  namespace: team-%02d\nspec:\n"
			      "  severity: %d\n  action: Block\n  selector:\n    matchLabels:\n"
			      "      app: app-%02d\n",
			      i, spread ? i % 100 : 0, 1 + i % 10, spread ? i / 100 % 20 : 0);
		print_rules(stream, i);
	}
	if (fclose(stream))
		die("out of memory");
	return text;
}

struct loaded {
	struct pcl_policy_set *set;
	struct pcl_domain *domain;
	struct pcl_ruleset *ruleset;
};

static void loaded_fini(struct loaded *loaded)
{
	pcl_ruleset_free(&loaded->ruleset);
	pcl_domain_free(&loaded->domain);
	pcl_policy_set_free(&loaded->set);
}

static void load(const char *text, bool lint, struct loaded *ret_loaded)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_cleanup(pcl_warnings_free) struct pcl_warnings *warnings = NULL;
	struct pcl_postures postures = {0};

	if (pcl_policy_set_new(&ret_loaded->set) ||
	    pcl_policy_set_read_memory(ret_loaded->set, "bench.yaml", text, strlen(text), &diag))
		die(pcl_diag_text(&diag));
	if (lint && pcl_lint(ret_loaded->set, &warnings))
		die("lint failed");
	if (pcl_domain_new("web", "team-00", "app=app-00", &ret_loaded->domain, &diag) ||
	    pcl_resolve(ret_loaded->set, ret_loaded->domain, &postures, &ret_loaded->ruleset))
		die(pcl_diag_text(&diag));
}

/* --- measuring
 * --------------------------------------------------------------------------------------- */

/* Reads, lints and resolves in a process of its own. */
static void measure_load(const char *text, double *ret_s, double *ret_mb)
{
	struct rusage usage;
	double seconds = 0;
	int ends[2], status;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		die("no pipe");
	child = fork();
	if (child < 0)
		die("cannot fork");
	if (!child) {
		struct loaded loaded = {0};
		double start = clock_s(CLOCK_PROCESS_CPUTIME_ID);

		load(text, true, &loaded);
		seconds = clock_s(CLOCK_PROCESS_CPUTIME_ID) - start;
		_exit(write(ends[1], &seconds, sizeof(seconds)) == (ssize_t)sizeof(seconds)
			      ? EXIT_SUCCESS
			      : EXIT_FAILURE);
	}
	(void)close(ends[1]);
	if (wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != EXIT_SUCCESS ||
	    read(ends[0], &seconds, sizeof(seconds)) != (ssize_t)sizeof(seconds))
		die("a round did not finish");
	(void)close(ends[0]);
	*ret_s = seconds;
	*ret_mb = (double)usage.ru_maxrss / 1024;
}

/* A third each: what a path rule holds, what a directory or a pattern does, what none does. */
static void make_operations(char (*objects)[64], struct pcl_operation *operations)
{
	static const char *const formats[] = {
		"/srv/data%d/key1",
		"/srv/tree%d/a/b/c",
		"/usr/lib/package%d/library.so",
		"/opt/package%d/bin/tool2",
		"/srv/logs%d/today.log",
		"/home/user%d/notes.txt",
	};

	for (size_t i = 0; i < OPERATIONS; i++) {
		size_t format = i % PCL_ARRAY_SIZE(formats);
		/* Far apart, so that no cache helps more than it would in life. */
		int number = (int)(i * 7919 % POLICIES);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(objects[i], sizeof(objects[i]), formats[format], number);
#pragma GCC diagnostic pop
		operations[i] = (struct pcl_operation){
			.access = format == 3 ? PCL_ACCESS_EXECUTE
				  : i % 2     ? PCL_ACCESS_READ
					      : PCL_ACCESS_WRITE,
			.object = objects[i],
			.source = "/usr/bin/source3",
		};
	}
}

static double measure_decide(const struct pcl_ruleset *ruleset,
			     const struct pcl_operation *operations)
{
	double start = clock_s(CLOCK_PROCESS_CPUTIME_ID);
	size_t refused = 0;

	for (size_t i = 0; i < DECISIONS; i++) {
		struct pcl_verdict verdict;

		pcl_decide(ruleset, &operations[i % OPERATIONS], &verdict);
		refused += verdict.refused;
	}
	if (!refused || refused == DECISIONS)
		die("the operations do not tell refused from permitted");
	return (clock_s(CLOCK_PROCESS_CPUTIME_ID) - start) * 1e9 / DECISIONS;
}

static double measure_start(const char *program, const char *file)
{
	char *const argv[] = {(char *)program, (char *)"check", (char *)file, NULL};
	posix_spawn_file_actions_t actions;
	double start = clock_s(CLOCK_MONOTONIC);
	pid_t child = -1;
	int status;

	if (posix_spawn_file_actions_init(&actions) ||
	    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) ||
	    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO) ||
	    posix_spawn(&child, program, &actions, NULL, argv, environ))
		die("cannot start the program");
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status))
		die("the program did not take the policy");
	(void)posix_spawn_file_actions_destroy(&actions);
	return (clock_s(CLOCK_MONOTONIC) - start) * 1e3;
}

/* --- results
 * ---------------------------------------------------------------------------------------- */

static bool kept = true;

static void add(json_t *results, const char *measure, const char *shape, int policies,
		const char *unit, double limit, const double *samples, size_t count)
{
	struct gnt_stats stats;
	json_t *list = json_array();

	if (gnt_stats_compute(samples, count, &stats))
		die("out of memory");
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, json_real(samples[i]));
	(void)json_array_append_new(results,
				    json_pack("{s:s, s:s?, s:s, s:i, s:i, s:f, s:f, s:f, s:b, s:o}",
					      "measure", measure, "shape", shape, "unit", unit,
					      "policies", policies, "rules",
					      policies * (RULES / POLICIES), "limit", limit,
					      "median", stats.median, "p99", stats.p99, "kept",
					      stats.median < limit, "samples", list));
	kept = kept && stats.median < limit;
	(void)printf("%-18s %-10s median %8.3f %s, limit %g: %s\n", measure, shape ? shape : "",
		     stats.median, unit, limit, stats.median < limit ? "kept" : "NOT KEPT");
}

static void measure_shape(json_t *results, enum shape shape)
{
	pcl_autofree char *text = make_text(shape, POLICIES);
	double seconds[ROUNDS], megabytes[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		measure_load(text, &seconds[i], &megabytes[i]);
	add(results, "check-and-resolve", shape_names[shape], POLICIES, "s", CHECK_LIMIT_S, seconds,
	    ROUNDS);
	add(results, "peak-memory", shape_names[shape], POLICIES, "MB", MEMORY_LIMIT_MB, megabytes,
	    ROUNDS);
}

static void measure_decisions(json_t *results)
{
	pcl_cleanup(loaded_fini) struct loaded loaded = {0};
	pcl_autofree char *text = make_text(SHAPE_ONE_DOMAIN, POLICIES);
	pcl_autofree char(*objects)[64] = calloc(OPERATIONS, sizeof(*objects));
	pcl_autofree struct pcl_operation *operations = calloc(OPERATIONS, sizeof(*operations));
	double nanoseconds[ROUNDS];

	if (!objects || !operations)
		die("out of memory");
	load(text, false, &loaded);
	if (loaded.ruleset->rule_count != RULES)
		die("the set has not the number of rules that is promised");
	make_operations(objects, operations);
	for (int i = 0; i < ROUNDS; i++)
		nanoseconds[i] = measure_decide(loaded.ruleset, operations);
	add(results, "decide", shape_names[SHAPE_ONE_DOMAIN], POLICIES, "ns", DECIDE_LIMIT_NS,
	    nanoseconds, ROUNDS);
}

static void measure_starts(json_t *results, const char *program)
{
	char file[] = "/tmp/portcullis-bench-XXXXXX";
	pcl_autofree char *text = make_text(SHAPE_ONE_DOMAIN, 1);
	pcl_autoclose int fd = mkostemp(file, O_CLOEXEC);
	double milliseconds[STARTS];

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("cannot write a policy to /tmp");
	for (int i = 0; i < STARTS; i++)
		milliseconds[i] = measure_start(program, file);
	(void)unlink(file);
	add(results, "start-of-check", NULL, 1, "ms", START_LIMIT_MS, milliseconds, STARTS);
}

/* --- AppArmor
 * ---------------------------------------------------------------------------------------- */

/* As print_rules(), without a source: each is a profile more, with all rules of its domain. */
static char *make_profile_text(int boxes, int changed)
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	if (!stream)
		die("out of memory");
	for (int i = 0; i < PROFILE_POLICIES; i++) {
		(void)fprintf(stream,
			      "---\napiVersion: security.kubearmor.com/v1\nkind: KubeArmorPolicy\n"
			      "metadata: {name: policy-%05d}\nspec:\n"
			      "  selector: {matchLabels: {app: app-%02d}}\n"
			      "  process:\n    matchPaths:\n",
			      i, i % boxes);
		for (int r = 0; r < 4; r++)
			(void)fprintf(stream, "    - path: /opt/package%d/bin/tool%d\n", i,
				      i == changed ? r + 1 : r);
		(void)fputs("  file:\n    matchPaths:\n", stream);
		for (int r = 0; r < 3; r++)
			(void)fprintf(stream, "    - path: /srv/data%d/key%d\n", i, r);
		(void)fprintf(
			stream,
			"    matchDirectories:\n    - dir: /srv/tree%d/\n      recursive: true\n"
			"    - dir: /srv/fixed%d/\n      readOnly: true\n"
			"    matchPatterns:\n    - pattern: /srv/logs%d/*.log\n",
			i, i, i);
	}
	if (fclose(stream))
		die("out of memory");
	return text;
}

/* What a plan is made from. */
struct boxes {
	struct pcl_policy_set *set;
	struct pcl_domain *domains[PROFILE_BOXES];
	struct pcl_ruleset *rulesets[PROFILE_BOXES];
	struct pcl_backend_domain backend_domains[PROFILE_BOXES];
	struct pcl_backend_input input;
	const struct pcl_rule **rules;
};

static void boxes_fini(struct boxes *boxes)
{
	for (int i = 0; i < PROFILE_BOXES; i++) {
		pcl_ruleset_free(&boxes->rulesets[i]);
		pcl_domain_free(&boxes->domains[i]);
	}
	free((void *)boxes->rules);
	pcl_policy_set_free(&boxes->set);
}

static void load_boxes(const char *text, int count, struct boxes *boxes)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	const struct pcl_postures postures = {0};
	size_t rule_count = 0;

	if (pcl_policy_set_new(&boxes->set) ||
	    pcl_policy_set_read_memory(boxes->set, "bench.yaml", text, strlen(text), &diag) ||
	    pcl_policy_set_rules(boxes->set, &boxes->rules, &rule_count))
		die(pcl_diag_text(&diag));
	for (int i = 0; i < count; i++) {
		char name[16], labels[16];

		(void)snprintf(name, sizeof(name), "box-%02d", i);
		(void)snprintf(labels, sizeof(labels), "app=app-%02d", i);
		if (pcl_domain_new(name, NULL, labels, &boxes->domains[i], &diag) ||
		    pcl_resolve(boxes->set, boxes->domains[i], &postures, &boxes->rulesets[i]))
			die(pcl_diag_text(&diag));
		boxes->backend_domains[i] = (struct pcl_backend_domain){
			.ruleset = boxes->rulesets[i],
			.id = (uint32_t)i + 1,
		};
	}
	boxes->input = (struct pcl_backend_input){
		.generation = 1,
		.domains = boxes->backend_domains,
		.domain_count = (size_t)count,
		.rules = boxes->rules,
		.rule_count = rule_count,
	};
}

/* The parser's processor time for one profile. */
static double measure_parser(const char *text)
{
	char *const argv[] = {PARSER, "-q", "-Q", "-K", "-T", "-S", "--features-file=" FEATURES,
			      NULL};
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	FILE *file = tmpfile();
	pid_t child = -1;
	int status;

	if (!file || fputs(text, file) < 0 || fflush(file) || fseek(file, 0, SEEK_SET))
		die("cannot write a profile");
	if (posix_spawn_file_actions_init(&actions) ||
	    posix_spawn_file_actions_adddup2(&actions, fileno(file), STDIN_FILENO) ||
	    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) ||
	    posix_spawn(&child, PARSER, &actions, NULL, argv, environ))
		die("cannot start " PARSER "; run scripts/setup");
	if (wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) || WEXITSTATUS(status))
		die("the parser did not take the profile");
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)fclose(file);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static struct pcl_apparmor_plan *plan_boxes(const struct boxes *boxes, double *ret_ms)
{
	struct pcl_apparmor_plan *plan = NULL;
	double start = clock_s(CLOCK_PROCESS_CPUTIME_ID);

	if (pcl_apparmor_plan(&boxes->input, NULL, &plan, NULL))
		die("the rules cannot be planned");
	*ret_ms = (clock_s(CLOCK_PROCESS_CPUTIME_ID) - start) * 1e3;
	return plan;
}

/* Planning and compiling all of 1,000 rules, which are one profile. */
static void measure_compile(json_t *results)
{
	pcl_autofree char *text = make_profile_text(1, -1);
	struct boxes boxes pcl_cleanup(boxes_fini) = {0};
	double milliseconds[ROUNDS];

	load_boxes(text, 1, &boxes);
	for (int i = 0; i < ROUNDS; i++) {
		pcl_cleanup(pcl_apparmor_plan_free) struct pcl_apparmor_plan *plan =
			plan_boxes(&boxes, &milliseconds[i]);

		milliseconds[i] += measure_parser(plan->profiles[0].text);
	}
	add(results, "apparmor-compile", "one-profile", PROFILE_POLICIES, "ms", COMPILE_LIMIT_MS,
	    milliseconds, ROUNDS);
}

/* Planning 1,000 rules, which are profiles of 50 each, and compiling the one that changed. */
static void measure_change(json_t *results)
{
	pcl_autofree char *before = make_profile_text(PROFILE_BOXES, -1);
	pcl_autofree char *after = make_profile_text(PROFILE_BOXES, PROFILE_POLICIES / 2);
	struct boxes old pcl_cleanup(boxes_fini) = {0};
	struct boxes new pcl_cleanup(boxes_fini) = {0};
	pcl_cleanup(pcl_apparmor_plan_free) struct pcl_apparmor_plan *live = NULL;
	double milliseconds[ROUNDS], unused;

	load_boxes(before, PROFILE_BOXES, &old);
	load_boxes(after, PROFILE_BOXES, &new);
	live = plan_boxes(&old, &unused);
	for (int i = 0; i < ROUNDS; i++) {
		pcl_cleanup(pcl_apparmor_plan_free) struct pcl_apparmor_plan *plan =
			plan_boxes(&new, &milliseconds[i]);
		size_t changed = 0;

		for (size_t p = 0; p < plan->count; p++) {
			if (plan->profiles[p].hash == live->profiles[p].hash)
				continue;
			milliseconds[i] += measure_parser(plan->profiles[p].text);
			changed++;
		}
		if (changed != 1)
			die("a change of one policy changed other profiles");
	}
	add(results, "apparmor-change", "profiles", PROFILE_POLICIES, "ms", CHANGE_LIMIT_MS,
	    milliseconds, ROUNDS);
}

/* --- SELinux
 * ---------------------------------------------------------------------------------------- */

/* 1,000 rules of the host, of all kinds that are about files. */
static char *make_host_text(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	if (!stream)
		die("out of memory");
	for (int i = 0; i < PROFILE_POLICIES; i++)
		(void)fprintf(
			stream,
			"---\napiVersion: security.kubearmor.com/v1\n"
			"kind: KubeArmorHostPolicy\nmetadata: {name: policy-%05d}\nspec:\n"
			"  nodeSelector: {matchLabels: {kubearmor.io/hostname: \"*\"}}\n"
			"  action: %s\n  process:\n    matchPaths:\n"
			"    - path: /opt/package%d/tool0\n    - path: /opt/package%d/tool1\n"
			"    - path: /opt/package%d/tool2\n    - path: /opt/package%d/tool3\n"
			"  file:\n    matchPaths:\n"
			"    - path: /srv/data%d/key0\n    - path: /srv/data%d/key1\n"
			"    - path: /srv/data%d/key2\n      readOnly: true\n"
			"    matchDirectories:\n    - dir: /srv/tree%d/\n      recursive: true\n"
			"    - dir: /srv/fixed%d/\n      readOnly: true\n"
			"    matchPatterns:\n    - pattern: /srv/logs%d/*.log\n",
			i, i % 4 == 3 ? "Audit" : "Block", i, i, i, i, i, i, i, i, i, i);
	if (fclose(stream))
		die("out of memory");
	return text;
}

/* What each of them is about, of types that Debian's policy says most of. */
static char *make_view_text(void)
{
	static const char *const types[] = {"etc_t",	    "var_t",	   "usr_t", "var_log_t",
					    "shadow_t",	    "user_home_t", "lib_t", "bin_t",
					    "shell_exec_t", "tmp_t"};
	static const char *const files[] = {"/opt/package%d/tool0 f", "/opt/package%d/tool1 f",
					    "/opt/package%d/tool2 f", "/opt/package%d/tool3 f",
					    "/srv/data%d/key0 f",     "/srv/data%d/key1 f",
					    "/srv/data%d/key2 f",     "/srv/tree%d d",
					    "/srv/tree%d/below f",    "/srv/fixed%d d",
					    "/srv/fixed%d/file f",    "/srv/logs%d/today.log f"};
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	if (!stream)
		die("out of memory");
	(void)fputs("domain domain\n", stream);
	for (int i = 0; i < PROFILE_POLICIES; i++)
		for (size_t f = 0; f < PCL_ARRAY_SIZE(files); f++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			(void)fprintf(stream, files[f], i);
#pragma GCC diagnostic pop
			(void)fprintf(stream, " system_u:object_r:%s:s0\n",
				      types[((size_t)i + f) % PCL_ARRAY_SIZE(types)]);
		}
	if (fclose(stream))
		die("out of memory");
	return text;
}

/* In a process of its own, as apply is: nothing is warm. */
static double measure_patch(const struct pcl_selinux_changes *changes)
{
	double milliseconds = 0;
	int ends[2], status;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		die("no pipe");
	child = fork();
	if (child < 0)
		die("cannot fork");
	if (!child) {
		struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
		double start = clock_s(CLOCK_PROCESS_CPUTIME_ID);
		FILE *in = fopen(NODE_POLICY, "re"), *out = tmpfile();
		void *data = NULL, *patched = NULL;
		size_t size, patched_size = 0;

		if (!in || !out || fseek(in, 0, SEEK_END) || ftell(in) <= 0)
			die("cannot read " NODE_POLICY);
		size = (size_t)ftell(in);
		rewind(in);
		data = malloc(size);
		if (!data || fread(data, 1, size, in) != size)
			die("cannot read " NODE_POLICY);
		if (pcl_selinux_patch(data, size, changes, &patched, &patched_size, &diag))
			die(pcl_diag_text(&diag));
		if (fwrite(patched, 1, patched_size, out) != patched_size || fflush(out))
			die("cannot write a policy");
		milliseconds = (clock_s(CLOCK_PROCESS_CPUTIME_ID) - start) * 1e3;
		_exit(write(ends[1], &milliseconds, sizeof(milliseconds)) ==
				      (ssize_t)sizeof(milliseconds)
			      ? EXIT_SUCCESS
			      : EXIT_FAILURE);
	}
	(void)close(ends[1]);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != EXIT_SUCCESS ||
	    read(ends[0], &milliseconds, sizeof(milliseconds)) != (ssize_t)sizeof(milliseconds))
		die("a round did not finish");
	(void)close(ends[0]);
	return milliseconds;
}

static void measure_selinux(json_t *results)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_autofree char *text = make_host_text(), *files = make_view_text();
	pcl_cleanup(pcl_selinux_view_free) struct pcl_selinux_view *view = NULL;
	pcl_cleanup(pcl_selinux_plan_free) struct pcl_selinux_plan *plan = NULL;
	struct loaded loaded pcl_cleanup(loaded_fini) = {0};
	struct pcl_backend_domain host = {0};
	struct pcl_backend_input input = {.generation = 1, .domains = &host, .domain_count = 1};
	struct pcl_postures postures = {0};
	double milliseconds[ROUNDS];

	if (pcl_policy_set_new(&loaded.set) ||
	    pcl_policy_set_read_memory(loaded.set, "bench.yaml", text, strlen(text), &diag) ||
	    pcl_domain_new_host("node", NULL, &loaded.domain, &diag) ||
	    pcl_resolve(loaded.set, loaded.domain, &postures, &loaded.ruleset))
		die(pcl_diag_text(&diag));
	host.ruleset = loaded.ruleset;
	if (loaded.ruleset->rule_count != PROFILE_POLICIES * (RULES / POLICIES))
		die("the set has not the number of rules that is promised");
	if (pcl_selinux_view_parse("view", files, &view, &diag) ||
	    pcl_selinux_plan(&input, view, &plan, &diag))
		die(pcl_diag_text(&diag));
	for (int i = 0; i < ROUNDS; i++)
		milliseconds[i] = measure_patch(&plan->changes);
	add(results, "selinux-patch", "host", PROFILE_POLICIES, "ms", PATCH_LIMIT_MS, milliseconds,
	    ROUNDS);
}

int main(int argc, char **argv)
{
	json_t *results, *all;

#ifdef PCL_SANITIZED
	die("built with sanitizers, which are slow; build without SAN");
#endif
	if (argc != 4)
		die("usage: policy PROGRAM COMMIT OUT");
	results = json_array();
	measure_starts(results, argv[1]);
	measure_shape(results, SHAPE_ONE_DOMAIN);
	measure_shape(results, SHAPE_CLUSTER);
	measure_decisions(results);
	measure_compile(results);
	measure_change(results);
	measure_selinux(results);
	all = json_pack("{s:i, s:o, s:o}", "schema", 1, "run",
			gnt_report_run(argv[2], "make bench-policy"), "policy", results);
	if (!all || json_dump_file(all, argv[3], JSON_INDENT(2) | JSON_REAL_PRECISION(6)))
		die("cannot write the results");
	json_decref(all);
	return kept ? EXIT_SUCCESS : EXIT_FAILURE;
}
