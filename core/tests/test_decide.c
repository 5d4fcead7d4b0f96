/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference decision, line by line of the semantics.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/decide.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set

/* One question to a host policy's spec; rule is the id's part after '#', or NULL. */
struct question {
	enum pcl_access access;
	const char *object;
	const char *source;
	bool refused;
	const char *rule;
};

static struct pcl_verdict ask(const struct pcl_policy_set *set, enum pcl_posture posture,
			      const struct pcl_operation *operation)
{
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *ruleset = NULL;
	struct pcl_postures postures = {.file = posture};
	struct pcl_verdict verdict;

	assert_int_equal(pcl_domain_new_host("node", NULL, &domain, NULL), 0);
	assert_int_equal(pcl_resolve(set, domain, &postures, &ruleset), 0);
	pcl_decide(ruleset, operation, &verdict);
	assert_int_equal(verdict.error, verdict.refused ? -EACCES : 0);
	return verdict;
}

static void answers(const char *spec, const struct question *questions, size_t count)
{
	pcl_autofree char *text = test_policy_text(TEST_HOST, "p", spec);
	autoset *set = test_read(text);

	for (size_t i = 0; i < count; i++) {
		struct pcl_operation operation = {
			.access = questions[i].access,
			.object = questions[i].object,
			.source = questions[i].source,
		};
		struct pcl_verdict verdict = ask(set, PCL_POSTURE_AUDIT, &operation);
		const char *rule = verdict.rule ? strchr(verdict.rule->id, '#') + 1 : NULL;

		if (verdict.refused != questions[i].refused || !rule != !questions[i].rule ||
		    (rule && strcmp(rule, questions[i].rule)))
			fail_msg("question %zu (%s from %s): %s by %s", i,
				 questions[i].object ? questions[i].object : "no path",
				 questions[i].source ? questions[i].source : "nowhere",
				 verdict.refused ? "refused" : "permitted", rule ? rule : "none");
	}
}

#define ANSWERS(spec, ...)                                                                         \
	do {                                                                                       \
		static const struct question questions_[] = {__VA_ARGS__};                         \
		answers(spec, questions_, PCL_ARRAY_SIZE(questions_));                             \
	} while (0)

#define READ PCL_ACCESS_READ
#define WRITE PCL_ACCESS_WRITE
#define EXECUTE PCL_ACCESS_EXECUTE
#define P0 "file.matchPaths[0]"
#define D0 "file.matchDirectories[0]"

static void an_exact_path_is_that_path_only(void **state)
{
	(void)state;
	ANSWERS("  file: {matchPaths: [{path: /a/b}]}\n", {READ, "/a/b", NULL, true, P0},
		{WRITE, "/a/b", NULL, true, P0}, {EXECUTE, "/a/b", NULL, false, NULL},
		{READ, "/a/b/c", NULL, false, NULL}, {READ, "/a/bc", NULL, false, NULL},
		{READ, "/a", NULL, false, NULL}, {READ, "/A/B", NULL, false, NULL});
}

static void a_directory_is_itself_and_its_direct_children(void **state)
{
	(void)state;
	ANSWERS("  file: {matchDirectories: [{dir: /a/}]}\n", {READ, "/a", NULL, true, D0},
		{READ, "/a/b", NULL, true, D0}, {READ, "/a/b/c", NULL, false, NULL},
		{READ, "/ab", NULL, false, NULL}, {READ, "/", NULL, false, NULL});
	ANSWERS("  file: {matchDirectories: [{dir: /}]}\n", {READ, "/", NULL, true, D0},
		{READ, "/a", NULL, true, D0}, {READ, "/a/b", NULL, false, NULL});
}

static void a_recursive_directory_is_everything_below(void **state)
{
	(void)state;
	ANSWERS("  file: {matchDirectories: [{dir: /a/, recursive: true}]}\n",
		{READ, "/a", NULL, true, D0}, {READ, "/a/b", NULL, true, D0},
		{READ, "/a/b/c/d/e/f", NULL, true, D0}, {READ, "/ab/c", NULL, false, NULL});
	ANSWERS("  file: {matchDirectories: [{dir: /, recursive: true}]}\n",
		{READ, "/", NULL, true, D0}, {READ, "/a/b/c", NULL, true, D0});
}

static void from_source(void **state)
{
	(void)state;
	ANSWERS("  process: {matchPaths: [{path: /x, fromSource: [{path: /s/b}, {path: /s/a}]}]}\n",
		{EXECUTE, "/x", "/s/a", true, "process.matchPaths[0]"},
		{EXECUTE, "/x", "/s/b", true, "process.matchPaths[0]"},
		{EXECUTE, "/x", "/s/c", false, NULL}, {EXECUTE, "/x", "/s", false, NULL},
		{EXECUTE, "/x", NULL, false, NULL});
}

