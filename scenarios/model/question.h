/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel asks about in the course of one operation: shared by operation.c and by
 * apparmor.c and selinux.c, where backends that judge by name and by label are asked otherwise.
 */
#ifndef PCL_MODEL_QUESTION_H
#define PCL_MODEL_QUESTION_H

#include "model.h"

/* One question of the kernel's. named: only a rule that refuses counts (an object gets a new name,
 * under which a rule on executing it would not know it). */
struct model_question {
	enum pcl_access access;
	const char *object;
	const char *owned; /* whose owner counts; NULL: the object's */
	bool named;
	bool entered; /* by what was executed: a program that no rule names as a source */
	unsigned capability;
	const char *name;   /* of a system call */
	const char *script; /* that is put before the arguments; NULL: none */
	bool with_args;	    /* those of the request */
};

#define MODEL_QUESTIONS 6

/* In the order in which hooks that judge by file are called. */
size_t model_questions_of(const struct model_operation *operation,
			  struct model_question *questions);
void model_decide(const struct model_rulesets *rulesets, const struct model_operation *operation,
		  const struct model_question *question, struct pcl_verdict *ret_verdict);
void model_expect_alert(struct model_expected *expected, const struct pcl_verdict *verdict,
			bool required);

/* --- apparmor.c: as model_expect(), but what the statuses of that backend name is expected -------
 */

void model_expect_by_name(const struct model_rulesets *rulesets,
			  const struct model_operation *operation,
			  struct model_expected *ret_expected);

/* --- selinux.c: likewise for that one ------------------------------------------------------------
 */

void model_expect_by_label(const struct model_rulesets *rulesets,
			   const struct model_operation *operation,
			   struct model_expected *ret_expected);
/* actor: one that does not run yet. */
void model_expect_start(const struct model_rulesets *rulesets, const struct model_actor *actor,
			enum model_start how, struct model_started *ret_started);

#endif
