/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of statuses, and what the kernel keeps from every LSM.
 */
#include "backend/status.h"

#include <linux/capability.h>

const char *pcl_status_name(enum pcl_status status)
{
	static const char *const names[PCL_STATUS_COUNT] = {
		[PCL_STATUS_EXACT] = "exact",
		[PCL_STATUS_STRICTER] = "stricter",
		[PCL_STATUS_LOOSER] = "looser",
		[PCL_STATUS_UNSUPPORTED] = "unsupported",
	};

	return names[status];
}

/* KERNEL: the capability module looks these up in itself, so no hook is called. */
const char *pcl_status_missed_capability(const struct pcl_rule *rule)
{
	if (rule->action == PCL_ACTION_ALLOW)
		return "misses, as an allow-list, what no hook is called for: sys_rawio for low "
		       "addresses, setpcap for capset and securebits, sys_admin for the memory "
		       "reserve";
	switch (rule->number) {
	case CAP_SYS_RAWIO:
		return "misses mappings of low addresses, for which no hook is called";
	case CAP_SETPCAP:
		return "misses capset and securebits, for which no hook is called";
	case CAP_SYS_ADMIN:
		return "misses the use of the memory reserve, for which no hook is called";
	default:
		return NULL;
	}
}
