/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The BPF-LSM plan against the model: for random policy sets and operations near their rules, what
 * the kernel would do is what pcl_decide() says, down to the rule that is named; and the plan is
 * one that the kernel's descent can read.
 *
 * A failure names its seed; `build/tests/test_bpf_lsm_random SEED` repeats that world alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_plan.h"
#include "backend/bpf_lsm_tree.h"
#include "base/cleanup.h"
#include "support.h"
#include "world.h"

#define autoplan pcl_cleanup(pcl_bpf_plan_free) struct pcl_bpf_plan

#define SEEDS 4000
#define OPERATIONS 100
#define SHUFFLED_SEEDS 500

static uint64_t first_seed, seed_count = SEEDS;

static struct pcl_bpf_plan *make_plan(const struct world *world, uint64_t seed)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct pcl_bpf_plan *plan = NULL;

	if (pcl_bpf_plan_make(&world->input, &plan, &diag))
		fail_msg("seed %llu: %s", (unsigned long long)seed, pcl_diag_text(&diag));
	return plan;
}

static char *print_plan(const struct pcl_bpf_plan *plan, const struct world *world)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	pcl_bpf_plan_print(plan, &world->input, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* --- the decision ---------------------------------------------------------------------------- */

static struct pcl_bpf_outcome expected(const struct world *world,
				       const struct world_operation *asked)
{
	const struct pcl_ruleset *ruleset = world->members[asked->domain].ruleset;
	struct pcl_bpf_outcome want = {0};
	struct pcl_verdict verdict;

	world_decide(world, asked, &verdict);
	if (verdict.refused)
		want.flags |= PCL_OUTCOME_REFUSE;
	if (verdict.alert)
		want.flags |= PCL_OUTCOME_ALERT;
	if (verdict.by_posture)
		want.flags |= PCL_OUTCOME_BY_POSTURE;
	if (verdict.refused && verdict.rule && verdict.rule->match == PCL_MATCH_PRESET)
		want.flags |= PCL_OUTCOME_BY_PRESET;
	if (!verdict.refused && verdict.rule &&
	    ruleset->allow_list[pcl_access_class(asked->operation.access)])
		want.flags |= PCL_OUTCOME_ALLOWED;
	if (verdict.alert)
		want.rule =
			world_number(world, verdict.refused ? verdict.rule : verdict.audit_rule);
	return want;
}

static void check_operation(const struct world *world, const struct pcl_bpf_plan *plan,
			    const struct world_operation *asked, uint64_t seed)
{
	const struct pcl_operation *operation = &asked->operation;
	struct pcl_bpf_outcome want = expected(world, asked);
	struct pcl_bpf_outcome got =
		pcl_bpf_plan_ask(plan, world->domains[asked->domain].id, operation);

	if (got.flags == want.flags && got.rule == want.rule)
		return;
	world_print(world, asked->domain);
	fail_msg("seed %llu: access %d of %s from %s%s%s: the model says flags %#x by rule %u, "
		 "the plan %#x by %u",
		 (unsigned long long)seed, (int)operation->access,
		 operation->object_unknown ? "an unknown path"
		 : operation->object	   ? operation->object
					   : "no path",
		 operation->source ? operation->source : "nowhere",
		 operation->owner ? ", the owner" : "",
		 operation->terminal ? ", at a terminal" : "", want.flags, want.rule, got.flags,
		 got.rule);
}

static void the_plan_decides_as_the_model(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seed_count; seed++) {
		struct world_operation operation;
		struct world world;
		autoplan *plan = NULL;

		world_init(&world, seed);
		plan = make_plan(&world, seed);
		for (size_t i = 0; i < OPERATIONS; i++) {
			world_draw_operation(&world, &operation);
			check_operation(&world, plan, &operation, seed);
		}
		world_fini(&world);
	}
}

/* --- directories that may not move ----------------------------------------------------------- */

