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
		{TEST_CONTAINER, "  file: {matchPatterns: [{pattern: \"*.conf\"}]}\n",
		 PCL_LINT_NEVER_MATCHES, 1, "can never match", "begin the pattern with"},
		{TEST_CONTAINER, "  file: {matchPatterns: [{pattern: /tmp/*/}]}\n",
		 PCL_LINT_NEVER_MATCHES, 1, "no slash at its end", "remove it"},
		{TEST_CONTAINER, "  file: {matchPatterns: [{pattern: /etc//x*}]}\n",
		 PCL_LINT_NEVER_MATCHES, 1, "doubled slash", "remove one"},
		{TEST_CONTAINER, "  apparmor: \"/x r,\"\n", PCL_LINT_NEVER_MATCHES, 1,
		 "under AppArmor only", "say it with"},
		{TEST_CONTAINER, "  file: {matchPatterns: [{pattern: \"/**\"}]}\n",
		 PCL_LINT_EVERYTHING, 1, "matches every path", "name the directory"},
		{TEST_CONTAINER, "  process: {matchPatterns: [{pattern: /sbin/a*}]}\n",
		 PCL_LINT_SYMLINK, 1, "pattern's beginning", "write /usr/sbin/a"},
		{TEST_CONTAINER, "  network: {matchProtocols: [{protocol: all}]}\n",
		 PCL_LINT_EVERYTHING, 1, "is every socket", "name the protocols"},
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
		 "  file:\n    matchPatterns:\n    - pattern: /d/*.log\n"
		 "    matchDirectories:\n    - dir: /d/\n      recursive: true\n",
		 PCL_LINT_SHADOWED, 3, "the Block of \"/d/*.log\" never matters", "remove"},
		{TEST_CONTAINER,
		 "  network:\n    matchProtocols:\n    - protocol: tcp\n    - protocol: all\n",
		 PCL_LINT_SHADOWED, 3, "the Block of \"tcp\" never matters", "remove"},
		{TEST_CONTAINER,
		 "  network:\n    matchDNSQueries:\n    - domain: a.com\n      action: Allow\n"
		 "    - domain: com\n",
		 PCL_LINT_CONTRADICTION, 3, "the Block of \"com\"", "narrow the Block"},
		{TEST_CONTAINER,
		 "  capabilities:\n    matchCapabilities:\n    - capability: net_raw\n"
		 "    - capability: net_raw\n",
		 PCL_LINT_DUPLICATE, 4, "the Block of \"net_raw\" stands", "remove"},
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
		{TEST_CONTAINER, "  file: {matchPatterns: [{pattern: /etc/*hado?}]}\n", 1,
		 "BPF-LSM", "ignores patterns", "file read /etc/hadow by /usr/bin/bash", "refused",
		 "permitted"},
		{TEST_CONTAINER,
		 "  process: {matchPaths: [{execname: apt, fromSource: [{path: /usr/bin/dash}]}]}\n",
		 1, "BPF-LSM", "never finds an execname", "exec /usr/bin/apt by /usr/bin/dash",
		 "refused", "permitted"},
		{TEST_CONTAINER,
		 "  process: {matchPaths: [{path: /usr/bin/python3, allowedArgs: [\"-m\"]}]}\n", 1,
		 "AppArmor", "ignores allowedArgs",
		 "exec /usr/bin/python3 by /usr/bin/bash args -m", "permitted", "refused"},
		{TEST_CONTAINER, "  process: {matchPaths: [{path: /usr/bin/sleep, pts: false}]}\n",
		 1, "AppArmor", "ignores pts", "exec /usr/bin/sleep by /usr/bin/bash", "permitted",
		 "refused"},
		{TEST_CONTAINER, "  network: {matchProtocols: [{protocol: tcp}]}\n", 1, "BPF-LSM",
		 "does not look at a socket's address family", "connect stream by /usr/bin/bash",
		 "permitted", "refused"},
		{TEST_CONTAINER, "  network: {matchDNSQueries: [{domain: google.com}]}\n", 1,
		 "AppArmor", "knows no DNS rules", "resolve google.com by /usr/bin/bash", "refused",
		 "permitted"},
		{TEST_CONTAINER, "  presets: [{name: filelessExec, action: Block}]\n", 1,
		 "AppArmor", "knows no presets", "exec none by /usr/bin/bash", "refused",
		 "permitted"},
		{TEST_HOST,
		 "  capabilities: {matchCapabilities: [{capability: net_raw, fromSource: [{path: "
		 "/usr/bin/ping}]}]}\n",
		 1, "BPF-LSM", "does not enforce capabilities on the host",
		 "capability net_raw by /usr/bin/ping", "refused", "permitted"},
		{TEST_HOST,
		 "  device:\n    matchDevice:\n    - class: HID\n    - class: HID\n"
		 "      subClass: 1\n      action: Allow\n",
		 3, "device", "lets the Allow", "device HID subclass 1", "refused", "permitted"},
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

