/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random worlds. Policies are built in memory: reading them from text would take most of the time.
 */
#include "world.h"

#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "policy/glob.h"
#include "policy/names.h"
#include "support.h"

#define POLICIES_MAX 8
#define POLICY_RULES_MAX 4
#define WORLD_CAPABILITIES 6
_Static_assert(POLICIES_MAX *POLICY_RULES_MAX <= WORLD_RULES_MAX, "room for every rule");

/* Around the chunk of 32 bytes and its multiples, and the longest name there is. */
static const size_t component_lens[] = {1, 1, 1, 2, 8, 9, 31, 32, 33, 63, 64, 65, 255};
/* Levels that are added at once: beyond a window, two windows, and four. */
static const size_t deep_levels[] = {14, 15, 16, 17, 31, 32, 33, 63, 64, 65, 70};

unsigned world_pick(struct world *world, size_t count)
{
	if (!count)
		abort();
	/* An xorshift generator: quality does not matter here, repeating does. */
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return (unsigned)((world->random >> 11) % count);
}

/* --- paths ----------------------------------------------------------------------------------- */

/* Appends to path, which has WORLD_PATH_SIZE bytes; leaves it as it is where there is no room. */
static void append_component(char *path, const char *component, size_t len)
{
	size_t end = strcmp(path, "/") ? strlen(path) : 0;

	if (end + 1 + len >= WORLD_PATH_SIZE)
		return;
	path[end] = '/';
	memcpy(path + end + 1, component, len);
	path[end + 1 + len] = '\0';
}

/* All of one letter but for the end, so that components share their beginnings. */
static void append_random(struct world *world, char *path)
{
	size_t len = component_lens[world_pick(world, PCL_ARRAY_SIZE(component_lens))];
	char component[NAME_MAX];

	memset(component, 'p', len);
	component[len - 1] = "pab"[world_pick(world, 3)];
	append_component(path, component, len);
}

static void append_levels(struct world *world, char *path)
{
	size_t levels = deep_levels[world_pick(world, PCL_ARRAY_SIZE(deep_levels))];

	for (size_t i = 0; i < levels; i++)
		append_component(path, "d", 1);
}

static void drop_component(char *path)
{
	char *slash = strrchr(path, '/');

	slash[slash == path] = '\0';
}

static const char *const special_paths[] = {
	"/dev", "/dev/shm", "/run/shm/p", "/proc", "/proc/7", "/proc/7/environ", "/proc/7/task/8",
};

static void draw_paths(struct world *world)
{
	size_t count = 3 + world_pick(world, WORLD_PATHS_MAX - 2);
	/* Deep paths need deep neighbours, so a world has them often or not at all. */
	bool deep = !world_pick(world, 4);

	world->paths[world->path_count++] = strdup("/");
	/* What presets speak of. */
	if (!world_pick(world, 3))
		world->paths[world->path_count++] =
			strdup(special_paths[world_pick(world, PCL_ARRAY_SIZE(special_paths))]);
	while (world->path_count < count) {
		char path[WORLD_PATH_SIZE];

		strcpy(path, world->paths[world_pick(world, world->path_count)]);
		if (deep && !world_pick(world, 3))
			append_levels(world, path);
		for (size_t more = world_pick(world, 3) ? 1 : 2; more; more--)
			append_random(world, path);
		if (strlen(path) >= PATH_MAX)
			strcpy(path, "/p");
		world->paths[world->path_count++] = strdup(path);
	}
	count = 1 + world_pick(world, WORLD_SOURCES_MAX);
	while (world->source_count < count) {
		char path[WORLD_PATH_SIZE] = "/bin";

		if (world->source_count && !world_pick(world, 3))
			strcpy(path, world->sources[world_pick(world, world->source_count)]);
		append_random(world, path);
		world->sources[world->source_count++] = strdup(path);
	}
}

