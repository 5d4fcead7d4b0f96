/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What random policies and operations are made of, how they are drawn, and how a set is made
 * smaller.
 */
#include "generate.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "support.h"

const char *const gen_paths[] = {"/",
				 "/a",
				 "/ab",
				 "/a/b",
				 "/a/b/c",
				 "/a/bc",
				 "/d/b/c",
				 "/bin/x",
				 "/bin/y",
				 "/dev/shm/x",
				 "/run/shm",
				 "/proc/7/environ",
				 "/proc/7/task/8/environ",
				 "/proc/7/status",
				 "/proc/self"};
#define PATH_COUNT PCL_ARRAY_SIZE(gen_paths)
const char *const gen_patterns[] = {"/a/*", "/a/**", "/**/c", "/a/b?",	   "/*",
				    "/**",  "/a*",   "/?",    "/a/[b-b]*", "/{a,d}/b/c"};
#define PATTERN_COUNT PCL_ARRAY_SIZE(gen_patterns)
const char *const gen_names[] = {"b", "c", "x"};
const char *const gen_sources[GEN_SOURCE_COUNT] = {"/bin/x", "/bin/y", "/sbin/z"};
const struct pcl_source_dir gen_source_dirs[GEN_SOURCE_DIR_COUNT] = {{(char *)"/bin", false},
								     {(char *)"/", true}};
const char *const gen_args[GEN_ARG_COUNT] = {"-a", "b", "c d"};
const char *const gen_syscalls[GEN_SYSCALL_COUNT] = {"unlink", "setuid", "ptrace"};
const char *const gen_dns_names[] = {"com", "b.com", "a.b.com", "ab.com", "org"};
const unsigned gen_capabilities[] = {0, 13, 21, 39}; /* chown, net_raw, sys_admin, bpf */
const char *const gen_capability_words[] = {"chown", "net_raw", "sys_admin", "bpf"};
const char *const gen_namespaces[GEN_NAMESPACE_COUNT] = {"one", "two"};
const struct pcl_label gen_labels[GEN_LABEL_COUNT] = {{(char *)"app", (char *)"a"},
						      {(char *)"app", (char *)"b"},
						      {(char *)"tier", (char *)"web"}};
const struct pcl_device gen_devices[] = {{3, PCL_DEVICE_ANY, PCL_DEVICE_ANY, PCL_DEVICE_ANY},
					 {8, 6, PCL_DEVICE_ANY, PCL_DEVICE_ANY},
					 {8, 6, 80, 1},
					 {PCL_DEVICE_ANY, PCL_DEVICE_ANY, PCL_DEVICE_ANY, 2}};

const struct gen_list_words gen_lists[] = {
#define PATH_FLAGS (PCL_RULE_OWNER_ONLY | PCL_RULE_NO_TERMINAL)
	[GEN_PROCESS_PATH] = {"process", "matchPaths", "path", 0, PATH_COUNT,
			      PATH_FLAGS | PCL_RULE_ALLOWED_ARGS, true},
	[GEN_PROCESS_NAME] = {"process", "matchPaths", "execname", 0, PCL_ARRAY_SIZE(gen_names),
			      PATH_FLAGS | PCL_RULE_ALLOWED_ARGS, true},
	[GEN_PROCESS_DIR] = {"process", "matchDirectories", "dir", 0, PATH_COUNT, PATH_FLAGS, true},
	[GEN_PROCESS_PATTERN] = {"process", "matchPatterns", "pattern", 0, PATTERN_COUNT,
				 PCL_RULE_OWNER_ONLY, false},
	[GEN_FILE_PATH] = {"file", "matchPaths", "path", 1, PATH_COUNT,
			   PATH_FLAGS | PCL_RULE_READ_ONLY, true},
	[GEN_FILE_DIR] = {"file", "matchDirectories", "dir", 1, PATH_COUNT,
			  PATH_FLAGS | PCL_RULE_READ_ONLY, true},
	[GEN_FILE_PATTERN] = {"file", "matchPatterns", "pattern", 1, PATTERN_COUNT,
			      PCL_RULE_OWNER_ONLY | PCL_RULE_READ_ONLY, false},
	[GEN_PROTOCOL] = {"network", "matchProtocols", "protocol", 2, PCL_PROTOCOL_COUNT,
			  PCL_RULE_NO_TERMINAL, true},
	[GEN_DNS] = {"network", "matchDNSQueries", "domain", 2, PCL_ARRAY_SIZE(gen_dns_names), 0,
		     true},
	[GEN_CAPABILITY] = {"capabilities", "matchCapabilities", "capability", 3,
			    PCL_ARRAY_SIZE(gen_capabilities), 0, true},
	[GEN_SYSCALL] = {"syscalls", "matchSyscalls", NULL, 4, 1, 0, true},
	[GEN_SYSCALL_PATH] = {"syscalls", "matchPaths", "path", 4, PATH_COUNT, 0, true},
	[GEN_DEVICE] = {"device", "matchDevice", NULL, 5, PCL_ARRAY_SIZE(gen_devices), 0, false},
	[GEN_PRESET] = {"presets", NULL, "name", 6, PCL_PRESET_COUNT, 0, false},
};

