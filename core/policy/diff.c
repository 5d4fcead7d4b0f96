/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sets, asked the same questions.
 *
 * The questions come from the rules: what each is about, by each of its sources and by none, with
 * its conditions met and not. A change that the same two rules decide is told once.
 */
#include "policy/diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "policy/linter.h"
#include "policy/names.h"
#include "policy/question.h"

/* Of a rule's sources so many are asked for; the rest would be answered alike. */
#define SOURCES_MAX 8

/* Enough to see what changes, and an end to looking for those that are alike. */
#define DOMAIN_CHANGES_MAX 500

struct differ {
	const struct pcl_domain *domain;
	char *domain_text;
	const struct pcl_ruleset *before;
	const struct pcl_ruleset *after;
	struct pcl_changes *changes;
	size_t first; /* change of this domain */
	int error;    /* the first */
};

static void change_fini(struct pcl_change *change)
{
	free(change->domain);
	free(change->operation);
}

void pcl_changes_free(struct pcl_changes **changes)
{
	if (!*changes)
		return;
	for (size_t i = 0; i < (*changes)->count; i++)
		change_fini(&(*changes)->items[i]);
	free((*changes)->items);
	free(*changes);
	*changes = NULL;
}

/* --- one operation ---------------------------------------------------------------------------- */

/* A change of this domain that the same rules decide, in the same direction. */
static struct pcl_change *find_alike(const struct differ *differ, const struct pcl_change *change)
{
	for (size_t i = differ->first; i < differ->changes->count; i++) {
		struct pcl_change *old = &differ->changes->items[i];

		if (old->refused == change->refused && old->before == change->before &&
		    old->after == change->after && (old->before || old->after))
			return old;
	}
	return NULL;
}

static bool is_told(const struct differ *differ, const char *operation)
{
	for (size_t i = differ->first; i < differ->changes->count; i++)
		if (!strcmp(differ->changes->items[i].operation, operation))
			return true;
	return false;
}

static int tell(struct differ *differ, struct pcl_change *change,
		const struct pcl_operation *operation)
{
	struct pcl_changes *changes = differ->changes;

	change->operation = pcl_question_print(operation);
	if (!change->operation)
		return -ENOMEM;
	if (is_told(differ, change->operation))
		return 0;
	change->domain = strdup(differ->domain_text);
	if (!change->domain || pcl_array_grow(&changes->items, changes->count, sizeof(*change)))
		return -ENOMEM;
	changes->items[changes->count++] = *change;
	*change = (struct pcl_change){0};
	return 0;
}

static void ask(struct differ *differ, const struct pcl_operation *operation)
{
	struct pcl_change change pcl_cleanup(change_fini) = {0};
	struct pcl_verdict before, after;
	struct pcl_change *alike;

	if (differ->error)
		return;
	pcl_decide(differ->before, operation, &before);
	pcl_decide(differ->after, operation, &after);
	if (before.refused == after.refused)
		return;
	change.refused = after.refused;
	change.before = before.rule;
	change.after = after.rule;
	alike = find_alike(differ, &change);
	if (alike)
		alike->more++;
	else if (differ->changes->count - differ->first >= DOMAIN_CHANGES_MAX)
		differ->changes->left_out++;
	else
		differ->error = tell(differ, &change, operation);
}

/* --- the operations of a rule ----------------------------------------------------------------- */

/* With the conditions of the rule's flags met, and each of them not. */
static void ask_by_flags(struct differ *differ, const struct pcl_rule *rule,
			 struct pcl_operation operation)
{
	static const char *const other_args[] = {"--portcullis-other-argument"};

	operation.owner = rule->flags & PCL_RULE_OWNER_ONLY;
	if (rule->flags & PCL_RULE_ALLOWED_ARGS) {
		operation.args = (const char *const *)rule->args;
		operation.arg_count = rule->arg_count;
	}
	ask(differ, &operation);
	if (rule->flags & PCL_RULE_OWNER_ONLY) {
		operation.owner = false;
		ask(differ, &operation);
		operation.owner = true;
	}
	if (rule->flags & PCL_RULE_NO_TERMINAL) {
		operation.terminal = true;
		ask(differ, &operation);
		operation.terminal = false;
	}
	if (rule->flags & PCL_RULE_ALLOWED_ARGS) {
		operation.args = other_args;
		operation.arg_count = PCL_ARRAY_SIZE(other_args);
		ask(differ, &operation);
	}
}

static void ask_by_access(struct differ *differ, const struct pcl_rule *rule,
			  const struct pcl_operation *operation)
{
	struct pcl_operation changing = *operation;

	ask_by_flags(differ, rule, *operation);
	if (operation->access != PCL_ACCESS_READ)
		return;
	changing.access = PCL_ACCESS_WRITE;
	ask_by_flags(differ, rule, changing);
}

static void ask_of_rule(struct differ *differ, const struct pcl_rule *rule)
{
	struct pcl_lint_objects objects pcl_cleanup(pcl_lint_objects_fini) = {0};

	if (pcl_lint_objects(rule, &objects)) {
		differ->error = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < objects.count; i++) {
		struct pcl_operation operation = objects.operations[i];

		ask_by_access(differ, rule, &operation);
		for (size_t s = 0; s < rule->source_count && s < SOURCES_MAX; s++) {
			operation.source = rule->sources[s];
			ask_by_access(differ, rule, &operation);
		}
	}
}

