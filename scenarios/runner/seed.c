/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seed medium. Nothing on it is specific to a distribution but the place and label of the
 * agent: a shell, mount, cp and systemd are everywhere where there is cloud-init.
 */
#include "seed.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "text.h"
#include "tool.h"

/* Upper case, for a FAT file system has no other; cloud-init takes both. */
#define NOCLOUD_LABEL "CIDATA"
#define TOOLS_LABEL "GAUNTLET"
#define BUSYBOX "/bin/busybox"
/* Above this a FAT file system of the default kind needs no thought, and the tools take a third. */
#define FAT_SPARE_KIB 8192

static const char *label_of(const struct gnt_image *image)
{
	return image->seed == GNT_SEED_GCE ? TOOLS_LABEL : NOCLOUD_LABEL;
}

char *gnt_seed_user_data(const struct gnt_image *image)
{
	return gnt_text_new(
		"#cloud-config\n"
		"runcmd:\n"
		"  - [sh, -c, \"mkdir -p /run/gauntlet-seed; mount -o ro /dev/disk/by-label/%s "
		"/run/gauntlet-seed; sh /run/gauntlet-seed/start.sh >/dev/console 2>&1\"]\n%s",
		label_of(image), image->user_data ? image->user_data : "");
}

/*
 * What cannot be done is said on the console, where the runner shows the last line. A service and
 * no child of cloud-init: that is killed when cloud-init is done.
 */
static int print_start(FILE *out, const struct gnt_seed_config *config)
{
	const struct gnt_image *image = config->image;

	fprintf(out, "set -e\nplace=%s\nmkdir -p \"$place\"\n", image->agent_dir);
	fputs("cp -R /run/gauntlet-seed/tools/. \"$place/\"\nchmod -R 0755 \"$place\"\n", out);
	for (size_t i = 0; i < config->module_count; i++)
		fprintf(out, "modprobe -q %s || :\n", config->modules[i]);
	fputs("unit=/run/systemd/system/gauntlet-agent.service\n"
	      "mkdir -p /run/systemd/system\n"
	      "cat >$unit <<UNIT\n"
	      "[Unit]\nDescription=gauntlet\nDefaultDependencies=no\n"
	      "[Service]\nType=exec\nLimitMEMLOCK=infinity\nTasksMax=infinity\n"
	      "OOMScoreAdjust=-900\nUMask=0022\n",
	      out);
	if (image->agent_label)
		fprintf(out, "SELinuxContext=%s\n", image->agent_label);
	if (config->shell)
		fputs("ExecStart=/bin/sh -i\nStandardInput=tty-force\nStandardOutput=tty\n"
		      "StandardError=tty\nTTYPath=/dev/ttyS0\nEnvironment=HOME=/root TERM=vt100 "
		      "PATH=$place:$place/attacks:/usr/sbin:/usr/bin:/sbin:/bin\n"
		      "ExecStopPost=/bin/sh -c 'sync; systemctl poweroff -ff'\n",
		      out);
	else
		fprintf(out,
			"ExecStart=$place/agent --service --channel %s\nStandardOutput=null\n"
			"StandardError=journal+console\n",
			config->channel == GNT_CHANNEL_SERIAL ? "serial" : "virtio");
	fputs("UNIT\nsystemctl daemon-reload\nsystemctl start --no-block gauntlet-agent.service\n",
	      out);
	return ferror(out) ? -EIO : 0;
}

/* A folder that is filled and becomes the medium. */
struct tree {
	char *path;
	char **files; /* for removal */
	size_t file_count;
	size_t size_kib;
};

static void tree_fini(struct tree *tree)
{
	static const char *const dirs[] = {"tools/attacks", "tools", ""};

	for (size_t i = 0; i < tree->file_count; i++)
		(void)unlink(tree->files[i]);
	for (size_t i = 0; tree->path && i < PCL_ARRAY_SIZE(dirs); i++) {
		pcl_autofree char *dir = gnt_text_new("%s/%s", tree->path, dirs[i]);

		if (dir)
			(void)rmdir(dir);
	}
	pcl_strings_free(&tree->files, &tree->file_count);
	free(tree->path);
}

/* An open file of the tree, which is removed with it. */
static FILE *tree_open(struct tree *tree, const char *name)
{
	pcl_autofree char *path = gnt_text_new("%s/%s", tree->path, name);

	if (!path || pcl_strings_add(&tree->files, &tree->file_count, path))
		return NULL;
	return fopen(path, "we");
}

static int add_text(struct tree *tree, const char *name, const char *text, struct pcl_diag *diag)
{
	FILE *out = tree_open(tree, name);

	if (!out || fputs(text, out) < 0 || fclose(out) != 0)
		return pcl_diag_errno(diag, -errno, "seed: %s", name);
	return 0;
}

