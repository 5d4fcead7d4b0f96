/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns of a class to the automata that the kernel runs over a path (bpf/pattern.h). All
 * patterns of a class are one automaton; where that grows too big they are split over several, and
 * a pattern that is too big alone, or one automaton too many, is refused by name.
 */
#include "backend/bpf_lsm_maker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_glob.h"
#include "base/array.h"
#include "base/cleanup.h"

_Static_assert(sizeof(struct pcl_pattern_block) == 256, "a block holds the class of each byte");

struct patterns {
	struct pcl_maker *maker;
	const struct pcl_glob **globs;
	uint32_t *ranks;
	size_t count;
	struct pcl_pattern_group *groups;
	size_t group_count;
};

static int add_blocks(struct pcl_maker *maker, size_t count, uint32_t *ret_first)
{
	struct pcl_bpf_plan *plan = maker->plan;

	/* Block 0 is the dead state's, which is never looked up. */
	if (plan->block_count + count > UINT32_MAX)
		return pcl_diag_set(maker->diag, -E2BIG, "too many patterns");
	*ret_first = (uint32_t)plan->block_count;
	for (size_t i = 0; i < count; i++) {
		if (pcl_array_grow(&plan->blocks, plan->block_count, sizeof(*plan->blocks)))
			return -ENOMEM;
		memset(&plan->blocks[plan->block_count++], 0, sizeof(*plan->blocks));
	}
	return 0;
}

/* What the automaton's states say, by list or by state. */
struct sayings {
	uint32_t *sets;	   /* by list */
	uint32_t *refuses; /* by list: the first rule that can refuse, 0: none */
	uint32_t *below;   /* by state: the first that can further on */
};

static void sayings_fini(struct sayings *sayings)
{
	free(sayings->sets);
	free(sayings->refuses);
	free(sayings->below);
}

static int say_list(const struct patterns *patterns, const struct pcl_automaton *automaton,
		    size_t first, uint32_t list, struct sayings *sayings)
{
	struct pcl_maker *maker = patterns->maker;
	pcl_cleanup(pcl_rule_list_fini) struct pcl_rule_list rules = {0};
	size_t count;
	const uint32_t *indexes = pcl_automaton_list(automaton, list, &count);
	int error;

	rules.ranks = calloc(count + 1, sizeof(*rules.ranks));
	if (!rules.ranks)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		uint32_t rank = patterns->ranks[first + indexes[i]];
		const struct pcl_rule *rule = maker->domain->ruleset->rules[rank];

		rules.ranks[rules.count++] = rank;
		if (!sayings->refuses[list] && pcl_maker_can_refuse(rule))
			sayings->refuses[list] = pcl_maker_number(maker, rule);
	}
	error = pcl_maker_make_set(maker, &rules);
	if (!error)
		sayings->sets[list] = rules.set;
	return error;
}

/* Carries back what lies ahead, until nothing changes; states are mostly made front to back. */
static void find_below(const struct pcl_automaton *automaton, struct sayings *sayings)
{
	unsigned class_count;
	bool changed = true;

	(void)pcl_automaton_classes(automaton, &class_count);
	while (changed) {
		changed = false;
		for (size_t state = pcl_automaton_state_count(automaton); state-- > 1;)
			for (unsigned class = 0; class < class_count; class ++) {
				uint32_t next =
					pcl_automaton_next(automaton, (uint32_t)state, class);
				uint32_t list = pcl_automaton_match(automaton, next);
				uint32_t best = pcl_first_rule(sayings->below[next],
							       sayings->refuses[list]);

				best = pcl_first_rule(sayings->below[state], best);
				changed |= best != sayings->below[state];
				sayings->below[state] = best;
			}
	}
}

/* The blocks of each state, one after another. */
static void fill_blocks(const struct pcl_automaton *automaton, const struct sayings *sayings,
			struct pcl_pattern_block *blocks, uint32_t first, uint32_t per_state)
{
	unsigned class_count;

	(void)pcl_automaton_classes(automaton, &class_count);
	for (uint32_t state = 1; state < pcl_automaton_state_count(automaton); state++) {
		struct pcl_pattern_block *block = &blocks[first + (state - 1) * per_state];
		uint32_t list = pcl_automaton_match(automaton, state);

		/* Where no pattern matches, the other parts say all that is to be said. */
		block->words[PCL_PATTERN_SET] = list ? sayings->sets[list] : PCL_SET_PERMIT;
		block->words[PCL_PATTERN_BELOW] = sayings->below[state];
		for (unsigned class = 0; class < class_count; class ++) {
			uint32_t next = pcl_automaton_next(automaton, state, class);
			unsigned word = PCL_PATTERN_NEXT + class;

			if (next != PCL_AUTOMATON_DEAD)
				block[word / PCL_PATTERN_WORDS].words[word % PCL_PATTERN_WORDS] =
					first + (next - 1) * per_state;
		}
	}
}

