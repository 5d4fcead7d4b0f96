/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds of every policy set, over random ones: the decision agrees with a second evaluation;
 * order and duplicates change nothing; a Block more never permits more; what is printed reads
 * back as the same.
 *
 * A failure prints its seed, and the policy file and operation after they were made as small as
 * they go. `test_property SEED PAIRS` runs other ones, and more.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "generate.h"
#include "naive.h"
#include "policy/decide.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set
#define autoruleset pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset

#define SEED_DEFAULT 0x9e3779b97f4a7c15u
/* Pairs of a policy set and an operation; sanitizers take ten times as long. */
#ifdef PCL_SANITIZED
#define PAIRS_DEFAULT 100000
#else
#define PAIRS_DEFAULT 1000000
#endif
#define CASES_PER_SET 64

static uint64_t seed = SEED_DEFAULT;
static size_t pair_count = PAIRS_DEFAULT;

/* Each set has a seed of its own, so that a failing one is found again by itself. */
static struct gen_random random_of(size_t round)
{
	struct gen_random random = {seed + round * 0xd1b54a32d192ed03u};

	random.state += !random.state;
	for (int i = 0; i < 8; i++)
		(void)gen_pick(&random, 2);
	return random;
}

static struct pcl_policy_set *try_read(const char *text)
{
	autoset *set = NULL;

	assert_int_equal(pcl_policy_set_new(&set), 0);
	if (pcl_policy_set_read_memory(set, "test.yaml", text, strlen(text), NULL))
		return NULL;
	return pcl_take_ptr(set);
}

static struct pcl_ruleset *resolve(const struct pcl_policy_set *set, const struct gen_case *draw)
{
	struct pcl_ruleset *ruleset = NULL;

	assert_int_equal(pcl_resolve(set, gen_domain(draw->domain), &draw->postures, &ruleset), 0);
	return ruleset;
}

static const char *id(const struct pcl_rule *rule)
{
	return rule ? rule->id : "";
}

/* --- against the second evaluation
 * ------------------------------------------------------------------ */

/* The best of those rules whose effect is the one that decides, found by looking at all. */
static const struct pcl_rule *best(const struct pcl_ruleset *ruleset,
				   const struct pcl_operation *operation, enum pcl_effect effect)
{
	const struct pcl_rule *found = NULL;

	for (size_t i = 0; i < ruleset->rule_count; i++) {
		const struct pcl_rule *rule = ruleset->rules[i];

		if (rule->class == pcl_access_class(operation->access) &&
		    pcl_rule_matches(rule, operation) &&
		    pcl_rule_matches_source(rule, operation->source) &&
		    pcl_rule_effect_on(rule, operation) == effect &&
		    (!found || pcl_rule_compare(rule, found) < 0))
			found = rule;
	}
	return found;
}

static bool agrees(const struct gen_set *set, const struct pcl_ruleset *ruleset,
		   const struct gen_case *draw)
{
	const struct pcl_operation *operation = &draw->operation;
	const struct pcl_rule *block, *allow, *audit;
	struct naive_verdict naive;
	struct pcl_verdict verdict;

	pcl_decide(ruleset, operation, &verdict);
	naive_decide(set, draw, &naive);
	if (verdict.refused != naive.refused || verdict.error != naive.error ||
	    verdict.by_posture != naive.by_posture || verdict.alert != naive.alert ||
	    !verdict.audit_rule == naive.audited)
		return false;
	block = best(ruleset, operation, PCL_EFFECT_BLOCK);
	allow = best(ruleset, operation, PCL_EFFECT_ALLOW);
	audit = best(ruleset, operation, PCL_EFFECT_AUDIT);
	if (verdict.audit_rule && verdict.audit_rule != audit)
		return false;
	if (verdict.rule)
		return verdict.rule == (verdict.refused ? block : allow);
	return !block && (verdict.refused || verdict.by_posture || !allow);
}

static bool disagrees(const struct gen_set *set, void *context)
{
	const struct gen_case *draw = context;
	pcl_autofree char *text = gen_print(set, 0, NULL);
	autoset *read = try_read(text);
	autoruleset *ruleset = read ? resolve(read, draw) : NULL;

	return ruleset && !agrees(set, ruleset, draw);
}

/* Says what failed and how to see it again; never returns. */
static void fail_small(const char *what, size_t round, struct gen_set *set,
		       bool (*fails)(const struct gen_set *set, void *context),
		       struct gen_case *draw)
{
	pcl_autofree char *text = NULL;

	gen_shrink(set, fails, draw);
	text = gen_print(set, 0, NULL);
	gen_print_case(draw);
	fail_msg("%s, seed 0x%llx, round %zu:\n%s", what, (unsigned long long)seed, round, text);
}

