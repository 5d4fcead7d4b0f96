/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy in the middle of being changed, and the steps of the change, in their order. Private to
 * the backend's own files; includes libsepol, as selinux_policy.h does.
 */
#ifndef PCL_BACKEND_SELINUX_EDIT_H
#define PCL_BACKEND_SELINUX_EDIT_H

#include "backend/selinux_policy.h"

/*
 * A type that has clones, and an attribute of just these: what is said of the type is said of the
 * attribute once, and not of each clone again.
 */
struct pcl_selinux_family {
	uint32_t base;
	uint32_t attribute;
	uint32_t *clones;
	size_t clones_count;
};

/* That one domain may enter another, which is a clone. */
struct pcl_selinux_entrance {
	uint32_t result;
	uint32_t source;
};

struct pcl_selinux_edit {
	policydb_t *db;
	size_t types_room; /* for so many types the policy's tables have room */
	struct pcl_selinux_family *families;
	size_t families_count;
	size_t *family_of; /* by a type's value; counts from 1, 0 is none */
	size_t family_of_count;
	uint32_t *base_of; /* by a type's value, once clones are there: itself, or its base */
	bool *plain;	   /* by a type's value: a clone that no directory is of */
	struct pcl_selinux_entrance *entrances; /* perhaps more than once */
	size_t entrances_count;
};

void pcl_selinux_edit_fini(struct pcl_selinux_edit *edit);

/* NULL: value has no clones. Borrowed. */
const struct pcl_selinux_family *pcl_selinux_family(const struct pcl_selinux_edit *edit,
						    uint32_t value);

/* A new attribute without types. */
int pcl_selinux_add_attribute(struct pcl_selinux_edit *edit, const char *prefix, const char *name,
			      uint32_t *ret_value, struct pcl_diag *diag);
/* 0 or -ENOMEM. */
int pcl_selinux_join(struct pcl_selinux_edit *edit, uint32_t type, uint32_t attribute);

/* Adds a rule, or permissions to one that is there; by its key. 0 or -ENOMEM. */
int pcl_selinux_add_permissions(struct pcl_selinux_edit *edit, const avtab_key_t *key,
				uint32_t permissions);

/* Appends a rule to a list of a conditional, unless it is a transition that is there outside. */
int pcl_selinux_add_conditional(struct pcl_selinux_edit *edit, const avtab_key_t *key,
				const avtab_datum_t *datum, cond_av_list_t **list);

/* The clones themselves, those with a base: attributes, roles, bounds, permissive, constraints'
 * names. */
int pcl_selinux_edit_types(struct pcl_selinux_edit *edit, const struct pcl_selinux_changes *changes,
			   struct pcl_diag *diag);
/* Clones without a base, which are names and nothing else. */
int pcl_selinux_edit_names(struct pcl_selinux_edit *edit, const struct pcl_selinux_changes *changes,
			   struct pcl_diag *diag);
/* Transitions, first those that are named; before the rules are copied, which give way to them. */
int pcl_selinux_edit_enters(struct pcl_selinux_edit *edit,
			    const struct pcl_selinux_changes *changes, struct pcl_diag *diag);
/* The rules that name a base, for its clones. */
int pcl_selinux_edit_rules(struct pcl_selinux_edit *edit, struct pcl_diag *diag);
/* The same for transitions by name, ranges and roles. */
int pcl_selinux_edit_transitions(struct pcl_selinux_edit *edit, struct pcl_diag *diag);
int pcl_selinux_edit_audits(struct pcl_selinux_edit *edit,
			    const struct pcl_selinux_changes *changes, struct pcl_diag *diag);
/* That nobody comes in by another entrance. */
int pcl_selinux_edit_entrances(struct pcl_selinux_edit *edit, struct pcl_diag *diag);
/* Constraints, and no dontaudit that would silence them. */
int pcl_selinux_edit_refuses(struct pcl_selinux_edit *edit,
			     const struct pcl_selinux_changes *changes, struct pcl_diag *diag);

static inline int pcl_selinux_no_memory(struct pcl_diag *diag)
{
	return pcl_diag_set(diag, -ENOMEM, "out of memory");
}

#endif
