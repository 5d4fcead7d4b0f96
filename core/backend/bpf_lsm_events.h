/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the alerts of the BPF-LSM backend. Private to the backend.
 */
#ifndef PCL_BACKEND_BPF_LSM_EVENTS_H
#define PCL_BACKEND_BPF_LSM_EVENTS_H

#include "../../bpf/abi.h"
#include "base/diag.h"
#include "policy/event.h"

/* struct pcl_backend's events. */
int pcl_bpf_events_read(int timeout_ms, pcl_event_fn fn, void *context, struct pcl_diag *diag);

/* Room for a path as text, with a slash per component and the end. */
#define PCL_EVENT_TEXT_MAX (PCL_EVENT_OBJECT_MAX + PCL_EVENT_NAME_MAX + 2)

/*
 * Turns components, NUL-terminated and leaf first, into a path. rooted: it begins with a slash;
 * otherwise, and for what has no components, it does not. ret_text has PCL_EVENT_TEXT_MAX bytes.
 */
void pcl_bpf_event_path(const char *components, size_t len, bool rooted, char *ret_text);

/* The same for an event whose object is a number. */
void pcl_bpf_event_detail(const struct pcl_bpf_event *raw, char *ret_text);

#endif
