/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiles rulesets to the maps of bpf/abi.h.
 *
 * Every place on which some rule depends becomes a node; a depth-first pass carries the inherited
 * directory rules down, so each node knows the whole list of rules for an object that ends there,
 * one component below, or deeper. A list becomes a set by asking the reference decision: precedence
 * is not decided here. Equal sets are shared. Rules with a source make one variant of the set per
 * source.
 */
#include "backend/bpf_lsm_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_tree.h"
#include "base/array.h"
#include "base/cleanup.h"

_Static_assert((int)PCL_BPF_PROCESS == (int)PCL_CLASS_PROCESS, "classes are numbered alike");
_Static_assert((int)PCL_BPF_FILE == (int)PCL_CLASS_FILE, "classes are numbered alike");
_Static_assert((int)PCL_BPF_EXECUTE == (int)PCL_ACCESS_EXECUTE, "accesses are numbered alike");
_Static_assert((int)PCL_BPF_READ == (int)PCL_ACCESS_READ, "accesses are numbered alike");
_Static_assert((int)PCL_BPF_WRITE == (int)PCL_ACCESS_WRITE, "accesses are numbered alike");
_Static_assert(PCL_BPF_DOMAINS_MAX >= PCL_DOMAINS_MAX, "room for every domain");
/* Of the model's classes and accesses the first ones are enforced here; see bpf_lsm.c. */
_Static_assert((int)PCL_BPF_CLASS_COUNT <= PCL_CLASS_COUNT, "classes of the model");
_Static_assert((int)PCL_BPF_ACCESS_COUNT <= PCL_ACCESS_COUNT, "accesses of the model");

/* Ascending ranks in a ruleset, and the set they make. */
struct list {
	uint32_t *ranks;
	size_t count;
	uint32_t set;
};

/* Source ids of one rule, ascending. */
struct rule_sources {
	uint32_t *ids;
	size_t count;
};

struct number {
	const struct pcl_rule *rule;
	uint32_t number;
};

struct maker {
	const struct pcl_backend_input *input;
	struct pcl_bpf_plan *plan;
	struct pcl_diag *diag;
	char **source_paths; /* sorted, distinct; id is index + 1 */
	size_t source_count;
	struct number *numbers; /* sorted by pointer */
	uint32_t *set_table;	/* open addressing over plan->sets, 0 is empty */
	size_t set_capacity;
	uint32_t next_node;
	/* The ruleset at hand. */
	const struct pcl_backend_domain *domain;
	struct rule_sources *sources;	 /* by rank */
	const struct pcl_rule **matched; /* scratch, rule_count entries */
	enum pcl_class class;
};

static void list_fini(struct list *list)
{
	free(list->ranks);
}

/* --- numbers of rules ------------------------------------------------------------------------ */

