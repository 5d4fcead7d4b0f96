/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of SELinux policies: what a policy said before goes on for clones as for what they stand
 * in for, and what is refused is refused, asked of libsepol, which decides as the kernel does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/selinux_patch.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "sepol.h"
#include "support.h"

/* One of each thing that a policy can say of a type. */
static const char policy_text[] =
	"(handleunknown allow)\n"
	"(mls true)\n"
	"(policycap open_perms)\n"
	"(common object (ioctl read write create getattr open relabelfrom relabelto execute append))\n"
	"(class file (execute_no_trans entrypoint))\n"
	"(classcommon file object)\n"
	"(class dir (add_name search))\n"
	"(classcommon dir object)\n"
	"(class process (fork transition sigchld noatsecure siginh rlimitinh signal))\n"
	"(class process2 (nnp_transition nosuid_transition))\n"
	"(class capability (chown kill))\n"
	"(classorder (file dir process process2 capability))\n"
	"(sensitivity s0)(sensitivity s1)(sensitivityorder (s0 s1))\n"
	"(category c0)(category c1)(categoryorder (c0 c1))\n"
	"(sensitivitycategory s0 (c0 c1))(sensitivitycategory s1 (c0 c1))\n"
	"(level low (s0))(level high (s1 (c0 c1)))\n"
	"(levelrange low_low (low low))(levelrange low_high (low high))\n"
	"(levelrange high_high (high high))\n"
	"(user u)(user other_u)(role object_r)(role r)(role special_r)\n"
	"(userrole u object_r)(userrole u r)(userrole u special_r)(userlevel u low)\n"
	"(userrange u low_high)\n"
	"(userrole other_u object_r)(userrole other_u r)(userlevel other_u low)\n"
	"(userrange other_u low_high)\n"
	"(roleallow r special_r)\n"
	"(boolean relaxed true)(boolean strict false)\n"
	"(type init_t)(type user_t)(type daemon_t)(type child_t)(type loose_t)\n"
	"(type etc_t)(type secret_t)(type bin_t)(type daemon_exec_t)(type log_t)(type fs_t)\n"
	"(typeattribute domain)(typeattributeset domain (init_t user_t daemon_t child_t loose_t))\n"
	"(typeattribute files)\n"
	"(typeattributeset files (etc_t secret_t bin_t daemon_exec_t log_t))\n"
	"(typeattribute plain)(typeattributeset plain (etc_t log_t))\n"
	"(roletype r domain)(roletype special_r daemon_t)\n"
	"(typepermissive loose_t)\n"
	"(typebounds daemon_t child_t)\n"
	/* By attribute, by type, and of a domain on itself. */
	"(allow domain files (file (read getattr open ioctl)))\n"
	"(allow domain files (dir (search)))\n"
	"(allow init_t files (file (relabelfrom relabelto write create)))\n"
	"(allow user_t etc_t (file (write append)))\n"
	"(allow user_t bin_t (file (execute execute_no_trans)))\n"
	"(allow user_t etc_t (dir (add_name write)))\n"
	"(allow domain self (process (fork sigchld)))\n"
	"(allow user_t self (process (signal)))\n"
	"(allow user_t self (capability (chown kill)))\n"
	"(allow daemon_t self (capability (chown)))\n"
	"(allow user_t daemon_exec_t (file (execute)))\n"
	"(allow user_t daemon_t (process (transition)))\n"
	"(allow daemon_t daemon_exec_t (file (entrypoint)))\n"
	"(allow daemon_t log_t (file (append)))\n"
	"(allow child_t log_t (file (append)))\n"
	"(allow child_t etc_t (file (append)))\n"
	"(auditallow user_t etc_t (file (append)))\n"
	"(dontaudit daemon_t etc_t (file (write)))\n"
	"(dontaudit domain plain (file (execute)))\n"
	"(dontaudit daemon_t self (capability (kill)))\n"
	/* Conditional. */
	"(booleanif relaxed (true (allow daemon_t etc_t (file (append)))\n"
	"  (dontaudit child_t plain (file (write)))\n"
	"  (typetransition daemon_t log_t dir secret_t))\n"
	" (false (allow daemon_t etc_t (file (create)))))\n"
	"(booleanif strict (true (allow user_t secret_t (file (write))))\n"
	" (false (allow user_t secret_t (file (append)))))\n"
	/* Extended. */
	"(allowx user_t etc_t (ioctl file (range 0x5400 0x54ff)))\n"
	"(dontauditx domain plain (ioctl file (0x8900)))\n"
	/* Transitions. */
	"(typetransition user_t daemon_exec_t process daemon_t)\n"
	"(typetransition user_t etc_t file secret_t)\n"
	"(typetransition user_t etc_t file \"named\" log_t)\n"
	"(typetransition init_t etc_t dir \"named\" bin_t)\n"
	"(typetransition daemon_t log_t file \"app\" secret_t)\n"
	"(typechange user_t log_t file secret_t)\n"
	"(rangetransition user_t daemon_exec_t process high_high)\n"
	"(roletransition r daemon_exec_t process special_r)\n"
	/* Constraints. */
	"(constrain (file (write)) (or (neq t2 secret_t) (eq t1 init_t)))\n"
	"(constrain (process (transition)) (or (eq u1 u2) (eq t1 init_t)))\n"
	"(mlsconstrain (file (append)) (or (domby l1 l2) (eq t2 log_t)))\n"
	"(validatetrans file (or (neq t1 secret_t) (eq t3 init_t)))\n"
	"(sid kernel)(sidorder (kernel))(sidcontext kernel (u object_r fs_t low_low))\n";

#define LOW ":s0"

/* --- changes -----------------------------------------------------------------------------------
 */

struct world {
	void *policy;
	size_t size;
	void *patched;
	size_t patched_size;
	struct pcl_selinux_changes changes;
};

static int open_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	test_sepol_compile(policy_text, &world->policy, &world->size);
	*state = world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;

	test_sepol_end();
	pcl_selinux_changes_fini(&world->changes);
	free(world->policy);
	free(world->patched);
	free(world);
	return 0;
}

