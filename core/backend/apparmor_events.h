/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's records about our profiles as events. Private to the backend.
 *
 * A record names a profile, a path and what was asked, and no rule: an event carries the operations
 * that the record may stand for, and who reads it asks the model which rule decides on them.
 */
#ifndef PCL_BACKEND_APPARMOR_EVENTS_H
#define PCL_BACKEND_APPARMOR_EVENTS_H

#include "backend/backend.h"

/* Beginning of the name of the profile that tells which generation is loaded; its number follows.
 */
#define PCL_APPARMOR_GENERATION "portcullis.generation."

/* As struct pcl_backend's events(). generation is the live one. */
int pcl_apparmor_events_read(uint64_t generation, int timeout_ms, pcl_event_fn fn, void *context,
			     struct pcl_diag *diag);

/* What came before is not told of: nothing was applied then. */
void pcl_apparmor_events_begin(void);
void pcl_apparmor_events_forget(void);

/* Of all that was read so far. */
void pcl_apparmor_events_tally(struct pcl_backend_tally *ret_tally);

#endif