static int emit(struct patterns *patterns, const struct pcl_automaton *automaton, size_t first_glob)
{
	struct pcl_maker *maker = patterns->maker;
	size_t lists = pcl_automaton_list_count(automaton);
	size_t states = pcl_automaton_state_count(automaton);
	struct pcl_pattern_group *group = &patterns->groups[patterns->group_count];
	pcl_cleanup(sayings_fini) struct sayings sayings = {0};
	uint32_t per_state, first = 0;
	unsigned class_count;
	const uint8_t *classes = pcl_automaton_classes(automaton, &class_count);
	int error = 0;

	sayings.sets = calloc(lists + 1, sizeof(*sayings.sets));
	sayings.refuses = calloc(lists + 1, sizeof(*sayings.refuses));
	sayings.below = calloc(states + 1, sizeof(*sayings.below));
	if (!sayings.sets || !sayings.refuses || !sayings.below)
		return -ENOMEM;
	for (uint32_t list = 1; !error && list < lists; list++)
		error = say_list(patterns, automaton, first_glob, list, &sayings);
	find_below(automaton, &sayings);
	per_state = (PCL_PATTERN_NEXT + class_count + PCL_PATTERN_WORDS - 1) / PCL_PATTERN_WORDS;
	if (!error)
		error = add_blocks(maker, 1, &group->classes);
	if (!error)
		error = add_blocks(maker, (states - 1) * per_state, &first);
	if (error)
		return error;
	memcpy(maker->plan->blocks[group->classes].words, classes, 256);
	fill_blocks(automaton, &sayings, maker->plan->blocks, first, per_state);
	/* Every path begins with the slash. */
	group->start = pcl_automaton_next(automaton, PCL_AUTOMATON_START, classes['/']);
	if (group->start != PCL_AUTOMATON_DEAD)
		group->start = first + (group->start - 1) * per_state;
	patterns->group_count++;
	return 0;
}

static int refuse(const struct patterns *patterns, size_t at, const char *reason)
{
	const struct pcl_maker *maker = patterns->maker;
	const struct pcl_rule *rule = maker->domain->ruleset->rules[patterns->ranks[at]];

	return pcl_diag_set(maker->diag, -E2BIG,
			    "%s:%u:%u: rule %s: its pattern %s in the kernel; write a simpler one",
			    rule->policy->file, rule->place.line, rule->place.column, rule->id,
			    reason);
}

/* count patterns from first on, as one automaton or, where that is too big, in halves. */
static int plan_patterns(struct patterns *patterns, size_t first, size_t count)
{
	pcl_cleanup(pcl_automaton_free) struct pcl_automaton *automaton = NULL;
	int error;

	if (patterns->group_count == PCL_PATTERN_GROUPS)
		return refuse(patterns, first, "is one too many to be matched with the others");
	error = pcl_automaton_new(patterns->globs + first, count, PCL_AUTOMATON_STATES, &automaton);
	if (!error)
		return emit(patterns, automaton, first);
	if (error != -E2BIG)
		return error;
	if (count == 1)
		return refuse(patterns, first, "needs more states than can be kept");
	error = plan_patterns(patterns, first, count / 2);
	return error ? error : plan_patterns(patterns, first + count / 2, count - count / 2);
}

int pcl_maker_plan_patterns(struct pcl_maker *maker,
			    struct pcl_pattern_group groups[PCL_PATTERN_GROUPS], bool *ret_any)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	struct patterns patterns = {.maker = maker, .groups = groups};
	int error = 0;

	patterns.globs = calloc(ruleset->rule_count + 1, sizeof(*patterns.globs));
	patterns.ranks = calloc(ruleset->rule_count + 1, sizeof(*patterns.ranks));
	if (!patterns.globs || !patterns.ranks)
		error = -ENOMEM;
	for (size_t r = 0; !error && r < ruleset->rule_count; r++) {
		if (ruleset->rules[r]->class != maker->class ||
		    ruleset->rules[r]->match != PCL_MATCH_PATTERN)
			continue;
		patterns.ranks[patterns.count] = (uint32_t)r;
		patterns.globs[patterns.count++] = ruleset->rules[r]->glob;
	}
	if (!error && patterns.count)
		error = plan_patterns(&patterns, 0, patterns.count);
	*ret_any = patterns.count > 0;
	free((void *)patterns.globs);
	free(patterns.ranks);
	return error;
}
