/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the BPF programs and core/backend: map keys and values, nothing else. The
 * only header that both sides include. Fixed-width types, explicit padding, zero-filled padding,
 * because keys are compared as bytes. A change here changes PCL_BPF_ABI.
 *
 * How a ruleset looks in the kernel. Each class of a domain has a trie over path components; an
 * edge is one hash entry, which holds the component's bytes, so no hash collision can decide. A
 * component longer than a chunk takes several edges. Every edge carries three "sets", the rules
 * that apply to an object which ends here, one component below, or deeper without an edge of its
 * own: inherited directory rules are folded in when the plan is made, so the kernel decides no
 * precedence. A set says for each access what happens and which rule is named.
 *
 * What is no path is looked up in the same map: the node of the class's root has one edge per
 * number (a kind of socket, a capability), whose key has the number as len and no name.
 *
 * An object may be looked up in several parts of a class (PCL_PART_*). Each part's sets hold what
 * its own rules say under the domain's posture, so that pcl_join_outcomes() of all parts is what
 * all rules together say. It holds because rules are numbered in the order of attribution.
 *
 * DNS names likewise: the root of the class has one edge for each name of a rule (in chunks, as
 * above), written as a query has it: each label behind its length, in lower case, without the
 * root's. Its self is what all rules together say of that name and of those below it that have no
 * edge. Of the class's root, self is for names without an edge, and deep for a query that cannot be
 * read.
 *
 * Two slots (maps in `tries` and `sets`, entries in `domains`) hold the live ruleset and the next;
 * control.live names the live slot and is switched by one 8-byte store.
 */
#ifndef PCL_BPF_ABI_H
#define PCL_BPF_ABI_H

#ifndef PCL_BPF_PROGRAM
#include <linux/types.h>
#endif

#define PCL_BPF_ABI 13

/* Domains, the host (id 0) included; each costs PCL_SLOTS * sizeof(struct pcl_bpf_domain) bytes. */
#define PCL_BPF_DOMAINS_MAX 10240u
#define PCL_BPF_DOMAIN_HOST 0u
#define PCL_SLOTS 2u

/* Bytes of a path component in one trie edge; with node and len a key of 40 bytes. */
#define PCL_CHUNK_WORDS 4u
#define PCL_CHUNK_LEN (PCL_CHUNK_WORDS * 8u)
/* In pcl_trie_key.len: the component goes on in the next edge. */
#define PCL_CHUNK_MORE 0x100u
/* In pcl_trie_key.node: the key is (set, source id) and leads to the set for that source. */
#define PCL_NODE_SET 0x80000000u
/* The trie of fromSource paths, shared by all domains; an edge's self is then a source id. */
#define PCL_NODE_SOURCES 1u
#define PCL_NODE_FIRST 2u

/* Levels of a path that are gathered at once; deeper paths are gathered in several windows. */
#define PCL_WINDOW 16u

/* Set 0 permits everything silently and is never looked up. */
#define PCL_SET_PERMIT 0u
/* In a set's number: some rule of the set has a source, so there may be a variant for the task's.
 */
#define PCL_SET_SOURCES 0x40000000u
/*
 * In a set's number: PCL_CONDITIONS consecutive sets, one for each combination of what conditions
 * ask for. A variant for a source has a flag of its own.
 */
#define PCL_SET_CONDITIONS 0x20000000u
/*
 * In a set's number: what it says depends on the arguments of the program that is executed. The
 * first set then is none: the rules of its accesses are the nodes of lists of arguments,
 * PCL_ARG_LISTS at most, 0: no more. Behind it stand PCL_CONDITIONS sets for each combination of
 * lists that hold all arguments (a bit for each, the first the lowest).
 */
#define PCL_SET_ARGS 0x10000000u
#define PCL_SET_NUMBER 0x0fffffffu
#define PCL_ARG_LISTS 4u

#define PCL_CONDITION_OWNER (1u << 0)	 /* the acting fsuid owns the object, or would */
#define PCL_CONDITION_TERMINAL (1u << 1) /* the acting task has a terminal */
#define PCL_CONDITIONS 4u

