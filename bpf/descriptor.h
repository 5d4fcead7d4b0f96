/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is done by a descriptor: one that was opened before the policy, inherited, or received. Each
 * read, write, mapping and truncation is judged as an opening would be; what an opening under the
 * same rules permitted is permitted, so only stale descriptors notice. Only a refusal is told,
 * since the opening told the rest.
 *
 * Descriptors of what was never opened by a name (pipes, sockets, memory) are left alone: rules are
 * about names.
 */
#ifndef PCL_BPF_DESCRIPTOR_H
#define PCL_BPF_DESCRIPTOR_H

#include "file.h"
#include "judge.h"

#define FMODE_PATH 0x4000
#define MAY_WRITE 0x2
#define MAY_APPEND 0x8
#define MAP_TYPE 0x0f
#define MAP_SHARED 0x01
#define MAP_SHARED_VALIDATE 0x03
#define PROT_WRITE 0x2
#define PROT_EXEC 0x4
#define VM_SHARED 0x8

static __always_inline bool has_no_path(struct file *file)
{
	struct vfsmount *mnt = GET(file, f_path.mnt);

	return (GET(file, f_mode) & FMODE_PATH) || (GET(mnt, mnt_flags) & MNT_INTERNAL);
}

static __always_inline int judge_descriptor_of(__u32 hook, struct file *file, __u32 access,
					       const struct pcl_known *known)
{
	__u64 dentry = (__u64)file->f_path.dentry, mnt = (__u64)file->f_path.mnt;

	/* The kernel itself reads a program that is being executed. */
	if (GET(file, f_flags) & FMODE_EXEC_FLAG)
		return 0;
	/* Before more is asked, since that is nearly all there is. */
	if (is_permitted(dentry, mnt, access, known) || has_no_path(file))
		return 0;
	return judge_unknown(hook, PCL_BPF_FILE, access, dentry, mnt,
			     ASK_DELETED | ASK_FAST | ASK_QUIET, known->domain);
}

static __always_inline int judge_descriptor(__u32 hook, struct file *file, __u32 access)
{
	struct pcl_known known;

	return is_free(PCL_BPF_FILE, &known) ? 0 : judge_descriptor_of(hook, file, access, &known);
}

/* Keeps the descriptor, where its use is permitted to anyone in each way it was opened for. */
static __always_inline bool find_file(struct file *file, __u32 access,
				      const struct pcl_known *known)
{
	__u64 permits, accesses = 1ull << access;
	struct pcl_moment moment;

	if (GET(file, f_mode) & FMODE_READ)
		accesses |= 1ull << PCL_BPF_READ;
	if (GET(file, f_mode) & FMODE_WRITE)
		accesses |= 1ull << PCL_BPF_WRITE;
	permits = verdict_stands((__u64)file->f_path.dentry, (__u64)file->f_path.mnt, known->live,
				 known->domain, accesses, &moment);
	if (!permits)
		return false;
	/* That a name goes shows in no sequence number. */
	if (!(permits & PCL_VERDICT_NAMED))
		keep_file(file, &moment, known->live);
	return true;
}

/* A function of its own, so that what is permitted again saves no registers for it. */
static __noinline int judge_use(unsigned long long *ctx, __u64 live, __u64 domain)
{
	struct pcl_known known = {live, domain};
	struct file *file = (struct file *)ctx[0];
	__u32 access = ctx[1] & (MAY_WRITE | MAY_APPEND) ? PCL_BPF_WRITE : PCL_BPF_READ;

	/* First, since what is kept never comes here a second time, and these always do. */
	if (pcl_keeps_files && domain == PCL_VERDICT_ANYONE &&
	    ((GET(file, f_flags) & FMODE_EXEC_FLAG) || has_no_path(file) ||
	     find_file(file, access, &known)))
		return 0;
	return judge_descriptor_of(PCL_HOOK_FILE_PERMISSION, file, access, &known);
}

static __always_inline int judge_received(struct file *file)
{
	return judge_descriptor(PCL_HOOK_FILE_RECEIVE, file,
				GET(file, f_mode) & FMODE_WRITE ? PCL_BPF_WRITE : PCL_BPF_READ);
}

/* --- programs that are mapped by a loader, not executed --------------------------------------- */

#define AT_PHDR 3
#define AT_PHNUM 5
#define AT_BASE 7
#define PT_DYNAMIC 2
#define DT_NULL 0
#define DT_SONAME 14
#define DT_FLAGS_1 0x6ffffffb
#define DF_1_PIE 0x08000000
#define ELF_HEADER_LEN 64
#define PROGRAM_HEADERS_MAX 16u
#define DYNAMIC_ENTRIES_MAX 64u
/* All that is looked for comes first. */
#define AUXV_PAIRS 12u

struct auxv {
	__u64 pairs[AUXV_PAIRS][2];
};