static char *copy(const char *text)
{
	char *made = strdup(text);

	assert_non_null(made);
	return made;
}

static void add_clone(struct world *world, const char *name, const char *base)
{
	assert_int_equal(pcl_array_grow(&world->changes.clones, world->changes.clones_count,
					sizeof(*world->changes.clones)),
			 0);
	world->changes.clones[world->changes.clones_count++] =
		(struct pcl_selinux_clone){.name = copy(name), .base = base ? copy(base) : NULL};
}

/* Words apart by blanks. */
static void split(const char *words, char ***array, size_t *count)
{
	pcl_autofree char *text = copy(words);
	char *rest = text, *word;

	while ((word = strsep(&rest, " ")))
		if (*word)
			assert_int_equal(pcl_strings_add(array, count, word), 0);
}

static struct pcl_selinux_refuse *add_refuse(struct world *world, const char *class_name,
					     const char *permissions, const char *targets,
					     const char *sources)
{
	struct pcl_selinux_refuse *refuse;

	assert_int_equal(pcl_array_grow(&world->changes.refuses, world->changes.refuses_count,
					sizeof(*world->changes.refuses)),
			 0);
	refuse = &world->changes.refuses[world->changes.refuses_count++];
	*refuse = (struct pcl_selinux_refuse){.class_name = copy(class_name)};
	split(permissions, &refuse->permissions, &refuse->permissions_count);
	split(targets, &refuse->targets, &refuse->targets_count);
	split(sources, &refuse->sources, &refuse->sources_count);
	return refuse;
}

static void add_enter(struct world *world, const char *source, const char *target,
		      const char *class_name, const char *result)
{
	assert_int_equal(pcl_array_grow(&world->changes.enters, world->changes.enters_count,
					sizeof(*world->changes.enters)),
			 0);
	world->changes.enters[world->changes.enters_count++] =
		(struct pcl_selinux_enter){copy(source), copy(target), copy(class_name),
					   copy(result)};
}

static void add_audit(struct world *world, const char *source, const char *target,
		      const char *class_name, const char *permissions)
{
	struct pcl_selinux_audit *audit;

	assert_int_equal(pcl_array_grow(&world->changes.audits, world->changes.audits_count,
					sizeof(*world->changes.audits)),
			 0);
	audit = &world->changes.audits[world->changes.audits_count++];
	*audit = (struct pcl_selinux_audit){.source = copy(source),
					    .target = copy(target),
					    .class_name = copy(class_name)};
	split(permissions, &audit->permissions, &audit->permissions_count);
}

/* Asks the policy as it becomes; the one that was given is as it was. */
static void patch(struct world *world)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_autofree void *before = malloc(world->size);

	assert_non_null(before);
	memcpy(before, world->policy, world->size);
	if (pcl_selinux_patch(world->policy, world->size, &world->changes, &world->patched,
			      &world->patched_size, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	assert_memory_equal(before, world->policy, world->size);
	test_sepol_ask(world->patched, world->patched_size);
}

static void patch_fails(struct world *world, int error, const char *part)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};

	assert_int_equal(pcl_selinux_patch(world->policy, world->size, &world->changes,
					   &world->patched, &world->patched_size, &diag),
			 error);
	assert_null(world->patched);
	test_contains(pcl_diag_text(&diag), part);
}

/* --- clones are as their bases -----------------------------------------------------------------
 */

static const char *const types[] = {"init_t",	     "user_t", "daemon_t", "child_t",
				    "loose_t",	     "etc_t",  "secret_t", "bin_t",
				    "daemon_exec_t", "log_t",  "fs_t"};
static const char *const classes[] = {"file", "dir", "process", "process2", "capability"};
#define TYPES PCL_ARRAY_SIZE(types)
#define CLASSES PCL_ARRAY_SIZE(classes)

static char *context_of(const char *user, const char *type, const char *suffix, const char *level)
{
	char *context = NULL;

	assert_true(asprintf(&context, "%s:object_r:%s%s%s", user, type, suffix, level) > 0);
	return context;
}

static void ask_all(const char *source_suffix, const char *target_suffix,
		    struct test_sepol_answer (*answers)[TYPES][CLASSES])
{
	for (size_t s = 0; s < TYPES; s++)
		for (size_t t = 0; t < TYPES; t++)
			for (size_t c = 0; c < CLASSES; c++) {
				pcl_autofree char *source =
					context_of("u", types[s], source_suffix, LOW);
				pcl_autofree char *target =
					context_of(t % 2 ? "u" : "other_u", types[t], target_suffix,
						   t % 3 ? LOW : ":s1:c0");

				test_sepol_access(source, target, classes[c], &answers[s][t][c]);
			}
}

static void clone_all(struct world *world)
{
	for (size_t i = 0; i < TYPES; i++) {
		char name[64];

		/* Two each, so that one is not taken for the other. */
		(void)snprintf(name, sizeof(name), "%s_1", types[i]);
		add_clone(world, name, types[i]);
		(void)snprintf(name, sizeof(name), "%s_2", types[i]);
		add_clone(world, name, types[i]);
	}
}

static void test_a_clone_may_what_its_base_may(void **state)
{
	static const char *const suffixes[] = {"", "_1", "_2"};
	static struct test_sepol_answer before[TYPES][TYPES][CLASSES];
	static struct test_sepol_answer after[TYPES][TYPES][CLASSES];
	struct world *world = *state;

	test_sepol_ask(world->policy, world->size);
	ask_all("", "", before);
	clone_all(world);
	patch(world);
	for (size_t s = 0; s < PCL_ARRAY_SIZE(suffixes); s++)
		for (size_t t = 0; t < PCL_ARRAY_SIZE(suffixes); t++) {
			ask_all(suffixes[s], suffixes[t], after);
			assert_memory_equal(before, after, sizeof(before));
		}
	/* Not all of it is nothing. */
	assert_true(
		test_sepol_allows("u:r:daemon_t_1:s0", "u:object_r:etc_t_2:s0", "file", "append"));
	assert_true(
		test_sepol_silences("u:r:daemon_t_1:s0", "u:object_r:etc_t_2:s0", "file", "write"));
	assert_false(
		test_sepol_allows("u:r:user_t_2:s0", "u:object_r:secret_t_1:s0", "file", "write"));
	assert_true(
		test_sepol_allows("u:r:child_t_1:s0", "u:object_r:log_t_1:s0", "file", "append"));
}

