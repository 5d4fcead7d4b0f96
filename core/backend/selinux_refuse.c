/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is refused: by a constraint, which the kernel lays over all that rules allow; and no
 * dontaudit rule that would keep the refusal out of the log.
 *
 * A dontaudit rule may speak of more types than those that are refused. It is loosened by what is
 * refused of any of them, and repeated as it was for the others, of which it spoke through an
 * attribute.
 */
#include "backend/selinux_edit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"

#define QUIET_PREFIX "portcullis_quiet_"

/* A refusal with its names looked up. */
struct refusal {
	class_datum_t *class;
	uint32_t permissions;
	ebitmap_t targets;
	ebitmap_t sources;
	bool any_target;
	bool any_source;
	bool others;
};

static void refusal_fini(struct refusal *refusal)
{
	ebitmap_destroy(&refusal->targets);
	ebitmap_destroy(&refusal->sources);
}

static int look_up_types(const policydb_t *db, char *const *names, size_t count, ebitmap_t *types,
			 struct pcl_diag *diag)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t value = 0;
		int error = pcl_selinux_type(db, names[i], false, &value, diag);

		if (error)
			return error;
		if (ebitmap_set_bit(types, value - 1, 1))
			return pcl_selinux_no_memory(diag);
	}
	return 0;
}

static int look_up(const policydb_t *db, const struct pcl_selinux_refuse *refuse,
		   struct refusal *refusal, struct pcl_diag *diag)
{
	int error = pcl_selinux_class(db, refuse->class_name, &refusal->class, diag);

	if (!error)
		error = pcl_selinux_permissions(refusal->class, refuse->class_name,
						refuse->permissions, refuse->permissions_count,
						&refusal->permissions, diag);
	if (!error)
		error = look_up_types(db, refuse->targets, refuse->targets_count, &refusal->targets,
				      diag);
	if (!error)
		error = look_up_types(db, refuse->sources, refuse->sources_count, &refusal->sources,
				      diag);
	refusal->any_target = !refuse->targets_count;
	/* To all but nobody is to everybody. */
	refusal->any_source = !refuse->sources_count;
	refusal->others = refuse->others && !refusal->any_source;
	return error;
}

/* --- constraints -------------------------------------------------------------------------------
 */

static void free_exprs(constraint_expr_t *expr)
{
	while (expr) {
		constraint_expr_t *next = expr->next;

		constraint_expr_destroy(expr);
		expr = next;
	}
}

/* Whether the type of a side is, or is not, one of types. Appended. */
static int add_names(constraint_expr_t **list, uint32_t side, bool equal, const ebitmap_t *types)
{
	constraint_expr_t *expr = calloc(1, sizeof(*expr));

	if (!expr || constraint_expr_init(expr)) {
		free(expr);
		return -ENOMEM;
	}
	while (*list)
		list = &(*list)->next;
	*list = expr;
	expr->expr_type = CEXPR_NAMES;
	expr->attr = CEXPR_TYPE | side;
	expr->op = equal ? CEXPR_EQ : CEXPR_NEQ;
	return ebitmap_cpy(&expr->names, types) || ebitmap_cpy(&expr->type_names->types, types)
		       ? -ENOMEM
		       : 0;
}

static int add_or(constraint_expr_t **list)
{
	constraint_expr_t *expr = calloc(1, sizeof(*expr));

	if (!expr || constraint_expr_init(expr)) {
		free(expr);
		return -ENOMEM;
	}
	while (*list)
		list = &(*list)->next;
	*list = expr;
	expr->expr_type = CEXPR_OR;
	return 0;
}

/*
 * What must hold for the permissions to stay: the target is none of those, or the source none of
 * these (or one of them, where the others are refused). Of all to all: the target is one of none.
 */
static int make_exprs(const struct refusal *refusal, constraint_expr_t **list)
{
	if (refusal->any_target && refusal->any_source)
		return add_names(list, CEXPR_TARGET, true, &refusal->targets);
	if (!refusal->any_target && add_names(list, CEXPR_TARGET, false, &refusal->targets))
		return -ENOMEM;
	if (!refusal->any_source && add_names(list, 0, refusal->others, &refusal->sources))
		return -ENOMEM;
	return refusal->any_target || refusal->any_source ? 0 : add_or(list);
}

