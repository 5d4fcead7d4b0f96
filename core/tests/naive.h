/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second evaluation of policies, written from the meaning's text and not from the model's code:
 * it takes drawn policies as they were drawn, without reader, resolver, index or order, and tries
 * everything. Slow and plain on purpose.
 */
#ifndef PCL_TESTS_NAIVE_H
#define PCL_TESTS_NAIVE_H

#include "generate.h"

struct naive_verdict {
	bool refused;
	int error;
	bool by_posture;
	bool audited;
	bool alert;
};

void naive_decide(const struct gen_set *set, const struct gen_case *draw,
		  struct naive_verdict *ret_verdict);

/* A pattern without groups, by trying every length of every star. */
bool naive_glob(const char *pattern, const char *text);

#endif
