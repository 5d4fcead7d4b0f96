/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The emulation of KubeArmor's enforcers: the order in which each takes rules, and what it ignores.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/kubearmor.h"
#include "policy/near.h"
#include "policy/question.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set
#define BPF PCL_KUBEARMOR_BPF
#define APPARMOR PCL_KUBEARMOR_APPARMOR
#define SELINUX PCL_KUBEARMOR_SELINUX
#define DEVICES PCL_KUBEARMOR_DEVICES

struct expected {
	const char *spec;
	enum pcl_kubearmor enforcer;
	const char *operation;
	bool refused;
};

static void check(const struct expected *expected, bool host, enum pcl_posture posture)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_autofree char *text =
		test_policy_text(host ? TEST_HOST : TEST_CONTAINER, "p", expected->spec);
	autoset *set = test_read(text);
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *ruleset = NULL;
	pcl_cleanup(pcl_near_index_free) struct pcl_near_index *index = NULL;
	pcl_cleanup(pcl_question_free) struct pcl_question *question = NULL;
	struct pcl_postures postures = {posture, posture, posture, posture};
	struct pcl_kubearmor_verdict verdict;
	struct pcl_kubearmor_lists lists;
	struct pcl_near near;

	assert_int_equal(host ? pcl_domain_new_host("node", NULL, &domain, NULL)
			      : pcl_domain_new("web", "default", NULL, &domain, NULL),
			 0);
	assert_int_equal(pcl_resolve(set, domain, &postures, &ruleset), 0);
	assert_int_equal(pcl_near_index_new(set, ruleset, &index), 0);
	if (pcl_question_parse(expected->operation, &question, &diag))
		fail_msg("%s: %s", expected->operation, pcl_diag_text(&diag));
	assert_true(pcl_kubearmor_serves(expected->enforcer, domain, question->operation.access));
	pcl_kubearmor_find_lists(ruleset, &lists);
	pcl_near_find(index, &question->operation, &near);
	pcl_kubearmor_decide(expected->enforcer, ruleset, &lists, near.rules, near.count,
			     &question->operation, &verdict);
	if (verdict.refused != expected->refused)
		fail_msg("%s: \"%s\" is %s with\n%s", pcl_kubearmor_name(expected->enforcer),
			 expected->operation, verdict.refused ? "refused" : "permitted",
			 expected->spec);
}

static const char narrow_allow[] = "  file:\n    matchPaths: [{path: /d/k, action: Allow}]\n"
				   "    matchDirectories: [{dir: /d/}]\n";
static const char source_allow[] =
	"  file:\n    matchPaths:\n    - {path: /k}\n"
	"    - {path: /k, action: Allow, fromSource: [{path: /bin/cat}]}\n";
static const char later_allow[] =
	"  file:\n    matchPaths:\n    - {path: /k}\n    - {path: /k, action: Allow}\n";
static const char later_block[] =
	"  file:\n    matchPaths:\n    - {path: /k, action: Allow}\n    - {path: /k}\n";
static const char source_dir[] =
	"  file:\n    matchPaths: [{path: /d/k}]\n    matchDirectories:\n"
	"    - {dir: /d/, action: Allow, fromSource: [{path: /bin/cat}]}\n";
static const char plain_below_recursive[] =
	"  file:\n    matchDirectories:\n    - {dir: /d/, recursive: true, action: Allow}\n"
	"    - {dir: /d/e/}\n";
static const char recursive_below_recursive[] =
	"  file:\n    matchDirectories:\n    - {dir: /d/, recursive: true, action: Allow}\n"
	"    - {dir: /d/e/, recursive: true}\n";
static const char name_and_dir[] = "  process:\n    matchPaths: [{execname: a, action: Allow}]\n"
				   "    matchDirectories: [{dir: /bin/}]\n";
static const char type_and_protocol[] =
	"  network:\n    matchProtocols: [{protocol: stream}, {protocol: tcp, action: Allow}]\n";
static const char dns[] = "  network:\n    matchDNSQueries:\n    - {domain: com}\n"
			  "    - {domain: a.com, action: Allow}\n";
static const char process_list[] = "  process: {matchPaths: [{path: /bin/a, action: Allow}]}\n";

static void bpf_takes_the_first_match(void **state)
{
	static const struct expected cases[] = {
		{narrow_allow, BPF, "file read /d/k", false},
		{narrow_allow, BPF, "file read /d/other", true},
		{source_allow, BPF, "file read /k by /bin/cat", false},
		{source_allow, BPF, "file read /k by /bin/dd", true},
		{later_allow, BPF, "file read /k", false},
		{later_block, BPF, "file read /k", true},
		{source_dir, BPF, "file read /d/k by /bin/cat", false},
		{source_dir, BPF, "file read /d/k by /bin/dd", true},
		{plain_below_recursive, BPF, "file read /d/e/k", false},
		{recursive_below_recursive, BPF, "file read /d/e/k", true},
		{name_and_dir, BPF, "exec /bin/a", false},
		{name_and_dir, BPF, "exec /bin/b", true},
		{type_and_protocol, BPF, "connect tcp", true},
		{dns, BPF, "resolve x.a.com", false},
		{dns, BPF, "resolve b.com", true},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++)
		check(&cases[i], false, PCL_POSTURE_AUDIT);
}

