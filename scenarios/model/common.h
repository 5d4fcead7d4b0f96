/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sequence of sets and operations for all backends, and what each of them made of it in a form
 * that can be compared.
 *
 * The sequence depends on the seed and on what backends say of rules, never on the one that
 * enforces, nor on the kernel. What a backend does not take is left out for that one.
 */
#ifndef PCL_MODEL_COMMON_H
#define PCL_MODEL_COMMON_H

#include "backend/backend.h"
#include "model.h"

#define MODEL_BACKENDS 3
extern const struct pcl_backend *const model_backends[MODEL_BACKENDS];

enum model_judge model_judge_of(const struct pcl_backend *backend);

/* Why the backend is not held to a rule, asked of it alone; NULL: it is. */
const char *model_rule_left_out(const struct pcl_backend *backend, unsigned kernel,
				const struct model_set *set, size_t index);
/* Whether the rule is one of a set where some have sources, every other one for certain; or of one
 * where none has. */
bool model_may_have_sources(const struct model_set *set, size_t index, bool some);
/* As model_rule_left_out(), of some rule of the set. */
const char *model_set_left_out(const struct pcl_backend *backend, const struct model_set *set);
/* As above, of an operation under it. */
const char *model_operation_left_out(const struct pcl_backend *backend, const struct model_set *set,
				     const struct act_request *request);
/* Whether the backend's statuses on that kernel say of some rule of the set that something is
 * missed or refused besides. */
bool model_names_something(const struct pcl_backend *backend, unsigned kernel,
			   const struct model_set *set);

/* The set of the sequence that has this seed, and how many operations are done under it. */
void model_draw_common(struct model_random *random, uint64_t seed, struct model_set *ret_set);
unsigned long model_common_per_set(uint64_t seed);

/* --- trace.c: what was seen ------------------------------------------------------------------- */

#define MODEL_SEEN 8

/* Rules are numbers: their places in the set from 1, 0 for the posture, -1 for none that is named.
 */
struct model_seen {
	int error;
	int refused[MODEL_SEEN], told[MODEL_SEEN];
	size_t refused_count, told_count;
};

void model_seen_add(struct model_seen *seen, bool refused, int rule);
int model_rule_number(const struct model_rulesets *rulesets, const char *id);

void model_trace_set(uint64_t seed, const char *text);
/*
 * One line: the operation's place, a hash of what it is, its word, errno ("=": as without a
 * policy), by which rules it was refused, which told of it, and of which of these three something
 * else than the model's plain decision is expected: e, r, t.
 */
void model_trace_operation(unsigned long index, const struct model_operation *operation,
			   const struct model_seen *seen, const char *named);
/* Into a buffer of the caller's: in what expected is something else than plain. */
void model_named(const struct model_expected *expected, const struct model_expected *plain,
		 char ret_named[4]);

#endif
