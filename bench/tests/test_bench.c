/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bench without a VM: the policy by the engine's own reader and decision, the plan's order, and
 * rows from measurements worked out by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/decide.h"
#include "scenarios/runner/bench_data.h"
#include "scenarios/runner/bench_plan.h"
#include "scenarios/runner/bench_policy.h"

#define NEAR 1e-9
#define MEASURED_FILE "/bench/d2/d3/d4/d5/d6/file"
#define MEASURED_PROGRAM "/bench/d2/d3/d4/d5/d6/nop"

static struct pcl_verdict decide(const struct pcl_ruleset *ruleset, enum pcl_access access,
				 const char *object)
{
	const struct pcl_operation operation = {.access = access, .object = object};
	struct pcl_verdict verdict;

	pcl_decide(ruleset, &operation, &verdict);
	return verdict;
}

static void check_policy(int rules, int depth)
{
	const struct pcl_postures postures = {.file = PCL_POSTURE_AUDIT};
	pcl_autofree char *text = gnt_bench_policy(rules, depth, false);
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct pcl_policy_set *set = NULL;
	struct pcl_domain *host = NULL;
	struct pcl_ruleset *ruleset = NULL;

	assert_non_null(text);
	assert_int_equal(pcl_policy_set_new(&set), 0);
	assert_int_equal(pcl_policy_set_read_memory(set, "bench", text, strlen(text), &diag), 0);
	assert_int_equal(pcl_domain_new_host("guest", NULL, &host, &diag), 0);
	assert_int_equal(pcl_resolve(set, host, &postures, &ruleset), 0);
	assert_int_equal(ruleset->rule_count, rules);
	assert_false(ruleset->allow_list[PCL_CLASS_FILE]);
	assert_true(ruleset->any_block[PCL_CLASS_FILE]);
	assert_true(ruleset->any_block[PCL_CLASS_PROCESS]);
	for (size_t i = 0; depth == 6 && i < ruleset->rule_count; i++) {
		assert_false(pcl_rule_matches_object(ruleset->rules[i], MEASURED_FILE));
		assert_false(pcl_rule_matches_object(ruleset->rules[i], MEASURED_PROGRAM));
	}
	assert_true(decide(ruleset, PCL_ACCESS_READ, GNT_BENCH_CANARY).refused);
	pcl_ruleset_free(&ruleset);
	pcl_domain_free(&host);
	pcl_policy_set_free(&set);
}

static void the_policy_holds_its_rules_and_matches_nothing_measured(void **state)
{
	(void)state;
	check_policy(100, 6);
	check_policy(GNT_BENCH_RULES_MIN, 6);
	check_policy(1001, 6);
}

static void the_policy_is_fit_for_any_depth(void **state)
{
	(void)state;
	check_policy(100, 1);
	check_policy(100, 2);
	check_policy(100, GNT_BENCH_DEPTH_MAX);
}

static void the_policy_has_rules_in_every_directory_on_the_way(void **state)
{
	static const char *const siblings[] = {
		"path: /locked-file\n",
		"path: /bench/d2/d3/d4/d5/d6/locked-file\n",
		"dir: /bench/d2/d3/locked-dir/\n",
		"dir: /bench/d2/d3/d4/d5/d6/locked-tree/\n",
		"dir: /bench/\n",
	};
	pcl_autofree char *text = gnt_bench_policy(100, 6, false);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(siblings); i++) {
		char *once = strstr(text, siblings[i]);

		assert_non_null(once);
		assert_non_null(strstr(once + 1, siblings[i])); /* both classes */
	}
}

static struct gnt_bench_shape shape_of(int rounds, const int *depth)
{
	return (struct gnt_bench_shape){
		.depths = depth,
		.depth_count = 1,
		.rules = 100,
		.rounds = rounds,
		.unit = GNT_LATENCY_NS,
	};
}

