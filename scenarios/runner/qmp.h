/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's machine protocol, as far as a hung guest needs it: one command at a time over a socket.
 */
#ifndef GNT_QMP_H
#define GNT_QMP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

struct gnt_qmp {
	int fd; /* -1: none */
	char *in;
	size_t in_len, in_size;
	bool greeted;
};

void gnt_qmp_fini(struct gnt_qmp *qmp);

/*
 * Runs command with arguments (taken; may be NULL). ret_result (owned, may be NULL) is its
 * "return". -EREMOTEIO with QEMU's words when it refuses, -ETIMEDOUT, -EIO when it is gone.
 */
int gnt_qmp_run(struct gnt_qmp *qmp, const char *command, json_t *arguments, int timeout_ms,
		json_t **ret_result, struct pcl_diag *diag);

/* A line of the human monitor; ret_text is owned. */
int gnt_qmp_monitor(struct gnt_qmp *qmp, const char *line, int timeout_ms, char **ret_text,
		    struct pcl_diag *diag);

#endif
