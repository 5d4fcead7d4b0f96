/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The BPF-LSM plan piece by piece: the tree of components, what is shared and what is left out, the
 * limits, and one whole plan as text. That a plan decides as the model does is shown by
 * test_bpf_lsm_random.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_plan.h"
#include "backend/bpf_lsm_tree.h"
#include "base/cleanup.h"
#include "support.h"

#define autoplan pcl_cleanup(pcl_bpf_plan_free) struct pcl_bpf_plan
#define autotree pcl_cleanup(pcl_tree_free) struct pcl_tree
#define autodiag struct pcl_diag pcl_cleanup(pcl_diag_fini)

#define RULES_MAX 2048
#define SECRET "  file: {matchPaths: [{path: /etc/secret}]}\n"
/* Relative to the top of the tree, where make runs the tests. */
#define GOLDEN "core/tests/golden/"

/* The host, and a container that is called "box" with the label app=web. */
struct setting {
	struct pcl_policy_set *set;
	struct pcl_domain *domains[2];
	struct pcl_ruleset *rulesets[2];
	struct pcl_backend_domain backend_domains[2];
	const struct pcl_rule *rules[RULES_MAX];
	struct pcl_backend_input input;
};

static void setting_fini(struct setting *setting)
{
	for (size_t i = 0; i < 2; i++) {
		pcl_ruleset_free(&setting->rulesets[i]);
		pcl_domain_free(&setting->domains[i]);
	}
	pcl_policy_set_free(&setting->set);
}

#define autosetting struct setting pcl_cleanup(setting_fini)

/* Takes set. */
static void setting_init(struct setting *setting, struct pcl_policy_set *set)
{
	const struct pcl_postures postures = {.file = PCL_POSTURE_AUDIT};
	size_t count = 0;

	memset(setting, 0, sizeof(*setting));
	setting->set = set;
	assert_int_equal(pcl_domain_new_host("node", NULL, &setting->domains[0], NULL), 0);
	assert_int_equal(pcl_domain_new("box", NULL, "app=web", &setting->domains[1], NULL), 0);
	for (size_t i = 0; i < set->policy_count; i++)
		for (size_t r = 0; r < set->policies[i]->rule_count; r++) {
			assert_true(count < RULES_MAX);
			setting->rules[count++] = set->policies[i]->rules[r];
		}
	test_sort_rules(setting->rules, count);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(pcl_resolve(set, setting->domains[i], &postures,
					     &setting->rulesets[i]),
				 0);
		setting->backend_domains[i] = (struct pcl_backend_domain){
			.ruleset = setting->rulesets[i],
			.id = (uint32_t)i * 3,
			.incarnation = (uint32_t)i + 1,
			.cgroup_id = i * 77,
		};
	}
	setting->input = (struct pcl_backend_input){
		.generation = 1,
		.domains = setting->backend_domains,
		.domain_count = 2,
		.rules = setting->rules,
		.rule_count = count,
	};
}

/* A setting with a host policy "p" of this spec. */
static void setting_of(struct setting *setting, const char *spec)
{
	pcl_autofree char *text = test_policy_text(TEST_HOST, "p", spec);

	setting_init(setting, test_read(text));
}

static struct pcl_bpf_plan *make_plan(const struct setting *setting)
{
	struct pcl_bpf_plan *plan = NULL;
	autodiag diag = {0};

