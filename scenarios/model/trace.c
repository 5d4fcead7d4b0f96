/* SPDX-License-Identifier: Apache-2.0 */
/* What came of operations, one line each, for who compares backends. */
#include <string.h>

#include "base/cleanup.h"
#include "common.h"

/* FNV-1a. */
static uint32_t hash_of(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

/* In order, each once. */
static void add(int rules[MODEL_SEEN], size_t *count, int rule)
{
	size_t at = 0;

	while (at < *count && rules[at] < rule)
		at++;
	if ((at < *count && rules[at] == rule) || *count == MODEL_SEEN)
		return;
	memmove(&rules[at + 1], &rules[at], (*count - at) * sizeof(rules[0]));
	rules[at] = rule;
	(*count)++;
}

void model_seen_add(struct model_seen *seen, bool refused, int rule)
{
	if (refused)
		add(seen->refused, &seen->refused_count, rule);
	else
		add(seen->told, &seen->told_count, rule);
}

int model_rule_number(const struct model_rulesets *rulesets, const char *id)
{
	int number = 0;

	if (!*id)
		return 0;
	for (size_t p = 0; p < rulesets->set->policy_count; p++)
		for (size_t r = 0; r < rulesets->set->policies[p]->rule_count; r++) {
			number++;
			if (!strcmp(rulesets->set->policies[p]->rules[r]->id, id))
				return number;
		}
	return -1;
}

void model_trace_set(uint64_t seed, const char *text)
{
	printf("set %llu %08x\n", (unsigned long long)seed, hash_of(text));
}

static void print_rules(const int *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("%s%d", i ? "," : " ", rules[i]);
	if (!count)
		fputs(" -", stdout);
}

void model_trace_operation(unsigned long index, const struct model_operation *operation,
			   const struct model_seen *seen, const char *named)
{
	pcl_autofree char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	model_print_operation(operation, out);
	if (fclose(out))
		return;
	printf("%lu %08x %s", index, hash_of(text), act_words[operation->request.op]);
	if (!seen->refused_count && seen->error == model_error_without(operation))
		fputs(" =", stdout);
	else
		printf(" %d", seen->error);
	print_rules(seen->refused, seen->refused_count);
	print_rules(seen->told, seen->told_count);
	printf(" %s\n", *named ? named : "-");
}

/* --- what a status names -----------------------------------------------------------------------
 */

static const char *refusing(const struct model_expected *expected)
{
	return expected->refused ? expected->rule : "not refused";
}

static bool has(const struct model_expected *expected, const struct model_alert *alert)
{
	for (size_t i = 0; i < expected->alert_count; i++)
		if (!strcmp(expected->alerts[i].rule, alert->rule))
			return true;
	return false;
}

static bool has_all(const struct model_expected *expected, const struct model_expected *of)
{
	for (size_t i = 0; i < of->alert_count; i++)
		if (!of->alerts[i].required || !has(expected, &of->alerts[i]))
			return false;
	return true;
}

void model_named(const struct model_expected *expected, const struct model_expected *plain,
		 char ret_named[4])
{
	if (expected->error != plain->error)
		*ret_named++ = 'e';
	if (strcmp(refusing(expected), refusing(plain)) != 0 || expected->told != plain->told ||
	    expected->also || (expected->refused && expected->unnamed))
		*ret_named++ = 'r';
	if (expected->unnamed || !has_all(expected, plain) || !has_all(plain, expected))
		*ret_named++ = 't';
	*ret_named = '\0';
}