static void is_made(const char *source, const char *target, const char *class_name,
		    const char *want)
{
	pcl_autofree char *made = test_sepol_transition(source, target, class_name);

	assert_string_equal(made, want);
}

static void test_a_clone_has_the_transitions_of_its_base(void **state)
{
	struct world *world = *state;

	clone_all(world);
	patch(world);
	for (int s = 0; s < 3; s++)
		for (int t = 0; t < 3; t++) {
			static const char *const suffixes[] = {"", "_1", "_2"};
			pcl_autofree char *user = NULL, *daemon = NULL, *etc = NULL, *exec = NULL,
					  *log = NULL;

			assert_true(asprintf(&user, "u:r:user_t%s:s0", suffixes[s]) > 0);
			assert_true(asprintf(&daemon, "u:r:daemon_t%s:s0", suffixes[s]) > 0);
			assert_true(asprintf(&etc, "u:object_r:etc_t%s:s0", suffixes[t]) > 0);
			assert_true(asprintf(&log, "u:object_r:log_t%s:s0", suffixes[t]) > 0);
			assert_true(asprintf(&exec, "u:object_r:daemon_exec_t%s:s0", suffixes[t]) >
				    0);
			is_made(user, exec, "process", "u:special_r:daemon_t:s1:c0,c1");
			is_made(user, etc, "file", "u:object_r:secret_t:s0");
			is_made(daemon, log, "dir", "u:object_r:secret_t:s0");
		}
	assert_string_equal(test_sepol_named("user_t_2", "etc_t", "file", "named"), "log_t");
	assert_string_equal(test_sepol_named("user_t", "etc_t_1", "file", "named"), "log_t");
	assert_string_equal(test_sepol_named("user_t_1", "etc_t_2", "file", "named"), "log_t");
	assert_string_equal(test_sepol_named("init_t_1", "etc_t_1", "dir", "named"), "bin_t");
	assert_string_equal(test_sepol_named("daemon_t_1", "log_t_1", "file", "app"), "secret_t");
	assert_null(test_sepol_named("daemon_t_1", "etc_t_1", "file", "named"));
	assert_null(test_sepol_named("user_t", "log_t_1", "file", "named"));
}

/* A directory's transitions are for what is made in it; programs' and terminals' are not. */
static void test_a_plain_clone_has_those_of_no_directory(void **state)
{
	struct world *world = *state;

	clone_all(world);
	for (size_t i = 1; i < world->changes.clones_count; i += 2)
		world->changes.clones[i].plain = true;
	patch(world);
	is_made("u:r:user_t_2:s0", "u:object_r:daemon_exec_t_2:s0", "process",
		"u:special_r:daemon_t:s1:c0,c1");
	is_made("u:r:user_t_2:s0", "u:object_r:etc_t_1:s0", "file", "u:object_r:secret_t:s0");
	is_made("u:r:user_t_2:s0", "u:object_r:etc_t_2:s0", "file", "u:object_r:etc_t_2:s0");
	is_made("u:r:daemon_t:s0", "u:object_r:log_t_2:s0", "dir", "u:object_r:log_t_2:s0");
	assert_string_equal(test_sepol_named("user_t_2", "etc_t_1", "file", "named"), "log_t");
	assert_null(test_sepol_named("user_t_2", "etc_t_2", "file", "named"));
	assert_true(
		test_sepol_allows("u:r:user_t_2:s0", "u:object_r:etc_t_2:s0", "file", "append"));
}

static void test_a_clone_has_the_rest_of_its_base(void **state)
{
	struct world *world = *state;

	clone_all(world);
	patch(world);
	assert_int_equal(test_sepol_extended("user_t", "etc_t"), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(test_sepol_extended("user_t_1", i ? "etc_t" : "etc_t_2"), 2);
		assert_int_equal(test_sepol_extended(i ? "user_t" : "user_t_2", "etc_t_1"), 2);
	}
	assert_int_equal(test_sepol_extended("user_t_1", "bin_t_1"), 0);
	assert_true(test_sepol_is_permissive("loose_t_1"));
	assert_true(test_sepol_is_permissive("loose_t"));
	assert_false(test_sepol_is_permissive("user_t_1"));
	assert_string_equal(test_sepol_bound("child_t_2"), "daemon_t");
	assert_null(test_sepol_bound("daemon_t_1"));
	assert_true(test_sepol_is_valid("u:r:user_t_1:s0"));
	assert_true(test_sepol_is_valid("u:special_r:daemon_t_1:s0"));
	assert_false(test_sepol_is_valid("u:special_r:user_t_1:s0"));
	assert_false(test_sepol_is_valid("u:r:etc_t_1:s0"));
	assert_true(test_sepol_may_relabel("u:object_r:etc_t_1:s0", "u:object_r:etc_t:s0",
					   "u:r:user_t:s0", "file"));
	assert_false(test_sepol_may_relabel("u:object_r:secret_t_1:s0", "u:object_r:etc_t:s0",
					    "u:r:user_t_1:s0", "file"));
	assert_true(test_sepol_may_relabel("u:object_r:secret_t_1:s0", "u:object_r:etc_t:s0",
					   "u:r:init_t_2:s0", "file"));
}

static void test_a_name_alone_is_allowed_nothing(void **state)
{
	struct world *world = *state;

	add_clone(world, "portcullis_generation_1_t", NULL);
	patch(world);
	assert_true(test_sepol_is_valid("u:object_r:portcullis_generation_1_t:s0"));
	assert_false(test_sepol_allows("u:r:init_t:s0", "u:object_r:portcullis_generation_1_t:s0",
				       "file", "read"));
}

/* --- refusals ----------------------------------------------------------------------------------
 */

