/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What BPF-LSM takes and what it does not: a rule of any word that it does not enforce is refused
 * with a reason and never planned; what it enforces otherwise than it says is told so; whatever it
 * takes, of the whole language, its plan decides as the model does, whoever owns the object and
 * whatever the task's terminal and arguments are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_load.h"
#include "backend/bpf_lsm_plan.h"
#include "base/cleanup.h"
#include "generate.h"
#include "policy/reader.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set
#define autoplan pcl_cleanup(pcl_bpf_plan_free) struct pcl_bpf_plan
#define autodiag struct pcl_diag pcl_cleanup(pcl_diag_fini)

#define ROUNDS 4000
#define CASES 32
#define EVERYWHERE                                                                                 \
	"  selector: {matchExpressions: [{key: namespace, operator: NotIn, values: [x]}]}\n"
#define RULES_MAX (2 * GEN_RULES_MAX)

/* The domains of generate.h under a set's rules. */
struct setting {
	struct pcl_ruleset *rulesets[GEN_DOMAIN_COUNT];
	struct pcl_backend_domain domains[GEN_DOMAIN_COUNT];
	const struct pcl_rule *rules[RULES_MAX];
	struct pcl_backend_input input;
};

static void setting_fini(struct setting *setting)
{
	for (size_t i = 0; i < GEN_DOMAIN_COUNT; i++)
		pcl_ruleset_free(&setting->rulesets[i]);
}

#define autosetting struct setting pcl_cleanup(setting_fini)

static void setting_init(struct setting *setting, const struct pcl_policy_set *set,
			 const struct pcl_postures *postures)
{
	size_t count = 0;

	memset(setting, 0, sizeof(*setting));
	for (size_t i = 0; i < set->policy_count; i++)
		for (size_t r = 0; r < set->policies[i]->rule_count; r++) {
			assert_true(count < RULES_MAX);
			setting->rules[count++] = set->policies[i]->rules[r];
		}
	test_sort_rules(setting->rules, count);
	for (unsigned i = 0; i < GEN_DOMAIN_COUNT; i++) {
		assert_int_equal(pcl_resolve(set, gen_domain(i), postures, &setting->rulesets[i]),
				 0);
		setting->domains[i] = (struct pcl_backend_domain){
			.ruleset = setting->rulesets[i],
			.id = i,
			.incarnation = i + 1,
			.cgroup_id = i,
		};
	}
	setting->input = (struct pcl_backend_input){
		.generation = 1,
		.domains = setting->domains,
		.domain_count = GEN_DOMAIN_COUNT,
		.rules = setting->rules,
		.rule_count = count,
	};
}

/* --- by name --------------------------------------------------------------------------------- */

/* A spec with a selector is of a cluster policy, which may have what the host's may not. */
static struct pcl_policy_set *read_spec(const char *spec)
{
	const char *kind = strstr(spec, "selector") ? "KubeArmorClusterPolicy" : TEST_HOST;
	pcl_autofree char *text = test_policy_text(kind, "p", spec);

	return test_read(text);
}

/* What it says of a rule that has status on every kernel; NULL where it has another. */
static const char *reason_of(const struct pcl_rule *rule, enum pcl_status status)
{
	const char *reason = NULL;

	for (unsigned k = 0; pcl_backend_bpf_lsm.kernels[k]; k++) {
		struct pcl_rule_status got = pcl_backend_bpf_lsm.status(rule, k);

		if (got.status != status)
			return NULL;
		assert_true(!reason || reason == got.reason);
		reason = got.reason;
	}
	return reason;
}

static bool is_taken(const struct pcl_rule *rule)
{
	return pcl_bpf_status(rule, PCL_BPF_KERNEL_FULL).status != PCL_STATUS_UNSUPPORTED;
}

