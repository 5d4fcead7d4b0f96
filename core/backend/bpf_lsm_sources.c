/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sources that rules name, programs and directories of programs, and the trie that leads from
 * an executable's path to a number. Several sources may hold for one program, and the kernel looks
 * up one: so the number is that of a combination, by which the variants of sets are found, and all
 * that combine are combined here.
 */
#include "backend/bpf_lsm_maker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_tree.h"
#include "base/array.h"
#include "base/cleanup.h"

/* --- what rules name ------------------------------------------------------------------------- */

struct source_visit {
	struct pcl_maker *maker;
	enum pcl_match match;
	struct pcl_source_ids *ids; /* of the rule at hand, when they are known */
};

/* Calls add for every name of every source of rule, with visit's match set. */
static int each_source(const struct pcl_backend_domain *domain, const struct pcl_rule *rule,
		       int (*add)(void *context, const char *name), struct source_visit *visit)
{
	int error = 0;

	visit->match = PCL_MATCH_PATH;
	for (size_t i = 0; !error && i < rule->source_count; i++)
		error = pcl_aliases_each(domain->aliases, rule->sources[i], add, visit);
	for (size_t i = 0; !error && i < rule->source_dir_count; i++) {
		visit->match =
			rule->source_dirs[i].recursive ? PCL_MATCH_DIR_RECURSIVE : PCL_MATCH_DIR;
		error = pcl_aliases_each(domain->aliases, rule->source_dirs[i].path, add, visit);
	}
	return error;
}

static int compare_sources(const void *a, const void *b)
{
	const struct pcl_source *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : (int)x->match - (int)y->match;
}

static int add_source(void *context, const char *name)
{
	const struct source_visit *visit = context;
	struct pcl_maker *maker = visit->maker;

	if (pcl_array_grow(&maker->source_list, maker->source_count, sizeof(*maker->source_list)))
		return -ENOMEM;
	maker->source_list[maker->source_count++] = (struct pcl_source){name, visit->match};
	return 0;
}

int pcl_maker_collect_sources(struct pcl_maker *maker)
{
	struct source_visit visit = {.maker = maker};
	size_t kept = 0;

	for (size_t d = 0; d < maker->input->domain_count; d++) {
		const struct pcl_backend_domain *domain = &maker->input->domains[d];

		for (size_t r = 0; r < domain->ruleset->rule_count; r++)
			if (each_source(domain, domain->ruleset->rules[r], add_source, &visit))
				return -ENOMEM;
	}
	if (!maker->source_count)
		return 0;
	qsort(maker->source_list, maker->source_count, sizeof(*maker->source_list),
	      compare_sources);
	for (size_t i = 0; i < maker->source_count; i++)
		if (!kept ||
		    compare_sources(&maker->source_list[kept - 1], &maker->source_list[i]) != 0)
			maker->source_list[kept++] = maker->source_list[i];
	maker->source_count = kept;
	return 0;
}

static int append_id(struct pcl_source_ids *list, uint32_t id)
{
	if (pcl_array_grow(&list->ids, list->count, sizeof(*list->ids)))
		return -ENOMEM;
	list->ids[list->count++] = id;
	return 0;
}

