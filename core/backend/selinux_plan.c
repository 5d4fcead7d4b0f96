/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's ruleset and a view to types, constraints and labels.
 *
 * First each file gets its answer, where the names of one file share the strictest; then files of
 * one type and one answer get a clone of it, unless the answer is what unruled files get; then what
 * is refused becomes one constraint for each class of objects and kind of access, on all the clones
 * that it is refused of; and one more for each set of programs to whose processes it is refused
 * alone, or to all but theirs.
 */
#include "backend/selinux_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/selinux_maker.h"
#include "base/array.h"
#include "base/cleanup.h"

/* In the order of the bits. */
static const char letters[PCL_SELINUX_BIT_COUNT + 1] = "rwxuklmn";
#define NO_LETTER 'p'

static void maker_fini(struct pcl_selinux_maker *maker)
{
	for (size_t i = 0; i < maker->kind_count; i++) {
		free(maker->kinds[i].name);
		free((void *)maker->kinds[i].rules);
	}
	free(maker->kinds);
	free(maker->answers);
	pcl_selinux_programs_fini(&maker->programs);
	pcl_selinux_judge_fini(&maker->judge);
}

/* --- names -----------------------------------------------------------------------------------
 */

const char *pcl_selinux_base(const char *type)
{
	size_t len = strlen(PCL_SELINUX_PREFIX);
	const char *end;

	if (strncmp(type, PCL_SELINUX_PREFIX, len) != 0)
		return type;
	end = strchr(type + len, '_');
	return end ? end + 1 : type;
}

static size_t put_letters(char *to, unsigned bits, bool capital)
{
	size_t len = 0;

	for (size_t i = 0; i < PCL_SELINUX_BIT_COUNT; i++)
		if (bits & (1u << i))
			to[len++] = letters[i];
	if (!len)
		to[len++] = NO_LETTER;
	for (size_t i = 0; capital && i < len; i++)
		to[i] = (char)(to[i] - 'a' + 'A');
	return len;
}

#define OWN_BITS(bits) ((bits) & ((1u << PCL_SELINUX_BIT_COUNT) - 1))
#define MADE_BITS(bits) OWN_BITS((bits) >> PCL_SELINUX_MADE_SHIFT)

static void put_bits(FILE *out, unsigned bits)
{
	char text[2 * PCL_SELINUX_BIT_COUNT + 1];
	size_t len = put_letters(text, OWN_BITS(bits), false);

	if (bits & PCL_SELINUX_DIR)
		len += put_letters(text + len, MADE_BITS(bits), true);
	(void)fprintf(out, "%.*s", (int)len, text);
}

static char *clone_name(const struct pcl_selinux_maker *maker, const struct pcl_selinux_kind *kind)
{
	char *name = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&name, &len);

	if (!out)
		return NULL;
	(void)fputs(PCL_SELINUX_PREFIX, out);
	put_bits(out, kind->bits);
	for (size_t p = 0; p < maker->programs.count; p++) {
		if (kind->of[p] == kind->bits)
			continue;
		(void)fputs(maker->programs.items[p].name, out);
		put_bits(out, kind->of[p]);
	}
	if (kind->program)
		(void)fprintf(out, "s%s", kind->program->name);
	(void)fprintf(out, "_%.*s", (int)kind->base_len, kind->base);
	if (fclose(out)) {
		free(name);
		return NULL;
	}
	return name;
}

/* The type in a context, "USER:ROLE:TYPE" and perhaps ":RANGE"; NULL where it is none. */
static const char *find_type(const char *context, size_t *ret_len)
{
	const char *type = strchr(context, ':');

	type = type ? strchr(type + 1, ':') : NULL;
	if (!type)
		return NULL;
	*ret_len = strcspn(++type, ":");
	return *ret_len ? type : NULL;
}

/* --- reasons ---------------------------------------------------------------------------------
 */

static int compare_rules(const void *a, const void *b)
{
	return pcl_rule_compare(*(const struct pcl_rule *const *)a,
				*(const struct pcl_rule *const *)b);
}

int pcl_selinux_reason_make(const struct pcl_rule *const *rules, size_t count,
			    struct pcl_selinux_reason *ret_reason)
{
	struct pcl_selinux_reason reason = {
		.rules = calloc(count + 1, sizeof(*reason.rules)),
	};

	if (!reason.rules)
		return -ENOMEM;
	if (count) {
		memcpy((void *)reason.rules, (const void *)rules, count * sizeof(*rules));
		qsort((void *)reason.rules, count, sizeof(*reason.rules), compare_rules);
	}
	for (size_t i = 0; i < count; i++)
		if (!i || reason.rules[i] != reason.rules[i - 1])
			reason.rules[reason.rule_count++] = reason.rules[i];
	*ret_reason = reason;
	return 0;
}