/* As the model numbers them. */
enum pcl_bpf_class {
	PCL_BPF_PROCESS,
	PCL_BPF_FILE,
	PCL_BPF_CLASS_COUNT, /* those with a trie of paths; of the others the objects are numbers */
	PCL_BPF_NETWORK = PCL_BPF_CLASS_COUNT,
	PCL_BPF_DNS,
	PCL_BPF_CAPABILITY,
	PCL_BPF_SYSCALL,
	/*
	 * Anonymous memory that becomes executable, which in the model is of the process class;
	 * here in the place of devices, which no hook sees.
	 */
	PCL_BPF_MAPPING,
	PCL_BPF_CLASSES_END,
};
#define PCL_BPF_NUMBERED_COUNT (PCL_BPF_CLASSES_END - PCL_BPF_CLASS_COUNT)

enum pcl_bpf_access {
	PCL_BPF_EXECUTE,
	PCL_BPF_READ,
	PCL_BPF_WRITE,
	PCL_BPF_ACCESS_COUNT, /* of paths; the others are the model's numbers, for alerts */
	PCL_BPF_MAP = PCL_BPF_ACCESS_COUNT,
	PCL_BPF_SOCKET = 4,
	PCL_BPF_RESOLVE,
	PCL_BPF_CAPABLE,
	PCL_BPF_SYSTEM_CALL,
};
/* A power of two, so that a mask is the bounds check. */
#define PCL_BPF_ACCESS_SLOTS 4u
/* The place in a set of the one access that a class with numbers has. */
#define PCL_BPF_ACCESS_NUMBERED 0u

/* pcl_bpf_outcome.flags */
#define PCL_OUTCOME_REFUSE (1u << 0)
#define PCL_OUTCOME_ALERT (1u << 1)
/* An allow-list's Allow matched; holds only for an object that has a name. */
#define PCL_OUTCOME_ALLOWED (1u << 2)
/* An allow-list has nothing that matched; with REFUSE where the posture is block. */
#define PCL_OUTCOME_BY_POSTURE (1u << 3)
/* With REFUSE: the rule is a preset's, which is about running an object, not about its name. */
#define PCL_OUTCOME_BY_PRESET (1u << 4)

/*
 * rule is a number in the generation's rule table, from 1, 0: none. Of a refusal it is the rule
 * that refuses; else, and where the posture refuses, the Audit rule that matched.
 */
struct pcl_bpf_outcome {
	__u32 rule;
	__u32 flags;
};

/* Whether a rule refuses, or the object is unknown; the posture does not overrule it. */
static inline __u32 pcl_outcome_is_ruled(const struct pcl_bpf_outcome *outcome)
{
	return (outcome->flags & (PCL_OUTCOME_REFUSE | PCL_OUTCOME_BY_POSTURE)) ==
	       PCL_OUTCOME_REFUSE;
}

/* The better attribution of two rules, 0 being none. */
static inline __u32 pcl_first_rule(__u32 a, __u32 b)
{
	return !a || (b && b < a) ? b : a;
}

/* Into outcome what it and other, another part's, say together. */
static inline void pcl_join_outcomes(struct pcl_bpf_outcome *outcome,
				     const struct pcl_bpf_outcome *other)
{
	__u32 ruled = pcl_outcome_is_ruled(outcome), other_ruled = pcl_outcome_is_ruled(other);
	__u32 flags = outcome->flags | other->flags;

	if (ruled || other_ruled) {
		if (!ruled ||
		    (other_ruled && pcl_first_rule(outcome->rule, other->rule) != outcome->rule))
			*outcome = *other;
		return;
	}
	outcome->rule = pcl_first_rule(outcome->rule, other->rule);
	if (flags & PCL_OUTCOME_ALLOWED)
		flags = PCL_OUTCOME_ALLOWED | (outcome->rule ? PCL_OUTCOME_ALERT : 0);
	outcome->flags = flags;
}

/* The rule that an alert names; 0: the default posture. */
static inline __u32 pcl_outcome_named(const struct pcl_bpf_outcome *outcome)
{
	return (outcome->flags & PCL_OUTCOME_REFUSE) && !pcl_outcome_is_ruled(outcome)
		       ? 0
		       : outcome->rule;
}

/*
 * Numbers of system calls as the task's kind of program has them. KERNEL: those of x32 have a bit
 * of their own (30); those of 32-bit programs of x86 and arm64 are told by the task alone.
 */
#define PCL_SYSCALL_COMPAT 0x80000000u

struct pcl_bpf_set {
	struct pcl_bpf_outcome access[PCL_BPF_ACCESS_SLOTS];
};

struct pcl_trie_key {
	__u32 node;
	__u32 len; /* bytes of name used, and PCL_CHUNK_MORE; a source id with PCL_NODE_SET */
	__u64 name[PCL_CHUNK_WORDS];
};

