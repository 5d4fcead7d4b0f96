/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a change, in their order, on a copy that libsepol makes of the policy; and the rules
 * that only tell.
 */
#include "backend/selinux_edit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"

/* --- rules -------------------------------------------------------------------------------------
 */

static int edit_audit(struct pcl_selinux_edit *edit, const struct pcl_selinux_audit *audit,
		      struct pcl_diag *diag)
{
	uint32_t source = 0, target = 0, permissions = 0;
	class_datum_t *class = NULL;
	avtab_key_t key = {.specified = AVTAB_AUDITALLOW};
	const struct pcl_selinux_family *family;
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
	key.target_type = (uint16_t)target;
	key.target_class = (uint16_t) class->s.value;
	key.source_type = (uint16_t)source;
	if (pcl_selinux_add_permissions(edit, &key, permissions))
		return pcl_selinux_no_memory(diag);
	family = pcl_selinux_family(edit, source);
	if (!family)
		return 0;
	key.source_type = (uint16_t)family->attribute;
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

/* Clones, which may what their bases may. */
static int add_types(struct pcl_selinux_edit *edit, const struct pcl_selinux_changes *changes,
		     struct pcl_diag *diag)
{
	int error = pcl_selinux_edit_types(edit, changes, diag);

	if (!error)
		error = pcl_selinux_edit_enters(edit, changes, diag);
	if (!error)
		error = pcl_selinux_edit_rules(edit, diag);
	if (!error)
		error = pcl_selinux_edit_transitions(edit, diag);
	return error ? error : pcl_selinux_edit_entrances(edit, diag);
}

/* What is told and taken away. */
static int add_meaning(struct pcl_selinux_edit *edit, const struct pcl_selinux_changes *changes,
		       struct pcl_diag *diag)
{
	int error = pcl_selinux_edit_names(edit, changes, diag);

	if (!error)
		error = pcl_selinux_edit_audits(edit, changes, diag);
	return error ? error : pcl_selinux_edit_refuses(edit, changes, diag);
}

int pcl_selinux_policy_patch(struct pcl_selinux_policy *policy,
			     const struct pcl_selinux_changes *changes,
			     struct pcl_selinux_binary *ret_types, struct pcl_selinux_binary *ret,
			     struct pcl_diag *diag)
{
	struct pcl_selinux_edit edit pcl_cleanup(pcl_selinux_edit_fini) = {
		.db = &policy->db,
		.types_room = policy->db.p_types.nprim,
	};
	pcl_selinux_autobinary types = {0};
	int error = add_types(&edit, changes, diag);

	if (!error && ret_types)
		error = pcl_selinux_policy_write(policy, &types.data, &types.size, diag);
	if (!error)
		error = add_meaning(&edit, changes, diag);
	if (!error)
		error = pcl_selinux_policy_write(policy, &ret->data, &ret->size, diag);
	if (!error && ret_types) {
		*ret_types = types;
		types = (struct pcl_selinux_binary){0};
	}
	return error;
}

int pcl_selinux_patch(const void *policy, size_t size, const struct pcl_selinux_changes *changes,
		      void **ret_policy, size_t *ret_size, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_selinux_policy_free) struct pcl_selinux_policy *copy = NULL;
	struct pcl_selinux_binary patched = {0};
	int error = pcl_selinux_policy_read(policy, size, &copy, diag);

	if (!error)
		error = pcl_selinux_policy_patch(copy, changes, NULL, &patched, diag);
	if (error)
		return error;
	*ret_policy = patched.data;
	*ret_size = patched.size;
	return 0;
}

void pcl_selinux_binary_fini(struct pcl_selinux_binary *policy)
{
	free(policy->data);
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
	for (size_t i = 0; i < changes->leaves_count; i++) {
		free(changes->leaves[i].source);
		free(changes->leaves[i].result);
	}
	pcl_strings_free(&changes->runs, &changes->runs_count);
	for (size_t i = 0; i < changes->audits_count; i++)
		free_audit(&changes->audits[i]);
	free(changes->clones);
	free(changes->refuses);
	free(changes->enters);
	free(changes->leaves);
	free(changes->audits);
	*changes = (struct pcl_selinux_changes){0};
}
