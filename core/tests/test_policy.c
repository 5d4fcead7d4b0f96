/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy reader: what becomes a rule, what is refused, what is noticed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "policy/path.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set

#define HEAD "apiVersion: security.kubearmor.com/v1\nkind: KubeArmorPolicy\nmetadata:\n  name: p\n"
#define HOST_HEAD                                                                                  \
	"apiVersion: security.kubearmor.com/v1\nkind: KubeArmorHostPolicy\nmetadata:\n  name: h\n"
#define ANY_HOST "  nodeSelector:\n    matchLabels:\n      kubearmor.io/hostname: \"*\"\n"
#define ANY "  selector:\n    matchLabels:\n      app: a\n"

static void everything_supported_is_read(void **state)
{
	autoset *set = test_read("apiVersion: security.kubearmor.com/v1\n"
				 "kind: KubeArmorPolicy\n"
				 "metadata:\n"
				 "  name: all\n"
				 "  namespace: shop\n"
				 "spec:\n"
				 "  severity: 5\n"
				 "  tags: [one, two]\n"
				 "  message: from spec\n"
				 "  selector:\n"
				 "    matchLabels:\n"
				 "      app: web\n"
				 "      tier: front\n"
				 "  process:\n"
				 "    severity: 7\n"
				 "    matchPaths:\n"
				 "    - path: /bin/sh\n"
				 "      fromSource:\n"
				 "      - path: /usr/bin/b\n"
				 "      - path: /usr/bin/a\n"
				 "      - path: /usr/bin/b\n"
				 "    matchDirectories:\n"
				 "    - dir: /tmp/\n"
				 "      recursive: true\n"
				 "      severity: 9\n"
				 "      action: Audit\n"
				 "      message: own\n"
				 "      tags: [mine]\n"
				 "  file:\n"
				 "    action: Allow\n"
				 "    matchDirectories:\n"
				 "    - dir: /etc/\n"
				 "      readOnly: true\n"
				 "  action:\n"
				 "    Block\n");
	const struct pcl_policy *policy = set->policies[0];
	const struct pcl_rule *rule;

	(void)state;
	assert_int_equal(set->policy_count, 1);
	assert_int_equal(set->notice_count, 0);
	assert_int_equal(policy->kind, PCL_KIND_CONTAINER);
	assert_string_equal(policy->name, "all");
	assert_string_equal(policy->ns, "shop");
	assert_string_equal(policy->file, "test.yaml");
	assert_int_equal(policy->selector_count, 2);
	assert_string_equal(policy->selector[1].key, "tier");
	assert_string_equal(policy->selector[1].value, "front");
	assert_int_equal(policy->rule_count, 3);

	rule = policy->rules[0];
	assert_string_equal(rule->id, "shop/all#process.matchPaths[0]");
	assert_int_equal(rule->class, PCL_CLASS_PROCESS);
	assert_int_equal(rule->match, PCL_MATCH_PATH);
	assert_int_equal(rule->action, PCL_ACTION_BLOCK);
	assert_string_equal(rule->object, "/bin/sh");
	assert_int_equal(rule->source_count, 2);
	assert_string_equal(rule->sources[0], "/usr/bin/a");
	assert_string_equal(rule->sources[1], "/usr/bin/b");
	assert_int_equal(rule->severity, 7);
	assert_int_equal(rule->tag_count, 2);
	assert_string_equal(rule->message, "from spec");
	assert_int_equal(rule->place.line, 17);
	assert_int_equal(rule->place.column, 7);
	assert_ptr_equal(rule->policy, policy);

	rule = policy->rules[1];
	assert_string_equal(rule->id, "shop/all#process.matchDirectories[0]");
	assert_int_equal(rule->match, PCL_MATCH_DIR_RECURSIVE);
	assert_int_equal(rule->action, PCL_ACTION_AUDIT);
	assert_string_equal(rule->object, "/tmp");
	assert_int_equal(rule->severity, 9);
	assert_string_equal(rule->message, "own");
	assert_int_equal(rule->tag_count, 1);
	assert_string_equal(rule->tags[0], "mine");

	rule = policy->rules[2];
	assert_int_equal(rule->class, PCL_CLASS_FILE);
	assert_int_equal(rule->match, PCL_MATCH_DIR);
	assert_int_equal(rule->action, PCL_ACTION_ALLOW);
	assert_int_equal(rule->flags, PCL_RULE_READ_ONLY);
	assert_int_equal(rule->severity, 5);
}

