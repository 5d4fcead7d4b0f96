/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The private partition, without mounting: qemu-img takes it out of the overlay and puts it back,
 * debugfs writes the files. debugfs ends well whatever happens, so what it wrote is read again.
 */
#include "bottlerocket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "gpt.h"
#include "text.h"
#include "tool.h"

#define MAGIC "#BOOTCONFIG\n"
#define MAGIC_LEN 12

static const char user_data[] = "[settings.network]\n"
				"hostname = \"gauntlet\"\n";
static const char net_config[] = "version = 2\n\n"
				 "[eth0]\n"
				 "dhcp4 = true\n"
				 "primary = true\n";
/* Without it nothing of the kernel is seen on the serial console. */
static const char boot_config[] = "kernel {\n"
				  "    console = tty0, \"ttyS0,115200n8\"\n"
				  "    loglevel = 5\n"
				  "    panic = -1\n"
				  "}\n";

static void put_le32(unsigned char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> 8 * i);
}

/* KERNEL: text with its NUL, padded to 4 bytes, then length and sum of bytes, then the magic. */
int gnt_bootconfig(const char *text, unsigned char **ret_data, size_t *ret_len)
{
	size_t size = (strlen(text) + 1 + 3) & ~(size_t)3;
	size_t len = size + 8 + MAGIC_LEN;
	unsigned char *data = calloc(1, len);
	uint32_t sum = 0;

	if (!data)
		return -ENOMEM;
	memcpy(data, text, strlen(text));
	for (size_t i = 0; i < size; i++)
		sum += data[i];
	put_le32(data + size, (uint32_t)size);
	put_le32(data + size + 4, sum);
	memcpy(data + size + 8, MAGIC, MAGIC_LEN);
	*ret_data = data;
	*ret_len = len;
	return 0;
}

/* A file that is removed at the end of its scope. */
static void remove_freep(char **path)
{
	if (*path)
		(void)unlink(*path);
	free(*path);
}

static int run(struct pcl_diag *diag, const char *const *argv)
{
	return gnt_tool_run(argv, -1, NULL, diag);
}

/* Copies a range of a qcow2 into a file of its own, or with back set from there into the range. */
static int copy_range(const char *qcow2, uint64_t offset, uint64_t size, const char *file,
		      bool back, struct pcl_diag *diag)
{
	pcl_autofree char *range = NULL;

	if (strpbrk(qcow2, ","))
		return pcl_diag_set(diag, -EINVAL, "a path with a comma in it: %s", qcow2);
	range = gnt_text_new("driver=raw,offset=%" PRIu64 ",size=%" PRIu64
			     ",file.driver=qcow2,file.file.driver=file,file.file.filename=%s",
			     offset, size, qcow2);
	if (!range)
		return pcl_diag_errno(diag, -ENOMEM, "%s", qcow2);
	if (back)
		return run(diag, (const char *const[]){"qemu-img", "convert", "-n", "-f", "raw",
						       file, "--target-image-opts", range, NULL});
	return run(diag, (const char *const[]){"qemu-img", "convert", "--image-opts", range, "-O",
					       "raw", file, NULL});
}

static int find_partition(const char *disk, const char *work_dir, uint64_t *ret_offset,
			  uint64_t *ret_size, struct pcl_diag *diag)
{
	char *path pcl_cleanup(remove_freep) = gnt_text_new("%s/gpt", work_dir);
	unsigned char table[GNT_GPT_SECTORS * GNT_SECTOR];
	FILE *file pcl_autofclose = NULL;
	int error;

	if (!path)
		return pcl_diag_errno(diag, -ENOMEM, "%s", disk);
	error = copy_range(disk, 0, sizeof(table), path, false, diag);
	if (error)
		return error;
	file = fopen(path, "re");
	if (!file || fread(table, 1, sizeof(table), file) != sizeof(table))
		return pcl_diag_set(diag, -EIO, "%s: cannot read its partition table", disk);
	error = gnt_gpt_find(table, sizeof(table), GNT_BOTTLEROCKET_PARTITION, ret_offset,
			     ret_size);
	if (error)
		return pcl_diag_set(diag, error, "%s: no partition " GNT_BOTTLEROCKET_PARTITION,
				    disk);
	return 0;
}

/* One file into the root folder of the file system, and a look at what is there now. */
static int put_file(const char *partition, const char *work_dir, const char *name, const void *data,
		    size_t len, struct pcl_diag *diag)
{
	char *from pcl_cleanup(remove_freep) = gnt_text_new("%s/%s", work_dir, name);
	pcl_autofree char *remove = gnt_text_new("rm %s", name), *got = NULL;
	pcl_autofree char *put = from ? gnt_text_new("write %s %s", from, name) : NULL;
	pcl_autofree char *show = gnt_text_new("cat %s", name);
	FILE *file;
	int error;

	if (!remove || !put || !show)
		return pcl_diag_errno(diag, -ENOMEM, "%s", name);
	file = fopen(from, "we");
	if (!file || fwrite(data, 1, len, file) != len || fclose(file) != 0)
		return pcl_diag_errno(diag, -errno, "%s", from);
	if ((error = run(diag,
			 (const char *const[]){"debugfs", "-w", "-R", remove, partition, NULL})) ||
	    (error = run(diag,
			 (const char *const[]){"debugfs", "-w", "-R", put, partition, NULL})) ||
	    (error = gnt_tool_run((const char *const[]){"debugfs", "-R", show, partition, NULL}, -1,
				  &got, diag)))
		return error;
	if (memcmp(got, data, strlen(got) < len ? strlen(got) : len) != 0 || !*got)
		return pcl_diag_set(diag, -EIO,
				    "%s cannot be written into " GNT_BOTTLEROCKET_PARTITION, name);
	return 0;
}

static int put_files(const struct gnt_image *image, const char *partition, const char *work_dir,
		     struct pcl_diag *diag)
{
	pcl_autofree char *settings =
		gnt_text_new("%s%s", user_data, image->user_data ? image->user_data : "");
	pcl_autofree unsigned char *boot = NULL;
	size_t boot_len = 0;
	int error;

	if (!settings || gnt_bootconfig(boot_config, &boot, &boot_len))
		return pcl_diag_errno(diag, -ENOMEM, "%s", image->id);
	if ((error = put_file(partition, work_dir, "user-data.toml", settings, strlen(settings),
			      diag)) ||
	    (error = put_file(partition, work_dir, "net.toml", net_config, strlen(net_config),
			      diag)))
		return error;
	return put_file(partition, work_dir, "bootconfig.data", boot, boot_len, diag);
}

int gnt_bottlerocket_overlay(const struct gnt_image *image, const char *disk, const char *overlay,
			     const char *work_dir, struct pcl_diag *diag)
{
	char *partition pcl_cleanup(remove_freep) = gnt_text_new("%s/private", work_dir);
	uint64_t offset = 0, size = 0;
	int error;

	if (!partition)
		return pcl_diag_errno(diag, -ENOMEM, "%s", image->id);
	if ((error = find_partition(disk, work_dir, &offset, &size, diag)) ||
	    (error = run(diag, (const char *const[]){"qemu-img", "create", "-q", "-f", "qcow2",
						     "-F", "qcow2", "-b", disk, overlay, NULL})) ||
	    (error = copy_range(overlay, offset, size, partition, false, diag)) ||
	    (error = put_files(image, partition, work_dir, diag)))
		return error;
	return copy_range(overlay, offset, size, partition, true, diag);
}