static bool is_below(const void *object, const char *name)
{
	const struct pcl_rule everything_below = {.match = PCL_MATCH_DIR_RECURSIVE,
						  .object = (char *)object};

	return strcmp(object, name) && pcl_rule_matches_object(&everything_below, name);
}

/* The first rule in the order of attribution that can refuse to change something below object. */
static uint32_t expected_below(const struct world *world, const struct world_operation *asked,
			       enum pcl_class class)
{
	const struct world_member *member = &world->members[asked->domain];

	for (size_t i = 0; i < member->ruleset->rule_count; i++) {
		const struct pcl_rule *rule = member->ruleset->rules[i];

		if (rule->class == class && rule->match != PCL_MATCH_PATTERN &&
		    (rule->action == PCL_ACTION_BLOCK ||
		     (rule->action == PCL_ACTION_ALLOW && rule->flags)) &&
		    world_any_name(member, rule->object, is_below, asked->operation.object))
			return world_number(world, rule);
	}
	return 0;
}

static void the_plan_knows_what_lies_below(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seed_count; seed++) {
		struct world_operation asked;
		struct world world;
		autoplan *plan = NULL;

		world_init(&world, seed);
		plan = make_plan(&world, seed);
		for (size_t i = 0; i < OPERATIONS / 4; i++) {
			enum pcl_class class;
			uint32_t got, want;

			world_draw_operation(&world, &asked);
			if (!asked.operation.object)
				continue;
			class = pcl_access_class(asked.operation.access);
			want = expected_below(&world, &asked, class);
			got = pcl_bpf_plan_below(plan, world.domains[asked.domain].id, class,
						 asked.operation.object);
			if (got == want)
				continue;
			world_print(&world, asked.domain);
			fail_msg("seed %llu: below %s lies rule %u, the plan says %u",
				 (unsigned long long)seed, asked.object, want, got);
		}
		world_fini(&world);
	}
}

/* --- the form -------------------------------------------------------------------------------- */

static const struct pcl_bpf_plan_edge *edges_of(const struct pcl_bpf_plan *plan, uint32_t node,
						size_t *ret_count)
{
	const struct pcl_bpf_plan_edge *first = NULL;

	*ret_count = 0;
	for (size_t i = 0; i < plan->edge_count; i++) {
		if (plan->edges[i].key.node != node)
			continue;
		if (!first)
			first = &plan->edges[i];
		assert_ptr_equal(first + *ret_count, &plan->edges[i]);
		++*ret_count;
	}
	return first;
}

static void check_set(const struct pcl_bpf_plan *plan, uint32_t set)
{
	uint32_t last = (set & PCL_SET_NUMBER) +
			(set & PCL_SET_CONDITIONS ? PCL_CONDITIONS - 1 : 0) +
			(set & PCL_SET_ARGS ? 2 * PCL_CONDITIONS : 0);

	assert_int_equal(set & ~(PCL_SET_NUMBER | PCL_SET_SOURCES | PCL_SET_CONDITIONS |
				 PCL_SET_ARGS),
			 0);
	assert_true(last < plan->set_count);
}

/* is_source: the edge belongs to the trie of sources, where a number is an id and not a set. */
static void check_edge(const struct pcl_bpf_plan *plan, const struct pcl_trie_edge *edge,
		       bool is_source)
{
	const uint32_t sets[] = {edge->self, edge->child, edge->deep};
	uint64_t filter = 0;
	size_t count;
	const struct pcl_bpf_plan_edge *below = edges_of(plan, edge->node, &count);

	assert_int_equal(edge->pad, 0);
	for (size_t i = 0; !is_source && i < PCL_ARRAY_SIZE(sets); i++)
		check_set(plan, sets[i]);
	assert_true(!edge->node == !count);
	for (size_t i = 0; i < count; i++) {
		filter |= 1ull << pcl_filter_bit(pcl_key_hash(&below[i].key));
		check_edge(plan, &below[i].edge, is_source);
	}
	assert_true(edge->filter == filter);
}