static void what_is_not_enforced_is_refused_and_never_planned(void **state)
{
	static const struct {
		const char *spec, *id, *reason;
	} cases[] = {
		{"  network: {matchDNSQueries: [{domain: a.b, fromSource: [{path: /s}]}]}\n",
		 "network.matchDNSQueries[0]", "which program"},
		{"  syscalls: {matchPaths: [{syscall: [unlink], path: /a}]}\n",
		 "syscalls.matchPaths[0]", "path"},
		{"  device: {matchDevice: [{class: HID}]}\n", "device.matchDevice[0]", "devices"},
		{"  apparmor: deny /x w,\n", "apparmor", "AppArmor"},
	};
	static const struct pcl_postures postures = {0};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++) {
		autoset *set = read_spec(cases[i].spec);
		autosetting setting;
		struct pcl_bpf_plan *plan = NULL;
		autodiag diag = {0};
		const char *reason;

		assert_int_equal(set->policies[0]->rule_count, 1);
		reason = reason_of(set->policies[0]->rules[0], PCL_STATUS_UNSUPPORTED);
		if (!reason)
			fail_msg("%s is taken", cases[i].spec);
		test_contains(reason, cases[i].reason);
		setting_init(&setting, set, &postures);
		assert_int_equal(pcl_bpf_plan_make(&setting.input, &plan, &diag), -EOPNOTSUPP);
		assert_null(plan);
		test_contains(pcl_diag_text(&diag), cases[i].id);
		test_contains(pcl_diag_text(&diag), reason);
	}
}

static void what_is_enforced_is_planned(void **state)
{
	static const char *const specs[] = {
		EVERYWHERE "  presets: [{name: filelessExec}]\n",
		EVERYWHERE "  presets: [{name: protectEnv, action: Audit}]\n",
		EVERYWHERE "  presets: [{name: protectProc}]\n",
		EVERYWHERE "  presets: [{name: exec}]\n",
		"  file: {matchPaths: [{path: /a}]}\n",
		"  file: {matchPaths: [{path: /a, readOnly: true, action: Allow}]}\n",
		"  file: {matchDirectories: [{dir: /a/, recursive: true}]}\n",
		"  process: {matchPaths: [{path: /a, fromSource: [{path: /s}]}]}\n",
		"  process: {matchPaths: [{path: /a, pts: true, allowedArgs: []}]}\n",
		"  process: {matchPaths: [{path: /a, allowedArgs: [x, \"\"]}]}\n",
		"  process: {matchPaths: [{execname: a, allowedArgs: [x], action: Allow}]}\n",
		"  process: {matchDirectories: [{dir: /a/, action: Audit}]}\n",
		"  process: {matchPaths: [{execname: apt}]}\n",
		"  process: {matchPatterns: [{pattern: /usr/*}]}\n",
		"  file: {matchPatterns: [{pattern: \"/etc/**\", readOnly: true}]}\n",
		"  process: {matchPaths: [{path: /a, ownerOnly: true}]}\n",
		"  file: {matchDirectories: [{dir: /a/, ownerOnly: true, readOnly: true}]}\n",
		"  file: {matchPaths: [{path: /a, pts: false}]}\n",
		"  network: {matchProtocols: [{protocol: tcp}]}\n",
		"  network: {matchProtocols: [{protocol: all, fromSource: [{path: /s}]}]}\n",
		"  capabilities: {matchCapabilities: [{capability: net_raw}]}\n",
		"  syscalls: {matchSyscalls: [{syscall: [read, unlinkat]}]}\n",
		"  syscalls: {matchSyscalls: [{syscall: [ptrace], fromSource: [{path: /s}]}]}\n",
	};
	static const struct pcl_postures postures = {0};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(specs); i++) {
		autoset *set = read_spec(specs[i]);
		autoplan *plan = NULL;
		autosetting setting;

		setting_init(&setting, set, &postures);
		assert_int_equal(
			pcl_bpf_status(set->policies[0]->rules[0], PCL_BPF_KERNEL_FULL).status,
			PCL_STATUS_EXACT);
		assert_int_equal(pcl_bpf_plan_make(&setting.input, &plan, NULL), 0);
		assert_int_equal(plan->active, 1u << set->policies[0]->rules[0]->class);
	}
}

