/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies as JSON and back: nothing is lost, and nothing but what was written is read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/model_json.h"
#include "generate.h"
#include "policy/decide.h"
#include "scratch.h"
#include "support.h"
#include "world.h"

#define autostate pcl_cleanup(pcl_state_free) struct pcl_state
#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set
#define autojson pcl_cleanup(drop_json) json_t

/* One rule of every kind, at least. */
static const char everything[] =
	"apiVersion: security.kubearmor.com/v1\nkind: KubeArmorPolicy\nmetadata: {name: a}\nspec:\n"
	"  selector: {matchLabels: {app: x}, containers: [c],\n"
	"    matchExpressions: [{key: label, operator: NotIn, values: [a=b, c=d]}]}\n"
	"  severity: 3\n  tags: [one]\n  message: text\n"
	"  process:\n    matchPaths: [{path: /a, allowedArgs: [x], pts: false, fromSource: [{path: "
	"/s}]}, {execname: n}]\n"
	"  file: {matchPatterns: [{pattern: \"/f*\", readOnly: true, ownerOnly: true}]}\n"
	"  network: {matchProtocols: [{protocol: \"udp,tcp\"}], matchDNSQueries: [{domain: a.b}]}\n"
	"  capabilities: {matchCapabilities: [{capability: net_raw}]}\n"
	"  syscalls: {matchSyscalls: [{syscall: [unlink], fromSource: [{dir: /d/, recursive: "
	"true}]}]}\n"
	"  presets: [{name: exec}]\n  apparmor: deny /x w,\n"
	"---\napiVersion: security.kubearmor.com/v1\nkind: KubeArmorHostPolicy\nmetadata: {name: "
	"h}\nspec:\n  nodeSelector: {matchLabels: {kubearmor.io/hostname: \"*\"}}\n"
	"  device: {matchDevice: [{class: HID, level: 2}]}\n"
	"---\napiVersion: security.kubearmor.com/v1\nkind: KubeArmorClusterPolicy\nmetadata: {name: "
	"c}\nspec:\n  selector: {matchExpressions: [{key: namespace, operator: In, values: [n]}]}\n"
	"  process: {matchPaths: [{path: /a}]}\n";

static void drop_json(json_t **json)
{
	json_decref(*json);
}

static json_t *to_json(const struct pcl_policy_set *set)
{
	json_t *json = pcl_policies_to_json(set);

	assert_non_null(json);
	return json;
}

static struct pcl_policy_set *from_json(const json_t *json)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct pcl_policy_set *set = NULL;

	if (pcl_policies_from_json(json, &set, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	return set;
}

static void refused(const json_t *json, const char *what, const char *key)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct pcl_policy_set *set = NULL;
	int error = pcl_policies_from_json(json, &set, &diag);

	if (error != -EBADMSG)
		fail_msg("%s %s: %d (%s), not refused", what, key, error, pcl_diag_text(&diag));
	assert_null(set);
	test_contains(pcl_diag_text(&diag), "damaged");
}