struct pcl_trie_edge {
	__u64 filter; /* bit pcl_filter_bit(first chunk) is set for every edge of node; 0: none */
	__u32 node;   /* where the edge leads; 0: no edges below */
	__u32 self;   /* set for an object that ends here */
	__u32 child;  /* set for an object one component below that has no edge */
	__u32 deep;   /* set for an object further below that has no edge */
	__u32 below_rule; /* a rule that can refuse something below here, 0: none (rename) */
	__u32 pad;
};

/* What the trie map holds under pcl_key_hash() of key. */
struct pcl_trie_entry {
	struct pcl_trie_key key;
	struct pcl_trie_edge edge;
};

/* pcl_bpf_domain.parts: where else than in the class's trie an object is looked up. */
#define PCL_PART_NAMES (1u << 0)    /* by its base name */
#define PCL_PART_PATTERNS (1u << 1) /* by pattern */
#define PCL_PART_PRESETS (1u << 2)  /* by what it is, or by how the task came here */
#define PCL_PARTS_BY_PATH (PCL_PART_NAMES | PCL_PART_PATTERNS)

/* The classes whose objects have paths are the first ones. */
#define PCL_BPF_PATH_CLASSES 2u

/*
 * Automata for patterns: a state is a block, or some in a row where there are more classes of bytes
 * than words. Block 0 is the state from which nothing matches, and is never looked up.
 */
#define PCL_PATTERN_GROUPS 4u /* automata of a class; a power of two */
#define PCL_PATTERN_WORDS 64u

enum pcl_pattern_word {
	PCL_PATTERN_SET,   /* for an object that ends here; PCL_SET_PERMIT: no pattern matches */
	PCL_PATTERN_BELOW, /* the first rule that can refuse something further on, 0: none */
	PCL_PATTERN_NEXT,  /* the block to go to for the first class of bytes; more follow */
};

struct pcl_pattern_block {
	__u32 words[PCL_PATTERN_WORDS]; /* or a class for each of 256 bytes */
};

struct pcl_pattern_group {
	__u32 classes; /* the block that tells a byte's class */
	__u32 start;   /* the state behind the first "/"; 0: there is no such automaton */
};

struct pcl_bpf_domain {
	__u32 incarnation; /* never the same for two domains that use one id after another; 0: free
			    */
	__u32 active;	   /* bit per class that has rules */
	__u32 alone;	   /* the ruleset has no other, so every task belongs to it: the host's */
	__u32 pad;
	__u32 parts[PCL_BPF_CLASS_COUNT]; /* PCL_PART_* that a class has besides its trie */
	struct pcl_trie_edge root[PCL_BPF_CLASS_COUNT];
	/* A trie of its own, with a single level: the base name. */
	struct pcl_trie_edge names[PCL_BPF_PATH_CLASSES];
	struct pcl_pattern_group patterns[PCL_BPF_PATH_CLASSES][PCL_PATTERN_GROUPS];
	__u32 nameless[PCL_BPF_CLASS_COUNT]; /* set for an object that has no path */
	__u32 unknown[PCL_BPF_CLASS_COUNT];  /* set for an object whose path cannot be built */
	/* Sets of presets (PCL_PART_PRESETS): */
	__u32 entered;	 /* for what a task executes that came in from outside */
	__u32 environ;	 /* for /proc/PID/environ of another process */
	__u32 processes; /* for what else is below /proc/PID of another process */
	/*
	 * From PCL_BPF_NETWORK on, the classes whose objects are numbers. An edge below has the
	 * number for len and no name; self is the set for the numbers without one.
	 */
	struct pcl_trie_edge numbers[PCL_BPF_NUMBERED_COUNT];
};

struct pcl_bpf_cgroup {
	__u32 domain;
	__u32 incarnation;
};

/*
 * Made by the engine before the domain is live. The mount namespace is set once for an incarnation,
 * by the engine or by the first program that the domain executes.
 */
struct pcl_bpf_home {
	__u32 incarnation;
	__u32 mnt_ns; /* inode number; 0: not known yet */
	__u64 since;  /* control.live is not less from the moment on that the domain is live */
};

/* Key of what is ours: its kind and the kernel's number of it. */
#define PCL_OWN_MAP (1ULL << 32)
#define PCL_OWN_PROGRAM (2ULL << 32)
#define PCL_OWN_LINK (3ULL << 32)