/* A path near one: itself, above, below, or a neighbour that differs in a byte or by a chunk. */
static void draw_near(struct world *world, const char *base, char path[WORLD_PATH_SIZE])
{
	char *name;
	size_t len;

	strcpy(path, base);
	name = strrchr(path, '/') + 1;
	len = strlen(name);
	switch (world_pick(world, 12)) {
	case 0:
		drop_component(path);
		break;
	case 1:
		append_random(world, path);
		append_random(world, path);
		break;
	case 2:
		drop_component(path);
		append_random(world, path);
		break;
	case 3:
		if (len)
			name[len - 1] = "paz"[world_pick(world, 3)];
		break;
	case 4:
		if (len > 1)
			name[len - 1] = '\0';
		break;
	case 5:
		if (len && len < NAME_MAX && strlen(path) + 1 < WORLD_PATH_SIZE)
			strcat(path, "p");
		break;
	case 6:
		if (len > 32)
			name[len > 64 ? 64 : 32] = '\0';
		break;
	case 7:
		append_levels(world, path);
		break;
	case 8:
	case 9:
		append_random(world, path);
		break;
	default:
		break;
	}
}

/* --- policies -------------------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The directory of a source, or what is above that. */
static void draw_source_dir(struct world *world, struct pcl_rule *rule)
{
	const char *source = world->sources[world_pick(world, world->source_count)];
	char *path = strdup(source), *slash = strrchr(path, '/');

	if (!world_pick(world, 3) && slash != path) {
		*slash = '\0';
		slash = strrchr(path, '/');
	}
	slash[slash == path] = '\0';
	assert_int_equal(pcl_array_grow(&rule->source_dirs, rule->source_dir_count,
					sizeof(*rule->source_dirs)),
			 0);
	rule->source_dirs[rule->source_dir_count++] =
		(struct pcl_source_dir){path, world_pick(world, 2)};
}

static void draw_sources(struct world *world, struct pcl_rule *rule)
{
	unsigned mask = world_pick(world, 3) ? 0 : world_pick(world, 1u << world->source_count);
	size_t kept = 0;

	for (size_t i = 0; i < world->source_count; i++)
		if (mask & 1u << i)
			assert_int_equal(pcl_strings_add(&rule->sources, &rule->source_count,
							 world->sources[i]),
					 0);
	while (!world_pick(world, 5))
		draw_source_dir(world, rule);
	if (!rule->source_count)
		return;
	qsort((void *)rule->sources, rule->source_count, sizeof(char *), compare_texts);
	for (size_t i = 0; i < rule->source_count; i++) {
		if (kept && !strcmp(rule->sources[kept - 1], rule->sources[i]))
			free(rule->sources[i]);
		else
			rule->sources[kept++] = rule->sources[i];
	}
	rule->source_count = kept;
}

/* The base name of the path that the rule has as its object. */
static void draw_name(struct world *world, struct pcl_rule *rule)
{
	const char *name = strrchr(rule->object, '/') + 1;

	/* The root has none, and no name is as short as that. */
	name = strdup(*name ? name : world_pick(world, 2) ? "p" : "a");
	free(rule->object);
	rule->object = (char *)name;
}

/* A rule about a kind of socket or a capability instead. */
static void draw_number(struct world *world, struct pcl_rule *rule)
{
	bool network = world_pick(world, 2);

	rule->class = network ? PCL_CLASS_NETWORK : PCL_CLASS_CAPABILITY;
	rule->match = network ? PCL_MATCH_PROTOCOL : PCL_MATCH_CAPABILITY;
	rule->number = world_pick(world, network ? PCL_PROTOCOL_COUNT : WORLD_CAPABILITIES);
	rule->flags = 0;
	pcl_glob_free(&rule->glob);
	free(rule->object);
	rule->object = strdup(network ? pcl_protocol_name((enum pcl_protocol)rule->number)
				      : pcl_capability_names[rule->number]);
}

