/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which flavour, opening and loading it. The kernel's BTF decides, never its version number:
 * distributions carry features back, and leave others out.
 */
#include "backend/bpf_lsm_load.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "backend/bpf_lsm_btf.h"
#include "backend/bpf_lsm_judges.h"
#include "backend/bpf_lsm_symbols.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "portcullis.skel.h"
#include "portcullis_cast.skel.h"
#include "portcullis_old.skel.h"

/* The kernel names an LSM hook's BTF function so. */
#define HOOK_PREFIX "bpf_lsm_"
#define SECTION_PREFIX "lsm/"
#define TYPES_NAME "portcullis-types"
/* Not in every libc's headers. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
/* With an exchange's flags. */
#define RENAME_ARGUMENTS 5
/* Without the mount's idmap. */
#define SETXATTR_ARGUMENTS 5
#define SETATTR_ARGUMENTS 2

static void find_features(const struct pcl_btf *btf, struct pcl_bpf_features *features)
{
	features->loop = pcl_btf_function(btf, "bpf_loop");
	features->task_storage = pcl_btf_function(btf, "bpf_task_storage_get");
	features->task_btf = pcl_btf_function(btf, "bpf_get_current_task_btf");
	features->rdonly_cast = pcl_btf_function(btf, "bpf_rdonly_cast");
	features->io_threads = pcl_btf_function(btf, "create_io_thread");
	features->rename_flags =
		pcl_btf_arguments(btf, HOOK_PREFIX "path_rename") >= RENAME_ARGUMENTS;
}

int pcl_bpf_features_probe(struct pcl_bpf_features *ret_features, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_btf_close) struct pcl_btf btf = {0};
	int error = pcl_btf_open(&btf, diag);

	if (!error)
		find_features(&btf, ret_features);
	return error;
}

enum pcl_bpf_flavour pcl_bpf_flavour(const struct pcl_bpf_features *features)
{
	if (!features->loop || !features->task_storage || !features->task_btf ||
	    !features->rename_flags)
		return PCL_BPF_FLAVOUR_OLD;
	return features->rdonly_cast ? PCL_BPF_FLAVOUR_FULL : PCL_BPF_FLAVOUR_PLAIN;
}

const char *const pcl_bpf_flavour_names[] = {
	[PCL_BPF_FLAVOUR_FULL] = "full",
	[PCL_BPF_FLAVOUR_PLAIN] = "plain",
	[PCL_BPF_FLAVOUR_OLD] = "old",
};

const char *const pcl_bpf_kernel_names[] = {
	[PCL_BPF_KERNEL_FULL] = "full",
	[PCL_BPF_KERNEL_PLAIN] = "plain",
	[PCL_BPF_KERNEL_OLD] = "old",
	[PCL_BPF_KERNEL_OLDEST] = "oldest",
	NULL,
};

enum pcl_bpf_kernel pcl_bpf_kernel(const struct pcl_bpf_features *features)
{
	switch (pcl_bpf_flavour(features)) {
	case PCL_BPF_FLAVOUR_FULL:
		return PCL_BPF_KERNEL_FULL;
	case PCL_BPF_FLAVOUR_PLAIN:
		return PCL_BPF_KERNEL_PLAIN;
	case PCL_BPF_FLAVOUR_OLD:
		break;
	}
	return features->io_threads ? PCL_BPF_KERNEL_OLD : PCL_BPF_KERNEL_OLDEST;
}

char *pcl_bpf_features_text(const struct pcl_bpf_features *features)
{
	const struct {
		bool there;
		const char *name;
	} all[] = {
		{features->loop, "bpf_loop"},
		{features->task_storage, "task storage"},
		{features->task_btf, "bpf_get_current_task_btf"},
		{features->rename_flags, "flags of the rename hook"},
		{features->rdonly_cast, "bpf_rdonly_cast"},
		{features->io_threads, "io_uring in threads of the process"},
	};
	char *text = strdup(pcl_bpf_flavour_names[pcl_bpf_flavour(features)]);
	const char *before = "; the kernel lacks ";

	for (size_t i = 0; text && i < PCL_ARRAY_SIZE(all); i++) {
		pcl_autofree char *shorter = text;

		if (all[i].there) {
			(void)pcl_take_ptr(shorter);
			continue;
		}
		if (asprintf(&text, "%s%s%s", shorter, before, all[i].name) < 0)
			text = NULL;
		before = ", ";
	}
	return text;
}

/* --- where programs are attached ------------------------------------------------------------- */

