/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statuses: each rule keeps its own, and what is not supported is left out of what is enforced.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/state.h"
#include "support.h"

#define autostate pcl_cleanup(pcl_state_free) struct pcl_state
#define autostatuses struct pcl_statuses pcl_cleanup(pcl_statuses_fini)
#define autoruleset pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset

/* By what the object is called; on kernel 1 all is exact. */
static struct pcl_rule_status status(const struct pcl_rule *rule, unsigned kernel)
{
	if (kernel == 1)
		return (struct pcl_rule_status){PCL_STATUS_EXACT, NULL};
	if (strstr(rule->object, "more"))
		return (struct pcl_rule_status){PCL_STATUS_STRICTER, "refuses more"};
	if (strstr(rule->object, "less"))
		return (struct pcl_rule_status){PCL_STATUS_LOOSER, "misses less"};
	if (strstr(rule->object, "other"))
		return (struct pcl_rule_status){PCL_STATUS_LOOSER, "misses another"};
	if (strstr(rule->object, "none"))
		return (struct pcl_rule_status){PCL_STATUS_UNSUPPORTED, "does not see it"};
	return (struct pcl_rule_status){PCL_STATUS_EXACT, NULL};
}

static const struct pcl_backend backend = {.name = "test", .status = status};

static struct pcl_state *make_state(const char *spec, unsigned kernel)
{
	pcl_autofree char *text = test_policy_text(TEST_HOST, "p", spec);
	struct pcl_state *state = NULL;

	assert_int_equal(pcl_state_new("node", NULL, &state, NULL), 0);
	pcl_policy_set_free(&state->set);
	state->set = test_read(text);
	assert_int_equal(pcl_state_number(state), 0);
	assert_int_equal(pcl_statuses_ask(&backend, kernel, state->rules, state->rule_count,
					  &state->statuses),
			 0);
	return state;
}

#define ALL                                                                                        \
	"  file: {matchPaths: [{path: /less/1}, {path: /a}, {path: /none}, {path: /more},"         \
	" {path: /less/2}, {path: /other}]}\n"

static void each_rule_has_its_own(void **unused)
{
	autostate *state = make_state(ALL, 0);
	struct pcl_rule *const *rules = state->set->policies[0]->rules;

	(void)unused;
	assert_int_equal(pcl_state_status(state, rules[0]).status, PCL_STATUS_LOOSER);
	assert_string_equal(pcl_state_status(state, rules[0]).reason, "misses less");
	assert_int_equal(pcl_state_status(state, rules[1]).status, PCL_STATUS_EXACT);
	assert_null(pcl_state_status(state, rules[1]).reason);
	assert_int_equal(pcl_state_status(state, rules[2]).status, PCL_STATUS_UNSUPPORTED);
	assert_int_equal(pcl_state_status(state, rules[3]).status, PCL_STATUS_STRICTER);
	assert_string_equal(pcl_state_status(state, rules[5]).reason, "misses another");
	assert_int_equal(pcl_statuses_count(&state->statuses, PCL_STATUS_EXACT), 1);
	assert_int_equal(pcl_statuses_count(&state->statuses, PCL_STATUS_STRICTER), 1);
	assert_int_equal(pcl_statuses_count(&state->statuses, PCL_STATUS_LOOSER), 3);
	assert_int_equal(pcl_statuses_count(&state->statuses, PCL_STATUS_UNSUPPORTED), 1);
	assert_int_equal(state->statuses.kind_count, 4);
}

static void a_kernel_may_have_it_all(void **unused)
{
	autostate *state = make_state(ALL, 1);

	(void)unused;
	assert_int_equal(pcl_statuses_count(&state->statuses, PCL_STATUS_EXACT), 6);
	assert_int_equal(state->statuses.kind_count, 0);
}

static void numbers_of_no_rule_are_of_no_kind(void **unused)
{
	autostate *state = make_state("  file: {matchPaths: [{path: /less}]}\n", 0);
	autostatuses nothing = {0};

	(void)unused;
	assert_int_equal(pcl_statuses_get(&state->statuses, 1).status, PCL_STATUS_LOOSER);
	assert_int_equal(pcl_statuses_get(&state->statuses, 0).status, PCL_STATUS_EXACT);
	assert_int_equal(pcl_statuses_get(&state->statuses, 2).status, PCL_STATUS_EXACT);
	assert_int_equal(pcl_statuses_get(&nothing, 1).status, PCL_STATUS_EXACT);
}

static void what_was_written_is_read(void **unused)
{
	autostate *state = make_state(ALL, 0);
	autostatuses again = {0};
	json_t *json = pcl_statuses_to_json(&state->statuses);

	(void)unused;
	assert_int_equal(pcl_statuses_from_json(json, state->rule_count, &again), 0);
	for (uint32_t i = 1; i <= state->rule_count; i++) {
		const struct pcl_rule_status was = pcl_statuses_get(&state->statuses, i);
		const struct pcl_rule_status is = pcl_statuses_get(&again, i);

		assert_int_equal(is.status, was.status);
		if (was.reason)
			assert_string_equal(is.reason, was.reason);
	}
	pcl_statuses_fini(&again);
	/* Of fewer rules than there were. */
	assert_int_equal(pcl_statuses_from_json(json, state->rule_count - 1, &again), -EBADMSG);
	json_decref(json);
}

/* Of the set, what a backend gets. */
static void what_is_not_supported_is_left_out(void **unused)
{
	autostate *state = make_state(ALL, 0);
	autoruleset *ruleset = NULL, *whole = NULL;

	(void)unused;
	assert_int_equal(pcl_state_resolve(state, state->members[0].domain, &ruleset), 0);
	assert_int_equal(ruleset->rule_count, 5);
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		assert_string_not_equal(ruleset->rules[i]->object, "/none");
		assert_ptr_equal(ruleset->rules[i]->policy, state->set->policies[0]);
	}
	assert_int_equal(state->set->policies[0]->rule_count, 6);
	pcl_statuses_fini(&state->statuses);
	assert_int_equal(pcl_state_resolve(state, state->members[0].domain, &whole), 0);
	assert_int_equal(whole->rule_count, 6);
}

static void an_allow_that_is_left_out_makes_no_allow_list(void **unused)
{
	autostate *state =
		make_state("  file: {matchPaths: [{path: /none, action: Allow}, {path: /a}]}\n", 0);
	autoruleset *ruleset = NULL;

	(void)unused;
	assert_int_equal(pcl_state_resolve(state, state->members[0].domain, &ruleset), 0);
	assert_false(ruleset->allow_list[PCL_CLASS_FILE]);
	assert_true(ruleset->any_block[PCL_CLASS_FILE]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_has_its_own),
		cmocka_unit_test(a_kernel_may_have_it_all),
		cmocka_unit_test(numbers_of_no_rule_are_of_no_kind),
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(what_is_not_supported_is_left_out),
		cmocka_unit_test(an_allow_that_is_left_out_makes_no_allow_list),
	};

	return cmocka_run_group_tests_name("statuses", tests, NULL, NULL);
}
