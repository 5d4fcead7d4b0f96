/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor's plans as text: golden ones, which the system's parser must take; what is granted and
 * what is not; names, escapes and hashes. That they decide as the model does is shown in guests.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/apparmor_plan.h"
#include "backend/apparmor_text.h"
#include "base/cleanup.h"
#include "support.h"

#define autoplan pcl_cleanup(pcl_apparmor_plan_free) struct pcl_apparmor_plan
#define autodiag struct pcl_diag pcl_cleanup(pcl_diag_fini)

#define RULES_MAX 256
/* Relative to the top of the tree, where make runs the tests. */
#define GOLDEN "core/tests/golden/apparmor/"
/* Debian puts it where not every user's PATH leads. */
#define PARSER "/usr/sbin/apparmor_parser"

extern char **environ;

/* The host, and a container that is called "box" with the label app=web. */
struct setting {
	struct pcl_policy_set *set;
	struct pcl_domain *domains[2];
	struct pcl_ruleset *rulesets[2];
	struct pcl_backend_domain backend_domains[2];
	const struct pcl_rule *rules[RULES_MAX];
	struct pcl_backend_input input;
};

static void setting_fini(struct setting *setting)
{
	for (size_t i = 0; i < 2; i++) {
		pcl_ruleset_free(&setting->rulesets[i]);
		pcl_domain_free(&setting->domains[i]);
	}
	pcl_policy_set_free(&setting->set);
}

#define autosetting struct setting pcl_cleanup(setting_fini)

/* Takes set. */
static void setting_init(struct setting *setting, struct pcl_policy_set *set,
			 enum pcl_posture posture)
{
	const struct pcl_postures postures = {posture, posture, posture, posture};
	size_t count = 0;

	memset(setting, 0, sizeof(*setting));
	setting->set = set;
	assert_int_equal(pcl_domain_new_host("node", NULL, &setting->domains[0], NULL), 0);
	assert_int_equal(pcl_domain_new("box", NULL, "app=web", &setting->domains[1], NULL), 0);
	for (size_t i = 0; i < set->policy_count; i++)
		for (size_t r = 0; r < set->policies[i]->rule_count; r++) {
			assert_true(count < RULES_MAX);
			setting->rules[count++] = set->policies[i]->rules[r];
		}
	test_sort_rules(setting->rules, count);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(pcl_resolve(set, setting->domains[i], &postures,
					     &setting->rulesets[i]),
				 0);
		setting->backend_domains[i] = (struct pcl_backend_domain){
			.ruleset = setting->rulesets[i],
			.id = (uint32_t)i * 3,
			.incarnation = (uint32_t)i + 1,
		};
	}
	setting->input = (struct pcl_backend_input){
		.generation = 1,
		.domains = setting->backend_domains,
		.domain_count = 2,
		.rules = setting->rules,
		.rule_count = count,
	};
}

static void setting_of(struct setting *setting, const char *spec)
{
	pcl_autofree char *text = test_policy_text(TEST_HOST, "p", spec);

	setting_init(setting, test_read(text), PCL_POSTURE_BLOCK);
}

static struct pcl_apparmor_plan *make_plan(const struct setting *setting)
{
	struct pcl_apparmor_plan *plan = NULL;
	autodiag diag = {0};

