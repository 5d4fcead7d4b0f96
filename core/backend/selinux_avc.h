/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record of SELinux in the kernel's audit stream, as one line of text. Pure; private to the
 * backend.
 */
#ifndef PCL_BACKEND_SELINUX_AVC_H
#define PCL_BACKEND_SELINUX_AVC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pcl_selinux_avc {
	uint64_t serial; /* of the audit stream, rising since boot */
	uint64_t time_ns;
	bool loaded; /* a policy was loaded; nothing else is said */
	bool denied;
	bool permissive; /* and nevertheless done */
	char **permissions;
	size_t permissions_count;
	char *path; /* absolute; NULL: not told */
	char *name; /* the last component; NULL: not told */
	char *comm;
	char *source; /* the type of who asks */
	char *target; /* that of what is asked for */
	char *class_name;
	uint64_t inode; /* 0: not told */
	int capability; /* -1: none */
	uint32_t pid;
};

/*
 * text is what stands behind "type=1400 " in the kernel's log and in a message of the audit socket:
 * "audit(SECONDS.MS:SERIAL): avc: ...". 0; -ENOMSG where it is no record of SELinux's; -ENOMEM.
 */
int pcl_selinux_avc_parse(const char *text, struct pcl_selinux_avc *ret_avc);
void pcl_selinux_avc_fini(struct pcl_selinux_avc *avc);

/* Whether next, the record behind first, is of the same call: that a file gets a hard link. */
bool pcl_selinux_avc_is_same_link(const struct pcl_selinux_avc *first,
				  const struct pcl_selinux_avc *next);

#endif