/* The kernel of the object that is being loaded. libbpf's hook has no context. */
static _Thread_local const struct pcl_btf *attach_kernel;

static uint32_t find_hook(const struct pcl_btf *kernel, const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);
	char function[128];

	snprintf(function, sizeof(function), HOOK_PREFIX "%s", section + strlen(SECTION_PREFIX));
	return pcl_btf_function(kernel, function);
}

static int aim(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	(void)cookie;
	options->attach_btf_id = find_hook(attach_kernel, program);
	return options->attach_btf_id ? 0 : -ENOENT;
}

/* libbpf would search for each hook by itself. Once for all objects. */
static int take_over_aiming(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = aim);
	static int handler;

	if (handler <= 0)
		handler = libbpf_register_prog_handler(SECTION_PREFIX, BPF_PROG_TYPE_LSM,
						       BPF_LSM_MAC, &options);
	return handler < 0 ? handler : 0;
}

/* --- opening --------------------------------------------------------------------------------- */

/* The first complaint of libbpf; the rest repeats it with less. libbpf's hook has no context. */
static _Thread_local char complaint[512];

__attribute__((format(printf, 2, 0))) static int keep_complaint(enum libbpf_print_level level,
								const char *format, va_list args)
{
	if (level != LIBBPF_WARN || complaint[0])
		return 0;
	vsnprintf(complaint, sizeof(complaint), format, args);
	complaint[strcspn(complaint, "\n")] = '\0';
	return 0;
}

static void open_hooks(struct pcl_bpf_object *object, const struct bpf_object_open_opts *options)
{
	struct portcullis_old_bpf *old;
	struct portcullis_bpf *plain;
	struct portcullis_cast_bpf *full;

	switch (object->flavour) {
	case PCL_BPF_FLAVOUR_OLD:
		object->skeleton = old = portcullis_old_bpf__open_opts(options);
		object->hooks = old ? old->obj : NULL;
		return;
	case PCL_BPF_FLAVOUR_PLAIN:
		object->skeleton = plain = portcullis_bpf__open_opts(options);
		object->hooks = plain ? plain->obj : NULL;
		return;
	case PCL_BPF_FLAVOUR_FULL:
		object->skeleton = full = portcullis_cast_bpf__open_opts(options);
		object->hooks = full ? full->obj : NULL;
		return;
	}
}

void pcl_bpf_locks_find(struct pcl_bpf_machine *machine)
{
	uint64_t mount_lock = 0, rename_lock = 0;
	const struct pcl_symbol wanted[] = {
		{"mount_lock", &mount_lock},
		{"rename_lock", &rename_lock},
	};

	pcl_symbols_find(wanted, PCL_ARRAY_SIZE(wanted));
	machine->mount_lock_at = mount_lock;
	machine->rename_lock_at = rename_lock;
}

static void find_arguments(struct pcl_bpf_machine *machine, const struct pcl_btf *btf)
{
	machine->has_xattr_idmap =
		pcl_btf_arguments(btf, HOOK_PREFIX "inode_setxattr") > SETXATTR_ARGUMENTS;
	machine->has_setattr_idmap =
		pcl_btf_arguments(btf, HOOK_PREFIX "inode_setattr") > SETATTR_ARGUMENTS;
}

void pcl_bpf_machine_tell(struct bpf_object *object, const struct pcl_bpf_machine *machine)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, PCL_BPF_MACHINE);
	int error = bpf_map__set_initial_value(map, machine, sizeof(*machine));

	assert(!error);
	(void)error;
}

/* What the kernel does not have is not loaded. */
static void leave_out(struct bpf_object *object, const struct pcl_btf *btf)
{
	struct bpf_program *program;

	/* What makes a socket's file worth a look (bpf/network.h). */
	if (!pcl_btf_function(btf, "kernel_sendpage"))
		(void)bpf_program__set_autoload(bpf_object__find_program_by_name(object,
										 "pcl_socket_file"),
						false);
	if (!pcl_btf_function(btf, "__cgroup_bpf_run_filter_skb"))
		(void)bpf_program__set_autoload(bpf_object__find_program_by_name(object,
										 "pcl_egress"),
						false);
	bpf_object__for_each_program(program, object)
	{
		if (bpf_program__type(program) == BPF_PROG_TYPE_LSM && !find_hook(btf, program))
			(void)bpf_program__set_autoload(program, false);
	}
}

/*
 * libbpf goes through all types that it is given, for each type of the objects. What it is given
 * keeps the kernel's numbers, which programs hand to bpf_rdonly_cast. It reads them as it loads.
 */