static void reason_fini(struct pcl_selinux_reason *reason)
{
	free((void *)reason->rules);
}

/* --- answers ---------------------------------------------------------------------------------
 */

/* Of the names of one file the strictest answer holds, since it has one label. */
struct name {
	const struct pcl_selinux_entry *entry;
	struct pcl_selinux_answer *answer;
};

static int compare_inodes(const void *a, const void *b)
{
	const struct pcl_selinux_entry *x = ((const struct name *)a)->entry;
	const struct pcl_selinux_entry *y = ((const struct name *)b)->entry;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return strcmp(x->path, y->path);
}

static bool is_same_file(const struct name *a, const struct name *b)
{
	return a->entry->device == b->entry->device && a->entry->inode == b->entry->inode;
}

static int join_names(struct pcl_selinux_maker *maker)
{
	pcl_autofree struct name *names = calloc(maker->view->entry_count + 1, sizeof(*names));
	size_t count = 0;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < maker->view->entry_count; i++)
		if (maker->view->entries[i].inode)
			names[count++] =
				(struct name){&maker->view->entries[i], &maker->answers[i]};
	if (count)
		qsort(names, count, sizeof(*names), compare_inodes);
	for (size_t i = 1; i < count; i++)
		if (is_same_file(&names[i - 1], &names[i]))
			pcl_selinux_answer_join(names[i].answer, names[i - 1].answer);
	for (size_t i = count; i-- > 1;)
		if (is_same_file(&names[i - 1], &names[i]))
			*names[i - 1].answer = *names[i].answer;
	return 0;
}

