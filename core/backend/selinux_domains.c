/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The domains of who runs a program that rules name as a source, and of who has run one; what is
 * entered by which file, and left by all others.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/selinux_maker.h"
#include "base/array.h"
#include "base/cleanup.h"

/* The rules about who runs the program; NULL: about who runs any. Not more than all of them. */
static size_t find_rules(const struct pcl_selinux_maker *maker,
			 const struct pcl_selinux_program *program, const struct pcl_rule **rules)
{
	const struct pcl_ruleset *ruleset = maker->judge.ruleset;
	size_t count = 0;

	for (size_t i = 0; i < ruleset->rule_count; i++) {
		bool about = false;

		for (size_t p = 0; p < maker->programs.count; p++)
			about |= (!program || program == &maker->programs.items[p]) &&
				 pcl_selinux_is_about(ruleset->rules[i], &maker->judge,
						      &maker->programs.items[p]);
		if (about)
			rules[count++] = ruleset->rules[i];
	}
	return count;
}

static bool has_clone(const struct pcl_selinux_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->changes.clones_count; i++)
		if (!strcmp(plan->changes.clones[i].name, name))
			return true;
	return false;
}

/* program: NULL for a domain that has run one. */
static int add_domain(struct pcl_selinux_maker *maker, const struct pcl_selinux_program *program,
		      const char *domain)
{
	pcl_autofree char *name = pcl_selinux_domain_name(program, domain);
	pcl_autofree const struct pcl_rule **rules = NULL;

	if (name && has_clone(maker->plan, name))
		return 0;
	rules = calloc(maker->judge.ruleset->rule_count + 1, sizeof(*rules));
	if (!name || !rules)
		return -ENOMEM;
	return pcl_selinux_add_clone(maker->plan, name, domain, strlen(domain), rules,
				     find_rules(maker, program, rules));
}

static int add_leave(struct pcl_selinux_maker *maker, const struct pcl_selinux_program *program,
		     const char *domain)
{
	struct pcl_selinux_changes *changes = &maker->plan->changes;
	struct pcl_selinux_leave *leave;

	if (pcl_array_grow(&changes->leaves, changes->leaves_count, sizeof(*leave)))
		return -ENOMEM;
	leave = &changes->leaves[changes->leaves_count++];
	*leave = (struct pcl_selinux_leave){pcl_selinux_domain_name(program, domain),
					    pcl_selinux_domain_name(NULL, domain)};
	return leave->source && leave->result ? 0 : -ENOMEM;
}

static int add_entry(struct pcl_selinux_maker *maker, const struct pcl_selinux_kind *kind,
		     const struct pcl_selinux_execution *executor)
{
	struct pcl_selinux_changes *changes = &maker->plan->changes;
	struct pcl_selinux_enter *enter;

	if (pcl_array_grow(&changes->enters, changes->enters_count, sizeof(*enter)))
		return -ENOMEM;
	enter = &changes->enters[changes->enters_count++];
	*enter = (struct pcl_selinux_enter){
		strdup(executor->domain), strdup(kind->name), strdup("process"),
		pcl_selinux_domain_name(kind->program,
					executor->enters ? executor->enters : executor->domain)};
	return enter->source && enter->target && enter->class_name && enter->result ? 0 : -ENOMEM;
}

/* Who executes a file of the kind. */
static int add_entries(struct pcl_selinux_maker *maker, const struct pcl_selinux_kind *kind)
{
	for (size_t i = 0; kind->program && i < maker->view->executor_count; i++) {
		const struct pcl_selinux_execution *executor = &maker->view->executors[i];

		if (strlen(executor->type) == kind->base_len &&
		    !memcmp(executor->type, kind->base, kind->base_len) &&
		    add_entry(maker, kind, executor))
			return -ENOMEM;
	}
	return 0;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_run(struct pcl_selinux_changes *changes, const char *type)
{
	for (size_t i = changes->runs_count; i-- > 0;)
		if (!strcmp(changes->runs[i], type))
			return 0;
	return pcl_strings_add(&changes->runs, &changes->runs_count, type);
}

/* The types that files have now, or get as they are made. */
static int find_runs(struct pcl_selinux_maker *maker)
{
	struct pcl_selinux_changes *changes = &maker->plan->changes;
	int error = 0;

	for (size_t i = 0; i < maker->view->entry_count && !error; i++) {
		pcl_autofree char *base = NULL;

		if (maker->view->entries[i].kind != 'f')
			continue;
		error = pcl_selinux_known_base(maker, &maker->view->entries[i], &base);
		if (!error && base)
			error = add_run(changes, base);
	}
	for (size_t i = 0; i < maker->view->making_count && !error; i++)
		if (!strcmp(maker->view->makings[i].class_name, "file"))
			error = add_run(changes, maker->view->makings[i].result);
	if (changes->runs_count)
		qsort((void *)changes->runs, changes->runs_count, sizeof(*changes->runs),
		      compare_strings);
	return error;
}

static int add_source(struct pcl_selinux_maker *maker, const struct pcl_selinux_program *program)
{
	struct pcl_selinux_plan *plan = maker->plan;
	struct pcl_selinux_source *source;
	size_t first = 0;

	while (!(program->sources & (1u << first)))
		first++;
	if (pcl_array_grow(&plan->sources, plan->source_count, sizeof(*source)))
		return -ENOMEM;
	source = &plan->sources[plan->source_count++];
	*source = (struct pcl_selinux_source){strdup(program->name), maker->judge.sources[first]};
	return source->name ? 0 : -ENOMEM;
}

static int add_program(struct pcl_selinux_maker *maker, const struct pcl_selinux_program *program)
{
	for (size_t i = 0; i < program->domain_count; i++)
		if (add_domain(maker, program, program->domains[i]) ||
		    add_domain(maker, NULL, program->domains[i]) ||
		    add_leave(maker, program, program->domains[i]))
			return -ENOMEM;
	return add_source(maker, program);
}

int pcl_selinux_plan_domains(struct pcl_selinux_maker *maker)
{
	if (!maker->programs.count)
		return 0;
	for (size_t i = 0; i < maker->programs.count; i++)
		if (add_program(maker, &maker->programs.items[i]))
			return -ENOMEM;
	for (size_t i = 0; i < maker->kind_count; i++)
		if (add_entries(maker, &maker->kinds[i]))
			return -ENOMEM;
	return find_runs(maker);
}
