/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the unit tests share.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/resolve.h"

struct pcl_policy_set *test_read(const char *text)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct pcl_policy_set *set = NULL;

	assert_int_equal(pcl_policy_set_new(&set), 0);
	if (pcl_policy_set_read_memory(set, "test.yaml", text, strlen(text), &diag))
		fail_msg("%s\n%s", pcl_diag_text(&diag), text);
	return set;
}

void test_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("expected \"%s\" in \"%s\"", part, text);
}

void test_read_fails(const char *text, int error, ...)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	const char *part;
	va_list args;
	int got;

	assert_int_equal(pcl_policy_set_new(&set), 0);
	got = pcl_policy_set_read_memory(set, "test.yaml", text, strlen(text), &diag);
	if (got != error)
		fail_msg("expected error %d, got %d (%s) for\n%s", error, got, pcl_diag_text(&diag),
			 text);
	assert_int_equal(diag.error, error);
	assert_int_equal(set->policy_count, 0);
	assert_int_equal(set->notice_count, 0);
	va_start(args, error);
	while ((part = va_arg(args, const char *)))
		test_contains(pcl_diag_text(&diag), part);
	va_end(args);
}

char *test_policy_text(const char *kind, const char *name, const char *spec)
{
	char *text = NULL;

	if (asprintf(&text,
		     "apiVersion: security.kubearmor.com/v1\n"
		     "kind: %s\n"
		     "metadata:\n"
		     "  name: %s\n"
		     "spec:\n"
		     "%s"
		     "%s",
		     kind, name,
		     strcmp(kind, TEST_HOST) ? ""
					     : "  nodeSelector:\n"
					       "    matchLabels:\n"
					       "      kubearmor.io/hostname: \"*\"\n",
		     spec) < 0)
		fail_msg("out of memory");
	return text;
}

static int compare_rules(const void *a, const void *b)
{
	return pcl_rule_compare(*(const struct pcl_rule *const *)a,
				*(const struct pcl_rule *const *)b);
}

void test_sort_rules(const struct pcl_rule **rules, size_t count)
{
	qsort((void *)rules, count, sizeof(*rules), compare_rules);
}