static int write_types(const struct pcl_bpf_object *object)
{
	const struct btf *local[] = {bpf_object__btf(object->hooks),
				     bpf_object__btf(object->judges)};
	pcl_cleanup(pcl_btf_free) struct btf *types = NULL;
	int error = pcl_btf_extract(&object->kernel, local, PCL_ARRAY_SIZE(local), &types);
	const void *bytes;
	__u32 len;

	if (error)
		return error;
	bytes = btf__raw_data(types, &len);
	if (!bytes)
		return -ENOMEM;
	if (fwrite(bytes, len, 1, object->types) != 1 || fflush(object->types))
		return -errno;
	return 0;
}

/* A file in memory, and how libbpf is to call it. */
static int make_types(struct pcl_bpf_object *object, char *path, size_t path_len)
{
	pcl_autoclose int fd = memfd_create(TYPES_NAME, MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	/* KERNEL: before 6.3 it does not know the flag, from then on it may insist. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(TYPES_NAME, MFD_CLOEXEC);
	object->types = fd < 0 ? NULL : fdopen(fd, "w");
	if (!object->types)
		return -errno;
	snprintf(path, path_len, "/proc/self/fd/%d", pcl_take_fd(&fd));
	return 0;
}

static int open_objects(struct pcl_bpf_object *object)
{
	char path[32];
	int error = make_types(object, path, sizeof(path));
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = path);

	if (!error)
		error = take_over_aiming();
	if (error)
		return error;
	open_hooks(object, &options);
	if (object->hooks)
		object->judges = pcl_judges_open(object->flavour, &options);
	return object->judges ? 0 : -errno;
}

int pcl_bpf_object_open(struct pcl_bpf_object *ret_object, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_bpf_object_close) struct pcl_bpf_object object = {0};
	struct pcl_bpf_features features = {0};
	struct pcl_bpf_machine machine = {0};
	int error = pcl_btf_open(&object.kernel, diag);

	if (error)
		return error;
	find_features(&object.kernel, &features);
	complaint[0] = '\0';
	libbpf_set_print(keep_complaint);
	object.flavour = pcl_bpf_flavour(&features);
	error = open_objects(&object);
	if (!error)
		error = write_types(&object);
	if (error)
		return pcl_diag_errno(diag, error, "bpf_lsm: cannot open the BPF objects: %s",
				      complaint);
	find_arguments(&machine, &object.kernel);
	pcl_bpf_locks_find(&machine);
	pcl_bpf_machine_tell(object.hooks, &machine);
	pcl_bpf_machine_tell(object.judges, &machine);
	leave_out(object.hooks, &object.kernel);
	*ret_object = object;
	object = (struct pcl_bpf_object){0};
	return 0;
}

/*
 * libbpf would give the map the variables' types, by which the kernel lets it be read as text (it
 * holds addresses). A program that is loaded again has been given the map that there is.
 */
static int make_variables(const struct bpf_object *hooks)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	struct bpf_map *map = bpf_object__find_map_by_name(hooks, PCL_BPF_VARIABLES);
	pcl_autoclose int fd = -1;

	if (bpf_map__fd(map) >= 0)
		return 0;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pcl_resident", bpf_map__key_size(map),
			    bpf_map__value_size(map), 1, &options);
	return fd < 0 ? -errno : bpf_map__reuse_fd(map, fd);
}

int pcl_bpf_object_load(struct pcl_bpf_object *object, struct pcl_diag *diag)
{
	int error = make_variables(object->hooks);

	if (error)
		return pcl_diag_errno(diag, error, "bpf_lsm: cannot make the map of variables");
	attach_kernel = &object->kernel;
	error = bpf_object__load(object->hooks);
	attach_kernel = NULL;
	if (!error)
		error = pcl_judges_load(object->judges, object->hooks);
	if (error)
		return pcl_diag_set(diag, -EOPNOTSUPP,
				    "bpf_lsm: the kernel refused the programs: %s", complaint);
	return 0;
}

void pcl_bpf_object_close(struct pcl_bpf_object *object)
{
	pcl_btf_close(&object->kernel);
	if (object->types)
		(void)fclose(object->types);
	bpf_object__close(object->judges);
	if (object->flavour == PCL_BPF_FLAVOUR_OLD)
		portcullis_old_bpf__destroy(object->skeleton);
	else if (object->flavour == PCL_BPF_FLAVOUR_PLAIN)
		portcullis_bpf__destroy(object->skeleton);
	else
		portcullis_cast_bpf__destroy(object->skeleton);
	*object = (struct pcl_bpf_object){0};
}
