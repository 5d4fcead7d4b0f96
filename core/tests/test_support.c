/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each backend says that it enforces: a promise that apply relies on.
 */
#include <string.h>

#include "backend/backend.h"
#include "base/cleanup.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set

static void each_rule_is_enforced_or_refused_with_a_reason(void **state)
{
	static const struct {
		const char *spec;
		const char *reason; /* of bpf_lsm; NULL: it enforces the rule */
	} rules[] = {
		{"  file: {matchPaths: [{path: /a}]}\n", NULL},
		{"  file: {matchPaths: [{path: /a, readOnly: true, action: Allow}]}\n", NULL},
		{"  file: {matchDirectories: [{dir: /a/, recursive: true}]}\n", NULL},
		{"  process: {matchPaths: [{path: /a, fromSource: [{path: /s}]}]}\n", NULL},
		{"  process: {matchDirectories: [{dir: /a/, action: Audit}]}\n", NULL},
		{"  file: {matchPatterns: [{pattern: /a*}]}\n", "patterns"},
		{"  process: {matchPaths: [{execname: a}]}\n", "execname"},
		{"  file: {matchPaths: [{path: /a, ownerOnly: true}]}\n", "ownerOnly"},
		{"  file: {matchPaths: [{path: /a, pts: false}]}\n", "pts"},
		{"  process: {matchPaths: [{path: /a, allowedArgs: [x]}]}\n", "allowedArgs"},
		{"  network: {matchProtocols: [{protocol: tcp}]}\n", "network"},
		{"  network: {matchDNSQueries: [{domain: a.b}]}\n", "DNS"},
		{"  capabilities: {matchCapabilities: [{capability: kill}]}\n", "capabilities"},
		{"  syscalls: {matchSyscalls: [{syscall: [mount]}]}\n", "system calls"},
		{"  device: {matchDevice: [{class: HID}]}\n", "devices"},
		{"  apparmor: deny /a rw,\n", "AppArmor"},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(rules); i++) {
		pcl_autofree char *text = test_policy_text(TEST_HOST, "p", rules[i].spec);
		autoset *set = test_read(text);
		const struct pcl_rule *rule = set->policies[0]->rules[0];
		const char *reason = pcl_backend_bpf_lsm.unsupported(rule);

		assert_null(pcl_backend_none.unsupported(rule));
		if (!reason != !rules[i].reason)
			fail_msg("%s: %s", rules[i].spec, reason ? reason : "enforced");
		if (reason)
			test_contains(reason, rules[i].reason);
	}
}

static void presets_are_refused(void **state)
{
	autoset *set = test_read("apiVersion: security.kubearmor.com/v1\nkind: KubeArmorPolicy\n"
				 "metadata: {name: p}\nspec: {selector: {matchLabels: {a: b}}, "
				 "presets: [{name: protectProc}]}\n");

	(void)state;
	test_contains(pcl_backend_bpf_lsm.unsupported(set->policies[0]->rules[0]), "presets");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_is_enforced_or_refused_with_a_reason),
		cmocka_unit_test(presets_are_refused),
	};

	return cmocka_run_group_tests_name("support", tests, NULL, NULL);
}
