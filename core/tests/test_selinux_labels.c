/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans on a policy, against the model: random rules and nodes are planned, the plan is patched
 * into a policy, and libsepol, which decides as the kernel does, is asked what is permitted of each
 * file by its new label, and of what is made in each directory, to whoever may come to run whatever
 * it lets execute. It permits what the model does.
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
	"(class process (fork transition dyntransition))\n"
	"(classorder (file dir lnk_file chr_file blk_file sock_file fifo_file process))\n"
	"(sensitivity s0)(sensitivityorder (s0))(category c0)(categoryorder (c0))\n"
	"(sensitivitycategory s0 (c0))(level low (s0))(levelrange low_low (low low))\n"
	"(user u)(role object_r)(role r)(userrole u object_r)(userrole u r)\n"
	"(userlevel u low)(userrange u low_low)\n"
	"(type user_t)(type " SELINUX_MAKER ")(type " SELINUX_DAEMON ")(type other_t)\n"
	"(typeattribute domain)\n"
	"(typeattributeset domain (user_t " SELINUX_MAKER " " SELINUX_DAEMON " other_t))\n"
	"(allow " SELINUX_MAKER " " SELINUX_DAEMON " (process (transition)))\n"
	"(allow other_t domain (process (transition dyntransition)))\n"
	"(typetransition " SELINUX_MAKER " two_t process " SELINUX_DAEMON ")\n"
	"(roletype r domain)\n"
	"(type one_t)(type two_t)(type three_t)\n"
	"(typeattribute files)(typeattributeset files (one_t two_t three_t))\n"
	"(allow domain files (file (all)))\n"
	"(allow domain files (dir (all)))\n"
	"(sid kernel)(sidorder (kernel))(sidcontext kernel (u object_r one_t low_low))\n";

#define USER "u:r:user_t:s0"
#define MAKER "u:r:" SELINUX_MAKER ":s0"
#define OTHER "u:r:other_t:s0"

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
	static const char *const of_files[] = {"write", "append", "setattr"};
	/* A program that a rule blocks gets no other name, and no label that it may have. */
	static const char *const of_programs[] = {"link", "rename", "relabelfrom"};
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
		bool blocked = selinux_model_blocks(trial, entry);

		for (size_t i = 0; i < PCL_ARRAY_SIZE(of_files); i++)
			expect(trial, source, entry->path, context, class_name, of_files[i], write);
		for (size_t i = 0; i < PCL_ARRAY_SIZE(of_programs); i++)
			/* One that a rule names keeps its name for all, whoever may not run it. */
			if (!i || write || blocked)
				expect(trial, source, entry->path, context, class_name,
				       of_programs[i], write || blocked);
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

static void check_entries(const struct selinux_trial *trial, const char *source)
{
	for (size_t i = 0; i < trial->view->entry_count; i++)
		check_entry(trial, source, &trial->view->entries[i]);
}

/* --- who runs what -----------------------------------------------------------------------------
 */

static char *context_of(const struct selinux_trial *trial, const struct pcl_selinux_entry *entry)
{
	pcl_autofree char *type = selinux_type_of(trial->plan, entry);
	char *context = NULL;

	assert_true(asprintf(&context, "u:object_r:%s:s0", type) > 0);
	return context;
}

/* What source becomes by executing the entry, as the kernel asks; NULL: it may not. Owned. */
static char *execute(const struct selinux_trial *trial, const char *source,
		     const struct pcl_selinux_entry *entry)
{
	pcl_autofree char *target = context_of(trial, entry);
	pcl_autofree char *becomes = test_sepol_transition(source, target, "process");
	bool may = test_sepol_allows(source, target, "file", "execute");

	if (!strcmp(source, becomes))
		may = may && test_sepol_allows(source, target, "file", "execute_no_trans");
	else
		may = may && test_sepol_allows(source, becomes, "process", "transition") &&
		      test_sepol_allows(becomes, target, "file", "entrypoint");
	return may ? pcl_take_ptr(becomes) : NULL;
}

