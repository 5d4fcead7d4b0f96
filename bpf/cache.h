/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a directory stands in the trie, kept with its inode, so that an open looks only at the last
 * component. What makes it valid, and why no order of events gets a stale answer through, is
 * written in docs/cache.md; in short:
 *
 * - a path changes only under rename_lock (names, parents) or mount_lock (mounts). The kernel bumps
 *   their sequence numbers around every change; an answer counts only if both stood still, even,
 *   from before its first look to after its last one, and are those of when the cache was filled;
 * - a new ruleset or domain has another `live`, another domain or incarnation;
 * - file systems that may change names behind the kernel's back (DCACHE_OP_REVALIDATE: network file
 *   systems, FUSE) are never kept;
 * - the entry itself has a stamp, odd while it is written, so a torn entry is never believed.
 */
#ifndef PCL_BPF_CACHE_H
#define PCL_BPF_CACHE_H

#include "match.h"

/* Where it (or mount_lock) is not to be had, nothing is kept. */
extern const void rename_lock __ksym __weak;

/* The sequence numbers at one moment. */
struct pcl_moment {
	__u32 rename_seq;
	__u32 mount_seq;
};

static __always_inline void moment_take(struct pcl_moment *moment)
{
	moment->rename_seq = READ_FIELD(struct seqcount, &rename_lock, sequence);
	moment->mount_seq = READ_FIELD(struct seqcount, &mount_lock, sequence);
}

/* Whether nothing has been renamed or mounted since, nor was being so then. */
static __always_inline bool moment_holds(const struct pcl_moment *moment)
{
	struct pcl_moment now;

	barrier();
	moment_take(&now);
	return !((now.rename_seq ^ moment->rename_seq) | (now.mount_seq ^ moment->mount_seq) |
		 ((now.rename_seq | now.mount_seq) & 1));
}

/*
 * Set by the loader. KERNEL: from 6.18 a file's path lies in a union, whose pointers the verifier
 * does not trust, and the storage of an inode is handed out for a trusted one only.
 */
#ifdef PCL_OLD_KERNEL
#define pcl_trusts_dirs true
#else
const volatile bool pcl_trusts_dirs = false;
#endif

static __always_inline struct pcl_dir *dir_cache(struct inode *dir)
{
	/* Before 5.12 there is no compare-and-swap, by which two writers would keep apart. */
	if (PCL_IS_OLD || !pcl_trusts_dirs || !&rename_lock || !&mount_lock || !dir)
		return NULL;
	return bpf_inode_storage_get(&dirs, dir, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/*
 * Answers from the cache: 0 with the set in state->down, or -1. Takes the moment first, which is
 * also the one that an answer found otherwise is measured against.
 */
static __always_inline int cache_hit(struct pcl_dir *cache, const struct pcl_object *object,
				     struct pcl_task *state, __u64 live, __u32 class,
				     struct pcl_moment *ret_moment)
{
	const struct pcl_trie_edge *at = &cache->at[class & 1];
	__u32 stamp = *(volatile __u32 *)&cache->stamp;
	__u64 differs;
	void *trie;

	/* By way of the map a pointer becomes a number, with which the verifier allows arithmetic.
	 */
	moment_take(ret_moment);
	barrier();
	*(volatile __u64 *)&state->slot[0].raw.parent = read_level(&state->slot[0], object->dentry);
	differs = (cache->live ^ live) | (cache->mnt ^ object->mnt) |
		  (cache->dentry ^ *(volatile __u64 *)&state->slot[0].raw.parent);
	differs |= (cache->rename_seq ^ ret_moment->rename_seq) |
		   (cache->mount_seq ^ ret_moment->mount_seq) | (cache->domain ^ state->domain) |
		   (cache->incarnation ^ state->incarnation) | (stamp & 1) |
		   (~cache->valid & (1u << class));
	if (differs)
		return -1;
	trie = trie_of(live);
	if (!trie || leaf_set(trie, at, &state->slot[0], &state->down))
		return -1;
	if (!moment_holds(ret_moment) || *(volatile __u32 *)&cache->stamp != stamp)
		return -1;
	return 0;
}

/* Keeps the edge of the object's directory, which descend_short() has just left in state->down. */
static __always_inline void cache_fill(struct pcl_dir *cache, const struct pcl_object *object,
				       struct pcl_task *state, __u64 live, __u32 class,
				       const struct pcl_moment *moment)
{
	__u64 parent = (__u64)READ_FIELD(struct dentry, object->dentry, d_parent);
	__u32 stamp = cache->stamp, valid = 1u << class;

	/* A file that is itself mounted somewhere has another directory than its parent, and so may
	 * have one that lies on two mounts. */
	if (state->walk.partial ||
	    object->dentry == (__u64)READ_FIELD(struct vfsmount, object->mnt, mnt_root) ||
	    (READ_FIELD(struct dentry, parent, d_flags) & DCACHE_OP_REVALIDATE) || (stamp & 1))
		return;
#ifndef PCL_OLD_KERNEL
	if (!__sync_bool_compare_and_swap(&cache->stamp, stamp, stamp + 1))
		return;
#endif
	if (cache->live == live && cache->mnt == object->mnt && cache->dentry == parent &&
	    cache->rename_seq == moment->rename_seq && cache->mount_seq == moment->mount_seq &&
	    cache->domain == state->domain && cache->incarnation == state->incarnation)
		valid |= cache->valid;
	cache->live = live;
	cache->mnt = object->mnt;
	cache->dentry = parent;
	cache->rename_seq = moment->rename_seq;
	cache->mount_seq = moment->mount_seq;
	cache->domain = state->domain;
	cache->incarnation = state->incarnation;
	cache->at[class & 1] = state->down.at;
	/* Last, since an entry of an odd or a passed moment is never asked for. */
	cache->valid = moment_holds(moment) ? valid : 0;
	barrier();
	__sync_fetch_and_add(&cache->stamp, 1);
}

#endif
