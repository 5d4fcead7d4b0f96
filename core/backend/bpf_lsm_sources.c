/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sources that rules name: their ids, by which variants of sets are found, and the trie that
 * leads from an executable's path to its id.
 */
#include "backend/bpf_lsm_maker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_tree.h"
#include "base/array.h"
#include "base/cleanup.h"

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int pcl_maker_each_name(const struct pcl_backend_domain *domain, const char *path,
			int (*add)(void *context, const char *name), void *context)
{
	const struct pcl_alias *alias = pcl_aliases_find(domain->aliases, path);
	int error = add(context, path);

	for (size_t i = 0; alias && !error && i < alias->target_count; i++)
		error = add(context, alias->targets[i]);
	for (size_t i = 0; alias && !error && i < alias->more_count; i++)
		error = add(context, alias->more[i]);
	return error;
}

static int add_source_path(void *context, const char *name)
{
	struct pcl_maker *maker = context;

	return pcl_strings_add(&maker->source_paths, &maker->source_count, name);
}

int pcl_maker_collect_sources(struct pcl_maker *maker)
{
	size_t kept = 0;

	for (size_t d = 0; d < maker->input->domain_count; d++) {
		const struct pcl_backend_domain *domain = &maker->input->domains[d];

		for (size_t r = 0; r < domain->ruleset->rule_count; r++) {
			const struct pcl_rule *rule = domain->ruleset->rules[r];

			for (size_t s = 0; s < rule->source_count; s++)
				if (pcl_maker_each_name(domain, rule->sources[s], add_source_path,
							maker))
					return -ENOMEM;
		}
	}
	if (!maker->source_count)
		return 0;
	qsort((void *)maker->source_paths, maker->source_count, sizeof(char *), compare_texts);
	for (size_t i = 0; i < maker->source_count; i++) {
		if (kept && !strcmp(maker->source_paths[kept - 1], maker->source_paths[i]))
			free(maker->source_paths[i]);
		else
			maker->source_paths[kept++] = maker->source_paths[i];
	}
	maker->source_count = kept;
	return 0;
}

struct source_ids {
	const struct pcl_maker *maker;
	struct pcl_rule_sources *sources;
};

static int add_source_id(void *context, const char *name)
{
	struct source_ids *ids = context;
	char *const *found = bsearch((const void *)&name, (void *)ids->maker->source_paths,
				     ids->maker->source_count, sizeof(char *), compare_texts);
	uint32_t id = (uint32_t)(found - ids->maker->source_paths) + 1;
	size_t at = ids->sources->count;

	if (pcl_array_grow(&ids->sources->ids, at, sizeof(uint32_t)))
		return -ENOMEM;
	while (at && ids->sources->ids[at - 1] > id) {
		ids->sources->ids[at] = ids->sources->ids[at - 1];
		at--;
	}
	ids->sources->ids[at] = id;
	ids->sources->count++;
	return 0;
}

void pcl_maker_free_sources(struct pcl_maker *maker)
{
	for (size_t i = 0; maker->sources && i < maker->domain->ruleset->rule_count; i++)
		free(maker->sources[i].ids);
	free(maker->sources);
	maker->sources = NULL;
}

int pcl_maker_index_sources(struct pcl_maker *maker)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;

	maker->sources = calloc(ruleset->rule_count + 1, sizeof(*maker->sources));
	if (!maker->sources)
		return -ENOMEM;
	for (size_t r = 0; r < ruleset->rule_count; r++) {
		struct source_ids ids = {.maker = maker, .sources = &maker->sources[r]};

		for (size_t s = 0; s < ruleset->rules[r]->source_count; s++)
			if (pcl_maker_each_name(maker->domain, ruleset->rules[r]->sources[s],
						add_source_id, &ids))
				return -ENOMEM;
	}
	return 0;
}

/* --- the trie of sources --------------------------------------------------------------------- */

static int emit_sources(struct pcl_maker *maker, const struct pcl_tree *tree,
			struct pcl_trie_edge *ret_edge)
{
	struct pcl_trie_edge edge = {.self = tree->item_count ? tree->items[0].value : 0};
	int error = 0;

	if (tree->child_count)
		error = pcl_maker_new_node(maker, &edge.node);
	for (size_t i = 0; !error && i < tree->child_count; i++) {
		struct pcl_trie_edge below = {0};
		struct pcl_trie_key key;

		pcl_tree_key(tree->children[i], edge.node, &key);
		edge.filter |= 1ull << pcl_key_filter_bit(&key);
		error = emit_sources(maker, tree->children[i], &below);
		if (!error)
			error = pcl_maker_add_edge(maker, &key, &below);
	}
	*ret_edge = edge;
	return error;
}

int pcl_maker_plan_sources(struct pcl_maker *maker)
{
	pcl_cleanup(pcl_tree_free) struct pcl_tree *tree = pcl_tree_new();
	struct pcl_trie_key key = {.node = PCL_NODE_SOURCES};
	struct pcl_trie_edge edge;
	int error;

	if (!tree)
		return -ENOMEM;
	for (size_t i = 0; i < maker->source_count; i++)
		if (pcl_tree_insert(tree, maker->source_paths[i], (uint32_t)i + 1, PCL_MATCH_PATH))
			return -ENOMEM;
	error = emit_sources(maker, tree, &edge);
	return error ? error : pcl_maker_add_edge(maker, &key, &edge);
}