enum pcl_class gen_class(const struct gen_rule *rule)
{
	static const enum pcl_class classes[] = {
		PCL_CLASS_PROCESS,    PCL_CLASS_FILE,	 PCL_CLASS_NETWORK,
		PCL_CLASS_CAPABILITY, PCL_CLASS_SYSCALL, PCL_CLASS_DEVICE,
	};

	if (rule->list == GEN_DNS)
		return PCL_CLASS_DNS;
	if (rule->list != GEN_PRESET)
		return classes[gen_lists[rule->list].section_index];
	/* The two that protect /proc are about files. */
	return rule->object == PCL_PRESET_PROTECT_ENV || rule->object == PCL_PRESET_PROTECT_PROC
		       ? PCL_CLASS_FILE
		       : PCL_CLASS_PROCESS;
}

size_t gen_section(enum gen_list list)
{
	return gen_lists[list].section_index;
}

/* Entry, then section, then spec, then Block. */
enum pcl_action gen_action(const struct gen_set *set, const struct gen_rule *rule)
{
	const struct gen_policy *policy = &set->policies[rule->policy];
	int section = policy->section_actions[gen_section(rule->list)];

	if (rule->action != GEN_INHERIT)
		return (enum pcl_action)rule->action;
	if (section != GEN_INHERIT)
		return (enum pcl_action)section;
	return policy->action != GEN_INHERIT ? (enum pcl_action)policy->action : PCL_ACTION_BLOCK;
}

unsigned gen_pick(struct gen_random *random, size_t count)
{
	/* An xorshift generator: quality does not matter here, repeating does. */
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return (unsigned)((random->state >> 11) % count);
}

static int pick_action(struct gen_random *random, unsigned inherit_in)
{
	return gen_pick(random, inherit_in) ? GEN_INHERIT : (int)gen_pick(random, PCL_ACTION_COUNT);
}

static void draw_policy(struct gen_random *random, struct gen_policy *policy)
{
	*policy = (struct gen_policy){
		.kind = (enum pcl_kind)gen_pick(random, PCL_KIND_COUNT),
		.ns = gen_pick(random, GEN_NAMESPACE_COUNT),
		.action = pick_action(random, 2),
		.severity = gen_pick(random, 4),
	};
	for (size_t i = 0; i < GEN_SECTION_COUNT; i++)
		policy->section_actions[i] = pick_action(random, 6);
	if (policy->kind != PCL_KIND_CLUSTER && !gen_pick(random, 3))
		policy->labels = GEN_BIT(gen_pick(random, GEN_LABEL_COUNT));
	if (policy->kind == PCL_KIND_HOST)
		return;
	if (!gen_pick(random, 4))
		policy->in = 1 + gen_pick(random, GEN_BIT(GEN_LABEL_COUNT) - 1);
	if (!gen_pick(random, 4))
		policy->not_in = 1 + gen_pick(random, GEN_BIT(GEN_LABEL_COUNT) - 1);
	if (policy->kind == PCL_KIND_CLUSTER) {
		if (!gen_pick(random, 3))
			policy->ns_in = 1 + gen_pick(random, GEN_BIT(2) - 1);
		if (!gen_pick(random, 3))
			policy->ns_not_in = 1 + gen_pick(random, GEN_BIT(2) - 1);
	} else {
		policy->container = !gen_pick(random, 6);
	}
}

