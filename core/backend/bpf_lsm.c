/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The BPF-LSM backend: a plan into the kernel.
 *
 * The dead slot is filled while the live one decides; then one 8-byte store switches. Killed before
 * the store, the old ruleset is live and whole; killed after it, the new one. Programs that are
 * newly needed are attached before the switch (they find no rules for their class and permit),
 * programs no longer needed are detached after it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "backend/bpf_lsm_events.h"
#include "backend/bpf_lsm_guard.h"
#include "backend/bpf_lsm_load.h"
#include "backend/bpf_lsm_memory.h"
#include "backend/bpf_lsm_pins.h"
#include "backend/bpf_lsm_plan.h"
#include "backend/bpf_lsm_slot.h"
#include "backend/bpf_lsm_tally.h"
#include "backend/bpf_lsm_tree.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/steps.h"

static int probe(const struct pcl_node *node, struct pcl_diag *diag)
{
	if (!node->privileged)
		return pcl_diag_set(diag, -EOPNOTSUPP, "bpf_lsm: loading programs takes root");
	if (!node->lsms_known)
		return pcl_diag_set(diag, -EOPNOTSUPP,
				    "bpf_lsm: cannot read " PCL_SECURITYFS_LSM
				    "; mount securityfs on /sys/kernel/security");
	if (!pcl_node_has_lsm(node, "bpf"))
		return pcl_diag_set(diag, -EOPNOTSUPP,
				    "bpf_lsm: \"bpf\" is not among the active LSMs; add it to lsm= "
				    "on the kernel's command line");
	if (!node->btf)
		return pcl_diag_set(diag, -EOPNOTSUPP,
				    "bpf_lsm: the kernel has no BTF (/sys/kernel/btf/vmlinux)");
	if (!node->bpffs)
		return pcl_diag_set(diag, -EOPNOTSUPP,
				    "bpf_lsm: no BPF file system on " PCL_BPFFS_DIR
				    "; run: mount -t bpf bpf " PCL_BPFFS_DIR);
	return 0;
}

static char *describe(void)
{
	struct pcl_bpf_features features;

	return pcl_bpf_features_probe(&features, NULL) ? NULL : pcl_bpf_features_text(&features);
}

static unsigned kernel(void)
{
	struct pcl_bpf_features features;

	return pcl_bpf_features_probe(&features, NULL) ? PCL_BPF_KERNEL_FULL
						       : pcl_bpf_kernel(&features);
}

/* --- cgroups --------------------------------------------------------------------------------- */

/* Before the switch: until then nobody goes by what leads to a domain that is not live. */
static int add_cgroups(const struct pcl_pins *pins, const struct pcl_bpf_plan *plan,
		       struct pcl_diag *diag)
{
	for (size_t i = 0; i < plan->domain_count; i++) {
		const struct pcl_bpf_plan_domain *domain = &plan->domains[i];
		struct pcl_bpf_cgroup value = {domain->id, domain->entry.incarnation};

		if (domain->id == PCL_BPF_DOMAIN_HOST)
			continue;
		if (pcl_fault_fails("bpf: add a cgroup", diag))
			return -ENOMEM;
		if (bpf_map_update_elem(pins->map_fds[PCL_MAP_CGROUPS], &domain->cgroup_id, &value,
					BPF_ANY) < 0)
			return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot add a cgroup");
	}
	return 0;
}

/* Whether what a cgroup or a namespace leads to is a domain of slot. */
static bool leads_to_domain(const struct pcl_pins *pins, __u32 slot,
			    const struct pcl_bpf_cgroup *value)
{
	const struct pcl_bpf_domain *domains = &pins->domains[slot * PCL_BPF_DOMAINS_MAX];

	return value->domain < PCL_BPF_DOMAINS_MAX &&
	       domains[value->domain].incarnation == value->incarnation;
}

/* The host needs none to begin with; the kernel knows its tasks by no incarnation. */
static int set_home(int fd, const struct pcl_backend_domain *domain, uint64_t since,
		    struct pcl_diag *diag)
{
	bool host = domain->id == PCL_BPF_DOMAIN_HOST;
	struct pcl_bpf_home old = {0},
			    home = {host ? 0 : domain->incarnation, domain->mnt_ns, since};

	if (host && !home.mnt_ns)
		return 0;
	if (bpf_map_lookup_elem(fd, &domain->id, &old) == 0 && old.since &&
	    old.incarnation == home.incarnation) {
		if (old.mnt_ns || !home.mnt_ns)
			return 0;
		home.since = old.since;
	}
	if (pcl_fault_fails("bpf: set a mount namespace", diag))
		return -ENOMEM;
	if (bpf_map_update_elem(fd, &domain->id, &home, BPF_ANY) < 0)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot set a mount namespace");
	return 0;
}

/*
 * Which mount namespace names a domain's objects, where that is known and was not set before: it
 * stays as it was first seen, whatever its tasks do later. And which ruleset comes with the
 * switch, for a domain that is new: who was seen outside of it since has come in.
 */
