/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transitions that are asked for, with what takes them; and what a domain that was entered so
 * becomes as it executes something else. KERNEL: a transition is looked up by the very types, so
 * each pair has its own.
 */
#include "backend/selinux_edit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"

/* --- entering ----------------------------------------------------------------------------------
 */

/* Allows as many of the permissions as the policy's class knows; an older policy asks fewer. */
static int allow(struct pcl_selinux_edit *edit, uint32_t source, uint32_t target,
		 const char *class_name, const char *const *permissions, struct pcl_diag *diag)
{
	class_datum_t *class = NULL;
	avtab_key_t key = {
		.source_type = (uint16_t)source,
		.target_type = (uint16_t)target,
		.specified = AVTAB_ALLOWED,
	};
	uint32_t bits = 0;

	if (pcl_selinux_class(edit->db, class_name, &class, NULL))
		return 0;
	for (; *permissions; permissions++)
		bits |= pcl_selinux_permission(class, *permissions);
	key.target_class = (uint16_t) class->s.value;
	return bits && pcl_selinux_add_permissions(edit, &key, bits) ? pcl_selinux_no_memory(diag)
								     : 0;
}

/* Types of the policy itself stand before the clones. */
static bool is_added(const struct pcl_selinux_edit *edit, uint32_t type)
{
	return type >= edit->family_of_count;
}

static int note_entrance(struct pcl_selinux_edit *edit, uint32_t source, uint32_t result)
{
	if (!is_added(edit, result))
		return 0;
	if (pcl_array_grow(&edit->entrances, edit->entrances_count, sizeof(*edit->entrances)))
		return -ENOMEM;
	edit->entrances[edit->entrances_count++] = (struct pcl_selinux_entrance){result, source};
	return 0;
}

/*
 * KERNEL: a transition that is not allowed fails the execve; one that no_new_privs or nosuid stands
 * against is passed over in silence, so these are allowed by name. So is share, which is asked of
 * who shares its directories with another task.
 */
static int allow_entry(struct pcl_selinux_edit *edit, uint32_t source, uint32_t target,
		       uint32_t result, struct pcl_diag *diag)
{
	static const char *const enter[] = {"transition", "noatsecure", "siginh",
					    "rlimitinh",  "share",	NULL};
	static const char *const enter_anyway[] = {"nnp_transition", "nosuid_transition", NULL};
	static const char *const entrypoint[] = {"entrypoint", NULL};
	int error = 0;

	if (source == result)
		return 0;
	if (note_entrance(edit, source, result))
		return pcl_selinux_no_memory(diag);
	if (edit->base_of[source] != edit->base_of[result])
		return 0;
	/* What a bounded domain may do is cut to what its bound may, which none of this is. */
	if (edit->db->type_val_to_struct[source - 1]->bounds ||
	    edit->db->type_val_to_struct[result - 1]->bounds)
		return pcl_diag_set(
			diag, -EINVAL,
			"selinux: %s or %s is bounded by another domain (typebounds), and "
			"cannot be entered by a rule",
			edit->db->p_type_val_to_name[source - 1],
			edit->db->p_type_val_to_name[result - 1]);
	error = allow(edit, source, result, "process", enter, diag);
	if (!error)
		error = allow(edit, source, result, "process2", enter_anyway, diag);
	return error ? error : allow(edit, result, target, "file", entrypoint, diag);
}

/* A transition with its names looked up. */
struct passage {
	avtab_key_t key;
	uint32_t result;
};

static int look_up(const struct pcl_selinux_edit *edit, const struct pcl_selinux_enter *enter,
		   struct passage *passage, struct pcl_diag *diag)
{
	uint32_t source = 0, target = 0;
	class_datum_t *class = NULL;
	int error = pcl_selinux_type(edit->db, enter->source, false, &source, diag);

	if (!error)
		error = pcl_selinux_type(edit->db, enter->target, false, &target, diag);
	if (!error)
		error = pcl_selinux_type(edit->db, enter->result, false, &passage->result, diag);
	if (!error)
		error = pcl_selinux_class(edit->db, enter->class_name, &class, diag);
	if (error || !class)
		return error;
	passage->key = (avtab_key_t){
		.source_type = (uint16_t)source,
		.target_type = (uint16_t)target,
		.target_class = (uint16_t) class->s.value,
		.specified = AVTAB_TRANSITION,
	};
	return 0;
}

