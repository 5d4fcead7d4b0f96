/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The YAML reader: places, types, limits, and what it refuses.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "support.h"

#define autofile pcl_cleanup(pcl_yaml_free) struct pcl_yaml_file

static struct pcl_yaml_file *load(const char *text)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct pcl_yaml_file *file = NULL;

	if (pcl_yaml_load_memory("t", text, strlen(text), &file, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	return file;
}

static void refused(const char *text, size_t len, int error, const char *part)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct pcl_yaml_file *file = NULL;

	assert_int_equal(pcl_yaml_load_memory("t", text, len, &file, &diag), error);
	assert_null(file);
	test_contains(pcl_diag_text(&diag), part);
}

static void tree_keeps_places(void **state)
{
	autofile *file = load("a: 1\nb:\n  - x\n  - {c: 'd'}\n");
	const struct pcl_yaml_node *root = file->documents[0], *list;

	(void)state;
	assert_int_equal(file->document_count, 1);
	assert_int_equal(root->type, PCL_YAML_MAPPING);
	assert_int_equal(root->count, 2);
	assert_string_equal(root->keys[1]->text, "b");
	list = pcl_yaml_get(root, "b");
	assert_int_equal(list->type, PCL_YAML_SEQUENCE);
	assert_int_equal(list->items[0]->place.line, 3);
	assert_int_equal(list->items[0]->place.column, 5);
	assert_false(list->items[0]->quoted);
	assert_string_equal(pcl_yaml_get(list->items[1], "c")->text, "d");
	assert_true(pcl_yaml_get(list->items[1], "c")->quoted);
	assert_null(pcl_yaml_get(root, "missing"));
}

static void documents_are_split_and_empty_ones_left_out(void **state)
{
	autofile *two = load("a: 1\n---\n# nothing\n---\nb: 2\n---\n");
	autofile *none = load("");
	autofile *comment = load("# only a comment\n");

	(void)state;
	assert_int_equal(two->document_count, 2);
	assert_int_equal(none->document_count, 0);
	assert_int_equal(comment->document_count, 0);
}

static void block_scalar_is_text(void **state)
{
	autofile *file = load("a: |\n  one\n  two\n");
	const struct pcl_yaml_node *node = pcl_yaml_get(file->documents[0], "a");

	(void)state;
	assert_string_equal(node->text, "one\ntwo\n");
	assert_true(node->quoted);
}

static void hidden_meaning_is_refused(void **state)
{
	static const struct {
		const char *text;
		const char *part;
	} bad[] = {
		{"a: &x 1\n", "t:1:4: anchors (&x)"},
		{"a: 1\nb: *x\n", "t:2:4: aliases (*x)"},
		{"a: 1\nb: 2\na: 3\n", "t:3:1: \"a\" is given twice, first in line 1"},
		{"? [a, b]\n: 1\n", "t:1:3: a key must be a plain word"},
		{"a: !secret 1\n", "t:1:4: the tag !secret"},
		{"a: !!binary aGk=\n", "t:1:4: the tag"},
		{"a: \"x\\0y\"\n", "t:1:4: a zero byte"},
		{"a: b: c\n", "t:1:5: "},
		{"a:\n\t- b\n", "tabs"},
		{"a: [1, 2\n", "t:2:1: "},
		{"a: \xff\n", "t:1:4: "},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(bad); i++)
		refused(bad[i].text, strlen(bad[i].text), -EINVAL, bad[i].part);
}

static void core_tags_are_taken(void **state)
{
	autofile *file = load("a: !!str true\n");

	(void)state;
	assert_true(pcl_yaml_get(file->documents[0], "a")->quoted);
}

static void deep_nesting_is_refused_at_the_limit(void **state)
{
	char text[256];

	(void)state;
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	text[128] = '\0';
	{
		autofile *file = load(text);

		assert_int_equal(file->document_count, 1);
	}
	memset(text, '[', 65);
	refused(text, 65, -E2BIG, "t:1:65: nested deeper than 64");
}

static void too_many_values_are_refused(void **state)
{
	size_t len = 2 * 1000000 + 2;
	pcl_autofree char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < len; i += 2)
		memcpy(text + i, i ? ",1" : "[1", 2);
	refused(text, len, -E2BIG, "more than 1000000");
}

static void too_large_an_input_is_refused(void **state)
{
	size_t len = ((size_t)16 << 20) + 1;
	pcl_autofree char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, '#', len);
	refused(text, len, -E2BIG, "larger than 16 MiB");
}

static void many_keys_stay_affordable(void **state)
{
	pcl_autofree char *text = NULL;
	size_t len = 0, count = 100000;
	FILE *stream = open_memstream(&text, &len);

	(void)state;
	assert_non_null(stream);
	for (size_t i = 0; i < count; i++)
		(void)fprintf(stream, "k%zu: 1\n", i);
	assert_int_equal(fclose(stream), 0);
	{
		autofile *file = load(text);

		assert_int_equal(file->documents[0]->count, count);
	}
}

static void missing_file_is_named(void **state)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct pcl_yaml_file *file = NULL;

	(void)state;
	assert_int_equal(pcl_yaml_load("/nonexistent/x.yaml", &file, &diag), -ENOENT);
	test_contains(pcl_diag_text(&diag), "/nonexistent/x.yaml: cannot open");
	assert_null(file);
	assert_int_equal(pcl_yaml_load("/", &file, &diag), -EISDIR);
	/* An endless input ends at the limit. */
	assert_int_equal(pcl_yaml_load("/dev/zero", &file, &diag), -E2BIG);
}

