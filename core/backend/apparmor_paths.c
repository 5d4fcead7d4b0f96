/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of programs and files: what their matchers are in AppArmor's globs, what they do there, and
 * what must stay where it is, so that no other name takes an object out of its rule.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/apparmor_maker.h"
#include "backend/apparmor_rest.h"
#include "backend/apparmor_text.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "policy/glob.h"

/* Bits of what may be done to a path, as plans tell it apart. */
#define DO_READ (1u << PCL_ACCESS_READ)
#define DO_WRITE (1u << PCL_ACCESS_WRITE)
#define DO_EXECUTE (1u << PCL_ACCESS_EXECUTE)

#define DENY "audit deny "

/* What a rule does: by effect and by whether the acting task owns the object, bits of DO_*. */
struct deeds {
	unsigned done[PCL_EFFECT_COUNT][2];
};

/*
 * How what is executed goes on: any other program is none of the source's. On the host one that
 * the distribution has a profile for is in both. KERNEL: the name behind "&" is stacked on
 * whichever profile is attached to the program, and the host's own is attached to all.
 */
static void print_execute(const struct pcl_apparmor_maker *maker)
{
	bool host = maker->domain->ruleset->domain->host;

	if (!host && !maker->source) {
		(void)fputs("ix", maker->out);
		return;
	}
	(void)fputs(host ? "pix -> \"&" : "px -> \"", maker->out);
	pcl_apparmor_put_profile_name(maker, NULL, maker->out);
	(void)fputc('"', maker->out);
}

static bool is_deny(const char *verb)
{
	return !strcmp(verb, DENY);
}

/*
 * A line's permissions: what they are for one that refuses, and for one that grants. To give a
 * file another name stands in lines of its own (add_links()).
 */
void pcl_apparmor_put_permissions(const struct pcl_apparmor_maker *maker, unsigned deeds,
				  const char *verb)
{
	bool deny = is_deny(verb);

	if (deeds & DO_READ)
		(void)fputs("rkm", maker->out);
	if (deeds & DO_WRITE)
		(void)fputs(deny ? "wl" : "w", maker->out);
	/* A loader that is run by hand executes what it maps executable. */
	if (deeds & DO_EXECUTE && deny)
		(void)fputs("mx", maker->out);
	else if (deeds & DO_EXECUTE)
		print_execute(maker);
}

/* --- what a matcher is in globs -----------------------------------------------------------------
 */

/*
 * What stands behind the name; a directory's name has a slash at its end in AppArmor. KERNEL:
 * before a brace the parser lets a star behind a slash stand for nothing, so a letter goes before
 * it.
 */
static const char *const file_tails[PCL_MATCH_COUNT] = {
	[PCL_MATCH_PATH] = "{,/}",
	[PCL_MATCH_DIR] = "{,/,/?*,/?*/}",
	[PCL_MATCH_DIR_RECURSIVE] = "{,/,/?**}",
	[PCL_MATCH_PATTERN] = "{,/}",
	[PCL_MATCH_NAME] = "{,/}",
};
/* No directory is executed. */
static const char *const process_tails[PCL_MATCH_COUNT] = {
	[PCL_MATCH_PATH] = "",	  [PCL_MATCH_DIR] = "{,/?*}", [PCL_MATCH_DIR_RECURSIVE] = "{,/?**}",
	[PCL_MATCH_PATTERN] = "", [PCL_MATCH_NAME] = "",
};
/* The root's name is the slash itself. */
static const char *const root_file_tails[PCL_MATCH_COUNT] = {
	[PCL_MATCH_PATH] = "",
	[PCL_MATCH_DIR] = "{,?*,?*/}",
	[PCL_MATCH_DIR_RECURSIVE] = "{,?**}",
};
static const char *const root_process_tails[PCL_MATCH_COUNT] = {
	[PCL_MATCH_PATH] = "",
	[PCL_MATCH_DIR] = "?*",
	[PCL_MATCH_DIR_RECURSIVE] = "?**",
};

