/* SPDX-License-Identifier: Apache-2.0 */
/* What is drawn for all backends, and who takes what of it. */
#include "common.h"

#include "base/cleanup.h"

/*
 * A set for all three of them costs SELinux the load of a policy and a look at every file of the
 * guest, so more is done under it than under one for BPF-LSM and AppArmor.
 */
#define PER_SET_OF_ALL 500
#define PER_SET_OF_TWO 200

const struct pcl_backend *const model_backends[MODEL_BACKENDS] = {&pcl_backend_bpf_lsm,
								  &pcl_backend_apparmor,
								  &pcl_backend_selinux};

enum model_judge model_judge_of(const struct pcl_backend *backend)
{
	if (backend == &pcl_backend_apparmor)
		return MODEL_BY_NAME;
	return backend == &pcl_backend_selinux ? MODEL_BY_LABEL : MODEL_BY_FILE;
}

/* A set of the rule alone. NULL: the language does not have it. Borrowed from rulesets. */
static const struct pcl_rule *read_rule(const struct model_set *set, size_t index,
					struct model_rulesets *rulesets)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct model_set alone = *set;
	pcl_autofree char *text = NULL;

	alone.rules[0] = set->rules[index];
	alone.rule_count = 1;
	alone.filler = 0;
	text = model_print_set(&alone);
	if (!text || model_rulesets_make(text, &set->postures, rulesets, &diag) ||
	    rulesets->set->policy_count != 1 || rulesets->set->policies[0]->rule_count != 1)
		return NULL;
	return rulesets->set->policies[0]->rules[0];
}

static const char *left_out(const struct pcl_backend *backend, unsigned kernel,
			    const struct pcl_rule *rule)
{
	struct pcl_rule_status status;

	if (!rule)
		return "the language does not have it";
	if (backend->idle)
		return NULL;
	status = backend->status(rule, kernel);
	return status.status == PCL_STATUS_UNSUPPORTED ? status.reason : NULL;
}

const char *model_rule_left_out(const struct pcl_backend *backend, unsigned kernel,
				const struct model_set *set, size_t index)
{
	struct model_rulesets rulesets pcl_cleanup(model_rulesets_fini) = {0};

	return left_out(backend, kernel, read_rule(set, index, &rulesets));
}

const char *model_set_left_out(const struct pcl_backend *backend, const struct model_set *set)
{
	const char *reason = NULL;

	for (size_t i = 0; !reason && i < set->rule_count; i++)
		reason = model_rule_left_out(backend, 0, set, i);
	return reason;
}

static bool asks_for_owners(const struct model_set *set)
{
	for (size_t i = 0; i < set->rule_count; i++)
		if (set->rules[i].owner_only)
			return true;
	return false;
}

const char *model_operation_left_out(const struct pcl_backend *backend, const struct model_set *set,
				     const struct act_request *request)
{
	return model_judge_of(backend) == MODEL_BY_NAME && model_is_of_two_owners(request) &&
			       asks_for_owners(set)
		       ? "judges an exchange of two owners' files by either"
		       : NULL;
}

bool model_names_something(const struct pcl_backend *backend, unsigned kernel,
			   const struct model_set *set)
{
	for (size_t i = 0; i < set->rule_count; i++) {
		struct model_rulesets rulesets pcl_cleanup(model_rulesets_fini) = {0};
		const struct pcl_rule *rule = read_rule(set, i, &rulesets);

		if (rule && backend->status(rule, kernel).status != PCL_STATUS_EXACT)
			return true;
	}
	return false;
}

bool model_may_have_sources(const struct model_set *set, size_t index, bool some)
{
	return set->rules[index].sources ? some : !some || index % 2;
}

/* --- the sequence ------------------------------------------------------------------------------
 */

/* Sets for all three, and every fourth one for the two that know containers. */
static bool is_for_all(uint64_t seed)
{
	return seed % 4;
}

/* Each source costs SELinux as much as a set does besides. */
static bool is_with_sources(uint64_t seed)
{
	return seed % 4 == 1;
}

/* context: the seed. */
static bool takes(void *context, const struct model_set *set, size_t index)
{
	const uint64_t *seed = context;
	size_t count = is_for_all(*seed) ? MODEL_BACKENDS : MODEL_BACKENDS - 1;
	struct model_rulesets rulesets pcl_cleanup(model_rulesets_fini) = {0};
	const struct pcl_rule *rule;

	if (is_for_all(*seed) && !model_may_have_sources(set, index, is_with_sources(*seed)))
		return false;
	rule = read_rule(set, index, &rulesets);
	for (size_t i = 0; i < count; i++)
		if (left_out(model_backends[i], 0, rule))
			return false;
	return true;
}

void model_draw_common(struct model_random *random, uint64_t seed, struct model_set *ret_set)
{
	const struct model_takers takers = {is_for_all(seed), takes, &seed};

	model_draw_set(random, &takers, ret_set);
}

unsigned long model_common_per_set(uint64_t seed)
{
	return is_for_all(seed) ? PER_SET_OF_ALL : PER_SET_OF_TWO;
}
