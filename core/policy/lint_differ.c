/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where KubeArmor's enforcers would decide otherwise: operations made up from each rule are put to
 * the decision and to each enforcer, and the first difference of each is told.
 *
 * A rule alone with its objects, of which no enforcer ignores anything, needs no question: all give
 * it the same meaning. That is what keeps large sets cheap.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "policy/linter.h"
#include "policy/question.h"

/* Other sources that are tried with a rule's objects. */
#define SOURCES_MAX 6

/* What an operation can vary in besides its object. */
struct variants {
	enum pcl_access accesses[2];
	size_t access_count;
	const char *sources[SOURCES_MAX];
	size_t source_count;
	unsigned flags; /* of any rule: what else is worth varying */
	const char *args[2];
};

static bool has_source(const struct variants *variants, const char *source)
{
	for (size_t i = 0; i < variants->source_count; i++)
		if (!strcmp(variants->sources[i], source))
			return true;
	return false;
}

static void add_source(struct variants *variants, const char *source)
{
	if (variants->source_count < SOURCES_MAX && !has_source(variants, source))
		variants->sources[variants->source_count++] = source;
}

/* The sources that the rules about an object name, and one that none of them does. */
static void find_variants(const struct pcl_rule *rule, const struct pcl_near *near,
			  struct variants *variants)
{
	static const char *const strangers[] = {"/usr/bin/bash", "/usr/bin/python3",
						"/usr/bin/perl", "/usr/bin/env"};

	variants->access_count = 1;
	variants->accesses[0] = PCL_ACCESS_EXECUTE;
	if (rule->class == PCL_CLASS_FILE) {
		variants->access_count = 2;
		variants->accesses[0] = PCL_ACCESS_READ;
		variants->accesses[1] = PCL_ACCESS_WRITE;
	}
	for (size_t i = 0; i < near->count; i++)
		variants->flags |= near->rules[i]->flags;
	if (rule->source_count)
		add_source(variants, rule->sources[0]);
	for (size_t i = 0; i < near->count && variants->source_count + 1 < SOURCES_MAX; i++)
		if (near->rules[i]->source_count)
			add_source(variants, near->rules[i]->sources[0]);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(strangers); i++) {
		bool named = false;

		for (size_t r = 0; r < near->count; r++)
			named |= near->rules[r]->source_count &&
				 pcl_rule_matches_source(near->rules[r], strangers[i]);
		if (!named) {
			add_source(variants, strangers[i]);
			return;
		}
	}
}

static bool is_path_access(enum pcl_access access)
{
	return access == PCL_ACCESS_EXECUTE || access == PCL_ACCESS_READ ||
	       access == PCL_ACCESS_WRITE;
}

static void set_posture(struct pcl_linter *linter, enum pcl_posture posture)
{
	linter->ruleset->postures = (struct pcl_postures){posture, posture, posture, posture};
}

/* One operation, put to all. */
struct question {
	const struct pcl_operation *operation;
	const struct pcl_near *near;
	const struct pcl_rule
		*rule; /* the difference is told at this rule where no other decides */
	bool told[PCL_KUBEARMOR_COUNT];
};

static bool is_deep(const struct pcl_operation *operation)
{
	size_t slashes = 0;

	for (const char *at = operation->object; at && *at; at++)
		slashes += *at == '/';
	return slashes > PCL_KUBEARMOR_COMPONENTS_MAX;
}