	if (pcl_apparmor_plan(&setting->input, NULL, &plan, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	return plan;
}

static const struct pcl_apparmor_profile *find(const struct pcl_apparmor_plan *plan,
					       const char *name)
{
	for (size_t i = 0; i < plan->count; i++)
		if (!strcmp(plan->profiles[i].name, name))
			return &plan->profiles[i];
	fail_msg("no profile %s", name);
	return NULL;
}

/* The first that is a source's. */
static const struct pcl_apparmor_profile *find_source(const struct pcl_apparmor_plan *plan)
{
	size_t i = 0;

	while (i < plan->count && !plan->profiles[i].source)
		i++;
	assert_true(i < plan->count);
	return &plan->profiles[i];
}

static void lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("unexpected \"%s\" in \"%s\"", part, text);
}

/* --- golden plans --------------------------------------------------------------------------------
 */

static char *golden_path(const char *name, const char *ending)
{
	char *path = NULL;

	assert_true(asprintf(&path, GOLDEN "%s.%s", name, ending) > 0);
	return path;
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t capacity = 0;

	if (!file || getdelim(&text, &capacity, '\0', file) < 0)
		fail_msg("cannot read %s; run from the top of the tree", path);
	(void)fclose(file);
	return text;
}

/* The whole of what would be loaded, in one text. */
static char *print_plan(const struct pcl_apparmor_plan *plan)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < plan->count; i++)
		(void)fputs(plan->profiles[i].text, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* A file of its own with text in it; path ends in XXXXXX. */
static void write_scratch(char *path, const char *text)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

/* The parser's answer for text and for what of the kernel's features it is given. */
static int run_parser(const char *text, const char *features)
{
	char path[] = "/tmp/portcullis-profiles-XXXXXX";
	char features_path[] = "/tmp/portcullis-features-XXXXXX";
	pcl_autofree char *argument = NULL;
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;

	write_scratch(path, text);
	write_scratch(features_path, features);
	assert_true(asprintf(&argument, "--features-file=%s", features_path) > 0);
	char *const argv[] = {PARSER, "-q", "-Q", "-K", "-T", "-S", argument, path, NULL};

	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
							  O_WRONLY, 0),
			 0);
	assert_int_equal(posix_spawn(&pid, PARSER, &actions, NULL, argv, environ), 0);
	(void)posix_spawn_file_actions_destroy(&actions);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)unlink(path);
	(void)unlink(features_path);
	return status;
}

static bool has_parser(void)
{
	if (!access(PARSER, X_OK))
		return true;
	print_message("skip: " PARSER " is not there; run scripts/setup\n");
	return false;
}

/* Text is what it takes, for each kernel at hand: the features were read in its guest. */
static void check_parser(const char *text)
{
	static const char *const kernels[] = {"5.10", "6.1", "6.12", "7.3"};

	if (!has_parser())
		return;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(kernels); i++) {
		pcl_autofree char *path = NULL, *whole = NULL, *reduced = NULL;
		struct pcl_apparmor_features features = {0};

		assert_true(asprintf(&path, GOLDEN "features-%s", kernels[i]) > 0);
		whole = read_file(path);
		assert_int_equal(pcl_apparmor_features_parse(whole, &features, &reduced, NULL), 0);
		assert_true(features.file && features.network && features.capabilities);
		if (run_parser(text, reduced))
			fail_msg("for %s the parser does not take\n%s", kernels[i], text);
	}
}

