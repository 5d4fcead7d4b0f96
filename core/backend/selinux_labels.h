/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving files their labels, taking them back, and finding those of ours wherever they are. Private
 * to the backend.
 */
#ifndef PCL_BACKEND_SELINUX_LABELS_H
#define PCL_BACKEND_SELINUX_LABELS_H

#include "backend/selinux_record.h"

/* Of files that are still there; one by one. */
int pcl_selinux_labels_set(const struct pcl_selinux_record *record, struct pcl_diag *diag);
/* Of those files that have got theirs. */
int pcl_selinux_labels_undo(const struct pcl_selinux_record *record, struct pcl_diag *diag);

/*
 * Gives each file with a label of ours, wherever it is, the one that it stands for. Clones of files
 * that may not be written are added to kept.
 */
int pcl_selinux_labels_restore(struct pcl_selinux_changes *kept, struct pcl_diag *diag);
/* Of a file that cannot be given another; one from some other node's policy means nothing here. */
int pcl_selinux_file_type_keep(const char *type, struct pcl_selinux_changes *changes);

#endif
