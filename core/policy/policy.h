/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy model: what a KubeArmor policy says, free of YAML and free of any LSM.
 *
 * Everything meets in these types: the reader fills them, resolve turns many policies into one
 * ruleset per domain, decide answers from a ruleset, a backend compiles it. Precedence is not
 * decided here (see resolve.h and decide.h), and never in a backend.
 */
#ifndef PCL_POLICY_POLICY_H
#define PCL_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/yaml.h"

enum pcl_class {
	PCL_CLASS_PROCESS,    /* execute */
	PCL_CLASS_FILE,	      /* open, create, write, truncate, unlink, rename, ... */
	PCL_CLASS_NETWORK,    /* socket, connect, bind, sendmsg, accept, ... */
	PCL_CLASS_DNS,	      /* asking for a name; a class of its own, under network's posture */
	PCL_CLASS_CAPABILITY, /* using a capability */
	PCL_CLASS_SYSCALL,    /* audit only, whatever the action */
	PCL_CLASS_DEVICE,     /* a USB device that is plugged in; the host only */
	PCL_CLASS_NATIVE,     /* AppArmor's own words: no operation of the model matches them */
};
#define PCL_CLASS_COUNT 8

enum pcl_action {
	PCL_ACTION_ALLOW,
	PCL_ACTION_AUDIT,
	PCL_ACTION_BLOCK,
};
#define PCL_ACTION_COUNT 3

enum pcl_match {
	PCL_MATCH_PATH,		 /* the object itself */
	PCL_MATCH_DIR,		 /* the directory itself and its direct children */
	PCL_MATCH_DIR_RECURSIVE, /* the directory itself and everything below it */
	PCL_MATCH_PATTERN,	 /* paths that match a pattern (policy/glob.h) */
	PCL_MATCH_NAME,		 /* execname: the last component of the path */
	PCL_MATCH_PROTOCOL,	 /* sockets of a protocol or type */
	PCL_MATCH_DOMAIN,	 /* a DNS name and every name below it */
	PCL_MATCH_CAPABILITY,
	PCL_MATCH_SYSCALL, /* system calls, whatever they act on */
	PCL_MATCH_DEVICE,
	PCL_MATCH_PRESET, /* what a preset stands for; its class is the one it acts in */
	PCL_MATCH_NATIVE, /* nothing */
};
#define PCL_MATCH_COUNT 12

enum pcl_kind {
	PCL_KIND_CONTAINER, /* KubeArmorPolicy */
	PCL_KIND_HOST,	    /* KubeArmorHostPolicy */
	PCL_KIND_CLUSTER,   /* KubeArmorClusterPolicy: containers of every namespace it selects */
};
#define PCL_KIND_COUNT 3

enum pcl_protocol {
	PCL_PROTOCOL_TCP,
	PCL_PROTOCOL_UDP,
	PCL_PROTOCOL_ICMP,
	PCL_PROTOCOL_ICMPV6,
	PCL_PROTOCOL_SCTP,
	PCL_PROTOCOL_DCCP,
	PCL_PROTOCOL_RAW, /* this and the following are socket types of any family but those of raw
			   */
	PCL_PROTOCOL_STREAM,
	PCL_PROTOCOL_DGRAM,
	PCL_PROTOCOL_RDM,
	PCL_PROTOCOL_SEQPACKET,
	PCL_PROTOCOL_PACKET,
	PCL_PROTOCOL_ALL,
};
#define PCL_PROTOCOL_COUNT 13

enum pcl_preset {
	PCL_PRESET_FILELESS_EXEC,      /* process: executing what has no path, or is in /dev/shm */
	PCL_PRESET_ANONYMOUS_MAP_EXEC, /* process: making anonymous memory executable */
	PCL_PRESET_PROTECT_ENV,	       /* file: /proc/PID/environ of another process */
	PCL_PRESET_EXEC,	       /* process: a program started from outside the container */
	PCL_PRESET_PROTECT_PROC,       /* file: /proc/PID and below, of another process */
};
#define PCL_PRESET_COUNT 5

