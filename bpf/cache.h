/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a directory stands in the trie, kept by its dentry, so that an open looks only at the last
 * component. What makes it valid, and why no order of events gets a stale answer through, is
 * written in docs/cache.md; in short:
 *
 * - a path changes only under rename_lock (names, parents) or mount_lock (mounts). The kernel bumps
 *   their sequence numbers around every change; an answer counts only if both stood still, even,
 *   from before its first look to after its last one. Since the entry was filled mount_lock's and
 *   that of each dentry above has not changed, so renames elsewhere do not matter;
 * - a dentry's address becomes another object's only by d_instantiate, where it is forgotten
 *   (verdict.h);
 * - a new ruleset or domain has another `live`, another domain or incarnation;
 * - the entry itself has a stamp, odd while it is written, so a torn entry is never believed.
 */
#ifndef PCL_BPF_CACHE_H
#define PCL_BPF_CACHE_H

#include "address.h"
#include "match.h"

/* The sequence numbers at one moment. */
struct pcl_moment {
	__u32 rename_seq;
	__u32 mount_seq;
};

static __always_inline void moment_take(struct pcl_moment *moment)
{
	moment->rename_seq = READ_FIELD(struct seqcount, machine.rename_lock_at, sequence);
	moment->mount_seq = READ_FIELD(struct seqcount, machine.mount_lock_at, sequence);
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

/* Whether both sequence numbers can be had; where not, nothing is kept. */
static __always_inline bool moments_exist(void)
{
	return machine.rename_lock_at && machine.mount_lock_at;
}

static __always_inline struct pcl_dir *dir_entry(__u64 dentry)
{
	__u32 slot = table_slot(dentry, PCL_DIRS_BITS);

	return bpf_map_lookup_elem(&dirs, &slot);
}

/* The entry for the object's directory, or NULL where nothing can be kept. */
static __always_inline struct pcl_dir *dir_cache(struct pcl_task *state,
						 const struct pcl_object *object)
{
	/* Before 5.12 there is no compare-and-swap, by which two writers would keep apart. */
	if (PCL_IS_OLD || !moments_exist())
		return NULL;
	/* By way of the map a pointer becomes a number, with which the verifier allows arithmetic.
	 */
	*(volatile __u64 *)&state->slot[0].raw.parent = read_level(&state->slot[0], object->dentry);
	return dir_entry(*(volatile __u64 *)&state->slot[0].raw.parent);
}

static __always_inline __u32 seq_of(__u64 dentry)
{
	return READ_FIELD(struct seqcount, dentry + bpf_core_field_offset(struct dentry, d_seq),
			  sequence);
}

/*
 * Whether all that gives the directory its name has the name and the parent that it had. A function
 * of its own for the stack's sake, as the next.
 */
GLOBAL int is_in_place(const struct pcl_dir *cache)
{
	__u32 levels, differs = 0, i;

	if (!cache)
		return 0;
	levels = cache->levels;
#pragma clang loop unroll(disable)
	for (i = 0; i < PCL_DIR_LEVELS && i < levels; i++)
		differs |= seq_of(cache->above[i]) ^ cache->seqs[i];
	return !differs;
}

/* Keeps what gives the directory its name. 0 where something of it is being moved. */
GLOBAL int keep_levels(struct pcl_dir *cache, const struct pcl_task *state)
{
	__u32 levels, odd = 0, i;

	if (!cache || !state)
		return 0;
	cache->levels = levels = state->walk.depth - 1;
#pragma clang loop unroll(disable)
	for (i = 0; i < PCL_DIR_LEVELS && i < levels; i++) {
		cache->above[i] = state->slot[i + 1].dentry;
		cache->seqs[i] = seq_of(cache->above[i]);
		odd |= cache->seqs[i];
	}
	return !(odd & 1);
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

	moment_take(ret_moment);
	barrier();
	*(volatile __u64 *)&state->slot[0].raw.parent = read_level(&state->slot[0], object->dentry);
	differs = (cache->live ^ live) | (cache->mnt ^ object->mnt) |
		  (cache->dentry ^ *(volatile __u64 *)&state->slot[0].raw.parent);
	differs |= (cache->mount_seq ^ ret_moment->mount_seq) | (cache->domain ^ state->domain) |
		   (cache->incarnation ^ state->incarnation) | (stamp & 1) |
		   (~cache->valid & (1u << class));
	if (differs || !is_in_place(cache))
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
	    !state->walk.home || (stamp & 1))
		return;
#ifndef PCL_OLD_KERNEL
	if (!__sync_bool_compare_and_swap(&cache->stamp, stamp, stamp + 1))
		return;
#endif
	if (cache->live == live && cache->mnt == object->mnt && cache->dentry == parent &&
	    cache->mount_seq == moment->mount_seq && cache->domain == state->domain &&
	    cache->incarnation == state->incarnation && is_in_place(cache))
		valid |= cache->valid;
	cache->live = live;
	cache->mnt = object->mnt;
	cache->dentry = parent;
	cache->mount_seq = moment->mount_seq;
	cache->domain = state->domain;
	cache->incarnation = state->incarnation;
	cache->at[class & 1] = state->down.at;
	/* Last, since what was so at no one moment is never asked for. */
	cache->valid = keep_levels(cache, state) && moment_holds(moment) ? valid : 0;
	barrier();
	__sync_fetch_and_add(&cache->stamp, 1);
}

#endif
