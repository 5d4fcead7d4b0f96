/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads the target's SELinux policy: first the policy, then the labels, then the agent's own
 * domain, then the mode. All that the agent starts is in that domain.
 *
 * KERNEL: labels that are set before a policy is loaded are lost; until then the agent is kernel_t,
 * and in a policy that is enforcing from the start kernel_t must be allowed what is done here.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"

#define SELINUXFS "/sys/fs/selinux"
#define SOURCE "/usr/share/gauntlet/selinux"
#define WALK_FDS 16
#define CONTEXT_SIZE 128

/* nftw() takes no argument for its callback, and process 1 has one thread here. */
static char walk_context[CONTEXT_SIZE];

static int write_all(const char *path, const void *data, size_t len)
{
	int fd pcl_autoclose = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	/* KERNEL: a policy is taken only as one write at offset 0. */
	return write(fd, data, len) < 0 ? -errno : 0;
}

static int read_whole(const char *path, char **ret_data, size_t *ret_len)
{
	int fd pcl_autoclose = open(path, O_RDONLY | O_CLOEXEC);
	char *data pcl_autofree = NULL;
	struct stat info;

	if (fd < 0 || fstat(fd, &info) < 0)
		return -errno;
	data = malloc((size_t)info.st_size + 1);
	if (!data)
		return -ENOMEM;
	if (read(fd, data, (size_t)info.st_size) != info.st_size)
		return -EIO;
	data[info.st_size] = '\0';
	*ret_data = pcl_take_ptr(data);
	*ret_len = (size_t)info.st_size;
	return 0;
}

static int label_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return lsetxattr(path, "security.selinux", walk_context, strlen(walk_context) + 1, 0) < 0
		       ? -errno
		       : 0;
}

/* A line "TYPE PATH"; a path that the guest does not have is none to label. */
static int label_line(char *line)
{
	char *path = strchr(line, ' ');
	struct stat info;
	int error;

	if (!path)
		return 0;
	*path++ = '\0';
	if (lstat(path, &info) < 0)
		return 0;
	(void)snprintf(walk_context, sizeof(walk_context), "system_u:object_r:%s:s0", line);
	error = S_ISDIR(info.st_mode) ? nftw(path, label_entry, WALK_FDS, FTW_PHYS | FTW_MOUNT)
				      : label_entry(path, &info, 0, NULL);
	if (error)
		fprintf(stderr, "agent: label %s: %s\n", path, strerror(-error));
	return error < 0 ? error : error ? -EIO : 0;
}

static int label_all(void)
{
	char *lines pcl_autofree = NULL, *rest, *line;
	size_t len;
	int error = read_whole(SOURCE "/labels", &lines, &len);

	rest = lines;
	while (!error && (line = strsep(&rest, "\n")) != NULL)
		error = label_line(line);
	return error;
}

static int enter_domain(void)
{
	char *domain pcl_autofree = NULL;
	size_t len;
	int error = read_whole(SOURCE "/domain", &domain, &len);

	return error ? error : write_all("/proc/self/attr/current", domain, len);
}

int agt_selinux_load(bool enforcing, const char **ret_step)
{
	char *policy pcl_autofree = NULL;
	size_t len;
	int error;

	*ret_step = "SELinux policy";
	error = read_whole(SOURCE "/policy", &policy, &len);
	if (!error)
		error = write_all(SELINUXFS "/load", policy, len);
	if (error)
		return error;
	*ret_step = "SELinux labels";
	error = label_all();
	if (error)
		return error;
	*ret_step = "SELinux domain of the agent";
	error = enter_domain();
	if (error)
		return error;
	*ret_step = "SELinux mode";
	return write_all(SELINUXFS "/enforce", enforcing ? "1" : "0", 1);
}

bool agt_selinux_mount(void)
{
	return mount("selinuxfs", SELINUXFS, "selinuxfs", MS_NOSUID | MS_NOEXEC, NULL) == 0;
}