static void a_rule_comes_back_whole(void **state)
{
	autostate *one = scratch_state(1);
	autojson *json = to_json(one->set);
	autoset *set = from_json(json);
	const struct pcl_policy *policy = set->policies[1], *was = one->set->policies[1];
	const struct pcl_rule *rule = policy->rules[0];

	(void)state;
	assert_int_equal(set->policy_count, 2);
	assert_int_equal(set->policies[0]->kind, PCL_KIND_HOST);
	assert_null(set->policies[0]->ns);
	assert_string_equal(set->policies[0]->rules[1]->object, "/etc/\xc3\xa4");
	assert_int_equal(policy->kind, PCL_KIND_CONTAINER);
	assert_string_equal(policy->name, "web");
	assert_string_equal(policy->ns, "shop");
	assert_string_equal(policy->file, "test.yaml");
	assert_int_equal(policy->place.line, was->place.line);
	assert_int_equal(policy->selector_count, 2);
	assert_string_equal(policy->selector[1].key, "tier");
	assert_string_equal(policy->selector[1].value, "front");
	assert_int_equal(policy->rule_count, 1);
	assert_ptr_equal(rule->policy, policy);
	assert_string_equal(rule->id, "shop/web#file.matchDirectories[0]");
	assert_int_equal(rule->class, PCL_CLASS_FILE);
	assert_int_equal(rule->match, PCL_MATCH_DIR_RECURSIVE);
	assert_int_equal(rule->action, PCL_ACTION_ALLOW);
	assert_int_equal(rule->flags, PCL_RULE_READ_ONLY);
	assert_string_equal(rule->object, "/srv");
	assert_int_equal(rule->source_count, 2);
	assert_string_equal(rule->sources[0], "/bin/a");
	assert_string_equal(rule->sources[1], "/bin/b");
	assert_int_equal(rule->severity, 10);
	assert_int_equal(rule->tag_count, 2);
	assert_string_equal(rule->tags[1], "T1003");
	assert_string_equal(rule->message, "say \"no\"");
	assert_int_equal(rule->place.line, was->rules[0]->place.line);
	assert_int_equal(rule->place.column, was->rules[0]->place.column);
}

static void random_sets_come_back_the_same(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct world world;
		autojson *json = NULL, *again = NULL;
		autoset *set = NULL;

		world_init(&world, seed);
		json = to_json(world.set);
		set = from_json(json);
		again = to_json(set);
		if (!json_equal(json, again))
			fail_msg("seed %llu comes back changed", (unsigned long long)seed);
		world_fini(&world);
	}
}

static void every_kind_of_rule_comes_back(void **state)
{
	autoset *set = test_read(everything);
	autojson *json = to_json(set);
	autoset *again = from_json(json);
	const struct pcl_rule *pattern = again->policies[0]->rules[2];

	(void)state;
	assert_true(pcl_policy_set_equal(set, again));
	assert_string_equal(again->policies[0]->file, "test.yaml");
	assert_int_equal(pattern->match, PCL_MATCH_PATTERN);
	assert_true(pcl_rule_matches_object(pattern, "/file"));
}

static void random_sets_of_every_word_come_back_the_same(void **state)
{
	struct gen_random random = {0x9e3779b97f4a7c15u};

	(void)state;
	for (size_t round = 0; round < 500; round++) {
		struct gen_set drawn;
		pcl_autofree char *text = NULL;
		autojson *json = NULL;
		autoset *set = NULL, *again = NULL;

		gen_draw_set(&random, &drawn);
		text = gen_print(&drawn, 0, NULL);
		set = test_read(text);
		json = to_json(set);
		again = from_json(json);
		if (!pcl_policy_set_equal(set, again))
			fail_msg("round %zu comes back changed:\n%s", round, text);
	}
}

static void a_file_name_that_is_no_utf8_is_shown(void **state)
{
	autostate *one = scratch_state(1);
	autojson *json = NULL;
	autoset *set = NULL;

	(void)state;
	free(one->set->policies[0]->file);
	one->set->policies[0]->file = strdup("/tmp/caf\xe9.yaml");
	json = to_json(one->set);
	set = from_json(json);
	assert_string_equal(set->policies[0]->file, "/tmp/caf?.yaml");
}

/* Tries every key of object, which lies in json: gone, of each other type, and a key too many. */
static void refuse_changes(json_t *json, json_t *object, const char *optional)
{
	autojson *original = json_deep_copy(object);
	autoset *set = NULL;
	const char *key;
	json_t *value;

	json_object_foreach(original, key, value) {
		json_t *wrong[] = {json_null(),	    json_true(),  json_integer(-1),
				   json_string(""), json_array(), json_object()};

		json_object_del(object, key);
		if (strcmp(key, optional))
			refused(json, "without", key);
		for (size_t i = 0; i < PCL_ARRAY_SIZE(wrong); i++) {
			json_object_set(object, key, wrong[i]);
			if (json_typeof(wrong[i]) != json_typeof(value) ||
			    json_is_integer(wrong[i]))
				refused(json, "changed", key);
			json_decref(wrong[i]);
		}
		json_object_set(object, key, value);
	}
	json_object_set_new(object, "unheard-of", json_true());
	refused(json, "with", "unheard-of");
	json_object_del(object, "unheard-of");
	set = from_json(json);
}

