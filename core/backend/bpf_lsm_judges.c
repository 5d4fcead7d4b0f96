/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KERNEL: names of pins have no dot. A program of the type "extension" replaces a global function
 * of the same arguments in other programs; a link for each of them (several from 5.10). What
 * replaces is verified against one program that has the function.
 */
#include "backend/bpf_lsm_judges.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "judges.skel.h"
#include "judges_cast.skel.h"
#include "judges_old.skel.h"

#define SECTION_PREFIX "freplace/"
/* Functions of one hook: far above any. */
#define FUNCTIONS_MAX 256

struct bpf_object *pcl_judges_open(enum pcl_bpf_flavour flavour,
				   const struct bpf_object_open_opts *options)
{
	const void *elf = NULL;
	size_t len = 0;

	switch (flavour) {
	case PCL_BPF_FLAVOUR_OLD:
		elf = judges_old_bpf__elf_bytes(&len);
		break;
	case PCL_BPF_FLAVOUR_PLAIN:
		elf = judges_bpf__elf_bytes(&len);
		break;
	case PCL_BPF_FLAVOUR_FULL:
		elf = judges_cast_bpf__elf_bytes(&len);
		break;
	}
	return bpf_object__open_mem(elf, len, options);
}

/* The number, in the BTF of the hooks, of the function that judge replaces. */
static int replaced_function(const struct bpf_program *judge, const struct bpf_object *hooks)
{
	const char *name = bpf_program__section_name(judge) + strlen(SECTION_PREFIX);

	return btf__find_by_name_kind(bpf_object__btf(hooks), name, BTF_KIND_FUNC);
}

/* Whether a loaded hook has the function; or a negative errno. */
static int has_function(const struct bpf_program *hook, int function)
{
	struct bpf_func_info functions[FUNCTIONS_MAX];
	struct bpf_prog_info info = {
		.nr_func_info = FUNCTIONS_MAX,
		.func_info_rec_size = sizeof(*functions),
		.func_info = (__u64)(uintptr_t)functions,
	};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(hook), &info, &len) < 0)
		return -errno;
	if (info.nr_func_info > FUNCTIONS_MAX)
		return -E2BIG;
	for (__u32 i = 0; i < info.nr_func_info; i++)
		if (functions[i].type_id == (__u32)function)
			return 1;
	return 0;
}

/* Constants are each object's own. */
static struct bpf_map *find_shared(const struct bpf_object *hooks, const struct bpf_map *map)
{
	if (!bpf_map__is_internal(map))
		return bpf_object__find_map_by_name(hooks, bpf_map__name(map));
	return bpf_map__map_flags(map) & BPF_F_RDONLY_PROG
		       ? NULL
		       : bpf_object__find_map_by_name(hooks, PCL_BPF_VARIABLES);
}

static int share_maps(struct bpf_object *judges, const struct bpf_object *hooks)
{
	struct bpf_map *map, *shared;
	int error = 0;

	bpf_object__for_each_map(map, judges)
	{
		shared = find_shared(hooks, map);
		if (shared && !error)
			error = bpf_map__reuse_fd(map, bpf_map__fd(shared));
	}
	return error;
}

static int show_hook(struct bpf_program *judge, struct bpf_object *hooks)
{
	int function = replaced_function(judge, hooks);
	struct bpf_program *hook;

	bpf_object__for_each_program(hook, hooks)
	{
		if (!bpf_program__autoload(hook) || has_function(hook, function) <= 0)
			continue;
		return bpf_program__set_attach_target(judge, bpf_program__fd(hook),
						      bpf_program__section_name(judge) +
							      strlen(SECTION_PREFIX));
	}
	return bpf_program__set_autoload(judge, false);
}

int pcl_judges_load(struct bpf_object *judges, struct bpf_object *hooks)
{
	int error = share_maps(judges, hooks);
	struct bpf_program *judge;

	bpf_object__for_each_program(judge, judges)
	{
		if (!error)
			error = show_hook(judge, hooks);
	}
	return error ? error : bpf_object__load(judges);
}

static int seat(const struct bpf_program *judge, const struct bpf_program *hook, int function,
		const char *dir, struct pcl_diag *diag)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .target_btf_id = (__u32)function);
	pcl_autoclose int link_fd = -1;
	char path[128];

	link_fd = bpf_link_create(bpf_program__fd(judge), bpf_program__fd(hook), 0, &options);
	if (link_fd < 0)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot put %s into %s",
				      bpf_program__name(judge), bpf_program__name(hook));
	snprintf(path, sizeof(path), "%s/%s-%s", dir, bpf_program__name(hook),
		 bpf_program__name(judge));
	if (bpf_obj_pin(link_fd, path) < 0)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot pin %s", path);
	return 0;
}

int pcl_judges_seat(const struct pcl_bpf_object *object, const char *dir, struct pcl_diag *diag)
{
	struct bpf_program *judge, *hook;

	bpf_object__for_each_program(judge, object->judges)
	{
		int function = replaced_function(judge, object->hooks);

		bpf_object__for_each_program(hook, object->hooks)
		{
			int has = bpf_program__autoload(hook) ? has_function(hook, function) : 0;

			if (has > 0)
				has = seat(judge, hook, function, dir, diag);
			else if (has < 0)
				has = pcl_diag_errno(diag, has, "bpf_lsm: cannot ask about %s",
						     bpf_program__name(hook));
			if (has < 0)
				return has;
		}
	}
	return 0;
}

int pcl_judges_unseat(const char *hook, const char *dir, struct pcl_diag *diag)
{
	pcl_autoclosedir DIR *stream = opendir(dir);
	size_t len = strlen(hook);
	struct dirent *entry;

	if (!stream)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot open %s", dir);
	while ((entry = readdir(stream)))
		if (!strncmp(entry->d_name, hook, len) && entry->d_name[len] == '-' &&
		    unlinkat(dirfd(stream), entry->d_name, 0) < 0)
			return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot remove %s/%s", dir,
					      entry->d_name);
	return 0;
}