	if (pcl_bpf_plan_make(&setting->input, &plan, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	return plan;
}

/* The number of the rule that refuses reading object, 0: it is permitted. */
static uint32_t refusing(const struct pcl_bpf_plan *plan, const char *object, const char *source)
{
	const struct pcl_operation operation = {.access = PCL_ACCESS_READ,
						.object = object,
						.source = source};
	struct pcl_bpf_outcome outcome = pcl_bpf_plan_ask(plan, 0, &operation);

	return outcome.flags & PCL_OUTCOME_REFUSE ? outcome.rule : 0;
}

/* --- the tree -------------------------------------------------------------------------------- */

static void a_component_is_cut_into_chunks(void **state)
{
	autotree *tree = pcl_tree_new();
	const struct pcl_tree *at;
	struct pcl_trie_key key;

	(void)state;
	assert_int_equal(pcl_tree_insert(tree, "/0123456789abcdef0123456789abcdefXY/z", 7,
					 PCL_MATCH_DIR),
			 0);
	assert_int_equal(tree->child_count, 1);
	at = tree->children[0];
	assert_true(pcl_tree_is_partial(at));
	assert_int_equal(at->len, 32 | PCL_CHUNK_MORE);
	assert_memory_equal(at->chunk, "0123456789abcdef0123456789abcdef", 32);
	at = at->children[0];
	assert_false(pcl_tree_is_partial(at));
	assert_int_equal(at->len, 2);
	pcl_tree_key(at, 5, &key);
	assert_int_equal(key.node, 5);
	assert_int_equal(key.len, 2);
	assert_memory_equal(key.name, "XY\0\0\0\0\0\0", 8);
	assert_int_equal(key.name[1] | key.name[2] | key.name[3], 0);
	at = at->children[0];
	assert_int_equal(at->item_count, 1);
	assert_int_equal(at->items[0].value, 7);
	assert_int_equal(at->items[0].match, PCL_MATCH_DIR);
}

static void a_component_of_one_chunk_is_no_part_of_a_longer_one(void **state)
{
	autotree *tree = pcl_tree_new();

	(void)state;
	assert_int_equal(pcl_tree_insert(tree, "/0123456789abcdef0123456789abcdefX", 1,
					 PCL_MATCH_PATH),
			 0);
	assert_int_equal(pcl_tree_insert(tree, "/0123456789abcdef0123456789abcdef", 2,
					 PCL_MATCH_PATH),
			 0);
	assert_int_equal(tree->child_count, 2);
	assert_int_equal(tree->children[0]->len, 32);
	assert_int_equal(tree->children[1]->len, 32 | PCL_CHUNK_MORE);
}

static void the_roots_items_are_the_trees(void **state)
{
	autotree *tree = pcl_tree_new();

	(void)state;
	assert_int_equal(pcl_tree_insert(tree, "/", 3, PCL_MATCH_DIR_RECURSIVE), 0);
	assert_int_equal(tree->child_count, 0);
	assert_int_equal(tree->item_count, 1);
}

static void every_part_of_a_key_counts_for_its_hash(void **state)
{
	const struct pcl_trie_key keys[] = {
		{.node = 2, .len = 32, .name = {1, 2, 3, 4}},
		{.node = 3, .len = 32, .name = {1, 2, 3, 4}},
		{.node = 2, .len = 32 | PCL_CHUNK_MORE, .name = {1, 2, 3, 4}},
		{.node = 2, .len = 32, .name = {2, 1, 3, 4}},
		{.node = 2, .len = 32, .name = {1, 2, 4, 3}},
		{.node = 2, .len = 32, .name = {1, 2, 3, 5}},
		{.node = PCL_NODE_SET | 2, .len = 32},
		{.node = PCL_NODE_SET | 2, .len = 33},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(keys); i++) {
		assert_int_equal(pcl_key_filter_bit(&keys[i]), pcl_key_hash(&keys[i]) >> 58);
		for (size_t j = 0; j < i; j++)
			assert_true(pcl_key_hash(&keys[i]) != pcl_key_hash(&keys[j]));
	}
}

/* --- what is in a plan and what is not ----------------------------------------------------------
 */

static void without_rules_a_plan_is_empty(void **state)
{
	autosetting setting;
	autoplan *plan = NULL;
	struct pcl_policy_set *none = NULL;

	(void)state;
	assert_int_equal(pcl_policy_set_new(&none), 0);
	setting_init(&setting, none);
	plan = make_plan(&setting);
	assert_int_equal(plan->edge_count, 0);
	assert_int_equal(plan->set_count, 1);
	assert_int_equal(plan->active, 0);
	assert_int_equal(plan->domain_count, 2);
	assert_true(plan->contained);
	assert_false(plan->domains[0].entry.alone);
	setting.input.domain_count = 1;
	pcl_bpf_plan_free(&plan);
	plan = make_plan(&setting);
	assert_false(plan->contained);
	assert_true(plan->domains[0].entry.alone);
	setting.backend_domains[0].id = 3;
	pcl_bpf_plan_free(&plan);
	plan = make_plan(&setting);
	assert_false(plan->domains[0].entry.alone);
}

static void a_class_without_rules_is_not_active(void **state)
{
	autosetting setting;
	autoplan *plan = NULL;

	(void)state;
	setting_of(&setting, SECRET);
	plan = make_plan(&setting);
	assert_int_equal(plan->active, 1u << PCL_BPF_FILE);
	assert_int_equal(plan->domains[0].entry.active, 1u << PCL_BPF_FILE);
	assert_int_equal(plan->domains[1].entry.active, 0);
	assert_int_equal(plan->domains[1].id, 3);
	assert_int_equal(plan->domains[1].cgroup_id, 77);
	assert_int_equal(plan->domains[1].entry.incarnation, 2);
}

/* Set 0 is never looked up, so a path that no rule means must have it, and no other like it. */
static void what_is_permitted_silently_is_set_0(void **state)
{
	static const struct pcl_bpf_set permit;
	autosetting setting;
	autoplan *plan = NULL;
	const struct pcl_trie_edge *root;

	(void)state;
	setting_of(&setting, SECRET);
	plan = make_plan(&setting);
	root = &plan->domains[0].entry.root[PCL_BPF_FILE];
	assert_int_equal(root->self | root->child | root->deep, PCL_SET_PERMIT);
	assert_int_equal(plan->domains[0].entry.nameless[PCL_BPF_FILE], PCL_SET_PERMIT);
	assert_memory_equal(&plan->sets[0], &permit, sizeof(permit));
	for (size_t i = 1; i < plan->set_count; i++)
		assert_memory_not_equal(&plan->sets[i], &permit, sizeof(permit));
}

static void equal_sets_are_one(void **state)
{
	autosetting setting;
	autoplan *plan = NULL;

	(void)state;
	/* Every place below /data has the one rule's set, and so have the ends of the inner rule.
	 */
	setting_of(&setting,
		   "  file: {matchDirectories: [{dir: /data/, recursive: true, severity: 9},"
		   " {dir: /data/a/b/c/}, {dir: /data/a/x/}]}\n");
	plan = make_plan(&setting);
	/* Permit; the wide rule's; one for each of the inner ones; the unknown path's. */
	assert_int_equal(plan->set_count, 5);
	assert_int_equal(plan->edge_count, 5);
}

static void a_source_that_makes_no_difference_has_no_variant(void **state)
{
	autosetting setting;
	autoplan *plan = NULL;
	size_t ends = 0;

	(void)state;
	/* What is refused to all is not audited for one, and "c" is refused by the same rule. */
	setting_of(&setting, "  file:\n"
			     "    matchPaths: [{path: /a/b}, {path: /a/c, severity: 9}]\n"
			     "    matchDirectories:\n"
			     "    - {dir: /a/, recursive: true, action: Audit, fromSource: [{path: "
			     "/bin/x}]}\n"
			     "    - {dir: /a/, recursive: true, fromSource: [{path: /bin/y}]}\n");
	plan = make_plan(&setting);
	assert_int_equal(refusing(plan, "/a/b", "/bin/x"), 2);
	assert_int_equal(refusing(plan, "/a/c", "/bin/y"), 1);
	assert_int_equal(refusing(plan, "/a/d", NULL), 0);
	assert_int_equal(refusing(plan, "/a/d", "/bin/y"), 4);
	for (size_t i = 0; i < plan->edge_count; i++) {
		const char *name = (const char *)plan->edges[i].key.name;

		if (strcmp(name, "b") && strcmp(name, "c"))
			continue;
		ends++;
		assert_int_equal(plan->edges[i].edge.self & PCL_SET_SOURCES, 0);
		assert_true(plan->edges[i].edge.child & PCL_SET_SOURCES);
	}
	assert_int_equal(ends, 2);
}

/* What a rule of an allow-list with conditions says in each of the four cases. */
static void conditions_make_sets_in_a_row(void **state)
{
	static const struct {
		bool owner, terminal;
		unsigned flags;
	} cases[] = {
		{false, false, PCL_OUTCOME_REFUSE | PCL_OUTCOME_ALERT},
		{true, false, PCL_OUTCOME_ALLOWED},
		{false, true, PCL_OUTCOME_REFUSE | PCL_OUTCOME_ALERT},
		{true, true, PCL_OUTCOME_REFUSE | PCL_OUTCOME_ALERT},
	};
	autosetting setting;
	autoplan *plan = NULL;
	uint32_t set;

	(void)state;
	setting_of(&setting, "  action: Allow\n"
			     "  file: {matchPaths: [{path: /a, ownerOnly: true, pts: false}]}\n");
	plan = make_plan(&setting);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++) {
		const struct pcl_operation operation = {.access = PCL_ACCESS_READ,
							.object = "/a",
							.owner = cases[i].owner,
							.terminal = cases[i].terminal};

		assert_int_equal(pcl_bpf_plan_ask(plan, 0, &operation).flags, cases[i].flags);
	}
	assert_int_equal(plan->edge_count, 1);
	set = plan->edges[0].edge.self;
	assert_true(set & PCL_SET_CONDITIONS);
	/* The other cases' sets are one and the same, but lie where the owner's is found. */
	set &= PCL_SET_NUMBER;
	assert_memory_equal(&plan->sets[set], &plan->sets[set + PCL_CONDITION_TERMINAL],
			    sizeof(plan->sets[0]));
	assert_memory_not_equal(&plan->sets[set], &plan->sets[set + PCL_CONDITION_OWNER],
				sizeof(plan->sets[0]));
	/* The posture's set and the unknown path's stand alone. */
	assert_int_equal(plan->domains[0].entry.nameless[PCL_BPF_FILE] & PCL_SET_CONDITIONS, 0);
}

/* More sets than the first table has room for. */
static void many_rules_keep_their_numbers(void **state)
{
	const size_t count = 1000;
	pcl_autofree char *spec = NULL;
	autosetting setting;
	autoplan *plan = NULL;
	size_t len;
	FILE *out = open_memstream(&spec, &len);

	(void)state;
	(void)fprintf(out, "  file:\n    matchPaths:\n");
	for (size_t i = 0; i < count; i++)
		(void)fprintf(out, "    - path: /d%zu/f%zu\n", i % 7, i * 7919 % count);
	assert_int_equal(fclose(out), 0);
	setting_of(&setting, spec);
	plan = make_plan(&setting);
	assert_int_equal(plan->set_count, count + 2);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(refusing(plan, setting.rules[i]->object, NULL), i + 1);
	assert_int_equal(refusing(plan, "/d0/f1000", NULL), 0);
}

static void the_deepest_path_there_is(void **state)
{
	char path[4096], spec[sizeof(path) + 64];
	autosetting setting;
	autoplan *plan = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(path); i += 2)
		memcpy(path + i, "/d", 2);
	path[sizeof(path) - 2] = '\0';
	(void)snprintf(spec, sizeof(spec), "  file: {matchPaths: [{path: %s}]}\n", path);
	setting_of(&setting, spec);
	plan = make_plan(&setting);
	assert_int_equal(plan->edge_count, (sizeof(path) - 2) / 2);
	assert_int_equal(refusing(plan, path, NULL), 1);
	assert_int_equal(pcl_bpf_plan_below(plan, 0, PCL_CLASS_FILE, "/d/d"), 1);
	assert_int_equal(pcl_bpf_plan_below(plan, 0, PCL_CLASS_FILE, path), 0);
	assert_int_equal(pcl_bpf_plan_below(plan, 0, PCL_CLASS_PROCESS, "/d/d"), 0);
	path[sizeof(path) - 4] = '\0';
	assert_int_equal(refusing(plan, path, NULL), 0);
}

