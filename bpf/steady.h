/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A walk while something moves. Nothing is locked, so a name may be put together of two moments:
 * its lower part from before a rename and its upper part from after it. A walk during which neither
 * rename_lock nor mount_lock moved is of one moment. Where one of them did, the walk is done again
 * between two looks at everything on the way: each dentry with its sequence number, which moves
 * with its name and parent, and each mount with its place. If both looks saw the same, then all of
 * it was so at one moment between them. So renames elsewhere do not matter, and who renames what
 * lies on the way itself is refused in the end where anything is blocked.
 */
#ifndef PCL_BPF_STEADY_H
#define PCL_BPF_STEADY_H

#include "match.h"

#define STEADY_TRIES 6u

#ifndef PCL_OLD_KERNEL

static long sum_step(__u32 i, struct pcl_task **ctx)
{
	struct pcl_walk *walk = &(*ctx)->walk;
	__u64 left = walk_next(walk, NULL);
	__u32 seq = 0;

	if (left) {
		seq = READ_FIELD(struct seqcount,
				 left + bpf_core_field_offset(struct dentry, d_seq), sequence);
		if (seq & 1)
			walk->end = WALK_UNKNOWN;
	}
	walk->sum = pcl_hash_step(walk->sum ^ left, (__u64)seq << 32 ^ walk->dentry);
	walk->sum = pcl_hash_step(walk->sum, walk->mnt ^ walk->end);
	return walk->end != WALK_GOING;
}

/* Of all that names the object; 0: it is being moved, or has no name. */
__noinline __u64 sum_up(struct pcl_task *task, const struct pcl_object *object)
{
	if (!task || !object)
		return 0;
	walk_init(task, object, ~0u);
	task->walk.sum = 1;
	LOOP(PCL_WALK_STEPS, sum_step, &task);
	return task->walk.end == WALK_GOING || task->walk.end == WALK_UNKNOWN ? 0 : task->walk.sum;
}

/* As gather() and descend() at one moment. Returns enum pcl_walk_end. */
__noinline int find_steadily(struct pcl_task *task, const struct pcl_object *object,
			     const struct pcl_trie_edge *root, __u64 live)
{
	__u64 before;
	int end;

	if (!task || !object || !root)
		return WALK_UNKNOWN;
	for (__u32 i = 0; i < STEADY_TRIES; i++) {
		before = sum_up(task, object);
		end = gather(task, object, ~0u);
		if (end == WALK_TOP && descend(task, root, object, live))
			end = WALK_UNKNOWN;
		if (before && before == sum_up(task, object))
			return end;
	}
	return WALK_UNKNOWN;
}

#endif

#endif
