/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which backend is chosen for which rules: by backends that say what the test wants.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/choice.h"
#include "support.h"

#define autochoice struct pcl_choice pcl_cleanup(pcl_choice_fini)

/* What each does is written in a rule's object: "/cheap=l,dear=x" is looser by one, exact by the
 * other; who is not there does nothing of it. */
static struct pcl_rule_status status_by(const char *name, const struct pcl_rule *rule)
{
	const char *at = strstr(rule->object, name);

	switch (at ? at[strlen(name)] : 'u') {
	case 'x':
		return (struct pcl_rule_status){PCL_STATUS_EXACT, NULL};
	case 's':
		return (struct pcl_rule_status){PCL_STATUS_STRICTER, "refuses more"};
	case 'l':
		return (struct pcl_rule_status){PCL_STATUS_LOOSER, "misses some"};
	default:
		return (struct pcl_rule_status){PCL_STATUS_UNSUPPORTED, "does nothing"};
	}
}

static struct pcl_rule_status cheap_status(const struct pcl_rule *rule, unsigned kernel)
{
	assert_true(kernel == 0 || kernel == 7);
	return kernel ? (struct pcl_rule_status){PCL_STATUS_EXACT, NULL}
		      : status_by("cheap=", rule);
}

static struct pcl_rule_status dear_status(const struct pcl_rule *rule, unsigned kernel)
{
	assert_int_equal(kernel, 0);
	return status_by("dear=", rule);
}

static struct pcl_rule_status idle_status(const struct pcl_rule *rule, unsigned kernel)
{
	(void)rule;
	(void)kernel;
	return (struct pcl_rule_status){PCL_STATUS_EXACT, NULL};
}

static bool cheap_lacks, dear_lacks;
static size_t dear_probes, kernel_questions;

static int cheap_probe(const struct pcl_node *node, struct pcl_diag *diag)
{
	(void)node;
	return cheap_lacks ? pcl_diag_set(diag, -EOPNOTSUPP, "cheap is not here") : 0;
}

static int dear_probe(const struct pcl_node *node, struct pcl_diag *diag)
{
	(void)node;
	dear_probes++;
	return dear_lacks ? pcl_diag_set(diag, -EOPNOTSUPP, "dear is not here") : 0;
}

static int idle_probe(const struct pcl_node *node, struct pcl_diag *diag)
{
	(void)node;
	(void)diag;
	return 0;
}

static unsigned kernel(void)
{
	kernel_questions++;
	return 0;
}

static const struct pcl_backend idle = {
	.name = "idle", .probe = idle_probe, .kernel = kernel, .status = idle_status, .idle = true};
static const struct pcl_backend cheap = {.name = "cheap",
					 .probe = cheap_probe,
					 .kernel = kernel,
					 .status = cheap_status};
static const struct pcl_backend dear = {.name = "dear",
					.probe = dear_probe,
					.kernel = kernel,
					.status = dear_status};
static const struct pcl_backend *const backends[] = {&idle, &cheap, &dear, NULL};

struct setting {
	struct pcl_policy_set *set;
	const struct pcl_rule **rules;
	struct pcl_choice_asked asked;
};

static void setting_fini(struct setting *setting)
{
	free((void *)setting->rules);
	pcl_policy_set_free(&setting->set);
}

#define autosetting struct setting pcl_cleanup(setting_fini)

static struct setting setting_of(const char *spec)
{
	pcl_autofree char *text = test_policy_text(TEST_HOST, "p", spec);
	struct setting setting = {.set = test_read(text)};

	cheap_lacks = dear_lacks = false;
	dear_probes = kernel_questions = 0;
	setting.asked.backends = backends;
	assert_int_equal(pcl_policy_set_rules(setting.set, &setting.rules,
					      &setting.asked.rule_count),
			 0);
	setting.asked.rules = setting.rules;
	return setting;
}

static const char *chosen(const struct pcl_choice *choice)
{
	return choice->chosen < choice->count ? choice->candidates[choice->chosen].backend->name
					      : "none";
}