static int compare_type(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

/* Whether the policy has the type; a file system may hold labels that it has not. */
static bool is_known(const struct pcl_selinux_view *view, const char *type)
{
	return !view->type_count || bsearch(type, (const void *)view->types, view->type_count,
					    sizeof(*view->types), compare_type);
}

/*
 * The type in a context, without what makes a clone of it: within context, for its base outlives
 * the plan's making. NULL for no context, and for what is none.
 */
static const char *find_base(const char *context, size_t *ret_len)
{
	size_t len = 0;
	const char *type = context ? find_type(context, &len) : NULL, *base;

	if (!type)
		return NULL;
	base = pcl_selinux_base(type);
	/* An underscore of what follows is none of the type's. */
	if (base >= type + len)
		base = type;
	*ret_len = len - (size_t)(base - type);
	return base;
}

int pcl_selinux_known_base(const struct pcl_selinux_maker *maker,
			   const struct pcl_selinux_entry *entry, char **ret_base)
{
	size_t len = 0;
	const char *found = find_base(entry->context, &len);
	pcl_autofree char *base = found ? strndup(found, len) : NULL;

	if (found && !base)
		return -ENOMEM;
	*ret_base = base && is_known(maker->view, base) ? pcl_take_ptr(base) : NULL;
	return 0;
}

static int note_program(struct pcl_selinux_maker *maker, size_t index)
{
	const struct pcl_selinux_answer *answer = &maker->answers[index];
	struct pcl_selinux_program *program;
	pcl_autofree char *base = NULL;

	if (!(answer->sources & ~PCL_SELINUX_NO_SOURCE))
		return 0;
	if (pcl_selinux_known_base(maker, &maker->view->entries[index], &base))
		return -ENOMEM;
	if (!base)
		return 0;
	program = pcl_selinux_program_for(&maker->judge, &maker->programs, answer->sources);
	if (!program)
		return pcl_diag_set(maker->diag, -EOPNOTSUPP,
				    "backend selinux cannot tell %s from another source",
				    maker->view->entries[index].path);
	return pcl_selinux_add_domains(program, maker->view, base);
}

/* Which files are sources, and with them which programs there are. */
static int find_programs(struct pcl_selinux_maker *maker)
{
	int error;

	if (!maker->judge.source_count)
		return 0;
	for (size_t i = 0; i < maker->view->entry_count; i++) {
		unsigned sources;

		if (maker->view->entries[i].kind != 'f')
			continue;
		sources = pcl_selinux_sources_of(maker->judge.sources, maker->judge.source_count,
						 maker->aliases, maker->view->entries[i].path);
		maker->answers[i].sources = sources ? sources : PCL_SELINUX_NO_SOURCE;
	}
	error = join_names(maker);
	for (size_t i = 0; i < maker->view->entry_count && !error; i++)
		error = note_program(maker, i);
	pcl_selinux_drop_idle(&maker->programs);
	return error;
}

static int find_answers(struct pcl_selinux_maker *maker)
{
	int error;

	maker->answers = calloc(maker->view->entry_count + 1, sizeof(*maker->answers));
	if (!maker->answers)
		return -ENOMEM;
	error = find_programs(maker);
	for (size_t i = 0; i < maker->view->entry_count && !error; i++)
		error = pcl_selinux_judge(&maker->judge, &maker->programs, &maker->view->entries[i],
					  &maker->answers[i]);
	return error ? error : join_names(maker);
}

/* --- types -----------------------------------------------------------------------------------
 */

static int compare_kind(const struct pcl_selinux_kind *a, const struct pcl_selinux_kind *b)
{
	size_t len = a->base_len < b->base_len ? a->base_len : b->base_len;
	int order = memcmp(a->base, b->base, len);

	if (order || a->base_len != b->base_len)
		return order ? order : a->base_len < b->base_len ? -1 : 1;
	if (a->bits != b->bits)
		return a->bits < b->bits ? -1 : 1;
	if (a->program != b->program)
		return a->program < b->program ? -1 : 1;
	return memcmp(a->of, b->of, sizeof(a->of));
}

/* The kind like wanted, made where there is none. NULL without memory. */
static struct pcl_selinux_kind *kind_for(struct pcl_selinux_maker *maker,
					 const struct pcl_selinux_kind *wanted)
{
	size_t from = 0, to = maker->kind_count;
	struct pcl_selinux_kind *kind;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = compare_kind(&maker->kinds[middle], wanted);

		if (!order)
			return &maker->kinds[middle];
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	if (pcl_array_grow(&maker->kinds, maker->kind_count, sizeof(*kind)))
		return NULL;
	kind = &maker->kinds[from];
	memmove(kind + 1, kind, (maker->kind_count - from) * sizeof(*kind));
	*kind = *wanted;
	kind->name = NULL;
	kind->rules = NULL;
	kind->rule_count = 0;
	maker->kind_count++;
	kind->name = clone_name(maker, kind);
	return kind->name ? kind : NULL;
}

static int add_rule(struct pcl_selinux_kind *kind, const struct pcl_rule *rule)
{
	for (size_t i = 0; i < kind->rule_count; i++)
		if (kind->rules[i] == rule)
			return 0;
	if (pcl_array_grow(&kind->rules, kind->rule_count, sizeof(*kind->rules)))
		return -ENOMEM;
	kind->rules[kind->rule_count++] = rule;
	return 0;
}

/* "USER:ROLE:" before the type of context, then type, then what follows. */
static char *replace_type(const char *context, const char *type)
{
	size_t len = 0;
	const char *old = find_type(context, &len);
	char *text = NULL;

	if (asprintf(&text, "%.*s%s%s", (int)(old - context), context, type, old + len) < 0)
		return NULL;
	return text;
}

/* Adds to either list of the plan's. Takes after. */
static int add_relabel(struct pcl_selinux_relabel **list, size_t *count,
		       const struct pcl_selinux_entry *entry,
		       const struct pcl_selinux_answer *answer, char *after)
{
	struct pcl_selinux_relabel relabel = {entry->path, entry->context, after, {0}};

	if (pcl_array_grow(list, *count, sizeof(relabel)) ||
	    pcl_selinux_reason_make(answer->rules, answer->rule_count, &relabel.reason)) {
		free(after);
		return -ENOMEM;
	}
	(*list)[(*count)++] = relabel;
	return 0;
}

/* Whether something holds for it that does not for what no rule is about. */
static bool is_ruled(const struct pcl_selinux_maker *maker, const struct pcl_selinux_kind *kind,
		     unsigned unruled)
{
	for (size_t p = 0; p < maker->programs.count; p++)
		if (kind->of[p] != unruled)
			return true;
	return kind->bits != unruled || kind->program;
}

static int label(struct pcl_selinux_maker *maker, size_t index)
{
	const struct pcl_selinux_entry *entry = &maker->view->entries[index];
	const struct pcl_selinux_answer *answer = &maker->answers[index];
	struct pcl_selinux_plan *plan = maker->plan;
	size_t program = pcl_selinux_program_of(&maker->programs, answer->sources);
	struct pcl_selinux_kind wanted = {.bits = answer->bits}, *kind = NULL;
	pcl_autofree char *base = NULL, *after = NULL;
	bool ruled;

	memcpy(wanted.of, answer->of, sizeof(wanted.of));
	if (program < maker->programs.count)
		wanted.program = &maker->programs.items[program];
	ruled = is_ruled(maker, &wanted, pcl_selinux_unruled(&maker->judge, entry->kind == 'd'));
	if (pcl_selinux_known_base(maker, entry, &base))
		return -ENOMEM;
	if (!base)
		return ruled ? add_relabel(&plan->missed, &plan->missed_count, entry, answer, NULL)
			     : 0;
	if (ruled) {
		/* Within the context, which outlives the plan's making. */
		wanted.base = find_base(entry->context, &wanted.base_len);
		kind = kind_for(maker, &wanted);
		if (!kind)
			return -ENOMEM;
		for (size_t i = 0; i < answer->rule_count; i++)
			if (add_rule(kind, answer->rules[i]))
				return -ENOMEM;
	}
	after = replace_type(entry->context, kind ? kind->name : base);
	if (!after)
		return -ENOMEM;
	if (!strcmp(after, entry->context))
		return 0;
	if (entry->stays)
		return ruled ? add_relabel(&plan->missed, &plan->missed_count, entry, answer, NULL)
			     : 0;
	return add_relabel(&plan->relabels, &plan->relabel_count, entry, answer,
			   pcl_take_ptr(after));
}

/* --- what is made ----------------------------------------------------------------------------
 */

static unsigned bits_made(unsigned bits, bool directory)
{
	return directory ? PCL_SELINUX_DIR | (bits & ~PCL_SELINUX_KEEP) : MADE_BITS(bits);
}

/* Whether what is made in a directory of the kind is ruled. */
static bool makes_ruled(const struct pcl_selinux_maker *maker, const struct pcl_selinux_kind *kind,
			unsigned unruled)
{
	for (size_t p = 0; p < maker->programs.count; p++)
		if (MADE_BITS(kind->of[p]) != unruled)
			return true;
	return MADE_BITS(kind->bits) != unruled;
}

/* What is made in a directory of the kind by a transition to another type is as ruled as the rest.
 */
static int add_making(struct pcl_selinux_maker *maker, size_t index,
		      const struct pcl_selinux_making *making)
{
	const struct pcl_selinux_kind maker_kind = maker->kinds[index];
	bool directory = !strcmp(making->class_name, "dir");
	struct pcl_selinux_kind wanted = {
		.base = making->result,
		.base_len = strlen(making->result),
		.bits = bits_made(maker_kind.bits, directory),
	};
	struct pcl_selinux_changes *changes = &maker->plan->changes;
	struct pcl_selinux_enter enter = {0};
	struct pcl_selinux_kind *kind;

	for (size_t p = 0; p < maker->programs.count; p++)
		wanted.of[p] = bits_made(maker_kind.of[p], directory);
	kind = kind_for(maker, &wanted);
	if (!kind || pcl_array_grow(&changes->enters, changes->enters_count, sizeof(enter)))
		return -ENOMEM;
	for (size_t i = 0; i < maker_kind.rule_count; i++)
		if (add_rule(kind, maker_kind.rules[i]))
			return -ENOMEM;
	enter = (struct pcl_selinux_enter){strdup(making->source), strdup(maker_kind.name),
					   strdup(making->class_name), strdup(kind->name)};
	changes->enters[changes->enters_count++] = enter;
	return enter.source && enter.target && enter.class_name && enter.result ? 0 : -ENOMEM;
}

static bool is_making_in(const struct pcl_selinux_making *making,
			 const struct pcl_selinux_kind *kind)
{
	return strlen(making->target) == kind->base_len &&
	       !memcmp(making->target, kind->base, kind->base_len);
}

static bool is_done(const struct pcl_selinux_changes *changes, const struct pcl_selinux_kind *kind,
		    const struct pcl_selinux_making *making)
{
	for (size_t i = 0; i < changes->enters_count; i++)
		if (!strcmp(changes->enters[i].target, kind->name) &&
		    !strcmp(changes->enters[i].source, making->source) &&
		    !strcmp(changes->enters[i].class_name, making->class_name))
			return true;
	return false;
}

/* A kind that this makes may be a directory's, so it goes on until there is none left. */
static int add_makings(struct pcl_selinux_maker *maker)
{
	unsigned unruled = MADE_BITS(pcl_selinux_unruled(&maker->judge, true));
	size_t before;

	do {
		before = maker->plan->changes.enters_count;
		for (size_t m = 0; m < maker->view->making_count; m++) {
			const struct pcl_selinux_making *making = &maker->view->makings[m];

			for (size_t k = 0; k < maker->kind_count; k++)
				if (maker->kinds[k].bits & PCL_SELINUX_DIR &&
				    makes_ruled(maker, &maker->kinds[k], unruled) &&
				    is_making_in(making, &maker->kinds[k]) &&
				    !is_done(&maker->plan->changes, &maker->kinds[k], making) &&
				    add_making(maker, k, making))
					return -ENOMEM;
		}
	} while (maker->plan->changes.enters_count != before);
	return 0;
}

static int compare_enters(const void *a, const void *b)
{
	const struct pcl_selinux_enter *x = a, *y = b;
	int order = strcmp(x->target, y->target);

	order = order ? order : strcmp(x->source, y->source);
	return order ? order : strcmp(x->class_name, y->class_name);
}

/* --- clones and constraints ------------------------------------------------------------------
 */

int pcl_selinux_add_clone(struct pcl_selinux_plan *plan, const char *name, const char *base,
			  size_t base_len, const struct pcl_rule *const *rules, size_t rule_count)
{
	struct pcl_selinux_changes *changes = &plan->changes;
	struct pcl_selinux_clone *clone;

	if (pcl_array_grow(&changes->clones, changes->clones_count, sizeof(*clone)) ||
	    pcl_array_grow(&plan->of_clones, changes->clones_count, sizeof(*plan->of_clones)) ||
	    pcl_selinux_reason_make(rules, rule_count, &plan->of_clones[changes->clones_count]))
		return -ENOMEM;
	clone = &changes->clones[changes->clones_count++];
	*clone = (struct pcl_selinux_clone){
		.name = strdup(name),
		.base = strndup(base, base_len),
	};
	return clone->name && clone->base ? 0 : -ENOMEM;
}

static int add_clones(struct pcl_selinux_maker *maker)
{
	struct pcl_selinux_changes *changes = &maker->plan->changes;

	for (size_t i = 0; i < maker->kind_count; i++) {
		const struct pcl_selinux_kind *kind = &maker->kinds[i];

		if (pcl_selinux_add_clone(maker->plan, kind->name, kind->base, kind->base_len,
					  kind->rules, kind->rule_count))
			return -ENOMEM;
		changes->clones[changes->clones_count - 1].plain = !(kind->bits & PCL_SELINUX_DIR);
	}
	return 0;
}

int pcl_selinux_add_refuse(struct pcl_selinux_plan *plan, const char *class_name,
			   const char *const *permissions, size_t permission_count,
			   struct pcl_selinux_reason *reason,
			   struct pcl_selinux_refuse **ret_refuse)
{
	struct pcl_selinux_changes *changes = &plan->changes;
	struct pcl_selinux_refuse *refuse;

	if (pcl_array_grow(&changes->refuses, changes->refuses_count, sizeof(*refuse)) ||
	    pcl_array_grow(&plan->of_refuses, changes->refuses_count, sizeof(*reason))) {
		reason_fini(reason);
		return -ENOMEM;
	}
	plan->of_refuses[changes->refuses_count] = *reason;
	refuse = &changes->refuses[changes->refuses_count++];
	*refuse = (struct pcl_selinux_refuse){.class_name = strdup(class_name)};
	if (!refuse->class_name)
		return -ENOMEM;
	for (size_t i = 0; i < permission_count; i++)
		if (pcl_strings_add(&refuse->permissions, &refuse->permissions_count,
				    permissions[i]))
			return -ENOMEM;
	if (ret_refuse)
		*ret_refuse = refuse;
	return 0;
}

/* Which of a type's bits an access to objects of the class asks for. */
enum bits_of {
	OF_OBJECTS, /* of all classes but dir: a directory's type is theirs that are made in it */
	OF_DIRECTORIES, /* themselves */
	OF_MADE,	/* of what is made in directories */
	OF_MOVED,	/* the same, where a rule and not a list refuses it */
};

#define PERMISSIONS_MAX 10

/*
 * What stands behind each bit. A change of a label goes through setxattr; only away from a clone is
 * it refused, so that the label can be given. KERNEL: executing asks for execute of whom executes,
 * and then for execute_no_trans of it or for entrypoint of the domain that it enters.
 */
static const struct demand {
	unsigned bit;
	enum bits_of of;
	bool audit;
	const char *class_name;
	const char *permissions[PERMISSIONS_MAX];
} demands[] = {
#define CHANGES "create", "unlink", "rename", "link", "setattr", "relabelfrom"
#define RUNS "execute_no_trans", "entrypoint"
	{PCL_SELINUX_READ, OF_OBJECTS, false, "file", {"read"}},
	{PCL_SELINUX_READ, OF_DIRECTORIES, false, "dir", {"read"}},
	{PCL_SELINUX_READ, OF_OBJECTS, false, "chr_file", {"read"}},
	{PCL_SELINUX_READ, OF_OBJECTS, false, "blk_file", {"read"}},
	{PCL_SELINUX_READ, OF_OBJECTS, false, "fifo_file", {"read"}},
	{PCL_SELINUX_WRITE, OF_OBJECTS, false, "file", {"write", "append", CHANGES}},
	{PCL_SELINUX_WRITE,
	 OF_DIRECTORIES,
	 false,
	 "dir",
	 {"rename", "rmdir", "setattr", "relabelfrom"}},
	{PCL_SELINUX_WRITE, OF_MADE, false, "dir", {"create"}},
	{PCL_SELINUX_WRITE, OF_MOVED, false, "dir", {"add_name"}},
	{PCL_SELINUX_WRITE, OF_OBJECTS, false, "lnk_file", {CHANGES}},
	{PCL_SELINUX_WRITE, OF_OBJECTS, false, "chr_file", {"write", "append", CHANGES}},
	{PCL_SELINUX_WRITE, OF_OBJECTS, false, "blk_file", {"write", "append", CHANGES}},
	{PCL_SELINUX_WRITE, OF_OBJECTS, false, "fifo_file", {"write", "append", CHANGES}},
	{PCL_SELINUX_WRITE, OF_OBJECTS, false, "sock_file", {CHANGES}},
	{PCL_SELINUX_EXECUTE,
	 OF_OBJECTS,
	 false,
	 "file",
	 {"rename", "link", "relabelfrom", "execute", RUNS}},
	{PCL_SELINUX_UNLISTED, OF_OBJECTS, false, "file", {RUNS}},
	{PCL_SELINUX_KEEP, OF_OBJECTS, false, "file", {"rename", "unlink", "relabelfrom"}},
	{PCL_SELINUX_KEEP, OF_DIRECTORIES, false, "dir", {"rename", "relabelfrom"}},
	{PCL_SELINUX_TELL_READ, OF_OBJECTS, true, "file", {"read"}},
	{PCL_SELINUX_TELL_READ, OF_DIRECTORIES, true, "dir", {"read"}},
	{PCL_SELINUX_TELL_WRITE, OF_OBJECTS, true, "file", {"write", "append", CHANGES}},
	{PCL_SELINUX_TELL_WRITE, OF_DIRECTORIES, true, "dir", {"rename", "rmdir", "setattr"}},
	{PCL_SELINUX_TELL_WRITE, OF_MADE, true, "dir", {"create"}},
	{PCL_SELINUX_TELL_EXECUTE, OF_OBJECTS, true, "file", {RUNS}},
};

static size_t count_permissions(const struct demand *demand)
{
	size_t count = 0;

	while (count < PERMISSIONS_MAX && demand->permissions[count])
		count++;
	return count;
}

static unsigned bits_for(enum bits_of of, unsigned bits, unsigned unruled)
{
	bool directory = bits & PCL_SELINUX_DIR;

	switch (of) {
	case OF_OBJECTS:
		return directory ? MADE_BITS(bits) : OWN_BITS(bits);
	case OF_DIRECTORIES:
		return directory ? OWN_BITS(bits) : 0;
	case OF_MADE:
		return directory ? MADE_BITS(bits) : 0;
	case OF_MOVED:
		return directory ? MADE_BITS(bits) & ~MADE_BITS(unruled) : 0;
	}
	return 0;
}

/* To whom it is refused: to all; to who runs one of a set; or to all but these. */
struct whom {
	bool others;
	unsigned programs;
};

/* Whether it is refused of the kind to who runs no program, and the programs that differ. */
static struct whom refused_to(const struct pcl_selinux_maker *maker, const struct demand *demand,
			      const struct pcl_selinux_kind *kind)
{
	unsigned unruled = pcl_selinux_unruled(&maker->judge, true);
	struct whom whom = {.others = bits_for(demand->of, kind->bits, unruled) & demand->bit};

	for (size_t p = 0; p < maker->programs.count; p++)
		if (!(bits_for(demand->of, kind->of[p], unruled) & demand->bit) == whom.others)
			whom.programs |= 1u << p;
	return whom;
}

static bool is_same(const struct whom *a, const struct whom *b)
{
	return a->others == b->others && a->programs == b->programs;
}

static bool is_to_nobody(const struct whom *whom)
{
	return !whom->others && !whom->programs;
}

/* Whether it is of what no rule is about, too; then it is to all. */
static bool is_of_unruled(const struct pcl_selinux_maker *maker, const struct demand *demand)
{
	unsigned unruled = pcl_selinux_unruled(&maker->judge, true);

	return bits_for(demand->of, unruled, unruled) & demand->bit;
}

static int add_targets(const struct pcl_selinux_maker *maker, const struct demand *demand,
		       const struct whom *whom, struct pcl_selinux_refuse *refuse)
{
	if (!whom->programs && is_of_unruled(maker, demand))
		for (size_t i = 0; i < maker->view->type_count; i++)
			if (pcl_strings_add(&refuse->targets, &refuse->targets_count,
					    maker->view->types[i]))
				return -ENOMEM;
	for (size_t i = 0; i < maker->kind_count; i++) {
		const struct whom other = refused_to(maker, demand, &maker->kinds[i]);

		if (is_same(whom, &other) &&
		    pcl_strings_add(&refuse->targets, &refuse->targets_count, maker->kinds[i].name))
			return -ENOMEM;
	}
	return 0;
}

/*
 * KERNEL: entrypoint is asked of what one becomes. Whoever may not execute a program is known by
 * what he is.
 */
static size_t count_asked(const struct demand *demand, const struct whom *whom)
{
	size_t count = count_permissions(demand);
	bool last = count && !strcmp(demand->permissions[count - 1], "entrypoint");

	return count - (whom->programs && last);
}

static int add_refuse_to(struct pcl_selinux_maker *maker, const struct demand *demand,
			 const struct whom *whom)
{
	struct pcl_selinux_reason none = {0};
	struct pcl_selinux_refuse *refuse;

	if (pcl_selinux_add_refuse(maker->plan, demand->class_name, demand->permissions,
				   count_asked(demand, whom), &none, &refuse))
		return -ENOMEM;
	refuse->others = whom->others && whom->programs;
	return add_targets(maker, demand, whom, refuse) ||
			       pcl_selinux_name_sources(&maker->programs, whom->programs,
							&refuse->sources, &refuse->sources_count)
		       ? -ENOMEM
		       : 0;
}

/* Of some kind it is refused to just these, and no kind before it was. */
static bool is_first(const struct pcl_selinux_maker *maker, const struct demand *demand,
		     size_t index, const struct whom *whom)
{
	for (size_t i = 0; i < index; i++) {
		const struct whom other = refused_to(maker, demand, &maker->kinds[i]);

		if (is_same(whom, &other))
			return false;
	}
	return true;
}

static int add_refuse(struct pcl_selinux_maker *maker, const struct demand *demand)
{
	const struct whom all = {.others = true};
	/* Without targets it would be whatever the target is. */
	bool done = is_of_unruled(maker, demand);

	if (done && add_refuse_to(maker, demand, &all))
		return -ENOMEM;
	for (size_t i = 0; i < maker->kind_count; i++) {
		const struct whom whom = refused_to(maker, demand, &maker->kinds[i]);

		if (is_to_nobody(&whom) || (done && is_same(&whom, &all)) ||
		    !is_first(maker, demand, i, &whom))
			continue;
		if (add_refuse_to(maker, demand, &whom))
			return -ENOMEM;
	}
	return 0;
}

static int add_audit(struct pcl_selinux_maker *maker, const struct demand *demand,
		     const char *domain, const char *type)
{
	struct pcl_selinux_changes *changes = &maker->plan->changes;
	struct pcl_selinux_audit *audit;

	if (pcl_array_grow(&changes->audits, changes->audits_count, sizeof(*audit)))
		return -ENOMEM;
	audit = &changes->audits[changes->audits_count++];
	*audit = (struct pcl_selinux_audit){strdup(domain), strdup(type),
					    strdup(demand->class_name), NULL, 0};
	if (!audit->source || !audit->target || !audit->class_name)
		return -ENOMEM;
	for (size_t i = 0; i < count_permissions(demand); i++)
		if (pcl_strings_add(&audit->permissions, &audit->permissions_count,
				    demand->permissions[i]))
			return -ENOMEM;
	return 0;
}

static int add_audits_by(struct pcl_selinux_maker *maker, const struct demand *demand,
			 char *const *domains, size_t count, const char *type)
{
	for (size_t i = 0; i < count; i++)
		if (add_audit(maker, demand, domains[i], type))
			return -ENOMEM;
	return 0;
}

/* What is told of who runs no program is told of who runs one, where it is not refused. */
static int add_audits(struct pcl_selinux_maker *maker, const struct demand *demand)
{
	int error = 0;

	for (size_t i = 0; i < maker->kind_count && !error; i++) {
		const struct pcl_selinux_kind *kind = &maker->kinds[i];
		const struct whom whom = refused_to(maker, demand, kind);
		char **domains = NULL;
		size_t count = 0;

		if (whom.others) {
			error = add_audits_by(maker, demand, maker->view->domains,
					      maker->view->domain_count, kind->name);
			continue;
		}
		error = pcl_selinux_name_sources(&maker->programs, whom.programs, &domains, &count);
		if (!error)
			error = add_audits_by(maker, demand, domains, count, kind->name);
		pcl_strings_free(&domains, &count);
	}
	return error;
}

/* --- the whole -------------------------------------------------------------------------------
 */

static int plan_files(struct pcl_selinux_maker *maker)
{
	struct pcl_selinux_changes *changes = &maker->plan->changes;
	int error;

	if (OWN_BITS(pcl_selinux_unruled(&maker->judge, false)) && !maker->view->type_count)
		return pcl_diag_set(maker->diag, -EINVAL,
				    "a list that blocks must know the types of all files, and the "
				    "view names none");
	error = find_answers(maker);
	for (size_t i = 0; !error && i < maker->view->entry_count; i++)
		error = label(maker, i);
	if (!error)
		error = add_makings(maker);
	if (!error)
		error = add_clones(maker);
	if (!error)
		error = pcl_selinux_plan_domains(maker);
	for (size_t i = 0; !error && i < PCL_ARRAY_SIZE(demands); i++)
		error = demands[i].audit ? add_audits(maker, &demands[i])
					 : add_refuse(maker, &demands[i]);
	if (!error && changes->enters_count)
		qsort(changes->enters, changes->enters_count, sizeof(*changes->enters),
		      compare_enters);
	return error;
}

static int check_support(const struct pcl_backend_input *input, struct pcl_diag *diag)
{
	for (size_t i = 0; i < input->domain_count; i++) {
		const struct pcl_ruleset *ruleset = input->domains[i].ruleset;

		for (size_t r = 0; r < ruleset->rule_count; r++) {
			const struct pcl_rule_status status =
				pcl_selinux_status(ruleset->rules[r], 0);

			if (status.status == PCL_STATUS_UNSUPPORTED)
				return pcl_diag_set(diag, -EOPNOTSUPP,
						    "rule %s cannot be enforced: backend selinux "
						    "%s",
						    ruleset->rules[r]->id, status.reason);
		}
	}
	return 0;
}

/* The host's alone: of the others no rule is supported. */
static int plan_host(const struct pcl_backend_domain *domain, const struct pcl_selinux_view *view,
		     struct pcl_selinux_plan *plan, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_selinux_view_free) struct pcl_selinux_view *empty = NULL;
	struct pcl_selinux_maker maker pcl_cleanup(maker_fini) = {.view = view,
								  .plan = plan,
								  .aliases = domain->aliases,
								  .diag = diag};
	int error = 0;

	if (!view)
		error = pcl_selinux_view_parse("", "", &empty, diag);
	if (!error)
		error = pcl_selinux_judge_init(&maker.judge, domain);
	if (!error)
		error = pcl_selinux_find_sources(domain->ruleset, maker.judge.sources,
						 &maker.judge.source_count, diag);
	if (!error && view)
		error = plan_files(&maker);
	if (!error)
		error = pcl_selinux_plan_numbers(&maker.judge, &maker.programs, view ? view : empty,
						 plan, diag);
	return error;
}

