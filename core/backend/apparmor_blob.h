/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles without rules in the kernel's own form, made without a parser. Pure; private to the
 * backend.
 */
#ifndef PCL_BACKEND_APPARMOR_BLOB_H
#define PCL_BACKEND_APPARMOR_BLOB_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that grow; zero-initialise, free data. */
struct pcl_apparmor_blob {
	uint8_t *data;
	size_t len;
};

enum pcl_apparmor_kind {
	PCL_APPARMOR_CLOSED, /* allows nothing: a mark that nobody has a reason to enter */
	PCL_APPARMOR_FREE,   /* binds nobody who is in it */
};

/* 0 or -ENOMEM with blob as before. */
int pcl_apparmor_blob_add(struct pcl_apparmor_blob *blob, const void *data, size_t len);
/* Likewise a profile. -EINVAL for a name that is too long. */
int pcl_apparmor_blob_add_profile(struct pcl_apparmor_blob *blob, const char *name,
				  enum pcl_apparmor_kind kind);

#endif
