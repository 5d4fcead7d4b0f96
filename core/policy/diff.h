/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changes in meaning between two policy sets, by example: operations that are refused anew,
 * and operations that are permitted anew.
 *
 * The domains are those that the sets themselves describe (the host, and one container for each
 * selector), the operations those that some rule of either set is about, and some that none is
 * about. So a difference that is told is one; that none is told is no proof that there is none.
 */
#ifndef PCL_POLICY_DIFF_H
#define PCL_POLICY_DIFF_H

#include "policy/decide.h"
#include "policy/domain.h"

struct pcl_change {
	char *domain;	 /* "host" or "NAMESPACE/NAME", and labels */
	char *operation; /* as policy/question.h reads it */
	bool refused;	 /* anew; else permitted anew */
	/* That decided before and after; NULL: none, or the posture. Borrowed from the sets. */
	const struct pcl_rule *before;
	const struct pcl_rule *after;
	size_t more; /* examples that the same rules decide, and that are left out */
};

/* Refused ones first, then by domain and operation. */
struct pcl_changes {
	struct pcl_change *items;
	size_t count;
	size_t left_out; /* examples that would be told, were there not so many of their domain */
};

/*
 * In domain alone, or where it is NULL in every domain that the sets describe. 0 or -ENOMEM. The
 * changes borrow from the sets.
 */
int pcl_diff(const struct pcl_policy_set *before, const struct pcl_policy_set *after,
	     const struct pcl_domain *domain, const struct pcl_postures *postures,
	     struct pcl_changes **ret_changes);
void pcl_changes_free(struct pcl_changes **changes);

#endif
