/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SELinux's plans: golden ones; names, views and what is refused to be planned; and for random
 * policies and nodes, that what the labels let by is what the model lets by.
 *
 * A failure of the random ones names its seed; build/tests/test_selinux_plan SEED repeats it alone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/selinux_plan.h"
#include "base/cleanup.h"
#include "policy/decide.h"
#include "support.h"

#define autoplan pcl_cleanup(pcl_selinux_plan_free) struct pcl_selinux_plan
#define autoview pcl_cleanup(pcl_selinux_view_free) struct pcl_selinux_view
#define autodiag struct pcl_diag pcl_cleanup(pcl_diag_fini)

/* Relative to the top of the tree, where make runs the tests. */
#define GOLDEN "core/tests/golden/selinux/"
#define SEEDS 2000

static uint64_t first_seed = 1, seed_count = SEEDS;

struct setting {
	struct pcl_policy_set *set;
	struct pcl_domain *domain;
	struct pcl_ruleset *ruleset;
	struct pcl_aliases aliases;
	struct pcl_backend_domain backend_domain;
	struct pcl_backend_input input;
};

static void setting_fini(struct setting *setting)
{
	pcl_ruleset_free(&setting->ruleset);
	pcl_domain_free(&setting->domain);
	pcl_aliases_fini(&setting->aliases);
	pcl_policy_set_free(&setting->set);
}

#define autosetting struct setting pcl_cleanup(setting_fini)

/* Takes set. */
static void setting_init(struct setting *setting, struct pcl_policy_set *set,
			 enum pcl_posture posture)
{
	const struct pcl_postures postures = {posture, posture, posture, posture};

	memset(setting, 0, sizeof(*setting));
	setting->set = set;
	assert_int_equal(pcl_domain_new_host("node", NULL, &setting->domain, NULL), 0);
	assert_int_equal(pcl_resolve(set, setting->domain, &postures, &setting->ruleset), 0);
	setting->backend_domain = (struct pcl_backend_domain){
		.ruleset = setting->ruleset,
		.aliases = &setting->aliases,
	};
	setting->input = (struct pcl_backend_input){
		.generation = 1,
		.domains = &setting->backend_domain,
		.domain_count = 1,
		.rules = setting->ruleset->rules,
		.rule_count = setting->ruleset->rule_count,
	};
}

static void setting_of(struct setting *setting, const char *spec, enum pcl_posture posture)
{
	pcl_autofree char *text = test_policy_text(TEST_HOST, "p", spec);

	setting_init(setting, test_read(text), posture);
}

static struct pcl_selinux_view *view_of(const char *text)
{
	struct pcl_selinux_view *view = NULL;
	autodiag diag = {0};

