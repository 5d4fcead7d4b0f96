/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader on real policies: every file is read, or refused with a place and a reason.
 *
 * The corpus is not part of the project; without it (PORTCULLIS_CORPUS, or ../shared/corpus beside
 * the checkout) the tests are skipped with that reason.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "support.h"

#define CORPUS_BESIDE "../shared/corpus"
/* Directories nest 6 deep; a loop of links would not end. */
#define CORPUS_DEPTH_MAX 12

static char **files;
static size_t file_count;

static const char *corpus(void)
{
	const char *dir = getenv("PORTCULLIS_CORPUS");
	struct stat st;

	if (!dir || !*dir)
		dir = CORPUS_BESIDE;
	if (!stat(dir, &st) && S_ISDIR(st.st_mode))
		return dir;
	print_message("corpus tests are skipped: no corpus at %s; set PORTCULLIS_CORPUS\n", dir);
	return NULL;
}

static void find_files(const char *dir, int depth)
{
	pcl_autoclosedir DIR *stream = opendir(dir);
	struct dirent *entry;

	if (!stream || depth == CORPUS_DEPTH_MAX)
		return;
	while ((entry = readdir(stream))) {
		const char *dot = strrchr(entry->d_name, '.');
		pcl_autofree char *path = NULL;

		if (entry->d_name[0] == '.')
			continue;
		assert_true(asprintf(&path, "%s/%s", dir, entry->d_name) > 0);
		if (entry->d_type == DT_DIR)
			find_files(path, depth + 1);
		else if (dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml")))
			assert_int_equal(pcl_strings_add(&files, &file_count, path), 0);
	}
}

/* The files that must be refused, by the end of their path, and why. All others must be taken. */
static const struct {
	const char *file;
	const char *why; /* part of the message, with its place */
} refused[] = {
	{"use-cases/res/disc-tools.yaml",
	 ".yaml:1:1: the apiVersion of a KubeArmorPolicy is wrong"},
	{"multicontainer/manifests/malformated-array-ls-block.yaml",
	 ".yaml:11:36: the list of containers \"[container-1,,]\" has an empty name"},
};

static const char *why_refused(const char *file)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(refused); i++) {
		size_t len = strlen(file), end_len = strlen(refused[i].file);

		if (len > end_len && !strcmp(file + len - end_len, refused[i].file))
			return refused[i].why;
	}
	return NULL;
}

static void prints_and_reads_back(const struct pcl_policy_set *set, const char *file)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *again = NULL;
	pcl_autofree char *text = NULL;

	assert_int_equal(pcl_policy_set_print(set, &text), 0);
	again = test_read(text);
	if (!pcl_policy_set_equal(set, again))
		fail_msg("%s: reads back as another policy:\n%s", file, text);
}

static void every_file_is_read_or_refused_as_it_must(void **state)
{
	size_t bad = 0, policies = 0, rules = 0;

	(void)state;
	if (!file_count)
		skip();
	for (size_t i = 0; i < file_count; i++) {
		pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;
		struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
		const char *why = why_refused(files[i]);

		assert_int_equal(pcl_policy_set_new(&set), 0);
		if (pcl_policy_set_read(set, files[i], &diag)) {
			if (!why)
				fail_msg("%s: refused: %s", files[i], pcl_diag_text(&diag));
			test_contains(pcl_diag_text(&diag), why);
			bad++;
			continue;
		}
		if (why)
			fail_msg("%s: taken, but must be refused: %s", files[i], why);
		if (!set->policy_count)
			fail_msg("%s: no policy found", files[i]);
		prints_and_reads_back(set, files[i]);
		policies += set->policy_count;
		for (size_t p = 0; p < set->policy_count; p++)
			rules += set->policies[p]->rule_count;
	}
	print_message("corpus: %zu files, %zu refused, %zu policies, %zu rules\n", file_count, bad,
		      policies, rules);
	assert_int_equal(bad, PCL_ARRAY_SIZE(refused));
	assert_true(policies >= file_count - bad && rules >= policies);
}

/* A fault anywhere in a file may be refused or read, but never crash; sanitizers see the rest. */
static void damaged_files_do_not_crash(void **state)
{
	(void)state;
	if (!file_count)
		skip();
	for (size_t i = 0; i < file_count; i++) {
		pcl_autofclose FILE *file = fopen(files[i], "re");
		char text[4096];
		size_t len;

		assert_non_null(file);
		len = fread(text, 1, sizeof(text), file);
		for (size_t cut = 0; cut < len; cut += 37) {
			pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;
			struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
			char held = text[cut];
			int error;

			text[cut] = "\t:-{[\"\0&"[cut % 8];
			assert_int_equal(pcl_policy_set_new(&set), 0);
			error = pcl_policy_set_read_memory(set, "damaged", text, len, &diag);
			assert_true(error <= 0);
			if (error)
				test_contains(pcl_diag_text(&diag), "damaged:");
			text[cut] = held;
			pcl_policy_set_free(&set);
			assert_int_equal(pcl_policy_set_new(&set), 0);
			(void)pcl_policy_set_read_memory(set, "cut", text, cut, NULL);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_is_read_or_refused_as_it_must),
		cmocka_unit_test(damaged_files_do_not_crash),
	};
	const char *dir = corpus();
	int failed;

	if (dir)
		find_files(dir, 0);
	failed = cmocka_run_group_tests_name("corpus", tests, NULL, NULL);
	pcl_strings_free(&files, &file_count);
	return failed;
}
