/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rulesets to profiles. A domain has a profile of its own, and one for each program that a rule of
 * it names as a source: that one holds while the program runs, is entered when it is executed, and
 * left when it executes another. What a rule does is asked of policy/decide.h, for who owns the
 * object and for who does not.
 *
 * Besides what rules say, "audit deny" stands where another name would take an object out of its
 * rule: for the directories above it, and for a program that may not be executed.
 */
#include "backend/apparmor_plan.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backend/apparmor_text.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "policy/decide.h"
#include "policy/glob.h"

/* FNV-1a, 64 bits. */
#define HASH_START 0xcbf29ce484222325ull
#define HASH_PRIME 0x100000001b3ull

enum grant {
	GRANT_ALL,    /* what no rule refuses */
	GRANT_LISTED, /* what a rule allows */
};

/* How the class at hand is granted. */
struct class_plan {
	enum grant grant;
	bool audited; /* every grant is told of, and the model says which is worth an alert */
	bool told;    /* some grants are, at least */
};

/* Bits of what may be done to a path, as plans tell it apart. */
#define DO_READ (1u << PCL_ACCESS_READ)
#define DO_WRITE (1u << PCL_ACCESS_WRITE)
#define DO_EXECUTE (1u << PCL_ACCESS_EXECUTE)

/* What a rule does: by effect and by whether the acting task owns the object, bits of DO_*. */
struct deeds {
	unsigned done[PCL_EFFECT_COUNT][2];
};

/* A directory that must stay where it is, because of what lies below it. */
struct guard {
	char *path;
	const struct pcl_rule *rule;
};

struct maker {
	const struct pcl_backend_input *input;
	struct pcl_apparmor_plan *plan;
	struct pcl_diag *diag;
	/* The domain at hand. */
	const struct pcl_backend_domain *domain;
	char **sources; /* all names of the programs that its rules name; sorted, distinct */
	size_t source_count;
	/* The profile at hand. */
	const char *source; /* the program that it is of, or NULL */
	struct class_plan classes[PCL_CLASS_COUNT];
	struct guard *guards;
	size_t guard_count;
	FILE *out;
	char *text;
	size_t text_len;
	size_t line_start;
	uint64_t hash;
};

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * HASH_PRIME;
	return hash;
}

/* --- lines --------------------------------------------------------------------------------------
 */

/* What was printed since the last line's end counts for the hash; the comment does not. */
static void end_line(struct maker *maker, const struct pcl_rule *rule)
{
	(void)fputc(',', maker->out);
	(void)fflush(maker->out);
	maker->hash = hash_bytes(maker->hash, maker->text + maker->line_start,
				 maker->text_len - maker->line_start);
	if (rule) {
		(void)fputs(" # ", maker->out);
		pcl_apparmor_put_comment(rule->id, maker->out);
		(void)fputc(' ', maker->out);
		pcl_apparmor_put_comment(rule->policy->file, maker->out);
		(void)fprintf(maker->out, ":%u", rule->place.line);
	}
	(void)fputc('\n', maker->out);
	(void)fflush(maker->out);
	maker->line_start = maker->text_len;
}

static void print_profile_name(const struct maker *maker, const char *source, FILE *out)
{
	const char *name = maker->domain->ruleset->domain->name;

	(void)fprintf(out, PCL_APPARMOR_PREFIX "%s", name);
	if (source)
		(void)fprintf(out, "%c%016" PRIx64, PCL_APPARMOR_SOURCE_MARK,
			      hash_bytes(HASH_START, source, strlen(source)));
}

/* How what is executed goes on: any other program is none of the profile's. */
static void print_execute(const struct maker *maker)
{
	if (!maker->source) {
		(void)fputs("ix", maker->out);
		return;
	}
	(void)fputs("px -> \"", maker->out);
	print_profile_name(maker, NULL, maker->out);
	(void)fputc('"', maker->out);
}

