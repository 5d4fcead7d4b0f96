/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lint: each kind of warning where it must come, with its place, its text and how to mend it, and
 * none where nothing surprises.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/lint.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set
#define autowarnings pcl_cleanup(pcl_warnings_free) struct pcl_warnings

/* Of the first line of spec in the text that test_policy_text() makes. */
#define CONTAINER_LINE 6
#define HOST_LINE 9

static void print_all(const struct pcl_warnings *warnings)
{
	for (size_t i = 0; i < warnings->count; i++)
		print_message("  %u: %s: %s\n", warnings->items[i].place.line,
			      pcl_lint_kind_name(warnings->items[i].kind), warnings->items[i].what);
}

static struct pcl_policy_set *read_spec(const char *kind, const char *spec)
{
	pcl_autofree char *text = test_policy_text(kind, "p", spec);

	return test_read(text);
}

static struct pcl_warnings *lint(const struct pcl_policy_set *set)
{
	struct pcl_warnings *warnings = NULL;

	assert_int_equal(pcl_lint(set, &warnings), 0);
	return warnings;
}

/* The warning of kind, and of the enforcer where one is named, that stands on the spec's line. */
static const struct pcl_warning *find(const struct pcl_warnings *warnings, enum pcl_lint_kind kind,
				      const char *enforcer, unsigned line)
{
	for (size_t i = 0; i < warnings->count; i++) {
		const struct pcl_warning *warning = &warnings->items[i];

		if (warning->kind == kind && warning->place.line == line &&
		    (!enforcer || !strcmp(warning->enforcer, enforcer)))
			return warning;
	}
	return NULL;
}

struct expected {
	const char *kind; /* of policy */
	const char *spec; /* its lines */
	enum pcl_lint_kind warning;
	unsigned line;	  /* of the spec's lines, from 1 */
	const char *what; /* a part of it */
	const char *hint; /* a part of it */
};

static void check(const struct expected *expected)
{
	autoset *set = read_spec(expected->kind, expected->spec);
	autowarnings *warnings = lint(set);
	bool host = !strcmp(expected->kind, TEST_HOST);
	const struct pcl_warning *warning =
		find(warnings, expected->warning, NULL,
		     (host ? HOST_LINE : CONTAINER_LINE) + expected->line - 1);

	if (!warning) {
		print_all(warnings);
		fail_msg("no warning %s on line %u of\n%s", pcl_lint_kind_name(expected->warning),
			 expected->line, expected->spec);
		return;
	}
	test_contains(warning->what, expected->what);
	test_contains(warning->hint, expected->hint);
	assert_string_equal(warning->file, "test.yaml");
	assert_true(warning->place.column > 1);
	assert_true(warning->text[0]);
}

static void rules_that_surprise_by_themselves_are_told(void **state)
{
	static const struct expected cases[] = {
		{TEST_CONTAINER, "  process: {matchPaths: [{path: /bin/ls}]}\n", PCL_LINT_SYMLINK,
		 1, "\"/bin/ls\" goes through a link", "write /usr/bin/ls"},
		{TEST_CONTAINER, "  file: {matchDirectories: [{dir: /var/run/}]}\n",
		 PCL_LINT_SYMLINK, 1, "/run", "write /run"},
		{TEST_CONTAINER,
		 "  file: {matchPaths: [{path: /x, fromSource: [{path: /bin/cat}]}]}\n",
		 PCL_LINT_SYMLINK, 1, "fromSource \"/bin/cat\"", "/usr/bin/cat"},
		{TEST_CONTAINER, "  file: {matchPaths: [{path: /etc}]}\n", PCL_LINT_DIRECTORY, 1,
		 "\"/etc\" is a directory", "dir: /etc/"},
		{TEST_CONTAINER,
		 "  file:\n    matchPaths:\n    - path: /opt/app\n    - path: /opt/app/key\n",
		 PCL_LINT_DIRECTORY, 3, "\"/opt/app/key\" is below it", "dir: /opt/app/"},
		{TEST_CONTAINER, "  file: {matchDirectories: [{dir: /, recursive: true}]}\n",
		 PCL_LINT_EVERYTHING, 1, "holds every path", "name the directory"},
		{TEST_CONTAINER, "  process: {matchPaths: [{path: /opt/run.sh}]}\n",
		 PCL_LINT_INTERPRETER, 1, "only read it", "below file:"},
		{TEST_CONTAINER,
		 "  file: {matchPaths: [{path: /k, fromSource: [{path: /opt/run.py}]}]}\n",
		 PCL_LINT_INTERPRETER, 1, "executable is its interpreter", "interpreter"},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++)
		check(&cases[i]);
}

