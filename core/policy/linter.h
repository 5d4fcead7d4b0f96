/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of lint share; for core/policy only.
 *
 * lint.c finds the domains that a set describes, lint_warn.c keeps the warnings, lint_rule.c looks
 * at each rule by itself, lint_pair.c at rules that hold the same objects, lint_domain.c at what a
 * whole domain loses, lint_differ.c at what KubeArmor's enforcers would do.
 */
#ifndef PCL_POLICY_LINTER_H
#define PCL_POLICY_LINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/decide.h"
#include "policy/kubearmor.h"
#include "policy/lint.h"
#include "policy/near.h"

/*
 * Rules that may be looked at in all: a second's work, reached only where very many rules are about
 * the same objects.
 */
#define PCL_LINTER_VISITS_MAX 50000000

struct pcl_linter {
	const struct pcl_policy_set *set;
	struct pcl_warnings *warnings;
	uint64_t *said; /* hash table of what was said, so that nothing is said per domain */
	size_t said_count;
	size_t said_size; /* 0 or a power of two */
	size_t visits;	  /* of rules, by all searches and decisions; see PCL_LINTER_VISITS_MAX */
	bool depth_told;  /* concerns every set alike */
	/* Of the domain that is looked at: its policies in order of arrival, and their rules. */
	const struct pcl_policy_set *part;
	struct pcl_ruleset *ruleset; /* under both postures, by turns */
	struct pcl_near_index *near;
	struct pcl_kubearmor_lists lists;
};

/* A warning's fixed parts; texts are given besides. */
struct pcl_finding {
	enum pcl_lint_kind kind;
	const struct pcl_rule *rule;	 /* it stands at this rule's place */
	const struct pcl_policy *policy; /* or, where rule is NULL, at this policy's */
	const struct pcl_rule *other;
	const char *text; /* copied; NULL: the rule's object or the policy's name */
	const char *hint; /* copied */
	const char *enforcer;
	const char *example; /* copied */
	const char *ours;
	const char *theirs;
};

/*
 * Adds a warning unless the same kind was said of the same rule (or policy), other and enforcer.
 * 0 or -ENOMEM.
 */
int pcl_linter_warn(struct pcl_linter *linter, const struct pcl_finding *finding,
		    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The Allow of class that arrived first in the domain, or NULL. */
const struct pcl_rule *pcl_linter_first_allow(const struct pcl_linter *linter,
					      enum pcl_class class);

/*
 * pcl_near_find(), counted. false where more rules hold the object than are compared, which is told
 * at rule; *ret_error is 0 or -ENOMEM.
 */
bool pcl_linter_near(struct pcl_linter *linter, const struct pcl_rule *rule,
		     const struct pcl_operation *operation, struct pcl_near *ret_near,
		     int *ret_error);

/* Each looks at what its file is about. 0 or -ENOMEM. */
int pcl_lint_rule(struct pcl_linter *linter, const struct pcl_rule *rule);
int pcl_lint_pairs(struct pcl_linter *linter, const struct pcl_rule *rule);
int pcl_lint_domain(struct pcl_linter *linter);
int pcl_lint_differences(struct pcl_linter *linter, const struct pcl_rule *rule);
/* The differences that concern the domain and no rule alone. */
int pcl_lint_domain_differences(struct pcl_linter *linter);

/* More than any object that lint makes up has: the longest path, and a little below it. */
#define PCL_LINT_OBJECT_SIZE 4352
#define PCL_LINT_OBJECTS_MAX 6

/*
 * Operations on what rule is about: its object, what lies in a directory, the sockets of a
 * protocol. Only what tells the object is filled in, and an access of the rule's class.
 */
struct pcl_lint_objects {
	struct pcl_operation operations[PCL_LINT_OBJECTS_MAX];
	size_t count; /* 0 where nothing can match */
	char *owned[3];
};

/* 0 or -ENOMEM. The operations borrow from rule and from *ret_objects. */
int pcl_lint_objects(const struct pcl_rule *rule, struct pcl_lint_objects *ret_objects);
void pcl_lint_objects_fini(struct pcl_lint_objects *objects);

#endif
