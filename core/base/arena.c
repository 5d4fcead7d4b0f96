/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks in a list, of which the first is filled. What is larger than a block has one of its own,
 * behind the first, so that the room left in that one is not lost.
 */
#include "base/arena.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* Small beside what a policy of ten rules takes, and large beside what malloc adds. */
#define BLOCK_SIZE ((size_t)16 << 10)
#define ALIGNMENT _Alignof(max_align_t)

struct pcl_arena_block {
	struct pcl_arena_block *next;
	size_t left;
	_Alignas(max_align_t) char bytes[];
};

static struct pcl_arena_block *block_new(size_t size)
{
	struct pcl_arena_block *block;

	if (size > SIZE_MAX - sizeof(*block))
		return NULL;
	block = malloc(sizeof(*block) + size);
	if (block)
		*block = (struct pcl_arena_block){.left = size};
	return block;
}

/* One that has room for size more bytes. */
static struct pcl_arena_block *find_block(struct pcl_arena *arena, size_t size)
{
	struct pcl_arena_block *first = arena->blocks, *block;

	if (first && first->left >= size)
		return first;
	block = block_new(size > BLOCK_SIZE ? size : BLOCK_SIZE);
	if (!block)
		return NULL;
	if (first && size > BLOCK_SIZE) {
		block->next = first->next;
		first->next = block;
	} else {
		block->next = first;
		arena->blocks = block;
	}
	return block;
}

void *pcl_arena_alloc(struct pcl_arena *arena, size_t size)
{
	struct pcl_arena_block *block;

	if (size > SIZE_MAX - ALIGNMENT)
		return NULL;
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	block = find_block(arena, size);
	if (!block)
		return NULL;
	/* From the end to the beginning: what is left is all that has to be known. */
	block->left -= size;
	return memset(block->bytes + block->left, 0, size);
}

int pcl_arena_grow(struct pcl_arena *arena, void *array, size_t count, size_t item_size)
{
	size_t capacity = pcl_array_next(count);
	void *items, *more;

	if (!capacity)
		return 0;
	if (capacity > SIZE_MAX / item_size)
		return -ENOMEM;
	more = pcl_arena_alloc(arena, capacity * item_size);
	if (!more)
		return -ENOMEM;
	memcpy(&items, array, sizeof(items));
	if (count)
		memcpy(more, items, count * item_size);
	memcpy(array, &more, sizeof(more));
	return 0;
}

void pcl_arena_fini(struct pcl_arena *arena)
{
	while (arena->blocks) {
		struct pcl_arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
}
