/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers as a runtime makes them, without the runtime: a cgroup, and a process in it that is
 * process 1 of its own pid, mount, ipc and uts namespaces, on its own root file system or sharing
 * the host's.
 *
 * KERNEL: the initramfs root cannot be left by pivot_root before 7.3, so the new root is moved over
 * "/" and entered with chroot, as crun does with --no-pivot.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"
#include "rootfs.h"

#define CONTAINERS_MAX 16
#define NAME_MAX_LEN 63
/* A killed pid namespace is gone in milliseconds; a busy emulator gets seconds. */
#define STOP_WAIT_MS 5000
/* Making the root file system copies some megabytes. */
#define START_WAIT_MS 30000

static const char *const ns_names[] = {"pid", "mnt", "ipc", "uts"};

static struct container {
	char name[NAME_MAX_LEN + 1]; /* empty: free */
	pid_t pid;
} containers[CONTAINERS_MAX];

static struct container *find(const char *name)
{
	for (size_t i = 0; i < CONTAINERS_MAX; i++) {
		if (strcmp(containers[i].name, name) == 0)
			return &containers[i];
	}
	return NULL;
}

/* --- inside the new container -------------------------------------------------------------------
 */

static void reap_forever(void)
{
	sigset_t none;

	sigemptyset(&none);
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
		(void)sigsuspend(&none);
	}
}

static void on_child(int signal_number)
{
	(void)signal_number;
}

/* Process 1 of the container. It tells the agent by one int when the root is ready, or the errno.
 */
__attribute__((noreturn)) static void init_main(const char *name, bool own_root, int ready_fd)
{
	const struct sigaction action = {.sa_handler = on_child};
	int error;

	(void)setsid();
	(void)!sethostname(name, strlen(name));
	(void)prctl(PR_SET_NAME, "container-init");
	error = own_root ? agt_rootfs_enter_own(name) : agt_rootfs_enter_shared();
	error = -error;
	(void)!write(ready_fd, &error, sizeof(error));
	if (error)
		_exit(1);
	(void)close(ready_fd);
	/* SIGCHLD stays blocked except inside sigsuspend(), so that no end is missed. */
	(void)sigaction(SIGCHLD, &action, NULL);
	reap_forever();
	_exit(0);
}

/* --- in the agent -------------------------------------------------------------------------------
 */

static int make_cgroup(const char *name, struct agt_cgroup_door *ret_door)
{
	int error = agt_cgroup_make(name);

	if (error)
		return error;
	error = agt_cgroup_open(name, ret_door);
	if (error)
		(void)agt_cgroup_remove(name);
	return error;
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Kills the whole of the container and removes its cgroup. */
static int destroy(const char *name, pid_t pid)
{
	int64_t deadline = now_ms() + STOP_WAIT_MS;
	int status;
	/* One that ended by itself has no pid any more that it were safe to kill. */
	bool ended = pid <= 0 || agt_child_reap(pid, &status);

	if (!ended)
		(void)kill(pid, SIGKILL);
	agt_cgroup_kill(name);
	for (;;) {
		struct pollfd wait = {.fd = agt_child_fd(), .events = POLLIN};

		/*
		 * KERNEL: the end of a pid namespace waits for its processes that the agent is
		 * the parent of, so everything is reaped here, not only the init.
		 */
		ended = agt_child_reap(pid, &status) || ended;
		if (ended && agt_cgroup_remove(name) == 0)
			return 0;
		if (now_ms() >= deadline)
			break;
		/* A cgroup empties a moment after its last process; there is no event for it. */
		(void)poll(&wait, 1, 10);
	}
	agt_child_forget(pid);
	return ended ? -EBUSY : -ETIMEDOUT;
}

static int wait_ready(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int error = 0;

	if (poll(&wait, 1, START_WAIT_MS) <= 0)
		return -ETIMEDOUT;
	if (read(fd, &error, sizeof(error)) != (ssize_t)sizeof(error))
		return -ECHILD;
	return -error;
}

static int start(const char *name, bool own_root, pid_t *ret_pid, struct pcl_diag *diag)
{
	struct agt_cgroup_door cgroup pcl_cleanup(agt_cgroup_close) = {.count = 0};
	int ready[2], error = make_cgroup(name, &cgroup);
	long pid;

	if (error)
		return pcl_diag_errno(diag, error, "container %s: cgroup", name);
	if (pipe2(ready, O_CLOEXEC) < 0)
		return pcl_diag_errno(diag, -errno, "container %s: pipe", name);
	pid = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD,
		      0, 0, 0, 0);
	if (pid == 0) {
		if (agt_cgroup_join(&cgroup) < 0)
			_exit(1);
		init_main(name, own_root, ready[1]);
	}
	error = pid < 0 ? -errno : 0;
	(void)close(ready[1]);
	if (!error)
		error = agt_child_watch((pid_t)pid);
	if (!error)
		error = wait_ready(ready[0]);
	(void)close(ready[0]);
	if (error) {
		(void)destroy(name, (pid_t)pid);
		return pcl_diag_errno(diag, error, "container %s: start", name);
	}
	*ret_pid = (pid_t)pid;
	return 0;
}

