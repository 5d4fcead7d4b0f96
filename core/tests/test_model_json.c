/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies as JSON and back: nothing is lost, and nothing but what was written is read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/model_json.h"
#include "scratch.h"
#include "support.h"
#include "world.h"

#define autostate pcl_cleanup(pcl_state_free) struct pcl_state
#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set
#define autojson pcl_cleanup(drop_json) json_t

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

/* Values of the right type that no policy has. */
static void values_that_no_rule_has_are_noticed(void **state)
{
	static const struct {
		const char *key;
		const char *value;
	} wrong[] = {
		{"class", "2"},
		{"match", "3"},
		{"action", "3"},
		{"flags", "4"},
		{"severity", "11"},
		{"object", "\"srv\""},
		{"object", "\"/srv/\""},
		{"object", "\"/srv/../etc\""},
		{"sources", "[\"/bin/b\", \"/bin/a\"]"},
		{"sources", "[\"/bin/a\", \"/bin/a\"]"},
		{"sources", "[\"bin\"]"},
		{"sources", "[1]"},
		{"tags", "[null]"},
		{"id", "\"\""},
	};
	autostate *one = scratch_state(1);
	autojson *json = to_json(one->set);
	json_t *policy = json_array_get(json, 1);
	json_t *rule = json_array_get(json_object_get(policy, "rules"), 0);

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(wrong); i++) {
		autojson *was = json_deep_copy(json_object_get(rule, wrong[i].key));

		json_object_set_new(rule, wrong[i].key,
				    json_loads(wrong[i].value, JSON_DECODE_ANY, NULL));
		refused(json, wrong[i].value, wrong[i].key);
		json_object_set(rule, wrong[i].key, was);
	}
	/* A host policy has no namespace, and a selector's values are texts. */
	json_object_set_new(policy, "kind", json_integer(PCL_KIND_HOST));
	refused(json, "host policy with", "namespace");
	json_object_set_new(policy, "kind", json_integer(PCL_KIND_COUNT));
	refused(json, "unknown", "kind");
	json_object_set_new(policy, "kind", json_integer(PCL_KIND_CONTAINER));
	json_object_set_new(json_object_get(policy, "selector"), "app", json_integer(1));
	refused(json, "number in", "selector");
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
		cmocka_unit_test(a_file_name_that_is_no_utf8_is_shown),
		cmocka_unit_test(whatever_is_missing_or_changed_is_noticed),
		cmocka_unit_test(values_that_no_rule_has_are_noticed),
		cmocka_unit_test(labels_are_shown_as_they_are_given),
	};

	return cmocka_run_group_tests_name("model_json", tests, NULL, NULL);
}