static void whatever_is_missing_or_changed_is_noticed(void **state)
{
	autostate *one = scratch_state(1);
	autojson *json = to_json(one->set);
	json_t *policy = json_array_get(json, 1);

	(void)state;
	refuse_changes(json, policy, "");
	refuse_changes(json, json_array_get(json_object_get(policy, "rules"), 0), "message");
}

/* Sets key of object, which lies in json, to a JSON text, expects a refusal, and sets it back. */
static void refuse_value(json_t *json, json_t *object, const char *key, const char *value)
{
	autojson *was = json_deep_copy(json_object_get(object, key));

	assert_non_null(was);
	json_object_set_new(object, key, json_loads(value, JSON_DECODE_ANY, NULL));
	refused(json, value, key);
	json_object_set(object, key, was);
}

/* Values of the right type that no policy has. */
static void values_that_no_rule_has_are_noticed(void **state)
{
	static const struct {
		const char *key;
		const char *value;
	} wrong[] = {
		{"class", "8"},
		{"class", "2"},
		{"match", "12"},
		{"match", "4"},
		{"match", "5"},
		{"action", "3"},
		{"flags", "16"},
		{"flags", "8"},
		{"severity", "11"},
		{"number", "1"},
		{"device", "[0, 0, 0, 1]"},
		{"device", "[0, 0, 0]"},
		{"device", "[0, 0, 0, 0, 0]"},
		{"object", "\"srv\""},
		{"object", "\"/srv/\""},
		{"object", "\"/srv/../etc\""},
		{"sources", "[\"/bin/b\", \"/bin/a\"]"},
		{"sources", "[\"/bin/a\", \"/bin/a\"]"},
		{"sources", "[\"bin\"]"},
		{"sources", "[1]"},
		{"args", "[\"-c\"]"},
		{"syscalls", "[\"unlink\"]"},
		{"tags", "[null]"},
		{"id", "\"\""},
	};
	autostate *one = scratch_state(1);
	autojson *json = to_json(one->set);
	json_t *policy = json_array_get(json, 1);
	json_t *rule = json_array_get(json_object_get(policy, "rules"), 0);

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(wrong); i++)
		refuse_value(json, rule, wrong[i].key, wrong[i].value);
	/* A host policy has no namespace, and a selector's values are texts. */
	json_object_set_new(policy, "kind", json_integer(PCL_KIND_HOST));
	refused(json, "host policy with", "namespace");
	json_object_set_new(policy, "kind", json_integer(PCL_KIND_COUNT));
	refused(json, "unknown", "kind");
	json_object_set_new(policy, "kind", json_integer(PCL_KIND_CONTAINER));
	json_object_set_new(json_object_get(policy, "selector"), "app", json_integer(1));
	refused(json, "number in", "selector");
}

/* The first rule of everything that has such a matcher. */
static json_t *rule_with(json_t *policies, enum pcl_match match)
{
	json_t *policy, *rule;
	size_t i, r;

	json_array_foreach(policies, i, policy)
		json_array_foreach(json_object_get(policy, "rules"), r, rule)
			if (json_integer_value(json_object_get(rule, "match")) == (int)match)
				return rule;
	fail_msg("no rule with matcher %d", (int)match);
	return NULL;
}

