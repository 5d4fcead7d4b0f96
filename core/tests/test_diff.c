/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Differences in meaning: told where there is one, by an example that shows it, and not told where
 * only the text differs.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/diff.h"
#include "policy/question.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set
#define autochanges pcl_cleanup(pcl_changes_free) struct pcl_changes

static struct pcl_policy_set *host_set(const char *spec)
{
	pcl_autofree char *text = test_policy_text(TEST_HOST, "p", spec);

	return test_read(text);
}

static struct pcl_verdict ask(const struct pcl_policy_set *set, const struct pcl_postures *postures,
			      const char *text)
{
	pcl_cleanup(pcl_question_free) struct pcl_question *question = NULL;
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *ruleset = NULL;
	struct pcl_verdict verdict;

	assert_int_equal(pcl_question_parse(text, &question, NULL), 0);
	assert_int_equal(pcl_domain_new_host("node", NULL, &domain, NULL), 0);
	assert_int_equal(pcl_resolve(set, domain, postures, &ruleset), 0);
	pcl_decide(ruleset, &question->operation, &verdict);
	return verdict;
}

static void every_example_shows_its_change(void **state)
{
	static const char *const specs[] = {
		"  file: {matchPaths: [{path: /a}]}\n",
		"  file: {matchDirectories: [{dir: /a/, recursive: true, readOnly: true}]}\n",
		"  file: {matchDirectories: [{dir: /a/, ownerOnly: true}]}\n",
		"  file: {matchPatterns: [{pattern: /a/**}]}\n",
		"  process: {matchPaths: [{execname: sh, fromSource: [{path: /x}, {path: /y}]}]}\n",
		"  process: {matchPaths: [{path: /bin/sh, action: Allow}]}\n",
		"  process: {matchPaths: [{path: /bin/py, allowedArgs: [a], pts: false}]}\n",
		"  network: {matchProtocols: [{protocol: tcp}, {protocol: raw, action: Allow}]}\n",
		"  network: {matchDNSQueries: [{domain: example.com}]}\n",
		"  capabilities: {matchCapabilities: [{capability: net_raw}]}\n",
		"  device: {matchDevice: [{class: HID}]}\n",
	};
	const struct pcl_postures postures = {PCL_POSTURE_BLOCK, PCL_POSTURE_BLOCK,
					      PCL_POSTURE_BLOCK, PCL_POSTURE_BLOCK};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(specs); i++) {
		for (size_t j = 0; j < PCL_ARRAY_SIZE(specs); j++) {
			autoset *old = host_set(specs[i]), *new = host_set(specs[j]);
			autochanges *changes = NULL;

			assert_int_equal(pcl_diff(old, new, NULL, &postures, &changes), 0);
			assert_int_equal(changes->count > 0, i != j);
			for (size_t c = 0; c < changes->count; c++) {
				const struct pcl_change *change = &changes->items[c];
				bool before = ask(old, &postures, change->operation).refused;
				bool after = ask(new, &postures, change->operation).refused;

				if (before == after || after != change->refused)
					fail_msg("%s: %d, then %d", change->operation, before,
						 after);
			}
		}
	}
}

static void text_alone_is_no_difference(void **state)
{
	autoset *old = host_set("  file:\n    matchPaths:\n    - path: /a\n    - path: /b\n");
	autoset *new = host_set("  severity: 3\n  message: more\n  file:\n    matchPaths:\n"
				"    - path: /b\n    - path: /a\n    - path: /a\n");
	const struct pcl_postures postures = {.file = PCL_POSTURE_BLOCK};
	autochanges *changes = NULL;

	(void)state;
	assert_int_equal(pcl_diff(old, new, NULL, &postures, &changes), 0);
	assert_int_equal(changes->count, 0);
}

static void directions_and_rules_are_told(void **state)
{
	autoset *old = host_set("  file: {matchPaths: [{path: /a}]}\n");
	autoset *new = host_set("  file: {matchPaths: [{path: /b}]}\n");
	const struct pcl_postures postures = {.file = PCL_POSTURE_AUDIT};
	autochanges *changes = NULL;

	(void)state;
	assert_int_equal(pcl_diff(old, new, NULL, &postures, &changes), 0);
	assert_int_equal(changes->count, 2);
	assert_true(changes->items[0].refused);
	assert_string_equal(changes->items[0].domain, "host");
	assert_string_equal(changes->items[0].operation, "file read /b");
	assert_null(changes->items[0].before);
	assert_string_equal(changes->items[0].after->object, "/b");
	assert_int_equal(changes->items[0].more, 1);
	assert_false(changes->items[1].refused);
	assert_string_equal(changes->items[1].operation, "file read /a");
	assert_null(changes->items[1].after);
}

static void each_selector_is_a_domain(void **state)
{
	static const char *const head = "apiVersion: security.kubearmor.com/v1\n"
					"kind: KubeArmorPolicy\nmetadata: {name: p, namespace: n}\n"
					"spec:\n  file: {matchPaths: [{path: /a}]}\n";
	pcl_autofree char *one = NULL, *two = NULL;
	const struct pcl_postures postures = {.file = PCL_POSTURE_AUDIT};
	autoset *old = NULL, *new = NULL;
	autochanges *changes = NULL;

	(void)state;
	assert_true(asprintf(&one, "%s  selector: {matchLabels: {app: one}}\n", head) > 0);
	assert_true(asprintf(&two, "%s  selector: {matchLabels: {app: two}}\n", head) > 0);
	old = test_read(one);
	new = test_read(two);
	assert_int_equal(pcl_diff(old, new, NULL, &postures, &changes), 0);
	assert_int_equal(changes->count, 2);
	assert_string_equal(changes->items[0].domain, "n/container app=two");
	assert_string_equal(changes->items[1].domain, "n/container app=one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_example_shows_its_change),
		cmocka_unit_test(text_alone_is_no_difference),
		cmocka_unit_test(directions_and_rules_are_told),
		cmocka_unit_test(each_selector_is_a_domain),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