/*
 * Rule flags. Each grants under a condition and refuses without it, for Allow and Block alike; of
 * several, all conditions must hold.
 */
#define PCL_RULE_READ_ONLY (1u << 0)	/* reading, not changing */
#define PCL_RULE_OWNER_ONLY (1u << 1)	/* the object's owner */
#define PCL_RULE_NO_TERMINAL (1u << 2)	/* pts: false: a task without a terminal */
#define PCL_RULE_ALLOWED_ARGS (1u << 3) /* every argument, of at least one, is in args */

#define PCL_SEVERITY_MIN 1
#define PCL_SEVERITY_MAX 10

struct pcl_label {
	char *key;
	char *value;
};

/* A matchExpression; several must all hold. */
struct pcl_expression {
	bool on_namespace; /* key namespace, values are names; else key label, values are "k=v" */
	bool negated;	   /* NotIn: none of the values holds; else In: one of them does */
	char **values;	   /* sorted, without duplicates, never none */
	size_t value_count;
};

/* A fromSource of syscalls that is a directory. */
struct pcl_source_dir {
	char *path; /* normalised as an object */
	bool recursive;
};

/* The longest DNS name, without the dot at the end. */
#define PCL_DOMAIN_LEN_MAX 253

#define PCL_DEVICE_ANY (-1)

/* USB numbers, or PCL_DEVICE_ANY. An operation's device has no PCL_DEVICE_ANY. */
struct pcl_device {
	int class;
	int sub_class;
	int protocol;
	int level; /* hubs between the device and the machine, plus one */
};

struct pcl_glob;

struct pcl_rule {
	/*
	 * Stable on any machine: derived from the policy's kind, namespace and name and the rule's
	 * place in it, e.g. "multiubuntu/ksp-ubuntu-4-block-file#file.matchPaths[0]"; host policies
	 * have no namespace part, cluster policies have "*". A comma list makes one rule per
	 * word, "...matchProtocols[0].udp". Unique within a policy set.
	 */
	char *id;
	enum pcl_class class;
	enum pcl_match match;
	enum pcl_action action; /* after inheritance entry > section > spec; absent means Block */
	unsigned flags;		/* PCL_RULE_* */
	/*
	 * What the rule is about, never NULL, in one spelling. PATH, DIR, DIR_RECURSIVE: normalised
	 * absolute path: no doubled slashes, no "." or "..", no slash at the end ("/" itself
	 * excepted). PATTERN: the pattern. NAME: a name without a slash. PROTOCOL, PRESET: the
	 * word. CAPABILITY: the word in lower case without "cap_". DOMAIN: the name in lower case
	 * without a dot at the end. SYSCALL: "". DEVICE: "class=3,subClass=any,...". NATIVE: the
	 * text.
	 */
	char *object;
	unsigned number;	  /* enum pcl_protocol, enum pcl_preset, or CAP_*; else 0 */
	struct pcl_glob *glob;	  /* PATTERN only, compiled from object; else NULL */
	struct pcl_device device; /* DEVICE only */
	char **args;		  /* allowedArgs, sorted, without duplicates; with its flag */
	size_t arg_count;
	char **syscalls; /* class SYSCALL: names, sorted, without duplicates, never none */
	size_t syscall_count;
	/* fromSource paths, normalised as object, sorted, without duplicates; count 0: any source.
	 */
	char **sources;
	size_t source_count;
	struct pcl_source_dir *source_dirs; /* class SYSCALL only; one more way to be a source */
	size_t source_dir_count;
	int severity; /* after inheritance; 0 where the policy says nothing */
	char **tags;
	size_t tag_count;
	char *message;		/* after inheritance; NULL where the policy says nothing */
	struct pcl_place place; /* of the entry in the policy's file */
	const struct pcl_policy *policy;
};