static void a_domain_too_many_is_refused(void **state)
{
	autosetting setting;
	struct pcl_bpf_plan *plan = NULL;
	autodiag diag = {0};

	(void)state;
	setting_of(&setting, SECRET);
	setting.backend_domains[1].id = PCL_BPF_DOMAINS_MAX;
	assert_int_equal(pcl_bpf_plan_make(&setting.input, &plan, &diag), -E2BIG);
	assert_null(plan);
	test_contains(pcl_diag_text(&diag), "\"box\"");
	test_contains(pcl_diag_text(&diag), "10240");
	setting.backend_domains[1].id--;
	plan = make_plan(&setting);
	pcl_bpf_plan_free(&plan);
	assert_null(plan);
	pcl_bpf_plan_free(&plan);
}

static void a_domain_that_is_not_there_has_no_rules(void **state)
{
	const struct pcl_operation operation = {.access = PCL_ACCESS_READ, .object = "/etc/secret"};
	autosetting setting;
	autoplan *plan = NULL;

	(void)state;
	setting_of(&setting, SECRET);
	plan = make_plan(&setting);
	assert_int_not_equal(pcl_bpf_plan_ask(plan, 0, &operation).flags, 0);
	assert_int_equal(pcl_bpf_plan_ask(plan, 3, &operation).flags, 0);
	assert_int_equal(pcl_bpf_plan_ask(plan, 1, &operation).flags, 0);
	assert_int_equal(pcl_bpf_plan_below(plan, 1, PCL_CLASS_FILE, "/etc"), 0);
}