/* Key of a namespace: its kind and its number. */
#define PCL_SPACE_MOUNT (1ULL << 32)
#define PCL_SPACE_PID (2ULL << 32)

/*
 * What became of a domain's alerts: handed to the buffer, lost as it was full, or left out by the
 * rate limit. Reset by the engine when the id is another domain's.
 */
struct pcl_bpf_tally {
	__u64 sent;
	__u64 lost;
	__u64 suppressed;
	__u32 incarnation;
	__u32 pad;
};

/* Of one rule in one domain: key domain << 32 | rule. */
struct pcl_bpf_bucket {
	__u64 filled_ns; /* CLOCK_BOOTTIME */
	__u32 tokens;
	__u32 suppressed; /* since the last alert that was let through */
};

/*
 * Which sockets network rules tell apart (core/backend/bpf_lsm_kinds.h): a kind by family column,
 * type and protocol column. What lies beyond a table is as its last entry.
 */
#define PCL_SOCKET_FAMILIES 64u
#define PCL_SOCKET_TYPES 16u
#define PCL_SOCKET_PROTOCOLS 512u
#define PCL_SOCKET_COLUMNS 16u

struct pcl_bpf_kinds {
	__u8 family[PCL_SOCKET_FAMILIES];
	__u8 protocol[PCL_SOCKET_PROTOCOLS];
	__u8 kind[PCL_SOCKET_COLUMNS][PCL_SOCKET_TYPES][PCL_SOCKET_COLUMNS];
};

struct pcl_bpf_control {
	__u64 live;    /* generation << 1 | slot; 0: nothing applied yet. First in every version */
	__u64 unknown; /* operations whose path could not be built */
	__u64 no_room; /* operations refused since there was no room for the task's state */
	__u32 abi;
	__u32 spaces;	  /* some domains are told by namespaces; 0: nobody need look at them */
	__u32 alert_rate; /* alerts a second for one rule in one domain; 0: no limit */
	__u32 alert_burst;
	__u32 alone; /* a hint: there is no domain but the host's, so a verdict is asked first */
	__u32 pad;
	/* Where our pins are: file system, directory, and the mount namespace of who made them. */
	__u64 pin_ino;
	__u32 pin_dev;
	__u32 pin_mount_ns;
	/*
	 * Where the kernel has these variables, by which the page table of a program that is not
	 * running yet is read; 0: it has none. The first is 0 while no rule speaks of arguments.
	 */
	__u64 page_offset_base_at;
	__u64 pgdir_shift_at;
	__u64 physical_mask_at;
	struct pcl_bpf_kinds kinds;
};

/*
 * The section of the constants by which each object is told of the running kernel before it is
 * loaded (struct pcl_bpf_machine); the map's name there.
 */
#define PCL_BPF_MACHINE ".rodata.machine"

struct pcl_bpf_machine {
	/* Where the kernel has these locks; 0: not known. */
	__u64 mount_lock_at;
	__u64 rename_lock_at;
	/* Hooks that were given one more argument in front. */
	__u8 has_xattr_idmap;
	__u8 has_setattr_idmap;
	__u8 pad[6];
};

#define PCL_EVENT_OBJECT_MAX 4096u /* PATH_MAX */
#define PCL_EVENT_SOURCE_MAX 1024u /* enough to recognise a program; longer ones are marked */
#define PCL_EVENT_CWD_MAX 1024u
#define PCL_EVENT_COMM_LEN 16u
#define PCL_EVENT_NAME_MAX 256u /* NAME_MAX and its end; room behind each path for one name */

/* What an operation without a path is about. */
struct pcl_bpf_detail {
	__u32 number; /* of a capability or a system call */
	__u16 family; /* of a socket, as the kernel has them */
	__u16 type;
	__u16 protocol;
	__u16 port;	   /* of an address that the operation names, in host order */
	__u32 address_len; /* bytes of address used; 0: the operation names none */
	__u8 address[16];
};

/* pcl_bpf_event.flags */
#define PCL_EVENT_REFUSED (1u << 0)
#define PCL_EVENT_OBJECT_CUT (1u << 1)
#define PCL_EVENT_SOURCE_CUT (1u << 2)
#define PCL_EVENT_UNKNOWN (1u << 3) /* the path could not be built; object is what was found */
#define PCL_EVENT_NAMELESS (1u << 4)
#define PCL_EVENT_BELOW (1u << 5) /* a directory was not moved because the rule lies below it */
#define PCL_EVENT_CWD_CUT (1u << 6)

