/* SPDX-License-Identifier: Apache-2.0 */
/* The table of contenders; see contender.h. */
#include "contender.h"

#include <string.h>

#include "base/cleanup.h"

const struct gnt_contender gnt_contenders[] = {
	{.id = GNT_CONTENDER_NONE, .title = "nothing applied: what the attack does on its own"},
	{.id = "portcullis",
	 .title = "the engine with the backend that it chooses",
	 .engine = true,
	 .lsm = "bpf",
	 .btf = true,
	 .kept = true},
	{.id = "portcullis/bpf_lsm",
	 .title = "the engine with BPF-LSM",
	 .engine = true,
	 .backend = "bpf_lsm",
	 .lsm = "bpf",
	 .btf = true,
	 .kept = true},
	{.id = "portcullis/apparmor",
	 .title = "the engine with AppArmor",
	 .engine = true,
	 .backend = "apparmor",
	 .lsm = "apparmor",
	 .partial = true,
	 .profiles = true},
	{.id = "portcullis/selinux",
	 .title = "the engine with SELinux",
	 .engine = true,
	 .backend = "selinux",
	 .lsm = "selinux",
	 .partial = true},
	{.id = "portcullis/none",
	 .title = "the engine with enforcement off: proves that the harness can fail",
	 .engine = true,
	 .backend = "none"},
};
const size_t gnt_contender_count = PCL_ARRAY_SIZE(gnt_contenders);

const struct gnt_contender *gnt_contender_find(const char *id)
{
	for (size_t i = 0; i < gnt_contender_count; i++)
		if (strcmp(gnt_contenders[i].id, id) == 0)
			return &gnt_contenders[i];
	return NULL;
}