int pcl_selinux_plan(const struct pcl_backend_input *input, const struct pcl_selinux_view *view,
		     struct pcl_selinux_plan **ret_plan, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_selinux_plan_free) struct pcl_selinux_plan *plan = calloc(1, sizeof(*plan));
	int error = check_support(input, diag);

	if (!plan)
		error = -ENOMEM;
	for (size_t i = 0; !error && i < input->domain_count; i++)
		if (!input->domains[i].id)
			error = plan_host(&input->domains[i], view, plan, diag);
	if (error == -ENOMEM)
		return pcl_diag_set(diag, error, "out of memory");
	if (error)
		return error;
	*ret_plan = pcl_take_ptr(plan);
	return 0;
}

static void free_relabels(struct pcl_selinux_relabel *relabels, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(relabels[i].after);
		reason_fini(&relabels[i].reason);
	}
	free(relabels);
}

static void free_reasons(struct pcl_selinux_reason *reasons, size_t count)
{
	for (size_t i = 0; reasons && i < count; i++)
		reason_fini(&reasons[i]);
	free(reasons);
}

void pcl_selinux_plan_free(struct pcl_selinux_plan **plan)
{
	struct pcl_selinux_plan *old = *plan;

	if (!old)
		return;
	free_reasons(old->of_clones, old->changes.clones_count);
	free_reasons(old->of_refuses, old->changes.refuses_count);
	free_relabels(old->relabels, old->relabel_count);
	free_relabels(old->missed, old->missed_count);
	for (size_t i = 0; i < old->source_count; i++)
		free(old->sources[i].name);
	free(old->sources);
	pcl_selinux_changes_fini(&old->changes);
	free(old);
	*plan = NULL;
}
