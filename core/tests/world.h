/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random worlds for property tests: policies, domains, links and the operations near their rules.
 *
 * Paths are few per world, so that rules meet in one place, and nasty: components around the size
 * of a trie's chunk, siblings with a long common beginning, many levels, the root. Rules are of
 * every kind that the BPF-LSM backend takes. A world and its operations follow from its seed alone,
 * so a failure repeats.
 */
#ifndef PCL_TESTS_WORLD_H
#define PCL_TESTS_WORLD_H

#include "backend/backend.h"
#include "policy/decide.h"

#define WORLD_DOMAINS 3
#define WORLD_PATHS_MAX 12
#define WORLD_SOURCES_MAX 6
#define WORLD_RULES_MAX 64
/* Objects may be longer than a policy's path can be. */
#define WORLD_PATH_SIZE 8192

struct world_member {
	struct pcl_domain *domain;
	struct pcl_ruleset *ruleset;
	struct pcl_aliases aliases;
};

struct world {
	uint64_t random;
	char *paths[WORLD_PATHS_MAX];
	size_t path_count;
	char *sources[WORLD_SOURCES_MAX];
	size_t source_count;
	struct pcl_policy_set *set;
	struct world_member members[WORLD_DOMAINS];
	struct pcl_backend_domain domains[WORLD_DOMAINS];
	const struct pcl_rule *rules[WORLD_RULES_MAX];
	struct pcl_backend_input input; /* points into the rest */
};

struct world_operation {
	size_t domain; /* index into input.domains */
	struct pcl_operation operation;
	char object[WORLD_PATH_SIZE];
	char source[WORLD_PATH_SIZE];
};

void world_init(struct world *world, uint64_t seed);
void world_fini(struct world *world);
/* Another order of the policies; rulesets and numbers are made anew. */
void world_shuffle(struct world *world);

unsigned world_pick(struct world *world, size_t count);
void world_draw_operation(struct world *world, struct world_operation *ret_operation);

/* What the model says, a rule's links being names of it too. */
void world_decide(const struct world *world, const struct world_operation *operation,
		  struct pcl_verdict *ret_verdict);
/* Whether has() holds for path or for what it links to in the domain. */
bool world_any_name(const struct world_member *member, const char *path,
		    bool (*has)(const void *context, const char *name), const void *context);
/* From 1; 0 for NULL. */
uint32_t world_number(const struct world *world, const struct pcl_rule *rule);
/* The rules of a domain, a line each, to stderr. */
void world_print(const struct world *world, size_t domain);

#endif
