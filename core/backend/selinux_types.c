/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New types in a policy: clones, and the attributes that rules for all clones of one type name.
 */
#include "backend/selinux_edit.h"

#include <errno.h>
#include <sepol/errcodes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

/* KERNEL: a rule's key has 16 bits for a type. */
#define TYPES_MAX UINT16_MAX
#define FAMILY_PREFIX "portcullis_like_"

void pcl_selinux_edit_fini(struct pcl_selinux_edit *edit)
{
	for (size_t i = 0; i < edit->families_count; i++)
		free(edit->families[i].clones);
	free(edit->families);
	free(edit->family_of);
	free(edit->base_of);
	free(edit->plain);
	free(edit->entrances);
}

const struct pcl_selinux_family *pcl_selinux_family(const struct pcl_selinux_edit *edit,
						    uint32_t value)
{
	size_t number = value < edit->family_of_count ? edit->family_of[value] : 0;

	return number ? &edit->families[number - 1] : NULL;
}

/* --- tables ------------------------------------------------------------------------------------
 */

static int grow_table(void *table, size_t count, size_t item_size)
{
	void *items;

	memcpy(&items, table, sizeof(items));
	items = reallocarray(items, count, item_size);
	if (!items)
		return -ENOMEM;
	memcpy(table, &items, sizeof(items));
	return 0;
}

static int make_room(struct pcl_selinux_edit *edit)
{
	policydb_t *db = edit->db;
	size_t room = (size_t)db->p_types.nprim + 1;

	if (room <= edit->types_room)
		return 0;
	/* Many come together; an empty place costs some bytes. */
	room += room / 4;
	if (grow_table(&db->type_attr_map, room, sizeof(*db->type_attr_map)) ||
	    grow_table(&db->attr_type_map, room, sizeof(*db->attr_type_map)) ||
	    grow_table(&db->p_type_val_to_name, room, sizeof(*db->p_type_val_to_name)) ||
	    grow_table(&db->type_val_to_struct, room, sizeof(*db->type_val_to_struct)))
		return -ENOMEM;
	edit->types_room = room;
	return 0;
}

/* Makes the datum findable by its name, which it takes over with it. */
static int insert_type(policydb_t *db, char *name, type_datum_t *type, struct pcl_diag *diag)
{
	int error = hashtab_insert(db->p_types.table, name, type);

	if (error == SEPOL_EEXIST)
		return pcl_diag_set(diag, -EEXIST, "selinux: the policy has a type %s already",
				    name);
	return error ? pcl_selinux_no_memory(diag) : 0;
}

static int add_type(struct pcl_selinux_edit *edit, const char *name, uint32_t flavor,
		    uint32_t *ret_value, struct pcl_diag *diag)
{
	pcl_autofree char *copy = strdup(name);
	pcl_autofree type_datum_t *type = calloc(1, sizeof(*type));
	policydb_t *db = edit->db;
	uint32_t at = db->p_types.nprim;
	int error;

	if (at >= TYPES_MAX)
		return pcl_diag_set(diag, -E2BIG,
				    "selinux: more than %d types; name fewer files apart",
				    TYPES_MAX);
	if (!copy || !type || make_room(edit))
		return pcl_selinux_no_memory(diag);
	type_datum_init(type);
	type->primary = 1;
	type->flavor = flavor;
	type->s.value = at + 1;
	error = insert_type(db, copy, type, diag);
	if (error)
		return error;
	ebitmap_init(&db->type_attr_map[at]);
	ebitmap_init(&db->attr_type_map[at]);
	db->p_type_val_to_name[at] = pcl_take_ptr(copy);
	db->type_val_to_struct[at] = pcl_take_ptr(type);
	db->p_types.nprim++;
	if (ebitmap_set_bit(&db->type_attr_map[at], at, 1))
		return pcl_selinux_no_memory(diag);
	*ret_value = at + 1;
	return 0;
}