/* shape has as many rounds as contenders, twice. */
static void check_turns(const struct gnt_bench_shape *shape, int contenders)
{
	pcl_cleanup(gnt_bench_plan_fini) struct gnt_bench_plan plan = {0};
	int first[GNT_BENCH_CONTENDER_COUNT] = {0};
	int visits[2 * GNT_BENCH_CONTENDER_COUNT][GNT_BENCH_CONTENDER_COUNT] = {{0}};
	int seen_round = -1;

	assert_int_equal(gnt_bench_plan_make(shape, &plan), 0);
	for (size_t i = 0; i < plan.count; i++) {
		const struct gnt_bench_visit *visit = &plan.steps[i].visit;

		if (plan.steps[i].kind != GNT_BENCH_STEP_MEASURE)
			continue;
		visits[visit->round][visit->contender]++;
		if (visit->round != seen_round)
			first[visit->contender]++;
		seen_round = visit->round;
	}
	for (int contender = 0; contender < GNT_BENCH_CONTENDER_COUNT; contender++) {
		for (int round = 0; round < shape->rounds; round++)
			assert_int_equal(visits[round][contender],
					 contender < contenders ? GNT_LATENCY_OP_COUNT : 0);
		/* Each leads in some round. */
		if (contender < contenders)
			assert_in_range(first[contender], 1, 4);
	}
}

static void the_plan_visits_each_contender_once_a_round(void **state)
{
	const int depth = 6;
	struct gnt_bench_shape shape = shape_of(2 * GNT_BENCH_CONTENDER_USUAL, &depth);

	(void)state;
	check_turns(&shape, GNT_BENCH_CONTENDER_USUAL);
	shape.rounds = 2 * GNT_BENCH_CONTENDER_COUNT;
	shape.domains = 1;
	check_turns(&shape, GNT_BENCH_CONTENDER_COUNT);
}

/* The first step of a kind under a contender. */
static const struct gnt_bench_step *find_step(const struct gnt_bench_plan *plan,
					      enum gnt_bench_step_kind kind,
					      enum gnt_bench_contender contender)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->steps[i].kind == kind && plan->steps[i].visit.contender == contender)
			return &plan->steps[i];
	}
	return NULL;
}

static int take(const struct gnt_bench_step *step, const char *reply_text,
		struct gnt_bench_data *data)
{
	pcl_cleanup(json_decrefp) json_t *reply = json_loads(reply_text, 0, NULL);
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	int error;

	assert_non_null(step);
	assert_non_null(reply);
	error = gnt_bench_plan_take(step, reply, data, &diag);
	assert_int_equal(error, diag.error);
	return error;
}

static void an_engine_that_enforces_nothing_is_not_measured(void **state)
{
	const int depth = 6;
	const struct gnt_bench_shape shape = shape_of(1, &depth);
	pcl_cleanup(gnt_bench_plan_fini) struct gnt_bench_plan plan = {0};
	const struct gnt_bench_step *shut, *open;

	(void)state;
	assert_int_equal(gnt_bench_plan_make(&shape, &plan), 0);
	shut = find_step(&plan, GNT_BENCH_STEP_SHUT, GNT_BENCH_PORTCULLIS);
	open = find_step(&plan, GNT_BENCH_STEP_OPEN, GNT_BENCH_NONE);
	assert_int_equal(take(shut, "{\"exit\":0,\"stdout\":\"bench canary\\n\"}", NULL), -EPERM);
	assert_int_equal(take(shut, "{\"exit\":1,\"stdout\":\"\"}", NULL), 0);
	assert_int_equal(take(open, "{\"exit\":1,\"stdout\":\"\"}", NULL), -EPERM);
	assert_int_equal(take(open, "{\"exit\":0,\"stdout\":\"bench canary\\n\"}", NULL), 0);
	assert_int_equal(take(shut, "{\"exit\":null,\"signal\":9,\"stdout\":\"\"}", NULL), -EIO);
}

