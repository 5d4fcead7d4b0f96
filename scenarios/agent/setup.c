/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the kernel's exec of /init to a guest that programs can live in. Nothing here is fatal: a
 * mount that this kernel does not offer is said on the console, and the host sees the rest in the
 * hello.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"

#define BPFFS "/sys/fs/bpf"
#define CGROUP_ROOT "/sys/fs/cgroup"
#define HOST_NAME "gauntlet" /* as in the image's /etc/hostname */

static const struct {
	const char *type;
	const char *path;
	unsigned long flags;
	const char *options;
} mounts[] = {
	{"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
	{"sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
	{"devtmpfs", "/dev", MS_NOSUID, "mode=0755"},
	{"tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777"},
	{"devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=0620,ptmxmode=0666"},
	{"tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777"},
	{"tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755"},
	{"securityfs", "/sys/kernel/security", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
	{"bpf", BPFFS, MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"},
	{"cgroup2", CGROUP_ROOT, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
};

/* What the target has in another way, or not at all. */
static bool wanted(const char *path)
{
	if (strcmp(path, BPFFS) == 0)
		return agt_target_has_bpffs();
	return !agt_target_mounts(path) && (strcmp(path, CGROUP_ROOT) != 0 || !agt_target_is_v1());
}

static int take_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	for (int std = 0; std < 3; std++) {
		if (fd != std)
			(void)dup3(fd, std, 0);
	}
	if (fd > 2)
		(void)close(fd);
	return 0;
}

void agt_setup_mounts(void)
{
	static const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

	(void)umask(0);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(mounts); i++) {
		if (!wanted(mounts[i].path))
			continue;
		/* Directories of a pseudo file system are there or cannot be made. */
		(void)agt_files_mkdirs(mounts[i].path, 0755);
		if (mount(mounts[i].type, mounts[i].path, mounts[i].type, mounts[i].flags,
			  mounts[i].options) < 0 &&
		    errno != EBUSY)
			fprintf(stderr, "agent: cannot mount %s on %s: %s\n", mounts[i].type,
				mounts[i].path, strerror(errno));
	}
	if (take_console() < 0)
		perror("agent: /dev/console");
	(void)umask(022);
	(void)!sethostname(HOST_NAME, strlen(HOST_NAME));
	/* KERNEL: before 5.11 the memory of BPF maps is charged to this limit. */
	(void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
	(void)setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	(void)setenv("HOME", "/root", 1);
	(void)!chdir("/");
}

/*
 * As process 1 would have it: children of children come to us, and the memory of BPF maps is not
 * counted. File systems and modules are the distribution's business.
 */
void agt_setup_service(void)
{
	static const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

	int level_fd pcl_autoclose = open("/proc/sys/kernel/printk", O_WRONLY | O_CLOEXEC);

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		perror("agent: subreaper");
	/* A distribution may boot "quiet"; the host reads the kernel's warnings on the console. */
	if (level_fd >= 0)
		(void)!write(level_fd, "5", 1);
	(void)umask(022);
	(void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
	(void)setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	(void)setenv("HOME", "/root", 1);
	(void)!chdir("/");
}

static void load_module(const char *name)
{
	char path[512];
	int fd pcl_autoclose = -1;

	(void)snprintf(path, sizeof(path), AGT_MODULE_DIR "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
		fprintf(stderr, "agent: cannot load module %s: %s\n", name, strerror(errno));
}

/* No list: the kernel has everything built in. */
void agt_setup_modules(void)
{
	FILE *list pcl_autofclose = fopen(AGT_MODULE_LIST, "re");
	char line[256];

	while (list && fgets(line, sizeof(line), list)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			load_module(line);
	}
}

/* The first line of a small file, owned, or NULL. */
static char *read_line(const char *path)
{
	FILE *file pcl_autofclose = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!file || getline(&line, &size, file) < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\n")] = '\0';
	return line;
}

bool agt_setup_word(const char *name, char **ret_value)
{
	char *line pcl_autofree = read_line("/proc/cmdline");
	size_t name_len = strlen(name);
	char *rest = line, *word;

	while ((word = strsep(&rest, " ")) != NULL) {
		if (strncmp(word, name, name_len) != 0)
			continue;
		if (word[name_len] == '\0' && !ret_value)
			return true;
		if (word[name_len] == '=' && ret_value) {
			*ret_value = strdup(word + name_len + 1);
			return *ret_value != NULL;
		}
	}
	return false;
}

static json_t *active_lsms(void)
{
	char *line pcl_autofree = read_line("/sys/kernel/security/lsm");
	json_t *list = json_array();
	char *rest = line, *word;

	while ((word = strsep(&rest, ",")) != NULL) {
		if (*word)
			(void)json_array_append_new(list, agt_text_json(word, strlen(word)));
	}
	return list;
}

json_t *agt_setup_hello(void)
{
	char *cmdline pcl_autofree = read_line("/proc/cmdline");
	struct utsname name;
	struct timespec up;
	json_t *hello = json_object();

	(void)uname(&name);
	(void)clock_gettime(CLOCK_BOOTTIME, &up);
	(void)json_object_set_new(hello, "hello", json_integer(1));
	(void)json_object_set_new(hello, "kernel", json_string(name.release));
	(void)json_object_set_new(hello, "version", json_string(name.version));
	(void)json_object_set_new(hello, "machine", json_string(name.machine));
	(void)json_object_set_new(hello, "lsm", active_lsms());
	(void)json_object_set_new(hello, "cmdline",
				  cmdline ? agt_text_json(cmdline, strlen(cmdline)) : json_null());
	(void)json_object_set_new(hello, "btf",
				  json_boolean(access("/sys/kernel/btf/vmlinux", R_OK) == 0));
	(void)json_object_set_new(hello, "facts", agt_facts());
	(void)json_object_set_new(hello, "failures", agt_target_failures());
	(void)json_object_set_new(hello, "uptime_ms",
				  json_integer(up.tv_sec * 1000 + up.tv_nsec / 1000000));
	return hello;
}
