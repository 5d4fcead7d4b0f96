/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan of the BPF-LSM backend: rulesets to the contents of the maps. Pure: no I/O, the same
 * input gives the same plan on any machine, so it is tested without a kernel.
 */
#ifndef PCL_BACKEND_BPF_LSM_PLAN_H
#define PCL_BACKEND_BPF_LSM_PLAN_H

#include <stdio.h>

#include "../../bpf/abi.h"
#include "backend/backend.h"
#include "backend/bpf_lsm_kinds.h"

struct pcl_bpf_plan_edge {
	struct pcl_trie_key key;
	struct pcl_trie_edge edge;
};

struct pcl_bpf_plan_domain {
	uint32_t id;
	uint64_t cgroup_id;
	uint32_t id_mount_ns; /* as in struct pcl_backend_domain */
	uint32_t id_pid_ns;
	struct pcl_bpf_domain entry;
};

struct pcl_bpf_plan {
	struct pcl_bpf_plan_edge *edges;
	size_t edge_count;
	struct pcl_bpf_set *sets; /* sets[0] is PCL_SET_PERMIT */
	size_t set_count;
	struct pcl_pattern_block *blocks; /* blocks[0] is the dead state's */
	size_t block_count;
	struct pcl_bpf_plan_domain *domains;
	size_t domain_count;
	unsigned active; /* bit per class that some domain has rules of */
	struct pcl_socket_kinds kinds;
	bool reads_args; /* some rule has allowedArgs */
	bool contained;	 /* there is a domain besides the host */
	bool by_spaces;	 /* there is one that namespaces tell */
};

/* Where a set has the outcome for an access of a class: the model's number, or the one place. */
static inline uint32_t pcl_bpf_slot(enum pcl_access access)
{
	return (int)access < (int)PCL_BPF_ACCESS_COUNT ? access : PCL_BPF_ACCESS_NUMBERED;
}

/* bpf_lsm_support.c: as struct pcl_backend's status(); kernel is an enum pcl_bpf_kernel. */
struct pcl_rule_status pcl_bpf_status(const struct pcl_rule *rule, unsigned kernel);

/*
 * 0; -EOPNOTSUPP with diag for a rule that no kernel supports, -E2BIG with diag for more than the
 * maps hold; -ENOMEM.
 */
int pcl_bpf_plan_make(const struct pcl_backend_input *input, struct pcl_bpf_plan **ret_plan,
		      struct pcl_diag *diag);
void pcl_bpf_plan_free(struct pcl_bpf_plan **plan);

/* A stable text form, for golden tests and for people. */
void pcl_bpf_plan_print(const struct pcl_bpf_plan *plan, const struct pcl_backend_input *input,
			FILE *out);

/*
 * What the kernel would do with this plan: the same descent, in C, for tests against the model.
 * object may be PCL_OBJECT_NONE. rule is the one that an alert would name. All zero: permitted
 * silently.
 */
struct pcl_bpf_outcome pcl_bpf_plan_ask(const struct pcl_bpf_plan *plan, uint32_t domain,
					const struct pcl_operation *operation);
/* The rule that keeps directory path from moving because it lies below it; 0: none. */
uint32_t pcl_bpf_plan_below(const struct pcl_bpf_plan *plan, uint32_t domain, enum pcl_class class,
			    const char *path);

/* The rule that keeps directory path from becoming to because of patterns; 0: none. */
uint32_t pcl_bpf_plan_moved(const struct pcl_bpf_plan *plan, uint32_t domain, enum pcl_class class,
			    const char *path, const char *to);

#endif