static void rules_that_never_matter_are_told(void **state)
{
	static const struct expected cases[] = {
		{TEST_CONTAINER, "  file:\n    matchPaths:\n    - path: /k\n    - path: /k\n",
		 PCL_LINT_DUPLICATE, 4, "test.yaml:8 already", "remove"},
		{TEST_CONTAINER,
		 "  file:\n    matchPaths:\n    - path: /d/k\n    matchDirectories:\n"
		 "    - dir: /d/\n",
		 PCL_LINT_SHADOWED, 3, "the Block of \"/d\" at test.yaml:10 decides", "remove"},
		{TEST_CONTAINER,
		 "  file:\n    matchPaths:\n    - path: /d/k\n      action: Audit\n"
		 "    matchDirectories:\n    - dir: /d/\n",
		 PCL_LINT_SHADOWED, 3, "the Audit of \"/d/k\" never matters", "remove"},
		{TEST_CONTAINER,
		 "  file:\n    matchPaths:\n    - path: /d/e/k\n      action: Allow\n"
		 "    matchDirectories:\n    - dir: /d/\n      recursive: true\n",
		 PCL_LINT_CONTRADICTION, 3, "never permits anything", "narrow the Block"},
		{TEST_CONTAINER,
		 "  file:\n    matchPaths:\n    - path: /k\n      action: Allow\n    - path: /k\n",
		 PCL_LINT_CONTRADICTION, 3, "the Block of \"/k\" at test.yaml:10", "remove"},
		{TEST_CONTAINER,
		 "  file:\n    matchDirectories:\n    - dir: /d/e/\n      readOnly: true\n"
		 "    - dir: /d/\n      readOnly: true\n      recursive: true\n",
		 PCL_LINT_SHADOWED, 3, "decides all of it", "remove"},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++)
		check(&cases[i]);
}

static void what_a_domain_loses_is_told(void **state)
{
	static const struct expected cases[] = {
		{TEST_CONTAINER, "  process: {matchPaths: [{path: /usr/bin/x, action: Allow}]}\n",
		 PCL_LINT_ALLOW_LIST, 1, "exec /usr/bin/ls by", "allow all that is needed"},
		{TEST_CONTAINER,
		 "  file: {matchPaths: [{path: /k, fromSource: [{path: /usr/bin/x}], action: "
		 "Allow}]}\n",
		 PCL_LINT_ALLOW_LIST, 1, "every other source too", "Block instead"},
		{TEST_HOST, "  process: {matchPaths: [{path: /usr/bin/bash}]}\n", PCL_LINT_LOCKOUT,
		 1, "takes away the shell", "narrower rule"},
		{TEST_HOST, "  process: {matchPaths: [{path: /usr/sbin/sshd}]}\n", PCL_LINT_LOCKOUT,
		 1, "takes away ssh", "narrower rule"},
		{TEST_HOST, "  process: {matchDirectories: [{dir: /usr/lib/systemd/}]}\n",
		 PCL_LINT_LOCKOUT, 1, "takes away init", "narrower rule"},
		{TEST_HOST, "  process: {matchPaths: [{path: /usr/bin/portcullis}]}\n",
		 PCL_LINT_LOCKOUT, 1, "the engine itself", "narrower rule"},
		{TEST_HOST, "  process: {matchPaths: [{path: /usr/bin/x, action: Allow}]}\n",
		 PCL_LINT_LOCKOUT, 1, "under the posture block", "allow it too"},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++)
		check(&cases[i]);
}

/* What an enforcer of KubeArmor makes of a set, told with an example and both outcomes. */
static void differences_to_kubearmor_are_told(void **state)
{
	static const struct {
		const char *kind, *spec;
		unsigned line;
		const char *enforcer, *why, *example, *ours, *theirs;
	} cases[] = {
		{TEST_CONTAINER,
		 "  file:\n    matchPaths:\n    - path: /d/k\n      action: Allow\n"
		 "    matchDirectories:\n    - dir: /d/\n",
		 6, "BPF-LSM", "lets the Allow of \"/d/k\" at test.yaml:8 decide",
		 "file read /d/k by /usr/bin/bash", "refused", "permitted"},
		{TEST_CONTAINER,
		 "  file:\n    matchPaths:\n    - path: /k\n    - path: /k\n"
		 "      action: Allow\n      fromSource: [{path: /usr/bin/cat}]\n",
		 3, "BPF-LSM", "lets the Allow", "file read /k by /usr/bin/cat", "refused",
		 "permitted"},
		{TEST_CONTAINER,
		 "  file:\n    matchPaths:\n    - path: /k\n    - path: /k\n"
		 "      action: Allow\n      fromSource: [{path: /usr/bin/cat}]\n",
		 3, "AppArmor", "lets the Allow", "file read /k by /usr/bin/cat", "refused",
		 "permitted"},
		/* Of two rules with one key the later is kept. */
		{TEST_CONTAINER,
		 "  file:\n    matchPaths:\n    - path: /k\n    - path: /k\n      action: Allow\n",
		 3, "BPF-LSM", "at test.yaml:9 decide", "file read /k by /usr/bin/bash", "refused",
		 "permitted"},
		/* A directory that is not recursive is not found below a recursive one. */
		{TEST_CONTAINER,
		 "  file:\n    matchDirectories:\n    - dir: /d/\n      recursive: true\n"
		 "      action: Allow\n    - dir: /d/e/\n",
		 6, "BPF-LSM", "lets the Allow of \"/d\"", "file read /d/e/x by /usr/bin/bash",
		 "refused", "permitted"},
		{TEST_CONTAINER, "  process: {matchPaths: [{path: /usr/bin/x, action: Allow}]}\n",
		 1, "AppArmor", "grants no files at all", "file read /etc/hostname by /usr/bin/cat",
		 "permitted", "refused"},
		{TEST_HOST, "  process: {matchPaths: [{path: /usr/bin/x, action: Allow}]}\n", 1,
		 "AppArmor", "under the posture block", "file read /etc/hostname by /usr/bin/cat",
		 "permitted", "refused"},
		{TEST_HOST, "  file: {matchPaths: [{path: /k, ownerOnly: true}]}\n", 1, "SELinux",
		 "ignores ownerOnly", "file read /k by /usr/bin/bash uid 1000 owner 1000",
		 "permitted", "refused"},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++) {
		autoset *set = read_spec(cases[i].kind, cases[i].spec);
		autowarnings *warnings = lint(set);
		bool host = !strcmp(cases[i].kind, TEST_HOST);
		const struct pcl_warning *warning =
			find(warnings, PCL_LINT_KUBEARMOR, cases[i].enforcer,
			     (host ? HOST_LINE : CONTAINER_LINE) + cases[i].line - 1);

		if (!warning) {
			print_all(warnings);
			fail_msg("case %zu: no difference to %s", i, cases[i].enforcer);
			return;
		}
		test_contains(warning->what, cases[i].why);
		assert_string_equal(warning->example, cases[i].example);
		assert_string_equal(warning->ours, cases[i].ours);
		assert_string_equal(warning->theirs, cases[i].theirs);
	}
}