static bool is_root(const char *name)
{
	return !strcmp(name, "/");
}

/* A path has no slash at its end, so a pattern that has one matches nothing. */
static bool has_glob(const struct pcl_rule *rule, const char *name)
{
	return rule->match != PCL_MATCH_PATTERN || name[strlen(name) - 1] != '/';
}

static const char *tail_of(const struct pcl_rule *rule, const char *name)
{
	bool process = rule->class == PCL_CLASS_PROCESS;

	if (is_root(name) && rule->match != PCL_MATCH_PATTERN)
		return (process ? root_process_tails : root_file_tails)[rule->match];
	return (process ? process_tails : file_tails)[rule->match];
}

/* Behind the slash that every name of a file begins with. */
static void print_glob(const struct pcl_rule *rule, const char *name, FILE *out)
{
	if (rule->match == PCL_MATCH_PATTERN) {
		pcl_apparmor_put_pattern(name + 1, out);
	} else {
		bool any = rule->match == PCL_MATCH_NAME;

		(void)fputs(any ? "{,**/}" : "", out);
		pcl_apparmor_put_path(any ? name : name + 1, out);
	}
	(void)fputs(tail_of(rule, name), out);
}

/* What name is to the rule, and without one the directory of that name. The caller's, or NULL. */
static char *make_glob(const struct pcl_rule *rule, const char *name)
{
	char *glob = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&glob, &len);

	if (!out)
		return NULL;
	if (rule) {
		print_glob(rule, name, out);
	} else {
		pcl_apparmor_put_path(name + 1, out);
		(void)fputc('/', out);
	}
	if (fclose(out) != 0) {
		free(glob);
		return NULL;
	}
	return glob;
}

/* --- rules -------------------------------------------------------------------------------------
 */

/* A name that is looked for among those of a rule's object. */
struct search {
	const char *wanted;
	const struct pcl_rule *rule;
	bool found;
};

static int is_object_name(void *context, const char *name)
{
	struct search *search = context;
	struct pcl_rule rule = *search->rule;

	rule.object = (char *)name;
	search->found |= pcl_rule_matches_object(&rule, search->wanted);
	return 0;
}

/* What rule's object also means; patterns and base names have no other names. */
static const struct pcl_aliases *aliases_of(const struct pcl_apparmor_maker *maker,
					    const struct pcl_rule *rule)
{
	return pcl_apparmor_is_place(rule) ? maker->domain->aliases : NULL;
}

static bool matches_path(const struct pcl_apparmor_maker *maker, const struct pcl_rule *rule,
			 const char *path)
{
	struct search search = {path, rule, false};

	(void)pcl_aliases_each(aliases_of(maker, rule), rule->object, is_object_name, &search);
	return search.found;
}

static void find_deeds(const struct pcl_rule *rule, struct deeds *ret_deeds)
{
	static const enum pcl_access of_process[] = {PCL_ACCESS_EXECUTE};
	static const enum pcl_access of_file[] = {PCL_ACCESS_READ, PCL_ACCESS_WRITE};
	bool process = rule->class == PCL_CLASS_PROCESS;
	const enum pcl_access *accesses = process ? of_process : of_file;
	size_t count = process ? PCL_ARRAY_SIZE(of_process) : PCL_ARRAY_SIZE(of_file);

	memset(ret_deeds, 0, sizeof(*ret_deeds));
	for (size_t i = 0; i < count; i++)
		for (unsigned owner = 0; owner < 2; owner++)
			ret_deeds->done[pcl_rule_effect(rule, accesses[i], owner)][owner] |=
				1u << accesses[i];
}

static int compare_source(const void *path, const void *source)
{
	return strcmp(path, *(const char *const *)source);
}

static bool is_source(const struct pcl_apparmor_maker *maker, const char *path)
{
	return maker->source_count &&
	       bsearch(path, (const void *)maker->sources, maker->source_count,
		       sizeof(*maker->sources), compare_source);
}

