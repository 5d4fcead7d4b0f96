/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subset construction. A state is the set of steps that the patterns can have reached, each set
 * with one number; states are made as they are met, so only those that some text reaches exist.
 */
#include "backend/bpf_lsm_glob.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

/* In a state: the pattern's index and one of its steps (policy/glob.h: fewer than 2^16). */
#define STEP_BITS 16

/* Different sequences of numbers, numbered as they come. */
struct sequences {
	uint32_t *words;
	size_t word_count;
	size_t *ends; /* of each in words */
	size_t count;
	uint32_t *table; /* open addressing; number + 1, 0 is empty */
	size_t capacity;
};

struct pcl_automaton {
	uint8_t class_of[256];
	unsigned class_count;
	unsigned char example[256]; /* a byte of each class */
	struct sequences states;
	struct sequences lists;
	uint32_t *next;	 /* by state and class */
	uint32_t *match; /* by state */
};

static const uint32_t *sequence(const struct sequences *all, size_t number, size_t *ret_count)
{
	size_t start = number ? all->ends[number - 1] : 0;

	*ret_count = all->ends[number] - start;
	return all->words + start;
}

/* FNV-1a over words; only to spread a table. */
static size_t hash_words(const uint32_t *words, size_t count)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < count; i++)
		hash = (hash ^ words[i]) * 0x100000001b3u;
	return (size_t)(hash ^ hash >> 32);
}

static int grow(struct sequences *all)
{
	size_t capacity = all->capacity ? all->capacity * 2 : 64;
	uint32_t *table;

	if (all->count * 2 < all->capacity)
		return 0;
	table = calloc(capacity, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < all->count; i++) {
		size_t count, at;
		const uint32_t *words = sequence(all, i, &count);

		at = hash_words(words, count) & (capacity - 1);
		while (table[at])
			at = (at + 1) & (capacity - 1);
		table[at] = (uint32_t)i + 1;
	}
	free(all->table);
	all->table = table;
	all->capacity = capacity;
	return 0;
}

/* The number of the sequence, which is kept if it is new. */
static int number_of(struct sequences *all, const uint32_t *words, size_t count,
		     uint32_t *ret_number)
{
	size_t at;

	if (grow(all))
		return -ENOMEM;
	for (at = hash_words(words, count) & (all->capacity - 1); all->table[at];
	     at = (at + 1) & (all->capacity - 1)) {
		size_t held_count;
		const uint32_t *held = sequence(all, all->table[at] - 1, &held_count);

		if (held_count == count &&
		    (!count || !memcmp(held, words, count * sizeof(*held)))) {
			*ret_number = all->table[at] - 1;
			return 0;
		}
	}
	if (pcl_array_grow(&all->ends, all->count, sizeof(*all->ends)))
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (pcl_array_grow(&all->words, all->word_count, sizeof(*all->words)))
			return -ENOMEM;
		all->words[all->word_count++] = words[i];
	}
	all->ends[all->count++] = all->word_count;
	all->table[at] = (uint32_t)all->count;
	*ret_number = (uint32_t)all->count - 1;
	return 0;
}

static void sequences_fini(struct sequences *all)
{
	free(all->words);
	free(all->ends);
	free(all->table);
}

void pcl_automaton_free(struct pcl_automaton **automaton)
{
	if (!*automaton)
		return;
	sequences_fini(&(*automaton)->states);
	sequences_fini(&(*automaton)->lists);
	free((*automaton)->next);
	free((*automaton)->match);
	free(*automaton);
	*automaton = NULL;
}

struct builder {
	struct pcl_automaton *automaton;
	const struct pcl_glob *const *globs;
	size_t glob_count;
	uint32_t *words; /* a state in the making */
	uint32_t *list;	 /* patterns that match in it */
	uint16_t *from, *to;
};

static void add_steps(struct builder *builder, size_t glob, size_t step_count, size_t *count)
{
	for (size_t i = 0; i < step_count; i++)
		builder->words[(*count)++] = (uint32_t)glob << STEP_BITS | builder->to[i];
}

static size_t make_start(struct builder *builder)
{
	size_t count = 0;

	for (size_t i = 0; i < builder->glob_count; i++)
		add_steps(builder, i, pcl_glob_begin(builder->globs[i], builder->to), &count);
	return count;
}

/* Where byte leads from state, pattern by pattern. */
static size_t make_next(struct builder *builder, uint32_t state, unsigned char byte)
{
	size_t held_count, count = 0;
	const uint32_t *held = sequence(&builder->automaton->states, state, &held_count);

	for (size_t i = 0; i < held_count;) {
		size_t glob = held[i] >> STEP_BITS, steps = 0;

		for (; i < held_count && held[i] >> STEP_BITS == glob; i++)
			builder->from[steps++] = (uint16_t)held[i];
		add_steps(builder, glob,
			  pcl_glob_advance(builder->globs[glob], builder->from, steps, byte,
					   builder->to),
			  &count);
	}
	return count;
}

