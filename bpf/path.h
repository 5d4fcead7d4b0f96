/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a dentry and its mount up to the root of the mount tree, without building a string.
 *
 * The walk crosses mounts, each time by the one that gives the name (mount.h), and goes to the top
 * of the namespace's mount tree, not to the task's root, so chroot changes nothing. It keeps the
 * dentries of the topmost PCL_WINDOW levels; deeper levels are gathered again when the match needs
 * them, so depth has no limit and the memory is fixed. Pointers are kept as numbers and read with
 * fault handling, as nothing is locked here.
 */
#ifndef PCL_BPF_PATH_H
#define PCL_BPF_PATH_H

#include "mount.h"

/* More steps than any path has; beyond it the path counts as unknown, which is refused. */
#define PCL_WALK_STEPS (1u << 20)

static __always_inline void leave_mount(struct pcl_walk *walk)
{
	__u64 mount = mount_of(walk->mnt);
	__u64 parent = (__u64)READ_FIELD(struct mount, mount, mnt_parent);

	if (parent == mount) {
		/* KERNEL: the kernel's own mounts have MNT_INTERNAL, an overlay's clones of its
		 * layers have not; detached ones have no namespace or an anonymous one. */
		if (READ_FIELD(struct vfsmount, walk->mnt, mnt_flags) & MNT_INTERNAL)
			walk->end = WALK_NAMELESS;
		else if (IS_ERROR(READ_FIELD(struct mount, mount, mnt_ns)))
			walk->end = WALK_BACKING;
		else
			walk->end = namespace_of(mount) ? WALK_TOP : WALK_UNKNOWN;
		return;
	}
	if (++walk->crossings > CROSSINGS_MAX) {
		walk->end = WALK_UNKNOWN;
		return;
	}
	walk->dentry = (__u64)READ_FIELD(struct mount, mount, mnt_mountpoint);
	walk->mnt = vfsmount_of(parent);
	enter_mount(walk);
}

#ifdef PCL_OLD_KERNEL
__noinline int own_crossing(void)
{
	struct pcl_task *task = task_state(current_task());

	if (task)
		leave_mount(&task->walk);
	return 0;
}
#define cross_mount(walk) own_crossing()
#else
#define cross_mount(walk) leave_mount(walk)
#endif

/* Whether a dentry is laid out as in struct pcl_slot; true on every kernel before 6.15. */
static __always_inline bool dentry_is_flat(void)
{
	return bpf_core_field_exists(struct dentry___iname, d_iname) &&
	       bpf_core_field_offset(struct dentry, d_name) ==
		       bpf_core_field_offset(struct dentry, d_parent) + 8 &&
	       bpf_core_field_offset(struct dentry, d_inode) ==
		       bpf_core_field_offset(struct dentry, d_parent) + 24 &&
	       bpf_core_field_offset(struct dentry___iname, d_iname) ==
		       bpf_core_field_offset(struct dentry, d_parent) + 32;
}

static __always_inline __u64 read_level(struct pcl_slot *slot, __u64 dentry)
{
	slot->dentry = dentry;
	if (pcl_has_rdonly_cast || !dentry_is_flat())
		return (__u64)READ_FIELD(struct dentry, dentry, d_parent);
	bpf_probe_read_kernel(&slot->raw, sizeof(slot->raw),
			      (void *)(dentry + bpf_core_field_offset(struct dentry, d_parent)));
	return slot->raw.parent;
}

/*
 * One step towards the root: over a mount point (returns 0), in the search for the mount that
 * counts (likewise), or to the parent (returns the dentry left behind, kept in slot unless that is
 * NULL). The walk has ended when walk->end is no longer WALK_GOING.
 */
static __always_inline __u64 walk_next(struct pcl_walk *walk, struct pcl_slot *slot)
{
	__u64 dentry = walk->dentry, parent;

	if (walk->scan.phase != SCAN_NONE) {
		scan_step(walk);
		return 0;
	}
	if (dentry == walk->mnt_root) {
		cross_mount(walk);
		return 0;
	}
	if (walk->depth == walk->limit) {
		walk->end = WALK_INTERRUPTED;
		return 0;
	}
	parent = slot ? read_level(slot, dentry)
		      : (__u64)READ_FIELD(struct dentry, dentry, d_parent);
	if (parent == dentry) {
		/* KERNEL: a namespace's or pidfd's file is a root of its own on a mount of the
		 * kernel's, and has no name; elsewhere it is the end of a tree that came apart. */
		walk->end = READ_FIELD(struct vfsmount, walk->mnt, mnt_flags) & MNT_INTERNAL
				    ? WALK_NAMELESS
				    : WALK_UNKNOWN;
		return 0;
	}
	walk->depth++;
	walk->dentry = parent;
	return dentry;
}

