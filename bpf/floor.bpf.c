/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The floor: LSM programs that permit and do nothing else, on the hooks of portcullis.bpf.c that
 * an open, an exec and a write pass through. What they cost is the price of BPF-LSM itself; what
 * portcullis costs above them is the price of portcullis. Must stay empty, and must gain a hook
 * when portcullis attaches one that they pass for the bench's policy (task_alloc is attached only
 * while there are containers, which the bench has none of).
 */
#include "kernel.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("lsm/file_open")
int BPF_PROG(floor_file_open, struct file *file)
{
	return 0;
}

SEC("lsm/bprm_check_security")
int BPF_PROG(floor_bprm_check, struct linux_binprm *bprm)
{
	return 0;
}

SEC("lsm/file_permission")
int BPF_PROG(floor_file_permission, struct file *file)
{
	return 0;
}

SEC("lsm/mmap_file")
int BPF_PROG(floor_mmap_file, struct file *file)
{
	return 0;
}

SEC("lsm/file_mprotect")
int BPF_PROG(floor_file_mprotect, struct vm_area_struct *vma)
{
	return 0;
}

SEC("lsm/d_instantiate")
int BPF_PROG(floor_d_instantiate, struct dentry *dentry)
{
	return 0;
}