/* A line's permissions: what they are for one that refuses, and for one that grants. */
static void print_permissions(const struct maker *maker, unsigned deeds, bool deny)
{
	if (deeds & DO_READ)
		(void)fputs("rkm", maker->out);
	if (deeds & DO_WRITE)
		(void)fputs("wl", maker->out);
	/* A loader that is run by hand executes what it maps executable. */
	if (deeds & DO_EXECUTE && deny)
		(void)fputs("mx", maker->out);
	else if (deeds & DO_EXECUTE)
		print_execute(maker);
}

/* --- what a matcher is in globs -----------------------------------------------------------------
 */

/* A glob is before, the name, after; a directory's name has a slash at its end in AppArmor. */
struct shape {
	const char *before;
	const char *after;
};

#define SHAPES_MAX 3

static const struct shape no_shapes[SHAPES_MAX] = {{0}};
static const struct shape file_shapes[PCL_MATCH_COUNT][SHAPES_MAX] = {
	[PCL_MATCH_PATH] = {{"", "{,/}"}},
	[PCL_MATCH_DIR] = {{"", "{,/}"}, {"", "/*"}, {"", "/*/"}},
	[PCL_MATCH_DIR_RECURSIVE] = {{"", "{,/}"}, {"", "/**"}},
	[PCL_MATCH_PATTERN] = {{"", ""}, {"", "/"}},
	[PCL_MATCH_NAME] = {{"/{,**/}", "{,/}"}},
};
/* The root itself is "/" and ends so already. */
static const struct shape root_file_shapes[PCL_MATCH_COUNT][SHAPES_MAX] = {
	[PCL_MATCH_PATH] = {{"", "/"}},
	[PCL_MATCH_DIR] = {{"", "/"}, {"", "/*"}, {"", "/*/"}},
	[PCL_MATCH_DIR_RECURSIVE] = {{"", "/"}, {"", "/**"}},
};
/* No directory is executed. */
static const struct shape process_shapes[PCL_MATCH_COUNT][SHAPES_MAX] = {
	[PCL_MATCH_PATH] = {{"", ""}},
	[PCL_MATCH_DIR] = {{"", ""}, {"", "/*"}},
	[PCL_MATCH_DIR_RECURSIVE] = {{"", ""}, {"", "/**"}},
	[PCL_MATCH_PATTERN] = {{"", ""}},
	[PCL_MATCH_NAME] = {{"/{,**/}", ""}},
};
static const struct shape root_process_shapes[PCL_MATCH_COUNT][SHAPES_MAX] = {
	[PCL_MATCH_PATH] = {{"", "/"}},
	[PCL_MATCH_DIR] = {{"", "/*"}},
	[PCL_MATCH_DIR_RECURSIVE] = {{"", "/**"}},
};

static bool is_root(const char *name)
{
	return !strcmp(name, "/");
}

static const struct shape *shapes_of(const struct pcl_rule *rule, const char *name)
{
	bool process = rule->class == PCL_CLASS_PROCESS;

	/* A path has no slash at its end, so what would have one matches nothing. */
	if (rule->match == PCL_MATCH_PATTERN && name[strlen(name) - 1] == '/')
		return no_shapes;
	if (is_root(name) && rule->match != PCL_MATCH_PATTERN)
		return process ? root_process_shapes[rule->match] : root_file_shapes[rule->match];
	return process ? process_shapes[rule->match] : file_shapes[rule->match];
}

static void print_glob(const struct pcl_rule *rule, const char *name, const struct shape *shape,
		       FILE *out)
{
	(void)fprintf(out, "\"%s", shape->before);
	if (rule->match == PCL_MATCH_PATTERN)
		pcl_apparmor_put_pattern(name, out);
	else if (!is_root(name))
		pcl_apparmor_put_path(name, out);
	(void)fprintf(out, "%s\" ", shape->after);
}

