/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every map of the engine. All are pinned by name, so that they outlive the process that made them.
 * KERNEL: a pinned map whose types the kernel knows can be read as a file by whom its mode lets, so
 * where they need not be told, sizes stand instead.
 *
 * What every operation looks at is a variable (resident): its address stands in the programs, where
 * an entry of a map has to be looked up. Behind it lies a map as well, pinned as "control", which
 * the engine makes.
 */
#ifndef PCL_BPF_MAPS_H
#define PCL_BPF_MAPS_H

#include "loop.h"

#include "abi.h"

enum pcl_walk_end {
	WALK_GOING,
	WALK_TOP,	  /* reached the top of a namespace's mount tree */
	WALK_NAMELESS,	  /* reached a mount of the kernel's own: memfd, pipe, socket */
	WALK_UNKNOWN,	  /* ran out of the tree: a detached mount, a disconnected dentry */
	WALK_INTERRUPTED, /* as many levels as asked for */
	WALK_BACKING,	  /* the kernel's own view of another file: an overlay's layer */
};

/* Where an object or an executable lies. */
struct pcl_object {
	__u64 dentry;
	__u64 mnt; /* struct vfsmount */
};

/* What is asked; passed by pointer to a function that the verifier checks once. */
struct pcl_question {
	struct pcl_object object;
	__u32 access;
	__u32 class;
	__u32 hook;
	__u32 flags; /* ASK_* of judge.h */
};

/* What an alert says besides what the task itself tells. */
struct pcl_alert {
	__u64 generation;
	struct pcl_object object;
	__u32 rule;
	__u32 domain;
	__u32 flags;
	__u32 hook;
	__u32 access;
};

/* What is asked of an object that is a number (number.h). */
struct pcl_number {
	__u32 class; /* enum pcl_bpf_class, from PCL_BPF_NETWORK on */
	__u32 number;
	__u32 hook;
	__u32 access; /* for the alert */
	__u32 quiet;  /* NUMBER_* */
	struct pcl_bpf_detail detail;
};

enum pcl_scan_phase {
	SCAN_NONE,   /* no search is going on */
	SCAN_MOUNT,  /* at a mount of the file system */
	SCAN_COVERS, /* climbing from the subject to the mount's root */
	SCAN_BELOW,  /* climbing from the mount's root to the subject */
};

/* Which mounts come into question. The further ones only where no mount is given to go by. */
enum pcl_scan_among {
	AMONG_HOME,	/* those of the domain's namespace */
	AMONG_INTERNAL, /* those of the kernel itself */
	AMONG_ALL,	/* those of any namespace */
};

/* A search for the mount that names an object; mount.h. */
struct pcl_scan {
	__u64 subject; /* dentry */
	__u64 head;    /* where the list of mounts ends */
	__u64 mount;   /* struct mount at the cursor */
	__u64 root;    /* its root */
	__u64 climb;   /* dentry */
	__u64 best;    /* struct vfsmount; 0: none yet */
	__u64 best_order;
	__u64 below_order; /* of the oldest mount of a part of what lies below the subject */
	__u64 order;	   /* of the mount at the cursor: the greater, the younger */
	__u32 phase;
	__u32 whole; /* the subject is the root of a mount, and the answer is for all of it */
	__u32 tries;
	__u32 among; /* enum pcl_scan_among */
};

/* A walk from a dentry towards the root. Pointers are kept as numbers. */
struct pcl_walk {
	__u64 dentry;
	__u64 mnt; /* struct vfsmount */
	__u64 mnt_root;
	__u32 depth; /* components met so far */
	__u32 limit; /* stop after so many */
	__u32 end;   /* enum pcl_walk_end */
	__u32 home;  /* mount namespace by which things are named; 0: the reaching mounts count */
	__u32 mount_seq;
	__u32 crossings;
	__u32 partial; /* on some mount the name depends on the object */
	__u32 lasting; /* home never goes away: the host's */
	__u32 pad;
	__u32 layer; /* reached as an overlay's layer, by the kernel */
	__u64 sum;   /* of what the walk met (steady.h) */
	struct pcl_scan scan;
};

