/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties of the decision over random policy sets: it agrees with a second, simpler reading of
 * the semantics; order and duplicates change nothing; a Block always wins.
 *
 * The random numbers come from a fixed seed, so that a failure repeats; it names the round.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/decide.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set

#define ROUNDS 150
#define RULES_MAX 10
/* Execute, read, write. */
#define PATH_ACCESS_COUNT 3
/* Path, dir, dir-recursive. */
#define PATH_MATCH_COUNT 3

static const char *const objects[] = {"/", "/a", "/ab", "/a/b", "/a/b/c", "/a/bc", "/d/b/c"};
static const char *const sources[] = {"/bin/x", "/bin/y", "/bin/z"};
static const char *const postures[] = {"audit", "block"};

/* A rule before it is a policy's text. Severity stays free to attribute by. */
struct draw {
	enum pcl_access class_access; /* execute: process, else file */
	enum pcl_match match;
	size_t object;
	unsigned source_mask; /* of sources; 0: any */
	enum pcl_action action;
	bool read_only;
	unsigned severity;
};

static uint64_t random_state;

static unsigned pick(size_t count)
{
	/* An xorshift generator: quality does not matter here, repeating does. */
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 11) % count);
}

static struct draw draw_rule(void)
{
	struct draw draw = {
		.class_access = pick(3) ? PCL_ACCESS_READ : PCL_ACCESS_EXECUTE,
		.match = (enum pcl_match)pick(PATH_MATCH_COUNT),
		.object = pick(PCL_ARRAY_SIZE(objects)),
		.source_mask = pick(3) ? 0 : pick(1u << PCL_ARRAY_SIZE(sources)),
		.action = (enum pcl_action)pick(PCL_ACTION_COUNT),
		.severity = 1 + pick(PCL_SEVERITY_MAX),
	};

	if (draw.match == PCL_MATCH_PATH && !draw.object)
		draw.object = 1;
	draw.read_only = draw.class_access == PCL_ACCESS_READ && !pick(4);
	return draw;
}

static void print_sources(char *text, size_t size, unsigned mask)
{
	size_t len = 0;

	text[0] = '\0';
	if (!mask)
		return;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(sources); i++)
		if (mask & 1u << i)
			len += (size_t)snprintf(text + len, size - len, "%s{path: %s}",
						len ? ", " : ", fromSource: [", sources[i]);
	(void)snprintf(text + len, size - len, "]");
}

static void print_draw(FILE *stream, const struct draw *draw, size_t index, const char *suffix)
{
	bool path = draw->match == PCL_MATCH_PATH;
	pcl_autofree char *spec = NULL, *text = NULL;
	char from[128], name[32];

	print_sources(from, sizeof(from), draw->source_mask);
	assert_true(asprintf(&spec,
			     "  severity: %u\n  action: %s\n  %s: {%s: [{%s: %s%s%s%s%s}]}\n",
			     draw->severity, pcl_action_name(draw->action),
			     draw->class_access == PCL_ACCESS_EXECUTE ? "process" : "file",
			     path ? "matchPaths" : "matchDirectories", path ? "path" : "dir",
			     objects[draw->object], path || !draw->object ? "" : "/",
			     draw->match == PCL_MATCH_DIR_RECURSIVE ? ", recursive: true" : "",
			     draw->read_only ? ", readOnly: true" : "", from) > 0);
	(void)snprintf(name, sizeof(name), "p%02zu%s", index, suffix);
	text = test_policy_text(TEST_HOST, name, spec);
	(void)fprintf(stream, "%s---\n", text);
}

/* order[i] is the i-th draw to write; NULL: as they are. duplicates writes each twice. */
static struct pcl_policy_set *make_set(const struct draw *draws, size_t count, const size_t *order,
				       bool duplicates)
{
	pcl_autofree char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	assert_non_null(stream);
	for (size_t i = 0; i < count; i++) {
		size_t index = order ? order[i] : i;

		print_draw(stream, &draws[index], index, "");
		if (duplicates)
			print_draw(stream, &draws[index], index, "-again");
	}
	assert_int_equal(fclose(stream), 0);
	return test_read(text);
}