/*
 * Paths are sequences of NUL-terminated components from the leaf up to the root, as the walk meets
 * them; the reader turns them round.
 */
struct pcl_bpf_event {
	__u64 time_ns; /* CLOCK_BOOTTIME */
	__u64 generation;
	__u32 rule;
	__u32 domain;
	__u32 flags;
	__u32 hook;   /* enum pcl_bpf_hook */
	__u32 access; /* enum pcl_access of core/policy/decide.h */
	__u32 pid;    /* thread, in the initial pid namespace */
	__u32 tgid;
	__u32 ppid; /* thread group of the real parent */
	__u32 uid;
	__u32 object_len;
	__u32 source_len;
	__u32 pid_in_ns; /* thread group as its own pid namespace numbers it */
	__u32 ppid_in_ns;
	__u32 suppressed; /* alerts of this rule and domain left out since the last one */
	__u32 cwd_len;
	__u32 pad;
	struct pcl_bpf_detail detail; /* where the class has numbers */
	char comm[PCL_EVENT_COMM_LEN];
	char source[PCL_EVENT_SOURCE_MAX + PCL_EVENT_NAME_MAX];
	char cwd[PCL_EVENT_CWD_MAX + PCL_EVENT_NAME_MAX];
	char object[PCL_EVENT_OBJECT_MAX + PCL_EVENT_NAME_MAX];
};

enum pcl_bpf_hook {
	PCL_HOOK_BPRM_CHECK,
	PCL_HOOK_FILE_OPEN,
	PCL_HOOK_TRUNCATE,
	PCL_HOOK_MKNOD,
	PCL_HOOK_MKDIR,
	PCL_HOOK_SYMLINK,
	PCL_HOOK_UNLINK,
	PCL_HOOK_RMDIR,
	PCL_HOOK_LINK,
	PCL_HOOK_RENAME,
	PCL_HOOK_CHMOD,
	PCL_HOOK_CHOWN,
	PCL_HOOK_FILE_PERMISSION,
	PCL_HOOK_FILE_RECEIVE,
	PCL_HOOK_FILE_TRUNCATE,
	PCL_HOOK_MMAP_FILE,
	PCL_HOOK_FILE_MPROTECT,
	PCL_HOOK_SETXATTR,
	PCL_HOOK_SETATTR,
	PCL_HOOK_FILE_IOCTL,
	PCL_HOOK_SOCKET_CREATE,
	PCL_HOOK_SOCKET_CONNECT,
	PCL_HOOK_SOCKET_BIND,
	PCL_HOOK_SOCKET_LISTEN,
	PCL_HOOK_SOCKET_ACCEPT,
	PCL_HOOK_SOCKET_SENDMSG,
	PCL_HOOK_SOCKET_RECVMSG,
	PCL_HOOK_CAPABLE,
	PCL_HOOK_MOUNT,
	PCL_HOOK_MOVE_MOUNT,
	PCL_HOOK_UMOUNT,
	PCL_HOOK_PIVOT_ROOT,
	PCL_HOOK_SYS_ENTER,
	PCL_HOOK_EGRESS,
	PCL_HOOK_COUNT,
};

/*
 * The hash under which an edge is found. It only finds: what is found holds its whole key and is
 * compared. The multiplier is the golden ratio in 64 bits (Knuth, The Art of Computer Programming,
 * volume 3, 6.4).
 */
static inline __u64 pcl_hash_step(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
	return hash ^ hash >> 32;
}

/*
 * The node has a step of its own, in the low half, so that it reaches all bits: else names under
 * two nodes that differ in the digits in which the nodes differ would have one hash.
 */
static inline __u64 pcl_hash_node(__u32 node, __u32 len)
{
	return pcl_hash_step(0, (__u64)len << 32 | node);
}

static inline __u64 pcl_hash_words(__u32 node, __u32 len, const __u64 name[PCL_CHUNK_WORDS])
{
	__u64 hash = pcl_hash_step(pcl_hash_node(node, len), name[0]);

	hash = pcl_hash_step(hash, name[1]);
	hash = pcl_hash_step(hash, name[2]);
	return pcl_hash_step(hash, name[3]);
}

/* Bit of the filter that stands for an edge with this hash. */
static inline __u32 pcl_filter_bit(__u64 hash)
{
	return (__u32)(hash >> 58);
}

#endif
