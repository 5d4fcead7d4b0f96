/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pattern matcher: each sign, each refusal, agreement with a naive second matcher on random
 * patterns, and a bound on the time of the worst ones.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "naive.h"
#include "policy/glob.h"
#include "support.h"

#define autoglob pcl_cleanup(pcl_glob_free) struct pcl_glob

static struct pcl_glob *compile(const char *pattern)
{
	struct pcl_glob *glob = NULL;
	const char *reason = NULL;
	size_t offset = 0;

	if (pcl_glob_new(pattern, &glob, &reason, &offset))
		fail_msg("%s: %s at %zu", pattern, reason, offset);
	return glob;
}

static void every_sign_means_what_apparmor_means(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{"/etc/shadow", "/etc/shadow", true},
		{"/etc/shadow", "/etc/shadow2", false},
		{"/etc/shadow", "/etc/shado", false},
		{"/etc/*hado?", "/etc/shadow", true},
		{"/etc/*hado?", "/etc/gshadow", true},
		{"/etc/*hado?", "/etc/shadow-", false},
		{"/etc/*hado?", "/etc/x/shadow", false},
		{"/etc/*hado?", "/etc/hado", false},
		{"/etc/hado?", "/etc/hado/", false},
		{"/usr/bin/apt*", "/usr/bin/apt", true},
		{"/usr/bin/apt*", "/usr/bin/apt-get", true},
		{"/usr/bin/apt*", "/usr/bin/apt/x", false},
		{"/tmp/*", "/tmp/a", true},
		{"/tmp/*", "/tmp/", false},
		{"/tmp/*", "/tmp", false},
		{"/tmp/*", "/tmp/a/b", false},
		{"/tmp/*/b", "/tmp/a/b", true},
		{"/tmp/*/b", "/tmp//b", false},
		{"/tmp/**", "/tmp/a/b/c", true},
		{"/tmp/**", "/tmp/", false},
		{"/tmp/**", "/tmp//", false},
		{"/tmp**", "/tmp", true},
		{"/tmp**", "/tmp/a", true},
		{"/**/*.conf", "/etc/x.conf", true},
		{"/**/*.conf", "/etc/a/b/.conf", true},
		{"/**/*.conf", "/x.conf", false},
		{"/**.conf", "/x.conf", true},
		{"/a/**/z", "/a/z", false},
		{"/a/**/z", "/a/b/c/z", true},
		{"/a/[b-d]x", "/a/cx", true},
		{"/a/[b-d]x", "/a/ex", false},
		{"/a/[^b-d]x", "/a/ex", true},
		{"/a/[^b-d]x", "/a/bx", false},
		{"/a[^b]x", "/a/x", false},
		{"/a/[-x]", "/a/-", true},
		{"/a/[x-]", "/a/-", true},
		{"/a/[\\]]", "/a/]", true},
		{"/a/[b^]", "/a/^", true},
		{"/a/{b,cd}/e", "/a/b/e", true},
		{"/a/{b,cd}/e", "/a/cd/e", true},
		{"/a/{b,cd}/e", "/a/bcd/e", false},
		{"/a{,/**}", "/a", true},
		{"/a{,/**}", "/a/b/c", true},
		{"/a{,/**}", "/ab", false},
		{"/{usr/,}bin/{{a,b}c,*sh}", "/bin/bc", true},
		{"/{usr/,}bin/{{a,b}c,*sh}", "/usr/bin/bash", true},
		{"/{usr/,}bin/{{a,b}c,*sh}", "/usr/bin/ab", false},
		{"/a,b", "/a,b", true},
		{"/a\\*", "/a*", true},
		{"/a\\*", "/ab", false},
		{"/a\\\\", "/a\\", true},
		{"/\xc3?", "/\xc3\xa9", true},
		{"/?", "/\xc3\xa9", false},
		{"/[\x80-\xff]", "/\xe9", true},
		{"/A", "/a", false},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++) {
		autoglob *glob = compile(cases[i].pattern);

		if (pcl_glob_match(glob, cases[i].text) != cases[i].matches)
			fail_msg("%s %s %s", cases[i].pattern,
				 cases[i].matches ? "does not match" : "matches", cases[i].text);
	}
}

