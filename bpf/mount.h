/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which of an object's mounts gives it its name (docs/names.md).
 *
 * An object has one name in a domain, whatever mount it was reached by: that by the oldest mount in
 * the domain's own mount namespace whose root is the object or lies above it. So a bind mount made
 * later, another mount namespace, a detached tree, or an overlay's layer gives no other name. Where
 * the namespace has no such mount, the mount by which it was reached counts. A hook may tell no
 * mount; then the kernel's own come next, which are no business of a policy, and then those of
 * anybody.
 *
 * The search goes over the file system's mounts one small step at a time, as a part of the walk, so
 * that there is one loop and no nesting. Its result is kept per mount until mount_lock's sequence
 * number moves. What is read meanwhile is not locked: a search during which that number moved is
 * done again, and after SCAN_TRIES the path is unknown, which is refused where anything is blocked.
 */
#ifndef PCL_BPF_MOUNT_H
#define PCL_BPF_MOUNT_H

#include "maps.h"
#include "read.h"

#define SCAN_TRIES 8u
/* More mounts than lie on any path; a chain of moved mounts may go round in a circle. */
#define CROSSINGS_MAX 1024u
/* KERNEL: MNT_NS_INTERNAL and other error values in a pointer. */
#define IS_ERROR(address) ((__u64)(address) >= (__u64)-4095)
/* KERNEL: MNT_NS_ANON_INO, the number of every anonymous mount namespace; before 6.18 it is 0. */
#define ANONYMOUS_INUM 0xEFFFFFF7u

static __always_inline __u32 mount_sequence(void)
{
	/* Without the address an odd number, which stands for "being changed". */
	__u64 lock = machine.mount_lock_at;

	return lock ? READ_FIELD(struct seqcount, lock, sequence) : 1;
}

/* The number of a mount's namespace; 0: none, an anonymous one, or the kernel's own. */
static __always_inline __u32 namespace_of(__u64 mount)
{
	__u64 ns = (__u64)READ_FIELD(struct mount, mount, mnt_ns);
	__u32 inum = !ns || IS_ERROR(ns) ? 0 : READ_FIELD(struct mnt_namespace, ns, ns.inum);

	return inum == ANONYMOUS_INUM ? 0 : inum;
}

static __always_inline __u64 mount_of(__u64 vfsmount)
{
	return vfsmount - bpf_core_field_offset(struct mount, mnt);
}

static __always_inline __u64 vfsmount_of(__u64 mount)
{
	return mount + bpf_core_field_offset(struct mount, mnt);
}

/* KERNEL: an overlay reaches its layers by mounts of its own, which have MNT_NS_INTERNAL. */
static __always_inline bool is_layer(__u64 mnt)
{
	return IS_ERROR(READ_FIELD(struct mount, mount_of(mnt), mnt_ns)) &&
	       !(READ_FIELD(struct vfsmount, mnt, mnt_flags) & MNT_INTERNAL);
}

/* --- what is kept of a mount ------------------------------------------------------------------ */

static __always_inline struct pcl_kept_mount *kept_mount(__u64 mnt, __u32 home)
{
	__u32 slot = pcl_hash_step(mnt, home) & (PCL_KEPT_MOUNTS - 1);

	return bpf_map_lookup_elem(&mounts, &slot);
}

static __always_inline __u64 check_of(const struct pcl_walk *walk, __u64 names)
{
	__u64 hash = pcl_hash_step((__u64)walk->mount_seq << 32 | walk->home, walk->mnt);

	return pcl_hash_step(hash, names);
}

/* The mount that names what walk's mount shows, or 0 where that is not known. */
static __always_inline __u64 look_up_mount(const struct pcl_walk *walk)
{
	struct pcl_kept_mount *kept = kept_mount(walk->mnt, walk->home);
	__u64 names;

	if (!kept || kept->mnt != walk->mnt || kept->mount_seq != walk->mount_seq ||
	    (walk->mount_seq & 1))
		return 0;
	names = *(volatile __u64 *)&kept->names;
	return *(volatile __u64 *)&kept->check == check_of(walk, names) ? names : 0;
}

static __always_inline void keep_mount(const struct pcl_walk *walk, __u64 names)
{
	struct pcl_kept_mount *kept = kept_mount(walk->mnt, walk->home);

	if (!kept)
		return;
	kept->mnt = walk->mnt;
	kept->mount_seq = walk->mount_seq;
	kept->names = names;
	kept->check = check_of(walk, names);
}

