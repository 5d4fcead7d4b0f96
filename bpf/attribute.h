/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changes of an object's attributes whose hooks tell a dentry but no mount: extended attributes,
 * access control lists, times. The name is that by the domain's oldest mount (mount.h).
 *
 * KERNEL: the first argument came to be the mount's user namespace, then its idmap, in 5.12 for
 * extended attributes and in 6.3 for the rest; the loader says whether it is there.
 */
#ifndef PCL_BPF_ATTRIBUTE_H
#define PCL_BPF_ATTRIBUTE_H

#include "judge.h"

#define ATTR_ATIME_SET (1u << 7)
#define ATTR_MTIME_SET (1u << 8)
#define ATTR_TOUCH (1u << 17)
#define ATTR_OWNER (1u << 1 | 1u << 2)

/* Both are read, since the verifier wants constant places in the context. */
static __always_inline __u64 second_if(bool second, const unsigned long long *ctx)
{
	__u64 first_value = *(const volatile unsigned long long *)&ctx[0];
	__u64 second_value = *(const volatile unsigned long long *)&ctx[1];

	return second ? second_value : first_value;
}

static __always_inline int judge_attribute(__u32 hook, __u64 dentry)
{
	return judge(hook, PCL_BPF_FILE, PCL_BPF_WRITE, dentry, 0, ASK_HAS_NAME);
}

/* Which changes of an inode no hook with a path sees. */
static __always_inline bool is_unseen_change(unsigned int valid)
{
	/* On kernels that cannot call a program for path_chown. */
	if (PCL_IS_OLD && (valid & ATTR_OWNER))
		return true;
	return valid & (ATTR_ATIME_SET | ATTR_MTIME_SET | ATTR_TOUCH);
}

/* KERNEL: flags of an inode (chattr) change by ioctl alone, before 6.17 with no hook of their own.
 */
#define FS_IOC_SETFLAGS 0x40086602u
#define FS_IOC32_SETFLAGS 0x40046602u
#define FS_IOC_FSSETXATTR 0x401c5820u

static __always_inline int judge_control(struct file *file, unsigned int command)
{
	if (command != FS_IOC_SETFLAGS && command != FS_IOC32_SETFLAGS &&
	    command != FS_IOC_FSSETXATTR)
		return 0;
	return judge(PCL_HOOK_FILE_IOCTL, PCL_BPF_FILE, PCL_BPF_WRITE, (__u64)file->f_path.dentry,
		     (__u64)file->f_path.mnt, ASK_HAS_NAME);
}

#endif