static void read_only_for_block_and_allow_alike(void **state)
{
	(void)state;
	ANSWERS("  file: {matchPaths: [{path: /x, readOnly: true, action: Block}]}\n",
		{READ, "/x", NULL, false, P0}, {WRITE, "/x", NULL, true, P0});
	ANSWERS("  file: {matchPaths: [{path: /x, readOnly: true, action: Allow}]}\n",
		{READ, "/x", NULL, false, P0}, {WRITE, "/x", NULL, true, P0});
}

static void block_beats_allow_whatever_is_narrower(void **state)
{
	(void)state;
	ANSWERS("  file:\n    matchPaths: [{path: /a/b, action: Allow}]\n"
		"    matchDirectories: [{dir: /a/}]\n",
		{READ, "/a/b", NULL, true, D0});
	ANSWERS("  file:\n    matchPaths: [{path: /a/b, action: Block}]\n"
		"    matchDirectories: [{dir: /a/, action: Allow}]\n",
		{READ, "/a/b", NULL, true, P0}, {READ, "/a/c", NULL, false, D0});
	ANSWERS("  file:\n    matchPaths:\n"
		"    - {path: /x, action: Allow, fromSource: [{path: /s}]}\n"
		"    - {path: /x}\n",
		{READ, "/x", "/s", true, "file.matchPaths[1]"});
}

static void owner_only_arithmetic(void **state)
{
	/* The reader refuses ownerOnly for now; the model has it. */
	static const struct {
		unsigned flags;
		enum pcl_access access;
		bool owner;
		enum pcl_effect effect;
	} tries[] = {
		{PCL_RULE_OWNER_ONLY, READ, true, PCL_EFFECT_ALLOW},
		{PCL_RULE_OWNER_ONLY, WRITE, true, PCL_EFFECT_ALLOW},
		{PCL_RULE_OWNER_ONLY, READ, false, PCL_EFFECT_BLOCK},
		{PCL_RULE_OWNER_ONLY, WRITE, false, PCL_EFFECT_BLOCK},
		{PCL_RULE_OWNER_ONLY | PCL_RULE_READ_ONLY, READ, true, PCL_EFFECT_ALLOW},
		{PCL_RULE_OWNER_ONLY | PCL_RULE_READ_ONLY, WRITE, true, PCL_EFFECT_BLOCK},
		{PCL_RULE_OWNER_ONLY | PCL_RULE_READ_ONLY, READ, false, PCL_EFFECT_BLOCK},
		{PCL_RULE_OWNER_ONLY | PCL_RULE_READ_ONLY, WRITE, false, PCL_EFFECT_BLOCK},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(tries); i++) {
		struct pcl_rule rule = {.class = PCL_CLASS_FILE, .flags = tries[i].flags};

		rule.action = PCL_ACTION_ALLOW;
		assert_int_equal(pcl_rule_effect(&rule, tries[i].access, tries[i].owner),
				 tries[i].effect);
		rule.action = PCL_ACTION_BLOCK;
		assert_int_equal(pcl_rule_effect(&rule, tries[i].access, tries[i].owner),
				 tries[i].effect);
		rule.action = PCL_ACTION_AUDIT;
		assert_int_equal(pcl_rule_effect(&rule, tries[i].access, tries[i].owner),
				 tries[i].effect == PCL_EFFECT_ALLOW ? PCL_EFFECT_AUDIT
								     : PCL_EFFECT_NONE);
		assert_int_equal(pcl_rule_effect(&rule, EXECUTE, true), PCL_EFFECT_NONE);
	}
}

static void posture_decides_what_an_allow_list_does_not_list(void **state)
{
	pcl_autofree char *text = test_policy_text(
		TEST_HOST, "p",
		"  file: {matchPaths: [{path: /x, action: Allow, fromSource: [{path: /s}]}]}\n");
	autoset *set = test_read(text);
	struct pcl_operation listed = {.access = READ, .object = "/x", .source = "/s"};
	struct pcl_operation other = {.access = READ, .object = "/y", .source = "/s"};
	struct pcl_operation pathless = {.access = WRITE, .object = PCL_OBJECT_NONE};
	struct pcl_operation process = {.access = EXECUTE, .object = "/y"};
	struct pcl_verdict verdict;

	(void)state;
	verdict = ask(set, PCL_POSTURE_BLOCK, &listed);
	assert_false(verdict.refused);
	assert_false(verdict.alert);
	assert_non_null(verdict.rule);
	verdict = ask(set, PCL_POSTURE_BLOCK, &other);
	assert_true(verdict.refused);
	assert_true(verdict.by_posture);
	assert_true(verdict.alert);
	assert_null(verdict.rule);
	verdict = ask(set, PCL_POSTURE_AUDIT, &other);
	assert_false(verdict.refused);
	assert_true(verdict.by_posture);
	assert_true(verdict.alert);
	assert_true(ask(set, PCL_POSTURE_BLOCK, &pathless).refused);
	assert_false(ask(set, PCL_POSTURE_AUDIT, &pathless).refused);
	verdict = ask(set, PCL_POSTURE_BLOCK, &process);
	assert_false(verdict.refused || verdict.alert);
}

