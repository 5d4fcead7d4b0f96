/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS names. For each name that some rule is about, the model is asked which rules match it: these
 * hold for what lies below it too, up to the next name of a rule. The kernel looks for the longest
 * end of a query's name, so nothing is inherited here (bpf/dns.h).
 */
#include "backend/bpf_lsm_maker.h"

#include <errno.h>
#include <string.h>

#include "backend/bpf_lsm_tree.h"
#include "base/cleanup.h"
#include "policy/decide.h"

/* A name as a query has it, but for the root's label. */
struct wire_name {
	char bytes[PCL_DOMAIN_LEN_MAX + 1];
	size_t len;
	const char *text; /* borrowed */
};

_Static_assert(PCL_DOMAIN_LEN_MAX + 1 <= 254, "as long as a query's name (bpf/dns.h)");

static void write_name(const char *text, struct wire_name *name)
{
	memset(name, 0, sizeof(*name));
	name->text = text;
	while (*text && name->len + strlen(text) < sizeof(name->bytes)) {
		size_t label = strcspn(text, ".");

		name->bytes[name->len++] = (char)label;
		memcpy(name->bytes + name->len, text, label);
		name->len += label;
		text += label + (text[label] == '.');
	}
}

static int compare_names(const void *a, const void *b)
{
	const struct wire_name *x = a, *y = b;
	int order = memcmp(x->bytes, y->bytes, sizeof(x->bytes));

	return order ? order : x->len < y->len ? -1 : x->len > y->len;
}

/* The key of what name has from offset on, below node. */
static void key_of(const struct wire_name *name, size_t offset, uint32_t node,
		   struct pcl_trie_key *ret_key)
{
	size_t left = name->len - offset;
	size_t used = left > PCL_CHUNK_LEN ? PCL_CHUNK_LEN : left;

	memset(ret_key, 0, sizeof(*ret_key));
	ret_key->node = node;
	ret_key->len = (__u32)used | (left > PCL_CHUNK_LEN ? PCL_CHUNK_MORE : 0);
	memcpy(ret_key->name, name->bytes + offset, used);
}

/* The set for a name and for what lies below it. */
static int make_set(struct pcl_maker *maker, const struct wire_name *name,
		    struct pcl_rule_list *list, uint32_t *ret_set)
{
	const struct pcl_operation operation = {.access = PCL_ACCESS_RESOLVE, .name = name->text};
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	int error;

	list->count = 0;
	for (size_t r = 0; r < ruleset->rule_count; r++)
		if (ruleset->rules[r]->class == maker->class &&
		    pcl_rule_matches(ruleset->rules[r], &operation))
			list->ranks[list->count++] = (uint32_t)r;
	error = pcl_maker_make_set(maker, list);
	*ret_set = list->set;
	return error;
}

/*
 * The edges below above for names, which are sorted and alike up to offset. Recursion is as deep as
 * a name has chunks.
 */
static int add_names(struct pcl_maker *maker, const struct wire_name *names, size_t count,
		     size_t offset, struct pcl_rule_list *list, struct pcl_trie_edge *above)
{
	int error = count ? pcl_maker_new_node(maker, &above->node) : 0;

	for (size_t i = 0, end; !error && i < count; i = end) {
		struct pcl_trie_edge edge = {0};
		struct pcl_trie_key key, next;

		key_of(&names[i], offset, above->node, &key);
		for (end = i + 1; end < count; end++) {
			key_of(&names[end], offset, above->node, &next);
			if (memcmp(&key, &next, sizeof(key)) != 0)
				break;
		}
		if (key.len & PCL_CHUNK_MORE)
			error = add_names(maker, names + i, end - i, offset + PCL_CHUNK_LEN, list,
					  &edge);
		else
			error = make_set(maker, &names[i], list, &edge.self);
		if (!error)
			error = pcl_maker_add_edge(maker, &key, &edge);
		above->filter |= 1ull << pcl_key_filter_bit(&key);
	}
	return error;
}

int pcl_maker_plan_names(struct pcl_maker *maker, struct pcl_trie_edge *root,
			 struct pcl_rule_list *list)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	pcl_autofree struct wire_name *names = calloc(ruleset->rule_count + 1, sizeof(*names));
	size_t count = 0;
	int error;

	if (!names)
		return -ENOMEM;
	for (size_t r = 0; r < ruleset->rule_count; r++)
		if (ruleset->rules[r]->class == maker->class)
			write_name(ruleset->rules[r]->object, &names[count++]);
	qsort(names, count, sizeof(*names), compare_names);
	list->count = 0;
	error = pcl_maker_make_set(maker, list);
	root->self = list->set;
	if (!error)
		error = pcl_maker_unknown_set(maker, &root->deep);
	return error ? error : add_names(maker, names, count, 0, list, root);
}