/* --- a collision --------------------------------------------------------------------------------
 */

#define COLLIDING_DIR "/x/"

static bool is_plain(unsigned char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z');
}

/* The hash of all but the last word of a name of one whole chunk. */
static uint64_t hash_before_last(uint32_t node, const char name[PCL_CHUNK_LEN])
{
	uint64_t words[PCL_CHUNK_WORDS], hash = pcl_hash_node(node, PCL_CHUNK_LEN);

	memcpy(words, name, sizeof(words));
	for (size_t i = 0; i + 1 < PCL_CHUNK_WORDS; i++)
		hash = pcl_hash_step(hash, words[i]);
	return hash;
}

/*
 * Ends two names so that their hashes below node are alike: the last step is the same for both
 * where the last words differ as the hashes before it do. False: there are no such ends of plain
 * letters.
 */
static bool end_alike(uint32_t node, char one[PCL_CHUNK_LEN], char other[PCL_CHUNK_LEN])
{
	uint64_t differ = hash_before_last(node, one) ^ hash_before_last(node, other);

	for (size_t i = PCL_CHUNK_LEN - 8; i < PCL_CHUNK_LEN; i++, differ >>= 8) {
		unsigned char byte = '0';

		while (byte <= 'z' && !(is_plain(byte) && is_plain(byte ^ (unsigned char)differ)))
			byte++;
		if (byte > 'z')
			return false;
		one[i] = (char)byte;
		other[i] = (char)(byte ^ (unsigned char)differ);
	}
	return true;
}

