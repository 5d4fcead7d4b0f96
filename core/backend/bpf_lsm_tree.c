/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The component tree of the BPF-LSM plan. Recursion is as deep as a path has components, so at most
 * PATH_MAX / 2 levels.
 */
#include "backend/bpf_lsm_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

struct pcl_tree *pcl_tree_new(void)
{
	return calloc(1, sizeof(struct pcl_tree));
}

void pcl_tree_free(struct pcl_tree **tree)
{
	if (!*tree)
		return;
	for (size_t i = 0; i < (*tree)->child_count; i++)
		pcl_tree_free(&(*tree)->children[i]);
	free((void *)(*tree)->children);
	free((*tree)->items);
	free(*tree);
	*tree = NULL;
}

static int compare_chunk(const struct pcl_tree *tree, const char chunk[PCL_CHUNK_LEN], uint32_t len)
{
	int order = memcmp(tree->chunk, chunk, PCL_CHUNK_LEN);

	if (order)
		return order;
	return tree->len < len ? -1 : tree->len > len;
}

/* The place of the chunk among the children; ret_found whether it is there. */
static size_t find_child(const struct pcl_tree *tree, const char chunk[PCL_CHUNK_LEN], uint32_t len,
			 bool *ret_found)
{
	size_t low = 0, high = tree->child_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_chunk(tree->children[middle], chunk, len);

		if (!order) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = false;
	return low;
}

static struct pcl_tree *need_child(struct pcl_tree *tree, const char *name, uint32_t used,
				   bool more)
{
	char chunk[PCL_CHUNK_LEN] = {0};
	uint32_t len = used | (more ? PCL_CHUNK_MORE : 0);
	struct pcl_tree *child;
	bool found;
	size_t at;

	memcpy(chunk, name, used);
	at = find_child(tree, chunk, len, &found);
	if (found)
		return tree->children[at];
	child = pcl_tree_new();
	if (!child ||
	    pcl_array_grow(&tree->children, tree->child_count, sizeof(struct pcl_tree *))) {
		free(child);
		return NULL;
	}
	memcpy(child->chunk, chunk, sizeof(chunk));
	child->len = len;
	memmove((void *)(tree->children + at + 1), (void *)(tree->children + at),
		(tree->child_count - at) * sizeof(struct pcl_tree *));
	tree->children[at] = child;
	tree->child_count++;
	return child;
}

int pcl_tree_insert(struct pcl_tree *tree, const char *path, uint32_t value, enum pcl_match match)
{
	while (*(path += strspn(path, "/"))) {
		size_t len = strcspn(path, "/");

		while (len) {
			uint32_t used = len > PCL_CHUNK_LEN ? PCL_CHUNK_LEN : (uint32_t)len;

			tree = need_child(tree, path, used, len > used);
			if (!tree)
				return -ENOMEM;
			path += used;
			len -= used;
		}
	}
	if (pcl_array_grow(&tree->items, tree->item_count, sizeof(*tree->items)))
		return -ENOMEM;
	tree->items[tree->item_count++] = (struct pcl_tree_item){.value = value, .match = match};
	return 0;
}

void pcl_tree_key(const struct pcl_tree *tree, uint32_t node, struct pcl_trie_key *ret_key)
{
	memset(ret_key, 0, sizeof(*ret_key));
	ret_key->node = node;
	ret_key->len = tree->len;
	memcpy(ret_key->name, tree->chunk, PCL_CHUNK_LEN);
}

uint64_t pcl_key_hash(const struct pcl_trie_key *key)
{
	return pcl_hash_words(key->node, key->len, key->name);
}

uint32_t pcl_key_filter_bit(const struct pcl_trie_key *key)
{
	return pcl_filter_bit(pcl_key_hash(key));
}
