/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's list of symbols says where the variables are.
 */
#include "backend/bpf_lsm_memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/bpf_lsm_symbols.h"
#include "base/array.h"
#include "base/cleanup.h"

#define HYPERVISOR "/sys/hypervisor/guest_type"

static const struct pcl_rule *first_with_args(const struct pcl_backend_input *input)
{
	for (size_t i = 0; i < input->rule_count; i++)
		if (input->rules[i]->flags & PCL_RULE_ALLOWED_ARGS)
			return input->rules[i];
	return NULL;
}

/* Why arguments cannot be read here, or NULL. */
static const char *find(struct pcl_bpf_memory *memory)
{
#ifdef __x86_64__
	pcl_autofclose FILE *hypervisor = fopen(HYPERVISOR, "re");
	const struct pcl_symbol wanted[] = {
		{"page_offset_base", &memory->page_offset_base_at},
		{"pgdir_shift", &memory->pgdir_shift_at},
		{"physical_mask", &memory->physical_mask_at},
	};
	char type[16] = "";

	/* There page tables hold the hypervisor's addresses. */
	if (hypervisor && fgets(type, sizeof(type), hypervisor) && !strncmp(type, "PV", 2) &&
	    strncmp(type, "PVH", 3) != 0)
		return "this is a paravirtual Xen guest";
	pcl_symbols_find(wanted, PCL_ARRAY_SIZE(wanted));
	return memory->page_offset_base_at ? NULL
					   : PCL_SYMBOLS
		       " does not tell where the kernel maps physical memory "
		       "(page_offset_base; see kernel.kptr_restrict)";
#else
	(void)memory;
	return "they are read on x86-64 only";
#endif
}

int pcl_bpf_memory_find(const struct pcl_bpf_plan *plan, const struct pcl_backend_input *input,
			struct pcl_bpf_memory *ret_memory, struct pcl_diag *diag)
{
	const struct pcl_rule *rule = first_with_args(input);
	const char *reason;

	memset(ret_memory, 0, sizeof(*ret_memory));
	if (!plan->reads_args)
		return 0;
	reason = find(ret_memory);
	if (!reason)
		return 0;
	return pcl_diag_set(diag, -EOPNOTSUPP,
			    "rule %s cannot be enforced: backend bpf_lsm cannot read arguments, "
			    "which allowedArgs asks for: %s",
			    rule ? rule->id : "", reason);
}
