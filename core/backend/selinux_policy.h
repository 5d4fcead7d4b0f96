/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An SELinux policy as libsepol holds it, and how its parts are looked up. Private to the backend's
 * own files, and to be included before anything else: libsepol has a member that is called bool.
 */
#ifndef PCL_BACKEND_SELINUX_POLICY_H
#define PCL_BACKEND_SELINUX_POLICY_H

#include <sepol/policydb/policydb.h>
#include <sepol/policydb/conditional.h>

#include "backend/selinux_patch.h"

struct pcl_selinux_policy {
	policydb_t db;
};

/* Values count from 1, maps of bits from 0. */
static inline bool pcl_selinux_has(const ebitmap_t *map, uint32_t value)
{
	return ebitmap_get_bit(map, value - 1);
}

/* The datum of a type, attribute or alias; NULL: there is none. */
type_datum_t *pcl_selinux_find(const policydb_t *db, const char *name);
/* Whether value is an attribute, that is, stands for types. */
bool pcl_selinux_is_attribute(const policydb_t *db, uint32_t value);
/* A type's value, or -ENOENT; -EINVAL for an attribute where one is not taken. */
int pcl_selinux_type(const policydb_t *db, const char *name, bool attributes, uint32_t *ret_value,
		     struct pcl_diag *diag);
int pcl_selinux_class(const policydb_t *db, const char *name, class_datum_t **ret_class,
		      struct pcl_diag *diag);
/* A permission's bit; 0: the class has none of that name. */
uint32_t pcl_selinux_permission(const class_datum_t *class, const char *name);

/* The bits of several; -ENOENT. class_name is for what is said. */
int pcl_selinux_permissions(const class_datum_t *class, const char *class_name, char *const *names,
			    size_t count, uint32_t *ret_permissions, struct pcl_diag *diag);

/* The policy in the form that the kernel loads. Owned. */
int pcl_selinux_policy_write(struct pcl_selinux_policy *policy, void **ret_data, size_t *ret_size,
			     struct pcl_diag *diag);

#endif