/* A descent from the root of a trie along a gathered path. */
struct pcl_descent {
	struct pcl_trie_edge at; /* where it stands */
	__u32 depth;		 /* components of the whole path */
	__u32 level;		 /* components consumed */
	__u32 set;		 /* the answer, once ended */
	__u32 below_rule;	 /* protects something below the object; 0: none */
	__u32 ended;
	__u32 offset; /* bytes consumed of a component longer than a chunk */
	__u32 child;  /* of the edge above that component */
	__u32 deep;
};

/*
 * One level of a path. raw is filled on kernels without bpf_rdonly_cast, where one read of
 * everything at once is cheapest; it is laid out as the kernel's dentry from d_parent on.
 */
struct pcl_slot {
	__u64 dentry;
	struct {
		__u64 parent;
		__u32 hash;
		__u32 len;
		__u64 name;
		__u64 inode;
		__u64 iname[PCL_CHUNK_WORDS];
	} raw;
};

/* Where else than in the trie sets are found. */
enum pcl_found {
	PCL_FOUND_NAME,
	PCL_FOUND_PATTERN,
	PCL_FOUND_MAX = PCL_FOUND_PATTERN + PCL_PATTERN_GROUPS,
};

/* A run of automata along a gathered path; pattern.h. */
struct pcl_run {
	__u64 name; /* of the component at hand */
	__u32 at[PCL_PATTERN_GROUPS];
	__u32 classes[PCL_PATTERN_GROUPS];
	__u32 from[PCL_PATTERN_GROUPS];	 /* where a directory stands that is about to move */
	__u32 below[PCL_PATTERN_GROUPS]; /* and the rule that something below it may break */
	__u32 depth;			 /* components of the whole path */
	__u32 level;			 /* components begun */
	__u32 until;			 /* the first one that is not gathered */
	__u32 offset;			 /* bytes of the component consumed */
	__u32 len;
	__u32 ended;
	__u8 chunk[PCL_CHUNK_LEN]; /* the bytes around offset */
};

/* Bytes of an argument that are read at once: a chunk, the byte behind it, and whole words. */
#define PCL_ARG_READ 40u

/* The arguments of the program that the task is about to execute; args.h. */
struct pcl_args {
	__u64 bprm; /* struct linux_binprm; 0: it executes none, or none of which they are asked */
	__u64 at;   /* where the next byte stands */
	__u32 left; /* arguments that are not read to their end */
	__u32 root; /* of the list */
	__u32 node; /* where the argument at hand stands in it */
	__u32 own;  /* the argument at hand is the program's own name */
	__u32 met;
	__u32 ended;
	__u64 chunk[16]; /* twice what a bounds check by mask takes */
};

/*
 * What is kept for a task: where it belongs, and the scratch of its own path walks. The scratch
 * lives here and not per CPU, because a program may be preempted and a second task run on the same
 * CPU would write into the first one's walk. Nor on the stack: the verifier follows every value
 * there, and the loops would not converge.
 */
struct pcl_task {
	__u64 live;	 /* control.live when domain was looked up */
	__u64 cgroup_id; /* of the task then; a move to another cgroup means looking again */
	__u32 domain;
	__u32 incarnation;
	__u32 mount_ns; /* likewise, where there are domains that namespaces tell */
	__u16 visiting; /* in a container's cgroup, and the host's (visit.h) */
	__u16 arrived;	/* was visiting when it executed a program */
	__u32 entered;	/* into domain from outside, and has executed nothing there yet */
	__u32 active;	/* bit per class of which domain has rules, as of live */
	struct pcl_walk walk;
	struct pcl_descent down;
	struct pcl_bpf_detail
		detail; /* for an alert about a number; not on the stack, which is full */
	struct pcl_slot slot[PCL_WINDOW]; /* by distance from the leaf, modulo PCL_WINDOW */
	struct pcl_run run;
	struct pcl_object at; /* what is asked about, as numbers */
	struct pcl_object to; /* what a directory is about to become */
	struct pcl_args args;
	__u32 below_rule;	    /* as in down, by patterns */
	__u32 found[PCL_FOUND_MAX]; /* sets, by where they were found */
	__u32 preset;		    /* likewise, of presets */
#ifdef PCL_OLD_KERNEL
	/* Arguments of global functions, which take numbers only there. */
	struct pcl_question ask;
	struct pcl_number number;
	struct pcl_alert alert;
	struct pcl_object object;
#endif
};

#ifdef PCL_OLD_KERNEL

/* Tasks with state at once; each costs sizeof(struct pcl_task), allocated when it is first met. */
#define PCL_TASKS_MAX (1u << 17)