/* A preset instead, which has no flags and no sources, and is never Allow. */
static void make_preset(struct world *world, struct pcl_rule *rule)
{
	rule->match = PCL_MATCH_PRESET;
	rule->number = world_pick(world, PCL_PRESET_COUNT);
	rule->class = pcl_preset_class((enum pcl_preset)rule->number);
	rule->action = world_pick(world, 2) ? PCL_ACTION_BLOCK : PCL_ACTION_AUDIT;
	rule->flags = 0;
	pcl_glob_free(&rule->glob);
	free(rule->object);
	rule->object = strdup(pcl_preset_name((enum pcl_preset)rule->number));
}

/* The path that the rule has as its object, with some of its bytes, or its end, made wild. */
static void draw_pattern(struct world *world, struct pcl_rule *rule)
{
	static const char *const wild[] = {"*", "**", "?", "[a-p]", "{a,p,pa}", "{p,}"};
	char pattern[WORLD_PATH_SIZE * 2] = "";
	const char *reason;
	/* Names of one letter over and over burst an automaton with more. */
	size_t offset, len = 0, wild_left = 2;

	for (const char *at = rule->object;
	     *at && len + 16 < sizeof(pattern) && len < PATH_MAX - 64; at++) {
		if (*at == '/' || !wild_left || world_pick(world, 8))
			pattern[len++] = *at;
		else if (wild_left--)
			len += strlen(strcpy(pattern + len,
					     wild[world_pick(world, PCL_ARRAY_SIZE(wild))]));
	}
	pattern[len] = '\0';
	if (!world_pick(world, 3))
		strcpy(pattern + len, world_pick(world, 2) ? "*" : "/**");
	free(rule->object);
	rule->object = strdup(pattern);
	assert_int_equal(pcl_glob_new(pattern, &rule->glob, &reason, &offset), 0);
}

static void draw_rule(struct world *world, struct pcl_policy *policy)
{
	static const enum pcl_match kinds[] = {PCL_MATCH_PATH, PCL_MATCH_DIR,
					       PCL_MATCH_DIR_RECURSIVE, PCL_MATCH_NAME,
					       PCL_MATCH_PATTERN};
	const char *scope = policy->kind == PCL_KIND_CLUSTER ? "*" : policy->ns;
	struct pcl_rule *rule = calloc(1, sizeof(*rule));

	assert_non_null(rule);
	rule->class = world_pick(world, 3) ? PCL_CLASS_FILE : PCL_CLASS_PROCESS;
	rule->match = kinds[world_pick(world, PCL_ARRAY_SIZE(kinds))];
	/* The language has names of programs only. */
	if (rule->match == PCL_MATCH_NAME && rule->class == PCL_CLASS_FILE)
		rule->match = PCL_MATCH_PATH;
	/* Mostly Block, or nearly every set would be an allow-list. */
	rule->action = world_pick(world, 2) ? PCL_ACTION_BLOCK
					    : (enum pcl_action)world_pick(world, PCL_ACTION_COUNT);
	if (rule->class == PCL_CLASS_FILE && !world_pick(world, 4))
		rule->flags = PCL_RULE_READ_ONLY;
	if (!world_pick(world, 6))
		rule->flags |= PCL_RULE_OWNER_ONLY;
	if (!world_pick(world, 6))
		rule->flags |= PCL_RULE_NO_TERMINAL;
	rule->object = strdup(world->paths[world_pick(world, world->path_count)]);
	if (rule->match == PCL_MATCH_NAME)
		draw_name(world, rule);
	if (rule->match == PCL_MATCH_PATTERN)
		draw_pattern(world, rule);
	rule->severity = (int)world_pick(world, 3);
	rule->policy = policy;
	if (!world_pick(world, 4))
		draw_number(world, rule);
	if (!world_pick(world, 6))
		make_preset(world, rule);
	else
		draw_sources(world, rule);
	assert_true(asprintf(&rule->id, "%s%s%s#%zu", scope ? scope : "", scope ? "/" : "",
			     policy->name, policy->rule_count) > 0);
	assert_int_equal(pcl_array_grow(&policy->rules, policy->rule_count, sizeof(rule)), 0);
	policy->rules[policy->rule_count++] = rule;
}