static int set_homes(const struct pcl_pins *pins, const struct pcl_backend_input *input,
		     struct pcl_diag *diag)
{
	int error = 0;

	for (size_t i = 0; !error && i < input->domain_count; i++)
		error = set_home(pins->map_fds[PCL_MAP_HOMES], &input->domains[i],
				 input->generation << 1, diag);
	return error;
}

/* What leads to no domain of slot; while it is there it leads nowhere (bpf/task.h). */
static void drop_stale(const struct pcl_pins *pins, enum pcl_bpf_map map, __u32 slot)
{
	int fd = pins->map_fds[map];
	struct pcl_bpf_cgroup value;
	__u64 key, next;
	bool more = bpf_map_get_next_key(fd, NULL, &next) == 0;

	while (more) {
		key = next;
		more = bpf_map_get_next_key(fd, &key, &next) == 0;
		if (bpf_map_lookup_elem(fd, &key, &value) < 0 ||
		    !leads_to_domain(pins, slot, &value))
			(void)bpf_map_delete_elem(fd, &key);
	}
}

/* --- namespaces ------------------------------------------------------------------------------ */

static int add_space(const struct pcl_pins *pins, __u64 key,
		     const struct pcl_bpf_plan_domain *domain, struct pcl_diag *diag)
{
	struct pcl_bpf_cgroup value = {domain->id, domain->entry.incarnation};

	if (pcl_fault_fails("bpf: add a namespace", diag))
		return -ENOMEM;
	if (bpf_map_update_elem(pins->map_fds[PCL_MAP_SPACES], &key, &value, BPF_ANY) < 0)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot add a namespace");
	return 0;
}

static int compare_pid_ns(const void *a, const void *b)
{
	const struct pcl_bpf_plan_domain *const *one = a, *const *other = b;

	return ((*one)->id_pid_ns > (*other)->id_pid_ns) -
	       ((*one)->id_pid_ns < (*other)->id_pid_ns);
}

/*
 * The domains that namespaces tell, by their pid namespaces (owned). A pid namespace that two of
 * them share tells neither.
 */
static const struct pcl_bpf_plan_domain **by_pid_ns(const struct pcl_bpf_plan *plan,
						    size_t *ret_count)
{
	const struct pcl_bpf_plan_domain **list =
		calloc(plan->domain_count + 1, sizeof(const struct pcl_bpf_plan_domain *));
	size_t count = 0;

	for (size_t i = 0; list && i < plan->domain_count; i++)
		if (plan->domains[i].id_mount_ns || plan->domains[i].id_pid_ns)
			list[count++] = &plan->domains[i];
	if (list)
		qsort((void *)list, count, sizeof(const struct pcl_bpf_plan_domain *),
		      compare_pid_ns);
	*ret_count = count;
	return list;
}

static bool shares_pid_ns(const struct pcl_bpf_plan_domain *const *list, size_t count, size_t i)
{
	return (i && list[i - 1]->id_pid_ns == list[i]->id_pid_ns) ||
	       (i + 1 < count && list[i + 1]->id_pid_ns == list[i]->id_pid_ns);
}

/* Before the switch, like cgroups. */
static int add_spaces(const struct pcl_pins *pins, const struct pcl_bpf_plan *plan,
		      struct pcl_diag *diag)
{
	const struct pcl_bpf_plan_domain **list;
	int error = 0;
	size_t count;

	if (!plan->by_spaces)
		return 0;
	list = by_pid_ns(plan, &count);
	if (!list)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count && !error; i++) {
		if (list[i]->id_mount_ns)
			error = add_space(pins, PCL_SPACE_MOUNT | list[i]->id_mount_ns, list[i],
					  diag);
		if (!error && list[i]->id_pid_ns && !shares_pid_ns(list, count, i))
			error = add_space(pins, PCL_SPACE_PID | list[i]->id_pid_ns, list[i], diag);
	}
	free((void *)list);
	if (!error)
		__atomic_store_n(&pins->control->spaces, 1, __ATOMIC_RELEASE);
	return error;
}

/* After the switch, before the namespaces may go and their numbers be used again. */
static void drop_spaces(const struct pcl_pins *pins, const struct pcl_bpf_plan *plan, __u32 slot)
{
	drop_stale(pins, PCL_MAP_SPACES, slot);
	if (!plan->by_spaces)
		__atomic_store_n(&pins->control->spaces, 0, __ATOMIC_RELEASE);
}

/* --- programs -------------------------------------------------------------------------------- */

static bool is_needed(const struct pcl_bpf_program_info *program, const struct pcl_bpf_plan *plan)
{
	if (program->needed_by & PCL_PROGRAM_ALWAYS)
		return true;
	if (program->needed_by & PCL_PROGRAM_CONTAINED)
		return plan->contained;
	return program->needed_by & plan->active;
}

static int attach_needed(const struct pcl_pins *pins, const struct pcl_bpf_plan *plan,
			 struct pcl_diag *diag)
{
	for (size_t i = 0; i < pcl_bpf_program_count; i++) {
		int error = is_needed(&pcl_bpf_programs[i], plan)
				    ? pcl_pins_attach(pins, &pcl_bpf_programs[i], diag)
				    : 0;

		if (error)
			return error;
	}
	return 0;
}

