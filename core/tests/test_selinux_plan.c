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
#include "selinux_trial.h"
#include "support.h"

#define autoplan pcl_cleanup(pcl_selinux_plan_free) struct pcl_selinux_plan
#define autoview pcl_cleanup(pcl_selinux_view_free) struct pcl_selinux_view
#define autohost struct selinux_host pcl_cleanup(selinux_host_fini)
#define autodiag struct pcl_diag pcl_cleanup(pcl_diag_fini)

/* Relative to the top of the tree, where make runs the tests. */
#define GOLDEN "core/tests/golden/selinux/"
#define SEEDS 2000

static uint64_t first_seed = 1, seed_count = SEEDS;

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
	autoview *view = selinux_view_of(view_text);
	autoplan *plan = NULL;
	autohost host;
	autodiag diag = {0};

	assert_int_equal(pcl_policy_set_new(&set), 0);
	if (pcl_policy_set_read(set, policy, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	selinux_host_init(&host, set, posture);
	plan = selinux_plan_of(&host, view);
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
	check_golden(GOLDEN "sources.yaml", GOLDEN "sources.plan", PCL_POSTURE_AUDIT);
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

/* Whether some constraint takes the permission from who runs no program that rules name. */
static bool is_refused(const struct pcl_selinux_plan *plan, const char *type,
		       const char *class_name, const char *permission)
{
	for (size_t i = 0; i < plan->changes.refuses_count; i++) {
		const struct pcl_selinux_refuse *refuse = &plan->changes.refuses[i];

		if (!strcmp(refuse->class_name, class_name) &&
		    (!refuse->sources_count || refuse->others) &&
		    has_name(refuse->permissions, refuse->permissions_count, permission) &&
		    (!refuse->targets_count ||
		     has_name(refuse->targets, refuse->targets_count, type)))
			return true;
	}
	return false;
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
	pcl_autofree char *type = selinux_type_of(plan, entry_of(view, path));

	assert_string_equal(type, want);
}

#define CONTEXT(type) "system_u:object_r:" type ":s0\n"
#define SMALL                                                                                      \
	"/ d " CONTEXT("root_t") "/a d " CONTEXT("a_t") "/a/x f " CONTEXT("a_t") "/b f " CONTEXT(  \
		"b_t")

static void a_clone_is_taken_for_what_it_stands_in_for(void **state)
{
	autohost host;
	autoview *view = selinux_view_of("/b f " CONTEXT("portcullis_rw_b_t") "/c f " CONTEXT(
		"portcullis_kP_c_t") "/d f " CONTEXT("portcullis_w_d_t"));
	autoplan *plan = NULL;

	(void)state;
	selinux_host_of(&host, "  file: {matchPaths: [{path: /b}, {path: /d, readOnly: true}]}\n",
			0);
	plan = selinux_plan_of(&host, view);
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
	autohost host;
	autoview *view = selinux_view_of("/b f@1:7 " CONTEXT("b_t") "/c f@1:7 " CONTEXT(
		"b_t") "/d f@1:8 " CONTEXT("b_t") "/e f@2:7 " CONTEXT("b_t"));
	autoplan *plan = NULL;

	(void)state;
	selinux_host_of(&host, "  file: {matchPaths: [{path: /b}, {path: /c, readOnly: true}]}\n",
			0);
	plan = selinux_plan_of(&host, view);
	check_type(plan, view, "/b", "portcullis_rw_b_t");
	check_type(plan, view, "/c", "portcullis_rw_b_t");
	check_type(plan, view, "/d", "b_t");
	check_type(plan, view, "/e", "b_t");
	assert_int_equal(plan->relabels[1].reason.rule_count, 2);
}

static void a_link_on_the_path_is_followed(void **state)
{
	autohost host;
	autoview *view = selinux_view_of(SMALL);
	autoplan *plan = NULL;

	(void)state;
	selinux_host_of(&host, "  file: {matchDirectories: [{dir: /link/, recursive: true}]}\n", 0);
	assert_int_equal(pcl_aliases_add_more(&host.aliases, "/link", "/a"), 0);
	plan = selinux_plan_of(&host, view);
	check_type(plan, view, "/a", "portcullis_rwRW_a_t");
	check_type(plan, view, "/a/x", "portcullis_rw_a_t");
	check_type(plan, view, "/b", "b_t");
}

static void what_has_no_label_is_told(void **state)
{
	autohost host;
	autoview *view = selinux_view_of(
		"type b_t\n/b f -\n/c f " CONTEXT("odd_t") "/d f " CONTEXT("b_t") "/e f -\n");
	autoplan *plan = NULL;

	(void)state;
	selinux_host_of(&host, "  file: {matchPaths: [{path: /b}, {path: /c}, {path: /d}]}\n", 0);
	plan = selinux_plan_of(&host, view);
	assert_int_equal(plan->missed_count, 2);
	assert_string_equal(plan->missed[0].path, "/b");
	assert_string_equal(plan->missed[0].reason.rules[0]->object, "/b");
	assert_string_equal(plan->missed[1].path, "/c");
	assert_int_equal(plan->relabel_count, 1);
}

static void a_label_that_cannot_be_changed_is_none_or_right(void **state)
{
	autohost host;
	autoview *view =
		selinux_view_of("type b_t\n"
				"/b f " CONTEXT("portcullis_rw_b_t") "/c f " CONTEXT(
					"portcullis_rw_b_t") "/d f " CONTEXT("portcullis_x_b_t"));
	autoplan *plan = NULL;

	(void)state;
	for (size_t i = 0; i < view->entry_count; i++)
		view->entries[i].stays = true;
	selinux_host_of(&host, "  file: {matchPaths: [{path: /b}, {path: /d}]}\n", 0);
	plan = selinux_plan_of(&host, view);
	assert_int_equal(plan->relabel_count, 0);
	assert_int_equal(plan->missed_count, 1);
	assert_string_equal(plan->missed[0].path, "/d");
	check_type(plan, view, "/b", "portcullis_rw_b_t");
	assert_true(plan->changes.clones_count >= 1);
	assert_string_equal(plan->changes.clones[0].name, "portcullis_rw_b_t");
}

/* Programs that rules name keep their names, and so do the directories above. */
static void guards_have_their_rule(void **state)
{
	autohost host;
	autoview *view = selinux_view_of(SMALL);
	autoplan *plan = NULL;
	const struct pcl_operation above = {.access = PCL_ACCESS_WRITE, .object = "/a"};
	const struct pcl_operation program = {.access = PCL_ACCESS_WRITE, .object = "/a/x"};
	const struct pcl_operation other = {.access = PCL_ACCESS_WRITE, .object = "/b"};
	pcl_autofree char *dir = NULL, *file = NULL;

	(void)state;
	selinux_host_of(&host, "  process: {matchPaths: [{path: /a/x}]}\n", 0);
	plan = selinux_plan_of(&host, view);
	dir = selinux_type_of(plan, entry_of(view, "/a"));
	file = selinux_type_of(plan, entry_of(view, "/a/x"));
	assert_true(is_refused(plan, dir, "dir", "rename"));
	assert_false(is_refused(plan, dir, "dir", "add_name"));
	assert_false(is_refused(plan, dir, "file", "execute"));
	assert_true(is_refused(plan, file, "file", "execute"));
	assert_true(is_refused(plan, file, "file", "unlink"));
	assert_false(is_refused(plan, file, "file", "read"));
	assert_ptr_equal(pcl_selinux_guard(host.ruleset, &above), host.ruleset->rules[0]);
	assert_ptr_equal(pcl_selinux_guard(host.ruleset, &program), host.ruleset->rules[0]);
	assert_null(pcl_selinux_guard(host.ruleset, &other));
}

/* By whatever name it is executed; also by one that no rule names, where that is stricter. */
static void a_program_has_all_its_names(void **state)
{
	autohost host;
	autoview *view = selinux_view_of("/b f " CONTEXT("b_t") "/s f@1:7 " CONTEXT(
		"s_t") "/t f@1:7 " CONTEXT("s_t") "/u f " CONTEXT("s_t") "executor s_t user_t\n");
	autoplan *plan = NULL;

	(void)state;
	selinux_host_of(&host,
			"  file: {matchPaths: [{path: /b, fromSource: [{path: /s}, {path: /link}]},"
			" {path: /b, readOnly: true}]}\n",
			0);
	assert_int_equal(pcl_aliases_add_more(&host.aliases, "/link", "/u"), 0);
	plan = selinux_plan_of(&host, view);
	assert_int_equal(plan->source_count, 2);
	assert_string_equal(plan->sources[0].path, "/s");
	assert_string_equal(plan->sources[1].path, "/link");
	assert_true(is_refused(plan, "any_t", "file", "read") == false);
	/* Who runs one of them is refused reading, all are refused writing. */
	assert_int_equal(plan->changes.enters_count, 2);
	assert_int_equal(plan->changes.leaves_count, 2);
}

/* What nobody may execute is no source, and is not a constraint upon everybody. */
static void a_program_that_nobody_executes_is_none(void **state)
{
	autohost host;
	autoview *view = selinux_view_of(SMALL);
	autoplan *plan = NULL;

	(void)state;
	selinux_host_of(&host, "  file: {matchPaths: [{path: /b, fromSource: [{path: /a/x}]}]}\n",
			0);
	plan = selinux_plan_of(&host, view);
	assert_int_equal(plan->source_count, 0);
	assert_int_equal(plan->relabel_count, 0);
	assert_int_equal(plan->changes.refuses_count, 0);
}

static void nothing_comes_of_no_rule(void **state)
{
	autohost host;
	autoview *view = selinux_view_of(SMALL);
	autoplan *plan = NULL;
	pcl_autofree char *text = NULL;

	(void)state;
	selinux_host_of(&host, "  file: {matchPaths: [{path: /nowhere}]}\n", 0);
	plan = selinux_plan_of(&host, view);
	text = print_plan(plan);
	assert_string_equal(text, "");
}

/* --- what is no plan ---------------------------------------------------------------------------
 */

static void plan_fails(const char *spec, const char *view_text, enum pcl_posture posture, int error,
		       const char *why)
{
	autoview *view = selinux_view_of(view_text);
	autohost host;
	autoplan *plan = NULL;
	autodiag diag = {0};

	selinux_host_of(&host, spec, posture);
	assert_int_equal(pcl_selinux_plan(&host.input, view, &plan, &diag), error);
	assert_null(plan);
	test_contains(pcl_diag_text(&diag), why);
}

static void what_selinux_cannot_is_refused(void **state)
{
	(void)state;
	plan_fails("  file: {matchPaths: [{path: /b, ownerOnly: true}]}\n", SMALL, 0, -EOPNOTSUPP,
		   "rule p#file.matchPaths[0] cannot be enforced: backend selinux does not know "
		   "who owns");
	plan_fails(
		"  process: {matchPaths: [{path: /b, action: Allow, fromSource: [{path: /s}]}]}\n",
		SMALL, 0, -EOPNOTSUPP, "does not know by which program one is executed");
	plan_fails(
		"  process: {matchPaths: [{path: /b, action: Audit, fromSource: [{path: /s}]}]}\n",
		SMALL, 0, -EOPNOTSUPP, "does not know by which program one is executed");
	plan_fails("  capabilities: {matchCapabilities: [{capability: chown, fromSource: [{path: "
		   "/s}]}]}\n",
		   SMALL, 0, -EOPNOTSUPP, "does not tell by program");
	plan_fails("  file: {matchPaths: [{path: /b, fromSource: [{path: /1}, {path: /2}, {path: "
		   "/3}, {path: /4}, {path: /5}, {path: /6}, {path: /7}, {path: /8}, {path: /9}, "
		   "{path: /10}, {path: /11}, {path: /12}, {path: /13}, {path: /14}, {path: /15}, "
		   "{path: /16}, {path: /17}]}]}\n",
		   SMALL, 0, -EOPNOTSUPP, "no more than 16 programs");
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
	view_fails("executor a\n", "view:1: an executor is");
}

static void a_view_is_read(void **state)
{
	autoview *view =
		selinux_view_of("# x\n\n/b\\040\\134 f@3:4 -\r\n/a d u:r:t\ntype z\ntype y\n");

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

static void expect(const struct selinux_trial *trial, const char *path, const char *type,
		   const char *class_name, const char *permission, bool want)
{
	if (is_refused(trial->plan, type, class_name, permission) == want)
		return;
	fail_msg("seed %llu: %s %s of %s, a %s, is %s and should not be; of\n%s\n%s",
		 (unsigned long long)trial->seed, class_name, permission, path, type,
		 want ? "permitted" : "refused", trial->spec, trial->view_text);
}

/* What SELINUX_MAKER makes in a directory of the type. Borrowed. */
static const char *find_made(const struct selinux_trial *trial, const char *type)
{
	const struct pcl_selinux_changes *changes = &trial->plan->changes;
	const struct pcl_selinux_view *view = trial->view;
	const char *made = type;

	for (size_t i = 0; i < view->making_count; i++)
		if (!strcmp(view->makings[i].target, pcl_selinux_base(type)) &&
		    !strcmp(view->makings[i].class_name, "file"))
			made = view->makings[i].result;
	for (size_t i = 0; i < changes->enters_count; i++)
		if (!strcmp(changes->enters[i].target, type) &&
		    !strcmp(changes->enters[i].class_name, "file"))
			made = changes->enters[i].result;
	return made;
}

/* What is made in the directory is as refused as the model says, by whatever type it gets. */
static void check_made(const struct selinux_trial *trial, const struct pcl_selinux_entry *entry,
		       const char *type)
{
	const char *made = find_made(trial, type);
	pcl_autofree char *path = NULL;

	assert_true(asprintf(&path, "%s/a new thing", strcmp(entry->path, "/") ? entry->path : "") >
		    0);
	expect(trial, path, made, "file", "read",
	       selinux_model_refuses_path(trial, path, PCL_ACCESS_READ));
	expect(trial, path, made, "file", "create",
	       selinux_model_refuses_path(trial, path, PCL_ACCESS_WRITE));
	expect(trial, path, made, "file", "execute_no_trans",
	       selinux_model_refuses_path(trial, path, PCL_ACCESS_EXECUTE));
}

static void check_entry(const struct selinux_trial *trial, const struct pcl_selinux_entry *entry)
{
	pcl_autofree char *type = selinux_type_of(trial->plan, entry);
	const char *class_name = entry->kind == 'd' ? "dir" : "file";

	expect(trial, entry->path, type, class_name, "read",
	       selinux_model_refuses(trial, entry, PCL_ACCESS_READ));
	expect(trial, entry->path, type, class_name, "setattr",
	       selinux_model_refuses(trial, entry, PCL_ACCESS_WRITE));
	if (entry->kind == 'd')
		check_made(trial, entry, type);
	else
		expect(trial, entry->path, type, class_name, "execute_no_trans",
		       selinux_model_refuses(trial, entry, PCL_ACCESS_EXECUTE));
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
		struct selinux_trial trial;

		selinux_trial_init(&trial, seed);
		assert_int_equal(trial.plan->missed_count, 0);
		for (size_t i = 0; i < trial.plan->relabel_count; i++)
			assert_true(is_cloned(trial.plan, trial.plan->relabels[i].after));
		for (size_t i = 0; i < trial.view->entry_count; i++)
			check_entry(&trial, &trial.view->entries[i]);
		selinux_trial_fini(&trial);
	}
}

/* Sockets and capabilities, by a socket of each class and by each capability. */
static void numbers_are_as_the_model_says(void **state)
{
	autohost host;
	autoview *view = selinux_view_of("");
	autoplan *plan = NULL;

	(void)state;
	selinux_host_of(&host,
			"  network: {matchProtocols: [{protocol: tcp, action: Allow},"
			" {protocol: udp, action: Allow}]}\n"
			"  capabilities: {matchCapabilities: [{capability: net_raw},"
			" {capability: perfmon}]}\n",
			PCL_POSTURE_BLOCK);
	plan = selinux_plan_of(&host, view);
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
		cmocka_unit_test(a_label_that_cannot_be_changed_is_none_or_right),
		cmocka_unit_test(guards_have_their_rule),
		cmocka_unit_test(a_program_has_all_its_names),
		cmocka_unit_test(a_program_that_nobody_executes_is_none),
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
