/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case's files in the guest: what setup puts there, what was there before, and how it is put
 * back. Every path that setup writes is saved first, so that a case cannot spoil the next one.
 */
#ifndef GNT_FILES_H
#define GNT_FILES_H

#include "base/diag.h"
#include "case.h"
#include "vm.h"

struct gnt_files;

int gnt_files_new(const struct gnt_case *test_case, struct gnt_files **ret_files,
		  struct pcl_diag *diag);
void gnt_files_free(struct gnt_files **files);

/* Runs the setup steps: those of the host (in_container false) or of the container's root, which
 * container_pid's /proc entry gives. Saves what is there the first time. */
int gnt_files_setup(struct gnt_files *files, struct gnt_vm *vm, bool in_container,
		    int container_pid, struct pcl_diag *diag);

/* Removes what the attack may have made (the case's "cleanup" paths). */
int gnt_files_sweep(struct gnt_files *files, struct gnt_vm *vm, struct pcl_diag *diag);

/* Sweeps, and puts back what setup replaced on the host. */
int gnt_files_restore(struct gnt_files *files, struct gnt_vm *vm, struct pcl_diag *diag);

/* path as the host sees it: below /proc/PID/root for a container. Owned, NULL without memory. */
char *gnt_files_host_path(const char *path, bool in_container, int container_pid);

#endif
