/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Descriptors whose use was permitted, kept by the address of their struct file, so that a read or
 * a write compares one word instead of looking the object up (docs/cache.md). Kept is what a
 * verdict (verdict.h) permits to anyone in each way that the descriptor was opened for; so an entry
 * says nothing that the verdict does not say at the same moment.
 *
 * The moment is a sum: of both sequence numbers and control.live, each of which only rises, so it
 * is the same only if each is. KERNEL: the sequence numbers have 32 bits; where one comes round,
 * after two thousand million renames or mounts, another would have to rise as far meanwhile, or an
 * entry to outlast the whole round, as with every sequence number. An entry is forgotten when its
 * memory becomes another open file. KERNEL: everything that is opened by a path passes
 * security_file_open() before anybody can use it, and what is not (pipes, sockets, memfd) is not
 * judged by descriptor either.
 *
 * Who fills an entry locks it, who uses it reads the moment before the file. Had it become another
 * file's in between and then this one's again, the file was permitted anew meanwhile. That takes
 * loads and stores that keep their order, so there is none of it but on x86; nor where
 * compare-and-swap is missing or reading the sequence numbers is dear.
 */
#ifndef PCL_BPF_FILE_H
#define PCL_BPF_FILE_H

#include "verdict.h"

#if defined(PCL_RDONLY_CAST) && defined(__TARGET_ARCH_x86)
#define pcl_keeps_files true
#else
#define pcl_keeps_files false
#endif

#define FMODE_READ 0x1
/* In file: somebody fills the entry. */
#define FILE_LOCKED 1ull

static __always_inline struct pcl_kept_file *file_entry(const struct file *file)
{
	/* As many bits as there are entries, above those that are alike in all addresses. */
	__u64 offset = low_half((__u64)file) & ((PCL_FILES - 1) * sizeof(struct pcl_kept_file));
	return (void *)resident.files + offset;
}

/* That of the moment, as the entry has it. */
static __always_inline __u64 file_sum(const struct pcl_moment *moment, __u64 live)
{
	return live + moment->rename_seq + moment->mount_seq;
}

/* Whether all that the descriptor was opened for is permitted to anyone. */
static __always_inline bool is_kept_file(const struct file *file)
{
	const struct pcl_kept_file *kept = file_entry(file);
	__u64 left = *(volatile __u64 *)&kept->sum;

	if (hidden(*(volatile __u64 *)&kept->file) != (__u64)file)
		return false;
	/* As file_sum(); one after the other, for each that is kept meanwhile costs as much. */
	left = hidden(left - live_now());
	left = hidden(left - READ_FIELD(struct seqcount, machine.rename_lock_at, sequence));
	return left == hidden(READ_FIELD(struct seqcount, machine.mount_lock_at, sequence));
}

/* It was so at moment, as long as the caller holds the file. */
static __always_inline void keep_file(const struct file *file, const struct pcl_moment *moment,
				      __u64 live)
{
	struct pcl_kept_file *kept = file_entry(file);
	__u64 old = *(volatile __u64 *)&kept->file;

	if (old == FILE_LOCKED || !__sync_bool_compare_and_swap(&kept->file, old, FILE_LOCKED))
		return;
	*(volatile __u64 *)&kept->sum = file_sum(moment, live);
	*(volatile __u64 *)&kept->file = (__u64)file;
}

/* The file is being opened: what is kept of its address was another's. */
static __always_inline void forget_file(const struct file *file)
{
	struct pcl_kept_file *kept = file_entry(file);
	__u64 old = *(volatile __u64 *)&kept->file;

	/* Somebody else who locks it meanwhile, puts another file there. */
	if (hidden(old) == (__u64)file)
		__sync_bool_compare_and_swap(&kept->file, old, 0);
}

#endif
