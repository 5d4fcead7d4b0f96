/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running kernel's types and functions: its BTF, with an index by name, since libbpf goes
 * through all of its hundred thousand entries for each name. Private to the backend.
 */
#ifndef PCL_BACKEND_BPF_LSM_BTF_H
#define PCL_BACKEND_BPF_LSM_BTF_H

#include <bpf/btf.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

struct pcl_btf {
	struct btf *types;
	uint32_t *slots; /* numbers of types, by hash of the name; 0: free */
	uint32_t mask;	 /* of a hash; how many slots, but one */
};

int pcl_btf_open(struct pcl_btf *ret_btf, struct pcl_diag *diag);
void pcl_btf_close(struct pcl_btf *btf);

/* The same of these types, which it takes. */
int pcl_btf_index(struct btf *types, struct pcl_btf *ret_btf);

/* The number of the function, or 0. */
uint32_t pcl_btf_function(const struct pcl_btf *btf, const char *name);
/* How many arguments it has; 0 also where it is not there. */
unsigned pcl_btf_arguments(const struct pcl_btf *btf, const char *name);

/*
 * Of btf what the types of local ask for: those that have a name in it (but for a ___suffix), with
 * all that lies inside of them. They keep their numbers; in place of the others are pointers.
 */
int pcl_btf_extract(const struct pcl_btf *btf, const struct btf *const *local, size_t count,
		    struct btf **ret_types);

/* For a cleanup attribute. */
void pcl_btf_free(struct btf **types);

#endif