/* For every container of the namespace that all are in. */
static void draw_expression(struct pcl_policy *policy)
{
	struct pcl_expression *expression = calloc(1, sizeof(*expression));

	assert_non_null(expression);
	expression->on_namespace = true;
	assert_int_equal(pcl_strings_add(&expression->values, &expression->value_count, "default"),
			 0);
	policy->expressions = expression;
	policy->expression_count = 1;
}

/* For the host, or for the containers called one, two, or any. */
static void draw_policy(struct world *world, size_t index)
{
	struct pcl_policy *policy = calloc(1, sizeof(*policy));
	unsigned whose = world_pick(world, 4);

	assert_non_null(policy);
	/* Names in another order than the policies'. */
	assert_true(asprintf(&policy->name, "p%zu", (index * 5 + 3) % POLICIES_MAX) > 0);
	policy->file = strdup("world.yaml");
	policy->kind = whose ? PCL_KIND_CONTAINER : PCL_KIND_HOST;
	if (whose == 3 && world_pick(world, 2)) {
		policy->kind = PCL_KIND_CLUSTER;
		draw_expression(policy);
	}
	policy->ns = policy->kind == PCL_KIND_CONTAINER ? strdup("default") : NULL;
	if (whose == 1 || whose == 2) {
		policy->selector = calloc(1, sizeof(*policy->selector));
		assert_non_null(policy->selector);
		policy->selector[0].key = strdup("app");
		policy->selector[0].value = strdup(whose == 1 ? "one" : "two");
		policy->selector_count = 1;
	}
	assert_int_equal(pcl_array_grow(&world->set->policies, world->set->policy_count,
					sizeof(policy)),
			 0);
	world->set->policies[world->set->policy_count++] = policy;
	for (size_t rules = 1 + world_pick(world, POLICY_RULES_MAX); rules; rules--)
		draw_rule(world, policy);
}

/* --- domains --------------------------------------------------------------------------------- */

static void draw_target(struct world *world, struct pcl_alias *alias, char *const *paths,
			size_t count)
{
	const char *target = paths[world_pick(world, count)];

	if (strcmp(target, alias->name) &&
	    (!alias->target_count || strcmp(target, alias->targets[0])))
		alias->targets[alias->target_count++] = strdup(target);
}

static int compare_aliases(const void *a, const void *b)
{
	return strcmp(((const struct pcl_alias *)a)->name, ((const struct pcl_alias *)b)->name);
}

/* Makes some of the paths links to others. */
static void draw_links(struct world *world, struct pcl_aliases *aliases, char *const *paths,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct pcl_alias alias = {0};
		bool seen = false;

		for (size_t j = 0; j < i && !seen; j++)
			seen = !strcmp(paths[i], paths[j]);
		if (seen || world_pick(world, 3))
			continue;
		alias.name = strdup(paths[i]);
		draw_target(world, &alias, paths, count);
		draw_target(world, &alias, paths, count);
		assert_int_equal(pcl_array_grow(&aliases->items, aliases->count, sizeof(alias)), 0);
		aliases->items[aliases->count++] = alias;
	}
	if (aliases->count)
		qsort(aliases->items, aliases->count, sizeof(*aliases->items), compare_aliases);
}

static void draw_members(struct world *world)
{
	static const char *const labels[WORLD_DOMAINS] = {NULL, "app=one", "app=two"};

	for (size_t i = 0; i < WORLD_DOMAINS; i++) {
		struct world_member *member = &world->members[i];

		if (i)
			assert_int_equal(pcl_domain_new(i == 1 ? "one" : "two", "default",
							labels[i], &member->domain, NULL),
					 0);
		else
			assert_int_equal(pcl_domain_new_host("node", NULL, &member->domain, NULL),
					 0);
		if (world_pick(world, 2))
			continue;
		/* No path begins with /bin, so no name is in both. */
		draw_links(world, &member->aliases, world->paths, world->path_count);
		draw_links(world, &member->aliases, world->sources, world->source_count);
	}
}

static enum pcl_posture draw_posture(struct world *world)
{
	return world_pick(world, 2) ? PCL_POSTURE_BLOCK : PCL_POSTURE_AUDIT;
}

