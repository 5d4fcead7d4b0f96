/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SELinux backend's side of the kernel: the policy patched in memory and loaded, and labels.
 *
 * A label says which class of answers a file is of, and the loaded policy what that means. So a
 * change goes in steps: a policy that knows the old types and the new ones; then the labels; then
 * the policy of the new ruleset alone, which has a type that marks its generation. Where nothing
 * held before, the first one refuses nothing, so that what is refused begins in one step; and
 * removing ends it in one. From one ruleset to another each file is under the old or the new
 * meaning as its label is, one after the other.
 *
 * What is done is written down first (selinux_record.h). A change that was cut short is undone, or
 * where its policy holds already finished, by whatever command comes next.
 *
 * While labels change, whom the node's policy lets relabel files could do so with ruled ones too;
 * before and after it is refused that.
 */
#include "backend/selinux_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "backend/backend.h"
#include "backend/selinux_events.h"
#include "backend/selinux_look.h"
#include "backend/selinux_plan.h"
#include "backend/selinux_record.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/steps.h"

#define MARK "portcullis_generation_%" PRIu64 "_t"
#define MARK_LEN 64
/* A type that says that directories may be read for a while. */
#define LOOKING PCL_SELINUX_PREFIX "looking_t"

struct policy {
	void *data;
	size_t size;
};

static void policy_fini(struct policy *policy)
{
	free(policy->data);
}

static void record_fini(struct pcl_selinux_record *record)
{
	pcl_selinux_record_fini(record);
}

#define autopolicy struct policy pcl_cleanup(policy_fini)
#define autorecord struct pcl_selinux_record pcl_cleanup(record_fini)

/*
 * Between commands, which the engine's lock keeps apart, and a reader of events, who has none of
 * it. On selinuxfs itself, which is there whenever there is anything to be kept apart. -1 without
 * it.
 */
