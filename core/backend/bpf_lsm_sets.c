/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of rules to sets. Equal sets are shared. Rules with conditions make one set for each
 * combination of what they ask for, rules with allowedArgs as many for each combination of lists,
 * rules with a source one variant per source, each only where that makes a difference.
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

	if (plan->set_count > PCL_SET_NUMBER)
		return pcl_diag_set(maker->diag, -E2BIG,
				    "too many different combinations of rules");
	if (pcl_array_grow(&plan->sets, plan->set_count, sizeof(*plan->sets)))
		return -ENOMEM;
	*ret_id = (uint32_t)plan->set_count;
	plan->sets[plan->set_count++] = *set;
	return 0;
}

#define SAYING_MAX (1 + (PCL_CONDITIONS << PCL_ARG_LISTS))

/*
 * What a list of rules says, as the sets that stand in a row for it (bpf/abi.h): one for each
 * combination of conditions, and where arguments matter of lists, behind the set that names those.
 */
struct saying {
	struct pcl_bpf_set sets[SAYING_MAX];
	size_t lists; /* 0: arguments do not matter */
};

/* How many sets say it: all of them, or one where it is the same under every condition. */
static size_t set_count(const struct saying *saying)
{
	if (saying->lists)
		return 1 + ((size_t)PCL_CONDITIONS << saying->lists);
	for (size_t i = 1; i < PCL_CONDITIONS; i++)
		if (memcmp(&saying->sets[i], &saying->sets[0], sizeof(saying->sets[0])) != 0)
			return PCL_CONDITIONS;
	return 1;
}

static size_t sets_of(const struct pcl_maker *maker, uint32_t id)
{
	const struct pcl_bpf_set *first = &maker->plan->sets[id & PCL_SET_NUMBER];
	size_t lists = 0;

	if (!(id & PCL_SET_ARGS))
		return id & PCL_SET_CONDITIONS ? PCL_CONDITIONS : 1;
	while (lists < PCL_ARG_LISTS && first->access[lists].rule)
		lists++;
	return 1 + ((size_t)PCL_CONDITIONS << lists);
}

static int append_saying(struct pcl_maker *maker, const struct saying *saying, uint32_t *ret_id)
{
	size_t count = set_count(saying);
	uint32_t first = 0, id;

	for (size_t i = 0; i < count; i++) {
		int error = pcl_maker_append_set(maker, &saying->sets[i], i ? &id : &first);

		if (error)
			return error;
	}
	*ret_id = first | (saying->lists ? PCL_SET_ARGS : count > 1 ? PCL_SET_CONDITIONS : 0);
	return 0;
}

/* FNV-1a, by Fowler, Noll and Vo; only to spread a table, nothing is decided by it. */
static size_t hash_sets(const struct pcl_bpf_set *sets, size_t count)
{
	const unsigned char *bytes = (const unsigned char *)sets;
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < count * sizeof(*sets); i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return (size_t)hash;
}