/* The combinations of one source of a rule. */
static int add_ids(void *context, const char *name)
{
	const struct source_visit *visit = context;
	const struct pcl_maker *maker = visit->maker;
	const struct pcl_source wanted = {name, visit->match};
	const struct pcl_source *found = bsearch(&wanted, maker->source_list, maker->source_count,
						 sizeof(*maker->source_list), compare_sources);
	const struct pcl_source_ids *ids = &maker->source_ids[found - maker->source_list];

	for (size_t i = 0; i < ids->count; i++)
		if (append_id(visit->ids, ids->ids[i]))
			return -ENOMEM;
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Several sources of a rule may be in one combination. */
static void sort_ids(struct pcl_source_ids *list)
{
	size_t kept = 0;

	if (!list->count)
		return;
	qsort(list->ids, list->count, sizeof(*list->ids), compare_ids);
	for (size_t i = 0; i < list->count; i++)
		if (!kept || list->ids[kept - 1] != list->ids[i])
			list->ids[kept++] = list->ids[i];
	list->count = kept;
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
	struct source_visit visit = {.maker = maker};

	maker->sources = calloc(ruleset->rule_count + 1, sizeof(*maker->sources));
	if (!maker->sources)
		return -ENOMEM;
	for (size_t r = 0; r < ruleset->rule_count; r++) {
		visit.ids = &maker->sources[r];
		if (each_source(maker->domain, ruleset->rules[r], add_ids, &visit))
			return -ENOMEM;
		sort_ids(visit.ids);
	}
	return 0;
}

void pcl_maker_fini_sources(struct pcl_maker *maker)
{
	for (size_t i = 0; maker->source_ids && i < maker->source_count; i++)
		free(maker->source_ids[i].ids);
	free(maker->source_ids);
	free(maker->source_list);
}

/* --- the trie of sources --------------------------------------------------------------------- */

/* Ascending indices of sources that hold together, and the combination's id; 0 for none. */
struct combination {
	uint32_t *sources;
	size_t count;
	uint32_t id;
};

static void combination_fini(struct combination *combination)
{
	free(combination->sources);
}

#define autocombination struct combination pcl_cleanup(combination_fini)

static bool is_same(const struct combination *a, const struct combination *b)
{
	return a->count == b->count &&
	       (!a->count || !memcmp(a->sources, b->sources, a->count * sizeof(*a->sources)));
}

static int name_combination(struct pcl_maker *maker, struct combination *combination)
{
	combination->id = ++maker->combination_count;
	for (size_t i = 0; i < combination->count; i++)
		if (append_id(&maker->source_ids[combination->sources[i]], combination->id))
			return -ENOMEM;
	return 0;
}

/*
 * base and those sources of tree whose match is in matches (bits); its id is that of base or of
 * like (may be NULL) where it is the same.
 */
static int extend(struct pcl_maker *maker, const struct combination *base,
		  const struct pcl_tree *tree, unsigned matches, const struct combination *like,
		  struct combination *ret_combination)
{
	autocombination list = {.id = base->id};
	size_t b = 0, i = 0;

	list.sources = calloc(base->count + tree->item_count + 1, sizeof(*list.sources));
	if (!list.sources)
		return -ENOMEM;
	while (b < base->count || i < tree->item_count) {
		if (i < tree->item_count && !(matches & 1u << tree->items[i].match))
			i++;
		else if (i == tree->item_count ||
			 (b < base->count && base->sources[b] < tree->items[i].value))
			list.sources[list.count++] = base->sources[b++];
		else
			list.sources[list.count++] = tree->items[i++].value;
	}
	if (like && is_same(&list, like))
		list.id = like->id;
	else if (!is_same(&list, base) && name_combination(maker, &list))
		return -ENOMEM;
	*ret_combination = list;
	list.sources = NULL;
	return 0;
}

static int emit(struct pcl_maker *maker, const struct pcl_tree *tree,
		const struct combination *as_child, const struct combination *inherited,
		struct pcl_trie_edge *ret_edge);

static int emit_children(struct pcl_maker *maker, const struct pcl_tree *tree,
			 const struct combination *as_child, const struct combination *inherited,
			 struct pcl_trie_edge *edge)
{
	int error = tree->child_count ? pcl_maker_new_node(maker, &edge->node) : 0;

	for (size_t i = 0; !error && i < tree->child_count; i++) {
		struct pcl_trie_edge below = {0};
		struct pcl_trie_key key;

		pcl_tree_key(tree->children[i], edge->node, &key);
		edge->filter |= 1ull << pcl_key_filter_bit(&key);
		error = emit(maker, tree->children[i], as_child, inherited, &below);
		if (!error)
			error = pcl_maker_add_edge(maker, &key, &below);
	}
	return error;
}

/* One place, as a class's trie has it (bpf_lsm_plan.c), with combinations for sets. */
static int emit(struct pcl_maker *maker, const struct pcl_tree *tree,
		const struct combination *as_child, const struct combination *inherited,
		struct pcl_trie_edge *ret_edge)
{
	const unsigned all =
		1u << PCL_MATCH_PATH | 1u << PCL_MATCH_DIR | 1u << PCL_MATCH_DIR_RECURSIVE;
	autocombination self = {0}, deep = {0}, child = {0};
	struct pcl_trie_edge edge = {0};
	int error;

	if (pcl_tree_is_partial(tree)) {
		error = emit_children(maker, tree, as_child, inherited, &edge);
		*ret_edge = edge;
		return error;
	}
	error = extend(maker, inherited, tree, 1u << PCL_MATCH_DIR_RECURSIVE, NULL, &deep);
	if (!error)
		error = extend(maker, &deep, tree, 1u << PCL_MATCH_DIR, NULL, &child);
	if (!error)
		error = extend(maker, as_child, tree, all, &child, &self);
	if (!error)
		error = emit_children(maker, tree, &child, &deep, &edge);
	edge.self = self.id;
	edge.child = child.id;
	edge.deep = deep.id;
	*ret_edge = edge;
	return error;
}

int pcl_maker_plan_sources(struct pcl_maker *maker)
{
	pcl_cleanup(pcl_tree_free) struct pcl_tree *tree = pcl_tree_new();
	const struct combination nothing = {0};
	struct pcl_trie_key key = {.node = PCL_NODE_SOURCES};
	struct pcl_trie_edge edge = {0};
	int error;

	maker->source_ids = calloc(maker->source_count, sizeof(*maker->source_ids));
	if (!tree || !maker->source_ids)
		return -ENOMEM;
	for (size_t i = 0; i < maker->source_count; i++)
		if (pcl_tree_insert(tree, maker->source_list[i].path, (uint32_t)i,
				    maker->source_list[i].match))
			return -ENOMEM;
	error = emit(maker, tree, &nothing, &nothing, &edge);
	return error ? error : pcl_maker_add_edge(maker, &key, &edge);
}