void gen_draw_rule(struct gen_random *random, const struct gen_set *set, struct gen_rule *ret_rule)
{
	/* Paths matter most, and collide best. */
	static const enum gen_list often[] = {GEN_FILE_PATH, GEN_FILE_DIR, GEN_PROCESS_PATH,
					      GEN_PROCESS_DIR};
	struct gen_rule rule = {
		.policy = gen_pick(random, set->policy_count),
		.list = gen_pick(random, 2) ? often[gen_pick(random, PCL_ARRAY_SIZE(often))]
					    : (enum gen_list)gen_pick(random, GEN_LIST_COUNT),
		.recursive = gen_pick(random, 2),
		.slash = gen_pick(random, 2),
		.action = pick_action(random, 3),
		.severity = gen_pick(random, 4),
	};
	bool host = set->policies[rule.policy].kind == PCL_KIND_HOST;

	if (rule.list == (host ? GEN_PRESET : GEN_DEVICE))
		rule.list = GEN_FILE_DIR;
	rule.object = gen_pick(random, gen_lists[rule.list].object_count);
	/* A path that ends in a slash is a directory's. */
	if ((rule.list == GEN_PROCESS_PATH || rule.list == GEN_FILE_PATH) && !rule.object)
		rule.object = 1;
	if (!gen_pick(random, 4))
		rule.flags = gen_pick(random, 16) & gen_lists[rule.list].flags;
	if (rule.flags & PCL_RULE_ALLOWED_ARGS)
		rule.args = 1 + gen_pick(random, GEN_BIT(GEN_ARG_COUNT) - 1);
	if (gen_lists[rule.list].sources && !gen_pick(random, 3))
		rule.sources = gen_pick(random, GEN_BIT(GEN_SOURCE_COUNT));
	if (gen_lists[rule.list].section_index == 4) {
		rule.syscalls = 1 + gen_pick(random, GEN_BIT(GEN_SYSCALL_COUNT) - 1);
		rule.source_dirs = gen_pick(random, 3) ? 0 : gen_pick(random, GEN_BIT(2));
		rule.slash |= rule.recursive || !rule.object;
	}
	if (rule.list == GEN_PRESET)
		rule.action = gen_pick(random, 2) ? PCL_ACTION_BLOCK : PCL_ACTION_AUDIT;
	*ret_rule = rule;
}

void gen_draw_set(struct gen_random *random, struct gen_set *ret_set)
{
	memset(ret_set, 0, sizeof(*ret_set));
	ret_set->policy_count = 1 + gen_pick(random, GEN_POLICIES_MAX);
	for (size_t i = 0; i < ret_set->policy_count; i++)
		draw_policy(random, &ret_set->policies[i]);
	ret_set->rule_count = 1 + gen_pick(random, GEN_RULES_MAX);
	for (size_t i = 0; i < ret_set->rule_count; i++)
		gen_draw_rule(random, ret_set, &ret_set->rules[i]);
}

static void draw_device(struct gen_random *random, struct pcl_device *device)
{
	static const int classes[] = {3, 8, 9}, sub_classes[] = {6, 0}, protocols[] = {80, 1};

	device->class = classes[gen_pick(random, 3)];
	device->sub_class = sub_classes[gen_pick(random, 2)];
	device->protocol = protocols[gen_pick(random, 2)];
	device->level = 1 + (int)gen_pick(random, 3);
}

