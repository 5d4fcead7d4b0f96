/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources that are directories: of one program several may hold, and the plan combines them. The
 * language has them in one class only, so here rules are given them after reading.
 */
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_plan.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "support.h"

#define RULES_MAX 16
/* Relative to the top of the tree, where make runs the tests. */
#define GOLDEN "core/tests/golden/sources"

struct setting {
	struct pcl_policy_set *set;
	struct pcl_domain *host;
	struct pcl_ruleset *ruleset;
	struct pcl_backend_domain domain;
	const struct pcl_rule *rules[RULES_MAX];
	struct pcl_backend_input input;
	struct pcl_bpf_plan *plan;
};

static void setting_fini(struct setting *setting)
{
	pcl_bpf_plan_free(&setting->plan);
	pcl_ruleset_free(&setting->ruleset);
	pcl_domain_free(&setting->host);
	pcl_policy_set_free(&setting->set);
}

#define autosetting struct setting pcl_cleanup(setting_fini)

/* "DIR/..." is no program any more. Takes path. */
static void add_dir(struct pcl_rule *rule, char *path, bool recursive)
{
	char *slash = strrchr(path, '/');

	slash[slash == path] = '\0';
	assert_int_equal(pcl_array_grow(&rule->source_dirs, rule->source_dir_count,
					sizeof(*rule->source_dirs)),
			 0);
	rule->source_dirs[rule->source_dir_count++] = (struct pcl_source_dir){path, recursive};
}

static void make_dirs(struct pcl_rule *rule)
{
	size_t kept = 0;

	for (size_t i = 0; i < rule->source_count; i++) {
		const char *last = strrchr(rule->sources[i], '/') + 1;

		if (!strcmp(last, "*") || !strcmp(last, "**"))
			add_dir(rule, rule->sources[i], last[1]);
		else
			rule->sources[kept++] = rule->sources[i];
	}
	rule->source_count = kept;
}

