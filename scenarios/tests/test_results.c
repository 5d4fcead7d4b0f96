/* SPDX-License-Identifier: Apache-2.0 */
/* Results: exit codes from rows, JUnit, the folder, and what a replay's output means. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "scenarios/runner/replay.h"
#include "scenarios/runner/results.h"

static void add_row(struct gnt_results *results, const char *verdict, const char *incident,
		    bool pass)
{
	json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:i}", "target", "t&1",
				"contender", "portcullis", "case", "file/x", "verdict", verdict,
				"expected", "INLINE_DENY", "pass", pass, "detail", "a < \"b\"",
				"reproduce", "again", "duration_ms", 1500);

	assert_non_null(row);
	if (incident)
		assert_int_equal(json_object_set_new(row, "incident", json_string(incident)), 0);
	assert_int_equal(json_array_append_new(results->cases, row), 0);
}

static int make_results(void **state)
{
	struct gnt_results *results = calloc(1, sizeof(*results));

	*state = results;
	if (!results || gnt_results_init(results, "gauntlet run", NULL) != 0)
		return -1;
	gnt_results_take_target(results, json_pack("{s:s}", "id", "t&1"));
	gnt_results_take_target(results, json_pack("{s:s}", "id", "t&1"));
	return 0;
}

static int drop_results(void **state)
{
	gnt_results_fini(*state);
	free(*state);
	return 0;
}

static void test_exit(void **state)
{
	struct gnt_results *results = *state;

	assert_int_equal(gnt_results_exit(results), GNT_EXIT_NOTHING_RAN);
	add_row(results, "INLINE_DENY", NULL, true);
	assert_int_equal(gnt_results_exit(results), GNT_EXIT_OK);
	add_row(results, "MISSED", NULL, false);
	assert_int_equal(gnt_results_exit(results), GNT_EXIT_UNEXPECTED);
	add_row(results, "ENV_UNMET", "environment", false);
	assert_int_equal(gnt_results_exit(results), GNT_EXIT_ENV_UNMET);
	add_row(results, "INFRA", "infra", false);
	assert_int_equal(gnt_results_exit(results), GNT_EXIT_INFRA);
	add_row(results, "INFRA", "hang", false);
	assert_int_equal(gnt_results_exit(results), GNT_EXIT_HANG);
	add_row(results, "INFRA", "panic", false);
	assert_int_equal(gnt_results_exit(results), GNT_EXIT_PANIC);
}

static void test_junit(void **state)
{
	struct gnt_results *results = *state;
	pcl_autofree char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	add_row(results, "INLINE_DENY", NULL, true);
	add_row(results, "MISSED", NULL, false);
	add_row(results, "INFRA", "hang", false);
	assert_int_equal(gnt_junit_write(results, out), 0);
	(void)fclose(out);
	assert_non_null(strstr(text, "name=\"t&amp;1\" tests=\"3\" failures=\"1\" errors=\"1\""));
	assert_non_null(strstr(text, "<failure type=\"MISSED\" message=\"a &lt; &quot;b&quot;\">"));
	assert_non_null(strstr(text, "<error type=\"INFRA\""));
}

static void test_target_once(void **state)
{
	struct gnt_results *results = *state;

	assert_int_equal(json_array_size(results->targets), 1);
	gnt_results_add_accel(results, "tcg");
	gnt_results_add_accel(results, "tcg");
	assert_string_equal(json_string_value(json_object_get(results->run, "accel")), "tcg");
	gnt_results_add_accel(results, "kvm");
	assert_string_equal(json_string_value(json_object_get(results->run, "accel")), "mixed");
}

static void test_table_width(void **state)
{
	struct gnt_results *results = *state;
	pcl_autofree char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (int i = 0; i < 12; i++) {
		char target[32];

		(void)snprintf(target, sizeof(target), "some-target-%d", i);
		add_row(results, "BASELINE_BLOCKED", NULL, true);
		(void)json_object_set_new(json_array_get(results->cases, (size_t)i), "target",
					  json_string(target));
	}
	gnt_results_print(results, out);
	(void)fclose(out);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 100);
	assert_non_null(strstr(text, "some-target-11"));
}

static void test_folder(void **state)
{
	struct gnt_results *results = *state;
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	char root[] = "/tmp/test-results-XXXXXX", path[256];
	pcl_autofree char *dir = NULL, *other = NULL;
	struct stat st;

	assert_non_null(mkdtemp(root));
	assert_int_equal(gnt_results_dir(results, NULL, root, &dir, &diag), 0);
	(void)snprintf(path, sizeof(path), "%s/latest", root);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	add_row(results, "INLINE_DENY", NULL, true);
	assert_int_equal(gnt_results_write(results, dir, &diag), 0);
	(void)snprintf(path, sizeof(path), "%s/results.json", dir);
	assert_int_equal(access(path, R_OK), 0);
	/* A file where the folder should be. */
	(void)snprintf(path, sizeof(path), "%s/results.json/x", dir);
	assert_true(gnt_results_dir(results, path, root, &other, &diag) < 0);
	assert_non_null(strstr(pcl_diag_text(&diag), "results folder"));
	(void)snprintf(path, sizeof(path), "rm -r %s", root);
	assert_int_equal(system(path), 0); /* NOLINT(cert-env33-c): our own temporary folder */
}

