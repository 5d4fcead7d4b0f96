/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan: requests that came with the initramfs and are served before the channel opens. Nothing
 * from outside reaches the guest meanwhile, so under deterministic virtual time the same plan runs
 * the same instructions in every boot.
 */
#include <stdio.h>
#include <unistd.h>

#include "agent.h"

json_t *agt_plan_run(json_t *(*serve)(const json_t *request))
{
	json_error_t error;
	json_t *plan, *replies;

	if (access(AGT_PLAN_PATH, F_OK) < 0)
		return NULL;
	plan = json_load_file(AGT_PLAN_PATH, 0, &error);
	replies = json_array();
	if (!json_is_array(plan))
		fprintf(stderr, "agent: %s:%d:%d: no array of requests: %s\n", AGT_PLAN_PATH,
			error.line, error.column, error.text);
	for (size_t i = 0; i < json_array_size(plan); i++)
		(void)json_array_append_new(replies, serve(json_array_get(plan, i)));
	json_decref(plan);
	return replies;
}
