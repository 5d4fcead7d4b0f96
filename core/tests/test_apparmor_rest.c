/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rest of random lists, asked about every path that there is: what a list does not name is in
 * it, and what it names is not.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/apparmor_rest.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "policy/decide.h"
#include "policy/glob.h"
#include "support.h"

#define ROUNDS 300
#define PLACES_MAX 5
#define SEED 0x5eed

static const char *const names[] = {"a", "b", "ab", "aa", "abc", "ba"};

struct globs {
	char **texts;
	size_t count;
};

static void keep(void *context, const char *glob)
{
	struct globs *globs = context;

	assert_int_equal(pcl_strings_add(&globs->texts, &globs->count, glob), 0);
}

static bool in_rest(const struct globs *globs, const char *path)
{
	bool found = false;

	for (size_t i = 0; i < globs->count && !found; i++) {
		pcl_cleanup(pcl_glob_free) struct pcl_glob *glob = NULL;
		const char *reason = NULL;
		size_t offset = 0;

		if (pcl_glob_new(globs->texts[i], &glob, &reason, &offset))
			fail_msg("%s: %s", globs->texts[i], reason);
		found = pcl_glob_match(glob, path);
	}
	return found;
}

/* The path of that number: names in a row, up to three; 0 is the root. */
static void make_path(unsigned number, char path[32])
{
	const unsigned base = PCL_ARRAY_SIZE(names) + 1;

	path[0] = '\0';
	for (; number; number /= base)
		if (number % base) {
			strcat(path, "/");
			strcat(path, names[number % base - 1]);
		}
	if (!path[0])
		strcpy(path, "/");
}

struct place {
	char path[32];
	enum pcl_match match;
};

static void check_list(const struct place *places, size_t count)
{
	const unsigned paths = 7 * 7 * 7;
	pcl_cleanup(pcl_apparmor_rest_free) struct pcl_apparmor_rest *rest =
		pcl_apparmor_rest_new();
	struct globs globs = {0};

	assert_non_null(rest);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(pcl_apparmor_rest_add(rest, places[i].path, places[i].match), 0);
	assert_int_equal(pcl_apparmor_rest_print(rest, keep, &globs), 0);
	for (unsigned number = 0; number < paths; number++) {
		char path[32];
		bool listed = false;

		make_path(number, path);
		for (size_t i = 0; i < count; i++) {
			struct pcl_rule rule = {.match = places[i].match,
						.object = (char *)places[i].path};

			listed |= pcl_rule_matches_object(&rule, path);
		}
		if (in_rest(&globs, path) == listed)
			fail_msg("%s is %s, by a list of %zu that begins with %s (%s)", path,
				 listed ? "listed and in the rest" : "in neither", count,
				 places[0].path, pcl_match_name(places[0].match));
		/* A directory's name as AppArmor has it. */
		if (strcmp(path, "/") != 0)
			strcat(path, "/");
		assert_int_equal(in_rest(&globs, path), !listed);
	}
	pcl_strings_free(&globs.texts, &globs.count);
}

static void the_rest_is_what_is_not_listed(void **state)
{
	static const enum pcl_match matches[] = {PCL_MATCH_PATH, PCL_MATCH_DIR,
						 PCL_MATCH_DIR_RECURSIVE};

	(void)state;
	srand(SEED);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct place places[PLACES_MAX];
		size_t count = (size_t)rand() % (PLACES_MAX + 1);

		for (size_t i = 0; i < count; i++) {
			make_path((unsigned)rand() % (7 * 7 * 7), places[i].path);
			places[i].match = matches[(size_t)rand() % PCL_ARRAY_SIZE(matches)];
		}
		if (!count)
			strcpy(places[0].path, "nothing");
		places[0].match = count ? places[0].match : PCL_MATCH_PATH;
		check_list(places, count);
	}
}

/* A letter that means something in a set, or is none of ASCII's, leaves no hole. */
static void odd_letters_leave_no_hole(void **state)
{
	static const char *const odd[] = {"/-a", "/]b", "/^", "/,{", "/a-b"};
	pcl_cleanup(pcl_apparmor_rest_free) struct pcl_apparmor_rest *rest =
		pcl_apparmor_rest_new();
	struct globs globs = {0};

	(void)state;
	assert_non_null(rest);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(odd); i++)
		assert_int_equal(pcl_apparmor_rest_add(rest, odd[i], PCL_MATCH_PATH), 0);
	assert_int_equal(pcl_apparmor_rest_print(rest, keep, &globs), 0);
	assert_true(in_rest(&globs, "/-"));
	assert_true(in_rest(&globs, "/-b"));
	assert_true(in_rest(&globs, "/]"));
	assert_true(in_rest(&globs, "/{,"));
	assert_true(in_rest(&globs, "/-a/x"));
	assert_true(in_rest(&globs, "/a-"));
	pcl_strings_free(&globs.texts, &globs.count);
}

static void a_list_that_is_too_long_is_left_whole(void **state)
{
	pcl_cleanup(pcl_apparmor_rest_free) struct pcl_apparmor_rest *rest =
		pcl_apparmor_rest_new();
	struct globs globs = {0};
	char path[32];

	(void)state;
	assert_non_null(rest);
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(path, sizeof(path), "/d%d/f%d", i, i);
		assert_int_equal(pcl_apparmor_rest_add(rest, path, PCL_MATCH_PATH), 0);
	}
	assert_int_equal(pcl_apparmor_rest_print(rest, keep, &globs), -E2BIG);
	assert_int_equal(globs.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rest_is_what_is_not_listed),
		cmocka_unit_test(odd_letters_leave_no_hole),
		cmocka_unit_test(a_list_that_is_too_long_is_left_whole),
	};

	return cmocka_run_group_tests_name("apparmor-rest", tests, NULL, NULL);
}
