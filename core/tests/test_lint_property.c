/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lint says is true, over random policy sets: a rule that it calls needless can be removed, an
 * Allow that it calls hopeless permits nothing, an example has the verdicts that it is given with,
 * and where an enforcer of KubeArmor decides otherwise, lint says so of the set.
 *
 * `test_lint_property SEED SETS` runs other ones, and more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "generate.h"
#include "policy/kubearmor.h"
#include "policy/lint.h"
#include "policy/near.h"
#include "policy/question.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set
#define autoruleset pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset
#define autowarnings pcl_cleanup(pcl_warnings_free) struct pcl_warnings

#ifdef PCL_SANITIZED
#define SETS_DEFAULT 500
#else
#define SETS_DEFAULT 4000
#endif
#define CASES_PER_SET 64

static uint64_t seed = 0x2545f4914f6cdd1d;
static size_t set_count = SETS_DEFAULT;

static struct gen_random random_of(size_t round)
{
	struct gen_random random = {seed + round * 0xd1b54a32d192ed03u};

	random.state += !random.state;
	for (int i = 0; i < 8; i++)
		(void)gen_pick(&random, 2);
	return random;
}

static struct pcl_warnings *lint(const struct pcl_policy_set *set)
{
	struct pcl_warnings *warnings = NULL;

	assert_int_equal(pcl_lint(set, &warnings), 0);
	return warnings;
}

static struct pcl_ruleset *resolve(const struct pcl_policy_set *set, unsigned domain,
				   const struct pcl_postures *postures)
{
	struct pcl_ruleset *ruleset = NULL;

	assert_int_equal(pcl_resolve(set, gen_domain(domain), postures, &ruleset), 0);
	return ruleset;
}

static void fail_warning(const struct gen_set *set, const struct gen_case *draw,
			 const struct pcl_warning *warning, size_t round)
{
	pcl_autofree char *text = gen_print(set, 0, NULL);

	if (draw)
		gen_print_case(draw);
	fail_msg("round %zu of seed 0x%llx: not true: %u: %s: %s\n%s", round,
		 (unsigned long long)seed, warning->place.line, pcl_lint_kind_name(warning->kind),
		 warning->what, text);
}

/* Takes the rule out of its policy; put_back() undoes it. */
static size_t take_out(const struct pcl_rule *rule)
{
	struct pcl_policy *policy = (struct pcl_policy *)rule->policy;
	size_t index = 0;

	while (policy->rules[index] != rule)
		index++;
	policy->rule_count--;
	memmove(&policy->rules[index], &policy->rules[index + 1],
		(policy->rule_count - index) * sizeof(struct pcl_rule *));
	return index;
}

static void put_back(const struct pcl_rule *rule, size_t index)
{
	struct pcl_policy *policy = (struct pcl_policy *)rule->policy;

	memmove(&policy->rules[index + 1], &policy->rules[index],
		(policy->rule_count - index) * sizeof(struct pcl_rule *));
	policy->rules[index] = (struct pcl_rule *)rule;
	policy->rule_count++;
}

/* The same cases with the rule and without it. */
static void check_needless(const struct gen_set *set, const struct pcl_policy_set *read,
			   const struct pcl_warning *warning, struct gen_random *random,
			   size_t round)
{
	for (int i = 0; i < CASES_PER_SET; i++) {
		struct pcl_verdict with_rule, without;
		struct gen_case draw;
		size_t index;

		gen_draw_case(random, set, &draw);
		autoruleset *whole = resolve(read, draw.domain, &draw.postures);

		index = take_out(warning->rule);
		autoruleset *less = resolve(read, draw.domain, &draw.postures);

		put_back(warning->rule, index);
		pcl_decide(whole, &draw.operation, &with_rule);
		pcl_decide(less, &draw.operation, &without);
		if (with_rule.refused != without.refused ||
		    with_rule.by_posture != without.by_posture || with_rule.alert != without.alert)
			fail_warning(set, &draw, warning, round);
	}
}