/* What no hook is called for is missed, and is said to be; by path, old kernels refuse too much. */
static void what_is_enforced_otherwise_says_so(void **state)
{
	static const struct {
		const char *spec, *reason;
	} looser[] = {
		{"  capabilities: {matchCapabilities: [{capability: sys_rawio}]}\n", "low addr"},
		{"  capabilities: {matchCapabilities: [{capability: setpcap}]}\n", "securebits"},
		{"  capabilities: {matchCapabilities: [{capability: sys_admin, action: Audit}]}\n",
		 "reserve"},
		{"  capabilities: {matchCapabilities: [{capability: net_raw, action: Allow}]}\n",
		 "allow-list"},
		{"  network: {matchDNSQueries: [{domain: a.b}]}\n", "packet sockets"},
	};
	autoset *path = read_spec("  file: {matchPaths: [{path: /a}]}\n");
	autoset *run = read_spec("  process: {matchPaths: [{path: /a}]}\n");
	const struct pcl_rule *rule = path->policies[0]->rules[0];

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(looser); i++) {
		autoset *set = read_spec(looser[i].spec);
		const char *reason = reason_of(set->policies[0]->rules[0], PCL_STATUS_LOOSER);

		if (!reason)
			fail_msg("%s is not looser", looser[i].spec);
		test_contains(reason, looser[i].reason);
	}
	assert_int_equal(pcl_bpf_status(rule, PCL_BPF_KERNEL_PLAIN).status, PCL_STATUS_EXACT);
	assert_int_equal(pcl_bpf_status(rule, PCL_BPF_KERNEL_OLD).status, PCL_STATUS_STRICTER);
	test_contains(pcl_bpf_status(rule, PCL_BPF_KERNEL_OLD).reason, "1,024 levels");
	assert_int_equal(pcl_bpf_status(rule, PCL_BPF_KERNEL_OLDEST).status, PCL_STATUS_LOOSER);
	test_contains(pcl_bpf_status(rule, PCL_BPF_KERNEL_OLDEST).reason, "io_uring");
	assert_int_equal(pcl_bpf_status(run->policies[0]->rules[0], PCL_BPF_KERNEL_OLDEST).status,
			 PCL_STATUS_STRICTER);
}

/* A packet tells no namespace, so the rule would be another domain's. */
static void names_are_refused_where_namespaces_tell_domains(void **state)
{
	static const struct pcl_postures postures = {0};
	autoset *set = read_spec(EVERYWHERE "  network: {matchDNSQueries: [{domain: a.b}]}\n");
	struct pcl_bpf_plan *plan = NULL;
	autosetting setting;
	autodiag diag = {0};

	(void)state;
	setting_init(&setting, set, &postures);
	assert_int_equal(pcl_bpf_plan_make(&setting.input, &plan, &diag), 0);
	pcl_bpf_plan_free(&plan);
	setting.domains[1].id_mount_ns = 1;
	assert_int_equal(pcl_bpf_plan_make(&setting.input, &plan, &diag), -EOPNOTSUPP);
	assert_null(plan);
	test_contains(pcl_diag_text(&diag), "DNS names");
}

static uint32_t ask_name(const struct pcl_bpf_plan *plan, const char *name, bool unknown)
{
	const struct pcl_operation operation = {.access = PCL_ACCESS_RESOLVE,
						.name = name,
						.object_unknown = unknown};

	return pcl_bpf_plan_ask(plan, 1, &operation).flags & PCL_OUTCOME_REFUSE;
}

/* Longer than a chunk of a key, alike in the first one, one below the other, and in capitals. */
static void names_are_found_whole_and_by_their_ends(void **state)
{
	static const struct pcl_postures postures = {0};
	autoset *set = read_spec(
		EVERYWHERE "  network:\n    matchDNSQueries:\n"
			   "      - {domain: a-name-longer-than-a-chunk-of-the-trie.of.example}\n"
			   "      - {domain: a-name-longer-than-a-chunk-of-the-trie.or.example}\n"
			   "      - {domain: below.or.example}\n");
	autoplan *plan = NULL;
	autosetting setting;

	(void)state;
	setting_init(&setting, set, &postures);
	assert_int_equal(pcl_bpf_plan_make(&setting.input, &plan, NULL), 0);
	assert_true(ask_name(plan, "a-name-longer-than-a-chunk-of-the-trie.of.example", false));
	assert_true(ask_name(plan, "x.A-name-longer-than-a-chunk-of-the-trie.OR.example.", false));
	assert_true(ask_name(plan, "www.below.or.example", false));
	assert_false(ask_name(plan, "notbelow.or.example", false));
	assert_false(ask_name(plan, "a-name-longer-than-a-chunk-of-the-trie.on.example", false));
	assert_false(ask_name(plan, "a-name-longer-than-a-chunk-of-th", false));
	assert_false(ask_name(plan, "example", false));
	assert_true(ask_name(plan, "example", true));
}

