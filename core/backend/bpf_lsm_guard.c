/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is loaded is told before there can be a container: programs are loaded only where nothing is
 * live. A link is told right after it is attached. FAIL-OPEN: whoever gets a descriptor of it in
 * between keeps it. KERNEL: that is of no use with a tracing link, which cannot be detached by one;
 * the one link that can is that of DNS, which attaches to a cgroup.
 */
#include "backend/bpf_lsm_guard.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "backend/bpf_lsm_pins.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/fault.h"

/* KERNEL: MKDEV() inside the kernel; stat() says it in another form. */
#define KERNEL_MINOR_BITS 20

/* How long something of ours stays so; what the kernel side does not look at. */
enum lasting {
	LASTING_ATTACHED = 1, /* as long as the program is attached */
	LASTING_LOADED,	      /* as long as the programs are loaded */
};

static int tell(const struct pcl_pins *pins, __u64 kind, __u32 id, enum lasting lasting,
		struct pcl_diag *diag)
{
	__u64 key = kind | id;
	__u32 value = lasting;

	if (pcl_fault_fails("bpf: say what is ours", diag))
		return -ENOMEM;
	if (bpf_map_update_elem(pins->map_fds[PCL_MAP_OWN], &key, &value, BPF_ANY) < 0)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot say what is ours");
	return 0;
}

static int tell_maps(const struct pcl_pins *pins, const struct bpf_object *object,
		     struct pcl_diag *diag)
{
	const struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		struct bpf_map_info info = {0};
		__u32 len = sizeof(info);
		int error;

		if (bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &len) < 0)
			return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot ask about a map");
		error = tell(pins, PCL_OWN_MAP, info.id, LASTING_LOADED, diag);
		if (error)
			return error;
	}
	return 0;
}

static int tell_programs(const struct pcl_pins *pins, struct bpf_object *object,
			 struct pcl_diag *diag)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		struct bpf_prog_info info = {0};
		__u32 len = sizeof(info);
		int error;

		if (!bpf_program__autoload(program))
			continue;
		if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len) < 0)
			return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot ask about a program");
		error = tell(pins, PCL_OWN_PROGRAM, info.id, LASTING_LOADED, diag);
		if (error)
			return error;
	}
	return 0;
}

static int tell_link(const struct pcl_pins *pins, int fd, enum lasting lasting, __u32 *ret_id,
		     struct pcl_diag *diag)
{
	struct bpf_link_info info = {0};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot ask about a link");
	*ret_id = info.id;
	return tell(pins, PCL_OWN_LINK, info.id, lasting, diag);
}

static int tell_judges(const struct pcl_pins *pins, struct pcl_diag *diag)
{
	pcl_autoclosedir DIR *dir = opendir(PCL_JUDGE_DIR);
	struct dirent *entry;
	int error = 0;
	__u32 id;

	if (!dir)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot open " PCL_JUDGE_DIR);
	while (!error && (entry = readdir(dir))) {
		char path[sizeof(PCL_JUDGE_DIR) + sizeof(entry->d_name) + 1];
		pcl_autoclose int fd = -1;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), PCL_JUDGE_DIR "/%s", entry->d_name);
		fd = bpf_obj_get(path);
		error = fd < 0 ? pcl_diag_errno(diag, -errno, "bpf_lsm: cannot open %s", path)
			       : tell_link(pins, fd, LASTING_LOADED, &id, diag);
	}
	return error;
}

static int tell_place(const struct pcl_pins *pins, struct pcl_diag *diag)
{
	struct stat dir, ns;

	if (stat(PCL_PIN_DIR, &dir) < 0 || stat("/proc/self/ns/mnt", &ns) < 0)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot find " PCL_PIN_DIR);
	pins->control->pin_ino = dir.st_ino;
	pins->control->pin_mount_ns = (__u32)ns.st_ino;
	pins->control->pin_dev = major(dir.st_dev) << KERNEL_MINOR_BITS | minor(dir.st_dev);
	return 0;
}

int pcl_guard_prepare(const struct pcl_pins *pins, const struct pcl_bpf_object *object,
		      struct pcl_diag *diag)
{
	int error = tell_maps(pins, object->hooks, diag);

	if (!error)
		error = tell_maps(pins, object->judges, diag);
	if (!error)
		error = tell_programs(pins, object->hooks, diag);
	if (!error)
		error = tell_programs(pins, object->judges, diag);
	if (!error)
		error = tell_judges(pins, diag);
	if (!error)
		error = tell_place(pins, diag);
	return error;
}

static bool is_among(__u32 id, const __u32 *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* Each attaching makes a link of another number: those that are not attached now are gone. */
static int forget_others(const struct pcl_pins *pins, const __u32 *ids, size_t count,
			 struct pcl_diag *diag)
{
	int fd = pins->map_fds[PCL_MAP_OWN], error = 0;
	__u64 *keys = NULL, key;
	size_t key_count = 0;
	__u32 lasting;

	while (!error && !bpf_map_get_next_key(fd, key_count ? &keys[key_count - 1] : NULL, &key)) {
		error = pcl_array_grow(&keys, key_count, sizeof(*keys));
		if (!error)
			keys[key_count++] = key;
	}
	for (size_t i = 0; !error && i < key_count; i++)
		if ((keys[i] & ~(__u64)UINT32_MAX) == PCL_OWN_LINK &&
		    !is_among((__u32)keys[i], ids, count) &&
		    !bpf_map_lookup_elem(fd, &keys[i], &lasting) && lasting == LASTING_ATTACHED)
			(void)bpf_map_delete_elem(fd, &keys[i]);
	free(keys);
	return error ? pcl_diag_set(diag, error, "out of memory") : 0;
}

int pcl_guard_links(const struct pcl_pins *pins, struct pcl_diag *diag)
{
	pcl_autofree __u32 *ids = calloc(pcl_bpf_program_count, sizeof(*ids));
	size_t count = 0;

	if (!ids)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	for (size_t i = 0; i < pcl_bpf_program_count; i++) {
		pcl_autoclose int fd = pcl_pins_link(&pcl_bpf_programs[i]);
		int error = fd < 0 ? 0 : tell_link(pins, fd, LASTING_ATTACHED, &ids[count], diag);

		if (error)
			return error;
		count += fd >= 0;
	}
	pcl_fault_point("bpf: links are told");
	return forget_others(pins, ids, count, diag);
}
