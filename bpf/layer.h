/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files behind an overlay. Whoever may mount can lay an overlay over a directory and reach what
 * lies there by the overlay's names. The overlay opens the file of its layer for every file that is
 * opened through it, and that is judged as well, by the layer's own name, where it has one in the
 * domain: by rules that refuse it only, since the list of what is permitted is about the overlay's
 * names.
 */
#ifndef PCL_BPF_LAYER_H
#define PCL_BPF_LAYER_H

#include "judge.h"

/* KERNEL: up to 6.4 the layer's file is opened with the path of the overlay's, and its own inode.
 */
static __always_inline bool is_behind_overlay(struct file *file)
{
	return file->f_inode != file->f_path.dentry->d_inode;
}

/* Some name of an inode; 0 where it has none, or where the kernel is too new to need it. */
static __always_inline __u64 alias_of(__u64 inode)
{
	struct inode___aliases *aliases = (void *)inode;
	__u64 alias = 0;

	if (!bpf_core_field_exists(struct dentry___alias, d_u.d_alias))
		return 0;
	bpf_core_read(&alias, sizeof(alias), &aliases->i_dentry.first);
	return alias ? alias - bpf_core_field_offset(struct dentry___alias, d_u.d_alias) : 0;
}

static __always_inline __u32 access_of(struct file *file)
{
	return (GET(file, f_mode) & FMODE_WRITE) || (GET(file, f_flags) & O_TRUNC) ? PCL_BPF_WRITE
										   : PCL_BPF_READ;
}

static __always_inline int judge_layer(struct file *file)
{
	return judge(PCL_HOOK_FILE_OPEN, PCL_BPF_FILE, access_of(file),
		     alias_of((__u64)BPF_CORE_READ(file, f_inode)), 0, ASK_NAMED);
}

static __noinline int judge_layer_execution(unsigned long long *ctx)
{
	struct file *file = (struct file *)ctx[0];
	/* Read, not followed, so that they are numbers to the verifier. */
	__u64 dentry, mnt = (__u64)BPF_CORE_READ(file, f_path.mnt);

	if (is_behind_overlay(file)) {
		dentry = alias_of((__u64)BPF_CORE_READ(file, f_inode));
		mnt = 0;
	} else if (is_layer(mnt)) {
		dentry = (__u64)BPF_CORE_READ(file, f_path.dentry);
	} else {
		return 0;
	}
	return judge(PCL_HOOK_BPRM_CHECK, PCL_BPF_PROCESS, PCL_BPF_EXECUTE, dentry, mnt, ASK_NAMED);
}

#endif
