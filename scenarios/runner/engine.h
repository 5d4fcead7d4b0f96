/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine under test, driven in the guest by its own command line: apply a case's policies,
 * make its container a domain, read its events, take everything away again.
 */
#ifndef GNT_ENGINE_H
#define GNT_ENGINE_H

#include <stdbool.h>

#include "base/diag.h"
#include "case.h"
#include "contender.h"
#include "vm.h"

/* Of one guest: all zero at its boot, and kept from case to case. */
struct gnt_engine {
	/*
	 * Whether programs stay attached between cases, which takes 0.1 s for each of them on some
	 * kernels: a domain without tasks has a rule of every class, beside what a case applies.
	 * Set by the caller.
	 */
	bool keep;
	bool idle;    /* that domain is there */
	bool touched; /* something was asked that must be taken away, whatever came of it */
	bool applied;
	bool loaded;	     /* programs are left in the kernel by cases before */
	const char *domain;  /* that was added, borrowed from the case; NULL: none */
	const char *backend; /* that the contender asked for, or NULL */
	bool kept;	     /* what the contender loads stays from case to case */
};

/*
 * Puts the policies into the guest, adds the domain (pid is 0 without a container; cgroup is
 * NULL where control groups do not tell it) and
 * applies. Where the engine refuses, ret_refusal (owned) has its words and 0 is returned, for that
 * is a finding about the engine; an error is one of the guest; ret_unsupported says whether it is
 * because the contender's backend does not support a rule. Events of before are thrown away.
 */
int gnt_engine_apply(struct gnt_engine *engine, struct gnt_vm *vm, const struct gnt_case *test_case,
		     const struct gnt_contender *contender, const char *corpus_dir,
		     const char *cgroup, int pid, char **ret_refusal, bool *ret_unsupported,
		     struct pcl_diag *diag);

/* Counts Block events since the last call; ret_rule (owned) is the rule's id, or another's, or
 * NULL. */
int gnt_engine_events(struct gnt_engine *engine, struct gnt_vm *vm, const char *rule,
		      int *ret_rule_events, int *ret_other_events, char **ret_rule,
		      struct pcl_diag *diag);

/*
 * Takes the case's policies and domain away, also after an apply that was refused. The engine stays
 * with a policy that binds no task, so that its programs need not be loaded anew for the next case,
 * which takes many times as long as the case itself.
 */
int gnt_engine_clear(struct gnt_engine *engine, struct gnt_vm *vm, struct pcl_diag *diag);

/* Takes everything away, so that the next apply loads anew. */
int gnt_engine_unload(struct gnt_engine *engine, struct gnt_vm *vm, struct pcl_diag *diag);

/* Text of a policy, wherever it comes from; owned. */
int gnt_policy_text(const struct gnt_case *test_case, const struct gnt_policy_ref *policy,
		    const char *corpus_dir, char **ret_text, struct pcl_diag *diag);

#endif