/* KERNEL: of two ways to go on for one name the parser takes neither. A source has its own line. */
static bool has_own_line(const struct pcl_apparmor_maker *maker, const struct pcl_rule *rule,
			 const char *name)
{
	return rule->class == PCL_CLASS_PROCESS && is_source(maker, name) &&
	       (rule->match != PCL_MATCH_PATTERN || !strpbrk(name, "*?[{\\"));
}

/* Both names must be listed, whichever they are, so these are collected. */
static void collect_listed(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule,
			   const char *name, bool owner)
{
	for (unsigned i = owner; i < PCL_ARRAY_SIZE(maker->listed); i++) {
		struct pcl_apparmor_listed *listed = &maker->listed[i];

		(void)fputs(listed->count++ ? "," : "", listed->out);
		print_glob(rule, name, listed->out);
	}
}

/*
 * A hard link is judged by its two names. KERNEL: left to itself, it is refused where the new name
 * grants what the old one does not; but the parser asks for that only where the file is the acting
 * task's own. So what the old name forbids is said outright. That it is the new one is the letter
 * l where a line refuses.
 */
static void add_links(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule,
		      const char *name, const char *verb, const char *who)
{
	const struct pcl_apparmor_line to = {.verb = verb,
					     .who = who,
					     .form = PCL_APPARMOR_FORM_LINK_TO};
	const struct pcl_apparmor_line of = {.verb = verb,
					     .who = who,
					     .form = PCL_APPARMOR_FORM_LINK_OF};

	if (!is_deny(verb) && maker->classes[rule->class].grant == PCL_APPARMOR_GRANT_LISTED) {
		collect_listed(maker, rule, name, *who);
		return;
	}
	if (!is_deny(verb))
		pcl_apparmor_add_glob(maker, &of, make_glob(rule, name), rule);
	pcl_apparmor_add_glob(maker, &to, make_glob(rule, name), rule);
}

static void add_deeds(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule,
		      const char *name, const char *verb, const char *who, unsigned deeds)
{
	const struct pcl_apparmor_line line = {.verb = verb,
					       .who = who,
					       .form = PCL_APPARMOR_FORM_ACCESS,
					       .deeds = deeds};

	if (!deeds || !has_glob(rule, name))
		return;
	pcl_apparmor_add_glob(maker, &line, make_glob(rule, name), rule);
	if (is_deny(verb) || deeds & DO_WRITE)
		add_links(maker, rule, name, verb, who);
}

/* The globs of one name for one effect; deeds by who owns the object. */
static void add_effect(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule,
		       const char *name, const char *verb, const unsigned deeds[2])
{
	if (deeds[0] == deeds[1]) {
		add_deeds(maker, rule, name, verb, "", deeds[0]);
		return;
	}
	add_deeds(maker, rule, name, verb, "other ", deeds[0]);
	add_deeds(maker, rule, name, verb, "owner ", deeds[1]);
}

static int add_guard(struct pcl_apparmor_maker *maker, const char *path, size_t len,
		     const struct pcl_rule *rule)
{
	char *copy = strndup(path, len);

	if (!copy || pcl_array_grow(&maker->guards, maker->guard_count, sizeof(*maker->guards))) {
		free(copy);
		return -ENOMEM;
	}
	maker->guards[maker->guard_count++] = (struct pcl_apparmor_guarded){copy, rule};
	return 0;
}

/*
 * The text whose slashes end the names of directories that must stay, and its length: the object's
 * name, of a pattern as far as it is literal. A directory of programs has to stay itself.
 */
static const char *guarded_text(const struct pcl_rule *rule, const char *name, size_t *ret_len)
{
	bool dir = rule->match == PCL_MATCH_DIR || rule->match == PCL_MATCH_DIR_RECURSIVE;

	if (rule->match == PCL_MATCH_PATTERN)
		return pcl_glob_prefix(rule->glob, ret_len);
	*ret_len = rule->match == PCL_MATCH_NAME || is_root(name) ? 0 : strlen(name);
	*ret_len += *ret_len && dir && rule->class == PCL_CLASS_PROCESS;
	return name;
}

