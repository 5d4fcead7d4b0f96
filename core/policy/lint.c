/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lint's frame: which domains to look at, and in which order what was said comes out.
 *
 * A policy set does not say which containers there are, but each selector describes one: the
 * container that has just the labels it asks for. Policies of other selectors may hold there too,
 * and are compared. Containers that only a combination of selectors would describe are not looked
 * at.
 */
#include "policy/lint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "policy/linter.h"

/*
 * Rules that are looked at, a rule counting once for each domain: enough for the largest set that a
 * node has, and an end for one that was made to have none.
 */
#define RULE_VISITS_MAX 400000
#define POLICY_VISITS_MAX 4000000

/* --- the domains that a set describes
 * ------------------------------------------------------------- */

/* A domain to look at: the selector of a policy, written in one way. */
struct described {
	char *key; /* kind, namespace, name and labels */
	size_t policy;
};

static int compare_described(const void *a, const void *b)
{
	const struct described *left = a, *right = b;
	int order = strcmp(left->key, right->key);

	if (order)
		return order;
	return left->policy < right->policy ? -1 : left->policy > right->policy;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether a NotIn of the policy, on namespaces or labels, has value. */
static bool is_excluded(const struct pcl_policy *policy, bool on_namespace, const char *value)
{
	for (size_t i = 0; i < policy->expression_count; i++) {
		const struct pcl_expression *expression = &policy->expressions[i];

		if (!expression->negated || expression->on_namespace != on_namespace)
			continue;
		for (size_t v = 0; v < expression->value_count; v++)
			if (!strcmp(expression->values[v], value))
				return true;
	}
	return false;
}

/* The first value of an In that no NotIn takes away again. */
static const char *wanted_value(const struct pcl_policy *policy,
				const struct pcl_expression *expression)
{
	for (size_t v = 0; v < expression->value_count; v++)
		if (!is_excluded(policy, expression->on_namespace, expression->values[v]))
			return expression->values[v];
	return expression->values[0];
}

/* "k=v" of every label that the selector asks for, sorted. */
static int selector_labels(const struct pcl_policy *policy, char ***labels, size_t *count)
{
	for (size_t i = 0; i < policy->selector_count; i++) {
		pcl_autofree char *label = NULL;

		if (!strcmp(policy->selector[i].value, "*"))
			continue;
		if (asprintf(&label, "%s=%s", policy->selector[i].key, policy->selector[i].value) <
		    0) {
			label = NULL;
			return -ENOMEM;
		}
		if (pcl_strings_add(labels, count, label))
			return -ENOMEM;
	}
	for (size_t i = 0; i < policy->expression_count; i++) {
		const struct pcl_expression *expression = &policy->expressions[i];

		if (!expression->on_namespace && !expression->negated &&
		    pcl_strings_add(labels, count, wanted_value(policy, expression)))
			return -ENOMEM;
	}
	if (*count)
		qsort(*labels, *count, sizeof(**labels), compare_texts);
	return 0;
}

/* A namespace that the policy selects. */
static const char *selected_namespace(const struct pcl_policy *policy)
{
	if (policy->ns)
		return policy->ns;
	for (size_t i = 0; i < policy->expression_count; i++)
		if (policy->expressions[i].on_namespace && !policy->expressions[i].negated)
			return wanted_value(policy, &policy->expressions[i]);
	/* One of nearly all. */
	return is_excluded(policy, true, "default") ? "elsewhere" : "default";
}

/* "host", or a name, a namespace and labels, separated by spaces, which none of them has. */
static int describe(const struct pcl_policy *policy, char **ret_key)
{
	pcl_autofree char *joined = NULL;
	char **labels = NULL;
	size_t count = 0, len = 0;
	FILE *stream = NULL;
	int error = selector_labels(policy, &labels, &count);

	if (!error)
		stream = open_memstream(&joined, &len);
	if (stream) {
		if (policy->kind == PCL_KIND_HOST)
			(void)fputs("host - ", stream);
		else
			(void)fprintf(stream, "%s %s ",
				      policy->container_count ? policy->containers[0] : "container",
				      selected_namespace(policy));
		for (size_t i = 0; i < count; i++)
			(void)fprintf(stream, "%s%s", i ? "," : "", labels[i]);
		if (fclose(stream))
			error = -ENOMEM;
	} else {
		error = -ENOMEM;
	}
	pcl_strings_free(&labels, &count);
	if (error)
		return error;
	*ret_key = pcl_take_ptr(joined);
	return 0;
}

/* Any name of a host will do. */
#define HOSTNAME "node"

/* 0, -ENOMEM, or -EINVAL where no container can have such labels. */
static int make_domain(const char *key, struct pcl_domain **ret_domain)
{
	pcl_autofree char *copy = strdup(key);
	char *name, *ns, *labels;

	if (!copy)
		return -ENOMEM;
	labels = copy;
	name = strsep(&labels, " ");
	ns = strsep(&labels, " ");
	if (!ns || !labels)
		return -EINVAL;
	if (!strcmp(ns, "-"))
		return pcl_domain_new_host(HOSTNAME, labels, ret_domain, NULL);
	return pcl_domain_new(name, ns, labels, ret_domain, NULL);
}

/* --- looking -----------------------------------------------------------------------------------
 */

/* Policies by what can select the same domain: host, cluster, then namespace by namespace. */
struct shelves {
	size_t *order; /* indexes of the set's policies */
	size_t count;
	const struct pcl_policy_set *set;
};

static const char *shelf(const struct pcl_policy *policy)
{
	if (policy->kind == PCL_KIND_HOST)
		return "";
	/* Sorts before every namespace. */
	return policy->ns ? policy->ns : "-";
}

static int compare_shelves(const void *a, const void *b, void *context)
{
	const struct pcl_policy_set *set = context;
	size_t left = *(const size_t *)a, right = *(const size_t *)b;
	int order = strcmp(shelf(set->policies[left]), shelf(set->policies[right]));

	if (order)
		return order;
	return left < right ? -1 : left > right;
}

static int shelves_init(struct shelves *shelves, const struct pcl_policy_set *set)
{
	shelves->set = set;
	shelves->count = set->policy_count;
	shelves->order = calloc(set->policy_count + 1, sizeof(*shelves->order));
	if (!shelves->order)
		return -ENOMEM;
	for (size_t i = 0; i < set->policy_count; i++)
		shelves->order[i] = i;
	qsort_r(shelves->order, shelves->count, sizeof(*shelves->order), compare_shelves,
		(void *)set);
	return 0;
}

static void shelves_fini(struct shelves *shelves)
{
	free(shelves->order);
}

/* The first place whose shelf is not before name. */
static size_t shelf_start(const struct shelves *shelves, const char *name)
{
	size_t low = 0, high = shelves->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(shelf(shelves->set->policies[shelves->order[middle]]), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int compare_indexes(const void *a, const void *b)
{
	size_t left = *(const size_t *)a, right = *(const size_t *)b;

	return left < right ? -1 : left > right;
}

static void select_shelf(const struct shelves *shelves, const char *name,
			 const struct pcl_domain *domain, size_t *selected, size_t *count,
			 size_t *visits)
{
	for (size_t i = shelf_start(shelves, name); i < shelves->count; i++) {
		const struct pcl_policy *policy = shelves->set->policies[shelves->order[i]];

		if (strcmp(shelf(policy), name) != 0)
			return;
		++*visits;
		if (pcl_domain_selected(domain, policy))
			selected[(*count)++] = shelves->order[i];
	}
}

/* The policies that select domain, in order of arrival; borrowed policies, an array of its own. */
static int select_policies(const struct shelves *shelves, const struct pcl_domain *domain,
			   struct pcl_policy_set *part, size_t *visits)
{
	pcl_autofree size_t *selected = calloc(shelves->count + 1, sizeof(*selected));
	size_t count = 0;

	if (!selected)
		return -ENOMEM;
	if (domain->host) {
		select_shelf(shelves, "", domain, selected, &count, visits);
	} else {
		select_shelf(shelves, "-", domain, selected, &count, visits);
		select_shelf(shelves, domain->ns, domain, selected, &count, visits);
	}
	qsort(selected, count, sizeof(*selected), compare_indexes);
	part->policies = calloc(count + 1, sizeof(struct pcl_policy *));
	if (!part->policies)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		part->policies[i] = shelves->set->policies[selected[i]];
	part->policy_count = count;
	return 0;
}

static void part_fini(struct pcl_policy_set *part)
{
	free(part->policies);
}

static int warn_limit(struct pcl_linter *linter, const struct pcl_policy *policy, const char *what)
{
	return pcl_linter_warn(linter,
			       &(struct pcl_finding){
				       .kind = PCL_LINT_LIMIT,
				       .policy = policy,
				       .hint = "check parts of the set by themselves",
			       },
			       "%s", what);
}

static int look_at_domain(struct pcl_linter *linter)
{
	int error = pcl_lint_domain(linter);

	for (size_t i = 0; !error && i < linter->part->policy_count; i++) {
		const struct pcl_policy *policy = linter->part->policies[i];

		if (linter->visits > PCL_LINTER_VISITS_MAX)
			return warn_limit(linter, policy,
					  "too many rules are about the same objects; this policy, "
					  "and some more, were not compared");
		for (size_t r = 0; !error && r < policy->rule_count; r++) {
			error = pcl_lint_pairs(linter, policy->rules[r]);
			if (!error)
				error = pcl_lint_differences(linter, policy->rules[r]);
		}
	}
	return error ? error : pcl_lint_domain_differences(linter);
}

static int look_at_part(struct pcl_linter *linter, const struct pcl_domain *domain,
			const struct pcl_policy_set *part)
{
	pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *ruleset = NULL;
	pcl_cleanup(pcl_near_index_free) struct pcl_near_index *near = NULL;
	struct pcl_postures postures = {0};
	int error;

	error = pcl_resolve(part, domain, &postures, &ruleset);
	if (!error)
		error = pcl_near_index_new(part, ruleset, &near);
	if (error)
		return error;
	linter->part = part;
	linter->ruleset = ruleset;
	linter->near = near;
	pcl_kubearmor_find_lists(ruleset, &linter->lists);
	error = look_at_domain(linter);
	linter->part = NULL;
	linter->ruleset = NULL;
	linter->near = NULL;
	return error;
}

struct budget {
	size_t rule_visits;
	size_t policy_visits;
};

/* 1 where the budget does not suffice. */
static int look_at(struct pcl_linter *linter, const struct shelves *shelves, const char *key,
		   struct budget *budget)
{
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	pcl_cleanup(part_fini) struct pcl_policy_set part = {0};
	int error = make_domain(key, &domain);

	if (error)
		return error == -EINVAL ? 0 : error;
	error = select_policies(shelves, domain, &part, &budget->policy_visits);
	if (error)
		return error;
	for (size_t i = 0; i < part.policy_count; i++)
		budget->rule_visits += part.policies[i]->rule_count;
	if (budget->rule_visits > RULE_VISITS_MAX || budget->policy_visits > POLICY_VISITS_MAX)
		return 1;
	return look_at_part(linter, domain, &part);
}

static void described_free(struct described *described, size_t count)
{
	for (size_t i = 0; described && i < count; i++)
		free(described[i].key);
	free(described);
}

static int look_at_described(struct pcl_linter *linter, const struct described *described,
			     size_t count)
{
	pcl_cleanup(shelves_fini) struct shelves shelves = {0};
	struct budget budget = {0};
	int error = shelves_init(&shelves, linter->set);

	for (size_t i = 0; !error && i < count; i++) {
		if (i && !strcmp(described[i].key, described[i - 1].key))
			continue;
		error = look_at(linter, &shelves, described[i].key, &budget);
		if (error == 1)
			return warn_limit(linter, linter->set->policies[described[i].policy],
					  "the set has too many policies for the same containers; "
					  "those that this policy selects, and some more, were not "
					  "compared");
	}
	return error;
}

static int look_at_domains(struct pcl_linter *linter)
{
	const struct pcl_policy_set *set = linter->set;
	struct described *described = calloc(set->policy_count + 1, sizeof(*described));
	int error = described ? 0 : -ENOMEM;

	for (size_t i = 0; !error && i < set->policy_count; i++) {
		described[i].policy = i;
		error = describe(set->policies[i], &described[i].key);
	}
	if (!error) {
		qsort(described, set->policy_count, sizeof(*described), compare_described);
		error = look_at_described(linter, described, set->policy_count);
	}
	described_free(described, set->policy_count);
	return error;
}

static int look_at_rules(struct pcl_linter *linter)
{
	for (size_t i = 0; i < linter->set->policy_count; i++) {
		const struct pcl_policy *policy = linter->set->policies[i];

		for (size_t r = 0; r < policy->rule_count; r++) {
			int error = pcl_lint_rule(linter, policy->rules[r]);

			if (error)
				return error;
		}
	}
	return 0;
}

static int compare_warnings(const void *a, const void *b)
{
	const struct pcl_warning *left = a, *right = b;
	int order = strcmp(left->file, right->file);

	if (order)
		return order;
	if (left->place.line != right->place.line)
		return left->place.line < right->place.line ? -1 : 1;
	if (left->place.column != right->place.column)
		return left->place.column < right->place.column ? -1 : 1;
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	order = strcmp(left->enforcer ? left->enforcer : "",
		       right->enforcer ? right->enforcer : "");
	return order ? order : strcmp(left->what, right->what);
}

int pcl_lint(const struct pcl_policy_set *set, struct pcl_warnings **ret_warnings)
{
	pcl_cleanup(pcl_warnings_free) struct pcl_warnings *warnings = calloc(1, sizeof(*warnings));
	struct pcl_linter linter = {.set = set, .warnings = warnings};
	int error;

	if (!warnings)
		return -ENOMEM;
	error = look_at_rules(&linter);
	if (!error)
		error = look_at_domains(&linter);
	free(linter.said);
	if (error)
		return error;
	if (warnings->count)
		qsort(warnings->items, warnings->count, sizeof(*warnings->items), compare_warnings);
	*ret_warnings = pcl_take_ptr(warnings);
	return 0;
}