static int add_constraint(const struct refusal *refusal)
{
	constraint_node_t *node = calloc(1, sizeof(*node));

	if (!node || make_exprs(refusal, &node->expr)) {
		if (node)
			free_exprs(node->expr);
		free(node);
		return -ENOMEM;
	}
	node->permissions = refusal->permissions;
	node->next = refusal->class->constraints;
	refusal->class->constraints = node;
	return 0;
}

/* --- dontaudit ---------------------------------------------------------------------------------
 */

/* What is refused of a class. */
struct loud {
	/* By a type's or attribute's value: the permissions refused of it, or of one of its types.
	 */
	uint32_t *of;
	/* Whatever the target is: from all, and from sources of some refusals. */
	uint32_t of_any;
	const struct refusal **from;
	size_t from_count;
};

struct quieting {
	struct pcl_selinux_edit *edit;
	struct loud *louds; /* by a class's value */
	size_t louds_count;
	uint32_t types;	   /* so many there are before attributes are added here */
	ebitmap_t targets; /* all that something is refused of */
	uint32_t *
		rest_of; /* by an attribute's value: that of its types that nothing is refused of */
};

static void quieting_fini(struct quieting *quieting)
{
	for (size_t i = 0; i < quieting->louds_count; i++) {
		free(quieting->louds[i].of);
		free((void *)quieting->louds[i].from);
	}
	free(quieting->louds);
	free(quieting->rest_of);
	ebitmap_destroy(&quieting->targets);
}

static int note_targets(struct quieting *quieting, const struct refusal *refusal, struct loud *loud)
{
	const policydb_t *db = quieting->edit->db;
	ebitmap_node_t *node, *attributes;
	unsigned bit, attribute;

	if (!loud->of)
		loud->of = calloc((size_t)quieting->types + 1, sizeof(*loud->of));
	if (!loud->of || ebitmap_union(&quieting->targets, &refusal->targets))
		return -ENOMEM;
	ebitmap_for_each_positive_bit(&refusal->targets, node, bit)
	{
		ebitmap_for_each_positive_bit(&db->type_attr_map[bit], attributes, attribute)
		{
			loud->of[attribute + 1] |= refusal->permissions;
		}
	}
	return 0;
}

static int note(struct quieting *quieting, const struct refusal *refusal)
{
	struct loud *loud = &quieting->louds[refusal->class->s.value];

	if (!refusal->any_target)
		return note_targets(quieting, refusal, loud);
	if (refusal->any_source || refusal->others) {
		loud->of_any |= refusal->permissions;
		return 0;
	}
	if (pcl_array_grow((void *)&loud->from, loud->from_count, sizeof(*loud->from)))
		return -ENOMEM;
	loud->from[loud->from_count++] = refusal;
	return 0;
}

/* Whether the source of a rule is, or stands for, one of sources. */
static bool speaks_of(const policydb_t *db, uint32_t source, const ebitmap_t *sources)
{
	return pcl_selinux_has(sources, source) ||
	       ebitmap_match_any(&db->attr_type_map[source - 1], sources);
}

static uint32_t loud_of(const struct quieting *quieting, const avtab_key_t *key)
{
	const struct loud *loud = &quieting->louds[key->target_class];
	uint32_t permissions = loud->of_any;

	if (loud->of && key->target_type <= quieting->types)
		permissions |= loud->of[key->target_type];
	for (size_t i = 0; i < loud->from_count; i++)
		if (speaks_of(quieting->edit->db, key->source_type, &loud->from[i]->sources))
			permissions |= loud->from[i]->permissions;
	return permissions;
}

/* An attribute of those types of another that nothing is refused of; 0 where there are none. */
static int find_rest(struct quieting *quieting, uint32_t attribute, uint32_t *ret_rest,
		     struct pcl_diag *diag)
{
	policydb_t *db = quieting->edit->db;
	uint32_t rest = quieting->rest_of[attribute];
	ebitmap_node_t *node;
	unsigned bit;
	int error;

	*ret_rest = rest;
	if (rest || ebitmap_contains(&quieting->targets, &db->attr_type_map[attribute - 1]))
		return 0;
	error = pcl_selinux_add_attribute(quieting->edit, QUIET_PREFIX,
					  db->p_type_val_to_name[attribute - 1], &rest, diag);
	if (error)
		return error;
	ebitmap_for_each_positive_bit(&db->attr_type_map[attribute - 1], node, bit)
	{
		if (!ebitmap_get_bit(&quieting->targets, bit) &&
		    pcl_selinux_join(quieting->edit, bit + 1, rest))
			return pcl_selinux_no_memory(diag);
	}
	quieting->rest_of[attribute] = rest;
	*ret_rest = rest;
	return 0;
}

