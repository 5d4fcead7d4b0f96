/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolve: which rules a domain gets, in which order, and what the flags of a ruleset say.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/resolve.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set
#define autodomain pcl_cleanup(pcl_domain_free) struct pcl_domain
#define autoruleset pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset

static const struct pcl_postures audit = {.file = PCL_POSTURE_AUDIT};

static struct pcl_domain *host(void)
{
	struct pcl_domain *domain = NULL;

	assert_int_equal(pcl_domain_new_host("node", NULL, &domain, NULL), 0);
	return domain;
}

static struct pcl_ruleset *resolve(const struct pcl_policy_set *set,
				   const struct pcl_domain *domain)
{
	struct pcl_ruleset *ruleset = NULL;

	assert_int_equal(pcl_resolve(set, domain, &audit, &ruleset), 0);
	return ruleset;
}

static void attribution_order(void **state)
{
	/* Every rule holds /a/b/c; the wanted order is the order of the messages' numbers. */
	static const char *const spec =
		"  file:\n"
		"    matchDirectories:\n"
		"    - {dir: /, recursive: true, severity: 10, message: 11}\n"
		"    - {dir: /a/, recursive: true, message: 10}\n"
		"    - {dir: /a/b/, recursive: true, message: 09}\n"
		"    - {dir: /a/b/, recursive: true, message: 08, fromSource: [{path: /s}]}\n"
		"    - {dir: /a/b/, message: 07}\n"
		"    - {dir: /a/b/c/, recursive: true, severity: 1, message: 06}\n"
		"    matchPaths:\n"
		"    - {path: /a/b/c, message: 04}\n"
		"    - {path: /a/b/c, message: 05}\n"
		"    - {path: /a/b/c, severity: 2, message: 03}\n"
		"    - {path: /a/b/c, severity: 9, message: 02}\n"
		"    - {path: /a/b/c, severity: 1, message: 01, fromSource: [{path: /s}]}\n";
	pcl_autofree char *text = test_policy_text(TEST_HOST, "p", spec);
	autoset *set = test_read(text);
	autodomain *domain = host();
	autoruleset *ruleset = resolve(set, domain);

	(void)state;
	assert_int_equal(ruleset->rule_count, 11);
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		char number[8];

		(void)snprintf(number, sizeof(number), "%02u", (unsigned)(i + 1) % 100);
		assert_string_equal(ruleset->rules[i]->message, number);
	}
}

static void ties_go_to_the_policys_name_and_the_id(void **state)
{
	static const char *const spec = "  file: {matchPaths: [{path: /x}, {path: /x}]}\n";
	pcl_autofree char *a = test_policy_text(TEST_HOST, "a", spec);
	pcl_autofree char *b = test_policy_text(TEST_HOST, "b", spec);
	pcl_autofree char *both = NULL;
	autodomain *domain = host();
	autoset *set = NULL;
	autoruleset *ruleset = NULL;

	(void)state;
	assert_true(asprintf(&both, "%s---\n%s", b, a) > 0);
	set = test_read(both);
	ruleset = resolve(set, domain);
	assert_int_equal(ruleset->rule_count, 4);
	assert_string_equal(ruleset->rules[0]->id, "a#file.matchPaths[0]");
	assert_string_equal(ruleset->rules[1]->id, "a#file.matchPaths[1]");
	assert_string_equal(ruleset->rules[2]->id, "b#file.matchPaths[0]");
	/* A total order: nothing but a rule itself is its equal. */
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++) {
			int order = pcl_rule_compare(ruleset->rules[i], ruleset->rules[j]);

			assert_true(i == j ? order == 0 : i < j ? order < 0 : order > 0);
		}
}

static void only_what_selects_the_domain_is_taken(void **state)
{
	static const char *const spec = "  file: {matchPaths: [{path: /x}]}\n";
	pcl_autofree char *ours = test_policy_text(TEST_HOST, "ours", spec);
	pcl_autofree char *theirs = test_policy_text(TEST_CONTAINER, "theirs", spec);
	pcl_autofree char *both = NULL;
	autodomain *domain = host();
	autoset *set = NULL;
	autoruleset *ruleset = NULL;

	(void)state;
	assert_true(asprintf(&both, "%s---\n%s", theirs, ours) > 0);
	set = test_read(both);
	ruleset = resolve(set, domain);
	assert_int_equal(ruleset->rule_count, 1);
	assert_string_equal(ruleset->rules[0]->policy->name, "ours");
	assert_ptr_equal(ruleset->domain, domain);
}

static void flags_of_the_classes(void **state)
{
	static const struct {
		const char *spec;
		bool allow_list[PCL_CLASS_COUNT];
		bool any_block[PCL_CLASS_COUNT];
	} tries[] = {
		{"  severity: 1\n", {false, false}, {false, false}},
		{"  action: Audit\n  file: {matchPaths: [{path: /x, readOnly: true}]}\n",
		 {false, false},
		 {false, false}},
		{"  action: Allow\n  file: {matchPaths: [{path: /x}]}\n",
		 {false, true},
		 {false, false}},
		{"  action: Allow\n  file: {matchPaths: [{path: /x, readOnly: true}]}\n",
		 {false, true},
		 {false, true}},
		{"  process: {matchPaths: [{path: /x, action: Allow, fromSource: [{path: /s}]}]}\n",
		 {true, false},
		 {false, false}},
		{"  process: {matchPaths: [{path: /x}]}\n", {false, false}, {true, false}},
	};
	autodomain *domain = host();

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(tries); i++) {
		pcl_autofree char *text = test_policy_text(TEST_HOST, "p", tries[i].spec);
		autoset *set = test_read(text);
		autoruleset *ruleset = resolve(set, domain);

		assert_memory_equal(ruleset->allow_list, tries[i].allow_list,
				    sizeof(ruleset->allow_list));
		assert_memory_equal(ruleset->any_block, tries[i].any_block,
				    sizeof(ruleset->any_block));
	}
}

static void an_empty_set_gives_an_empty_ruleset(void **state)
{
	autodomain *domain = host();
	autoset *set = test_read("");
	autoruleset *ruleset = resolve(set, domain);

	(void)state;
	assert_int_equal(ruleset->rule_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attribution_order),
		cmocka_unit_test(ties_go_to_the_policys_name_and_the_id),
		cmocka_unit_test(only_what_selects_the_domain_is_taken),
		cmocka_unit_test(flags_of_the_classes),
		cmocka_unit_test(an_empty_set_gives_an_empty_ruleset),
	};

	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