static void check_never(const struct gen_set *set, const struct pcl_policy_set *read,
			const struct pcl_warning *warning, struct gen_random *random, size_t round)
{
	/* In some containers it may still permit, and then the text says so. */
	if (warning->kind == PCL_LINT_CONTRADICTION && strstr(warning->what, "both policies"))
		return;
	for (int i = 0; i < CASES_PER_SET; i++) {
		struct pcl_verdict verdict;
		struct gen_case draw;

		gen_draw_case(random, set, &draw);
		autoruleset *ruleset = resolve(read, draw.domain, &draw.postures);

		pcl_decide(ruleset, &draw.operation, &verdict);
		if (!verdict.refused && verdict.rule == warning->rule)
			fail_warning(set, &draw, warning, round);
	}
}

static void what_is_said_of_rules_is_true(void **state)
{
	size_t counts[PCL_LINT_COUNT] = {0};

	(void)state;
	for (size_t round = 0; round < set_count; round++) {
		struct gen_random random = random_of(round);
		struct gen_set set;

		gen_draw_set(&random, &set);
		pcl_autofree char *text = gen_print(&set, 0, NULL);
		autoset *read = test_read(text);
		autowarnings *warnings = lint(read);

		for (size_t i = 0; i < warnings->count; i++) {
			const struct pcl_warning *warning = &warnings->items[i];

			counts[warning->kind]++;
			if (warning->kind == PCL_LINT_DUPLICATE ||
			    warning->kind == PCL_LINT_SHADOWED)
				check_needless(&set, read, warning, &random, round);
			if (warning->kind == PCL_LINT_CONTRADICTION)
				check_never(&set, read, warning, &random, round);
		}
	}
	print_message("%zu sets: %zu duplicates, %zu shadowed, %zu contradictions\n", set_count,
		      counts[PCL_LINT_DUPLICATE], counts[PCL_LINT_SHADOWED],
		      counts[PCL_LINT_CONTRADICTION]);
	assert_true(counts[PCL_LINT_DUPLICATE] > set_count / 100);
	assert_true(counts[PCL_LINT_SHADOWED] > set_count / 20);
	assert_true(counts[PCL_LINT_CONTRADICTION] > set_count / 100);
}

/* Sets whose selectors take every container of one namespace, so that there are two domains. */
static void draw_plain_set(struct gen_random *random, struct gen_set *set)
{
	gen_draw_set(random, set);
	for (size_t i = 0; i < set->policy_count; i++) {
		struct gen_policy *policy = &set->policies[i];

		if (policy->kind == PCL_KIND_CLUSTER)
			policy->kind = PCL_KIND_CONTAINER;
		policy->ns = policy->labels = policy->in = policy->not_in = 0;
		policy->ns_in = policy->ns_not_in = 0;
		policy->container = false;
	}
}

static bool example_holds(const struct pcl_policy_set *set, const struct pcl_warning *warning)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct pcl_question *question = NULL;
	bool refused = !strcmp(warning->ours, "refused"), holds = false;

	if (pcl_question_parse(warning->example, &question, &diag))
		fail_msg("%s: %s", warning->example, pcl_diag_text(&diag));
	for (int posture = 0; posture < PCL_POSTURE_COUNT; posture++) {
		enum pcl_posture all = (enum pcl_posture)posture;
		struct pcl_postures postures = {all, all, all, all};
		autoruleset *ruleset =
			resolve(set, warning->rule->policy->kind == PCL_KIND_HOST ? 0 : 1,
				&postures);
		struct pcl_verdict verdict;

		if (strstr(warning->what, "under the posture block") && all != PCL_POSTURE_BLOCK)
			continue;
		pcl_decide(ruleset, &question->operation, &verdict);
		holds |= verdict.refused == refused;
	}
	pcl_question_free(&question);
	return holds && strcmp(warning->ours, warning->theirs) != 0;
}

static void examples_have_the_verdicts_that_they_are_given_with(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t round = 0; round < set_count; round++) {
		struct gen_random random = random_of(round);
		struct gen_set set;

		draw_plain_set(&random, &set);
		pcl_autofree char *text = gen_print(&set, 0, NULL);
		autoset *read = test_read(text);
		autowarnings *warnings = lint(read);

		for (size_t i = 0; i < warnings->count; i++) {
			if (warnings->items[i].kind != PCL_LINT_KUBEARMOR)
				continue;
			count++;
			if (!example_holds(read, &warnings->items[i]))
				fail_warning(&set, NULL, &warnings->items[i], round);
		}
	}
	print_message("%zu examples\n", count);
	assert_true(count > set_count);
}

