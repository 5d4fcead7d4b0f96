/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was cut short is undone, or where its policy holds already finished. What was written down
 * before each step says how (selinux_record.h).
 */
#include "backend/selinux_recover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/selinux_between.h"
#include "backend/selinux_events.h"
#include "backend/selinux_fs.h"
#include "backend/selinux_labels.h"
#include "backend/selinux_look.h"
#include "backend/selinux_plan.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/steps.h"

/* A type that says that directories may be read for a while. */
#define LOOKING PCL_SELINUX_PREFIX "looking_t"

static int no_memory(struct pcl_diag *diag)
{
	return pcl_diag_set(diag, -ENOMEM, "out of memory");
}

/* --- remove ------------------------------------------------------------------------------------
 */

/* All types stay until no file has them, and none of them means anything any more. */
static int free_all(const struct pcl_selinux_record *applied,
		    const struct pcl_selinux_binary *loaded,
		    const struct pcl_selinux_binary *original, struct pcl_diag *diag)
{
	struct pcl_selinux_changes clones pcl_cleanup(pcl_selinux_changes_fini) = {0};
	pcl_selinux_autobinary policy = {0};
	int error;

	/* Where nothing was cut short, what has been written down is what is loaded. */
	if (applied->generation && pcl_selinux_generation_is_loaded(applied->generation))
		error = pcl_selinux_clones_add(&clones, &applied->changes) ? no_memory(diag) : 0;
	else
		error = pcl_selinux_clones_of(loaded->data, loaded->size, &clones, diag);
	if (!error)
		error = pcl_selinux_binary_patch(original, &clones, &policy, diag);
	pcl_steps_end("selinux: the policy of types alone is patched");
	return error ? error : pcl_selinux_binary_load(&policy, diag);
}

/* The policy of before is wanted as long as something of ours is in the one that is loaded. */
void pcl_selinux_forget(bool kept)
{
	pcl_selinux_record_delete(PCL_SELINUX_NEXT);
	pcl_selinux_record_delete(PCL_SELINUX_APPLIED);
	if (!kept)
		pcl_selinux_records_delete();
}

int pcl_selinux_remove_all(struct pcl_diag *diag)
{
	pcl_selinux_autobinary loaded = {0}, original = {0};
	struct pcl_selinux_changes held pcl_cleanup(pcl_selinux_changes_fini) = {0};
	pcl_selinux_autorecord applied = {0};
	bool ours, kept = false;
	int error;

	if (pcl_selinux_mode_read() < PCL_SELINUX_PERMISSIVE)
		return 0;
	error = pcl_selinux_binary_get(&loaded, pcl_selinux_records_exist() ? diag : NULL);
	/* Whoever may not read the policy has never loaded one. */
	if (error && !pcl_selinux_records_exist())
		return 0;
	ours = !error && pcl_selinux_binary_is_ours(&loaded);
	if (error || (!ours && !pcl_selinux_records_exist()))
		return error;
	if (ours)
		error = pcl_selinux_original_get(&original, diag);
	/* A record that cannot be read is none. */
	if (!error && ours && pcl_selinux_applied_load(&applied, NULL))
		pcl_selinux_record_fini(&applied);
	pcl_steps_end("selinux: the policy is read");
	if (!error && ours)
		error = free_all(&applied, &loaded, &original, diag);
	pcl_fault_point("selinux: nothing is refused");
	if (!error)
		pcl_selinux_record_delete(PCL_SELINUX_APPLIED);
	if (!error)
		error = pcl_selinux_labels_restore(&held, diag);
	pcl_fault_point("selinux: labels are back");
	if (!error && ours)
		error = pcl_selinux_original_put(&original, &held, &kept, diag);
	pcl_fault_point("selinux: the policy is back");
	if (error)
		return error;
	pcl_selinux_events_forget();
	pcl_selinux_forget(kept);
	return 0;
}

/* --- a change that was cut short ---------------------------------------------------------------
 */

/*
 * Somebody loaded another policy, in which ours is not: put on top of that one, which is the node's
 * from now on. Files kept their labels, which mean something again.
 */
static int put_on_top(const struct pcl_selinux_binary *theirs,
		      const struct pcl_selinux_record *applied, struct pcl_diag *diag)
{
	pcl_selinux_autobinary policy = {0};
	int error = pcl_selinux_binary_patch(theirs, &applied->changes, &policy, diag);

	if (!error)
		error = pcl_selinux_original_save(theirs->data, theirs->size, diag);
	pcl_fault_point("selinux: another policy is kept");
	if (!error)
		error = pcl_selinux_binary_load(&policy, diag);
	return error ? pcl_diag_context(diag, error,
					"another policy was loaded, and ours cannot be put on top")
		     : 0;
}

/* What a policy of ours was made from, in the place of that one; and what was applied on it. */
static int put_back(struct pcl_selinux_record *applied, bool *ret_kept, struct pcl_diag *diag)
{
	struct pcl_selinux_changes kept pcl_cleanup(pcl_selinux_changes_fini) = {0};
	pcl_selinux_autobinary original = {0}, policy = {0};
	int error = pcl_selinux_original_get(&original, diag);

	if (!error && !applied->generation)
		return pcl_selinux_original_put(&original, &kept, ret_kept, diag);
	if (!error)
		error = pcl_selinux_types_keep(&applied->changes, ret_kept, diag);
	if (!error && *ret_kept)
		error = pcl_selinux_record_save(PCL_SELINUX_APPLIED, applied, diag);
	if (!error)
		error = pcl_selinux_binary_patch(&original, &applied->changes, &policy, diag);
	return error ? error : pcl_selinux_binary_load(&policy, diag);
}

