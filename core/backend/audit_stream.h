/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit stream's lines about an LSM, from wherever they can be had. For backends that have no
 * events of their own.
 *
 * Nobody need hold the stream for it: what was logged before is in the kernel's log, or where an
 * audit daemon takes the records, in its file; what comes later is sent to every listener.
 */
#ifndef PCL_BACKEND_AUDIT_STREAM_H
#define PCL_BACKEND_AUDIT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"

/* What the lines hold behind "audit(TIME:SERIAL): " that are wanted: one of marks, NULL at its end.
 * text begins with "audit(". Returning nonzero ends the reading with that value. */
typedef int (*pcl_audit_line_fn)(const char *text, void *context);

/* How far the stream was read. KERNEL: where system calls are audited, a call's records have one
 * serial, so they are counted. */
struct pcl_audit_place {
	uint64_t serial;
	uint64_t records; /* of that serial */
};

/*
 * Whether the next line, of that serial, is behind place, which then moves to it. at is where the
 * reading itself is; it begins at zero with each reading.
 */
bool pcl_audit_place_pass(struct pcl_audit_place *place, struct pcl_audit_place *at,
			  uint64_t serial);

/*
 * Lines that were logged, in the order in which they were made. *ret_suppressed is how many the
 * kernel says that it left out of its log in all.
 */
int pcl_audit_stream_past(const char *const *marks, pcl_audit_line_fn fn, void *context,
			  uint64_t *ret_suppressed, struct pcl_diag *diag);

/* A descriptor from which lines come from now on, or -errno with diag. */
int pcl_audit_stream_listen(struct pcl_diag *diag);
/* Something else to wait for meanwhile. */
struct pcl_audit_beside {
	const int *fd; /* what it points to may change in any call; -1: nothing */
	int (*ready)(void *context);
};
/*
 * Lines as they come: until none came for timeout_ms (-1: for ever), fn ends it, or a signal does
 * (-EINTR). *ret_lost is how often the kernel had more than the socket would hold. beside: NULL for
 * nothing; its call ends it like fn.
 */
int pcl_audit_stream_follow(int fd, int timeout_ms, const char *const *marks, pcl_audit_line_fn fn,
			    const struct pcl_audit_beside *beside, void *context,
			    uint64_t *ret_lost, struct pcl_diag *diag);

#endif