/* What the operation is about, as its access needs it or at random. */
static void draw_object(struct gen_random *random, struct pcl_operation *operation)
{
	static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET};
	static const int types[] = {SOCK_STREAM,
				    SOCK_DGRAM,
				    SOCK_RAW,
				    SOCK_SEQPACKET,
				    SOCK_RDM,
				    SOCK_STREAM | SOCK_CLOEXEC,
				    SOCK_DGRAM | SOCK_NONBLOCK};
	static const int protocols[] = {
		0, 0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_SCTP, 262};
	static const char *const names[] = {"com",     "b.com",	 "A.b.com", "x.a.b.com.",
					    "xab.com", "ab.com", "org",	    "net"};

	if (gen_pick(random, 8))
		operation->object = gen_paths[gen_pick(random, PATH_COUNT)];
	operation->object_unknown = !gen_pick(random, 16);
	if (gen_pick(random, 4))
		operation->source = gen_sources[gen_pick(random, GEN_SOURCE_COUNT)];
	operation->socket =
		(struct pcl_socket){families[gen_pick(random, 5)], types[gen_pick(random, 7)],
				    protocols[gen_pick(random, 8)]};
	operation->name = operation->access == PCL_ACCESS_SYSCALL
				  ? gen_syscalls[gen_pick(random, GEN_SYSCALL_COUNT)]
				  : names[gen_pick(random, 8)];
	operation->capability = gen_capabilities[gen_pick(random, 4)];
	draw_device(random, &operation->device);
}

static enum pcl_access access_of(struct gen_random *random, const struct gen_rule *rule)
{
	static const enum pcl_access accesses[] = {
		[PCL_CLASS_PROCESS] = PCL_ACCESS_EXECUTE,
		[PCL_CLASS_FILE] = PCL_ACCESS_READ,
		[PCL_CLASS_NETWORK] = PCL_ACCESS_SOCKET,
		[PCL_CLASS_DNS] = PCL_ACCESS_RESOLVE,
		[PCL_CLASS_CAPABILITY] = PCL_ACCESS_CAPABILITY,
		[PCL_CLASS_SYSCALL] = PCL_ACCESS_SYSCALL,
		[PCL_CLASS_DEVICE] = PCL_ACCESS_DEVICE,
	};
	enum pcl_access access = accesses[gen_class(rule)];

	if (access == PCL_ACCESS_READ && gen_pick(random, 2))
		return PCL_ACCESS_WRITE;
	if (access == PCL_ACCESS_EXECUTE && !gen_pick(random, 8))
		return PCL_ACCESS_MAP;
	return access;
}

/* A domain that the policy may select. */
static unsigned domain_of(struct gen_random *random, const struct gen_policy *policy)
{
	if (policy->kind == PCL_KIND_HOST)
		return 0;
	return 1 + gen_pick(random, GEN_DOMAIN_COUNT - 1);
}

/* Puts the operation near a rule of the set. */
static void draw_near(struct gen_random *random, const struct gen_set *set,
		      struct gen_case *ret_case)
{
	const struct gen_rule *rule = &set->rules[gen_pick(random, set->rule_count)];
	struct pcl_operation *operation = &ret_case->operation;

	ret_case->domain = domain_of(random, &set->policies[rule->policy]);
	operation->access = access_of(random, rule);
	draw_object(random, operation);
	if (rule->list == GEN_CAPABILITY)
		operation->capability = gen_capabilities[rule->object];
	if ((rule->list == GEN_PROCESS_PATH || rule->list == GEN_FILE_PATH) && gen_pick(random, 2))
		operation->object = gen_paths[rule->object];
	for (unsigned i = 0; i < GEN_SOURCE_COUNT; i++)
		if (rule->sources & GEN_BIT(i) && gen_pick(random, 2))
			operation->source = gen_sources[i];
}