/* --- rules of paths -----------------------------------------------------------------------------
 */

/* A name that is looked for among those of a rule's source, or of its object. */
struct search {
	const char *wanted;
	const struct pcl_rule *rule;
	bool found;
};

static int is_source_name(void *context, const char *name)
{
	struct search *search = context;

	search->found |= !strcmp(name, search->wanted);
	return 0;
}

static int is_object_name(void *context, const char *name)
{
	struct search *search = context;
	struct pcl_rule rule = *search->rule;

	rule.object = (char *)name;
	search->found |= pcl_rule_matches_object(&rule, search->wanted);
	return 0;
}

/* Whether the rule holds in the profile at hand. */
static bool is_active(const struct maker *maker, const struct pcl_rule *rule)
{
	struct search search = {maker->source, rule, !rule->source_count};

	for (size_t i = 0; maker->source && i < rule->source_count; i++)
		(void)pcl_aliases_each(maker->domain->aliases, rule->sources[i], is_source_name,
				       &search);
	return search.found;
}

/* What rule's object also means; patterns and base names have no other names. */
static const struct pcl_aliases *aliases_of(const struct maker *maker, const struct pcl_rule *rule)
{
	bool place = rule->match == PCL_MATCH_PATH || rule->match == PCL_MATCH_DIR ||
		     rule->match == PCL_MATCH_DIR_RECURSIVE;

	return place ? maker->domain->aliases : NULL;
}

static bool matches_path(const struct maker *maker, const struct pcl_rule *rule, const char *path)
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

static bool is_source(const struct maker *maker, const char *path)
{
	for (size_t low = 0, high = maker->source_count; low < high;) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, maker->sources[middle]);

		if (!order)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* KERNEL: of two ways to go on for one name the parser takes neither. A source has its own line. */
static bool has_own_line(const struct maker *maker, const struct pcl_rule *rule, const char *name)
{
	return rule->class == PCL_CLASS_PROCESS && is_source(maker, name) &&
	       (rule->match != PCL_MATCH_PATTERN || !strpbrk(name, "*?[{\\"));
}

static void print_path_line(struct maker *maker, const struct pcl_rule *rule, const char *name,
			    const struct shape *shape, const char *verb, const char *who,
			    unsigned deeds)
{
	(void)fprintf(maker->out, "\t%s%s", verb, who);
	print_glob(rule, name, shape, maker->out);
	print_permissions(maker, deeds, !strcmp(verb, "audit deny "));
	end_line(maker, rule);
}

/* The lines of one name for one effect; deeds by who owns the object. */
static void print_effect(struct maker *maker, const struct pcl_rule *rule, const char *name,
			 const char *verb, const unsigned deeds[2])
{
	const struct shape *shapes = shapes_of(rule, name);

	for (size_t i = 0; i < SHAPES_MAX && shapes[i].before; i++) {
		if (deeds[0] == deeds[1] && deeds[0])
			print_path_line(maker, rule, name, &shapes[i], verb, "", deeds[0]);
		if (deeds[0] == deeds[1])
			continue;
		if (deeds[0])
			print_path_line(maker, rule, name, &shapes[i], verb, "other ", deeds[0]);
		if (deeds[1])
			print_path_line(maker, rule, name, &shapes[i], verb, "owner ", deeds[1]);
	}
}

static int add_guard(struct maker *maker, const char *path, size_t len, const struct pcl_rule *rule)
{
	char *copy = strndup(path, len);

	if (!copy || pcl_array_grow(&maker->guards, maker->guard_count, sizeof(*maker->guards))) {
		free(copy);
		return -ENOMEM;
	}
	maker->guards[maker->guard_count++] = (struct guard){copy, rule};
	return 0;
}

/* The directories above path[0..len), which may not change their names. */
static int guard_above(struct maker *maker, const char *path, size_t len,
		       const struct pcl_rule *rule)
{
	for (size_t i = 1; i < len; i++)
		if (path[i] == '/' && add_guard(maker, path, i, rule))
			return -ENOMEM;
	return 0;
}

