/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's own copy of the policies: what is saved comes back the same, damage is refused.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/model_json.h"
#include "policy/decide.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set

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

static void what_is_saved_comes_back(void **state)
{
	autoset *set = test_read(everything);
	pcl_cleanup(drop_json) json_t *json = pcl_policies_to_json(set);
	autoset *again = NULL;
	const struct pcl_rule *pattern;

	(void)state;
	assert_non_null(json);
	assert_int_equal(pcl_policies_from_json(json, &again, NULL), 0);
	assert_true(pcl_policy_set_equal(set, again));
	assert_string_equal(again->policies[0]->file, "test.yaml");
	pattern = again->policies[0]->rules[2];
	assert_int_equal(pattern->match, PCL_MATCH_PATTERN);
	assert_true(pcl_rule_matches_object(pattern, "/file"));
}

static void damage_is_refused(void **state)
{
	static const struct {
		const char *key;
		json_int_t value;
	} damages[] = {
		{"class", PCL_CLASS_COUNT},
		{"match", PCL_MATCH_COUNT},
		{"match", -1},
		{"action", PCL_ACTION_COUNT},
	};
	autoset *set = test_read(everything);

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(damages); i++) {
		pcl_cleanup(drop_json) json_t *json = pcl_policies_to_json(set);
		json_t *rules = json_object_get(json_array_get(json, 0), "rules");
		autoset *again = NULL;

		assert_int_equal(json_object_set_new(json_array_get(rules, 0), damages[i].key,
						     json_integer(damages[i].value)),
				 0);
		assert_int_equal(pcl_policies_from_json(json, &again, NULL), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_saved_comes_back),
		cmocka_unit_test(damage_is_refused),
	};

	return cmocka_run_group_tests_name("model_json", tests, NULL, NULL);
}