static int take_passage(struct pcl_selinux_edit *edit, struct passage *passage,
			struct pcl_diag *diag)
{
	avtab_datum_t *present = avtab_search(&edit->db->te_avtab, &passage->key);
	avtab_datum_t result = {.data = passage->result};

	if (present)
		present->data = passage->result;
	else if (avtab_insert(&edit->db->te_avtab, &passage->key, &result))
		return pcl_selinux_no_memory(diag);
	if (passage->key.target_class != edit->db->process_class)
		return 0;
	return allow_entry(edit, passage->key.source_type, passage->key.target_type,
			   passage->result, diag);
}

/* The same for what stands in for its source, where nothing else is said of that. */
static int take_for_clones(struct pcl_selinux_edit *edit, const struct passage *passage,
			   struct pcl_diag *diag)
{
	const struct pcl_selinux_family *family =
		pcl_selinux_family(edit, passage->key.source_type);
	int error = 0;

	for (size_t i = 0; family && i < family->clones_count && !error; i++) {
		struct passage copy = *passage;

		copy.key.source_type = (uint16_t)family->clones[i];
		if (!avtab_search(&edit->db->te_avtab, &copy.key))
			error = take_passage(edit, &copy, diag);
	}
	return error;
}

static int enter_all(struct pcl_selinux_edit *edit, const struct pcl_selinux_changes *changes,
		     struct passage *passages, struct pcl_diag *diag)
{
	int error = 0;

	for (size_t i = 0; i < changes->enters_count && !error; i++) {
		error = look_up(edit, &changes->enters[i], &passages[i], diag);
		if (!error)
			error = take_passage(edit, &passages[i], diag);
	}
	for (size_t i = 0; i < changes->enters_count && !error; i++)
		error = take_for_clones(edit, &passages[i], diag);
	return error;
}

/* --- leaving -----------------------------------------------------------------------------------
 */

/* Who leaves by what. */
struct leaving {
	struct pcl_selinux_edit *edit;
	uint32_t class;
	uint32_t permission;
	ebitmap_t bases; /* of those who leave */
	ebitmap_t runs;
	ebitmap_t *may; /* by a base's value: what it may execute */
	size_t may_count;
};

static void leaving_fini(struct leaving *leaving)
{
	ebitmap_destroy(&leaving->bases);
	ebitmap_destroy(&leaving->runs);
	for (size_t i = 0; i < leaving->may_count; i++)
		ebitmap_destroy(&leaving->may[i]);
	free(leaving->may);
}

/* The types that a rule's word stands for, of some. 0 or -ENOMEM. */
static int types_of(const policydb_t *db, uint32_t word, const ebitmap_t *among, ebitmap_t *ret)
{
	ebitmap_init(ret);
	if (pcl_selinux_is_attribute(db, word))
		return ebitmap_and(ret, &db->attr_type_map[word - 1], among);
	return pcl_selinux_has(among, word) ? ebitmap_set_bit(ret, word - 1, 1) : 0;
}

static int note_right(avtab_key_t *key, avtab_datum_t *datum, void *context)
{
	struct leaving *leaving = context;
	const policydb_t *db = leaving->edit->db;
	ebitmap_t sources, targets;
	ebitmap_node_t *node;
	unsigned bit;
	int error;

	if (!(key->specified & AVTAB_ALLOWED) || key->target_class != leaving->class ||
	    !(datum->data & leaving->permission))
		return 0;
	ebitmap_init(&targets);
	error = types_of(db, key->source_type, &leaving->bases, &sources);
	if (!error)
		error = types_of(db, key->target_type, &leaving->runs, &targets);
	if (!error && ebitmap_cardinality(&targets))
		ebitmap_for_each_positive_bit(&sources, node, bit)
		{
			error = error || ebitmap_union(&leaving->may[bit + 1], &targets);
		}
	ebitmap_destroy(&sources);
	ebitmap_destroy(&targets);
	return error ? -ENOMEM : 0;
}

/* Of the policy itself, in a conditional or not. */
static bool enters_something(const policydb_t *db, uint32_t source, uint32_t target)
{
	avtab_key_t key = {
		.source_type = (uint16_t)source,
		.target_type = (uint16_t)target,
		.target_class = (uint16_t)db->process_class,
		.specified = AVTAB_TRANSITION,
	};

	return avtab_search((avtab_t *)&db->te_avtab, &key) ||
	       avtab_search((avtab_t *)&db->te_cond_avtab, &key);
}

