/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is loaded is told before there can be a container: programs are loaded only where nothing is
 * live. A link is told right after it is attached; its descriptor alone is of no use, since a
 * tracing link cannot be detached by one. So those of the judges are not told at all.
 */
#include "backend/bpf_lsm_guard.h"

#include <bpf/bpf.h>
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

static int tell(const struct pcl_pins *pins, __u64 kind, __u32 id, struct pcl_diag *diag)
{
	__u64 key = kind | id;
	__u32 one = 1;

	if (pcl_fault_fails("bpf: say what is ours", diag))
		return -ENOMEM;
	if (bpf_map_update_elem(pins->map_fds[PCL_MAP_OWN], &key, &one, BPF_ANY) < 0)
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
		error = tell(pins, PCL_OWN_MAP, info.id, diag);
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
		error = tell(pins, PCL_OWN_PROGRAM, info.id, diag);
		if (error)
			return error;
	}
	return 0;
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
		error = tell_place(pins, diag);
	return error;
}

/* What programs were attached by before: each attaching makes a link of another number. */
static int forget_links(const struct pcl_pins *pins, struct pcl_diag *diag)
{
	__u64 *keys = NULL, key;
	size_t count = 0;
	int error = 0;

	while (!error && !bpf_map_get_next_key(pins->map_fds[PCL_MAP_OWN],
					       count ? &keys[count - 1] : NULL, &key)) {
		error = pcl_array_grow(&keys, count, sizeof(*keys));
		if (!error)
			keys[count++] = key;
	}
	for (size_t i = 0; !error && i < count; i++)
		if ((keys[i] & ~(__u64)UINT32_MAX) == PCL_OWN_LINK)
			(void)bpf_map_delete_elem(pins->map_fds[PCL_MAP_OWN], &keys[i]);
	free(keys);
	return error ? pcl_diag_set(diag, error, "out of memory") : 0;
}

int pcl_guard_links(const struct pcl_pins *pins, struct pcl_diag *diag)
{
	int forgotten = forget_links(pins, diag);

	pcl_fault_point("bpf: links are forgotten");
	if (forgotten)
		return forgotten;
	for (size_t i = 0; i < pcl_bpf_program_count; i++) {
		pcl_autoclose int fd = pcl_pins_link(&pcl_bpf_programs[i]);
		struct bpf_link_info info = {0};
		__u32 len = sizeof(info);
		int error;

		if (fd < 0)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
			return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot ask about a link");
		error = tell(pins, PCL_OWN_LINK, info.id, diag);
		if (error)
			return error;
	}
	return 0;
}
