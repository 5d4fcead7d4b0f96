/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans on a policy, against the model: random rules and nodes are planned, the plan is patched
 * into a policy, and libsepol, which decides as the kernel does, is asked what is permitted of each
 * file by its new label, and of what is made in each directory. It permits what the model does.
 *
 * A failure names its seed; build/tests/test_selinux_labels SEED repeats it alone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "selinux_trial.h"
#include "sepol.h"
#include "support.h"

/* Each compiles a policy of its own. */
#define SEEDS 250

static uint64_t first_seed = 1, seed_count = SEEDS;

/* Before the constraints everything is permitted: the test is about what they take away. */
static const char policy_text[] =
	"(handleunknown allow)\n"
	"(mls true)\n"
	"(common object (ioctl read write create getattr setattr unlink link rename append open\n"
	"  execute relabelfrom relabelto))\n"
	"(class file (execute_no_trans entrypoint))(classcommon file object)\n"
	"(class dir (add_name search rmdir))(classcommon dir object)\n"
	"(class lnk_file ())(classcommon lnk_file object)\n"
	"(class chr_file ())(classcommon chr_file object)\n"
	"(class blk_file ())(classcommon blk_file object)\n"
	"(class sock_file ())(classcommon sock_file object)\n"
	"(class fifo_file ())(classcommon fifo_file object)\n"
	"(class process (fork))\n"
	"(classorder (file dir lnk_file chr_file blk_file sock_file fifo_file process))\n"
	"(sensitivity s0)(sensitivityorder (s0))(category c0)(categoryorder (c0))\n"
	"(sensitivitycategory s0 (c0))(level low (s0))(levelrange low_low (low low))\n"
	"(user u)(role object_r)(role r)(userrole u object_r)(userrole u r)\n"
	"(userlevel u low)(userrange u low_low)\n"
	"(type user_t)(type " SELINUX_MAKER ")\n"
	"(typeattribute domain)(typeattributeset domain (user_t " SELINUX_MAKER "))\n"
	"(roletype r domain)\n"
	"(type one_t)(type two_t)(type three_t)\n"
	"(typeattribute files)(typeattributeset files (one_t two_t three_t))\n"
	"(allow domain files (file (all)))\n"
	"(allow domain files (dir (all)))\n"
	"(sid kernel)(sidorder (kernel))(sidcontext kernel (u object_r one_t low_low))\n";

#define USER "u:r:user_t:s0"
#define MAKER "u:r:" SELINUX_MAKER ":s0"

static char *policy_of(const struct selinux_trial *trial)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)fputs(policy_text, out);
	for (size_t i = 0; i < trial->view->making_count; i++) {
		const struct pcl_selinux_making *making = &trial->view->makings[i];

		(void)fprintf(out, "(typetransition %s %s %s %s)\n", making->source, making->target,
			      making->class_name, making->result);
	}
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Asks the patched policy from here on. */
static void patch(const struct selinux_trial *trial)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_autofree char *text = policy_of(trial);
	pcl_autofree void *policy = NULL, *patched = NULL;
	size_t size = 0, patched_size = 0;

	test_sepol_compile(text, &policy, &size);
	if (pcl_selinux_patch(policy, size, &trial->plan->changes, &patched, &patched_size, &diag))
		fail_msg("seed %llu: %s", (unsigned long long)trial->seed, pcl_diag_text(&diag));
	test_sepol_ask(patched, patched_size);
}

static void expect(const struct selinux_trial *trial, const char *source, const char *path,
		   const char *context, const char *class_name, const char *permission,
		   bool refused)
{
	if (test_sepol_allows(source, context, class_name, permission) != refused)
		return;
	fail_msg("seed %llu: %s of %s (%s), a %s, is %s to %s and should not be; of\n%s\n%s",
		 (unsigned long long)trial->seed, permission, path, context, class_name,
		 refused ? "permitted" : "refused", source, trial->spec, trial->view_text);
}

/* By who has transitions there, and by who has none. */
static void check_made(const struct selinux_trial *trial, const char *source,
		       const struct pcl_selinux_entry *entry, const char *context)
{
	pcl_autofree char *made = test_sepol_transition(source, context, "file");
	pcl_autofree char *dir = test_sepol_transition(source, context, "dir"), *path = NULL;
	bool write;

	assert_true(asprintf(&path, "%s/a new thing", strcmp(entry->path, "/") ? entry->path : "") >
		    0);
	expect(trial, source, path, made, "file", "read",
	       selinux_model_refuses_path(trial, path, PCL_ACCESS_READ));
	write = selinux_model_refuses_path(trial, path, PCL_ACCESS_WRITE);
	expect(trial, source, path, made, "file", "create", write);
	expect(trial, source, path, dir, "dir", "create", write);
	expect(trial, source, path, made, "file", "execute_no_trans",
	       selinux_model_refuses_path(trial, path, PCL_ACCESS_EXECUTE));
}

static void check_entry(const struct selinux_trial *trial, const char *source,
			const struct pcl_selinux_entry *entry)
{
	static const char *const of_dirs[] = {"setattr", "rename", "rmdir"};
	static const char *const of_files[] = {"write", "append", "setattr", "link"};
	pcl_autofree char *type = selinux_type_of(trial->plan, entry), *context = NULL;
	bool dir = entry->kind == 'd',
	     write = selinux_model_refuses(trial, entry, PCL_ACCESS_WRITE);
	const char *class_name = dir ? "dir" : "file";

	assert_true(asprintf(&context, "u:object_r:%s:s0", type) > 0);
	expect(trial, source, entry->path, context, class_name, "read",
	       selinux_model_refuses(trial, entry, PCL_ACCESS_READ));
	/* Looking is nobody's to refuse. */
	expect(trial, source, entry->path, context, class_name, "getattr", false);
	if (!dir) {
		for (size_t i = 0; i < PCL_ARRAY_SIZE(of_files); i++)
			expect(trial, source, entry->path, context, class_name, of_files[i], write);
		expect(trial, source, entry->path, context, class_name, "execute_no_trans",
		       selinux_model_refuses(trial, entry, PCL_ACCESS_EXECUTE));
		return;
	}
	/* A directory above what rules name keeps its name besides. */
	for (size_t i = 0; i < PCL_ARRAY_SIZE(of_dirs); i++)
		if (write || strcmp(of_dirs[i], "rename") != 0)
			expect(trial, source, entry->path, context, class_name, of_dirs[i], write);
	expect(trial, source, entry->path, context, class_name, "search", false);
	check_made(trial, source, entry, context);
}

static void the_policy_permits_what_the_model_does(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seed_count; seed++) {
		struct selinux_trial trial;

		selinux_trial_init(&trial, seed);
		patch(&trial);
		for (size_t i = 0; i < trial.view->entry_count; i++) {
			check_entry(&trial, USER, &trial.view->entries[i]);
			check_entry(&trial, MAKER, &trial.view->entries[i]);
		}
		test_sepol_end();
		selinux_trial_fini(&trial);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_policy_permits_what_the_model_does),
	};

	if (argc > 1) {
		first_seed = strtoull(argv[1], NULL, 0);
		seed_count = 1;
	}
	return cmocka_run_group_tests_name("selinux_labels", tests, NULL, NULL);
}
