/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The decision of an open on a raw tracepoint, for machines whose own kernel loads no LSM programs:
 * bench/native.c times it there, without emulation. Each program takes getppid() of one task as an
 * open of one file. Asks as judge() does (judge.h), with the decision in the program itself, since
 * judges cannot be put in where LSM programs cannot be loaded.
 */
#define PCL_RDONLY_CAST 1
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "decide.h"
#include "judge.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct bpf_raw_tracepoint_args {
	__u64 args[2];
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct fdtable {
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct___files {
	struct files_struct *files;
};
#pragma clang attribute pop

volatile const __u32 native_tgid;
volatile const __u64 native_call; /* the number of getppid */
volatile const __u32 native_fd;	  /* of the file */

/* Not where what the engine shares lies (maps.h). */
#define NATIVE SEC(".data.native")
NATIVE __u64 native_dentry; /* of it, found at the first call */
NATIVE __u64 native_mnt;
NATIVE __u64 native_permitted, native_refused;
NATIVE __u32
	native_keeps; /* whether this kernel tells of the moments for which a verdict is kept */

static __always_inline bool is_ours(const struct bpf_raw_tracepoint_args *ctx)
{
	return ctx->args[1] == native_call && bpf_get_current_pid_tgid() >> 32 == native_tgid;
}

static __always_inline void find_file(void)
{
	struct task_struct___files *task = (void *)bpf_get_current_task();
	struct file **fds = BPF_CORE_READ(task, files, fdt, fd), *file = NULL;

	bpf_probe_read_kernel(&file, sizeof(file), &fds[native_fd]);
	native_mnt = (__u64)BPF_CORE_READ(file, f_path.mnt);
	native_dentry = (__u64)BPF_CORE_READ(file, f_path.dentry);
	native_keeps = moments_exist();
}

static __always_inline int ask_once(bool cached)
{
	struct pcl_question ask = {
		.object = {.dentry = native_dentry, .mnt = native_mnt},
		.access = PCL_BPF_READ,
		.class = PCL_BPF_FILE,
		.hook = PCL_HOOK_FILE_OPEN,
		.flags = ASK_DELETED | ASK_FAST,
	};
	struct pcl_known known;
	struct pcl_asker asker;
	int found;

	if (is_free(PCL_BPF_FILE, &known) ||
	    (cached && is_permitted(native_dentry, native_mnt, PCL_BPF_READ, &known)))
		return 0;
	found = find_state(PCL_BPF_FILE, ask.flags, &asker);
	if (found > 0)
		found = find_rules(&asker);
	return found > 0 ? decide(&ask, asker.state, asker.domain, asker.live, true) : found;
}

static __always_inline int open_once(const struct bpf_raw_tracepoint_args *ctx, bool cached)
{
	if (!is_ours(ctx))
		return 0;
	if (!native_dentry)
		find_file();
	if (ask_once(cached))
		native_refused++;
	else
		native_permitted++;
	return 0;
}

/* The floor: all but the decision. */
SEC("raw_tp/sys_enter")
int native_floor(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_ours(ctx))
		native_permitted++;
	return 0;
}

/* What was permitted before. */
SEC("raw_tp/sys_enter")
int native_cached(struct bpf_raw_tracepoint_args *ctx)
{
	return open_once(ctx, true);
}

/* What no verdict is kept of. */
SEC("raw_tp/sys_enter")
int native_decided(struct bpf_raw_tracepoint_args *ctx)
{
	return open_once(ctx, false);
}
