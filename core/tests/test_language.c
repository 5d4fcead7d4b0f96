/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the whole language: what every field becomes, what every mistake is answered with, and
 * that one run finds several. Metadata, inheritance and files are in test_policy.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set

#define HEAD "apiVersion: security.kubearmor.com/v1\nkind: KubeArmorPolicy\nmetadata:\n  name: p\n"
#define HOST_HEAD                                                                                  \
	"apiVersion: security.kubearmor.com/v1\nkind: KubeArmorHostPolicy\nmetadata:\n  name: h\n"
#define ANY_HOST "  nodeSelector:\n    matchLabels:\n      kubearmor.io/hostname: \"*\"\n"
#define ANY "  selector:\n    matchLabels:\n      app: a\n"
#define PATHS(entry) HEAD "spec:\n" ANY "  file:\n    matchPaths:\n    - " entry "\n"
#define DIRS(entry) HEAD "spec:\n" ANY "  file:\n    matchDirectories:\n    - " entry "\n"
#define PROC(entry) HEAD "spec:\n" ANY "  process:\n    matchPaths:\n    - " entry "\n"
#define SPEC(more) HEAD "spec:\n" ANY more "\n"

/* What the rest of the language's words become; the id is the part after "#". */
struct field {
	const char *text;
	enum pcl_class class;
	enum pcl_match match;
	const char *id;
	const char *object;
	unsigned number;
	unsigned flags;
};