static void check_golden(const char *name, const char *ending, enum pcl_posture posture)
{
	pcl_autofree char *source = golden_path(name, "yaml"), *path = golden_path(name, ending);
	pcl_autofree char *got = NULL, *want = NULL;
	struct pcl_policy_set *set = NULL;
	autosetting setting;
	autoplan *plan = NULL;
	autodiag diag = {0};

	assert_int_equal(pcl_policy_set_new(&set), 0);
	if (pcl_policy_set_read(set, source, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	setting_init(&setting, set, posture);
	plan = make_plan(&setting);
	got = print_plan(plan);
	want = read_file(path);
	if (strcmp(got, want))
		fail_msg("the profiles of %s are now\n%sand not\n%s", source, got, want);
	check_parser(got);
}

static void the_parser_can_say_no(void **state)
{
	(void)state;
	if (!has_parser())
		skip();
	assert_int_equal(run_parser("profile a { /x r, }", "file {mask {read\n}\n}\n"), 0);
	assert_int_not_equal(run_parser("profile a { /x what, }", "file {mask {read\n}\n}\n"), 0);
}

static void the_golden_plans(void **state)
{
	(void)state;
	check_golden("host", "profiles", PCL_POSTURE_AUDIT);
	check_golden("lists", "block.profiles", PCL_POSTURE_BLOCK);
	check_golden("lists", "audit.profiles", PCL_POSTURE_AUDIT);
}

/* --- what is in a profile and what is not
 * ---------------------------------------------------------
 */

static void the_host_has_no_profile_without_a_rule(void **state)
{
	autosetting setting;
	autoplan *plan = NULL;
	struct pcl_policy_set *none = NULL;

	(void)state;
	assert_int_equal(pcl_policy_set_new(&none), 0);
	setting_init(&setting, none, PCL_POSTURE_BLOCK);
	plan = make_plan(&setting);
	assert_int_equal(plan->count, 1);
	assert_string_equal(plan->profiles[0].name, "portcullis-box");
	assert_int_equal(plan->profiles[0].domain, 3);
	test_contains(plan->profiles[0].text, "\t\"/{,**}\" rkmw,\n");
	test_contains(plan->profiles[0].text, "\t\"/{,**}\" ix,\n");
	lacks(plan->profiles[0].text, "deny");
	lacks(plan->profiles[0].text, "audit");
}

static void a_list_of_one_class_leaves_the_others_open(void **state)
{
	autosetting setting;
	autoplan *plan = NULL;
	const char *text;

	(void)state;
	setting_of(&setting, "  process: {matchPaths: [{path: /bin/a, action: Allow}]}\n");
	plan = make_plan(&setting);
	text = find(plan, "portcullis-host")->text;
	test_contains(text, "\t\"/bin/a\" pix -> \"&portcullis-host\", # p#process.matchPaths[0] "
			    "test.yaml:");
	lacks(text, "\"/{,**}\" pix");
	test_contains(text, "\t\"/{,**}\" rkmw,\n");
	test_contains(text, "\tnetwork,\n");
	test_contains(text, "\tcapability,\n");
}

static void a_source_has_a_profile_that_is_entered_and_left(void **state)
{
	autosetting setting;
	autoplan *plan = NULL;
	const struct pcl_apparmor_profile *own, *source;
	pcl_autofree char *enter = NULL;

	(void)state;
	setting_of(&setting, "  file: {matchPaths: [{path: /secret, fromSource: [{path: /s}]}]}\n");
	plan = make_plan(&setting);
	own = find(plan, "portcullis-host");
	assert_null(own->source);
	source = find_source(plan);
	assert_string_equal(source->source, "/s");
	assert_int_equal(source->domain, 0);
	assert_true(asprintf(&enter, "\t\"/s\" px -> \"%s\",\n", source->name) > 0);
	test_contains(own->text, enter);
	test_contains(source->text, enter);
	lacks(own->text, "/secret");
	test_contains(source->text, "\taudit deny \"/secret{,/}\" rkmwl,");
	test_contains(source->text, "\t\"/{,**}\" pix -> \"&portcullis-host\",\n");
}

/* A refused source is not entered: its line would grant it. */
static void a_source_that_may_not_be_executed_has_no_line(void **state)
{
	autosetting setting;
	autoplan *plan = NULL;
	const char *text;

	(void)state;
	setting_of(&setting, "  process: {matchPaths: [{path: /a, action: Allow}]}\n"
			     "  file: {matchPaths: [{path: /x, fromSource: [{path: /s}]},\n"
			     "                      {path: /y, fromSource: [{path: /a}]}]}\n");
	plan = make_plan(&setting);
	text = find(plan, "portcullis-host")->text;
	lacks(text, "\"/s\" px");
	test_contains(text, "\t\"/a\" px -> \"portcullis-host+");
	lacks(text, "\"/a\" pix");
}

static void what_is_named_is_kept_from_moving(void **state)
{
	autosetting setting;
	autoplan *plan = NULL;
	const char *text;

	(void)state;
	setting_of(&setting, "  file: {matchPaths: [{path: /a/b/c}],\n"
			     "         matchPatterns: [{pattern: /p/q/r*/s}]}\n"
			     "  process: {matchPaths: [{path: /x/y}],\n"
			     "            matchDirectories: [{dir: /t/}]}\n");
	plan = make_plan(&setting);
	text = find(plan, "portcullis-host")->text;
	test_contains(text, "\taudit deny \"/{x/y,a/,a/b/,p/,p/q/,t/,x/}\" w,\n");
}

/* The index in the list of its kind that the rule's id ends with; -1: no rule. */
static int guard_from(const struct setting *setting, const struct pcl_operation *change)
{
	const struct pcl_rule *rule = pcl_apparmor_guard(setting->rulesets[0], change);

	return rule ? atoi(strrchr(rule->id, '[') + 1) : -1;
}

static int guard_of(const struct setting *setting, const char *path, const char *source)
{
	const struct pcl_operation change = {.access = PCL_ACCESS_WRITE,
					     .object = path,
					     .source = source};

	return guard_from(setting, &change);
}

static int guard_of_directory(const struct setting *setting, const char *path)
{
	const struct pcl_operation change = {.access = PCL_ACCESS_WRITE,
					     .object = path,
					     .directory = true};

	return guard_from(setting, &change);
}

/* Each line that keeps a name is one that the guard tells of, and no other. */
static void a_guard_is_known_by_its_rule(void **state)
{
	autosetting setting;

	(void)state;
	setting_of(&setting, "  file: {matchPaths: [{path: /a/b/c}, {path: /a/e/f}],\n"
			     "         matchPatterns: [{pattern: /p/q/r*/s}, {pattern: /s/t*}]}\n"
			     "  process: {matchPaths: [{path: /x/y}, {path: /u/v/w, fromSource: "
			     "[{path: /s}]}, {execname: n}],\n"
			     "            matchDirectories: [{dir: /d/t/}]}\n");
	assert_int_equal(guard_of(&setting, "/a", NULL), 0);
	assert_int_equal(guard_of(&setting, "/a/e", NULL), 1);
	assert_int_equal(guard_of(&setting, "/a/e/f", NULL), -1);
	assert_int_equal(guard_of(&setting, "/p/q", NULL), 0);
	assert_int_equal(guard_of(&setting, "/p/q/r", NULL), -1);
	assert_int_equal(guard_of(&setting, "/s", NULL), 1);
	assert_int_equal(guard_of(&setting, "/x/y", NULL), 0);
	assert_int_equal(guard_of_directory(&setting, "/x/y"), -1);
	assert_int_equal(guard_of_directory(&setting, "/x"), 0);
	assert_int_equal(guard_of(&setting, "/x", NULL), 0);
	assert_int_equal(guard_of(&setting, "/k/n", NULL), 2);
	assert_int_equal(guard_of(&setting, "/d/t", NULL), 0);
	assert_int_equal(guard_of(&setting, "/d/t/z", NULL), -1);
	assert_int_equal(guard_of(&setting, "/u/v", NULL), -1);
	assert_int_equal(guard_of(&setting, "/u/v", "/s"), 1);
	assert_int_equal(guard_of(&setting, "/", NULL), -1);
}

/* A hard link is judged by both of its names, whoever owns the file. */
static void a_file_gets_no_name_that_evades(void **state)
{
	autosetting setting;
	autoplan *plan = NULL;
	const char *text;

	(void)state;
	setting_of(&setting, "  process: {matchPaths: [{path: /p}]}\n"
			     "  file: {matchPaths: [{path: /f}, {path: /o, ownerOnly: true}]}\n");
	plan = make_plan(&setting);
	text = find(plan, "portcullis-host")->text;
	test_contains(text, "\tlink \"/{,**}\" -> \"/{,**}\",\n");
	test_contains(text, "\t# \"/f{,/}\": p#file.matchPaths[0] test.yaml:");
	test_contains(text, "\t# \"/p\": p#process.matchPaths[0] test.yaml:");
	test_contains(text, "\taudit deny link \"/{,**}\" -> \"/{f{,/},p}\",\n");
	test_contains(text, "\taudit deny other link \"/{,**}\" -> \"/o{,/}\", # p#file.");
}

/* A line's globs stay within what the parser's scanner takes for one word. */
static void what_is_done_alike_stands_in_lines_of_some_length(void **state)
{
	pcl_autofree char *rules = NULL;
	size_t len, lines = 0;
	FILE *out = open_memstream(&rules, &len);
	autosetting setting;
	autoplan *plan = NULL;
	const char *text;

	(void)state;
	(void)fputs("  file:\n    matchPaths:\n", out);
	for (int i = 0; i < 100; i++)
		(void)fprintf(out, "    - path: /%02d%0100d\n", i, 0);
	assert_int_equal(fclose(out), 0);
	setting_of(&setting, rules);
	plan = make_plan(&setting);
	text = find(plan, "portcullis-host")->text;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		assert_in_range(strcspn(line, "\n"), 0, 5000);
		lines += !strncmp(line, "\taudit deny \"/{", 15);
	}
	assert_int_equal(lines, 3);
	check_parser(text);
}

/* In a list, both names must be listed. */
static void a_list_links_only_what_it_lists(void **state)
{
	autosetting setting;
	autoplan *plan = NULL;
	const char *text;

	(void)state;
	setting_of(&setting, "  action: Allow\n"
			     "  file: {matchPaths: [{path: /a}, {path: /b, readOnly: true},\n"
			     "                      {path: /c, ownerOnly: true}, {path: /d}]}\n");
	plan = make_plan(&setting);
	text = find(plan, "portcullis-host")->text;
	lacks(text, "\tlink \"/{,**}\"");
	test_contains(text, "\tlink \"/{a{,/},d{,/}}\" -> \"/{a{,/},d{,/}}\",\n");
	test_contains(text, "\towner link \"/{a{,/},c{,/},d{,/}}\" -> "
			    "\"/{a{,/},c{,/},d{,/}}\",\n");
}

static void what_raw_sockets_carry_is_not_told(void **state)
{
	const struct pcl_operation raw = {.access = PCL_ACCESS_SOCKET,
					  .socket = {AF_INET, SOCK_RAW, IPPROTO_ICMP}};
	struct pcl_operation stream = raw, other = raw;
	autosetting setting;
	autoplan *plan = NULL;

	(void)state;
	setting_of(&setting, "  network: {matchProtocols: [{protocol: tcp}]}\n");
	plan = make_plan(&setting);
	test_contains(find(plan, "portcullis-host")->text, "\taudit deny network inet6 raw, # p#");
	stream.socket.type = SOCK_STREAM;
	other.socket.family = AF_PACKET;
	assert_ptr_equal(pcl_apparmor_guard(setting.rulesets[0], &raw), setting.rules[0]);
	assert_null(pcl_apparmor_guard(setting.rulesets[0], &stream));
	assert_null(pcl_apparmor_guard(setting.rulesets[0], &other));
}

static void what_is_unsupported_is_refused(void **state)
{
	static const struct pcl_apparmor_features no_network = {.file = true, .capabilities = true};
	autosetting setting;
	autoplan *plan = NULL;
	autodiag diag = {0};

	(void)state;
	setting_of(&setting, "  network: {matchProtocols: [{protocol: udp}]}\n");
	assert_int_equal(pcl_apparmor_plan(&setting.input, &no_network, &plan, &diag), -EOPNOTSUPP);
	test_contains(pcl_diag_text(&diag), "p#network.matchProtocols[0] cannot");
	assert_int_equal(pcl_apparmor_plan(&setting.input, NULL, &plan, &diag), 0);
	setting_fini(&setting);
	pcl_apparmor_plan_free(&plan);
	setting_of(&setting, "  network: {matchProtocols: [{protocol: sctp}]}\n");
	assert_int_equal(pcl_apparmor_plan(&setting.input, NULL, &plan, &diag), -EOPNOTSUPP);
	test_contains(pcl_diag_text(&diag), "SCTP");
}

/* Who is in one of the host's profiles chooses no other of them, and no way out. */
static void a_profile_is_not_chosen(void **state)
{
	autosetting setting;
	autoplan *plan = NULL;
	const char *text;

	(void)state;
	setting_of(&setting, "  file: {matchPaths: [{path: /x}]}\n");
	plan = make_plan(&setting);
	text = find(plan, "portcullis-host")->text;
	test_contains(text, "\tchange_profile -> [^:]**,\n");
	test_contains(text, "\taudit deny change_profile -> unconfined,\n");
	test_contains(text, "\taudit deny change_profile -> portcullis-host+*,\n");
	lacks(find(plan, "portcullis-box")->text, "change_profile");
}

static enum pcl_status status_of_name(size_t len)
{
	pcl_autofree char *path = calloc(1, len + 1), *spec = NULL;
	autosetting setting;

	assert_non_null(path);
	for (size_t i = 0; i < len; i++)
		path[i] = i % 2 || i == len - 1 ? 'a' : '/';
	assert_true(asprintf(&spec, "  file: {matchPaths: [{path: %s}]}\n", path) > 0);
	setting_of(&setting, spec);
	return pcl_apparmor_status(setting.rules[0], 0).status;
}

/* The parser would not come to an end in time. */
static void a_very_long_name_is_unsupported(void **state)
{
	(void)state;
	assert_int_equal(status_of_name(2048), PCL_STATUS_LOOSER);
	assert_int_equal(status_of_name(2049), PCL_STATUS_UNSUPPORTED);
}

/* A promise, and the plan keeps to it: it takes what has another status than unsupported. */
static void a_rule_gets_the_status_that_is_promised(void **state)
{
	static const struct {
		const char *spec;
		enum pcl_status status;
		const char *reason;
	} cases[] = {
		{"  capabilities: {matchCapabilities: [{capability: net_raw}]}\n", PCL_STATUS_EXACT,
		 NULL},
		{"  network: {matchProtocols: [{protocol: raw}]}\n", PCL_STATUS_EXACT, NULL},
		{"  network: {matchProtocols: [{protocol: all, action: Allow}]}\n",
		 PCL_STATUS_EXACT, NULL},
		{"  apparmor: \"deny /x w,\"\n", PCL_STATUS_EXACT, NULL},
		{"  network: {matchProtocols: [{protocol: tcp}]}\n", PCL_STATUS_STRICTER, "SCTP"},
		{"  network: {matchProtocols: [{protocol: udp}]}\n", PCL_STATUS_STRICTER, "ICMP"},
		{"  network: {matchProtocols: [{protocol: tcp, action: Allow}]}\n",
		 PCL_STATUS_LOOSER, "allows too"},
		{"  file: {matchPaths: [{path: /a}]}\n", PCL_STATUS_LOOSER, "refuses moving"},
		{"  file: {matchPaths: [{path: /a, action: Audit}]}\n", PCL_STATUS_LOOSER,
		 "opened before"},
		{"  process: {matchPaths: [{path: /a}]}\n", PCL_STATUS_LOOSER, "changing it"},
		{"  file: {matchPaths: [{path: /a, ownerOnly: true}]}\n", PCL_STATUS_LOOSER,
		 "one's own file over another's"},
		{"  process: {matchDirectories: [{dir: /a/}]}\n", PCL_STATUS_LOOSER, "renamed"},
		{"  process: {matchPaths: [{path: /a, fromSource: [{path: /s}]}]}\n",
		 PCL_STATUS_LOOSER, "no_new_privs"},
		{"  capabilities: {matchCapabilities: [{capability: sys_admin}]}\n",
		 PCL_STATUS_LOOSER, "reserve"},
		{"  network: {matchProtocols: [{protocol: icmp}]}\n", PCL_STATUS_UNSUPPORTED,
		 "ICMP"},
		{"  file: {matchPatterns: [{pattern: \"{/a,/b}/c\"}]}\n", PCL_STATUS_UNSUPPORTED,
		 "slash"},
		{"  network: {matchDNSQueries: [{domain: a.b}]}\n", PCL_STATUS_UNSUPPORTED, "name"},
		{"  syscalls: {matchSyscalls: [{syscall: [unlink]}]}\n", PCL_STATUS_UNSUPPORTED,
		 "system calls"},
		{"  device: {matchDevice: [{class: HID}]}\n", PCL_STATUS_UNSUPPORTED, "plugged"},
		{"  file: {matchPaths: [{path: /a, pts: false}]}\n", PCL_STATUS_UNSUPPORTED,
		 "terminal"},
		{"  process: {matchPaths: [{path: /a, allowedArgs: [x]}]}\n",
		 PCL_STATUS_UNSUPPORTED, "arguments"},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(cases); i++) {
		autosetting setting;
		autoplan *plan = NULL;
		struct pcl_rule_status status;

		setting_of(&setting, cases[i].spec);
		status = pcl_apparmor_status(setting.rules[0], 0);
		if (status.status != cases[i].status || !status.reason != !cases[i].reason)
			fail_msg("%s is %s", cases[i].spec, pcl_status_name(status.status));
		if (cases[i].reason)
			test_contains(status.reason, cases[i].reason);
		assert_int_equal(pcl_apparmor_plan(&setting.input, NULL, &plan, NULL),
				 status.status == PCL_STATUS_UNSUPPORTED ? -EOPNOTSUPP : 0);
	}
}

/* What a rule that refuses nothing does not refuse is not told to be refused. */
static void a_rule_that_cannot_refuse_keeps_no_name(void **state)
{
	static const char *const specs[] = {
		"  file: {matchPaths: [{path: /a/b, action: Audit}]}\n",
		"  file: {matchPaths: [{path: /a/b, action: Allow}]}\n",
		"  process: {matchPaths: [{path: /a/b, action: Audit}]}\n",
		"  process: {matchDirectories: [{dir: /a/b/, action: Allow}]}\n",
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(specs); i++) {
		autosetting setting;
		autoplan *plan = NULL;

		setting_of(&setting, specs[i]);
		plan = make_plan(&setting);
		lacks(pcl_apparmor_status(setting.rules[0], 0).reason, "refuses");
		lacks(find(plan, "portcullis-host")->text, "deny \"");
	}
}

static void native_words_stay_within_their_profile(void **state)
{
	static const char *const whole[] = {"/x w,", "profile a { /x r, }", "/x{a,b} r, # }",
					    "\"/a}\" r,", "/\\} r,"};
	static const char *const broken[] = {"}", "/x r, } profile b {", "{", "\"/a", "/x { \"}\""};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(whole); i++)
		if (!pcl_apparmor_is_whole(whole[i]))
			fail_msg("%s", whole[i]);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(broken); i++)
		if (pcl_apparmor_is_whole(broken[i]))
			fail_msg("%s", broken[i]);
}

