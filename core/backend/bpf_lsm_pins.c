/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading, pinning, attaching.
 *
 * Everything lives below PCL_PIN_DIR: maps/NAME, programs/NAME, judges/NAME-JUDGE, links/NAME. The
 * programs are loaded once and stay, with their judges; a link exists while its hook is needed.
 * State counts as complete once
 * control.live is set, so a load that was cut short is swept away by the next one.
 */
#include "backend/bpf_lsm_pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "backend/bpf_lsm_guard.h"
#include "backend/bpf_lsm_judges.h"
#include "backend/bpf_lsm_kinds.h"
#include "backend/bpf_lsm_load.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "node/cgroup.h"
#include "policy/policy.h"

#define MAP_DIR PCL_PIN_DIR "/maps"
#define PROGRAM_DIR PCL_PIN_DIR "/programs"
#define LINK_DIR PCL_PIN_DIR "/links"

#define BY_PROCESS (1u << PCL_CLASS_PROCESS)
#define BY_FILE (1u << PCL_CLASS_FILE)
#define BY_NETWORK (1u << PCL_CLASS_NETWORK)
#define BY_CAPABILITY (1u << PCL_CLASS_CAPABILITY)
#define BY_SYSCALL (1u << PCL_CLASS_SYSCALL)
#define BY_DNS (1u << PCL_CLASS_DNS)
#define BY_MAPPING (1u << PCL_BPF_MAPPING)

/* A program that only the flavour for old kernels has. */
#define OLD_ONLY "pcl_task_free"

static const char *const map_names[] = {
	[PCL_MAP_CONTROL] = "control",	 [PCL_MAP_DOMAINS] = "domains",
	[PCL_MAP_CGROUPS] = "cgroups",	 [PCL_MAP_TRIES] = "tries",
	[PCL_MAP_SETS] = "sets",	 [PCL_MAP_EVENTS] = "events",
	[PCL_MAP_TASKS] = "tasks",	 [PCL_MAP_DIRS] = "dirs",
	[PCL_MAP_HOMES] = "homes",	 [PCL_MAP_MOUNTS] = "mounts",
	[PCL_MAP_SPACES] = "spaces",	 [PCL_MAP_TALLIES] = "tallies",
	[PCL_MAP_BUCKETS] = "buckets",	 [PCL_MAP_OWN] = "own",
	[PCL_MAP_PATTERNS] = "patterns",
};
_Static_assert(PCL_ARRAY_SIZE(map_names) == PCL_MAP_COUNT, "a map without a name");

