/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile's lines: how one ends, and which rules have one in the profile at hand.
 */
#include <inttypes.h>
#include <string.h>

#include "backend/apparmor_maker.h"
#include "backend/apparmor_text.h"

#define HASH_PRIME 0x100000001b3ull

uint64_t pcl_apparmor_hash_bytes(uint64_t hash, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * HASH_PRIME;
	return hash;
}

void pcl_apparmor_start_line(struct pcl_apparmor_maker *maker)
{
	(void)fflush(maker->out);
	maker->line_start = maker->text_len;
}

void pcl_apparmor_put_rule(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule)
{
	(void)fputc(' ', maker->out);
	pcl_apparmor_put_comment(rule->id, maker->out);
	(void)fputc(' ', maker->out);
	pcl_apparmor_put_comment(rule->policy->file, maker->out);
	(void)fprintf(maker->out, ":%u", rule->place.line);
}

void pcl_apparmor_end_line(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule)
{
	(void)fputc(',', maker->out);
	(void)fflush(maker->out);
	maker->hash = pcl_apparmor_hash_bytes(maker->hash, maker->text + maker->line_start,
					      maker->text_len - maker->line_start);
	if (rule) {
		(void)fputs(" #", maker->out);
		pcl_apparmor_put_rule(maker, rule);
	}
	(void)fputc('\n', maker->out);
	pcl_apparmor_start_line(maker);
}

void pcl_apparmor_print_profile_name(const char *domain, const char *source, FILE *out)
{
	(void)fprintf(out, PCL_APPARMOR_PREFIX "%s", domain);
	if (source)
		(void)fprintf(out, "%c%016" PRIx64, PCL_APPARMOR_SOURCE_MARK,
			      pcl_apparmor_hash_bytes(PCL_APPARMOR_HASH_START, source,
						      strlen(source)));
}

void pcl_apparmor_put_profile_name(const struct pcl_apparmor_maker *maker, const char *source,
				   FILE *out)
{
	pcl_apparmor_print_profile_name(maker->domain->ruleset->domain->name, source, out);
}

/* A name that is looked for among those of a rule's source. */
struct search {
	const char *wanted;
	bool found;
};

static int is_source_name(void *context, const char *name)
{
	struct search *search = context;

	search->found |= !strcmp(name, search->wanted);
	return 0;
}

bool pcl_apparmor_is_active(const struct pcl_apparmor_maker *maker, const struct pcl_rule *rule)
{
	struct search search = {maker->source, !rule->source_count};

	for (size_t i = 0; maker->source && i < rule->source_count; i++)
		(void)pcl_aliases_each(maker->domain->aliases, rule->sources[i], is_source_name,
				       &search);
	return search.found;
}

/* Whether two rules of paths can have an object in common; of one that has other names, who knows.
 */
static bool may_overlap(const struct pcl_apparmor_maker *maker, const struct pcl_rule *a,
			const struct pcl_rule *b)
{
	const struct pcl_aliases *aliases = maker->domain->aliases;
	size_t a_len = strlen(a->object), b_len = strlen(b->object);
	size_t len = a_len < b_len ? a_len : b_len;
	const char *longer = a_len < b_len ? b->object : a->object;

	if (!pcl_apparmor_is_place(a) || !pcl_apparmor_is_place(b) || len == 1 ||
	    pcl_aliases_find(aliases, a->object) || pcl_aliases_find(aliases, b->object))
		return true;
	return !strncmp(a->object, b->object, len) && (!longer[len] || longer[len] == '/');
}

/*
 * A list that refuses what it does not name is granted by its lines alone; then an Audit rule
 * cannot have a line, which would grant, so what is granted near it is told of instead.
 */
bool pcl_apparmor_is_told(const struct pcl_apparmor_maker *maker, const struct pcl_rule *rule)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	bool path = rule->class == PCL_CLASS_PROCESS || rule->class == PCL_CLASS_FILE;

	for (size_t i = 0; maker->classes[rule->class].audited && i < ruleset->rule_count; i++) {
		const struct pcl_rule *other = ruleset->rules[i];

		if (other->class == rule->class && other->action == PCL_ACTION_AUDIT &&
		    pcl_apparmor_is_active(maker, other) &&
		    (!path || may_overlap(maker, rule, other)))
			return true;
	}
	return false;
}