static void test_what_is_refused_of_a_clone_is_refused_to_all(void **state)
{
	struct world *world = *state;

	add_clone(world, "blocked_t", "etc_t");
	add_clone(world, "free_t", "etc_t");
	add_refuse(world, "file", "read open", "blocked_t", "");
	patch(world);
	assert_true(test_sepol_allows("u:r:user_t:s0", "u:object_r:etc_t:s0", "file", "read"));
	assert_true(test_sepol_allows("u:r:user_t:s0", "u:object_r:free_t:s0", "file", "read"));
	assert_true(test_sepol_allows("u:r:user_t:s0", "u:object_r:blocked_t:s0", "file", "write"));
	assert_true(test_sepol_allows("u:r:user_t:s0", "u:object_r:blocked_t:s0", "dir", "search"));
	for (size_t i = 0; i < 5; i++) {
		pcl_autofree char *source = context_of("u", types[i], "", LOW);

		assert_false(test_sepol_allows(source, "u:object_r:blocked_t:s0", "file", "read"));
		assert_false(test_sepol_allows(source, "u:object_r:blocked_t:s0", "file", "open"));
		assert_false(
			test_sepol_silences(source, "u:object_r:blocked_t:s0", "file", "read"));
	}
}

static void test_sources_alone_are_refused(void **state)
{
	struct world *world = *state;

	add_clone(world, "blocked_t", "etc_t");
	add_clone(world, "shell_t", "user_t");
	add_refuse(world, "file", "read", "blocked_t", "shell_t daemon_t");
	patch(world);
	assert_false(
		test_sepol_allows("u:r:shell_t:s0", "u:object_r:blocked_t:s0", "file", "read"));
	assert_false(
		test_sepol_allows("u:r:daemon_t:s0", "u:object_r:blocked_t:s0", "file", "read"));
	assert_true(test_sepol_allows("u:r:user_t:s0", "u:object_r:blocked_t:s0", "file", "read"));
	assert_true(test_sepol_allows("u:r:shell_t:s0", "u:object_r:etc_t:s0", "file", "read"));
}

static void test_all_but_sources_are_refused(void **state)
{
	struct world *world = *state;

	add_clone(world, "blocked_t", "etc_t");
	add_clone(world, "shell_t", "user_t");
	add_refuse(world, "file", "read", "blocked_t", "shell_t")->others = true;
	patch(world);
	assert_true(test_sepol_allows("u:r:shell_t:s0", "u:object_r:blocked_t:s0", "file", "read"));
	assert_false(test_sepol_allows("u:r:user_t:s0", "u:object_r:blocked_t:s0", "file", "read"));
	assert_true(test_sepol_allows("u:r:user_t:s0", "u:object_r:etc_t:s0", "file", "read"));
}

static void test_whatever_the_target_is(void **state)
{
	struct world *world = *state;

	add_clone(world, "shell_t", "user_t");
	add_refuse(world, "capability", "chown", "", "");
	add_refuse(world, "capability", "kill", "", "shell_t");
	patch(world);
	assert_false(test_sepol_allows("u:r:user_t:s0", "u:r:user_t:s0", "capability", "chown"));
	assert_false(
		test_sepol_allows("u:r:daemon_t:s0", "u:r:daemon_t:s0", "capability", "chown"));
	assert_true(test_sepol_allows("u:r:user_t:s0", "u:r:user_t:s0", "capability", "kill"));
	assert_false(test_sepol_allows("u:r:shell_t:s0", "u:r:shell_t:s0", "capability", "kill"));
}

static void test_dontaudit_does_not_silence_refusals(void **state)
{
	struct world *world = *state;

	add_clone(world, "blocked_t", "etc_t");
	add_clone(world, "free_t", "etc_t");
	add_refuse(world, "file", "write execute", "blocked_t", "");
	add_refuse(world, "capability", "kill", "", "daemon_t");
	patch(world);
	/* By the type, through an attribute, and by a condition. */
	assert_false(
		test_sepol_silences("u:r:daemon_t:s0", "u:object_r:blocked_t:s0", "file", "write"));
	assert_false(
		test_sepol_silences("u:r:user_t:s0", "u:object_r:blocked_t:s0", "file", "execute"));
	assert_false(
		test_sepol_silences("u:r:child_t:s0", "u:object_r:blocked_t:s0", "file", "write"));
	assert_false(
		test_sepol_silences("u:r:daemon_t:s0", "u:r:daemon_t:s0", "capability", "kill"));
	/* The others stay silent. */
	for (int i = 0; i < 2; i++) {
		const char *target = i ? "u:object_r:etc_t:s0" : "u:object_r:log_t:s0";

		assert_true(test_sepol_silences("u:r:user_t:s0", target, "file", "execute"));
		assert_true(test_sepol_silences("u:r:child_t:s0", target, "file", "write"));
	}
	assert_true(test_sepol_silences("u:r:daemon_t:s0", "u:object_r:etc_t:s0", "file", "write"));
	assert_true(
		test_sepol_silences("u:r:user_t:s0", "u:object_r:free_t:s0", "file", "execute"));
	assert_true(
		test_sepol_silences("u:r:daemon_t:s0", "u:object_r:free_t:s0", "file", "write"));
	assert_true(test_sepol_silences("u:r:child_t:s0", "u:object_r:free_t:s0", "file", "write"));
}

/* --- transitions and audits that are asked for -------------------------------------------------
 */