const struct pcl_bpf_program_info pcl_bpf_programs[] = {
	/* First, since no task may have state that it does not take away. */
	{OLD_ONLY, "task_free", PCL_PROGRAM_ALWAYS | PCL_PROGRAM_OPTIONAL},
	/* Before those that keep what it must forget. */
	{"pcl_forget", "d_instantiate", BY_PROCESS | BY_FILE},
	{"pcl_bprm_check", "bprm_check_security", BY_PROCESS},
	{"pcl_file_open", "file_open", BY_PROCESS | BY_FILE},
	{"pcl_path_truncate", "path_truncate", BY_FILE},
	{"pcl_path_mknod", "path_mknod", BY_FILE},
	{"pcl_path_mkdir", "path_mkdir", BY_FILE},
	{"pcl_path_symlink", "path_symlink", BY_FILE},
	{"pcl_path_unlink", "path_unlink", BY_FILE},
	{"pcl_path_rmdir", "path_rmdir", BY_FILE},
	{"pcl_path_link", "path_link", BY_PROCESS | BY_FILE},
	{"pcl_path_rename", "path_rename", BY_PROCESS | BY_FILE},
	{"pcl_path_chmod", "path_chmod", BY_FILE},
	{"pcl_path_chown", "path_chown", BY_FILE | PCL_PROGRAM_OPTIONAL},
	{"pcl_file_permission", "file_permission", BY_FILE},
	{"pcl_file_receive", "file_receive", BY_FILE},
	{"pcl_file_truncate", "file_truncate", BY_FILE | PCL_PROGRAM_OPTIONAL},
	{"pcl_mmap_file", "mmap_file", BY_PROCESS | BY_FILE},
	{"pcl_file_mprotect", "file_mprotect", BY_PROCESS | BY_FILE},
	{"pcl_map_anonymous", "mmap_file", BY_MAPPING},
	{"pcl_protect_anonymous", "file_mprotect", BY_MAPPING},
	{"pcl_setxattr", "inode_setxattr", BY_FILE},
	{"pcl_removexattr", "inode_removexattr", BY_FILE},
	{"pcl_set_acl", "inode_set_acl", BY_FILE | PCL_PROGRAM_OPTIONAL},
	{"pcl_remove_acl", "inode_remove_acl", BY_FILE | PCL_PROGRAM_OPTIONAL},
	{"pcl_setattr", "inode_setattr", BY_FILE},
	{"pcl_file_setattr", "inode_file_setattr", BY_FILE | PCL_PROGRAM_OPTIONAL},
	{"pcl_file_ioctl", "file_ioctl", BY_FILE},
	{"pcl_mount", "sb_mount", BY_PROCESS | BY_FILE},
	{"pcl_move_mount", "move_mount", BY_PROCESS | BY_FILE},
	{"pcl_umount", "sb_umount", BY_PROCESS | BY_FILE},
	{"pcl_pivot_root", "sb_pivotroot", BY_PROCESS | BY_FILE},
	{"pcl_file_ioctl_compat", "file_ioctl_compat", BY_FILE | PCL_PROGRAM_OPTIONAL},
	{"pcl_socket_create", "socket_create", BY_NETWORK},
	{"pcl_socket_connect", "socket_connect", BY_NETWORK},
	{"pcl_socket_bind", "socket_bind", BY_NETWORK},
	{"pcl_socket_listen", "socket_listen", BY_NETWORK},
	{"pcl_socket_accept", "socket_accept", BY_NETWORK},
	{"pcl_socket_sendmsg", "socket_sendmsg", BY_NETWORK},
	{"pcl_socket_recvmsg", "socket_recvmsg", BY_NETWORK},
	{"pcl_socket_file", "file_permission", BY_NETWORK | PCL_PROGRAM_OPTIONAL},
	{"pcl_capable", "capable", BY_CAPABILITY},
	{"pcl_sys_enter", "sys_enter", BY_SYSCALL | PCL_PROGRAM_TRACEPOINT},
	{"pcl_egress", "packets that leave", BY_DNS | PCL_PROGRAM_CGROUP},
	{"pcl_task_alloc", "task_alloc", PCL_PROGRAM_CONTAINED},
	{"pcl_settle", "bprm_committing_creds", PCL_PROGRAM_CONTAINED},
	{"pcl_guard_map", "bpf_map", PCL_PROGRAM_CONTAINED},
	{"pcl_guard_prog", "bpf_prog", PCL_PROGRAM_CONTAINED},
	{"pcl_guard_bpf", "bpf", PCL_PROGRAM_CONTAINED},
	{"pcl_guard_mknod", "path_mknod", PCL_PROGRAM_CONTAINED},
	{"pcl_guard_mkdir", "path_mkdir", PCL_PROGRAM_CONTAINED},
	{"pcl_guard_symlink", "path_symlink", PCL_PROGRAM_CONTAINED},
	{"pcl_guard_unlink", "path_unlink", PCL_PROGRAM_CONTAINED},
	{"pcl_guard_rmdir", "path_rmdir", PCL_PROGRAM_CONTAINED},
	{"pcl_guard_hardlink", "path_link", PCL_PROGRAM_CONTAINED},
	{"pcl_guard_rename", "path_rename", PCL_PROGRAM_CONTAINED},
	{"pcl_guard_chmod", "path_chmod", PCL_PROGRAM_CONTAINED},
	{"pcl_guard_umount", "sb_umount", PCL_PROGRAM_CONTAINED},
};
const size_t pcl_bpf_program_count = PCL_ARRAY_SIZE(pcl_bpf_programs);