/* The second reading: by components and counting, without order, from the semantics' text. */
static size_t components(const char *path)
{
	size_t count = 0;

	for (; *path; path++)
		count += *path == '/' && path[1];
	return count;
}

static bool oracle_matches(const struct draw *draw, const char *object, const char *source)
{
	const char *base = objects[draw->object];
	size_t base_len = strcmp(base, "/") ? strlen(base) : 0;
	bool same = !strcmp(base, object), below;

	if (draw->source_mask) {
		bool listed = false;

		for (size_t i = 0; source && i < PCL_ARRAY_SIZE(sources); i++)
			listed |= draw->source_mask & 1u << i && !strcmp(source, sources[i]);
		if (!listed)
			return false;
	}
	below = !same && strlen(object) > base_len && !memcmp(object, base, base_len) &&
		object[base_len] == '/';
	if (draw->match == PCL_MATCH_PATH)
		return same;
	if (draw->match == PCL_MATCH_DIR)
		return same || (below && components(object) == components(base) + 1);
	return same || below;
}

static bool oracle_refuses(const struct draw *draws, size_t count, bool block_posture,
			   const struct pcl_operation *op)
{
	bool block = false, allow = false, list = false;

	for (size_t i = 0; i < count; i++) {
		const struct draw *draw = &draws[i];
		bool process = draw->class_access == PCL_ACCESS_EXECUTE;

		if (process != (op->access == PCL_ACCESS_EXECUTE))
			continue;
		list |= draw->action == PCL_ACTION_ALLOW;
		if (draw->action == PCL_ACTION_AUDIT ||
		    !oracle_matches(draw, op->object, op->source))
			continue;
		if (draw->read_only ? op->access == PCL_ACCESS_WRITE
				    : draw->action == PCL_ACTION_BLOCK)
			block = true;
		else
			allow = true;
	}
	return block || (!allow && list && block_posture);
}

/* All operations of the small world, one after the other; false after the last. */
struct world {
	size_t access, object, source;
};

static bool next_operation(struct world *world, struct pcl_operation *ret_operation)
{
	if (world->source > PCL_ARRAY_SIZE(sources))
		return false;
	*ret_operation = (struct pcl_operation){
		.access = (enum pcl_access)world->access,
		.object = objects[world->object],
		.source = world->source ? sources[world->source - 1] : NULL,
	};
	if (++world->access < PATH_ACCESS_COUNT)
		return true;
	world->access = 0;
	if (++world->object < PCL_ARRAY_SIZE(objects))
		return true;
	world->object = 0;
	world->source++;
	return true;
}

static struct pcl_domain *host;

static struct pcl_ruleset *resolve(const struct pcl_policy_set *set, bool block_posture)
{
	struct pcl_postures posture = {.file = block_posture ? PCL_POSTURE_BLOCK
							     : PCL_POSTURE_AUDIT};
	struct pcl_ruleset *ruleset = NULL;

	assert_int_equal(pcl_resolve(set, host, &posture, &ruleset), 0);
	return ruleset;
}

static const char *rule_id(const struct pcl_rule *rule)
{
	return rule ? rule->id : "";
}

