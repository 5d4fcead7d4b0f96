/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what makers publish to one qcow2. A qcow2 or VMDK may name other files of this machine as
 * its backing, and a guest would then read them; so what comes from outside is looked at first.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image_fetch.h"
#include "text.h"
#include "tool.h"

static void decref(json_t **json)
{
	json_decref(*json);
}

static void remove_freep(char **path)
{
	if (*path)
		(void)unlink(*path);
	free(*path);
}

/* Unpacks by a program that writes to its output. */
static int unpack(const char *const *argv, const char *to, struct pcl_diag *diag)
{
	int fd pcl_autoclose = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	return fd < 0 ? pcl_diag_errno(diag, -errno, "%s", to) : gnt_tool_run(argv, fd, NULL, diag);
}

/* The one disk of an OVA; in Bottlerocket's it is the only VMDK. */
static int unpack_ova(const char *from, const char *to, struct pcl_diag *diag)
{
	pcl_autofree char *list = NULL;
	const char *found = NULL;
	char *line, *save = NULL;
	int error = gnt_tool_run((const char *const[]){"tar", "-tf", from, NULL}, -1, &list, diag);

	if (error)
		return error;
	for (line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t len = strlen(line);

		if (len < 5 || strcmp(line + len - 5, ".vmdk") != 0)
			continue;
		if (found)
			return pcl_diag_set(diag, -EINVAL, "%s has more than one disk", from);
		found = line;
	}
	if (!found)
		return pcl_diag_set(diag, -EINVAL, "%s has no disk (.vmdk) in it", from);
	return unpack((const char *const[]){"tar", "-xOf", from, "--", found, NULL}, to, diag);
}

/* Only what the manifest says it is, and whole in itself. */
static int inspect(const char *format, const char *path, struct pcl_diag *diag)
{
	json_t *info pcl_cleanup(decref) = NULL;
	pcl_autofree char *text = NULL;
	int error = gnt_tool_run((const char *const[]){"qemu-img", "info", "--output=json", "-f",
						       format, path, NULL},
				 -1, &text, diag);

	if (error)
		return error;
	info = json_loads(text, 0, NULL);
	if (!info)
		return pcl_diag_set(diag, -EINVAL, "qemu-img says nothing of %s", path);
	if (json_object_get(info, "backing-filename") || strstr(text, "\"data-file\""))
		return pcl_diag_set(diag, -EPERM,
				    "the disk leans on another file, which no maker's image does");
	return 0;
}

int gnt_image_convert(enum gnt_image_format format, const char *from, const char *to,
		      const char *work_dir, struct pcl_diag *diag)
{
	static const char *const disk_formats[] = {[GNT_FORMAT_QCOW2] = "qcow2",
						   [GNT_FORMAT_RAW] = "raw",
						   [GNT_FORMAT_RAW_LZ4] = "raw",
						   [GNT_FORMAT_RAW_XZ] = "raw",
						   [GNT_FORMAT_OVA] = "vmdk"};
	char *plain pcl_cleanup(remove_freep) = gnt_text_new("%s/plain", work_dir);
	const char *disk = from;
	int error = plain ? 0 : pcl_diag_errno(diag, -ENOMEM, "%s", from);

	if (!error && format == GNT_FORMAT_RAW_LZ4)
		error = unpack((const char *const[]){"lz4", "-dc", from, NULL}, disk = plain, diag);
	else if (!error && format == GNT_FORMAT_RAW_XZ)
		error = unpack((const char *const[]){"xz", "-dc", from, NULL}, disk = plain, diag);
	else if (!error && format == GNT_FORMAT_OVA)
		error = unpack_ova(from, disk = plain, diag);
	if (!error)
		error = inspect(disk_formats[format], disk, diag);
	if (!error && format == GNT_FORMAT_QCOW2)
		return rename(from, to) == 0 ? 0 : pcl_diag_errno(diag, -errno, "%s", to);
	if (!error)
		error = gnt_tool_run((const char *const[]){"qemu-img", "convert", "-f",
							   disk_formats[format], "-O", "qcow2",
							   disk, to, NULL},
				     -1, NULL, diag);
	return error;
}
