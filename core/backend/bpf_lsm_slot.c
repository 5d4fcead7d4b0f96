/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/bpf_lsm_slot.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_tree.h"
#include "base/cleanup.h"
#include "base/fault.h"

/* KERNEL: from 5.6, and so wherever LSM programs are, one call fills a map. */
static int put_all(int fd, const void *keys, const void *values, size_t count,
		   struct pcl_diag *diag)
{
	__u32 left = (__u32)count;

	if (count && bpf_map_update_batch(fd, keys, values, &left, NULL) < 0)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot fill a map of %zu entries",
				      count);
	return 0;
}

static int put_edges(int fd, const struct pcl_bpf_plan *plan, struct pcl_diag *diag)
{
	pcl_autofree __u64 *keys = calloc(plan->edge_count + 1, sizeof(*keys));
	pcl_autofree struct pcl_trie_entry *entries =
		calloc(plan->edge_count + 1, sizeof(*entries));

	if (!keys || !entries)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	for (size_t i = 0; i < plan->edge_count; i++) {
		entries[i] = (struct pcl_trie_entry){plan->edges[i].key, plan->edges[i].edge};
		keys[i] = pcl_key_hash(&entries[i].key);
	}
	return put_all(fd, keys, entries, plan->edge_count, diag);
}

static int make_trie(const struct pcl_bpf_plan *plan, struct pcl_diag *diag)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	pcl_autoclose int fd = -1;
	int error;

	if (pcl_fault_fails("bpf: make a trie", diag))
		return -ENOMEM;
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "pcl_trie", sizeof(__u64),
			    sizeof(struct pcl_trie_entry), (__u32)plan->edge_count + 1, &options);
	if (fd < 0)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot make a map of %zu entries",
				      plan->edge_count);
	error = put_edges(fd, plan, diag);
	return error ? error : pcl_take_fd(&fd);
}

/* An array of items, one at least. */
static int make_array(const char *name, const void *items, size_t item_size, size_t count,
		      struct pcl_diag *diag)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP);
	pcl_autofree __u32 *keys = calloc(count + 1, sizeof(*keys));
	pcl_autoclose int fd = -1;
	int error;

	if (pcl_fault_fails(name, diag))
		return -ENOMEM;
	if (!keys)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), (__u32)item_size,
			    count ? (__u32)count : 1, &options);
	if (fd < 0)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot make a map of %zu %s", count,
				      name);
	for (size_t i = 0; i < count; i++)
		keys[i] = (__u32)i;
	error = put_all(fd, keys, items, count, diag);
	return error ? error : pcl_take_fd(&fd);
}

/* The maps of a plan, not yet in a slot; -1: not made. */
struct slot_maps {
	int trie_fd;
	int sets_fd;
	int patterns_fd;
};

static void slot_maps_close(struct slot_maps *maps)
{
	pcl_closep(&maps->trie_fd);
	pcl_closep(&maps->sets_fd);
	pcl_closep(&maps->patterns_fd);
}

static int make_maps(const struct pcl_bpf_plan *plan, struct slot_maps *ret_maps,
		     struct pcl_diag *diag)
{
	ret_maps->trie_fd = make_trie(plan, diag);
	if (ret_maps->trie_fd < 0)
		return ret_maps->trie_fd;
	ret_maps->sets_fd =
		make_array("pcl_sets", plan->sets, sizeof(*plan->sets), plan->set_count, diag);
	if (ret_maps->sets_fd < 0)
		return ret_maps->sets_fd;
	ret_maps->patterns_fd = make_array("pcl_patterns", plan->blocks, sizeof(*plan->blocks),
					   plan->block_count, diag);
	return ret_maps->patterns_fd < 0 ? ret_maps->patterns_fd : 0;
}

static int put_inner(const struct pcl_pins *pins, enum pcl_bpf_map outer, __u32 index, int inner_fd,
		     struct pcl_diag *diag)
{
	if (pcl_fault_fails("bpf: put a map into its slot", diag))
		return -ENOMEM;
	if (bpf_map_update_elem(pins->map_fds[outer], &index, &inner_fd, BPF_ANY) < 0)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot put a map into its slot");
	return 0;
}

/* Returns when no program that could read the dead slot is running any more (bpf/maps.h). */
static int fence(const struct pcl_pins *pins, struct pcl_diag *diag)
{
	const struct pcl_bpf_plan empty = {0};
	pcl_autoclose int fd = make_trie(&empty, diag);

	return fd < 0 ? fd : put_inner(pins, PCL_MAP_TRIES, PCL_SLOTS, fd, diag);
}

static int put_maps(const struct pcl_pins *pins, __u32 slot, const struct slot_maps *maps,
		    struct pcl_diag *diag)
{
	int error = put_inner(pins, PCL_MAP_TRIES, slot, maps->trie_fd, diag);

	pcl_fault_point("bpf: dead slot has its trie");
	if (!error)
		error = put_inner(pins, PCL_MAP_SETS, slot, maps->sets_fd, diag);
	return error ? error : put_inner(pins, PCL_MAP_PATTERNS, slot, maps->patterns_fd, diag);
}

int pcl_bpf_slot_fill(const struct pcl_pins *pins, const struct pcl_bpf_plan *plan, __u32 slot,
		      struct pcl_diag *diag)
{
	struct pcl_bpf_domain *domains = &pins->domains[slot * PCL_BPF_DOMAINS_MAX];
	pcl_cleanup(slot_maps_close) struct slot_maps maps = {-1, -1, -1};
	int error = make_maps(plan, &maps, diag);

	if (!error)
		error = fence(pins, diag);
	if (!error)
		error = put_maps(pins, slot, &maps, diag);
	if (error)
		return error;
	pcl_fault_point("bpf: dead slot has its maps");
	memset(domains, 0, sizeof(*domains) * PCL_BPF_DOMAINS_MAX);
	pcl_fault_point("bpf: dead slot has no domains");
	for (size_t i = 0; i < plan->domain_count; i++)
		domains[plan->domains[i].id] = plan->domains[i].entry;
	return 0;
}

void pcl_bpf_slot_empty(const struct pcl_pins *pins, __u32 slot)
{
	const struct pcl_bpf_plan empty = {.sets = &(struct pcl_bpf_set){{{0}}}, .set_count = 1};
	pcl_cleanup(slot_maps_close) struct slot_maps maps = {-1, -1, -1};

	if (!fence(pins, NULL) && !make_maps(&empty, &maps, NULL))
		(void)put_maps(pins, slot, &maps, NULL);
}
