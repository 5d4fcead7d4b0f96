/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of events: the kernel's components, leaf first, as text.
 */
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_events.h"
#include "base/cleanup.h"
#include "support.h"

/* components is a string literal, each component with its NUL; the literal's own is not counted. */
#define SHOWS(components, rooted, text)                                                            \
	shows(components, sizeof(components) - 1, rooted, text, sizeof(text))

static void shows(const char *components, size_t len, bool rooted, const char *text,
		  size_t text_size)
{
	pcl_autofree char *exact = malloc(len + 1), *shown = malloc(PCL_EVENT_TEXT_MAX);

	/* Of exactly that size, so that a sanitizer sees what is read beyond it. */
	exact = realloc(exact, len ? len : 1);
	memcpy(exact, components, len);
	memset(shown, '#', PCL_EVENT_TEXT_MAX);
	pcl_bpf_event_path(exact, len, rooted, shown);
	assert_string_equal(shown, text);
	assert_int_equal(shown[text_size], '#');
}

static void components_are_turned_round(void **state)
{
	(void)state;
	SHOWS("shadow\0etc\0", true, "/etc/shadow");
	SHOWS("etc\0", true, "/etc");
	SHOWS("d\0c\0b\0a\0", true, "/a/b/c/d");
}

static void the_root_is_a_slash(void **state)
{
	(void)state;
	SHOWS("", true, "/");
	SHOWS("", false, "");
}

static void without_a_root_no_slash_is_in_front(void **state)
{
	(void)state;
	SHOWS("memfd:x\0", false, "memfd:x");
	SHOWS("c\0b\0", false, "b/c");
}

/* A ring buffer's record is not trusted to end well. */
static void what_is_cut_is_shown_without_reading_beyond(void **state)
{
	(void)state;
	SHOWS("\0", true, "/");
	SHOWS("\0\0", true, "//");
	SHOWS("a\0\0b\0", true, "/b//a");
}

static void the_longest_path_has_room(void **state)
{
	const size_t len = PCL_EVENT_OBJECT_MAX + PCL_EVENT_NAME_MAX;
	pcl_autofree char *components = calloc(1, len), *shown = malloc(PCL_EVENT_TEXT_MAX);

	(void)state;
	/* Single letters need the most slashes; nothing but ends needs as many. */
	for (size_t i = 0; i < len; i += 2)
		components[i] = 'a';
	pcl_bpf_event_path(components, len, true, shown);
	assert_int_equal(strlen(shown), len);
	assert_int_equal(strncmp(shown, "/a/a/a", 6), 0);
	memset(components, 0, len);
	pcl_bpf_event_path(components, len, true, shown);
	assert_int_equal(strlen(shown), len);
	memset(components, 'a', len);
	components[len - 1] = '\0';
	pcl_bpf_event_path(components, len, true, shown);
	assert_int_equal(strlen(shown), len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(components_are_turned_round),
		cmocka_unit_test(the_root_is_a_slash),
		cmocka_unit_test(without_a_root_no_slash_is_in_front),
		cmocka_unit_test(what_is_cut_is_shown_without_reading_beyond),
		cmocka_unit_test(the_longest_path_has_room),
	};

	return cmocka_run_group_tests_name("bpf_lsm-events", tests, NULL, NULL);
}