/* The node of COLLIDING_DIR in a plan that has names in it. */
static uint32_t colliding_node(void)
{
	autosetting setting;
	autoplan *plan = NULL;
	uint32_t node = 0;

	setting_of(&setting, "  file: {matchPaths: [{path: " COLLIDING_DIR
			     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}]}\n");
	plan = make_plan(&setting);
	for (size_t i = 0; i < plan->edge_count; i++)
		if (plan->edges[i].key.len == PCL_CHUNK_LEN)
			node = plan->edges[i].key.node;
	assert_int_not_equal(node, 0);
	return node;
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* As applications number them: the same names below many directories. */
static void numbered_names_have_hashes_of_their_own(void **state)
{
	static const char *const formats[] = {"key-%u.pem", "%u", "tenant-%u", "part-%08u.parquet"};
	const uint32_t nodes = 500, numbers = 500;
	const size_t count = (size_t)PCL_ARRAY_SIZE(formats) * nodes * numbers;
	pcl_autofree uint64_t *hashes = calloc(count, sizeof(*hashes));
	size_t i = 0;

	(void)state;
	assert_non_null(hashes);
	for (size_t f = 0; f < PCL_ARRAY_SIZE(formats); f++)
		for (uint32_t node = 1; node <= nodes; node++)
			for (uint32_t number = 0; number < numbers; number++) {
				struct pcl_trie_key key = {.node = node};
				char name[PCL_CHUNK_LEN + 1] = "";

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
				key.len =
					(uint32_t)snprintf(name, sizeof(name), formats[f], number);
#pragma GCC diagnostic pop
				memcpy(key.name, name, key.len);
				hashes[i++] = pcl_key_hash(&key);
			}
	qsort(hashes, count, sizeof(*hashes), compare_hashes);
	for (i = 1; i < count; i++)
		assert_true(hashes[i] != hashes[i - 1]);
}

