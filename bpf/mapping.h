/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Anonymous memory that becomes executable: what no file in a file system stands behind, or no
 * longer. That is memory without a file; with a file that the kernel made for it (a memfd, shared
 * memory, /dev/zero); and a private mapping of a file that may be written while it is executable,
 * or that was written before it became so.
 */
#ifndef PCL_BPF_MAPPING_H
#define PCL_BPF_MAPPING_H

#include "descriptor.h"
#include "number.h"

#define MAP_ANONYMOUS 0x20
#define VM_EXEC 0x4
#define S_IFCHR 0020000
/* KERNEL: of /dev/zero, whose private mappings are anonymous: major number 1, minor 5. */
#define ZERO_DEVICE (1u << 20 | 5)

static __always_inline bool is_made_for_memory(struct file *file)
{
	struct inode *inode = GET(file, f_inode);
	struct vfsmount *mnt = GET(file, f_path.mnt);

	return (GET(mnt, mnt_flags) & MNT_INTERNAL) ||
	       ((GET(inode, i_mode) & S_IFMT) == S_IFCHR && GET(inode, i_rdev) == ZERO_DEVICE);
}

static __always_inline int judge_anonymous(__u32 hook)
{
	const struct pcl_number ask = {
		.class = PCL_BPF_MAPPING,
		.hook = hook,
		.access = PCL_BPF_MAP,
	};

	return judge_number(&ask);
}

static __always_inline int judge_anonymous_mapping(struct file *file, unsigned long prot,
						   unsigned long flags)
{
	__u32 type = flags & MAP_TYPE;
	bool shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE;

	if (!(prot & PROT_EXEC))
		return 0;
	/* What execve maps is an execution, judged as such; nobody gets a descriptor of that file.
	 */
	if (file && (GET(file, f_flags) & FMODE_EXEC_FLAG) && !(prot & PROT_WRITE))
		return 0;
	/* KERNEL: anonymous memory of huge pages has a file here already. */
	if (file && !(flags & MAP_ANONYMOUS) && (shared || !(prot & PROT_WRITE)) &&
	    !is_made_for_memory(file))
		return 0;
	return judge_anonymous(PCL_HOOK_MMAP_FILE);
}

static __always_inline int judge_anonymous_protection(struct vm_area_struct *vma,
						      unsigned long prot)
{
	struct file *file = vma->vm_file;
	bool written =
		!(GET(vma, vm_flags) & VM_SHARED) && ((prot & PROT_WRITE) || GET(vma, anon_vma));

	if (!(prot & PROT_EXEC))
		return 0;
	/* What is executable as it is does not become so, unless it may be written now. */
	if ((GET(vma, vm_flags) & VM_EXEC) && !(prot & PROT_WRITE))
		return 0;
	if (file && !written && !is_made_for_memory(file))
		return 0;
	return judge_anonymous(PCL_HOOK_FILE_MPROTECT);
}

#endif