/* So a policy that moves within its file is not compiled again. */
static void a_hash_is_of_what_is_said_not_of_where(void **state)
{
	static const char *const specs[] = {
		"  file: {matchPaths: [{path: /a}]}\n",
		"\n\n  file: {matchPaths: [{path: /a}]}\n",
		"  file: {matchPaths: [{path: /b}]}\n",
	};
	uint64_t hashes[PCL_ARRAY_SIZE(specs)];

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(specs); i++) {
		autosetting setting;
		autoplan *plan = NULL;

		setting_of(&setting, specs[i]);
		plan = make_plan(&setting);
		hashes[i] = find(plan, "portcullis-host")->hash;
	}
	assert_true(hashes[0] == hashes[1]);
	assert_true(hashes[0] != hashes[2]);
}

static void features_are_read_and_reduced(void **state)
{
	static const char text[] =
		"caps {mask {chown net_raw\n}\n}\nmount {mask {mount umount\n}\n}\n"
		"file {mask {read\n}\n}\nnetwork_v8 {af_mask {inet\n}\n}\n"
		"policy {compressed_load {yes\n}\nset_load {yes\n}\npermstable32 {allow deny\n}\n"
		"permstable32_version {0x000003\n}\nversions {v5 {yes\n}\nv9 {yes\n}\n}\n}\n"
		"signal {mask {hup}}\n";
	struct pcl_apparmor_features features = {0};
	pcl_autofree char *reduced = NULL;
	autodiag diag = {0};

	(void)state;
	assert_int_equal(pcl_apparmor_features_parse(text, &features, &reduced, &diag), 0);
	assert_true(features.file && features.network && features.capabilities);
	assert_string_equal(reduced, "caps {mask {chown net_raw\n}\n}\nfile {mask {read\n}\n}\n"
				     "network_v8 {af_mask {inet\n}\n}\n"
				     "policy {set_load {yes\n}\n"
				     "versions {v5 {yes\n}\nv9 {yes\n}\n}\n}\n");
	assert_int_equal(pcl_apparmor_features_parse("file {mask", &features, NULL, &diag),
			 -EINVAL);
	assert_int_equal(pcl_apparmor_features_parse("policy {set_load}", &features, NULL, &diag),
			 -EINVAL);
	assert_int_equal(pcl_apparmor_features_parse("file", &features, NULL, &diag), -EINVAL);
	assert_int_equal(pcl_apparmor_features_parse("", &features, NULL, &diag), 0);
	assert_false(features.file || features.network || features.capabilities);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_parser_can_say_no),
		cmocka_unit_test(the_golden_plans),
		cmocka_unit_test(the_host_has_no_profile_without_a_rule),
		cmocka_unit_test(a_list_of_one_class_leaves_the_others_open),
		cmocka_unit_test(a_source_has_a_profile_that_is_entered_and_left),
		cmocka_unit_test(a_source_that_may_not_be_executed_has_no_line),
		cmocka_unit_test(what_is_named_is_kept_from_moving),
		cmocka_unit_test(a_guard_is_known_by_its_rule),
		cmocka_unit_test(a_file_gets_no_name_that_evades),
		cmocka_unit_test(what_is_done_alike_stands_in_lines_of_some_length),
		cmocka_unit_test(a_list_links_only_what_it_lists),
		cmocka_unit_test(what_raw_sockets_carry_is_not_told),
		cmocka_unit_test(what_is_unsupported_is_refused),
		cmocka_unit_test(a_very_long_name_is_unsupported),
		cmocka_unit_test(a_rule_gets_the_status_that_is_promised),
		cmocka_unit_test(a_rule_that_cannot_refuse_keeps_no_name),
		cmocka_unit_test(a_profile_is_not_chosen),
		cmocka_unit_test(native_words_stay_within_their_profile),
		cmocka_unit_test(a_hash_is_of_what_is_said_not_of_where),
		cmocka_unit_test(features_are_read_and_reduced),
	};

	return cmocka_run_group_tests_name("apparmor-plan", tests, NULL, NULL);
}
