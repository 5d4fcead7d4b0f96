/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that rules name as sources, and the domains that processes have which run them.
 *
 * A program is known by its file's label as it is executed: whoever executes it enters a clone of
 * the domain that it would have had, and whoever executes anything else from there leaves that one
 * for another clone, of those that run none of the programs.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/selinux_maker.h"
#include "base/array.h"
#include "base/cleanup.h"

/* --- names -----------------------------------------------------------------------------------
 */

static bool has_source(const char *const *sources, size_t count, const char *source)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(sources[i], source))
			return true;
	return false;
}

int pcl_selinux_find_sources(const struct pcl_ruleset *ruleset,
			     const char *ret_sources[PCL_SELINUX_SOURCES_MAX], size_t *ret_count,
			     struct pcl_diag *diag)
{
	size_t count = 0;

	for (size_t i = 0; i < ruleset->rule_count; i++) {
		const struct pcl_rule *rule = ruleset->rules[i];

		for (size_t s = 0; s < rule->source_count; s++) {
			if (has_source(ret_sources, count, rule->sources[s]))
				continue;
			if (count == PCL_SELINUX_SOURCES_MAX)
				return pcl_diag_set(diag, -EOPNOTSUPP,
						    "%s:%u:%u: rule %s: backend selinux tells no "
						    "more than %d programs apart",
						    rule->policy->file, rule->place.line,
						    rule->place.column, rule->id,
						    PCL_SELINUX_SOURCES_MAX);
			ret_sources[count++] = rule->sources[s];
		}
	}
	*ret_count = count;
	return 0;
}

int pcl_selinux_sources_each(const struct pcl_backend_domain *domain,
			     int (*fn)(void *context, const char *path), void *context)
{
	int error = 0;

	for (size_t i = 0; i < domain->ruleset->rule_count; i++) {
		const struct pcl_rule *rule = domain->ruleset->rules[i];

		for (size_t s = 0; s < rule->source_count && !error; s++)
			error = pcl_aliases_each(domain->aliases, rule->sources[s], fn, context);
	}
	return error;
}

struct comparing {
	const char *path;
	bool equal;
};

static int compare_name(void *context, const char *name)
{
	struct comparing *comparing = context;

	comparing->equal |= !strcmp(comparing->path, name);
	return 0;
}

unsigned pcl_selinux_sources_of(const char *const *sources, size_t count,
				const struct pcl_aliases *aliases, const char *path)
{
	unsigned set = 0;

	for (size_t i = 0; i < count; i++) {
		struct comparing comparing = {path, false};

		(void)pcl_aliases_each(aliases, sources[i], compare_name, &comparing);
		set |= (unsigned)comparing.equal << i;
	}
	return set;
}

bool pcl_selinux_is_about(const struct pcl_rule *rule, const struct pcl_selinux_judge *judge,
			  const struct pcl_selinux_program *program)
{
	for (size_t i = 0; rule->source_count && i < judge->source_count; i++)
		if (program->sources & (1u << i) &&
		    pcl_rule_matches_source(rule, judge->sources[i]))
			return true;
	return false;
}

/* --- programs --------------------------------------------------------------------------------
 */

/* FNV-1a, of names with the NUL at their ends. Letters of types begin with none of its digits. */
static void name_program(const struct pcl_selinux_judge *judge, struct pcl_selinux_program *program)
{
	uint32_t hash = UINT32_C(2166136261);

	for (size_t i = 0; i < judge->source_count; i++) {
		const char *source = judge->sources[i];

		if (!(program->sources & (1u << i)))
			continue;
		for (size_t c = 0; c <= strlen(source); c++)
			hash = (hash ^ (unsigned char)source[c]) * UINT32_C(16777619);
	}
	if (program->sources & PCL_SELINUX_NO_SOURCE)
		hash = hash * UINT32_C(16777619);
	(void)snprintf(program->name, sizeof(program->name), "%08" PRIx32, hash);
}

size_t pcl_selinux_program_of(const struct pcl_selinux_programs *programs, unsigned sources)
{
	size_t i = 0;

	while (i < programs->count && programs->items[i].sources != sources)
		i++;
	return i;
}

static bool has_name(const struct pcl_selinux_programs *programs, const char *name)
{
	for (size_t i = 0; i < programs->count; i++)
		if (!strcmp(programs->items[i].name, name))
			return true;
	return false;
}

struct pcl_selinux_program *pcl_selinux_program_for(const struct pcl_selinux_judge *judge,
						    struct pcl_selinux_programs *programs,
						    unsigned sources)
{
	struct pcl_selinux_program program = {.sources = sources};
	size_t at = pcl_selinux_program_of(programs, sources);

	if (at < programs->count)
		return &programs->items[at];
	name_program(judge, &program);
	/* Two of one name would be taken for each other. */
	if (programs->count == PCL_SELINUX_SOURCES_MAX || has_name(programs, program.name))
		return NULL;
	programs->items[programs->count] = program;
	return &programs->items[programs->count++];
}

static int add_domain(struct pcl_selinux_program *program, const char *domain)
{
	for (size_t i = 0; i < program->domain_count; i++)
		if (!strcmp(program->domains[i], domain))
			return 0;
	return pcl_strings_add(&program->domains, &program->domain_count, domain);
}

int pcl_selinux_add_domains(struct pcl_selinux_program *program,
			    const struct pcl_selinux_view *view, const char *base)
{
	for (size_t i = 0; i < view->executor_count; i++) {
		const struct pcl_selinux_execution *executor = &view->executors[i];

		if (!strcmp(executor->type, base) &&
		    add_domain(program, executor->enters ? executor->enters : executor->domain))
			return -ENOMEM;
	}
	return 0;
}

void pcl_selinux_drop_idle(struct pcl_selinux_programs *programs)
{
	size_t count = 0;

	for (size_t i = 0; i < programs->count; i++)
		if (programs->items[i].domain_count)
			programs->items[count++] = programs->items[i];
	programs->count = count;
}

char *pcl_selinux_domain_name(const struct pcl_selinux_program *program, const char *domain)
{
	char *name = NULL;

	if (asprintf(&name, PCL_SELINUX_PREFIX "%s_%s", program ? program->name : "o", domain) < 0)
		return NULL;
	return name;
}

void pcl_selinux_programs_fini(struct pcl_selinux_programs *programs)
{
	for (size_t i = 0; i < programs->count; i++)
		pcl_strings_free(&programs->items[i].domains, &programs->items[i].domain_count);
	programs->count = 0;
}

int pcl_selinux_name_sources(const struct pcl_selinux_programs *programs, unsigned set,
			     char ***array, size_t *count)
{
	for (size_t i = 0; i < programs->count; i++) {
		const struct pcl_selinux_program *program = &programs->items[i];

		for (size_t d = 0; set & (1u << i) && d < program->domain_count; d++) {
			pcl_autofree char *name =
				pcl_selinux_domain_name(program, program->domains[d]);

			if (!name || pcl_strings_add(array, count, name))
				return -ENOMEM;
		}
	}
	return 0;
}