static bool good_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len && len <= NAME_MAX_LEN && name[len] == '\0';
}

int agt_container_start(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	const char *root = json_string_value(json_object_get(request, "root"));
	const char *name;
	struct container *slot;
	char path[512];
	int error = agt_text_member(request, "name", &name, diag);

	if (error)
		return error;
	if (!good_name(name))
		return pcl_diag_set(diag, -EINVAL,
				    "container name \"%s\": use a-z, 0-9 and -, up to %d", name,
				    NAME_MAX_LEN);
	if (root && strcmp(root, "own") != 0 && strcmp(root, "shared") != 0)
		return pcl_diag_set(diag, -EINVAL, "container root \"%s\": own or shared", root);
	if (find(name))
		return pcl_diag_set(diag, -EEXIST, "container %s is running", name);
	slot = find("");
	if (!slot)
		return pcl_diag_set(diag, -EMFILE, "more than %d containers", CONTAINERS_MAX);
	error = start(name, !root || strcmp(root, "own") == 0, &slot->pid, diag);
	if (error)
		return error;
	(void)snprintf(slot->name, sizeof(slot->name), "%s", name);
	(void)json_object_set_new(reply, "pid", json_integer(slot->pid));
	/* KERNEL: in v1 no path tells a task's group to BPF; its namespaces do. */
	return json_object_set_new(reply, "cgroup",
				   agt_cgroup_is_v1() ? json_null()
						      : json_string(agt_cgroup_path(name, path,
										    sizeof(path))));
}

int agt_container_stop(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	const char *name;
	struct container *container;
	int error = agt_text_member(request, "name", &name, diag);

	(void)reply;
	if (error)
		return error;
	container = *name ? find(name) : NULL;
	if (!container)
		return pcl_diag_set(diag, -ENOENT, "no container %s", name);
	error = destroy(name, container->pid);
	container->name[0] = '\0';
	return error ? pcl_diag_errno(diag, error, "container %s: stop", name) : 0;
}

int agt_container_open_door(const char *name, struct agt_container_door *ret_door,
			    struct pcl_diag *diag)
{
	const struct container *container = *name ? find(name) : NULL;
	char path[512];
	int error;

	if (!container)
		return pcl_diag_set(diag, -ENOENT, "exec: no container %s", name);
	error = agt_cgroup_open(name, &ret_door->cgroup);
	if (error)
		return pcl_diag_errno(diag, error, "exec: cgroup of %s", name);
	(void)snprintf(path, sizeof(path), "/proc/%d/root", (int)container->pid);
	ret_door->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ret_door->root_fd < 0)
		return pcl_diag_errno(diag, -errno, "exec: %s", path);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(ns_names); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)container->pid,
			       ns_names[i]);
		ret_door->ns_fd[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (ret_door->ns_fd[i] < 0)
			return pcl_diag_errno(diag, -errno, "exec: %s", path);
	}
	return 0;
}

void agt_container_close_door(struct agt_container_door *door)
{
	agt_cgroup_close(&door->cgroup);
	pcl_closep(&door->root_fd);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(ns_names); i++)
		pcl_closep(&door->ns_fd[i]);
	*door = (struct agt_container_door)AGT_CONTAINER_DOOR_CLOSED;
}

int agt_container_enter(const struct agt_container_door *door, const char **ret_step)
{
	*ret_step = "join cgroup";
	if (agt_cgroup_join(&door->cgroup) < 0)
		return -errno;
	*ret_step = "setns";
	for (size_t i = 0; i < PCL_ARRAY_SIZE(ns_names); i++) {
		if (setns(door->ns_fd[i], 0) < 0)
			return -errno;
	}
	*ret_step = "chroot";
	if (fchdir(door->root_fd) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}
