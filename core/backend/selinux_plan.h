/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan of the SELinux backend: the host's ruleset and what a node's file systems hold, to
 * types, constraints and labels. Pure: no I/O, the same input gives the same plan on any machine.
 *
 * For each file the model (policy/decide.h) says what is refused, and what is told of; files of one
 * type for which it says the same get a type of their own, a clone of that one. So all that the
 * node's policy says of them goes on, and what is refused is said by constraints on the clones.
 *
 * What is made in a directory later gets the directory's type, unless the policy has a transition
 * there; so the clone of a directory whose new files would be refused something refuses that too,
 * and the results of transitions are cloned with it.
 */
#ifndef PCL_BACKEND_SELINUX_PLAN_H
#define PCL_BACKEND_SELINUX_PLAN_H

#include <stdio.h>

#include "backend/backend.h"
#include "backend/selinux_patch.h"

/* --- what a node has ---------------------------------------------------------------------------
 */

/* One name of a file. */
struct pcl_selinux_entry {
	char *path;	 /* absolute, normalised, without links */
	char kind;	 /* as find -printf %y: f d l c b s p */
	uint64_t device; /* with inode: equal for the names of one file */
	uint64_t inode;	 /* 0: it has no other name */
	char *context;	 /* NULL: none can be kept there */
	bool stays;	 /* context is one of ours, and nothing may be written there */
};

/* A type_transition for what source makes in objects of target. */
struct pcl_selinux_making {
	char *source;
	char *target;
	char *class_name;
	char *result;
};

/* Who may execute files of a type, and what becomes of it; pcl_selinux_policy_executors(). */
struct pcl_selinux_execution {
	char *type;
	char *domain;
	char *enters; /* NULL: it stays what it is */
};

struct pcl_selinux_view {
	struct pcl_selinux_entry *entries; /* sorted by path, bytes compared */
	size_t entry_count;
	char **types; /* that files may have, without clones of ours */
	size_t type_count;
	char **domains; /* what every process is: types, or an attribute of them */
	size_t domain_count;
	char **classes; /* of sockets */
	size_t class_count;
	struct pcl_selinux_making *makings;
	size_t making_count;
	struct pcl_selinux_execution *executors; /* of the types of programs that are sources */
	size_t executor_count;
};

/*
 * Reads a view as text, a thing a line, as find -printf '%p %y %Z\n' prints files:
 *
 *   /PATH KIND CONTEXT          KIND@DEVICE:INODE where the file may have other names; CONTEXT is
 *                               "-" for none; a blank, a newline or a backslash in PATH is \OOO
 *   type|domain|class NAME
 *   making SOURCE TARGET CLASS RESULT
 *   executor TYPE DOMAIN [RESULT]
 *
 * Lines that are empty or begin with # are skipped. Where nothing is said of classes, they are
 * those of Linux. -EINVAL with diag, which names the line (and name as the file); -ENOMEM.
 */
int pcl_selinux_view_parse(const char *name, const char *text, struct pcl_selinux_view **ret_view,
			   struct pcl_diag *diag);
void pcl_selinux_view_free(struct pcl_selinux_view **view);

/* --- the plan ----------------------------------------------------------------------------------
 */

/* The rules for whose sake something is so, best attribution first, without duplicates; borrowed.
 */
struct pcl_selinux_reason {
	const struct pcl_rule **rules;
	size_t rule_count;
};

struct pcl_selinux_relabel {
	const char *path; /* the view's */
	const char *before;
	char *after;
	struct pcl_selinux_reason reason; /* none: no rule is about it any more */
};

/* A program that is a source; a domain that runs it is PREFIX NAME "_" DOMAIN. */
struct pcl_selinux_source {
	char *name;
	const char *path; /* the first of a rule's */
};

struct pcl_selinux_plan {
	struct pcl_selinux_changes changes;
	struct pcl_selinux_source *sources;
	size_t source_count;
	struct pcl_selinux_reason *of_clones; /* as many as there are clones */
	struct pcl_selinux_reason
		*of_refuses; /* of sockets and capabilities; else none: see types */
	struct pcl_selinux_relabel *relabels; /* in the order of the view */
	size_t relabel_count;
	/* What a rule is about and cannot be labelled, in the order of the view: it is not refused.
	 */
	struct pcl_selinux_relabel *missed;
	size_t missed_count;
};

/*
 * view: NULL for none: then of files nothing is planned. 0; -EOPNOTSUPP with diag for a rule that
 * SELinux, or a policy without the class that it needs, does not support; -EINVAL for a context
 * that is none; -ENOMEM.
 */
int pcl_selinux_plan(const struct pcl_backend_input *input, const struct pcl_selinux_view *view,
		     struct pcl_selinux_plan **ret_plan, struct pcl_diag *diag);
void pcl_selinux_plan_free(struct pcl_selinux_plan **plan);

/*
 * For people: types, constraints, transitions and labels, with the rules that each is for. Of a
 * constraint on files the types that it names have them.
 */
void pcl_selinux_plan_print(const struct pcl_selinux_plan *plan, FILE *out);
/* What is known of files without a view: each rule's, as written, and what is refused of them. */
void pcl_selinux_rules_print(const struct pcl_ruleset *ruleset, FILE *out);

/*
 * Clones are named PREFIX LETTERS "_" BASE; LETTERS say what is refused and told of objects of the
 * type: r reading, w changing, x executing by a rule, u executing by a list, k moving away, l m n
 * told of reading, changing, executing; p none of it. Of a directory's type small letters are about
 * the directory, capital ones about what is made in it. Where something else holds for who runs a
 * program that is a source, the program's name follows and letters again; and the type of such a
 * program's own file ends in "s" and its name.
 *
 * Domains that run a program are named PREFIX PROGRAM "_" BASE, and those that have run one PREFIX
 * "o_" BASE.
 */
#define PCL_SELINUX_PREFIX "portcullis_"

/* A name that no pattern means by chance; what holds for it holds for whatever is made there. */
#define PCL_SELINUX_MADE_NAME "\1\2\3\4\5\6\7\1\2\3\4\5\6\7"

/*
 * Calls fn for every path by which the domain's rules name a source, and for what it means besides;
 * perhaps more than once. Stops at an error, which it returns.
 */
int pcl_selinux_sources_each(const struct pcl_backend_domain *domain,
			     int (*fn)(void *context, const char *path), void *context);

/* What type stands in for; type itself where it is no clone. Borrowed from type. */
const char *pcl_selinux_base(const char *type);

/*
 * What the plan refuses besides rules: moving directories above what they name, and programs that
 * they block. The rule for whose sake a change of an object is refused so, the first in the
 * ruleset's order; NULL: none.
 */
const struct pcl_rule *pcl_selinux_guard(const struct pcl_ruleset *ruleset,
					 const struct pcl_operation *change);

/* selinux_status.c: as struct pcl_backend's status() and kernels. */
extern const char *const pcl_selinux_kernel_names[];
struct pcl_rule_status pcl_selinux_status(const struct pcl_rule *rule, unsigned kernel);

#endif
