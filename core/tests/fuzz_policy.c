/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy reader under libFuzzer: any bytes are read or refused with an explanation, and what is
 * read can be resolved, decided (with the index and without it, alike), looked at by lint, and
 * printed so that it reads back the same. Built by `make fuzz` and `make check-fuzz` only.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/decide.h"
#include "policy/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decide_some(const struct pcl_ruleset *ruleset)
{
	static const char *const objects[] = {"/", "/etc/passwd", PCL_OBJECT_NONE, "/bin/a/b"};

	for (int access = 0; access < PCL_ACCESS_COUNT; access++) {
		for (size_t i = 0; i < PCL_ARRAY_SIZE(objects); i++) {
			struct pcl_operation operation = {
				.access = (enum pcl_access)access,
				.object = objects[i],
				.source = "/bin/cat",
				.name = "a.b",
				.socket = {2, 1, 0},
			};
			struct pcl_ruleset plain = *ruleset;
			struct pcl_verdict verdict, slow;

			plain.index = NULL;
			pcl_decide(ruleset, &operation, &verdict);
			pcl_decide(&plain, &operation, &slow);
			if (verdict.refused != slow.refused || verdict.rule != slow.rule ||
			    verdict.audit_rule != slow.audit_rule)
				abort();
			if (verdict.refused != !!verdict.error ||
			    (verdict.refused && !verdict.alert))
				abort();
		}
	}
}

static void print_and_read_back(const struct pcl_policy_set *set)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *again = NULL;
	pcl_autofree char *text = NULL;

	if (pcl_policy_set_print(set, &text) || pcl_policy_set_new(&again))
		return;
	if (pcl_policy_set_read_memory(again, "again", text, strlen(text), NULL) ||
	    !pcl_policy_set_equal(set, again))
		abort();
}

static void lint(const struct pcl_policy_set *set)
{
	pcl_cleanup(pcl_warnings_free) struct pcl_warnings *warnings = NULL;

	if (pcl_lint(set, &warnings))
		return;
	for (size_t i = 0; i < warnings->count; i++)
		if (!warnings->items[i].what || !warnings->items[i].text)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *ruleset = NULL;
	struct pcl_postures postures = {.file = PCL_POSTURE_BLOCK};

	if (pcl_policy_set_new(&set))
		return 0;
	if (pcl_policy_set_read_memory(set, "fuzz", (const char *)data, size, &diag)) {
		/* A refusal explains itself and leaves nothing behind. */
		if (!diag.text || strncmp(diag.text, "fuzz:", 5) || set->policy_count)
			abort();
		return 0;
	}
	if (pcl_domain_new_host("node", NULL, &domain, NULL) ||
	    pcl_resolve(set, domain, &postures, &ruleset))
		return 0;
	decide_some(ruleset);
	print_and_read_back(set);
	lint(set);
	return 0;
}
