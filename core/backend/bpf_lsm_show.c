/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at a plan of the BPF-LSM backend: as text, and by asking it as the kernel would.
 */
#include "backend/bpf_lsm_plan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_syscalls.h"
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

/* bpf/args.h arg_step(), for one argument: edges of lists have no filter. */
static bool follow_arg(const struct pcl_bpf_plan *plan, struct pcl_trie_edge at, const char *arg)
{
	size_t left = strlen(arg);

	for (;;) {
		uint32_t used = left > PCL_CHUNK_LEN ? PCL_CHUNK_LEN : (uint32_t)left;
		struct pcl_trie_key key = {.node = at.node};
		const struct pcl_trie_edge *next;

		key.len = used | (left > used ? PCL_CHUNK_MORE : 0);
		memcpy(key.name, arg, used);
		next = find_edge(plan, &key);
		if (!next || left == used)
			return next;
		at = *next;
		arg += used;
		left -= used;
	}
}

/* bpf/match.h descend(). ret_below_rule may be NULL. */
static uint32_t descend(const struct pcl_bpf_plan *plan, const struct pcl_trie_edge *at,
			const char *path, uint32_t *ret_below_rule)
{
	uint32_t unused = 0, *below_rule = ret_below_rule ? ret_below_rule : &unused;

	*below_rule = 0;
	while (*(path += strspn(path, "/"))) {
		size_t len = strcspn(path, "/");
		const struct pcl_trie_edge *next = follow(plan, at, path, len);

		path += len;
		if (!next)
			return path[strspn(path, "/")] ? at->deep : at->child;
		at = next;
	}
	*below_rule = at->below_rule;
	return at->self;
}

/* bpf/judge.h set_for_source(). */
static uint32_t set_for_source(const struct pcl_bpf_plan *plan, uint32_t set, const char *source)
{
	struct pcl_trie_key root = {.node = PCL_NODE_SOURCES};
	struct pcl_trie_key key = {.node = PCL_NODE_SET | (set & PCL_SET_NUMBER)};
	const struct pcl_trie_edge *sources = find_edge(plan, &root), *variant;

	if (!(set & PCL_SET_SOURCES))
		return set;
	set &= ~PCL_SET_SOURCES;
	if (!sources || !source)
		return set;
	key.len = descend(plan, sources, source, NULL);
	variant = key.len ? find_edge(plan, &key) : NULL;
	return variant ? variant->self : set;
}

/* bpf/args.h holds_args(). */
static bool holds_args(const struct pcl_bpf_plan *plan, uint32_t list,
		       const struct pcl_operation *operation)
{
	const struct pcl_trie_edge root = {.node = list};

	for (size_t i = 0; i < operation->arg_count; i++)
		if (!follow_arg(plan, root, operation->args[i]))
			return false;
	return operation->args && operation->arg_count;
}

/* bpf/args.h first_for_args(). */
static uint32_t first_for_args(const struct pcl_bpf_plan *plan, uint32_t set,
			       const struct pcl_operation *operation)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < PCL_ARG_LISTS; i++)
		if (plan->sets[set].access[i].rule &&
		    holds_args(plan, plan->sets[set].access[i].rule, operation))
			mask |= 1u << i;
	return set + 1 + mask * PCL_CONDITIONS;
}

/* bpf/judge.h outcome_of(). */
static struct pcl_bpf_outcome outcome_of(const struct pcl_bpf_plan *plan, uint32_t set,
					 const struct pcl_operation *operation)
{
	set = set_for_source(plan, set, operation->source);
	if (set & PCL_SET_ARGS)
		set = first_for_args(plan, set & PCL_SET_NUMBER, operation) | PCL_SET_CONDITIONS;
	if (set & PCL_SET_CONDITIONS)
		set = (set & PCL_SET_NUMBER) + (operation->owner ? PCL_CONDITION_OWNER : 0) +
		      (operation->terminal ? PCL_CONDITION_TERMINAL : 0);
	return plan->sets[set].access[pcl_bpf_slot(operation->access)];
}

/* NULL where the domain has no rules of the class. */
static const struct pcl_bpf_domain *policed(const struct pcl_bpf_plan *plan, uint32_t domain,
					    enum pcl_class class)
{
	for (size_t i = 0; i < plan->domain_count; i++)
		if (plan->domains[i].id == domain)
			return plan->domains[i].entry.active & 1u << class ? &plan->domains[i].entry
									   : NULL;
	return NULL;
}

static void join(struct pcl_bpf_outcome *outcome, struct pcl_bpf_outcome other)
{
	pcl_join_outcomes(outcome, &other);
}

