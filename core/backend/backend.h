/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of operations that every backend fills, and nothing that only one of them needs.
 *
 * A backend turns rulesets into a kernel's state and back into nothing. It decides no precedence
 * (policy/decide.h does), it never prints, and it keeps to the contracts below.
 */
#ifndef PCL_BACKEND_BACKEND_H
#define PCL_BACKEND_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "backend/status.h"
#include "base/diag.h"
#include "node/links.h"
#include "node/node.h"
#include "policy/event.h"
#include "policy/resolve.h"

/* Domain ids, the host's 0 included, are below this; a backend may not take fewer. */
#define PCL_DOMAINS_MAX 10240u

/* One domain as a backend sees it. All borrowed for the call. */
struct pcl_backend_domain {
	const struct pcl_ruleset *ruleset;
	const struct pcl_aliases *aliases; /* what the rules' paths also mean; may be NULL */
	uint32_t id;			   /* 0 is the host */
	uint32_t incarnation;		   /* differs between domains that use one id in turn */
	uint64_t cgroup_id;		   /* 0 for the host and for what namespaces tell */
	uint32_t id_mount_ns;		   /* numbers of namespaces that are not used again; 0 */
	uint32_t id_pid_ns;
	uint32_t mnt_ns; /* inode number of its tasks' mount namespace; 0: not known yet */
};

/*
 * The whole wanted state. Rules are numbered from 1 in the order of rules, which is that of
 * attribution (pcl_rule_compare), so that of two rules the one to name has the lower number.
 */
struct pcl_backend_input {
	uint64_t generation; /* greater than any before */
	const struct pcl_backend_domain *domains;
	size_t domain_count;
	const struct pcl_rule *const *rules; /* every rule that some domain's ruleset holds */
	size_t rule_count;
	uint32_t alert_rate; /* alerts a second for one rule in one domain; 0: no limit */
};

/* What became of alerts; together, how many there were. */
struct pcl_backend_tally {
	uint64_t sent;
	uint64_t lost;	     /* nobody read in time */
	uint64_t suppressed; /* over the rate */
};

struct pcl_backend_live {
	uint64_t generation;		 /* 0: nothing is applied */
	struct pcl_backend_tally alerts; /* of all domains */
	uint64_t no_room;		 /* operations refused for want of memory for a task */
	uint64_t unknown_paths;	   /* operations whose path could not be built; they were refused */
	const char *programs[128]; /* attached hooks; static strings */
	size_t program_count;
};

/* Since when a task that runs is under the rules of its domain. */
enum pcl_binding {
	PCL_BINDING_NOW,
	PCL_BINDING_EXEC,  /* not yet; from its next execve on */
	PCL_BINDING_START, /* not before it is started anew, by who knows how */
};
#define PCL_BINDING_COUNT 3

struct pcl_backend {
	const char *name;
	const char *enforcer; /* as KubeArmor's alerts call it */
	/* 0, or -EOPNOTSUPP and diag says what this node lacks and how to get it. Changes nothing.
	 */
	int (*probe)(const struct pcl_node *node, struct pcl_diag *diag);
	/* How it works on this kernel and what that lacks: one line (owned), or NULL. NULL: nothing
	 * to say. */
	char *(*describe)(void);
	/* Kernels that rules may notice a difference between, by name; NULL at the end, one at
	 * least. */
	const char *const *kernels;
	/* This node's, as an index in kernels; the first where it cannot be told. */
	unsigned (*kernel)(void);
	/*
	 * What the backend does of rule on a kernel, measured by policy/decide.h. Depends on
	 * nothing but these two. A promise: what is more or less than the rule says is named.
	 */
	struct pcl_rule_status (*status)(const struct pcl_rule *rule, unsigned kernel);
	/*
	 * The rule for whose sake operation is refused, although no rule says so (its status names
	 * what is); NULL: none. NULL: there is no such thing, or its events tell the rule.
	 */
	const struct pcl_rule *(*guard)(const struct pcl_ruleset *ruleset,
					const struct pcl_operation *operation);
	bool idle; /* enforces nothing on purpose: who chooses it by name is not stopped */
	/*
	 * Takes no rule that is PCL_STATUS_UNSUPPORTED. Makes input the live state in one step: an
	 * operation sees all of the old or all of the new. On error, and when the process is killed
	 * at any point, the old or the new state is live, whole. Enforcement outlives the process.
	 */
	int (*apply)(const struct pcl_backend_input *input, struct pcl_diag *diag);
	/* Takes all of it away; 0 too where nothing was applied. */
	int (*remove)(struct pcl_diag *diag);
	/* What is live now. 0, and generation 0 where nothing is. */
	int (*live)(struct pcl_backend_live *ret_live, struct pcl_diag *diag);
	/*
	 * Of a process that belongs to domain. NULL: whatever is
	 * applied holds for all tasks of a domain at once.
	 */
	enum pcl_binding (*binding)(pid_t pid, const struct pcl_domain *domain);
	/*
	 * Objects that rules held for when they were applied and hold for no more, since somebody
	 * put another in their place or took away what they are known by. *ret_name is one of them
	 * (owned; NULL: there is none). NULL: there is no such thing.
	 */
	int (*escaped)(size_t *ret_count, char **ret_name, struct pcl_diag *diag);
	/* What became of the alerts of domains. -ENOENT where nothing is live. NULL: has none. */
	int (*tallies)(const uint32_t *ids, size_t count, struct pcl_backend_tally *ret_tallies,
		       struct pcl_diag *diag);
	/*
	 * Hands pending events to fn; with timeout_ms >= 0 returns when none is pending after that
	 * time, with -1 waits for more until fn or a signal (-EINTR) ends it. NULL: has no events.
	 */
	int (*events)(int timeout_ms, pcl_event_fn fn, void *context, struct pcl_diag *diag);
};

extern const struct pcl_backend pcl_backend_bpf_lsm;
extern const struct pcl_backend pcl_backend_apparmor;
extern const struct pcl_backend pcl_backend_selinux;
extern const struct pcl_backend pcl_backend_none;

/* In the order of preference, NULL at the end. */
extern const struct pcl_backend *const pcl_backends[];

/* NULL where there is none of that name. */
const struct pcl_backend *pcl_backend_find(const char *name);

#endif