static int find_matches(struct builder *builder, uint32_t state)
{
	struct pcl_automaton *automaton = builder->automaton;
	size_t held_count, count = 0;
	const uint32_t *held = sequence(&automaton->states, state, &held_count);

	for (size_t i = 0; i < held_count;) {
		size_t glob = held[i] >> STEP_BITS, steps = 0;

		for (; i < held_count && held[i] >> STEP_BITS == glob; i++)
			builder->from[steps++] = (uint16_t)held[i];
		if (pcl_glob_ends(builder->globs[glob], builder->from, steps))
			builder->list[count++] = (uint32_t)glob;
	}
	if (pcl_array_grow(&automaton->match, state, sizeof(*automaton->match)))
		return -ENOMEM;
	return number_of(&automaton->lists, builder->list, count, &automaton->match[state]);
}

static int build(struct builder *builder, size_t state_max)
{
	struct pcl_automaton *automaton = builder->automaton;
	uint32_t number;
	int error = number_of(&automaton->lists, builder->list, 0, &number);

	if (!error)
		error = number_of(&automaton->states, builder->words, 0, &number);
	if (!error)
		error = number_of(&automaton->states, builder->words, make_start(builder), &number);
	for (uint32_t state = 0; !error && state < automaton->states.count; state++) {
		size_t at = (size_t)state * automaton->class_count;

		error = find_matches(builder, state);
		for (unsigned class = 0; !error && class < automaton->class_count; class ++) {
			size_t count = make_next(builder, state, automaton->example[class]);

			if (pcl_array_grow(&automaton->next, at + class, sizeof(uint32_t)))
				return -ENOMEM;
			error = number_of(&automaton->states, builder->words, count,
					  &automaton->next[at + class]);
		}
		if (automaton->states.count > state_max)
			return -E2BIG;
	}
	return error;
}

int pcl_automaton_new(const struct pcl_glob *const *globs, size_t count, size_t state_max,
		      struct pcl_automaton **ret_automaton)
{
	pcl_cleanup(pcl_automaton_free) struct pcl_automaton *automaton =
		calloc(1, sizeof(*automaton));
	struct builder builder = {.automaton = automaton, .globs = globs, .glob_count = count};
	size_t steps = 0, most = 0;
	int error = -ENOMEM;

	if (!automaton)
		return -ENOMEM;
	automaton->class_count = 1;
	for (size_t i = 0; i < count; i++) {
		size_t step_count = pcl_glob_step_count(globs[i]);

		pcl_glob_split(globs[i], automaton->class_of, &automaton->class_count);
		steps += step_count;
		most = step_count > most ? step_count : most;
	}
	for (unsigned byte = 0; byte < 256; byte++)
		automaton->example[automaton->class_of[byte]] = (unsigned char)byte;
	builder.words = calloc(steps + 1, sizeof(*builder.words));
	builder.list = calloc(count + 1, sizeof(*builder.list));
	builder.from = calloc(most + 1, sizeof(*builder.from));
	builder.to = calloc(most + 1, sizeof(*builder.to));
	if (builder.words && builder.list && builder.from && builder.to)
		error = count >> STEP_BITS ? -E2BIG : build(&builder, state_max);
	free(builder.words);
	free(builder.list);
	free(builder.from);
	free(builder.to);
	if (!error)
		*ret_automaton = pcl_take_ptr(automaton);
	return error;
}

size_t pcl_automaton_state_count(const struct pcl_automaton *automaton)
{
	return automaton->states.count;
}

const uint8_t *pcl_automaton_classes(const struct pcl_automaton *automaton, unsigned *ret_count)
{
	*ret_count = automaton->class_count;
	return automaton->class_of;
}

uint32_t pcl_automaton_next(const struct pcl_automaton *automaton, uint32_t state, unsigned class)
{
	return automaton->next[(size_t)state * automaton->class_count + class];
}

uint32_t pcl_automaton_match(const struct pcl_automaton *automaton, uint32_t state)
{
	return automaton->match[state];
}

size_t pcl_automaton_list_count(const struct pcl_automaton *automaton)
{
	return automaton->lists.count;
}

const uint32_t *pcl_automaton_list(const struct pcl_automaton *automaton, uint32_t list,
				   size_t *ret_count)
{
	return sequence(&automaton->lists, list, ret_count);
}
