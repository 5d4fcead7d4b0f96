/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of allowed arguments: each is a trie of its own in the trie map, by chunks as a path's
 * component is. What rules say depends on which of their lists hold all arguments, and on nothing
 * else of them: bpf/args.h finds out which do, a set tells what follows.
 */
#include "backend/bpf_lsm_maker.h"

#include <errno.h>
#include <string.h>

#include "backend/bpf_lsm_tree.h"
#include "base/array.h"
#include "base/cleanup.h"

/* --- tries ----------------------------------------------------------------------------------- */

/* The edge for key among those that were added since first, or NULL. */
static struct pcl_trie_edge *find_added(const struct pcl_maker *maker, size_t first,
					const struct pcl_trie_key *key)
{
	for (size_t i = first; i < maker->plan->edge_count; i++)
		if (!memcmp(&maker->plan->edges[i].key, key, sizeof(*key)))
			return &maker->plan->edges[i].edge;
	return NULL;
}

static int add_arg(struct pcl_maker *maker, uint32_t root, size_t first, const char *arg)
{
	size_t left = strlen(arg);
	uint32_t node = root;

	for (;;) {
		uint32_t used = left > PCL_CHUNK_LEN ? PCL_CHUNK_LEN : (uint32_t)left;
		struct pcl_trie_key key = {.node = node};
		struct pcl_trie_edge edge = {0};
		const struct pcl_trie_edge *old;
		int error = 0;

		key.len = used | (left > used ? PCL_CHUNK_MORE : 0);
		memcpy(key.name, arg, used);
		old = find_added(maker, first, &key);
		if (!old) {
			edge.self = left == used;
			if (left > used)
				error = pcl_maker_new_node(maker, &edge.node);
			if (!error)
				error = pcl_maker_add_edge(maker, &key, &edge);
		}
		if (error || left == used)
			return error;
		node = old ? old->node : edge.node;
		arg += used;
		left -= used;
	}
}

static bool same_args(const struct pcl_rule *a, const struct pcl_rule *b)
{
	if (a->arg_count != b->arg_count)
		return false;
	for (size_t i = 0; i < a->arg_count; i++)
		if (strcmp(a->args[i], b->args[i]) != 0)
			return false;
	return true;
}

/* The number of the rule's list, which is made where there is none yet. */
static int list_of(struct pcl_maker *maker, const struct pcl_rule *rule, size_t *ret_index)
{
	size_t first = maker->plan->edge_count, i = 0;
	int error;

	while (i < maker->arg_list_count && !same_args(maker->arg_lists[i].rule, rule))
		i++;
	*ret_index = i;
	if (i < maker->arg_list_count)
		return 0;
	if (pcl_array_grow(&maker->arg_lists, i, sizeof(*maker->arg_lists)))
		return -ENOMEM;
	maker->arg_lists[i].rule = rule;
	error = pcl_maker_new_node(maker, &maker->arg_lists[i].node);
	for (size_t a = 0; !error && a < rule->arg_count; a++)
		error = add_arg(maker, maker->arg_lists[i].node, first, rule->args[a]);
	if (error)
		return error;
	maker->arg_list_count++;
	maker->plan->reads_args = true;
	return 0;
}

/* --- lists of a set -------------------------------------------------------------------------- */

static int add_list(struct pcl_maker *maker, const struct pcl_rule *rule)
{
	size_t index;
	int error = list_of(maker, rule, &index);

	if (error)
		return error;
	for (size_t i = 0; i < maker->list_count; i++)
		if (same_args(maker->lists[i]->rule, rule))
			return 0;
	if (maker->list_count == PCL_ARG_LISTS)
		return pcl_diag_set(maker->diag, -E2BIG,
				    "rule %s is one too many: rules about one program may have %u "
				    "different lists of allowedArgs",
				    rule->id, PCL_ARG_LISTS);
	maker->lists[maker->list_count++] = &maker->arg_lists[index];
	return 0;
}

/* Lists may move while some are added, so all are made first. */
int pcl_maker_find_lists(struct pcl_maker *maker, const struct pcl_rule_list *list)
{
	const struct pcl_rule *const *rules = maker->domain->ruleset->rules;
	int error = 0;
	size_t index;

	maker->list_count = 0;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; !error && i < list->count; i++) {
			const struct pcl_rule *rule = rules[list->ranks[i]];

			if (!(rule->flags & PCL_RULE_ALLOWED_ARGS))
				continue;
			error = pass ? add_list(maker, rule) : list_of(maker, rule, &index);
		}
	return error;
}

static bool has_arg(const struct pcl_rule *rule, const char *arg)
{
	for (size_t i = 0; i < rule->arg_count; i++)
		if (!strcmp(rule->args[i], arg))
			return true;
	return false;
}

static bool all_have(const struct pcl_maker *maker, unsigned mask, const char *arg)
{
	for (size_t i = 0; i < maker->list_count; i++)
		if ((mask & 1u << i) && !has_arg(maker->lists[i]->rule, arg))
			return false;
	return true;
}

int pcl_maker_example_args(const struct pcl_maker *maker, unsigned mask,
			   const char *const **ret_args, size_t *ret_count)
{
	const struct pcl_rule *rule = NULL;
	const char **args;
	size_t count = 0;

	for (size_t i = 0; i < maker->list_count && !rule; i++)
		if (mask & 1u << i)
			rule = maker->lists[i]->rule;
	args = calloc((rule ? rule->arg_count : 0) + 1, sizeof(*args));
	if (!args)
		return -ENOMEM;
	for (size_t i = 0; rule && i < rule->arg_count; i++)
		if (all_have(maker, mask, rule->args[i]))
			args[count++] = rule->args[i];
	*ret_args = args;
	*ret_count = count;
	return 0;
}