/*
 * By address. KERNEL: security_task_free() is called for every task for which security_task_alloc()
 * was, before its memory can be another task's; the program there is attached as long as this map
 * is used, so an entry never outlives its task.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PCL_TASKS_MAX);
	__uint(key_size, sizeof(__u64));
	__uint(value_size, sizeof(struct pcl_task));
} tasks SEC(".maps");

/* A state as it begins: too big for the stack. Never written. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pcl_task));
} blank SEC(".maps");

/*
 * An alert while it is written, by the task's address: a global function finds it again there, but
 * cannot be handed a piece of the ring buffer. As many as tasks can be refused at one moment.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__uint(key_size, sizeof(__u64));
	__uint(value_size, sizeof(struct pcl_bpf_event));
} drafts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pcl_bpf_event));
} blank_event SEC(".maps");

#else

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pcl_task);
} tasks SEC(".maps");

#endif

/*
 * What is kept for a directory: where the descent stands at it, for the last domain that looked.
 * cache.h says what makes it valid. A table that forgets: two directories may have one place in it.
 */
#define PCL_DIRS_BITS 12u
#define PCL_DIR_LEVELS (PCL_WINDOW - 1)

struct pcl_dir {
	__u32 stamp; /* odd while somebody writes; changes with every write */
	__u32 levels;
	__u32 mount_seq;
	__u32 domain;
	__u32 incarnation;
	__u32 valid; /* bit per class */
	__u64 live;
	__u64 dentry;
	__u64 mnt;
	struct pcl_trie_edge at[PCL_BPF_CLASS_COUNT];
	/* What gives it its name: itself, unless it is a mount's root, and all above. */
	__u64 above[PCL_DIR_LEVELS]; /* dentries */
	__u32 seqs[PCL_DIR_LEVELS];  /* the sequence number of each */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1u << PCL_DIRS_BITS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pcl_dir));
} dirs SEC(".maps");

/* What was permitted without a word; verdict.h. A table that forgets, likewise. */
#define PCL_VERDICTS_BITS 14u
#define PCL_VERDICT_NAMED (1u << 31) /* in permits: only as long as the object has a name */
#define PCL_VERDICT_ANYONE (~0ULL)   /* in domain: the ruleset has the host's alone */
#define PCL_VERDICT_NOBODY (~1ULL)   /* of no entry */

struct pcl_verdict {
	__u64 dentry;
	__u64 mnt;
	__u64 live;
	__u64 domain;  /* and its incarnation, as in struct pcl_task; or PCL_VERDICT_ANYONE */
	__u64 moment;  /* both sequence numbers */
	__u64 permits; /* bit per access */
	__u64 check;   /* of all the rest, so that what two writers mixed is not believed */
};

/*
 * Which mount gives the names of what a mount shows, kept until any mount changes. A table that
 * forgets: two mounts may have one place in it.
 */
#define PCL_KEPT_MOUNTS 4096u
#define PCL_MOUNT_PARTIAL 1u /* in names: it depends on the object */

struct pcl_kept_mount {
	__u32 mount_seq;
	__u32 pad;
	__u64 mnt;
	__u64 names; /* struct vfsmount */
	__u64 check; /* of all the rest, so that what two writers mixed is not believed */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PCL_KEPT_MOUNTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pcl_kept_mount));
} mounts SEC(".maps");

/* By domain id: the mount namespace that names its objects, and since when there is the domain. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PCL_BPF_DOMAINS_MAX);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pcl_bpf_home));
} homes SEC(".maps");

/* Tasks whose domain is known, by address; asker.h. A table that forgets, likewise. */
#define PCL_ASKERS_BITS 12u

struct pcl_kept_asker {
	__u64 task;
	__u64 moment; /* the ruleset and the task's cgroup */
	__u64 domain; /* as a verdict has it */
	__u64 active; /* bit per class of which it has rules */
};

/* Descriptors whose use was permitted; file.h. A table that forgets, likewise. */
#define PCL_FILES 4096u

struct pcl_kept_file {
	__u64 file;
	__u64 sum;    /* of what must not have changed */
	__u64 pad[6]; /* a power of two, so that a mask of the address is the place */
};

/*
 * control is mapped by the engine, so that control.live is switched by one aligned store. The only
 * variable of each object: so it lies at the beginning of the map in all of them, which share it.
 */
