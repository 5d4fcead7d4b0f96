/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree of path components, cut into the chunks that a trie key holds. Private to the BPF-LSM
 * plan.
 */
#ifndef PCL_BACKEND_BPF_LSM_TREE_H
#define PCL_BACKEND_BPF_LSM_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/abi.h"
#include "policy/policy.h"

struct pcl_tree_item {
	uint32_t value; /* a rule's rank in its ruleset, or a source id */
	enum pcl_match match;
};

struct pcl_tree {
	char chunk[PCL_CHUNK_LEN];  /* zero-filled */
	uint32_t len;		    /* as in pcl_trie_key: bytes used, and PCL_CHUNK_MORE */
	struct pcl_tree **children; /* sorted by chunk, then len */
	size_t child_count;
	struct pcl_tree_item *items;
	size_t item_count;
};

/* The root, which stands for "/". NULL without memory. */
struct pcl_tree *pcl_tree_new(void);
void pcl_tree_free(struct pcl_tree **tree);

/* path is absolute and normalised. 0 or -ENOMEM. Fast when paths come sorted. */
int pcl_tree_insert(struct pcl_tree *tree, const char *path, uint32_t value, enum pcl_match match);

/* The node is the front part of a longer component and no place of its own. */
static inline bool pcl_tree_is_partial(const struct pcl_tree *tree)
{
	return tree->len & PCL_CHUNK_MORE;
}

/* The key of the edge that leads from node to tree. */
void pcl_tree_key(const struct pcl_tree *tree, uint32_t node, struct pcl_trie_key *ret_key);

/* The hash under which the trie map holds the edge; bpf/match.h computes the same. */
uint64_t pcl_key_hash(const struct pcl_trie_key *key);

/* Its bit in the filter of the edge above. */
uint32_t pcl_key_filter_bit(const struct pcl_trie_key *key);

#endif