static void nothing_is_enforced_by_none_and_it_says_so(void **state)
{
	autoset *set = read_spec("  file: {matchPaths: [{path: /a}]}\n");

	(void)state;
	assert_int_equal(pcl_backend_none.status(set->policies[0]->rules[0], 0).status,
			 PCL_STATUS_UNSUPPORTED);
	assert_true(pcl_backend_none.idle);
	assert_false(pcl_backend_bpf_lsm.idle);
}

static void more_lists_of_arguments_than_fit_are_refused_by_name(void **state)
{
	static const struct pcl_postures postures = {0};
	autoset *set = read_spec("  process: {matchPaths: [{path: /a, allowedArgs: [a]},"
				 " {path: /a, allowedArgs: [b]}, {path: /a, allowedArgs: [c]},"
				 " {path: /a, allowedArgs: [d]}, {path: /b, allowedArgs: [e]},"
				 " {path: /a, allowedArgs: [e]}]}\n");
	struct pcl_bpf_plan *plan = NULL;
	autosetting setting;
	autodiag diag = {0};

	(void)state;
	setting_init(&setting, set, &postures);
	assert_int_equal(pcl_bpf_plan_make(&setting.input, &plan, &diag), -E2BIG);
	assert_null(plan);
	test_contains(pcl_diag_text(&diag), "process.matchPaths[5]");
}

static void a_rule_among_others_and_for_one_domain_is_enough(void **state)
{
	static const struct pcl_postures postures = {0};
	autoset *set = test_read("apiVersion: security.kubearmor.com/v1\n"
				 "kind: KubeArmorHostPolicy\nmetadata: {name: h}\nspec:\n"
				 "  nodeSelector: {matchLabels: {kubearmor.io/hostname: \"*\"}}\n"
				 "  file: {matchPaths: [{path: /a}, {path: /b}]}\n---\n"
				 "apiVersion: security.kubearmor.com/v1\n"
				 "kind: KubeArmorClusterPolicy\nmetadata: {name: c}\nspec:\n"
				 "  selector: {matchExpressions: [{key: namespace, operator: NotIn,"
				 " values: [nowhere]}]}\n"
				 "  file:\n    matchPaths: [{path: /a}]\n"
				 "  apparmor: deny /x w,\n");
	autosetting setting;
	struct pcl_bpf_plan *plan = NULL;
	autodiag diag = {0};

	(void)state;
	setting_init(&setting, set, &postures);
	assert_int_equal(pcl_bpf_plan_make(&setting.input, &plan, &diag), -EOPNOTSUPP);
	assert_null(plan);
	test_contains(pcl_diag_text(&diag), "*/c#apparmor");
}

/* Values of no policy that is read: a rule that is not known is not enforced either. */
static void what_is_unheard_of_is_refused(void **state)
{
	autoset *set = read_spec("  file: {matchPaths: [{path: /a}]}\n");
	struct pcl_rule rule = *set->policies[0]->rules[0];
	struct pcl_source_dir dir = {.path = (char *)"/bin"};

	(void)state;
	assert_true(is_taken(&rule));
	rule.flags = 1u << 30;
	assert_false(is_taken(&rule));
	rule.flags = PCL_RULE_READ_ONLY;
	assert_true(is_taken(&rule));
	rule.match = PCL_MATCH_DEVICE;
	assert_false(is_taken(&rule));
	rule.match = PCL_MATCH_DIR;
	assert_true(is_taken(&rule));
	rule.source_dirs = &dir;
	rule.source_dir_count = 1;
	assert_true(is_taken(&rule));
}

