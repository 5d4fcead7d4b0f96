/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which backend a policy set is enforced with where nobody names one: the one that this node can
 * use with the best statuses, of equal ones the cheapest, which stands first in pcl_backends.
 *
 * Better is who has fewer rules that are unsupported, then fewer looser ones, then fewer stricter
 * ones. One backend enforces all of a set; which of its classes another would do better is told.
 */
#ifndef PCL_ENGINE_CHOICE_H
#define PCL_ENGINE_CHOICE_H

#include "backend/backend.h"
#include "engine/statuses.h"

struct pcl_candidate {
	const struct pcl_backend *backend;
	char *lacks; /* why this node cannot use it (owned); NULL: it can */
	unsigned kernel;
	struct pcl_statuses statuses;			  /* of the rules, by number */
	size_t counts[PCL_CLASS_COUNT][PCL_STATUS_COUNT]; /* of each class */
};

struct pcl_choice {
	struct pcl_candidate
		*candidates; /* in the order of cost, those that enforce nothing left out */
	size_t count;
	size_t chosen; /* index; count where this node can use none */
};

/*
 * Of all backends. Without it those that this node cannot use are not asked of the rules, and the
 * dearer ones of nothing once one does everything exactly.
 */
#define PCL_CHOICE_ALL (1u << 0)

struct pcl_choice_asked {
	const struct pcl_backend *const *backends; /* NULL at the end */
	const struct pcl_node *node;
	const struct pcl_backend *known; /* whose kernel was found out before, or NULL */
	unsigned known_kernel;
	const struct pcl_rule *const *rules; /* in the order of their numbers */
	size_t rule_count;
};

/* 0 or -ENOMEM. */
int pcl_choice_make(const struct pcl_choice_asked *asked, unsigned flags,
		    struct pcl_choice *ret_choice);
void pcl_choice_fini(struct pcl_choice *choice);

/* Of all classes: how many rules have the status with the candidate. */
size_t pcl_choice_count(const struct pcl_candidate *candidate, enum pcl_status status);

/* Why the chosen one: the end of "NAME is taken: ..." (owned); NULL without memory. */
char *pcl_choice_why(const struct pcl_choice *choice);

/*
 * The candidate that would do better of class than the chosen one, by its index; count where none
 * would, and where none is chosen.
 */
size_t pcl_choice_better(const struct pcl_choice *choice, enum pcl_class class);

#endif
