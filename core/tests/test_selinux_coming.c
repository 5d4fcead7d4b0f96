/* SPDX-License-Identifier: Apache-2.0 */
/* Which names SELinux's reader of events waits for, and in which directories. */
#include <stdlib.h>
#include <string.h>

#include "backend/selinux_coming.h"
#include "base/cleanup.h"
#include "selinux_trial.h"
#include "support.h"

#define CONTEXT "u:object_r:a_t:s0\n"

struct found {
	struct selinux_host host;
	struct pcl_selinux_view *view;
	struct pcl_selinux_record record;
};

static void found_fini(struct found *found)
{
	pcl_selinux_record_fini(&found->record);
	pcl_selinux_view_free(&found->view);
	selinux_host_fini(&found->host);
}

#define FOUND struct found pcl_cleanup(found_fini)

static void find(struct found *found, const char *spec)
{
	found->view = selinux_view_of("type a_t\n/ d " CONTEXT "/a d " CONTEXT "/a-b d " CONTEXT
				      "/a/there f " CONTEXT "/a/x d " CONTEXT "/a/x/y d " CONTEXT);
	selinux_host_of(&found->host, spec, PCL_POSTURE_AUDIT);
	assert_int_equal(pcl_selinux_find_comings(&found->host.input, found->view, &found->record),
			 0);
}

/* In any order. */
static void check_coming(const struct found *found, const char *name, bool pattern)
{
	size_t count = 0;

	for (size_t i = 0; i < found->record.coming_count; i++)
		count += !strcmp(found->record.comings[i].name, name) &&
			 found->record.comings[i].pattern == pattern;
	assert_int_equal(count, 1);
}

static void check_awaits(const struct found *found, const char *const *paths)
{
	size_t count = 0;

	for (; paths[count]; count++) {
		assert_true(count < found->record.await_count);
		assert_string_equal(found->record.awaits[count], paths[count]);
	}
	assert_int_equal(found->record.await_count, count);
}

static void places_without_a_file_are_waited_for(void **state)
{
	FOUND found = {0};

	(void)state;
	find(&found, "  process: {matchPaths: [{path: /a/there}, {path: /a/none}]}\n"
		     "  file: {matchDirectories: [{dir: /a/x/}, {dir: /c/d/, recursive: true}]}\n");
	check_coming(&found, "/a/none", false);
	check_coming(&found, "/c/d", false);
	assert_int_equal(found.record.coming_count, 2);
	check_awaits(&found, (const char *const[]){NULL});
}

static void a_pattern_is_waited_for_where_its_names_may_come(void **state)
{
	FOUND flat = {0}, deep = {0}, gone = {0}, root = {0};

	(void)state;
	find(&flat, "  file: {matchPatterns: [{pattern: /a/*.key}]}\n");
	check_coming(&flat, "/a/*.key", true);
	check_awaits(&flat, (const char *const[]){"/a", NULL});
	find(&deep, "  file: {matchPatterns: [{pattern: \"/a/**\"}]}\n");
	check_awaits(&deep, (const char *const[]){"/a", "/a/x", "/a/x/y", NULL});
	find(&root, "  file: {matchPatterns: [{pattern: \"/a*\"}]}\n");
	check_awaits(&root, (const char *const[]){"/", NULL});
	/* First the directory has to come. */
	find(&gone, "  file: {matchPatterns: [{pattern: /c/d/*.key}]}\n");
	check_coming(&gone, "/c/d", false);
	check_coming(&gone, "/c/d/*.key", true);
	check_awaits(&gone, (const char *const[]){NULL});
}

static void what_is_no_file_is_not_waited_for(void **state)
{
	FOUND found = {0};

	(void)state;
	find(&found, "  network: {matchProtocols: [{protocol: udp}]}\n"
		     "  capabilities: {matchCapabilities: [{capability: chown}]}\n"
		     "  process: {matchPaths: [{execname: apt}]}\n");
	assert_int_equal(found.record.coming_count, 0);
	assert_int_equal(found.record.await_count, 0);
}

static void what_is_literal_of_a_pattern_is_its_directory(void **state)
{
	static const struct {
		const char *pattern;
		const char *directory;
		bool deep;
	} cases[] = {
		{"/a/b/*", "/a/b", false},
		{"/a/b*", "/a", false},
		{"/*", "", false},
		{"/a/*/b", "/a", true},
		{"/a/b**", "/a", true},
		{"/a/{b,c/d}", "/a", true},
		{"/a/\\*b/c?", "/a", true},
		{"/a/b/[x-z].key", "/a/b", false},
		{"/a/b/c{1,2}", "/a/b", false},
		{"/**/key", "", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = pcl_selinux_await_len(cases[i].pattern);

		assert_int_equal(len, strlen(cases[i].directory));
		assert_memory_equal(cases[i].pattern, cases[i].directory, len);
		assert_int_equal(pcl_selinux_is_deep(cases[i].pattern), cases[i].deep);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_without_a_file_are_waited_for),
		cmocka_unit_test(a_pattern_is_waited_for_where_its_names_may_come),
		cmocka_unit_test(what_is_no_file_is_not_waited_for),
		cmocka_unit_test(what_is_literal_of_a_pattern_is_its_directory),
	};

	return cmocka_run_group_tests_name("selinux_coming", tests, NULL, NULL);
}