/* --- by chance ------------------------------------------------------------------------------- */

/* Takes the rules out that the backend refuses; their number. */
static size_t drop_unsupported(struct pcl_policy_set *set)
{
	size_t dropped = 0;

	for (size_t i = 0; i < set->policy_count; i++) {
		struct pcl_policy *policy = set->policies[i];
		size_t kept = 0;

		for (size_t r = 0; r < policy->rule_count; r++) {
			struct pcl_rule *rule = policy->rules[r];

			if (is_taken(rule)) {
				policy->rules[kept++] = rule;
				continue;
			}
			pcl_rule_free(&rule);
			dropped++;
		}
		policy->rule_count = kept;
	}
	return dropped;
}

static uint32_t number_of(const struct setting *setting, const struct pcl_rule *rule)
{
	for (size_t i = 0; rule && i < setting->input.rule_count; i++)
		if (setting->rules[i] == rule)
			return (uint32_t)i + 1;
	return 0;
}

static struct pcl_bpf_outcome expected(const struct setting *setting, const struct gen_case *draw)
{
	const struct pcl_ruleset *ruleset = setting->rulesets[draw->domain];
	struct pcl_bpf_outcome want = {0};
	struct pcl_verdict verdict;

	pcl_decide(ruleset, &draw->operation, &verdict);
	if (verdict.refused)
		want.flags |= PCL_OUTCOME_REFUSE;
	if (verdict.alert)
		want.flags |= PCL_OUTCOME_ALERT;
	if (verdict.by_posture)
		want.flags |= PCL_OUTCOME_BY_POSTURE;
	if (verdict.refused && verdict.rule && verdict.rule->match == PCL_MATCH_PRESET)
		want.flags |= PCL_OUTCOME_BY_PRESET;
	if (!verdict.refused && verdict.rule &&
	    ruleset->allow_list[pcl_access_class(draw->operation.access)])
		want.flags |= PCL_OUTCOME_ALLOWED;
	if (verdict.alert)
		want.rule = number_of(setting, verdict.refused ? verdict.rule : verdict.audit_rule);
	return want;
}

/* Whether the outcome was more than silent permission. */
static bool check_case(const struct setting *setting, const struct pcl_bpf_plan *plan,
		       const struct gen_case *draw, const char *text, size_t round)
{
	struct pcl_bpf_outcome want = expected(setting, draw);
	struct pcl_bpf_outcome got =
		pcl_bpf_plan_ask(plan, setting->domains[draw->domain].id, &draw->operation);

	if (got.flags == want.flags && got.rule == want.rule)
		return want.flags;
	gen_print_case(draw);
	fail_msg("round %zu: the model says flags %#x by rule %u, the plan %#x by %u; of what "
		 "bpf_lsm takes of\n%s",
		 round, want.flags, want.rule, got.flags, got.rule, text);
	return false;
}

/* Accesses of classes that some rule may be taken of; others have no rules left. */
static bool is_decided(enum pcl_access access)
{
	return access != PCL_ACCESS_RESOLVE && access != PCL_ACCESS_DEVICE;
}

static void what_is_taken_is_decided_as_the_model_does(void **state)
{
	struct gen_random random = {0xd1b54a32d192ed03u};
	size_t dropped = 0, matched = 0;

	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		struct gen_set drawn;
		struct gen_case draw;
		pcl_autofree char *text = NULL;
		autoset *set = NULL;
		autosetting setting;
		autoplan *plan = NULL;

		gen_draw_set(&random, &drawn);
		gen_draw_case(&random, &drawn, &draw);
		text = gen_print(&drawn, 0, NULL);
		set = test_read(text);
		dropped += drop_unsupported(set);
		setting_init(&setting, set, &draw.postures);
		assert_int_equal(pcl_bpf_plan_make(&setting.input, &plan, NULL), 0);
		for (size_t i = 0; i < CASES; i++) {
			gen_draw_case(&random, &drawn, &draw);
			if (is_decided(draw.operation.access))
				matched += check_case(&setting, plan, &draw, text, round);
		}
	}
	/* Draws of which nothing is refused or left would prove little. */
	assert_true(dropped > ROUNDS / 4 && matched > ROUNDS);
}

