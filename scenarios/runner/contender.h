/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contenders: what is put between the attack and its aim. One table; what a contender needs of a
 * target and how it is switched on stand in its row.
 */
#ifndef GNT_CONTENDER_H
#define GNT_CONTENDER_H

#include <stdbool.h>
#include <stddef.h>

#define GNT_CONTENDER_NONE "none"

struct gnt_contender {
	const char *id;
	const char *title;
	bool engine;	     /* portcullis applies the case's policies */
	const char *backend; /* its --backend, or NULL for its own choice */
	const char *lsm;     /* LSM that must be active, or NULL */
	bool btf;	     /* the kernel must have BTF */
	bool kept;	     /* what it loads takes seconds, and stays from case to case */
	/*
	 * Its backend (of one kind of kernel) does not support every rule, and enforces others
	 * looser than they say: it is asked for its best, and refusing the rest is what is
	 * expected.
	 */
	bool partial;
	bool profiles; /* a runtime puts what it starts in a container into a profile */
};

extern const struct gnt_contender gnt_contenders[];
extern const size_t gnt_contender_count;

/* Borrowed, or NULL. */
const struct gnt_contender *gnt_contender_find(const char *id);

#endif
