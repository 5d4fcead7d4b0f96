/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Target manifests: the published ones load, bad ones are refused with their place; the kernel
 * command line and the modules that follow from them.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "scenarios/runner/cmdline.h"
#include "scenarios/runner/kernel.h"
#include "scenarios/runner/target.h"

#define GOOD                                                                                       \
	"id: one\ntitle: a target\nkernel: \"6.12\"\ncmdline: lsm=lockdown,bpf quiet\n"            \
	"lsm: [lockdown, capability, bpf]\n"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test_target.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void the_published_targets_load(void **state)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct gnt_target **targets = NULL;
	size_t count = 0;

	(void)state;
	if (gnt_targets_load("vm-images", &targets, &count, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	assert_true(count >= 2);
	for (size_t i = 0; i < count; i++) {
		if (i)
			assert_true(strcmp(targets[i - 1]->id, targets[i]->id) < 0);
		/* A stand-in that does not say what differs would pass for the real thing. */
		if (targets[i]->stands_for)
			assert_true(targets[i]->difference_count > 0);
		assert_true(targets[i]->lsm_count > 0);
		assert_non_null(strstr(targets[i]->cmdline, "lsm="));
	}
	gnt_targets_free(&targets, count);
	assert_null(targets);
}

static void bad_manifests_are_refused_with_their_place(void **state)
{
	static const struct {
		const char *text;
		const char *expected;
	} manifests[] = {
		{GOOD "kernl: x\n", "one.yaml:6:1"},
		{GOOD "kernl: x\n", "kernel"},
		{"id: two\ntitle: t\nkernel: x\nlsm: [a]\n", "one.yaml:1:5"},
		{"id: one\ntitle: t\nlsm: [a]\n", "no \"kernel\""},
		{"id: one\ntitle: t\nkernel: x\n", "which LSMs"},
		{"id: one\ntitle: t\nkernel: x\nlsm: bpf\n", "one.yaml:4:6"},
		{GOOD "channel: serail\n", "did you mean serial"},
		{GOOD "memory: 16\n", "one.yaml:6:9"},
		{GOOD "memory: many\n", "one.yaml:6:9"},
		{"- id: one\n", "a target is a mapping"},
		{GOOD "---\n" GOOD, "one target a file"},
		{"id: [\n", "one.yaml:"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(manifests) / sizeof(manifests[0]); i++) {
		struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
		struct gnt_target **targets = NULL;
		size_t count = 0;

		put("one.yaml", manifests[i].text);
		if (!gnt_targets_load(dir, &targets, &count, &diag))
			fail_msg("accepted:\n%s", manifests[i].text);
		if (!strstr(pcl_diag_text(&diag), manifests[i].expected))
			fail_msg("got \"%s\", want \"%s\"", pcl_diag_text(&diag),
				 manifests[i].expected);
		assert_null(targets);
	}
}

static struct gnt_target *load_good(void)
{
	struct gnt_target **targets = NULL, *target;
	size_t count = 0;

	put("one.yaml", GOOD);
	put("README.md", "not a manifest\n");
	assert_int_equal(gnt_targets_load(dir, &targets, &count, NULL), 0);
	assert_int_equal(count, 1);
	target = targets[0];
	free(targets);
	return target;
}

static void free_one(struct gnt_target *target)
{
	struct gnt_target **targets = malloc(sizeof(*targets));

	targets[0] = target;
	gnt_targets_free(&targets, 1);
}

static void the_lsm_list_can_be_replaced(void **state)
{
	struct gnt_target *target = load_good();
	struct gnt_vm_options options = {.target = target};
	char *own = NULL, *replaced = NULL;

	(void)state;
	assert_int_equal(gnt_cmdline_build(&options, GNT_CHANNEL_SERIAL, &own, NULL), 0);
	assert_non_null(strstr(own, " lsm=lockdown,bpf quiet"));
	assert_non_null(strstr(own, " gauntlet.channel=serial"));
	options.lsm = "yama";
	options.flags = GNT_VM_INTERACTIVE;
	assert_int_equal(gnt_cmdline_build(&options, GNT_CHANNEL_VIRTIO_SERIAL, &replaced, NULL),
			 0);
	assert_null(strstr(replaced, "lockdown"));
	assert_non_null(strstr(replaced, " quiet"));
	assert_non_null(strstr(replaced, " lsm=yama"));
	assert_non_null(strstr(replaced, " gauntlet.shell"));
	free(own);
	free(replaced);
	free_one(target);
}

static void a_command_line_that_the_kernel_would_cut_is_refused(void **state)
{
	struct gnt_target *target = load_good();
	struct gnt_vm_options options = {.target = target};
	char *line = NULL, words[2048];

	(void)state;
	memset(words, 'x', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	options.lsm = words;
	assert_int_equal(gnt_cmdline_build(&options, GNT_CHANNEL_SERIAL, &line, NULL), -E2BIG);
	assert_null(line);
	free_one(target);
}

static void modules_come_after_what_they_need(void **state)
{
	char *names[] = {"virtio_console", "virtio-rng", "ext4"};
	struct gnt_kernel kernel = {.modules_dir = dir};
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	char **files = NULL, *unknown[] = {"nosuch"};
	size_t count = 0;

	(void)state;
	put("modules.dep", "k/ring.ko:\nk/virtio.ko: k/ring.ko\n"
			   "k/virtio_console.ko: k/virtio.ko k/ring.ko\n"
			   "k/virtio-rng.ko: k/virtio.ko k/ring.ko\n");
	put("modules.builtin", "kernel/fs/ext4/ext4.ko\n");
	assert_int_equal(gnt_kernel_modules(&kernel, names, 3, &files, &count, &diag), 0);
	assert_int_equal(count, 4);
	assert_string_equal(files[0], "k/ring.ko");
	assert_string_equal(files[1], "k/virtio.ko");
	assert_string_equal(files[2], "k/virtio_console.ko");
	assert_string_equal(files[3], "k/virtio-rng.ko");
	pcl_strings_free(&files, &count);
	assert_int_equal(gnt_kernel_modules(&kernel, unknown, 1, &files, &count, &diag), -ENOENT);
	assert_non_null(strstr(pcl_diag_text(&diag), "module nosuch"));
}

static void a_missing_kernel_says_how_to_get_it(void **state)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct gnt_kernel kernel = {0};

	(void)state;
	assert_int_equal(setenv("PORTCULLIS_CACHE", dir, 1), 0);
	assert_int_equal(gnt_kernel_find("6.12", &kernel, &diag), -ENOENT);
	assert_non_null(strstr(pcl_diag_text(&diag), "scripts/kernels 6.12"));
	assert_null(kernel.image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_targets_load),
		cmocka_unit_test_setup_teardown(bad_manifests_are_refused_with_their_place, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_lsm_list_can_be_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(a_command_line_that_the_kernel_would_cut_is_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(modules_come_after_what_they_need, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_kernel_says_how_to_get_it, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
