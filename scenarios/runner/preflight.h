/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a guest is what its target's manifest says, looked at once after each boot and before any
 * case: what the guest says of itself is compared, and then each LSM refuses something of its own.
 */
#ifndef GNT_PREFLIGHT_H
#define GNT_PREFLIGHT_H

#include "base/diag.h"
#include "target.h"
#include "vm.h"

/* What a run asked for instead of what the manifest says; what it leaves alone is as there. */
struct gnt_preflight_options {
	const struct gnt_target *target;
	char *const *lsm; /* what must be active: the target's list, or --lsm's */
	size_t lsm_count;
	bool lsm_replaced; /* by --lsm: then more may be active, and what is not in it is not asked
			      for */
};

/*
 * Every difference with both values, in one text (owned), or NULL where there is none. An error is
 * the guest's, with diag.
 */
int gnt_preflight(struct gnt_vm *vm, const struct gnt_preflight_options *options, char **ret_unmet,
		  struct pcl_diag *diag);

/* The comparison alone; pure. */
char *gnt_preflight_compare(const json_t *hello, const struct gnt_preflight_options *options);

#endif
