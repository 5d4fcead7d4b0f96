/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a cpio archive (newc) of what is this VM's own behind those that were built.
 *
 * KERNEL: archives may follow one another if each begins at a multiple of 4 bytes; later ones add
 * to what the earlier unpacked; a directory that is there already is fine.
 */
#include "initramfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"

/* Where the agent looks: see scenarios/agent/agent.h. */
#define GUEST_MODULE_DIR "usr/lib/modules"
#define GUEST_GAUNTLET_DIR GUEST_MODULE_DIR "/gauntlet"
#define GUEST_PLAN "plan.json"
#define GUEST_TARGET "target.json"

static int write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t put = write(fd, at, len);

		if (put < 0)
			return -errno;
		at += put;
		len -= (size_t)put;
	}
	return 0;
}

static int pad(int fd)
{
	static const char zeros[4] = {0};
	off_t at = lseek(fd, 0, SEEK_CUR);

	return at < 0 ? -errno : write_all(fd, zeros, (size_t)(-at & 3));
}

static int add_entry(int fd, const char *name, mode_t mode, const void *data, size_t len)
{
	char head[128];
	size_t name_size = strlen(name) + 1;
	int error;

	(void)snprintf(head, sizeof(head),
		       "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 0, mode, 0,
		       0, 1, 0, len, 0, 0, 0, 0, name_size, 0);
	error = write_all(fd, head, 110);
	if (!error)
		error = write_all(fd, name, name_size);
	if (!error)
		error = pad(fd);
	if (!error)
		error = write_all(fd, data, len);
	return error ? error : pad(fd);
}

static int copy_image(int fd, const char *path, struct pcl_diag *diag)
{
	int base_fd pcl_autoclose = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t sent;
	int error;

	if (base_fd < 0)
		return pcl_diag_set(diag, -errno, "no guest image (%s): run make setup build",
				    path);
	while ((sent = sendfile(fd, base_fd, NULL, 1u << 24)) > 0)
		continue;
	error = sent < 0 ? -errno : pad(fd);
	return error ? pcl_diag_errno(diag, error, "guest image %s", path) : 0;
}

static int add_module(int fd, const char *dir, const char *file, struct pcl_diag *diag)
{
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	char *path pcl_autofree = NULL, *name pcl_autofree = NULL, *data pcl_autofree = NULL;
	int module_fd pcl_autoclose = -1;
	struct stat info;
	size_t len;
	int error;

	if (asprintf(&path, "%s/%s", dir, file) < 0 ||
	    asprintf(&name, GUEST_GAUNTLET_DIR "/%s", base) < 0)
		return pcl_diag_errno(diag, -ENOMEM, "module %s", file);
	module_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (module_fd < 0 || fstat(module_fd, &info) < 0)
		return pcl_diag_errno(diag, -errno, "module %s", path);
	len = (size_t)info.st_size;
	data = malloc(len + 1);
	if (!data)
		return pcl_diag_errno(diag, -ENOMEM, "module %s", path);
	if (read(module_fd, data, len) != (ssize_t)len)
		return pcl_diag_set(diag, -EIO, "module %s: cannot read all of it", path);
	/* The agent hands the file to finit_module(), which takes plain ELF from every kernel. */
	if (len < 4 || memcmp(data, "\177ELF", 4) != 0)
		return pcl_diag_set(diag, -ENOEXEC,
				    "module %s is compressed or no module: unpack it, run depmod",
				    path);
	error = add_entry(fd, name, S_IFREG | 0644, data, len);
	return error ? pcl_diag_errno(diag, error, "initramfs") : 0;
}

static int add_modules(int fd, const struct gnt_kernel *kernel, char **files, size_t count,
		       struct pcl_diag *diag)
{
	char *list pcl_autofree = NULL;
	size_t list_len = 0;
	FILE *stream = open_memstream(&list, &list_len);
	int error = 0;

	if (!stream)
		return pcl_diag_errno(diag, -ENOMEM, "initramfs");
	for (size_t i = 0; i < count; i++)
		fprintf(stream, "%s\n",
			strrchr(files[i], '/') ? strrchr(files[i], '/') + 1 : files[i]);
	if (fclose(stream) != 0)
		return pcl_diag_errno(diag, -ENOMEM, "initramfs");
	error = add_entry(fd, GUEST_MODULE_DIR, S_IFDIR | 0755, "", 0);
	if (!error)
		error = add_entry(fd, GUEST_GAUNTLET_DIR, S_IFDIR | 0755, "", 0);
	if (!error)
		error = add_entry(fd, GUEST_GAUNTLET_DIR "/load", S_IFREG | 0644, list, list_len);
	if (error)
		return pcl_diag_errno(diag, error, "initramfs");
	for (size_t i = 0; i < count && !error; i++)
		error = add_module(fd, kernel->modules_dir, files[i], diag);
	return error;
}

