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
	assert_true(count >= 32);
	for (size_t i = 0; i < count; i++) {
		if (i)
			assert_true(strcmp(targets[i - 1]->id, targets[i]->id) < 0);
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
		{GOOD "stands_for: a thing\n", "how it differs"},
		{GOOD "channel: serail\n", "did you mean serial"},
		{GOOD "rootfs: readonly\n", "did you mean read-only"},
		{GOOD "cgroup: v3\n", "one.yaml:6:9"},
		{GOOD "lockdown: full\n", "none or integrity or confidentiality"},
		{GOOD "selinux: {policy: x}\n", "permissive or enforcing"},
		{GOOD "selinux: {mode: enforcing}\n", "no \"policy\""},
		{GOOD "mounts: [{options: noexec}]\n", "no \"path\""},
		{GOOD "mounts: [{path: tmp}]\n", "an absolute path"},
		{GOOD "known: [{case: a/b, verdict: MISSED}]\n", "no \"reason\""},
		{GOOD "known: [{case: a/b, verdict: FINE, reason: x}]\n", "one.yaml:6:30"},
		{GOOD "like: one\n", "a circle"},
		{GOOD "like: other\n", "other.yaml"},
		{GOOD "cells: [bpf]\n", "one.yaml:6:8"},
		{GOOD "cells: {bpf: {id: x}}\n", "one.yaml:6:15"},
		{GOOD "cells: {bpf: lsm}\n", "a cell is a mapping"},
		{GOOD "memory: 16\n", "one.yaml:6:9"},
		{GOOD "memory: many\n", "one.yaml:6:9"},
		{"- id: one\n", "a target is a mapping"},
		{GOOD "---\n" GOOD, "one manifest a file"},
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

static const struct gnt_target *find(struct gnt_target **targets, size_t count, const char *id)
{
	size_t i = 0;

	while (i < count && strcmp(targets[i]->id, id) != 0)
		i++;
	if (i == count)
		fail_msg("no target %s", id);
	return targets[i];
}

static void layers_lie_over_each_other(void **state)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct gnt_target **targets = NULL;
	const struct gnt_target *t;
	size_t count = 0;

	(void)state;
	put("one.yaml", GOOD "usual: true\nstands_for: a thing\ndifferences: [first]\n"
			     "mounts: [{path: /tmp, options: noexec}]\n"
			     "cells: {x: {title: more, differences: [second], lsm: [yama],\n"
			     "            selinux: {policy: own, mode: enforcing}}}\n");
	put("two.yaml", "id: two\nlike: one\ntitle: another\nkernel: \"6.1\"\n");
	if (gnt_targets_load(dir, &targets, &count, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	assert_int_equal(count, 4);
	t = find(targets, count, "one+x");
	assert_string_equal(t->title, "a target, more");
	assert_string_equal(t->kernel, "6.12");
	assert_string_equal(t->stands_for, "a thing");
	assert_int_equal(t->difference_count, 2);
	assert_int_equal(t->lsm_count, 1);
	assert_string_equal(t->lsm[0], "yama");
	assert_int_equal(t->selinux_mode, GNT_SELINUX_ENFORCING);
	assert_false(t->usual);
	t = find(targets, count, "two");
	assert_string_equal(t->title, "another");
	assert_string_equal(t->kernel, "6.1");
	/* What it stands for is not inherited: nobody stands in for a thing by likeness alone. */
	assert_null(t->stands_for);
	assert_false(t->usual);
	assert_int_equal(t->lsm_count, 3);
	assert_string_equal(t->mounts[0].options, "noexec");
	assert_string_equal(find(targets, count, "two+x")->title, "another, more");
	assert_true(find(targets, count, "one")->usual);
	gnt_targets_free(&targets, count);
}

static void the_newest_kernel_gives_its_number_to_the_id(void **state)
{
	struct gnt_target **targets = NULL;
	const struct gnt_target *t;
	char path[128];
	size_t count = 0;

	(void)state;
	assert_int_equal(setenv("PORTCULLIS_CACHE", dir, 1), 0);
	put("plain-7.yaml", "id: plain-7\ntitle: t\nkernel: \"7\"\nlsm: [yama]\n"
			    "cells: {bpf: {title: bpf}}\n");
	assert_int_equal(gnt_targets_load(dir, &targets, &count, NULL), 0);
	assert_string_equal(find(targets, count, "plain-7+bpf")->version, "7");
	gnt_targets_free(&targets, count);
	(void)snprintf(path, sizeof(path), "%s/kernels", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/kernels/7", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	put("kernels/7/release", "7.9.4+deb13-cloud-amd64\n");
	assert_int_equal(gnt_targets_load(dir, &targets, &count, NULL), 0);
	t = find(targets, count, "plain-7.9+bpf");
	assert_string_equal(t->alias, "plain-7+bpf");
	assert_string_equal(t->version, "7.9");
	assert_string_equal(t->kernel, "7");
	gnt_targets_free(&targets, count);
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
		cmocka_unit_test_setup_teardown(layers_lie_over_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(the_newest_kernel_gives_its_number_to_the_id, setup,
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
