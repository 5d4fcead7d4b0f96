/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who did what a record of the audit stream tells of. For backends that have no events of their
 * own.
 */
#ifndef PCL_BACKEND_AUDIT_ACTOR_H
#define PCL_BACKEND_AUDIT_ACTOR_H

#include <limits.h>
#include <stdint.h>

struct pcl_audit_actor {
	uint32_t ppid;
	uint32_t pid_in_domain;
	uint32_t uid; /* as which it acts on files */
	char exe[PATH_MAX];
	char cwd[PATH_MAX];
};

/* What cannot be found out any more is 0 or empty. comm may be NULL. */
void pcl_audit_actor_find(uint32_t pid, const char *comm, struct pcl_audit_actor *ret_actor);

#endif