static int guard_name(struct maker *maker, const struct pcl_rule *rule, const char *name)
{
	bool process = rule->class == PCL_CLASS_PROCESS;
	bool dir = rule->match == PCL_MATCH_DIR || rule->match == PCL_MATCH_DIR_RECURSIVE;

	if (rule->match == PCL_MATCH_NAME || is_root(name))
		return 0;
	if (rule->match == PCL_MATCH_PATTERN) {
		size_t len = 0;
		const char *prefix = pcl_glob_prefix(rule->glob, &len);

		return guard_above(maker, prefix, len, rule);
	}
	if (process && dir && add_guard(maker, name, strlen(name), rule))
		return -ENOMEM;
	return guard_above(maker, name, strlen(name), rule);
}

/* A program under another name would be executed: it may not be moved, nor anything over it. */
static void print_program_guard(struct maker *maker, const struct pcl_rule *rule, const char *name)
{
	const struct shape *shapes = shapes_of(rule, name);

	if (rule->class != PCL_CLASS_PROCESS ||
	    (rule->match != PCL_MATCH_PATH && rule->match != PCL_MATCH_NAME))
		return;
	(void)fputs("\taudit deny ", maker->out);
	print_glob(rule, name, &shapes[0], maker->out);
	(void)fputc('w', maker->out);
	end_line(maker, rule);
}

struct visit {
	struct maker *maker;
	const struct pcl_rule *rule;
	const struct deeds *deeds;
};

static int add_name(void *context, const char *name)
{
	const struct visit *visit = context;
	struct maker *maker = visit->maker;
	const struct pcl_rule *rule = visit->rule;
	const struct class_plan *class = &maker->classes[rule->class];
	const unsigned(*done)[2] = visit->deeds->done;
	const unsigned *blocked = done[PCL_EFFECT_BLOCK];

	print_effect(maker, rule, name, "audit deny ", blocked);
	if (!has_own_line(maker, rule, name)) {
		if (class->grant == GRANT_LISTED)
			print_effect(maker, rule, name, class->audited ? "audit " : "",
				     done[PCL_EFFECT_ALLOW]);
		else if (!class->audited)
			print_effect(maker, rule, name, "audit ", done[PCL_EFFECT_AUDIT]);
	}
	if (!((blocked[0] | blocked[1]) & (DO_WRITE | DO_EXECUTE)))
		return 0;
	print_program_guard(maker, rule, name);
	return guard_name(maker, rule, name);
}

static int add_path_rule(struct maker *maker, const struct pcl_rule *rule)
{
	struct deeds deeds;
	struct visit visit = {maker, rule, &deeds};

	find_deeds(rule, &deeds);
	return pcl_aliases_each(aliases_of(maker, rule), rule->object, add_name, &visit);
}

static int compare_guards(const void *a, const void *b)
{
	const struct guard *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : pcl_rule_compare(x->rule, y->rule);
}

static void print_guards(struct maker *maker)
{
	if (!maker->guard_count)
		return;
	qsort(maker->guards, maker->guard_count, sizeof(*maker->guards), compare_guards);
	for (size_t i = 0; i < maker->guard_count; i++) {
		if (i && !strcmp(maker->guards[i].path, maker->guards[i - 1].path))
			continue;
		(void)fputs("\taudit deny \"", maker->out);
		pcl_apparmor_put_path(maker->guards[i].path, maker->out);
		(void)fputs("/\" w", maker->out);
		end_line(maker, maker->guards[i].rule);
	}
}

static void free_guards(struct maker *maker)
{
	for (size_t i = 0; i < maker->guard_count; i++)
		free(maker->guards[i].path);
	free(maker->guards);
	maker->guards = NULL;
	maker->guard_count = 0;
}

