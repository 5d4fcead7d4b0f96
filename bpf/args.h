/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The arguments of a program that is about to be executed, where they lie: on the stack of the
 * memory to be, which no task runs in yet. So nobody can change what is read here, neither another
 * thread of who executes nor a tracer; what stood in the caller's memory does not matter any more.
 *
 * KERNEL: that memory is reached by its page table alone, whose pages and theirs are in the map of
 * all physical memory that the kernel keeps (x86-64 only; the engine refuses the rules elsewhere).
 * A page may be swapped out meanwhile; nothing brings it back before the program runs, so an entry
 * that is the same after the reading was there all the time.
 *
 * What cannot be read is met by no list.
 */
#ifndef PCL_BPF_ARGS_H
#define PCL_BPF_ARGS_H

#include "match.h"

#define PAGE_BYTES 4096u
#define ENTRY_PRESENT 1ull
#define ENTRY_LEAF 0x80ull /* of a higher level: a huge page, which a new stack never has */
#define ENTRY_ADDRESS 0x000ffffffffff000ull
#define LEVEL_BITS 9
#define SHIFT_OF_4_LEVELS 39u
#define SHIFT_OF_5_LEVELS 48u

/* Chunks of arguments that are looked at; with more, they count as not known. */
#define ARG_CHUNKS (1u << 16)

static __always_inline __u64 read_word(__u64 address)
{
	__u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), (void *)address);
	return word;
}

/* The kernel's own variables, which tell how it lays memory out. */
struct pcl_layout {
	__u64 base; /* where physical memory is mapped */
	__u64 mask; /* of an entry: its address */
	__u32 shift;
};

static __always_inline bool read_layout(struct pcl_layout *layout)
{

	if (!resident.control.page_offset_base_at)
		return false;
	layout->base = read_word(resident.control.page_offset_base_at);
	layout->mask = ENTRY_ADDRESS;
	/* KERNEL: some machines mark encrypted pages by a bit of the address. */
	if (resident.control.physical_mask_at)
		layout->mask &= read_word(resident.control.physical_mask_at);
	layout->shift = resident.control.pgdir_shift_at
				? (__u32)read_word(resident.control.pgdir_shift_at)
				: SHIFT_OF_4_LEVELS;
	return layout->base && layout->mask;
}

/* The place of the entry for address in the table at place; 0 where there is none. */
static __always_inline __u64 entry_at(const struct pcl_layout *layout, __u64 entry, __u64 address,
				      __u32 shift)
{
	if (!(entry & ENTRY_PRESENT) || (entry & ENTRY_LEAF))
		return 0;
	return layout->base + (entry & layout->mask) +
	       ((address >> shift) & ((1u << LEVEL_BITS) - 1)) * sizeof(entry);
}

/* The place of the last level's entry for address; 0 where there is none. */
static __always_inline __u64 find_entry(const struct pcl_layout *layout, __u64 pgd, __u64 address)
{
	__u64 place = pgd + ((address >> layout->shift) & ((1u << LEVEL_BITS) - 1)) * sizeof(place);
	__u64 entry = read_word(place);

	if (layout->shift == SHIFT_OF_5_LEVELS)
		entry = read_word(entry_at(layout, entry, address, 39));
	else if (layout->shift != SHIFT_OF_4_LEVELS)
		return 0;
	entry = read_word(entry_at(layout, entry, address, 30));
	entry = read_word(entry_at(layout, entry, address, 21));
	return entry_at(layout, entry, address, 12);
}

/* Reads len bytes, 1 to 63, within a page. len is a mask's result. Returns whether it could. */
static __always_inline bool read_page(const struct pcl_layout *layout, __u64 pgd, __u64 address,
				      void *to, __u32 len)
{
	__u64 place = find_entry(layout, pgd, address), entry = read_word(place);

	if (!(entry & ENTRY_PRESENT))
		return false;
	if (bpf_probe_read_kernel(to, len,
				  (void *)(layout->base + (entry & layout->mask) +
					   (address & (PAGE_BYTES - 1)))))
		return false;
	return read_word(place) == entry;
}

/* PCL_ARG_READ bytes from args->at on into args->chunk; how many could be read. */
static __always_inline __u32 read_arg(struct pcl_args *args)
{
	__u32 first = PAGE_BYTES - (args->at & (PAGE_BYTES - 1)), rest;
	struct pcl_layout layout;
	__u64 mm, pgd;

	if (!read_layout(&layout))
		return 0;
	mm = (__u64)READ_FIELD(struct linux_binprm, args->bprm, mm);
	pgd = (__u64)READ_FIELD(struct mm_struct, mm, pgd);
	if (first > PCL_ARG_READ)
		first = PCL_ARG_READ;
	barrier_var(first);
	first &= 63;
	if (!read_page(&layout, pgd, args->at, args->chunk, first))
		return 0;
	rest = PCL_ARG_READ - first;
	barrier_var(rest);
	rest &= 63;
	if (!rest)
		return first;
	/* Behind the last page of the stack there is none. */
	return read_page(&layout, pgd, args->at + first, (char *)args->chunk + first, rest)
		       ? PCL_ARG_READ
		       : first;
}

#define LOW_BITS 0x0101010101010101ull
#define HIGH_BITS 0x8080808080808080ull
/* Times 1 << 8 * n, its highest byte is n. */
#define BYTE_NUMBERS 0x0001020304050607ull

