/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record of AppArmor in the kernel's audit stream, as one line of text. Pure; private to the
 * backend.
 */
#ifndef PCL_BACKEND_APPARMOR_RECORD_H
#define PCL_BACKEND_APPARMOR_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pcl_apparmor_verdict {
	PCL_APPARMOR_DENIED,
	PCL_APPARMOR_AUDITED, /* permitted, and told of */
	PCL_APPARMOR_STATUS,  /* profiles were loaded, replaced or removed */
};

struct pcl_apparmor_record {
	uint64_t serial; /* of the audit stream, rising since boot */
	uint64_t time_ns;
	enum pcl_apparmor_verdict verdict;
	char *operation; /* "open", "exec", "capable", "profile_load", ... */
	char *profile;	 /* that decided; of a status, under which the loader ran */
	char *name; /* the object's path, as rules write it; of a status, the profile; NULL: none */
	bool directory; /* the name is one's, by the kernel's word */
	char *target;	/* the second path of a link or rename; NULL: none */
	char *comm;
	char *requested; /* masks of letters or words; NULL: none */
	char *denied;
	char *family; /* "inet"; NULL: no socket */
	char *type;   /* "stream" */
	char *capname;
	char *info; /* why, in the kernel's words; NULL: none */
	int protocol;
	int capability; /* -1: none */
	uint32_t pid;
	uint32_t fsuid;
	uint32_t ouid;
	bool has_owner; /* fsuid and ouid are known */
};

/*
 * text is what stands behind "type=1400 " in the kernel's log and in a message of the audit socket:
 * "audit(SECONDS.MS:SERIAL): apparmor=...". 0; -ENOMSG where it is no record of AppArmor's;
 * -ENOMEM.
 */
int pcl_apparmor_record_parse(const char *text, struct pcl_apparmor_record *ret_record);
void pcl_apparmor_record_fini(struct pcl_apparmor_record *record);

#endif