/* bpf/pattern.h feed(). */
static uint32_t feed(const struct pcl_bpf_plan *plan, const struct pcl_pattern_group *group,
		     uint32_t at, char byte)
{
	const uint8_t *classes = (const uint8_t *)plan->blocks[group->classes].words;
	uint32_t word = PCL_PATTERN_NEXT + classes[(unsigned char)byte];

	if (!at)
		return 0;
	return plan->blocks[at + word / PCL_PATTERN_WORDS].words[word % PCL_PATTERN_WORDS];
}

/* Where the automaton stands at the end of path, or of what lies below it. */
static uint32_t run(const struct pcl_bpf_plan *plan, const struct pcl_pattern_group *group,
		    const char *path, bool below)
{
	uint32_t at = group->start;

	for (path++; *path; path++)
		at = feed(plan, group, at, *path);
	return below ? feed(plan, group, at, '/') : at;
}

/* What is said at the end: an alert names the rule, or none where the posture refuses. */
static struct pcl_bpf_outcome conclude(struct pcl_bpf_outcome outcome)
{
	outcome.rule = pcl_outcome_named(&outcome);
	return outcome;
}

/* bpf/number.h set_of_number(). */
static uint32_t set_of_number(const struct pcl_bpf_plan *plan, const struct pcl_trie_edge *root,
			      uint32_t number)
{
	const struct pcl_trie_key key = {.node = root->node, .len = number};
	const struct pcl_trie_edge *edge = NULL;

	if (root->filter & 1ull << pcl_key_filter_bit(&key))
		edge = find_edge(plan, &key);
	return edge ? edge->self : root->self;
}

static uint32_t number_of(const struct pcl_bpf_plan *plan, const struct pcl_operation *operation)
{
	uint32_t numbers[PCL_SYSCALL_NUMBERS_MAX] = {0};

	if (operation->access == PCL_ACCESS_SOCKET)
		return pcl_socket_kind_of(&plan->kinds.tables, &operation->socket);
	if (operation->access != PCL_ACCESS_SYSCALL)
		return operation->capability;
	(void)pcl_bpf_syscall_numbers(operation->name, numbers);
	return numbers[0];
}

/* bpf/preset.h set_of_preset(): whose file it is the model tells by the path. */
static uint32_t set_of_preset(const struct pcl_bpf_domain *entry,
			      const struct pcl_operation *operation)
{
	struct pcl_rule rule = {.class = pcl_access_class(operation->access),
				.match = PCL_MATCH_PRESET,
				.number = PCL_PRESET_PROTECT_ENV};

	if (!(entry->parts[rule.class] & PCL_PART_PRESETS))
		return PCL_SET_PERMIT;
	if (rule.class == PCL_CLASS_PROCESS)
		return operation->entered ? entry->entered : PCL_SET_PERMIT;
	if (pcl_rule_matches(&rule, operation))
		return entry->environ;
	rule.number = PCL_PRESET_PROTECT_PROC;
	return pcl_rule_matches(&rule, operation) ? entry->processes : PCL_SET_PERMIT;
}

/* What the class's trie and parts say of the path. */
static struct pcl_bpf_outcome ask_path(const struct pcl_bpf_plan *plan,
				       const struct pcl_bpf_domain *entry,
				       const struct pcl_operation *operation)
{
	enum pcl_class class = pcl_access_class(operation->access);
	const char *name = strrchr(operation->object, '/');
	struct pcl_bpf_outcome outcome =
		outcome_of(plan, descend(plan, &entry->root[class], operation->object, NULL),
			   operation);

	if (entry->parts[class] & PCL_PART_NAMES)
		join(&outcome,
		     outcome_of(plan, descend(plan, &entry->names[class], name, NULL), operation));
	for (size_t i = 0; i < PCL_PATTERN_GROUPS && entry->parts[class] & PCL_PART_PATTERNS; i++) {
		uint32_t at = run(plan, &entry->patterns[class][i], operation->object, false);

		if (at)
			join(&outcome,
			     outcome_of(plan, plan->blocks[at].words[PCL_PATTERN_SET], operation));
	}
	return outcome;
}

static struct pcl_bpf_outcome ask_number(const struct pcl_bpf_plan *plan,
					 const struct pcl_bpf_domain *entry, int class,
					 const struct pcl_operation *operation)
{
	const struct pcl_trie_edge *root = &entry->numbers[class - (int)PCL_BPF_CLASS_COUNT];

	return outcome_of(plan, set_of_number(plan, root, number_of(plan, operation)), operation);
}

