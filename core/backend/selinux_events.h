/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SELinux told of, as events. Private to the backend.
 */
#ifndef PCL_BACKEND_SELINUX_EVENTS_H
#define PCL_BACKEND_SELINUX_EVENTS_H

#include "backend/backend.h"
#include "backend/selinux_record.h"

/* As struct pcl_backend's events(); applied is what holds. */
int pcl_selinux_events_read(const struct pcl_selinux_record *applied, int timeout_ms,
			    pcl_event_fn fn, void *context, struct pcl_diag *diag);
/* What was told until now is nobody's; and forgetting it all. */
void pcl_selinux_events_begin(void);
void pcl_selinux_events_forget(void);
void pcl_selinux_events_tally(struct pcl_backend_tally *ret_tally);
/* Another policy was loaded, and ours put on top: the next reader is told. */
void pcl_selinux_events_note_load(void);

/* Of selinux.c: puts right what a change that was cut short, or another policy, has left. */
int pcl_selinux_repair(struct pcl_diag *diag);

#endif
