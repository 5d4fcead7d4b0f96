/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An alert, made where the decision is made and from the same match. Never
 * changes a decision: when the buffer is full the alert is counted as lost.
 */
#ifndef PCL_BPF_EVENT_H
#define PCL_BPF_EVENT_H

#include "path.h"

struct pcl_emit {
	struct pcl_task *task;
	struct pcl_bpf_event *event;
	__u32 source; /* into event->source, else event->object */
};

static long emit_step(__u32 i, struct pcl_emit *emit)
{
	struct pcl_bpf_event *event = emit->event;
	struct pcl_walk *walk = &emit->task->walk;
	__u64 component = walk_next(walk, NULL);
	const void *name;
	long written;
	__u32 at;

	if (!component)
		return walk->end != WALK_GOING;
	name = READ_FIELD(struct dentry, component, d_name.name);
	if (emit->source) {
		at = event->source_len;
		if (at >= PCL_EVENT_SOURCE_MAX) {
			event->flags |= PCL_EVENT_SOURCE_CUT;
			return 1;
		}
		written = bpf_probe_read_kernel_str(&event->source[at], PCL_EVENT_NAME_MAX, name);
		event->source_len = at + (written > 0 ? (__u32)written : 0);
	} else {
		at = event->object_len;
		if (at >= PCL_EVENT_OBJECT_MAX) {
			event->flags |= PCL_EVENT_OBJECT_CUT;
			return 1;
		}
		written = bpf_probe_read_kernel_str(&event->object[at], PCL_EVENT_NAME_MAX, name);
		event->object_len = at + (written > 0 ? (__u32)written : 0);
	}
	return 0;
}

/* Writes the components of a path, leaf first, into the event. */
GLOBAL int emit_path(struct pcl_bpf_event *event, struct pcl_task *task,
		     const struct pcl_object *object, __u32 source)
{
	struct pcl_emit emit = {.event = event, .task = task, .source = source};

	if (!event || !task || !object)
		return 0;
	walk_init(task, object, ~0u);
	LOOP(PCL_WALK_STEPS, emit_step, &emit);
	return 0;
}

/* Where the program lies that task runs; false where it runs none (a kernel thread, an exiting
 * task). */
static __always_inline bool executable_of(struct task_struct *task, struct pcl_object *ret_exe)
{
	__u64 exe = (__u64)BPF_CORE_READ(task, mm, exe_file);

	if (!exe)
		return false;
	ret_exe->dentry = (__u64)READ_FIELD(struct file, exe, f_path.dentry);
	ret_exe->mnt = (__u64)READ_FIELD(struct file, exe, f_path.mnt);
	return true;
}

static __always_inline void fill_task(struct pcl_bpf_event *event, struct task_struct *task)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);

	event->time_ns = bpf_ktime_get_boot_ns();
	event->pid = (__u32)pid_tgid;
	event->tgid = pid_tgid >> 32;
	event->ppid = GET2(task, real_parent, tgid);
	event->uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event->pid_in_ns = 0;
	bpf_core_read(&event->pid_in_ns, sizeof(event->pid_in_ns), &pid->numbers[level].nr);
}

static __always_inline int make_alert(const struct pcl_alert *alert, struct pcl_task *state)
{
	struct pcl_bpf_control *ctl = pcl_control();
	struct task_struct *task = current_task();
	struct pcl_bpf_event *event;
	struct pcl_object exe;

	if (!ctl)
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&ctl->dropped, 1);
		return 0;
	}
	event->generation = alert->generation;
	event->rule = alert->rule;
	event->domain = alert->domain;
	event->flags = alert->flags;
	event->hook = alert->hook;
	event->access = alert->access;
	event->object_len = 0;
	event->source_len = 0;
	fill_task(event, task);
	emit_path(event, state, &alert->object, 0);
	if (executable_of(task, &exe))
		emit_path(event, state, &exe, 1);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

#ifdef PCL_OLD_KERNEL
__noinline int send_parked_alert(void)
{
	struct pcl_task *state = task_state(current_task());

	return state ? make_alert(&state->alert, state) : 0;
}

static __always_inline int send_alert(const struct pcl_alert *alert, struct pcl_task *state)
{
	state->alert = *alert;
	return send_parked_alert();
}
#else
__noinline int send_alert(const struct pcl_alert *alert, struct pcl_task *state)
{
	return alert && state ? make_alert(alert, state) : 0;
}
#endif

#endif
