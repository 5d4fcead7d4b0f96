/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at a plan of the BPF-LSM backend: as text, and by asking it as the kernel would.
 */
#include "backend/bpf_lsm_plan.h"

#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_tree.h"

static const struct pcl_trie_edge *find_edge(const struct pcl_bpf_plan *plan,
					     const struct pcl_trie_key *key)
{
	size_t low = 0, high = plan->edge_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(key, &plan->edges[middle].key, sizeof(*key));

		if (!order)
			return &plan->edges[middle].edge;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* bpf/match.h follow_chunk(): filter first, then the map. */
static const struct pcl_trie_edge *follow(const struct pcl_bpf_plan *plan,
					  const struct pcl_trie_edge *at, const char *name,
					  size_t len)
{
	while (at) {
		uint32_t used = len > PCL_CHUNK_LEN ? PCL_CHUNK_LEN : (uint32_t)len;
		struct pcl_trie_key key = {.node = at->node};

		if (!at->node)
			return NULL;
		key.len = used | (len > used ? PCL_CHUNK_MORE : 0);
		memcpy(key.name, name, used);
		if (!(at->filter & 1ull << pcl_key_filter_bit(&key)))
			return NULL;
		at = find_edge(plan, &key);
		name += used;
		len -= used;
		if (!len)
			return at;
	}
	return NULL;
}

/* bpf/match.h descend(). */
static uint32_t descend(const struct pcl_bpf_plan *plan, const struct pcl_trie_edge *at,
			const char *path)
{
	while (*(path += strspn(path, "/"))) {
		size_t len = strcspn(path, "/");
		const struct pcl_trie_edge *next = follow(plan, at, path, len);

		path += len;
		if (!next)
			return path[strspn(path, "/")] ? at->deep : at->child;
		at = next;
	}
	return at->self;
}

static uint32_t set_for_source(const struct pcl_bpf_plan *plan, uint32_t set, const char *source)
{
	struct pcl_trie_key root = {.node = PCL_NODE_SOURCES};
	struct pcl_trie_key key = {.node = PCL_NODE_SET | (set & ~PCL_SET_SOURCES)};
	const struct pcl_trie_edge *sources = find_edge(plan, &root), *variant;

	if (!(set & PCL_SET_SOURCES))
		return set;
	set &= ~PCL_SET_SOURCES;
	if (!sources || !source)
		return set;
	key.len = descend(plan, sources, source);
	variant = key.len ? find_edge(plan, &key) : NULL;
	return variant ? variant->self : set;
}

const struct pcl_bpf_outcome *pcl_bpf_plan_ask(const struct pcl_bpf_plan *plan, uint32_t domain,
					       const struct pcl_operation *operation)
{
	enum pcl_class class = pcl_access_class(operation->access);
	const struct pcl_bpf_domain *entry = NULL;
	const struct pcl_bpf_outcome *outcome;
	uint32_t set;

	for (size_t i = 0; i < plan->domain_count && !entry; i++)
		if (plan->domains[i].id == domain)
			entry = &plan->domains[i].entry;
	if (!entry || !(entry->active & 1u << class))
		return NULL;
	if (operation->object_unknown)
		set = entry->unknown[class];
	else if (!operation->object)
		set = entry->nameless[class];
	else
		set = descend(plan, &entry->root[class], operation->object);
	set = set_for_source(plan, set, operation->source);
	outcome = &plan->sets[set].access[operation->access];
	return outcome->flags ? outcome : NULL;
}

static const char *rule_id(const struct pcl_backend_input *input, uint32_t number)
{
	return number ? input->rules[number - 1]->id : PCL_DEFAULT_POSTURE_NAME;
}

static void print_set(const struct pcl_bpf_set *set, const struct pcl_backend_input *input,
		      FILE *out)
{
	static const char *const names[] = {"execute", "read", "write"};

	for (size_t i = 0; i < PCL_BPF_ACCESS_COUNT; i++) {
		const struct pcl_bpf_outcome *outcome = &set->access[i];

		if (!(outcome->flags & (PCL_OUTCOME_REFUSE | PCL_OUTCOME_ALERT)))
			continue;
		fprintf(out, " %s=%s(%s)", names[i],
			outcome->flags & PCL_OUTCOME_REFUSE ? "refuse" : "alert",
			rule_id(input, outcome->rule));
	}
	fputc('\n', out);
}

static void print_edge(const struct pcl_trie_edge *edge, const struct pcl_backend_input *input,
		       FILE *out)
{
	fprintf(out, " -> node %u filter %016llx self %#x child %#x deep %#x", edge->node,
		(unsigned long long)edge->filter, edge->self, edge->child, edge->deep);
	if (edge->below_rule)
		fprintf(out, " below %s", rule_id(input, edge->below_rule));
	fputc('\n', out);
}

void pcl_bpf_plan_print(const struct pcl_bpf_plan *plan, const struct pcl_backend_input *input,
			FILE *out)
{
	for (size_t i = 0; i < plan->domain_count; i++) {
		const struct pcl_bpf_domain *entry = &plan->domains[i].entry;

		for (enum pcl_class class = 0; (int)class < (int)PCL_BPF_CLASS_COUNT; class ++) {
			if (!(entry->active & 1u << class))
				continue;
			fprintf(out, "domain %u %s: nameless %#x unknown %#x, /",
				plan->domains[i].id, pcl_class_name(class), entry->nameless[class],
				entry->unknown[class]);
			print_edge(&entry->root[class], input, out);
		}
	}
	for (size_t i = 0; i < plan->edge_count; i++) {
		const struct pcl_trie_key *key = &plan->edges[i].key;
		uint32_t used = key->len & ~PCL_CHUNK_MORE;

		if (key->node & PCL_NODE_SET)
			fprintf(out, "set %#x source %u", key->node & ~PCL_NODE_SET, key->len);
		else
			fprintf(out, "node %u \"%.*s\"%s", key->node, (int)used,
				(const char *)key->name, key->len & PCL_CHUNK_MORE ? "..." : "");
		print_edge(&plan->edges[i].edge, input, out);
	}
	for (size_t i = 1; i < plan->set_count; i++) {
		fprintf(out, "set %#zx:", i);
		print_set(&plan->sets[i], input, out);
	}
}
