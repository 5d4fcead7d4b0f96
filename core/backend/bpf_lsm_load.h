/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The BPF objects: which of their flavours this kernel takes, opened and ready to be loaded.
 * Private to the backend, and to what counts instructions (bench/verifier.c).
 */
#ifndef PCL_BACKEND_BPF_LSM_LOAD_H
#define PCL_BACKEND_BPF_LSM_LOAD_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>

#include "backend/bpf_lsm_btf.h"
#include "base/diag.h"
#include "../../bpf/abi.h"

/* What the kernel's own BTF says that it has. */
struct pcl_bpf_features {
	bool loop;	   /* bpf_loop, from 5.17 */
	bool task_storage; /* bpf_task_storage_get, from 5.11 */
	bool task_btf;	   /* bpf_get_current_task_btf, from 5.11 */
	bool rename_flags; /* the rename hook is told of an exchange, from 5.19 */
	bool rdonly_cast;  /* bpf_rdonly_cast, from 6.2: with it the programs are quicker */
	bool io_threads; /* io_uring works in threads of the process, from 5.12 and carried back */
};

enum pcl_bpf_flavour {
	PCL_BPF_FLAVOUR_FULL, /* reads with bpf_rdonly_cast */
	PCL_BPF_FLAVOUR_PLAIN,
	PCL_BPF_FLAVOUR_OLD, /* bounded loops, task state in a hash (bpf/loop.h) */
};

int pcl_bpf_features_probe(struct pcl_bpf_features *ret_features, struct pcl_diag *diag);

enum pcl_bpf_flavour pcl_bpf_flavour(const struct pcl_bpf_features *features);
extern const char *const pcl_bpf_flavour_names[]; /* by flavour */

/* Kernels that rules notice a difference between: the flavours, and one more. */
enum pcl_bpf_kernel {
	PCL_BPF_KERNEL_FULL,
	PCL_BPF_KERNEL_PLAIN,
	PCL_BPF_KERNEL_OLD,
	PCL_BPF_KERNEL_OLDEST, /* old, and without io_threads */
};

enum pcl_bpf_kernel pcl_bpf_kernel(const struct pcl_bpf_features *features);
extern const char *const pcl_bpf_kernel_names[]; /* by kernel, NULL at the end */

/* The flavour's name and what the kernel lacks, as one line (owned), or NULL without memory. */
char *pcl_bpf_features_text(const struct pcl_bpf_features *features);

/* The section of the variables that all objects share (bpf/maps.h); the map's name there. */
#define PCL_BPF_VARIABLES ".bss"

struct pcl_bpf_object {
	struct bpf_object *hooks;
	struct bpf_object *judges; /* the decision, put into the hooks by bpf_lsm_judges.h */
	void *skeleton;		   /* of hooks */
	struct pcl_btf kernel;
	FILE *types; /* those of the kernel that both speak of */
	enum pcl_bpf_flavour flavour;
};

/*
 * Opens the objects for this kernel, not yet loaded. Programs for hooks that the kernel does not
 * have are left out of the load; bpf_program__autoload() tells which.
 */
int pcl_bpf_object_open(struct pcl_bpf_object *ret_object, struct pcl_diag *diag);
/* Loads both; the judges share the maps of the hooks, and are not put in yet. */
int pcl_bpf_object_load(struct pcl_bpf_object *object, struct pcl_diag *diag);
void pcl_bpf_object_close(struct pcl_bpf_object *object);

/* For other objects: finds where the locks are, and tells an object that is not loaded yet. */
void pcl_bpf_locks_find(struct pcl_bpf_machine *machine);
void pcl_bpf_machine_tell(struct bpf_object *object, const struct pcl_bpf_machine *machine);

#endif
