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
 * Row len: which bytes of a chunk's words belong to a name of len bytes. A table, because branches
 * on len would make the verifier follow every length through every level.
 */
#define BYTES(len, word)                                                                           \
	((len) <= (word)*8 ? 0ULL                                                                  \
	 : (len) >= (word)*8 + 8                                                                   \
		 ? ~0ULL                                                                           \
		 : (1ULL << ((len) < (word)*8 ? 0 : ((len) - (word)*8) % 8 * 8)) - 1)
#define MASK(len)                                                                                  \
	{                                                                                          \
		BYTES(len, 0), BYTES(len, 1), BYTES(len, 2), BYTES(len, 3)                         \
	}
#define MASKS(from)                                                                                \
	MASK(from), MASK(from + 1), MASK(from + 2), MASK(from + 3), MASK(from + 4),                \
		MASK(from + 5), MASK(from + 6), MASK(from + 7)

/* Rows beyond PCL_CHUNK_LEN are never used; a power of two makes the bounds check a mask. */
const __u64 chunk_masks[64][PCL_CHUNK_WORDS] = {MASKS(0), MASKS(8), MASKS(16), MASKS(24), MASK(32)};

static __always_inline void mask_chunk(__u64 name[PCL_CHUNK_WORDS], __u32 len)
{
	const __u64 *mask = chunk_masks[len & 63];

	name[0] &= mask[0];
	name[1] &= mask[1];
	name[2] &= mask[2];
	name[3] &= mask[3];
}

/*
 * The chunk of a name that begins at offset, into key. KERNEL: a name is followed by a NUL and lies
 * in memory that is readable up to the next 8 bytes; what is read beyond it is masked away.
 */
static __always_inline void read_chunk(struct pcl_trie_key *key, __u64 dentry, __u32 offset)
{
	__u32 left, len;
	__u64 name;

	left = READ_FIELD(struct dentry, dentry, d_name.len) - offset;
	name = (__u64)READ_FIELD(struct dentry, dentry, d_name.name) + offset;
	len = left > PCL_CHUNK_LEN ? PCL_CHUNK_LEN : left;
	key->len = len | (left > PCL_CHUNK_LEN ? PCL_CHUNK_MORE : 0);
	if (pcl_has_rdonly_cast) {
		struct sysinfo *words =
			bpf_rdonly_cast((void *)name, bpf_core_type_id_kernel(struct sysinfo));

		key->name[0] = (__u64)words->uptime;
		key->name[1] = words->loads[0];
		key->name[2] = words->loads[1];
		key->name[3] = words->loads[2];
	} else {
		bpf_probe_read_kernel(key->name, PCL_CHUNK_LEN, (void *)name);
	}
	mask_chunk(key->name, len);
}

static __always_inline __u64 hash_key(const struct pcl_trie_key *key)
{
	return pcl_hash_words(key->node, key->len, key->name);
}

static __always_inline bool same_key(const struct pcl_trie_key *a, const struct pcl_trie_key *b)
{
	/* One branch for all of it, for the verifier's sake. */
	return !((a->node ^ b->node) | (a->len ^ b->len) | (a->name[0] ^ b->name[0]) |
		 (a->name[1] ^ b->name[1]) | (a->name[2] ^ b->name[2]) | (a->name[3] ^ b->name[3]));
}

/*
 * Follows the edge for one chunk of dentry's name. Returns 0 when the component is consumed (down
 * stands at its edge), 1 when it goes on, -1 when there is no edge.
 */