static void detach_unneeded(const struct pcl_bpf_plan *plan)
{
	for (size_t i = 0; i < pcl_bpf_program_count; i++)
		if (!is_needed(&pcl_bpf_programs[i], plan)) {
			pcl_pins_detach(&pcl_bpf_programs[i]);
			pcl_fault_point("bpf: a program is detached");
		}
}

/* Before the switch where it is needed from then on, after it where no longer. */
static void tell_memory(struct pcl_bpf_control *control, const struct pcl_bpf_memory *memory)
{
	control->pgdir_shift_at = memory->pgdir_shift_at;
	control->physical_mask_at = memory->physical_mask_at;
	__atomic_store_n(&control->page_offset_base_at, memory->page_offset_base_at,
			 __ATOMIC_RELEASE);
}

/* --- the table ------------------------------------------------------------------------------- */

static int apply(const struct pcl_backend_input *input, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_bpf_plan_free) struct pcl_bpf_plan *plan = NULL;
	pcl_cleanup(pcl_pins_close) struct pcl_pins pins;
	struct pcl_bpf_memory memory;
	bool fresh = false;
	__u32 slot;
	int error;

	memset(&pins, 0, sizeof(pins));
	memset(pins.map_fds, -1, sizeof(pins.map_fds));
	error = pcl_bpf_plan_make(input, &plan, diag);
	pcl_steps_end("bpf: rules are planned");
	if (!error)
		error = pcl_bpf_memory_find(plan, input, &memory, diag);
	if (error)
		return error;
	error = pcl_pins_open(&pins, diag);
	if (error == -ENOENT) {
		fresh = true;
		error = pcl_pins_load(&pins, diag);
	}
	if (error)
		return error;
	slot = !(pins.control->live & 1);
	pcl_fault_point("bpf: loaded or found");
	error = pcl_bpf_slot_fill(&pins, plan, slot, diag);
	pcl_fault_point("bpf: dead slot is filled");
	if (!error)
		error = set_homes(&pins, input, diag);
	/* Left by an apply that failed or was killed. */
	drop_stale(&pins, PCL_MAP_CGROUPS, !slot);
	drop_stale(&pins, PCL_MAP_SPACES, !slot);
	if (!error)
		error = add_cgroups(&pins, plan, diag);
	if (!error)
		error = add_spaces(&pins, plan, diag);
	pcl_fault_point("bpf: domains can be found");
	if (!error)
		error = attach_needed(&pins, plan, diag);
	pcl_fault_point("bpf: programs are attached");
	if (!error)
		error = pcl_guard_links(&pins, diag);
	if (error) {
		if (fresh)
			(void)pcl_pins_remove(NULL);
		return error;
	}
	pcl_bpf_tally_prepare(&pins, input);
	if (plan->reads_args)
		tell_memory(pins.control, &memory);
	/* What programs look at first; what they find there decides nothing. */
	pins.control->alone = !plan->contained;
	pcl_fault_point("bpf: ready to switch");
	__atomic_store_n(&pins.control->live, input->generation << 1 | slot, __ATOMIC_RELEASE);
	pcl_fault_point("bpf: switched");
	if (!plan->reads_args)
		tell_memory(pins.control, &memory);
	drop_stale(&pins, PCL_MAP_CGROUPS, slot);
	pcl_fault_point("bpf: old cgroups are gone");
	drop_spaces(&pins, plan, slot);
	detach_unneeded(plan);
	pcl_fault_point("bpf: programs are detached");
	pcl_bpf_slot_empty(&pins, !slot);
	return 0;
}

static int live(struct pcl_backend_live *ret_live, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_pins_close) struct pcl_pins pins;
	int error = pcl_pins_open(&pins, diag);

	memset(ret_live, 0, sizeof(*ret_live));
	if (error == -ENOENT)
		return 0;
	if (error)
		return error;
	ret_live->generation = pins.control->live >> 1;
	pcl_bpf_tally_sum(&pins, &ret_live->alerts);
	ret_live->no_room = pins.control->no_room;
	ret_live->unknown_paths = pins.control->unknown;
	for (size_t i = 0; i < pcl_bpf_program_count; i++)
		if (pcl_pins_attached(&pcl_bpf_programs[i]))
			ret_live->programs[ret_live->program_count++] = pcl_bpf_programs[i].name;
	return 0;
}

const struct pcl_backend pcl_backend_bpf_lsm = {
	.name = "bpf_lsm",
	.enforcer = "BPFLSM",
	.probe = probe,
	.describe = describe,
	.kernels = pcl_bpf_kernel_names,
	.kernel = kernel,
	.status = pcl_bpf_status,
	.apply = apply,
	.remove = pcl_pins_remove,
	.live = live,
	.tallies = pcl_bpf_tally_read,
	.events = pcl_bpf_events_read,
};
