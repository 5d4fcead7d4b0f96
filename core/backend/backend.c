/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of backends.
 */
#include "backend/backend.h"

#include <string.h>

const struct pcl_backend *const pcl_backends[] = {
	&pcl_backend_bpf_lsm, &pcl_backend_apparmor, &pcl_backend_selinux, &pcl_backend_none, NULL,
};

const struct pcl_backend *pcl_backend_find(const char *name)
{
	for (size_t i = 0; pcl_backends[i]; i++)
		if (!strcmp(pcl_backends[i]->name, name))
			return pcl_backends[i];
	return NULL;
}