static void test_a_program_is_entered(void **state)
{
	struct world *world = *state;

	add_clone(world, "shell_exec_t", "bin_t");
	add_clone(world, "shell_t", "user_t");
	add_enter(world, "user_t", "shell_exec_t", "process", "shell_t");
	add_enter(world, "shell_t", "shell_exec_t", "process", "shell_t");
	add_enter(world, "shell_t", "bin_t", "process", "user_t");
	patch(world);
	is_made("u:r:user_t:s0", "u:object_r:shell_exec_t:s0", "process", "u:r:shell_t:s0");
	is_made("u:r:user_t:s0", "u:object_r:bin_t:s0", "process", "u:r:user_t:s0");
	is_made("u:r:shell_t:s0", "u:object_r:bin_t:s0", "process", "u:r:user_t:s0");
	is_made("u:r:daemon_t:s0", "u:object_r:shell_exec_t:s0", "process", "u:r:daemon_t:s0");
	assert_true(test_sepol_allows("u:r:user_t:s0", "u:r:shell_t:s0", "process", "transition"));
	assert_true(test_sepol_allows("u:r:user_t:s0", "u:r:shell_t:s0", "process", "noatsecure"));
	assert_true(
		test_sepol_allows("u:r:user_t:s0", "u:r:shell_t:s0", "process2", "nnp_transition"));
	assert_true(test_sepol_allows("u:r:shell_t:s0", "u:object_r:shell_exec_t:s0", "file",
				      "entrypoint"));
	assert_true(test_sepol_allows("u:r:shell_t:s0", "u:r:user_t:s0", "process", "sigchld"));
	assert_true(test_sepol_allows("u:r:shell_t:s0", "u:object_r:etc_t:s0", "file", "write"));
	assert_false(
		test_sepol_allows("u:r:daemon_t:s0", "u:r:shell_t:s0", "process", "transition"));
	/* The policy's own constraint holds for it as well. */
	assert_false(test_sepol_allows("other_u:r:user_t:s0", "u:r:shell_t:s0", "process",
				       "transition"));
}

static void add_leave(struct world *world, const char *source, const char *result)
{
	assert_int_equal(pcl_array_grow(&world->changes.leaves, world->changes.leaves_count,
					sizeof(*world->changes.leaves)),
			 0);
	world->changes.leaves[world->changes.leaves_count++] =
		(struct pcl_selinux_leave){copy(source), copy(result)};
}

static void test_a_program_is_left(void **state)
{
	struct world *world = *state;

	add_clone(world, "shell_exec_t", "bin_t");
	add_clone(world, "shell_t", "user_t");
	add_clone(world, "left_t", "user_t");
	add_enter(world, "user_t", "shell_exec_t", "process", "shell_t");
	add_leave(world, "shell_t", "left_t");
	split("bin_t daemon_exec_t etc_t missing_t", &world->changes.runs,
	      &world->changes.runs_count);
	patch(world);
	is_made("u:r:shell_t:s0", "u:object_r:bin_t:s0", "process", "u:r:left_t:s0");
	assert_true(test_sepol_allows("u:r:shell_t:s0", "u:r:left_t:s0", "process", "transition"));
	assert_true(
		test_sepol_allows("u:r:left_t:s0", "u:object_r:bin_t:s0", "file", "entrypoint"));
	/* Who has left comes back by the program, and stays what it is by another. */
	is_made("u:r:left_t:s0", "u:object_r:shell_exec_t:s0", "process", "u:r:shell_t:s0");
	is_made("u:r:left_t:s0", "u:object_r:bin_t:s0", "process", "u:r:left_t:s0");
	is_made("u:r:shell_t:s0", "u:object_r:shell_exec_t:s0", "process", "u:r:shell_t:s0");
	/* What the policy has a transition for, it is left by that. */
	is_made("u:r:shell_t:s0", "u:object_r:daemon_exec_t:s0", "process",
		"u:special_r:daemon_t:s1:c0,c1");
	/* What it may not execute it does not leave by. */
	is_made("u:r:shell_t:s0", "u:object_r:etc_t:s0", "process", "u:r:shell_t:s0");
	assert_false(
		test_sepol_allows("u:r:left_t:s0", "u:object_r:etc_t:s0", "file", "entrypoint"));
	/* The base has no new entrance, and nobody else one to the clones. */
	assert_false(
		test_sepol_allows("u:r:user_t:s0", "u:object_r:bin_t:s0", "file", "entrypoint"));
	assert_false(test_sepol_allows("u:r:user_t:s0", "u:r:left_t:s0", "process", "transition"));
	assert_false(test_sepol_allows("u:r:init_t:s0", "u:r:shell_t:s0", "process", "transition"));
}

static void test_another_s_domain_is_entered_as_its_base_is(void **state)
{
	struct world *world = *state;

	add_clone(world, "mine_exec_t", "daemon_exec_t");
	add_clone(world, "mine_t", "daemon_t");
	add_enter(world, "user_t", "mine_exec_t", "process", "mine_t");
	/* This one is entered from its base alone, which user_t may enter. */
	add_clone(world, "inner_exec_t", "bin_t");
	add_clone(world, "inner_t", "daemon_t");
	add_enter(world, "daemon_t", "inner_exec_t", "process", "inner_t");
	patch(world);
	assert_true(test_sepol_allows("u:r:user_t:s0", "u:r:daemon_t:s0", "process", "transition"));
	assert_false(test_sepol_allows("u:r:user_t:s0", "u:r:inner_t:s0", "process", "transition"));
	assert_true(
		test_sepol_allows("u:r:daemon_t:s0", "u:r:inner_t:s0", "process", "transition"));
	assert_true(test_sepol_allows("u:r:user_t:s0", "u:r:mine_t:s0", "process", "transition"));
	assert_true(test_sepol_allows("u:r:mine_t:s0", "u:object_r:mine_exec_t:s0", "file",
				      "entrypoint"));
	/* As for its base, which may not be entered without being cleaned. */
	assert_false(test_sepol_allows("u:r:user_t:s0", "u:r:mine_t:s0", "process", "noatsecure"));
	assert_false(
		test_sepol_allows("u:r:user_t:s0", "u:r:mine_t:s0", "process2", "nnp_transition"));
}

static void test_what_is_no_clone_is_not_left(void **state)
{
	struct world *world = *state;

	add_clone(world, "left_t", "user_t");
	add_leave(world, "user_t", "left_t");
	patch_fails(world, -EINVAL, "user_t is no clone");
	pcl_selinux_changes_fini(&world->changes);
	add_clone(world, "alone_t", NULL);
	add_leave(world, "alone_t", "alone_t");
	patch_fails(world, -ENOENT, "no type alone_t");
}

