/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: wanted state against live state. Every change goes one way: make the whole next
 * state, write it down, let a backend switch to it.
 *
 * An open engine holds the lock of PCL_STATE_DIR, so two commands never change things at once.
 */
#ifndef PCL_ENGINE_ENGINE_H
#define PCL_ENGINE_ENGINE_H

#include "backend/backend.h"
#include "engine/state.h"
#include "node/spaces.h"

struct pcl_engine {
	struct pcl_node *node;
	struct pcl_state *state;	   /* what is applied now; an empty one where nothing is */
	const struct pcl_backend *backend; /* that it is applied with; NULL where nothing is */
	struct pcl_backend_live live;
	int lock_fd;
	char **notes; /* what the last change found out about rules' paths, a line each */
	size_t note_count;
};

/* For removal: damaged state or another version's is no error, and state may be NULL. */
#define PCL_ENGINE_ANY_STATE (1u << 0)

/* Waits for the lock. -EACCES without the rights, -EBADMSG for damaged state. */
int pcl_engine_open(unsigned flags, struct pcl_engine **ret_engine, struct pcl_diag *diag);
void pcl_engine_close(struct pcl_engine **engine);

/* Which statuses of rules are taken; rules that are not make the whole set refused. */
enum pcl_effort {
	PCL_EFFORT_FULL, /* exact and stricter */
	PCL_EFFORT_EXACT,
	PCL_EFFORT_BEST, /* all: what is unsupported is left out, and says so wherever it is shown
			  */
};

struct pcl_apply_options {
	const char *backend; /* NULL: as engine/choice.h chooses */
	struct pcl_postures postures;
	const char *node_labels;
	uint32_t alert_rate; /* as in struct pcl_state */
	enum pcl_effort effort;
};

/*
 * Puts set in the place of what is applied; domains stay. Takes set also on error. -EOPNOTSUPP
 * where this node can't (diag says what it lacks), or where some rule has a status that effort does
 * not take (diag names it, its place and the reason); on any error what was applied stays so.
 */
int pcl_engine_apply(struct pcl_engine *engine, struct pcl_policy_set *set,
		     const struct pcl_apply_options *options, struct pcl_diag *diag);

/* What is applied once more, for a node that is not as it was. Errors as above. */
int pcl_engine_apply_again(struct pcl_engine *engine, struct pcl_diag *diag);

/* Takes everything away: enforcement, policies, domains. */
int pcl_engine_remove(struct pcl_engine *engine, struct pcl_diag *diag);

/* Where a domain's tasks are: a cgroup, or where cgroup is NULL, namespaces. */
struct pcl_home {
	char *cgroup; /* owned */
	uint64_t cgroup_id;
	struct pcl_spaces spaces;
};

#define PCL_HOME_NONE                                                                              \
	{                                                                                          \
		.spaces = PCL_SPACES_NONE                                                          \
	}

/* Of a process: its cgroup (v2), or its namespaces where that tells nothing. */
int pcl_home_of_pid(pid_t pid, struct pcl_home *ret_place, struct pcl_diag *diag);
void pcl_home_fini(struct pcl_home *place);

/*
 * Makes the tasks of a place (and of cgroups and pid namespaces below it) a domain; policies that
 * were applied before and select it hold for it from now on. Takes domain also on error. -EEXIST
 * for a name or place that is a domain already. backend is its name where nothing is applied yet;
 * NULL: the first that this node can.
 */
int pcl_engine_add_domain(struct pcl_engine *engine, struct pcl_domain *domain,
			  const struct pcl_home *place, const char *backend, struct pcl_diag *diag);

struct pcl_newcomer {
	struct pcl_domain *domain; /* owned */
	struct pcl_home place;	   /* owned */
};

/* The same of many with one change: all of them, or on error none. Takes their domains. */
int pcl_engine_add_domains(struct pcl_engine *engine, struct pcl_newcomer *newcomers, size_t count,
			   const char *backend, struct pcl_diag *diag);
/* -ENOENT with the nearest name. */
int pcl_engine_remove_domain(struct pcl_engine *engine, const char *name, struct pcl_diag *diag);

#endif