static void host_policy_and_defaults(void **state)
{
	autoset *set = test_read(HOST_HEAD "spec:\n" ANY_HOST
					   "  file:\n    matchDirectories:\n    - dir: /\n");
	autoset *plain = test_read(HEAD "spec:\n" ANY "  file:\n    matchPaths:\n    - path: /a\n");

	(void)state;
	assert_int_equal(set->policies[0]->kind, PCL_KIND_HOST);
	assert_null(set->policies[0]->ns);
	assert_string_equal(set->policies[0]->rules[0]->id, "h#file.matchDirectories[0]");
	assert_string_equal(set->policies[0]->rules[0]->object, "/");
	assert_string_equal(plain->policies[0]->ns, "default");
	assert_int_equal(plain->policies[0]->rules[0]->action, PCL_ACTION_BLOCK);
	assert_int_equal(plain->policies[0]->rules[0]->severity, 0);
	assert_null(plain->policies[0]->rules[0]->message);
}

#define PATHS(entry) HEAD "spec:\n" ANY "  file:\n    matchPaths:\n    - " entry "\n"
#define DIRS(entry) HEAD "spec:\n" ANY "  file:\n    matchDirectories:\n    - " entry "\n"
#define PROC(entry) HEAD "spec:\n" ANY "  process:\n    matchPaths:\n    - " entry "\n"
#define SPEC(more) HEAD "spec:\n" ANY more "\n"

static void what_the_language_does_not_have(void **state)
{
	static const struct {
		const char *text;
		const char *place;
		const char *part;
	} bad[] = {
		{PATHS("path: a"), "test.yaml:11:13: ", "must be absolute"},
		{PATHS("path: \"\""), "test.yaml:11:13: ", "must be absolute"},
		{PATHS("path: /a/"), "test.yaml:11:13: ", "remove the slash"},
		{PATHS("path: /a/../b"), "test.yaml:11:13: ", "without \"..\""},
		{PATHS("path: [/a]"), "test.yaml:11:13: ", "found a list"},
		{PATHS("pth: /a"), "test.yaml:11:7: ", "did you mean \"path\"?"},
		{PATHS("path:"), "test.yaml:11:7: ", "file.matchPaths[0] has no path"},
		{PATHS("/a"), "test.yaml:11:7: ", "must be a mapping"},
		{PATHS("{path: /a, recursive: true}"), "test.yaml:11:18: ", "\"recursive\""},
		{PATHS("{path: /a, action: block}"), "test.yaml:11:26: ", "\"Block\"?"},
		{PATHS("{path: /a, action: Kill}"), "test.yaml:11:26: ", "Allow, Audit or Block"},
		{PATHS("{path: /a, severity: 11}"), "test.yaml:11:28: ", "1 to 10"},
		{PATHS("{path: /a, severity: 0}"), "test.yaml:11:28: ", "1 to 10"},
		{PATHS("{path: /a, severity: high}"), "test.yaml:11:28: ", "whole number"},
		{PATHS("{path: /a, readOnly: maybe}"), "test.yaml:11:28: ", "true or false"},
		{PATHS("{path: /a, fromSource: /b}"), "test.yaml:11:30: ", "must be a list"},
		{PATHS("{path: /a, fromSource: [/b]}"), "test.yaml:11:31: ", "must be a mapping"},
		{PATHS("{path: /a, fromSource: [{path: b}]}"), "test.yaml:11:38: ", "absolute"},
		{PATHS("{path: /a, fromSource: [{}]}"), "test.yaml:11:31: ", "has no path"},
		{PATHS("{path: /a, fromSource: [{dir: /b/}]}"), "test.yaml:11:32: ", "\"dir\""},
		{PATHS("{path: /a, tags: x}"), "test.yaml:11:24: ", "list of texts"},
		{PATHS("{path: /a, tags: [[x]]}"), "test.yaml:11:25: ", "found a list"},
		{PROC("{path: /a, readOnly: true}"), "test.yaml:11:18: ", "\"readOnly\""},
		{DIRS("dir: etc/"), "test.yaml:11:12: ", "must be absolute"},
		{DIRS("path: /etc/"), "test.yaml:11:7: ", "did you mean \"dir\"?"},
		{SPEC("  files: {}"), "test.yaml:9:3: ", "did you mean \"file\"?"},
		{SPEC("  file: /etc/passwd"), "test.yaml:9:9: ", "must be a mapping"},
		{SPEC("  file: {matchPaths: {path: /a}}"), "test.yaml:9:22: ", "must be a list"},
		{SPEC("  nodeSelector: {}"),
		 "test.yaml:9:3: ", "\"nodeSelector\" does not belong in spec"},
		{HEAD, "test.yaml:1:1: ", "no spec"},
		{HEAD "spec:\n  selector: {matchLabels: [a]}\n", "test.yaml:6:27: ", "a mapping"},
		{HEAD "spec:\n  selector: {matchLabels: {a: }}\n", "test.yaml:6:31: ", "a text"},
		{HOST_HEAD "spec:\n  file: {}\n", "test.yaml:6:3: ", "nodeSelector.matchLabels"},
		{"- a\n", "test.yaml:1:1: ", "must be a mapping"},
		{"a: 1\n", "test.yaml:1:1: ", "has no kind"},
		{"kind: KubeArmorPolicy\n", "test.yaml:1:1: ", "apiVersion of a KubeArmorPolicy"},
		{"kind: KubeArmorPolicy\napiVersion: v1\nmetadata: {name: a}\nspec: {}\n",
		 "test.yaml:2:13: ", "must be security"},
		{"kind: KubearmorPolicy\n", "test.yaml:1:7: ", "did you mean \"KubeArmorPolicy\"?"},
		{"kind: Shield\napiVersion: security.kubearmor.com/v1\n",
		 "test.yaml:1:7: ", "unknown kind"},
		{"apiVersion: security.kubearmor.com/v1\nkind: KubeArmorPolicy\nspec: {}\n",
		 "test.yaml:1:1: ", "no metadata"},
		{"apiVersion: security.kubearmor.com/v1\nkind: KubeArmorPolicy\nmetadate: {}\n"
		 "spc: {}\n",
		 "test.yaml:3:1: ", "did you mean \"metadata\"?"},
		{"apiVersion: security.kubearmor.com/v1\nkind: KubeArmorPolicy\n"
		 "metadata: {namespace: x}\nspec: {}\n",
		 "test.yaml:3:11: ", "no metadata.name"},
		{"apiVersion: security.kubearmor.com/v1\nkind: KubeArmorPolicy\n"
		 "metadata: {name: a/b}\nspec: {}\n",
		 "test.yaml:3:18: ", "must consist of"},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(bad); i++)
		test_read_fails(bad[i].text, -EINVAL, bad[i].place, bad[i].part, "; ", NULL);
}