/* Rulesets and numbers, from the set and the members. */
static void resolve(struct world *world)
{
	static const uint32_t ids[WORLD_DOMAINS] = {0, 7, PCL_DOMAINS_MAX - 1};
	size_t count = 0;

	for (size_t i = 0; i < world->set->policy_count; i++)
		for (size_t r = 0; r < world->set->policies[i]->rule_count; r++)
			world->rules[count++] = world->set->policies[i]->rules[r];
	test_sort_rules(world->rules, count);
	for (size_t i = 0; i < WORLD_DOMAINS; i++) {
		struct world_member *member = &world->members[i];
		struct pcl_postures postures = {
			.file = draw_posture(world),
			.network = draw_posture(world),
			.capabilities = draw_posture(world),
		};

		if (member->ruleset)
			postures = member->ruleset->postures;
		pcl_ruleset_free(&member->ruleset);
		assert_int_equal(pcl_resolve(world->set, member->domain, &postures,
					     &member->ruleset),
				 0);
		world->domains[i] = (struct pcl_backend_domain){
			.ruleset = member->ruleset,
			.aliases = member->aliases.count ? &member->aliases : NULL,
			.id = ids[i],
			.incarnation = (uint32_t)i + 1,
			.cgroup_id = i,
		};
	}
	world->input = (struct pcl_backend_input){
		.generation = 1,
		.domains = world->domains,
		.domain_count = WORLD_DOMAINS,
		.rules = world->rules,
		.rule_count = count,
	};
}

void world_init(struct world *world, uint64_t seed)
{
	size_t policies;

	memset(world, 0, sizeof(*world));
	/* Neighbouring seeds give unlike worlds only after a few steps; 0 would give none. */
	world->random = (seed + 1) * 0x9E3779B97F4A7C15u;
	for (size_t i = 0; i < 4; i++)
		(void)world_pick(world, 2);
	assert_int_equal(pcl_policy_set_new(&world->set), 0);
	draw_paths(world);
	policies = world_pick(world, POLICIES_MAX + 1);
	for (size_t i = 0; i < policies; i++)
		draw_policy(world, i);
	draw_members(world);
	resolve(world);
}

void world_fini(struct world *world)
{
	for (size_t i = 0; i < WORLD_DOMAINS; i++) {
		pcl_ruleset_free(&world->members[i].ruleset);
		pcl_domain_free(&world->members[i].domain);
		pcl_aliases_fini(&world->members[i].aliases);
	}
	pcl_policy_set_free(&world->set);
	for (size_t i = 0; i < world->path_count; i++)
		free(world->paths[i]);
	for (size_t i = 0; i < world->source_count; i++)
		free(world->sources[i]);
}

void world_shuffle(struct world *world)
{
	struct pcl_policy **policies = world->set->policies;

	for (size_t left = world->set->policy_count; left > 1; left--) {
		size_t at = world_pick(world, left);
		struct pcl_policy *last = policies[left - 1];

		policies[left - 1] = policies[at];
		policies[at] = last;
	}
	resolve(world);
}

/* --- operations ------------------------------------------------------------------------------ */

static struct pcl_socket draw_socket(struct world *world)
{
	static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET, AF_VSOCK};
	static const int protocols[] = {0,
					IPPROTO_TCP,
					IPPROTO_UDP,
					IPPROTO_UDPLITE,
					IPPROTO_ICMP,
					IPPROTO_ICMPV6,
					IPPROTO_SCTP,
					IPPROTO_DCCP,
					IPPROTO_RAW,
					262,
					0x300};

	return (struct pcl_socket){families[world_pick(world, PCL_ARRAY_SIZE(families))],
				   (int)world_pick(world, 12),
				   protocols[world_pick(world, PCL_ARRAY_SIZE(protocols))]};
}

/* What has no path. */
static bool is_number(enum pcl_access access)
{
	return access == PCL_ACCESS_SOCKET || access == PCL_ACCESS_CAPABILITY ||
	       access == PCL_ACCESS_MAP;
}