static bool has_program_guard(const struct pcl_rule *rule)
{
	return rule->class == PCL_CLASS_PROCESS &&
	       (rule->match == PCL_MATCH_PATH || rule->match == PCL_MATCH_NAME);
}

/* Whether the rule can refuse to change or to execute, under any condition. */
static bool is_guarded(const struct deeds *deeds)
{
	const unsigned *blocked = deeds->done[PCL_EFFECT_BLOCK];

	return (blocked[0] | blocked[1]) & (DO_WRITE | DO_EXECUTE);
}

/* The directories above what is named may not change their names. */
static int guard_name(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule,
		      const char *name)
{
	size_t len = 0;
	const char *path = guarded_text(rule, name, &len);

	for (size_t i = 1; i < len; i++)
		if ((path[i] == '/' || !path[i]) && add_guard(maker, path, i, rule))
			return -ENOMEM;
	return 0;
}

static const struct pcl_apparmor_line stays = {.verb = DENY,
					       .who = "",
					       .form = PCL_APPARMOR_FORM_STAY};

/* A program under another name would be executed: it may not be moved, nor anything over it. */
static void add_program_guard(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule,
			      const char *name)
{
	if (has_program_guard(rule))
		pcl_apparmor_add_glob(maker, &stays, make_glob(rule, name), rule);
}

struct visit {
	struct pcl_apparmor_maker *maker;
	const struct pcl_rule *rule;
	const struct deeds *deeds;
};

static int add_name(void *context, const char *name)
{
	const struct visit *visit = context;
	struct pcl_apparmor_maker *maker = visit->maker;
	const struct pcl_rule *rule = visit->rule;
	const struct pcl_apparmor_class *class = &maker->classes[rule->class];
	const unsigned(*done)[2] = visit->deeds->done;
	const unsigned *blocked = done[PCL_EFFECT_BLOCK];

	add_effect(maker, rule, name, DENY, blocked);
	if (!has_own_line(maker, rule, name)) {
		if (class->grant == PCL_APPARMOR_GRANT_LISTED)
			add_effect(maker, rule, name,
				   pcl_apparmor_is_told(maker, rule) ? "audit " : "",
				   done[PCL_EFFECT_ALLOW]);
		else
			add_effect(maker, rule, name, "audit ", done[PCL_EFFECT_AUDIT]);
	}
	if (!is_guarded(visit->deeds))
		return 0;
	add_program_guard(maker, rule, name);
	return guard_name(maker, rule, name);
}

int pcl_apparmor_add_path_rule(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule)
{
	struct deeds deeds;
	struct visit visit = {maker, rule, &deeds};

	find_deeds(rule, &deeds);
	return pcl_aliases_each(aliases_of(maker, rule), rule->object, add_name, &visit);
}

/* Whether path is a directory that the rule keeps where it is. */
static bool guards_directory(const struct pcl_rule *rule, const char *path)
{
	size_t path_len = strlen(path), len = 0;
	const char *name = guarded_text(rule, rule->object, &len);

	return path_len > 1 && path_len < len && !strncmp(path, name, path_len) &&
	       (name[path_len] == '/' || !name[path_len]);
}

/* A program's line has its name alone, and a directory's name would end in a slash. */
static bool guards_path(const struct pcl_rule *rule, const struct pcl_operation *operation)
{
	const char *path = operation->object;
	struct deeds deeds;

	if (!path || (rule->class != PCL_CLASS_PROCESS && rule->class != PCL_CLASS_FILE))
		return false;
	find_deeds(rule, &deeds);
	return is_guarded(&deeds) &&
	       (guards_directory(rule, path) || (!operation->directory && has_program_guard(rule) &&
						 pcl_rule_matches_object(rule, path)));
}

