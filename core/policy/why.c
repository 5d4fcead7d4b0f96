/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reasons follow decide.c and resolve.c; they are looked up here, not decided.
 */
#include "policy/why.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
	unsigned flag;
	const char *name;
} flag_names[] = {
	{PCL_RULE_READ_ONLY, "readOnly"},
	{PCL_RULE_OWNER_ONLY, "ownerOnly"},
	{PCL_RULE_NO_TERMINAL, "pts: false"},
	{PCL_RULE_ALLOWED_ARGS, "allowedArgs"},
};

enum pcl_effect pcl_rule_applies(const struct pcl_rule *rule, const struct pcl_operation *operation)
{
	if (!pcl_rule_matches(rule, operation) || !pcl_rule_matches_source(rule, operation->source))
		return PCL_EFFECT_NONE;
	return pcl_rule_effect_on(rule, operation);
}

/* Why of two rules that do the same the first is named. */
static const char *why_named(const struct pcl_rule *named, const struct pcl_rule *rule)
{
	if (pcl_rule_compare_specificity(named, rule))
		return "the one named is more specific";
	if (named->severity != rule->severity)
		return "the one named is more severe";
	if (strcmp(named->policy->name, rule->policy->name) != 0)
		return "the policy of the one named comes first by name";
	return "the one named comes first by its id";
}

static int describe(const struct pcl_rule *rule, enum pcl_effect effect,
		    const struct pcl_verdict *verdict, char **ret_text)
{
	const char *named = "";

	if (rule == verdict->rule)
		return asprintf(ret_text, "decides");
	switch (effect) {
	case PCL_EFFECT_NONE:
		break;
	case PCL_EFFECT_BLOCK:
		return asprintf(ret_text, "refuses too; %s", why_named(verdict->rule, rule));
	case PCL_EFFECT_ALLOW:
		if (verdict->refused)
			return asprintf(ret_text, "loses, for a Block beats every Allow");
		return asprintf(ret_text, "permits too; %s", why_named(verdict->rule, rule));
	case PCL_EFFECT_AUDIT:
		if (verdict->refused)
			return asprintf(ret_text, "audits only what is permitted");
		if (rule == verdict->audit_rule)
			return asprintf(ret_text, "sends the alert and changes nothing");
		named = why_named(verdict->audit_rule, rule);
		return asprintf(ret_text, "audits too; %s", named);
	}
	return asprintf(ret_text, "says nothing of it");
}

/* "readOnly and ownerOnly make it an Allow here: " */
static void print_flags(FILE *stream, const struct pcl_rule *rule, enum pcl_effect effect)
{
	const char *separator = "";
	size_t count = 0;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(flag_names); i++) {
		if (!(rule->flags & flag_names[i].flag))
			continue;
		(void)fprintf(stream, "%s%s", separator, flag_names[i].name);
		separator = " and ";
		count++;
	}
	(void)fprintf(stream, " %s it %s here: ", count == 1 ? "makes" : "make",
		      effect == PCL_EFFECT_ALLOW   ? "an Allow"
		      : effect == PCL_EFFECT_BLOCK ? "a Block"
		      : effect == PCL_EFFECT_AUDIT ? "an Audit"
						   : "nothing");
}

char *pcl_why(const struct pcl_rule *rule, const struct pcl_operation *operation,
	      const struct pcl_verdict *verdict)
{
	enum pcl_effect effect = pcl_rule_applies(rule, operation);
	pcl_autofree char *text = NULL, *reason = NULL;
	size_t len = 0;
	FILE *stream;

	if (!pcl_rule_matches_source(rule, operation->source))
		return strdup("does not apply, for the source is not in its fromSource");
	if (describe(rule, effect, verdict, &reason) < 0) {
		reason = NULL;
		return NULL;
	}
	stream = open_memstream(&text, &len);
	if (!stream)
		return NULL;
	if (rule->flags && rule->class != PCL_CLASS_SYSCALL)
		print_flags(stream, rule, effect);
	(void)fputs(reason, stream);
	return fclose(stream) ? NULL : pcl_take_ptr(text);
}
