/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of an SELinux policy in its binary form: bytes in, bytes out, and no kernel.
 *
 * What the policy said before goes on: types are added that are as the ones they stand in for, and
 * all that is taken away is taken by constraints, which can do nothing else. The policy given is
 * never changed; on error nothing is returned. Private to the backend.
 */
#ifndef PCL_BACKEND_SELINUX_PATCH_H
#define PCL_BACKEND_SELINUX_PATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/diag.h"

/*
 * A new type. It joins base's attributes and roles, and every rule that names base holds for it,
 * as source and as target: allow, auditallow and dontaudit (conditional ones and extended
 * permissions too), transitions with and without a name, ranges, roles, constraints, bounds,
 * permissive, neveraudit. base is no attribute, and no other clone. NULL: nothing but a name, which
 * refusals and audits alone may use.
 */
struct pcl_selinux_clone {
	char *name;
	char *base;
	bool plain; /* no directory is of it, so transitions for what is made in one are left out */
};

/*
 * Takes permissions of a class from who acts on what; types or clones. dontaudit rules do not
 * silence it. A domain that is permissive is told of and not refused, as everywhere.
 */
struct pcl_selinux_refuse {
	char *class_name;
	char **permissions;
	size_t permissions_count;
	char **targets; /* none: whatever the target is */
	size_t targets_count;
	char **sources; /* none: whoever it is */
	size_t sources_count;
	bool others; /* refused to all but sources */
};

/*
 * A type_transition; one that a clone has from its base gives way. It is one of source's clones,
 * too. Of the class process, between types that stand for the same one also what takes source there
 * by executing target: transition (under no_new_privs and from nosuid mounts too, and without the
 * environment being cleaned) and the entrypoint. From another, what its base may is what lets it.
 * Nobody else enters a clone that is the result of one.
 */
struct pcl_selinux_enter {
	char *source;
	char *target;
	char *class_name;
	char *result;
};

/*
 * What source, a clone, becomes as it executes something of a type in runs (below) or of a clone of
 * one, unless it enters something by that: result, another clone of the same base. Only where the
 * base may execute it and stays what it is.
 */
struct pcl_selinux_leave {
	char *source;
	char *result;
};

/* An auditallow, of source's clones too. source and target may be attributes. */
struct pcl_selinux_audit {
	char *source;
	char *target;
	char *class_name;
	char **permissions;
	size_t permissions_count;
};

/* All arrays grow by pcl_array_grow() and pcl_strings_add(). */
struct pcl_selinux_changes {
	struct pcl_selinux_clone *clones;
	size_t clones_count;
	struct pcl_selinux_refuse *refuses;
	size_t refuses_count;
	struct pcl_selinux_enter *enters;
	size_t enters_count;
	struct pcl_selinux_leave *leaves;
	size_t leaves_count;
	char **runs; /* types of files that are executed; those that the policy lacks are passed
			over */
	size_t runs_count;
	struct pcl_selinux_audit *audits;
	size_t audits_count;
};

void pcl_selinux_refuse_fini(struct pcl_selinux_refuse *refuse);
void pcl_selinux_changes_fini(struct pcl_selinux_changes *changes);

/*
 * 0; -ENOENT: the policy does not have a name that changes uses; -EEXIST: it has a clone's name
 * already; -ENOTSUP: its version is none that can be read; -EBADMSG: it is no policy; -EINVAL,
 * -E2BIG, -ENOMEM. ret_policy is owned.
 */
int pcl_selinux_patch(const void *policy, size_t size, const struct pcl_selinux_changes *changes,
		      void **ret_policy, size_t *ret_size, struct pcl_diag *diag);

/* A policy in the kernel's form. Owned. */
struct pcl_selinux_binary {
	void *data;
	size_t size;
};

void pcl_selinux_binary_fini(struct pcl_selinux_binary *policy);
#define pcl_selinux_autobinary struct pcl_selinux_binary pcl_cleanup(pcl_selinux_binary_fini)

struct pcl_selinux_policy;

/*
 * The same for one that has been read, which is used up by it: it can only be freed then. ret_types
 * unless it is NULL: the policy that has all clones and what is entered by them, without names that
 * stand for nothing, and in which nothing of changes is told or refused.
 */
int pcl_selinux_policy_patch(struct pcl_selinux_policy *policy,
			     const struct pcl_selinux_changes *changes,
			     struct pcl_selinux_binary *ret_types, struct pcl_selinux_binary *ret,
			     struct pcl_diag *diag);

/* --- questions ---------------------------------------------------------------------------------
 */

/* The newest version of policies that can be read and patched, by the libsepol that is linked. */
unsigned pcl_selinux_policy_newest(void);

/* Whether a policy is one that libsepol knows the form of, by its beginning alone. Errors as above.
 */
int pcl_selinux_policy_check(const void *policy, size_t size, struct pcl_diag *diag);
int pcl_selinux_policy_read(const void *policy, size_t size, struct pcl_selinux_policy **ret_policy,
			    struct pcl_diag *diag);
void pcl_selinux_policy_free(struct pcl_selinux_policy **policy);

/* An alias counts, an attribute does not. */
bool pcl_selinux_policy_has_type(const struct pcl_selinux_policy *policy, const char *type);
bool pcl_selinux_policy_has_permission(const struct pcl_selinux_policy *policy,
				       const char *class_name, const char *permission);
/* Whether nothing is refused to domain. false where there is no such type. */
bool pcl_selinux_policy_is_permissive(const struct pcl_selinux_policy *policy, const char *domain);

/* Who may execute a file, and what becomes of it. Names are borrowed from the policy. */
struct pcl_selinux_executor {
	const char *domain;
	const char *enters; /* NULL: it stays what it is */
};

/*
 * The domains that some rule lets execute files of type, conditional rules included whatever
 * their booleans are, without those that a boolean decides about what they become by it, or that
 * are or become bounded; sorted by domain. The array is owned. -ENOENT: no such type.
 */
int pcl_selinux_policy_executors(const struct pcl_selinux_policy *policy, const char *type,
				 struct pcl_selinux_executor **ret_executors, size_t *ret_count,
				 struct pcl_diag *diag);

#endif