/* --- the search ------------------------------------------------------------------------------- */

static __always_inline bool mounts_are_listed(void)
{
	return bpf_core_field_exists(struct mount___list, mnt_instance);
}

static __always_inline bool mounts_are_numbered(void)
{
	return bpf_core_field_exists(struct mount___unique, mnt_id_unique);
}

/* Puts the cursor on the mount whose entry in the list is at, or ends the search. */
static __always_inline void scan_enter(struct pcl_scan *scan, __u64 at)
{
	if (mounts_are_listed())
		scan->mount =
			!at || at == scan->head
				? 0
				: at - bpf_core_field_offset(struct mount___list, mnt_instance);
	else
		scan->mount = at;
	scan->phase = SCAN_MOUNT;
}

static __always_inline void scan_next(struct pcl_scan *scan)
{
	if (mounts_are_listed())
		scan_enter(scan,
			   (__u64)READ_FIELD(struct mount___list, scan->mount, mnt_instance.next));
	else
		scan_enter(scan,
			   (__u64)READ_FIELD(struct mount___chain, scan->mount, mnt_next_for_sb));
}

/* Looks for the mount that names subject, which lies on the file system of walk's mount. */
static __always_inline void scan_start(struct pcl_walk *walk, __u64 subject, __u32 whole)
{
	struct pcl_scan *scan = &walk->scan;
	__u64 sb = (__u64)READ_FIELD(struct dentry, subject, d_sb), at;

	scan->subject = subject;
	scan->whole = whole;
	scan->best = 0;
	scan->best_order = ~0ull;
	scan->below_order = ~0ull;
	scan->order = 0;
	if (mounts_are_listed()) {
		scan->head = sb + bpf_core_field_offset(struct super_block___list, s_mounts);
		at = (__u64)READ_FIELD(struct super_block___list, sb, s_mounts.next);
	} else {
		scan->head = 0;
		at = (__u64)READ_FIELD(struct super_block___chain, sb, s_mounts);
	}
	scan_enter(scan, at);
}

static __always_inline void settle_on(struct pcl_walk *walk, __u64 mnt)
{
	walk->scan.phase = SCAN_NONE;
	walk->mnt = mnt;
	walk->mnt_root = (__u64)READ_FIELD(struct vfsmount, mnt, mnt_root);
}

static __always_inline __u32 namespace_of_task(struct task_struct *task)
{
	return BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
}

/*
 * Whether there is proof that somebody is in the domain's own mount namespace. KERNEL: calls are at
 * most 8 deep, and the walk for a source's path uses them all.
 */
static __always_inline int namespace_lives(__u32 home)
{
	struct task_struct *task = current_task();
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct pid_namespace *ns = NULL;

	if (namespace_of_task(task) == home ||
	    namespace_of_task(BPF_CORE_READ(task, real_parent)) == home)
		return 1;
	bpf_core_read(&ns, sizeof(ns), &pid->numbers[level].ns);
	return namespace_of_task(BPF_CORE_READ(ns, child_reaper)) == home;
}

/* All mounts were seen. */
static __always_inline void scan_finish(struct pcl_walk *walk)
{
	struct pcl_scan *scan = &walk->scan;
	__u32 now = mount_sequence();
	__u64 names = scan->best ? scan->best : walk->mnt;

	if (now != walk->mount_seq || (machine.mount_lock_at && (now & 1))) {
		walk->mount_seq = now;
		if (++scan->tries > SCAN_TRIES) {
			scan->phase = SCAN_NONE;
			walk->end = WALK_UNKNOWN;
			return;
		}
		scan_start(walk, scan->subject, scan->whole);
		return;
	}
	if (!names) {
		if (scan->among == AMONG_ALL) {
			scan->phase = SCAN_NONE;
			walk->end = WALK_UNKNOWN;
			return;
		}
		scan->among++;
		scan_start(walk, scan->subject, 0);
		return;
	}
	/* A namespace that is gone names nothing any more, and whoever outlived it must not name
	 * things anew by mounts of its own. */
	if (!scan->best && !walk->lasting && !is_layer(names) && !namespace_lives(walk->home)) {
		scan->phase = SCAN_NONE;
		walk->end = WALK_UNKNOWN;
		return;
	}
	if (!scan->whole) {
		settle_on(walk, names);
		return;
	}
	/* An older mount of a part of it: which one counts depends on the object. */
	if (scan->below_order < scan->best_order) {
		walk->partial = 1;
		keep_mount(walk, PCL_MOUNT_PARTIAL);
		scan_start(walk, walk->dentry, 0);
		return;
	}
	keep_mount(walk, names);
	settle_on(walk, names);
}

