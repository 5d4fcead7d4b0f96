/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether backends agree on what came of the same operations: pure, from what `model --beside`
 * printed of each (scenarios/model/common.h says how).
 *
 * Any two that did an operation are compared: errno, by which rules it was refused, which rules
 * told of it. Where the two are not alike, one must have been expected to come to something else
 * than the model's plain decision, in that very respect, for the sake of what its statuses name.
 * What is expected so the guest has compared with what came already.
 */
#ifndef GNT_AGREE_H
#define GNT_AGREE_H

#include <stddef.h>

#include "base/diag.h"

#define GNT_AGREE_TOLD 10

struct gnt_agree;

struct gnt_agree_backend {
	char *name;
	unsigned long compared; /* operations, with another backend */
	/* Pairs that are not alike since something else was expected of it. Owned; by word. */
	struct gnt_agree_named {
		char *word;
		unsigned long pairs;
	} * named;
	size_t named_count;
};

struct gnt_agreement {
	unsigned long operations; /* that two backends did */
	unsigned long by_three;	  /* of these, that three did */
	unsigned long pairs, alike, differences;
	struct gnt_agree_backend *backends;
	size_t backend_count;
	/* The first of the differences, one of each operation. */
	struct gnt_agree_difference {
		char *text;
		unsigned long long seed;
		unsigned long index;
	} told[GNT_AGREE_TOLD];
	size_t told_count;
};

int gnt_agree_new(struct gnt_agree **ret_agree, struct pcl_diag *diag);
void gnt_agree_free(struct gnt_agree **agree);
/* What one backend did on one target. Lines of other kinds are passed over; one that begins as
 * an operation's and is none is -EINVAL with diag. */
int gnt_agree_add(struct gnt_agree *agree, const char *backend, const char *target,
		  const char *text, struct pcl_diag *diag);
int gnt_agree_compare(struct gnt_agree *agree, struct gnt_agreement *ret_agreement,
		      struct pcl_diag *diag);
void gnt_agreement_fini(struct gnt_agreement *agreement);

#endif
