/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One deterministic automaton for several patterns, as the kernel runs it: byte by byte, with one
 * look at a table for each. Private to the BPF-LSM plan. Pure.
 */
#ifndef PCL_BACKEND_BPF_LSM_GLOB_H
#define PCL_BACKEND_BPF_LSM_GLOB_H

#include <stddef.h>
#include <stdint.h>

#include "policy/glob.h"

/* States of one automaton; patterns that need more are split over several, or refused. */
#define PCL_AUTOMATON_STATES 65536u
#define PCL_AUTOMATON_DEAD 0u  /* nothing matches, whatever follows */
#define PCL_AUTOMATON_START 1u /* before any text */

struct pcl_automaton;

/* 0; -E2BIG where more than state_max states are needed; -ENOMEM. */
int pcl_automaton_new(const struct pcl_glob *const *globs, size_t count, size_t state_max,
		      struct pcl_automaton **ret_automaton);
void pcl_automaton_free(struct pcl_automaton **automaton);

size_t pcl_automaton_state_count(const struct pcl_automaton *automaton);
/* By byte; and how many classes there are. Bytes of one class are never told apart. */
const uint8_t *pcl_automaton_classes(const struct pcl_automaton *automaton, unsigned *ret_count);
uint32_t pcl_automaton_next(const struct pcl_automaton *automaton, uint32_t state, unsigned class);
/* Which list of patterns matches a text that ends in state; 0: the empty one. */
uint32_t pcl_automaton_match(const struct pcl_automaton *automaton, uint32_t state);
size_t pcl_automaton_list_count(const struct pcl_automaton *automaton);
/* Indexes of patterns, ascending; borrowed. */
const uint32_t *pcl_automaton_list(const struct pcl_automaton *automaton, uint32_t list,
				   size_t *ret_count);

#endif