static void read_only_block_makes_no_allow_list(void **state)
{
	pcl_autofree char *text =
		test_policy_text(TEST_HOST, "p",
				 "  file: {matchPaths: [{path: /x, readOnly: true}]}\n");
	autoset *set = test_read(text);
	struct pcl_operation other = {.access = WRITE, .object = "/y"};

	(void)state;
	assert_false(ask(set, PCL_POSTURE_BLOCK, &other).refused);
}

static void an_unknown_path_is_refused_where_something_is_blocked(void **state)
{
	pcl_autofree char *block_text =
		test_policy_text(TEST_HOST, "p", "  file: {matchPaths: [{path: /x}]}\n");
	pcl_autofree char *allow_text =
		test_policy_text(TEST_HOST, "p",
				 "  file: {matchDirectories: [{dir: /, recursive: true, action: "
				 "Allow}]}\n");
	autoset *block = test_read(block_text);
	autoset *allow = test_read(allow_text);
	struct pcl_operation unknown = {.access = READ, .object_unknown = true};
	struct pcl_operation process = {.access = EXECUTE, .object_unknown = true};
	struct pcl_operation pathless = {.access = READ, .object = PCL_OBJECT_NONE};
	struct pcl_verdict verdict;

	(void)state;
	verdict = ask(block, PCL_POSTURE_AUDIT, &unknown);
	assert_true(verdict.refused && verdict.alert);
	assert_null(verdict.rule);
	assert_false(verdict.by_posture);
	assert_false(ask(block, PCL_POSTURE_BLOCK, &process).refused);
	assert_false(ask(block, PCL_POSTURE_BLOCK, &pathless).refused);
	assert_false(ask(allow, PCL_POSTURE_AUDIT, &unknown).refused);
	assert_true(ask(allow, PCL_POSTURE_BLOCK, &unknown).refused);
	assert_true(ask(allow, PCL_POSTURE_BLOCK, &pathless).refused);
}

static void audit_never_changes_the_outcome(void **state)
{
	pcl_autofree char *text =
		test_policy_text(TEST_HOST, "p",
				 "  file:\n    matchPaths:\n"
				 "    - {path: /x, action: Audit}\n"
				 "    - {path: /y, action: Audit}\n"
				 "    - {path: /y}\n"
				 "    - {path: /z, action: Audit, readOnly: true}\n");
	autoset *set = test_read(text);
	struct pcl_operation x = {.access = WRITE, .object = "/x"};
	struct pcl_operation y = {.access = WRITE, .object = "/y"};
	struct pcl_operation z = {.access = READ, .object = "/z"};
	struct pcl_verdict verdict;

	(void)state;
	verdict = ask(set, PCL_POSTURE_BLOCK, &x);
	assert_false(verdict.refused);
	assert_true(verdict.alert);
	assert_null(verdict.rule);
	assert_string_equal(verdict.audit_rule->id, "p#file.matchPaths[0]");
	verdict = ask(set, PCL_POSTURE_BLOCK, &y);
	assert_true(verdict.refused && verdict.alert);
	assert_null(verdict.audit_rule);
	assert_non_null(ask(set, PCL_POSTURE_BLOCK, &z).audit_rule);
	z.access = WRITE;
	verdict = ask(set, PCL_POSTURE_BLOCK, &z);
	assert_false(verdict.alert || verdict.refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exact_path_is_that_path_only),
		cmocka_unit_test(a_directory_is_itself_and_its_direct_children),
		cmocka_unit_test(a_recursive_directory_is_everything_below),
		cmocka_unit_test(from_source),
		cmocka_unit_test(read_only_for_block_and_allow_alike),
		cmocka_unit_test(block_beats_allow_whatever_is_narrower),
		cmocka_unit_test(owner_only_arithmetic),
		cmocka_unit_test(posture_decides_what_an_allow_list_does_not_list),
		cmocka_unit_test(read_only_block_makes_no_allow_list),
		cmocka_unit_test(an_unknown_path_is_refused_where_something_is_blocked),
		cmocka_unit_test(audit_never_changes_the_outcome),
	};

	return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