static void a_broken_pattern_is_refused_where_it_breaks(void **state)
{
	static const struct {
		const char *pattern, *part;
		size_t offset;
	} cases[] = {
		{"", "empty", 0},
		{"/a[b", "no end", 4},
		{"/a[]b", "the set is empty", 2},
		{"/a[^]", "the set is empty", 2},
		{"/a[z-a]", "backwards", 3},
		{"/a[b-", "no end", 5},
		{"/a]", "ends no set", 2},
		{"/a{b,c", "no end", 2},
		{"/a{b}", "two alternatives", 2},
		{"/a{}", "two alternatives", 2},
		{"/a}", "ends no group", 2},
		{"/a\\", "backslash", 2},
		{"@{HOME}/x", "variables", 0},
	};
	char deep[80] = "/";

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++) {
		struct pcl_glob *glob = NULL;
		const char *reason = "";
		size_t offset = 99;

		assert_int_equal(pcl_glob_new(cases[i].pattern, &glob, &reason, &offset), -EINVAL);
		assert_null(glob);
		test_contains(reason, cases[i].part);
		if (offset != cases[i].offset)
			fail_msg("%s: offset %zu", cases[i].pattern, offset);
	}
	memset(deep + 1, '{', 33);
	{
		struct pcl_glob *glob = NULL;
		const char *reason = "";
		size_t offset = 0;

		assert_int_equal(pcl_glob_new(deep, &glob, &reason, &offset), -EINVAL);
		test_contains(reason, "32 deep");
		assert_int_equal(offset, 33);
	}
}

static void the_longest_pattern_is_taken_and_a_longer_one_is_not(void **state)
{
	pcl_autofree char *pattern = calloc(1, 4097), *text = calloc(1, 4097);
	autoglob *glob = NULL;
	const char *reason = "";
	size_t offset = 0;

	(void)state;
	assert_non_null(pattern);
	assert_non_null(text);
	memset(pattern, 'a', 4095);
	memset(text, 'a', 4094);
	memcpy(pattern, "/*/**/", 6);
	memcpy(text, "/b/c/", 5);
	glob = compile(pattern);
	assert_true(pcl_glob_match(glob, text));
	text[4093] = 'b';
	assert_false(pcl_glob_match(glob, text));
	pattern[4095] = 'a';
	pcl_glob_free(&glob);
	assert_int_equal(pcl_glob_new(pattern, &glob, &reason, &offset), -EINVAL);
	test_contains(reason, "4095");
}

static uint64_t random_state = 0x9e3779b97f4a7c15;

static unsigned pick(size_t count)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 11) % count);
}

/*
 * Writes a random pattern with at most one group, and its alternatives written out. A star next to
 * the group would change with what is put there, so none stands there.
 */
static void random_pattern(char *pattern, char *one, char *two)
{
	static const char *const parts[] = {"a",  "b",	   "/",	     "a",     "/", "?",
					    "*/", "[a-b]", "[^a-a]", "/**/a", "/*"};
	unsigned count = 1 + pick(6), group = pick(8);

	strcpy(pattern, "/");
	strcpy(one, "/");
	strcpy(two, "/");
	for (unsigned i = 0; i < count; i++) {
		const char *part = parts[pick(PCL_ARRAY_SIZE(parts))];

		if (i == group) {
			strcat(pattern, "a{b,a/b}a");
			strcat(one, "aba");
			strcat(two, "aa/ba");
		}
		strcat(pattern, part);
		strcat(one, part);
		strcat(two, part);
	}
}

/* A near miss as often as not: an example of the pattern with a byte or two changed. */
static void random_text(const struct pcl_glob *glob, char *text, size_t size)
{
	pcl_autofree char *example = NULL;

	assert_int_equal(pcl_glob_example(glob, pick(12), &example), 0);
	(void)snprintf(text, size, "%s", example);
	for (unsigned i = pick(3); i > 0; i--)
		text[pick(strlen(text))] = "aab/"[pick(4)];
}

