/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of rules to sets. Equal sets are shared. Rules with a source make one variant of the set
 * per source, where that makes a difference.
 */
#include "backend/bpf_lsm_maker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_tree.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "policy/decide.h"

/* --- numbers of rules ------------------------------------------------------------------------ */

static int compare_numbers(const void *a, const void *b)
{
	const struct pcl_rule_number *x = a, *y = b;

	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

int pcl_maker_index_rules(struct pcl_maker *maker)
{
	size_t count = maker->input->rule_count;

	maker->numbers = calloc(count + 1, sizeof(*maker->numbers));
	if (!maker->numbers)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		maker->numbers[i] =
			(struct pcl_rule_number){maker->input->rules[i], (uint32_t)i + 1};
	qsort(maker->numbers, count, sizeof(*maker->numbers), compare_numbers);
	return 0;
}

uint32_t pcl_maker_number(const struct pcl_maker *maker, const struct pcl_rule *rule)
{
	struct pcl_rule_number key = {.rule = rule};
	const struct pcl_rule_number *found;

	if (!rule)
		return 0;
	found = bsearch(&key, maker->numbers, maker->input->rule_count, sizeof(key),
			compare_numbers);
	return found ? found->number : 0;
}

/* --- edges and sets -------------------------------------------------------------------------- */

int pcl_maker_add_edge(struct pcl_maker *maker, const struct pcl_trie_key *key,
		       const struct pcl_trie_edge *edge)
{
	struct pcl_bpf_plan *plan = maker->plan;

	if (pcl_array_grow(&plan->edges, plan->edge_count, sizeof(*plan->edges)))
		return -ENOMEM;
	plan->edges[plan->edge_count++] = (struct pcl_bpf_plan_edge){.key = *key, .edge = *edge};
	return 0;
}

int pcl_maker_new_node(struct pcl_maker *maker, uint32_t *ret_node)
{
	if (maker->next_node >= PCL_NODE_SET)
		return pcl_diag_set(maker->diag, -E2BIG, "too many different paths in the rules");
	*ret_node = maker->next_node++;
	return 0;
}

int pcl_maker_append_set(struct pcl_maker *maker, const struct pcl_bpf_set *set, uint32_t *ret_id)
{
	struct pcl_bpf_plan *plan = maker->plan;

	if (plan->set_count >= PCL_SET_SOURCES)
		return pcl_diag_set(maker->diag, -E2BIG,
				    "too many different combinations of rules");
	if (pcl_array_grow(&plan->sets, plan->set_count, sizeof(*plan->sets)))
		return -ENOMEM;
	*ret_id = (uint32_t)plan->set_count;
	plan->sets[plan->set_count++] = *set;
	return 0;
}

/* FNV-1a, by Fowler, Noll and Vo; only to spread a table, nothing is decided by it. */
static size_t hash_set(const struct pcl_bpf_set *set)
{
	const unsigned char *bytes = (const unsigned char *)set;
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < sizeof(*set); i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return (size_t)hash;
}

static void put_in_table(struct pcl_maker *maker, uint32_t id)
{
	size_t at = hash_set(&maker->plan->sets[id]) & (maker->set_capacity - 1);

	while (maker->set_table[at])
		at = (at + 1) & (maker->set_capacity - 1);
	maker->set_table[at] = id;
}

static int grow_table(struct pcl_maker *maker)
{
	size_t capacity = maker->set_capacity ? maker->set_capacity * 2 : 64;
	uint32_t *old = maker->set_table;
	size_t old_capacity = maker->set_capacity;

	if (maker->plan->set_count * 2 < maker->set_capacity)
		return 0;
	maker->set_table = calloc(capacity, sizeof(*maker->set_table));
	if (!maker->set_table) {
		maker->set_table = old;
		return -ENOMEM;
	}
	maker->set_capacity = capacity;
	for (size_t i = 0; i < old_capacity; i++)
		if (old[i])
			put_in_table(maker, old[i]);
	free(old);
	return 0;
}

/* The set's number, shared with an equal one. */
static int intern_set(struct pcl_maker *maker, const struct pcl_bpf_set *set, uint32_t *ret_id)
{
	int error = grow_table(maker);
	size_t at;

	if (error)
		return error;
	if (!memcmp(set, &maker->plan->sets[PCL_SET_PERMIT], sizeof(*set))) {
		*ret_id = PCL_SET_PERMIT;
		return 0;
	}
	for (at = hash_set(set) & (maker->set_capacity - 1); maker->set_table[at];
	     at = (at + 1) & (maker->set_capacity - 1))
		if (!memcmp(set, &maker->plan->sets[maker->set_table[at]], sizeof(*set))) {
			*ret_id = maker->set_table[at];
			return 0;
		}
	error = pcl_maker_append_set(maker, set, ret_id);
	if (!error)
		maker->set_table[at] = *ret_id;
	return error;
}

static struct pcl_bpf_outcome outcome_of(const struct pcl_maker *maker,
					 const struct pcl_verdict *verdict)
{
	struct pcl_bpf_outcome outcome = {0};

	if (verdict->refused)
		outcome.flags |= PCL_OUTCOME_REFUSE;
	if (verdict->alert)
		outcome.flags |= PCL_OUTCOME_ALERT;
	if (!verdict->refused && verdict->rule && maker->domain->ruleset->allow_list[maker->class])
		outcome.flags |= PCL_OUTCOME_BY_ALLOW;
	if (verdict->refused)
		outcome.rule = pcl_maker_number(maker, verdict->rule);
	else if (verdict->alert)
		outcome.rule = pcl_maker_number(maker, verdict->audit_rule);
	return outcome;
}

/* What the rules in maker->matched say. */
static void decide_matched(const struct pcl_maker *maker, size_t count, struct pcl_bpf_set *ret_set)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;

	memset(ret_set, 0, sizeof(*ret_set));
	for (enum pcl_access access = 0; (int)access < (int)PCL_BPF_ACCESS_COUNT; access++) {
		struct pcl_verdict verdict;

		if (pcl_access_class(access) != maker->class)
			continue;
		pcl_decide_matched(ruleset, maker->matched, count, access, false, &verdict);
		ret_set->access[access] = outcome_of(maker, &verdict);
	}
}