static void assert_replay(struct gnt_exec_result result, enum gnt_outcome want, int want_errno)
{
	pcl_autofree char *detail = NULL;
	enum gnt_outcome outcome;
	int error;

	if (!result.err)
		result.err = (char *)"";
	if (!result.out)
		result.out = (char *)"";
	gnt_replay_read(&result, &outcome, &error, &detail);
	assert_int_equal(outcome, want);
	assert_int_equal(error, want_errno);
}

#define SAYS(exit, text) ((struct gnt_exec_result){.exit_code = (exit), .out = (char *)(text)})

static void test_replay(void **state)
{
	(void)state;
	assert_replay(SAYS(0, "{\"ok\": true, \"step\": \"open\", \"errno\": 0}\n"),
		      GNT_OUTCOME_DONE, 0);
	assert_replay(SAYS(10, "noise\n{\"ok\": false, \"step\": \"open\", \"errno\": 13}\n"),
		      GNT_OUTCOME_REFUSED, EACCES);
	/* The report and the exit code must agree. */
	assert_replay(SAYS(0, "{\"ok\": false, \"step\": \"open\", \"errno\": 13}\n"),
		      GNT_OUTCOME_BROKEN, 0);
	assert_replay(SAYS(10, "{\"ok\": true, \"step\": \"open\", \"errno\": 0}\n"),
		      GNT_OUTCOME_BROKEN, 0);
	assert_replay(SAYS(3, "{\"ok\": false, \"step\": \"fork\", \"errno\": 12}\n"),
		      GNT_OUTCOME_BROKEN, 0);
	/* A program that is no replay. */
	assert_replay(SAYS(0, "anything"), GNT_OUTCOME_DONE, 0);
	assert_replay(SAYS(10, "anything"), GNT_OUTCOME_BROKEN, 0);
	assert_replay((struct gnt_exec_result){.exit_code = -1, .spawn_errno = EACCES},
		      GNT_OUTCOME_REFUSED, EACCES);
	assert_replay((struct gnt_exec_result){.exit_code = -1, .signal = 9}, GNT_OUTCOME_BROKEN,
		      0);
	assert_replay((struct gnt_exec_result){.exit_code = 0, .timed_out = true},
		      GNT_OUTCOME_BROKEN, 0);
}

#define results_test(f) cmocka_unit_test_setup_teardown(f, make_results, drop_results)

int main(void)
{
	const struct CMUnitTest tests[] = {
		results_test(test_exit),	results_test(test_junit),
		results_test(test_target_once), results_test(test_folder),
		results_test(test_table_width), cmocka_unit_test(test_replay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