static void a_policy_without_surprises_has_no_warning(void **state)
{
	static const char *const specs[] = {
		"  process: {matchPaths: [{path: /usr/bin/apt}]}\n",
		"  file: {matchPaths: [{path: /etc/shadow, readOnly: true}]}\n",
		"  file: {matchDirectories: [{dir: /etc/ssl/private/}]}\n",
		("  file:\n    matchPaths:\n    - path: /k\n      fromSource: [{path: /usr/bin/a}]\n"
		 "    - path: /k\n      fromSource: [{path: /usr/bin/b}]\n"),
		"  process: {matchPaths: [{path: /usr/bin/apt, action: Audit}]}\n",
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(specs); i++) {
		autoset *set = read_spec(TEST_CONTAINER, specs[i]);
		autowarnings *warnings = lint(set);

		if (warnings->count) {
			print_all(warnings);
			fail_msg("warnings about\n%s", specs[i]);
		}
	}
}

/* Rules of policies that never meet in one container are not compared. */
static void policies_of_other_containers_do_not_collide(void **state)
{
	static const char format[] = "apiVersion: security.kubearmor.com/v1\n"
				     "kind: KubeArmorPolicy\n"
				     "metadata: {name: p%d, namespace: %s}\n"
				     "spec:\n"
				     "  selector: {matchLabels: {app: %s}}\n"
				     "  file: {matchPaths: [{path: /k}]}\n"
				     "---\n";
	static const struct {
		const char *ns, *app;
		size_t warnings;
	} cases[] = {{"one", "a", 1}, {"one", "b", 0}, {"two", "a", 0}};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++) {
		char text[1024];
		int len = snprintf(text, sizeof(text), format, 1, "one", "a");

		(void)snprintf(text + len, sizeof(text) - (size_t)len, format, 2, cases[i].ns,
			       cases[i].app);
		autoset *set = test_read(text);
		autowarnings *warnings = lint(set);

		assert_int_equal(warnings->count, cases[i].warnings);
		if (warnings->count) {
			assert_int_equal(warnings->items[0].kind, PCL_LINT_DUPLICATE);
			assert_ptr_equal(warnings->items[0].other, set->policies[0]->rules[0]);
		}
	}
}

/* Both the order and the number of warnings are the set's own, not the order of arrival's. */
static void warnings_come_sorted_and_once(void **state)
{
	static const char spec[] = "  file:\n    matchPaths:\n    - path: /bin/b\n"
				   "    - path: /bin/a\n    - path: /etc\n";
	autoset *set = read_spec(TEST_CONTAINER, spec);
	autowarnings *warnings = lint(set);

	(void)state;
	assert_int_equal(warnings->count, 3);
	for (size_t i = 0; i < warnings->count; i++)
		assert_int_equal(warnings->items[i].place.line, CONTAINER_LINE + 2 + i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_surprise_by_themselves_are_told),
		cmocka_unit_test(rules_that_never_matter_are_told),
		cmocka_unit_test(what_a_domain_loses_is_told),
		cmocka_unit_test(differences_to_kubearmor_are_told),
		cmocka_unit_test(a_policy_without_surprises_has_no_warning),
		cmocka_unit_test(policies_of_other_containers_do_not_collide),
		cmocka_unit_test(warnings_come_sorted_and_once),
	};

	return cmocka_run_group_tests_name("lint", tests, NULL, NULL);
}
