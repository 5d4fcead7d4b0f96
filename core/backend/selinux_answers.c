/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the model says of each name in the view: of the object itself, and of what would be made in
 * a directory. Links on a rule's path make it a rule of the other place as well.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/selinux_maker.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "policy/glob.h"
#include "policy/index.h"

/* --- names -----------------------------------------------------------------------------------
 */

static bool is_place(const struct pcl_rule *rule)
{
	return rule->match == PCL_MATCH_PATH || rule->match == PCL_MATCH_DIR ||
	       rule->match == PCL_MATCH_DIR_RECURSIVE;
}

static bool is_of_files(const struct pcl_rule *rule)
{
	return rule->class == PCL_CLASS_PROCESS || rule->class == PCL_CLASS_FILE;
}

static bool can_refuse(const struct pcl_rule *rule)
{
	return rule->action == PCL_ACTION_BLOCK ||
	       (rule->action == PCL_ACTION_ALLOW && rule->flags);
}

/*
 * The text whose slashes end the names of directories that must stay, and its length: the object's
 * name, of a pattern as far as it is literal. A directory of programs has to stay itself.
 */
static const char *kept_text(const struct pcl_rule *rule, const char *name, size_t *ret_len)
{
	bool dir = rule->match == PCL_MATCH_DIR || rule->match == PCL_MATCH_DIR_RECURSIVE;

	*ret_len = 0;
	if (rule->match == PCL_MATCH_PATTERN)
		return pcl_glob_prefix(rule->glob, ret_len);
	if (is_place(rule) && strcmp(name, "/") != 0)
		*ret_len = strlen(name) + (dir && rule->class == PCL_CLASS_PROCESS);
	return name;
}

struct naming {
	struct pcl_selinux_judge *judge;
	size_t rank;
};

static int add_kept(struct pcl_selinux_judge *judge, const struct pcl_rule *rule, const char *name)
{
	size_t len;
	const char *text = kept_text(rule, name, &len);

	for (size_t i = 1; i < len; i++) {
		struct pcl_selinux_kept kept = {.rule = rule};

		if (text[i] != '/' && text[i])
			continue;
		if (pcl_array_grow(&judge->kept, judge->kept_count, sizeof(kept)) ||
		    !(kept.path = strndup(text, i)))
			return -ENOMEM;
		judge->kept[judge->kept_count++] = kept;
	}
	return 0;
}

static int add_name(void *context, const char *name)
{
	const struct naming *naming = context;
	struct pcl_selinux_judge *judge = naming->judge;
	const struct pcl_rule *rule = judge->ruleset->rules[naming->rank];

	if (can_refuse(rule) && add_kept(judge, rule, name))
		return -ENOMEM;
	if (name == rule->object)
		return 0;
	if (pcl_array_grow(&judge->aliases, judge->alias_count, sizeof(*judge->aliases)))
		return -ENOMEM;
	judge->aliases[judge->alias_count++] = (struct pcl_selinux_alias){naming->rank, name};
	return 0;
}

static int compare_kept(const void *a, const void *b)
{
	const struct pcl_selinux_kept *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : pcl_rule_compare(x->rule, y->rule);
}

int pcl_selinux_judge_init(struct pcl_selinux_judge *judge, const struct pcl_backend_domain *domain)
{
	const struct pcl_ruleset *ruleset = domain->ruleset;

	judge->ruleset = ruleset;
	judge->matched = calloc(ruleset->rule_count + 1, sizeof(*judge->matched));
	judge->ranks = calloc(ruleset->rule_count + 1, sizeof(*judge->ranks));
	if (!judge->matched || !judge->ranks)
		return -ENOMEM;
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		const struct pcl_rule *rule = ruleset->rules[i];
		struct naming naming = {judge, i};

		if (is_of_files(rule) && pcl_aliases_each(is_place(rule) ? domain->aliases : NULL,
							  rule->object, add_name, &naming))
			return -ENOMEM;
	}
	if (judge->kept_count)
		qsort(judge->kept, judge->kept_count, sizeof(*judge->kept), compare_kept);
	return 0;
}

void pcl_selinux_judge_fini(struct pcl_selinux_judge *judge)
{
	for (size_t i = 0; i < judge->kept_count; i++)
		free(judge->kept[i].path);
	free(judge->kept);
	free(judge->aliases);
	free((void *)judge->matched);
	free(judge->ranks);
}

