/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lint: what a policy set says that will surprise its author. No warning is an error, and none
 * changes what the set means.
 *
 * Pure: it knows the policies and nothing of the machine. It judges the domains that the set itself
 * describes, the host and one container for each selector, and a rule is compared only with rules
 * that hold in the same domain. Work and memory are bounded; where the bound is met, a warning of
 * kind PCL_LINT_LIMIT says what was not looked at.
 */
#ifndef PCL_POLICY_LINT_H
#define PCL_POLICY_LINT_H

#include <stddef.h>

#include "policy/policy.h"

enum pcl_lint_kind {
	PCL_LINT_NEVER_MATCHES, /* no operation can match the rule */
	PCL_LINT_AUDIT_ONLY,	/* says Block or Allow where there is nothing but Audit */
	PCL_LINT_DUPLICATE,	/* another rule says the same */
	PCL_LINT_SHADOWED,	/* whatever the rule decides, another rule decides already */
	PCL_LINT_CONTRADICTION, /* an Allow that a Block of the same objects always beats */
	PCL_LINT_ALLOW_LIST,	/* an Allow that turns its class into an allow-list */
	PCL_LINT_SYMLINK,	/* a path through a link of merged-/usr and like systems */
	PCL_LINT_DIRECTORY,	/* looks like a directory where a file is meant, or the reverse */
	PCL_LINT_EVERYTHING,	/* matches every object of its class */
	PCL_LINT_LOCKOUT,	/* refuses what the host needs to be run and repaired */
	PCL_LINT_INTERPRETER,	/* a script is read by its interpreter, not executed */
	PCL_LINT_KUBEARMOR,	/* an enforcer of KubeArmor decides otherwise */
	PCL_LINT_LIMIT,		/* lint itself did not look at everything */
};
#define PCL_LINT_COUNT 13

struct pcl_warning {
	enum pcl_lint_kind kind;
	const char *file; /* borrowed from the policy */
	struct pcl_place place;
	const struct pcl_rule *rule;  /* the rule that is spoken of; NULL: the policy or the set */
	const struct pcl_rule *other; /* the rule that it collides with, or NULL */
	char *text; /* the offending text: a path, a pattern, a capability, a policy's name */
	char *what; /* one sentence without a full stop, quoting text: what will surprise */
	char *hint; /* how to mend it, in the imperative */
	/* For PCL_LINT_KUBEARMOR, else NULL: who differs, on what, and what each says. */
	const char *enforcer; /* "BPF-LSM", "AppArmor", "SELinux"; static */
	char *example;	      /* as explain takes it: "exec /usr/bin/apt by /bin/bash uid 0" */
	const char *ours;     /* "permitted" or "refused"; static */
	const char *theirs;
};

/* Sorted by file, line, column and kind. */
struct pcl_warnings {
	struct pcl_warning *items;
	size_t count;
};

/* 0 or -ENOMEM. The warnings borrow from set, which must outlive them. */
int pcl_lint(const struct pcl_policy_set *set, struct pcl_warnings **ret_warnings);
void pcl_warnings_free(struct pcl_warnings **warnings);

/* "never-matches", "duplicate", ... */
const char *pcl_lint_kind_name(enum pcl_lint_kind kind);

#endif
