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
 * where its policy holds already finished, by whatever command comes next (selinux_recover.h).
 *
 * While labels change, whom the node's policy lets relabel files could do so with ruled ones too;
 * before and after it is refused that.
 */
#include "backend/selinux_fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "backend/selinux_between.h"
#include "backend/selinux_coming.h"
#include "backend/selinux_events.h"
#include "backend/selinux_labels.h"
#include "backend/selinux_live.h"
#include "backend/selinux_look.h"
#include "backend/selinux_plan.h"
#include "backend/selinux_recover.h"
#include "backend/selinux_watch.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/steps.h"

static int no_memory(struct pcl_diag *diag)
{
	return pcl_diag_set(diag, -ENOMEM, "out of memory");
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
	pcl_selinux_autobinary policy = {0};
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
		error = pcl_selinux_binary_get(&policy, diag);
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

	pcl_selinux_lock(&lock);
	if (pcl_selinux_records_exist() && pcl_selinux_mode_read() >= PCL_SELINUX_PERMISSIVE)
		error = pcl_selinux_recover(&generation, diag);
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

static int escaped(size_t *ret_count, char **ret_name, struct pcl_diag *diag)
{
	pcl_autoclose int lock = -1;
	pcl_selinux_autorecord applied = {0};
	int error;

	*ret_count = 0;
	*ret_name = NULL;
	pcl_selinux_lock(&lock);
	error = pcl_selinux_applied_load(&applied, diag);
	for (size_t i = 0; !error && i < applied.place_count; i++) {
		if (!pcl_selinux_has_escaped(&applied.places[i]))
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
							    .link = entry->kind == 'l',
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

		if (type && (!name || pcl_selinux_file_type_keep(name, changes)))
			return -ENOMEM;
	}
	return 0;
}

static int look(const struct pcl_backend_input *input, const struct pcl_selinux_binary *original,
		struct pcl_selinux_policy *policy, const struct pcl_selinux_record *applied,
		struct pcl_selinux_view **ret_view, struct pcl_diag *diag)
{
	int error = pcl_selinux_look(input, policy, ret_view, applied->generation ? NULL : diag);

	if (!error || !applied->generation)
		return error;
	error = pcl_selinux_look_begin(applied, original, diag);
	pcl_fault_point("selinux: directories may be read");
	if (!error)
		error = pcl_selinux_look(input, policy, ret_view, diag);
	if (!error) {
		error = pcl_selinux_look_end(applied, original, diag);
		pcl_steps_end("selinux: directories are closed again");
		return error;
	}
	(void)pcl_selinux_look_end(applied, original, NULL);
	return error;
}

/* What is to be, from the files as they are and the node's own policy. */
static int make_next(const struct pcl_backend_input *input,
		     const struct pcl_selinux_binary *original, struct pcl_selinux_policy *policy,
		     const struct pcl_selinux_record *applied, struct pcl_selinux_record *next,
		     struct pcl_diag *diag)
{
	pcl_cleanup(pcl_selinux_view_free) struct pcl_selinux_view *view = NULL;
	pcl_cleanup(pcl_selinux_plan_free) struct pcl_selinux_plan *plan = NULL;
	char mark[PCL_SELINUX_MARK_LEN];
	int error = look(input, original, policy, applied, &view, diag);

	if (!error)
		error = pcl_selinux_plan(input, view, &plan, diag);
	pcl_steps_end("selinux: the plan is made");
	if (error)
		return error;
	next->generation = input->generation;
	if (fill_record(plan, view, next) || pcl_selinux_find_comings(input, view, next))
		return no_memory(diag);
	snprintf(mark, sizeof(mark), PCL_SELINUX_MARK, input->generation);
	if (add_stays(view, &plan->changes) || pcl_selinux_clone_add(&plan->changes, mark, NULL))
		return no_memory(diag);
	next->changes = plan->changes;
	plan->changes = (struct pcl_selinux_changes){0};
	pcl_steps_end("selinux: changes of labels are listed");
	return 0;
}

/* The two policies of a change. */
struct steps {
	struct pcl_selinux_binary between;
	struct pcl_selinux_binary after;
};

static void steps_fini(struct steps *steps)
{
	pcl_selinux_binary_fini(&steps->between);
	pcl_selinux_binary_fini(&steps->after);
}

/* Where nothing holds, what comes first is what the policy of the rules has before they mean
 * anything. */
static int make_first(struct pcl_selinux_policy *policy, const struct pcl_selinux_record *next,
		      struct steps *steps, struct pcl_diag *diag)
{
	int error = pcl_selinux_policy_patch(policy, &next->changes, &steps->between, &steps->after,
					     diag);

	pcl_steps_end("selinux: both policies are patched");
	return error;
}

/* policy is original, read; it is used up. */
static int make_steps(const struct pcl_selinux_binary *original, struct pcl_selinux_policy *policy,
		      const struct pcl_selinux_record *applied,
		      const struct pcl_selinux_record *next, struct steps *steps,
		      struct pcl_diag *diag)
{
	struct pcl_selinux_changes both pcl_cleanup(pcl_selinux_changes_fini) = {0};
	int error;

	if (!applied->generation)
		return make_first(policy, next, steps, diag);
	if (pcl_selinux_between(applied, next, &both))
		return no_memory(diag);
	error = pcl_selinux_policy_patch(policy, &next->changes, NULL, &steps->after, diag);
	pcl_steps_end("selinux: the policy of the new rules is patched");
	if (!error)
		error = pcl_selinux_binary_patch(original, &both, &steps->between, diag);
	pcl_steps_end("selinux: the policy of old and new types is patched");
	return error;
}

/*
 * Files are labelled for the new ruleset, so nobody enters a domain of the old one alone any more;
 * who is in one gets a policy that knows it.
 */
static int keep_old_types(const struct pcl_selinux_binary *original,
			  struct pcl_selinux_record *next, struct pcl_selinux_binary *after,
			  struct pcl_diag *diag)
{
	pcl_selinux_autobinary longer = {0};
	bool any = false;
	int error = pcl_selinux_types_keep(&next->changes, &any, diag);

	if (error || !any)
		return error;
	error = pcl_selinux_binary_patch(original, &next->changes, &longer, diag);
	if (!error)
		error = pcl_selinux_record_save(PCL_SELINUX_NEXT, next, diag);
	if (error)
		return error;
	pcl_selinux_binary_fini(after);
	*after = longer;
	longer = (struct pcl_selinux_binary){0};
	return 0;
}

static int take_steps(const struct pcl_selinux_binary *original, struct steps *steps,
		      struct pcl_selinux_record *next, struct pcl_diag *diag)
{
	int error = pcl_selinux_binary_load(&steps->between, diag);

	pcl_fault_point("selinux: types are there");
	if (!error)
		error = pcl_selinux_labels_set(next, diag);
	pcl_fault_point("selinux: labels are there");
	if (!error)
		error = keep_old_types(original, next, &steps->after, diag);
	pcl_steps_end("selinux: processes are looked at");
	if (!error)
		error = pcl_selinux_binary_load(&steps->after, diag);
	pcl_fault_point("selinux: rules are live");
	return error;
}

/* ret_kept: something of ours is in the loaded one, though nothing is applied. */
static int find_original(const struct pcl_selinux_record *applied,
			 struct pcl_selinux_binary *original, bool *ret_kept, struct pcl_diag *diag)
{
	int error;

	if (applied->generation)
		return pcl_selinux_original_get(original, diag);
	error = pcl_selinux_binary_get(original, diag);
	if (!error && pcl_selinux_binary_is_ours(original)) {
		*ret_kept = true;
		pcl_selinux_binary_fini(original);
		*original = (struct pcl_selinux_binary){0};
		return pcl_selinux_original_get(original, diag);
	}
	return error ? error : pcl_selinux_original_save(original->data, original->size, diag);
}

static int apply(const struct pcl_backend_input *input, struct pcl_diag *diag)
{
	pcl_selinux_autorecord applied = {0}, next = {0};
	struct steps steps pcl_cleanup(steps_fini) = {0};
	pcl_cleanup(pcl_selinux_policy_free) struct pcl_selinux_policy *policy = NULL;
	pcl_selinux_autobinary original = {0};
	pcl_autoclose int lock = -1;
	uint64_t generation;
	bool kept = false;
	int error;

	pcl_selinux_lock(&lock);
	error = pcl_selinux_recover(&generation, diag);
	pcl_steps_end("selinux: what was cut short is put right");
	if (!error)
		error = pcl_selinux_applied_load(&applied, diag);
	if (!error)
		error = find_original(&applied, &original, &kept, diag);
	pcl_steps_end("selinux: the policy is read");
	if (!error)
		error = pcl_selinux_policy_read(original.data, original.size, &policy, diag);
	pcl_steps_end("selinux: the policy is parsed");
	if (!error)
		error = make_next(input, &original, policy, &applied, &next, diag);
	if (!error)
		error = make_steps(&original, policy, &applied, &next, &steps, diag);
	if (!error)
		error = pcl_selinux_record_save(PCL_SELINUX_NEXT, &next, diag);
	if (error) {
		if (!applied.generation)
			pcl_selinux_forget(kept);
		return error;
	}
	if (!applied.generation)
		pcl_selinux_events_begin();
	pcl_fault_point("selinux: a change is written down");
	error = take_steps(&original, &steps, &next, diag);
	if (error) {
		/* Why it failed is what is told; what could not be undone now, the next command
		 * will. */
		(void)pcl_selinux_undo(&next, NULL);
		return error;
	}
	return pcl_selinux_record_keep(diag);
}

static int remove_live(struct pcl_diag *diag)
{
	pcl_autoclose int lock = -1;

	pcl_selinux_lock(&lock);
	return pcl_selinux_remove_all(diag);
}

/* --- events ------------------------------------------------------------------------------------
 */

static int read_events(int timeout_ms, pcl_event_fn fn, void *context, struct pcl_diag *diag)
{
	pcl_selinux_autorecord applied = {0};
	int error = pcl_selinux_applied_load(&applied, diag);

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
