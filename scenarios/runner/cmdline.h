/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest kernel's command line.
 */
#ifndef GNT_CMDLINE_H
#define GNT_CMDLINE_H

#include "base/diag.h"
#include "vm.h"

/* The runner's words, then the target's with its lsm= replaced where the options say so. Owned. */
int gnt_cmdline_build(const struct gnt_vm_options *options, enum gnt_channel channel,
		      char **ret_cmdline, struct pcl_diag *diag);

#endif
