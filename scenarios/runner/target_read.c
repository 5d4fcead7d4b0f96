/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the keys of a manifest. Strict: an unknown key or a wrong type is refused with its place,
 * because a target that silently is not what it says makes every result on it worthless.
 */
#include "target_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "text.h"
#include "verdict.h"

/* Below this kernels do not come up; above it a laptop cannot run two side by side. */
#define MEMORY_MIN_MIB 96
#define MEMORY_MAX_MIB 8192

static const char *const manifest_keys[] = {"id",	"title",   "stands_for", "differences",
					    "kernel",	"cmdline", "lsm",	 "modules",
					    "channel",	"memory",  "userland",	 "rootfs",
					    "mounts",	"cgroup",  "selinux",	 "lockdown",
					    "apparmor", "bpffs",   "usual",	 "known",
					    "like",	"cells",   "arch",	 NULL};
static const char *const cell_keys[] = {"title",   "stands_for", "differences", "kernel",
					"cmdline", "lsm",	 "modules",	"channel",
					"memory",  "userland",	 "rootfs",	"mounts",
					"cgroup",  "selinux",	 "lockdown",	"apparmor",
					"bpffs",   "usual",	 "known",	NULL};

static const char *const channel_names[] = {
	[GNT_CHANNEL_VIRTIO_SERIAL] = "virtio-serial", [GNT_CHANNEL_SERIAL] = "serial", NULL};
static const char *const arch_names[] = {
	[GNT_ARCH_X86_64] = "x86_64", [GNT_ARCH_ARM64] = "arm64", NULL};
static const char *const rootfs_names[] = {
	[GNT_ROOTFS_INITRAMFS] = "initramfs", [GNT_ROOTFS_READ_ONLY] = "read-only", NULL};
static const char *const cgroup_names[] = {[GNT_CGROUP_V2] = "v2", [GNT_CGROUP_V1] = "v1", NULL};
static const char *const selinux_names[] = {[GNT_SELINUX_UNLOADED] = "unloaded",
					    [GNT_SELINUX_PERMISSIVE] = "permissive",
					    [GNT_SELINUX_ENFORCING] = "enforcing",
					    NULL};
static const char *const lockdown_names[] = {"none", "integrity", "confidentiality", NULL};

const char *gnt_rootfs_name(enum gnt_rootfs rootfs)
{
	return rootfs_names[rootfs];
}

const char *gnt_cgroup_name(enum gnt_cgroup cgroup)
{
	return cgroup_names[cgroup];
}

const char *gnt_selinux_mode_name(enum gnt_selinux_mode mode)
{
	return selinux_names[mode];
}

/* What every reader of one key needs. */
struct source {
	const struct pcl_yaml_file *file;
	const struct pcl_yaml_node *mapping;
	struct pcl_diag *diag;
};

static int no_memory(const struct source *source)
{
	return pcl_diag_errno(source->diag, -ENOMEM, "%s", source->file->name);
}

static int read_text(const struct source *source, const char *key, const char **ret_text)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(source->mapping, key);
	int error = node ? pcl_yaml_string(source->file, node, ret_text, source->diag) : 0;

	if (!error && node && !**ret_text)
		return pcl_yaml_error(source->file, node, source->diag, -EINVAL, "\"%s\" is empty",
				      key);
	return error;
}

static int read_string(const struct source *source, const char *key, char **ret_text)
{
	const char *text = NULL;
	char *copy;
	int error = read_text(source, key, &text);

	if (error || !text)
		return error;
	copy = strdup(text);
	if (!copy)
		return no_memory(source);
	free(*ret_text);
	*ret_text = copy;
	return 0;
}

int gnt_target_read_string(const struct pcl_yaml_file *file, const struct pcl_yaml_node *mapping,
			   const char *key, char **ret_text, struct pcl_diag *diag)
{
	struct source source = {.file = file, .mapping = mapping, .diag = diag};

	return read_string(&source, key, ret_text);
}

