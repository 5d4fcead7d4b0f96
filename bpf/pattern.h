/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Patterns: automata that are run over an object's path, byte by byte from the root down, until
 * nothing can match any more. What they are made of is decided by core/backend/bpf_lsm_patterns.c.
 *
 * It costs a whole walk, since the directory cache knows nothing of it, and two looks at a map for
 * each byte; only classes with patterns pay. A path that cannot be run through counts as unknown.
 */
#ifndef PCL_BPF_PATTERN_H
#define PCL_BPF_PATTERN_H

#include "match.h"
#include "task.h"

struct pcl_run_step {
	struct pcl_task *task;
	void *blocks;
};

static __always_inline void *blocks_of(__u64 live)
{
	__u32 index = live & 1;

	return bpf_map_lookup_elem(&patterns, &index);
}

static __always_inline long end_run(struct pcl_run *run)
{
	run->ended = 1;
	return 1;
}

/* One byte for every automaton. Returns 1 when there is nothing more to do. */
static __always_inline long feed(struct pcl_run_step *step, __u8 byte)
{
	struct pcl_run *run = &step->task->run;
	__u32 group, index, word, alive = 0;

	for (group = 0; group < PCL_PATTERN_GROUPS; group++) {
		struct pcl_pattern_block *classes, *row;

		if (!run->at[group])
			continue;
		index = run->classes[group];
		classes = bpf_map_lookup_elem(step->blocks, &index);
		if (!classes)
			return 1;
		word = PCL_PATTERN_NEXT + ((__u8 *)classes->words)[byte];
		index = run->at[group] + word / PCL_PATTERN_WORDS;
		row = bpf_map_lookup_elem(step->blocks, &index);
		if (!row)
			return 1;
		run->at[group] = row->words[word & (PCL_PATTERN_WORDS - 1)];
		alive |= run->at[group];
	}
	return alive ? 0 : end_run(run);
}

/* KERNEL: as read_chunk() of match.h; what lies behind the name is not looked at. */
static __always_inline void read_bytes(struct pcl_run *run)
{
	bpf_probe_read_kernel(run->chunk, PCL_CHUNK_LEN, (void *)(run->name + run->offset));
}

static __always_inline long next_name(struct pcl_run_step *step)
{
	struct pcl_run *run = &step->task->run;
	__u64 dentry;

	if (run->level == run->depth)
		return end_run(run);
	if (run->level == run->until)
		return 1;
	if (run->level && feed(step, '/'))
		return 1;
	dentry = step->task->slot[(run->depth - run->level - 1) & (PCL_WINDOW - 1)].dentry;
	run->level++;
	run->len = READ_FIELD(struct dentry, dentry, d_name.len);
	run->name = (__u64)READ_FIELD(struct dentry, dentry, d_name.name);
	run->offset = 0;
	read_bytes(run);
	return 0;
}

/* One byte of one name, or the way from one name to the next. */
static long run_step(__u32 i, struct pcl_run_step *step)
{
	struct pcl_run *run = &step->task->run;
	__u8 byte;

	if (run->offset == run->len)
		return next_name(step);
	byte = run->chunk[run->offset & (PCL_CHUNK_LEN - 1)];
	run->offset++;
	if (!(run->offset & (PCL_CHUNK_LEN - 1)) && run->offset < run->len)
		read_bytes(run);
	return feed(step, byte);
}

/* Every byte of every level of a window, what lies between, and one step for the end. */
#define RUN_STEPS (PCL_WINDOW * PCL_EVENT_NAME_MAX + 1)

#ifdef PCL_OLD_KERNEL
#define RUN_PART 32u

__noinline int run_part(__u64 live)
{
	struct pcl_run_step step = {.task = task_state(current_task()), .blocks = blocks_of(live)};
	__u32 i;

	if (!step.task || !step.blocks)
		return 1;
	for (i = 0; i < RUN_PART; i++)
		if (run_step(i, &step))
			return 1;
	return 0;
}

/* As far as the gathered window reaches. */
__noinline int run_window_now(__u64 live)
{
	__u32 i;

	for (i = 0; i < RUN_STEPS / RUN_PART + 1; i++)
		if (run_part(live))
			break;
	return 0;
}

