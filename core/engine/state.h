/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was applied, by generation: the policies, the domains, the postures.
 *
 * One file per generation, written and synced before the kernel is switched to it. Which file
 * holds is not written anywhere: the backend's live generation says it, so a crash at any point
 * leaves a state that is whole. Old files stay a while, so that an event that was made under an
 * earlier generation is still attributed to its own rule.
 */
#ifndef PCL_ENGINE_STATE_H
#define PCL_ENGINE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "engine/statuses.h"
#include "policy/domain.h"
#include "policy/policy.h"
#include "policy/resolve.h"

/* A tmpfs on every distro, so it is gone with the next boot as the kernel's own state is. */
#define PCL_STATE_DIR "/run/portcullis"

/* The state files of this process are in dir (borrowed) from now on: tests have no right to ours.
 */
void pcl_state_use_dir(const char *dir);

/* What a person or a log can take; and more than any buffer of events can. */
#define PCL_ALERT_RATE 64u
#define PCL_ALERT_RATE_MAX 1000000u

struct pcl_member {
	struct pcl_domain *domain;
	char *cgroup; /* absolute path; NULL for the host and for what namespaces tell */
	uint64_t cgroup_id;
	uint32_t mount_ns; /* numbers of namespaces that are kept (node/spaces.h), or 0 */
	uint32_t pid_ns;
	uint32_t id;
	uint32_t incarnation;
};

struct pcl_state {
	uint64_t generation; /* 0: nothing applied */
	char *backend;
	struct pcl_postures postures;
	char *hostname;
	char *node_labels;   /* "k=v,...", or NULL */
	uint32_t alert_rate; /* alerts a second for one rule in one domain; 0: no limit */
	struct pcl_policy_set *set;
	struct pcl_member *members; /* the host first, always there */
	size_t member_count;
	uint32_t last_id; /* of a member; ids go round, so that one is not used again at once */
	uint32_t last_incarnation;
	const struct pcl_rule **rules; /* by number, from 1; see pcl_state_number() */
	size_t rule_count;
	unsigned kernel; /* of the backend's kernels, the one that was asked about */
	struct pcl_statuses statuses;
};

/* An empty state of this host. 0, -ENOMEM, -EINVAL for bad labels. */
int pcl_state_new(const char *hostname, const char *node_labels, struct pcl_state **ret_state,
		  struct pcl_diag *diag);
void pcl_state_free(struct pcl_state **state);

/*
 * -ENOENT (diag untouched) where there is no file of that generation; -EBADMSG where it is not what
 * pcl_state_save() of this version writes.
 */
int pcl_state_load(uint64_t generation, struct pcl_state **ret_state, struct pcl_diag *diag);
/* Writes and syncs the file of state->generation. On error no new file is left. */
int pcl_state_save(const struct pcl_state *state, struct pcl_diag *diag);
void pcl_state_delete(uint64_t generation);

/* The greatest generation that has a file, 0 where none has. */
uint64_t pcl_state_last(void);
/* Deletes the files of generations up to and including last. */
void pcl_state_prune(uint64_t last);

/* Numbers the rules of set as it is now. Done for what is loaded or applied. 0 or -ENOMEM. */
int pcl_state_number(struct pcl_state *state);
/* What the backend does of a rule of the set. */
struct pcl_rule_status pcl_state_status(const struct pcl_state *state, const struct pcl_rule *rule);
/* As pcl_resolve(), of those rules that the backend does something of. */
int pcl_state_resolve(const struct pcl_state *state, const struct pcl_domain *domain,
		      struct pcl_ruleset **ret_ruleset);
/* The rule of a number, as backends count them: from 1, in the order of attribution. */
const struct pcl_rule *pcl_state_rule(const struct pcl_state *state, uint32_t number);
/* And back; 0 for NULL, and for a rule that is none of the state's. */
uint32_t pcl_state_rule_number(const struct pcl_state *state, const struct pcl_rule *rule);
const struct pcl_member *pcl_state_member(const struct pcl_state *state, uint32_t id);

/* Whether one place would be two domains. Containers of a pod may share a pid namespace, so where
 * there are mount namespaces, those decide. */
bool pcl_member_same_place(const struct pcl_member *a, const struct pcl_member *b);

/* What tells its tasks, for people: the cgroup, or namespaces (owned), or NULL without memory. */
char *pcl_member_place(const struct pcl_member *member);

#endif
