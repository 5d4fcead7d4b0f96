/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Warnings: how they are made, kept and freed. The same is said once, however many domains show it.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "policy/linter.h"

static const char *const kind_names[] = {
	[PCL_LINT_NEVER_MATCHES] = "never-matches",
	[PCL_LINT_AUDIT_ONLY] = "audit-only",
	[PCL_LINT_DUPLICATE] = "duplicate",
	[PCL_LINT_SHADOWED] = "shadowed",
	[PCL_LINT_CONTRADICTION] = "contradiction",
	[PCL_LINT_ALLOW_LIST] = "allow-list",
	[PCL_LINT_SYMLINK] = "symlink",
	[PCL_LINT_DIRECTORY] = "directory",
	[PCL_LINT_EVERYTHING] = "everything",
	[PCL_LINT_LOCKOUT] = "lockout",
	[PCL_LINT_INTERPRETER] = "interpreter",
	[PCL_LINT_KUBEARMOR] = "kubearmor",
	[PCL_LINT_LIMIT] = "limit",
};
static_assert(PCL_ARRAY_SIZE(kind_names) == PCL_LINT_COUNT, "a kind of warning without a name");

const char *pcl_lint_kind_name(enum pcl_lint_kind kind)
{
	return kind_names[kind];
}

/* --- what is said -------------------------------------------------------------------------------
 */

static void warning_fini(struct pcl_warning *warning)
{
	free(warning->text);
	free(warning->what);
	free(warning->hint);
	free(warning->example);
}

void pcl_warnings_free(struct pcl_warnings **warnings)
{
	if (!*warnings)
		return;
	for (size_t i = 0; i < (*warnings)->count; i++)
		warning_fini(&(*warnings)->items[i]);
	free((*warnings)->items);
	free(*warnings);
	*warnings = NULL;
}

static uint64_t mix(uint64_t hash, uintptr_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

/* A slot that is free or has hash. */
static size_t said_slot(const uint64_t *said, size_t size, uint64_t hash)
{
	size_t slot = hash & (size - 1);

	while (said[slot] && said[slot] != hash)
		slot = (slot + 1) & (size - 1);
	return slot;
}

/* 1 where hash was there before, 0 where it is new, or -ENOMEM. */
static int said_before(struct pcl_linter *linter, uint64_t hash)
{
	size_t slot;

	hash += !hash;
	if (2 * linter->said_count >= linter->said_size) {
		size_t size = linter->said_size ? 2 * linter->said_size : 256;
		uint64_t *said = calloc(size, sizeof(*said));

		if (!said)
			return -ENOMEM;
		for (size_t i = 0; i < linter->said_size; i++)
			if (linter->said[i])
				said[said_slot(said, size, linter->said[i])] = linter->said[i];
		free(linter->said);
		linter->said = said;
		linter->said_size = size;
	}
	slot = said_slot(linter->said, linter->said_size, hash);
	if (linter->said[slot])
		return 1;
	linter->said[slot] = hash;
	linter->said_count++;
	return 0;
}

static char *copy_line(const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (copy)
		pcl_text_one_line(copy);
	return copy;
}

static const char *finding_text(const struct pcl_finding *finding)
{
	if (finding->text)
		return finding->text;
	if (!finding->rule)
		return finding->policy->name;
	return finding->rule->match == PCL_MATCH_SYSCALL ? finding->rule->syscalls[0]
							 : finding->rule->object;
}

int pcl_linter_warn(struct pcl_linter *linter, const struct pcl_finding *finding,
		    const char *format, ...)
{
	struct pcl_warning warning pcl_cleanup(warning_fini) = {0};
	struct pcl_warnings *warnings = linter->warnings;
	const struct pcl_policy *policy = finding->rule ? finding->rule->policy : finding->policy;
	uint64_t hash = mix((uint64_t)finding->kind + 1, (uintptr_t)finding->rule);
	va_list args;
	int before;

	hash = mix(mix(hash, (uintptr_t)policy), (uintptr_t)finding->other);
	before = said_before(linter, mix(hash, (uintptr_t)finding->enforcer));
	if (before)
		return before < 0 ? before : 0;
	va_start(args, format);
	if (vasprintf(&warning.what, format, args) < 0)
		warning.what = NULL;
	va_end(args);
	warning.text = copy_line(finding_text(finding));
	warning.hint = copy_line(finding->hint);
	warning.example = copy_line(finding->example);
	if (!warning.what || !warning.text || !warning.hint ||
	    (finding->example && !warning.example) ||
	    pcl_array_grow(&warnings->items, warnings->count, sizeof(*warnings->items)))
		return -ENOMEM;
	pcl_text_one_line(warning.what);
	warning.kind = finding->kind;
	warning.file = policy->file;
	warning.place = finding->rule ? finding->rule->place : policy->place;
	warning.rule = finding->rule;
	warning.other = finding->other;
	warning.enforcer = finding->enforcer;
	warning.ours = finding->ours;
	warning.theirs = finding->theirs;
	warnings->items[warnings->count++] = warning;
	warning = (struct pcl_warning){0};
	return 0;
}

bool pcl_linter_near(struct pcl_linter *linter, const struct pcl_rule *rule,
		     const struct pcl_operation *operation, struct pcl_near *ret_near,
		     int *ret_error)
{
	*ret_error = 0;
	pcl_near_find(linter->near, operation, ret_near);
	linter->visits += ret_near->visits;
	if (!ret_near->cut)
		return true;
	*ret_error = pcl_linter_warn(linter,
				     &(struct pcl_finding){
					     .kind = PCL_LINT_LIMIT,
					     .policy = rule->policy,
					     .text = rule->object,
					     .hint = "write fewer rules about it",
				     },
				     "more than %d rules hold \"%s\"; they were not all compared",
				     PCL_NEAR_MAX, rule->object);
	return false;
}
