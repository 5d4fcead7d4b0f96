/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names by the oldest mount, from mount tables of our own; and hard links in a folder of our own.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "node/hard_links.h"
#include "node/mounts.h"
#include "support.h"

static void read_table(const char *table, struct pcl_mounts *mounts)
{
	char path[] = "/tmp/portcullis-mounts-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, table, strlen(table)), (ssize_t)strlen(table));
	close(fd);
	assert_int_equal(pcl_mounts_read(path, mounts, NULL), 0);
	unlink(path);
}

static void is_named(const struct pcl_mounts *mounts, const char *path, const char *want)
{
	pcl_autofree char *name = NULL;

	assert_int_equal(pcl_mounts_name(mounts, path, &name), 0);
	assert_string_equal(name, want);
}

static void test_oldest_mount_names(void **state)
{
	pcl_cleanup(pcl_mounts_fini) struct pcl_mounts mounts = {0};

	(void)state;
	read_table("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
		   "2 1 8:2 / /data rw - ext4 /dev/sdb1 rw\n"
		   "3 1 8:2 /www /srv/www rw - ext4 /dev/sdb1 rw\n"
		   "4 1 8:1 /etc/key /mnt/a\\040key rw - ext4 /dev/sda1 rw\n"
		   "5 1 8:3 /part /only rw - ext4 /dev/sdc1 rw\n",
		   &mounts);
	assert_int_equal(mounts.count, 5);
	is_named(&mounts, "/", "/");
	is_named(&mounts, "/etc/key", "/etc/key");
	is_named(&mounts, "/data", "/data");
	is_named(&mounts, "/srv/www", "/data/www");
	is_named(&mounts, "/srv/www/index", "/data/www/index");
	is_named(&mounts, "/srv/wwwx", "/srv/wwwx");
	is_named(&mounts, "/mnt/a key", "/etc/key");
	is_named(&mounts, "/only/x", "/only/x");
}

/* The place of the naming mount lies on a later mount itself. */
static void test_names_follow_places(void **state)
{
	pcl_cleanup(pcl_mounts_fini) struct pcl_mounts mounts = {0};

	(void)state;
	read_table("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
		   "2 1 8:1 /var /v rw - ext4 /dev/sda1 rw\n"
		   "3 2 8:2 / /v/data rw - ext4 /dev/sdb1 rw\n",
		   &mounts);
	is_named(&mounts, "/v/log", "/var/log");
	is_named(&mounts, "/v/data/x", "/var/data/x");
}

static int count_name(const struct pcl_linked *linked, const char *path, void *context)
{
	const char **last = context;

	(void)linked;
	free((void *)*last);
	*last = strdup(path);
	return 0;
}

static void test_hard_links(void **state)
{
	char root[] = "/tmp/portcullis-linked-XXXXXX";
	const char *last = NULL;
	struct pcl_linked item = {0};
	bool complete = false;
	int root_fd, fd;

	(void)state;
	assert_non_null(mkdtemp(root));
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(root_fd, "a", 0700), 0);
	assert_int_equal(mkdirat(root_fd, "a/b", 0700), 0);
	fd = openat(root_fd, "key", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_false(pcl_hard_linked(root_fd, "/key", &item));
	assert_false(pcl_hard_linked(root_fd, "/nothing", &item));
	assert_int_equal(linkat(root_fd, "key", root_fd, "a/b/other", 0), 0);
	assert_true(pcl_hard_linked(root_fd, "/key", &item));
	assert_int_equal(pcl_hard_links_find(root_fd, &item, 1, 10000, count_name, &last,
					     &complete),
			 0);
	assert_true(complete);
	assert_string_equal(last, "/a/b/other");
	assert_true(pcl_hard_linked(root_fd, "/key", &item));
	/* No time: it says so. */
	assert_int_equal(pcl_hard_links_find(root_fd, &item, 1, -1, count_name, &last, &complete),
			 0);
	assert_false(complete);
	free((void *)last);
	unlinkat(root_fd, "a/b/other", 0);
	unlinkat(root_fd, "key", 0);
	unlinkat(root_fd, "a/b", AT_REMOVEDIR);
	unlinkat(root_fd, "a", AT_REMOVEDIR);
	rmdir(root);
	close(root_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oldest_mount_names),
		cmocka_unit_test(test_names_follow_places),
		cmocka_unit_test(test_hard_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