static void values_that_no_such_rule_has_are_noticed(void **state)
{
	static const struct {
		enum pcl_match match;
		const char *key;
		const char *value;
	} wrong[] = {
		{PCL_MATCH_PATH, "args", "[]"},
		{PCL_MATCH_PATH, "args", "[\"b\", \"a\"]"},
		{PCL_MATCH_NAME, "object", "\"\""},
		{PCL_MATCH_NAME, "object", "\"a/b\""},
		{PCL_MATCH_NAME, "class", "1"},
		{PCL_MATCH_PATTERN, "object", "\"/f[\""},
		{PCL_MATCH_PROTOCOL, "number", "13"},
		{PCL_MATCH_PROTOCOL, "number", "2"},
		{PCL_MATCH_DOMAIN, "object", "\"\""},
		{PCL_MATCH_CAPABILITY, "number", "200"},
		{PCL_MATCH_CAPABILITY, "object", "\"net_rew\""},
		{PCL_MATCH_SYSCALL, "object", "\"/x\""},
		{PCL_MATCH_SYSCALL, "syscalls", "[]"},
		{PCL_MATCH_SYSCALL, "syscalls", "[\"unlink\", \"open\"]"},
		{PCL_MATCH_SYSCALL, "source_dirs", "[{\"path\": \"/d/\", \"recursive\": true}]"},
		{PCL_MATCH_SYSCALL, "source_dirs", "[{\"path\": \"/d\"}]"},
		{PCL_MATCH_SYSCALL, "source_dirs", "[1]"},
		{PCL_MATCH_PRESET, "number", "0"},
		{PCL_MATCH_PRESET, "number", "5"},
		{PCL_MATCH_PRESET, "class", "1"},
		{PCL_MATCH_DEVICE, "device", "[256, -1, -1, 2]"},
		{PCL_MATCH_DEVICE, "device", "[3, -2, -1, 2]"},
	};
	autoset *set = test_read(everything);
	autojson *json = to_json(set);

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(wrong); i++)
		refuse_value(json, rule_with(json, wrong[i].match), wrong[i].key, wrong[i].value);
}

static void selectors_that_no_policy_has_are_noticed(void **state)
{
	static const char *const wrong[] = {
		"{}",
		"[1]",
		"[{\"namespace\": true, \"negated\": false}]",
		"[{\"namespace\": true, \"negated\": false, \"values\": []}]",
		"[{\"namespace\": true, \"negated\": false, \"values\": [\"b\", \"a\"]}]",
		"[{\"namespace\": true, \"negated\": false, \"values\": [\"a\"], \"x\": 1}]",
	};
	autoset *set = test_read(everything);
	autojson *json = to_json(set);
	json_t *policy = json_array_get(json, 0), *cluster = json_array_get(json, 2);

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(wrong); i++)
		refuse_value(json, cluster, "expressions", wrong[i]);
	/* Only cluster policies are not of one namespace. */
	refuse_value(json, policy, "expressions",
		     "[{\"namespace\": true, \"negated\": false, \"values\": [\"a\"]}]");
	refuse_value(json, policy, "kind", "2");
	refuse_value(json, policy, "containers", "[\"d\", \"c\"]");
	refuse_value(json, policy, "containers", "[1]");
}

static void labels_are_shown_as_they_are_given(void **state)
{
	const struct pcl_label labels[] = {{"a", "b"}, {"c", ""}};
	pcl_autofree char *none = pcl_labels_text(labels, 0), *two = pcl_labels_text(labels, 2);

	(void)state;
	assert_null(none);
	assert_string_equal(two, "a=b,c=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_comes_back_whole),
		cmocka_unit_test(random_sets_come_back_the_same),
		cmocka_unit_test(every_kind_of_rule_comes_back),
		cmocka_unit_test(random_sets_of_every_word_come_back_the_same),
		cmocka_unit_test(a_file_name_that_is_no_utf8_is_shown),
		cmocka_unit_test(whatever_is_missing_or_changed_is_noticed),
		cmocka_unit_test(values_that_no_rule_has_are_noticed),
		cmocka_unit_test(values_that_no_such_rule_has_are_noticed),
		cmocka_unit_test(selectors_that_no_policy_has_are_noticed),
		cmocka_unit_test(labels_are_shown_as_they_are_given),
	};

	return cmocka_run_group_tests_name("model_json", tests, NULL, NULL);
}
