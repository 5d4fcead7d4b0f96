/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of statuses.
 */
#include "backend/status.h"

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