int pcl_selinux_add_attribute(struct pcl_selinux_edit *edit, const char *prefix, const char *name,
			      uint32_t *ret_value, struct pcl_diag *diag)
{
	pcl_autofree char *whole = NULL;

	if (asprintf(&whole, "%s%s", prefix, name) < 0)
		return pcl_selinux_no_memory(diag);
	return add_type(edit, whole, TYPE_ATTRIB, ret_value, diag);
}

int pcl_selinux_join(struct pcl_selinux_edit *edit, uint32_t type, uint32_t attribute)
{
	policydb_t *db = edit->db;

	return ebitmap_set_bit(&db->type_attr_map[type - 1], attribute - 1, 1) ||
			       ebitmap_set_bit(&db->attr_type_map[attribute - 1], type - 1, 1)
		       ? -ENOMEM
		       : 0;
}

/* --- clones ------------------------------------------------------------------------------------
 */

static int join_families(struct pcl_selinux_edit *edit, const struct pcl_selinux_family *family,
			 uint32_t clone)
{
	policydb_t *db = edit->db;
	ebitmap_node_t *node;
	unsigned bit;

	ebitmap_for_each_positive_bit(&db->type_attr_map[family->base - 1], node, bit)
	{
		if (bit + 1 != family->base && pcl_selinux_join(edit, clone, bit + 1))
			return -ENOMEM;
	}
	return pcl_selinux_join(edit, clone, family->attribute);
}

static int take_roles(policydb_t *db, uint32_t base, uint32_t clone)
{
	for (uint32_t i = 0; i < db->p_roles.nprim; i++) {
		role_datum_t *role = db->role_val_to_struct[i];

		if (role && pcl_selinux_has(&role->types.types, base) &&
		    ebitmap_set_bit(&role->types.types, clone - 1, 1))
			return -ENOMEM;
	}
	return 0;
}

/* Maps of domains count from 1. */
static int take_mark(ebitmap_t *marked, uint32_t base, uint32_t clone)
{
	return ebitmap_get_bit(marked, base) && ebitmap_set_bit(marked, clone, 1) ? -ENOMEM : 0;
}

static int take_properties(policydb_t *db, uint32_t base, uint32_t clone)
{
	type_datum_t *type = db->type_val_to_struct[clone - 1];

	type->flags = db->type_val_to_struct[base - 1]->flags;
	type->bounds = db->type_val_to_struct[base - 1]->bounds;
#ifdef POLICYDB_VERSION_NEVERAUDIT
	if (take_mark(&db->neveraudit_map, base, clone))
		return -ENOMEM;
#endif
	return take_mark(&db->permissive_map, base, clone);
}

static int find_family(struct pcl_selinux_edit *edit, const char *base_name, size_t *ret_number,
		       struct pcl_diag *diag)
{
	struct pcl_selinux_family family = {0};
	int error = pcl_selinux_type(edit->db, base_name, false, &family.base, diag);

	if (error)
		return error;
	if (family.base >= edit->family_of_count)
		return pcl_diag_set(diag, -EINVAL, "selinux: %s is a clone itself", base_name);
	if (!edit->family_of[family.base]) {
		error = pcl_selinux_add_attribute(edit, FAMILY_PREFIX,
						  edit->db->p_type_val_to_name[family.base - 1],
						  &family.attribute, diag);
		if (error)
			return error;
		if (pcl_array_grow(&edit->families, edit->families_count, sizeof(family)))
			return pcl_selinux_no_memory(diag);
		edit->families[edit->families_count++] = family;
		edit->family_of[family.base] = edit->families_count;
	}
	*ret_number = edit->family_of[family.base] - 1;
	return 0;
}

static int add_clone(struct pcl_selinux_edit *edit, const struct pcl_selinux_clone *clone,
		     struct pcl_diag *diag)
{
	struct pcl_selinux_family *family;
	size_t number = 0;
	uint32_t value = 0;
	int error = find_family(edit, clone->base, &number, diag);

