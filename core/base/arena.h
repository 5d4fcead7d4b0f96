/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is freed all at once: for what consists of very many small pieces that live equally
 * long, such as the tree of a file.
 */
#ifndef PCL_BASE_ARENA_H
#define PCL_BASE_ARENA_H

#include <stddef.h>

struct pcl_arena_block;

/* All zero is an empty one. */
struct pcl_arena {
	struct pcl_arena_block *blocks; /* the one that is filled first */
};

/*
 * size zeroed bytes, aligned for any type. Owned by the arena, until pcl_arena_fini(). NULL where
 * there is no memory.
 */
void *pcl_arena_alloc(struct pcl_arena *arena, size_t size);

/* As pcl_array_grow(), with an array that is the arena's; what it had before stays there, unused.
 */
int pcl_arena_grow(struct pcl_arena *arena, void *array, size_t count, size_t item_size);

void pcl_arena_fini(struct pcl_arena *arena);

#endif
