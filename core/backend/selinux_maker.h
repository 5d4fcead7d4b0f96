/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that make a plan of the SELinux backend share. Private to them.
 */
#ifndef PCL_BACKEND_SELINUX_MAKER_H
#define PCL_BACKEND_SELINUX_MAKER_H

#include <stdint.h>

#include "backend/selinux_plan.h"
#include "policy/decide.h"

/* What is refused and told of an object; a type's letters, in their order. */
#define PCL_SELINUX_READ (1u << 0)
#define PCL_SELINUX_WRITE (1u << 1)
#define PCL_SELINUX_EXECUTE (1u << 2)  /* by a rule: mapping executable too */
#define PCL_SELINUX_UNLISTED (1u << 3) /* executing, by the posture of a list */
#define PCL_SELINUX_KEEP (1u << 4)     /* it keeps its name */
#define PCL_SELINUX_TELL_READ (1u << 5)
#define PCL_SELINUX_TELL_WRITE (1u << 6)
#define PCL_SELINUX_TELL_EXECUTE (1u << 7)
#define PCL_SELINUX_BIT_COUNT 8
/* A directory's type has those of what is made in it this much higher. */
#define PCL_SELINUX_MADE_SHIFT PCL_SELINUX_BIT_COUNT
/* What is moved or linked there is refused, too. Of directories only; no letter of its own. */
#define PCL_SELINUX_DIR (1u << 16)

#define PCL_SELINUX_REASONS_MAX 12

/* What holds for an object, and why. */
struct pcl_selinux_answer {
	unsigned bits;
	const struct pcl_rule *rules[PCL_SELINUX_REASONS_MAX]; /* in no order */
	size_t rule_count;
};

/* A rule whose path is another's name as well. */
struct pcl_selinux_alias {
	size_t rank; /* in the ruleset */
	const char *name;
};

/* A directory that keeps its name, because of what lies below it. */
struct pcl_selinux_kept {
	char *path;
	const struct pcl_rule *rule;
};

struct pcl_selinux_judge {
	const struct pcl_ruleset *ruleset;
	struct pcl_selinux_alias *aliases;
	size_t alias_count;
	struct pcl_selinux_kept *kept; /* sorted by path */
	size_t kept_count;
	const struct pcl_rule **matched; /* room for all the rules of the ruleset */
	size_t *ranks;
	size_t rank_count;
};

/* --- selinux_answers.c -------------------------------------------------------------------------
 */

/* 0 or -ENOMEM. domain is borrowed, and so is its ruleset. */
int pcl_selinux_judge_init(struct pcl_selinux_judge *judge,
			   const struct pcl_backend_domain *domain);
void pcl_selinux_judge_fini(struct pcl_selinux_judge *judge);

/* Of one name. 0 or -ENOMEM. */
int pcl_selinux_judge(struct pcl_selinux_judge *judge, const struct pcl_selinux_entry *entry,
		      struct pcl_selinux_answer *ret_answer);
/* Of what no rule is about; a directory's has what is made in it. */
unsigned pcl_selinux_unruled(const struct pcl_selinux_judge *judge, bool directory);
/* What holds for one holds for the other, too. */
void pcl_selinux_answer_join(struct pcl_selinux_answer *answer,
			     const struct pcl_selinux_answer *other);

/* --- selinux_numbers.c -------------------------------------------------------------------------
 */

/* Adds what is refused of sockets and capabilities. 0, -ENOMEM, or -EOPNOTSUPP with diag. */
int pcl_selinux_plan_numbers(const struct pcl_ruleset *ruleset, const struct pcl_selinux_view *view,
			     struct pcl_selinux_plan *plan, struct pcl_diag *diag);

/* --- selinux_plan.c ----------------------------------------------------------------------------
 */

/* Takes copies. 0 or -ENOMEM. */
int pcl_selinux_add_refuse(struct pcl_selinux_plan *plan, const char *class_name,
			   const char *const *permissions, size_t permission_count,
			   struct pcl_selinux_reason *reason,
			   struct pcl_selinux_refuse **ret_refuse);
/* Sorted and without duplicates, in an array of its own. 0 or -ENOMEM. */
int pcl_selinux_reason_make(const struct pcl_rule *const *rules, size_t count,
			    struct pcl_selinux_reason *ret_reason);

#endif