	if (!error)
		error = add_type(edit, clone->name, TYPE_TYPE, &value, diag);
	if (error)
		return error;
	family = &edit->families[number];
	if (pcl_array_grow(&family->clones, family->clones_count, sizeof(*family->clones)))
		return pcl_selinux_no_memory(diag);
	family->clones[family->clones_count++] = value;
	if (join_families(edit, family, value) || take_roles(edit->db, family->base, value) ||
	    take_properties(edit->db, family->base, value))
		return pcl_selinux_no_memory(diag);
	return 0;
}

/* --- constraints -------------------------------------------------------------------------------
 */

/* The kernel goes by the names, other tools by the set that they were made from. */
static int name_clones(const struct pcl_selinux_edit *edit, constraint_expr_t *expr)
{
	for (size_t i = 0; i < edit->families_count; i++) {
		const struct pcl_selinux_family *family = &edit->families[i];

		if (!pcl_selinux_has(&expr->names, family->base))
			continue;
		for (size_t c = 0; c < family->clones_count; c++)
			if (ebitmap_set_bit(&expr->names, family->clones[c] - 1, 1) ||
			    (expr->type_names &&
			     ebitmap_set_bit(&expr->type_names->types, family->clones[c] - 1, 1)))
				return -ENOMEM;
	}
	return 0;
}

static int name_in_constraints(const struct pcl_selinux_edit *edit, constraint_node_t *constraint)
{
	for (; constraint; constraint = constraint->next)
		for (constraint_expr_t *expr = constraint->expr; expr; expr = expr->next)
			if (expr->expr_type == CEXPR_NAMES && (expr->attr & CEXPR_TYPE) &&
			    name_clones(edit, expr))
				return -ENOMEM;
	return 0;
}

static int find_bases(struct pcl_selinux_edit *edit, const struct pcl_selinux_changes *changes)
{
	size_t count = (size_t)edit->db->p_types.nprim + 1;

	edit->base_of = calloc(count, sizeof(*edit->base_of));
	edit->plain = calloc(count, sizeof(*edit->plain));
	if (!edit->base_of || !edit->plain)
		return -ENOMEM;
	for (size_t i = 0; i < changes->clones_count; i++)
		if (changes->clones[i].base)
			edit->plain[pcl_selinux_find(edit->db, changes->clones[i].name)->s.value] =
				changes->clones[i].plain;
	for (size_t i = 0; i < count; i++)
		edit->base_of[i] = (uint32_t)i;
	for (size_t i = 0; i < edit->families_count; i++)
		for (size_t c = 0; c < edit->families[i].clones_count; c++)
			edit->base_of[edit->families[i].clones[c]] = edit->families[i].base;
	return 0;
}

int pcl_selinux_edit_types(struct pcl_selinux_edit *edit, const struct pcl_selinux_changes *changes,
			   struct pcl_diag *diag)
{
	policydb_t *db = edit->db;
	int error = 0;

	edit->family_of_count = (size_t)db->p_types.nprim + 1;
	edit->family_of = calloc(edit->family_of_count, sizeof(*edit->family_of));
	if (!edit->family_of)
		return pcl_selinux_no_memory(diag);
	for (size_t i = 0; i < changes->clones_count && !error; i++)
		if (changes->clones[i].base)
			error = add_clone(edit, &changes->clones[i], diag);
	if (!error && find_bases(edit, changes))
		error = pcl_selinux_no_memory(diag);
	for (uint32_t i = 0; i < db->p_classes.nprim && !error; i++) {
		class_datum_t *class = db->class_val_to_struct[i];

		if (class && (name_in_constraints(edit, class->constraints) ||
			      name_in_constraints(edit, class->validatetrans)))
			error = pcl_selinux_no_memory(diag);
	}
	return error;
}

int pcl_selinux_edit_names(struct pcl_selinux_edit *edit, const struct pcl_selinux_changes *changes,
			   struct pcl_diag *diag)
{
	uint32_t value;
	int error = 0;

	for (size_t i = 0; i < changes->clones_count && !error; i++)
		if (!changes->clones[i].base)
			error = add_type(edit, changes->clones[i].name, TYPE_TYPE, &value, diag);
	return error;
}
