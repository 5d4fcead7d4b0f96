/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disk, seed, firmware and, for Google's way, a network with nothing but a metadata server in it,
 * as words for QEMU. With snapshot=on QEMU keeps what the guest writes in a file that has no name.
 */
#include "disk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "bottlerocket.h"
#include "image.h"
#include "image_store.h"
#include "paths.h"
#include "seed.h"
#include "text.h"

#define OVMF_CODE "/usr/share/OVMF/OVMF_CODE_4M.fd"
#define OVMF_VARS "/usr/share/OVMF/OVMF_VARS_4M.fd"

void gnt_disk_fini(struct gnt_disk *disk)
{
	char *const files[] = {disk->seed_path, disk->overlay_path, disk->metadata_path};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(files); i++) {
		if (files[i])
			(void)unlink(files[i]);
		free(files[i]);
	}
	free(disk->kernel);
	free(disk->initrd);
	pcl_strings_free(&disk->args, &disk->arg_count);
	*disk = (struct gnt_disk){0};
}

/* One word for QEMU. */
__attribute__((format(printf, 2, 3))) static int add(struct gnt_disk *disk, const char *format, ...)
{
	pcl_autofree char *word = NULL;
	va_list list;
	int got;

	va_start(list, format);
	got = vasprintf(&word, format, list);
	va_end(list);
	return got < 0 ? -ENOMEM : pcl_strings_add(&disk->args, &disk->arg_count, word);
}

/* In QEMU's lists a comma inside a value is written twice; owned. */
static char *quote(const char *text)
{
	pcl_autofree char *done = malloc(2 * strlen(text) + 1);
	char *at = done;

	for (; done && *text; text++) {
		*at++ = *text;
		if (*text == ',')
			*at++ = ',';
	}
	if (done)
		*at = '\0';
	return pcl_take_ptr(done);
}

static int add_drive(struct gnt_disk *disk, enum gnt_bus bus, const char *id, const char *path,
		     const char *format)
{
	pcl_autofree char *file = quote(path);
	/* 0 is the kernel's, where there is one. */
	const char *order = strcmp(id, "root") == 0 ? ",bootindex=1" : "";
	int error = file ? 0 : -ENOMEM;

	if (error || (error = add(disk, "-drive")) ||
	    (error = add(disk, "if=none,id=%s,file=%s,format=%s,%s", id, file, format,
			 bus == GNT_BUS_AHCI_CD ? "media=cdrom,readonly=on" : "snapshot=on")) ||
	    (error = add(disk, "-device")))
		return error;
	switch (bus) {
	case GNT_BUS_VIRTIO_BLK:
		return add(disk, "virtio-blk-pci,drive=%s%s", id, order);
	case GNT_BUS_VIRTIO_SCSI:
		/* The first one brings the controller. */
		error = strcmp(id, "root") == 0 ? add(disk, "virtio-scsi-pci,id=scsi") : 0;
		if (!error && strcmp(id, "root") == 0)
			error = add(disk, "-device");
		return error ? error : add(disk, "scsi-hd,bus=scsi.0,drive=%s%s", id, order);
	case GNT_BUS_NVME:
		return add(disk, "nvme,serial=gauntlet-%s,drive=%s%s", id, id, order);
	case GNT_BUS_AHCI_CD:
		return add(disk, "ide-cd,bus=ide.0,drive=%s", id);
	}
	return -EINVAL;
}

static int add_firmware(struct gnt_disk *disk, struct pcl_diag *diag)
{
	int error;

	if (access(OVMF_CODE, R_OK) != 0 || access(OVMF_VARS, R_OK) != 0)
		return pcl_diag_set(
			diag, -ENOENT,
			"the image boots by UEFI, and there is no %s: apt-get install ovmf",
			OVMF_CODE);
	if ((error = add(disk, "-drive")) ||
	    (error = add(disk, "if=pflash,unit=0,format=raw,readonly=on,file=" OVMF_CODE)) ||
	    (error = add(disk, "-drive")))
		return error;
	return add(disk, "if=pflash,unit=1,format=raw,snapshot=on,file=" OVMF_VARS);
}

/* The network's only inhabitant is the server: one process of ours for each connection. */
static int add_metadata(struct gnt_disk *disk, const struct gnt_image *image, const char *work_dir,
			struct pcl_diag *diag)
{
	pcl_autofree char *user_data = gnt_seed_user_data(image), *path = NULL, *self = NULL;
	FILE *out;
	int error = gnt_path_self(&self, diag);