void gen_draw_case(struct gen_random *random, const struct gen_set *set, struct gen_case *ret_case)
{
	struct pcl_operation *operation = &ret_case->operation;

	memset(ret_case, 0, sizeof(*ret_case));
	if (set->rule_count && gen_pick(random, 8)) {
		draw_near(random, set, ret_case);
	} else {
		ret_case->domain = gen_pick(random, GEN_DOMAIN_COUNT);
		operation->access = (enum pcl_access)gen_pick(random, PCL_ACCESS_COUNT);
		draw_object(random, operation);
	}
	ret_case->postures.file = (enum pcl_posture)gen_pick(random, 2);
	ret_case->postures.network = (enum pcl_posture)gen_pick(random, 2);
	ret_case->postures.capabilities = (enum pcl_posture)gen_pick(random, 2);
	ret_case->postures.device = (enum pcl_posture)gen_pick(random, 2);
	operation->owner = gen_pick(random, 2);
	operation->terminal = gen_pick(random, 2);
	operation->own_process = !gen_pick(random, 3);
	operation->entered = !gen_pick(random, 3);
	ret_case->args[0] = gen_args[gen_pick(random, GEN_ARG_COUNT)];
	ret_case->args[1] = gen_args[gen_pick(random, GEN_ARG_COUNT)];
	operation->args = ret_case->args;
	operation->arg_count = gen_pick(random, 3);
}

/* --- domains and shrinking -----------------------------------------------------------------------
 */

static struct pcl_domain *domains[GEN_DOMAIN_COUNT];

const struct pcl_domain *gen_domain(unsigned index)
{
	static const char *const names[] = {NULL, GEN_CONTAINER, "db", "other"};
	static const char *const namespaces[] = {NULL, "one", "one", "two"};
	static const char *const labels[] = {"tier=web", "app=a", "app=b,tier=web", "app=a,x=y"};

	if (!domains[index])
		assert_int_equal(index ? pcl_domain_new(names[index], namespaces[index],
							labels[index], &domains[index], NULL)
				       : pcl_domain_new_host("node", labels[0], &domains[0], NULL),
				 0);
	return domains[index];
}

void gen_domains_free(void)
{
	for (size_t i = 0; i < GEN_DOMAIN_COUNT; i++)
		pcl_domain_free(&domains[i]);
}

static void remove_rule(struct gen_set *set, size_t index)
{
	memmove(&set->rules[index], &set->rules[index + 1],
		(--set->rule_count - index) * sizeof(set->rules[0]));
}

/* The numbered way to make set smaller; false past the last. */
static bool smaller(const struct gen_set *set, size_t step, struct gen_set *ret_set)
{
	enum {
		RULE_STEPS = 7,
		POLICY_STEPS = 6
	};

	*ret_set = *set;
	if (step < set->rule_count) {
		remove_rule(ret_set, step);
		return true;
	}
	step -= set->rule_count;
	if (step < set->rule_count * RULE_STEPS) {
		struct gen_rule *rule = &ret_set->rules[step / RULE_STEPS];
		unsigned *const fields[] = {&rule->sources, &rule->source_dirs, &rule->severity};

		switch (step % RULE_STEPS) {
		case 3:
			rule->flags &= rule->flags - 1;
			break;
		case 4:
			rule->recursive = false;
			break;
		case 5:
			rule->policy = 0;
			break;
		case 6:
			rule->action = GEN_INHERIT;
			break;
		default:
			*fields[step % RULE_STEPS] &= *fields[step % RULE_STEPS] - 1;
		}
		return true;
	}
	step -= set->rule_count * RULE_STEPS;
	if (step < set->policy_count * POLICY_STEPS) {
		struct gen_policy *policy = &ret_set->policies[step / POLICY_STEPS];
		unsigned *const fields[] = {&policy->labels, &policy->in,	 &policy->not_in,
					    &policy->ns_in,  &policy->ns_not_in, &policy->severity};

		*fields[step % POLICY_STEPS] = 0;
		return true;
	}
	return false;
}

static bool same_text(const struct gen_set *a, const struct gen_set *b)
{
	pcl_autofree char *left = gen_print(a, 0, NULL);
	pcl_autofree char *right = gen_print(b, 0, NULL);

	return !strcmp(left, right);
}

void gen_shrink(struct gen_set *set, bool (*fails)(const struct gen_set *set, void *context),
		void *context)
{
	bool again = true;

	while (again) {
		struct gen_set next;

		again = false;
		for (size_t step = 0; smaller(set, step, &next); step++) {
			if (same_text(&next, set) || !fails(&next, context))
				continue;
			*set = next;
			again = true;
			break;
		}
	}
}