/* Asks both sets every question; same answer and same attribution. draws: and as the oracle. */
static void compare(const struct pcl_policy_set *left, const struct pcl_policy_set *right,
		    const struct draw *draws, size_t count, size_t round)
{
	for (size_t posture = 0; posture < PCL_ARRAY_SIZE(postures); posture++) {
		pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *a = resolve(left, posture);
		pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *b = resolve(right, posture);
		struct world world = {0};
		struct pcl_operation operation;

		while (next_operation(&world, &operation)) {
			struct pcl_verdict one, two;

			pcl_decide(a, &operation, &one);
			pcl_decide(b, &operation, &two);
			if (one.refused != two.refused || one.by_posture != two.by_posture ||
			    one.alert != two.alert ||
			    strcmp(rule_id(one.rule), rule_id(two.rule)) ||
			    strcmp(rule_id(one.audit_rule), rule_id(two.audit_rule)))
				fail_msg("round %zu, posture %s, %s: %d by \"%s\", %d by \"%s\"",
					 round, postures[posture], operation.object, one.refused,
					 rule_id(one.rule), two.refused, rule_id(two.rule));
			if (one.refused != oracle_refuses(draws, count, posture, &operation))
				fail_msg("round %zu, posture %s, access %d of %s from %s: the "
					 "model says %d, the oracle does not",
					 round, postures[posture], (int)operation.access,
					 operation.object,
					 operation.source ? operation.source : "nowhere",
					 one.refused);
		}
	}
}

static size_t draw_rules(struct draw *draws)
{
	size_t count = 1 + pick(RULES_MAX);

	for (size_t i = 0; i < count; i++)
		draws[i] = draw_rule();
	return count;
}

static void shuffle(size_t *order, size_t count)
{
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	for (size_t i = count; i > 1; i--) {
		size_t other = pick(i), held = order[i - 1];

		order[i - 1] = order[other];
		order[other] = held;
	}
}

static void order_changes_nothing(void **state)
{
	(void)state;
	random_state = 0x9e3779b97f4a7c15;
	for (size_t round = 0; round < ROUNDS; round++) {
		struct draw draws[RULES_MAX];
		size_t count = draw_rules(draws), order[RULES_MAX];
		autoset *plain = make_set(draws, count, NULL, false);
		autoset *shuffled = NULL;

		shuffle(order, count);
		shuffled = make_set(draws, count, order, false);
		compare(plain, shuffled, draws, count, round);
	}
}

static void duplicates_change_nothing(void **state)
{
	(void)state;
	random_state = 0xd1b54a32d192ed03;
	for (size_t round = 0; round < ROUNDS; round++) {
		struct draw draws[RULES_MAX];
		size_t count = draw_rules(draws);
		autoset *plain = make_set(draws, count, NULL, false);
		autoset *doubled = make_set(draws, count, NULL, true);

		assert_int_equal(doubled->policy_count, 2 * count);
		compare(plain, doubled, draws, count, round);
	}
}

static void a_block_wins_over_any_set(void **state)
{
	(void)state;
	random_state = 0x2545f4914f6cdd1d;
	for (size_t round = 0; round < ROUNDS; round++) {
		struct draw draws[RULES_MAX + 1];
		size_t count = draw_rules(draws), last = count++;
		struct world world = {0};
		struct pcl_operation operation;
		pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *ruleset = NULL;
		autoset *set = NULL;

		draws[last] = draw_rule();
		draws[last].action = PCL_ACTION_BLOCK;
		draws[last].read_only = false;
		set = make_set(draws, count, NULL, false);
		ruleset = resolve(set, false);
		while (next_operation(&world, &operation)) {
			struct pcl_verdict verdict;
			bool process = draws[last].class_access == PCL_ACCESS_EXECUTE;

			if (process != (operation.access == PCL_ACCESS_EXECUTE) ||
			    !oracle_matches(&draws[last], operation.object, operation.source))
				continue;
			pcl_decide(ruleset, &operation, &verdict);
			if (!verdict.refused || !verdict.rule)
				fail_msg("round %zu: %s is permitted in spite of a Block", round,
					 operation.object);
		}
	}
}

static int make_host(void **state)
{
	(void)state;
	return pcl_domain_new_host("node", NULL, &host, NULL);
}

static int free_host(void **state)
{
	(void)state;
	pcl_domain_free(&host);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_changes_nothing),
		cmocka_unit_test(duplicates_change_nothing),
		cmocka_unit_test(a_block_wins_over_any_set),
	};

	return cmocka_run_group_tests_name("decide-random", tests, make_host, free_host);
}