/* The rules that were loosened, as they were; for the rest of their targets. */
struct quiet {
	avtab_key_t key;
	avtab_datum_t datum;
};

struct quiets {
	struct quieting *quieting;
	struct quiet *items;
	size_t count;
};

static void quiets_fini(struct quiets *quiets)
{
	free(quiets->items);
}

/* KERNEL: the datum of a dontaudit rule has the permissions that are audited still. */
static int loosen(avtab_key_t *key, avtab_datum_t *datum, void *context)
{
	struct quiets *quiets = context;
	uint32_t loud;

	if (!(key->specified & AVTAB_AUDITDENY))
		return 0;
	loud = loud_of(quiets->quieting, key) & ~datum->data;
	if (!loud)
		return 0;
	if (pcl_selinux_is_attribute(quiets->quieting->edit->db, key->target_type)) {
		if (pcl_array_grow(&quiets->items, quiets->count, sizeof(*quiets->items)))
			return -ENOMEM;
		quiets->items[quiets->count++] = (struct quiet){.key = *key, .datum = *datum};
	}
	datum->data |= loud;
	return 0;
}

static int find_rests(struct quiets *quiets, struct pcl_diag *diag)
{
	for (size_t i = 0; i < quiets->count; i++) {
		uint32_t rest = 0;
		int error =
			find_rest(quiets->quieting, quiets->items[i].key.target_type, &rest, diag);

		if (error)
			return error;
		quiets->items[i].key.target_type = (uint16_t)rest;
	}
	return 0;
}

/* libsepol, from 3.6 on, takes no policy with a dontaudit rule that silences nothing. */
static bool is_empty(const policydb_t *db, const struct avtab_node *node)
{
	uint32_t count = db->class_val_to_struct[node->key.target_class - 1]->permissions.nprim;
	uint32_t all = count < 32 ? (UINT32_C(1) << count) - 1 : UINT32_MAX;

	return node->key.specified & AVTAB_AUDITDENY && !(~node->datum.data & all);
}

static void drop_empty(policydb_t *db)
{
	for (uint32_t i = 0; i < db->te_avtab.nslot; i++)
		for (avtab_ptr_t *at = &db->te_avtab.htable[i], node; (node = *at);) {
			if (!is_empty(db, node)) {
				at = &node->next;
				continue;
			}
			*at = node->next;
			db->te_avtab.nel--;
			free(node);
		}
}

static int quiet_plain(struct quieting *quieting, struct pcl_diag *diag)
{
	struct quiets quiets pcl_cleanup(quiets_fini) = {.quieting = quieting};
	policydb_t *db = quieting->edit->db;
	int error;

	if (avtab_map(&db->te_avtab, loosen, &quiets))
		return pcl_selinux_no_memory(diag);
	error = find_rests(&quiets, diag);
	for (size_t i = 0; i < quiets.count && !error; i++)
		if (quiets.items[i].key.target_type &&
		    avtab_insert(&db->te_avtab, &quiets.items[i].key, &quiets.items[i].datum))
			error = pcl_selinux_no_memory(diag);
	drop_empty(db);
	return error;
}

static int quiet_list(struct quieting *quieting, cond_av_list_t **list, struct pcl_diag *diag)
{
	struct quiets quiets pcl_cleanup(quiets_fini) = {.quieting = quieting};
	int error;

	for (const cond_av_list_t *item = *list; item; item = item->next) {
		if (loosen(&item->node->key, &item->node->datum, &quiets))
			return pcl_selinux_no_memory(diag);
		if (is_empty(quieting->edit->db, item->node))
			item->node->parse_context = NULL; /* so that it is not written */
	}
	error = find_rests(&quiets, diag);
	for (size_t i = 0; i < quiets.count && !error; i++) {
		const struct quiet *quiet = &quiets.items[i];

		if (quiet->key.target_type &&
		    pcl_selinux_add_conditional(quieting->edit, &quiet->key, &quiet->datum, list))
			error = pcl_selinux_no_memory(diag);
	}
	return error;
}