const struct pcl_rule *pcl_apparmor_guard(const struct pcl_ruleset *ruleset,
					  const struct pcl_operation *operation)
{
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		const struct pcl_rule *rule = ruleset->rules[i];
		bool guards = guards_path(rule, operation);

		if (operation->access == PCL_ACCESS_SOCKET)
			guards = rule->class == PCL_CLASS_NETWORK &&
				 pcl_apparmor_guards_socket(rule, &operation->socket);
		if (guards && pcl_rule_matches_source(rule, operation->source))
			return rule;
	}
	return NULL;
}

static int compare_guards(const void *a, const void *b)
{
	const struct pcl_apparmor_guarded *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : pcl_rule_compare(x->rule, y->rule);
}

void pcl_apparmor_add_guards(struct pcl_apparmor_maker *maker)
{
	if (!maker->guard_count)
		return;
	qsort(maker->guards, maker->guard_count, sizeof(*maker->guards), compare_guards);
	for (size_t i = 0; i < maker->guard_count; i++) {
		const struct pcl_apparmor_guarded *guard = &maker->guards[i];

		if (!i || strcmp(guard->path, guard[-1].path))
			pcl_apparmor_add_glob(maker, &stays, make_glob(NULL, guard->path),
					      guard->rule);
	}
}

void pcl_apparmor_free_guards(struct pcl_apparmor_maker *maker)
{
	for (size_t i = 0; i < maker->guard_count; i++)
		free(maker->guards[i].path);
	free(maker->guards);
	maker->guards = NULL;
	maker->guard_count = 0;
}

/* --- the rest of a list ------------------------------------------------------------------------
 */

struct rest_visit {
	struct pcl_apparmor_maker *maker;
	struct pcl_apparmor_rest *rest;
	const struct pcl_rule *rule;
	enum pcl_class class;
};

static int add_listed(void *context, const char *name)
{
	const struct rest_visit *visit = context;

	return pcl_apparmor_rest_add(visit->rest, name, visit->rule->match);
}

void pcl_apparmor_put_class(struct pcl_apparmor_maker *maker, enum pcl_class class)
{
	pcl_apparmor_put_permissions(maker,
				     class == PCL_CLASS_PROCESS ? DO_EXECUTE : DO_READ | DO_WRITE,
				     "");
}

void pcl_apparmor_put_any_link(struct pcl_apparmor_maker *maker)
{
	(void)fputs("\tlink " PCL_APPARMOR_ANY_NAME " -> " PCL_APPARMOR_ANY_NAME, maker->out);
	pcl_apparmor_end_line(maker, NULL);
}

static void print_rest_glob(void *context, const char *glob)
{
	const struct rest_visit *visit = context;
	struct pcl_apparmor_maker *maker = visit->maker;

	(void)fprintf(maker->out, "\taudit \"%s\" ", glob);
	pcl_apparmor_put_class(maker, visit->class);
	pcl_apparmor_end_line(maker, NULL);
	if (visit->class != PCL_CLASS_FILE)
		return;
	(void)fprintf(maker->out, "\taudit link " PCL_APPARMOR_ANY_NAME " -> \"%s\"", glob);
	pcl_apparmor_end_line(maker, NULL);
	(void)fprintf(maker->out, "\taudit link \"%s\" -> " PCL_APPARMOR_ANY_NAME, glob);
	pcl_apparmor_end_line(maker, NULL);
}

int pcl_apparmor_put_path_rest(struct pcl_apparmor_maker *maker, enum pcl_class class)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	pcl_cleanup(pcl_apparmor_rest_free) struct pcl_apparmor_rest *rest =
		pcl_apparmor_rest_new();
	struct rest_visit visit = {.maker = maker, .rest = rest, .class = class};
	int error = rest ? 0 : -ENOMEM;

	for (size_t i = 0; !error && i < ruleset->rule_count; i++) {
		visit.rule = ruleset->rules[i];
		if (visit.rule->class == class && visit.rule->action == PCL_ACTION_ALLOW &&
		    !visit.rule->flags && pcl_apparmor_is_place(visit.rule) &&
		    pcl_apparmor_is_active(maker, visit.rule))
			error = pcl_aliases_each(maker->domain->aliases, visit.rule->object,
						 add_listed, &visit);
	}
	if (!error)
		error = pcl_apparmor_rest_print(rest, print_rest_glob, &visit);
	if (error != -E2BIG)
		return error;
	print_rest_glob(&visit, "/{,**}");
	return 0;
}

