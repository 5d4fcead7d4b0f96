/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a dentry and its mount up to the root of the mount tree, without building a string.
 *
 * The walk crosses mounts and goes to the top of the namespace's mount tree, not to the task's
 * root, so chroot changes nothing. It keeps the dentries of the topmost PCL_WINDOW levels; deeper
 * levels are gathered again when the match needs them, so depth has no limit and the memory is
 * fixed. Pointers are kept as numbers and read with fault handling, as nothing is locked here.
 */
#ifndef PCL_BPF_PATH_H
#define PCL_BPF_PATH_H

#include "maps.h"

/* From 6.2: a number becomes a typed pointer that may be read directly, faults handled. */
extern void *bpf_rdonly_cast(void *obj, __u32 btf_id) __ksym __weak;

/*
 * Set by the loader from the kernel's own BTF. Where false, bpf_probe_read_kernel does the same at
 * several times the price.
 */
#ifdef PCL_OLD_KERNEL
#define pcl_has_rdonly_cast false
#else
const volatile bool pcl_has_rdonly_cast = false;
#endif

#define READ_FIELD(type, address, field)                                                           \
	({                                                                                         \
		__typeof__(((type *)0)->field) value_;                                             \
		__u64 address_ = (__u64)(address);                                                 \
                                                                                                   \
		if (pcl_has_rdonly_cast)                                                           \
			value_ = ((type *)bpf_rdonly_cast((void *)address_,                        \
							  bpf_core_type_id_kernel(type)))          \
					 ->field;                                                  \
		else                                                                               \
			bpf_core_read(&value_, sizeof(value_), &((type *)address_)->field);        \
		value_;                                                                            \
	})

/* More steps than any path has; beyond it the path counts as unknown, which is refused. */
#define PCL_WALK_STEPS (1u << 20)

static __always_inline void cross_mount(struct pcl_walk *walk)
{
	__u64 mount = walk->mnt - bpf_core_field_offset(struct mount, mnt);
	__u64 parent = (__u64)READ_FIELD(struct mount, mount, mnt_parent);

	if (parent == mount) {
		__u64 ns = (__u64)READ_FIELD(struct mount, mount, mnt_ns);

		/* KERNEL: the kernel's own mounts have MNT_INTERNAL, detached ones no namespace. */
		if (READ_FIELD(struct vfsmount, walk->mnt, mnt_flags) & MNT_INTERNAL)
			walk->end = WALK_NAMELESS;
		else
			walk->end = ns ? WALK_TOP : WALK_UNKNOWN;
		return;
	}
	walk->dentry = (__u64)READ_FIELD(struct mount, mount, mnt_mountpoint);
	walk->mnt = parent + bpf_core_field_offset(struct mount, mnt);
	walk->mnt_root = (__u64)READ_FIELD(struct vfsmount, walk->mnt, mnt_root);
}

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
 * One step towards the root: over a mount point (returns 0) or to the parent (returns the dentry
 * left behind, which is kept in slot unless that is NULL). The walk has ended when walk->end is no
 * longer WALK_GOING.
 */
static __always_inline __u64 walk_next(struct pcl_walk *walk, struct pcl_slot *slot)
{
	__u64 dentry = walk->dentry, parent;

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
		walk->end = WALK_UNKNOWN;
		return 0;
	}
	walk->depth++;
	walk->dentry = parent;
	return dentry;
}

static __always_inline void walk_init(struct pcl_walk *walk, const struct pcl_object *object,
				      __u32 limit)
{
	walk->dentry = object->dentry;
	walk->mnt = object->mnt;
	walk->mnt_root = (__u64)READ_FIELD(struct vfsmount, object->mnt, mnt_root);
	walk->depth = 0;
	walk->limit = limit;
	walk->end = WALK_GOING;
}

static long gather_step(__u32 i, struct pcl_task **ctx)
{
	struct pcl_task *task = *ctx;

	walk_next(&task->walk, &task->slot[task->walk.depth & (PCL_WINDOW - 1)]);
	return task->walk.end != WALK_GOING;
}

#ifdef PCL_OLD_KERNEL
/* A loop of loops, since the outer one is verified with a call for its body. */
__noinline int gather_part(void)
{
	struct pcl_task *task = task_state(current_task());

	if (!task)
		return 1;
	LOOP(PCL_LOOP_ROUNDS, gather_step, &task);
	return task->walk.end != WALK_GOING;
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
	walk_init(&task->walk, object, limit);
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
	walk_init(&task->walk, object, limit);
	LOOP(PCL_WALK_STEPS, gather_step, &task);
	return task->walk.end == WALK_GOING ? WALK_UNKNOWN : task->walk.end;
}

/* The same and quicker, for the hooks that are called all the time; it costs the verifier more. */
__noinline int gather_fast(struct pcl_task *task, const struct pcl_object *object)
{
	if (!task || !object)
		return WALK_UNKNOWN;
	walk_init(&task->walk, object, ~0u);
	gather_near(task);
	if (task->walk.end == WALK_GOING)
		LOOP(PCL_WALK_STEPS, gather_step, &task);
	return task->walk.end == WALK_GOING ? WALK_UNKNOWN : task->walk.end;
}

#endif

#endif
