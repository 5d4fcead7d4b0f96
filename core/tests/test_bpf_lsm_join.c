/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining the outcomes of parts: however the rules that match an operation are split into parts,
 * the parts' outcomes together are the outcome of all the rules, in any order of joining.
 */
#include <stdlib.h>
#include <string.h>

#include "../../bpf/abi.h"
#include "policy/decide.h"
#include "support.h"

#define ROUNDS 200000u
#define RULES 5u
#define PARTS 3u

static uint64_t seed = 0x9e3779b97f4a7c15u;

static unsigned pick(unsigned count)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 11) % count);
}

static uint32_t number_of(const struct pcl_rule *rules, const struct pcl_rule *rule)
{
	return rule ? (uint32_t)(rule - rules) + 1 : 0;
}

/* The outcome of those rules whose part is in parts (bits), as a plan makes it. */
static struct pcl_bpf_outcome outcome_of(const struct pcl_ruleset *ruleset,
					 const struct pcl_rule *rules, const unsigned *part,
					 unsigned parts)
{
	const struct pcl_operation operation = {.access = PCL_ACCESS_WRITE};
	const struct pcl_rule *matched[RULES], *audit = NULL;
	struct pcl_bpf_outcome outcome = {0};
	struct pcl_verdict verdict;
	size_t count = 0;

	for (unsigned i = 0; i < RULES; i++) {
		if (!(parts & 1u << part[i]))
			continue;
		matched[count++] = &rules[i];
		if (!audit && pcl_rule_effect_on(&rules[i], &operation) == PCL_EFFECT_AUDIT)
			audit = &rules[i];
	}
	pcl_decide_matched(ruleset, matched, count, &operation, &verdict);
	if (verdict.refused)
		outcome.flags |= PCL_OUTCOME_REFUSE;
	if (verdict.alert)
		outcome.flags |= PCL_OUTCOME_ALERT;
	if (verdict.by_posture)
		outcome.flags |= PCL_OUTCOME_BY_POSTURE;
	if (!verdict.refused && verdict.rule && ruleset->allow_list[PCL_CLASS_FILE])
		outcome.flags |= PCL_OUTCOME_ALLOWED;
	outcome.rule = number_of(rules, pcl_outcome_is_ruled(&outcome) ? verdict.rule : audit);
	return outcome;
}

static void parts_together_say_what_all_rules_say(void **state)
{
	size_t seen[16] = {0};

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct pcl_ruleset ruleset = {.postures.file = (enum pcl_posture)pick(2)};
		struct pcl_rule rules[RULES];
		unsigned part[RULES], order = pick(6);
		static const unsigned orders[6][PARTS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
							  {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
		struct pcl_bpf_outcome joined = {0}, whole;

		memset(rules, 0, sizeof(rules));
		ruleset.allow_list[PCL_CLASS_FILE] = pick(2);
		for (unsigned i = 0; i < RULES; i++) {
			rules[i].class = PCL_CLASS_FILE;
			rules[i].action = (enum pcl_action)pick(PCL_ACTION_COUNT);
			/* Half of the domains have no Block, or nearly all would be refused. */
			if (rules[i].action == PCL_ACTION_BLOCK && round % 2)
				rules[i].action = PCL_ACTION_AUDIT;
			/* The last part holds rules that do not match. */
			part[i] = pick(PARTS + 1);
			ruleset.allow_list[PCL_CLASS_FILE] |= rules[i].action == PCL_ACTION_ALLOW;
		}
		whole = outcome_of(&ruleset, rules, part, (1u << PARTS) - 1);
		for (unsigned p = 0; p < PARTS; p++) {
			struct pcl_bpf_outcome one =
				outcome_of(&ruleset, rules, part, 1u << orders[order][p]);

			pcl_join_outcomes(&joined, &one);
		}
		seen[whole.flags]++;
		if (joined.flags != whole.flags || joined.rule != whole.rule)
			fail_msg("round %u: joined flags %#x rule %u, all rules %#x rule %u", round,
				 joined.flags, joined.rule, whole.flags, whole.rule);
	}
	/* Silent; refused by a rule, by the posture; allowed with and without an alert; audited. */
	assert_true(seen[0] && seen[PCL_OUTCOME_REFUSE | PCL_OUTCOME_ALERT] &&
		    seen[PCL_OUTCOME_REFUSE | PCL_OUTCOME_ALERT | PCL_OUTCOME_BY_POSTURE] &&
		    seen[PCL_OUTCOME_ALERT | PCL_OUTCOME_BY_POSTURE] && seen[PCL_OUTCOME_ALLOWED] &&
		    seen[PCL_OUTCOME_ALLOWED | PCL_OUTCOME_ALERT] && seen[PCL_OUTCOME_ALERT]);
}

static void a_posture_that_refuses_names_no_rule(void **state)
{
	const struct pcl_bpf_outcome refused = {.rule = 7,
						.flags = PCL_OUTCOME_REFUSE | PCL_OUTCOME_ALERT |
							 PCL_OUTCOME_BY_POSTURE};
	struct pcl_bpf_outcome allowed = {.flags = PCL_OUTCOME_ALLOWED};

	(void)state;
	assert_int_equal(pcl_outcome_named(&refused), 0);
	/* The Audit rule that it kept back speaks once another part allows. */
	pcl_join_outcomes(&allowed, &refused);
	assert_int_equal(allowed.flags, PCL_OUTCOME_ALLOWED | PCL_OUTCOME_ALERT);
	assert_int_equal(pcl_outcome_named(&allowed), 7);
}

/* An object whose path could not be built, which a preset refuses whatever its path. */
static void a_rule_is_named_before_none(void **state)
{
	const struct pcl_bpf_outcome unknown = {.flags = PCL_OUTCOME_REFUSE | PCL_OUTCOME_ALERT};
	const struct pcl_bpf_outcome named = {.rule = 7,
					      .flags = PCL_OUTCOME_REFUSE | PCL_OUTCOME_ALERT};
	struct pcl_bpf_outcome joined = unknown;

	(void)state;
	pcl_join_outcomes(&joined, &named);
	assert_int_equal(joined.rule, 7);
	pcl_join_outcomes(&joined, &unknown);
	assert_int_equal(joined.rule, 7);
	assert_int_equal(joined.flags, named.flags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_together_say_what_all_rules_say),
		cmocka_unit_test(a_posture_that_refuses_names_no_rule),
		cmocka_unit_test(a_rule_is_named_before_none),
	};

	return cmocka_run_group_tests_name("bpf_lsm-join", tests, NULL, NULL);
}