/* build/arm64/guest beside build/guest; takes and replaces *dir. */
static int go_to_arm64(char **dir, struct pcl_diag *diag)
{
	char *base pcl_autofree = NULL, *other = NULL;

	if (asprintf(&other, "%s/../arm64/guest", *dir) < 0)
		return pcl_diag_errno(diag, -ENOMEM, "guest image");
	free(*dir);
	*dir = other;
	if (asprintf(&base, "%s/base.cpio", other) < 0)
		return pcl_diag_errno(diag, -ENOMEM, "guest image");
	return access(base, R_OK) == 0
		       ? 0
		       : pcl_diag_set(diag, -ENOENT,
				      "no arm64 guest (%s): run scripts/arm64, then make arm64",
				      base);
}

/* build/guest, owned. */
static int find_guest_dir(const char *given, char **ret_dir, struct pcl_diag *diag)
{
	char self[4096], *slash;
	ssize_t len;
	int got;

	if (given) {
		got = asprintf(ret_dir, "%s", given);
		return got < 0 ? pcl_diag_errno(diag, -ENOMEM, "guest image") : 0;
	}
	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (len < 0)
		return pcl_diag_errno(diag, -errno, "/proc/self/exe");
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	got = asprintf(ret_dir, "%s/guest", self);
	return got < 0 ? pcl_diag_errno(diag, -ENOMEM, "guest image") : 0;
}

/* DIR/FOLDER/NAME.cpio; folder may be "". */
static int add_image(int fd, const char *dir, const char *folder, const char *name,
		     struct pcl_diag *diag)
{
	char *path pcl_autofree = NULL;

	if (asprintf(&path, "%s/%s%s%s.cpio", dir, folder, *folder ? "/" : "", name) < 0)
		return pcl_diag_errno(diag, -ENOMEM, "guest image %s", name);
	return copy_image(fd, path, diag);
}

static int add_images(int fd, const char *dir, const struct gnt_target *target,
		      struct pcl_diag *diag)
{
	int error = add_image(fd, dir, "", "base", diag);

	for (size_t i = 0; !error && i < target->userland_count; i++)
		error = add_image(fd, dir, "userland", target->userland[i], diag);
	if (!error && target->selinux_policy)
		error = add_image(fd, dir, "selinux", target->selinux_policy, diag);
	return error;
}

/* What the agent must make of the guest (scenarios/agent/target.c). */
static int add_target(int fd, const struct gnt_target *target)
{
	json_t *mounts = json_array(), *root;
	char *text pcl_autofree = NULL;

	for (size_t i = 0; i < target->mount_count; i++)
		(void)json_array_append_new(mounts, json_pack("{s:s, s:s, s:s}", "path",
							      target->mounts[i].path, "type",
							      target->mounts[i].type, "options",
							      target->mounts[i].options));
	root = json_pack("{s:s, s:s, s:b, s:o, s:s?, s:b}", "rootfs",
			 gnt_rootfs_name(target->rootfs), "cgroup", gnt_cgroup_name(target->cgroup),
			 "bpffs", (int)target->bpffs, "mounts", mounts, "selinux",
			 target->selinux_policy, "enforcing",
			 target->selinux_mode == GNT_SELINUX_ENFORCING);
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	return text ? add_entry(fd, GUEST_TARGET, S_IFREG | 0600, text, strlen(text)) : -ENOMEM;
}

static int add_plan(int fd, const json_t *plan)
{
	char *text pcl_autofree = json_dumps(plan, JSON_COMPACT);

	return text ? add_entry(fd, GUEST_PLAN, S_IFREG | 0600, text, strlen(text)) : -ENOMEM;
}

/* The archive of this VM's own. */
static int add_own(int fd, const struct gnt_initramfs_options *options, struct pcl_diag *diag)
{
	char **files = NULL;
	size_t count = 0;
	int error = gnt_kernel_modules(options->kernel, options->modules, options->module_count,
				       &files, &count, diag);

	if (!error && count)
		error = add_modules(fd, options->kernel, files, count, diag);
	pcl_strings_free(&files, &count);
	if (error)
		return error;
	error = add_target(fd, options->target);
	if (!error && options->plan)
		error = add_plan(fd, options->plan);
	if (!error)
		error = add_entry(fd, "TRAILER!!!", 0, "", 0);
	return error ? pcl_diag_errno(diag, error, "initramfs") : 0;
}

int gnt_initramfs_open(const struct gnt_initramfs_options *options, int *ret_fd,
		       struct pcl_diag *diag)
{
	int fd pcl_autoclose = memfd_create("initramfs", MFD_CLOEXEC);
	char *dir pcl_autofree = NULL;
	int error;

	if (fd < 0)
		return pcl_diag_errno(diag, -errno, "initramfs");
	error = find_guest_dir(options->guest_dir, &dir, diag);
	if (!error && options->target->arch == GNT_ARCH_ARM64)
		error = go_to_arm64(&dir, diag);
	if (!error)
		error = add_images(fd, dir, options->target, diag);
	if (!error)
		error = add_own(fd, options, diag);
	if (!error)
		*ret_fd = pcl_take_fd(&fd);
	return error;
}