static void decide_agrees_with_a_second_evaluation(void **state)
{
	size_t refused = 0, postures = 0, audited = 0, pairs = 0;

	(void)state;
	for (size_t round = 0; pairs < pair_count; round++) {
		struct gen_random random = random_of(round);
		struct gen_set set;
		pcl_autofree char *text = NULL;
		autoset *read = NULL;
		struct pcl_postures none = {0};
		struct pcl_ruleset *rulesets[GEN_DOMAIN_COUNT];

		gen_draw_set(&random, &set);
		text = gen_print(&set, 0, NULL);
		read = test_read(text);
		for (unsigned d = 0; d < GEN_DOMAIN_COUNT; d++)
			assert_int_equal(pcl_resolve(read, gen_domain(d), &none, &rulesets[d]), 0);
		for (size_t i = 0; i < CASES_PER_SET; i++, pairs++) {
			struct naive_verdict naive;
			struct gen_case draw;

			gen_draw_case(&random, &set, &draw);
			rulesets[draw.domain]->postures = draw.postures;
			if (!agrees(&set, rulesets[draw.domain], &draw))
				fail_small("decide and the second evaluation differ", round, &set,
					   disagrees, &draw);
			naive_decide(&set, &draw, &naive);
			refused += naive.refused;
			postures += naive.by_posture;
			audited += naive.audited;
		}
		for (unsigned d = 0; d < GEN_DOMAIN_COUNT; d++)
			pcl_ruleset_free(&rulesets[d]);
	}
	print_message("%zu pairs: %zu refused, %zu by posture, %zu audited; seed 0x%llx\n", pairs,
		      refused, postures, audited, (unsigned long long)seed);
	/* Draws that seldom meet would prove little. */
	assert_true(refused * 20 > pairs && postures * 20 > pairs && audited * 100 > pairs);
}

/* --- properties of two sets
 * --------------------------------------------------------------------------- */

/* Whether two readings of the same policies answer differently, or name another rule. */
static bool differ(const char *left_text, const char *right_text, const struct gen_case *draw,
		   bool attribution)
{
	autoset *left = try_read(left_text);
	autoset *right = try_read(right_text);
	autoruleset *one = left && right ? resolve(left, draw) : NULL;
	autoruleset *two = left && right ? resolve(right, draw) : NULL;
	struct pcl_verdict a, b;

	if (!one || !two)
		return false;
	pcl_decide(one, &draw->operation, &a);
	pcl_decide(two, &draw->operation, &b);
	if (a.refused != b.refused || a.by_posture != b.by_posture || a.alert != b.alert ||
	    a.error != b.error || !a.audit_rule != !b.audit_rule)
		return true;
	return attribution && (strcmp(id(a.rule), id(b.rule)) != 0 ||
			       strcmp(id(a.audit_rule), id(b.audit_rule)) != 0);
}

/* A rule's place in its list is part of its id, so that only policies can be moved without
 * renaming. */
static bool order_matters(const struct gen_set *set, void *context)
{
	struct gen_random random = {SEED_DEFAULT};
	pcl_autofree char *plain = gen_print(set, 0, NULL);
	pcl_autofree char *policies = gen_print(set, GEN_SHUFFLED_POLICIES, &random);
	pcl_autofree char *all =
		gen_print(set, GEN_SHUFFLED_POLICIES | GEN_SHUFFLED_RULES, &random);

	return differ(plain, policies, context, true) || differ(plain, all, context, false);
}

static bool duplicates_matter(const struct gen_set *set, void *context)
{
	pcl_autofree char *plain = gen_print(set, 0, NULL);
	pcl_autofree char *doubled = gen_print(set, GEN_TWICE, NULL);

	return differ(plain, doubled, context, true);
}

/* Runs a property over random sets and cases; each set is printed and read for every case. */
static void check_property(const char *what,
			   bool (*fails)(const struct gen_set *set, void *context))
{
	size_t rounds = pair_count / 400;

	for (size_t round = 0; round < rounds; round++) {
		struct gen_random random = random_of(round);
		struct gen_set set;
		struct gen_case draw;

		gen_draw_set(&random, &set);
		for (int i = 0; i < 4; i++) {
			gen_draw_case(&random, &set, &draw);
			if (fails(&set, &draw))
				fail_small(what, round, &set, fails, &draw);
		}
	}
}

static void order_of_policies_and_rules_does_not_matter(void **state)
{
	(void)state;
	check_property("the order matters", order_matters);
}

static void duplicates_change_nothing(void **state)
{
	(void)state;
	check_property("a duplicate matters", duplicates_matter);
}

/* The last rule of set is the Block that was added. */
static bool block_permits_more(const struct gen_set *set, void *context)
{
	const struct gen_case *draw = context;
	pcl_autofree char *with_text = gen_print(set, 0, NULL);
	pcl_autofree char *without_text = NULL;
	struct gen_set less = *set;
	struct pcl_verdict with_block, without;

	if (!set->rule_count || set->rules[set->rule_count - 1].action != PCL_ACTION_BLOCK ||
	    set->rules[set->rule_count - 1].flags)
		return false;
	less.rule_count--;
	without_text = gen_print(&less, 0, NULL);
	autoset *with_set = try_read(with_text);
	autoset *without_set = try_read(without_text);
	autoruleset *one = with_set && without_set ? resolve(with_set, draw) : NULL;
	autoruleset *two = with_set && without_set ? resolve(without_set, draw) : NULL;

	if (!one || !two)
		return false;
	pcl_decide(one, &draw->operation, &with_block);
	pcl_decide(two, &draw->operation, &without);
	return without.refused && !with_block.refused;
}