/* The first rule that keeps the directory, or NULL. */
static const struct pcl_rule *find_kept(const struct pcl_selinux_judge *judge, const char *path)
{
	size_t from = 0, to = judge->kept_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (strcmp(judge->kept[middle].path, path) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from < judge->kept_count && !strcmp(judge->kept[from].path, path)
		       ? judge->kept[from].rule
		       : NULL;
}

/* --- the model's answer ----------------------------------------------------------------------
 */

static void add_rank(struct pcl_selinux_judge *judge, size_t rank)
{
	size_t at = judge->rank_count;

	while (at && judge->ranks[at - 1] > rank)
		at--;
	if (at && judge->ranks[at - 1] == rank)
		return;
	memmove(&judge->ranks[at + 1], &judge->ranks[at],
		(judge->rank_count - at) * sizeof(*judge->ranks));
	judge->ranks[at] = rank;
	judge->rank_count++;
}

struct finding {
	struct pcl_selinux_judge *judge;
	const struct pcl_operation *operation;
};

static void visit(void *context, size_t rank)
{
	const struct finding *finding = context;
	const struct pcl_rule *rule = finding->judge->ruleset->rules[rank];

	if (rule->class == pcl_access_class(finding->operation->access) &&
	    pcl_rule_matches(rule, finding->operation) &&
	    pcl_rule_matches_source(rule, finding->operation->source))
		add_rank(finding->judge, rank);
}

static bool alias_matches(const struct pcl_rule *rule, const struct pcl_selinux_alias *alias,
			  const char *path)
{
	struct pcl_rule renamed = *rule;

	renamed.object = (char *)alias->name;
	return pcl_rule_matches_object(&renamed, path);
}

/* source: what the task runs; NULL: none of the programs that rules name. */
static void ask(struct pcl_selinux_judge *judge, enum pcl_access access, const char *path,
		const char *source, struct pcl_verdict *ret_verdict)
{
	const struct pcl_operation operation = {.access = access, .object = path, .source = source};
	const struct pcl_ruleset *ruleset = judge->ruleset;
	struct finding finding = {judge, &operation};

	judge->rank_count = 0;
	pcl_index_find(ruleset->index, &operation, visit, &finding);
	for (size_t i = 0; i < judge->alias_count; i++) {
		const struct pcl_selinux_alias *alias = &judge->aliases[i];
		const struct pcl_rule *rule = ruleset->rules[alias->rank];

		if (rule->class == pcl_access_class(access) && alias_matches(rule, alias, path) &&
		    pcl_rule_matches_source(rule, source))
			add_rank(judge, alias->rank);
	}
	for (size_t i = 0; i < judge->rank_count; i++)
		judge->matched[i] = ruleset->rules[judge->ranks[i]];
	pcl_decide_matched(ruleset, judge->matched, judge->rank_count, &operation, ret_verdict);
}

static void add_reason(struct pcl_selinux_answer *answer, const struct pcl_rule *rule)
{
	for (size_t i = 0; i < answer->rule_count; i++)
		if (answer->rules[i] == rule)
			return;
	if (rule && answer->rule_count < PCL_SELINUX_REASONS_MAX)
		answer->rules[answer->rule_count++] = rule;
}

static const struct {
	enum pcl_access access;
	unsigned refused, unlisted, told;
} questions[] = {
	{PCL_ACCESS_READ, PCL_SELINUX_READ, PCL_SELINUX_READ, PCL_SELINUX_TELL_READ},
	{PCL_ACCESS_WRITE, PCL_SELINUX_WRITE, PCL_SELINUX_WRITE, PCL_SELINUX_TELL_WRITE},
	{PCL_ACCESS_EXECUTE, PCL_SELINUX_EXECUTE, PCL_SELINUX_UNLISTED, PCL_SELINUX_TELL_EXECUTE},
};

/* A program that a rule names keeps its name, for another one in its place would be executed. */
static bool keeps_program(const struct pcl_verdict *verdict)
{
	return verdict->refused && verdict->rule && verdict->rule->class == PCL_CLASS_PROCESS &&
	       verdict->rule->match != PCL_MATCH_DIR &&
	       verdict->rule->match != PCL_MATCH_DIR_RECURSIVE;
}

/* Of an object that is no directory, or of what a directory is to files. */
static unsigned ask_all(struct pcl_selinux_judge *judge, const char *path, const char *source,
			bool directory, struct pcl_selinux_answer *answer)
{
	unsigned bits = 0;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(questions); i++) {
		struct pcl_verdict verdict;

		/* Nobody executes a directory. */
		if (directory && questions[i].access == PCL_ACCESS_EXECUTE)
			continue;
		ask(judge, questions[i].access, path, source, &verdict);
		if (verdict.refused)
			bits |= verdict.rule ? questions[i].refused : questions[i].unlisted;
		if (verdict.audit_rule)
			bits |= questions[i].told;
		if (keeps_program(&verdict))
			bits |= PCL_SELINUX_KEEP;
		add_reason(answer, verdict.rule);
		add_reason(answer, verdict.audit_rule);
	}
	return bits;
}

/* made: the name of something in a directory; NULL: it is none. */
static unsigned ask_for(struct pcl_selinux_judge *judge, const struct pcl_selinux_entry *entry,
			const char *made, const char *source, struct pcl_selinux_answer *answer)
{
	unsigned bits = ask_all(judge, entry->path, source, made, answer);

	if (made)
		bits |= PCL_SELINUX_DIR | ask_all(judge, made, source, false, answer)
						  << PCL_SELINUX_MADE_SHIFT;
	return bits;
}

