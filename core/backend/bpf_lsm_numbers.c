/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The classes whose objects are numbers: kinds of sockets, capabilities, system calls. For each
 * number that some rule speaks of, the model is asked which rules match; the rest share one set.
 */
#include "backend/bpf_lsm_maker.h"

#include <errno.h>
#include <string.h>

#include "backend/bpf_lsm_syscalls.h"
#include "base/cleanup.h"
#include "policy/names.h"

_Static_assert((int)PCL_BPF_NETWORK == (int)PCL_CLASS_NETWORK, "classes are numbered alike");
_Static_assert((int)PCL_BPF_DNS == (int)PCL_CLASS_DNS, "classes are numbered alike");
_Static_assert((int)PCL_BPF_CAPABILITY == (int)PCL_CLASS_CAPABILITY, "classes are numbered alike");
_Static_assert((int)PCL_BPF_SYSCALL == (int)PCL_CLASS_SYSCALL, "classes are numbered alike");
_Static_assert((int)PCL_BPF_SOCKET == (int)PCL_ACCESS_SOCKET, "accesses are numbered alike");
_Static_assert((int)PCL_BPF_RESOLVE == (int)PCL_ACCESS_RESOLVE, "accesses are numbered alike");
_Static_assert((int)PCL_BPF_CAPABLE == (int)PCL_ACCESS_CAPABILITY, "accesses are numbered alike");
_Static_assert((int)PCL_BPF_SYSTEM_CALL == (int)PCL_ACCESS_SYSCALL, "accesses are numbered alike");

/* More than the kernel has, and than it can have in the 64 bits of a capability set. */
#define CAPABILITIES 64u

/* The rules that match the operation; sets list->ranks, of room for all rules. */
static void collect(const struct pcl_maker *maker, const struct pcl_operation *operation,
		    struct pcl_rule_list *list)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;

	list->count = 0;
	for (size_t r = 0; r < ruleset->rule_count; r++)
		if (ruleset->rules[r]->class == maker->class &&
		    pcl_rule_matches(ruleset->rules[r], operation))
			list->ranks[list->count++] = (uint32_t)r;
}

static int add_number(struct pcl_maker *maker, struct pcl_trie_edge *root, uint32_t number,
		      const struct pcl_operation *operation, struct pcl_rule_list *list)
{
	collect(maker, operation, list);
	return pcl_maker_add_number(maker, root, number, list);
}

/* Kind 0 is like any other: which one stands for the rest only changes how many edges there are. */
static int plan_network(struct pcl_maker *maker, struct pcl_trie_edge *root,
			struct pcl_rule_list *list)
{
	struct pcl_operation operation = {.access = PCL_ACCESS_SOCKET};
	int error;

	operation.socket = maker->plan->kinds.examples[0];
	collect(maker, &operation, list);
	error = pcl_maker_make_set(maker, list);
	root->self = list->set;
	for (uint32_t kind = 1; !error && kind < maker->plan->kinds.count; kind++) {
		operation.socket = maker->plan->kinds.examples[kind];
		error = add_number(maker, root, kind, &operation, list);
	}
	return error;
}

static int plan_capabilities(struct pcl_maker *maker, struct pcl_trie_edge *root,
			     struct pcl_rule_list *list)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	bool spoken_of[CAPABILITIES] = {false};
	int error;

	for (size_t r = 0; r < ruleset->rule_count; r++)
		if (ruleset->rules[r]->class == maker->class)
			spoken_of[ruleset->rules[r]->number % CAPABILITIES] = true;
	list->count = 0;
	error = pcl_maker_make_set(maker, list);
	root->self = list->set;
	for (uint32_t number = 0; !error && number < CAPABILITIES; number++) {
		const struct pcl_operation operation = {.access = PCL_ACCESS_CAPABILITY,
							.capability = number};

		if (spoken_of[number])
			error = add_number(maker, root, number, &operation, list);
	}
	return error;
}

/* Marks, by their places in the language's list, the calls that a rule is about. */
static void mark_calls(const struct pcl_rule *rule, bool *spoken_of)
{
	size_t at = 0;

	/* Both lists are sorted. */
	for (size_t i = 0; i < rule->syscall_count; i++) {
		while (pcl_syscall_names[at] && strcmp(pcl_syscall_names[at], rule->syscalls[i]))
			at++;
		if (!pcl_syscall_names[at])
			return;
		spoken_of[at] = true;
	}
}

static int add_call(struct pcl_maker *maker, struct pcl_trie_edge *root, const char *name,
		    struct pcl_rule_list *list)
{
	const struct pcl_operation operation = {.access = PCL_ACCESS_SYSCALL, .name = name};
	uint32_t numbers[PCL_SYSCALL_NUMBERS_MAX];
	size_t count = pcl_bpf_syscall_numbers(name, numbers);
	int error = 0;

	for (size_t i = 0; !error && i < count; i++)
		error = add_number(maker, root, numbers[i], &operation, list);
	return error;
}

static int plan_syscalls(struct pcl_maker *maker, struct pcl_trie_edge *root,
			 struct pcl_rule_list *list)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	pcl_autofree bool *spoken_of = NULL;
	size_t names = 0;
	int error = 0;

	while (pcl_syscall_names[names])
		names++;
	spoken_of = calloc(names + 1, sizeof(*spoken_of));
	if (!spoken_of)
		return -ENOMEM;
	for (size_t r = 0; r < ruleset->rule_count; r++)
		if (ruleset->rules[r]->class == maker->class)
			mark_calls(ruleset->rules[r], spoken_of);
	root->self = PCL_SET_PERMIT;
	for (size_t i = 0; !error && i < names; i++)
		if (spoken_of[i])
			error = add_call(maker, root, pcl_syscall_names[i], list);
	return error;
}

static bool has_rules(const struct pcl_maker *maker)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;

	for (size_t r = 0; r < ruleset->rule_count; r++)
		if (ruleset->rules[r]->class == maker->class)
			return true;
	return false;
}

int pcl_maker_plan_numbers(struct pcl_maker *maker, struct pcl_bpf_domain *entry)
{
	static const struct {
		enum pcl_class class;
		int (*plan)(struct pcl_maker *maker, struct pcl_trie_edge *root,
			    struct pcl_rule_list *list);
	} classes[] = {
		{PCL_CLASS_NETWORK, plan_network},
		{PCL_CLASS_DNS, pcl_maker_plan_names},
		{PCL_CLASS_CAPABILITY, plan_capabilities},
		{PCL_CLASS_SYSCALL, plan_syscalls},
	};
	pcl_cleanup(pcl_rule_list_fini) struct pcl_rule_list list = {0};
	int error = 0;

	list.ranks = calloc(maker->domain->ruleset->rule_count + 1, sizeof(*list.ranks));
	if (!list.ranks)
		return -ENOMEM;
	for (size_t i = 0; !error && i < PCL_ARRAY_SIZE(classes); i++) {
		maker->class = classes[i].class;
		if (!has_rules(maker))
			continue;
		entry->active |= 1u << maker->class;
		error = classes[i].plan(
			maker, &entry->numbers[(int)maker->class - (int)PCL_BPF_CLASS_COUNT],
			&list);
	}
	return error;
}