/* bpf/dns.h judge_message(). A name that no query can have is like one that cannot be read. */
static uint32_t set_of_query(const struct pcl_bpf_plan *plan, const struct pcl_trie_edge *root,
			     const struct pcl_operation *operation)
{
	char wire[PCL_DOMAIN_LEN_MAX + 1];
	size_t len = 0;

	if (operation->object_unknown || !operation->name)
		return root->deep;
	for (const char *at = operation->name; *at; at += at[0] == '.') {
		size_t label = strcspn(at, ".");

		if (!label || len + 1 + label > sizeof(wire))
			return root->deep;
		wire[len++] = (char)label;
		while (label--)
			wire[len++] = (char)tolower((unsigned char)*at++);
	}
	for (size_t from = 0; from < len; from += 1 + (size_t)wire[from]) {
		const struct pcl_trie_edge *edge = follow(plan, root, wire + from, len - from);

		if (edge)
			return edge->self;
	}
	return root->self;
}

struct pcl_bpf_outcome pcl_bpf_plan_ask(const struct pcl_bpf_plan *plan, uint32_t domain,
					const struct pcl_operation *operation)
{
	enum pcl_class class = pcl_access_class(operation->access);
	const struct pcl_bpf_domain *entry = policed(plan, domain, class);
	struct pcl_bpf_outcome outcome = {0};

	if (!entry)
		return outcome;
	if (operation->access == PCL_ACCESS_MAP)
		return conclude(ask_number(plan, entry, PCL_BPF_MAPPING, operation));
	if (class == PCL_CLASS_DNS)
		return conclude(
			outcome_of(plan,
				   set_of_query(plan,
						&entry->numbers[PCL_BPF_DNS - PCL_BPF_CLASS_COUNT],
						operation),
				   operation));
	if ((int)class >= (int)PCL_BPF_CLASS_COUNT)
		return conclude(ask_number(plan, entry, (int)class, operation));
	if (operation->object_unknown)
		outcome = outcome_of(plan, entry->unknown[class], operation);
	else if (!operation->object)
		outcome = outcome_of(plan, entry->nameless[class], operation);
	else
		outcome = ask_path(plan, entry, operation);
	join(&outcome, outcome_of(plan, set_of_preset(entry, operation), operation));
	return conclude(outcome);
}

uint32_t pcl_bpf_plan_below(const struct pcl_bpf_plan *plan, uint32_t domain, enum pcl_class class,
			    const char *path)
{
	const struct pcl_bpf_domain *entry = policed(plan, domain, class);
	uint32_t below_rule = 0;

	if (entry)
		(void)descend(plan, &entry->root[class], path, &below_rule);
	return below_rule;
}

/* bpf/pattern.h pattern_below(). */
uint32_t pcl_bpf_plan_moved(const struct pcl_bpf_plan *plan, uint32_t domain, enum pcl_class class,
			    const char *path, const char *to)
{
	const struct pcl_bpf_domain *entry = policed(plan, domain, class);
	uint32_t rule = 0;

	for (size_t i = 0; entry && i < PCL_PATTERN_GROUPS; i++) {
		const struct pcl_pattern_group *group = &entry->patterns[class][i];
		uint32_t from = run(plan, group, path, true);

		if (from && from != run(plan, group, to, true))
			rule = pcl_first_rule(rule, plan->blocks[from].words[PCL_PATTERN_BELOW]);
	}
	return rule;
}

static const char *rule_id(const struct pcl_backend_input *input, uint32_t number)
{
	return number ? input->rules[number - 1]->id : PCL_DEFAULT_POSTURE_NAME;
}

static void print_outcome(const struct pcl_bpf_outcome *outcome,
			  const struct pcl_backend_input *input, FILE *out)
{
	const char *deed = outcome->flags & PCL_OUTCOME_REFUSE ? "refuse" : "alert";

	if (outcome->flags & PCL_OUTCOME_ALLOWED)
		fputs(outcome->flags & PCL_OUTCOME_ALERT ? "allow+" : "allow", out);
	if (outcome->flags & PCL_OUTCOME_ALERT)
		fprintf(out, "%s(%s)", deed, rule_id(input, pcl_outcome_named(outcome)));
	/* Named only where another part allows the access. */
	if (outcome->rule && !pcl_outcome_named(outcome))
		fprintf(out, "+audit(%s)", rule_id(input, outcome->rule));
}

