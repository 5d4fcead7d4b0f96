/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads an image's manifest. Strict, as target_read.c is: an unknown key is refused, and so is a
 * source that could not be checked, before a byte of it is fetched.
 */
#include "image_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "place.h"
#include "target_read.h"
#include "text.h"

#define SHA256_HEX_LEN 64
#define SHA512_HEX_LEN 128
#define FINGERPRINT_HEX_LEN 40
/* Emulated, a distribution with cloud-init needs one to three minutes. */
#define BOOT_TIMEOUT_DEFAULT_S 300
#define BOOT_TIMEOUT_MAX_S 3600

static const char *const file_names[] = {[GNT_IMAGE_DISK] = "disk",
					 [GNT_IMAGE_KERNEL] = "kernel",
					 [GNT_IMAGE_INITRD] = "initrd",
					 NULL};
static const char *const format_names[] = {
	[GNT_FORMAT_QCOW2] = "qcow2",	[GNT_FORMAT_RAW] = "raw", [GNT_FORMAT_RAW_LZ4] = "raw.lz4",
	[GNT_FORMAT_RAW_XZ] = "raw.xz", [GNT_FORMAT_OVA] = "ova", NULL};
static const char *const firmware_names[] = {
	[GNT_FIRMWARE_BIOS] = "bios", [GNT_FIRMWARE_UEFI] = "uefi", NULL};
static const char *const bus_names[] = {[GNT_BUS_VIRTIO_BLK] = "virtio-blk",
					[GNT_BUS_VIRTIO_SCSI] = "virtio-scsi",
					[GNT_BUS_NVME] = "nvme",
					[GNT_BUS_AHCI_CD] = "ahci-cd",
					NULL};
static const char *const seed_names[] = {[GNT_SEED_NOCLOUD_ISO] = "nocloud-iso",
					 [GNT_SEED_NOCLOUD_VFAT] = "nocloud-vfat",
					 [GNT_SEED_GCE] = "gce",
					 [GNT_SEED_BOTTLEROCKET] = "bottlerocket",
					 NULL};

const char *gnt_image_file_name(enum gnt_image_file file)
{
	return file_names[file];
}

const char *gnt_image_format_name(enum gnt_image_format format)
{
	return format_names[format];
}

const char *gnt_firmware_name(enum gnt_firmware firmware)
{
	return firmware_names[firmware];
}

const char *gnt_bus_name(enum gnt_bus bus)
{
	return bus_names[bus];
}

const char *gnt_seed_name(enum gnt_seed seed)
{
	return seed_names[seed];
}

const char *gnt_image_check_name(const struct gnt_image *image)
{
	if (image->tuf_root)
		return "tuf";
	if (image->signature)
		return "checksum and signature";
	return image->by_hand ? "checksum at import" : "checksum";
}

/* What every reader of one key needs. */
struct source {
	const struct pcl_yaml_file *file;
	const struct pcl_yaml_node *mapping;
	struct pcl_diag *diag;
};

static int refuse(const struct source *source, const char *key, const char *what)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(source->mapping, key);

	return pcl_yaml_error(source->file, node ? node : source->mapping, source->diag, -EINVAL,
			      "%s", what);
}

static int read_string(const struct source *source, const char *key, char **ret_text)
{
	return gnt_target_read_string(source->file, source->mapping, key, ret_text, source->diag);
}

static int read_required(const struct source *source, const char *key, const char *what,
			 char **ret_text)
{
	if (pcl_yaml_get(source->mapping, key))
		return read_string(source, key, ret_text);
	return pcl_yaml_error(source->file, source->mapping, source->diag, -EINVAL,
			      "%s has no \"%s\"", what, key);
}