/* Takes set. */
static void setting_init(struct setting *setting, struct pcl_policy_set *set)
{
	const struct pcl_postures postures = {.file = PCL_POSTURE_BLOCK};
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	size_t count = set->policies[0]->rule_count;

	memset(setting, 0, sizeof(*setting));
	setting->set = set;
	assert_true(count <= RULES_MAX);
	for (size_t i = 0; i < count; i++) {
		make_dirs(set->policies[0]->rules[i]);
		setting->rules[i] = set->policies[0]->rules[i];
	}
	test_sort_rules(setting->rules, count);
	assert_int_equal(pcl_domain_new_host("node", NULL, &setting->host, NULL), 0);
	assert_int_equal(pcl_resolve(set, setting->host, &postures, &setting->ruleset), 0);
	setting->domain =
		(struct pcl_backend_domain){.ruleset = setting->ruleset, .incarnation = 1};
	setting->input = (struct pcl_backend_input){
		.generation = 1,
		.domains = &setting->domain,
		.domain_count = 1,
		.rules = setting->rules,
		.rule_count = count,
	};
	if (pcl_bpf_plan_make(&setting->input, &setting->plan, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
}

static void setting_of(struct setting *setting, const char *spec)
{
	pcl_autofree char *text = test_policy_text(TEST_HOST, "p", spec);

	setting_init(setting, test_read(text));
}

static bool refuses(const struct setting *setting, const char *object, const char *source)
{
	const struct pcl_operation operation = {.access = PCL_ACCESS_READ,
						.object = object,
						.source = source};
	struct pcl_bpf_outcome outcome = pcl_bpf_plan_ask(setting->plan, 0, &operation);
	struct pcl_verdict verdict;

	pcl_decide(setting->ruleset, &operation, &verdict);
	assert_int_equal(verdict.refused, !!(outcome.flags & PCL_OUTCOME_REFUSE));
	return verdict.refused;
}

static void a_directory_holds_its_children_alone(void **state)
{
	autosetting setting;

	(void)state;
	setting_of(&setting,
		   "  file: {matchPaths: [{path: /x, fromSource: [{path: \"/bin/*\"}]}]}\n");
	assert_true(refuses(&setting, "/x", "/bin/a"));
	assert_true(refuses(&setting, "/x", "/bin"));
	assert_false(refuses(&setting, "/x", "/bin/deep/a"));
	assert_false(refuses(&setting, "/x", "/bina"));
	assert_false(refuses(&setting, "/x", "/sbin/a"));
	assert_false(refuses(&setting, "/x", NULL));
	assert_false(refuses(&setting, "/y", "/bin/a"));
}

static void a_recursive_one_holds_all_below(void **state)
{
	autosetting setting;

	(void)state;
	setting_of(&setting,
		   "  file: {matchPaths: [{path: /x, fromSource: [{path: \"/bin/**\"}]}]}\n");
	assert_true(refuses(&setting, "/x", "/bin/a"));
	assert_true(refuses(&setting, "/x", "/bin/deep/er/a"));
	assert_false(refuses(&setting, "/x", "/"));
	assert_false(refuses(&setting, "/x", "/usr/bin/a"));
}

static void the_root_is_a_directory_too(void **state)
{
	autosetting setting;

	(void)state;
	setting_of(&setting, "  file: {matchPaths: [{path: /x, fromSource: [{path: \"/**\"}]},"
			     " {path: /y, fromSource: [{path: \"/*\"}]}]}\n");
	assert_true(refuses(&setting, "/x", "/a"));
	assert_true(refuses(&setting, "/x", "/a/b/c"));
	assert_false(refuses(&setting, "/x", NULL));
	assert_true(refuses(&setting, "/y", "/a"));
	assert_false(refuses(&setting, "/y", "/a/b"));
}

/* Each rule counts, whichever of its sources holds the program. */
static void all_that_hold_are_asked(void **state)
{
	autosetting setting;

	(void)state;
	setting_of(
		&setting,
		"  file: {matchPaths: [{path: /x, action: Allow, fromSource: [{path: \"/b/**\"}]},"
		" {path: /x, fromSource: [{path: \"/b/c/*\"}]},"
		" {path: /y, action: Allow, fromSource: [{path: /b/c/p}]}]}\n");
	assert_false(refuses(&setting, "/x", "/b/p"));
	assert_true(refuses(&setting, "/x", "/b/c/p"));
	assert_false(refuses(&setting, "/x", "/b/c/d/p"));
	assert_true(refuses(&setting, "/x", "/elsewhere"));
	assert_false(refuses(&setting, "/y", "/b/c/p"));
	assert_true(refuses(&setting, "/y", "/b/c/q"));
}

static char *read_golden(void)
{
	FILE *file = fopen(GOLDEN ".plan", "re");
	char *text = NULL;
	size_t capacity = 0;

	if (!file || getdelim(&text, &capacity, '\0', file) < 0)
		fail_msg("cannot read " GOLDEN ".plan; run from the top of the tree");
	(void)fclose(file);
	return text;
}

static void the_golden_plan(void **state)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_autofree char *got = NULL, *want = NULL;
	struct pcl_policy_set *set = NULL;
	autosetting setting;
	size_t len;
	FILE *out = open_memstream(&got, &len);

	(void)state;
	assert_int_equal(pcl_policy_set_new(&set), 0);
	if (pcl_policy_set_read(set, GOLDEN ".yaml", &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	setting_init(&setting, set);
	pcl_bpf_plan_print(setting.plan, &setting.input, out);
	assert_int_equal(fclose(out), 0);
	want = read_golden();
	if (strcmp(got, want) != 0)
		fail_msg("the plan of " GOLDEN ".yaml is now\n%sand not\n%s", got, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_holds_its_children_alone),
		cmocka_unit_test(a_recursive_one_holds_all_below),
		cmocka_unit_test(the_root_is_a_directory_too),
		cmocka_unit_test(all_that_hold_are_asked),
		cmocka_unit_test(the_golden_plan),
	};

	return cmocka_run_group_tests_name("bpf_lsm-sources", tests, NULL, NULL);
}
