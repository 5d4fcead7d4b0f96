/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing policies by libsepol, and questions to them. libsepol says itself what it
 * does not like on the standard output; here it is told not to, and one line is made of it.
 */
#include "backend/selinux_policy.h"

#include <endian.h>
#include <errno.h>
#include <sepol/debug.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

#define POLICY_NAME POLICYDB_STRING

/* What versions after this one say of types, clones would not have, whatever libsepol knows. */
#define VERSION_MAX 35

unsigned pcl_selinux_policy_newest(void)
{
	return POLICYDB_VERSION_MAX < VERSION_MAX ? POLICYDB_VERSION_MAX : VERSION_MAX;
}

/* --- in and out --------------------------------------------------------------------------------
 */

/* The beginning of a policy in the kernel's form, in this order and little-endian. */
enum {
	HEADER_MAGIC,
	HEADER_NAME_LEN,
};
#define HEADER_LEN (2 * sizeof(uint32_t))

static uint32_t read_word(const void *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return le32toh(word);
}

int pcl_selinux_policy_check(const void *data, size_t size, struct pcl_diag *diag)
{
	const char *policy = data;
	const size_t name_len = strlen(POLICY_NAME);
	const size_t version_at = HEADER_LEN + name_len;
	uint32_t version;

	if (size < version_at + sizeof(version) ||
	    read_word(policy + HEADER_MAGIC * sizeof(uint32_t)) != SELINUX_MAGIC ||
	    read_word(policy + HEADER_NAME_LEN * sizeof(uint32_t)) != name_len ||
	    memcmp(policy + HEADER_LEN, POLICY_NAME, name_len) != 0)
		return pcl_diag_set(diag, -EBADMSG,
				    "selinux: this is no policy of the kernel's form");
	version = read_word(policy + version_at);
	if (version > pcl_selinux_policy_newest())
		return pcl_diag_set(
			diag, -ENOTSUP,
			"selinux: the policy has version %u, and portcullis here knows none "
			"above %u; build it with a newer libsepol (scripts/sepol), or the policy "
			"for version %u",
			version, pcl_selinux_policy_newest(), pcl_selinux_policy_newest());
	if (version < POLICYDB_VERSION_BOUNDARY)
		return pcl_diag_set(diag, -ENOTSUP,
				    "selinux: the policy has version %u, which does not name its "
				    "attributes; it must be %u or newer",
				    version, POLICYDB_VERSION_BOUNDARY);
	return 0;
}

int pcl_selinux_policy_read(const void *policy, size_t size, struct pcl_selinux_policy **ret_policy,
			    struct pcl_diag *diag)
{
	pcl_cleanup(pcl_selinux_policy_free) struct pcl_selinux_policy *read = NULL;
	struct policy_file file;
	int error = pcl_selinux_policy_check(policy, size, diag);

	if (error)
		return error;
	sepol_debug(0);
	read = calloc(1, sizeof(*read));
	if (!read || policydb_init(&read->db)) {
		free(pcl_take_ptr(read));
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	}
	policy_file_init(&file);
	file.type = PF_USE_MEMORY;
	/* Only read, although it does not say so. */
	file.data = (char *)policy;
	file.len = size;
	errno = 0;
	if (policydb_read(&read->db, &file, 0) || read->db.policy_type != POLICY_KERN) {
		if (errno == ENOMEM)
			return pcl_diag_set(diag, -ENOMEM, "out of memory");
		return pcl_diag_set(diag, -EBADMSG, "selinux: the policy is damaged");
	}
	*ret_policy = pcl_take_ptr(read);
	return 0;
}

void pcl_selinux_policy_free(struct pcl_selinux_policy **policy)
{
	if (!*policy)
		return;
	policydb_destroy(&(*policy)->db);
	free(*policy);
	*policy = NULL;
}

static int write_to(policydb_t *db, struct policy_file *file, struct pcl_diag *diag)
{
	errno = 0;
	if (!policydb_write(db, file))
		return 0;
	if (errno == ENOMEM)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	return pcl_diag_set(diag, -EBADMSG, "selinux: libsepol cannot write the policy");
}

