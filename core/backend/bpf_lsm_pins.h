/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pinned state of the BPF-LSM backend: maps, programs and links in the BPF file system.
 * Private to the backend.
 */
#ifndef PCL_BACKEND_BPF_LSM_PINS_H
#define PCL_BACKEND_BPF_LSM_PINS_H

#include <stdbool.h>

#include "../../bpf/abi.h"
#include "base/diag.h"
#include "node/node.h"

#define PCL_PIN_DIR PCL_BPFFS_DIR "/portcullis"
#define PCL_JUDGE_DIR PCL_PIN_DIR "/judges"

/* The maps by name; the order is that of the names in bpf_lsm_pins.c. */
enum pcl_bpf_map {
	PCL_MAP_CONTROL,
	PCL_MAP_DOMAINS,
	PCL_MAP_CGROUPS,
	PCL_MAP_SPACES,
	PCL_MAP_TALLIES,
	PCL_MAP_BUCKETS,
	PCL_MAP_OWN,
	PCL_MAP_TRIES,
	PCL_MAP_SETS,
	PCL_MAP_PATTERNS,
	PCL_MAP_EVENTS,
	PCL_MAP_TASKS,
	PCL_MAP_DIRS,
	PCL_MAP_HOMES,
	PCL_MAP_MOUNTS,
};
#define PCL_MAP_COUNT 15

struct pcl_pins {
	int map_fds[PCL_MAP_COUNT];
	struct pcl_bpf_control *control; /* mapped, shared with the kernel; the map begins so */
	struct pcl_bpf_domain *domains;	 /* likewise; PCL_SLOTS * PCL_BPF_DOMAINS_MAX entries */
	struct pcl_bpf_tally *tallies;	 /* likewise; PCL_BPF_DOMAINS_MAX entries */
};

/* What a program is for. */
#define PCL_PROGRAM_CONTAINED (1u << 31)  /* needed while there are domains besides the host */
#define PCL_PROGRAM_ALWAYS (1u << 30)	  /* needed as long as anything is loaded */
#define PCL_PROGRAM_OPTIONAL (1u << 29)	  /* not in every flavour, or for a hook of some kernels */
#define PCL_PROGRAM_TRACEPOINT (1u << 28) /* for a tracepoint; others are for LSM hooks */
#define PCL_PROGRAM_CGROUP (1u << 27)	  /* for the root cgroup */

struct pcl_bpf_program_info {
	const char *name;   /* of the program in the object */
	const char *hook;   /* as the kernel calls it */
	unsigned needed_by; /* bit per class, and PCL_PROGRAM_* */
};

extern const struct pcl_bpf_program_info pcl_bpf_programs[];
extern const size_t pcl_bpf_program_count;

/*
 * Opens what is pinned. -ENOENT (diag untouched) where nothing is, or where loading was cut short;
 * -EPROTO with diag where another version's state is there.
 */
int pcl_pins_open(struct pcl_pins *pins, struct pcl_diag *diag);

/* Loads the programs and pins them and the maps, with nothing attached and nothing live. */
int pcl_pins_load(struct pcl_pins *pins, struct pcl_diag *diag);

/* The maps of a loaded object, whether they are pinned or not. */
struct bpf_object;
int pcl_pins_take(struct pcl_pins *ret_pins, const struct bpf_object *object,
		  struct pcl_diag *diag);

void pcl_pins_close(struct pcl_pins *pins);

/* Attaches a program and pins the link; 0 too where it is attached already. */
int pcl_pins_attach(const struct pcl_pins *pins, const struct pcl_bpf_program_info *program,
		    struct pcl_diag *diag);
void pcl_pins_detach(const struct pcl_bpf_program_info *program);
bool pcl_pins_attached(const struct pcl_bpf_program_info *program);
/* A descriptor of the program's pinned link, or -errno. */
int pcl_pins_link(const struct pcl_bpf_program_info *program);

/* Makes everything permit at once, then takes all pins away; 0 too where there are none. */
int pcl_pins_remove(struct pcl_diag *diag);

#endif
