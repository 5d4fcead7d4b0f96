/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a gathered path down the trie to the set of rules that apply. The descent ends at the first
 * component without an edge, so a path that shares no beginning with any rule costs nothing.
 */
#ifndef PCL_BPF_MATCH_H
#define PCL_BPF_MATCH_H

#include "path.h"

struct pcl_step {
	struct pcl_task *task;
	void *trie;
};

/*
 * Reads the chunk of dentry's name that begins at offset into key, zero-filled, and returns whether
 * the name goes on behind it.
 */
static __always_inline bool read_chunk(struct pcl_trie_key *key, __u64 dentry, __u32 offset)
{
	__u32 left = READ_FIELD(struct dentry, dentry, d_name.len) - offset;
	__u32 len = left;
	__u64 name;

	key->name[0] = key->name[1] = key->name[2] = key->name[3] = 0;
	if (left < PCL_CHUNK_LEN && offset == 0 && pcl_has_rdonly_cast &&
	    bpf_core_field_exists(struct dentry___shortname, d_shortname)) {
		struct dentry___shortname *d =
			bpf_rdonly_cast((void *)dentry, bpf_core_type_id_kernel(struct dentry));

		/* KERNEL: a name this short is always kept inside the dentry, in whole words. */
		key->len = len;
#pragma unroll
		for (__u32 i = 0; i < PCL_CHUNK_WORDS; i++) {
			__u64 word;

			if (len <= i * 8)
				break;
			word = d->d_shortname.words[i];
			if (len < i * 8 + 8)
				word &= (1ULL << (len & 7) * 8) - 1;
			key->name[i] = word;
		}
		return false;
	}
	if (len > PCL_CHUNK_LEN)
		len = PCL_CHUNK_LEN;
	key->len = len | (left > PCL_CHUNK_LEN ? PCL_CHUNK_MORE : 0);
	name = (__u64)READ_FIELD(struct dentry, dentry, d_name.name);
	bpf_probe_read_kernel(key->name, len, (void *)(name + offset));
	return left > PCL_CHUNK_LEN;
}

static __always_inline __u32 chunk_bit(const struct pcl_trie_key *key)
{
	__u32 len = key->len & ~PCL_CHUNK_MORE;
	__u64 last = key->name[0];

	if (len > 24)
		last = key->name[3];
	else if (len > 16)
		last = key->name[2];
	else if (len > 8)
		last = key->name[1];
	return pcl_filter_bit(key->name[0], last, key->len);
}

/*
 * Follows the edge for one chunk of dentry's name. Returns 0 when the component is consumed (down
 * stands at its edge), 1 when it goes on, -1 when there is no edge.
 */
static __always_inline int follow_chunk(struct pcl_step *step, __u64 dentry, __u32 offset)
{
	struct pcl_trie_edge *at = &step->task->down.at, *next;
	struct pcl_trie_key key;
	bool more;

	if (!at->node)
		return -1;
	key.node = at->node;
	more = read_chunk(&key, dentry, offset);
	if (!(at->filter & (1ULL << chunk_bit(&key))))
		return -1;
	next = bpf_map_lookup_elem(step->trie, &key);
	if (!next)
		return -1;
	*at = *next;
	return more;
}

static __always_inline void *trie_of(__u64 live)
{
	__u32 index = live & 1;

	return bpf_map_lookup_elem(&tries, &index);
}

static __always_inline long end_descent(struct pcl_descent *down, __u32 set, __u32 below_rule)
{
	down->set = set;
	down->below_rule = below_rule;
	down->ended = 1;
	return 1;
}

/* One chunk of one component; nearly always that is the whole component. */
static long descend_step(__u32 i, struct pcl_step *step)
{
	struct pcl_task *task = step->task;
	struct pcl_descent *down = &task->down;
	__u32 left = down->depth - down->level;
	int more;

	if (left == 0)
		return end_descent(down, down->at.self, down->at.below_rule);
	if (down->offset == 0) {
		down->child = down->at.child;
		down->deep = down->at.deep;
	}
	more = follow_chunk(step, task->slot[(left - 1) & (PCL_WINDOW - 1)], down->offset);
	if (more < 0)
		return end_descent(down, left == 1 ? down->child : down->deep, 0);
	if (more) {
		down->offset += PCL_CHUNK_LEN;
		return 0;
	}
	down->offset = 0;
	down->level++;
	/* The next level lies outside the window that is gathered, if there is a next level. */
	return (down->level & (PCL_WINDOW - 1)) == 0 && left > 1;
}

/* Goes down as far as the gathered window reaches. */
__noinline int descend_window(struct pcl_task *task, __u64 live)
{
	struct pcl_step step = {.task = task, .trie = trie_of(live)};

	if (!task || !step.trie)
		return -1;
	/* Every chunk of every level, and one step that finds that nothing is left. */
	bpf_loop(PCL_WINDOW * (PCL_EVENT_NAME_MAX / PCL_CHUNK_LEN) + 1, descend_step, &step, 0);
	return 0;
}

struct pcl_window_step {
	struct pcl_task *task;
	const struct pcl_object *object;
	__u64 live;
};

static long window_step(__u32 i, struct pcl_window_step *ctx)
{
	struct pcl_descent *down = &ctx->task->down;

	gather(ctx->task, ctx->object, down->depth - down->level);
	return descend_window(ctx->task, ctx->live) || down->ended;
}

/* The levels below the first window of a deep path. */
__noinline int descend_deep(struct pcl_task *task, const struct pcl_object *object, __u64 live)
{
	struct pcl_window_step ctx = {.task = task, .object = object, .live = live};

	if (!task || !object)
		return -1;
	bpf_loop(PCL_WALK_STEPS / PCL_WINDOW, window_step, &ctx, 0);
	return 0;
}

/*
 * Finds the set of rules for an object whose topmost levels were just gathered (and whose walk
 * ended at the top). The answer is in task->down. Returns 0, or -1 where the maps are broken.
 */
static __always_inline int descend(struct pcl_task *task, const struct pcl_trie_edge *root,
				   const struct pcl_object *object, __u64 live)
{
	struct pcl_descent *down = &task->down;

	down->at = *root;
	down->depth = task->walk.depth;
	down->level = 0;
	down->offset = 0;
	down->set = PCL_SET_PERMIT;
	down->below_rule = 0;
	down->ended = 0;
	descend_window(task, live);
	if (!down->ended)
		descend_deep(task, object, live);
	return down->ended ? 0 : -1;
}

#endif