/* --- rules of sockets and capabilities ----------------------------------------------------------
 */

#define INET(type) "inet " type, "inet6 " type
/* Families whose raw sockets the word raw means: all but unix and netlink. */
#define RAW_FAMILIES                                                                               \
	"inet raw", "ax25 raw", "ipx raw", "appletalk raw", "netrom raw", "bridge raw",            \
		"atmpvc raw", "x25 raw", "inet6 raw", "rose raw", "netbeui raw", "security raw",   \
		"key raw", "packet raw", "ash raw", "econet raw", "atmsvc raw", "rds raw",         \
		"sna raw", "irda raw", "pppox raw", "wanpipe raw", "llc raw", "ib raw",            \
		"mpls raw", "can raw", "tipc raw", "bluetooth raw", "iucv raw", "rxrpc raw",       \
		"isdn raw", "phonet raw", "ieee802154 raw", "caif raw", "alg raw", "nfc raw",      \
		"vsock raw", "kcm raw", "qipcrtr raw", "smc raw", "xdp raw"

/* What stands behind "network"; for the others there is nothing (apparmor_status.c). */
static const char *const sockets[PCL_PROTOCOL_COUNT][48] = {
	[PCL_PROTOCOL_TCP] = {INET("stream")},
	[PCL_PROTOCOL_UDP] = {INET("dgram")},
	[PCL_PROTOCOL_RAW] = {RAW_FAMILIES},
	[PCL_PROTOCOL_STREAM] = {"stream"},
	[PCL_PROTOCOL_DGRAM] = {"dgram"},
	[PCL_PROTOCOL_RDM] = {"rdm"},
	[PCL_PROTOCOL_SEQPACKET] = {"seqpacket"},
	[PCL_PROTOCOL_PACKET] = {"packet"},
	[PCL_PROTOCOL_ALL] = {""},
};

static void print_number_rule(struct maker *maker, const struct pcl_rule *rule, const char *verb)
{
	if (rule->class == PCL_CLASS_CAPABILITY) {
		(void)fprintf(maker->out, "\t%scapability %s", verb, rule->object);
		end_line(maker, rule);
		return;
	}
	for (size_t i = 0; sockets[rule->number][i]; i++) {
		const char *words = sockets[rule->number][i];

		(void)fprintf(maker->out, "\t%snetwork%s%s", verb, *words ? " " : "", words);
		end_line(maker, rule);
	}
}

static void add_number_rule(struct maker *maker, const struct pcl_rule *rule)
{
	const struct class_plan *class = &maker->classes[rule->class];
	enum pcl_access access =
		rule->class == PCL_CLASS_NETWORK ? PCL_ACCESS_SOCKET : PCL_ACCESS_CAPABILITY;

	switch (pcl_rule_effect(rule, access, false)) {
	case PCL_EFFECT_BLOCK:
		print_number_rule(maker, rule, "audit deny ");
		break;
	case PCL_EFFECT_ALLOW:
		if (class->grant == GRANT_LISTED)
			print_number_rule(maker, rule, class->audited ? "audit " : "");
		break;
	case PCL_EFFECT_AUDIT:
		if (class->grant == GRANT_ALL && !class->audited)
			print_number_rule(maker, rule, "audit ");
		break;
	case PCL_EFFECT_NONE:
		break;
	}
}

/* --- a profile ----------------------------------------------------------------------------------
 */

/* What becomes of executing a source in the profile at hand, by the model. */
static int may_execute(const struct maker *maker, const char *path, bool ret_may[2])
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	pcl_autofree const struct pcl_rule **matched =
		calloc(ruleset->rule_count + 1, sizeof(*matched));
	size_t count = 0;

	if (!matched)
		return -ENOMEM;
	for (size_t i = 0; i < ruleset->rule_count; i++)
		if (ruleset->rules[i]->class == PCL_CLASS_PROCESS &&
		    is_active(maker, ruleset->rules[i]) &&
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

/* Executing a source enters its profile. An exact name goes before every glob. */
static int print_sources(struct maker *maker)
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
		print_profile_name(maker, source, maker->out);
		(void)fputc('"', maker->out);
		end_line(maker, NULL);
	}
	return 0;
}