static void take_lock(int *ret_fd)
{
	*ret_fd = open("/sys/fs/selinux", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (*ret_fd >= 0 && flock(*ret_fd, LOCK_EX) && errno == EINTR)
		;
}

static int no_memory(struct pcl_diag *diag)
{
	return pcl_diag_set(diag, -ENOMEM, "out of memory");
}

/* --- which generation holds --------------------------------------------------------------------
 */

static bool is_loaded(uint64_t generation)
{
	char mark[MARK_LEN];

	snprintf(mark, sizeof(mark), MARK, generation);
	return pcl_selinux_type_is_loaded(mark);
}

/* Whether the policy has anything of ours. */
static bool is_ours(const struct policy *policy)
{
	return memmem(policy->data, policy->size, PCL_SELINUX_PREFIX, strlen(PCL_SELINUX_PREFIX));
}

static int load_policy(const struct policy *policy, struct pcl_diag *diag)
{
	return pcl_selinux_policy_load(policy->data, policy->size, diag);
}

static int get_policy(struct policy *policy, struct pcl_diag *diag)
{
	return pcl_selinux_policy_get(&policy->data, &policy->size, diag);
}

static int get_original(struct policy *policy, struct pcl_diag *diag)
{
	int error = pcl_selinux_original_load(&policy->data, &policy->size, diag);

	if (error == -ENOENT)
		return pcl_diag_set(
			diag, -EBADMSG,
			"selinux: what the policy was before is lost; load the node's own "
			"(semodule -B, or load_policy) and then run \"portcullis remove\"");
	return error;
}

static int patch(const struct policy *from, const struct pcl_selinux_changes *changes,
		 struct policy *to, struct pcl_diag *diag)
{
	return pcl_selinux_patch(from->data, from->size, changes, &to->data, &to->size, diag);
}

static int load_applied(struct pcl_selinux_record *record, struct pcl_diag *diag)
{
	int error = pcl_selinux_record_load(PCL_SELINUX_APPLIED, record, diag);

	return error == -ENOENT ? 0 : error;
}

/* --- changes -----------------------------------------------------------------------------------
 */

static bool has_clone(const struct pcl_selinux_changes *changes, const char *name)
{
	for (size_t i = 0; i < changes->clones_count; i++)
		if (!strcmp(changes->clones[i].name, name))
			return true;
	return false;
}

static int add_clone(struct pcl_selinux_changes *changes, const char *name, const char *base)
{
	struct pcl_selinux_clone *clone;

	if (has_clone(changes, name))
		return 0;
	if (pcl_array_grow(&changes->clones, changes->clones_count, sizeof(*clone)))
		return -ENOMEM;
	clone = &changes->clones[changes->clones_count++];
	*clone = (struct pcl_selinux_clone){
		.name = strdup(name),
		.base = base ? strdup(base) : NULL,
	};
	return clone->name && (clone->base || !base) ? 0 : -ENOMEM;
}

/* All but the marks of generations. */
static int add_clones(struct pcl_selinux_changes *changes, const struct pcl_selinux_changes *from)
{
	for (size_t i = 0; i < from->clones_count; i++)
		if (from->clones[i].base && !has_clone(changes, from->clones[i].name)) {
			if (add_clone(changes, from->clones[i].name, from->clones[i].base))
				return -ENOMEM;
			changes->clones[changes->clones_count - 1].plain = from->clones[i].plain;
		}
	return 0;
}

static int add_words(char ***to, size_t *to_count, char *const *from, size_t count,
		     const char *without)
{
	for (size_t i = 0; i < count; i++)
		if ((!without || strcmp(from[i], without) != 0) &&
		    pcl_strings_add(to, to_count, from[i]))
			return -ENOMEM;
	return 0;
}

static int copy_refuse(const struct pcl_selinux_refuse *from, struct pcl_selinux_refuse *to,
		       const struct pcl_selinux_changes *of)
{
	to->class_name = strdup(from->class_name);
	to->others = from->others;
	if (!to->class_name ||
	    add_words(&to->permissions, &to->permissions_count, from->permissions,
		      from->permissions_count, "relabelfrom") ||
	    add_words(&to->sources, &to->sources_count, from->sources, from->sources_count, NULL))
		return -ENOMEM;
	for (size_t i = 0; i < from->targets_count; i++)
		if ((!of || has_clone(of, from->targets[i])) &&
		    pcl_strings_add(&to->targets, &to->targets_count, from->targets[i]))
			return -ENOMEM;
	return 0;
}

static bool has_enter(const struct pcl_selinux_changes *changes,
		      const struct pcl_selinux_enter *enter)
{
	for (size_t i = 0; i < changes->enters_count; i++)
		if (!strcmp(changes->enters[i].target, enter->target) &&
		    !strcmp(changes->enters[i].source, enter->source) &&
		    !strcmp(changes->enters[i].class_name, enter->class_name))
			return true;
	return false;
}

/* Types that mean something else have other names, so both may hold at once. */
static int add_enters(struct pcl_selinux_changes *changes, const struct pcl_selinux_changes *from)
{
	for (size_t i = 0; i < from->enters_count; i++) {
		const struct pcl_selinux_enter *old = &from->enters[i];
		struct pcl_selinux_enter *enter;

		if (has_enter(changes, old))
			continue;
		if (pcl_array_grow(&changes->enters, changes->enters_count, sizeof(*enter)))
			return -ENOMEM;
		enter = &changes->enters[changes->enters_count++];
		*enter = (struct pcl_selinux_enter){strdup(old->source), strdup(old->target),
						    strdup(old->class_name), strdup(old->result)};
		if (!enter->source || !enter->target || !enter->class_name || !enter->result)
			return -ENOMEM;
	}
	return 0;
}

/* One more of a kind does no harm. */
static int add_leaves(struct pcl_selinux_changes *changes, const struct pcl_selinux_changes *from)
{
	for (size_t i = 0; i < from->leaves_count; i++) {
		struct pcl_selinux_leave *leave;

		if (pcl_array_grow(&changes->leaves, changes->leaves_count, sizeof(*leave)))
			return -ENOMEM;
		leave = &changes->leaves[changes->leaves_count++];
		*leave = (struct pcl_selinux_leave){strdup(from->leaves[i].source),
						    strdup(from->leaves[i].result)};
		if (!leave->source || !leave->result)
			return -ENOMEM;
	}
	for (size_t i = 0; i < from->runs_count; i++)
		if (pcl_strings_add(&changes->runs, &changes->runs_count, from->runs[i]))
			return -ENOMEM;
	return 0;
}

/* Without relabelling, and where of is not NULL, of its clones only. */
static int add_refuses(struct pcl_selinux_changes *changes, const struct pcl_selinux_changes *from,
		       const struct pcl_selinux_changes *of)
{
	for (size_t i = 0; i < from->refuses_count; i++) {
		struct pcl_selinux_refuse *refuse;

		if (pcl_array_grow(&changes->refuses, changes->refuses_count, sizeof(*refuse)))
			return -ENOMEM;
		refuse = &changes->refuses[changes->refuses_count++];
		*refuse = (struct pcl_selinux_refuse){0};
		if (copy_refuse(&from->refuses[i], refuse, of))
			return -ENOMEM;
		/* None left means all targets to a patch, and here that nothing is to be done. */
		if (!refuse->permissions_count || (of && !refuse->targets_count))
			pcl_selinux_refuse_fini(&changes->refuses[--changes->refuses_count]);
	}
	return 0;
}

/*
 * What holds while labels change: all types and what is entered by them, old refusals, and new ones
 * of files where there are old ones, so that a file is never without either.
 */
static int between(const struct pcl_selinux_record *old, const struct pcl_selinux_record *new,
		   struct pcl_selinux_changes *ret_changes)
{
	if (add_clones(ret_changes, &old->changes) || add_clones(ret_changes, &new->changes) ||
	    add_enters(ret_changes, &old->changes) || add_enters(ret_changes, &new->changes) ||
	    add_leaves(ret_changes, &old->changes) || add_leaves(ret_changes, &new->changes) ||
	    add_refuses(ret_changes, &old->changes, NULL))
		return -ENOMEM;
	return old->generation ? add_refuses(ret_changes, &new->changes, &new->changes) : 0;
}

/* --- domains -----------------------------------------------------------------------------------
 *
 * KERNEL: a process whose type the policy does not have any more is refused nearly everything, and
 * no process can be given another type from outside. So a type of ours that some process has stays
 * until the process ends or executes something, as a clone that nothing is refused to.
 */

struct keeping {
	struct pcl_selinux_changes *changes;
	bool any; /* something was added */
};

static int keep_type(const char *type, void *context)
{
	struct keeping *keeping = context;
	const char *base = pcl_selinux_base(type);

	if (base == type || has_clone(keeping->changes, type))
		return 0;
	keeping->any = true;
	return add_clone(keeping->changes, type, base);
}

/* Types that processes have. ret_any: whether changes had not all of them. */
static int keep_types(struct pcl_selinux_changes *changes, bool *ret_any, struct pcl_diag *diag)
{
	struct keeping keeping = {changes, false};
	int error = pcl_selinux_processes(keep_type, &keeping);

	if (error)
		return pcl_diag_errno(diag, error, "selinux: cannot look at processes");
	*ret_any = keeping.any;
	return 0;
}

/* The policy that was there before, with what processes need of ours, and what kept has already. */
static int load_original(const struct policy *original, struct pcl_selinux_changes *kept,
			 bool *ret_kept, struct pcl_diag *diag)
{
	autopolicy policy = {0};
	int error = keep_types(kept, ret_kept, diag);

	if (error)
		return error;
	*ret_kept = kept->clones_count;
	if (!*ret_kept)
		return load_policy(original, diag);
	error = patch(original, kept, &policy, diag);
	return error ? error : load_policy(&policy, diag);
}

/* --- labels ------------------------------------------------------------------------------------
 */

/* 0, and for a file that is gone, which needs none; -EROFS without diag; else told in diag. */
static int try_label(const char *path, const char *context, struct pcl_diag *diag)
{
	int error = pcl_fault_fails("selinux: a label is given", diag);

	if (error)
		return error;
	error = pcl_selinux_label_set(path, context);
	if (error == -ENOENT || error == -ENOTDIR)
		return 0;
	return error && error != -EROFS
		       ? pcl_diag_errno(diag, error, "selinux: cannot give %s the label %s", path,
					context)
		       : error;
}

/* A name below a read-only mount may have got it by another name. */
static int set_label(const char *path, const char *context, struct pcl_diag *diag)
{
	int error = try_label(path, context, diag);
	pcl_autofree char *present = error == -EROFS ? pcl_selinux_label_get(path) : NULL;

	if (error != -EROFS || (present && !strcmp(present, context)))
		return error == -EROFS ? 0 : error;
	return pcl_diag_errno(diag, error,
			      "selinux: cannot give %s the label %s, mount it for writing", path,
			      context);
}

static int set_labels(const struct pcl_selinux_record *record, struct pcl_diag *diag)
{
	bool later = false;
	int error = 0;

	for (size_t i = 0; i < record->label_count; i++) {
		error = try_label(record->labels[i].path, record->labels[i].after, diag);
		if (error && error != -EROFS)
			return error;
		later |= error == -EROFS;
		pcl_fault_point("selinux: a label is changed");
	}
	error = 0;
	for (size_t i = 0; later && !error && i < record->label_count; i++)
		error = set_label(record->labels[i].path, record->labels[i].after, diag);
	return error;
}

/* Of those files that have got theirs. */
static int undo_labels(const struct pcl_selinux_record *record, struct pcl_diag *diag)
{
	for (size_t i = record->label_count; i-- > 0;) {
		const struct pcl_selinux_label *label = &record->labels[i];
		pcl_autofree char *present = pcl_selinux_label_get(label->path);
		int error = 0;

		if (present && !strcmp(present, label->after))
			error = set_label(label->path, label->before, diag);
		if (error)
			return error;
	}
	return 0;
}

/* Of a file that cannot be given another; one from some other node's policy means nothing here. */
static int keep_file_type(const char *type, struct pcl_selinux_changes *changes)
{
	const char *base = pcl_selinux_base(type);

	return pcl_selinux_type_is_loaded(base) ? add_clone(changes, type, base) : 0;
}

struct restoring {
	struct pcl_selinux_changes kept; /* types of files that are on a read-only file system */
	struct pcl_diag *diag;
};

static void restoring_fini(struct restoring *restoring)
{
	pcl_selinux_changes_fini(&restoring->kept);
}

static int restore_label(const char *path, void *context)
{
	struct restoring *restoring = context;
	pcl_autofree char *present = pcl_selinux_label_get(path);
	size_t len = 0;
	const char *type = present ? pcl_selinux_type_in(present, &len) : NULL;
	pcl_autofree char *name = type ? strndup(type, len) : NULL;
	pcl_autofree char *before = NULL;
	int error;

	if (!type || strncmp(type, PCL_SELINUX_PREFIX, strlen(PCL_SELINUX_PREFIX)) != 0)
		return 0;
	if (name)
		before = pcl_selinux_with_type(present, pcl_selinux_base(name));
	if (!before)
		return -ENOMEM;
	error = try_label(path, before, restoring->diag);
	return error == -EROFS ? keep_file_type(name, &restoring->kept) : error;
}

/* --- remove ------------------------------------------------------------------------------------
 */

/* All types stay until no file has them, and none of them means anything any more. */
static int free_all(const struct pcl_selinux_record *applied, const struct policy *loaded,
		    const struct policy *original, struct pcl_diag *diag)
{
	struct pcl_selinux_changes clones pcl_cleanup(pcl_selinux_changes_fini) = {0};
	autopolicy policy = {0};
	int error;

	/* Where nothing was cut short, what has been written down is what is loaded. */
	if (applied->generation && is_loaded(applied->generation))
		error = add_clones(&clones, &applied->changes) ? no_memory(diag) : 0;
	else
		error = pcl_selinux_clones_of(loaded->data, loaded->size, &clones, diag);
	if (!error)
		error = patch(original, &clones, &policy, diag);
	pcl_steps_end("selinux: the policy of types alone is patched");
	return error ? error : load_policy(&policy, diag);
}

/* The policy of before is wanted as long as something of ours is in the one that is loaded. */
static void forget(bool kept)
{
	pcl_selinux_record_delete(PCL_SELINUX_NEXT);
	pcl_selinux_record_delete(PCL_SELINUX_APPLIED);
	if (!kept)
		pcl_selinux_records_delete();
}

static int remove_all(struct pcl_diag *diag)
{
	autopolicy loaded = {0}, original = {0};
	struct restoring restoring pcl_cleanup(restoring_fini) = {.diag = diag};
	autorecord applied = {0};
	bool ours, kept = false;
	int error;

	if (pcl_selinux_mode_read() < PCL_SELINUX_PERMISSIVE)
		return 0;
	error = get_policy(&loaded, pcl_selinux_records_exist() ? diag : NULL);
	/* Whoever may not read the policy has never loaded one. */
	if (error && !pcl_selinux_records_exist())
		return 0;
	ours = !error && is_ours(&loaded);
	if (error || (!ours && !pcl_selinux_records_exist()))
		return error;
	if (ours)
		error = get_original(&original, diag);
	/* A record that cannot be read is none. */
	if (!error && ours && load_applied(&applied, NULL))
		pcl_selinux_record_fini(&applied);
	pcl_steps_end("selinux: the policy is read");
	if (!error && ours)
		error = free_all(&applied, &loaded, &original, diag);
	pcl_fault_point("selinux: nothing is refused");
	if (!error)
		pcl_selinux_record_delete(PCL_SELINUX_APPLIED);
	if (!error)
		error = pcl_selinux_walk(restore_label, &restoring, diag);
	pcl_fault_point("selinux: labels are back");
	if (!error && ours)
		error = load_original(&original, &restoring.kept, &kept, diag);
	pcl_fault_point("selinux: the policy is back");
	if (error)
		return error;
	pcl_selinux_events_forget();
	forget(kept);
	return 0;
}

/* --- a change that was cut short ---------------------------------------------------------------
 */

/*
 * Somebody loaded another policy, in which ours is not: put on top of that one, which is the node's
 * from now on. Files kept their labels, which mean something again.
 */
static int put_on_top(const struct policy *theirs, const struct pcl_selinux_record *applied,
		      struct pcl_diag *diag)
{
	autopolicy policy = {0};
	int error = patch(theirs, &applied->changes, &policy, diag);

	if (!error)
		error = pcl_selinux_original_save(theirs->data, theirs->size, diag);
	pcl_fault_point("selinux: another policy is kept");
	if (!error)
		error = load_policy(&policy, diag);
	return error ? pcl_diag_context(diag, error,
					"another policy was loaded, and ours cannot be put on top")
		     : 0;
}

/* What a policy of ours was made from, in the place of that one; and what was applied on it. */
static int put_back(struct pcl_selinux_record *applied, bool *ret_kept, struct pcl_diag *diag)
{
	struct pcl_selinux_changes kept pcl_cleanup(pcl_selinux_changes_fini) = {0};
	autopolicy original = {0}, policy = {0};
	int error = get_original(&original, diag);

	if (!error && !applied->generation)
		return load_original(&original, &kept, ret_kept, diag);
	if (!error)
		error = keep_types(&applied->changes, ret_kept, diag);
	if (!error && *ret_kept)
		error = pcl_selinux_record_save(PCL_SELINUX_APPLIED, applied, diag);
	if (!error)
		error = patch(&original, &applied->changes, &policy, diag);
	return error ? error : load_policy(&policy, diag);
}

/* Back to what was applied, labels first: until then the policy has the types of both. */
static int undo(const struct pcl_selinux_record *next, struct pcl_diag *diag)
{
	autorecord applied = {0};
	autopolicy loaded = {0};
	bool kept = false;
	int error = load_applied(&applied, diag);

	if (!error)
		error = undo_labels(next, diag);
	if (!error)
		error = get_policy(&loaded, diag);
	if (!error && is_ours(&loaded))
		error = put_back(&applied, &kept, diag);
	else if (!error && applied.generation)
		error = put_on_top(&loaded, &applied, diag);
	if (error)
		return error;
	if (!applied.generation)
		forget(kept);
	pcl_selinux_record_delete(PCL_SELINUX_NEXT);
	return 0;
}

static int recover(struct pcl_diag *diag)
{
	autorecord next = {0};
	int error = pcl_selinux_record_load(PCL_SELINUX_NEXT, &next, diag);

	if (error)
		return error == -ENOENT ? 0 : error;
	return is_loaded(next.generation) ? pcl_selinux_record_keep(diag) : undo(&next, diag);
}

/* Whether it is that directories are read, of which a plan makes a constraint of its own. */
static bool is_listing(const struct pcl_selinux_refuse *refuse)
{
	return !strcmp(refuse->class_name, "dir") && refuse->permissions_count == 1 &&
	       !strcmp(refuse->permissions[0], "read");
}

/*
 * Rules that keep directories from being read keep us from seeing what lies there, so for the time
 * of looking they do not, all else goes on.
 */
static int let_look(const struct pcl_selinux_record *applied, const struct policy *original,
		    struct pcl_diag *diag)
{
	struct pcl_selinux_changes changes = applied->changes;
	pcl_autofree struct pcl_selinux_clone *clones = NULL;
	pcl_autofree struct pcl_selinux_refuse *refuses = NULL;
	autopolicy policy = {0};
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
	error = patch(original, &changes, &policy, diag);
	return error ? error : load_policy(&policy, diag);
}

/* No process is where it was not before: nothing else was loaded meanwhile. */
static int end_look(const struct pcl_selinux_record *applied, const struct policy *original,
		    struct pcl_diag *diag)
{
	autopolicy policy = {0};
	int error = patch(original, &applied->changes, &policy, diag);

	return error ? error : load_policy(&policy, diag);
}

/* What was killed in the midst of looking has left that. */
static int repair_look(const struct pcl_selinux_record *applied, struct pcl_diag *diag)
{
	autopolicy original = {0};
	int error;

	if (!pcl_selinux_type_is_loaded(LOOKING))
		return 0;
	error = get_original(&original, diag);
	return error ? error : end_look(applied, &original, diag);
}

/* ret_generation: what is applied then. */
static int repair(uint64_t *ret_generation, struct pcl_diag *diag)
{
	autorecord applied = {0};
	autopolicy loaded = {0};
	int error = recover(diag);

	if (!error)
		error = load_applied(&applied, diag);
	if (!error)
		error = repair_look(&applied, diag);
	if (!error && applied.generation && !is_loaded(applied.generation)) {
		error = get_policy(&loaded, diag);
		/* Types of ours without the mark: a removal was cut short. */
		if (!error && is_ours(&loaded)) {
			applied.generation = 0;
			error = remove_all(diag);
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

	take_lock(&lock);
	return repair(&generation, diag);
}

/* --- the node ----------------------------------------------------------------------------------
 */

static int check_mode(struct pcl_diag *diag)
{
	switch (pcl_selinux_mode_read()) {
	case PCL_SELINUX_ABSENT:
		return pcl_diag_set(
			diag, -EOPNOTSUPP,
			"selinux: selinuxfs is not mounted (mount -t selinuxfs selinuxfs "
			"/sys/fs/selinux)");
	case PCL_SELINUX_EMPTY:
		return pcl_diag_set(diag, -EOPNOTSUPP,
				    "selinux: SELinux has no policy loaded, so it refuses nothing");
	case PCL_SELINUX_PERMISSIVE:
		return pcl_diag_set(
			diag, -EOPNOTSUPP,
			"selinux: SELinux is permissive: it tells of what it would refuse, "
			"and refuses nothing (setenforce 1)");
	case PCL_SELINUX_ENFORCING:
		break;
	}
	return 0;
}

/* The policy is asked, since half of it is worse than none. */
static int check_rights(struct pcl_diag *diag)
{
	static const char *const labels[] = {"relabelfrom", "relabelto"};
	pcl_autofree char *security = pcl_selinux_initial_context("security");
	pcl_autofree char *file = pcl_selinux_label_get("/etc");
	int error;

	if (!security || !file)
		return pcl_diag_set(
			diag, -EOPNOTSUPP,
			"selinux: the loaded policy has no context for /etc or for itself");
	error = pcl_selinux_may(security, "security", "load_policy", diag);
	if (!error)
		error = pcl_selinux_may(security, "security", "read_policy", diag);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(labels) && !error; i++)
		error = pcl_selinux_may(file, "file", labels[i], diag);
	return error;
}

static int probe(const struct pcl_node *node, struct pcl_diag *diag)
{
	autopolicy policy = {0};
	int error;

	if (!node->lsms_known)
		return pcl_diag_set(diag, -EOPNOTSUPP,
				    "selinux: cannot read %s, is securityfs mounted? (mount -t "
				    "securityfs securityfs /sys/kernel/security)",
				    PCL_SECURITYFS_LSM);
	if (!pcl_node_has_lsm(node, "selinux"))
		return pcl_diag_set(
			diag, -EOPNOTSUPP,
			"selinux: SELinux is not among the active LSMs; boot with selinux "
			"added to lsm= on the kernel command line");
	if (!node->privileged)
		return pcl_diag_set(diag, -EOPNOTSUPP, "selinux: this needs root");
	error = check_mode(diag);
	if (!error)
		error = check_rights(diag);
	if (!error)
		error = get_policy(&policy, diag);
	if (!error)
		error = pcl_selinux_policy_check(policy.data, policy.size, diag);
	return error && error != -ENOMEM ? -EOPNOTSUPP : error;
}

static char *describe(void)
{
	char *text;

	return asprintf(&text, "policies up to version %u", pcl_selinux_policy_newest()) < 0 ? NULL
											     : text;
}

/* Plans depend on the policy, which is asked by itself. */
static unsigned kernel(void)
{
	return 0;
}

static int live(struct pcl_backend_live *ret_live, struct pcl_diag *diag)
{
	pcl_autoclose int lock = -1;
	uint64_t generation = 0;
	int error = 0;

	take_lock(&lock);
	if (pcl_selinux_records_exist() && pcl_selinux_mode_read() >= PCL_SELINUX_PERMISSIVE)
		error = repair(&generation, diag);
	if (error)
		return error;
	/* Somebody has switched it off since, and it must not be taken for enforced. */
	if (generation && pcl_selinux_mode_read() != PCL_SELINUX_ENFORCING)
		return pcl_diag_set(diag, -EOPNOTSUPP,
				    "selinux: generation %" PRIu64
				    " is applied, but SELinux is permissive now and refuses "
				    "nothing (setenforce 1, or portcullis remove)",
				    generation);
	*ret_live = (struct pcl_backend_live){.generation = generation};
	if (generation)
		pcl_selinux_events_tally(&ret_live->alerts);
	return 0;
}

/* A file that is gone is nobody's to use. */
static bool has_escaped(const struct pcl_selinux_place *place)
{
	pcl_autofree char *context = pcl_selinux_label_get(place->path);
	size_t len = 0;
	const char *type = context ? pcl_selinux_type_in(context, &len) : NULL;

	return type && (strlen(place->type) != len || strncmp(type, place->type, len) != 0);
}

static int escaped(size_t *ret_count, char **ret_name, struct pcl_diag *diag)
{
	pcl_autoclose int lock = -1;
	autorecord applied = {0};
	int error;

	*ret_count = 0;
	*ret_name = NULL;
	take_lock(&lock);
	error = load_applied(&applied, diag);
	for (size_t i = 0; !error && i < applied.place_count; i++) {
		if (!has_escaped(&applied.places[i]))
			continue;
		if (!(*ret_count)++)
			*ret_name = strdup(applied.places[i].path);
	}
	return error;
}

/* --- apply -------------------------------------------------------------------------------------
 */

/* Where what has a clone's label is. */
static int add_place(const struct pcl_selinux_entry *entry, const char *context,
		     struct pcl_selinux_record *record)
{
	size_t len = 0;
	const char *type = context ? pcl_selinux_type_in(context, &len) : NULL;
	pcl_autofree char *copy = NULL;

	if (!type || strncmp(type, PCL_SELINUX_PREFIX, strlen(PCL_SELINUX_PREFIX)) != 0)
		return 0;
	copy = strndup(type, len);
	if (!copy)
		return -ENOMEM;
	return pcl_selinux_record_add_place(record, &(struct pcl_selinux_place){
							    .path = entry->path,
							    .type = copy,
							    .inode = entry->inode,
							    .directory = entry->kind == 'd',
						    });
}

/* Clones' files, and for each label that changes, what it was. */
static int fill_record(const struct pcl_selinux_plan *plan, const struct pcl_selinux_view *view,
		       struct pcl_selinux_record *record)
{
	size_t next = 0;

	for (size_t i = 0; i < plan->relabel_count; i++)
		if (pcl_selinux_record_add_label(record, plan->relabels[i].path,
						 plan->relabels[i].before, plan->relabels[i].after))
			return -ENOMEM;
	for (size_t i = 0; i < plan->source_count; i++)
		if (pcl_selinux_record_add_mark(record, plan->sources[i].name,
						plan->sources[i].path))
			return -ENOMEM;
	for (size_t i = 0; i < view->entry_count; i++) {
		const struct pcl_selinux_entry *entry = &view->entries[i];
		const char *context = entry->context;

		/* Both are in the order of the view. */
		if (next < plan->relabel_count && plan->relabels[next].path == entry->path)
			context = plan->relabels[next++].after;
		if (add_place(entry, context, record))
			return -ENOMEM;
	}
	return 0;
}

/* What stays has a type that the policy must go on to know, whatever it means now. */
static int add_stays(const struct pcl_selinux_view *view, struct pcl_selinux_changes *changes)
{
	for (size_t i = 0; i < view->entry_count; i++) {
		const struct pcl_selinux_entry *entry = &view->entries[i];
		size_t len = 0;
		const char *type = entry->stays ? pcl_selinux_type_in(entry->context, &len) : NULL;
		pcl_autofree char *name = type ? strndup(type, len) : NULL;

		if (type && (!name || keep_file_type(name, changes)))
			return -ENOMEM;
	}
	return 0;
}

static int look(const struct pcl_backend_input *input, const struct policy *original,
		const struct pcl_selinux_record *applied, struct pcl_selinux_view **ret_view,
		struct pcl_diag *diag)
{
	int error = pcl_selinux_look(input, original->data, original->size, ret_view,
				     applied->generation ? NULL : diag);

	if (!error || !applied->generation)
		return error;
	error = let_look(applied, original, diag);
	pcl_fault_point("selinux: directories may be read");
	if (!error)
		error = pcl_selinux_look(input, original->data, original->size, ret_view, diag);
	if (!error) {
		error = end_look(applied, original, diag);
		pcl_steps_end("selinux: directories are closed again");
		return error;
	}
	(void)end_look(applied, original, NULL);
	return error;
}

/* What is to be, from the files as they are and the node's own policy. */
static int make_next(const struct pcl_backend_input *input, const struct policy *original,
		     const struct pcl_selinux_record *applied, struct pcl_selinux_record *next,
		     struct pcl_diag *diag)
{
	pcl_cleanup(pcl_selinux_view_free) struct pcl_selinux_view *view = NULL;
	pcl_cleanup(pcl_selinux_plan_free) struct pcl_selinux_plan *plan = NULL;
	char mark[MARK_LEN];
	int error = look(input, original, applied, &view, diag);

	if (!error)
		error = pcl_selinux_plan(input, view, &plan, diag);
	pcl_steps_end("selinux: the plan is made");
	if (error)
		return error;
	next->generation = input->generation;
	if (fill_record(plan, view, next))
		return no_memory(diag);
	snprintf(mark, sizeof(mark), MARK, input->generation);
	if (add_stays(view, &plan->changes) || add_clone(&plan->changes, mark, NULL))
		return no_memory(diag);
	next->changes = plan->changes;
	plan->changes = (struct pcl_selinux_changes){0};
	pcl_steps_end("selinux: changes of labels are listed");
	return 0;
}

/* The two policies of a change. */
struct steps {
	struct policy between;
	struct policy after;
};

static void steps_fini(struct steps *steps)
{
	policy_fini(&steps->between);
	policy_fini(&steps->after);
}

static int make_steps(const struct policy *original, const struct pcl_selinux_record *applied,
		      const struct pcl_selinux_record *next, struct steps *steps,
		      struct pcl_diag *diag)
{
	struct pcl_selinux_changes both pcl_cleanup(pcl_selinux_changes_fini) = {0};
	int error;

	if (between(applied, next, &both))
		return no_memory(diag);
	error = patch(original, &both, &steps->between, diag);
	pcl_steps_end("selinux: the policy of old and new types is patched");
	if (!error)
		error = patch(original, &next->changes, &steps->after, diag);
	pcl_steps_end("selinux: the policy of the new rules is patched");
	return error;
}

/*
 * Files are labelled for the new ruleset, so nobody enters a domain of the old one alone any more;
 * who is in one gets a policy that knows it.
 */
static int keep_old_types(const struct policy *original, struct pcl_selinux_record *next,
			  struct policy *after, struct pcl_diag *diag)
{
	autopolicy longer = {0};
	bool any = false;
	int error = keep_types(&next->changes, &any, diag);

	if (error || !any)
		return error;
	error = patch(original, &next->changes, &longer, diag);
	if (!error)
		error = pcl_selinux_record_save(PCL_SELINUX_NEXT, next, diag);
	if (error)
		return error;
	policy_fini(after);
	*after = longer;
	longer = (struct policy){0};
	return 0;
}

static int take_steps(const struct policy *original, struct steps *steps,
		      struct pcl_selinux_record *next, struct pcl_diag *diag)
{
	int error = load_policy(&steps->between, diag);

	pcl_fault_point("selinux: types are there");
	if (!error)
		error = set_labels(next, diag);
	pcl_fault_point("selinux: labels are there");
	if (!error)
		error = keep_old_types(original, next, &steps->after, diag);
	pcl_steps_end("selinux: processes are looked at");
	if (!error)
		error = load_policy(&steps->after, diag);
	pcl_fault_point("selinux: rules are live");
	return error;
}

/* ret_kept: something of ours is in the loaded one, though nothing is applied. */
static int find_original(const struct pcl_selinux_record *applied, struct policy *original,
			 bool *ret_kept, struct pcl_diag *diag)
{
	int error;

	if (applied->generation)
		return get_original(original, diag);
	error = get_policy(original, diag);
	if (!error && is_ours(original)) {
		*ret_kept = true;
		policy_fini(original);
		*original = (struct policy){0};
		return get_original(original, diag);
	}
	return error ? error : pcl_selinux_original_save(original->data, original->size, diag);
}

static int apply(const struct pcl_backend_input *input, struct pcl_diag *diag)
{
	autorecord applied = {0}, next = {0};
	struct steps steps pcl_cleanup(steps_fini) = {0};
	autopolicy original = {0};
	pcl_autoclose int lock = -1;
	uint64_t generation;
	bool kept = false;
	int error;

	take_lock(&lock);
	error = repair(&generation, diag);
	pcl_steps_end("selinux: what was cut short is put right");
	if (!error)
		error = load_applied(&applied, diag);
	if (!error)
		error = find_original(&applied, &original, &kept, diag);
	pcl_steps_end("selinux: the policy is read");
	if (!error)
		error = make_next(input, &original, &applied, &next, diag);
	if (!error)
		error = make_steps(&original, &applied, &next, &steps, diag);
	if (!error)
		error = pcl_selinux_record_save(PCL_SELINUX_NEXT, &next, diag);
	if (error) {
		if (!applied.generation)
			forget(kept);
		return error;
	}
	if (!applied.generation)
		pcl_selinux_events_begin();
	pcl_fault_point("selinux: a change is written down");
	error = take_steps(&original, &steps, &next, diag);
	if (error) {
		/* Why it failed is what is told; what could not be undone now, the next command
		 * will. */
		(void)undo(&next, NULL);
		return error;
	}
	return pcl_selinux_record_keep(diag);
}

static int remove_live(struct pcl_diag *diag)
{
	pcl_autoclose int lock = -1;

	take_lock(&lock);
	return remove_all(diag);
}

/* --- events ------------------------------------------------------------------------------------
 */

static int read_events(int timeout_ms, pcl_event_fn fn, void *context, struct pcl_diag *diag)
{
	autorecord applied = {0};
	int error = load_applied(&applied, diag);

	if (error || !applied.generation)
		return error;
	return pcl_selinux_events_read(&applied, timeout_ms, fn, context, diag);
}

const struct pcl_backend pcl_backend_selinux = {
	.name = "selinux",
	.enforcer = "SELinux",
	.probe = probe,
	.describe = describe,
	.kernels = pcl_selinux_kernel_names,
	.kernel = kernel,
	.status = pcl_selinux_status,
	.guard = pcl_selinux_guard,
	.apply = apply,
	.remove = remove_live,
	.live = live,
	.escaped = escaped,
	.events = read_events,
};