/* A path near what the world is about, or near what presets are about. */
static const char *draw_base(struct world *world)
{
	if (!world_pick(world, 6))
		return special_paths[world_pick(world, PCL_ARRAY_SIZE(special_paths))];
	return world->paths[world_pick(world, world->path_count)];
}

void world_draw_operation(struct world *world, struct world_operation *ret_operation)
{
	static const enum pcl_access accesses[] = {PCL_ACCESS_EXECUTE,	  PCL_ACCESS_READ,
						   PCL_ACCESS_WRITE,	  PCL_ACCESS_SOCKET,
						   PCL_ACCESS_CAPABILITY, PCL_ACCESS_MAP};
	struct pcl_operation *operation = &ret_operation->operation;
	unsigned kind = world_pick(world, 32);

	memset(operation, 0, sizeof(*operation));
	ret_operation->domain = world_pick(world, WORLD_DOMAINS);
	operation->access = accesses[world_pick(world, PCL_ARRAY_SIZE(accesses))];
	operation->owner = world_pick(world, 2);
	operation->terminal = world_pick(world, 2);
	operation->own_process = world_pick(world, 2);
	operation->entered = !world_pick(world, 3);
	operation->socket = draw_socket(world);
	operation->capability = world_pick(world, WORLD_CAPABILITIES + 1);
	if (is_number(operation->access))
		kind = 1;
	if (kind == 0)
		operation->object_unknown = true;
	if (kind > 1) {
		draw_near(world, draw_base(world), ret_operation->object);
		operation->object = ret_operation->object;
	}
	if (world_pick(world, 8)) {
		draw_near(world, world->sources[world_pick(world, world->source_count)],
			  ret_operation->source);
		/* Half of them are a source itself. */
		if (world_pick(world, 2))
			strcpy(ret_operation->source,
			       world->sources[world_pick(world, world->source_count)]);
		operation->source = ret_operation->source;
	}
}

bool world_any_name(const struct world_member *member, const char *path,
		    bool (*has)(const void *context, const char *name), const void *context)
{
	if (has(context, path))
		return true;
	for (size_t i = 0; i < member->aliases.count; i++) {
		const struct pcl_alias *alias = &member->aliases.items[i];

		if (strcmp(alias->name, path))
			continue;
		for (size_t t = 0; t < alias->target_count; t++)
			if (has(context, alias->targets[t]))
				return true;
	}
	return false;
}

struct match {
	enum pcl_match match;
	const char *object;
	struct pcl_glob *glob;
};

static bool name_matches(const void *context, const char *name)
{
	const struct match *match = context;
	struct pcl_rule rule = {.match = match->match, .object = (char *)name, .glob = match->glob};

	return pcl_rule_matches_object(&rule, match->object);
}

static bool is_text(const void *text, const char *name)
{
	return !strcmp(text, name);
}

/* Whether the object is one that filelessExec is about by another name of its directories. */
static bool is_in_memory(const struct world_member *member, const struct pcl_rule *rule,
			 const struct pcl_operation *operation)
{
	struct match match = {PCL_MATCH_DIR_RECURSIVE, operation->object, NULL};

	if (rule->match != PCL_MATCH_PRESET || rule->number != PCL_PRESET_FILELESS_EXEC ||
	    operation->access != PCL_ACCESS_EXECUTE)
		return false;
	for (size_t i = 0; i < PCL_MEMORY_DIR_COUNT; i++)
		if (world_any_name(member, pcl_memory_dirs[i], name_matches, &match))
			return true;
	return false;
}