/*
 * A list that refuses what it does not name is granted by its lines alone; then an Audit rule
 * cannot have a line, which would grant, and all that is granted is told of instead.
 */
static void plan_classes(struct maker *maker)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;

	for (enum pcl_class class = 0; (int)class < PCL_CLASS_COUNT; class ++) {
		bool blocks = pcl_postures_get(&ruleset->postures, class) == PCL_POSTURE_BLOCK;
		bool list = ruleset->allow_list[class];

		maker->classes[class] = (struct class_plan){
			.grant = list && blocks ? GRANT_LISTED : GRANT_ALL,
			.audited = list && !blocks,
			.told = list && !blocks,
		};
	}
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		const struct pcl_rule *rule = ruleset->rules[i];

		struct class_plan *class = &maker->classes[rule->class];

		if (rule->action != PCL_ACTION_AUDIT || !is_active(maker, rule))
			continue;
		class->told = true;
		class->audited |= class->grant == GRANT_LISTED;
	}
}

static void print_grants(struct maker *maker)
{
	static const enum pcl_class order[] = {PCL_CLASS_PROCESS, PCL_CLASS_FILE, PCL_CLASS_NETWORK,
					       PCL_CLASS_CAPABILITY};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(order); i++) {
		const struct class_plan *class = &maker->classes[order[i]];

		if (class->grant != GRANT_ALL)
			continue;
		(void)fprintf(maker->out, "\t%s", class->audited ? "audit " : "");
		if (order[i] == PCL_CLASS_PROCESS) {
			/* KERNEL: what lies in memory without a name is executed as "/". */
			(void)fputs("\"/{,**}\" ", maker->out);
			print_permissions(maker, DO_EXECUTE, false);
		} else if (order[i] == PCL_CLASS_FILE) {
			(void)fputs("\"/{,**}\" ", maker->out);
			print_permissions(maker, DO_READ | DO_WRITE, false);
		} else {
			(void)fputs(order[i] == PCL_CLASS_NETWORK ? "network" : "capability",
				    maker->out);
		}
		end_line(maker, NULL);
	}
}

/* A container runtime puts what it starts into a profile; nobody puts himself out of all. */
static void print_changes(struct maker *maker)
{
	if (!maker->domain->ruleset->domain->host)
		return;
	(void)fputs("\tchange_profile -> [^:]**", maker->out);
	end_line(maker, NULL);
	(void)fputs("\taudit deny change_profile -> unconfined", maker->out);
	end_line(maker, NULL);
}

/* AppArmor's own words, as they stand, behind the rule that they are of. */
static int add_native_rule(struct maker *maker, const struct pcl_rule *rule)
{
	if (!pcl_apparmor_is_whole(rule->object)) {
		(void)pcl_diag_set(maker->diag, -EINVAL,
				   "rule %s: its lines end the profile that they stand in; close "
				   "only braces and quotes that they open",
				   rule->id);
		return -EINVAL;
	}
	(void)fputs("\t# ", maker->out);
	pcl_apparmor_put_comment(rule->id, maker->out);
	(void)fputc('\n', maker->out);
	(void)fflush(maker->out);
	maker->line_start = maker->text_len;
	(void)fprintf(maker->out, "%s\n", rule->object);
	(void)fflush(maker->out);
	maker->hash = hash_bytes(maker->hash, maker->text + maker->line_start,
				 maker->text_len - maker->line_start);
	maker->line_start = maker->text_len;
	return 0;
}