static bool is_told(const struct pcl_warnings *warnings, enum pcl_kubearmor enforcer)
{
	for (size_t i = 0; i < warnings->count; i++)
		if (warnings->items[i].kind == PCL_LINT_KUBEARMOR &&
		    !strcmp(warnings->items[i].enforcer, pcl_kubearmor_name(enforcer)))
			return true;
	return false;
}

/* Whether the enforcer decides the case otherwise than we do, in sets of the kind drawn above. */
static bool differs(const struct pcl_policy_set *read, const struct gen_case *draw,
		    enum pcl_kubearmor enforcer)
{
	pcl_cleanup(pcl_near_index_free) struct pcl_near_index *index = NULL;
	autoruleset *ruleset = resolve(read, draw->domain, &draw->postures);
	struct pcl_kubearmor_verdict theirs;
	struct pcl_kubearmor_lists lists;
	struct pcl_verdict ours;
	struct pcl_near near;

	if (!pcl_kubearmor_serves(enforcer, ruleset->domain, draw->operation.access))
		return false;
	assert_int_equal(pcl_near_index_new(read, ruleset, &index), 0);
	pcl_kubearmor_find_lists(ruleset, &lists);
	pcl_near_find(index, &draw->operation, &near);
	pcl_decide(ruleset, &draw->operation, &ours);
	pcl_kubearmor_decide(enforcer, ruleset, &lists, near.rules, near.count, &draw->operation,
			     &theirs);
	return theirs.refused != ours.refused;
}

/* Whether some enforcer differs and lint says nothing of it. */
static bool is_missed(const struct gen_set *set, void *context)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	const struct gen_case *draw = context;
	pcl_autofree char *text = gen_print(set, 0, NULL);
	autoset *read = NULL;
	autowarnings *warnings = NULL;
	bool missed = false;

	assert_int_equal(pcl_policy_set_new(&read), 0);
	if (pcl_policy_set_read_memory(read, "test.yaml", text, strlen(text), &diag))
		return false;
	warnings = lint(read);
	for (int e = 0; e < PCL_KUBEARMOR_COUNT; e++)
		missed |= differs(read, draw, (enum pcl_kubearmor)e) &&
			  !is_told(warnings, (enum pcl_kubearmor)e);
	return missed;
}

/* Each enforcer is asked all that was drawn; where it differs the set must have a warning of it. */
static void differences_are_not_missed(void **state)
{
	size_t differences = 0;

	(void)state;
	for (size_t round = 0; round < set_count; round++) {
		struct gen_random random = random_of(round);
		struct gen_set set;

		draw_plain_set(&random, &set);
		pcl_autofree char *text = gen_print(&set, 0, NULL);
		autoset *read = test_read(text);

		for (int i = 0; i < CASES_PER_SET / 4; i++) {
			struct gen_case draw;
			bool differ = false;

			gen_draw_case(&random, &set, &draw);
			draw.domain = draw.domain ? 1 : 0;
			if (draw.operation.object_unknown)
				continue;
			for (int e = 0; e < PCL_KUBEARMOR_COUNT; e++)
				differ |= differs(read, &draw, (enum pcl_kubearmor)e);
			differences += differ;
			if (!differ || !is_missed(&set, &draw))
				continue;
			gen_shrink(&set, is_missed, &draw);
			pcl_autofree char *small = gen_print(&set, 0, NULL);

			gen_print_case(&draw);
			fail_msg("round %zu of seed 0x%llx: no warning of a difference\n%s", round,
				 (unsigned long long)seed, small);
		}
	}
	print_message("%zu differences\n", differences);
	assert_true(differences > set_count);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_of_rules_is_true),
		cmocka_unit_test(examples_have_the_verdicts_that_they_are_given_with),
		cmocka_unit_test(differences_are_not_missed),
	};
	int failed;

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		set_count = strtoull(argv[2], NULL, 0);
	failed = cmocka_run_group_tests_name("lint-property", tests, NULL, NULL);
	gen_domains_free();
	return failed;
}
