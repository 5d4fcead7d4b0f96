/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference decision: what a ruleset says of one operation. Pure, total, no I/O. Every backend
 * is tested against it. Also the shared arithmetic by which a backend's plan folds rules together:
 * a rule's effect on an access, and the combination of effects, so that no backend has its own.
 */
#ifndef PCL_POLICY_DECIDE_H
#define PCL_POLICY_DECIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/resolve.h"

enum pcl_access {
	PCL_ACCESS_EXECUTE,    /* process class */
	PCL_ACCESS_READ,       /* file class: looks at the object */
	PCL_ACCESS_WRITE,      /* file class: changes the object, its name or its metadata */
	PCL_ACCESS_MAP,	       /* process class: makes anonymous memory executable; presets only */
	PCL_ACCESS_SOCKET,     /* network class: any use of a socket */
	PCL_ACCESS_RESOLVE,    /* dns class: asks for a name */
	PCL_ACCESS_CAPABILITY, /* capability class */
	PCL_ACCESS_SYSCALL,    /* syscall class */
	PCL_ACCESS_DEVICE,     /* device class */
};
#define PCL_ACCESS_COUNT 9

/* Where filelessExec looks besides: file systems that lie in memory. */
#define PCL_MEMORY_DIR_COUNT 2
extern const char *const pcl_memory_dirs[PCL_MEMORY_DIR_COUNT];

/* An object without a path: a memfd, a deleted file, a file outside the domain's root. */
#define PCL_OBJECT_NONE NULL

/* As socket(2) takes them; flags in type are ignored. */
struct pcl_socket {
	int family;
	int type;
	int protocol; /* 0: the family's and type's own */
};

/* What an access does not need may be left zero. */
struct pcl_operation {
	enum pcl_access access; /* decides the class */
	/* EXECUTE, READ, WRITE, SYSCALL: absolute normalised path, or PCL_OBJECT_NONE. */
	const char *object;
	bool directory;	     /* the object is one, for certain; decides nothing */
	bool object_unknown; /* the path could not be built: matches no Allow, refused if any Block
			      */
	const char *source;  /* absolute path of the acting task's executable, or NULL if none */
	bool owner;	     /* the object's owner is the acting fsuid */
	bool terminal;	     /* the acting task has a terminal */
	bool own_process;    /* an object below /proc/PID is about the acting process itself */
	bool entered;	     /* EXECUTE: by a task put into the domain from outside */
	const char *const *args; /* EXECUTE: argv without its first; NULL: not known */
	size_t arg_count;
	struct pcl_socket socket; /* SOCKET */
	const char *name;	  /* RESOLVE: the DNS name; SYSCALL: the call's name */
	unsigned capability;	  /* CAPABILITY: CAP_* */
	struct pcl_device device; /* DEVICE */
};

enum pcl_effect {
	PCL_EFFECT_NONE, /* does not match */
	PCL_EFFECT_ALLOW,
	PCL_EFFECT_BLOCK,
	PCL_EFFECT_AUDIT,
};
#define PCL_EFFECT_COUNT 4

struct pcl_verdict {
	bool refused;
	int error; /* 0; where refused -EACCES, for capabilities -EPERM */
	const struct pcl_rule
		*rule;	 /* decided (the Block or the Allow); NULL: none or the posture */
	bool by_posture; /* the class is an allow-list and nothing listed matched */
	const struct pcl_rule
		*audit_rule; /* an Audit rule matched and the operation is permitted */
	bool alert;	     /* an alert is sent */
};

enum pcl_class pcl_access_class(enum pcl_access access);

/*
 * Whether a rule's matcher of paths (PATH, DIR, DIR_RECURSIVE, PATTERN, NAME) matches path; other
 * matchers match none. Sources are not considered.
 */
bool pcl_rule_matches_object(const struct pcl_rule *rule, const char *path);
/* Whether rule's matcher, of whatever kind, matches the operation. Its class must be the rule's. */
bool pcl_rule_matches(const struct pcl_rule *rule, const struct pcl_operation *operation);
/* Whether fromSource is absent or holds source. */
bool pcl_rule_matches_source(const struct pcl_rule *rule, const char *source);
/* Whether sockets of this kind are of the protocol, as a rule names it. */
bool pcl_protocol_matches(enum pcl_protocol protocol, const struct pcl_socket *socket);

/* All words that take the socket: bit 1 << word. */
unsigned pcl_protocols_of(const struct pcl_socket *socket);
/* What a rule whose matcher and source match does to the operation, its flags become plain. */
enum pcl_effect pcl_rule_effect_on(const struct pcl_rule *rule,
				   const struct pcl_operation *operation);
/*
 * What a rule that matches does to this access once readOnly and ownerOnly became plain. An Audit
 * rule with either audits what the flag would grant: reads, the owner's accesses.
 */
enum pcl_effect pcl_rule_effect(const struct pcl_rule *rule, enum pcl_access access, bool owner);

/*
 * The decision for a backend's plan, which has found the matching rules by itself: rules (in the
 * ruleset's order) are those of the access's class whose matcher and source match. Of operation the
 * access and what conditions ask for is looked at (owner, terminal, args). The verdict is what
 * pcl_decide() gives for any such operation which exactly these rules match.
 */
void pcl_decide_matched(const struct pcl_ruleset *ruleset, const struct pcl_rule *const *rules,
			size_t rule_count, const struct pcl_operation *operation,
			struct pcl_verdict *ret_verdict);

void pcl_decide(const struct pcl_ruleset *ruleset, const struct pcl_operation *operation,
		struct pcl_verdict *ret_verdict);

#endif
