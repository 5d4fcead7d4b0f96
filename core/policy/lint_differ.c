/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where KubeArmor's enforcers would decide otherwise: operations made up from each rule are put to
 * the decision and to each enforcer, and the first difference of each is told.
 *
 * A rule alone with its objects, of which no enforcer ignores anything, needs no question: all give
 * it the same meaning. That is what keeps large sets cheap.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "policy/linter.h"
#include "policy/question.h"

#define USB_CLASS_STORAGE 8

/* Other sources that are tried with a rule's objects. */
#define SOURCES_MAX 16

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

/* Leaves room for one that nobody names. */
static void add_sources(struct variants *variants, const struct pcl_rule *rule)
{
	for (size_t i = 0; i < rule->source_count && variants->source_count + 1 < SOURCES_MAX; i++)
		add_source(variants, rule->sources[i]);
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
	add_sources(variants, rule);
	for (size_t i = 0; i < near->count; i++)
		add_sources(variants, near->rules[i]);
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
	bool *told;    /* of each enforcer: that it differs */
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

	linter->visits += question->near->visits;
	pcl_decide(linter->ruleset, question->operation, &ours);
	for (int i = 0; i < PCL_KUBEARMOR_COUNT; i++) {
		enum pcl_kubearmor enforcer = (enum pcl_kubearmor)i;
		struct pcl_kubearmor_verdict theirs;
		int error;

		if (question->told[i] || !pcl_kubearmor_serves(enforcer, linter->ruleset->domain,
							       question->operation->access))
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
		if (pcl_kubearmor_gap((enum pcl_kubearmor)enforcer, rule,
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

/* The operation by every source and so on, under both postures. */
static int ask_operation(struct pcl_linter *linter, const struct pcl_rule *rule, bool *told,
			 struct pcl_operation operation)
{
	struct variants variants = {.args = {"--other", "--other"}};
	struct pcl_near near;
	struct question question = {&operation, &near, rule, told};
	int error = 0;

	if (!pcl_linter_near(linter, rule, &operation, &near, &error))
		return error;
	if (is_plain(linter, rule, &near))
		return 0;
	find_variants(rule, &near, &variants);
	if (rule->arg_count)
		variants.args[0] = rule->args[0];
	if (operation.access == PCL_ACCESS_DEVICE) {
		/* Nobody plugs it in. */
		variants.sources[0] = NULL;
		variants.source_count = 1;
	}
	for (int posture = 0; !error && posture < PCL_POSTURE_COUNT; posture++) {
		set_posture(linter, (enum pcl_posture)posture);
		error = ask_variants(linter, &question, &operation, &variants);
	}
	set_posture(linter, PCL_POSTURE_AUDIT);
	return error;
}

/* Where a rule about no object alone may meet others: only the first rules are tried. */
#define MEETINGS_MAX 256

static int either(int number, int other, int neither)
{
	if (number != PCL_DEVICE_ANY)
		return number;
	return other != PCL_DEVICE_ANY ? other : neither;
}

/* Devices that both rule and another one mean. */
static int ask_devices(struct pcl_linter *linter, const struct pcl_rule *rule, bool *told)
{
	const struct pcl_device *own = &rule->device;
	int error = 0;

	for (size_t i = 0; !error && i < linter->ruleset->rule_count && i < MEETINGS_MAX; i++) {
		const struct pcl_device *other = &linter->ruleset->rules[i]->device;
		struct pcl_operation operation = {.access = PCL_ACCESS_DEVICE};

		if (linter->ruleset->rules[i]->class != PCL_CLASS_DEVICE)
			continue;
		operation.device = (struct pcl_device){
			either(own->class, other->class, USB_CLASS_STORAGE),
			either(own->sub_class, other->sub_class, 0),
			either(own->protocol, other->protocol, 0),
			either(own->level, other->level, 1),
		};
		error = ask_operation(linter, rule, told, operation);
	}
	return error;
}

/* The name in the directories of other rules. */
static int ask_names(struct pcl_linter *linter, const struct pcl_rule *rule, bool *told)
{
	int error = 0;

	for (size_t i = 0; !error && i < linter->ruleset->rule_count && i < MEETINGS_MAX; i++) {
		const struct pcl_rule *dir = linter->ruleset->rules[i];
		struct pcl_operation operation = {.access = PCL_ACCESS_EXECUTE};
		char path[PCL_LINT_OBJECT_SIZE];

		if (dir->class != PCL_CLASS_PROCESS ||
		    (dir->match != PCL_MATCH_DIR && dir->match != PCL_MATCH_DIR_RECURSIVE))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s",
			       strcmp(dir->object, "/") ? dir->object : "", rule->object);
		operation.object = path;
		error = ask_operation(linter, rule, told, operation);
	}
	return error;
}

int pcl_lint_differences(struct pcl_linter *linter, const struct pcl_rule *rule)
{
	struct pcl_lint_objects objects pcl_cleanup(pcl_lint_objects_fini) = {0};
	bool told[PCL_KUBEARMOR_COUNT] = {false};
	int error;

	if (rule->class == PCL_CLASS_DEVICE)
		return ask_devices(linter, rule, told);
	if (rule->class == PCL_CLASS_SYSCALL || rule->class == PCL_CLASS_NATIVE ||
	    rule->action == PCL_ACTION_AUDIT)
		return 0;
	error = pcl_lint_objects(rule, &objects);
	for (size_t i = 0; !error && i < objects.count; i++)
		error = ask_operation(linter, rule, told, objects.operations[i]);
	if (!error && rule->match == PCL_MATCH_NAME)
		error = ask_names(linter, rule, told);
	return error;
}

/* --- the domain as a whole -------------------------------------------------------------------- */

/* What lists leave to the posture is decided otherwise too: by an enforcer that has no such list.
 */
static int ask_about_the_rest(struct pcl_linter *linter)
{
	static const struct pcl_operation rest[] = {
		{.access = PCL_ACCESS_READ, .object = "/etc/hostname", .source = "/usr/bin/cat"},
		{.access = PCL_ACCESS_EXECUTE, .object = "/usr/bin/id", .source = "/usr/bin/bash"},
		/* A deleted file, a program in memory: no path matches. */
		{.access = PCL_ACCESS_READ, .source = "/usr/bin/cat"},
		{.access = PCL_ACCESS_EXECUTE, .source = "/usr/bin/bash"},
		{.access = PCL_ACCESS_SOCKET,
		 .source = "/usr/bin/bash",
		 .socket = {AF_INET, SOCK_DGRAM, 0}},
		{.access = PCL_ACCESS_SOCKET,
		 .source = "/usr/bin/bash",
		 .socket = {AF_INET, SOCK_STREAM, 0}},
		{.access = PCL_ACCESS_SOCKET,
		 .source = "/usr/bin/bash",
		 .socket = {AF_UNIX, SOCK_SEQPACKET, 0}},
		{.access = PCL_ACCESS_RESOLVE, .source = "/usr/bin/bash", .name = "host.invalid"},
		{.access = PCL_ACCESS_CAPABILITY,
		 .source = "/usr/bin/bash",
		 .capability = CAP_CHOWN},
		{.access = PCL_ACCESS_CAPABILITY,
		 .source = "/usr/bin/bash",
		 .capability = CAP_WAKE_ALARM},
	};
	int error = 0;

	set_posture(linter, PCL_POSTURE_BLOCK);
	for (size_t i = 0; !error && i < PCL_ARRAY_SIZE(rest); i++) {
		bool told[PCL_KUBEARMOR_COUNT] = {false};
		struct pcl_near near;
		struct question question = {&rest[i], &near, NULL, told};

		question.rule = pcl_linter_first_allow(linter, pcl_access_class(rest[i].access));
		if (!question.rule && rest[i].access == PCL_ACCESS_READ)
			question.rule = pcl_linter_first_allow(linter, PCL_CLASS_PROCESS);
		if (!question.rule && rest[i].access == PCL_ACCESS_EXECUTE)
			question.rule = pcl_linter_first_allow(linter, PCL_CLASS_FILE);
		if (!question.rule)
			continue;
		pcl_near_find(linter->near, &rest[i], &near);
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

static const struct pcl_rule *first_recursive_block(const struct pcl_linter *linter)
{
	for (size_t i = 0; i < linter->part->policy_count; i++) {
		const struct pcl_policy *policy = linter->part->policies[i];

		for (size_t r = 0; r < policy->rule_count; r++)
			if (is_recursive_block(policy->rules[r]))
				return policy->rules[r];
	}
	return NULL;
}

/* More components than KubeArmor's BPF programs walk; told once, of one directory. */
static int ask_about_depth(struct pcl_linter *linter)
{
	const struct pcl_rule *rule = first_recursive_block(linter);
	struct pcl_operation operation = {.source = "/usr/bin/bash"};
	bool told[PCL_KUBEARMOR_COUNT] = {false};
	struct pcl_near near;
	struct question question = {&operation, &near, rule, told};
	char object[128];

	if (!rule || linter->depth_told)
		return 0;
	linter->depth_told = true;
	(void)snprintf(object, sizeof(object), "%s/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h/i/j/k/l",
		       strcmp(rule->object, "/") ? rule->object : "");
	operation.object = object;
	operation.access = rule->class == PCL_CLASS_PROCESS ? PCL_ACCESS_EXECUTE : PCL_ACCESS_READ;
	pcl_near_find(linter->near, &operation, &near);
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