static int compare_numbers(const void *a, const void *b)
{
	const struct number *x = a, *y = b;

	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static int index_rules(struct maker *maker)
{
	size_t count = maker->input->rule_count;

	maker->numbers = calloc(count + 1, sizeof(*maker->numbers));
	if (!maker->numbers)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		maker->numbers[i] = (struct number){maker->input->rules[i], (uint32_t)i + 1};
	qsort(maker->numbers, count, sizeof(*maker->numbers), compare_numbers);
	return 0;
}

static uint32_t number_of(const struct maker *maker, const struct pcl_rule *rule)
{
	struct number key = {.rule = rule};
	const struct number *found;

	if (!rule)
		return 0;
	found = bsearch(&key, maker->numbers, maker->input->rule_count, sizeof(key),
			compare_numbers);
	return found ? found->number : 0;
}

/* --- sources --------------------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Calls add for a path and for everything else that it means in the domain. */
static int for_each_name(const struct pcl_backend_domain *domain, const char *path,
			 int (*add)(void *context, const char *name), void *context)
{
	const struct pcl_alias *alias = pcl_aliases_find(domain->aliases, path);
	int error = add(context, path);

	for (size_t i = 0; alias && !error && i < alias->target_count; i++)
		error = add(context, alias->targets[i]);
	return error;
}

static int add_source_path(void *context, const char *name)
{
	struct maker *maker = context;

	return pcl_strings_add(&maker->source_paths, &maker->source_count, name);
}

static int collect_sources(struct maker *maker)
{
	size_t kept = 0;

	for (size_t d = 0; d < maker->input->domain_count; d++) {
		const struct pcl_backend_domain *domain = &maker->input->domains[d];

		for (size_t r = 0; r < domain->ruleset->rule_count; r++) {
			const struct pcl_rule *rule = domain->ruleset->rules[r];

			for (size_t s = 0; s < rule->source_count; s++)
				if (for_each_name(domain, rule->sources[s], add_source_path, maker))
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
	const struct maker *maker;
	struct rule_sources *sources;
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

static void free_rule_sources(struct maker *maker)
{
	for (size_t i = 0; maker->sources && i < maker->domain->ruleset->rule_count; i++)
		free(maker->sources[i].ids);
	free(maker->sources);
	maker->sources = NULL;
}

static int index_rule_sources(struct maker *maker)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;

	maker->sources = calloc(ruleset->rule_count + 1, sizeof(*maker->sources));
	if (!maker->sources)
		return -ENOMEM;
	for (size_t r = 0; r < ruleset->rule_count; r++) {
		struct source_ids ids = {.maker = maker, .sources = &maker->sources[r]};

		for (size_t s = 0; s < ruleset->rules[r]->source_count; s++)
			if (for_each_name(maker->domain, ruleset->rules[r]->sources[s],
					  add_source_id, &ids))
				return -ENOMEM;
	}
	return 0;
}

static bool has_source(const struct rule_sources *sources, uint32_t id)
{
	for (size_t i = 0; i < sources->count; i++)
		if (sources->ids[i] == id)
			return true;
	return false;
}

/* --- edges and sets -------------------------------------------------------------------------- */

static int add_edge(struct maker *maker, const struct pcl_trie_key *key,
		    const struct pcl_trie_edge *edge)
{
	struct pcl_bpf_plan *plan = maker->plan;

	if (pcl_array_grow(&plan->edges, plan->edge_count, sizeof(*plan->edges)))
		return -ENOMEM;
	plan->edges[plan->edge_count++] = (struct pcl_bpf_plan_edge){.key = *key, .edge = *edge};
	return 0;
}

static int append_set(struct maker *maker, const struct pcl_bpf_set *set, uint32_t *ret_id)
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

static void put_in_table(struct maker *maker, uint32_t id)
{
	size_t at = hash_set(&maker->plan->sets[id]) & (maker->set_capacity - 1);

	while (maker->set_table[at])
		at = (at + 1) & (maker->set_capacity - 1);
	maker->set_table[at] = id;
}

static int grow_table(struct maker *maker)
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
static int intern_set(struct maker *maker, const struct pcl_bpf_set *set, uint32_t *ret_id)
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
	error = append_set(maker, set, ret_id);
	if (!error)
		maker->set_table[at] = *ret_id;
	return error;
}

static struct pcl_bpf_outcome outcome_of(const struct maker *maker,
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
		outcome.rule = number_of(maker, verdict->rule);
	else if (verdict->alert)
		outcome.rule = number_of(maker, verdict->audit_rule);
	return outcome;
}

/* What the rules of list say to a task whose executable is source (0: none that rules name). */
static void decide_set(const struct maker *maker, const struct list *list, uint32_t source,
		       struct pcl_bpf_set *ret_set)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	size_t count = 0;

	memset(ret_set, 0, sizeof(*ret_set));
	for (size_t i = 0; i < list->count; i++) {
		uint32_t rank = list->ranks[i];

		if (!maker->sources[rank].count || has_source(&maker->sources[rank], source))
			maker->matched[count++] = ruleset->rules[rank];
	}
	for (enum pcl_access access = 0; (int)access < (int)PCL_BPF_ACCESS_COUNT; access++) {
		struct pcl_verdict verdict;

		if (pcl_access_class(access) != maker->class)
			continue;
		pcl_decide_matched(ruleset, maker->matched, count, access, false, &verdict);
		ret_set->access[access] = outcome_of(maker, &verdict);
	}
}

/* Adds the variant of set for every source that the list's rules name. */
static int add_variants(struct maker *maker, const struct list *list, uint32_t set)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct rule_sources *sources = &maker->sources[list->ranks[i]];

		for (size_t s = 0; s < sources->count; s++) {
			struct pcl_trie_key key = {.node = PCL_NODE_SET | set,
						   .len = sources->ids[s]};
			struct pcl_trie_edge edge = {0};
			struct pcl_bpf_set variant;
			bool seen = false;
			int error;

			for (size_t j = 0; j < i && !seen; j++)
				seen = has_source(&maker->sources[list->ranks[j]], sources->ids[s]);
			if (seen || (s && sources->ids[s - 1] == sources->ids[s]))
				continue;
			decide_set(maker, list, sources->ids[s], &variant);
			error = intern_set(maker, &variant, &edge.self);
			if (!error)
				error = add_edge(maker, &key, &edge);
			if (error)
				return error;
		}
	}
	return 0;
}

