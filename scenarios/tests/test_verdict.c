/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts: the whole ladder, from what happened; and which exit code wins. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scenarios/runner/verdict.h"

static const struct gnt_expectation expected = {.error = EACCES, .events = 1};

/* A proven denial; each test spoils one thing. */
static struct gnt_observation proven(void)
{
	return (struct gnt_observation){
		.baseline = {.outcome = GNT_OUTCOME_DONE},
		.twin_free = {.outcome = GNT_OUTCOME_DONE},
		.attack = {.outcome = GNT_OUTCOME_REFUSED, .error = EACCES, .canary_intact = true},
		.twin = {.outcome = GNT_OUTCOME_DONE},
		.rule_events = 1,
	};
}

/* word: what the detail must hold, or NULL for no detail. */
static void assert_verdict(const struct gnt_observation *seen, enum gnt_verdict want,
			   const char *word)
{
	char *detail = NULL;

	assert_string_equal(gnt_verdict_name(gnt_verdict_judge(seen, &expected, &detail)),
			    gnt_verdict_name(want));
	if (!word)
		assert_null(detail);
	else
		assert_non_null(strstr(detail ? detail : "", word));
	free(detail);
}

static void test_proven_denial(void **state)
{
	struct gnt_observation seen = proven();

	(void)state;
	assert_verdict(&seen, GNT_VERDICT_INLINE_DENY, NULL);
}

static void test_denial_needs_its_proof(void **state)
{
	struct gnt_observation seen = proven();

	(void)state;
	seen.attack.error = EPERM;
	assert_verdict(&seen, GNT_VERDICT_UNPROVEN, "EPERM, expected EACCES");
	seen = proven();
	seen.rule_events = 0;
	seen.other_events = 1;
	assert_verdict(&seen, GNT_VERDICT_UNPROVEN, "1 events name another rule");
	seen = proven();
	seen.rule_events = 2;
	assert_verdict(&seen, GNT_VERDICT_UNPROVEN, "2 events name the rule, expected 1");
	seen = proven();
	seen.attack.outcome = GNT_OUTCOME_BROKEN;
	assert_verdict(&seen, GNT_VERDICT_UNPROVEN, "breaks with the policy on");
}

static void test_any_number_of_events(void **state)
{
	static const struct gnt_expectation any = {.error = EACCES};
	struct gnt_observation seen = proven();
	char *detail = NULL;

	(void)state;
	seen.rule_events = 7;
	assert_int_equal(gnt_verdict_judge(&seen, &any, &detail), GNT_VERDICT_INLINE_DENY);
	assert_null(detail);
}

static void test_an_alert_stops_nothing(void **state)
{
	struct gnt_observation seen = proven();

	(void)state;
	seen.attack = (struct gnt_attempt){.outcome = GNT_OUTCOME_DONE};
	assert_verdict(&seen, GNT_VERDICT_DETECT_ONLY, NULL);
	seen.rule_events = 0;
	assert_verdict(&seen, GNT_VERDICT_MISSED, NULL);
}

static void test_the_canary_is_believed(void **state)
{
	struct gnt_observation seen = proven();

	(void)state;
	seen.attack.canary_intact = false;
	assert_verdict(&seen, GNT_VERDICT_DETECT_ONLY, "yet the canary is hit");
	seen.rule_events = 0;
	assert_verdict(&seen, GNT_VERDICT_MISSED, "yet the canary is hit");
}

static void test_overblock(void **state)
{
	struct gnt_observation seen = proven();

	(void)state;
	seen.twin = (struct gnt_attempt){.outcome = GNT_OUTCOME_REFUSED, .error = EACCES};
	assert_verdict(&seen, GNT_VERDICT_OVERBLOCK, "twin fails with the policy on: EACCES");
	/* An attack that got through stays the worse news. */
	seen.attack = (struct gnt_attempt){.outcome = GNT_OUTCOME_DONE};
	seen.rule_events = 0;
	assert_verdict(&seen, GNT_VERDICT_MISSED, "twin");
}

static void test_baseline(void **state)
{
	struct gnt_observation seen = proven();

	(void)state;
	seen.baseline = (struct gnt_attempt){.outcome = GNT_OUTCOME_REFUSED, .error = EPERM};
	assert_verdict(&seen, GNT_VERDICT_BASELINE_BLOCKED, "EPERM without any policy");
	seen.baseline.error = ENOENT;
	assert_verdict(&seen, GNT_VERDICT_BROKEN_REPLAY, "fails without policy");
	seen = proven();
	seen.baseline.canary_intact = true;
	assert_verdict(&seen, GNT_VERDICT_BROKEN_REPLAY, "canary does not notice");
	seen = proven();
	seen.twin_free.outcome = GNT_OUTCOME_BROKEN;
	assert_verdict(&seen, GNT_VERDICT_BROKEN_REPLAY, "twin fails without policy");
}