/* --- opening --------------------------------------------------------------------------------- */

void pcl_pins_close(struct pcl_pins *pins)
{
	if (pins->control)
		munmap(pins->control, sizeof(*pins->control));
	if (pins->domains)
		munmap(pins->domains, sizeof(*pins->domains) * PCL_SLOTS * PCL_BPF_DOMAINS_MAX);
	if (pins->tallies)
		munmap(pins->tallies, sizeof(*pins->tallies) * PCL_BPF_DOMAINS_MAX);
	for (size_t i = 0; i < PCL_MAP_COUNT; i++)
		pcl_closep(&pins->map_fds[i]);
	pins->control = NULL;
	pins->domains = NULL;
	pins->tallies = NULL;
}

static void init_pins(struct pcl_pins *pins)
{
	memset(pins, 0, sizeof(*pins));
	for (size_t i = 0; i < PCL_MAP_COUNT; i++)
		pins->map_fds[i] = -1;
}

static void *map_memory(int fd, size_t len)
{
	void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Maps the arrays that are shared with the kernel. */
static int map_arrays(struct pcl_pins *pins, struct pcl_diag *diag)
{
	pins->control = map_memory(pins->map_fds[PCL_MAP_CONTROL], sizeof(*pins->control));
	pins->domains = map_memory(pins->map_fds[PCL_MAP_DOMAINS],
				   sizeof(*pins->domains) * PCL_SLOTS * PCL_BPF_DOMAINS_MAX);
	pins->tallies = map_memory(pins->map_fds[PCL_MAP_TALLIES],
				   sizeof(*pins->tallies) * PCL_BPF_DOMAINS_MAX);
	if (!pins->control || !pins->domains || !pins->tallies)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot map the control maps");
	return 0;
}

static int open_maps(struct pcl_pins *pins)
{
	char path[sizeof(MAP_DIR) + 32];

	for (size_t i = 0; i < PCL_MAP_COUNT; i++) {
		snprintf(path, sizeof(path), MAP_DIR "/%s", map_names[i]);
		pins->map_fds[i] = bpf_obj_get(path);
		if (pins->map_fds[i] < 0)
			return -errno;
	}
	return 0;
}

int pcl_pins_open(struct pcl_pins *pins, struct pcl_diag *diag)
{
	int error;

	init_pins(pins);
	error = open_maps(pins);
	if (error && error != -ENOENT)
		pcl_diag_errno(diag, error, "bpf_lsm: cannot open the pinned maps in " MAP_DIR);
	if (!error)
		error = map_arrays(pins, diag);
	/* First, for a load that was cut short may not have come to say its version. */
	if (!error && !pins->control->live)
		error = -ENOENT;
	if (!error && pins->control->abi != PCL_BPF_ABI)
		error = pcl_diag_set(diag, -EPROTO,
				     "bpf_lsm: what is applied was loaded by another version of "
				     "portcullis (ABI %u, this is %u); run its \"portcullis "
				     "remove\" first",
				     pins->control->abi, PCL_BPF_ABI);
	if (error)
		pcl_pins_close(pins);
	return error;
}

/* --- loading --------------------------------------------------------------------------------- */

static int make_dirs(struct pcl_diag *diag)
{
	static const char *const dirs[] = {PCL_PIN_DIR, MAP_DIR, PROGRAM_DIR, PCL_JUDGE_DIR,
					   LINK_DIR};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(dirs); i++)
		if (mkdir(dirs[i], 0700) < 0 && errno != EEXIST)
			return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot make %s", dirs[i]);
	return 0;
}

