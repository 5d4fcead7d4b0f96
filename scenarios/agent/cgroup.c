/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups as the target has them: one hierarchy (v2) at /sys/fs/cgroup, or one for each
 * controller and a named one below it (v1), as systemd sets them up with
 * systemd.unified_cgroup_hierarchy=0. A container has its group in every hierarchy.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define PATH_SIZE 512

/* Hierarchies, as directories below CGROUP_ROOT; "" is the root itself: v2. */
static char hierarchies[AGT_CGROUPS_MAX][32];
static size_t hierarchy_count;

static void join_path(size_t i, const char *name, const char *file, char path[PATH_SIZE])
{
	(void)snprintf(path, PATH_SIZE, CGROUP_ROOT "%s%s%s%s%s%s", *hierarchies[i] ? "/" : "",
		       hierarchies[i], *name ? "/" : "", name, *file ? "/" : "", file);
}

static int mount_one(const char *name, const char *options)
{
	char path[PATH_SIZE];
	size_t i = hierarchy_count;

	if (i == AGT_CGROUPS_MAX || strlen(name) >= sizeof(hierarchies[i]))
		return -E2BIG;
	(void)snprintf(hierarchies[i], sizeof(hierarchies[i]), "%s", name);
	join_path(i, "", "", path);
	if (mkdir(path, 0755) < 0)
		return -errno;
	if (mount("cgroup", path, "cgroup", CGROUP_FLAGS, options) < 0) {
		(void)rmdir(path);
		return -errno;
	}
	hierarchy_count++;
	return 0;
}

/* KERNEL: a cpuset without CPUs takes no process, and a new one has none but by clone_children. */
static void fill_new_cpusets(void)
{
	int fd pcl_autoclose =
		open(CGROUP_ROOT "/cpuset/cgroup.clone_children", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, "1", 1);
}

int agt_cgroup_setup_v1(void)
{
	FILE *list pcl_autofclose = fopen("/proc/cgroups", "re");
	char line[256], name[32];
	int hierarchy, groups, enabled, error;

	if (!list)
		return -errno;
	if (mount("tmpfs", CGROUP_ROOT, "tmpfs", CGROUP_FLAGS, "mode=0755,size=1m") < 0)
		return -errno;
	while (fgets(line, sizeof(line), list)) {
		if (sscanf(line, "%31s %d %d %d", name, &hierarchy, &groups, &enabled) != 4 ||
		    !enabled)
			continue;
		error = mount_one(name, name);
		if (error)
			return error;
	}
	fill_new_cpusets();
	return mount_one("systemd", "none,name=systemd");
}

void agt_cgroup_setup_v2(void)
{
	hierarchies[0][0] = '\0';
	hierarchy_count = 1;
}

bool agt_cgroup_is_v1(void)
{
	return hierarchy_count && *hierarchies[0];
}

const char *agt_cgroup_path(const char *name, char *buffer, size_t size)
{
	(void)snprintf(buffer, size, CGROUP_ROOT "/%s", name);
	return buffer;
}

static void remove_from(const char *name, size_t count)
{
	char path[PATH_SIZE];

	while (count--) {
		join_path(count, name, "", path);
		(void)rmdir(path);
	}
}

int agt_cgroup_make(const char *name)
{
	char path[PATH_SIZE];

	for (size_t i = 0; i < hierarchy_count; i++) {
		join_path(i, name, "", path);
		if (mkdir(path, 0755) < 0) {
			int error = -errno;

			remove_from(name, i);
			return error;
		}
	}
	return 0;
}

int agt_cgroup_remove(const char *name)
{
	char path[PATH_SIZE];
	int error = 0;

	for (size_t i = 0; i < hierarchy_count; i++) {
		join_path(i, name, "", path);
		if (rmdir(path) < 0 && errno != ENOENT)
			error = -errno;
	}
	return error;
}

/* KERNEL: cgroup.kill is there from 5.14 and in v2 alone; elsewhere the namespace's end does it. */
void agt_cgroup_kill(const char *name)
{
	char path[PATH_SIZE];
	int fd pcl_autoclose = -1;

	join_path(0, name, "cgroup.kill", path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)!write(fd, "1", 1);
}

int agt_cgroup_open(const char *name, struct agt_cgroup_door *ret_door)
{
	char path[PATH_SIZE];

	ret_door->count = 0;
	for (size_t i = 0; i < hierarchy_count; i++) {
		join_path(i, name, "cgroup.procs", path);
		ret_door->fds[i] = open(path, O_WRONLY | O_CLOEXEC);
		if (ret_door->fds[i] < 0) {
			int error = -errno;

			agt_cgroup_close(ret_door);
			return error;
		}
		ret_door->count++;
	}
	return 0;
}

void agt_cgroup_close(struct agt_cgroup_door *door)
{
	while (door->count)
		(void)close(door->fds[--door->count]);
}

int agt_cgroup_join(const struct agt_cgroup_door *door)
{
	/* KERNEL: "0" is the writer itself, whatever its pid is called where. */
	for (size_t i = 0; i < door->count; i++) {
		if (write(door->fds[i], "0", 1) != 1)
			return -errno;
	}
	return 0;
}