static void expect(const char *spec, const char *want)
{
	autosetting setting = setting_of(spec);
	autochoice choice = {0};

	assert_int_equal(pcl_choice_make(&setting.asked, PCL_CHOICE_ALL, &choice), 0);
	assert_string_equal(chosen(&choice), want);
	assert_int_equal(choice.count, 2);
}

static void the_best_is_chosen(void **state)
{
	(void)state;
	expect("  file: {matchPaths: [{path: \"/cheap=l,dear=x\"}]}\n", "dear");
	expect("  file: {matchPaths: [{path: \"/cheap=x,dear=l\"}]}\n", "cheap");
	expect("  file: {matchPaths: [{path: \"/cheap=s,dear=x\"}]}\n", "dear");
	expect("  file: {matchPaths: [{path: \"/cheap=u,dear=l\"}]}\n", "dear");
}

/* One rule that is not enforced weighs more than many that are enforced looser. */
static void the_worst_status_counts_first(void **state)
{
	(void)state;
	expect("  file: {matchPaths: [{path: \"/1,cheap=x,dear=l\"}, {path: "
	       "\"/2,cheap=x,dear=l\"}, {path: \"/3,cheap=u,dear=l\"}]}\n",
	       "dear");
	expect("  file: {matchPaths: [{path: \"/1,cheap=s,dear=l\"}, {path: "
	       "\"/2,cheap=s,dear=x\"}]}\n",
	       "cheap");
	expect("  file: {matchPaths: [{path: \"/1,cheap=l,dear=l\"}, {path: "
	       "\"/2,cheap=s,dear=x\"}]}\n",
	       "dear");
}

static void of_equal_ones_the_cheaper_is_chosen(void **state)
{
	(void)state;
	expect("  file: {matchPaths: [{path: \"/cheap=x,dear=x\"}]}\n", "cheap");
	expect("  file: {matchPaths: [{path: \"/1,cheap=l,dear=x\"}, {path: "
	       "\"/2,cheap=x,dear=l\"}]}\n",
	       "cheap");
}

static void what_a_node_lacks_is_not_chosen(void **state)
{
	autosetting setting = setting_of("  file: {matchPaths: [{path: \"/cheap=x,dear=l\"}]}\n");
	autochoice choice = {0}, none = {0};
	pcl_autofree char *why = NULL, *why_none = NULL;

	(void)state;
	cheap_lacks = true;
	assert_int_equal(pcl_choice_make(&setting.asked, 0, &choice), 0);
	assert_string_equal(chosen(&choice), "dear");
	assert_string_equal(choice.candidates[0].lacks, "cheap is not here");
	assert_null(choice.candidates[1].lacks);
	/* Only the other was asked on which kernel it is. */
	assert_int_equal(kernel_questions, 1);
	why = pcl_choice_why(&choice);
	assert_string_equal(why, "1 looser; no other can be used here");
	/* What it could do elsewhere is no better here. */
	assert_int_equal(pcl_choice_better(&choice, PCL_CLASS_FILE), choice.count);
	dear_lacks = true;
	assert_int_equal(pcl_choice_make(&setting.asked, 0, &none), 0);
	assert_int_equal(none.chosen, none.count);
	why_none = pcl_choice_why(&none);
	assert_string_equal(why_none, "none can be used here");
	assert_int_equal(pcl_choice_better(&none, PCL_CLASS_FILE), none.count);
}

static void who_is_perfect_ends_the_search(void **state)
{
	autosetting setting = setting_of("  file: {matchPaths: [{path: \"/cheap=x,dear=x\"}]}\n");
	autochoice choice = {0}, all = {0};

	(void)state;
	assert_int_equal(pcl_choice_make(&setting.asked, 0, &choice), 0);
	assert_int_equal(choice.count, 1);
	assert_int_equal(dear_probes, 0);
	assert_int_equal(pcl_choice_make(&setting.asked, PCL_CHOICE_ALL, &all), 0);
	assert_int_equal(all.count, 2);
	assert_int_equal(dear_probes, 1);
}