/* What is behind the variables of the programs (bpf/maps.h) has the name of its section there. */
static struct bpf_map *find_map(const struct bpf_object *object, size_t map)
{
	return bpf_object__find_map_by_name(object, map == PCL_MAP_CONTROL ? PCL_BPF_VARIABLES
									   : map_names[map]);
}

static int pin_maps(const struct bpf_object *object, struct pcl_diag *diag)
{
	char path[sizeof(MAP_DIR) + 32];

	for (size_t i = 0; i < PCL_MAP_COUNT; i++) {
		struct bpf_map *map = find_map(object, i);
		int error;

		snprintf(path, sizeof(path), MAP_DIR "/%s", map_names[i]);
		error = bpf_map__pin(map, path);
		if (error)
			return pcl_diag_errno(diag, error, "bpf_lsm: cannot pin %s", path);
		pcl_fault_point("load: a map is pinned");
	}
	return 0;
}

int pcl_pins_take(struct pcl_pins *ret_pins, const struct bpf_object *object, struct pcl_diag *diag)
{
	init_pins(ret_pins);
	for (size_t i = 0; i < PCL_MAP_COUNT; i++) {
		const struct bpf_map *map = find_map(object, i);

		ret_pins->map_fds[i] = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 3);
		if (ret_pins->map_fds[i] < 0)
			return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot keep the map %s",
					      map_names[i]);
	}
	return map_arrays(ret_pins, diag);
}

static int pin_programs(struct bpf_object *object, struct pcl_diag *diag)
{
	struct bpf_program *program;
	char path[sizeof(PROGRAM_DIR) + 64];
	int error;

	bpf_object__for_each_program(program, object)
	{
		if (!bpf_program__autoload(program))
			continue;
		snprintf(path, sizeof(path), PROGRAM_DIR "/%s", bpf_program__name(program));
		error = bpf_program__pin(program, path);
		if (error)
			return pcl_diag_errno(diag, error, "bpf_lsm: cannot pin %s", path);
		pcl_fault_point("load: a program is pinned");
	}
	return 0;
}

int pcl_pins_load(struct pcl_pins *pins, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_bpf_object_close) struct pcl_bpf_object object = {0};
	int error;

	init_pins(pins);
	error = pcl_bpf_object_open(&object, diag);
	if (!error)
		error = pcl_pins_remove(diag);
	if (!error)
		error = make_dirs(diag);
	pcl_fault_point("load: directories are made");
	if (error)
		return error;
	error = pcl_bpf_object_load(&object, diag);
	pcl_fault_point("load: programs are loaded");
	if (!error)
		error = pin_maps(object.hooks, diag);
	if (!error)
		error = pin_programs(object.hooks, diag);
	if (!error)
		error = pcl_judges_seat(&object, PCL_JUDGE_DIR, diag);
	if (!error)
		error = pcl_pins_take(pins, object.hooks, diag);
	if (!error) {
		struct pcl_socket_kinds kinds;

		pcl_socket_kinds_init(&kinds);
		pins->control->kinds = kinds.tables;
		pcl_fault_point("load: all is pinned");
		pins->control->abi = PCL_BPF_ABI;
		error = pcl_guard_prepare(pins, &object, diag);
	}
	if (!error)
		return 0;
	pcl_pins_close(pins);
	(void)pcl_pins_remove(NULL);
	return error;
}

/* --- loading one again ----------------------------------------------------------------------- */

/* Only the program of that name is to be loaded, with the maps that the others have. */
static int choose_one(const struct pcl_pins *pins, struct bpf_object *hooks, const char *name)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, hooks)
	{
		if (strcmp(bpf_program__name(program), name))
			(void)bpf_program__set_autoload(program, false);
	}
	for (size_t i = 0; i < PCL_MAP_COUNT; i++) {
		struct bpf_map *map = find_map(hooks, i);
		int error = bpf_map__reuse_fd(map, pins->map_fds[i]);

		if (error)
			return error;
	}
	return 0;
}