static __always_inline int run_window(struct pcl_task *task, __u64 live)
{
	return run_window_now(live);
}
#else
__noinline int run_window(struct pcl_task *task, __u64 live)
{
	struct pcl_run_step step = {.task = task, .blocks = blocks_of(live)};

	if (!task || !step.blocks)
		return -1;
	LOOP(RUN_STEPS, run_step, &step);
	return 0;
}
#endif

static long run_deep_step(__u32 i, struct pcl_window_step *ctx)
{
	struct pcl_run *run = &ctx->task->run;

	gather(ctx->task, ctx->object, run->depth - run->level);
	run->until = run->level + PCL_WINDOW;
	return run_window(ctx->task, ctx->live) || run->ended;
}

/* The levels below the first window of a deep path. */
#ifdef PCL_OLD_KERNEL
__noinline int run_deep_parked(__u64 live)
{
	struct pcl_window_step ctx = {.task = task_state(current_task()), .live = live};

	if (!ctx.task)
		return -1;
	ctx.object = &ctx.task->object;
	LOOP(PCL_LOOP_ROUNDS, run_deep_step, &ctx);
	return 0;
}

static __always_inline int run_deep(struct pcl_task *task, const struct pcl_object *object,
				    __u64 live)
{
	task->object = *object;
	return run_deep_parked(live);
}
#else
__noinline int run_deep(struct pcl_task *task, const struct pcl_object *object, __u64 live)
{
	struct pcl_window_step ctx = {.task = task, .object = object, .live = live};

	if (!task || !object)
		return -1;
	LOOP(PCL_WALK_STEPS / PCL_WINDOW, run_deep_step, &ctx);
	return 0;
}
#endif

/*
 * Runs the automata over the object's path. Returns 0 with their states in task->run.at, or -1
 * where the path cannot be built or the maps are broken.
 */
static __always_inline int run_patterns(struct pcl_task *task, const struct pcl_object *object,
					const struct pcl_pattern_group *groups, __u64 live)
{
	struct pcl_run *run = &task->run;
	__u32 i;

	if (gather(task, object, ~0u) != WALK_TOP)
		return -1;
	for (i = 0; i < PCL_PATTERN_GROUPS; i++) {
		run->at[i] = groups[i].start;
		run->classes[i] = groups[i].classes;
	}
	run->depth = task->walk.depth;
	run->level = 0;
	run->until = PCL_WINDOW;
	run->offset = 0;
	run->len = 0;
	run->ended = 0;
	run_window(task, live);
	if (!run->ended)
		run_deep(task, object, live);
	return run->ended ? 0 : -1;
}

/* A word of the state that a group stands at; 0 where it is dead. */
static __always_inline __u32 run_word(const struct pcl_run *run, __u32 group, __u32 word,
				      void *blocks)
{
	__u32 index = run->at[group & (PCL_PATTERN_GROUPS - 1)];
	struct pcl_pattern_block *row = index ? bpf_map_lookup_elem(blocks, &index) : NULL;

	return row ? row->words[word & (PCL_PATTERN_WORDS - 1)] : 0;
}

/*
 * For a directory that the automata have just run over and that is about to become task->to: the
 * rule that keeps it from moving, since what lies below would be told apart by it; 0: none.
 */
static __always_inline __u32 pattern_below(struct pcl_task *task,
					   const struct pcl_pattern_group *groups, __u64 live)
{
	struct pcl_run_step step = {.task = task, .blocks = blocks_of(live)};
	struct pcl_run *run = &task->run;
	__u32 i, rule = 0, stays = 0;

	if (!step.blocks)
		return 0;
	feed(&step, '/');
	for (i = 0; i < PCL_PATTERN_GROUPS; i++) {
		run->from[i] = run->at[i];
		run->below[i] = run_word(run, i, PCL_PATTERN_BELOW, step.blocks);
		rule |= run->below[i];
	}
	if (!rule)
		return 0;
	if (!run_patterns(task, &task->to, groups, live)) {
		feed(&step, '/');
		stays = 1;
	}
	rule = 0;
	for (i = 0; i < PCL_PATTERN_GROUPS; i++)
		if (!stays || run->from[i] != run->at[i])
			rule = pcl_first_rule(rule, run->below[i]);
	return rule;
}

#endif