static void a_kernel_that_is_known_is_not_asked_again(void **state)
{
	autosetting setting = setting_of("  file: {matchPaths: [{path: \"/dear=l\"}]}\n");
	autochoice choice = {0};

	(void)state;
	setting.asked.known = &cheap;
	setting.asked.known_kernel = 7;
	assert_int_equal(pcl_choice_make(&setting.asked, PCL_CHOICE_ALL, &choice), 0);
	assert_int_equal(kernel_questions, 1);
	assert_int_equal(choice.candidates[0].kernel, 7);
	assert_string_equal(chosen(&choice), "cheap");
}

static void a_better_one_of_a_class_is_told(void **state)
{
	autosetting setting = setting_of(
		"  file: {matchPaths: [{path: \"/cheap=x,dear=u\"}]}\n"
		"  process: {matchPaths: [{path: \"/1,cheap=l,dear=x\"}, {path: \"/2,cheap=x\"}, "
		"{path: \"/3,cheap=l,dear=s\"}]}\n");
	autochoice choice = {0};
	pcl_autofree char *why = NULL;

	(void)state;
	assert_int_equal(pcl_choice_make(&setting.asked, PCL_CHOICE_ALL, &choice), 0);
	assert_string_equal(chosen(&choice), "cheap");
	assert_int_equal(pcl_choice_count(&choice.candidates[0], PCL_STATUS_LOOSER), 2);
	assert_int_equal(choice.candidates[1].counts[PCL_CLASS_PROCESS][PCL_STATUS_STRICTER], 1);
	/* Of processes the dear one does nothing of one rule, so it is not better. */
	assert_int_equal(pcl_choice_better(&choice, PCL_CLASS_PROCESS), choice.count);
	why = pcl_choice_why(&choice);
	assert_string_equal(why, "2 exact, 2 looser; better than dear (1 exact, 1 stricter, 2 "
				 "unsupported)");
	pcl_choice_fini(&choice);
	setting_fini(&setting);
	setting = setting_of("  file: {matchPaths: [{path: \"/cheap=x,dear=u\"}]}\n"
			     "  process: {matchPaths: [{path: \"/1,cheap=l,dear=x\"}]}\n");
	assert_int_equal(pcl_choice_make(&setting.asked, PCL_CHOICE_ALL, &choice), 0);
	assert_string_equal(chosen(&choice), "cheap");
	assert_int_equal(pcl_choice_better(&choice, PCL_CLASS_PROCESS), 1);
	assert_int_equal(pcl_choice_better(&choice, PCL_CLASS_FILE), choice.count);
}

static void of_no_rules_the_cheapest_is_chosen(void **state)
{
	struct setting setting = {.asked.backends = backends};
	autochoice choice = {0};
	pcl_autofree char *why = NULL;

	(void)state;
	cheap_lacks = dear_lacks = false;
	assert_int_equal(pcl_choice_make(&setting.asked, PCL_CHOICE_ALL, &choice), 0);
	assert_string_equal(chosen(&choice), "cheap");
	why = pcl_choice_why(&choice);
	assert_string_equal(why, "no rules; as good as, and cheaper than, dear (no rules)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_is_chosen),
		cmocka_unit_test(the_worst_status_counts_first),
		cmocka_unit_test(of_equal_ones_the_cheaper_is_chosen),
		cmocka_unit_test(what_a_node_lacks_is_not_chosen),
		cmocka_unit_test(who_is_perfect_ends_the_search),
		cmocka_unit_test(a_kernel_that_is_known_is_not_asked_again),
		cmocka_unit_test(a_better_one_of_a_class_is_told),
		cmocka_unit_test(of_no_rules_the_cheapest_is_chosen),
	};

	return cmocka_run_group_tests_name("choice", tests, NULL, NULL);
}