/* A rule that is needed in one container is not called needless for what another one has. */
static void a_rule_is_needless_only_where_it_always_is(void **state)
{
	static const char wide[] = "  selector: {matchLabels: {app: a}}\n"
				   "  file: {matchPaths: [{path: /d/k}]}\n";
	static const char narrow[] = "  selector: {matchLabels: {app: a, tier: b}}\n"
				     "  file: {matchDirectories: [{dir: /d/}]}\n";
	pcl_autofree char *first = test_policy_text(TEST_CONTAINER, "wide", wide);
	pcl_autofree char *second = test_policy_text(TEST_CONTAINER, "narrow", narrow);
	pcl_autofree char *text = NULL;

	(void)state;
	assert_true(asprintf(&text, "%s---\n%s", first, second) > 0);
	autoset *set = test_read(text);
	autowarnings *warnings = lint(set);

	assert_int_equal(warnings->count, 0);
}

/* A selector that takes all but something describes a container that it takes. */
static void selectors_that_exclude_are_looked_at(void **state)
{
	static const char text[] = "apiVersion: security.kubearmor.com/v1\n"
				   "kind: KubeArmorClusterPolicy\n"
				   "metadata: {name: c}\n"
				   "spec:\n"
				   "  selector:\n"
				   "    matchExpressions:\n"
				   "    - {key: namespace, operator: NotIn, values: [default]}\n"
				   "    - {key: label, operator: In, values: [app=a, app=b]}\n"
				   "    - {key: label, operator: NotIn, values: [app=a]}\n"
				   "  file: {matchPaths: [{path: /k}, {path: /k}]}\n";
	autoset *set = test_read(text);
	autowarnings *warnings = lint(set);

	(void)state;
	assert_int_equal(warnings->count, 1);
	assert_int_equal(warnings->items[0].kind, PCL_LINT_DUPLICATE);
}

/* Rules without number about one path would take hours to compare with one another. */
static void a_set_that_is_made_to_take_long_does_not(void **state)
{
	pcl_autofree char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);
	bool limited = false;

	(void)state;
	assert_non_null(stream);
	for (int policy = 0; policy < 200; policy++) {
		(void)fprintf(stream,
			      "---\napiVersion: security.kubearmor.com/v1\nkind: KubeArmorPolicy\n"
			      "metadata: {name: p%d}\nspec:\n  file:\n    matchPaths:\n",
			      policy);
		for (int i = 0; i < 100; i++)
			(void)fprintf(stream, "    - {path: /k, fromSource: [{path: /s%d}]}\n",
				      policy * 100 + i);
	}
	assert_int_equal(fclose(stream), 0);
	autoset *set = test_read(text);
	autowarnings *warnings = lint(set);

	for (size_t i = 0; i < warnings->count; i++)
		limited |= warnings->items[i].kind == PCL_LINT_LIMIT;
	assert_true(limited);
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
		cmocka_unit_test(a_rule_is_needless_only_where_it_always_is),
		cmocka_unit_test(selectors_that_exclude_are_looked_at),
		cmocka_unit_test(a_set_that_is_made_to_take_long_does_not),
		cmocka_unit_test(warnings_come_sorted_and_once),
	};

	return cmocka_run_group_tests_name("lint", tests, NULL, NULL);
}