int pcl_selinux_policy_write(struct pcl_selinux_policy *policy, void **ret_data, size_t *ret_size,
			     struct pcl_diag *diag)
{
	pcl_autofree char *data = NULL;
	struct policy_file file;
	size_t size;
	int error;

	policy_file_init(&file);
	file.type = PF_LEN;
	error = write_to(&policy->db, &file, diag);
	if (error)
		return error;
	size = file.len;
	data = malloc(size);
	if (!data)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	policy_file_init(&file);
	file.type = PF_USE_MEMORY;
	file.data = data;
	file.len = size;
	error = write_to(&policy->db, &file, diag);
	if (error)
		return error;
	*ret_data = pcl_take_ptr(data);
	*ret_size = size;
	return 0;
}

/* --- names -------------------------------------------------------------------------------------
 */

type_datum_t *pcl_selinux_find(const policydb_t *db, const char *name)
{
	return (type_datum_t *)hashtab_search(db->p_types.table, name);
}

bool pcl_selinux_is_attribute(const policydb_t *db, uint32_t value)
{
	const type_datum_t *type = db->type_val_to_struct[value - 1];

	return type && type->flavor == TYPE_ATTRIB;
}

int pcl_selinux_type(const policydb_t *db, const char *name, bool attributes, uint32_t *ret_value,
		     struct pcl_diag *diag)
{
	const type_datum_t *type = pcl_selinux_find(db, name);

	if (!type)
		return pcl_diag_set(diag, -ENOENT, "selinux: the policy has no type %s", name);
	if (type->flavor == TYPE_ATTRIB && !attributes)
		return pcl_diag_set(diag, -EINVAL, "selinux: %s is an attribute and no type", name);
	*ret_value = type->s.value;
	return 0;
}

int pcl_selinux_class(const policydb_t *db, const char *name, class_datum_t **ret_class,
		      struct pcl_diag *diag)
{
	class_datum_t *class = (class_datum_t *)hashtab_search(db->p_classes.table, name);

	if (!class)
		return pcl_diag_set(diag, -ENOENT, "selinux: the policy has no class %s", name);
	*ret_class = class;
	return 0;
}

uint32_t pcl_selinux_permission(const class_datum_t *class, const char *name)
{
	const perm_datum_t *permission =
		(const perm_datum_t *)hashtab_search(class->permissions.table, name);

	if (!permission && class->comdatum)
		permission =
			(const perm_datum_t *)hashtab_search(class->comdatum->permissions.table,
							     name);
	return permission ? UINT32_C(1) << (permission->s.value - 1) : 0;
}

int pcl_selinux_permissions(const class_datum_t *class, const char *class_name, char *const *names,
			    size_t count, uint32_t *ret_permissions, struct pcl_diag *diag)
{
	uint32_t permissions = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t permission = pcl_selinux_permission(class, names[i]);

		if (!permission)
			return pcl_diag_set(diag, -ENOENT,
					    "selinux: the policy's class %s has no permission %s",
					    class_name, names[i]);
		permissions |= permission;
	}
	*ret_permissions = permissions;
	return 0;
}

/* --- questions ---------------------------------------------------------------------------------
 */

bool pcl_selinux_policy_has_type(const struct pcl_selinux_policy *policy, const char *type)
{
	const type_datum_t *found = pcl_selinux_find(&policy->db, type);

	return found && found->flavor != TYPE_ATTRIB;
}

bool pcl_selinux_policy_has_permission(const struct pcl_selinux_policy *policy,
				       const char *class_name, const char *permission)
{
	class_datum_t *class = NULL;

	return !pcl_selinux_class(&policy->db, class_name, &class, NULL) &&
	       pcl_selinux_permission(class, permission);
}

bool pcl_selinux_policy_is_permissive(const struct pcl_selinux_policy *policy, const char *domain)
{
	const type_datum_t *type = pcl_selinux_find(&policy->db, domain);

	/* This map alone counts from 1. */
	return type && ebitmap_get_bit(&policy->db.permissive_map, type->s.value);
}

/* Which sources some rule lets have permissions of class on a type. */
struct seek {
	const policydb_t *db;
	const ebitmap_t *target; /* the type's attributes and itself */
	uint32_t class;
	uint32_t permissions;
	ebitmap_t *found;
};