static int make_set(struct maker *maker, struct list *list)
{
	struct pcl_bpf_set set;
	bool sourced = false;
	int error;

	for (size_t i = 0; i < list->count; i++)
		sourced |= maker->sources[list->ranks[i]].count > 0;
	decide_set(maker, list, 0, &set);
	if (!sourced)
		return intern_set(maker, &set, &list->set);
	/* Its variants are found by its number, so it is not shared. */
	error = append_set(maker, &set, &list->set);
	if (!error)
		error = add_variants(maker, list, list->set);
	list->set |= PCL_SET_SOURCES;
	return error;
}

/* --- the pass over a tree -------------------------------------------------------------------- */

/* base and those items of tree whose match is in matches (bits), as a new list with its set. */
static int extend(struct maker *maker, const struct list *base, const struct pcl_tree *tree,
		  unsigned matches, struct list *ret_list)
{
	pcl_cleanup(list_fini) struct list list = {.set = base->set};
	size_t count = base->count;
	int error;

	list.ranks = calloc(base->count + tree->item_count + 1, sizeof(*list.ranks));
	if (!list.ranks)
		return -ENOMEM;
	if (base->count)
		memcpy(list.ranks, base->ranks, base->count * sizeof(*list.ranks));
	for (size_t i = 0; i < tree->item_count; i++) {
		uint32_t rank = tree->items[i].value;
		size_t at = count;

		if (!(matches & 1u << tree->items[i].match))
			continue;
		while (at && list.ranks[at - 1] > rank)
			at--;
		/* Two of a rule's names may be one place here. */
		if (at && list.ranks[at - 1] == rank)
			continue;
		memmove(list.ranks + at + 1, list.ranks + at, (count - at) * sizeof(*list.ranks));
		list.ranks[at] = rank;
		count++;
	}
	list.count = count;
	if (count != base->count) {
		error = make_set(maker, &list);
		if (error)
			return error;
	}
	*ret_list = list;
	list.ranks = NULL;
	return 0;
}

static bool can_refuse_writing(const struct pcl_rule *rule)
{
	return pcl_rule_effect(rule, PCL_ACCESS_WRITE, false) == PCL_EFFECT_BLOCK ||
	       pcl_rule_effect(rule, PCL_ACCESS_EXECUTE, false) == PCL_EFFECT_BLOCK;
}

/* The best rule at or below tree that can refuse, as rank + 1; 0: none. */
static uint32_t best_refusing(const struct maker *maker, const struct pcl_tree *tree,
			      uint32_t best_below)
{
	uint32_t best = best_below;

	for (size_t i = 0; i < tree->item_count; i++) {
		uint32_t rank = tree->items[i].value;

		if (can_refuse_writing(maker->domain->ruleset->rules[rank]) &&
		    (!best || rank + 1 < best))
			best = rank + 1;
	}
	return best;
}

static int new_node(struct maker *maker, uint32_t *ret_node)
{
	if (maker->next_node >= PCL_NODE_SET)
		return pcl_diag_set(maker->diag, -E2BIG, "too many different paths in the rules");
	*ret_node = maker->next_node++;
	return 0;
}

static int emit(struct maker *maker, const struct pcl_tree *tree, const struct list *as_child,
		const struct list *inherited, struct pcl_trie_edge *ret_edge, uint32_t *ret_best);

/* The edges below tree; fills edge's node, filter and below_rule. */
static int emit_children(struct maker *maker, const struct pcl_tree *tree,
			 const struct list *child_list, const struct list *inherited,
			 struct pcl_trie_edge *edge, uint32_t *ret_best)
{
	uint32_t best = 0;
	int error;

