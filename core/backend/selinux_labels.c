/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A label is written by a file's name, and read-only mounts are a hindrance only where the file has
 * no other.
 */
#include "backend/selinux_labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/selinux_between.h"
#include "backend/selinux_fs.h"
#include "backend/selinux_look.h"
#include "backend/selinux_plan.h"
#include "base/cleanup.h"
#include "base/fault.h"

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

int pcl_selinux_labels_set(const struct pcl_selinux_record *record, struct pcl_diag *diag)
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

int pcl_selinux_labels_undo(const struct pcl_selinux_record *record, struct pcl_diag *diag)
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

int pcl_selinux_file_type_keep(const char *type, struct pcl_selinux_changes *changes)
{
	const char *base = pcl_selinux_base(type);

	return pcl_selinux_type_is_loaded(base) ? pcl_selinux_clone_add(changes, type, base) : 0;
}

struct restoring {
	struct pcl_selinux_changes *kept; /* types of files that are on a read-only file system */
	struct pcl_diag *diag;
};

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
	return error == -EROFS ? pcl_selinux_file_type_keep(name, restoring->kept) : error;
}

int pcl_selinux_labels_restore(struct pcl_selinux_changes *kept, struct pcl_diag *diag)
{
	struct restoring restoring = {kept, diag};

	return pcl_selinux_walk(restore_label, &restoring, diag);
}
