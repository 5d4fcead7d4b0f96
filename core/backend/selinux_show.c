/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan for people: a thing a line, and behind it the rules for whose sake it is there.
 */
#include <string.h>

#include "backend/selinux_maker.h"
#include "base/cleanup.h"

static void print_rules(const struct pcl_selinux_reason *reason, FILE *out)
{
	for (size_t i = 0; i < reason->rule_count; i++) {
		const struct pcl_rule *rule = reason->rules[i];

		(void)fprintf(out, "%s %s %s:%u", i ? "," : " #", rule->id, rule->policy->file,
			      rule->place.line);
	}
	(void)fputc('\n', out);
}

static void print_names(const char *word, char *const *names, size_t count, FILE *out)
{
	(void)fprintf(out, "%s{", word);
	for (size_t i = 0; i < count; i++)
		(void)fprintf(out, " %s", names[i]);
	(void)fputs(" }", out);
}

/* Of sockets and capabilities; of files the types' lines say it. */
static void print_refuse(const struct pcl_selinux_plan *plan, size_t index, FILE *out)
{
	const struct pcl_selinux_refuse *refuse = &plan->changes.refuses[index];

	(void)fprintf(out, "refuse %s", refuse->class_name);
	print_names(" ", refuse->permissions, refuse->permissions_count, out);
	if (refuse->targets_count)
		print_names(" of ", refuse->targets, refuse->targets_count, out);
	if (refuse->sources_count)
		print_names(refuse->others ? " to all but " : " to ", refuse->sources,
			    refuse->sources_count, out);
	print_rules(&plan->of_refuses[index], out);
}

/* What would break a line, or could be taken for one's parts, as the view has it. */
static void print_path(const char *path, FILE *out)
{
	for (; *path; path++) {
		unsigned char byte = (unsigned char)*path;

		if (byte <= ' ' || byte == '\\' || byte == 0x7f)
			(void)fprintf(out, "\\%03o", byte);
		else
			(void)fputc(byte, out);
	}
}

static void print_changes(const struct pcl_selinux_changes *changes, FILE *out)
{
	for (size_t i = 0; i < changes->enters_count; i++) {
		const struct pcl_selinux_enter *enter = &changes->enters[i];

		(void)fprintf(out, "transition %s %s:%s %s\n", enter->source, enter->target,
			      enter->class_name, enter->result);
	}
	for (size_t i = 0; i < changes->leaves_count; i++) {
		(void)fprintf(out, "leave %s by", changes->leaves[i].source);
		print_names(" ", changes->runs, changes->runs_count, out);
		(void)fprintf(out, " for %s\n", changes->leaves[i].result);
	}
	for (size_t i = 0; i < changes->audits_count; i++) {
		const struct pcl_selinux_audit *audit = &changes->audits[i];

		(void)fprintf(out, "tell %s %s:%s", audit->source, audit->target,
			      audit->class_name);
		print_names(" ", audit->permissions, audit->permissions_count, out);
		(void)fputc('\n', out);
	}
}

void pcl_selinux_plan_print(const struct pcl_selinux_plan *plan, FILE *out)
{
	for (size_t i = 0; i < plan->source_count; i++) {
		(void)fprintf(out, "program %s ", plan->sources[i].name);
		print_path(plan->sources[i].path, out);
		(void)fputc('\n', out);
	}
	for (size_t i = 0; i < plan->changes.clones_count; i++) {
		(void)fprintf(out, "type %s as %s", plan->changes.clones[i].name,
			      plan->changes.clones[i].base);
		print_rules(&plan->of_clones[i], out);
	}
	for (size_t i = 0; i < plan->changes.refuses_count; i++)
		print_refuse(plan, i, out);
	print_changes(&plan->changes, out);
	for (size_t i = 0; i < plan->relabel_count; i++) {
		(void)fputs("label ", out);
		print_path(plan->relabels[i].path, out);
		(void)fprintf(out, " %s -> %s", plan->relabels[i].before, plan->relabels[i].after);
		print_rules(&plan->relabels[i].reason, out);
	}
	for (size_t i = 0; i < plan->missed_count; i++) {
		(void)fputs("unlabelled ", out);
		print_path(plan->missed[i].path, out);
		print_rules(&plan->missed[i].reason, out);
	}
}

/* --- without a view --------------------------------------------------------------------------
 */

static void print_effects(const struct pcl_rule *rule, FILE *out)
{
	static const struct {
		enum pcl_access access;
		const char *name;
	} accesses[] = {
		{PCL_ACCESS_READ, "read"},
		{PCL_ACCESS_WRITE, "write"},
		{PCL_ACCESS_EXECUTE, "execute"},
	};
	static const char *const verbs[PCL_EFFECT_COUNT] = {
		[PCL_EFFECT_ALLOW] = "allow",
		[PCL_EFFECT_BLOCK] = "refuse",
		[PCL_EFFECT_AUDIT] = "tell",
	};

	for (enum pcl_effect e = PCL_EFFECT_ALLOW; (int)e < PCL_EFFECT_COUNT; e++) {
		bool any = false;

		for (size_t i = 0; i < PCL_ARRAY_SIZE(accesses); i++) {
			if (rule->class != pcl_access_class(accesses[i].access) ||
			    pcl_rule_effect(rule, accesses[i].access, false) != e)
				continue;
			if (!any)
				(void)fprintf(out, " %s", verbs[e]);
			(void)fprintf(out, " %s", accesses[i].name);
			any = true;
		}
	}
}

void pcl_selinux_rules_print(const struct pcl_ruleset *ruleset, FILE *out)
{
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		const struct pcl_rule *rule = ruleset->rules[i];

		if (rule->class != PCL_CLASS_PROCESS && rule->class != PCL_CLASS_FILE)
			continue;
		(void)fprintf(out, "files %s ", pcl_match_name(rule->match));
		print_path(rule->object, out);
		print_effects(rule, out);
		print_rules(&(struct pcl_selinux_reason){&rule, 1}, out);
	}
}