static int compare_hashes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void check_keys(const struct pcl_bpf_plan *plan)
{
	uint64_t *hashes = calloc(plan->edge_count + 1, sizeof(*hashes));

	for (size_t i = 0; i < plan->edge_count; i++) {
		const struct pcl_trie_key *key = &plan->edges[i].key;
		const char *name = (const char *)key->name;
		/* A number is no length. */
		uint32_t used = !key->name[0] ? 0 : key->len & ~PCL_CHUNK_MORE;

		assert_true(used <= PCL_CHUNK_LEN);
		assert_true(!(key->len & PCL_CHUNK_MORE) || used == PCL_CHUNK_LEN);
		assert_true(strnlen(name, PCL_CHUNK_LEN) == used);
		for (uint32_t at = used; at < PCL_CHUNK_LEN; at++)
			assert_int_equal(name[at], 0);
		if (key->node & PCL_NODE_SET)
			assert_true((key->node & ~PCL_NODE_SET) < plan->set_count);
		hashes[i] = pcl_key_hash(key);
	}
	qsort(hashes, plan->edge_count, sizeof(*hashes), compare_hashes);
	for (size_t i = 1; i < plan->edge_count; i++)
		assert_true(hashes[i - 1] != hashes[i]);
	free(hashes);
}

static void the_plan_has_the_form_that_the_kernel_reads(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seed_count / 4 + 1; seed++) {
		struct world world;
		autoplan *plan = NULL;

		world_init(&world, seed);
		plan = make_plan(&world, seed);
		check_keys(plan);
		for (size_t i = 0; i < plan->domain_count; i++)
			for (size_t class = 0; class < PCL_BPF_CLASS_COUNT; class ++)
				check_edge(plan, &plan->domains[i].entry.root[class], false);
		for (size_t i = 0; i < plan->edge_count; i++) {
			if (plan->edges[i].key.node == PCL_NODE_SOURCES)
				check_edge(plan, &plan->edges[i].edge, true);
			if (plan->edges[i].key.node & PCL_NODE_SET)
				check_edge(plan, &plan->edges[i].edge, false);
		}
		world_fini(&world);
	}
}

/* --- order ----------------------------------------------------------------------------------- */

/* The text names rules by id, so it is the plan's meaning whatever number a rule has. */
static void order_changes_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + SHUFFLED_SEEDS; seed++) {
		pcl_autofree char *one = NULL, *again = NULL, *other = NULL;
		autoplan *plan = NULL, *same = NULL, *shuffled = NULL;
		struct world world;

		world_init(&world, seed);
		plan = make_plan(&world, seed);
		one = print_plan(plan, &world);
		same = make_plan(&world, seed);
		again = print_plan(same, &world);
		world_shuffle(&world);
		shuffled = make_plan(&world, seed);
		other = print_plan(shuffled, &world);
		assert_string_equal(one, again);
		assert_int_equal(plan->edge_count, same->edge_count);
		if (plan->edge_count)
			assert_memory_equal(plan->edges, same->edges,
					    plan->edge_count * sizeof(*plan->edges));
		assert_memory_equal(plan->sets, same->sets, plan->set_count * sizeof(*plan->sets));
		if (strcmp(one, other))
			fail_msg("seed %llu: the order of the policies changes the plan:\n%s\n%s",
				 (unsigned long long)seed, one, other);
		world_fini(&world);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plan_decides_as_the_model),
		cmocka_unit_test(the_plan_knows_what_lies_below),
		cmocka_unit_test(the_plan_has_the_form_that_the_kernel_reads),
		cmocka_unit_test(order_changes_nothing),
	};

	if (argc > 1) {
		first_seed = strtoull(argv[1], NULL, 10);
		seed_count = 1;
	}
	return cmocka_run_group_tests_name("bpf_lsm-random", tests, NULL, NULL);
}