/* Why theirs differs: what the enforcer ignores, or which rule it takes instead. */
static const char *reason(const struct pcl_linter *linter, enum pcl_kubearmor enforcer,
			  const struct pcl_operation *operation, const struct pcl_rule *subject,
			  const struct pcl_verdict *ours,
			  const struct pcl_kubearmor_verdict *theirs, char *buffer, size_t size)
{
	bool host = linter->ruleset->domain->host;
	const char *gap = NULL;

	if (ours->rule)
		gap = pcl_kubearmor_gap(enforcer, ours->rule, host);
	if (!gap && theirs->rule)
		gap = pcl_kubearmor_gap(enforcer, theirs->rule, host);
	if (!gap && subject)
		gap = pcl_kubearmor_gap(enforcer, subject, host);
	if (gap)
		return gap;
	if (enforcer == PCL_KUBEARMOR_BPF && is_deep(operation))
		return "sees the last 20 components of a path only";
	if (theirs->rule && theirs->rule->match == PCL_MATCH_PROTOCOL &&
	    !pcl_rule_matches(theirs->rule, operation))
		return "does not look at a socket's address family";
	if (theirs->rule && theirs->rule != ours->rule) {
		(void)snprintf(buffer, size, "lets the %s of \"%s\" at %s:%u decide",
			       pcl_action_name(theirs->rule->action), theirs->rule->object,
			       theirs->rule->policy->file, theirs->rule->place.line);
		return buffer;
	}
	if (theirs->refused)
		return "grants no files at all once processes are listed, and the reverse";
	return enforcer == PCL_KUBEARMOR_SELINUX
		       ? "gives a file one label, for one rule or one source, and directories none"
		       : "finds none of the rules for it";
}

static int tell(struct pcl_linter *linter, const struct question *question,
		enum pcl_kubearmor enforcer, const struct pcl_verdict *ours,
		const struct pcl_kubearmor_verdict *theirs)
{
	bool block = linter->ruleset->postures.file == PCL_POSTURE_BLOCK;
	const struct pcl_rule *subject = ours->rule ? ours->rule : theirs->rule;
	pcl_autofree char *example = pcl_question_print(question->operation);
	char buffer[PCL_LINT_OBJECT_SIZE + 512];
	struct pcl_finding finding = {
		.kind = PCL_LINT_KUBEARMOR,
		.enforcer = pcl_kubearmor_name(enforcer),
		.example = example,
		.ours = ours->refused ? "refused" : "permitted",
		.theirs = theirs->refused ? "refused" : "permitted",
	};
	const char *why;

	if (!example)
		return -ENOMEM;
	if (!subject)
		subject = question->rule;
	finding.rule = subject;
	finding.other = theirs->rule != subject ? theirs->rule : NULL;
	finding.hint = finding.other
			       ? "keep it if this verdict is meant, else change one of the two"
			       : "do not count on KubeArmor's verdict when moving over";
	why = reason(linter, enforcer, question->operation, subject, ours, theirs, buffer,
		     sizeof(buffer));
	return pcl_linter_warn(linter, &finding,
			       "KubeArmor's %s enforcer %s: \"%s\"%s is %s there and %s here",
			       finding.enforcer, why, example,
			       block ? " under the posture block" : "", finding.theirs,
			       finding.ours);
}

/* Tells of each enforcer that differs and was not told of. */
static int ask(struct pcl_linter *linter, struct question *question)
{
	struct pcl_verdict ours;

	pcl_decide(linter->ruleset, question->operation, &ours);
	for (int i = 0; i < PCL_KUBEARMOR_COUNT; i++) {
		enum pcl_kubearmor enforcer = (enum pcl_kubearmor)i;
		struct pcl_kubearmor_verdict theirs;
		int error;

		if (question->told[i] || !pcl_kubearmor_serves(enforcer, linter->ruleset->domain))
			continue;
		pcl_kubearmor_decide(enforcer, linter->ruleset, &linter->lists,
				     question->near->rules, question->near->count,
				     question->operation, &theirs);
		if (theirs.refused == ours.refused)
			continue;
		question->told[i] = true;
		error = tell(linter, question, enforcer, &ours, &theirs);
		if (error)
			return error;
	}
	return 0;
}

/* Owners, terminals and arguments, where a rule cares for them. */
static int ask_conditions(struct pcl_linter *linter, struct question *question,
			  struct pcl_operation *operation, const struct variants *variants)
{
	unsigned owners = variants->flags & PCL_RULE_OWNER_ONLY ? 2 : 1;
	unsigned terminals = variants->flags & PCL_RULE_NO_TERMINAL ? 2 : 1;
	unsigned args = variants->flags & PCL_RULE_ALLOWED_ARGS ? 2 : 1;
	int error = 0;

	for (unsigned i = 0; !error && i < owners * terminals * args; i++) {
		operation->owner = i % owners;
		operation->terminal = i / owners % terminals;
		operation->args = args > 1 ? &variants->args[i / owners / terminals] : NULL;
		operation->arg_count = args > 1;
		error = ask(linter, question);
	}
	return error;
}