/* A required string of an entry. */
static int read_part(const struct source *source, const char *key, const char *what,
		     char **ret_text)
{
	if (!pcl_yaml_get(source->mapping, key))
		return pcl_yaml_error(source->file, source->mapping, source->diag, -EINVAL,
				      "%s has no \"%s\"", what, key);
	return read_string(source, key, ret_text);
}

/* A cell's title says what it adds: "Debian's 6.12 cloud kernel" with "AppArmor". */
static int add_title(const struct source *source, char **title)
{
	const char *text = NULL;
	char *longer;
	int error = read_text(source, "title", &text);

	if (error || !text)
		return error;
	longer = gnt_text_new("%s, %s", *title ? *title : "", text);
	if (!longer)
		return no_memory(source);
	free(*title);
	*title = longer;
	return 0;
}

static int list_node(const struct source *source, const char *key,
		     const struct pcl_yaml_node **ret_node)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(source->mapping, key);

	if (node && node->type != PCL_YAML_SEQUENCE)
		return pcl_yaml_error(source->file, node, source->diag, -EINVAL,
				      "\"%s\" must be a list", key);
	*ret_node = node;
	return 0;
}

static int add_strings(const struct source *source, const char *key, char ***strings, size_t *count)
{
	const struct pcl_yaml_node *node = NULL;
	int error = list_node(source, key, &node);

	for (size_t i = 0; !error && node && i < node->count; i++) {
		const char *text;

		error = pcl_yaml_string(source->file, node->items[i], &text, source->diag);
		if (!error && pcl_strings_add(strings, count, text))
			error = no_memory(source);
	}
	return error;
}

static int read_strings(const struct source *source, const char *key, char ***strings,
			size_t *count)
{
	if (pcl_yaml_get(source->mapping, key))
		pcl_strings_free(strings, count);
	return add_strings(source, key, strings, count);
}

/* One of names (NULL-terminated); ret_choice is written only where the key is there. */
static int read_choice(const struct source *source, const char *key, const char *const *names,
		       size_t *ret_choice)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(source->mapping, key);
	pcl_autofree char *all = NULL;
	const char *text = NULL, *near;
	int error = read_text(source, key, &text);

	if (error || !text)
		return error;
	for (size_t i = 0; names[i]; i++) {
		if (strcmp(names[i], text) == 0) {
			*ret_choice = i;
			return 0;
		}
		(void)gnt_text_set(&all, "%s%s%s", all ? all : "", i ? " or " : "", names[i]);
	}
	near = pcl_nearest_word(text, names);
	return pcl_yaml_error(source->file, node, source->diag, -EINVAL, "no %s \"%s\": %s%s", key,
			      text, near ? "did you mean " : "",
			      near  ? near
			      : all ? all
				    : "");
}

static int read_memory(const struct source *source, int *ret_memory_mib)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(source->mapping, "memory");
	int64_t mib;
	int error;

	if (!node)
		return 0;
	error = pcl_yaml_int(source->file, node, MEMORY_MIN_MIB, MEMORY_MAX_MIB, &mib,
			     source->diag);
	if (!error)
		*ret_memory_mib = (int)mib;
	return error;
}

static int read_bool(const struct source *source, const char *key, bool *ret_value)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(source->mapping, key);

	return node ? pcl_yaml_bool(source->file, node, ret_value, source->diag) : 0;
}

static int read_choices(const struct source *source, struct gnt_target *target)
{
	size_t channel = target->channel, rootfs = target->rootfs, cgroup = target->cgroup;
	const struct pcl_yaml_node *lockdown = pcl_yaml_get(source->mapping, "lockdown");
	size_t mode = 0, arch = target->arch;
	int error;

	if ((error = read_choice(source, "arch", arch_names, &arch)) ||
	    (error = read_choice(source, "channel", channel_names, &channel)) ||
	    (error = read_choice(source, "rootfs", rootfs_names, &rootfs)) ||
	    (error = read_choice(source, "cgroup", cgroup_names, &cgroup)) ||
	    (error = read_choice(source, "lockdown", lockdown_names, &mode)))
		return error;
	target->arch = (enum gnt_arch)arch;
	target->channel = (enum gnt_channel)channel;
	target->rootfs = (enum gnt_rootfs)rootfs;
	target->cgroup = (enum gnt_cgroup)cgroup;
	return lockdown ? read_string(source, "lockdown", &target->lockdown) : 0;
}