/* The mount namespace by which the task's domain names things; 0: none is known. */
static __always_inline __u32 home_of(const struct pcl_task *task)
{
	__u32 domain = task->domain;
	struct pcl_bpf_home *home = bpf_map_lookup_elem(&homes, &domain);

	return home && home->incarnation == task->incarnation ? home->mnt_ns : 0;
}

static __always_inline void walk_init(struct pcl_task *task, const struct pcl_object *object,
				      __u32 limit)
{
	struct pcl_walk *walk = &task->walk;

	walk->dentry = object->dentry;
	walk->mnt = object->mnt;
	walk->depth = 0;
	walk->limit = limit;
	walk->end = WALK_GOING;
	walk->home = home_of(task);
	walk->mount_seq = mount_sequence();
	walk->crossings = 0;
	walk->partial = 0;
	walk->layer = 0;
	walk->lasting = task->domain == PCL_BPF_DOMAIN_HOST;
	walk->scan.phase = SCAN_NONE;
	walk->scan.tries = 0;
	enter_mount(walk);
}

#ifdef PCL_OLD_KERNEL
#define walk_on(walk, slot) walk_next(walk, slot)
#else
/*
 * The same, once in each program. KERNEL: after the verification each call of bpf_rdonly_cast is
 * patched, which moves all that is kept of each instruction, so loading takes the square of the
 * length.
 */
__noinline __u64 walk_on(struct pcl_walk *walk, struct pcl_slot *slot)
{
	return walk ? walk_next(walk, slot) : 0;
}
#endif

static long gather_step(__u32 i, struct pcl_task **ctx)
{
	struct pcl_task *task = *ctx;

	walk_on(&task->walk, &task->slot[task->walk.depth & (PCL_WINDOW - 1)]);
	return task->walk.end != WALK_GOING;
}

#ifdef PCL_OLD_KERNEL
#define GATHER_ROUNDS 32u

/* A loop of loops, since the outer one is verified with a call for its body. */
__noinline int gather_part(void)
{
	struct pcl_task *task = task_state(current_task());
	__u32 i;

	if (!task)
		return 1;
	for (i = 0; i < GATHER_ROUNDS; i++)
		if (gather_step(i, &task))
			return 1;
	return 0;
}

static long gather_parts(__u32 i, struct pcl_task **ctx)
{
	return gather_part();
}

__noinline int gather_parked(void)
{
	struct pcl_task *task = task_state(current_task());

	if (!task)
		return WALK_UNKNOWN;
	LOOP(PCL_LOOP_ROUNDS, gather_parts, &task);
	return task->walk.end == WALK_GOING ? WALK_UNKNOWN : task->walk.end;
}

/* As below. */
static __always_inline int gather(struct pcl_task *task, const struct pcl_object *object,
				  __u32 limit)
{
	walk_init(task, object, limit);
	return gather_parked();
}

static __always_inline int gather_fast(struct pcl_task *task, const struct pcl_object *object)
{
	return gather(task, object, ~0u);
}

#else

/*
 * The levels up to the first mount point or PCL_WINDOW of them, in registers: nearly always that is
 * most of the path. The walk goes on from there.
 */
static __always_inline void gather_near(struct pcl_task *task)
{
	__u64 dentry = task->walk.dentry, mnt_root = task->walk.mnt_root;
	__u32 limit = task->walk.limit, depth = 0;

	for (depth = 0; depth < PCL_WINDOW && depth < limit && dentry != mnt_root; depth++) {
		__u64 parent = read_level(&task->slot[depth], dentry);

		if (parent == dentry)
			break;
		dentry = parent;
	}
	task->walk.dentry = dentry;
	task->walk.depth = depth;
	if (dentry == mnt_root)
		cross_mount(&task->walk);
}

/*
 * Gathers the dentries from the leaf upwards, at most limit of them; afterwards task->slot holds
 * the last PCL_WINDOW by their distance from the leaf, and task->walk how far it went and why it
 * ended. Returns enum pcl_walk_end. A global function, so the verifier checks it once.
 */
__noinline int gather(struct pcl_task *task, const struct pcl_object *object, __u32 limit)
{
	if (!task || !object)
		return WALK_UNKNOWN;
	walk_init(task, object, limit);
	LOOP(PCL_WALK_STEPS, gather_step, &task);
	return task->walk.end == WALK_GOING ? WALK_UNKNOWN : task->walk.end;
}

/* The same and quicker, for the hooks that are called all the time; it costs the verifier more. */
__noinline int gather_fast(struct pcl_task *task, const struct pcl_object *object)
{
	if (!task || !object)
		return WALK_UNKNOWN;
	walk_init(task, object, ~0u);
	if (task->walk.scan.phase == SCAN_NONE)
		gather_near(task);
	if (task->walk.end == WALK_GOING)
		LOOP(PCL_WALK_STEPS, gather_step, &task);
	return task->walk.end == WALK_GOING ? WALK_UNKNOWN : task->walk.end;
}

#endif

#endif