static int ask_variants(struct pcl_linter *linter, struct question *question,
			struct pcl_operation *operation, const struct variants *variants)
{
	int error = 0;

	for (size_t source = 0; !error && source < variants->source_count; source++) {
		operation->source = variants->sources[source];
		for (size_t access = 0; !error && access < variants->access_count; access++) {
			if (is_path_access(operation->access))
				operation->access = variants->accesses[access];
			error = ask_conditions(linter, question, operation, variants);
			if (!is_path_access(operation->access))
				break;
		}
	}
	return error;
}

static bool any_gap(const struct pcl_linter *linter, const struct pcl_rule *rule)
{
	for (int enforcer = 0; enforcer < PCL_KUBEARMOR_COUNT; enforcer++)
		if (pcl_kubearmor_serves((enum pcl_kubearmor)enforcer, linter->ruleset->domain) &&
		    pcl_kubearmor_gap((enum pcl_kubearmor)enforcer, rule,
				      linter->ruleset->domain->host))
			return true;
	return false;
}

/* Whether the rule can only mean the same to all: see the head of the file. */
static bool is_plain(const struct pcl_linter *linter, const struct pcl_rule *rule,
		     const struct pcl_near *near)
{
	return near->count == 1 && !linter->ruleset->domain->host &&
	       rule->match <= PCL_MATCH_DIR_RECURSIVE && !rule->flags && !any_gap(linter, rule);
}

int pcl_lint_differences(struct pcl_linter *linter, const struct pcl_rule *rule)
{
	struct pcl_lint_objects objects pcl_cleanup(pcl_lint_objects_fini) = {0};
	struct question question = {.rule = rule};
	int error;

	if (rule->class == PCL_CLASS_SYSCALL || rule->class == PCL_CLASS_DEVICE ||
	    rule->class == PCL_CLASS_NATIVE || rule->action == PCL_ACTION_AUDIT)
		return 0;
	error = pcl_lint_objects(rule, &objects);
	for (size_t i = 0; !error && i < objects.count; i++) {
		struct pcl_operation operation = objects.operations[i];
		struct variants variants = {.args = {"--other", "--other"}};
		struct pcl_near near;

		pcl_near_find(linter->near, &operation, &near);
		if (is_plain(linter, rule, &near))
			continue;
		find_variants(rule, &near, &variants);
		if (rule->arg_count)
			variants.args[0] = rule->args[0];
		question.operation = &operation;
		question.near = &near;
		for (int posture = 0; !error && posture < PCL_POSTURE_COUNT; posture++) {
			set_posture(linter, (enum pcl_posture)posture);
			error = ask_variants(linter, &question, &operation, &variants);
		}
		set_posture(linter, PCL_POSTURE_AUDIT);
	}
	return error;
}

/* --- the domain as a whole -------------------------------------------------------------------- */

/* The first rule of the domain for which test holds. */
static const struct pcl_rule *first_rule(const struct pcl_linter *linter,
					 bool (*test)(const struct pcl_rule *rule))
{
	for (size_t i = 0; i < linter->part->policy_count; i++) {
		const struct pcl_policy *policy = linter->part->policies[i];

		for (size_t r = 0; r < policy->rule_count; r++)
			if (test(policy->rules[r]))
				return policy->rules[r];
	}
	return NULL;
}

static bool is_path_allow(const struct pcl_rule *rule)
{
	return rule->action == PCL_ACTION_ALLOW &&
	       (rule->class == PCL_CLASS_PROCESS || rule->class == PCL_CLASS_FILE);
}

/* AppArmor lists files and processes together; seen on what no rule speaks of. */
static int ask_about_the_rest(struct pcl_linter *linter)
{
	static const struct pcl_operation rest[] = {
		{.access = PCL_ACCESS_READ, .object = "/etc/hostname", .source = "/usr/bin/cat"},
		{.access = PCL_ACCESS_EXECUTE, .object = "/usr/bin/id", .source = "/usr/bin/bash"},
	};
	const struct pcl_rule *rule = first_rule(linter, is_path_allow);
	struct question question = {.rule = rule};
	int error = 0;

	if (!rule)
		return 0;
	set_posture(linter, PCL_POSTURE_BLOCK);
	for (size_t i = 0; !error && i < PCL_ARRAY_SIZE(rest); i++) {
		struct pcl_near near;

		pcl_near_find(linter->near, &rest[i], &near);
		question.operation = &rest[i];
		question.near = &near;
		error = ask(linter, &question);
	}
	set_posture(linter, PCL_POSTURE_AUDIT);
	return error;
}