static void test_what_is_asked_for_goes_before_what_is_copied(void **state)
{
	struct world *world = *state;

	add_clone(world, "mine_exec_t", "daemon_exec_t");
	add_clone(world, "mine_t", "daemon_t");
	add_clone(world, "dir_t", "log_t");
	add_enter(world, "user_t", "mine_exec_t", "process", "mine_t");
	add_enter(world, "daemon_t", "dir_t", "dir", "dir_t");
	add_enter(world, "user_t", "etc_t", "file", "log_t");
	patch(world);
	is_made("u:r:user_t:s0", "u:object_r:etc_t:s0", "file", "u:object_r:log_t:s0");
	is_made("u:r:user_t:s0", "u:object_r:mine_exec_t:s0", "process",
		"u:special_r:mine_t:s1:c0,c1");
	is_made("u:r:user_t:s0", "u:object_r:daemon_exec_t:s0", "process",
		"u:special_r:daemon_t:s1:c0,c1");
	/* There is one for its base in a conditional. */
	is_made("u:r:daemon_t:s0", "u:object_r:dir_t:s0", "dir", "u:object_r:dir_t:s0");
	is_made("u:r:daemon_t:s0", "u:object_r:log_t:s0", "dir", "u:object_r:secret_t:s0");
}

static void test_a_bounded_domain_is_not_entered(void **state)
{
	struct world *world = *state;

	add_clone(world, "inner_t", "child_t");
	add_enter(world, "child_t", "bin_t", "process", "inner_t");
	patch_fails(world, -EINVAL, "bounded");
}

static void test_an_audit_is_told_of(void **state)
{
	struct test_sepol_answer answer;
	struct world *world = *state;

	add_clone(world, "watched_t", "etc_t");
	add_audit(world, "domain", "watched_t", "file", "read");
	patch(world);
	test_sepol_access("u:r:user_t:s0", "u:object_r:watched_t:s0", "file", &answer);
	assert_int_equal(answer.audited,
			 test_sepol_bit("file", "read") | test_sepol_bit("file", "append"));
	test_sepol_access("u:r:user_t:s0", "u:object_r:etc_t:s0", "file", &answer);
	assert_int_equal(answer.audited, test_sepol_bit("file", "append"));
}

static void test_an_audit_is_told_of_clones_of_its_source(void **state)
{
	struct test_sepol_answer answer;
	struct world *world = *state;

	add_clone(world, "watched_t", "etc_t");
	add_clone(world, "running_t", "daemon_t");
	add_audit(world, "daemon_t", "watched_t", "file", "read");
	patch(world);
	test_sepol_access("u:r:running_t:s0", "u:object_r:watched_t:s0", "file", &answer);
	assert_int_equal(answer.audited, test_sepol_bit("file", "read"));
	test_sepol_access("u:r:user_t:s0", "u:object_r:watched_t:s0", "file", &answer);
	assert_int_equal(answer.audited, test_sepol_bit("file", "append"));
}

/* --- both policies of a change -----------------------------------------------------------------
 */

/* The first is what a patch of clones and what they enter makes, the second that of everything. */
static void test_one_reading_makes_both_policies(void **state)
{
	struct world *world = *state;
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_cleanup(pcl_selinux_policy_free) struct pcl_selinux_policy *policy = NULL;
	pcl_selinux_autobinary clones = {0}, whole = {0}, expected = {0};
	struct pcl_selinux_changes some;

	add_clone(world, "shell_exec_t", "bin_t");
	add_clone(world, "shell_t", "user_t");
	add_clone(world, "left_t", "user_t");
	add_clone(world, "hidden_t", "etc_t");
	add_enter(world, "user_t", "shell_exec_t", "process", "shell_t");
	add_leave(world, "shell_t", "left_t");
	split("bin_t daemon_exec_t", &world->changes.runs, &world->changes.runs_count);
	some = world->changes;
	/* The array may move as it grows; some has what it had. */
	some.clones = calloc(some.clones_count, sizeof(*some.clones));
	assert_non_null(some.clones);
	memcpy(some.clones, world->changes.clones, some.clones_count * sizeof(*some.clones));
	add_clone(world, "mark_t", NULL);
	add_refuse(world, "file", "write execute", "hidden_t", "");
	add_audit(world, "domain", "hidden_t", "file", "read");
	patch(world);
	if (pcl_selinux_policy_read(world->policy, world->size, &policy, &diag) ||
	    pcl_selinux_policy_patch(policy, &world->changes, &clones, &whole, &diag) ||
	    pcl_selinux_patch(world->policy, world->size, &some, &expected.data, &expected.size,
			      &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	free(some.clones);
	assert_int_equal(whole.size, world->patched_size);
	assert_memory_equal(whole.data, world->patched, whole.size);
	assert_int_equal(clones.size, expected.size);
	assert_memory_equal(clones.data, expected.data, clones.size);
	assert_int_not_equal(clones.size, whole.size);
}

/* --- what cannot be done -----------------------------------------------------------------------
 */

static void test_unknown_names_are_told(void **state)
{
	struct world *world = *state;

	add_clone(world, "blocked_t", "missing_t");
	patch_fails(world, -ENOENT, "no type missing_t");
	pcl_selinux_changes_fini(&world->changes);
	add_clone(world, "blocked_t", "files");
	patch_fails(world, -EINVAL, "files is an attribute");
	pcl_selinux_changes_fini(&world->changes);
	add_clone(world, "log_t", "etc_t");
	patch_fails(world, -EEXIST, "a type log_t already");
	pcl_selinux_changes_fini(&world->changes);
	add_clone(world, "blocked_t", "etc_t");
	add_clone(world, "again_t", "blocked_t");
	patch_fails(world, -EINVAL, "a clone itself");
	pcl_selinux_changes_fini(&world->changes);
	add_refuse(world, "socket", "read", "", "");
	patch_fails(world, -ENOENT, "no class socket");
	pcl_selinux_changes_fini(&world->changes);
	add_refuse(world, "file", "fly", "", "");
	patch_fails(world, -ENOENT, "file has no permission fly");
	pcl_selinux_changes_fini(&world->changes);
	add_enter(world, "user_t", "bin_t", "process", "missing_t");
	patch_fails(world, -ENOENT, "no type missing_t");
	pcl_selinux_changes_fini(&world->changes);
	add_audit(world, "user_t", "missing_t", "file", "read");
	patch_fails(world, -ENOENT, "no type missing_t");
}

static void test_too_many_types_are_refused(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 65536; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "clone_%d", i);
		add_clone(world, name, NULL);
	}
	patch_fails(world, -E2BIG, "more than 65535 types");
}