/* Lower-case hexadecimal of one length; spaces, as fingerprints are written, are dropped. */
static int read_hex(const struct source *source, const char *key, size_t len, char **ret_text)
{
	char *to;
	int error = read_string(source, key, ret_text);

	if (error || !*ret_text)
		return error;
	to = *ret_text;
	for (const char *at = *ret_text; *at; at++) {
		if (*at != ' ')
			*to++ = (char)(*at >= 'A' && *at <= 'F' ? *at - 'A' + 'a' : *at);
	}
	*to = '\0';
	if (strlen(*ret_text) == len && strspn(*ret_text, "0123456789abcdef") == len)
		return 0;
	return pcl_yaml_error(source->file, pcl_yaml_get(source->mapping, key), source->diag,
			      -EINVAL, "\"%s\" must be %zu hexadecimal digits", key, len);
}

static int read_choice(const struct source *source, const char *key, const char *const *names,
		       size_t *ret_choice)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(source->mapping, key);
	pcl_autofree char *all = NULL, *text = NULL;
	int error = read_string(source, key, &text);

	if (error || !text)
		return error;
	for (size_t i = 0; names[i]; i++) {
		if (strcmp(names[i], text) == 0) {
			*ret_choice = i;
			return 0;
		}
		(void)gnt_text_set(&all, "%s%s%s", all ? all : "", i ? ", " : "", names[i]);
	}
	return pcl_yaml_error(source->file, node, source->diag, -EINVAL, "no %s \"%s\": one of %s",
			      key, text, all ? all : "");
}

/* The mapping under a key; without the key ret_inner->mapping is NULL. */
static int enter(const struct source *source, const char *key, const char *const *keys,
		 struct source *ret_inner)
{
	const struct pcl_yaml_node *node = pcl_yaml_get(source->mapping, key);

