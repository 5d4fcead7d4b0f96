/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiles rulesets to the maps of bpf/abi.h.
 *
 * Every place on which some rule depends becomes a node; a depth-first pass carries the inherited
 * directory rules down, so each node knows the whole list of rules for an object that ends there,
 * one component below, or deeper. A list becomes a set by asking the reference decision: precedence
 * is not decided here (bpf_lsm_sets.c).
 */
#include "backend/bpf_lsm_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_load.h"
#include "backend/bpf_lsm_maker.h"
#include "backend/bpf_lsm_tree.h"
#include "base/array.h"
#include "base/cleanup.h"

_Static_assert((int)PCL_BPF_PROCESS == (int)PCL_CLASS_PROCESS, "classes are numbered alike");
_Static_assert((int)PCL_BPF_FILE == (int)PCL_CLASS_FILE, "classes are numbered alike");
_Static_assert((int)PCL_BPF_EXECUTE == (int)PCL_ACCESS_EXECUTE, "accesses are numbered alike");
_Static_assert((int)PCL_BPF_READ == (int)PCL_ACCESS_READ, "accesses are numbered alike");
_Static_assert((int)PCL_BPF_WRITE == (int)PCL_ACCESS_WRITE, "accesses are numbered alike");
_Static_assert(PCL_BPF_DOMAINS_MAX >= PCL_DOMAINS_MAX, "room for every domain");
/* Of the model's classes and accesses the first ones are enforced here (bpf_lsm_support.c). */
_Static_assert((int)PCL_BPF_CLASS_COUNT <= PCL_CLASS_COUNT, "classes of the model");
_Static_assert((int)PCL_BPF_ACCESS_COUNT <= PCL_ACCESS_COUNT, "accesses of the model");

/* --- the pass over a tree -------------------------------------------------------------------- */

/* What the rules of a list that hold for any source do to each access, under each condition. */
struct deeds {
	bool done[PCL_BPF_ACCESS_COUNT][PCL_CONDITIONS][PCL_EFFECT_COUNT];
};

static enum pcl_effect effect_under(const struct pcl_rule *rule, enum pcl_access access,
				    unsigned conditions)
{
	const struct pcl_operation operation = {
		.access = access,
		.owner = conditions & PCL_CONDITION_OWNER,
		.terminal = conditions & PCL_CONDITION_TERMINAL,
	};

	return pcl_rule_effect_on(rule, &operation);
}

/* Whether behind those rules this one changes nothing: of several alike the first is named. */
static bool is_idle(const struct deeds *deeds, const struct pcl_rule *rule)
{
	/* What it does depends on more than is asked for here. */
	if (rule->flags & PCL_RULE_ALLOWED_ARGS)
		return false;
	for (enum pcl_access access = 0; (int)access < (int)PCL_BPF_ACCESS_COUNT; access++)
		for (unsigned conditions = 0; conditions < PCL_CONDITIONS; conditions++) {
			enum pcl_effect effect = effect_under(rule, access, conditions);

			if (effect != PCL_EFFECT_NONE && !deeds->done[access][conditions][effect])
				return false;
		}
	return true;
}

/* So lists stay short where many rules hold for one place. */
static void append_unless_idle(const struct pcl_maker *maker, struct pcl_rule_list *list,
			       struct deeds *deeds, uint32_t rank)
{
	const struct pcl_rule *rule = maker->domain->ruleset->rules[rank];

	/* Two of a rule's names may be one place here. */
	if (is_idle(deeds, rule) || (list->count && list->ranks[list->count - 1] == rank))
		return;
	list->ranks[list->count++] = rank;
	if (maker->sources[rank].count || (rule->flags & PCL_RULE_ALLOWED_ARGS))
		return;
	for (enum pcl_access access = 0; (int)access < (int)PCL_BPF_ACCESS_COUNT; access++)
		for (unsigned conditions = 0; conditions < PCL_CONDITIONS; conditions++)
			deeds->done[access][conditions][effect_under(rule, access, conditions)] =
				true;
}

static bool is_same_list(const struct pcl_rule_list *a, const struct pcl_rule_list *b)
{
	return a->count == b->count &&
	       (!a->count || !memcmp(a->ranks, b->ranks, a->count * sizeof(*a->ranks)));
}

