/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of SELinux's plans share: a host with rules, a node's view, the plan of both; and
 * random ones from a seed, few paths and few types, so that rules meet.
 */
#ifndef PCL_TESTS_SELINUX_TRIAL_H
#define PCL_TESTS_SELINUX_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/selinux_plan.h"
#include "policy/decide.h"

struct selinux_host {
	struct pcl_policy_set *set;
	struct pcl_domain *domain;
	struct pcl_ruleset *ruleset;
	struct pcl_aliases aliases;
	struct pcl_backend_domain backend_domain;
	struct pcl_backend_input input; /* points into the rest */
};

/* Takes set. */
void selinux_host_init(struct selinux_host *host, struct pcl_policy_set *set,
		       enum pcl_posture posture);
/* Of one policy for the host. */
void selinux_host_of(struct selinux_host *host, const char *spec, enum pcl_posture posture);
void selinux_host_fini(struct selinux_host *host);

/* Both fail the test where there is none. */
struct pcl_selinux_view *selinux_view_of(const char *text);
struct pcl_selinux_plan *selinux_plan_of(const struct selinux_host *host,
					 const struct pcl_selinux_view *view);

/* The type that a name has when the plan is carried out. Owned. */
char *selinux_type_of(const struct pcl_selinux_plan *plan, const struct pcl_selinux_entry *entry);

/* --- random ones -------------------------------------------------------------------------------
 */

/* Those of the view's files; SELINUX_MAKER alone has transitions for what it makes. */
#define SELINUX_TYPE_COUNT 3
extern const char *const selinux_types[SELINUX_TYPE_COUNT];
#define SELINUX_MAKER "some_t"
/* What SELINUX_MAKER becomes by executing a file of the second of the types. */
#define SELINUX_DAEMON "daemon_t"

struct selinux_trial {
	uint64_t seed;
	char *spec;
	char *view_text;
	struct selinux_host host;
	struct pcl_selinux_view *view;
	struct pcl_selinux_plan *plan;
	/* The names of what the acting task runs; none: no program that rules name. */
	const char *runs[8];
	size_t runs_count;
};

/* The acting task runs the file of this entry from now on; NULL: no program that rules name. */
void selinux_trial_run(struct selinux_trial *trial, const struct pcl_selinux_entry *entry);

void selinux_trial_init(struct selinux_trial *trial, uint64_t seed);
void selinux_trial_fini(struct selinux_trial *trial);

/* What the model says of a file, by all its names and all of what the task runs; and of a path. */
bool selinux_model_refuses(const struct selinux_trial *trial, const struct pcl_selinux_entry *entry,
			   enum pcl_access access);
/* Whether a rule, not a list, refuses executing it, by any of its names. */
bool selinux_model_blocks(const struct selinux_trial *trial, const struct pcl_selinux_entry *entry);
bool selinux_model_refuses_path(const struct selinux_trial *trial, const char *path,
				enum pcl_access access);

#endif