/* The new program is in place in one step: who is killed before it comes here again. */
static int replace_pin(const struct bpf_object *hooks, const char *name, struct pcl_diag *diag)
{
	static const char beside[] = PROGRAM_DIR "/new";
	const struct bpf_program *program = bpf_object__find_program_by_name(hooks, name);
	char path[sizeof(PROGRAM_DIR) + 64];

	snprintf(path, sizeof(path), PROGRAM_DIR "/%s", name);
	if (unlink(beside) < 0 && errno != ENOENT)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot remove %s", beside);
	if (bpf_obj_pin(bpf_program__fd(program), beside) < 0 || rename(beside, path) < 0)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot pin %s", path);
	return 0;
}

/*
 * KERNEL: before 5.13 an LSM program that was detached is never attached again (ENOENT). An apply
 * that was killed between attaching and pinning leaves such a program.
 */
static int load_again(const struct pcl_pins *pins, const char *name, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_bpf_object_close) struct pcl_bpf_object object = {0};
	int error = pcl_bpf_object_open(&object, diag);

	if (error)
		return error;
	error = choose_one(pins, object.hooks, name);
	if (error)
		return pcl_diag_errno(diag, error, "bpf_lsm: cannot share the maps");
	error = pcl_bpf_object_load(&object, diag);
	if (!error)
		error = pcl_judges_unseat(name, PCL_JUDGE_DIR, diag);
	if (!error)
		error = pcl_judges_seat(&object, PCL_JUDGE_DIR, diag);
	if (!error)
		error = pcl_guard_prepare(pins, &object, diag);
	pcl_fault_point("bpf: a program is loaded again");
	return error ? error : replace_pin(object.hooks, name, diag);
}

/* --- attaching ------------------------------------------------------------------------------- */

bool pcl_pins_attached(const struct pcl_bpf_program_info *program)
{
	char path[sizeof(LINK_DIR) + 64];

	snprintf(path, sizeof(path), LINK_DIR "/%s", program->name);
	return access(path, F_OK) == 0;
}

