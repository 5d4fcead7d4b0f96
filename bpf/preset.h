/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What presets are about that is no path: who came into the container from outside, and what proc
 * says of other processes. Of what has no name and of /dev/shm the nameless set and the trie speak,
 * of anonymous memory mapping.h.
 *
 * A file of proc is known by the process that it is about, not by its path: so it is found on any
 * mount of proc, whatever that is called, and in any pid namespace's.
 */
#ifndef PCL_BPF_PRESET_H
#define PCL_BPF_PRESET_H

#include "maps.h"
#include "read.h"

#define PROC_SUPER_MAGIC 0x9fa0
/* KERNEL: more than proc has. What is below net has no process of its own, that is above. */
#define PROC_LEVELS 16u

/* struct pid; 0: it is about none. */
static __always_inline __u64 process_of_inode(__u64 inode)
{
	__u64 proc = inode - bpf_core_field_offset(struct proc_inode, vfs_inode);

	return inode ? (__u64)READ_FIELD(struct proc_inode, proc, pid) : 0;
}

/* Whether it is a thread of the current task's process. */
static __always_inline bool is_own_process(__u64 pid)
{
	__u64 first = (__u64)READ_FIELD(struct pid, pid, tasks[0].first);
	__u64 task = first - bpf_core_field_offset(struct task_struct, pid_links);
	__u64 ours = (__u64)FOLLOW(struct task_struct, current_task(), signal);

	return first && (__u64)READ_FIELD(struct task_struct, task, signal) == ours;
}

static __always_inline bool is_environ(__u64 dentry)
{
	__u64 name = 0, wanted;

	__builtin_memcpy(&wanted, "environ", sizeof(wanted));
	if (READ_FIELD(struct dentry, dentry, d_name.len) != sizeof(wanted) - 1)
		return false;
	bpf_probe_read_kernel(&name, sizeof(name),
			      (void *)READ_FIELD(struct dentry, dentry, d_name.name));
	return name == wanted;
}

/* A thread that is gone is nobody's, but its directory lies in that of its process. */
static __always_inline __u32 set_of_process(__u64 dentry, const struct pcl_bpf_domain *domain)
{
	__u64 sb = (__u64)READ_FIELD(struct dentry, dentry, d_sb), at = dentry;
	__u32 i, set = PCL_SET_PERMIT;

	if (READ_FIELD(struct super_block, sb, s_magic) != PROC_SUPER_MAGIC)
		return PCL_SET_PERMIT;
	for (i = 0; i < PROC_LEVELS; i++) {
		__u64 pid = process_of_inode((__u64)READ_FIELD(struct dentry, at, d_inode));
		__u64 parent = (__u64)READ_FIELD(struct dentry, at, d_parent);

		if (pid && is_own_process(pid))
			return PCL_SET_PERMIT;
		if (pid && set == PCL_SET_PERMIT)
			set = !i && is_environ(dentry) ? domain->environ : domain->processes;
		if (parent == at)
			return set;
		at = parent;
	}
	return domain->processes;
}

static __always_inline __u32 set_of_preset(const struct pcl_question *ask,
					   const struct pcl_task *state,
					   const struct pcl_bpf_domain *domain)
{
	if (ask->class == PCL_BPF_FILE)
		return set_of_process(ask->object.dentry, domain);
	return state->entered ? domain->entered : PCL_SET_PERMIT;
}

#endif
