/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Presets: a set for each thing that they are about, which bpf/preset.h and bpf/mapping.h look up.
 * What filelessExec says of directories stands in the trie; the set for what has no path is its
 * own.
 */
#include "backend/bpf_lsm_maker.h"

#include <errno.h>

#include "base/cleanup.h"

_Static_assert((int)PCL_BPF_MAP == (int)PCL_ACCESS_MAP, "accesses are numbered alike");

#define FILELESS_EXEC (1u << PCL_PRESET_FILELESS_EXEC)
#define ANONYMOUS_MAP_EXEC (1u << PCL_PRESET_ANONYMOUS_MAP_EXEC)
#define PROTECT_ENV (1u << PCL_PRESET_PROTECT_ENV)
#define EXEC (1u << PCL_PRESET_EXEC)
#define PROTECT_PROC (1u << PCL_PRESET_PROTECT_PROC)

/* The set of the rules for any of presets (bits); ret_set stays as it is where there are none. */
static int make_set(struct pcl_maker *maker, unsigned presets, uint32_t *ret_set)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	pcl_cleanup(pcl_rule_list_fini) struct pcl_rule_list list = {0};
	int error;

	list.ranks = calloc(ruleset->rule_count + 1, sizeof(*list.ranks));
	if (!list.ranks)
		return -ENOMEM;
	for (size_t r = 0; r < ruleset->rule_count; r++)
		if (ruleset->rules[r]->match == PCL_MATCH_PRESET &&
		    presets & 1u << ruleset->rules[r]->number)
			list.ranks[list.count++] = (uint32_t)r;
	if (!list.count)
		return 0;
	error = pcl_maker_make_set(maker, &list);
	if (!error)
		*ret_set = list.set;
	return error;
}

static int plan_process(struct pcl_maker *maker, struct pcl_bpf_domain *entry)
{
	uint32_t nothing = entry->nameless[PCL_BPF_PROCESS];
	uint32_t *mapping = &entry->numbers[PCL_BPF_MAPPING - PCL_BPF_CLASS_COUNT].self;
	int error = make_set(maker, FILELESS_EXEC, &entry->nameless[PCL_BPF_PROCESS]);

	if (!error)
		error = make_set(maker, EXEC, &entry->entered);
	if (!error)
		error = make_set(maker, ANONYMOUS_MAP_EXEC, mapping);
	if (entry->entered || entry->nameless[PCL_BPF_PROCESS] != nothing)
		entry->parts[PCL_BPF_PROCESS] |= PCL_PART_PRESETS;
	if (*mapping)
		entry->active |= 1u << PCL_BPF_MAPPING;
	return error;
}

static int plan_file(struct pcl_maker *maker, struct pcl_bpf_domain *entry)
{
	int error = make_set(maker, PROTECT_ENV | PROTECT_PROC, &entry->environ);

	if (!error)
		error = make_set(maker, PROTECT_PROC, &entry->processes);
	if (entry->environ)
		entry->parts[PCL_BPF_FILE] |= PCL_PART_PRESETS;
	return error;
}

int pcl_maker_plan_presets(struct pcl_maker *maker, struct pcl_bpf_domain *entry)
{
	return maker->class == PCL_CLASS_PROCESS ? plan_process(maker, entry)
						 : plan_file(maker, entry);
}
