/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision over operations of every class, asked in words.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/question.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set

/* A question to a host policy's spec; every class has the posture block. */
struct question {
	const char *text;
	bool refused;
	const char *rule; /* the id's part after '#'; NULL: none decides */
};

static struct pcl_verdict ask(const struct pcl_policy_set *set, const struct pcl_domain *domain,
			      const char *text)
{
	static const struct pcl_postures block = {PCL_POSTURE_BLOCK, PCL_POSTURE_BLOCK,
						  PCL_POSTURE_BLOCK, PCL_POSTURE_BLOCK};
	pcl_cleanup(pcl_question_free) struct pcl_question *question = NULL;
	pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *ruleset = NULL;
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct pcl_verdict verdict;
	enum pcl_class class;

	if (pcl_question_parse(text, &question, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	assert_int_equal(pcl_resolve(set, domain, &block, &ruleset), 0);
	pcl_decide(ruleset, &question->operation, &verdict);
	class = pcl_access_class(question->operation.access);
	assert_int_equal(verdict.error, !verdict.refused ? 0
					: class == PCL_CLASS_CAPABILITY || class == PCL_CLASS_DNS
						? -EPERM
						: -EACCES);
	return verdict;
}

static void answers(const char *spec, const struct question *questions, size_t count)
{
	pcl_autofree char *text = test_policy_text(TEST_HOST, "p", spec);
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	autoset *set = test_read(text);

	assert_int_equal(pcl_domain_new_host("node", NULL, &domain, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		struct pcl_verdict verdict = ask(set, domain, questions[i].text);
		const char *rule = verdict.rule ? strchr(verdict.rule->id, '#') + 1 : NULL;

		if (verdict.refused != questions[i].refused || !rule != !questions[i].rule ||
		    (rule && strcmp(rule, questions[i].rule) != 0))
			fail_msg("%s: %s by %s", questions[i].text,
				 verdict.refused ? "refused" : "permitted", rule ? rule : "none");
	}
}

#define ANSWERS(spec, ...)                                                                         \
	do {                                                                                       \
		static const struct question questions_[] = {__VA_ARGS__};                         \
		answers(spec, questions_, PCL_ARRAY_SIZE(questions_));                             \
	} while (0)

#define P0 "process.matchPaths[0]"
#define T0 "process.matchPatterns[0]"
#define F0 "file.matchPaths[0]"
#define N0 "network.matchProtocols[0]"
#define Q0 "network.matchDNSQueries[0]"
#define C0 "capabilities.matchCapabilities[0]"
#define D0 "device.matchDevice[0]"

static void names_and_patterns(void **state)
{
	(void)state;
	ANSWERS("  process: {matchPaths: [{execname: apt, fromSource: [{path: /bin/sh}]}]}\n",
		{"exec /usr/bin/apt by /bin/sh", true, P0}, {"exec /apt by /bin/sh", true, P0},
		{"exec /usr/bin/apt", false, NULL},
		{"exec /usr/bin/apt-get by /bin/sh", false, NULL},
		{"exec /apt/x by /bin/sh", false, NULL}, {"exec none by /bin/sh", false, NULL});
	ANSWERS("  process: {matchPatterns: [{pattern: \"/usr/{bin,sbin}/apt*\"}]}\n",
		{"exec /usr/bin/apt", true, T0}, {"exec /usr/sbin/apt-get", true, T0},
		{"exec /usr/bin/apt/x", false, NULL}, {"exec /bin/apt", false, NULL});
	ANSWERS("  process: {matchPatterns: [{pattern: \"**/apt\"}]}\n",
		{"exec /a/b/apt", true, T0}, {"exec /a/b/apt2", false, NULL});
}

static void conditions_become_plain(void **state)
{
	(void)state;
	ANSWERS("  process: {matchPaths: [{path: /a, ownerOnly: true}]}\n",
		{"exec /a uid 5 owner 5", false, P0}, {"exec /a uid 0 owner 5", true, P0},
		{"exec /a", true, P0}, {"exec /b", false, NULL});
	ANSWERS("  process: {matchPaths: [{path: /a, pts: false}]}\n", {"exec /a", false, P0},
		{"exec /a terminal", true, P0});
	ANSWERS("  process: {matchPaths: [{path: /a, allowedArgs: [\"-m\", random]}]}\n",
		{"exec /a args -m,random", false, P0}, {"exec /a args random", false, P0},
		{"exec /a args -m,pydoc", true, P0}, {"exec /a", true, P0});
	/* The owner may read, nobody may change, for Allow and Block alike. */
	ANSWERS("  file: {matchPaths: [{path: /a, ownerOnly: true, readOnly: true, action: "
		"Allow}]}\n",
		{"file read /a uid 5 owner 5", false, F0}, {"file read /a", true, F0},
		{"file write /a uid 5 owner 5", true, F0}, {"file read /b", true, NULL});
}

static void sockets(void **state)
{
	(void)state;
	ANSWERS("  network: {matchProtocols: [{protocol: tcp}]}\n", {"connect tcp", true, N0},
		{"connect tcp family inet6", true, N0}, {"connect stream", false, NULL},
		{"connect udp", false, NULL}, {"connect sctp", false, NULL});
	ANSWERS("  network: {matchProtocols: [{protocol: raw}]}\n", {"connect raw", true, N0},
		{"connect icmp type raw", true, N0}, {"connect icmp", false, NULL},
		{"connect packet type raw", true, N0}, {"connect raw family netlink", false, NULL},
		{"connect raw family unix", false, NULL});
	ANSWERS("  network: {matchProtocols: [{protocol: stream}]}\n", {"connect stream", true, N0},
		{"connect tcp", true, N0}, {"connect udp", false, NULL});
	ANSWERS("  network: {matchProtocols: [{protocol: all}, {protocol: udp}]}\n",
		{"connect packet", true, N0}, {"connect udp", true, "network.matchProtocols[1]"});
	/* An allow-list of protocols lists no names, and the reverse. */
	ANSWERS("  network: {matchProtocols: [{protocol: tcp, action: Allow, fromSource: [{path: "
		"/bin/curl}]}]}\n",
		{"connect tcp by /bin/curl", false, N0}, {"connect tcp", true, NULL},
		{"connect udp by /bin/curl", true, NULL}, {"resolve a.example", false, NULL});
}

static void an_mptcp_socket_is_tcp(void **state)
{
	const struct pcl_socket mptcp = {2, 1 | 02000000, 262}, plain = {10, 1 | 04000, 0};

	(void)state;
	assert_true(pcl_protocol_matches(PCL_PROTOCOL_TCP, &mptcp));
	assert_true(pcl_protocol_matches(PCL_PROTOCOL_TCP, &plain));
	assert_true(pcl_protocol_matches(PCL_PROTOCOL_STREAM, &mptcp));
	assert_false(pcl_protocol_matches(PCL_PROTOCOL_UDP, &mptcp));
}

static void names_of_hosts(void **state)
{
	(void)state;
	ANSWERS("  network: {matchDNSQueries: [{domain: Google.com}]}\n",
		{"resolve google.com", true, Q0}, {"resolve WWW.google.COM.", true, Q0},
		{"resolve a.b.google.com", true, Q0}, {"resolve notgoogle.com", false, NULL},
		{"resolve com", false, NULL}, {"resolve google.com.evil", false, NULL});
	/* The longer name is the more specific. */
	ANSWERS("  network: {matchDNSQueries: [{domain: com}, {domain: google.com}]}\n",
		{"resolve www.google.com", true, "network.matchDNSQueries[1]"});
}

static void capabilities(void **state)
{
	(void)state;
	ANSWERS("  capabilities: {matchCapabilities: [{capability: net_raw}]}\n",
		{"capability net_raw", true, C0}, {"capability chown", false, NULL});
	ANSWERS("  capabilities: {matchCapabilities: [{capability: chown, action: Allow}]}\n",
		{"capability chown", false, C0}, {"capability net_raw", true, NULL});
}

static void system_calls_are_only_audited(void **state)
{
	pcl_autofree char *text = test_policy_text(
		TEST_HOST, "p",
		"  syscalls:\n    matchSyscalls: [{syscall: [mount], fromSource: [{dir: /usr/, "
		"recursive: true}]}]\n    matchPaths: [{path: /home/, recursive: true, syscall: "
		"[unlink]}]\n  action: Allow\n");
	static const struct {
		const char *text;
		const char *rule;
	} tries[] = {
		{"syscall mount by /usr/bin/x", "syscalls.matchSyscalls[0]"},
		{"syscall mount by /bin/x", NULL},
		{"syscall mount", NULL},
		{"syscall unlink /home/a/b", "syscalls.matchPaths[0]"},
		{"syscall unlink /srv", NULL},
		{"syscall unlink", NULL},
	};
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	autoset *set = test_read(text);

	(void)state;
	assert_int_equal(pcl_domain_new_host("node", NULL, &domain, NULL), 0);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(tries); i++) {
		struct pcl_verdict verdict = ask(set, domain, tries[i].text);

		assert_false(verdict.refused);
		assert_null(verdict.rule);
		assert_int_equal(verdict.alert, tries[i].rule != NULL);
		if (tries[i].rule)
			assert_string_equal(strchr(verdict.audit_rule->id, '#') + 1, tries[i].rule);
	}
}

static void devices(void **state)
{
	(void)state;
	ANSWERS("  device: {matchDevice: [{class: HID, protocol: 1}, {class: ALL, level: 3}]}\n",
		{"device HID protocol 1", true, D0}, {"device HID protocol 2", false, NULL},
		{"device HUB level 3", true, "device.matchDevice[1]"});
	/* Block beats Allow here too, however the two are weighed. */
	ANSWERS("  device: {matchDevice: [{class: HID, level: 1, action: Allow}, {class: ALL}]}\n",
		{"device HID", true, "device.matchDevice[1]"});
}

static void presets(void **state)
{
	static const char *const spec =
		"spec:\n  selector: {matchLabels: {a: b}}\n  presets:\n  - {name: filelessExec}\n"
		"  - {name: anonymousMapExec}\n  - {name: protectEnv}\n  - {name: exec}\n";
	static const struct question questions[] = {
		{"exec none", true, "presets[0]"},
		{"exec /dev/shm/x", true, "presets[0]"},
		{"exec /dev/shmx", false, NULL},
		{"map", true, "presets[1]"},
		{"file read /proc/12/environ", true, "presets[2]"},
		{"file read /proc/12/task/13/environ", true, "presets[2]"},
		{"file read /proc/12/environ own", false, NULL},
		{"file read /proc/12/maps", false, NULL},
		{"file read /proc/sys/environ", false, NULL},
		{"exec /bin/sh entered", true, "presets[3]"},
		{"exec /bin/sh", false, NULL},
	};
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	pcl_autofree char *text = NULL;
	autoset *set = NULL;

	(void)state;
	assert_true(asprintf(&text,
			     "apiVersion: security.kubearmor.com/v1\nkind: KubeArmorPolicy\n"
			     "metadata: {name: p}\n%s",
			     spec) > 0);
	set = test_read(text);
	assert_int_equal(pcl_domain_new("c", NULL, "a=b", &domain, NULL), 0);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(questions); i++) {
		struct pcl_verdict verdict = ask(set, domain, questions[i].text);

		if (verdict.refused != questions[i].refused)
			fail_msg("%s", questions[i].text);
		if (questions[i].rule)
			assert_string_equal(strchr(verdict.rule->id, '#') + 1, questions[i].rule);
	}
}

static void an_allow_list_does_not_forbid_mapping(void **state)
{
	(void)state;
	ANSWERS("  process: {matchPaths: [{path: /a, action: Allow}]}\n", {"map", false, NULL},
		{"exec /b", true, NULL}, {"exec none", true, NULL});
}

static void native_rules_decide_nothing(void **state)
{
	(void)state;
	ANSWERS("  apparmor: deny /a rw,\n", {"file read /a", false, NULL});
}

/* The index must find what looking at every rule finds. */
static void the_index_hides_no_rule(void **state)
{
	static const char *const questions[] = {"exec /",	    "exec /a",
						"exec /a/b/c",	    "file read /a/b",
						"file write /",	    "connect udp",
						"resolve a.b.c",    "capability kill",
						"device HUB",	    "exec none",
						"file read /a/b.c", "exec /x/y/sh by /bin/x",
						"syscall unlink /a"};
	pcl_autofree char *text = test_policy_text(
		TEST_HOST, "p",
		"  process:\n    matchPaths: [{execname: sh}, {path: /a}]\n    matchDirectories: "
		"[{dir: /}, {dir: /a/, recursive: true}]\n    matchPatterns: [{pattern: \"**\"}, "
		"{pattern: \"/a/*/c\"}, {pattern: \"{/x,/y}/**\"}]\n"
		"  file:\n    matchPatterns: [{pattern: /a/*.c}, {pattern: \"/?\"}]\n"
		"    matchDirectories: [{dir: /, recursive: true}]\n"
		"  network: {matchProtocols: [{protocol: all}, {protocol: \"dgram,udp\"}], "
		"matchDNSQueries: [{domain: c}, {domain: b.c}]}\n"
		"  capabilities: {matchCapabilities: [{capability: kill}]}\n"
		"  device: {matchDevice: [{class: ALL}, {class: HUB}]}\n"
		"  syscalls: {matchPaths: [{path: /a, syscall: [unlink]}]}\n");
	const struct pcl_postures postures = {.file = PCL_POSTURE_AUDIT};
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *ruleset = NULL;
	autoset *set = test_read(text);

	(void)state;
	assert_int_equal(pcl_domain_new_host("node", NULL, &domain, NULL), 0);
	assert_int_equal(pcl_resolve(set, domain, &postures, &ruleset), 0);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(questions); i++) {
		pcl_cleanup(pcl_question_free) struct pcl_question *question = NULL;
		struct pcl_ruleset plain = *ruleset;
		struct pcl_verdict fast, slow;

		plain.index = NULL;
		assert_int_equal(pcl_question_parse(questions[i], &question, NULL), 0);
		pcl_decide(ruleset, &question->operation, &fast);
		pcl_decide(&plain, &question->operation, &slow);
		assert_int_equal(fast.refused, slow.refused);
		assert_ptr_equal(fast.rule, slow.rule);
		assert_ptr_equal(fast.audit_rule, slow.audit_rule);
		assert_int_equal(fast.by_posture, slow.by_posture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_patterns),
		cmocka_unit_test(conditions_become_plain),
		cmocka_unit_test(sockets),
		cmocka_unit_test(an_mptcp_socket_is_tcp),
		cmocka_unit_test(names_of_hosts),
		cmocka_unit_test(capabilities),
		cmocka_unit_test(system_calls_are_only_audited),
		cmocka_unit_test(devices),
		cmocka_unit_test(presets),
		cmocka_unit_test(an_allow_list_does_not_forbid_mapping),
		cmocka_unit_test(native_rules_decide_nothing),
		cmocka_unit_test(the_index_hides_no_rule),
	};

	return cmocka_run_group_tests_name("operation", tests, NULL, NULL);
}