static int quiet_all(struct quieting *quieting, struct pcl_diag *diag)
{
	int error = quiet_plain(quieting, diag);

	for (cond_node_t *node = quieting->edit->db->cond_list; node && !error; node = node->next) {
		error = quiet_list(quieting, &node->true_list, diag);
		if (!error)
			error = quiet_list(quieting, &node->false_list, diag);
	}
	return error;
}

static int keep_loud(struct pcl_selinux_edit *edit, const struct refusal *refusals, size_t count,
		     struct pcl_diag *diag)
{
	struct quieting quieting pcl_cleanup(quieting_fini) = {
		.edit = edit,
		.types = edit->db->p_types.nprim,
	};

	ebitmap_init(&quieting.targets);
	quieting.louds_count = (size_t)edit->db->p_classes.nprim + 1;
	quieting.louds = calloc(quieting.louds_count, sizeof(*quieting.louds));
	quieting.rest_of = calloc((size_t)quieting.types + 1, sizeof(*quieting.rest_of));
	if (!quieting.louds) {
		quieting.louds_count = 0;
		return pcl_selinux_no_memory(diag);
	}
	if (!quieting.rest_of)
		return pcl_selinux_no_memory(diag);
	for (size_t i = 0; i < count; i++)
		if (note(&quieting, &refusals[i]))
			return pcl_selinux_no_memory(diag);
	return quiet_all(&quieting, diag);
}

/* --- all of them -------------------------------------------------------------------------------
 */

static int refuse_all(struct pcl_selinux_edit *edit, const struct pcl_selinux_changes *changes,
		      struct refusal *refusals, struct pcl_diag *diag)
{
	for (size_t i = 0; i < changes->refuses_count; i++) {
		int error = look_up(edit->db, &changes->refuses[i], &refusals[i], diag);

		if (error)
			return error;
		if (add_constraint(&refusals[i]))
			return pcl_selinux_no_memory(diag);
	}
	return keep_loud(edit, refusals, changes->refuses_count, diag);
}

int pcl_selinux_edit_refuses(struct pcl_selinux_edit *edit,
			     const struct pcl_selinux_changes *changes, struct pcl_diag *diag)
{
	struct refusal *refusals;
	int error;

	if (!changes->refuses_count)
		return 0;
	refusals = calloc(changes->refuses_count, sizeof(*refusals));
	if (!refusals)
		return pcl_selinux_no_memory(diag);
	error = refuse_all(edit, changes, refusals, diag);
	for (size_t i = 0; i < changes->refuses_count; i++)
		refusal_fini(&refusals[i]);
	free(refusals);
	return error;
}

/* --- entrances ---------------------------------------------------------------------------------
 */

static int compare_entrances(const void *a, const void *b)
{
	const struct pcl_selinux_entrance *x = a, *y = b;

	if (x->result != y->result)
		return x->result < y->result ? -1 : 1;
	return x->source < y->source ? -1 : x->source > y->source;
}

/*
 * Rules that let others enter a clone's base hold for the clone, by attributes too; and a clone has
 * entrypoints that its base has not. So it is entered from where it is meant to be, and from
 * nowhere else.
 */
int pcl_selinux_edit_entrances(struct pcl_selinux_edit *edit, struct pcl_diag *diag)
{
	const struct pcl_selinux_entrance *entrances = edit->entrances;
	size_t count = edit->entrances_count;
	class_datum_t *class = NULL;
	int error;

	if (!count)
		return 0;
	error = pcl_selinux_class(edit->db, "process", &class, diag);
	qsort(edit->entrances, count, sizeof(*entrances), compare_entrances);
	for (size_t from = 0, to; !error && from < count; from = to) {
		struct refusal refusal pcl_cleanup(refusal_fini) = {.class = class, .others = true};

		refusal.permissions = pcl_selinux_permission(class, "transition") |
				      pcl_selinux_permission(class, "dyntransition");
		/* Staying what it is is no entering. */
		if (ebitmap_set_bit(&refusal.targets, entrances[from].result - 1, 1) ||
		    ebitmap_set_bit(&refusal.sources, entrances[from].result - 1, 1))
			return pcl_selinux_no_memory(diag);
		for (to = from; to < count && entrances[to].result == entrances[from].result; to++)
			if (ebitmap_set_bit(&refusal.sources, entrances[to].source - 1, 1))
				return pcl_selinux_no_memory(diag);
		if (add_constraint(&refusal))
			return pcl_selinux_no_memory(diag);
	}
	return error;
}