/* A rule that holds for a source. */
struct sourced {
	uint32_t source;
	uint32_t rank;
};

static int compare_sourced(const void *a, const void *b)
{
	const struct sourced *x = a, *y = b;

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* The rules for any source and those for one source into maker->matched, by rank. */
static size_t merge_for_source(const struct pcl_maker *maker, size_t plain_count,
			       const struct sourced *sourced, size_t sourced_count)
{
	const struct pcl_rule *const *rules = maker->domain->ruleset->rules;
	size_t count = 0, p = 0, s = 0;

	while (p < plain_count || s < sourced_count) {
		if (s == sourced_count || (p < plain_count && maker->plain[p] < sourced[s].rank)) {
			maker->matched[count++] = rules[maker->plain[p++]];
			continue;
		}
		/* Two of a rule's sources may be one program here. */
		if (!s || sourced[s].rank != sourced[s - 1].rank)
			maker->matched[count++] = rules[sourced[s].rank];
		s++;
	}
	return count;
}

/*
 * Adds the variant of set for each source that makes a difference. ret_id is the set's number; it
 * is shared with an equal set only when it has no variants, since they are found by it.
 */
static int add_variants(struct pcl_maker *maker, size_t plain_count, const struct sourced *sourced,
			size_t sourced_count, const struct pcl_bpf_set *set, uint32_t *ret_id)
{
	uint32_t id = PCL_SET_PERMIT;
	bool any = false;

	for (size_t i = 0, end; i < sourced_count; i = end) {
		struct pcl_trie_key key = {.node = PCL_NODE_SET, .len = sourced[i].source};
		struct pcl_trie_edge edge = {0};
		struct pcl_bpf_set variant;
		int error;

		for (end = i; end < sourced_count && sourced[end].source == sourced[i].source;)
			end++;
		decide_matched(maker, merge_for_source(maker, plain_count, sourced + i, end - i),
			       &variant);
		if (!memcmp(&variant, set, sizeof(variant)))
			continue;
		error = any ? 0 : pcl_maker_append_set(maker, set, &id);
		any = true;
		if (!error)
			error = intern_set(maker, &variant, &edge.self);
		key.node |= id;
		if (!error)
			error = pcl_maker_add_edge(maker, &key, &edge);
		if (error)
			return error;
	}
	*ret_id = id | PCL_SET_SOURCES;
	return any ? 0 : intern_set(maker, set, ret_id);
}

/* The list's rules for single sources, by source and rank; the others into maker->plain. */
static int split_list(struct pcl_maker *maker, const struct pcl_rule_list *list,
		      size_t *ret_plain_count, struct sourced **ret_sourced,
		      size_t *ret_sourced_count)
{
	size_t plain_count = 0, count = 0;
	struct sourced *sourced;

	for (size_t i = 0; i < list->count; i++)
		count += maker->sources[list->ranks[i]].count;
	sourced = calloc(count + 1, sizeof(*sourced));
	if (!sourced)
		return -ENOMEM;
	count = 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct pcl_rule_sources *sources = &maker->sources[list->ranks[i]];

		if (!sources->count)
			maker->plain[plain_count++] = list->ranks[i];
		for (size_t s = 0; s < sources->count; s++)
			sourced[count++] = (struct sourced){sources->ids[s], list->ranks[i]};
	}
	qsort(sourced, count, sizeof(*sourced), compare_sourced);
	*ret_plain_count = plain_count;
	*ret_sourced = sourced;
	*ret_sourced_count = count;
	return 0;
}

int pcl_maker_make_set(struct pcl_maker *maker, struct pcl_rule_list *list)
{
	pcl_autofree struct sourced *sourced = NULL;
	size_t plain_count, sourced_count;
	struct pcl_bpf_set set;
	int error;

	error = split_list(maker, list, &plain_count, &sourced, &sourced_count);
	if (error)
		return error;
	decide_matched(maker, merge_for_source(maker, plain_count, NULL, 0), &set);
	return add_variants(maker, plain_count, sourced, sourced_count, &set, &list->set);
}

int pcl_maker_unknown_set(struct pcl_maker *maker, uint32_t *ret_set)
{
	struct pcl_bpf_set set = {0};

	for (enum pcl_access access = 0; (int)access < (int)PCL_BPF_ACCESS_COUNT; access++) {
		struct pcl_operation operation = {.access = access, .object_unknown = true};
		struct pcl_verdict verdict;

		if (pcl_access_class(access) != maker->class)
			continue;
		pcl_decide(maker->domain->ruleset, &operation, &verdict);
		set.access[access] = outcome_of(maker, &verdict);
	}
	return intern_set(maker, &set, ret_set);
}