static int add_rule(struct maker *maker, const struct pcl_rule *rule)
{
	switch (rule->class) {
	case PCL_CLASS_PROCESS:
	case PCL_CLASS_FILE:
		return add_path_rule(maker, rule);
	case PCL_CLASS_NETWORK:
	case PCL_CLASS_CAPABILITY:
		add_number_rule(maker, rule);
		return 0;
	case PCL_CLASS_NATIVE:
		return add_native_rule(maker, rule);
	case PCL_CLASS_DNS:
	case PCL_CLASS_SYSCALL:
	case PCL_CLASS_DEVICE:
		break;
	}
	assert(false);
	return 0;
}

/*
 * KERNEL: a file that is not below the root of its namespace, or was deleted, has no name without
 * these flags, and is then refused whatever the rules say.
 */
#define FLAGS "flags=(attach_disconnected,mediate_deleted)"

/* A profile of the host's is entered by whatever is executed by a task that has none. */
static void print_head(struct maker *maker)
{
	(void)fputs("profile \"", maker->out);
	print_profile_name(maker, maker->source, maker->out);
	(void)fputs("\" ", maker->out);
	if (maker->domain->ruleset->domain->host) {
		(void)fputc('"', maker->out);
		if (maker->source)
			pcl_apparmor_put_path(maker->source, maker->out);
		else
			(void)fputs("/**", maker->out);
		(void)fputs("\" ", maker->out);
	}
	(void)fputs(FLAGS " {\n", maker->out);
}

static int print_body(struct maker *maker)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	int error = 0;

	plan_classes(maker);
	print_head(maker);
	print_grants(maker);
	print_changes(maker);
	for (size_t i = 0; !error && i < ruleset->rule_count; i++)
		if (is_active(maker, ruleset->rules[i]))
			error = add_rule(maker, ruleset->rules[i]);
	if (!error)
		error = print_sources(maker);
	print_guards(maker);
	free_guards(maker);
	(void)fputs("}\n", maker->out);
	return error;
}

static void profile_fini(struct pcl_apparmor_profile *profile)
{
	free(profile->name);
	free(profile->source);
	free(profile->text);
}

static int name_profile(const struct maker *maker, struct pcl_apparmor_profile *profile)
{
	size_t len;
	FILE *out = open_memstream(&profile->name, &len);

	if (!out)
		return -ENOMEM;
	print_profile_name(maker, maker->source, out);
	if (fclose(out) != 0)
		return -ENOMEM;
	if (!maker->source)
		return 0;
	profile->source = strdup(maker->source);
	return profile->source ? 0 : -ENOMEM;
}

static int add_profile(struct maker *maker, const char *source)
{
	struct pcl_apparmor_profile pcl_cleanup(profile_fini)
		profile = {.domain = maker->domain->id};
	struct pcl_apparmor_plan *plan = maker->plan;
	int error;

	maker->source = source;
	maker->hash = HASH_START;
	maker->line_start = 0;
	maker->out = open_memstream(&maker->text, &maker->text_len);
	if (!maker->out)
		return -ENOMEM;
	error = print_body(maker);
	if (fclose(maker->out) != 0 && !error)
		error = -ENOMEM;
	profile.text = pcl_take_ptr(maker->text);
	profile.hash = maker->hash;
	if (!error)
		error = name_profile(maker, &profile);
	if (!error && pcl_array_grow(&plan->profiles, plan->count, sizeof(*plan->profiles)))
		error = -ENOMEM;
	if (error)
		return error;
	plan->profiles[plan->count++] = profile;
	memset(&profile, 0, sizeof(profile));
	return 0;
}

/* --- domains ------------------------------------------------------------------------------------
 */