static void test_what_is_no_policy_is_refused(void **state)
{
	struct world *world = *state;
	unsigned char *bytes = world->policy;
	const size_t version_at = 16, size = world->size;

	/* Shorter at every place: damaged, and never taken. */
	for (world->size = 0; world->size < size; world->size += 1 + world->size / 16)
		patch_fails(world, -EBADMSG, "selinux: ");
	world->size = size;
	bytes[version_at] = (unsigned char)(pcl_selinux_policy_newest() + 1);
	patch_fails(world, -ENOTSUP, "here knows none above");
	bytes[version_at] = 20;
	patch_fails(world, -ENOTSUP, "version 20");
	bytes[0]++;
	patch_fails(world, -EBADMSG, "no policy");
}

static void test_all_versions_are_patched(void **state)
{
	struct world *world = *state;

	for (int version = 30; version <= (int)pcl_selinux_policy_newest(); version++) {
		free(pcl_take_ptr(world->policy));
		free(pcl_take_ptr(world->patched));
		test_sepol_compile_for(policy_text, version, &world->policy, &world->size);
		clone_all(world);
		add_refuse(world, "file", "read", "etc_t_1", "");
		patch(world);
		assert_int_equal(((unsigned char *)world->patched)[16], version);
		assert_false(test_sepol_allows("u:r:user_t:s0", "u:object_r:etc_t_1:s0", "file",
					       "read"));
		assert_string_equal(test_sepol_named("user_t_1", "etc_t_2", "file", "named"),
				    "log_t");
		pcl_selinux_changes_fini(&world->changes);
	}
}

/* --- newer versions ----------------------------------------------------------------------------
 */

/* What can be said from version 34 on, and in the policies of a libsepol that knows it. */
static const char text_34[] =
	"(booleanif strict\n"
	" (true (allowx user_t secret_t (ioctl file (range 0x8900 0x89ff)))\n"
	"  (auditallowx user_t secret_t (ioctl file (0x8901))))\n"
	" (false (allowx user_t secret_t (ioctl file (0x5401)))))\n"
	"(booleanif relaxed\n"
	" (true (allowx domain plain (ioctl file (range 0x0000 0xffff))))\n"
	" (false (dontauditx domain plain (ioctl file (0x8902)))))\n"
	"(policycap netlink_xperm)(policycap userspace_initial_context)\n"
	"(class netlink_route_socket (nlmsg))(classorder (unordered netlink_route_socket))\n"
	"(allow user_t self (netlink_route_socket (nlmsg)))\n"
	"(allowx user_t self (nlmsg netlink_route_socket (range 0x10 0x12)))\n";
/* And from 35. */
static const char text_35[] =
	"(typeneveraudit loose_t)(roletype object_r files)\n"
	"(policycap netif_wildcard)(policycap genfs_seclabel_wildcard)\n"
	"(policycap functionfs_seclabel)(policycap memfd_class)\n"
	"(genfscon proc \"/*/attr\" (u object_r etc_t low_low))\n"
	"(netifcon eth* (u object_r log_t low_low) (u object_r log_t low_low))\n";

/* false, and why: libsepol does not know version. */
static bool compile_newer(struct world *world, unsigned version)
{
	pcl_autofree char *text = NULL;

	if (pcl_selinux_policy_newest() < version) {
		print_message("# libsepol knows no policies of version %u (scripts/sepol)\n",
			      version);
		return false;
	}
	assert_true(asprintf(&text, "%s%s%s", policy_text, text_34, version > 34 ? text_35 : "") >
		    0);
	free(pcl_take_ptr(world->policy));
	test_sepol_compile_for(text, (int)version, &world->policy, &world->size);
	return true;
}

static const uint16_t commands[] = {0x0000, 0x5400, 0x5401, 0x54ff, 0x8900,
				    0x8901, 0x8902, 0x89ff, 0xffff};

static bool passes(const char *source, const char *source_suffix, const char *target,
		   const char *target_suffix, uint16_t command)
{
	char from[64], to[64];

	(void)snprintf(from, sizeof(from), "%s%s", source, source_suffix);
	(void)snprintf(to, sizeof(to), "%s%s", target, target_suffix);
	return test_sepol_passes(from, to, "file", command);
}

/* Clones' commands pass where their bases' do. */
static void commands_are_as_before(const bool *before)
{
	static const char *const suffixes[] = {"", "_1", "_2"};

	for (size_t s = 0; s < PCL_ARRAY_SIZE(suffixes); s++)
		for (size_t t = 0; t < PCL_ARRAY_SIZE(suffixes); t++) {
			const bool *want = before;

			for (size_t i = 0; i < TYPES * TYPES; i++)
				for (size_t c = 0; c < PCL_ARRAY_SIZE(commands); c++)
					if (passes(types[i / TYPES], suffixes[s], types[i % TYPES],
						   suffixes[t], commands[c]) != *want++)
						fail_msg("%s%s on %s%s by %x is not as before",
							 types[i / TYPES], suffixes[s],
							 types[i % TYPES], suffixes[t],
							 commands[c]);
		}
}

static void ask_commands(bool *before)
{
	for (size_t i = 0; i < TYPES * TYPES; i++)
		for (size_t c = 0; c < PCL_ARRAY_SIZE(commands); c++)
			*before++ = passes(types[i / TYPES], "", types[i % TYPES], "", commands[c]);
}

