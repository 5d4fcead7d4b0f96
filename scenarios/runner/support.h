/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a contender's backend says that it does of a case's rules, asked here on the host: so what
 * is to be expected does not come from the engine that is under test in the guest.
 */
#ifndef GNT_SUPPORT_H
#define GNT_SUPPORT_H

#include "backend/status.h"
#include "base/diag.h"
#include "case.h"
#include "contender.h"

/* The worst status of the case's rules; exact for a contender whose table does not say partial. */
int gnt_support_worst(const struct gnt_case *test_case, const struct gnt_contender *contender,
		      const char *corpus_dir, enum pcl_status *ret_worst, struct pcl_diag *diag);

#endif