/* How many steps of a kind a contender has, inside the container or outside. */
static int count_steps(const struct gnt_bench_plan *plan, enum gnt_bench_step_kind kind,
		       enum gnt_bench_contender contender, bool inside)
{
	int count = 0;

	for (size_t i = 0; i < plan->count; i++) {
		pcl_autofree char *request = json_dumps(plan->steps[i].request, JSON_COMPACT);

		assert_non_null(request);
		if (plan->steps[i].kind == kind && plan->steps[i].visit.contender == contender)
			count += !strstr(request, "cgroup.procs") == !inside;
	}
	return count;
}

static void a_containers_rules_are_tried_on_both_sides(void **state)
{
	const int depth = 6;
	struct gnt_bench_shape shape = shape_of(1, &depth);
	pcl_cleanup(gnt_bench_plan_fini) struct gnt_bench_plan plan = {0};

	(void)state;
	shape.domains = 1;
	assert_int_equal(gnt_bench_plan_make(&shape, &plan), 0);
	assert_int_equal(count_steps(&plan, GNT_BENCH_STEP_SHUT, GNT_BENCH_CONTAINED, true), 2);
	assert_int_equal(count_steps(&plan, GNT_BENCH_STEP_OPEN, GNT_BENCH_CONTAINED, true), 0);
	assert_int_equal(count_steps(&plan, GNT_BENCH_STEP_OPEN, GNT_BENCH_UNPOLICED, false), 1);
	assert_int_equal(count_steps(&plan, GNT_BENCH_STEP_MEASURE, GNT_BENCH_CONTAINED, true),
			 GNT_LATENCY_OP_COUNT);
	assert_int_equal(count_steps(&plan, GNT_BENCH_STEP_MEASURE, GNT_BENCH_UNPOLICED, false),
			 GNT_LATENCY_OP_COUNT);
}

static void a_step_that_fails_says_so(void **state)
{
	const int depth = 6;
	const struct gnt_bench_shape shape = shape_of(1, &depth);
	pcl_cleanup(gnt_bench_plan_fini) struct gnt_bench_plan plan = {0};
	pcl_cleanup(gnt_bench_data_fini) struct gnt_bench_data data = {0};
	const struct gnt_bench_step *apply, *measure;

	(void)state;
	assert_int_equal(gnt_bench_plan_make(&shape, &plan), 0);
	apply = find_step(&plan, GNT_BENCH_STEP_APPLY, GNT_BENCH_PORTCULLIS);
	measure = find_step(&plan, GNT_BENCH_STEP_MEASURE, GNT_BENCH_NONE);
	assert_int_equal(take(apply, "{\"exit\":3,\"stderr\":\"no BPF\"}", &data), -EOPNOTSUPP);
	assert_int_equal(take(apply, "{\"exit\":1,\"stderr\":\"\"}", &data), -EIO);
	assert_int_equal(take(apply, "{\"error\":\"no such file\"}", &data), -EIO);
	assert_int_equal(take(measure, "{\"exit\":0,\"stdout\":\"42\"}", &data), -EPROTO);
	assert_int_equal(take(measure, "{\"exit\":0}", &data), -EPROTO);
	assert_int_equal(data.count, 0);
	assert_int_equal(take(measure,
			      "{\"exit\":0,\"stdout\":\"{\\\"op\\\":\\\"open\\\",\\\"depth\\\":6,"
			      "\\\"iterations\\\":10,\\\"empty\\\":20,\\\"times\\\":[120,220]}\"}",
			      &data),
			 0);
	assert_int_equal(data.count, 1);
	assert_float_equal(data.visits[0].samples[0], 10, NEAR);
	assert_float_equal(data.visits[0].samples[1], 20, NEAR);
}