/* Who is refused executing by a rule is so the more by a list that refuses it to everybody. */
static unsigned join_lists(unsigned bits, unsigned of_all)
{
	unsigned executes = PCL_SELINUX_EXECUTE | PCL_SELINUX_EXECUTE << PCL_SELINUX_MADE_SHIFT;

	return bits | ((bits & executes) * (PCL_SELINUX_UNLISTED / PCL_SELINUX_EXECUTE) & of_all);
}

/* What keeps its name keeps it whoever would move it. */
static void join_kept(struct pcl_selinux_answer *answer, size_t count)
{
	unsigned kept = PCL_SELINUX_KEEP | PCL_SELINUX_KEEP << PCL_SELINUX_MADE_SHIFT;

	for (size_t p = 0; p < count; p++)
		answer->bits |= answer->of[p] & kept;
	for (size_t p = 0; p < count; p++)
		answer->of[p] = join_lists(answer->of[p] | (answer->bits & kept), answer->bits);
}

/* A program is labelled for the sake of the rules whose source it is. */
static void add_about(const struct pcl_selinux_judge *judge,
		      const struct pcl_selinux_programs *programs,
		      struct pcl_selinux_answer *answer)
{
	size_t program = pcl_selinux_program_of(programs, answer->sources);

	for (size_t i = 0; program < programs->count && i < judge->ruleset->rule_count; i++)
		if (pcl_selinux_is_about(judge->ruleset->rules[i], judge,
					 &programs->items[program]))
			add_reason(answer, judge->ruleset->rules[i]);
}

int pcl_selinux_judge(struct pcl_selinux_judge *judge, const struct pcl_selinux_programs *programs,
		      const struct pcl_selinux_entry *entry, struct pcl_selinux_answer *answer)
{
	pcl_autofree char *made = NULL;
	const struct pcl_rule *keeper = entry->kind == 'd' ? find_kept(judge, entry->path) : NULL;

	if (entry->kind == 'd' && asprintf(&made, "%s/" PCL_SELINUX_MADE_NAME,
					   strcmp(entry->path, "/") ? entry->path : "") < 0) {
		made = NULL;
		return -ENOMEM;
	}
	answer->bits = ask_for(judge, entry, made, NULL, answer);
	answer->bits |= keeper ? PCL_SELINUX_KEEP : 0;
	add_reason(answer, keeper);
	for (size_t p = 0; p < programs->count; p++) {
		answer->of[p] =
			programs->items[p].sources & PCL_SELINUX_NO_SOURCE ? answer->bits : 0;
		for (size_t i = 0; i < judge->source_count; i++)
			if (programs->items[p].sources & (1u << i))
				answer->of[p] |=
					ask_for(judge, entry, made, judge->sources[i], answer);
	}
	join_kept(answer, programs->count);
	add_about(judge, programs, answer);
	return 0;
}

static bool is_blocking_list(const struct pcl_ruleset *ruleset, enum pcl_class class)
{
	return ruleset->allow_list[class] &&
	       pcl_postures_get(&ruleset->postures, class) == PCL_POSTURE_BLOCK;
}

unsigned pcl_selinux_unruled(const struct pcl_selinux_judge *judge, bool directory)
{
	unsigned bits = 0;

	if (is_blocking_list(judge->ruleset, PCL_CLASS_FILE))
		bits |= PCL_SELINUX_READ | PCL_SELINUX_WRITE;
	if (directory)
		return PCL_SELINUX_DIR | bits |
		       pcl_selinux_unruled(judge, false) << PCL_SELINUX_MADE_SHIFT;
	if (is_blocking_list(judge->ruleset, PCL_CLASS_PROCESS))
		bits |= PCL_SELINUX_UNLISTED;
	return bits;
}

void pcl_selinux_answer_join(struct pcl_selinux_answer *answer,
			     const struct pcl_selinux_answer *other)
{
	answer->bits |= other->bits;
	answer->sources |= other->sources;
	for (size_t p = 0; p < PCL_SELINUX_SOURCES_MAX; p++)
		answer->of[p] |= other->of[p];
	for (size_t i = 0; i < other->rule_count; i++)
		add_reason(answer, other->rules[i]);
}

/* --- what is kept ----------------------------------------------------------------------------
 */

static bool keeps_directory(const struct pcl_rule *rule, const char *path)
{
	size_t path_len = strlen(path), len;
	const char *name = kept_text(rule, rule->object, &len);

	return path_len > 1 && path_len < len && !strncmp(path, name, path_len) &&
	       (name[path_len] == '/' || !name[path_len]);
}

const struct pcl_rule *pcl_selinux_guard(const struct pcl_ruleset *ruleset,
					 const struct pcl_operation *change)
{
	for (size_t i = 0; change->object && i < ruleset->rule_count; i++) {
		const struct pcl_rule *rule = ruleset->rules[i];
		bool program = rule->class == PCL_CLASS_PROCESS && rule->match != PCL_MATCH_DIR &&
			       rule->match != PCL_MATCH_DIR_RECURSIVE;

		if (is_of_files(rule) && can_refuse(rule) &&
		    (keeps_directory(rule, change->object) ||
		     (program && pcl_rule_matches_object(rule, change->object))))
			return rule;
	}
	return NULL;
}
