/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loaded policy as bytes, whose it is, and the types of ours that processes hold on to.
 */
#include "backend/selinux_live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "backend/selinux_between.h"
#include "backend/selinux_fs.h"
#include "backend/selinux_plan.h"

void pcl_selinux_lock(int *ret_fd)
{
	*ret_fd = open("/sys/fs/selinux", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (*ret_fd >= 0 && flock(*ret_fd, LOCK_EX) && errno == EINTR)
		;
}

/* --- which generation holds --------------------------------------------------------------------
 */

bool pcl_selinux_generation_is_loaded(uint64_t generation)
{
	char mark[PCL_SELINUX_MARK_LEN];

	snprintf(mark, sizeof(mark), PCL_SELINUX_MARK, generation);
	return pcl_selinux_type_is_loaded(mark);
}

bool pcl_selinux_binary_is_ours(const struct pcl_selinux_binary *policy)
{
	return memmem(policy->data, policy->size, PCL_SELINUX_PREFIX, strlen(PCL_SELINUX_PREFIX));
}

int pcl_selinux_binary_load(const struct pcl_selinux_binary *policy, struct pcl_diag *diag)
{
	return pcl_selinux_policy_load(policy->data, policy->size, diag);
}

int pcl_selinux_binary_get(struct pcl_selinux_binary *policy, struct pcl_diag *diag)
{
	return pcl_selinux_policy_get(&policy->data, &policy->size, diag);
}

int pcl_selinux_original_get(struct pcl_selinux_binary *policy, struct pcl_diag *diag)
{
	int error = pcl_selinux_original_load(&policy->data, &policy->size, diag);

	if (error == -ENOENT)
		return pcl_diag_set(
			diag, -EBADMSG,
			"selinux: what the policy was before is lost; load the node's own "
			"(semodule -B, or load_policy) and then run \"portcullis remove\"");
	return error;
}

int pcl_selinux_binary_patch(const struct pcl_selinux_binary *from,
			     const struct pcl_selinux_changes *changes,
			     struct pcl_selinux_binary *to, struct pcl_diag *diag)
{
	return pcl_selinux_patch(from->data, from->size, changes, &to->data, &to->size, diag);
}

int pcl_selinux_applied_load(struct pcl_selinux_record *record, struct pcl_diag *diag)
{
	int error = pcl_selinux_record_load(PCL_SELINUX_APPLIED, record, diag);

	return error == -ENOENT ? 0 : error;
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

	if (base == type || pcl_selinux_has_clone(keeping->changes, type))
		return 0;
	keeping->any = true;
	return pcl_selinux_clone_add(keeping->changes, type, base);
}

int pcl_selinux_types_keep(struct pcl_selinux_changes *changes, bool *ret_any,
			   struct pcl_diag *diag)
{
	struct keeping keeping = {changes, false};
	int error = pcl_selinux_processes(keep_type, &keeping);

	if (error)
		return pcl_diag_errno(diag, error, "selinux: cannot look at processes");
	*ret_any = keeping.any;
	return 0;
}

int pcl_selinux_original_put(const struct pcl_selinux_binary *original,
			     struct pcl_selinux_changes *kept, bool *ret_kept,
			     struct pcl_diag *diag)
{
	pcl_selinux_autobinary policy = {0};
	int error = pcl_selinux_types_keep(kept, ret_kept, diag);

	if (error)
		return error;
	*ret_kept = kept->clones_count;
	if (!*ret_kept)
		return pcl_selinux_binary_load(original, diag);
	error = pcl_selinux_binary_patch(original, kept, &policy, diag);
	return error ? error : pcl_selinux_binary_load(&policy, diag);
}