static int leave_by(struct leaving *leaving, uint32_t source, uint32_t target, uint32_t result,
		    struct pcl_diag *diag)
{
	struct pcl_selinux_edit *edit = leaving->edit;
	struct passage passage = {
		.key = {.source_type = (uint16_t)source,
			.target_type = (uint16_t)target,
			.target_class = (uint16_t)edit->db->process_class,
			.specified = AVTAB_TRANSITION},
		.result = result,
	};

	return avtab_search(&edit->db->te_avtab, &passage.key) ? 0
							       : take_passage(edit, &passage, diag);
}

static int leave(struct leaving *leaving, const struct pcl_selinux_leave *leave,
		 struct pcl_diag *diag)
{
	const policydb_t *db = leaving->edit->db;
	uint32_t source = 0, result = 0, base;
	ebitmap_node_t *node;
	unsigned bit;
	int error = pcl_selinux_type(db, leave->source, false, &source, diag);

	if (!error)
		error = pcl_selinux_type(db, leave->result, false, &result, diag);
	if (error)
		return error;
	base = leaving->edit->base_of[source];
	ebitmap_for_each_positive_bit(&leaving->may[base], node, bit)
	{
		const struct pcl_selinux_family *family =
			pcl_selinux_family(leaving->edit, bit + 1);

		if (enters_something(db, base, bit + 1))
			continue;
		error = leave_by(leaving, source, bit + 1, result, diag);
		for (size_t i = 0; !error && family && i < family->clones_count; i++)
			error = leave_by(leaving, source, family->clones[i], result, diag);
		if (error)
			break;
	}
	return error;
}

static int prepare(struct leaving *leaving, const struct pcl_selinux_changes *changes,
		   struct pcl_diag *diag)
{
	struct pcl_selinux_edit *edit = leaving->edit;
	policydb_t *db = edit->db;
	class_datum_t *class = NULL;
	int error = pcl_selinux_class(db, "file", &class, diag);

	leaving->may_count = edit->family_of_count + 1;
	leaving->may = calloc(leaving->may_count, sizeof(*leaving->may));
	if (!leaving->may) {
		leaving->may_count = 0;
		return pcl_selinux_no_memory(diag);
	}
	if (error || !class)
		return error;
	leaving->class = class->s.value;
	leaving->permission = pcl_selinux_permission(class, "execute_no_trans");
	for (size_t i = 0; i < changes->leaves_count; i++) {
		uint32_t source = 0;

		error = pcl_selinux_type(db, changes->leaves[i].source, false, &source, diag);
		if (error)
			return error;
		if (edit->base_of[source] == source)
			return pcl_diag_set(diag, -EINVAL, "selinux: %s is no clone",
					    changes->leaves[i].source);
		if (ebitmap_set_bit(&leaving->bases, edit->base_of[source] - 1, 1))
			return pcl_selinux_no_memory(diag);
	}
	for (size_t i = 0; i < changes->runs_count; i++) {
		const type_datum_t *type = pcl_selinux_find(db, changes->runs[i]);

		if (type && type->flavor != TYPE_ATTRIB &&
		    ebitmap_set_bit(&leaving->runs, type->s.value - 1, 1))
			return pcl_selinux_no_memory(diag);
	}
	return 0;
}

static int leave_all(struct pcl_selinux_edit *edit, const struct pcl_selinux_changes *changes,
		     struct pcl_diag *diag)
{
	struct leaving leaving pcl_cleanup(leaving_fini) = {.edit = edit};
	int error;

	ebitmap_init(&leaving.bases);
	ebitmap_init(&leaving.runs);
	error = prepare(&leaving, changes, diag);
	if (!error && (avtab_map(&edit->db->te_avtab, note_right, &leaving) ||
		       avtab_map(&edit->db->te_cond_avtab, note_right, &leaving)))
		error = pcl_selinux_no_memory(diag);
	for (size_t i = 0; i < changes->leaves_count && !error; i++)
		error = leave(&leaving, &changes->leaves[i], diag);
	return error;
}

/* --- both --------------------------------------------------------------------------------------
 */

int pcl_selinux_edit_enters(struct pcl_selinux_edit *edit,
			    const struct pcl_selinux_changes *changes, struct pcl_diag *diag)
{
	pcl_autofree struct passage *passages =
		calloc(changes->enters_count + 1, sizeof(*passages));
	int error;

	if (!passages)
		return pcl_selinux_no_memory(diag);
	error = enter_all(edit, changes, passages, diag);
	return !error && changes->leaves_count ? leave_all(edit, changes, diag) : error;
}