static void bpf_ignores_what_it_does_not_know(void **state)
{
	static const struct expected cases[] = {
		{"  file: {matchPatterns: [{pattern: /k*}]}\n", BPF, "file read /k", false},
		{"  process: {matchPaths: [{execname: a, fromSource: [{path: /bin/b}]}]}\n", BPF,
		 "exec /bin/a by /bin/b", false},
		{"  network: {matchProtocols: [{protocol: tcp}]}\n", BPF,
		 "connect stream family unix", true},
		{"  network: {matchProtocols: [{protocol: tcp}]}\n", APPARMOR,
		 "connect stream family unix", false},
		{"  file: {matchDirectories: [{dir: /d/, recursive: true}]}\n", BPF,
		 "file read /d/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20", true},
		{"  file: {matchDirectories: [{dir: /d/, recursive: true}]}\n", BPF,
		 "file read /d/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21", false},
		/* A pattern that it ignores makes no list, either. */
		{"  file: {matchPatterns: [{pattern: /k*, action: Allow}]}\n", BPF, "file read /x",
		 false},
		{"  file: {matchPaths: [{path: /k, action: Allow}]}\n", BPF, "file read /x", true},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++)
		check(&cases[i], false, PCL_POSTURE_BLOCK);
}

static void apparmor_lets_deny_win_within_a_profile(void **state)
{
	static const struct expected cases[] = {
		{narrow_allow, APPARMOR, "file read /d/k", true},
		{later_allow, APPARMOR, "file read /k", true},
		{source_allow, APPARMOR, "file read /k by /bin/cat", false},
		{source_allow, APPARMOR, "file read /k by /bin/dd", true},
		{source_dir, APPARMOR, "file read /d/k by /bin/cat", false},
		{"  process: {matchPaths: [{path: /bin/a, pts: false}]}\n", APPARMOR, "exec /bin/a",
		 true},
		{dns, APPARMOR, "resolve com", false},
		{"  presets: [{name: filelessExec, action: Block}]\n", APPARMOR, "exec none",
		 false},
		{"  presets: [{name: filelessExec, action: Block}]\n", BPF, "exec none", true},
	};
	static const struct expected lists[] = {
		{process_list, APPARMOR, "exec /bin/a", false},
		{process_list, APPARMOR, "exec /bin/b", true},
		{process_list, APPARMOR, "file read /etc/passwd", true},
		{process_list, BPF, "file read /etc/passwd", false},
		{process_list, APPARMOR, "connect tcp", false},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++)
		check(&cases[i], false, PCL_POSTURE_AUDIT);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(lists); i++)
		check(&lists[i], false, PCL_POSTURE_BLOCK);
}

static void selinux_gives_a_file_one_label(void **state)
{
	static const char source_and_any[] =
		"  file:\n    matchPaths:\n    - {path: /k}\n"
		"    - {path: /k, action: Allow, fromSource: [{path: /bin/cat}]}\n";
	static const char two_sources[] = "  file:\n    matchPaths:\n"
					  "    - {path: /k, fromSource: [{path: /bin/a}]}\n"
					  "    - {path: /k, fromSource: [{path: /bin/b}]}\n";
	static const struct expected cases[] = {
		/* The line of everybody comes last. */
		{source_and_any, SELINUX, "file read /k by /bin/cat", true},
		{source_and_any, SELINUX, "file read /k by /bin/dd", true},
		{two_sources, SELINUX, "file read /k by /bin/a", false},
		{two_sources, SELINUX, "file read /k by /bin/b", true},
		/* Directories keep their label. */
		{"  file: {matchDirectories: [{dir: /d/}]}\n", SELINUX, "file read /d", false},
		{"  file: {matchDirectories: [{dir: /d/}]}\n", SELINUX, "file read /d/k", true},
		{"  file: {matchPaths: [{path: /k, readOnly: true}]}\n", SELINUX, "file read /k",
		 false},
		{"  file: {matchPaths: [{path: /k, readOnly: true}]}\n", SELINUX, "file write /k",
		 true},
		{"  file: {matchPaths: [{path: /k, ownerOnly: true}]}\n", SELINUX,
		 "file read /k uid 1 owner 1", true},
		{"  file: {matchPatterns: [{pattern: /k*}]}\n", SELINUX, "file read /k", false},
		{"  network: {matchProtocols: [{protocol: tcp, fromSource: [{path: /bin/a}]}]}\n",
		 SELINUX, "connect tcp by /bin/a", true},
		{"  capabilities: {matchCapabilities: [{capability: chown, fromSource: [{path: "
		 "/bin/a}]}]}\n",
		 SELINUX, "capability chown by /bin/a", false},
		{"  capabilities: {matchCapabilities: [{capability: chown, fromSource: [{path: "
		 "/bin/a}]}]}\n",
		 BPF, "capability chown by /bin/a", false},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++)
		check(&cases[i], true, PCL_POSTURE_AUDIT);
}

static void of_devices_the_rule_that_tells_most_decides(void **state)
{
	static const char spec[] = "  device:\n    matchDevice:\n    - {class: ALL, level: 2}\n"
				   "    - {class: HID, subClass: 1, action: Allow}\n"
				   "    - {class: HID}\n";
	static const struct expected cases[] = {
		{spec, DEVICES, "device HID subclass 1", false},
		{spec, DEVICES, "device HID subclass 2", true},
		{spec, DEVICES, "device HUB level 2", true},
		{spec, DEVICES, "device HUB level 1", false},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++)
		check(&cases[i], true, PCL_POSTURE_AUDIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bpf_takes_the_first_match),
		cmocka_unit_test(bpf_ignores_what_it_does_not_know),
		cmocka_unit_test(apparmor_lets_deny_win_within_a_profile),
		cmocka_unit_test(selinux_gives_a_file_one_label),
		cmocka_unit_test(of_devices_the_rule_that_tells_most_decides),
	};

	return cmocka_run_group_tests_name("kubearmor", tests, NULL, NULL);
}