static __always_inline bool comes_into_question(const struct pcl_walk *walk)
{
	__u64 mount = walk->scan.mount;
	__u32 ns = namespace_of(mount);

	if (walk->scan.among == AMONG_HOME)
		return ns && ns == walk->home;
	if (walk->scan.among == AMONG_INTERNAL)
		return IS_ERROR(READ_FIELD(struct mount, mount, mnt_ns));
	return ns;
}

/* Whether the mount at the cursor comes into question, and if so, the way up is prepared. */
static __always_inline void scan_mount(struct pcl_walk *walk)
{
	struct pcl_scan *scan = &walk->scan;

	if (!scan->mount) {
		scan_finish(walk);
		return;
	}
	scan->order = mounts_are_numbered()
			      ? READ_FIELD(struct mount___unique, scan->mount, mnt_id_unique)
			      : scan->order + 1;
	if (scan->order >= scan->best_order || !comes_into_question(walk)) {
		scan_next(scan);
		return;
	}
	scan->root = (__u64)READ_FIELD(struct vfsmount, vfsmount_of(scan->mount), mnt_root);
	scan->climb = scan->subject;
	scan->phase = SCAN_COVERS;
}

/* One level up, from the subject to the mount's root or from there to the subject. */
static __always_inline void scan_climb(struct pcl_scan *scan)
{
	bool covers = scan->phase == SCAN_COVERS;
	__u64 parent;

	if (scan->climb == (covers ? scan->root : scan->subject)) {
		if (covers) {
			scan->best = vfsmount_of(scan->mount);
			scan->best_order = scan->order;
		} else if (scan->order < scan->below_order) {
			scan->below_order = scan->order;
		}
		scan_next(scan);
		return;
	}
	parent = (__u64)READ_FIELD(struct dentry, scan->climb, d_parent);
	if (parent && parent != scan->climb) {
		scan->climb = parent;
		return;
	}
	if (covers && scan->whole) {
		scan->climb = scan->root;
		scan->phase = SCAN_BELOW;
		return;
	}
	scan_next(scan);
}

static __always_inline void scan_once(struct pcl_walk *walk)
{
	if (walk->scan.phase == SCAN_MOUNT)
		scan_mount(walk);
	else
		scan_climb(&walk->scan);
}

#ifdef PCL_OLD_KERNEL
/* Every walk there is the current task's own, so that this is verified once. */
__noinline int own_scan_step(void)
{
	struct pcl_task *task = task_state(current_task());

	if (task)
		scan_once(&task->walk);
	return 0;
}
#define scan_step(walk) own_scan_step()
#else
#define scan_step(walk) scan_once(walk)
#endif

/*
 * The walk has come to walk->dentry on walk->mnt: from now on it is on the mount that names it, or
 * a search for that one has begun (walk->scan.phase).
 */
static __always_inline void enter_mount(struct pcl_walk *walk)
{
	__u64 names;

	walk->scan.among = AMONG_HOME;
	if (!walk->mnt) {
		scan_start(walk, walk->dentry, 0);
		return;
	}
	walk->mnt_root = (__u64)READ_FIELD(struct vfsmount, walk->mnt, mnt_root);
	if (!walk->home || (READ_FIELD(struct vfsmount, walk->mnt, mnt_flags) & MNT_INTERNAL))
		return;
	names = look_up_mount(walk);
	if (names == walk->mnt)
		return;
	if (is_layer(walk->mnt)) {
		walk->layer = 1;
		walk->partial = 1;
	}
	if (!names) {
		scan_start(walk, walk->mnt_root, 1);
	} else if (names == PCL_MOUNT_PARTIAL) {
		walk->partial = 1;
		scan_start(walk, walk->dentry, 0);
	} else {
		settle_on(walk, names);
	}
}

#endif
