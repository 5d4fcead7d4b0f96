/* SPDX-License-Identifier: Apache-2.0 */
/* Which labels the world has, where they decide. */
#ifndef PCL_MODEL_LABELS_H
#define PCL_MODEL_LABELS_H

#include "model.h"

struct model_directory {
	char *path;
	char *label;
};

/* Once, when the world was made. */
int model_labels_keep(struct pcl_diag *diag);
/* After policies were applied. */
int model_labels_note(struct pcl_diag *diag);
/* As model_world_restore(). */
int model_labels_restore(const struct act_request *request, struct pcl_diag *diag);

/* All of the world, as they were noted. */
const struct model_directory *model_labels_directories(size_t *ret_count);
/* Whether the node is refused anything. */
int model_labels_enforce(bool enforcing, struct pcl_diag *diag);
/* Whether the policy lets who has no_new_privs become something else by executing. */
bool model_labels_pass_no_new_privs(void);
/* Whether the object is one that the backend does not know, since it was made again. */
bool model_labels_are_old(const char *path);

#endif