static bool matches(const struct world_member *member, const struct pcl_rule *rule,
		    const struct pcl_operation *operation)
{
	struct match match = {rule->match, operation->object, rule->glob};
	bool source = !rule->source_count && !rule->source_dir_count;

	for (size_t i = 0; operation->source && i < rule->source_count; i++)
		source |= world_any_name(member, rule->sources[i], is_text, operation->source);
	for (size_t i = 0; operation->source && i < rule->source_dir_count; i++) {
		const struct pcl_source_dir *dir = &rule->source_dirs[i];
		struct match in = {dir->recursive ? PCL_MATCH_DIR_RECURSIVE : PCL_MATCH_DIR,
				   operation->source, NULL};

		source |= world_any_name(member, dir->path, name_matches, &in);
	}
	if (rule->class != pcl_access_class(operation->access) || !source)
		return false;
	if (is_number(operation->access) || rule->match == PCL_MATCH_PRESET)
		return pcl_rule_matches(rule, operation) || is_in_memory(member, rule, operation);
	return world_any_name(member, rule->object, name_matches, &match);
}

/*
 * Links are no part of the model, so a rule that matches by one of its names is put to the model as
 * a rule for the object itself.
 */
void world_decide(const struct world *world, const struct world_operation *asked,
		  struct pcl_verdict *ret_verdict)
{
	const struct world_member *member = &world->members[asked->domain];
	const struct pcl_operation *operation = &asked->operation;
	const struct pcl_rule *pointers[WORLD_RULES_MAX], *origins[WORLD_RULES_MAX];
	struct pcl_rule copies[WORLD_RULES_MAX];
	struct pcl_ruleset ruleset = *member->ruleset;
	size_t count = 0;

	if (!member->aliases.count || (!operation->object && !is_number(operation->access))) {
		pcl_decide(member->ruleset, operation, ret_verdict);
		return;
	}
	for (size_t i = 0; i < ruleset.rule_count; i++) {
		if (!matches(member, ruleset.rules[i], operation))
			continue;
		origins[count] = ruleset.rules[i];
		copies[count] = *ruleset.rules[i];
		if (!is_number(operation->access)) {
			copies[count].object = (char *)operation->object;
			copies[count].match = PCL_MATCH_PATH;
		}
		copies[count].source_count = copies[count].source_dir_count = 0;
		pointers[count] = &copies[count];
		count++;
	}
	ruleset.rules = pointers;
	ruleset.rule_count = count;
	ruleset.index = NULL;
	pcl_decide(&ruleset, operation, ret_verdict);
	if (ret_verdict->rule)
		ret_verdict->rule = origins[ret_verdict->rule - copies];
	if (ret_verdict->audit_rule)
		ret_verdict->audit_rule = origins[ret_verdict->audit_rule - copies];
}

uint32_t world_number(const struct world *world, const struct pcl_rule *rule)
{
	for (size_t i = 0; rule && i < world->input.rule_count; i++)
		if (world->rules[i] == rule)
			return (uint32_t)i + 1;
	return 0;
}

void world_print(const struct world *world, size_t domain)
{
	const struct world_member *member = &world->members[domain];
	const struct pcl_ruleset *ruleset = member->ruleset;

	print_error("domain %s, posture %d\n", member->domain->name, (int)ruleset->postures.file);
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		const struct pcl_rule *rule = ruleset->rules[i];

		print_error("%u %s: %s %s %s %s%s%s%s", world_number(world, rule), rule->id,
			    pcl_class_name(rule->class), pcl_action_name(rule->action),
			    pcl_match_name(rule->match), rule->object,
			    rule->flags & PCL_RULE_READ_ONLY ? " read-only" : "",
			    rule->flags & PCL_RULE_OWNER_ONLY ? " owner-only" : "",
			    rule->flags & PCL_RULE_NO_TERMINAL ? " no-terminal" : "");
		for (size_t s = 0; s < rule->source_count; s++)
			print_error(" from %s", rule->sources[s]);
		for (size_t s = 0; s < rule->source_dir_count; s++)
			print_error(" from %s/%s", rule->source_dirs[s].path,
				    rule->source_dirs[s].recursive ? "**" : "*");
		print_error("\n");
	}
	for (size_t i = 0; i < member->aliases.count; i++)
		for (size_t t = 0; t < member->aliases.items[i].target_count; t++)
			print_error("link %s -> %s\n", member->aliases.items[i].name,
				    member->aliases.items[i].targets[t]);
}