static int add_source(void *context, const char *name)
{
	struct maker *maker = context;

	return pcl_strings_add(&maker->sources, &maker->source_count, name);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int collect_sources(struct maker *maker)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	size_t kept = 0;

	for (size_t r = 0; r < ruleset->rule_count; r++)
		for (size_t i = 0; i < ruleset->rules[r]->source_count; i++)
			if (pcl_aliases_each(maker->domain->aliases, ruleset->rules[r]->sources[i],
					     add_source, maker))
				return -ENOMEM;
	if (!maker->source_count)
		return 0;
	qsort(maker->sources, maker->source_count, sizeof(*maker->sources), compare_texts);
	for (size_t i = 0; i < maker->source_count; i++) {
		if (kept && !strcmp(maker->sources[kept - 1], maker->sources[i]))
			free(maker->sources[i]);
		else
			maker->sources[kept++] = maker->sources[i];
	}
	maker->source_count = kept;
	return 0;
}

/* The host's profile would confine every program, so there is none without a rule. */
static int add_domain(struct maker *maker)
{
	int error;

	if (maker->domain->ruleset->domain->host && !maker->domain->ruleset->rule_count)
		return 0;
	error = collect_sources(maker);
	if (!error)
		error = add_profile(maker, NULL);
	for (size_t i = 0; !error && i < maker->source_count; i++)
		error = add_profile(maker, maker->sources[i]);
	pcl_strings_free(&maker->sources, &maker->source_count);
	return error;
}

static const char *missing_feature(const struct pcl_rule *rule,
				   const struct pcl_apparmor_features *features)
{
	bool path = rule->class == PCL_CLASS_PROCESS || rule->class == PCL_CLASS_FILE;

	if (path && !features->file)
		return "does not mediate files on this kernel";
	if (rule->class == PCL_CLASS_NETWORK && !features->network)
		return "does not mediate sockets on this kernel";
	if (rule->class == PCL_CLASS_CAPABILITY && !features->capabilities)
		return "does not mediate capabilities on this kernel";
	return NULL;
}

static int check_support(const struct pcl_backend_input *input,
			 const struct pcl_apparmor_features *features, struct pcl_diag *diag)
{
	for (size_t i = 0; i < input->domain_count; i++) {
		const struct pcl_ruleset *ruleset = input->domains[i].ruleset;

		for (size_t r = 0; r < ruleset->rule_count; r++) {
			const struct pcl_rule *rule = ruleset->rules[r];
			const struct pcl_rule_status status = pcl_apparmor_status(rule, 0);
			const char *reason = status.status == PCL_STATUS_UNSUPPORTED
						     ? status.reason
						     : missing_feature(rule, features);

			if (reason)
				return pcl_diag_set(diag, -EOPNOTSUPP,
						    "rule %s cannot be enforced: backend apparmor "
						    "%s",
						    rule->id, reason);
		}
	}
	return 0;
}

int pcl_apparmor_plan(const struct pcl_backend_input *input,
		      const struct pcl_apparmor_features *features,
		      struct pcl_apparmor_plan **ret_plan, struct pcl_diag *diag)
{
	static const struct pcl_apparmor_features all = {true, true, true};
	pcl_cleanup(pcl_apparmor_plan_free) struct pcl_apparmor_plan *plan =
		calloc(1, sizeof(*plan));
	struct maker maker = {.input = input, .plan = plan, .diag = diag};
	int error = check_support(input, features ? features : &all, diag);

	if (!plan)
		error = -ENOMEM;
	for (size_t i = 0; !error && i < input->domain_count; i++) {
		maker.domain = &input->domains[i];
		error = add_domain(&maker);
	}
	if (error == -ENOMEM)
		return pcl_diag_set(diag, error, "out of memory");
	if (error)
		return error;
	*ret_plan = pcl_take_ptr(plan);
	return 0;
}

void pcl_apparmor_plan_free(struct pcl_apparmor_plan **plan)
{
	if (!*plan)
		return;
	for (size_t i = 0; i < (*plan)->count; i++)
		profile_fini(&(*plan)->profiles[i]);
	free((*plan)->profiles);
	free(*plan);
	*plan = NULL;
}