	*ret_inner = *source;
	ret_inner->mapping = node;
	if (!node)
		return 0;
	if (node->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(source->file, node, source->diag, -EINVAL,
				      "\"%s\" must be a mapping", key);
	return pcl_yaml_only_keys(source->file, node, keys, key, source->diag);
}

/* verified: never, or {date, sha256, by} of a run on the real image. */
static int read_verified(const struct source *source, struct gnt_image *image)
{
	static const char *const keys[] = {"date", "sha256", "by", NULL};
	const struct pcl_yaml_node *node = pcl_yaml_get(source->mapping, "verified");
	struct source inner;
	int error;

	if (!node)
		return refuse(source, "verified",
			      "the image has no \"verified\": never, or {date, "
			      "sha256, by} of a run on it");
	if (node->type == PCL_YAML_SCALAR && strcmp(node->text, "never") == 0)
		return 0;
	if ((error = enter(source, "verified", keys, &inner)) ||
	    (error = read_required(&inner, "date", "verified", &image->verified_date)) ||
	    (error = read_required(&inner, "by", "verified", &image->verified_by)) ||
	    (error = read_hex(&inner, "sha256", SHA256_HEX_LEN, &image->verified_sha256)))
		return error;
	return image->verified_sha256 ? 0 : refuse(&inner, "sha256", "verified has no \"sha256\"");
}

static int read_tuf(const struct source *source, struct gnt_image *image)
{
	static const char *const keys[] = {"root", "root_sha512", "metadata", "targets", NULL};
	struct source inner;
	int error = enter(source, "tuf", keys, &inner);

	if (error || !inner.mapping)
		return error;
	if ((error = read_required(&inner, "root", "tuf", &image->tuf_root)) ||
	    (error = read_required(&inner, "metadata", "tuf", &image->tuf_metadata)) ||
	    (error = read_required(&inner, "targets", "tuf", &image->tuf_targets)) ||
	    (error = read_hex(&inner, "root_sha512", SHA512_HEX_LEN, &image->tuf_root_sha512)))
		return error;
	return image->tuf_root_sha512
		       ? 0
		       : refuse(&inner, "root_sha512",
				"tuf has no \"root_sha512\": without it anybody's root.json would do");
}

static int read_key(const struct source *source, struct gnt_image *image)
{
	static const char *const keys[] = {"fingerprint", "from", NULL};
	struct source inner;
	int error = enter(source, "key", keys, &inner);

	if (error || !inner.mapping)
		return error;
	error = read_hex(&inner, "fingerprint", FINGERPRINT_HEX_LEN, &image->fingerprint);
	return error ? error : read_required(&inner, "from", "key", &image->key);
}

/* Each file must be checkable, by exactly one of the ways. */
static int check_source(const struct source *source, const struct gnt_image *image)
{
	int ways = !!image->sums + !!image->tuf_root + !!image->sha256[GNT_IMAGE_DISK];

	if (image->by_hand)
		return image->files[GNT_IMAGE_DISK] || ways
			       ? refuse(source, "by_hand",
					"an image that is got by hand has no files "
					"and is checked at import")
			       : 0;
	if (!image->files[GNT_IMAGE_DISK])
		return refuse(source, "files", "the source has no files.disk");
	if (ways == 0)
		return refuse(source, "files",
			      "the source has no checksum: give sums, sha256 or tuf");
	if (ways > 1)
		return refuse(source, "files",
			      "the source is checked in one way: sums, sha256 or tuf");
	if (!image->files[GNT_IMAGE_KERNEL] != !image->files[GNT_IMAGE_INITRD])
		return refuse(source, "files", "files.kernel and files.initrd go together");
	for (int i = 0; i < GNT_IMAGE_FILE_COUNT; i++) {
		if (image->sha256[GNT_IMAGE_DISK] && image->files[i] && !image->sha256[i])
			return refuse(source, "sha256", "a file of the source has no sha256");
	}
	if (image->signature && (!image->sums || !image->fingerprint))
		return refuse(source, "signature",
			      "a signature needs sums, and key: {fingerprint, from}");
	if (!image->discover_url != !image->discover_match)
		return refuse(source, "discover", "discover and match go together");
	return 0;
}

static int read_source(const struct source *source, struct gnt_image *image)
{
	static const char *const keys[] = {"discover", "match", "files",  "sums",    "signature",
					   "key",      "tuf",	"sha256", "by_hand", NULL};
	struct source inner, files, sha256;
	int error = enter(source, "source", keys, &inner);

	if (error)
		return error;
	if (!inner.mapping)
		return refuse(source, "source", "the image has no \"source\"");
	if ((error = read_string(&inner, "discover", &image->discover_url)) ||
	    (error = read_string(&inner, "match", &image->discover_match)) ||
	    (error = read_string(&inner, "sums", &image->sums)) ||
	    (error = read_string(&inner, "signature", &image->signature)) ||
	    (error = read_string(&inner, "by_hand", &image->by_hand)) ||
	    (error = read_key(&inner, image)) || (error = read_tuf(&inner, image)) ||
	    (error = enter(&inner, "files", file_names, &files)) ||
	    (error = enter(&inner, "sha256", file_names, &sha256)))
		return error;
	for (int i = 0; i < GNT_IMAGE_FILE_COUNT && !error; i++) {
		if (files.mapping)
			error = read_string(&files, file_names[i], &image->files[i]);
		if (!error && sha256.mapping)
			error = read_hex(&sha256, file_names[i], SHA256_HEX_LEN, &image->sha256[i]);
	}
	return error ? error : check_source(&inner, image);
}

static int read_boot(const struct source *source, struct gnt_image *image)
{
	static const char *const keys[] = {"firmware", "direct", "timeout", NULL};
	const struct pcl_yaml_node *direct, *timeout;
	struct source inner;
	size_t firmware = image->firmware;
	int64_t seconds = BOOT_TIMEOUT_DEFAULT_S;
	int error = enter(source, "boot", keys, &inner);

	image->boot_timeout_s = BOOT_TIMEOUT_DEFAULT_S;
	if (error || !inner.mapping)
		return error;
	direct = pcl_yaml_get(inner.mapping, "direct");
	timeout = pcl_yaml_get(inner.mapping, "timeout");
	error = read_choice(&inner, "firmware", firmware_names, &firmware);
	if (!error && direct)
		error = pcl_yaml_bool(inner.file, direct, &image->direct_boot, inner.diag);
	if (!error && timeout)
		error = pcl_yaml_int(inner.file, timeout, 1, BOOT_TIMEOUT_MAX_S, &seconds,
				     inner.diag);
	if (error)
		return error;
	image->firmware = (enum gnt_firmware)firmware;
	image->boot_timeout_s = (int)seconds;
	if (image->direct_boot && !image->files[GNT_IMAGE_KERNEL])
		return refuse(&inner, "direct",
			      "a direct boot needs files.kernel and files.initrd");
	return 0;
}

static int read_seed(const struct source *source, struct gnt_image *image)
{
	static const char *const keys[] = {"kind", "bus", NULL};
	struct source inner;
	size_t bus = GNT_BUS_VIRTIO_BLK, kind = GNT_SEED_NOCLOUD_ISO, seed_bus;
	int error = read_choice(source, "disk", bus_names, &bus);

	if (!error)
		error = enter(source, "seed", keys, &inner);
	if (error)
		return error;
	if (bus == GNT_BUS_AHCI_CD)
		return refuse(source, "disk", "a root disk is no CD");
	if (!inner.mapping)
		return refuse(source, "seed", "the image has no \"seed\": {kind, bus}");
	seed_bus = bus;
	if ((error = read_choice(&inner, "kind", seed_names, &kind)) ||
	    (error = read_choice(&inner, "bus", bus_names, &seed_bus)))
		return error;
	image->bus = (enum gnt_bus)bus;
	image->seed = (enum gnt_seed)kind;
	image->seed_bus = (enum gnt_bus)seed_bus;
	return 0;
}

static int read_agent(const struct source *source, struct gnt_image *image)
{
	static const char *const keys[] = {"dir", "label", NULL};
	struct source inner;
	int error = enter(source, "agent", keys, &inner);

	if (!error && inner.mapping)
		error = read_string(&inner, "dir", &image->agent_dir);
	if (!error && inner.mapping)
		error = read_string(&inner, "label", &image->agent_label);
	if (!error && !image->agent_dir) {
		image->agent_dir = strdup(GNT_PLACE);
		error = image->agent_dir ? 0 : -ENOMEM;
	}
	if (!error && image->agent_dir[0] != '/')
		error = refuse(&inner, "dir", "agent.dir must be an absolute path");
	return error;
}

int gnt_image_read(const struct pcl_yaml_file *file, struct gnt_image **ret_image,
		   struct pcl_diag *diag)
{
	static const char *const keys[] = {"id",     "title", "verified", "source", "format",
					   "boot",   "disk",  "seed",	  "agent",  "user_data",
					   "target", "cells", NULL};
	struct gnt_image *image pcl_cleanup(gnt_image_free) = calloc(1, sizeof(*image));
	struct source source = {.file = file, .mapping = file->documents[0], .diag = diag};
	size_t format = GNT_FORMAT_QCOW2;
	int error;

	if (!image || !(image->manifest = strdup(file->name)))
		return pcl_diag_errno(diag, -ENOMEM, "%s", file->name);
	if (source.mapping->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(file, source.mapping, diag, -EINVAL,
				      "an image is a mapping with id, title, source, ...");
	if ((error = pcl_yaml_only_keys(file, source.mapping, keys, "image", diag)) ||
	    (error = read_required(&source, "id", "the image", &image->id)) ||
	    (error = read_required(&source, "title", "the image", &image->title)) ||
	    (error = read_verified(&source, image)) || (error = read_source(&source, image)) ||
	    (error = read_choice(&source, "format", format_names, &format)) ||
	    (error = read_boot(&source, image)) || (error = read_seed(&source, image)) ||
	    (error = read_string(&source, "user_data", &image->user_data)) ||
	    (error = read_agent(&source, image)))
		return error;
	image->format = (enum gnt_image_format)format;
	if (!pcl_yaml_get(source.mapping, "target"))
		return refuse(&source, "target", "the image has no \"target\": {kernel, lsm, ...}");
	*ret_image = pcl_take_ptr(image);
	return 0;
}
