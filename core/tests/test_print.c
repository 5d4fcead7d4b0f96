/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is printed reads back as the same.
 */
#include <string.h>

#include "base/cleanup.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set

static void round_trip(const char *text)
{
	autoset *set = test_read(text);
	autoset *again = NULL;
	pcl_autofree char *printed = NULL;

	assert_int_equal(pcl_policy_set_print(set, &printed), 0);
	again = test_read(printed);
	if (!pcl_policy_set_equal(set, again))
		fail_msg("not the same:\n%s\n---- printed as\n%s", text, printed);
}

#define HEAD(kind, name)                                                                           \
	"apiVersion: security.kubearmor.com/v1\nkind: " kind "\nmetadata: {name: " name "}\n"

static void every_kind_and_section(void **state)
{
	(void)state;
	round_trip(HEAD(
		"KubeArmorPolicy",
		"a") "spec:\n"
		     "  selector: {matchLabels: {app: x, \"odd \\\" key\": \"v\\\\\"}, containers: [c2, "
		     "c1],\n    matchExpressions: [{key: label, operator: NotIn, values: [a=b, "
		     "c=d]}]}\n"
		     "  severity: 3\n  tags: [one, \"t\\\"wo\"]\n  message: \"line\\nbreak \\u2028 "
		     "\\x85 end\"\n"
		     "  process:\n    matchPaths:\n    - path: /a\n    - {execname: x, action: Allow, "
		     "allowedArgs: [\"-m\", \"\"], pts: false}\n"
		     "    - {path: /b, fromSource: [{path: /s}, {path: /r}], ownerOnly: true}\n"
		     "    matchDirectories:\n    - {dir: /, recursive: true}\n    - {dir: /usr/, tags: "
		     "[other], severity: 9}\n"
		     "    matchPatterns:\n    - pattern: \"/x/**\\\\\\\\*\"\n"
		     "  file:\n    matchPaths:\n    - {path: /a b, readOnly: true, message: own}\n"
		     "    matchDirectories:\n    - {dir: /q/, pts: false, readOnly: true}\n"
		     "    matchPatterns:\n    - {pattern: /f*, readOnly: true, ownerOnly: true}\n"
		     "  network:\n    matchProtocols:\n    - {protocol: \"udp,tcp\", action: Audit}\n"
		     "    - {protocol: raw, pts: false}\n    - {protocol: \"icmp,icmp\"}\n"
		     "    matchDNSQueries:\n    - domain: example.com,example.org\n"
		     "  capabilities: {matchCapabilities: [{capability: net_raw, fromSource: [{path: "
		     "/s}]}]}\n"
		     "  syscalls:\n    matchSyscalls:\n    - {syscall: [unlink, rmdir], fromSource: "
		     "[{path: /s}, {dir: /d/, recursive: true}]}\n"
		     "    matchPaths:\n    - {path: /p/, syscall: [open]}\n    - {path: /p, syscall: "
		     "[open]}\n    - {path: /p/, recursive: true, syscall: [open]}\n"
		     "  presets: [{name: exec}, {name: protectEnv, action: Audit}]\n"
		     "  apparmor: |\n    deny /etc/** rw,\n    deny /x w,\n");
	round_trip(HEAD(
		"KubeArmorHostPolicy",
		"h") "spec:\n"
		     "  nodeSelector: {matchLabels: {kubearmor.io/hostname: \"*\"}}\n"
		     "  device:\n    matchDevice:\n    - class: ALL\n    - {class: HID, subClass: 0, "
		     "protocol: 1, level: 2, action: Allow}\n"
		     "---\n" HEAD(
			     "KubeArmorClusterPolicy",
			     "c") "spec:\n"
				  "  selector: {matchExpressions: [{key: namespace, operator: In, values: [n]}]}\n"
				  "  process: {matchPaths: [{path: /a}]}\n");
}

static void sets_that_differ_are_not_equal(void **state)
{
	static const char *const texts[] = {
		"  file: {matchPaths: [{path: /a}]}\n",
		"  file: {matchPaths: [{path: /b}]}\n",
		"  file: {matchPaths: [{path: /a, readOnly: true}]}\n",
		"  file: {matchPaths: [{path: /a, action: Allow}]}\n",
		"  file: {matchPaths: [{path: /a, severity: 1}]}\n",
		"  file: {matchPaths: [{path: /a, tags: [x]}]}\n",
		"  file: {matchPaths: [{path: /a, message: x}]}\n",
		"  file: {matchPaths: [{path: /a, fromSource: [{path: /s}]}]}\n",
		"  process: {matchPaths: [{path: /a}]}\n",
		"  process: {matchPaths: [{path: /a, allowedArgs: [x]}]}\n",
		"  process: {matchPaths: [{path: /a, allowedArgs: [y]}]}\n",
		"  file: {matchDirectories: [{dir: /a/}]}\n",
		"  device: {matchDevice: [{class: 1}]}\n",
		"  device: {matchDevice: [{class: 1, level: 1}]}\n",
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(texts); i++) {
		pcl_autofree char *left = test_policy_text(TEST_HOST, "p", texts[i]);

		for (size_t j = 0; j < PCL_ARRAY_SIZE(texts); j++) {
			pcl_autofree char *right = test_policy_text(TEST_HOST, "p", texts[j]);
			autoset *a = test_read(left), *b = test_read(right);

			assert_int_equal(pcl_policy_set_equal(a, b), i == j);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_and_section),
		cmocka_unit_test(sets_that_differ_are_not_equal),
	};

	return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
