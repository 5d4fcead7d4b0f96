/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does KVM work? An open /dev/kvm says little: on nested and paravirtual machines QEMU starts and
 * the kernel never comes up. So a stock kernel without a root is booted; it works when the kernel
 * gets as far as missing its root. The answer is kept until the machine boots anew or QEMU changes.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel.h"
#include "qemu.h"
#include "vm.h"

/* With working KVM a kernel panics for want of a root after 0.3 to 1 s. */
#define PROBE_TIMEOUT_MS 5000
#define PROBE_MEMORY_MIB 128
#define NO_ROOT "Unable to mount root fs"

static pthread_mutex_t probe_lock = PTHREAD_MUTEX_INITIALIZER;

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

static bool file_contains(const char *path, const char *text)
{
	FILE *file pcl_autofclose = fopen(path, "re");
	char *line pcl_autofree = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) >= 0) {
		if (strstr(line, text))
			return true;
	}
	return false;
}

/* Any kernel of the cache will do. */
static int any_kernel(const char *cache, char **ret_image, struct pcl_diag *diag)
{
	char *pattern pcl_autofree = NULL;
	glob_t found;
	int error = 0;

	if (asprintf(&pattern, "%s/kernels/*/vmlinuz", cache) < 0)
		return pcl_diag_errno(diag, -ENOMEM, "KVM probe");
	if (glob(pattern, 0, NULL, &found) != 0)
		return pcl_diag_set(diag, -ENOENT,
				    "no kernel in the cache (%s): run scripts/kernels 6.12",
				    pattern);
	*ret_image = strdup(found.gl_pathv[0]);
	if (!*ret_image)
		error = pcl_diag_errno(diag, -ENOMEM, "KVM probe");
	globfree(&found);
	return error;
}

/* Boots; *ret_reason stays NULL when it works. */
static int boot(const char *image, const char *dir, char **ret_reason, struct pcl_diag *diag)
{
	struct gnt_qemu qemu pcl_cleanup(gnt_qemu_fini) = {.pidfd = -1};
	char *console pcl_autofree = NULL, *log pcl_autofree = NULL;
	bool ended, works;
	int fd, error;

	if (asprintf(&console, "%s/console.log", dir) < 0 || asprintf(&log, "%s/qemu.log", dir) < 0)
		return pcl_diag_errno(diag, -ENOMEM, "KVM probe");
	fd = open(console, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return pcl_diag_errno(diag, -errno, "%s", console);
	(void)close(fd);
	error = gnt_qemu_spawn(&(struct gnt_qemu_config){.image = image,
							 .initrd_fd = -1,
							 .cmdline = "console=ttyS0 panic=-1",
							 .console_path = console,
							 .log_path = log,
							 .channel_fd = -1,
							 .qmp_fd = -1,
							 .memory_mib = PROBE_MEMORY_MIB,
							 .kvm = true},
			       &qemu, diag);
	if (error)
		return error;
	ended = gnt_qemu_ended(&qemu, PROBE_TIMEOUT_MS);
	gnt_qemu_fini(&qemu);
	works = ended && file_contains(console, NO_ROOT);
	if (!works && asprintf(ret_reason, "a stock kernel %s",
			       ended ? "ends QEMU before it is up" : "does not come up in 5 s") < 0)
		error = pcl_diag_errno(diag, -ENOMEM, "KVM probe");
	(void)unlink(console);
	(void)unlink(log);
	return error;
}

static int probe_by_boot(const char *cache, char **ret_reason, struct pcl_diag *diag)
{
	char *image pcl_autofree = NULL;
	char dir[] = "/tmp/gauntlet-kvm.XXXXXX";
	int error = any_kernel(cache, &image, diag);

	if (error)
		return error;
	if (!mkdtemp(dir))
		return pcl_diag_errno(diag, -errno, "KVM probe: %s", dir);
	error = boot(image, dir, ret_reason, diag);
	(void)rmdir(dir);
	return error;
}

/* "yes" or "no REASON" if the remembered answer is for this boot and this QEMU. Owned or NULL. */
static char *recall(const char *path, const char *key)
{
	FILE *file pcl_autofclose = fopen(path, "re");
	char *line pcl_autofree = NULL;
	size_t size = 0, key_len = strlen(key);

	if (!file || getline(&line, &size, file) < 0)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, key, key_len) != 0 || line[key_len] != '\t')
		return NULL;
	return strdup(line + key_len + 1);
}

/* Not being able to remember costs a probe the next time, nothing else. */
static void remember(const char *path, const char *key, const char *answer)
{
	char *temporary pcl_autofree = NULL;
	FILE *file;
	bool written;

	if (asprintf(&temporary, "%s.%d", path, (int)getpid()) < 0)
		return;
	file = fopen(temporary, "we");
	if (!file)
		return;
	written = fprintf(file, "%s\t%s\n", key, answer) > 0;
	if (fclose(file) != 0 || !written || rename(temporary, path) < 0)
		(void)unlink(temporary);
}

static int probe(char **ret_reason, struct pcl_diag *diag)
{
	char *boot_id pcl_autofree = read_line("/proc/sys/kernel/random/boot_id");
	char *version pcl_autofree = NULL, *cache pcl_autofree = NULL, *path pcl_autofree = NULL;
	char *key pcl_autofree = NULL, *answer pcl_autofree = NULL;
	int error = gnt_qemu_version(&version, diag);

	if (error || (error = gnt_kernel_cache_dir(&cache, diag)))
		return error;
	if (asprintf(&path, "%s/kvm-probe", cache) < 0 ||
	    asprintf(&key, "%s\t%s", boot_id ? boot_id : "-", version) < 0)
		return pcl_diag_errno(diag, -ENOMEM, "KVM probe");
	answer = recall(path, key);
	if (answer) {
		if (strncmp(answer, "no ", 3) == 0)
			*ret_reason = strdup(answer + 3);
		return 0;
	}
	error = probe_by_boot(cache, ret_reason, diag);
	if (error)
		return error;
	if (*ret_reason && asprintf(&answer, "no %s", *ret_reason) < 0)
		return pcl_diag_errno(diag, -ENOMEM, "KVM probe");
	remember(path, key, answer ? answer : "yes");
	return 0;
}

int gnt_kvm_probe(bool *ret_works, char **ret_reason, struct pcl_diag *diag)
{
	char *reason pcl_autofree = NULL;
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int error = 0;

	if (fd < 0) {
		if (asprintf(&reason, "/dev/kvm: %s", strerror(errno)) < 0)
			return pcl_diag_errno(diag, -ENOMEM, "KVM probe");
	} else {
		(void)close(fd);
		/* One at a time: two probes side by side would slow each other over the deadline.
		 */
		(void)pthread_mutex_lock(&probe_lock);
		error = probe(&reason, diag);
		(void)pthread_mutex_unlock(&probe_lock);
	}
	if (error)
		return error;
	*ret_works = !reason;
	*ret_reason = pcl_take_ptr(reason);
	return 0;
}