static __always_inline int follow_chunk(struct pcl_step *step, __u64 dentry, __u32 offset)
{
	struct pcl_trie_edge *at = &step->task->down.at;
	struct pcl_trie_entry *next;
	struct pcl_trie_key key;
	__u64 hash;

	if (!at->node)
		return -1;
	key.node = at->node;
	read_chunk(&key, dentry, offset);
	hash = hash_key(&key);
	if (!(at->filter & (1ULL << pcl_filter_bit(hash))))
		return -1;
	next = bpf_map_lookup_elem(step->trie, &hash);
	if (!next || !same_key(&next->key, &key))
		return -1;
	*at = next->edge;
	return key.len & PCL_CHUNK_MORE ? 1 : 0;
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
	more = follow_chunk(step, task->slot[(left - 1) & (PCL_WINDOW - 1)].dentry, down->offset);
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

/* Every chunk of every level of a window, and one step that finds that nothing is left. */
#define WINDOW_STEPS (PCL_WINDOW * (PCL_EVENT_NAME_MAX / PCL_CHUNK_LEN) + 1)

#ifdef PCL_OLD_KERNEL
#define PART_STEPS 8u

/* 0: the window goes on. Numbers for arguments, so that it is verified once. */
__noinline int descend_part(__u64 live)
{
	struct pcl_step step = {.task = task_state(current_task()), .trie = trie_of(live)};
	__u32 i;

	if (!step.task || !step.trie)
		return 1;
	for (i = 0; i < PART_STEPS; i++)
		if (descend_step(i, &step))
			return 1;
	return 0;
}

/* Goes down as far as the gathered window reaches. */
__noinline int descend_window_now(__u64 live)
{
	__u32 i;

	for (i = 0; i < WINDOW_STEPS / PART_STEPS + 1; i++)
		if (descend_part(live))
			break;
	return 0;
}

static __always_inline int descend_window(struct pcl_task *task, __u64 live)
{
	return descend_window_now(live);
}
#else
/* Goes down as far as the gathered window reaches. */
__noinline int descend_window(struct pcl_task *task, __u64 live)
{
	struct pcl_step step = {.task = task, .trie = trie_of(live)};

	if (!task || !step.trie)
		return -1;
	LOOP(WINDOW_STEPS, descend_step, &step);
	return 0;
}
#endif

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
#ifdef PCL_OLD_KERNEL
__noinline int own_window(__u64 live)
{
	struct pcl_window_step ctx = {.task = task_state(current_task()), .live = live};

	if (!ctx.task)
		return 1;
	ctx.object = &ctx.task->object;
	return window_step(0, &ctx) ? 1 : 0;
}

__noinline int descend_deep_parked(__u64 live)
{
	__u32 i;

	for (i = 0; i < PCL_LOOP_ROUNDS; i++)
		if (own_window(live))
			break;
	return 0;
}

static __always_inline int descend_deep(struct pcl_task *task, const struct pcl_object *object,
					__u64 live)
{
	task->object = *object;
	return descend_deep_parked(live);
}
#else
__noinline int descend_deep(struct pcl_task *task, const struct pcl_object *object, __u64 live)
{
	struct pcl_window_step ctx = {.task = task, .object = object, .live = live};

	if (!task || !object)
		return -1;
	LOOP(PCL_WALK_STEPS / PCL_WINDOW, window_step, &ctx);
	return 0;
}
#endif

/* The whole component into key, or false where it is longer than a chunk. */
static __always_inline bool read_level_name(struct pcl_trie_key *key, const struct pcl_slot *slot)
{
	__u32 len;

	if (pcl_has_rdonly_cast || !dentry_is_flat()) {
		read_chunk(key, slot->dentry, 0);
		return !(key->len & PCL_CHUNK_MORE);
	}
	len = slot->raw.len;
	if (len > PCL_CHUNK_LEN)
		return false;
	key->len = len;
	if (len < PCL_CHUNK_LEN) {
		/* KERNEL: a name this short is always kept inside the dentry. */
		key->name[0] = slot->raw.iname[0];
		key->name[1] = slot->raw.iname[1];
		key->name[2] = slot->raw.iname[2];
		key->name[3] = slot->raw.iname[3];
	} else {
		bpf_probe_read_kernel(key->name, PCL_CHUNK_LEN, (void *)slot->raw.name);
	}
	mask_chunk(key->name, len);
	return true;
}

/* The edge for the name in slot below at, or NULL; ret_long where the name is longer than a chunk.
 */
static __always_inline const struct pcl_trie_edge *child_edge(void *trie,
							      const struct pcl_trie_edge *at,
							      const struct pcl_slot *slot,
							      bool *ret_long)
{
	struct pcl_trie_entry *next;
	struct pcl_trie_key key;
	__u64 hash;

	key.node = at->node;
	*ret_long = !read_level_name(&key, slot);
	if (*ret_long)
		return NULL;
	hash = hash_key(&key);
	if (!(at->filter & (1ULL << pcl_filter_bit(hash))))
		return NULL;
	next = bpf_map_lookup_elem(trie, &hash);
	return next && same_key(&next->key, &key) ? &next->edge : NULL;
}

/*
 * The last step: the set for the object in slot, whose directory's edge is at. Returns 0, or -1
 * where the name is longer than a chunk.
 */
static __always_inline int leaf_set(void *trie, const struct pcl_trie_edge *at,
				    const struct pcl_slot *slot, struct pcl_descent *down)
{
	const struct pcl_trie_edge *edge;
	bool is_long;

	if (!at->node) {
		end_descent(down, at->child, 0);
		return 0;
	}
	edge = child_edge(trie, at, slot, &is_long);
	if (is_long)
		return -1;
	end_descent(down, edge ? edge->self : at->child, edge ? edge->below_rule : 0);
	return 0;
}

/*
 * The descent for a path of at most PCL_WINDOW levels with short names, which nearly all are, in
 * registers. Returns whether it found the answer; otherwise descend_window() starts again. Then
 * down.at is the edge of the object's directory, in the form that leaf_set() takes.
 */
GLOBAL int descend_short(struct pcl_task *task, const struct pcl_trie_edge *root, __u64 live)
{
	const struct pcl_trie_edge *at = root, *next;
	void *trie = trie_of(live);
	__u32 depth, level;
	bool is_long;

	if (!task || !root || !trie)
		return 0;
	depth = task->walk.depth;
	if (!depth) {
		end_descent(&task->down, at->self, at->below_rule);
		return 1;
	}
	for (level = 0; level < PCL_WINDOW && level + 1 < depth; level++) {
		next = NULL;
		is_long = false;
		if (at->node)
			next = child_edge(trie, at,
					  &task->slot[(depth - level - 1) & (PCL_WINDOW - 1)],
					  &is_long);
		if (is_long)
			return 0;
		if (!next) {
			/* No rule begins with this path: one set for all that lies below. */
			task->down.at.filter = 0;
			task->down.at.node = 0;
			task->down.at.child = at->deep;
			goto leaf;
		}
		at = next;
	}
	task->down.at = *at;
leaf:
	return !leaf_set(trie, &task->down.at, &task->slot[0], &task->down);
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
	down->ended = 0;
	descend_window(task, live);
	if (!down->ended)
		descend_deep(task, object, live);
	return down->ended ? 0 : -1;
}

#endif