/* --- sources ------------------------------------------------------------------------------------
 */

/* What becomes of executing a source in the profile at hand, by the model. */
static int may_execute(const struct pcl_apparmor_maker *maker, const char *path, bool ret_may[2])
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	pcl_autofree const struct pcl_rule **matched =
		calloc(ruleset->rule_count + 1, sizeof(*matched));
	size_t count = 0;

	if (!matched)
		return -ENOMEM;
	for (size_t i = 0; i < ruleset->rule_count; i++)
		if (ruleset->rules[i]->class == PCL_CLASS_PROCESS &&
		    pcl_apparmor_is_active(maker, ruleset->rules[i]) &&
		    matches_path(maker, ruleset->rules[i], path))
			matched[count++] = ruleset->rules[i];
	for (unsigned owner = 0; owner < 2; owner++) {
		const struct pcl_operation operation = {.access = PCL_ACCESS_EXECUTE,
							.owner = owner};
		struct pcl_verdict verdict;

		pcl_decide_matched(ruleset, matched, count, &operation, &verdict);
		ret_may[owner] = !verdict.refused;
	}
	return 0;
}

int pcl_apparmor_put_sources(struct pcl_apparmor_maker *maker)
{
	static const char *const who[2][2] = {{NULL, "owner "}, {"other ", ""}};

	for (size_t i = 0; i < maker->source_count; i++) {
		const char *source = maker->sources[i];
		bool may[2];

		if (may_execute(maker, source, may))
			return -ENOMEM;
		if (!who[may[0]][may[1]])
			continue;
		(void)fprintf(maker->out, "\t%s%s\"",
			      maker->classes[PCL_CLASS_PROCESS].told ? "audit " : "",
			      who[may[0]][may[1]]);
		pcl_apparmor_put_path(source, maker->out);
		(void)fputs("\" px -> \"", maker->out);
		pcl_apparmor_put_profile_name(maker, source, maker->out);
		(void)fputc('"', maker->out);
		pcl_apparmor_end_line(maker, NULL);
	}
	return 0;
}

/* --- links within a list ------------------------------------------------------------------------
 */

int pcl_apparmor_open_listed(struct pcl_apparmor_maker *maker)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(maker->listed); i++) {
		struct pcl_apparmor_listed *listed = &maker->listed[i];

		listed->count = 0;
		listed->out = open_memstream(&listed->globs, &listed->len);
		if (!listed->out)
			return -ENOMEM;
	}
	return 0;
}

static void print_listed(struct pcl_apparmor_maker *maker, const char *globs, size_t count,
			 const char *who)
{
	const char *open = count > 1 ? "{" : "", *close = count > 1 ? "}" : "";

	(void)fprintf(maker->out, "\t%s%slink \"/%s%s%s\" -> \"/%s%s%s\"",
		      maker->classes[PCL_CLASS_FILE].audited ? "audit " : "", who, open, globs,
		      close, open, globs, close);
	pcl_apparmor_end_line(maker, NULL);
}

/* What is listed for all also stands among what is listed for the owner. */
int pcl_apparmor_put_listed(struct pcl_apparmor_maker *maker)
{
	static const char *const who[] = {"", "owner "};
	int error = 0;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(maker->listed); i++) {
		struct pcl_apparmor_listed *listed = &maker->listed[i];

		if (listed->out && fclose(listed->out) != 0)
			error = -ENOMEM;
		listed->out = NULL;
		if (!error && listed->count && (!i || listed->count > maker->listed[0].count))
			print_listed(maker, listed->globs, listed->count, who[i]);
		free(listed->globs);
		listed->globs = NULL;
	}
	return error;
}
