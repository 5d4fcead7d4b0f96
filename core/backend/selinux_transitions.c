/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transitions that are kept beside the rules, once more for clones: those of types by an object's
 * name, of ranges, and of roles.
 */
#include "backend/selinux_edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

/* What a table holds, since it must not grow while it is looked through. */
struct entry {
	hashtab_key_t key;
	hashtab_datum_t datum;
};

struct entries {
	struct entry *items;
	size_t count;
};

static void entries_fini(struct entries *entries)
{
	free(entries->items);
}

static int collect(hashtab_key_t key, hashtab_datum_t datum, void *context)
{
	struct entries *entries = context;

	if (pcl_array_grow(&entries->items, entries->count, sizeof(*entries->items)))
		return -ENOMEM;
	entries->items[entries->count++] = (struct entry){.key = key, .datum = datum};
	return 0;
}

/* --- by name -----------------------------------------------------------------------------------
 */

static int add_sources(struct pcl_selinux_edit *edit, filename_trans_datum_t *datum)
{
	for (size_t i = 0; i < edit->families_count; i++) {
		const struct pcl_selinux_family *family = &edit->families[i];

		if (!pcl_selinux_has(&datum->stypes, family->base))
			continue;
		for (size_t c = 0; c < family->clones_count; c++) {
			if (ebitmap_set_bit(&datum->stypes, family->clones[c] - 1, 1))
				return -ENOMEM;
			edit->db->filename_trans_count++;
		}
	}
	return 0;
}

static void free_chain(filename_trans_datum_t *datum)
{
	while (datum) {
		filename_trans_datum_t *next = datum->next;

		ebitmap_destroy(&datum->stypes);
		free(datum);
		datum = next;
	}
}

static int copy_chain(const filename_trans_datum_t *datum, filename_trans_datum_t **ret_copy,
		      uint32_t *ret_count)
{
	filename_trans_datum_t *copy = NULL, **tail = &copy;
	uint32_t count = 0;

	for (; datum; datum = datum->next) {
		*tail = calloc(1, sizeof(**tail));
		if (!*tail || ebitmap_cpy(&(*tail)->stypes, &datum->stypes)) {
			free_chain(copy);
			return -ENOMEM;
		}
		(*tail)->otype = datum->otype;
		tail = &(*tail)->next;
		count += ebitmap_cardinality(&datum->stypes);
	}
	*ret_copy = copy;
	*ret_count = count;
	return 0;
}

static int copy_named(policydb_t *db, const struct entry *entry, uint32_t target)
{
	const filename_trans_key_t *old = (const filename_trans_key_t *)entry->key;
	pcl_autofree filename_trans_key_t *key = malloc(sizeof(*key));
	pcl_autofree char *name = strdup(old->name);
	filename_trans_datum_t *datum = NULL;
	uint32_t count = 0;

	if (!key || !name || copy_chain(entry->datum, &datum, &count))
		return -ENOMEM;
	*key = (filename_trans_key_t){.ttype = target, .tclass = old->tclass, .name = name};
	if (hashtab_insert(db->filename_trans, (hashtab_key_t)key, datum)) {
		free_chain(datum);
		return -ENOMEM;
	}
	(void)pcl_take_ptr(key);
	(void)pcl_take_ptr(name);
	db->filename_trans_count += count;
	return 0;
}

static int edit_named(struct pcl_selinux_edit *edit)
{
	struct entries entries pcl_cleanup(entries_fini) = {0};

	if (hashtab_map(edit->db->filename_trans, collect, &entries))
		return -ENOMEM;
	for (size_t i = 0; i < entries.count; i++) {
		const filename_trans_key_t *key =
			(const filename_trans_key_t *)entries.items[i].key;
		const struct pcl_selinux_family *target = pcl_selinux_family(edit, key->ttype);

		for (filename_trans_datum_t *d = entries.items[i].datum; d; d = d->next)
			if (add_sources(edit, d))
				return -ENOMEM;
		for (size_t c = 0; target && c < target->clones_count; c++)
			if (!edit->plain[target->clones[c]] &&
			    copy_named(edit->db, &entries.items[i], target->clones[c]))
				return -ENOMEM;
	}
	return 0;
}

/* --- ranges ------------------------------------------------------------------------------------
 */

static int copy_range(policydb_t *db, const struct entry *entry, uint32_t source, uint32_t target)
{
	pcl_autofree range_trans_t *key = malloc(sizeof(*key));
	pcl_autofree mls_range_t *range = calloc(1, sizeof(*range));

	if (!key || !range || mls_range_cpy(range, entry->datum))
		return -ENOMEM;
	*key = *(const range_trans_t *)entry->key;
	key->source_type = source;
	key->target_type = target;
	if (hashtab_insert(db->range_tr, (hashtab_key_t)key, range)) {
		mls_range_destroy(range);
		return -ENOMEM;
	}
	(void)pcl_take_ptr(key);
	(void)pcl_take_ptr(range);
	return 0;
}

static int copy_ranges(struct pcl_selinux_edit *edit, const struct entry *entry)
{
	const range_trans_t *key = (const range_trans_t *)entry->key;
	const struct pcl_selinux_family *source = pcl_selinux_family(edit, key->source_type);
	const struct pcl_selinux_family *target = pcl_selinux_family(edit, key->target_type);
	size_t sources = source ? source->clones_count : 0;
	size_t targets = target ? target->clones_count : 0;

	for (size_t s = 0; s <= sources; s++)
		for (size_t t = 0; t <= targets; t++)
			if ((s || t) && copy_range(edit->db, entry,
						   s ? source->clones[s - 1] : key->source_type,
						   t ? target->clones[t - 1] : key->target_type))
				return -ENOMEM;
	return 0;
}

static int edit_ranges(struct pcl_selinux_edit *edit)
{
	struct entries entries pcl_cleanup(entries_fini) = {0};

	if (hashtab_map(edit->db->range_tr, collect, &entries))
		return -ENOMEM;
	for (size_t i = 0; i < entries.count; i++)
		if (copy_ranges(edit, &entries.items[i]))
			return -ENOMEM;
	return 0;
}

/* --- roles -------------------------------------------------------------------------------------
 */

/* A copy goes right behind what it copies, where it is passed over. */
static int edit_roles(struct pcl_selinux_edit *edit)
{
	role_trans_t *next;

	for (role_trans_t *at = edit->db->role_tr; at; at = next) {
		const struct pcl_selinux_family *family = pcl_selinux_family(edit, at->type);

		next = at->next;
		for (size_t c = 0; family && c < family->clones_count; c++) {
			role_trans_t *copy = malloc(sizeof(*copy));

			if (!copy)
				return -ENOMEM;
			*copy = *at;
			copy->type = family->clones[c];
			at->next = copy;
		}
	}
	return 0;
}

int pcl_selinux_edit_transitions(struct pcl_selinux_edit *edit, struct pcl_diag *diag)
{
	return edit_named(edit) || edit_ranges(edit) || edit_roles(edit)
		       ? pcl_selinux_no_memory(diag)
		       : 0;
}