static void a_naive_matcher_agrees(void **state)
{
	size_t matched = 0;

	(void)state;
	for (size_t round = 0; round < 20000; round++) {
		char pattern[96], one[96], two[96], text[64];

		random_pattern(pattern, one, two);
		autoglob *glob = compile(pattern);

		for (unsigned i = 0; i < 10; i++) {
			bool expected;

			random_text(glob, text, sizeof(text));
			expected = naive_glob(one, text) || naive_glob(two, text);
			matched += expected;
			if (pcl_glob_match(glob, text) != expected)
				fail_msg("round %zu: %s %s %s", round, pattern,
					 expected ? "must match" : "must not match", text);
		}
	}
	/* Agreement on refusals alone would prove little. */
	assert_in_range(matched, 50000, 150000);
}

static void examples_match(void **state)
{
	static const char *const patterns[] = {"/etc/*hado?",	 "/**/*.conf",	     "/a/[^a-z]*",
					       "/{usr/,}bin/ls", "/{a,b,{c,d}e}/**", "/a{,/**}"};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(patterns); i++) {
		autoglob *glob = compile(patterns[i]);
		pcl_autofree char *first = NULL;

		for (unsigned variant = 0; variant < 40; variant++) {
			pcl_autofree char *text = NULL;

			assert_int_equal(pcl_glob_example(glob, variant, &text), 0);
			if (!pcl_glob_match(glob, text))
				fail_msg("%s does not match its example %s", patterns[i], text);
			if (!first)
				first = pcl_take_ptr(text);
			else if (variant == 1)
				assert_string_not_equal(first, text);
		}
	}
}

static void the_prefix_is_what_is_literal(void **state)
{
	static const char *const cases[][2] = {
		{"/etc/*hado?", "/etc/"}, {"/a\\*b?", "/a*b"}, {"/abc", "/abc"},
		{"/{a,b}", "/"},	  {"/a/[b]", "/a/"},   {"/a/**", "/a/"},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++) {
		autoglob *glob = compile(cases[i][0]);
		size_t len = 0;
		const char *prefix = pcl_glob_prefix(glob, &len);

		assert_int_equal(len, strlen(cases[i][1]));
		assert_memory_equal(prefix, cases[i][1], len);
	}
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)(now.tv_sec - start->tv_sec) + 1e-9 * (double)(now.tv_nsec - start->tv_nsec);
}

/* A matcher that tries again after a failure needs longer than the world lasts for each of these.
 */
static void the_worst_patterns_end_soon(void **state)
{
	static const char *const parts[] = {"*a", "**a", "{a,a}", "{,a}", "{*,**}", "{{a,*},a*}b"};
	struct timespec start;

	(void)state;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(parts); i++) {
		pcl_autofree char *pattern = calloc(1, 4096), *text = calloc(1, 4096);
		autoglob *glob = NULL;
		size_t len = 1;

		assert_non_null(pattern);
		assert_non_null(text);
		pattern[0] = '/';
		for (; len + strlen(parts[i]) < 1000; len += strlen(parts[i]))
			strcpy(pattern + len, parts[i]);
		pattern[len] = 'c';
		memset(text, 'a', 4095);
		text[0] = '/';
		glob = compile(pattern);
		assert_false(pcl_glob_match(glob, text));
	}
	/* A hundred times what it takes, for slow machines and sanitizers. */
	assert_true(seconds_since(&start) < 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sign_means_what_apparmor_means),
		cmocka_unit_test(a_broken_pattern_is_refused_where_it_breaks),
		cmocka_unit_test(the_longest_pattern_is_taken_and_a_longer_one_is_not),
		cmocka_unit_test(a_naive_matcher_agrees),
		cmocka_unit_test(examples_match),
		cmocka_unit_test(the_prefix_is_what_is_literal),
		cmocka_unit_test(the_worst_patterns_end_soon),
	};

	return cmocka_run_group_tests_name("glob", tests, NULL, NULL);
}