/* Adds a visit whose batches take the three given times of ten operations. */
static void add_visit(struct gnt_bench_data *data, enum gnt_bench_contender contender, int round,
		      int a, int b, int c)
{
	const struct gnt_bench_visit visit = {
		.contender = contender,
		.op = GNT_LATENCY_OPEN,
		.depth = 6,
		.round = round,
	};
	char output[128];

	snprintf(output, sizeof(output),
		 "{\"op\":\"open\",\"depth\":6,\"iterations\":10,\"empty\":0,\"times\":[%d,%d,%d]}",
		 a, b, c);
	assert_int_equal(gnt_bench_data_add(data, &visit, output, NULL), 0);
}

static void ratios_are_taken_within_a_round(void **state)
{
	const struct gnt_bench_row_facts facts = {.target = "t",
						  .unit = GNT_LATENCY_NS,
						  .rules = 100,
						  .boots = 1};
	pcl_cleanup(gnt_bench_data_fini) struct gnt_bench_data data = {0};
	pcl_cleanup(gnt_latency_rows_fini) struct gnt_latency_rows rows = {0};

	(void)state;
	/* The machine is three times slower in round 1; portcullis costs 1.1 of the floor in both.
	 */
	add_visit(&data, GNT_BENCH_FLOOR, 0, 1000, 1000, 9000);
	add_visit(&data, GNT_BENCH_PORTCULLIS, 0, 1100, 1100, 1100);
	add_visit(&data, GNT_BENCH_PORTCULLIS, 1, 3300, 3300, 3300);
	add_visit(&data, GNT_BENCH_FLOOR, 1, 3000, 3000, 3000);
	assert_int_equal(gnt_bench_data_rows(&data, &facts, &rows), 0);
	assert_int_equal(rows.count, 2);
	assert_string_equal(rows.rows[0].contender, "floor");
	assert_int_equal(rows.rows[0].rules, 0);
	assert_float_equal(rows.rows[0].median, 200, NEAR);
	assert_float_equal(rows.rows[0].vs_floor, 1, NEAR);
	assert_true(rows.rows[0].p99 > 800);
	assert_string_equal(rows.rows[1].contender, "portcullis");
	assert_int_equal(rows.rows[1].rules, 100);
	assert_int_equal(rows.rows[1].sample_count, 2);
	assert_float_equal(rows.rows[1].vs_floor, 1.1, NEAR);
	assert_float_equal(rows.rows[1].vs_floor_spread, 0, NEAR);
	assert_float_equal(rows.rows[1].vs_none, 0, NEAR);
}

static void one_count_of_difference_is_a_difference(void **state)
{
	pcl_cleanup(gnt_bench_data_fini) struct gnt_bench_data a = {0};
	pcl_cleanup(gnt_bench_data_fini) struct gnt_bench_data b = {0};
	pcl_cleanup(gnt_bench_data_fini) struct gnt_bench_data c = {0};
	pcl_autofree char *difference = NULL;

	(void)state;
	add_visit(&a, GNT_BENCH_FLOOR, 0, 67130, 67130, 67131);
	add_visit(&b, GNT_BENCH_FLOOR, 0, 67130, 67130, 67131);
	add_visit(&c, GNT_BENCH_FLOOR, 0, 67130, 67130, 67130);
	assert_true(gnt_bench_data_equal(&a, &b, &difference));
	assert_null(difference);
	assert_false(gnt_bench_data_equal(&a, &c, &difference));
	assert_non_null(strstr(difference, "1 of 3 batches"));
	assert_non_null(strstr(difference, "floor"));
}

static void a_boot_that_measured_less_is_a_difference(void **state)
{
	pcl_cleanup(gnt_bench_data_fini) struct gnt_bench_data a = {0};
	pcl_cleanup(gnt_bench_data_fini) struct gnt_bench_data b = {0};
	pcl_autofree char *difference = NULL;

	(void)state;
	add_visit(&a, GNT_BENCH_FLOOR, 0, 1, 2, 3);
	assert_false(gnt_bench_data_equal(&a, &b, &difference));
	assert_non_null(difference);
}