static void test_a_refused_policy_is_a_finding(void **state)
{
	struct gnt_observation seen = proven();

	(void)state;
	seen.apply_error = "line 3";
	seen.attack = (struct gnt_attempt){.outcome = GNT_OUTCOME_DONE};
	seen.rule_events = 0;
	assert_verdict(&seen, GNT_VERDICT_MISSED, "policy not applied: line 3");
}

static void test_incidents_come_first(void **state)
{
	struct gnt_observation seen = proven();

	(void)state;
	seen.incident = GNT_INCIDENT_PANIC;
	seen.incident_detail = "Kernel panic - not syncing";
	assert_verdict(&seen, GNT_VERDICT_INFRA, "not syncing");
	seen.incident = GNT_INCIDENT_ENV;
	seen.incident_detail = "no bpf";
	assert_verdict(&seen, GNT_VERDICT_ENV_UNMET, "no bpf");
}

static void test_exit_codes(void **state)
{
	(void)state;
	assert_int_equal(gnt_verdict_exit(GNT_VERDICT_MISSED, GNT_INCIDENT_NONE, true), 0);
	assert_int_equal(gnt_verdict_exit(GNT_VERDICT_MISSED, GNT_INCIDENT_NONE, false), 1);
	assert_int_equal(gnt_verdict_exit(GNT_VERDICT_ENV_UNMET, GNT_INCIDENT_ENV, true), 3);
	assert_int_equal(gnt_verdict_exit(GNT_VERDICT_INFRA, GNT_INCIDENT_PANIC, true), 4);
	assert_int_equal(gnt_verdict_exit(GNT_VERDICT_INFRA, GNT_INCIDENT_HANG, true), 5);
	assert_int_equal(gnt_verdict_exit(GNT_VERDICT_INFRA, GNT_INCIDENT_INFRA, true), 6);
	assert_int_equal(gnt_verdict_exit(GNT_VERDICT_BROKEN_REPLAY, GNT_INCIDENT_NONE, true), 8);
}

static void test_the_most_serious_wins(void **state)
{
	static const enum gnt_exit order[] = {GNT_EXIT_PANIC,	      GNT_EXIT_HANG,
					      GNT_EXIT_INFRA,	      GNT_EXIT_USAGE,
					      GNT_EXIT_BROKEN_REPLAY, GNT_EXIT_ENV_UNMET,
					      GNT_EXIT_NOTHING_RAN,   GNT_EXIT_UNEXPECTED,
					      GNT_EXIT_LATENCY,	      GNT_EXIT_OK};

	(void)state;
	for (int i = 0; i < GNT_EXIT_COUNT; i++) {
		for (int k = i; k < GNT_EXIT_COUNT; k++) {
			assert_int_equal(gnt_exit_worse(order[i], order[k]), order[i]);
			assert_int_equal(gnt_exit_worse(order[k], order[i]), order[i]);
		}
	}
}

static void test_names_go_both_ways(void **state)
{
	(void)state;
	for (int i = 0; i < GNT_VERDICT_COUNT; i++) {
		enum gnt_verdict verdict = GNT_VERDICT_INFRA;

		assert_int_equal(gnt_verdict_parse(gnt_verdict_name((enum gnt_verdict)i), &verdict),
				 0);
		assert_int_equal(verdict, i);
	}
	assert_int_equal(gnt_errno_parse(gnt_errno_name(EACCES)), EACCES);
	assert_int_equal(gnt_errno_parse("ENOSUCHNAME"), -EINVAL);
}

static void test_unsupported_is_a_word_of_its_own(void **state)
{
	struct gnt_observation seen = proven();

	(void)state;
	seen.apply_error = "exit 3: rule x cannot be enforced";
	seen.unsupported = true;
	seen.attack = (struct gnt_attempt){.outcome = GNT_OUTCOME_DONE};
	seen.rule_events = 0;
	assert_verdict(&seen, GNT_VERDICT_UNSUPPORTED, "cannot be enforced");
	/* Refused for another reason: the engine owed it. */
	seen.unsupported = false;
	assert_verdict(&seen, GNT_VERDICT_MISSED, "cannot be enforced");
	/* What is refused although nothing was applied was not refused by the engine. */
	seen = proven();
	seen.apply_error = "exit 3";
	seen.unsupported = true;
	seen.rule_events = 0;
	assert_verdict(&seen, GNT_VERDICT_UNPROVEN, "no event names the rule");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proven_denial),
		cmocka_unit_test(test_denial_needs_its_proof),
		cmocka_unit_test(test_any_number_of_events),
		cmocka_unit_test(test_an_alert_stops_nothing),
		cmocka_unit_test(test_the_canary_is_believed),
		cmocka_unit_test(test_overblock),
		cmocka_unit_test(test_baseline),
		cmocka_unit_test(test_a_refused_policy_is_a_finding),
		cmocka_unit_test(test_incidents_come_first),
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_the_most_serious_wins),
		cmocka_unit_test(test_names_go_both_ways),
		cmocka_unit_test(test_unsupported_is_a_word_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