/* selinux: {policy: NAME, mode: permissive or enforcing} */
static int read_selinux(const struct source *source, struct gnt_target *target)
{
	static const char *const keys[] = {"policy", "mode", NULL};
	const struct pcl_yaml_node *node = pcl_yaml_get(source->mapping, "selinux");
	struct source inner = {.file = source->file, .mapping = node, .diag = source->diag};
	size_t mode = GNT_SELINUX_UNLOADED;
	int error;

	if (!node)
		return 0;
	if (node->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(source->file, node, source->diag, -EINVAL,
				      "\"selinux\" is {policy: NAME, mode: MODE}");
	if ((error = pcl_yaml_only_keys(source->file, node, keys, "selinux", source->diag)) ||
	    (error = read_part(&inner, "policy", "selinux", &target->selinux_policy)) ||
	    (error = read_choice(&inner, "mode", selinux_names, &mode)))
		return error;
	if (mode == GNT_SELINUX_UNLOADED)
		return pcl_yaml_error(source->file, node, source->diag, -EINVAL,
				      "a loaded policy is permissive or enforcing: say which as "
				      "selinux.mode");
	target->selinux_mode = (enum gnt_selinux_mode)mode;
	return 0;
}

static void mounts_free(struct gnt_target *target)
{
	for (size_t i = 0; i < target->mount_count; i++) {
		free(target->mounts[i].path);
		free(target->mounts[i].type);
		free(target->mounts[i].options);
	}
	free(target->mounts);
	target->mounts = NULL;
	target->mount_count = 0;
}

static int read_mount(const struct source *source, struct gnt_target *target)
{
	static const char *const keys[] = {"path", "type", "options", NULL};
	struct gnt_mount *mount;
	int error = source->mapping->type == PCL_YAML_MAPPING
			    ? pcl_yaml_only_keys(source->file, source->mapping, keys, "mounts",
						 source->diag)
			    : pcl_yaml_error(source->file, source->mapping, source->diag, -EINVAL,
					     "a mount is {path: /DIR, options: WORDS}");

	if (error)
		return error;
	if (pcl_array_grow(&target->mounts, target->mount_count, sizeof(*mount)))
		return no_memory(source);
	mount = &target->mounts[target->mount_count++];
	*mount = (struct gnt_mount){.type = strdup("tmpfs"), .options = strdup("")};
	if (!mount->type || !mount->options)
		return no_memory(source);
	if ((error = read_part(source, "path", "a mount", &mount->path)) ||
	    (error = read_string(source, "type", &mount->type)) ||
	    (error = read_string(source, "options", &mount->options)))
		return error;
	if (mount->path[0] != '/')
		return pcl_yaml_error(source->file, source->mapping, source->diag, -EINVAL,
				      "mount \"%s\": an absolute path", mount->path);
	return 0;
}

static int read_mounts(const struct source *source, struct gnt_target *target)
{
	const struct pcl_yaml_node *node = NULL;
	int error = list_node(source, "mounts", &node);

	if (node)
		mounts_free(target);
	for (size_t i = 0; !error && node && i < node->count; i++) {
		struct source inner = {source->file, node->items[i], source->diag};

		error = read_mount(&inner, target);
	}
	return error;
}

static int read_one_known(const struct source *source, struct gnt_target *target)
{
	static const char *const keys[] = {"case", "verdict", "reason", NULL};
	struct gnt_known *known;
	enum gnt_verdict verdict;
	int error = source->mapping->type == PCL_YAML_MAPPING
			    ? pcl_yaml_only_keys(source->file, source->mapping, keys, "known",
						 source->diag)
			    : pcl_yaml_error(source->file, source->mapping, source->diag, -EINVAL,
					     "an entry is {case: ID, verdict: NAME, reason: TEXT}");

	if (error)
		return error;
	if (pcl_array_grow(&target->known, target->known_count, sizeof(*known)))
		return no_memory(source);
	known = &target->known[target->known_count++];
	*known = (struct gnt_known){0};
	if ((error = read_part(source, "case", "an entry of known", &known->test_case)) ||
	    (error = read_part(source, "verdict", "an entry of known", &known->verdict)) ||
	    (error = read_part(source, "reason", "an entry of known", &known->reason)))
		return error;
	if (gnt_verdict_parse(known->verdict, &verdict) == 0)
		return 0;
	return pcl_yaml_error(source->file, pcl_yaml_get(source->mapping, "verdict"), source->diag,
			      -EINVAL, "no verdict \"%s\"", known->verdict);
}

static int add_known(const struct source *source, struct gnt_target *target)
{
	const struct pcl_yaml_node *node = NULL;
	int error = list_node(source, "known", &node);

	for (size_t i = 0; !error && node && i < node->count; i++) {
		struct source inner = {source->file, node->items[i], source->diag};

		error = read_one_known(&inner, target);
	}
	return error;
}

int gnt_target_read_layer(const struct pcl_yaml_file *file, const struct pcl_yaml_node *mapping,
			  unsigned flags, struct gnt_target *target, struct pcl_diag *diag)
{
	struct source source = {.file = file, .mapping = mapping, .diag = diag};
	bool cell = flags & GNT_LAYER_CELL;
	int error = pcl_yaml_only_keys(file, mapping, cell ? cell_keys : manifest_keys,
				       cell ? "cell" : "target", diag);

	if (error ||
	    (error = cell ? add_title(&source, &target->title)
			  : read_string(&source, "title", &target->title)) ||
	    (error = read_string(&source, "stands_for", &target->stands_for)) ||
	    (error = read_string(&source, "kernel", &target->kernel)) ||
	    (error = read_string(&source, "cmdline", &target->cmdline)) ||
	    (error = add_strings(&source, "differences", &target->differences,
				 &target->difference_count)) ||
	    (error = read_strings(&source, "lsm", &target->lsm, &target->lsm_count)) ||
	    (error = read_strings(&source, "modules", &target->modules, &target->module_count)) ||
	    (error = read_strings(&source, "userland", &target->userland,
				  &target->userland_count)) ||
	    (error = read_strings(&source, "apparmor", &target->apparmor,
				  &target->apparmor_count)) ||
	    (error = read_choices(&source, target)) || (error = read_selinux(&source, target)) ||
	    (error = read_bool(&source, "bpffs", &target->bpffs)) ||
	    (error = read_bool(&source, "usual", &target->usual)) ||
	    (error = read_mounts(&source, target)) || (error = add_known(&source, target)))
		return error;
	return read_memory(&source, &target->memory_mib);
}

int gnt_target_check(const struct pcl_yaml_file *file, const struct pcl_yaml_node *node,
		     const struct gnt_target *target, struct pcl_diag *diag)
{
	const char *missing = !target->title ? "title" : !target->kernel ? "kernel" : NULL;

	if (missing)
		return pcl_yaml_error(file, node, diag, -EINVAL, "the target has no \"%s\"",
				      missing);
	if (!target->lsm_count)
		return pcl_yaml_error(file, node, diag, -EINVAL,
				      "the target must say which LSMs are active: lsm: [...]");
	/* Else it would pass for the real thing. */
	if (target->stands_for && !target->difference_count)
		return pcl_yaml_error(file, node, diag, -EINVAL,
				      "a stand-in must say how it differs: differences: [...]");
	return 0;
}