static void words_that_say_nothing_are_taken(void **state)
{
	autoset *set = test_read(SPEC("  network:\n  presets: []\n  syscalls: {}\n"
				      "  file: {matchPaths: [{path: /a, ownerOnly: false}]}"));

	(void)state;
	assert_int_equal(set->policies[0]->rule_count, 1);
	assert_int_equal(set->policies[0]->rules[0]->flags, 0);
}

static void surprises_are_noticed(void **state)
{
	static const struct {
		const char *text;
		const char *notice;
	} odd[] = {
		{DIRS("dir: /etc"), "test.yaml:11:12: dir \"/etc\" has no slash at its end"},
		{PATHS("path: /a//b"), "path \"/a//b\" is read as \"/a/b\""},
		{PATHS("path: /a/./b"), "path \"/a/./b\" is read as \"/a/b\""},
		{PATHS("path: /tmp/*"), "is taken literally"},
		{PATHS("{path: /a, fromSource: []}"), "fromSource is empty"},
		{SPEC("  severity: 1"), "has no rules"},
		{HEAD "spec: {file: {matchPaths: [{path: /a}]}}\n", "the selector is empty"},
		{"apiVersion: apps/v1\nkind: Deployment\n", "test.yaml:2:7: skipped: Deployment"},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(odd); i++) {
		autoset *set = test_read(odd[i].text);

		assert_int_equal(set->notice_count, 1);
		test_contains(set->notices[0], odd[i].notice);
	}
}

static void quoted_text_cannot_steer_a_terminal(void **state)
{
	autoset *set = test_read(PATHS("path: \"/a\\e[2J\\n*\""));

	(void)state;
	assert_string_equal(set->policies[0]->rules[0]->object, "/a\x1b[2J\n*");
	test_contains(set->notices[0], "\"/a?[2J?*\"");
	test_read_fails(PATHS("\"x\\ny\\u001b\": /a"), -EINVAL, "unknown field \"x?y?\"", NULL);
}

static void second_policy_of_a_name_is_refused(void **state)
{
	pcl_autofree char *a = test_policy_text(TEST_HOST, "a", "  file: {matchPaths: []}\n");
	pcl_autofree char *b = test_policy_text(TEST_CONTAINER, "a", "  severity: 1\n");
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	autoset *set = test_read(a);

	(void)state;
	/* Another kind is another policy. */
	assert_int_equal(pcl_policy_set_read_memory(set, "b.yaml", b, strlen(b), &diag), 0);
	assert_int_equal(set->policy_count, 2);
	assert_int_equal(pcl_policy_set_read_memory(set, "c.yaml", a, strlen(a), &diag), -EEXIST);
	test_contains(pcl_diag_text(&diag), "c.yaml:1:1: a second KubeArmorHostPolicy");
	test_contains(pcl_diag_text(&diag), "first in test.yaml:1");
	assert_int_equal(set->policy_count, 2);
}