/* What no rule need be about, so that the coming and going of an allow-list shows. */
static void ask_of_the_rest(struct differ *differ)
{
	static const struct pcl_operation rest[] = {
		{.access = PCL_ACCESS_EXECUTE, .object = "/usr/bin/not-listed"},
		{.access = PCL_ACCESS_EXECUTE},
		{.access = PCL_ACCESS_READ, .object = "/srv/not-listed"},
		{.access = PCL_ACCESS_WRITE, .object = "/srv/not-listed"},
		{.access = PCL_ACCESS_RESOLVE, .name = "not-listed.example"},
		{.access = PCL_ACCESS_SOCKET, .socket = {AF_INET, SOCK_STREAM, 0}},
		{.access = PCL_ACCESS_SOCKET, .socket = {AF_INET, SOCK_DGRAM, 0}},
		{.access = PCL_ACCESS_SOCKET, .socket = {AF_INET, SOCK_RAW, 255}},
		{.access = PCL_ACCESS_SOCKET, .socket = {AF_UNIX, SOCK_STREAM, 0}},
		{.access = PCL_ACCESS_DEVICE, .device = {255, 0, 0, 1}},
	};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(rest); i++)
		ask(differ, &rest[i]);
	for (unsigned i = 0; pcl_capability_names[i]; i++) {
		struct pcl_operation operation = {.access = PCL_ACCESS_CAPABILITY, .capability = i};

		ask(differ, &operation);
	}
}

/* --- domains ---------------------------------------------------------------------------------- */

static int compare_changes(const void *a, const void *b)
{
	const struct pcl_change *left = a, *right = b;
	int order = strcmp(left->domain, right->domain);

	if (left->refused != right->refused)
		return left->refused ? -1 : 1;
	return order ? order : strcmp(left->operation, right->operation);
}

static char *domain_text(const struct pcl_domain *domain)
{
	pcl_autofree char *text = NULL;
	const char *separator = " ";
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	if (!stream)
		return NULL;
	(void)fprintf(stream, "%s%s%s", domain->ns ? domain->ns : "", domain->ns ? "/" : "",
		      domain->name);
	for (size_t i = 0; i < domain->label_count; i++) {
		const struct pcl_label *label = &domain->labels[i];

		/* Every host, which is what "host" says by itself. */
		if (domain->host && !strcmp(label->value, "*"))
			continue;
		(void)fprintf(stream, "%s%s=%s", separator, label->key, label->value);
		separator = ",";
	}
	return fclose(stream) ? NULL : pcl_take_ptr(text);
}

static int diff_domain(const struct pcl_policy_set *before, const struct pcl_policy_set *after,
		       const struct pcl_domain *domain, const struct pcl_postures *postures,
		       struct pcl_changes *changes)
{
	pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *old = NULL, *new = NULL;
	pcl_autofree char *text = domain_text(domain);
	struct differ differ = {.domain = domain, .changes = changes, .first = changes->count};

	if (!text || pcl_resolve(before, domain, postures, &old) ||
	    pcl_resolve(after, domain, postures, &new))
		return -ENOMEM;
	differ.domain_text = text;
	differ.before = old;
	differ.after = new;
	for (size_t i = 0; i < old->rule_count && !differ.error; i++)
		ask_of_rule(&differ, old->rules[i]);
	for (size_t i = 0; i < new->rule_count && !differ.error; i++)
		ask_of_rule(&differ, new->rules[i]);
	ask_of_the_rest(&differ);
	return differ.error;
}

struct described {
	char *text;
	struct pcl_domain *domain;
};

static int compare_described(const void *a, const void *b)
{
	return strcmp(((const struct described *)a)->text, ((const struct described *)b)->text);
}

static int describe_all(const struct pcl_policy_set *set, struct described *described,
			size_t *count)
{
	for (size_t i = 0; i < set->policy_count; i++) {
		struct described *next = &described[*count];
		int error = pcl_domain_describe(set->policies[i], &next->domain);

		if (error)
			return error;
		(*count)++;
		next->text = domain_text(next->domain);
		if (!next->text)
			return -ENOMEM;
	}
	return 0;
}

static int diff_all(const struct pcl_policy_set *before, const struct pcl_policy_set *after,
		    const struct pcl_postures *postures, struct pcl_changes *changes)
{
	size_t room = before->policy_count + after->policy_count, count = 0;
	struct described *described = calloc(room + 1, sizeof(*described));
	int error;

	if (!described)
		return -ENOMEM;
	error = describe_all(before, described, &count);
	if (!error)
		error = describe_all(after, described, &count);
	if (!error)
		qsort(described, count, sizeof(*described), compare_described);
	for (size_t i = 0; i < count && !error; i++)
		if (!i || strcmp(described[i - 1].text, described[i].text) != 0)
			error = diff_domain(before, after, described[i].domain, postures, changes);
	for (size_t i = 0; i < count; i++) {
		free(described[i].text);
		pcl_domain_free(&described[i].domain);
	}
	free(described);
	return error;
}

int pcl_diff(const struct pcl_policy_set *before, const struct pcl_policy_set *after,
	     const struct pcl_domain *domain, const struct pcl_postures *postures,
	     struct pcl_changes **ret_changes)
{
	pcl_cleanup(pcl_changes_free) struct pcl_changes *changes = calloc(1, sizeof(*changes));
	int error;

	if (!changes)
		return -ENOMEM;
	error = domain ? diff_domain(before, after, domain, postures, changes)
		       : diff_all(before, after, postures, changes);
	if (error)
		return error;
	if (changes->count)
		qsort(changes->items, changes->count, sizeof(*changes->items), compare_changes);
	*ret_changes = pcl_take_ptr(changes);
	return 0;
}