static void two_names_of_one_hash_are_refused(void **state)
{
	char one[PCL_CHUNK_LEN + 1] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	char other[PCL_CHUNK_LEN + 1] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
	uint32_t node = colliding_node();
	pcl_autofree char *spec = NULL;
	autosetting setting;
	autoplan *plan = NULL;
	autodiag diag = {0};

	(void)state;
	/* 16 million tries; one of some thousands does it. */
	for (unsigned i = 0; !end_alike(node, one, other) && i < 1u << 24; i++)
		for (size_t b = 0; b < 6; b++)
			other[b] = (char)('a' + (i >> 4 * b & 15));
	assert_true(asprintf(&spec,
			     "  file: {matchPaths: [{path: " COLLIDING_DIR
			     "%s}, {path: " COLLIDING_DIR "%s}]}\n",
			     one, other) > 0);
	setting_of(&setting, spec);
	assert_int_equal(pcl_bpf_plan_make(&setting.input, &plan, &diag), -EEXIST);
	test_contains(pcl_diag_text(&diag), "same hash");
	assert_null(plan);
}

/* --- a whole plan ------------------------------------------------------------------------------
 */

static char *golden_path(const char *name, const char *ending)
{
	char *path = NULL;

	assert_true(asprintf(&path, GOLDEN "%s.%s", name, ending) > 0);
	return path;
}

static char *read_golden(const char *name)
{
	pcl_autofree char *path = golden_path(name, "plan");
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t capacity = 0;

	if (!file || getdelim(&text, &capacity, '\0', file) < 0)
		fail_msg("cannot read %s; run from the top of the tree", path);
	(void)fclose(file);
	return text;
}

static void check_golden_plan(const char *name)
{
	struct pcl_policy_set *set = NULL;
	pcl_autofree char *got = NULL, *want = NULL, *path = golden_path(name, "yaml");
	autosetting setting;
	autoplan *plan = NULL;
	autodiag diag = {0};
	size_t len;
	FILE *out = open_memstream(&got, &len);

	assert_int_equal(pcl_policy_set_new(&set), 0);
	if (pcl_policy_set_read(set, path, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	setting_init(&setting, set);
	plan = make_plan(&setting);
	pcl_bpf_plan_print(plan, &setting.input, out);
	assert_int_equal(fclose(out), 0);
	want = read_golden(name);
	if (strcmp(got, want))
		fail_msg("the plan of %s is now\n%sand not\n%s", path, got, want);
}

static void the_golden_plans(void **state)
{
	(void)state;
	check_golden_plan("args");
	check_golden_plan("files");
	check_golden_plan("presets");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_component_is_cut_into_chunks),
		cmocka_unit_test(a_component_of_one_chunk_is_no_part_of_a_longer_one),
		cmocka_unit_test(the_roots_items_are_the_trees),
		cmocka_unit_test(every_part_of_a_key_counts_for_its_hash),
		cmocka_unit_test(without_rules_a_plan_is_empty),
		cmocka_unit_test(a_class_without_rules_is_not_active),
		cmocka_unit_test(what_is_permitted_silently_is_set_0),
		cmocka_unit_test(equal_sets_are_one),
		cmocka_unit_test(a_source_that_makes_no_difference_has_no_variant),
		cmocka_unit_test(conditions_make_sets_in_a_row),
		cmocka_unit_test(many_rules_keep_their_numbers),
		cmocka_unit_test(the_deepest_path_there_is),
		cmocka_unit_test(a_domain_too_many_is_refused),
		cmocka_unit_test(a_domain_that_is_not_there_has_no_rules),
		cmocka_unit_test(numbered_names_have_hashes_of_their_own),
		cmocka_unit_test(two_names_of_one_hash_are_refused),
		cmocka_unit_test(the_golden_plans),
	};

	return cmocka_run_group_tests_name("bpf_lsm-plan", tests, NULL, NULL);
}
