/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend does of a rule, against what the rule says.
 */
#ifndef PCL_BACKEND_STATUS_H
#define PCL_BACKEND_STATUS_H

#include "policy/policy.h"

/* From the best to the worst. */
enum pcl_status {
	PCL_STATUS_EXACT,
	PCL_STATUS_STRICTER,	/* refuses something more */
	PCL_STATUS_LOOSER,	/* misses something */
	PCL_STATUS_UNSUPPORTED, /* does nothing of it */
};
#define PCL_STATUS_COUNT 4

struct pcl_rule_status {
	enum pcl_status status;
	/* What more or less, as the end of "this backend ..."; NULL where it is exact. */
	const char *reason;
};

const char *pcl_status_name(enum pcl_status status); /* "exact", "stricter", ... */

/*
 * What an LSM misses of a rule of capabilities, since the kernel asks no hook there: the end of
 * "this backend ..."; NULL: nothing.
 */
const char *pcl_status_missed_capability(const struct pcl_rule *rule);

#endif
