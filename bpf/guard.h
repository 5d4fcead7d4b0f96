/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Protection of our own from the tasks of containers, whatever capabilities they have: they get no
 * descriptor of our maps, programs and links, change nothing in the directory of our pins, wherever
 * its file system is mounted, and do not take that mount away. The host's tasks may: they are the
 * administrator's.
 *
 * What is ours is known by number (`own`, which the engine fills before there is a container) or,
 * for the maps of a ruleset, which are made while containers run, by the beginning of their name.
 * Another's map of such a name is refused to containers as well, which harms nobody.
 */
#ifndef PCL_BPF_GUARD_H
#define PCL_BPF_GUARD_H

#include "read.h"
#include "task.h"

/* bpf(2), of which links have no hook of their own. */
#define BPF_LINK_GET_FD_BY_ID 30
/* umount2(2). */
#define MNT_DETACH 2

/* Levels from a name in our directory up to it: links/NAME; no container makes deeper ones. */
#define GUARD_LEVELS 4u

/* Whether a container acts; also where that cannot be known. */
static __always_inline bool is_contained(void)
{
	struct task_struct *task = current_task();
	struct pcl_task *state;
	__u64 live;

	if (!(live = live_now()) || (GET(task, flags) & PF_KTHREAD))
		return false;
	state = current_state(task, live);
	return !state || state->domain != PCL_BPF_DOMAIN_HOST;
}

static __always_inline bool is_own(__u64 key)
{
	return bpf_map_lookup_elem(&own, &key) != NULL;
}

/* Whether dentry lies in the file system of our pins. */
static __always_inline bool is_beside_pins(__u64 dentry)
{
	__u64 sb = (__u64)READ_FIELD(struct dentry, dentry, d_sb);

	return resident.control.pin_dev &&
	       READ_FIELD(struct super_block, sb, s_dev) == resident.control.pin_dev;
}

/* Whether dentry is the directory of our pins, or lies below it. */
static __always_inline bool is_pin(__u64 dentry)
{
	__u32 i;

	if (!is_beside_pins(dentry))
		return false;
#pragma unroll
	for (i = 0; i < GUARD_LEVELS; i++) {
		__u64 inode = (__u64)READ_FIELD(struct dentry, dentry, d_inode);

		if (inode && READ_FIELD(struct inode, inode, i_ino) == resident.control.pin_ino)
			return true;
		dentry = (__u64)READ_FIELD(struct dentry, dentry, d_parent);
	}
	return false;
}

static __always_inline int guard_name(struct dentry *dentry)
{
	return is_pin((__u64)dentry) && is_contained() ? -EACCES : 0;
}

static __always_inline bool begins_with_ours(const char name[4])
{
	return name[0] == 'p' && name[1] == 'c' && name[2] == 'l' && name[3] == '_';
}

static __always_inline int guard_map(struct bpf_map *map)
{
	char name[4] = "";
	bool ours;

	bpf_core_read(name, sizeof(name), &map->name);
	ours = begins_with_ours(name) || is_own(PCL_OWN_MAP | map->id);
	return ours && is_contained() ? -EACCES : 0;
}

static __always_inline int guard_program(struct bpf_prog *program)
{
	return is_own(PCL_OWN_PROGRAM | BPF_CORE_READ(program, aux, id)) && is_contained() ? -EACCES
											   : 0;
}

/* KERNEL: attr is the kernel's copy, and begins with the number that is asked for. */
static __always_inline int guard_link(int command, __u64 attr)
{
	__u32 id = 0;

	if (command != BPF_LINK_GET_FD_BY_ID)
		return 0;
	bpf_probe_read_kernel(&id, sizeof(id), (void *)attr);
	return is_own(PCL_OWN_LINK | id) && is_contained() ? -EACCES : 0;
}

/*
 * The pins go with the last mount of their file system. A lazy unmount takes all that is mounted
 * below along, so in the namespace of the engine a container may do it to no mount that has some.
 */
static __always_inline int guard_umount(struct vfsmount *mnt, int flags)
{
	__u64 mount = (__u64)mnt - bpf_core_field_offset(struct mount, mnt);
	__u64 ns, below;

	if (!resident.control.pin_dev)
		return 0;
	if (is_beside_pins((__u64)mnt->mnt_root))
		return is_contained() ? -EACCES : 0;
	if (!(flags & MNT_DETACH))
		return 0;
	ns = (__u64)READ_FIELD(struct mount, mount, mnt_ns);
	below = (__u64)READ_FIELD(struct mount, mount, mnt_mounts.next);
	if (!ns || READ_FIELD(struct mnt_namespace, ns, ns.inum) != resident.control.pin_mount_ns ||
	    below == mount + bpf_core_field_offset(struct mount, mnt_mounts))
		return 0;
	return is_contained() ? -EACCES : 0;
}

#endif
