/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Model against kernel: random policies are applied in this guest, random operations near their
 * rules are done for real, and errno and alerts must be what policy/decide.h says.
 *
 * Four kinds of process. The driver draws, decides, restores and compares; it sits in a domain of
 * its own that no policy selects, so no policy hinders it. The applier, its child, stays in the
 * host's domain, applies and reads events. Actors, one for each domain, program, user and terminal,
 * do the operations; they are started before the first policy. What they execute ends at once.
 */
#ifndef PCL_MODEL_H
#define PCL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "../attacks/act.h"
#include "base/diag.h"
#include "policy/decide.h"

#define MODEL_ROOT "/m"
#define MODEL_TOOLS "/opt/gauntlet"
#define MODEL_USER 1000
/* What is run from memory. */
#define MODEL_NOP MODEL_TOOLS "/nop"

/* --- random.h, in a few lines ----------------------------------------------------------------- */

struct model_random {
	uint64_t state;
};
unsigned model_pick(struct model_random *random, size_t count);

/* --- world.c: what there is to act on -------------------------------------------------------- */

enum model_kind {
	MODEL_FILE,
	MODEL_DIR,
	MODEL_EMPTY_DIR,
	MODEL_SCRIPT, /* its interpreter is a file of the world */
	MODEL_ABSENT, /* a name to be made */
};

struct model_object {
	const char *path;
	enum model_kind kind;
	uid_t owner;
	const char *interpreter; /* MODEL_SCRIPT */
};

extern const struct model_object model_objects[];
extern const size_t model_object_count;
extern const char *const model_patterns[];
extern const size_t model_pattern_count;
extern const char *const model_names[];
extern const size_t model_name_count;

#define MODEL_SOURCES 3
extern const char *const model_sources[MODEL_SOURCES];
/* Scripts outside of the tree that name them as their interpreters. */
extern const struct model_object model_scripts[MODEL_SOURCES];

const struct model_object *model_object_find(const char *path);
/* The whole tree, anew. 0 or a negative errno with diag. */
int model_world_make(struct pcl_diag *diag);
/* Whether an operation that goes through changes something that is to be put back. */
bool model_changes(const struct act_request *request);
/* Puts back what an operation that went through has changed. */
int model_world_restore(const struct act_request *request, struct pcl_diag *diag);

/* --- set.c: policies ------------------------------------------------------------------------- */

#define MODEL_POLICIES 4
#define MODEL_RULES 12
#define MODEL_DOMAINS 3 /* the host, and two containers */

enum model_list {
	MODEL_PROCESS_PATH,
	MODEL_PROCESS_NAME,
	MODEL_PROCESS_DIR,
	MODEL_PROCESS_PATTERN,
	MODEL_FILE_PATH,
	MODEL_FILE_DIR,
	MODEL_FILE_PATTERN,
	MODEL_PROTOCOL,
	MODEL_CAPABILITY,
	MODEL_SYSCALL,
	MODEL_PRESET,
	MODEL_LIST_COUNT,
};

struct model_rule {
	unsigned policy;
	enum model_list list;
	const char *object;
	bool recursive;
	bool owner_only;
	bool read_only;
	bool no_terminal;
	unsigned args;	  /* allowed ones, a bit each; 0: any */
	unsigned sources; /* a bit each */
	enum pcl_action action;
	unsigned severity; /* 1 to 10 */
};

struct model_set {
	unsigned domain_of[MODEL_POLICIES]; /* that the policy selects */
	size_t policy_count;
	struct model_rule rules[MODEL_RULES];
	size_t rule_count;
	unsigned filler; /* rules beside them about files that nobody touches */
	struct pcl_postures postures;
};

extern const char *const model_labels[MODEL_DOMAINS]; /* NULL for the host */
extern const char *const model_domain_names[MODEL_DOMAINS];

/* Whom a set is for. */
struct model_takers {
	bool host_only; /* policies of the host's alone */
	/* Of rules such as are taken; NULL: of any. */
	bool (*takes)(void *context, const struct model_set *set, size_t index);
	void *context;
};

void model_draw_set(struct model_random *random, const struct model_takers *takers,
		    struct model_set *ret_set);
/* As a policy file. Owned by the caller; NULL without memory. */
char *model_print_set(const struct model_set *set);
/* As YAML has it. */
void model_print_quoted(const char *text, FILE *out);
/* Whether some rule of it is about those who run a program. */
bool model_has_sources(const struct model_set *set);
/* A rule less. */
void model_drop_rule(struct model_set *set, size_t index);

/* --- operation.c: what is done, and what must come of it -------------------------------------- */

struct model_actor {
	unsigned domain, source;
	uid_t uid;
	bool terminal;
};

struct model_operation {
	struct model_actor actor;
	struct act_request request;
};

