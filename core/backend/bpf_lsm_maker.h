/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that make a plan of the BPF-LSM backend share. Private to them.
 */
#ifndef PCL_BACKEND_BPF_LSM_MAKER_H
#define PCL_BACKEND_BPF_LSM_MAKER_H

#include <stdlib.h>

#include "backend/bpf_lsm_plan.h"

/* Ascending ranks in a ruleset, and the set they make. */
struct pcl_rule_list {
	uint32_t *ranks;
	size_t count;
	uint32_t set;
};

/* What a rule asks of a source: to be a program, or one of a directory's. */
struct pcl_source {
	const char *path; /* borrowed */
	enum pcl_match match;
};

/* Ids of combinations of sources, ascending: those in which a rule, or a source, is. */
struct pcl_source_ids {
	uint32_t *ids;
	size_t count;
};

struct pcl_rule_number {
	const struct pcl_rule *rule;
	uint32_t number;
};

/* A list of allowed arguments. */
struct pcl_arg_list {
	const struct pcl_rule *rule; /* one that has it */
	uint32_t node;		     /* the root of its trie */
};

struct pcl_maker {
	const struct pcl_backend_input *input;
	struct pcl_bpf_plan *plan;
	struct pcl_diag *diag;
	struct pcl_source *source_list; /* sorted, distinct */
	size_t source_count;
	/*
	 * Several sources may hold for one program, so what the kernel finds is the id of a
	 * combination, from 1: by source, those that it is in.
	 */
	struct pcl_source_ids *source_ids;
	uint32_t combination_count;
	struct pcl_rule_number *numbers; /* sorted by pointer */
	uint32_t *set_table;		 /* open addressing over plan->sets, 0 is empty */
	size_t set_capacity;
	uint32_t next_node;
	struct pcl_arg_list *arg_lists; /* distinct */
	size_t arg_list_count;
	/* The ruleset at hand. */
	const struct pcl_backend_domain *domain;
	struct pcl_source_ids *sources;			 /* by rank */
	const struct pcl_rule **matched;		 /* scratch, rule_count entries */
	uint32_t *plain;				 /* likewise */
	const struct pcl_arg_list *lists[PCL_ARG_LISTS]; /* of the set at hand */
	size_t list_count;
	enum pcl_class class;
};

static inline void pcl_rule_list_fini(struct pcl_rule_list *list)
{
	free(list->ranks);
}

/* --- bpf_lsm_sets.c: -ENOMEM, and -E2BIG with diag for more than the maps hold ---------------- */

int pcl_maker_index_rules(struct pcl_maker *maker);
/* The rule's number for the kernel; 0 for NULL. */
uint32_t pcl_maker_number(const struct pcl_maker *maker, const struct pcl_rule *rule);
int pcl_maker_new_node(struct pcl_maker *maker, uint32_t *ret_node);
int pcl_maker_add_edge(struct pcl_maker *maker, const struct pcl_trie_key *key,
		       const struct pcl_trie_edge *edge);
/* A set of its own number. */
int pcl_maker_append_set(struct pcl_maker *maker, const struct pcl_bpf_set *set, uint32_t *ret_id);
/* Sets list->set from its rules, which are those of one part for one object. */
int pcl_maker_make_set(struct pcl_maker *maker, struct pcl_rule_list *list);
/*
 * For a class whose objects are numbers: list's rules are those that match number. Sets list->set.
 * root->self is the set for numbers that no rule matches; root->node and filter are filled here.
 * bpf/judge.h set_of_number() finds the edge.
 */
int pcl_maker_add_number(struct pcl_maker *maker, struct pcl_trie_edge *root, uint32_t number,
			 struct pcl_rule_list *list);
/* The set of the class at hand for an object whose path, or name, cannot be told. */
int pcl_maker_unknown_set(struct pcl_maker *maker, uint32_t *ret_set);

/* --- bpf_lsm_args.c: errors as above -----------------------------------------------------------
 */

/* Sets maker->lists to those of the rules of a set; -E2BIG with diag for too many. */
int pcl_maker_find_lists(struct pcl_maker *maker, const struct pcl_rule_list *list);
/*
 * The arguments that stand for all that exactly the lists of mask hold: what they have in common
 * (borrowed, in a new array that is the caller's). None where there is no such thing.
 */
int pcl_maker_example_args(const struct pcl_maker *maker, unsigned mask,
			   const char *const **ret_args, size_t *ret_count);

/* --- bpf_lsm_numbers.c: errors as above --------------------------------------------------------
 */

/* The classes whose objects are numbers, of the domain at hand. */
int pcl_maker_plan_numbers(struct pcl_maker *maker, struct pcl_bpf_domain *entry);

/* --- bpf_lsm_names.c: errors as above ----------------------------------------------------------
 */

/* The names that DNS rules are about; maker->class is theirs. */
int pcl_maker_plan_names(struct pcl_maker *maker, struct pcl_trie_edge *root,
			 struct pcl_rule_list *list);

/* --- bpf_lsm_presets.c: errors as above --------------------------------------------------------
 */

/* The presets of the class at hand, but for what filelessExec has in the trie. */
int pcl_maker_plan_presets(struct pcl_maker *maker, struct pcl_bpf_domain *entry);

/* --- bpf_lsm_plan.c, bpf_lsm_patterns.c ---------------------------------------------------------
 */

/* Whether a rule can refuse to change or to run what it matches, under whatever condition. */
bool pcl_maker_can_refuse(const struct pcl_rule *rule);
/* The patterns of the class at hand. -E2BIG with diag for those that are too much. */
int pcl_maker_plan_patterns(struct pcl_maker *maker,
			    struct pcl_pattern_group groups[PCL_PATTERN_GROUPS], bool *ret_any);

/* --- bpf_lsm_sources.c: 0 or an error as above ------------------------------------------------ */

/* The sources of all domains' rules. */
int pcl_maker_collect_sources(struct pcl_maker *maker);
/* The trie of all sources, and which combinations each is in. */
int pcl_maker_plan_sources(struct pcl_maker *maker);
/* maker->sources of the domain at hand, and away again. */
int pcl_maker_index_sources(struct pcl_maker *maker);
void pcl_maker_free_sources(struct pcl_maker *maker);
/* All that the other three made. */
void pcl_maker_fini_sources(struct pcl_maker *maker);

#endif
