/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event: what a backend reports of one operation, free of the backend's own format.
 */
#ifndef PCL_POLICY_EVENT_H
#define PCL_POLICY_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "policy/decide.h"

#define PCL_EVENT_REFUSAL (1u << 0)    /* refused; otherwise permitted, with an alert */
#define PCL_EVENT_NO_NAME (1u << 1)    /* the object has no path; object is what it is called */
#define PCL_EVENT_NO_PATH (1u << 2)    /* the path could not be built */
#define PCL_EVENT_RULE_BELOW (1u << 3) /* a directory was not moved, for the rule lies below it */
#define PCL_EVENT_TRUNCATED (1u << 4)  /* object or source is only the end of the path */
#define PCL_EVENT_NO_RULE (1u << 5)    /* refused, and neither a rule nor the posture says so */
/* Not of an operation: rules hold for the object once they are applied again. */
#define PCL_EVENT_APPLY_AGAIN (1u << 6)

/* More than any record of one operation can stand for. */
#define PCL_EVENT_OPERATIONS_MAX 4

struct pcl_event {
	uint64_t time_ns; /* since 1970, UTC */
	uint64_t generation;
	uint32_t rule;	 /* number in the generation's rule table, from 1; 0: the default posture */
	uint32_t domain; /* id in that generation */
	unsigned flags;	 /* PCL_EVENT_* */
	enum pcl_access access;
	const char *hook; /* "FILE_OPEN", ...; static */
	uint32_t pid;	  /* thread group, in the initial pid namespace */
	uint32_t ppid;
	uint32_t uid;
	uint32_t pid_in_domain; /* thread group as its own pid namespace numbers it */
	uint32_t ppid_in_domain;
	uint32_t suppressed; /* alerts of this rule and domain left out since the last one */
	const char *comm;
	const char *object;
	const char *source; /* "" where the task runs no program */
	const char *cwd;
	/*
	 * Where the backend is not told which rule decided: what the operation may have been, the
	 * likeliest first. The model says the rule (engine/alert.h), and rule is 0 until then.
	 */
	struct pcl_operation operations[PCL_EVENT_OPERATIONS_MAX];
	size_t operation_count; /* 0: rule is told */
	/*
	 * With NO_NAME the object of operations is one of these, and it is not known which. Without
	 * they are the other names of the one file, on each of which a rule may be.
	 */
	const char *const *objects;
	size_t object_count;
};

/* Returning nonzero ends the reading with that value. The event is valid during the call. */
typedef int (*pcl_event_fn)(const struct pcl_event *event, void *context);

#endif
