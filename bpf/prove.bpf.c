/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One file may not be opened: the proof that BPF-LSM refuses. The file is known by its inode number
 * alone, which is enough where the proof makes it and nothing else runs.
 */
#include "kernel.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

unsigned long guarded_inode = 0;

SEC("lsm/file_open")
int BPF_PROG(prove_file_open, struct file *file)
{
	return guarded_inode && file->f_path.dentry->d_inode->i_ino == guarded_inode ? -1 : 0;
}