	if (error)
		return error;
	disk->metadata_path = gnt_text_new("%s/user-data", work_dir);
	out = disk->metadata_path ? fopen(disk->metadata_path, "we") : NULL;
	if (!user_data || !out || fputs(user_data, out) < 0 || fclose(out) != 0)
		return pcl_diag_errno(diag, -errno, "metadata in %s", work_dir);
	path = quote(disk->metadata_path);
	/* The command is taken apart at spaces, and nothing else of a shell is in it. */
	if (strchr(self, ' ') || strchr(work_dir, ' '))
		return pcl_diag_set(diag, -EINVAL,
				    "a path with a space in it cannot hold metadata: %s", work_dir);
	if (!path || (error = add(disk, "-netdev")) ||
	    (error = add(disk,
			 "user,id=net,restrict=on,net=169.254.169.0/24,host=169.254.169.2,"
			 "dhcpstart=169.254.169.15,ipv6=off,"
			 "guestfwd=tcp:169.254.169.254:80-cmd:%s metadata %s",
			 self, path)) ||
	    (error = add(disk, "-device")) || (error = add(disk, "virtio-net-pci,netdev=net")) ||
	    (error = add(disk, "-smbios")))
		return error ? error : pcl_diag_errno(diag, -ENOMEM, "metadata");
	return add(disk,
		   "type=1,manufacturer=Google,product=Google Compute Engine,serial=gauntlet");
}

static int add_seed(struct gnt_disk *disk, const struct gnt_vm_options *options,
		    enum gnt_channel channel, struct pcl_diag *diag)
{
	const struct gnt_image *image = options->target->image;
	pcl_autofree char *guest_dir = NULL;
	struct gnt_seed_config config = {.image = image,
					 .work_dir = options->log_dir,
					 .channel = channel,
					 .shell = options->flags & GNT_VM_INTERACTIVE,
					 .modules = options->more_modules,
					 .module_count = options->more_module_count};
	int error = options->guest_dir ? 0 : gnt_path_guest(&guest_dir, diag);

	config.guest_dir = options->guest_dir ? options->guest_dir : guest_dir;
	disk->seed_path = gnt_text_new("%s/seed.img", options->log_dir);
	if (!error && !disk->seed_path)
		error = pcl_diag_errno(diag, -ENOMEM, "seed");
	if (!error)
		error = gnt_seed_make(&config, disk->seed_path, diag);
	if (!error)
		error = add_drive(disk, image->seed_bus, "seed", disk->seed_path, "raw");
	if (!error && image->seed == GNT_SEED_GCE)
		error = add_metadata(disk, image, options->log_dir, diag);
	return error;
}

static int prepare(const struct gnt_vm_options *options, enum gnt_channel channel,
		   struct gnt_disk *disk, struct pcl_diag *diag)
{
	const struct gnt_image *image = options->target->image;
	pcl_autofree char *dir = NULL, *path = NULL;
	json_t *record = NULL;
	int error = gnt_store_record(image, &record, diag);

	json_decref(record);
	if (!error)
		error = gnt_store_dir(image->id, &dir, diag);
	if (error)
		return error;
	path = gnt_text_new("%s/" GNT_STORE_DISK, dir);
	if (image->direct_boot) {
		disk->kernel = gnt_text_new("%s/" GNT_STORE_KERNEL, dir);
		disk->initrd = gnt_text_new("%s/" GNT_STORE_INITRD, dir);
	}
	if (!path || (image->direct_boot && (!disk->kernel || !disk->initrd)))
		return pcl_diag_errno(diag, -ENOMEM, "%s", image->id);
	/* Bottlerocket is told on a partition of its own; the others by a medium beside the disk.
	 */
	if (image->seed == GNT_SEED_BOTTLEROCKET) {
		disk->overlay_path = gnt_text_new("%s/overlay.qcow2", options->log_dir);
		error = disk->overlay_path
				? gnt_bottlerocket_overlay(image, path, disk->overlay_path,
							   options->log_dir, diag)
				: -ENOMEM;
	}
	if (!error)
		error = add_drive(disk, image->bus, "root",
				  disk->overlay_path ? disk->overlay_path : path, "qcow2");
	if (!error && image->firmware == GNT_FIRMWARE_UEFI && !image->direct_boot)
		error = add_firmware(disk, diag);
	if (error || image->seed == GNT_SEED_BOTTLEROCKET)
		return error;
	return add_seed(disk, options, channel, diag);
}

/* What cannot be changed must not seem to be. */
static int check_options(const struct gnt_vm_options *options, struct pcl_diag *diag)
{
	const char *id = options->target->id;

	if (options->kernel_path)
		return pcl_diag_set(diag, -EINVAL,
				    "%s boots the kernel of its image: --kernel is for others", id);
	if (options->lsm && !options->target->image->direct_boot)
		return pcl_diag_set(
			diag, -EINVAL,
			"%s boots by its own loader: its command line cannot be changed", id);
	if (options->flags & GNT_VM_ICOUNT)
		return pcl_diag_set(diag, -EINVAL,
				    "%s is a whole distribution: it is not measured under "
				    "deterministic time",
				    id);
	return 0;
}

int gnt_disk_prepare(const struct gnt_vm_options *options, enum gnt_channel channel,
		     struct gnt_disk *ret_disk, struct pcl_diag *diag)
{
	struct gnt_disk disk pcl_cleanup(gnt_disk_fini) = {0};
	int error = check_options(options, diag);

	if (!error)
		error = prepare(options, channel, &disk, diag);
	if (error)
		return error == -ENOMEM ? pcl_diag_errno(diag, error, "disk") : error;
	*ret_disk = disk;
	disk = (struct gnt_disk){0};
	return 0;
}
