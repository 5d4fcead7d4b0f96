/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's side of the harness: process 1 of every test VM, one static program.
 *
 * It mounts what a system needs, loads the target's modules, opens the one channel to the host and
 * then serves requests, one at a time, until it is told to power off. It must never die (that would
 * be a kernel panic and be taken for one), never wait for ever on a child, and never decide what a
 * result means: it reports what happened, the host judges.
 */
#ifndef AGT_AGENT_H
#define AGT_AGENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/diag.h"

/* Where the modules' image puts them: file names, one a line, in the order of loading. */
#define AGT_MODULE_DIR "/usr/lib/modules/gauntlet"
#define AGT_MODULE_LIST AGT_MODULE_DIR "/load"

/* A file that travels in a frame, or is digested: what the largest frame can hold as base64. */
#define AGT_FILE_MAX (5u << 20)

/* One operation: reads the request, adds to the reply. 0, or a negative errno with diag. */
typedef int (*agt_operation_fn)(const json_t *request, json_t *reply, struct pcl_diag *diag);

/* setup.c: everything between the kernel's exec of /init and the first request. */
void agt_setup_mounts(void);
void agt_setup_modules(void);
/* Instead of both, where a distribution's init has set up the system: only this process. */
void agt_setup_service(void);
/* Whether the kernel's command line has this word; with a value, ret_value (owned) gets it. */
bool agt_setup_word(const char *name, char **ret_value);
/* Facts about this guest for the hello, a new object. */
json_t *agt_setup_hello(void);

/* target.c: what this guest is to be, as the target's manifest says; it travels in the initramfs.
 */
#define AGT_TARGET_PATH "/target.json"
void agt_target_load(void);
/* Whether the manifest mounts path itself, so that the usual mount is not wanted. */
bool agt_target_mounts(const char *path);
bool agt_target_has_bpffs(void);
bool agt_target_is_v1(void);
/* Mounts, control groups, the root file system. What failed is told in the hello. */
void agt_target_setup(void);
/* Lines of text, one for each thing that could not be set up; a new array. */
json_t *agt_target_failures(void);
/*
 * On a read-only root: opens it for an operation of a case's own setup, and closes it again; files
 * put in between are as if they had come with the image. 0 or a negative errno.
 */
bool agt_target_root_is_closed(void);
int agt_target_root_open(void);
int agt_target_root_close(void);

/* facts.c: what this guest has, for the hello; a new object. */
json_t *agt_facts(void);

/* selinux.c: false where SELinux is not active. */
bool agt_selinux_mount(void);
/* 0, or a negative errno and what failed. */
int agt_selinux_load(bool enforcing, const char **ret_step);

/* cgroup.c */
#define AGT_CGROUPS_MAX 16
struct agt_cgroup_door {
	int fds[AGT_CGROUPS_MAX]; /* cgroup.procs of each hierarchy */
	size_t count;
};
int agt_cgroup_setup_v1(void);
void agt_cgroup_setup_v2(void);
bool agt_cgroup_is_v1(void);
/* Where the v2 hierarchy has it; a borrowed buffer. */
const char *agt_cgroup_path(const char *name, char *buffer, size_t size);
/* A new group in every hierarchy; each is 0 or a negative errno. */
int agt_cgroup_make(const char *name);
int agt_cgroup_remove(const char *name);
void agt_cgroup_kill(const char *name);
int agt_cgroup_open(const char *name, struct agt_cgroup_door *ret_door);
void agt_cgroup_close(struct agt_cgroup_door *door);
/* In a child: async-signal-safe. */
int agt_cgroup_join(const struct agt_cgroup_door *door);

/* child.c: process 1 reaps everything, so waiting for one child is done here and nowhere else. */
void agt_child_init(void);
/* A descriptor that polls readable when some child ended. */
int agt_child_fd(void);
/* Reaps all that ended; true, with the wait status, if pid was among them now or before. */
bool agt_child_reap(pid_t pid, int *ret_status);
/* From now on the status of pid is kept until agt_child_reap() tells it. */
int agt_child_watch(pid_t pid);
void agt_child_forget(pid_t pid);
/* In a new child: the signal mask that programs expect. */
void agt_child_reset_signals(void);