	if (pcl_selinux_view_parse("view", text, &view, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	return view;
}

static struct pcl_selinux_plan *plan_of(const struct setting *setting,
					const struct pcl_selinux_view *view)
{
	struct pcl_selinux_plan *plan = NULL;
	autodiag diag = {0};

	if (pcl_selinux_plan(&setting->input, view, &plan, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	return plan;
}

static char *print_plan(const struct pcl_selinux_plan *plan)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	pcl_selinux_plan_print(plan, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* --- golden plans ------------------------------------------------------------------------------
 */

static char *read_file(const char *path)
{
	pcl_autofclose FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t capacity = 0;

	if (!file || getdelim(&text, &capacity, '\0', file) < 0)
		fail_msg("cannot read %s; run from the top of the tree", path);
	return text;
}

static void check_golden(const char *policy, const char *want_path, enum pcl_posture posture)
{
	pcl_autofree char *view_text = read_file(GOLDEN "node.view"), *got = NULL, *want = NULL;
	struct pcl_policy_set *set = NULL;
	autoview *view = view_of(view_text);
	autoplan *plan = NULL;
	autosetting setting;
	autodiag diag = {0};

	assert_int_equal(pcl_policy_set_new(&set), 0);
	if (pcl_policy_set_read(set, policy, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	setting_init(&setting, set, posture);
	plan = plan_of(&setting, view);
	got = print_plan(plan);
	want = read_file(want_path);
	if (strcmp(got, want))
		fail_msg("the plan of %s is now\n%sand not\n%s", policy, got, want);
}

static void plans_are_as_before(void **state)
{
	(void)state;
	check_golden(GOLDEN "host.yaml", GOLDEN "host.plan", PCL_POSTURE_AUDIT);
	check_golden(GOLDEN "list.yaml", GOLDEN "list.plan", PCL_POSTURE_BLOCK);
}

/* --- what a plan does --------------------------------------------------------------------------
 */

static bool has_name(char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* Whether some constraint takes the permission from everybody. */
static bool is_refused(const struct pcl_selinux_plan *plan, const char *type,
		       const char *class_name, const char *permission)
{
	for (size_t i = 0; i < plan->changes.refuses_count; i++) {
		const struct pcl_selinux_refuse *refuse = &plan->changes.refuses[i];

		if (!strcmp(refuse->class_name, class_name) &&
		    has_name(refuse->permissions, refuse->permissions_count, permission) &&
		    (!refuse->targets_count ||
		     has_name(refuse->targets, refuse->targets_count, type)))
			return true;
	}
	return false;
}

/* The type that a name has when the plan is carried out. Owned. */
static char *type_of(const struct pcl_selinux_plan *plan, const struct pcl_selinux_entry *entry)
{
	const char *context = entry->context, *type;

	for (size_t i = 0; i < plan->relabel_count; i++)
		if (!strcmp(plan->relabels[i].path, entry->path))
			context = plan->relabels[i].after;
	type = strchr(strchr(context, ':') + 1, ':') + 1;
	return strndup(type, strcspn(type, ":"));
}

static const struct pcl_selinux_entry *entry_of(const struct pcl_selinux_view *view,
						const char *path)
{
	for (size_t i = 0; i < view->entry_count; i++)
		if (!strcmp(view->entries[i].path, path))
			return &view->entries[i];
	fail_msg("%s is not in the view", path);
	return NULL;
}

static void check_type(const struct pcl_selinux_plan *plan, const struct pcl_selinux_view *view,
		       const char *path, const char *want)
{
	pcl_autofree char *type = type_of(plan, entry_of(view, path));

	assert_string_equal(type, want);
}

#define CONTEXT(type) "system_u:object_r:" type ":s0\n"
#define SMALL                                                                                      \
	"/ d " CONTEXT("root_t") "/a d " CONTEXT("a_t") "/a/x f " CONTEXT("a_t") "/b f " CONTEXT(  \
		"b_t")

static void a_clone_is_taken_for_what_it_stands_in_for(void **state)
{
	autosetting setting;
	autoview *view = view_of("/b f " CONTEXT("portcullis_rw_b_t") "/c f " CONTEXT(
		"portcullis_kP_c_t") "/d f " CONTEXT("portcullis_w_d_t"));
	autoplan *plan = NULL;

	(void)state;
	setting_of(&setting, "  file: {matchPaths: [{path: /b}, {path: /d, readOnly: true}]}\n", 0);
	plan = plan_of(&setting, view);
	check_type(plan, view, "/b", "portcullis_rw_b_t");
	/* No rule is about it any more. */
	check_type(plan, view, "/c", "c_t");
	check_type(plan, view, "/d", "portcullis_w_d_t");
	assert_int_equal(plan->relabel_count, 1);
	assert_int_equal(plan->relabels[0].reason.rule_count, 0);
	/* What is labelled already is planned all the same. */
	assert_int_equal(plan->changes.clones_count, 2);
	assert_string_equal(plan->changes.clones[0].base, "b_t");
	assert_string_equal(pcl_selinux_base("portcullis_rwRW_a_b_t"), "a_b_t");
	assert_string_equal(pcl_selinux_base("portcullis"), "portcullis");
	assert_string_equal(pcl_selinux_base("shadow_t"), "shadow_t");
}

static void the_strictest_of_two_names_holds(void **state)
{
	autosetting setting;
	autoview *view = view_of("/b f@1:7 " CONTEXT("b_t") "/c f@1:7 " CONTEXT(
		"b_t") "/d f@1:8 " CONTEXT("b_t") "/e f@2:7 " CONTEXT("b_t"));
	autoplan *plan = NULL;

	(void)state;
	setting_of(&setting, "  file: {matchPaths: [{path: /b}, {path: /c, readOnly: true}]}\n", 0);
	plan = plan_of(&setting, view);
	check_type(plan, view, "/b", "portcullis_rw_b_t");
	check_type(plan, view, "/c", "portcullis_rw_b_t");
	check_type(plan, view, "/d", "b_t");
	check_type(plan, view, "/e", "b_t");
	assert_int_equal(plan->relabels[1].reason.rule_count, 2);
}

static void a_link_on_the_path_is_followed(void **state)
{
	autosetting setting;
	autoview *view = view_of(SMALL);
	autoplan *plan = NULL;

	(void)state;
	setting_of(&setting, "  file: {matchDirectories: [{dir: /link/, recursive: true}]}\n", 0);
	assert_int_equal(pcl_aliases_add_more(&setting.aliases, "/link", "/a"), 0);
	plan = plan_of(&setting, view);
	check_type(plan, view, "/a", "portcullis_rwRW_a_t");
	check_type(plan, view, "/a/x", "portcullis_rw_a_t");
	check_type(plan, view, "/b", "b_t");
}

static void what_has_no_label_is_told(void **state)
{
	autosetting setting;
	autoview *view = view_of(
		"type b_t\n/b f -\n/c f " CONTEXT("odd_t") "/d f " CONTEXT("b_t") "/e f -\n");
	autoplan *plan = NULL;

	(void)state;
	setting_of(&setting, "  file: {matchPaths: [{path: /b}, {path: /c}, {path: /d}]}\n", 0);
	plan = plan_of(&setting, view);
	assert_int_equal(plan->missed_count, 2);
	assert_string_equal(plan->missed[0].path, "/b");
	assert_string_equal(plan->missed[0].reason.rules[0]->object, "/b");
	assert_string_equal(plan->missed[1].path, "/c");
	assert_int_equal(plan->relabel_count, 1);
}

/* Programs that rules name keep their names, and so do the directories above. */
static void guards_have_their_rule(void **state)
{
	autosetting setting;
	autoview *view = view_of(SMALL);
	autoplan *plan = NULL;
	const struct pcl_operation above = {.access = PCL_ACCESS_WRITE, .object = "/a"};
	const struct pcl_operation program = {.access = PCL_ACCESS_WRITE, .object = "/a/x"};
	const struct pcl_operation other = {.access = PCL_ACCESS_WRITE, .object = "/b"};
	pcl_autofree char *dir = NULL, *file = NULL;

	(void)state;
	setting_of(&setting, "  process: {matchPaths: [{path: /a/x}]}\n", 0);
	plan = plan_of(&setting, view);
	dir = type_of(plan, entry_of(view, "/a"));
	file = type_of(plan, entry_of(view, "/a/x"));
	assert_true(is_refused(plan, dir, "dir", "rename"));
	assert_false(is_refused(plan, dir, "dir", "add_name"));
	assert_false(is_refused(plan, dir, "file", "execute"));
	assert_true(is_refused(plan, file, "file", "execute"));
	assert_true(is_refused(plan, file, "file", "unlink"));
	assert_false(is_refused(plan, file, "file", "read"));
	assert_ptr_equal(pcl_selinux_guard(setting.ruleset, &above), setting.ruleset->rules[0]);
	assert_ptr_equal(pcl_selinux_guard(setting.ruleset, &program), setting.ruleset->rules[0]);
	assert_null(pcl_selinux_guard(setting.ruleset, &other));
}

static void nothing_comes_of_no_rule(void **state)
{
	autosetting setting;
	autoview *view = view_of(SMALL);
	autoplan *plan = NULL;
	pcl_autofree char *text = NULL;

	(void)state;
	setting_of(&setting, "  file: {matchPaths: [{path: /nowhere}]}\n", 0);
	plan = plan_of(&setting, view);
	text = print_plan(plan);
	assert_string_equal(text, "");
}

/* --- what is no plan ---------------------------------------------------------------------------
 */

static void plan_fails(const char *spec, const char *view_text, enum pcl_posture posture, int error,
		       const char *why)
{
	autoview *view = view_of(view_text);
	autosetting setting;
	autoplan *plan = NULL;
	autodiag diag = {0};

	setting_of(&setting, spec, posture);
	assert_int_equal(pcl_selinux_plan(&setting.input, view, &plan, &diag), error);
	assert_null(plan);
	test_contains(pcl_diag_text(&diag), why);
}

static void what_selinux_cannot_is_refused(void **state)
{
	(void)state;
	plan_fails("  file: {matchPaths: [{path: /b, ownerOnly: true}]}\n", SMALL, 0, -EOPNOTSUPP,
		   "rule p#file.matchPaths[0] cannot be enforced: backend selinux does not know "
		   "who owns");
	plan_fails("  process: {matchPaths: [{path: /b, fromSource: [{path: /s}]}]}\n", SMALL, 0,
		   -EOPNOTSUPP, "which program");
	plan_fails("  network: {matchProtocols: [{protocol: sctp}]}\n", "class tcp_socket\n", 0,
		   -EOPNOTSUPP, "no class sctp_socket");
	plan_fails("  file: {matchPaths: [{path: /b, action: Allow}]}\n", SMALL, PCL_POSTURE_BLOCK,
		   -EINVAL, "names none");
}

static void view_fails(const char *text, const char *why)
{
	struct pcl_selinux_view *view = NULL;
	autodiag diag = {0};

	assert_int_equal(pcl_selinux_view_parse("view", text, &view, &diag), -EINVAL);
	assert_null(view);
	test_contains(pcl_diag_text(&diag), why);
}

static void a_bad_view_names_its_line(void **state)
{
	(void)state;
	view_fails("\n/a f\n", "view:2: a file is PATH KIND CONTEXT");
	view_fails("/a f b c\n", "view:1: a file is");
	view_fails("/a x c\n", "view:1: KIND must be");
	view_fails("/a f@1 c\n", "view:1: KIND must be");
	view_fails("/a f@1:0 c\n", "view:1: KIND must be");
	view_fails("/a f@1:2x c\n", "view:1: KIND must be");
	view_fails("/a\\04 f c\n", "three octal digits");
	view_fails("/a\\000 f c\n", "three octal digits");
	view_fails("/a\\777 f c\n", "three octal digits");
	view_fails("/a f c\n/a d c\n", "view: /a is there twice");
	view_fails("type\n", "view:1: one name is wanted");
	view_fails("types a\n", "view:1: a line begins with");
	view_fails("making a b c\n", "view:1: a making is");
}

static void a_view_is_read(void **state)
{
	autoview *view = view_of("# x\n\n/b\\040\\134 f@3:4 -\r\n/a d u:r:t\ntype z\ntype y\n");

	(void)state;
	assert_int_equal(view->entry_count, 2);
	assert_string_equal(view->entries[0].path, "/a");
	assert_string_equal(view->entries[0].context, "u:r:t");
	assert_int_equal(view->entries[0].kind, 'd');
	assert_string_equal(view->entries[1].path, "/b \\");
	assert_null(view->entries[1].context);
	assert_int_equal(view->entries[1].device, 3);
	assert_int_equal(view->entries[1].inode, 4);
	assert_string_equal(view->types[0], "y");
	assert_true(has_name(view->classes, view->class_count, "tcp_socket"));
}

/* --- random ones -------------------------------------------------------------------------------
 */

static uint64_t random_state;

static unsigned pick(unsigned count)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % count;
}

/* Directories, by a slash at the end, and files. */
static const char *const paths[] = {
	"/a/",	 "/a/b/",    "/a/b/c/", "/a/b/c/x",  "/a/b/x", "/a/b/y",
	"/a/x",	 "/a/y.key", "/bin/",	"/bin/tool", "/bin/x", "/d/",
	"/d/a/", "/d/a/x",   "/d/x",	"/d/y.key",  "/e",
};
static const char *const patterns[] = {"/a/*", "/a/**", "/*/x", "/**.key", "/a/b/[xy]", "/d/*/x"};
static const char *const types[] = {"one_t", "two_t", "three_t"};

static void put_rule(FILE *out, bool process)
{
	static const char *const actions[] = {"Block", "Block", "Allow", "Audit"};
	const char *path = paths[pick(PCL_ARRAY_SIZE(paths))];
	bool dir = path[strlen(path) - 1] == '/';

	switch (pick(process ? 4 : 3)) {
	case 0:
		(void)fprintf(out, "matchPatterns|pattern: \"%s\"",
			      patterns[pick(PCL_ARRAY_SIZE(patterns))]);
		break;
	case 3:
		(void)fprintf(out, "matchPaths|execname: %s", pick(2) ? "x" : "tool");
		break;
	default:
		if (dir && pick(4))
			(void)fprintf(out, "matchDirectories|dir: %s, recursive: %s", path,
				      pick(2) ? "true" : "false");
		else
			(void)fprintf(out, "matchPaths|path: %.*s", (int)strlen(path) - dir, path);
	}
	if (!process && !pick(4))
		(void)fputs(", readOnly: true", out);
	(void)fprintf(out, ", action: %s", actions[pick(PCL_ARRAY_SIZE(actions))]);
}

/* The rules of a section by their lists, each of which may be there once only. */
static void put_section(FILE *out, bool process)
{
	static const char *const lists[] = {"matchPaths", "matchDirectories", "matchPatterns"};
	char *rules[8] = {NULL};
	size_t count = 1 + pick(PCL_ARRAY_SIZE(rules) - 1);

	for (size_t i = 0; i < count; i++) {
		size_t len;
		FILE *rule = open_memstream(&rules[i], &len);

		put_rule(rule, process);
		assert_int_equal(fclose(rule), 0);
	}
	(void)fprintf(out, "  %s:\n", process ? "process" : "file");
	for (size_t l = 0; l < PCL_ARRAY_SIZE(lists); l++) {
		bool any = false;

		for (size_t i = 0; i < count; i++) {
			if (strncmp(rules[i], lists[l], strlen(lists[l])) != 0)
				continue;
			if (!any)
				(void)fprintf(out, "    %s:\n", lists[l]);
			any = true;
			(void)fprintf(out, "      - {%s}\n", strchr(rules[i], '|') + 1);
		}
	}
	for (size_t i = 0; i < count; i++)
		free(rules[i]);
}

static char *random_spec(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (pick(4))
		put_section(out, false);
	if (pick(3) || !ftell(out))
		put_section(out, true);
	assert_int_equal(fclose(out), 0);
	return text;
}

static char *random_view(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	/* The names of one file have one label. */
	const char *shared = types[pick(PCL_ARRAY_SIZE(types))];

	for (size_t i = 0; i < PCL_ARRAY_SIZE(types); i++)
		(void)fprintf(out, "type %s\n", types[i]);
	(void)fprintf(out, "/ d u:r:%s:s0\n", types[0]);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(paths); i++) {
		size_t path_len = strlen(paths[i]);
		bool dir = paths[i][path_len - 1] == '/', linked = !dir && !pick(4);

		if (dir || pick(5))
			(void)fprintf(out, "%.*s %s u:r:%s:s0\n", (int)(path_len - dir), paths[i],
				      dir      ? "d"
				      : linked ? "f@1:9"
					       : "f",
				      linked ? shared : types[pick(PCL_ARRAY_SIZE(types))]);
	}
	for (size_t i = pick(4); i; i--)
		(void)fprintf(out, "making some_t %s %s %s\n", types[pick(PCL_ARRAY_SIZE(types))],
			      pick(2) ? "dir" : "file", types[pick(PCL_ARRAY_SIZE(types))]);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* What the model says of a file by all its names. */
static bool model_refuses(const struct setting *setting, const struct pcl_selinux_view *view,
			  const struct pcl_selinux_entry *entry, enum pcl_access access)
{
	for (size_t i = 0; i < view->entry_count; i++) {
		const struct pcl_selinux_entry *other = &view->entries[i];
		const struct pcl_operation operation = {.access = access, .object = other->path};
		struct pcl_verdict verdict;

		if (other != entry && (!entry->inode || other->inode != entry->inode))
			continue;
		pcl_decide(setting->ruleset, &operation, &verdict);
		if (verdict.refused)
			return true;
	}
	return false;
}

struct trial {
	struct setting setting;
	struct pcl_selinux_view *view;
	struct pcl_selinux_plan *plan;
	const char *spec, *view_text;
	uint64_t seed;
};

static void expect(const struct trial *trial, const char *path, const char *type,
		   const char *class_name, const char *permission, bool want)
{
	if (is_refused(trial->plan, type, class_name, permission) == want)
		return;
	fail_msg("seed %llu: %s %s of %s, a %s, is %s and should not be; of\n%s\n%s",
		 (unsigned long long)trial->seed, class_name, permission, path, type,
		 want ? "permitted" : "refused", trial->spec, trial->view_text);
}

static bool model_refuses_path(const struct trial *trial, const char *path, enum pcl_access access)
{
	const struct pcl_operation operation = {.access = access, .object = path};
	struct pcl_verdict verdict;

	pcl_decide(trial->setting.ruleset, &operation, &verdict);
	return verdict.refused;
}

/* What is made in the directory is as refused as the model says, by whatever type it gets. */
static void check_made(const struct trial *trial, const struct pcl_selinux_entry *entry,
		       const char *type)
{
	const char *base = pcl_selinux_base(type), *made = type;
	pcl_autofree char *path = NULL;

	assert_true(asprintf(&path, "%s/a new thing", strcmp(entry->path, "/") ? entry->path : "") >
		    0);
	/* By some_t, whose transitions are the only ones. */
	for (size_t i = 0; i < trial->view->making_count; i++)
		if (!strcmp(trial->view->makings[i].target, base) &&
		    !strcmp(trial->view->makings[i].class_name, "file"))
			made = trial->view->makings[i].result;
	for (size_t i = 0; i < trial->plan->changes.enters_count; i++)
		if (!strcmp(trial->plan->changes.enters[i].target, type) &&
		    !strcmp(trial->plan->changes.enters[i].class_name, "file"))
			made = trial->plan->changes.enters[i].result;
	expect(trial, path, made, "file", "read", model_refuses_path(trial, path, PCL_ACCESS_READ));
	expect(trial, path, made, "file", "create",
	       model_refuses_path(trial, path, PCL_ACCESS_WRITE));
	expect(trial, path, made, "file", "execute_no_trans",
	       model_refuses_path(trial, path, PCL_ACCESS_EXECUTE));
}

static void check_entry(const struct trial *trial, const struct pcl_selinux_entry *entry)
{
	const struct setting *setting = &trial->setting;
	pcl_autofree char *type = type_of(trial->plan, entry);
	const char *class_name = entry->kind == 'd' ? "dir" : "file";

	expect(trial, entry->path, type, class_name, "read",
	       model_refuses(setting, trial->view, entry, PCL_ACCESS_READ));
	expect(trial, entry->path, type, class_name, "setattr",
	       model_refuses(setting, trial->view, entry, PCL_ACCESS_WRITE));
	if (entry->kind == 'd')
		check_made(trial, entry, type);
	else
		expect(trial, entry->path, type, class_name, "execute_no_trans",
		       model_refuses(setting, trial->view, entry, PCL_ACCESS_EXECUTE));
}

static bool is_cloned(const struct pcl_selinux_plan *plan, const char *context)
{
	for (size_t i = 0; i < plan->changes.clones_count; i++)
		if (strstr(context, plan->changes.clones[i].name))
			return true;
	return !strstr(context, PCL_SELINUX_PREFIX);
}

static void labels_let_by_what_the_model_does(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seed_count; seed++) {
		pcl_autofree char *spec = NULL, *view_text = NULL;
		struct trial trial = {.seed = seed};

		random_state = seed * 0x9e3779b97f4a7c15u;
		trial.spec = spec = random_spec();
		trial.view_text = view_text = random_view();
		setting_of(&trial.setting, spec, pick(2) ? PCL_POSTURE_BLOCK : PCL_POSTURE_AUDIT);
		trial.view = view_of(view_text);
		trial.plan = plan_of(&trial.setting, trial.view);
		assert_int_equal(trial.plan->missed_count, 0);
		for (size_t i = 0; i < trial.plan->relabel_count; i++)
			assert_true(is_cloned(trial.plan, trial.plan->relabels[i].after));
		for (size_t i = 0; i < trial.view->entry_count; i++)
			check_entry(&trial, &trial.view->entries[i]);
		pcl_selinux_plan_free(&trial.plan);
		pcl_selinux_view_free(&trial.view);
		setting_fini(&trial.setting);
	}
}

/* Sockets and capabilities, by a socket of each class and by each capability. */
static void numbers_are_as_the_model_says(void **state)
{
	autosetting setting;
	autoview *view = view_of("");
	autoplan *plan = NULL;

	(void)state;
	setting_of(&setting,
		   "  network: {matchProtocols: [{protocol: tcp, action: Allow},"
		   " {protocol: udp, action: Allow}]}\n"
		   "  capabilities: {matchCapabilities: [{capability: net_raw},"
		   " {capability: perfmon}]}\n",
		   PCL_POSTURE_BLOCK);
	plan = plan_of(&setting, view);
	assert_false(is_refused(plan, "any_t", "tcp_socket", "connect"));
	assert_false(is_refused(plan, "any_t", "udp_socket", "create"));
	assert_true(is_refused(plan, "any_t", "sctp_socket", "create"));
	assert_true(is_refused(plan, "any_t", "unix_stream_socket", "write"));
	assert_true(is_refused(plan, "any_t", "capability", "net_raw"));
	assert_true(is_refused(plan, "any_t", "cap_userns", "net_raw"));
	assert_true(is_refused(plan, "any_t", "capability2", "perfmon"));
	assert_false(is_refused(plan, "any_t", "capability", "chown"));
	assert_false(is_refused(plan, "any_t", "capability2", "bpf"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_are_as_before),
		cmocka_unit_test(a_clone_is_taken_for_what_it_stands_in_for),
		cmocka_unit_test(the_strictest_of_two_names_holds),
		cmocka_unit_test(a_link_on_the_path_is_followed),
		cmocka_unit_test(what_has_no_label_is_told),
		cmocka_unit_test(guards_have_their_rule),
		cmocka_unit_test(nothing_comes_of_no_rule),
		cmocka_unit_test(what_selinux_cannot_is_refused),
		cmocka_unit_test(a_bad_view_names_its_line),
		cmocka_unit_test(a_view_is_read),
		cmocka_unit_test(labels_let_by_what_the_model_does),
		cmocka_unit_test(numbers_are_as_the_model_says),
	};

	if (argc > 1) {
		first_seed = strtoull(argv[1], NULL, 0);
		seed_count = 1;
	}
	return cmocka_run_group_tests_name("selinux_plan", tests, NULL, NULL);
}
