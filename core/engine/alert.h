/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events as KubeArmor's alerts: the same field names, plus RuleID, Domain and Generation.
 */
#ifndef PCL_ENGINE_ALERT_H
#define PCL_ENGINE_ALERT_H

#include <jansson.h>

#include "backend/backend.h"
#include "engine/state.h"

/* Keeps the states of the last few generations that events came from. Zero-initialise. */
struct pcl_alerts {
	const struct pcl_backend *backend; /* borrowed */
	struct pcl_state **states;
	size_t state_count;
};

void pcl_alerts_fini(struct pcl_alerts *alerts);

/*
 * Where the backend does not know the rule, asks the model which one decides on the operation, and
 * fills event->rule, its access and its object. Whether there is something to tell: a backend may
 * report more of what is permitted than any rule asks to be told.
 */
bool pcl_alert_attribute(struct pcl_alerts *alerts, struct pcl_event *event);
/* The same by a state that is at hand, which is that of the event's generation. */
bool pcl_event_attribute(const struct pcl_state *state, struct pcl_event *event);

/*
 * The alert of an event, or NULL without memory; owned by the caller. An event of a generation
 * whose file is gone keeps its facts and has "" for rule and policy.
 */
json_t *pcl_alert_make(struct pcl_alerts *alerts, const struct pcl_event *event);

#endif