static void every_field_becomes_a_rule(void **state)
{
	static const struct field fields[] = {
		{PROC("{execname: apt}"), PCL_CLASS_PROCESS, PCL_MATCH_NAME,
		 "process.matchPaths[0]", "apt", 0, 0},
		{PROC("{path: /a, ownerOnly: true}"), PCL_CLASS_PROCESS, PCL_MATCH_PATH,
		 "process.matchPaths[0]", "/a", 0, PCL_RULE_OWNER_ONLY},
		{PROC("{path: /a, pts: false}"), PCL_CLASS_PROCESS, PCL_MATCH_PATH,
		 "process.matchPaths[0]", "/a", 0, PCL_RULE_NO_TERMINAL},
		{PROC("{path: /a, allowedArgs: [-m, random]}"), PCL_CLASS_PROCESS, PCL_MATCH_PATH,
		 "process.matchPaths[0]", "/a", 0, PCL_RULE_ALLOWED_ARGS},
		{PATHS("{path: /a, readOnly: true, ownerOnly: true}"), PCL_CLASS_FILE,
		 PCL_MATCH_PATH, "file.matchPaths[0]", "/a", 0,
		 PCL_RULE_READ_ONLY | PCL_RULE_OWNER_ONLY},
		{DIRS("{dir: /a/, pts: false}"), PCL_CLASS_FILE, PCL_MATCH_DIR,
		 "file.matchDirectories[0]", "/a", 0, PCL_RULE_NO_TERMINAL},
		{SPEC("  file: {matchPatterns: [{pattern: \"/etc/*.c\", readOnly: true}]}"),
		 PCL_CLASS_FILE, PCL_MATCH_PATTERN, "file.matchPatterns[0]", "/etc/*.c", 0,
		 PCL_RULE_READ_ONLY},
		{SPEC("  process: {matchPatterns: [{pattern: /b/**, ownerOnly: true}]}"),
		 PCL_CLASS_PROCESS, PCL_MATCH_PATTERN, "process.matchPatterns[0]", "/b/**", 0,
		 PCL_RULE_OWNER_ONLY},
		{SPEC("  network: {matchProtocols: [{protocol: ICMPv6}]}"), PCL_CLASS_NETWORK,
		 PCL_MATCH_PROTOCOL, "network.matchProtocols[0]", "icmpv6", PCL_PROTOCOL_ICMPV6, 0},
		{SPEC("  network: {matchDNSQueries: [{domain: Example.COM.}]}"), PCL_CLASS_DNS,
		 PCL_MATCH_DOMAIN, "network.matchDNSQueries[0]", "example.com", 0, 0},
		{SPEC("  capabilities: {matchCapabilities: [{capability: net_raw}]}"),
		 PCL_CLASS_CAPABILITY, PCL_MATCH_CAPABILITY, "capabilities.matchCapabilities[0]",
		 "net_raw", 13, 0},
		{SPEC("  syscalls: {matchSyscalls: [{syscall: [unlink]}]}\n  action: Audit"),
		 PCL_CLASS_SYSCALL, PCL_MATCH_SYSCALL, "syscalls.matchSyscalls[0]", "", 0, 0},
		{SPEC("  syscalls: {matchPaths: [{path: /home/, recursive: true, syscall: "
		      "[unlink]}]}"),
		 PCL_CLASS_SYSCALL, PCL_MATCH_DIR_RECURSIVE, "syscalls.matchPaths[0]", "/home", 0,
		 0},
		{SPEC("  syscalls: {matchPaths: [{path: /home/, syscall: [unlink]}]}"),
		 PCL_CLASS_SYSCALL, PCL_MATCH_DIR, "syscalls.matchPaths[0]", "/home", 0, 0},
		{SPEC("  presets: [{name: protectEnv, action: Audit}]"), PCL_CLASS_FILE,
		 PCL_MATCH_PRESET, "presets[0]", "protectEnv", PCL_PRESET_PROTECT_ENV, 0},
		{SPEC("  presets: [{name: filelessExec}]"), PCL_CLASS_PROCESS, PCL_MATCH_PRESET,
		 "presets[0]", "filelessExec", PCL_PRESET_FILELESS_EXEC, 0},
		{SPEC("  apparmor: deny /etc/** rw,"), PCL_CLASS_NATIVE, PCL_MATCH_NATIVE,
		 "apparmor", "deny /etc/** rw,", 0, 0},
		{HOST_HEAD "spec:\n" ANY_HOST "  device: {matchDevice: [{class: mass-storage, "
			   "subClass: 6, level: 2}]}\n",
		 PCL_CLASS_DEVICE, PCL_MATCH_DEVICE, "device.matchDevice[0]",
		 "class=8,subClass=6,protocol=any,level=2", 0, 0},
		{HOST_HEAD "spec:\n" ANY_HOST "  device: {matchDevice: [{class: 0x03}]}\n",
		 PCL_CLASS_DEVICE, PCL_MATCH_DEVICE, "device.matchDevice[0]",
		 "class=3,subClass=any,protocol=any,level=any", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(fields); i++) {
		autoset *set = test_read(fields[i].text);
		const struct pcl_rule *rule;

		assert_int_equal(set->policy_count, 1);
		assert_int_equal(set->policies[0]->rule_count, 1);
		rule = set->policies[0]->rules[0];
		assert_int_equal(rule->class, fields[i].class);
		assert_int_equal(rule->match, fields[i].match);
		assert_string_equal(strchr(rule->id, '#') + 1, fields[i].id);
		assert_string_equal(rule->object, fields[i].object);
		assert_int_equal(rule->number, fields[i].number);
		assert_int_equal(rule->flags, fields[i].flags);
		assert_int_equal(rule->glob != NULL, rule->match == PCL_MATCH_PATTERN);
	}
}

static void lists_inside_a_rule_are_sorted_and_unique(void **state)
{
	autoset *args = test_read(PROC("{path: /a, allowedArgs: [b, a, b]}"));
	autoset *calls = test_read(SPEC("  syscalls: {matchSyscalls: [{syscall: [unlink, rmdir], "
					"fromSource: [{path: /bin/x}, {dir: /usr/, recursive: "
					"true}, {dir: /bin}]}]}\n  action: Audit"));
	const struct pcl_rule *rule = args->policies[0]->rules[0];

	(void)state;
	assert_int_equal(rule->arg_count, 2);
	assert_string_equal(rule->args[0], "a");
	assert_string_equal(rule->args[1], "b");
	rule = calls->policies[0]->rules[0];
	assert_int_equal(rule->syscall_count, 2);
	assert_string_equal(rule->syscalls[0], "rmdir");
	assert_int_equal(rule->source_count, 1);
	assert_int_equal(rule->source_dir_count, 2);
	assert_string_equal(rule->source_dirs[0].path, "/bin");
	assert_false(rule->source_dirs[0].recursive);
	assert_string_equal(rule->source_dirs[1].path, "/usr");
	assert_true(rule->source_dirs[1].recursive);
}

static void a_comma_list_becomes_a_rule_for_each_word(void **state)
{
	autoset *set =
		test_read(SPEC("  network: {matchProtocols: [{protocol: \"TCP, udp,tcp\"}]}\n"
			       "  capabilities: {matchCapabilities: [{capability: "
			       "\"CAP_KILL,chown\"}]}"));
	const struct pcl_policy *policy = set->policies[0];

	(void)state;
	assert_int_equal(policy->rule_count, 4);
	assert_string_equal(policy->rules[0]->id, "default/p#network.matchProtocols[0].tcp");
	assert_string_equal(policy->rules[1]->id, "default/p#network.matchProtocols[0].udp");
	assert_string_equal(policy->rules[2]->id,
			    "default/p#capabilities.matchCapabilities[0].kill");
	assert_int_equal(policy->rules[2]->number, 5);
	assert_int_equal(set->notice_count, 2);
	test_contains(set->notices[0], "\"tcp\" is listed twice");
	test_contains(set->notices[1], "\"CAP_KILL\" is read as \"kill\"");
}

static void selectors_of_every_kind(void **state)
{
	autoset *set =
		test_read("apiVersion: security.kubearmor.com/v1\nkind: KubeArmorClusterPolicy\n"
			  "metadata: {name: c}\nspec:\n  selector:\n    matchExpressions:\n"
			  "    - {key: namespace, operator: NotIn, values: [b, a]}\n"
			  "    - {key: label, operator: In, values: [app=x, app=y]}\n"
			  "  process: {matchPaths: [{path: /a}]}\n");
	autoset *list = test_read(HEAD "spec:\n  selector:\n    matchLabels:\n"
				       "      kubearmor.io/container.name: \"[two, one]\"\n"
				       "      app: x\n  file: {matchPaths: [{path: /a}]}\n");
	const struct pcl_policy *policy = set->policies[0];

	(void)state;
	assert_int_equal(policy->kind, PCL_KIND_CLUSTER);
	assert_null(policy->ns);
	assert_string_equal(policy->rules[0]->id, "*/c#process.matchPaths[0]");
	assert_int_equal(policy->expression_count, 2);
	assert_true(policy->expressions[0].on_namespace);
	assert_true(policy->expressions[0].negated);
	assert_string_equal(policy->expressions[0].values[0], "a");
	assert_false(policy->expressions[1].on_namespace);
	assert_false(policy->expressions[1].negated);
	policy = list->policies[0];
	assert_int_equal(policy->selector_count, 1);
	assert_int_equal(policy->container_count, 2);
	assert_string_equal(policy->containers[0], "one");
}

static void mistakes_in_the_other_fields(void **state)
{
	static const struct {
		const char *text;
		const char *place;
		const char *part;
	} bad[] = {
		{SPEC("  network: {matchProtocols: [{protocol: tpc}]}"), ":9:41:", "\"tcp\"?"},
		{SPEC("  network: {matchProtocols: [{protocol: \"tcp,,\"}]}"), ":9:41:", "empty"},
		{SPEC("  network: {matchProtocols: [{}]}"), ":9:30:", "has no protocol"},
		{SPEC("  network: {matchPaths: []}"), ":9:13:", "\"matchPaths\""},
		{SPEC("  network: {matchDNSQueries: [{domain: a..b}]}"), ":9:40:", "no DNS name"},
		{SPEC("  capabilities: {matchCapabilities: [{capability: net_rwa}]}"),
		 ":9:51:", "\"net_raw\"?"},
		{SPEC("  syscalls: {matchSyscalls: [{syscall: [unlik]}]}"),
		 ":9:41:", "\"unlink\"?"},
		{SPEC("  syscalls: {matchSyscalls: [{}]}"), ":9:30:", "has no syscall"},
		{SPEC("  presets: [{name: protectEnvs}]"), ":9:20:", "\"protectEnv\"?"},
		{SPEC("  presets: [{name: exec, action: Allow}]"), ":9:13:", "Audit or Block"},
		{SPEC("  presets: {name: exec}"), ":9:12:", "must be a list"},
		{SPEC("  device: {matchDevice: []}"), ":9:3:", "\"device\" does not belong"},
		{SPEC("  file: {matchPatterns: [{pattern: \"/a[\"}]}"), ":9:36:", "pattern"},
		{SPEC("  file: {matchPatterns: [{pattern: /a, fromSource: []}]}"),
		 ":9:40:", "\"fromSource\" does not belong in file.matchPatterns[0]"},
		{SPEC("  file: {matchPatterns: [{path: /a}]}"), ":9:27:", "\"pattern\"?"},
		{PROC("{execname: a/b}"), ":11:18:", "a file's name"},
		{PROC("{execname: a, path: /a}"), ":11:7:", "two entries"},
		{PATHS("{execname: a}"), ":11:8:", "does not belong"},
		{HOST_HEAD "spec:\n" ANY_HOST "  device: {matchDevice: [{class: HDI}]}\n",
		 ":9:34:", "\"HID\"?"},
		{HOST_HEAD "spec:\n" ANY_HOST "  device: {matchDevice: [{class: 256}]}\n",
		 ":9:34:", "at most 255"},
		{HOST_HEAD "spec:\n" ANY_HOST "  presets: []\n", ":9:3:", "does not belong"},
		{HEAD "spec:\n  selector: {matchExpressions: [{key: label}]}\n",
		 ":6:33:", "no operator"},
		{HEAD "spec:\n  selector: {matchExpressions: [{key: label, operator: Exists, "
		      "values: [a=b]}]}\n",
		 ":6:56:", "In or NotIn"},
		{HEAD "spec:\n  selector: {matchExpressions: [{key: label, operator: In, values: "
		      "[a]}]}\n",
		 ":6:69:", "name=value"},
		{HEAD "spec:\n  selector: {matchExpressions: [{key: namespace, operator: In, "
		      "values: [a]}]}\n",
		 ":6:39:", "KubeArmorClusterPolicy"},
		{HEAD "spec:\n  selector: {matchLabels: {kubearmor.io/container.name: \"[a\"}}\n",
		 ":6:57:", "close it"},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(bad); i++)
		test_read_fails(bad[i].text, -EINVAL, bad[i].place, bad[i].part, "; ", NULL);
	test_read_fails("apiVersion: security.kubearmor.com/v1\nkind: KubeArmorNetworkPolicy\n",
			-EOPNOTSUPP, ":2:7:", "firewall", NULL);
}

static void several_mistakes_are_found_in_one_go(void **state)
{
	char path[] = "/tmp/portcullis-test-XXXXXX";
	static const char text[] = PATHS(
		"{path: a, severity: 11}") "    - {pth: /b}\n    - {path: "
					   "/c, action: Blok}\n---\n" SPEC(
						   "  fil: {}\n  action: Stop") "---\nkind: [\n";
	pcl_cleanup(pcl_problems_fini) struct pcl_problems problems = {0};
	autoset *set = NULL;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
	assert_int_equal(pcl_policy_set_new(&set), 0);
	/* Broken YAML hides the rest of its file. */
	assert_int_equal(pcl_policy_set_read_all(set, path, &problems), -EINVAL);
	assert_int_equal(problems.count, 1);
	pcl_problems_fini(&problems);
	assert_int_equal(truncate(path, (off_t)(strstr(text, "---\nkind: [") - text)), 0);
	assert_int_equal(pcl_policy_set_read_all(set, path, &problems), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(problems.count, 6);
	assert_int_equal(set->policy_count, 0);
	assert_string_equal(problems.items[0].file, path);
	assert_int_equal(problems.items[0].place.line, 11);
	assert_string_equal(problems.items[0].text, "a");
	assert_string_equal(problems.items[1].text, "11");
	test_contains(problems.items[2].what, "unknown field \"pth\"");
	assert_string_equal(problems.items[2].hint, "did you mean \"path\"?");
	assert_int_equal(problems.items[2].place.line, 12);
	assert_string_equal(problems.items[3].text, "Blok");
	assert_string_equal(problems.items[4].text, "fil");
	assert_string_equal(problems.items[5].text, "Stop");
}

static void lists_of_objects_are_read(void **state)
{
	autoset *set = test_read("apiVersion: v1\nkind: List\nitems:\n"
				 "- {apiVersion: security.kubearmor.com/v1, kind: KubeArmorPolicy,"
				 " metadata: {name: a}, spec: {file: {matchPaths: [{path: /a}]}}}\n"
				 "- {apiVersion: v1, kind: Secret}\n");

	(void)state;
	assert_int_equal(set->policy_count, 1);
	test_contains(set->notices[1], "skipped: Secret");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_becomes_a_rule),
		cmocka_unit_test(lists_inside_a_rule_are_sorted_and_unique),
		cmocka_unit_test(a_comma_list_becomes_a_rule_for_each_word),
		cmocka_unit_test(selectors_of_every_kind),
		cmocka_unit_test(mistakes_in_the_other_fields),
		cmocka_unit_test(several_mistakes_are_found_in_one_go),
		cmocka_unit_test(lists_of_objects_are_read),
	};

	return cmocka_run_group_tests_name("language", tests, NULL, NULL);
}