static struct pcl_resident {
	struct pcl_bpf_control control;
	struct pcl_kept_file files[PCL_FILES]; /* near, so that an instruction holds the distance */
	struct pcl_verdict verdicts[1u << PCL_VERDICTS_BITS];
	struct pcl_kept_asker askers[1u << PCL_ASKERS_BITS];
} resident SEC(".bss");

/*
 * Written by the engine before it loads the object. KERNEL: the map is frozen, so the verifier
 * knows the values and leaves out what they rule out.
 */
static const volatile struct pcl_bpf_machine machine SEC(PCL_BPF_MACHINE);

/* Entry slot * PCL_BPF_DOMAINS_MAX + domain id. Mapped by the engine, which fills the dead slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PCL_SLOTS *PCL_BPF_DOMAINS_MAX);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pcl_bpf_domain));
} domains SEC(".maps");

/*
 * Cgroup (v2) id to domain, for the top cgroup of each domain: of the live ruleset and, while it is
 * being switched to, of the next. What leads to neither is cleared before any is added.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PCL_SLOTS *PCL_BPF_DOMAINS_MAX);
	__uint(key_size, sizeof(__u64));
	__uint(value_size, sizeof(struct pcl_bpf_cgroup));
} cgroups SEC(".maps");

/* Namespace (PCL_SPACE_*) to domain, where no cgroup tells it; likewise, two for each domain. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 2 * PCL_SLOTS * PCL_BPF_DOMAINS_MAX);
	__uint(key_size, sizeof(__u64));
	__uint(value_size, sizeof(struct pcl_bpf_cgroup));
} spaces SEC(".maps");

struct pcl_trie_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u64));
	__uint(value_size, sizeof(struct pcl_trie_entry));
};

/*
 * One trie map per slot; the last entry is the fence. KERNEL: a change of an entry from user space
 * returns only after every program that ran at that moment has ended (synchronize_rcu in
 * maybe_wait_bpf_programs), so writing the fence tells when nobody reads the dead slot any more.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PCL_SLOTS + 1);
	__type(key, __u32);
	__array(values, struct pcl_trie_map);
} tries SEC(".maps");

struct pcl_set_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pcl_bpf_set));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PCL_SLOTS);
	__type(key, __u32);
	__array(values, struct pcl_set_map);
} sets SEC(".maps");

struct pcl_pattern_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pcl_pattern_block));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PCL_SLOTS);
	__type(key, __u32);
	__array(values, struct pcl_pattern_map);
} patterns SEC(".maps");

/* What is ours (PCL_OWN_*). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__uint(key_size, sizeof(__u64));
	__uint(value_size, sizeof(__u32));
} own SEC(".maps");

/* By domain id. Mapped by the engine. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PCL_BPF_DOMAINS_MAX);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pcl_bpf_tally));
} tallies SEC(".maps");

/* When it is full the bucket that was not used for longest goes, and its rule may burst again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__uint(key_size, sizeof(__u64));
	__uint(value_size, sizeof(struct pcl_bpf_bucket));
} buckets SEC(".maps");

/* Alerts. When it is full an alert is lost and counted; the operation is decided all the same. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} events SEC(".maps");

/*
 * &resident, by an instruction where it is wanted: the compiler would keep the address in a
 * register from the beginning of the program on, which then has one more to save.
 */
static __always_inline struct pcl_resident *resident_here(void)
{
	struct pcl_resident *here;

	asm volatile("%0 = %1 ll" : "=r"(here) : "i"(&resident));
	return here;
}

/* Which ruleset is live. */
static __always_inline __u64 live_now(void)
{
	return *(volatile __u64 *)&resident.control.live;
}

/* The state of a task, made where there is none, or NULL where there is no room for it. */
static __always_inline struct pcl_task *task_state(struct task_struct *task)
{
#ifdef PCL_OLD_KERNEL
	struct pcl_task *state, *fresh;
	__u64 key = (__u64)task;
	__u32 zero = 0;

	state = bpf_map_lookup_elem(&tasks, &key);
	if (state)
		return state;
	fresh = bpf_map_lookup_elem(&blank, &zero);
	if (fresh)
		bpf_map_update_elem(&tasks, &key, fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tasks, &key);
#else
	return bpf_task_storage_get(&tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
#endif
}

#endif