static void put_in_table(struct pcl_maker *maker, uint32_t id)
{
	size_t at = hash_sets(&maker->plan->sets[id & PCL_SET_NUMBER], sets_of(maker, id)) &
		    (maker->set_capacity - 1);

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

/* The number of the sets that say it, shared with equal ones. */
static int intern_saying(struct pcl_maker *maker, const struct saying *saying, uint32_t *ret_id)
{
	const struct pcl_bpf_plan *plan = maker->plan;
	size_t count = set_count(saying), at;
	int error = grow_table(maker);

	if (error)
		return error;
	if (count == 1 && !memcmp(saying, &plan->sets[PCL_SET_PERMIT], sizeof(*plan->sets))) {
		*ret_id = PCL_SET_PERMIT;
		return 0;
	}
	for (at = hash_sets(saying->sets, count) & (maker->set_capacity - 1); maker->set_table[at];
	     at = (at + 1) & (maker->set_capacity - 1)) {
		uint32_t id = maker->set_table[at];

		if (!(id & PCL_SET_ARGS) == !saying->lists && sets_of(maker, id) == count &&
		    !memcmp(saying, &plan->sets[id & PCL_SET_NUMBER],
			    count * sizeof(*plan->sets))) {
			*ret_id = id;
			return 0;
		}
	}
	error = append_saying(maker, saying, ret_id);
	if (!error)
		maker->set_table[at] = *ret_id;
	return error;
}

/* audit: the first Audit rule that matched, which a posture that refuses keeps from the verdict. */
static struct pcl_bpf_outcome outcome_of(const struct pcl_maker *maker,
					 const struct pcl_verdict *verdict,
					 const struct pcl_rule *audit)
{
	struct pcl_bpf_outcome outcome = {0};

	if (verdict->refused)
		outcome.flags |= PCL_OUTCOME_REFUSE;
	if (verdict->alert)
		outcome.flags |= PCL_OUTCOME_ALERT;
	if (verdict->by_posture)
		outcome.flags |= PCL_OUTCOME_BY_POSTURE;
	if (!verdict->refused && verdict->rule && maker->domain->ruleset->allow_list[maker->class])
		outcome.flags |= PCL_OUTCOME_ALLOWED;
	if (verdict->refused && verdict->rule && verdict->rule->match == PCL_MATCH_PRESET)
		outcome.flags |= PCL_OUTCOME_BY_PRESET;
	outcome.rule =
		pcl_maker_number(maker, pcl_outcome_is_ruled(&outcome) ? verdict->rule : audit);
	return outcome;
}

static const struct pcl_rule *first_audit(const struct pcl_rule *const *rules, size_t count,
					  const struct pcl_operation *operation)
{
	for (size_t i = 0; i < count; i++)
		if (pcl_rule_effect_on(rules[i], operation) == PCL_EFFECT_AUDIT)
			return rules[i];
	return NULL;
}

/* Whether rules that match one operation are about mapping: then it is no other's either. */
static bool is_about_mapping(const struct pcl_rule *const *rules, size_t count)
{
	return count && rules[0]->match == PCL_MATCH_PRESET &&
	       rules[0]->number == PCL_PRESET_ANONYMOUS_MAP_EXEC;
}

/* What the rules in maker->matched say under each condition of a program with these arguments. */
static void decide_for_args(const struct pcl_maker *maker, size_t count, const char *const *args,
			    size_t arg_count, struct pcl_bpf_set *ret_sets)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	bool mapping = is_about_mapping(maker->matched, count);

	for (unsigned conditions = 0; conditions < PCL_CONDITIONS; conditions++)
		for (enum pcl_access access = 0; (int)access < PCL_ACCESS_COUNT; access++) {
			const struct pcl_operation operation = {
				.access = access,
				.owner = conditions & PCL_CONDITION_OWNER,
				.terminal = conditions & PCL_CONDITION_TERMINAL,
				.args = arg_count ? args : NULL,
				.arg_count = arg_count,
			};
			struct pcl_verdict verdict;

			if (pcl_access_class(access) != maker->class ||
			    (access == PCL_ACCESS_MAP) != mapping)
				continue;
			pcl_decide_matched(ruleset, maker->matched, count, &operation, &verdict);
			ret_sets[conditions].access[pcl_bpf_slot(access)] =
				outcome_of(maker, &verdict,
					   first_audit(maker->matched, count, &operation));
		}
}

/* Where the arguments make no difference, nothing is left of them. */
static void forget_args(struct saying *saying)
{
	const size_t len = PCL_CONDITIONS * sizeof(saying->sets[0]);
	const struct pcl_bpf_set *unmet = &saying->sets[1];

	for (size_t mask = 1; mask < 1u << saying->lists; mask++)
		if (memcmp(unmet, unmet + mask * PCL_CONDITIONS, len) != 0)
			return;
	memmove(saying->sets, unmet, len);
	memset(saying->sets + PCL_CONDITIONS, 0, sizeof(saying->sets) - len);
	saying->lists = 0;
}