int pcl_pins_link(const struct pcl_bpf_program_info *program)
{
	char path[sizeof(LINK_DIR) + 64];
	int fd;

	snprintf(path, sizeof(path), LINK_DIR "/%s", program->name);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

/*
 * KERNEL: for LSM programs too the raw tracepoint call makes the link, on every kernel; of both the
 * program knows where it belongs. One of a cgroup sees what all below send, in their namespaces.
 */
static int link_program(const struct pcl_bpf_program_info *program, int program_fd,
			struct pcl_diag *diag)
{
	pcl_autoclose int cgroup_fd = -1;
	int fd;

	if (program->needed_by & PCL_PROGRAM_CGROUP) {
		cgroup_fd = pcl_cgroup_open_root(diag);
		if (cgroup_fd < 0)
			return cgroup_fd;
		fd = bpf_link_create(program_fd, cgroup_fd, BPF_CGROUP_INET_EGRESS, NULL);
	} else {
		fd = bpf_raw_tracepoint_open(NULL, program_fd);
	}
	return fd < 0 ? pcl_diag_errno(diag, -errno, "bpf_lsm: cannot attach to %s", program->hook)
		      : fd;
}

static int link_pinned(const struct pcl_bpf_program_info *program, const char *path,
		       struct pcl_diag *diag)
{
	pcl_autoclose int program_fd = bpf_obj_get(path);

	if (program_fd < 0)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot open %s", path);
	return link_program(program, program_fd, diag);
}

int pcl_pins_attach(const struct pcl_pins *pins, const struct pcl_bpf_program_info *program,
		    struct pcl_diag *diag)
{
	char path[sizeof(PROGRAM_DIR) + 64];
	pcl_autoclose int link_fd = -1;

	if (pcl_pins_attached(program))
		return 0;
	if (pcl_fault_fails("bpf: attach a program", diag))
		return -ENOMEM;
	snprintf(path, sizeof(path), PROGRAM_DIR "/%s", program->name);
	if ((program->needed_by & PCL_PROGRAM_OPTIONAL) && access(path, F_OK) < 0)
		return 0;
	link_fd = link_pinned(program, path, diag);
	if (link_fd == -ENOENT && !(program->needed_by & PCL_PROGRAM_CGROUP)) {
		int error = load_again(pins, program->name, diag);

		if (error)
			return error;
		link_fd = link_pinned(program, path, diag);
	}
	if (link_fd < 0)
		return link_fd;
	snprintf(path, sizeof(path), LINK_DIR "/%s", program->name);
	pcl_fault_point("bpf: a program is attached");
	if (bpf_obj_pin(link_fd, path) < 0)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot pin %s", path);
	pcl_fault_point("bpf: a link is pinned");
	return 0;
}

void pcl_pins_detach(const struct pcl_bpf_program_info *program)
{
	char path[sizeof(LINK_DIR) + 64];

	/*
	 * KERNEL: before 5.13 an LSM program that was detached is never attached again (ENOENT).
	 * There it stays, and permits early, since no domain has rules of its class.
	 */
	if (!(program->needed_by & (PCL_PROGRAM_TRACEPOINT | PCL_PROGRAM_CGROUP)) &&
	    access(PROGRAM_DIR "/" OLD_ONLY, F_OK) == 0)
		return;
	snprintf(path, sizeof(path), LINK_DIR "/%s", program->name);
	(void)unlink(path);
}

/* --- removing -------------------------------------------------------------------------------- */

static int empty_dir(const char *dir, struct pcl_diag *diag)
{
	pcl_autoclosedir DIR *stream = opendir(dir);
	struct dirent *entry;

	if (!stream)
		return errno == ENOENT ? 0 : pcl_diag_errno(diag, -errno, "cannot open %s", dir);
	while ((entry = readdir(stream))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(dirfd(stream), entry->d_name, 0) < 0 && errno != ENOENT)
			return pcl_diag_errno(diag, -errno, "cannot remove %s/%s", dir,
					      entry->d_name);
		pcl_fault_point(dir);
	}
	if (rmdir(dir) < 0 && errno != ENOENT)
		return pcl_diag_errno(diag, -errno, "cannot remove %s", dir);
	return 0;
}

/*
 * From the store on every program that begins permits, whichever of them are still attached. Those
 * that run already want their judges until they end: to take the fence away waits for them
 * (bpf/maps.h), as to write it does.
 */
static void stand_down(void)
{
	pcl_autoclose int fd = bpf_obj_get(MAP_DIR "/control");
	pcl_autoclose int tries_fd = bpf_obj_get(MAP_DIR "/tries");
	struct pcl_bpf_control *control = fd < 0 ? NULL : map_memory(fd, sizeof(*control));
	const __u32 fence = PCL_SLOTS;

	if (!control)
		return;
	__atomic_store_n(&control->live, 0, __ATOMIC_RELEASE);
	(void)bpf_map_delete_elem(tries_fd, &fence);
	munmap(control, sizeof(*control));
}

int pcl_pins_remove(struct pcl_diag *diag)
{
	int error;

	stand_down();
	pcl_fault_point("remove: everything permits");
	error = empty_dir(LINK_DIR, diag);
	pcl_fault_point("remove: links are gone");
	if (!error)
		error = empty_dir(PCL_JUDGE_DIR, diag);
	if (!error)
		error = empty_dir(PROGRAM_DIR, diag);
	pcl_fault_point("remove: programs are gone");
	if (!error)
		error = empty_dir(MAP_DIR, diag);
	pcl_fault_point("remove: maps are gone");
	if (!error && rmdir(PCL_PIN_DIR) < 0 && errno != ENOENT)
		error = pcl_diag_errno(diag, -errno, "cannot remove " PCL_PIN_DIR);
	return error;
}
