/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that name a type, once more for its clones.
 *
 * A rule of permissions is copied once for all clones of a type, with their attribute in the type's
 * place. KERNEL: a transition is looked up by the very types, without their attributes, so it is
 * copied for each clone.
 */
#include "backend/selinux_edit.h"

#include <errno.h>
#include <sepol/errcodes.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"

struct rule {
	avtab_key_t key;
	avtab_datum_t datum; /* extended permissions are borrowed */
};

struct rules {
	const struct pcl_selinux_edit *edit;
	struct rule *items;
	size_t count;
};

static void rules_fini(struct rules *rules)
{
	free(rules->items);
}

static int add_rule(struct rules *rules, const avtab_key_t *key, const avtab_datum_t *datum,
		    uint32_t source, uint32_t target)
{
	struct rule *rule;

	if (pcl_array_grow(&rules->items, rules->count, sizeof(*rules->items)))
		return -ENOMEM;
	rule = &rules->items[rules->count++];
	*rule = (struct rule){.key = *key, .datum = *datum};
	rule->key.source_type = (uint16_t)source;
	rule->key.target_type = (uint16_t)target;
	return 0;
}

/* Those that stand for a type: itself and its clones. */
static size_t stand_ins(const struct pcl_selinux_family *family)
{
	return 1 + (family ? family->clones_count : 0);
}

static uint32_t stand_in(const struct pcl_selinux_family *family, uint32_t type, size_t i)
{
	return i ? family->clones[i - 1] : type;
}

/* Whether it is about what is made in objects of a type: KERNEL: such objects are directories. */
static bool is_making(const struct rules *rules, const avtab_key_t *key)
{
	return key->specified & AVTAB_TRANSITION &&
	       key->target_class != rules->edit->db->process_class;
}

static int copy_transition(struct rules *rules, const avtab_key_t *key, const avtab_datum_t *datum)
{
	const struct pcl_selinux_family *source = pcl_selinux_family(rules->edit, key->source_type);
	const struct pcl_selinux_family *target = pcl_selinux_family(rules->edit, key->target_type);

	for (size_t s = 0; s < stand_ins(source); s++)
		for (size_t t = 0; t < stand_ins(target); t++)
			if ((s || t) &&
			    !(t && rules->edit->plain[target->clones[t - 1]] &&
			      is_making(rules, key)) &&
			    add_rule(rules, key, datum, stand_in(source, key->source_type, s),
				     stand_in(target, key->target_type, t)))
				return -ENOMEM;
	return 0;
}

static int copy_permissions(struct rules *rules, const avtab_key_t *key, const avtab_datum_t *datum)
{
	const struct pcl_selinux_family *source = pcl_selinux_family(rules->edit, key->source_type);
	const struct pcl_selinux_family *target = pcl_selinux_family(rules->edit, key->target_type);

	if (source && add_rule(rules, key, datum, source->attribute, key->target_type))
		return -ENOMEM;
	if (target && add_rule(rules, key, datum, key->source_type, target->attribute))
		return -ENOMEM;
	return source && target ? add_rule(rules, key, datum, source->attribute, target->attribute)
				: 0;
}

static int collect(avtab_key_t *key, avtab_datum_t *datum, void *context)
{
	return key->specified & AVTAB_TYPE ? copy_transition(context, key, datum)
					   : copy_permissions(context, key, datum);
}

static int copy_plain(struct pcl_selinux_edit *edit)
{
	struct rules rules pcl_cleanup(rules_fini) = {.edit = edit};

	if (avtab_map(&edit->db->te_avtab, collect, &rules))
		return -ENOMEM;
	for (size_t i = 0; i < rules.count; i++) {
		int error = avtab_insert(&edit->db->te_avtab, &rules.items[i].key,
					 &rules.items[i].datum);

		/* A transition that is there already was asked for. */
		if (error &&
		    !(error == SEPOL_EEXIST && (rules.items[i].key.specified & AVTAB_TYPE)))
			return -ENOMEM;
	}
	return 0;
}

/* --- conditional rules -------------------------------------------------------------------------
 */

int pcl_selinux_add_conditional(struct pcl_selinux_edit *edit, const avtab_key_t *key,
				const avtab_datum_t *datum, cond_av_list_t **list)
{
	policydb_t *db = edit->db;
	avtab_key_t copy = *key;
	avtab_datum_t said = *datum;
	cond_av_list_t *item;

	copy.specified &= (uint16_t)~AVTAB_ENABLED;
	/* KERNEL: a policy with a transition both in a conditional and outside is not taken. */
	if ((copy.specified & AVTAB_TYPE) && avtab_search(&db->te_avtab, &copy))
		return 0;
	copy.specified = key->specified;
	item = calloc(1, sizeof(*item));
	if (!item)
		return -ENOMEM;
	item->node = avtab_insert_nonunique(&db->te_cond_avtab, &copy, &said);
	if (!item->node) {
		free(item);
		return -ENOMEM;
	}
	/* libsepol writes those only that have something here. */
	item->node->parse_context = item;
	item->next = *list;
	*list = item;
	return 0;
}

static int copy_list(struct pcl_selinux_edit *edit, cond_av_list_t **list)
{
	struct rules rules pcl_cleanup(rules_fini) = {.edit = edit};

	for (const cond_av_list_t *item = *list; item; item = item->next)
		if (collect(&item->node->key, &item->node->datum, &rules))
			return -ENOMEM;
	for (size_t i = 0; i < rules.count; i++)
		if (pcl_selinux_add_conditional(edit, &rules.items[i].key, &rules.items[i].datum,
						list))
			return -ENOMEM;
	return 0;
}

int pcl_selinux_edit_rules(struct pcl_selinux_edit *edit, struct pcl_diag *diag)
{
	if (!edit->families_count)
		return 0;
	if (copy_plain(edit))
		return pcl_selinux_no_memory(diag);
	for (cond_node_t *node = edit->db->cond_list; node; node = node->next)
		if (copy_list(edit, &node->true_list) || copy_list(edit, &node->false_list))
			return pcl_selinux_no_memory(diag);
	return 0;
}

int pcl_selinux_add_permissions(struct pcl_selinux_edit *edit, const avtab_key_t *key,
				uint32_t permissions)
{
	avtab_key_t wanted = *key;
	avtab_datum_t *datum = avtab_search(&edit->db->te_avtab, &wanted);
	avtab_datum_t added = {.data = permissions};

	if (!datum)
		return avtab_insert(&edit->db->te_avtab, &wanted, &added) ? -ENOMEM : 0;
	datum->data |= permissions;
	return 0;
}
