/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A target: kernel + LSM stack + userland, read from a manifest vm-images/NAME.yaml. One manifest
 * makes NAME and, for each of its cells, NAME+CELL.
 */
#ifndef GNT_TARGET_H
#define GNT_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

enum gnt_channel {
	GNT_CHANNEL_VIRTIO_SERIAL, /* /dev/virtio-ports/portcullis.agent */
	GNT_CHANNEL_SERIAL,	   /* the second 8250 port, /dev/ttyS1: everywhere, slow */
};

/* Also the index of the machine's row in qemu.c and cmdline.c. */
enum gnt_arch {
	GNT_ARCH_X86_64,
	GNT_ARCH_ARM64, /* emulated; its guest is made by scripts/arm64 and make arm64 */
};

enum gnt_cgroup {
	GNT_CGROUP_V2,
	GNT_CGROUP_V1, /* one hierarchy per controller, as before 2021 */
};

enum gnt_rootfs {
	GNT_ROOTFS_INITRAMFS, /* writable */
	GNT_ROOTFS_READ_ONLY, /* the same, read-only for everything but a case's own setup */
};

enum gnt_selinux_mode {
	GNT_SELINUX_UNLOADED, /* active in the kernel perhaps, but without a policy */
	GNT_SELINUX_PERMISSIVE,
	GNT_SELINUX_ENFORCING,
};

/* A file system that the agent mounts before anything runs. */
struct gnt_mount {
	char *path;
	char *type;    /* "tmpfs" */
	char *options; /* "noexec,nosuid,size=16m", or "" */
};

/* A verdict that is no success of ours and yet is what this target must show, and why. */
struct gnt_known {
	char *test_case; /* an id, or a pattern of ids */
	char *verdict;	 /* as in results: "BASELINE_BLOCKED" */
	char *reason;
};

struct gnt_image;

struct gnt_target {
	char *id;	    /* "bottlerocket-6.1", "debian-7.3+bpf" */
	char *alias;	    /* as the manifest has it where that differs: "debian-7+bpf"; or NULL */
	char *title;	    /* one line */
	char *stands_for;   /* the real thing this stands in for; NULL for a plain target */
	char **differences; /* what differs from it, one line each */
	size_t difference_count;
	char *kernel;  /* series in the kernel cache: "6.1", "7" for the newest 7.N */
	char *version; /* the same with its minor number: "6.1", "7.3" */
	char *cmdline; /* appended to the runner's own kernel command line; holds lsm= */
	char **lsm;    /* LSMs that must be active in the guest, in this order */
	size_t lsm_count;
	char **modules; /* kernel modules that the agent loads, without .ko */
	size_t module_count;
	char **userland; /* parts added to busybox: "crun", "apparmor-5" */
	size_t userland_count;
	enum gnt_arch arch;
	enum gnt_channel channel;
	enum gnt_rootfs rootfs;
	enum gnt_cgroup cgroup;
	enum gnt_selinux_mode selinux_mode;
	char *selinux_policy; /* which policy is loaded; NULL: none */
	char *lockdown;	      /* "none", "integrity", "confidentiality"; NULL: not looked at */
	char **apparmor;      /* AppArmor features that must be there, as in securityfs */
	size_t apparmor_count;
	bool bpffs; /* whether /sys/fs/bpf is mounted */
	bool usual; /* one of those that a run without --on takes */
	struct gnt_mount *mounts;
	size_t mount_count;
	struct gnt_known *known;
	size_t known_count;
	int memory_mib;
	struct gnt_image *image; /* its root is this disk (image.h); NULL: our initramfs; owned */
};

/* All targets of a directory's manifests, sorted by id. Owned array; 0 or -errno with diag
 * FILE:LINE:COLUMN.
 */
int gnt_targets_load(const char *dir, struct gnt_target ***ret_targets, size_t *ret_count,
		     struct pcl_diag *diag);
void gnt_target_free(struct gnt_target **target);
void gnt_targets_free(struct gnt_target ***targets, size_t count);

/* The LSM is in the manifest's list. */
bool gnt_target_has_lsm(const struct gnt_target *target, const char *lsm);
/* What this target must show for a case instead of what the case expects, or NULL. Borrowed. */
const struct gnt_known *gnt_target_known(const struct gnt_target *target, const char *case_id);

const char *gnt_rootfs_name(enum gnt_rootfs rootfs);
const char *gnt_cgroup_name(enum gnt_cgroup cgroup);
const char *gnt_selinux_mode_name(enum gnt_selinux_mode mode);

#endif