/* channel.c: frames of 4 bytes little-endian length and JSON. */
/* kind "serial" or "virtio"; NULL: as the kernel's command line says. */
int agt_channel_open(const char *kind, int *ret_fd, struct pcl_diag *diag);
/* 0 and a new object, -ENODATA when the host is gone, -EBADMSG with diag for a frame to refuse. */
int agt_channel_receive(int fd, json_t **ret_message, struct pcl_diag *diag);
/* From any thread; a frame is never cut by another. */
int agt_channel_send(int fd, const json_t *message);

/* plan.c: what the host asks before there is a channel; a JSON array of requests. */
#define AGT_PLAN_PATH "/plan.json"
/* Serves the plan in order and returns the replies (a new array), or NULL without a plan. */
json_t *agt_plan_run(json_t *(*serve)(const json_t *request));

/* text.c */
/* A JSON string of any bytes: what is no UTF-8 becomes U+FFFD. */
json_t *agt_text_json(const char *data, size_t data_len);
int agt_text_to_base64(const void *data, size_t data_len, char **ret_text);
int agt_text_from_base64(const char *text, void **ret_data, size_t *ret_data_len);
/* A required string member of the request. */
int agt_text_member(const json_t *request, const char *key, const char **ret_text,
		    struct pcl_diag *diag);
/* An optional number or octal string ("0644") member; fallback when it is not there. */
int agt_text_mode(const json_t *request, mode_t fallback, mode_t *ret_mode, struct pcl_diag *diag);

/* sha256.c */
#define AGT_SHA256_LEN 32
int agt_sha256_fd(int fd, uint8_t digest[AGT_SHA256_LEN]);

/* exec.c */
int agt_exec(const json_t *request, json_t *reply, struct pcl_diag *diag);

/* files.c */
int agt_put(const json_t *request, json_t *reply, struct pcl_diag *diag);
int agt_get(const json_t *request, json_t *reply, struct pcl_diag *diag);
int agt_mkdir(const json_t *request, json_t *reply, struct pcl_diag *diag);
int agt_unlink(const json_t *request, json_t *reply, struct pcl_diag *diag);
int agt_copy(const json_t *request, json_t *reply, struct pcl_diag *diag);
int agt_stat(const json_t *request, json_t *reply, struct pcl_diag *diag);
/* Also for containers: makes the directory and its parents; one that exists is fine. */
int agt_files_mkdirs(const char *path, mode_t mode);
/* Copies a regular file; whatever is at the target, a symbolic link too, is replaced. */
int agt_files_copy(const char *from, const char *to, mode_t mode);

/* beat.c: frames {"beat": MS} from a thread of their own; MS is how long the request under way
 * takes so far, 0 for none. */
void agt_beat_start(int channel_fd);
void agt_beat_busy(bool busy);
void agt_beat_mute(void);

/* health.c: marks in the kernel's log, and what the kernel says of itself. */
void agt_health_init(void);
int agt_mark(const json_t *request, json_t *reply, struct pcl_diag *diag);
/* /proc/sys/kernel/tainted, or -1 where it cannot be read. */
json_int_t agt_health_tainted(void);

/* container.c */
int agt_container_start(const json_t *request, json_t *reply, struct pcl_diag *diag);
int agt_container_stop(const json_t *request, json_t *reply, struct pcl_diag *diag);

/* What a child must know to enter a container; opened by the agent before the fork. */
struct agt_container_door {
	struct agt_cgroup_door cgroup;
	int root_fd;  /* /proc/PID/root */
	int ns_fd[4]; /* pid, mnt, ipc, uts */
};
#define AGT_CONTAINER_DOOR_CLOSED                                                                  \
	{                                                                                          \
		.root_fd = -1, .ns_fd = { -1, -1, -1, -1 }                                         \
	}

int agt_container_open_door(const char *name, struct agt_container_door *ret_door,
			    struct pcl_diag *diag);
void agt_container_close_door(struct agt_container_door *door);
/*
 * In a child: joins the cgroup, then the namespaces, then the root. The pid namespace is that of
 * the next child only. 0 or a negative errno; *ret_step names what failed.
 */
int agt_container_enter(const struct agt_container_door *door, const char **ret_step);

/* shell.c: the interactive shell on the console; returns when it ended. */
void agt_shell_run(void);

#endif