static void test_conditional_commands_are_as_of_the_base(void **state)
{
	static bool before[4][TYPES * TYPES * PCL_ARRAY_SIZE(commands)];
	struct world *world = *state;

	if (!compile_newer(world, 34))
		skip();
	test_sepol_ask(world->policy, world->size);
	for (int i = 0; i < 4; i++) {
		test_sepol_switch("strict", i & 1);
		test_sepol_switch("relaxed", i & 2);
		ask_commands(before[i]);
		/* Not all of it is the same. */
		assert_int_equal(passes("user_t", "", "secret_t", "", 0x5401), !(i & 1));
		assert_int_equal(passes("user_t", "", "secret_t", "", 0x8901), i & 1);
		assert_int_equal(passes("user_t", "", "etc_t", "", 0x8901), i >> 1);
	}
	clone_all(world);
	add_refuse(world, "file", "read", "secret_t_1", "");
	patch(world);
	for (int i = 0; i < 4; i++) {
		test_sepol_switch("strict", i & 1);
		test_sepol_switch("relaxed", i & 2);
		commands_are_as_before(before[i]);
	}
	assert_false(
		test_sepol_allows("u:r:user_t:s0", "u:object_r:secret_t_1:s0", "file", "read"));
	assert_true(test_sepol_allows("u:r:user_t:s0", "u:object_r:secret_t_2:s0", "file", "read"));
}

static void test_messages_are_as_of_the_base(void **state)
{
	struct world *world = *state;

	if (!compile_newer(world, 34))
		skip();
	clone_all(world);
	patch(world);
	for (int i = 0; i < 3; i++) {
		const char *type = i ? i > 1 ? "user_t_2" : "user_t_1" : "user_t";

		assert_true(test_sepol_passes(type, type, "netlink_route_socket", 0x11));
		assert_false(test_sepol_passes(type, type, "netlink_route_socket", 0x13));
	}
}

static void test_a_clone_is_never_audited_as_its_base(void **state)
{
	struct world *world = *state;

	if (!compile_newer(world, 35))
		skip();
	clone_all(world);
	patch(world);
	assert_true(test_sepol_is_never_audited("loose_t"));
	assert_true(test_sepol_is_never_audited("loose_t_1"));
	assert_true(test_sepol_is_never_audited("loose_t_2"));
	assert_false(test_sepol_is_never_audited("user_t"));
	assert_false(test_sepol_is_never_audited("user_t_1"));
}

/* All that speaks of no type, too. */
static void test_the_rest_of_a_newer_policy_stays(void **state)
{
	static const char *const capabilities[] = {
		"open_perms",  "netlink_xperm",	      "userspace_initial_context", "netif_wildcard",
		"memfd_class", "functionfs_seclabel", "genfs_seclabel_wildcard",
	};
	struct world *world = *state;

	pcl_autofree char *before = NULL, *after = NULL;

	if (!compile_newer(world, 35))
		skip();
	test_sepol_ask(world->policy, world->size);
	before = test_sepol_text();
	test_contains(before, "(netifcon eth*");
	test_contains(before, "(genfscon proc \"/*/attr\"");
	patch(world);
	after = test_sepol_text();
	assert_string_equal(before, after);
	free(pcl_take_ptr(world->patched));
	clone_all(world);
	patch(world);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(capabilities); i++)
		assert_true(test_sepol_has_capability(capabilities[i]));
	assert_false(test_sepol_has_capability("bpf_token_perms"));
}

/* --- questions ---------------------------------------------------------------------------------
 */

static void test_who_executes(void **state)
{
	struct world *world = *state;
	pcl_cleanup(pcl_selinux_policy_free) struct pcl_selinux_policy *policy = NULL;
	pcl_autofree struct pcl_selinux_executor *executors = NULL;
	size_t count = 0;

	assert_int_equal(pcl_selinux_policy_read(world->policy, world->size, &policy, NULL), 0);
	assert_int_equal(pcl_selinux_policy_executors(policy, "daemon_exec_t", &executors, &count,
						      NULL),
			 0);
	assert_int_equal(count, 1);
	assert_string_equal(executors[0].domain, "user_t");
	assert_string_equal(executors[0].enters, "daemon_t");
	free(pcl_take_ptr(executors));
	assert_int_equal(pcl_selinux_policy_executors(policy, "bin_t", &executors, &count, NULL),
			 0);
	assert_int_equal(count, 1);
	assert_null(executors[0].enters);
	assert_int_equal(pcl_selinux_policy_executors(policy, "nothing_t", &executors, &count,
						      NULL),
			 -ENOENT);
	assert_true(pcl_selinux_policy_has_type(policy, "etc_t"));
	assert_false(pcl_selinux_policy_has_type(policy, "files"));
	assert_false(pcl_selinux_policy_has_type(policy, "nothing_t"));
	assert_true(pcl_selinux_policy_has_permission(policy, "file", "read"));
	assert_true(pcl_selinux_policy_has_permission(policy, "file", "entrypoint"));
	assert_false(pcl_selinux_policy_has_permission(policy, "file", "fly"));
	assert_false(pcl_selinux_policy_has_permission(policy, "socket", "read"));
	assert_true(pcl_selinux_policy_is_permissive(policy, "loose_t"));
	assert_false(pcl_selinux_policy_is_permissive(policy, "user_t"));
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
	const struct CMUnitTest tests[] = {
		test(test_a_clone_may_what_its_base_may),
		test(test_a_clone_has_the_transitions_of_its_base),
		test(test_a_plain_clone_has_those_of_no_directory),
		test(test_a_clone_has_the_rest_of_its_base),
		test(test_a_name_alone_is_allowed_nothing),
		test(test_what_is_refused_of_a_clone_is_refused_to_all),
		test(test_sources_alone_are_refused),
		test(test_all_but_sources_are_refused),
		test(test_whatever_the_target_is),
		test(test_dontaudit_does_not_silence_refusals),
		test(test_a_program_is_entered),
		test(test_a_program_is_left),
		test(test_another_s_domain_is_entered_as_its_base_is),
		test(test_what_is_no_clone_is_not_left),
		test(test_what_is_asked_for_goes_before_what_is_copied),
		test(test_a_bounded_domain_is_not_entered),
		test(test_an_audit_is_told_of),
		test(test_an_audit_is_told_of_clones_of_its_source),
		test(test_one_reading_makes_both_policies),
		test(test_unknown_names_are_told),
		test(test_too_many_types_are_refused),
		test(test_what_is_no_policy_is_refused),
		test(test_all_versions_are_patched),
		test(test_conditional_commands_are_as_of_the_base),
		test(test_messages_are_as_of_the_base),
		test(test_a_clone_is_never_audited_as_its_base),
		test(test_the_rest_of_a_newer_policy_stays),
		test(test_who_executes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