#define MODEL_ALERTS 8

struct model_alert {
	const char *rule; /* "" is the posture; borrowed */
	bool required;	  /* else it may be told, and need not */
};

struct model_expected {
	int error;				 /* positive errno; 0: goes through */
	bool refused;				 /* by the policies */
	bool told;				 /* a refusal has an event, for certain */
	unsigned capability;			 /* that was asked for, if any */
	const char *rule;			 /* that refuses; "" is the posture; borrowed */
	struct model_alert alerts[MODEL_ALERTS]; /* that do not refuse */
	size_t alert_count;
	bool unnamed;	  /* an event may name no rule */
	const char *also; /* another rule that an event of the refusal may name, or NULL */
};

/* How a backend knows an object, on which it depends what its statuses name. */
enum model_judge {
	MODEL_BY_FILE,
	MODEL_BY_NAME,	/* AppArmor */
	MODEL_BY_LABEL, /* SELinux */
};

/* Rulesets by domain. */
struct model_rulesets {
	struct pcl_policy_set *set;
	struct pcl_domain *domains[MODEL_DOMAINS];
	struct pcl_ruleset *of[MODEL_DOMAINS];
};

int model_rulesets_make(const char *text, const struct pcl_postures *postures,
			struct model_rulesets *ret_rulesets, struct pcl_diag *diag);
void model_rulesets_fini(struct model_rulesets *rulesets);

void model_draw_operation(struct model_random *random, const struct model_set *set,
			  struct model_operation *ret_operation);
/* What sockets and executable memory come to without a policy: asked of the kernel once, for the
 * node's own policy may refuse them. */
void model_note_error(const struct act_request *request, uid_t uid, int error);
/* What an operation that no rule refuses comes to: 0, or a positive errno that was noted. */
int model_error_without(const struct model_operation *operation);
size_t model_socket_count(void);
void model_socket_request(size_t index, struct act_request *ret_request);

void model_expect(const struct model_rulesets *rulesets, const struct model_operation *operation,
		  enum model_judge judge, struct model_expected *ret_expected);
/* KERNEL: by whose owner both names of an exchange are judged differs; see AppArmor's status. */
bool model_is_of_two_owners(const struct act_request *request);
/* One line for people. */
void model_print_operation(const struct model_operation *operation, FILE *out);
/* A case of the harness that does the same. */
void model_print_case(const struct model_set *set, const struct model_operation *operation,
		      const struct model_expected *expected, const char *title, FILE *out);

/* --- actors.c -------------------------------------------------------------------------------- */

/* All of them, as BPF-LSM finds them: there before any policy. apart: each operation is done by a
 * process of its own. */
int model_actors_start(bool apart, struct pcl_diag *diag);
/* They end. */
void model_actors_end(void);
/* They end. The next request of each starts it anew, in the profile where it belongs under these
 * rulesets. */
void model_actors_confine(const struct model_rulesets *rulesets);

/* How an actor's program comes to run, where its file's label says which one it is. */
enum model_start {
	MODEL_EXECUTED,
	MODEL_SCRIPTED, /* a script that is executed names it */
	MODEL_RUNNING,	/* it runs already; who does not is executed */
};

/* What comes of it. */
struct model_started {
	bool known; /* as that program */
	int error;  /* 0: it starts, ECHILD: it is killed then, else a positive errno */
};

/* The next request of each that does not run starts it under these rulesets, which must come to
 * what is expected. One that may not start is started while SELinux is permissive. */
void model_actors_label(const struct model_rulesets *rulesets, enum model_start how);
/* Whether the actor's label says, or will say, which program it runs. */
bool model_actor_is_known(const struct model_actor *actor);
int model_act(const struct model_operation *operation, struct act_reply *ret_reply,
	      struct pcl_diag *diag);

/* --- applier.c ------------------------------------------------------------------------------- */

/* What stands for the rule in an event that names none. */
#define MODEL_NO_RULE "(none)"

struct model_event {
	uint64_t time_ns;
	uint32_t pid;
	uint32_t access; /* enum pcl_access */
	bool refused;
	bool nameless;
	char rule[256]; /* id, "" for the posture */
	char object[ACT_PATH_MAX];
};

/* Forks the applier, which must be done before the driver leaves the host's domain. */
int model_applier_start(const char *backend, struct pcl_diag *diag);
int model_apply(const char *text, const struct pcl_postures *postures, struct pcl_diag *diag);
/* All that are pending, in a new array that is the caller's. */
int model_events(struct model_event **ret_events, size_t *ret_count, struct pcl_diag *diag);
int model_applier_stop(struct pcl_diag *diag);
/* Puts the calling process into the cgroup of a domain of this name, which is made. */
int model_join(const char *name, struct pcl_diag *diag);

#endif
