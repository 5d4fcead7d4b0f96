/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Mounts that are taken away or moved. A later mount never changes a name (mount.h), but to take
 * away the one that gives the names gives everything on it other ones: that is a rename of a
 * directory, and is refused where a rule lies at it or below it.
 */
#ifndef PCL_BPF_MOUNTING_H
#define PCL_BPF_MOUNTING_H

#include "judge.h"

#define MS_MOVE 8192

/* The current task's state and how its domain names things; NULL where nothing is to be asked. */
static __always_inline struct pcl_task *settled_state(__u32 *ret_home)
{
	struct task_struct *task = current_task();
	struct pcl_task *state;
	__u64 live;

	if (!(live = live_now()) || (GET(task, flags) & PF_KTHREAD))
		return NULL;
	state = current_state(task, live);
	*ret_home = state ? home_of(state) : 0;
	return *ret_home ? state : NULL;
}

/*
 * Whether taking mnt away takes away the mount that names what it shows: itself, or one at the same
 * place of the domain's namespace, to which the kernel carries the change. KERNEL: a mount has a
 * group while it is shared, and the change of a child is carried to the parent's peers. A
 * function of its own: the verifier loses what a refusal is worth where the compiler keeps it.
 */
static __noinline bool gives_names(struct pcl_task *state, __u64 mnt)
{
	const struct pcl_object top = {.dentry = (__u64)READ_FIELD(struct vfsmount, mnt, mnt_root),
				       .mnt = mnt};
	__u64 mount, names, parent;

	gather(state, &top, ~0u);
	/* By way of the map a pointer becomes a number. */
	*(volatile __u64 *)&state->walk.mnt = mnt;
	mnt = *(volatile __u64 *)&state->walk.mnt;
	mount = mount_of(mnt);
	names = look_up_mount(&state->walk);
	/* Not kept, or only a part has the name: as if it were. */
	if (!names || names == PCL_MOUNT_PARTIAL || names == mnt)
		return true;
	parent = (__u64)READ_FIELD(struct mount, mount, mnt_parent);
	return READ_FIELD(struct mount, parent, mnt_group_id) &&
	       READ_FIELD(struct mount, mount, mnt_mountpoint) ==
		       READ_FIELD(struct mount, mount_of(names), mnt_mountpoint);
}

/* Only what a rule says counts: a mount is nothing that a list of permitted files tells of. */
static __always_inline int judge_names(__u32 hook, __u64 dentry, __u64 mnt)
{
	const __u32 flags = ASK_BELOW | ASK_NAMED;
	int error = judge(hook, PCL_BPF_FILE, PCL_BPF_WRITE, dentry, mnt, flags);

	return error ? error
		     : judge(hook, PCL_BPF_PROCESS, PCL_BPF_EXECUTE, dentry, mnt, flags | ASK_MORE);
}

/* Whether nothing else shows what mnt shows, so that without it there is no way to it. */
static __always_inline bool is_only_mount(__u64 mnt)
{
	__u64 root = (__u64)READ_FIELD(struct vfsmount, mnt, mnt_root);
	__u64 sb = (__u64)READ_FIELD(struct dentry, root, d_sb), first, last;

	if (mounts_are_listed()) {
		first = (__u64)READ_FIELD(struct super_block___list, sb, s_mounts.next);
		last = (__u64)READ_FIELD(struct super_block___list, sb, s_mounts.prev);
		return first == last;
	}
	first = (__u64)READ_FIELD(struct super_block___chain, sb, s_mounts);
	return !READ_FIELD(struct mount___chain, first, mnt_next_for_sb);
}

static __always_inline int judge_unmount(__u32 hook, __u64 mnt)
{
	__u32 home;
	struct pcl_task *state = settled_state(&home);

	if (!state || !gives_names(state, mnt))
		return 0;
	return judge_names(hook, (__u64)READ_FIELD(struct vfsmount, mnt, mnt_root), mnt);
}

/*
 * Everything in the domain's own namespace may come to lie elsewhere: refused while any rule
 * refuses something. In another namespace no name changes.
 */
static __always_inline int judge_upheaval(__u32 hook)
{
	struct task_struct *task = current_task();
	__u64 root;
	__u32 home;

	if (!settled_state(&home) || namespace_of_task(task) != home)
		return 0;
	root = vfsmount_of((__u64)BPF_CORE_READ(task, nsproxy, mnt_ns, root));
	return judge_names(hook, (__u64)READ_FIELD(struct vfsmount, root, mnt_root), root);
}

/* KERNEL: the older system call tells the old place by a string, which only the kernel resolves. */
static __always_inline int judge_mount(unsigned long flags)
{
	return flags & MS_MOVE ? judge_upheaval(PCL_HOOK_MOUNT) : 0;
}

/* KERNEL: from is a mount's root, or the kernel refuses. A detached mount gives no names. */
static __always_inline int judge_move_mount(const struct path *from)
{
	return judge_unmount(PCL_HOOK_MOVE_MOUNT, (__u64)from->mnt);
}

#endif
