/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Automata of patterns against the matcher: for random patterns and texts near them, the list of
 * patterns that an automaton ends in is the list of those that match.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_glob.h"
#include "base/cleanup.h"
#include "support.h"

#define ROUNDS 1500
#define TEXTS 60
#define GLOBS_MAX 6
#define TEXT_MAX 64

static uint64_t seed = 0x2545f4914f6cdd1du;

static unsigned pick(size_t count)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 11) % count);
}

struct globs {
	struct pcl_glob *items[GLOBS_MAX];
	char texts[GLOBS_MAX][TEXT_MAX];
	size_t count;
};

static void globs_fini(struct globs *globs)
{
	for (size_t i = 0; i < globs->count; i++)
		pcl_glob_free(&globs->items[i]);
}

static void draw(struct globs *globs)
{
	static const char *const pieces[] = {"a",   "b",     "/",	  "/",	   "*",	   "**",
					     "?",   "[ab]",  "[^a]",	  "{a,b}", "{a,}", "/**/",
					     "/*/", "{/,b}", "{a,{b,/}}", "[a-z]", "\\*",  "\xff"};

	globs->count = 1 + pick(GLOBS_MAX);
	for (size_t i = 0; i < globs->count; i++) {
		const char *reason;
		size_t offset;

		strcpy(globs->texts[i], "/");
		for (size_t parts = 1 + pick(5); parts; parts--)
			strcat(globs->texts[i], pieces[pick(PCL_ARRAY_SIZE(pieces))]);
		assert_int_equal(pcl_glob_new(globs->texts[i], &globs->items[i], &reason, &offset),
				 0);
	}
}

static void draw_text(const struct globs *globs, char text[TEXT_MAX])
{
	static const char bytes[] = "ab/*z\xff";
	size_t len = 1 + pick(9);

	if (pick(2)) {
		pcl_autofree char *example = NULL;

		assert_int_equal(pcl_glob_example(globs->items[pick(globs->count)], pick(8),
						  &example),
				 0);
		snprintf(text, TEXT_MAX - 2, "%s", example);
		if (pick(2))
			return;
		len = strlen(text);
		text[pick(len)] = bytes[pick(sizeof(bytes) - 1)];
		return;
	}
	for (size_t i = 0; i < len; i++)
		text[i] = bytes[pick(sizeof(bytes) - 1)];
	text[0] = '/';
	text[len] = '\0';
}

static uint32_t run(const struct pcl_automaton *automaton, const char *text)
{
	unsigned count;
	const uint8_t *classes = pcl_automaton_classes(automaton, &count);
	uint32_t state = PCL_AUTOMATON_START;

	for (; *text; text++)
		state = pcl_automaton_next(automaton, state, classes[(unsigned char)*text]);
	return state;
}

static void an_automaton_ends_in_what_matches(void **state)
{
	size_t matched = 0, dead = 0;

	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		pcl_cleanup(globs_fini) struct globs globs = {.count = 0};
		pcl_cleanup(pcl_automaton_free) struct pcl_automaton *automaton = NULL;

		draw(&globs);
		assert_int_equal(pcl_automaton_new((const struct pcl_glob *const *)globs.items,
						   globs.count, PCL_AUTOMATON_STATES, &automaton),
				 0);
		for (size_t i = 0; i < TEXTS; i++) {
			char text[TEXT_MAX];
			size_t count, at = 0;
			const uint32_t *list;
			uint32_t end;

			draw_text(&globs, text);
			end = run(automaton, text);
			list = pcl_automaton_list(automaton, pcl_automaton_match(automaton, end),
						  &count);
			for (size_t g = 0; g < globs.count; g++) {
				bool want = pcl_glob_match(globs.items[g], text);
				bool got = at < count && list[at] == g;

				if (want != got)
					fail_msg("round %zu: \"%s\" and \"%s\": %d, not %d", round,
						 globs.texts[g], text, got, want);
				at += got;
				matched += got;
			}
			assert_int_equal(at, count);
			dead += end == PCL_AUTOMATON_DEAD;
		}
	}
	assert_true(matched > ROUNDS && dead > ROUNDS);
}

/* Twenty words that may come in any order are a million states. */
static void what_bursts_is_refused(void **state)
{
	pcl_cleanup(pcl_automaton_free) struct pcl_automaton *automaton = NULL;
	struct pcl_glob *globs[20];
	const char *reason;
	size_t offset;

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(globs); i++) {
		char pattern[16];

		snprintf(pattern, sizeof(pattern), "/**%c%c**", (int)('a' + i), (int)('b' + i));
		assert_int_equal(pcl_glob_new(pattern, &globs[i], &reason, &offset), 0);
	}
	assert_int_equal(pcl_automaton_new((const struct pcl_glob *const *)globs,
					   PCL_ARRAY_SIZE(globs), 5000, &automaton),
			 -E2BIG);
	assert_null(automaton);
	assert_int_equal(pcl_automaton_new((const struct pcl_glob *const *)globs, 5, 5000,
					   &automaton),
			 0);
	assert_true(pcl_automaton_state_count(automaton) > 32);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(globs); i++)
		pcl_glob_free(&globs[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_automaton_ends_in_what_matches),
		cmocka_unit_test(what_bursts_is_refused),
	};

	return cmocka_run_group_tests_name("bpf_lsm-glob", tests, NULL, NULL);
}