/* What the rules in maker->matched say; of lists, maker->lists are looked at. */
static int decide_matched(const struct pcl_maker *maker, size_t count, struct saying *ret_saying)
{
	memset(ret_saying, 0, sizeof(*ret_saying));
	ret_saying->lists = maker->list_count;
	if (!maker->list_count) {
		decide_for_args(maker, count, NULL, 0, ret_saying->sets);
		return 0;
	}
	for (size_t i = 0; i < maker->list_count; i++)
		ret_saying->sets[0].access[i].rule = maker->lists[i]->node;
	for (unsigned mask = 0; mask < 1u << maker->list_count; mask++) {
		const char *const *args;
		size_t arg_count;

		if (pcl_maker_example_args(maker, mask, &args, &arg_count))
			return -ENOMEM;
		decide_for_args(maker, count, args, arg_count,
				&ret_saying->sets[1 + mask * PCL_CONDITIONS]);
		free((void *)args);
	}
	forget_args(ret_saying);
	return 0;
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
			size_t sourced_count, const struct saying *saying, uint32_t *ret_id)
{
	uint32_t id = PCL_SET_PERMIT;
	bool any = false;

	for (size_t i = 0, end; i < sourced_count; i = end) {
		struct pcl_trie_key key = {.node = PCL_NODE_SET, .len = sourced[i].source};
		struct pcl_trie_edge edge = {0};
		struct saying variant;
		int error;

		for (end = i; end < sourced_count && sourced[end].source == sourced[i].source;)
			end++;
		error = decide_matched(maker,
				       merge_for_source(maker, plain_count, sourced + i, end - i),
				       &variant);
		if (error)
			return error;
		if (!memcmp(&variant, saying, sizeof(variant)))
			continue;
		error = any ? 0 : append_saying(maker, saying, &id);
		any = true;
		if (!error)
			error = intern_saying(maker, &variant, &edge.self);
		key.node |= id & PCL_SET_NUMBER;
		if (!error)
			error = pcl_maker_add_edge(maker, &key, &edge);
		if (error)
			return error;
	}
	*ret_id = id | PCL_SET_SOURCES;
	return any ? 0 : intern_saying(maker, saying, ret_id);
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
		const struct pcl_source_ids *sources = &maker->sources[list->ranks[i]];

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
	struct saying saying;
	int error;

	error = pcl_maker_find_lists(maker, list);
	if (!error)
		error = split_list(maker, list, &plain_count, &sourced, &sourced_count);
	if (!error)
		error = decide_matched(maker, merge_for_source(maker, plain_count, NULL, 0),
				       &saying);
	if (error)
		return error;
	return add_variants(maker, plain_count, sourced, sourced_count, &saying, &list->set);
}

int pcl_maker_add_number(struct pcl_maker *maker, struct pcl_trie_edge *root, uint32_t number,
			 struct pcl_rule_list *list)
{
	struct pcl_trie_key key = {.len = number};
	struct pcl_trie_edge edge = {0};
	int error = pcl_maker_make_set(maker, list);

	if (error || list->set == root->self)
		return error;
	error = root->node ? 0 : pcl_maker_new_node(maker, &root->node);
	if (error)
		return error;
	key.node = root->node;
	edge.self = list->set;
	root->filter |= 1ull << pcl_key_filter_bit(&key);
	return pcl_maker_add_edge(maker, &key, &edge);
}

int pcl_maker_unknown_set(struct pcl_maker *maker, uint32_t *ret_set)
{
	struct saying saying = {0};

	for (enum pcl_access access = 0; (int)access < PCL_ACCESS_COUNT; access++) {
		struct pcl_operation operation = {.access = access, .object_unknown = true};
		struct pcl_verdict verdict;

		/* What is mapped without a file has no path to build. */
		if (pcl_access_class(access) != maker->class || access == PCL_ACCESS_MAP)
			continue;
		pcl_decide(maker->domain->ruleset, &operation, &verdict);
		for (size_t i = 0; i < PCL_CONDITIONS; i++)
			saying.sets[i].access[pcl_bpf_slot(access)] =
				outcome_of(maker, &verdict, verdict.audit_rule);
	}
	return intern_saying(maker, &saying, ret_set);
}