static void adding_a_block_never_permits_more(void **state)
{
	size_t rounds = pair_count / 400;

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		struct gen_random random = random_of(round);
		struct gen_set set;
		struct gen_case draw;

		gen_draw_set(&random, &set);
		gen_draw_rule(&random, &set, &set.rules[set.rule_count]);
		set.rules[set.rule_count].action = PCL_ACTION_BLOCK;
		set.rules[set.rule_count].flags = 0;
		set.rule_count++;
		for (int i = 0; i < 4; i++) {
			gen_draw_case(&random, &set, &draw);
			if (block_permits_more(&set, &draw))
				fail_small("a Block permits more", round, &set, block_permits_more,
					   &draw);
		}
	}
}

/* pcl_decide() of the operation, from the rules that match it alone, as backends' plans ask. */
static void decide_matched(const struct pcl_ruleset *ruleset, const struct pcl_operation *operation,
			   struct pcl_verdict *ret_verdict)
{
	const struct pcl_rule *matched[GEN_RULES_MAX + 1];
	size_t count = 0;

	for (size_t i = 0; i < ruleset->rule_count; i++)
		if (ruleset->rules[i]->class == pcl_access_class(operation->access) &&
		    pcl_rule_matches(ruleset->rules[i], operation) &&
		    pcl_rule_matches_source(ruleset->rules[i], operation->source))
			matched[count++] = ruleset->rules[i];
	pcl_decide_matched(ruleset, matched, count, operation, ret_verdict);
}

/* A plan has a set of its own for unknown paths. */
static bool matching_rules_decide_otherwise(const struct gen_set *set, void *context)
{
	const struct gen_case *draw = context;
	struct pcl_operation operation = draw->operation;
	pcl_autofree char *text = gen_print(set, 0, NULL);
	autoset *read = try_read(text);
	autoruleset *ruleset = read ? resolve(read, draw) : NULL;
	struct pcl_verdict whole, matched;

	if (!ruleset)
		return false;
	operation.object_unknown = false;
	pcl_decide(ruleset, &operation, &whole);
	decide_matched(ruleset, &operation, &matched);
	return whole.refused != matched.refused || whole.error != matched.error ||
	       whole.rule != matched.rule || whole.alert != matched.alert ||
	       whole.by_posture != matched.by_posture || whole.audit_rule != matched.audit_rule;
}

static void the_rules_that_match_decide_alone(void **state)
{
	(void)state;
	check_property("the rules that match decide otherwise", matching_rules_decide_otherwise);
}

static bool printing_loses(const struct gen_set *set, void *context)
{
	pcl_autofree char *text = gen_print(set, 0, NULL);
	pcl_autofree char *printed = NULL;
	autoset *read = try_read(text);
	autoset *again = NULL;

	(void)context;
	if (!read)
		return false;
	assert_int_equal(pcl_policy_set_print(read, &printed), 0);
	again = try_read(printed);
	return !again || !pcl_policy_set_equal(read, again);
}

static void what_is_printed_reads_back_as_the_same(void **state)
{
	size_t rounds = pair_count / 200;

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		struct gen_random random = random_of(round);
		struct gen_case draw = {0};
		struct gen_set set;

		gen_draw_set(&random, &set);
		if (printing_loses(&set, NULL))
			fail_small("printing loses something", round, &set, printing_loses, &draw);
	}
}

/* Shrinking is trusted when something fails, so it is tried on what fails by construction. */
static bool has_two_blocks(const struct gen_set *set, void *context)
{
	size_t count = 0;

	(void)context;
	for (size_t i = 0; i < set->rule_count; i++)
		count += gen_action(set, &set->rules[i]) == PCL_ACTION_BLOCK;
	return count >= 2;
}

static void a_failing_set_is_made_small(void **state)
{
	(void)state;
	for (size_t round = 0; round < 200; round++) {
		struct gen_random random = random_of(round);
		struct gen_set set;

		gen_draw_set(&random, &set);
		if (!has_two_blocks(&set, NULL))
			continue;
		gen_shrink(&set, has_two_blocks, NULL);
		assert_true(has_two_blocks(&set, NULL));
		assert_int_equal(set.rule_count, 2);
		assert_int_equal(set.rules[0].flags | set.rules[0].sources, 0);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decide_agrees_with_a_second_evaluation),
		cmocka_unit_test(order_of_policies_and_rules_does_not_matter),
		cmocka_unit_test(duplicates_change_nothing),
		cmocka_unit_test(adding_a_block_never_permits_more),
		cmocka_unit_test(the_rules_that_match_decide_alone),
		cmocka_unit_test(what_is_printed_reads_back_as_the_same),
		cmocka_unit_test(a_failing_set_is_made_small),
	};
	int failed;

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		pair_count = strtoull(argv[2], NULL, 0);
	failed = cmocka_run_group_tests_name("property", tests, NULL, NULL);
	gen_domains_free();
	return failed;
}