static void an_error_leaves_the_set_as_it_was(void **state)
{
	static const char *const text = SPEC("  file: {matchPaths: [{path: /a}]}");
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_autofree char *more = NULL;
	autoset *set = test_read(text);

	(void)state;
	assert_true(asprintf(&more, "%s---\n%s", "apiVersion: v1\nkind: Service\n",
			     PATHS("path: relative")) > 0);
	assert_int_equal(pcl_policy_set_read_memory(set, "x", more, strlen(more), &diag), -EINVAL);
	assert_int_equal(set->policy_count, 1);
	assert_int_equal(set->notice_count, 0);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	pcl_autofree char *path = NULL;
	FILE *file;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *dir, const char *name)
{
	pcl_autofree char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	assert_int_equal(unlink(path), 0);
}

static void directories_are_read_in_order_or_not_at_all(void **state)
{
	pcl_autofree char *b = test_policy_text(TEST_HOST, "b", "  severity: 1\n");
	pcl_autofree char *a = test_policy_text(TEST_HOST, "a", "  severity: 1\n");
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	char dir[] = "/tmp/portcullis-test-XXXXXX";
	autoset *set = NULL;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(pcl_policy_set_new(&set), 0);
	assert_int_equal(pcl_policy_set_read(set, dir, &diag), -ENOENT);
	test_contains(pcl_diag_text(&diag), "no *.yaml or *.yml");
	write_file(dir, "2.yaml", a);
	write_file(dir, "1.yml", b);
	write_file(dir, "notes.txt", "no policy");
	write_file(dir, ".hidden.yaml", "no policy");
	assert_int_equal(pcl_policy_set_read(set, dir, &diag), 0);
	assert_int_equal(set->policy_count, 2);
	assert_string_equal(set->policies[0]->name, "b");
	write_file(dir, "3.yaml", "kind: [\n");
	assert_int_equal(pcl_policy_set_read(set, dir, &diag), -EINVAL);
	test_contains(pcl_diag_text(&diag), "3.yaml:2:1: ");
	assert_int_equal(set->policy_count, 2);
	remove_file(dir, "1.yml");
	remove_file(dir, "2.yaml");
	remove_file(dir, "3.yaml");
	remove_file(dir, "notes.txt");
	remove_file(dir, ".hidden.yaml");
	assert_int_equal(rmdir(dir), 0);
}

static void paths_have_one_spelling(void **state)
{
	static const struct {
		const char *path;
		const char *clean;
	} tries[] = {
		{"/", "/"},	 {"//", "/"},	       {"/.", "/"},	     {"/a", "/a"},
		{"/a/", "/a"},	 {"//a///b/", "/a/b"}, {"/a/./b/.", "/a/b"}, {"/a/...", "/a/..."},
		{"/.a", "/.a"},	 {"", NULL},	       {"a", NULL},	     {"/..", NULL},
		{"/a/..", NULL},
	};
	char lengthy[4200];
	const char *reason = NULL;

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(tries); i++) {
		pcl_autofree char *clean = NULL;

		assert_int_equal(pcl_path_normalise(tries[i].path, &clean, &reason),
				 tries[i].clean ? 0 : -EINVAL);
		if (tries[i].clean)
			assert_string_equal(clean, tries[i].clean);
		else
			assert_null(clean);
	}
	for (size_t i = 0; i < sizeof(lengthy); i++)
		lengthy[i] = i % 2 ? 'a' : '/';
	lengthy[4096] = '\0';
	{
		pcl_autofree char *clean = NULL;

		assert_int_equal(pcl_path_normalise(lengthy, &clean, &reason), -EINVAL);
		test_contains(reason, "4095");
		lengthy[4095] = '\0';
		lengthy[4094] = 'a';
		assert_int_equal(pcl_path_normalise(lengthy, &clean, &reason), 0);
	}
	memset(lengthy, 'a', 300);
	lengthy[0] = '/';
	lengthy[257] = '\0';
	{
		pcl_autofree char *clean = NULL;

		assert_int_equal(pcl_path_normalise(lengthy, &clean, &reason), -EINVAL);
		test_contains(reason, "255");
		lengthy[256] = '\0';
		assert_int_equal(pcl_path_normalise(lengthy, &clean, &reason), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_supported_is_read),
		cmocka_unit_test(host_policy_and_defaults),
		cmocka_unit_test(what_the_language_does_not_have),
		cmocka_unit_test(words_that_say_nothing_are_taken),
		cmocka_unit_test(surprises_are_noticed),
		cmocka_unit_test(quoted_text_cannot_steer_a_terminal),
		cmocka_unit_test(second_policy_of_a_name_is_refused),
		cmocka_unit_test(an_error_leaves_the_set_as_it_was),
		cmocka_unit_test(directories_are_read_in_order_or_not_at_all),
		cmocka_unit_test(paths_have_one_spelling),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
