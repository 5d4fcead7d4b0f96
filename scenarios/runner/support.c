/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses of a case's rules; see support.h. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "base/cleanup.h"
#include "engine.h"
#include "policy/policy.h"

static int read_policies(const struct gnt_case *test_case, const char *corpus_dir,
			 struct pcl_policy_set *set, struct pcl_diag *diag)
{
	int error = 0;

	for (size_t i = 0; i < test_case->policy_count && !error; i++) {
		pcl_autofree char *text = NULL;

		error = gnt_policy_text(test_case, &test_case->policies[i], corpus_dir, &text,
					diag);
		if (!error)
			error = pcl_policy_set_read_memory(set, test_case->policies[i].value, text,
							   strlen(text), diag);
	}
	return error;
}

int gnt_support_worst(const struct gnt_case *test_case, const struct gnt_contender *contender,
		      const char *corpus_dir, enum pcl_status *ret_worst, struct pcl_diag *diag)
{
	const struct pcl_backend *backend =
		contender->partial ? pcl_backend_find(contender->backend) : NULL;
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;
	enum pcl_status worst = PCL_STATUS_EXACT;
	int error;

	if (!backend) {
		*ret_worst = worst;
		return 0;
	}
	error = pcl_policy_set_new(&set);
	if (!error)
		error = read_policies(test_case, corpus_dir, set, diag);
	for (size_t i = 0; !error && i < set->policy_count; i++)
		for (size_t r = 0; r < set->policies[i]->rule_count; r++) {
			const struct pcl_rule_status status =
				backend->status(set->policies[i]->rules[r], 0);

			if (status.status > worst)
				worst = status.status;
		}
	if (!error)
		*ret_worst = worst;
	return error;
}