static bool is_recursive_block(const struct pcl_rule *rule)
{
	return rule->match == PCL_MATCH_DIR_RECURSIVE && rule->action == PCL_ACTION_BLOCK &&
	       !rule->flags && !rule->source_count && strlen(rule->object) < 64;
}

/* More components than KubeArmor's BPF programs walk; told once, of one directory. */
static int ask_about_depth(struct pcl_linter *linter)
{
	const struct pcl_rule *rule = first_rule(linter, is_recursive_block);
	struct question question = {.rule = rule};
	struct pcl_operation operation = {.source = "/usr/bin/bash"};
	struct pcl_near near;
	char object[128];

	if (!rule || linter->depth_told)
		return 0;
	linter->depth_told = true;
	(void)snprintf(object, sizeof(object), "%s/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h/i/j/k/l",
		       strcmp(rule->object, "/") ? rule->object : "");
	operation.object = object;
	operation.access = rule->class == PCL_CLASS_PROCESS ? PCL_ACCESS_EXECUTE : PCL_ACCESS_READ;
	pcl_near_find(linter->near, &operation, &near);
	question.operation = &operation;
	question.near = &near;
	return ask(linter, &question);
}

/* KubeArmor's table for one container. */
#define BPF_ENTRIES_MAX 256

/* Entries that the rule takes at least: a directory also stands there as a file. */
static size_t entries(const struct pcl_rule *rule)
{
	size_t keys =
		rule->match == PCL_MATCH_DIR || rule->match == PCL_MATCH_DIR_RECURSIVE ? 2 : 1;

	if (rule->action == PCL_ACTION_AUDIT || rule->class >= PCL_CLASS_SYSCALL ||
	    rule->match == PCL_MATCH_PRESET || pcl_kubearmor_gap(PCL_KUBEARMOR_BPF, rule, false))
		return 0;
	return keys * (rule->source_count ? rule->source_count : 1);
}

static int check_size(struct pcl_linter *linter)
{
	size_t count = 0;

	for (size_t i = 0; i < linter->part->policy_count; i++) {
		const struct pcl_policy *policy = linter->part->policies[i];

		for (size_t r = 0; r < policy->rule_count; r++) {
			const struct pcl_rule *rule = policy->rules[r];
			struct pcl_lint_objects objects pcl_cleanup(pcl_lint_objects_fini) = {0};
			pcl_autofree char *example = NULL;

			count += entries(rule);
			if (count <= BPF_ENTRIES_MAX || rule->action != PCL_ACTION_BLOCK ||
			    rule->flags)
				continue;
			if (pcl_lint_objects(rule, &objects))
				return -ENOMEM;
			if (!objects.count)
				continue;
			if (rule->source_count)
				objects.operations[0].source = rule->sources[0];
			example = pcl_question_print(&objects.operations[0]);
			if (!example)
				return -ENOMEM;
			return pcl_linter_warn(
				linter,
				&(struct pcl_finding){
					.kind = PCL_LINT_KUBEARMOR,
					.rule = rule,
					.hint = "do not count on KubeArmor's verdict when moving "
						"over",
					.enforcer = pcl_kubearmor_name(PCL_KUBEARMOR_BPF),
					.example = example,
					.ours = "refused",
					.theirs = "permitted",
				},
				"KubeArmor's BPF-LSM enforcer keeps %d entries for a container and "
				"drops the rest without a word, here some of %zu or more: \"%s\" "
				"can be permitted there and is refused here",
				BPF_ENTRIES_MAX, count, example);
		}
	}
	return 0;
}

int pcl_lint_domain_differences(struct pcl_linter *linter)
{
	int error = ask_about_the_rest(linter);

	if (!error)
		error = ask_about_depth(linter);
	return error ? error : check_size(linter);
}
