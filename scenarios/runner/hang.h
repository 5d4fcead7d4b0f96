/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last look at a guest that does not answer, before it is ended: registers of all CPUs, twice,
 * and what the kernel's magic keys show, all written into one file.
 */
#ifndef GNT_HANG_H
#define GNT_HANG_H

#include "qmp.h"

struct gnt_hang {
	struct gnt_qmp *qmp;
	int keys_fd;		  /* input of the serial console; -1: none */
	const char *console_path; /* the console's log, which grows meanwhile */
	const char *dump_path;	  /* written anew */
	const char *why;	  /* one line */
};

/*
 * Takes up to half a minute. What cannot be had is said in the file; 0, or a negative errno with
 * diag where the file cannot be written. The guest may have panicked by it.
 */
int gnt_hang_dump(const struct gnt_hang *hang, struct pcl_diag *diag);

#endif
