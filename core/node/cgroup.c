/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cgroups (v2). KERNEL: a cgroup's 64-bit id is its directory's file handle, and equals
 * bpf_get_current_cgroup_id() for the tasks in it; ids are not used again while the system runs.
 */
#include "node/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ROOT_ID 1u

static int cgroup_id(const char *path, uint64_t *ret_id, struct pcl_diag *diag)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + sizeof(uint64_t)];
	} buffer = {.handle.handle_bytes = sizeof(uint64_t)};
	int mount_id;

	if (name_to_handle_at(AT_FDCWD, path, &buffer.handle, &mount_id, 0) < 0)
		return pcl_diag_errno(diag, -errno, "cgroup \"%s\": cannot get its id", path);
	memcpy(ret_id, buffer.handle.f_handle, sizeof(*ret_id));
	return 0;
}

int pcl_cgroup_open(const char *path, char **ret_path, uint64_t *ret_id, struct pcl_diag *diag)
{
	pcl_autofree char *named = NULL, *real = NULL;
	struct statfs stats;
	uint64_t id = 0;
	int error;

	if (asprintf(&named, "%s%s", *path == '/' ? "" : PCL_CGROUP_DIR "/", path) < 0)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	real = realpath(named, NULL);
	if (!real)
		return pcl_diag_errno(diag, -errno, "cgroup \"%s\"", named);
	if (statfs(real, &stats) < 0 || stats.f_type != CGROUP2_SUPER_MAGIC)
		return pcl_diag_set(diag, -EINVAL,
				    "\"%s\" is no cgroup v2 directory; give the container's "
				    "directory below " PCL_CGROUP_DIR,
				    real);
	if (!strcmp(real, PCL_CGROUP_DIR))
		return pcl_diag_set(diag, -EINVAL,
				    "the root cgroup is the host, not a container; put the "
				    "container into a cgroup of its own");
	error = cgroup_id(real, &id, diag);
	if (error)
		return error;
	*ret_path = pcl_take_ptr(real);
	*ret_id = id;
	return 0;
}

int pcl_cgroup_open_root(struct pcl_diag *diag)
{
	static const char *const places[] = {PCL_CGROUP_DIR, PCL_CGROUP_DIR "/unified"};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(places); i++) {
		struct statfs stats;
		uint64_t id = 0;
		int error, fd;

		if (statfs(places[i], &stats) < 0 || stats.f_type != CGROUP2_SUPER_MAGIC)
			continue;
		error = cgroup_id(places[i], &id, diag);
		if (error)
			return error;
		/* KERNEL: what a cgroup namespace shows as the root has a number of its own. */
		if (id != ROOT_ID)
			return pcl_diag_set(diag, -EOPNOTSUPP,
					    "%s is not the root cgroup but that of a container",
					    places[i]);
		fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? pcl_diag_errno(diag, -errno, "cannot open %s", places[i]) : fd;
	}
	return pcl_diag_set(diag, -EOPNOTSUPP, "no cgroup v2 is mounted on " PCL_CGROUP_DIR);
}

int pcl_cgroup_of_pid(pid_t pid, char **ret_path, uint64_t *ret_id, struct pcl_diag *diag)
{
	pcl_autofree char *name = NULL, *line = NULL, *path = NULL;
	pcl_autofclose FILE *file = NULL;
	size_t capacity = 0;
	ssize_t len;

	if (asprintf(&name, "/proc/%d/cgroup", (int)pid) < 0)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	file = fopen(name, "re");
	if (!file)
		return pcl_diag_set(diag, -ESRCH, "there is no process %d", (int)pid);
	while ((len = getline(&line, &capacity, file)) > 0) {
		/* The v2 hierarchy's line has number 0 and no controllers. */
		if (strncmp(line, "0::", 3))
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (asprintf(&path, PCL_CGROUP_DIR "%s", line + 3) < 0)
			return pcl_diag_set(diag, -ENOMEM, "out of memory");
		return pcl_cgroup_open(path, ret_path, ret_id, diag);
	}
	return pcl_diag_set(diag, -EOPNOTSUPP,
			    "process %d is in no cgroup v2; this node has only cgroup v1",
			    (int)pid);
}

/* nftw() passes no context. */
static _Thread_local pid_t found_pid;

static int look_for_pid(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	pcl_autofree char *name = NULL;
	pcl_autofclose FILE *file = NULL;
	int pid;

	(void)status;
	(void)ftw;
	if (type != FTW_D || asprintf(&name, "%s/cgroup.procs", path) < 0)
		return 0;
	file = fopen(name, "re");
	if (!file || fscanf(file, "%d", &pid) != 1 || pid <= 0)
		return 0;
	found_pid = pid;
	return 1;
}

pid_t pcl_cgroup_any_pid(const char *path)
{
	/* Open directories at once; the tree below a container is shallow. */
	const int depth_max = 16;

	found_pid = 0;
	(void)nftw(path, look_for_pid, depth_max, FTW_PHYS);
	return found_pid;
}