	if (tree->child_count) {
		error = new_node(maker, &edge->node);
		if (error)
			return error;
	}
	for (size_t i = 0; i < tree->child_count; i++) {
		struct pcl_trie_edge below = {0};
		struct pcl_trie_key key;
		uint32_t child_best = 0;

		pcl_tree_key(tree->children[i], edge->node, &key);
		error = emit(maker, tree->children[i], child_list, inherited, &below, &child_best);
		if (!error)
			error = add_edge(maker, &key, &below);
		if (error)
			return error;
		edge->filter |= 1ull << pcl_key_filter_bit(&key);
		if (child_best && (!best || child_best < best))
			best = child_best;
	}
	*ret_best = best;
	return 0;
}

/*
 * One place: as_child are the rules for a child of the place above that no rule names, inherited
 * those of recursive directories above.
 */
static int emit(struct maker *maker, const struct pcl_tree *tree, const struct list *as_child,
		const struct list *inherited, struct pcl_trie_edge *ret_edge, uint32_t *ret_best)
{
	const unsigned all =
		1u << PCL_MATCH_PATH | 1u << PCL_MATCH_DIR | 1u << PCL_MATCH_DIR_RECURSIVE;
	pcl_cleanup(list_fini) struct list self = {0}, deep = {0}, child = {0};
	struct pcl_trie_edge edge = {0};
	uint32_t below = 0;
	int error;

	if (pcl_tree_is_partial(tree)) {
		error = emit_children(maker, tree, as_child, inherited, &edge, ret_best);
		*ret_edge = edge;
		return error;
	}
	error = extend(maker, as_child, tree, all, &self);
	if (!error)
		error = extend(maker, inherited, tree, 1u << PCL_MATCH_DIR_RECURSIVE, &deep);
	if (!error)
		error = extend(maker, &deep, tree, 1u << PCL_MATCH_DIR, &child);
	if (!error)
		error = emit_children(maker, tree, &child, &deep, &edge, &below);
	if (error)
		return error;
	edge.self = self.set;
	edge.child = child.set;
	edge.deep = deep.set;
	if (below)
		edge.below_rule = number_of(maker, maker->domain->ruleset->rules[below - 1]);
	*ret_edge = edge;
	*ret_best = best_refusing(maker, tree, below);
	return 0;
}

struct insertion {
	struct pcl_tree *tree;
	uint32_t value;
	enum pcl_match match;
};

static int insert_name(void *context, const char *name)
{
	struct insertion *insertion = context;

	return pcl_tree_insert(insertion->tree, name, insertion->value, insertion->match);
}

static int plant_rules(struct maker *maker, struct pcl_tree *tree, bool *ret_any)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;

	for (size_t r = 0; r < ruleset->rule_count; r++) {
		const struct pcl_rule *rule = ruleset->rules[r];
		struct insertion insertion = {tree, (uint32_t)r, rule->match};

		if (rule->class != maker->class)
			continue;
		*ret_any = true;
		if (for_each_name(maker->domain, rule->object, insert_name, &insertion))
			return -ENOMEM;
	}
	return 0;
}

static int unknown_set(struct maker *maker, uint32_t *ret_set)
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

static int make_class(struct maker *maker, struct pcl_bpf_domain *entry)
{
	pcl_cleanup(pcl_tree_free) struct pcl_tree *tree = pcl_tree_new();
	struct list nothing = {0};
	bool any = false;
	uint32_t best;
	int error;

	if (!tree || plant_rules(maker, tree, &any))
		return -ENOMEM;
	if (!any)
		return 0;
	entry->active |= 1u << maker->class;
	error = make_set(maker, &nothing);
	if (!error)
		error = emit(maker, tree, &nothing, &nothing, &entry->root[maker->class], &best);
	if (!error)
		error = unknown_set(maker, &entry->unknown[maker->class]);
	entry->nameless[maker->class] = nothing.set;
	return error;
}

