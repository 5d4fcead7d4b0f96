/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a change, in their order, on a copy that libsepol makes of the policy; and the rules
 * that are asked for by themselves: transitions with what takes them, and auditallow.
 */
#include "backend/selinux_edit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"

/* --- rules -------------------------------------------------------------------------------------
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

/*
 * KERNEL: a transition that is not allowed fails the execve; one that no_new_privs or nosuid stands
 * against is passed over in silence, so these are allowed by name.
 */
static int allow_entry(struct pcl_selinux_edit *edit, uint32_t source, uint32_t target,
		       uint32_t result, struct pcl_diag *diag)
{
	static const char *const enter[] = {"transition", "noatsecure", "siginh", "rlimitinh",
					    NULL};
	static const char *const enter_anyway[] = {"nnp_transition", "nosuid_transition", NULL};
	static const char *const entrypoint[] = {"entrypoint", NULL};
	int error = 0;

	if (source == result)
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

static int edit_enter(struct pcl_selinux_edit *edit, const struct pcl_selinux_enter *enter,
		      struct pcl_diag *diag)
{
	uint32_t source = 0, target = 0, result = 0;
	class_datum_t *class = NULL;
	avtab_datum_t *present;
	avtab_key_t key = {.specified = AVTAB_TRANSITION};
	int error = pcl_selinux_type(edit->db, enter->source, false, &source, diag);

	if (!error)
		error = pcl_selinux_type(edit->db, enter->target, false, &target, diag);
	if (!error)
		error = pcl_selinux_type(edit->db, enter->result, false, &result, diag);
	if (!error)
		error = pcl_selinux_class(edit->db, enter->class_name, &class, diag);
	if (error)
		return error;
	key.source_type = (uint16_t)source;
	key.target_type = (uint16_t)target;
	key.target_class = (uint16_t) class->s.value;
	present = avtab_search(&edit->db->te_avtab, &key);
	if (present)
		present->data = result;
	else if (avtab_insert(&edit->db->te_avtab, &key, &(avtab_datum_t){.data = result}))
		return pcl_selinux_no_memory(diag);
	return class->s.value == edit->db->process_class
		       ? allow_entry(edit, source, target, result, diag)
		       : 0;
}

int pcl_selinux_edit_enters(struct pcl_selinux_edit *edit,
			    const struct pcl_selinux_changes *changes, struct pcl_diag *diag)
{
	int error = 0;

	for (size_t i = 0; i < changes->enters_count && !error; i++)
		error = edit_enter(edit, &changes->enters[i], diag);
	return error;
}

static int edit_audit(struct pcl_selinux_edit *edit, const struct pcl_selinux_audit *audit,
		      struct pcl_diag *diag)
{
	uint32_t source = 0, target = 0, permissions = 0;
	class_datum_t *class = NULL;
	avtab_key_t key = {.specified = AVTAB_AUDITALLOW};
	int error = pcl_selinux_type(edit->db, audit->source, true, &source, diag);

	if (!error)
		error = pcl_selinux_type(edit->db, audit->target, true, &target, diag);
	if (!error)
		error = pcl_selinux_class(edit->db, audit->class_name, &class, diag);
	if (!error)
		error = pcl_selinux_permissions(class, audit->class_name, audit->permissions,
						audit->permissions_count, &permissions, diag);
	if (error)
		return error;
	key.source_type = (uint16_t)source;
	key.target_type = (uint16_t)target;
	key.target_class = (uint16_t) class->s.value;
	return pcl_selinux_add_permissions(edit, &key, permissions) ? pcl_selinux_no_memory(diag)
								    : 0;
}

int pcl_selinux_edit_audits(struct pcl_selinux_edit *edit,
			    const struct pcl_selinux_changes *changes, struct pcl_diag *diag)
{
	int error = 0;

	for (size_t i = 0; i < changes->audits_count && !error; i++)
		error = edit_audit(edit, &changes->audits[i], diag);
	return error;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

int pcl_selinux_patch(const void *policy, size_t size, const struct pcl_selinux_changes *changes,
		      void **ret_policy, size_t *ret_size, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_selinux_policy_free) struct pcl_selinux_policy *copy = NULL;
	struct pcl_selinux_edit edit pcl_cleanup(pcl_selinux_edit_fini) = {0};
	int error = pcl_selinux_policy_read(policy, size, &copy, diag);

	if (error)
		return error;
	edit.db = &copy->db;
	edit.types_room = copy->db.p_types.nprim;
	error = pcl_selinux_edit_types(&edit, changes, diag);
	if (!error)
		error = pcl_selinux_edit_enters(&edit, changes, diag);
	if (!error)
		error = pcl_selinux_edit_rules(&edit, diag);
	if (!error)
		error = pcl_selinux_edit_transitions(&edit, diag);
	if (!error)
		error = pcl_selinux_edit_audits(&edit, changes, diag);
	if (!error)
		error = pcl_selinux_edit_refuses(&edit, changes, diag);
	return error ? error : pcl_selinux_policy_write(copy, ret_policy, ret_size, diag);
}

void pcl_selinux_refuse_fini(struct pcl_selinux_refuse *refuse)
{
	free(refuse->class_name);
	pcl_strings_free(&refuse->permissions, &refuse->permissions_count);
	pcl_strings_free(&refuse->targets, &refuse->targets_count);
	pcl_strings_free(&refuse->sources, &refuse->sources_count);
}

static void free_audit(struct pcl_selinux_audit *audit)
{
	free(audit->source);
	free(audit->target);
	free(audit->class_name);
	pcl_strings_free(&audit->permissions, &audit->permissions_count);
}

void pcl_selinux_changes_fini(struct pcl_selinux_changes *changes)
{
	for (size_t i = 0; i < changes->clones_count; i++) {
		free(changes->clones[i].name);
		free(changes->clones[i].base);
	}
	for (size_t i = 0; i < changes->refuses_count; i++)
		pcl_selinux_refuse_fini(&changes->refuses[i]);
	for (size_t i = 0; i < changes->enters_count; i++) {
		free(changes->enters[i].source);
		free(changes->enters[i].target);
		free(changes->enters[i].class_name);
		free(changes->enters[i].result);
	}
	for (size_t i = 0; i < changes->audits_count; i++)
		free_audit(&changes->audits[i]);
	free(changes->clones);
	free(changes->refuses);
	free(changes->enters);
	free(changes->audits);
	*changes = (struct pcl_selinux_changes){0};
}