/*
 * base and those items of tree whose match is in matches (bits), as a new list with its set, which
 * is that of base or of like (may be NULL) where the list is the same.
 */
static int extend(struct pcl_maker *maker, const struct pcl_rule_list *base,
		  const struct pcl_tree *tree, unsigned matches, const struct pcl_rule_list *like,
		  struct pcl_rule_list *ret_list)
{
	pcl_cleanup(pcl_rule_list_fini) struct pcl_rule_list list = {.set = base->set};
	struct deeds deeds = {0};
	size_t b = 0, i = 0;
	int error;

	list.ranks = calloc(base->count + tree->item_count + 1, sizeof(*list.ranks));
	if (!list.ranks)
		return -ENOMEM;
	while (b < base->count || i < tree->item_count) {
		if (i < tree->item_count && !(matches & 1u << tree->items[i].match))
			i++;
		else if (i == tree->item_count ||
			 (b < base->count && base->ranks[b] <= tree->items[i].value))
			append_unless_idle(maker, &list, &deeds, base->ranks[b++]);
		else
			append_unless_idle(maker, &list, &deeds, tree->items[i++].value);
	}
	if (like && is_same_list(&list, like)) {
		list.set = like->set;
	} else if (!is_same_list(&list, base)) {
		error = pcl_maker_make_set(maker, &list);
		if (error)
			return error;
	}
	*ret_list = list;
	list.ranks = NULL;
	return 0;
}

/* Under any condition: what lies below may be anybody's. */
bool pcl_maker_can_refuse(const struct pcl_rule *rule)
{
	const unsigned worst = PCL_CONDITION_TERMINAL;

	/* Presets do not care what an object is called. */
	if (rule->match == PCL_MATCH_PRESET)
		return false;
	return effect_under(rule, PCL_ACCESS_WRITE, worst) == PCL_EFFECT_BLOCK ||
	       effect_under(rule, PCL_ACCESS_EXECUTE, worst) == PCL_EFFECT_BLOCK;
}

/* The best rule at or below tree that can refuse, as rank + 1; 0: none. */
static uint32_t best_refusing(const struct pcl_maker *maker, const struct pcl_tree *tree,
			      uint32_t best_below)
{
	uint32_t best = best_below;

	for (size_t i = 0; i < tree->item_count; i++) {
		uint32_t rank = tree->items[i].value;

		if (pcl_maker_can_refuse(maker->domain->ruleset->rules[rank]) &&
		    (!best || rank + 1 < best))
			best = rank + 1;
	}
	return best;
}

static int emit(struct pcl_maker *maker, const struct pcl_tree *tree,
		const struct pcl_rule_list *as_child, const struct pcl_rule_list *inherited,
		struct pcl_trie_edge *ret_edge, uint32_t *ret_best);