static int add_file(struct tree *tree, const char *from, const char *name, struct pcl_diag *diag)
{
	FILE *in pcl_autofclose = fopen(from, "re");
	FILE *out = in ? tree_open(tree, name) : NULL;
	char chunk[1 << 16];
	struct stat info;
	size_t got;

	if (!out || fstat(fileno(in), &info) != 0)
		return pcl_diag_set(diag, -ENOENT, "seed: cannot take %s: run make build", from);
	while ((got = fread(chunk, 1, sizeof(chunk), in)) > 0)
		(void)fwrite(chunk, 1, got, out);
	if (ferror(in) || ferror(out) || fclose(out) != 0)
		return pcl_diag_set(diag, -EIO, "seed: cannot copy %s", from);
	tree->size_kib += (size_t)info.st_size / 1024 + 4;
	return 0;
}

/* The programs of a folder, but not the initramfs. */
static int add_programs(struct tree *tree, const char *dir, const char *below,
			struct pcl_diag *diag)
{
	DIR *list pcl_autoclosedir = opendir(dir);
	const struct dirent *entry;
	int error = 0;

	if (!list)
		return pcl_diag_set(diag, -errno, "no guest programs (%s): run make build", dir);
	while (!error && (entry = readdir(list)) != NULL) {
		pcl_autofree char *from = gnt_text_new("%s/%s", dir, entry->d_name);
		pcl_autofree char *name = gnt_text_new("tools/%s%s", below, entry->d_name);
		struct stat info;

		if (!from || !name)
			return pcl_diag_errno(diag, -ENOMEM, "seed");
		if (stat(from, &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 0111))
			error = add_file(tree, from, name, diag);
	}
	return error;
}

static int fill(struct tree *tree, const struct gnt_seed_config *config, struct pcl_diag *diag)
{
	pcl_autofree char *attacks = gnt_text_new("%s/attacks", config->guest_dir);
	pcl_autofree char *engine = gnt_text_new("%s/../portcullis", config->guest_dir);
	pcl_autofree char *user_data = gnt_seed_user_data(config->image);
	FILE *out;
	int error;

	if (!attacks || !engine || !user_data)
		return pcl_diag_errno(diag, -ENOMEM, "seed");
	if ((error = add_text(tree, "user-data", user_data, diag)) ||
	    (error = add_text(tree, "meta-data",
			      "instance-id: gauntlet\nlocal-hostname: gauntlet\n", diag)) ||
	    (error = add_file(tree, engine, "tools/portcullis", diag)) ||
	    (error = add_file(tree, BUSYBOX, "tools/busybox", diag)) ||
	    (error = add_programs(tree, config->guest_dir, "", diag)) ||
	    (error = add_programs(tree, attacks, "attacks/", diag)))
		return error;
	out = tree_open(tree, "start.sh");
	if (!out || print_start(out, config) || fclose(out) != 0)
		return pcl_diag_errno(diag, -errno, "seed: start.sh");
	return 0;
}

static int make_iso(const struct tree *tree, const char *label, const char *path,
		    struct pcl_diag *diag)
{
	return gnt_tool_run((const char *const[]){"xorriso", "-as", "mkisofs", "-quiet", "-V",
						  label, "-r", "-J", "-o", path, tree->path, NULL},
			    -1, NULL, diag);
}

static int make_vfat(const struct tree *tree, const char *label, const char *path,
		     struct pcl_diag *diag)
{
	pcl_autofree char *size = gnt_text_new("%zu", tree->size_kib + FAT_SPARE_KIB);
	pcl_autofree char *tools = gnt_text_new("%s/tools", tree->path);
	pcl_autofree char *start = gnt_text_new("%s/start.sh", tree->path);
	pcl_autofree char *user = gnt_text_new("%s/user-data", tree->path);
	pcl_autofree char *meta = gnt_text_new("%s/meta-data", tree->path);
	int error;

	if (!size || !tools || !start || !user || !meta)
		return pcl_diag_errno(diag, -ENOMEM, "seed");
	error = gnt_tool_run((const char *const[]){"mkfs.vfat", "-C", "-n", label, path, size,
						   NULL},
			     -1, NULL, diag);
	return error ? error
		     : gnt_tool_run((const char *const[]){"mcopy", "-s", "-i", path, tools, start,
							  user, meta, "::", NULL},
				    -1, NULL, diag);
}

int gnt_seed_make(const struct gnt_seed_config *config, const char *path, struct pcl_diag *diag)
{
	struct tree tree pcl_cleanup(tree_fini) = {
		.path = gnt_text_new("%s/seed", config->work_dir)};
	static const char *const dirs[] = {"", "tools", "tools/attacks"};
	const char *label = label_of(config->image);
	int error;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(dirs); i++) {
		pcl_autofree char *dir = gnt_text_new("%s/%s", tree.path, dirs[i]);

		if (!dir || (mkdir(dir, 0755) != 0 && errno != EEXIST))
			return pcl_diag_errno(diag, -errno, "seed: %s", dir ? dir : "");
	}
	(void)unlink(path);
	error = fill(&tree, config, diag);
	if (error)
		return error;
	/* ISO needs a module that a small kernel may lack; FAT is there for its boot partition. */
	return config->image->seed == GNT_SEED_NOCLOUD_ISO ? make_iso(&tree, label, path, diag)
							   : make_vfat(&tree, label, path, diag);
}