static int seek_rule(avtab_key_t *key, avtab_datum_t *datum, void *context)
{
	struct seek *seek = context;

	if (!(key->specified & AVTAB_ALLOWED) || key->target_class != seek->class ||
	    !(datum->data & seek->permissions) || !pcl_selinux_has(seek->target, key->target_type))
		return 0;
	if (pcl_selinux_is_attribute(seek->db, key->source_type))
		return ebitmap_union(seek->found, &seek->db->attr_type_map[key->source_type - 1]);
	return ebitmap_set_bit(seek->found, key->source_type - 1, 1);
}

static int seek_permission(struct seek *seek, const class_datum_t *class, const char *permission,
			   ebitmap_t *found)
{
	seek->class = class->s.value;
	seek->permissions = pcl_selinux_permission(class, permission);
	seek->found = found;
	return avtab_map((avtab_t *)&seek->db->te_avtab, seek_rule, seek) ||
	       avtab_map((avtab_t *)&seek->db->te_cond_avtab, seek_rule, seek);
}

/* What source becomes by executing target. false: a boolean decides it, or a bound would. */
static bool find_entered(const policydb_t *db, uint32_t source, uint32_t target,
			 const char **ret_entered)
{
	avtab_key_t key = {
		.source_type = (uint16_t)source,
		.target_type = (uint16_t)target,
		.target_class = (uint16_t)db->process_class,
		.specified = AVTAB_TRANSITION,
	};
	const avtab_datum_t *datum = avtab_search((avtab_t *)&db->te_avtab, &key);
	uint32_t result = datum ? datum->data : source;

	if (avtab_search((avtab_t *)&db->te_cond_avtab, &key) ||
	    db->type_val_to_struct[result - 1]->bounds)
		return false;
	*ret_entered = datum ? db->p_type_val_to_name[result - 1] : NULL;
	return true;
}

static int compare_executors(const void *a, const void *b)
{
	const struct pcl_selinux_executor *left = a, *right = b;

	return strcmp(left->domain, right->domain);
}

/* stays: those that execute it without entering anything. */
static int list_found(const policydb_t *db, const ebitmap_t *found, const ebitmap_t *stays,
		      uint32_t target, struct pcl_selinux_executor **ret_executors,
		      size_t *ret_count)
{
	pcl_autofree struct pcl_selinux_executor *executors = NULL;
	ebitmap_node_t *node;
	size_t count = 0;
	unsigned bit;

	ebitmap_for_each_positive_bit(found, node, bit)
	{
		const char *enters = NULL;

		if (pcl_selinux_is_attribute(db, bit + 1) ||
		    !find_entered(db, bit + 1, target, &enters) ||
		    (!enters && !ebitmap_get_bit(stays, bit)))
			continue;
		if (pcl_array_grow(&executors, count, sizeof(*executors)))
			return -ENOMEM;
		executors[count++] = (struct pcl_selinux_executor){
			.domain = db->p_type_val_to_name[bit],
			.enters = enters,
		};
	}
	if (count)
		qsort(executors, count, sizeof(*executors), compare_executors);
	*ret_executors = pcl_take_ptr(executors);
	*ret_count = count;
	return 0;
}

int pcl_selinux_policy_executors(const struct pcl_selinux_policy *policy, const char *type,
				 struct pcl_selinux_executor **ret_executors, size_t *ret_count,
				 struct pcl_diag *diag)
{
	const policydb_t *db = &policy->db;
	struct seek seek = {.db = db};
	class_datum_t *class = NULL;
	ebitmap_t found, stays;
	uint32_t target = 0;
	int error = pcl_selinux_type(db, type, false, &target, diag);

	if (!error)
		error = pcl_selinux_class(db, "file", &class, diag);
	if (error || !class)
		return error;
	seek.target = &db->type_attr_map[target - 1];
	ebitmap_init(&found);
	ebitmap_init(&stays);
	if (seek_permission(&seek, class, "execute", &found) ||
	    seek_permission(&seek, class, "execute_no_trans", &stays) ||
	    list_found(db, &found, &stays, target, ret_executors, ret_count))
		error = pcl_diag_set(diag, -ENOMEM, "out of memory");
	ebitmap_destroy(&found);
	ebitmap_destroy(&stays);
	return error;
}
