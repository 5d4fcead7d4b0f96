/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only named structs, unions, enums, typedefs and functions are in the index, each under its hash
 * or in the next slot that is free.
 */
#include "backend/bpf_lsm_btf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void pcl_btf_free(struct btf **types)
{
	btf__free(*types);
}

static uint32_t hash_name(const char *name, size_t len)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619u;
	return hash ^ hash >> 15;
}

static const char *name_of(const struct btf *types, const struct btf_type *type)
{
	const char *name = type->name_off ? btf__name_by_offset(types, type->name_off) : NULL;

	return name && *name ? name : NULL;
}

static bool is_indexed(const struct btf_type *type)
{
	return btf_is_func(type) || btf_is_composite(type) || btf_is_typedef(type) ||
	       btf_is_any_enum(type);
}

int pcl_btf_index(struct btf *types, struct pcl_btf *ret_btf)
{
	pcl_cleanup(pcl_btf_close) struct pcl_btf btf = {.types = types, .mask = 1};
	uint32_t count = btf__type_cnt(types);

	/* At most half of the slots are taken. */
	while (btf.mask < 2 * count)
		btf.mask = btf.mask << 1 | 1;
	btf.slots = calloc((size_t)btf.mask + 1, sizeof(*btf.slots));
	if (!btf.slots)
		return -ENOMEM;
	for (uint32_t id = 1; id < count; id++) {
		const struct btf_type *type = btf__type_by_id(types, id);
		const char *name = is_indexed(type) ? name_of(types, type) : NULL;
		uint32_t slot;

		if (!name)
			continue;
		slot = hash_name(name, strlen(name)) & btf.mask;
		while (btf.slots[slot])
			slot = (slot + 1) & btf.mask;
		btf.slots[slot] = id;
	}
	*ret_btf = btf;
	btf = (struct pcl_btf){0};
	return 0;
}

int pcl_btf_open(struct pcl_btf *ret_btf, struct pcl_diag *diag)
{
	struct btf *types = btf__load_vmlinux_btf();
	int error;

	if (!types)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot read the kernel's BTF");
	error = pcl_btf_index(types, ret_btf);
	return error ? pcl_diag_set(diag, error, "out of memory") : 0;
}

void pcl_btf_close(struct pcl_btf *btf)
{
	btf__free(btf->types);
	free(btf->slots);
	*btf = (struct pcl_btf){0};
}

/* The next of that name, from slot on, which is left behind it; or 0. */
static uint32_t find_next(const struct pcl_btf *btf, const char *name, size_t len, uint32_t *slot)
{
	uint32_t id;

	while ((id = btf->slots[*slot])) {
		const char *its = name_of(btf->types, btf__type_by_id(btf->types, id));

		*slot = (*slot + 1) & btf->mask;
		if (!strncmp(its, name, len) && !its[len])
			return id;
	}
	return 0;
}

uint32_t pcl_btf_function(const struct pcl_btf *btf, const char *name)
{
	size_t len = strlen(name);
	uint32_t slot = hash_name(name, len) & btf->mask, id;

	while ((id = find_next(btf, name, len, &slot)))
		if (btf_is_func(btf__type_by_id(btf->types, id)))
			return id;
	return 0;
}

unsigned pcl_btf_arguments(const struct pcl_btf *btf, const char *name)
{
	uint32_t id = pcl_btf_function(btf, name);

	if (!id)
		return 0;
	return btf_vlen(btf__type_by_id(btf->types, btf__type_by_id(btf->types, id)->type));
}

/* --- extracts -------------------------------------------------------------------------------- */

/* What a field may lie in or be; a pointer leads elsewhere. */
static void want(const struct btf *types, uint32_t id, bool *wanted)
{
	const struct btf_type *type = btf__type_by_id(types, id);

	if (!id || !type || btf_is_ptr(type) || wanted[id])
		return;
	wanted[id] = true;
	if (btf_is_mod(type) || btf_is_typedef(type) || btf_is_type_tag(type))
		want(types, type->type, wanted);
	else if (btf_is_array(type))
		want(types, btf_array(type)->type, wanted);
	else if (btf_is_composite(type))
		for (unsigned i = 0; i < btf_vlen(type); i++)
			want(types, btf_members(type)[i].type, wanted);
}

static void want_all(const struct pcl_btf *btf, const struct btf *local, bool *wanted)
{
	for (uint32_t i = 1; i < btf__type_cnt(local); i++) {
		const struct btf_type *type = btf__type_by_id(local, i);
		const char *name = is_indexed(type) ? name_of(local, type) : NULL, *suffix;
		uint32_t slot, id;
		size_t len;

		if (!name || btf_is_func(type))
			continue;
		suffix = strstr(name, "___");
		len = suffix ? (size_t)(suffix - name) : strlen(name);
		slot = hash_name(name, len) & btf->mask;
		while ((id = find_next(btf, name, len, &slot)))
			if (!btf_is_func(btf__type_by_id(btf->types, id)))
				want(btf->types, id, wanted);
	}
}

int pcl_btf_extract(const struct pcl_btf *btf, const struct btf *const *local, size_t count,
		    struct btf **ret_types)
{
	pcl_cleanup(pcl_btf_free) struct btf *types = btf__new_empty();
	pcl_autofree bool *wanted = calloc(btf__type_cnt(btf->types), sizeof(*wanted));
	uint32_t end = btf__type_cnt(btf->types);

	if (!types || !wanted)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		want_all(btf, local[i], wanted);
	while (end > 1 && !wanted[end - 1])
		end--;
	for (uint32_t id = 1; id < end; id++) {
		int added = wanted[id] ? btf__add_type(types, btf->types,
						       btf__type_by_id(btf->types, id))
				       : btf__add_ptr(types, 0);

		if (added < 0)
			return added;
	}
	*ret_types = pcl_take_ptr(types);
	return 0;
}