static bool is_source(const struct selinux_trial *trial, const struct pcl_selinux_entry *entry)
{
	for (size_t i = 0; i < trial->plan->source_count; i++) {
		pcl_autofree char *type = selinux_type_of(trial->plan, entry);
		pcl_autofree char *mark = NULL;

		assert_true(asprintf(&mark, "s%s_", trial->plan->sources[i].name) > 0);
		if (strstr(type, mark))
			return true;
	}
	return false;
}

/* Contexts that were tried already; a seed has few. */
struct tried {
	char *contexts[64];
	size_t count;
};

/* Whether it is so for the first time. */
static bool try_first(struct tried *tried, const char *context)
{
	for (size_t i = 0; i < tried->count; i++)
		if (!strcmp(tried->contexts[i], context))
			return false;
	assert_true(tried->count < PCL_ARRAY_SIZE(tried->contexts));
	tried->contexts[tried->count] = strdup(context);
	assert_non_null(tried->contexts[tried->count++]);
	return true;
}

static void expect_executed(const struct selinux_trial *trial, const char *source,
			    const struct pcl_selinux_entry *entry, const char *becomes)
{
	if (!becomes == selinux_model_refuses(trial, entry, PCL_ACCESS_EXECUTE))
		return;
	fail_msg("seed %llu: executing %s is %s to %s and should not be; of\n%s\n%s",
		 (unsigned long long)trial->seed, entry->path, becomes ? "permitted" : "refused",
		 source, trial->spec, trial->view_text);
}

/*
 * Whoever runs a file (NULL: no program that rules name) executes what the model lets him, and is
 * then held to what the model says of who runs that; and so on, until nobody new comes of it.
 */
static void check_running(struct selinux_trial *trial, const char *source,
			  const struct pcl_selinux_entry *running, struct tried *tried)
{
	if (!try_first(tried, source))
		return;
	selinux_trial_run(trial, running);
	check_entries(trial, source);
	/* By no rule of the policy's is such a domain entered. */
	if (strstr(source, PCL_SELINUX_PREFIX)) {
		assert_false(test_sepol_allows(OTHER, source, "process", "transition"));
		assert_false(test_sepol_allows(OTHER, source, "process", "dyntransition"));
	}
	for (size_t i = 0; i < trial->view->entry_count; i++) {
		const struct pcl_selinux_entry *entry = &trial->view->entries[i];
		pcl_autofree char *becomes = NULL;

		if (entry->kind != 'f')
			continue;
		becomes = execute(trial, source, entry);
		selinux_trial_run(trial, running);
		expect_executed(trial, source, entry, becomes);
		if (becomes)
			check_running(trial, becomes, is_source(trial, entry) ? entry : NULL,
				      tried);
	}
}

/* Adds up, so that what was tried is something. */
static void tried_fini(struct tried *tried, size_t *contexts, size_t *sourced)
{
	for (size_t i = 0; i < tried->count; i++) {
		*contexts += 1;
		*sourced += strstr(tried->contexts[i], PCL_SELINUX_PREFIX) != NULL;
		free(tried->contexts[i]);
	}
	tried->count = 0;
}

static void the_policy_permits_what_the_model_does(void **state)
{
	size_t contexts = 0, sourced = 0;

	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seed_count; seed++) {
		struct selinux_trial trial;
		struct tried tried = {0};

		selinux_trial_init(&trial, seed);
		patch(&trial);
		check_running(&trial, USER, NULL, &tried);
		check_running(&trial, MAKER, NULL, &tried);
		tried_fini(&tried, &contexts, &sourced);
		test_sepol_end();
		selinux_trial_fini(&trial);
	}
	if (seed_count == SEEDS)
		assert_true(contexts > 3 * SEEDS && sourced > SEEDS);
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