struct pcl_policy {
	enum pcl_kind kind;
	char *name;
	char *ns; /* KubeArmorPolicy: "default" where metadata says nothing; other kinds: NULL */
	char *file;
	struct pcl_place place;
	struct pcl_label
		*selector; /* matchLabels (nodeSelector's for host policies), all must match */
	size_t selector_count;
	struct pcl_expression *expressions; /* all must hold, besides the labels */
	size_t expression_count;
	char **containers; /* the container's name must be one of these; count 0: any */
	size_t container_count;
	struct pcl_rule **rules;
	size_t rule_count;
};

/* Policies in the order of reading, which no decision depends on. Owns them. */
struct pcl_policy_set {
	struct pcl_policy **policies;
	size_t policy_count;
	/* "FILE:LINE:COLUMN: ..." lines that are no errors: skipped kinds, surprises. */
	char **notices;
	size_t notice_count;
};

int pcl_policy_set_new(struct pcl_policy_set **ret_set);
void pcl_policy_set_free(struct pcl_policy_set **set);

/* A mistake in a policy, or what is as good as one. */
struct pcl_problem {
	int error; /* negative errno, as pcl_policy_set_read() */
	char *file;
	struct pcl_place place; /* line 0: the file as a whole */
	char *text;		/* the offending text; NULL where there is none */
	char *what;		/* one line */
	char *hint;		/* how to mend it; NULL where what says it all */
};

/* At most PCL_PROBLEMS_MAX are kept, the first ones. */
#define PCL_PROBLEMS_MAX 100u
struct pcl_problems {
	struct pcl_problem *items;
	size_t count;
	size_t left_out;
};

void pcl_problems_fini(struct pcl_problems *problems);

/*
 * Adds the policies of one file (several documents allowed; "-" is standard input; a directory is
 * read for *.yaml and *.yml, sorted by name). All or nothing: on error the set is as before and
 * diag has FILE:LINE:COLUMN, what, how to mend it.
 * -EINVAL for what the language does not have, -EOPNOTSUPP for a kind of KubeArmor's that is no
 * policy for a security module, -EEXIST for a second policy of the same kind, namespace and name.
 */
int pcl_policy_set_read(struct pcl_policy_set *set, const char *path, struct pcl_diag *diag);

/*
 * The same, and goes on after a mistake to find the next: every one is added to problems. The
 * return value is that of the first.
 */
int pcl_policy_set_read_all(struct pcl_policy_set *set, const char *path,
			    struct pcl_problems *problems);

/* The same from memory, e.g. from the engine's own saved state. */
int pcl_policy_set_read_memory(struct pcl_policy_set *set, const char *name, const char *data,
			       size_t data_len, struct pcl_diag *diag);

/*
 * Prints the set as YAML that reads back as the same policies: same rules, same ids, other places.
 * 0 and a new string, or -ENOMEM.
 */
int pcl_policy_set_print(const struct pcl_policy_set *set, char **ret_text);

/* Whether two sets say the same, in the same order, places and file names aside. */
bool pcl_policy_set_equal(const struct pcl_policy_set *a, const struct pcl_policy_set *b);

const char *pcl_class_name(enum pcl_class class);	   /* "process", "file", "network", ... */
const char *pcl_action_name(enum pcl_action action);	   /* "Allow", "Audit", "Block" */
const char *pcl_match_name(enum pcl_match match);	   /* "path", "dir", "dir-recursive", ... */
const char *pcl_kind_name(enum pcl_kind kind);		   /* "KubeArmorPolicy", ... */
const char *pcl_protocol_name(enum pcl_protocol protocol); /* "tcp", ... */
const char *pcl_preset_name(enum pcl_preset preset);	   /* "filelessExec", ... */
enum pcl_class pcl_preset_class(enum pcl_preset preset);

#endif