static int make_domain(struct maker *maker, const struct pcl_backend_domain *domain)
{
	struct pcl_bpf_plan_domain *planned = &maker->plan->domains[maker->plan->domain_count];
	int error;

	if (domain->id >= PCL_BPF_DOMAINS_MAX)
		return pcl_diag_set(maker->diag, -E2BIG,
				    "domain \"%s\" is one too many: %u domains is the limit",
				    domain->ruleset->domain->name, PCL_BPF_DOMAINS_MAX);
	maker->domain = domain;
	maker->matched = calloc(domain->ruleset->rule_count + 1, sizeof(*maker->matched));
	planned->id = domain->id;
	planned->cgroup_id = domain->cgroup_id;
	planned->entry.incarnation = domain->incarnation;
	error = maker->matched ? index_rule_sources(maker) : -ENOMEM;
	for (maker->class = 0; !error && (int)maker->class < (int)PCL_BPF_CLASS_COUNT;
	     maker->class ++)
		error = make_class(maker, &planned->entry);
	free_rule_sources(maker);
	free((void *)maker->matched);
	maker->matched = NULL;
	if (error)
		return error;
	maker->plan->active |= planned->entry.active;
	maker->plan->contained |= domain->id != PCL_BPF_DOMAIN_HOST;
	maker->plan->domain_count++;
	return 0;
}

/* --- the trie of sources --------------------------------------------------------------------- */

static int emit_sources(struct maker *maker, const struct pcl_tree *tree,
			struct pcl_trie_edge *ret_edge)
{
	struct pcl_trie_edge edge = {.self = tree->item_count ? tree->items[0].value : 0};
	int error = 0;

	if (tree->child_count)
		error = new_node(maker, &edge.node);
	for (size_t i = 0; !error && i < tree->child_count; i++) {
		struct pcl_trie_edge below = {0};
		struct pcl_trie_key key;

		pcl_tree_key(tree->children[i], edge.node, &key);
		edge.filter |= 1ull << pcl_key_filter_bit(&key);
		error = emit_sources(maker, tree->children[i], &below);
		if (!error)
			error = add_edge(maker, &key, &below);
	}
	*ret_edge = edge;
	return error;
}

static int make_sources(struct maker *maker)
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
	return error ? error : add_edge(maker, &key, &edge);
}

/* --- the whole ------------------------------------------------------------------------------- */

static int compare_edges(const void *a, const void *b)
{
	return memcmp(&((const struct pcl_bpf_plan_edge *)a)->key,
		      &((const struct pcl_bpf_plan_edge *)b)->key, sizeof(struct pcl_trie_key));
}

static int make(struct maker *maker)
{
	const struct pcl_bpf_set permit = {0};
	uint32_t id;
	int error;

	maker->plan->domains =
		calloc(maker->input->domain_count + 1, sizeof(*maker->plan->domains));
	if (!maker->plan->domains)
		return -ENOMEM;
	error = append_set(maker, &permit, &id);
	if (!error)
		error = index_rules(maker);
	if (!error)
		error = collect_sources(maker);
	if (!error && maker->source_count)
		error = make_sources(maker);
	for (size_t i = 0; !error && i < maker->input->domain_count; i++)
		error = make_domain(maker, &maker->input->domains[i]);
	if (error)
		return error;
	if (maker->plan->edge_count)
		qsort(maker->plan->edges, maker->plan->edge_count, sizeof(*maker->plan->edges),
		      compare_edges);
	return 0;
}

int pcl_bpf_plan_make(const struct pcl_backend_input *input, struct pcl_bpf_plan **ret_plan,
		      struct pcl_diag *diag)
{
	pcl_cleanup(pcl_bpf_plan_free) struct pcl_bpf_plan *plan = calloc(1, sizeof(*plan));
	struct maker maker = {.input = input, .diag = diag, .next_node = PCL_NODE_FIRST};
	int error;

	maker.plan = plan;
	error = plan ? make(&maker) : -ENOMEM;
	pcl_strings_free(&maker.source_paths, &maker.source_count);
	free(maker.numbers);
	free(maker.set_table);
	if (error == -ENOMEM)
		return pcl_diag_set(diag, error, "out of memory");
	if (error)
		return error;
	*ret_plan = pcl_take_ptr(plan);
	return 0;
}

void pcl_bpf_plan_free(struct pcl_bpf_plan **plan)
{
	if (!*plan)
		return;
	free((*plan)->edges);
	free((*plan)->sets);
	free((*plan)->domains);
	free(*plan);
	*plan = NULL;
}
