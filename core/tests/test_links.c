/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links on rules' paths, below a root of the test's own. The root stands for a container's: what
 * its links say is not to be trusted, and nothing outside is to be reached.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "node/links.h"
#include "support.h"

static char root[] = "/tmp/portcullis-links-XXXXXX";
static int root_fd = -1;

static void make_dir(const char *path)
{
	assert_int_equal(mkdirat(root_fd, path, 0700), 0);
}

static void make_file(const char *path)
{
	int fd = openat(root_fd, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void make_link(const char *path, const char *target)
{
	assert_int_equal(symlinkat(target, root_fd, path), 0);
}

/* Expects name to mean the targets too, which may be NULL, in this order. */
static void means(const char *name, const char *first, const char *second)
{
	pcl_cleanup(pcl_aliases_fini) struct pcl_aliases aliases = {0};
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	const char *const targets[] = {first, second};
	const struct pcl_alias *alias;
	size_t count = !!first + !!second;

	if (pcl_aliases_add(&aliases, root_fd, name, &diag))
		fail_msg("%s: %s", name, pcl_diag_text(&diag));
	alias = pcl_aliases_find(&aliases, name);
	if ((alias ? alias->target_count : 0) != count)
		fail_msg("%s has %zu meanings (%s, %s), not %zu", name,
			 alias ? alias->target_count : 0,
			 alias && alias->target_count ? alias->targets[0] : "-",
			 alias && alias->target_count > 1 ? alias->targets[1] : "-", count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(alias->targets[i], targets[i]);
}

static int make_root(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	make_dir("usr");
	make_dir("usr/bin");
	make_file("usr/bin/dash");
	make_link("usr/bin/sh", "dash");
	make_link("bin", "usr/bin");
	make_dir("etc");
	make_file("etc/secret");
	make_link("etc/alternatives", "../usr/./bin//");
	make_link("key", "/etc/secret");
	make_link("top", "/");
	make_link("again", "key");
	return root_fd < 0 ? -1 : 0;
}

static int remove_root(void **state)
{
	char command[sizeof(root) + 16];

	(void)state;
	close(root_fd);
	snprintf(command, sizeof(command), "rm -r %s", root);
	/* The path is mkdtemp()'s. */
	return system(command); /* NOLINT(cert-env33-c) */
}

static void a_path_without_links_means_itself(void **state)
{
	(void)state;
	means("/", NULL, NULL);
	means("/usr/bin/dash", NULL, NULL);
	means("/usr/bin", NULL, NULL);
	means("/missing/too", NULL, NULL);
	means("/etc/secret/below-a-file", NULL, NULL);
}

static void a_link_means_its_name_and_its_target(void **state)
{
	(void)state;
	means("/key", "/etc/secret", NULL);
	means("/again", "/etc/secret", NULL);
	means("/usr/bin/sh", "/usr/bin/dash", NULL);
	means("/top", "/", NULL);
	means("/etc/alternatives", "/usr/bin", NULL);
}

static void links_above_the_last_component_are_resolved(void **state)
{
	(void)state;
	means("/bin/dash", "/usr/bin/dash", NULL);
	means("/bin/sh", "/usr/bin/sh", "/usr/bin/dash");
	means("/top/bin/sh", "/usr/bin/sh", "/usr/bin/dash");
	means("/top/key", "/key", "/etc/secret");
	means("/bin/missing/too", "/usr/bin/missing/too", NULL);
	means("/etc/alternatives/sh", "/usr/bin/sh", "/usr/bin/dash");
}

static void nothing_outside_of_the_root_is_reached(void **state)
{
	(void)state;
	make_link("out", "../../../../etc/passwd");
	make_link("usr/up", "../../..");
	means("/out", "/etc/passwd", NULL);
	means("/usr/up", "/", NULL);
	means("/usr/up/key", "/key", "/etc/secret");
}

static void parents_are_those_of_the_target(void **state)
{
	(void)state;
	make_dir("deep");
	make_dir("deep/er");
	make_file("deep/file");
	make_link("usr/er", "/deep/er");
	make_link("usr/file", "er/../file");
	means("/usr/file", "/deep/file", NULL);
}

/* Who may make such links must neither stop an apply nor have a rule mean another place. */
static void a_link_that_leads_nowhere_means_its_name_only(void **state)
{
	char name[NAME_MAX + 46], long_link[PATH_MAX];

	(void)state;
	make_link("loop", "loop");
	make_link("ping", "pong");
	make_link("pong", "ping");
	means("/loop", NULL, NULL);
	means("/loop/below", NULL, NULL);
	means("/ping", NULL, NULL);
	means("/top/ping", "/ping", NULL);
	means("/top/ping/below", NULL, NULL);

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	make_link("long-name", name);
	memcpy(name, "etc/", 4);
	make_link("long-name-below", name);
	means("/long-name", NULL, NULL);
	means("/long-name/below", NULL, NULL);
	means("/long-name-below", NULL, NULL);
	means("/top/long-name-below", "/long-name-below", NULL);

	memset(long_link, 'l', sizeof(long_link));
	for (size_t i = 0; i < sizeof(long_link); i += 2)
		long_link[i] = '/';
	long_link[sizeof(long_link) - 1] = '\0';
	make_link("long-path", long_link);
	means("/long-path/below", NULL, NULL);
}

static void as_many_links_as_the_kernel_follows(void **state)
{
	char name[16], target[16];

	(void)state;
	make_link("n0", "etc");
	for (int i = 1; i <= 40; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		snprintf(target, sizeof(target), "n%d", i - 1);
		make_link(name, target);
	}
	/* /n0 is one link, /n39 are forty. */
	means("/n39", "/etc", NULL);
	means("/n40", NULL, NULL);
	assert_int_equal(faccessat(root_fd, "n39", F_OK, 0), 0);
	assert_int_equal(faccessat(root_fd, "n40", F_OK, 0), -1);
}

static void many_names_are_found_again(void **state)
{
	static const char *const names[] = {"/again", "/bin/dash", "/bin/sh", "/etc/secret",
					    "/key",   "/key",	   "/top"};
	pcl_cleanup(pcl_aliases_fini) struct pcl_aliases aliases = {0};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(names); i++)
		assert_int_equal(pcl_aliases_add(&aliases, root_fd, names[i], NULL), 0);
	assert_int_equal(aliases.count, 5);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(names); i++) {
		const struct pcl_alias *alias = pcl_aliases_find(&aliases, names[i]);

		assert_true(!alias == !strcmp(names[i], "/etc/secret"));
		if (alias)
			assert_string_equal(alias->name, names[i]);
	}
	assert_null(pcl_aliases_find(&aliases, "/ke"));
	assert_null(pcl_aliases_find(NULL, "/key"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_without_links_means_itself),
		cmocka_unit_test(a_link_means_its_name_and_its_target),
		cmocka_unit_test(links_above_the_last_component_are_resolved),
		cmocka_unit_test(nothing_outside_of_the_root_is_reached),
		cmocka_unit_test(parents_are_those_of_the_target),
		cmocka_unit_test(a_link_that_leads_nowhere_means_its_name_only),
		cmocka_unit_test(as_many_links_as_the_kernel_follows),
		cmocka_unit_test(many_names_are_found_again),
	};

	return cmocka_run_group_tests_name("links", tests, make_root, remove_root);
}