struct program_header {
	__u32 type;
	__u32 flags;
	__u64 offset;
	__u64 address;
	__u64 rest[4];
};

enum pcl_program_kind {
	PROGRAM_LINKED,	  /* by a loader that the kernel mapped; or still being executed */
	PROGRAM_UNLINKED, /* no loader: linked statically */
	PROGRAM_LOADER,	  /* a loader run by hand */
};

/*
 * A loader is a shared object: it has a name for others to ask for, as glibc's, or at least is not
 * marked as a program, as musl's; a static program that may lie anywhere has the mark and no name.
 */
static __always_inline bool is_shared_object(__u64 base, __u64 dynamic)
{
	bool program = false;
	__u64 entry[2];

	for (__u32 i = 0; i < DYNAMIC_ENTRIES_MAX; i++) {
		if (bpf_probe_read_user(entry, sizeof(entry),
					(void *)(base + dynamic + i * sizeof(entry))))
			return false;
		if (entry[0] == DT_NULL)
			break;
		if (entry[0] == DT_SONAME)
			return true;
		if (entry[0] == DT_FLAGS_1)
			program = entry[1] & DF_1_PIE;
	}
	return !program;
}

static __always_inline bool is_loader(__u64 headers, __u64 count)
{
	struct program_header header;

	for (__u32 i = 0; i < PROGRAM_HEADERS_MAX && i < count; i++) {
		if (bpf_probe_read_user(&header, sizeof(header), (void *)(headers + i * 56ull)))
			return false;
		if (header.type == PT_DYNAMIC)
			return is_shared_object(headers - ELF_HEADER_LEN, header.address);
	}
	return false;
}

/*
 * What the task runs. KERNEL: execve writes the auxiliary vector when all is mapped, so it is empty
 * until then; AT_BASE is where the program's loader lies, 0 if it has none.
 */
__noinline __u32 program_kind(void)
{
	struct mm_struct *mm = GET(current_task(), mm);
	__u64 base = ~0ull, headers = 0, count = 0;
	struct auxv auxv;

	if (!mm || !GET(mm, saved_auxv[0]) || bpf_core_read(&auxv, sizeof(auxv), &mm->saved_auxv))
		return PROGRAM_LINKED;
	for (__u32 i = 0; i < AUXV_PAIRS; i++) {
		if (auxv.pairs[i][0] == AT_BASE)
			base = auxv.pairs[i][1];
		else if (auxv.pairs[i][0] == AT_PHDR)
			headers = auxv.pairs[i][1];
		else if (auxv.pairs[i][0] == AT_PHNUM)
			count = auxv.pairs[i][1];
	}
	if (base)
		return PROGRAM_LINKED;
	return is_loader(headers, count) ? PROGRAM_LOADER : PROGRAM_UNLINKED;
}

/*
 * A file becomes executable memory. By a loader that is run by hand that is an execution, also of a
 * memfd; but it maps its program at once, so memory that is made executable later is its own. A
 * static program that does so may have its own libraries, so only a rule that names the file counts
 * there.
 */
static __always_inline int judge_loaded(__u32 hook, struct file *file)
{
	bool nameless = has_no_path(file);
	__u32 kind;

	if (nameless && hook != PCL_HOOK_MMAP_FILE)
		return 0;
	kind = program_kind();
	if (kind == PROGRAM_LINKED || (nameless && kind != PROGRAM_LOADER))
		return 0;
	return judge(hook, PCL_BPF_PROCESS, PCL_BPF_EXECUTE, (__u64)file->f_path.dentry,
		     (__u64)file->f_path.mnt, kind == PROGRAM_LOADER ? ASK_DELETED : ASK_NAMED);
}

/* KERNEL: a private mapping that is written never reaches the file. */
static __always_inline int judge_mapping(struct file *file, unsigned long prot, unsigned long flags)
{
	__u32 type = flags & MAP_TYPE;
	bool shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE;
	int error;

	if (!file)
		return 0;
	error = judge_descriptor(PCL_HOOK_MMAP_FILE, file,
				 shared && (prot & PROT_WRITE) ? PCL_BPF_WRITE : PCL_BPF_READ);
	return error || !(prot & PROT_EXEC) ? error : judge_loaded(PCL_HOOK_MMAP_FILE, file);
}

static __always_inline int judge_protection(struct vm_area_struct *vma, unsigned long prot)
{
	struct file *file = vma->vm_file;
	int error = 0;

	if (!file)
		return 0;
	if ((prot & PROT_WRITE) && (GET(vma, vm_flags) & VM_SHARED))
		error = judge_descriptor(PCL_HOOK_FILE_MPROTECT, file, PCL_BPF_WRITE);
	return error || !(prot & PROT_EXEC) ? error : judge_loaded(PCL_HOOK_FILE_MPROTECT, file);
}

#endif