static void typed_reads(void **state)
{
	autofile *file = load("yes: true\ntext: \"true\"\nn: 7\nneg: -3\noct: 010\nbig: 99\n"
			      "nothing:\nversion: 6.1\nlist: []\nhuge: 99999999999999999999\n");
	const struct pcl_yaml_node *root = file->documents[0];
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	const char *text = NULL;
	int64_t number = 0;
	bool flag = false;

	(void)state;
	assert_int_equal(pcl_yaml_bool(file, pcl_yaml_get(root, "yes"), &flag, &diag), 0);
	assert_true(flag);
	assert_int_equal(pcl_yaml_bool(file, pcl_yaml_get(root, "text"), &flag, &diag), -EINVAL);
	assert_string_equal(pcl_diag_text(&diag),
			    "t:2:7: expected true or false, found the text \"true\"; write one of "
			    "them, without quotes");
	assert_int_equal(pcl_yaml_int(file, pcl_yaml_get(root, "n"), 1, 10, &number, &diag), 0);
	assert_int_equal(number, 7);
	assert_int_equal(pcl_yaml_int(file, pcl_yaml_get(root, "neg"), -5, 10, &number, &diag), 0);
	assert_int_equal(number, -3);
	assert_int_equal(pcl_yaml_int(file, pcl_yaml_get(root, "oct"), 1, 10, &number, &diag),
			 -EINVAL);
	assert_int_equal(pcl_yaml_int(file, pcl_yaml_get(root, "big"), 1, 10, &number, &diag),
			 -EINVAL);
	test_contains(pcl_diag_text(&diag), "t:6:6: 99 is outside of 1 to 10");
	assert_int_equal(pcl_yaml_int(file, pcl_yaml_get(root, "huge"), INT64_MIN, INT64_MAX,
				      &number, &diag),
			 -EINVAL);
	assert_int_equal(number, -3);
	assert_int_equal(pcl_yaml_string(file, pcl_yaml_get(root, "version"), &text, &diag), 0);
	assert_string_equal(text, "6.1");
	assert_int_equal(pcl_yaml_string(file, pcl_yaml_get(root, "nothing"), &text, &diag),
			 -EINVAL);
	assert_int_equal(pcl_yaml_string(file, pcl_yaml_get(root, "list"), &text, &diag), -EINVAL);
	test_contains(pcl_diag_text(&diag), "found a list");
	assert_int_equal(pcl_yaml_string(file, NULL, &text, &diag), -EINVAL);
}

static void unknown_keys_get_a_suggestion(void **state)
{
	static const char *const known[] = {"matchPaths", "severity", NULL};
	autofile *file = load("severity: 1\nmatchpath: 2\n");
	autofile *odd = load("zzz: 2\n");
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};

	(void)state;
	assert_int_equal(pcl_yaml_only_keys(file, file->documents[0], known, "spec", &diag),
			 -EINVAL);
	assert_string_equal(pcl_diag_text(&diag), "t:2:1: unknown field \"matchpath\" in spec; did "
						  "you mean \"matchPaths\"?");
	assert_int_equal(pcl_yaml_only_keys(odd, odd->documents[0], known, "spec", &diag), -EINVAL);
	assert_string_equal(pcl_diag_text(&diag),
			    "t:1:1: unknown field \"zzz\" in spec; remove it");
}

static void nearest_words(void **state)
{
	static const char *const known[] = {"apply", "status", "remove", "explain", "events", NULL};
	static const struct {
		const char *word;
		const char *near;
	} tries[] = {
		{"aply", "apply"},     {"stauts", "status"}, {"REMOVE", "remove"},
		{"expl", "explain"},   {"evnets", "events"}, {"x", NULL},
		{"completely", NULL},  {"", NULL},	     {"ap", NULL},
		{"removes", "remove"},
	};
	char lengthy[4096];

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(tries); i++) {
		const char *near = pcl_nearest_word(tries[i].word, known);

		if (!tries[i].near != !near || (near && strcmp(near, tries[i].near)))
			fail_msg("%s: expected %s, got %s", tries[i].word,
				 tries[i].near ? tries[i].near : "nothing",
				 near ? near : "nothing");
	}
	memset(lengthy, 'a', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	assert_null(pcl_nearest_word(lengthy, known));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tree_keeps_places),
		cmocka_unit_test(documents_are_split_and_empty_ones_left_out),
		cmocka_unit_test(block_scalar_is_text),
		cmocka_unit_test(hidden_meaning_is_refused),
		cmocka_unit_test(core_tags_are_taken),
		cmocka_unit_test(deep_nesting_is_refused_at_the_limit),
		cmocka_unit_test(too_many_values_are_refused),
		cmocka_unit_test(too_large_an_input_is_refused),
		cmocka_unit_test(many_keys_stay_affordable),
		cmocka_unit_test(missing_file_is_named),
		cmocka_unit_test(typed_reads),
		cmocka_unit_test(unknown_keys_get_a_suggestion),
		cmocka_unit_test(nearest_words),
	};

	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
