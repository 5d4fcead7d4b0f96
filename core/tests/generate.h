/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random policies and operations from a seed, small enough that rules meet: few paths, few sources,
 * few labels, and every word of the language. A draw is plain data, so that a failing one can be
 * made smaller and be printed as the policy file that it stands for.
 */
#ifndef PCL_TESTS_GENERATE_H
#define PCL_TESTS_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/decide.h"

#define GEN_POLICIES_MAX 4
#define GEN_RULES_MAX 10
#define GEN_DOMAIN_COUNT 4
#define GEN_INHERIT (-1)

/* The lists of the language, in the order of their sections. */
enum gen_list {
	GEN_PROCESS_PATH,
	GEN_PROCESS_NAME,
	GEN_PROCESS_DIR,
	GEN_PROCESS_PATTERN,
	GEN_FILE_PATH,
	GEN_FILE_DIR,
	GEN_FILE_PATTERN,
	GEN_PROTOCOL,
	GEN_DNS,
	GEN_CAPABILITY,
	GEN_SYSCALL,
	GEN_SYSCALL_PATH,
	GEN_DEVICE,
	GEN_PRESET,
};
#define GEN_LIST_COUNT 14
/* process, file, network, capabilities, syscalls, device, presets */
#define GEN_SECTION_COUNT 7

struct gen_rule {
	unsigned policy;
	enum gen_list list;
	unsigned object; /* into the list's table of words */
	bool recursive;
	bool slash;	      /* a path of syscalls is a directory */
	unsigned flags;	      /* PCL_RULE_* */
	unsigned args;	      /* a bit for each of gen_args */
	unsigned sources;     /* a bit for each of gen_sources */
	unsigned source_dirs; /* a bit for each of gen_source_dirs; syscalls only */
	unsigned syscalls;    /* a bit for each of gen_syscalls */
	int action;	      /* enum pcl_action or GEN_INHERIT */
	unsigned severity;    /* 0: inherited */
};

struct gen_policy {
	enum pcl_kind kind;
	unsigned ns;	 /* into gen_namespaces */
	unsigned labels; /* a bit for each of gen_labels that must hold */
	unsigned in;	 /* In: one of these labels; 0: no such expression */
	unsigned not_in; /* NotIn: none of these labels */
	unsigned ns_in;	 /* clusters: a bit for each of gen_namespaces */
	unsigned ns_not_in;
	bool container; /* only the container named gen_container */
	int action;
	int section_actions[GEN_SECTION_COUNT];
	unsigned severity;
};

struct gen_set {
	struct gen_policy policies[GEN_POLICIES_MAX];
	size_t policy_count;
	struct gen_rule rules[GEN_RULES_MAX + 1];
	size_t rule_count;
};

struct gen_case {
	unsigned domain; /* into the domains */
	struct pcl_postures postures;
	struct pcl_operation operation; /* borrows from the tables */
	const char *args[2];
};

#define GEN_BIT(index) (1u << (index))
#define GEN_SOURCE_COUNT 3
#define GEN_SOURCE_DIR_COUNT 2
#define GEN_ARG_COUNT 3
#define GEN_SYSCALL_COUNT 3
#define GEN_NAMESPACE_COUNT 2
#define GEN_LABEL_COUNT 3

extern const char *const gen_paths[];
extern const char *const gen_patterns[];
extern const char *const gen_names[];
extern const char *const gen_sources[GEN_SOURCE_COUNT];
extern const struct pcl_source_dir gen_source_dirs[GEN_SOURCE_DIR_COUNT];
extern const char *const gen_args[GEN_ARG_COUNT];
extern const char *const gen_syscalls[GEN_SYSCALL_COUNT];
extern const char *const gen_dns_names[];
extern const unsigned gen_capabilities[];
extern const char *const gen_capability_words[];
extern const char *const gen_namespaces[GEN_NAMESPACE_COUNT];
extern const struct pcl_label gen_labels[GEN_LABEL_COUNT];
extern const struct pcl_device gen_devices[];
#define GEN_CONTAINER "web"

/* What a list is called and what its entries can have. */
struct gen_list_words {
	const char *section, *key, *word; /* word tells the object */
	size_t section_index, object_count;
	unsigned flags; /* PCL_RULE_* that it knows */
	bool sources;
};
extern const struct gen_list_words gen_lists[GEN_LIST_COUNT];

/* The class of a rule, and what its words mean. */
enum pcl_class gen_class(const struct gen_rule *rule);
size_t gen_section(enum gen_list list);
enum pcl_action gen_action(const struct gen_set *set, const struct gen_rule *rule);

struct gen_random {
	uint64_t state;
};
unsigned gen_pick(struct gen_random *random, size_t count);

void gen_draw_set(struct gen_random *random, struct gen_set *ret_set);
void gen_draw_rule(struct gen_random *random, const struct gen_set *set, struct gen_rule *ret_rule);
/* More often than not about what one of set's rules is about. */
void gen_draw_case(struct gen_random *random, const struct gen_set *set, struct gen_case *ret_case);

/* How to write a set: in another order of policies, and of rules; each policy twice. */
#define GEN_SHUFFLED_POLICIES (1u << 0)
#define GEN_SHUFFLED_RULES (1u << 1)
#define GEN_TWICE (1u << 2)
/* The policy file. random is for the orders only. Owned by the caller. */
char *gen_print(const struct gen_set *set, unsigned flags, struct gen_random *random);
void gen_print_case(const struct gen_case *draw);

/* The domains that cases are in, host first; made once. */
const struct pcl_domain *gen_domain(unsigned index);
void gen_domains_free(void);

/*
 * Makes set smaller as long as fails still says so: without policies, rules, sources, flags, and
 * whatever else a rule or a policy can do without.
 */
void gen_shrink(struct gen_set *set, bool (*fails)(const struct gen_set *set, void *context),
		void *context);

#endif