int pcl_selinux_undo(const struct pcl_selinux_record *next, struct pcl_diag *diag)
{
	pcl_selinux_autorecord applied = {0};
	pcl_selinux_autobinary loaded = {0};
	bool kept = false;
	int error = pcl_selinux_applied_load(&applied, diag);

	if (!error)
		error = pcl_selinux_labels_undo(next, diag);
	if (!error)
		error = pcl_selinux_binary_get(&loaded, diag);
	if (!error && pcl_selinux_binary_is_ours(&loaded))
		error = put_back(&applied, &kept, diag);
	else if (!error && applied.generation)
		error = put_on_top(&loaded, &applied, diag);
	if (error)
		return error;
	if (!applied.generation)
		pcl_selinux_forget(kept);
	pcl_selinux_record_delete(PCL_SELINUX_NEXT);
	return 0;
}

static int end_change(struct pcl_diag *diag)
{
	pcl_selinux_autorecord next = {0};
	int error = pcl_selinux_record_load(PCL_SELINUX_NEXT, &next, diag);

	if (error)
		return error == -ENOENT ? 0 : error;
	return pcl_selinux_generation_is_loaded(next.generation) ? pcl_selinux_record_keep(diag)
								 : pcl_selinux_undo(&next, diag);
}

/* Whether it is that directories are read, of which a plan makes a constraint of its own. */
static bool is_listing(const struct pcl_selinux_refuse *refuse)
{
	return !strcmp(refuse->class_name, "dir") && refuse->permissions_count == 1 &&
	       !strcmp(refuse->permissions[0], "read");
}

int pcl_selinux_look_begin(const struct pcl_selinux_record *applied,
			   const struct pcl_selinux_binary *original, struct pcl_diag *diag)
{
	struct pcl_selinux_changes changes = applied->changes;
	pcl_autofree struct pcl_selinux_clone *clones = NULL;
	pcl_autofree struct pcl_selinux_refuse *refuses = NULL;
	pcl_selinux_autobinary policy = {0};
	int error;

	clones = calloc(changes.clones_count + 1, sizeof(*clones));
	refuses = calloc(changes.refuses_count + 1, sizeof(*refuses));
	if (!clones || !refuses)
		return no_memory(diag);
	for (size_t i = 0; i < changes.clones_count; i++)
		clones[i] = changes.clones[i];
	clones[changes.clones_count++] = (struct pcl_selinux_clone){.name = LOOKING};
	changes.clones = clones;
	changes.refuses = refuses;
	changes.refuses_count = 0;
	for (size_t i = 0; i < applied->changes.refuses_count; i++)
		if (!is_listing(&applied->changes.refuses[i]))
			refuses[changes.refuses_count++] = applied->changes.refuses[i];
	error = pcl_selinux_binary_patch(original, &changes, &policy, diag);
	return error ? error : pcl_selinux_binary_load(&policy, diag);
}

/* No process is where it was not before: nothing else was loaded meanwhile. */
int pcl_selinux_look_end(const struct pcl_selinux_record *applied,
			 const struct pcl_selinux_binary *original, struct pcl_diag *diag)
{
	pcl_selinux_autobinary policy = {0};
	int error = pcl_selinux_binary_patch(original, &applied->changes, &policy, diag);

	return error ? error : pcl_selinux_binary_load(&policy, diag);
}

/* What was killed in the midst of looking has left that. */
static int repair_look(const struct pcl_selinux_record *applied, struct pcl_diag *diag)
{
	pcl_selinux_autobinary original = {0};
	int error;

	if (!pcl_selinux_type_is_loaded(LOOKING))
		return 0;
	error = pcl_selinux_original_get(&original, diag);
	return error ? error : pcl_selinux_look_end(applied, &original, diag);
}

int pcl_selinux_recover(uint64_t *ret_generation, struct pcl_diag *diag)
{
	pcl_selinux_autorecord applied = {0};
	pcl_selinux_autobinary loaded = {0};
	int error = end_change(diag);

	if (!error)
		error = pcl_selinux_applied_load(&applied, diag);
	if (!error)
		error = repair_look(&applied, diag);
	if (!error && applied.generation && !pcl_selinux_generation_is_loaded(applied.generation)) {
		error = pcl_selinux_binary_get(&loaded, diag);
		/* Types of ours without the mark: a removal was cut short. */
		if (!error && pcl_selinux_binary_is_ours(&loaded)) {
			applied.generation = 0;
			error = pcl_selinux_remove_all(diag);
		} else if (!error) {
			error = put_on_top(&loaded, &applied, diag);
			pcl_selinux_events_note_load();
		}
	}
	if (!error)
		*ret_generation = applied.generation;
	return error;
}

int pcl_selinux_repair(struct pcl_diag *diag)
{
	pcl_autoclose int lock = -1;
	uint64_t generation;

	pcl_selinux_lock(&lock);
	return pcl_selinux_recover(&generation, diag);
}