static void print_set(const struct pcl_bpf_set *set, const struct pcl_backend_input *input,
		      FILE *out)
{
	static const char *const names[PCL_BPF_ACCESS_SLOTS] = {"execute", "read", "write"};
	bool any = false;

	for (size_t i = 0; i < PCL_BPF_ACCESS_SLOTS; i++) {
		const struct pcl_bpf_outcome *outcome = &set->access[i];

		/* The lists of a set that asks for arguments. */
		if (!outcome->flags && outcome->rule)
			fprintf(out, " list=node %u", outcome->rule);
		any |= outcome->flags || outcome->rule;
		if (!outcome->flags)
			continue;
		fprintf(out, " %s=", names[i]);
		print_outcome(outcome, input, out);
	}
	fputs(any ? "\n" : " permit\n", out);
}

/* The filter follows from the edges below and the hash, so it is left out. */
static void print_edge(const struct pcl_trie_edge *edge, const struct pcl_backend_input *input,
		       FILE *out)
{
	fprintf(out, " -> node %u self %#x child %#x deep %#x", edge->node, edge->self, edge->child,
		edge->deep);
	if (edge->below_rule)
		fprintf(out, " below %s", rule_id(input, edge->below_rule));
	fputc('\n', out);
}

/* Whatever bytes the name has, it is one word of one line. */
static void print_name(const struct pcl_trie_key *key, FILE *out)
{
	const unsigned char *name = (const unsigned char *)key->name;

	fputc('"', out);
	for (uint32_t i = 0; i < (key->len & ~PCL_CHUNK_MORE); i++)
		fprintf(out, name[i] <= ' ' || name[i] == '"' || name[i] == 0x7f ? "\\x%02x" : "%c",
			name[i]);
	fputs(key->len & PCL_CHUNK_MORE ? "\"..." : "\"", out);
}

static void print_key(const struct pcl_bpf_plan_edge *edge, const struct pcl_backend_input *input,
		      FILE *out)
{
	const struct pcl_trie_key *key = &edge->key;

	if (key->node & PCL_NODE_SET) {
		fprintf(out, "set %#x source %u: set %#x\n", key->node & ~PCL_NODE_SET, key->len,
			edge->edge.self);
		return;
	}
	fprintf(out, "node %u ", key->node);
	if (key->len && !key->name[0])
		fprintf(out, "number %u", key->len);
	else
		print_name(key, out);
	print_edge(&edge->edge, input, out);
}

static void print_numbers(const struct pcl_bpf_plan_domain *domain,
			  const struct pcl_backend_input *input, FILE *out)
{
	for (int class = PCL_BPF_CLASS_COUNT; class < (int)PCL_BPF_CLASSES_END; class ++) {
		if (!(domain->entry.active & 1u << class))
			continue;
		fprintf(out, "domain %u %s:", domain->id,
			class == (int)PCL_BPF_MAPPING ? "mapping"
						      : pcl_class_name((enum pcl_class) class));
		print_edge(&domain->entry.numbers[class - (int)PCL_BPF_CLASS_COUNT], input, out);
	}
}

static void print_presets(const struct pcl_bpf_plan_domain *domain, enum pcl_class class, FILE *out)
{
	const struct pcl_bpf_domain *entry = &domain->entry;

	if (!(entry->parts[class] & PCL_PART_PRESETS))
		return;
	fprintf(out, "domain %u %s: ", domain->id, pcl_class_name(class));
	if (class == PCL_CLASS_PROCESS)
		fprintf(out, "entered %#x\n", entry->entered);
	else
		fprintf(out, "environ %#x other processes %#x\n", entry->environ, entry->processes);
}

void pcl_bpf_plan_print(const struct pcl_bpf_plan *plan, const struct pcl_backend_input *input,
			FILE *out)
{
	for (size_t i = 0; i < plan->domain_count; i++) {
		const struct pcl_bpf_domain *entry = &plan->domains[i].entry;

		print_numbers(&plan->domains[i], input, out);
		for (enum pcl_class class = 0; (int)class < (int)PCL_BPF_CLASS_COUNT; class ++) {
			if (!(entry->active & 1u << class))
				continue;
			fprintf(out, "domain %u %s: nameless %#x unknown %#x, /",
				plan->domains[i].id, pcl_class_name(class), entry->nameless[class],
				entry->unknown[class]);
			print_edge(&entry->root[class], input, out);
			print_presets(&plan->domains[i], class, out);
			if (!(entry->parts[class] & PCL_PART_NAMES))
				continue;
			fprintf(out, "domain %u %s: by base name", plan->domains[i].id,
				pcl_class_name(class));
			print_edge(&entry->names[class], input, out);
		}
	}
	for (size_t i = 0; i < plan->edge_count; i++)
		print_key(&plan->edges[i], input, out);
	for (size_t i = 1; i < plan->set_count; i++) {
		fprintf(out, "set %#zx:", i);
		print_set(&plan->sets[i], input, out);
	}
}