/* The edges below tree; fills edge's node, filter and below_rule. */
static int emit_children(struct pcl_maker *maker, const struct pcl_tree *tree,
			 const struct pcl_rule_list *child_list,
			 const struct pcl_rule_list *inherited, struct pcl_trie_edge *edge,
			 uint32_t *ret_best)
{
	uint32_t best = 0;
	int error;

	if (tree->child_count) {
		error = pcl_maker_new_node(maker, &edge->node);
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
			error = pcl_maker_add_edge(maker, &key, &below);
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
static int emit(struct pcl_maker *maker, const struct pcl_tree *tree,
		const struct pcl_rule_list *as_child, const struct pcl_rule_list *inherited,
		struct pcl_trie_edge *ret_edge, uint32_t *ret_best)
{
	const unsigned all =
		1u << PCL_MATCH_PATH | 1u << PCL_MATCH_DIR | 1u << PCL_MATCH_DIR_RECURSIVE;
	pcl_cleanup(pcl_rule_list_fini) struct pcl_rule_list self = {0}, deep = {0}, child = {0};
	struct pcl_trie_edge edge = {0};
	uint32_t below = 0;
	int error;

	if (pcl_tree_is_partial(tree)) {
		error = emit_children(maker, tree, as_child, inherited, &edge, ret_best);
		*ret_edge = edge;
		return error;
	}
	error = extend(maker, inherited, tree, 1u << PCL_MATCH_DIR_RECURSIVE, NULL, &deep);
	if (!error)
		error = extend(maker, &deep, tree, 1u << PCL_MATCH_DIR, NULL, &child);
	if (!error)
		error = extend(maker, as_child, tree, all, &child, &self);
	if (!error)
		error = emit_children(maker, tree, &child, &deep, &edge, &below);
	if (error)
		return error;
	edge.self = self.set;
	edge.child = child.set;
	edge.deep = deep.set;
	if (below)
		edge.below_rule = pcl_maker_number(maker, maker->domain->ruleset->rules[below - 1]);
	*ret_edge = edge;
	*ret_best = best_refusing(maker, tree, below);
	return 0;
}

/* A name of a rule's object. */
struct name {
	const char *path; /* borrowed */
	uint32_t rank;
};

struct names {
	struct name *items;
	size_t count;
	uint32_t rank;
};

static int add_name(void *context, const char *path)
{
	struct names *names = context;

	if (pcl_array_grow(&names->items, names->count, sizeof(*names->items)))
		return -ENOMEM;
	names->items[names->count++] = (struct name){path, names->rank};
	return 0;
}

/* The order in which a tree takes paths fastest: a directory's entries by name, depth first. */
static int compare_paths(const char *a, const char *b)
{
	while (*a == *b && *a) {
		a++;
		b++;
	}
	if (*a == *b || !*a || !*b)
		return !!*a - !!*b;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int order = compare_paths(x->path, y->path);

	return order ? order : x->rank < y->rank ? -1 : x->rank > y->rank;
}

static bool is_fileless(const struct pcl_rule *rule)
{
	return rule->match == PCL_MATCH_PRESET && rule->number == PCL_PRESET_FILELESS_EXEC;
}

/* The part of its class (PCL_PART_*) that a rule is in; 0: the trie. */
static unsigned part_of(const struct pcl_rule *rule)
{
	if (rule->match == PCL_MATCH_PATTERN)
		return PCL_PART_PATTERNS;
	if (rule->match == PCL_MATCH_PRESET)
		return is_fileless(rule) ? 0 : PCL_PART_PRESETS;
	return rule->match == PCL_MATCH_NAME ? PCL_PART_NAMES : 0;
}

static bool is_of_part(const struct pcl_maker *maker, const struct pcl_rule *rule, unsigned part)
{
	return rule->class == maker->class && part_of(rule) == part;
}

/* What the rule is about, by all its names in the domain. */
static int name_rule(const struct pcl_maker *maker, const struct pcl_rule *rule,
		     struct names *names)
{
	int error = 0;

	if (!is_fileless(rule))
		return pcl_aliases_each(maker->domain->aliases, rule->object, add_name, names);
	for (size_t i = 0; !error && i < PCL_MEMORY_DIR_COUNT; i++)
		error = pcl_aliases_each(maker->domain->aliases, pcl_memory_dirs[i], add_name,
					 names);
	return error;
}

/* As what a rule stands in the tree of a part. A base name is the one level of a tree of its own.
 */
static enum pcl_match match_in(const struct pcl_rule *rule, unsigned part)
{
	if (part)
		return PCL_MATCH_PATH;
	return is_fileless(rule) ? PCL_MATCH_DIR_RECURSIVE : rule->match;
}

/* The items of a place come by rank. */
static int plant_rules(struct pcl_maker *maker, struct pcl_tree *tree, unsigned part, bool *ret_any)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	struct names names = {0};
	int error = 0;

	for (size_t r = 0; !error && r < ruleset->rule_count; r++) {
		if (!is_of_part(maker, ruleset->rules[r], part))
			continue;
		names.rank = (uint32_t)r;
		error = name_rule(maker, ruleset->rules[r], &names);
	}
	if (!error && names.count)
		qsort(names.items, names.count, sizeof(*names.items), compare_names);
	for (size_t i = 0; !error && i < names.count; i++)
		error = pcl_tree_insert(tree, names.items[i].path, names.items[i].rank,
					match_in(ruleset->rules[names.items[i].rank], part));
	*ret_any = names.count > 0;
	free(names.items);
	return error;
}

/* The trie of a part's rules; where there are none it says what no rule says. */
static int make_trie(struct pcl_maker *maker, unsigned part, const struct pcl_rule_list *nothing,
		     struct pcl_trie_edge *ret_root, bool *ret_any)
{
	pcl_cleanup(pcl_tree_free) struct pcl_tree *tree = pcl_tree_new();
	uint32_t best;

	if (!tree || plant_rules(maker, tree, part, ret_any))
		return -ENOMEM;
	return emit(maker, tree, nothing, nothing, ret_root, &best);
}

static int make_class(struct pcl_maker *maker, struct pcl_bpf_domain *entry)
{
	struct pcl_rule_list nothing = {0};
	bool any = false, any_name = false, any_pattern = false;
	int error;

	for (size_t r = 0; r < maker->domain->ruleset->rule_count && !any; r++)
		any = maker->domain->ruleset->rules[r]->class == maker->class;
	if (!any)
		return 0;
	entry->active |= 1u << maker->class;
	error = pcl_maker_make_set(maker, &nothing);
	if (!error)
		error = make_trie(maker, 0, &nothing, &entry->root[maker->class], &any);
	if (!error)
		error = make_trie(maker, PCL_PART_NAMES, &nothing, &entry->names[maker->class],
				  &any_name);
	if (any_name)
		entry->parts[maker->class] |= PCL_PART_NAMES;
	if (!error)
		error = pcl_maker_plan_patterns(maker, entry->patterns[maker->class], &any_pattern);
	if (!error && any_pattern)
		entry->parts[maker->class] |= PCL_PART_PATTERNS;
	if (!error)
		error = pcl_maker_unknown_set(maker, &entry->unknown[maker->class]);
	entry->nameless[maker->class] = nothing.set;
	return error ? error : pcl_maker_plan_presets(maker, entry);
}

static int make_domain(struct pcl_maker *maker, const struct pcl_backend_domain *domain)
{
	struct pcl_bpf_plan_domain *planned = &maker->plan->domains[maker->plan->domain_count];
	int error;

	if (domain->id >= PCL_BPF_DOMAINS_MAX)
		return pcl_diag_set(maker->diag, -E2BIG,
				    "domain \"%s\" is one too many: %u domains is the limit",
				    domain->ruleset->domain->name, PCL_BPF_DOMAINS_MAX);
	maker->domain = domain;
	maker->matched = calloc(domain->ruleset->rule_count + 1, sizeof(*maker->matched));
	maker->plain = calloc(domain->ruleset->rule_count + 1, sizeof(*maker->plain));
	planned->id = domain->id;
	planned->cgroup_id = domain->cgroup_id;
	planned->id_mount_ns = domain->id_mount_ns;
	planned->id_pid_ns = domain->id_pid_ns;
	planned->entry.incarnation = domain->incarnation;
	error = maker->matched && maker->plain ? pcl_maker_index_sources(maker) : -ENOMEM;
	for (maker->class = 0; !error && (int)maker->class < (int)PCL_BPF_CLASS_COUNT;
	     maker->class ++)
		error = make_class(maker, &planned->entry);
	if (!error)
		error = pcl_maker_plan_numbers(maker, &planned->entry);
	pcl_maker_free_sources(maker);
	free((void *)maker->matched);
	maker->matched = NULL;
	free(maker->plain);
	maker->plain = NULL;
	if (error)
		return error;
	maker->plan->active |= planned->entry.active;
	maker->plan->contained |= domain->id != PCL_BPF_DOMAIN_HOST;
	maker->plan->by_spaces |= domain->id_mount_ns || domain->id_pid_ns;
	maker->plan->domain_count++;
	return 0;
}

/* --- the whole ------------------------------------------------------------------------------- */

static int compare_edges(const void *a, const void *b)
{
	return memcmp(&((const struct pcl_bpf_plan_edge *)a)->key,
		      &((const struct pcl_bpf_plan_edge *)b)->key, sizeof(struct pcl_trie_key));
}

static int compare_hashes(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

/* The kernel finds an edge by its hash alone. Of a million two are alike once in 30 million sets.
 */
static int check_hashes(const struct pcl_maker *maker)
{
	size_t count = maker->plan->edge_count;
	pcl_autofree __u64 *hashes = calloc(count + 1, sizeof(*hashes));

	if (!hashes)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		hashes[i] = pcl_key_hash(&maker->plan->edges[i].key);
	qsort(hashes, count, sizeof(*hashes), compare_hashes);
	for (size_t i = 1; i < count; i++)
		if (hashes[i] == hashes[i - 1])
			return pcl_diag_set(maker->diag, -EEXIST,
					    "bpf_lsm: two names in the rules have the same hash; "
					    "write one of the rules differently");
	return 0;
}

/* What the trees have no place for would be left out of them, so it is refused as a whole. */
static int check_support(const struct pcl_maker *maker)
{
	for (size_t i = 0; i < maker->input->domain_count; i++) {
		const struct pcl_ruleset *ruleset = maker->input->domains[i].ruleset;

		for (size_t r = 0; r < ruleset->rule_count; r++) {
			const struct pcl_rule_status status =
				pcl_bpf_status(ruleset->rules[r], PCL_BPF_KERNEL_FULL);

			if (status.status == PCL_STATUS_UNSUPPORTED)
				return pcl_diag_set(maker->diag, -EOPNOTSUPP,
						    "rule %s cannot be enforced: backend bpf_lsm "
						    "%s",
						    ruleset->rules[r]->id, status.reason);
		}
	}
	return 0;
}

/* A packet tells the cgroup of who made its socket, and no namespace. */
static int check_dns(const struct pcl_maker *maker)
{
	if (!maker->plan->by_spaces || !(maker->plan->active & (1u << PCL_BPF_DNS)))
		return 0;
	return pcl_diag_set(maker->diag, -EOPNOTSUPP,
			    "bpf_lsm: rules of DNS names cannot be enforced where a domain is told "
			    "by its namespaces; give each container a cgroup (v2) of its own");
}

static int make(struct pcl_maker *maker)
{
	const struct pcl_bpf_set permit = {0};
	uint32_t id;
	int error = check_support(maker);

	if (error)
		return error;
	maker->plan->domains =
		calloc(maker->input->domain_count + 1, sizeof(*maker->plan->domains));
	if (!maker->plan->domains)
		return -ENOMEM;
	if (pcl_array_grow(&maker->plan->blocks, 0, sizeof(*maker->plan->blocks)))
		return -ENOMEM;
	memset(&maker->plan->blocks[maker->plan->block_count++], 0, sizeof(*maker->plan->blocks));
	error = pcl_maker_append_set(maker, &permit, &id);
	if (!error)
		error = pcl_maker_index_rules(maker);
	if (!error)
		error = pcl_maker_collect_sources(maker);
	if (!error && maker->source_count)
		error = pcl_maker_plan_sources(maker);
	for (size_t i = 0; !error && i < maker->input->domain_count; i++)
		error = make_domain(maker, &maker->input->domains[i]);
	if (!error)
		error = check_dns(maker);
	if (error)
		return error;
	if (maker->plan->domain_count == 1 && !maker->plan->contained)
		maker->plan->domains[0].entry.alone = 1;
	if (maker->plan->edge_count)
		qsort(maker->plan->edges, maker->plan->edge_count, sizeof(*maker->plan->edges),
		      compare_edges);
	return check_hashes(maker);
}

int pcl_bpf_plan_make(const struct pcl_backend_input *input, struct pcl_bpf_plan **ret_plan,
		      struct pcl_diag *diag)
{
	pcl_cleanup(pcl_bpf_plan_free) struct pcl_bpf_plan *plan = calloc(1, sizeof(*plan));
	struct pcl_maker maker = {.input = input, .diag = diag, .next_node = PCL_NODE_FIRST};
	int error;

	maker.plan = plan;
	if (plan)
		pcl_socket_kinds_init(&plan->kinds);
	error = plan ? make(&maker) : -ENOMEM;
	pcl_maker_fini_sources(&maker);
	free(maker.numbers);
	free(maker.set_table);
	free(maker.arg_lists);
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
	free((*plan)->blocks);
	free((*plan)->domains);
	free(*plan);
	*plan = NULL;
}