/* How many bytes of a chunk stand before the first NUL; PCL_ARG_READ: there is none. */
static __always_inline __u32 len_of(const __u64 *chunk)
{
	__u32 i;

#pragma unroll
	for (i = 0; i < PCL_ARG_READ / 8; i++) {
		/* The lowest of these is right; those above it may not be. */
		__u64 zero = (chunk[i] - LOW_BITS) & ~chunk[i] & HIGH_BITS;

		if (zero)
			return i * 8 + (__u32)(((zero & -zero) >> 7) * BYTE_NUMBERS >> 56);
	}
	return PCL_ARG_READ;
}

/* The end of an argument, len bytes behind what is at hand. Returns 1 where it is the last. */
static __always_inline long end_arg(struct pcl_args *args, __u32 len)
{
	args->at += len + 1;
	args->node = args->root;
	args->own = false;
	args->left--;
	if (args->left)
		return 0;
	args->met = true;
	args->ended = true;
	return 1;
}

/* One chunk of one argument. */
static long arg_step(__u32 i, struct pcl_step *step)
{
	struct pcl_args *args = &step->task->args;
	__u32 read = read_arg(args), len = len_of(args->chunk);
	struct pcl_trie_entry *entry;
	struct pcl_trie_key key;
	__u64 hash;
	bool more;

	args->ended = true;
	/* What stands behind what was read is left from before. */
	if (len >= read && read < PCL_ARG_READ)
		return 1;
	more = len > PCL_CHUNK_LEN;
	if (more)
		len = PCL_CHUNK_LEN;
	if (!args->own) {
		key.node = args->node;
		key.len = more ? PCL_CHUNK_LEN | PCL_CHUNK_MORE : len;
		key.name[0] = args->chunk[0];
		key.name[1] = args->chunk[1];
		key.name[2] = args->chunk[2];
		key.name[3] = args->chunk[3];
		mask_chunk(key.name, len);
		hash = hash_key(&key);
		entry = bpf_map_lookup_elem(step->trie, &hash);
		if (!entry || !same_key(&entry->key, &key))
			return 1;
		args->node = entry->edge.node;
	}
	args->ended = false;
	if (!more)
		return end_arg(args, len);
	args->at += PCL_CHUNK_LEN;
	return 0;
}

static __always_inline void begin_args(struct pcl_args *args, __u32 list)
{
	int argc = READ_FIELD(struct linux_binprm, args->bprm, argc);

	args->at = READ_FIELD(struct linux_binprm, args->bprm, p);
	args->left = argc < 0 ? 0 : (__u32)argc;
	args->root = list;
	args->node = list;
	args->own = true;
	args->met = false;
	args->ended = false;
}

#ifdef PCL_OLD_KERNEL
/* As many chunks as one loop looks at. Returns whether there are no more. */
__noinline int look_at_args(__u64 live)
{
	struct pcl_step step = {.task = task_state(current_task()), .trie = trie_of(live)};

	if (!step.task || !step.trie)
		return 1;
	LOOP(PCL_LOOP_ROUNDS, arg_step, &step);
	return step.task->args.ended;
}

static long arg_part(__u32 i, __u64 *live)
{
	return look_at_args(*live);
}

static __always_inline void look_at_all(struct pcl_task *task, __u64 live)
{
	LOOP(PCL_LOOP_ROUNDS, arg_part, &live);
}
#else
static __always_inline void look_at_all(struct pcl_task *task, __u64 live)
{
	struct pcl_step step = {.task = task, .trie = trie_of(live)};

	if (step.trie)
		LOOP(ARG_CHUNKS, arg_step, &step);
}
#endif

/* Whether the list holds every argument, of one at least, the program's own name aside. */
static __always_inline bool holds_args(struct pcl_task *task, __u32 list, __u64 live)
{
	if (!list || !task->args.bprm)
		return false;
	begin_args(&task->args, list);
	if (task->args.left < 2)
		return false;
	look_at_all(task, live);
	return task->args.ended && task->args.met;
}

/* The first of the sets for the arguments, which the conditions count from; 0: the maps are broken.
 */
static __always_inline __u32 first_for_args(struct pcl_task *task, __u32 set, __u64 live)
{
	__u32 index = live & 1, mask = 0, i;
	struct pcl_bpf_set *lists;
	void *map = bpf_map_lookup_elem(&sets, &index);

	lists = map ? bpf_map_lookup_elem(map, &set) : NULL;
	if (!lists)
		return 0;
	for (i = 0; i < PCL_ARG_LISTS; i++)
		if (holds_args(task, lists->access[i].rule, live))
			mask |= 1u << i;
	return set + 1 + mask * PCL_CONDITIONS;
}

#ifdef PCL_OLD_KERNEL
__noinline __u32 own_set_for_args(__u32 set, __u64 live)
{
	struct pcl_task *state = task_state(current_task());

	return state ? first_for_args(state, set, live) : 0;
}
#define set_for_args(state, set, live) own_set_for_args(set, live)
#else
__noinline __u32 set_for_args(struct pcl_task *state, __u32 set, __u64 live)
{
	return state ? first_for_args(state, set, live) : 0;
}
#endif

#endif