static void the_json_has_what_a_reader_needs(void **state)
{
	const struct gnt_bench_row_facts counted = {
		.target = "t",
		.unit = GNT_LATENCY_GUEST_INSNS,
		.rules = 100,
		.boots = 2,
		.boots_agree = false,
	};
	pcl_cleanup(gnt_bench_data_fini) struct gnt_bench_data data = {0};
	pcl_cleanup(gnt_latency_rows_fini) struct gnt_latency_rows rows = {0};
	pcl_cleanup(json_decrefp) json_t *json = NULL;
	const char *target, *contender, *op, *unit;
	double median, p99, vs_floor;
	json_t *row, *samples;
	int rules, depth, agree;

	(void)state;
	add_visit(&data, GNT_BENCH_FLOOR, 0, 1000, 1000, 1000);
	add_visit(&data, GNT_BENCH_PORTCULLIS, 0, 1500, 1500, 1600);
	assert_int_equal(gnt_bench_data_rows(&data, &counted, &rows), 0);
	json = gnt_latency_rows_json(&rows);
	assert_int_equal(json_array_size(json), 2);
	row = json_array_get(json, 1);
	assert_int_equal(json_unpack(row, "{s:s, s:s, s:s, s:s, s:i, s:i, s:o, s:F, s:F, s:F, s:b}",
				     "target", &target, "contender", &contender, "op", &op, "unit",
				     &unit, "rules", &rules, "depth", &depth, "samples", &samples,
				     "median", &median, "p99", &p99, "vs_floor", &vs_floor,
				     "boots_agree", &agree),
			 0);
	assert_string_equal(contender, "portcullis");
	assert_string_equal(op, "open");
	assert_string_equal(unit, "guest_insns");
	assert_int_equal(rules, 100);
	assert_int_equal(depth, 6);
	assert_int_equal(json_array_size(samples), 3);
	assert_float_equal(median, 150, NEAR);
	assert_float_equal(vs_floor, 1.5, NEAR);
	assert_false(agree);
	/* Nothing without a contender was measured, so there is nothing to compare with. */
	assert_true(json_is_null(json_object_get(row, "vs_none")));
}

static void the_table_fits_a_terminal(void **state)
{
	const struct gnt_bench_row_facts facts = {
		.target = "a-target-with-a-name-that-is-far-too-long-for-a-table",
		.unit = GNT_LATENCY_GUEST_INSNS,
		.rules = 100,
		.boots = 2,
		.boots_agree = true,
	};
	pcl_cleanup(gnt_bench_data_fini) struct gnt_bench_data data = {0};
	pcl_cleanup(gnt_latency_rows_fini) struct gnt_latency_rows rows = {0};
	pcl_autofree char *table = NULL;

	(void)state;
	add_visit(&data, GNT_BENCH_FLOOR, 0, 67130, 67130, 67131);
	add_visit(&data, GNT_BENCH_PORTCULLIS, 0, 999999999, 999999999, 999999999);
	assert_int_equal(gnt_bench_data_rows(&data, &facts, &rows), 0);
	table = gnt_latency_rows_table(&rows);
	assert_non_null(table);
	for (const char *line = table; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 1, 100);
	assert_non_null(strstr(table, "exact"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_policy_holds_its_rules_and_matches_nothing_measured),
		cmocka_unit_test(the_policy_is_fit_for_any_depth),
		cmocka_unit_test(the_policy_has_rules_in_every_directory_on_the_way),
		cmocka_unit_test(the_plan_visits_each_contender_once_a_round),
		cmocka_unit_test(an_engine_that_enforces_nothing_is_not_measured),
		cmocka_unit_test(a_containers_rules_are_tried_on_both_sides),
		cmocka_unit_test(a_step_that_fails_says_so),
		cmocka_unit_test(ratios_are_taken_within_a_round),
		cmocka_unit_test(one_count_of_difference_is_a_difference),
		cmocka_unit_test(a_boot_that_measured_less_is_a_difference),
		cmocka_unit_test(the_json_has_what_a_reader_needs),
		cmocka_unit_test(the_table_fits_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