/* --- rules about one program, each with its own list of arguments ----------------------------- */

#define LISTED_RULES 3
#define ARGS 3
static const char *const listed_args[ARGS] = {"x", "y", "an-argument-that-is-longer-than-a-chunk"};

/* A policy of rules about /a or base name a, some with sources. */
static char *draw_listed_rules(struct gen_random *random)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	fputs("  process:\n    matchPaths:\n", out);
	for (int r = 0; r < LISTED_RULES; r++) {
		unsigned list = 1 + gen_pick(random, (1u << ARGS) - 1);

		fprintf(out, "    - %s\n      allowedArgs:\n",
			gen_pick(random, 3) ? "path: /a" : "execname: a");
		for (unsigned i = 0; i < ARGS; i++)
			if (list & 1u << i)
				fprintf(out, "      - %s\n", listed_args[i]);
		if (!gen_pick(random, 3))
			fputs("      fromSource: [{path: /s}]\n", out);
		if (!gen_pick(random, 4))
			fputs("      pts: false\n", out);
		fprintf(out, "      action: %s\n",
			pcl_action_name((enum pcl_action)gen_pick(random, PCL_ACTION_COUNT)));
	}
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Each set of arguments, one that no list has among them, from each source. */
static void check_all_args(const struct setting *setting, const struct pcl_bpf_plan *plan,
			   const char *text, size_t round)
{
	for (unsigned mask = 0; mask < 1u << (ARGS + 2); mask++) {
		const char *args[ARGS + 1];
		struct gen_case draw = {
			.operation = {.access = PCL_ACCESS_EXECUTE, .object = "/a"}};

		for (unsigned i = 0; i <= ARGS; i++)
			if (mask & 1u << i)
				args[draw.operation.arg_count++] = i < ARGS ? listed_args[i] : "z";
		draw.operation.args = args;
		draw.operation.source = mask & 1u << (ARGS + 1) ? "/s" : "/other";
		(void)check_case(setting, plan, &draw, text, round);
		draw.operation.terminal = true;
		(void)check_case(setting, plan, &draw, text, round);
	}
}

static void lists_of_one_program_are_decided_as_the_model_does(void **state)
{
	struct gen_random random = {0x9e3779b97f4a7c15u};

	(void)state;
	for (size_t round = 0; round < ROUNDS / 4; round++) {
		struct pcl_postures postures = {.file = gen_pick(&random, 2) ? PCL_POSTURE_BLOCK
									     : PCL_POSTURE_AUDIT};
		pcl_autofree char *text = draw_listed_rules(&random);
		autoset *set = read_spec(text);
		autosetting setting;
		autoplan *plan = NULL;

		setting_init(&setting, set, &postures);
		assert_int_equal(pcl_bpf_plan_make(&setting.input, &plan, NULL), 0);
		check_all_args(&setting, plan, text, round);
	}
}

static int free_domains(void **state)
{
	(void)state;
	gen_domains_free();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_enforced_is_refused_and_never_planned),
		cmocka_unit_test(what_is_enforced_is_planned),
		cmocka_unit_test(what_is_enforced_otherwise_says_so),
		cmocka_unit_test(names_are_refused_where_namespaces_tell_domains),
		cmocka_unit_test(names_are_found_whole_and_by_their_ends),
		cmocka_unit_test(nothing_is_enforced_by_none_and_it_says_so),
		cmocka_unit_test(more_lists_of_arguments_than_fit_are_refused_by_name),
		cmocka_unit_test(a_rule_among_others_and_for_one_domain_is_enough),
		cmocka_unit_test(what_is_unheard_of_is_refused),
		cmocka_unit_test(what_is_taken_is_decided_as_the_model_does),
		cmocka_unit_test(lists_of_one_program_are_decided_as_the_model_does),
	};

	return cmocka_run_group_tests_name("bpf_lsm-support", tests, NULL, free_domains);
}
