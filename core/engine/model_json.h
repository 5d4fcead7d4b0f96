/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy model as JSON and back, for the engine's own state files.
 */
#ifndef PCL_ENGINE_MODEL_JSON_H
#define PCL_ENGINE_MODEL_JSON_H

#include <jansson.h>

#include "base/diag.h"
#include "policy/domain.h"
#include "policy/policy.h"

/* An array of policies, or NULL without memory. */
json_t *pcl_policies_to_json(const struct pcl_policy_set *set);
/* -EBADMSG with diag for what pcl_policies_to_json() would not have written; -ENOMEM. */
int pcl_policies_from_json(const json_t *json, struct pcl_policy_set **ret_set,
			   struct pcl_diag *diag);

/* text as a JSON string; bytes that are no UTF-8 are shown as '?'. NULL without memory. */
json_t *pcl_text_to_json(const char *text);

/* "k=v,k=v", or NULL for none or without memory; owned. */
char *pcl_labels_text(const struct pcl_label *labels, size_t count);

#endif
