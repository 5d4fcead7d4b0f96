/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image: the disk of a whole distribution, as its maker publishes it. A manifest
 * vm-images/real/NAME.yaml says where it comes from, how it is checked, how it starts for the first
 * time, and what target it makes.
 *
 * Guarantee: a manifest without a way to check what came is refused, and one that nobody has run
 * says "verified: never" wherever it is shown.
 */
#ifndef GNT_IMAGE_H
#define GNT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "target.h"

#define GNT_IMAGES_BELOW_ROOT "vm-images/real"

/* The files of an image; kernel and initrd only where the maker publishes them too. */
enum gnt_image_file {
	GNT_IMAGE_DISK,
	GNT_IMAGE_KERNEL,
	GNT_IMAGE_INITRD,
};
#define GNT_IMAGE_FILE_COUNT 3

enum gnt_image_format {
	GNT_FORMAT_QCOW2,
	GNT_FORMAT_RAW,
	GNT_FORMAT_RAW_LZ4,
	GNT_FORMAT_RAW_XZ,
	GNT_FORMAT_OVA, /* a tar archive with a VMDK in it */
};

enum gnt_firmware {
	GNT_FIRMWARE_BIOS,
	GNT_FIRMWARE_UEFI,
};

enum gnt_bus {
	GNT_BUS_VIRTIO_BLK,
	GNT_BUS_VIRTIO_SCSI,
	GNT_BUS_NVME,
	GNT_BUS_AHCI_CD, /* for a seed only */
};

/* How the image is told at its first boot to start the agent. */
enum gnt_seed {
	GNT_SEED_NOCLOUD_ISO,
	GNT_SEED_NOCLOUD_VFAT,
	GNT_SEED_GCE,	       /* a metadata server as Google Compute Engine has it */
	GNT_SEED_BOTTLEROCKET, /* files on the partition BOTTLEROCKET-PRIVATE */
};

struct gnt_image {
	char *id;
	char *title;
	char *manifest; /* path */
	/* Whose run on the real image says that all this is right; date NULL: never. */
	char *verified_date, *verified_sha256, *verified_by;
	/* Where it comes from. {version} in an address is what discover_match found. */
	char *discover_url;		   /* its address after redirects is matched */
	char *discover_match;		   /* extended regular expression with one group */
	char *files[GNT_IMAGE_FILE_COUNT]; /* addresses; with TUF a pattern of target names */
	char *by_hand;			   /* no public source: how a person gets the file */
	/* How what came is checked: one of sums, sha256, tuf; by_hand: at import. */
	char *sums;	   /* file of checksums beside each file: "SHA256SUMS" */
	char *signature;   /* detached OpenPGP signature of it, beside it, or NULL */
	char *fingerprint; /* of the key that must have made it */
	char *key;	   /* address or path of that key */
	char *sha256[GNT_IMAGE_FILE_COUNT];
	char *tuf_root;	       /* address of a root.json */
	char *tuf_root_sha512; /* which is the anchor of all trust */
	char *tuf_metadata;    /* folder of the metadata */
	char *tuf_targets;     /* folder of the targets */
	/* What is done with it. */
	enum gnt_image_format format;
	enum gnt_firmware firmware;
	enum gnt_bus bus;
	enum gnt_seed seed;
	enum gnt_bus seed_bus;
	bool direct_boot;   /* kernel and initrd are given to QEMU, so the command line is free */
	char *agent_dir;    /* a folder that may hold programs */
	char *agent_label;  /* SELinux context, or NULL: as it comes */
	int boot_timeout_s; /* to the agent's first word, under emulation */
	char *user_data;    /* lines for the user data as they are (Bottlerocket: TOML), or NULL */
};

void gnt_image_free(struct gnt_image **image);

/*
 * All images of a folder's manifests by id, and what is wrong with a manifest as FILE:LINE:COLUMN.
 * A folder that is not there holds none.
 */
int gnt_images_load(const char *dir, struct gnt_image ***ret_images, size_t *ret_count,
		    struct pcl_diag *diag);
void gnt_images_free(struct gnt_image ***images, size_t count);

/* Appends the targets of all images; on failure the array is as valid as before. */
int gnt_images_add_targets(const char *dir, struct gnt_target ***targets, size_t *count,
			   struct pcl_diag *diag);

/* ${GAUNTLET_IMAGES}, else vm-images/real of the checkout; owned. */
int gnt_images_dir(char **ret_dir, struct pcl_diag *diag);

const char *gnt_image_file_name(enum gnt_image_file file); /* "disk", "kernel", "initrd" */
const char *gnt_image_format_name(enum gnt_image_format format);
const char *gnt_firmware_name(enum gnt_firmware firmware);
const char *gnt_bus_name(enum gnt_bus bus);
const char *gnt_seed_name(enum gnt_seed seed);
/* "checksum and signature", "checksum", "tuf", "checksum at import". */
const char *gnt_image_check_name(const struct gnt_image *image);

#endif
