/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An alert, made where the decision is made and from the same match. Never
 * changes a decision: when the buffer is full the alert is counted as lost, and when a rule has
 * more of them than its rate, as suppressed.
 */
#ifndef PCL_BPF_EVENT_H
#define PCL_BPF_EVENT_H

#include "path.h"

enum pcl_emit_to {
	EMIT_OBJECT,
	EMIT_SOURCE,
	EMIT_CWD,
};

struct pcl_emit {
	struct pcl_task *task;
	struct pcl_bpf_event *event;
	__u32 to; /* enum pcl_emit_to */
};

/* Puts one name behind the others of text; ends the walk where there is no room. */
#define EMIT_NAME(event, name, text, len, max, cut)                                                \
	({                                                                                         \
		__u32 at_ = (event)->len;                                                          \
		long written_ = 0;                                                                 \
                                                                                                   \
		if (at_ < (max))                                                                   \
			written_ = bpf_probe_read_kernel_str(&(event)->text[at_],                  \
							     PCL_EVENT_NAME_MAX, name);            \
		else                                                                               \
			(event)->flags |= (cut);                                                   \
		(event)->len = at_ + (written_ > 0 ? (__u32)written_ : 0);                         \
		at_ >= (max);                                                                      \
	})

static long emit_step(__u32 i, struct pcl_emit *emit)
{
	struct pcl_bpf_event *event = emit->event;
	__u64 component = walk_on(&emit->task->walk, NULL);
	const void *name;

	if (!component)
		return emit->task->walk.end != WALK_GOING;
	name = READ_FIELD(struct dentry, component, d_name.name);
	if (emit->to == EMIT_SOURCE)
		return EMIT_NAME(event, name, source, source_len, PCL_EVENT_SOURCE_MAX,
				 PCL_EVENT_SOURCE_CUT);
	if (emit->to == EMIT_CWD)
		return EMIT_NAME(event, name, cwd, cwd_len, PCL_EVENT_CWD_MAX, PCL_EVENT_CWD_CUT);
	return EMIT_NAME(event, name, object, object_len, PCL_EVENT_OBJECT_MAX,
			 PCL_EVENT_OBJECT_CUT);
}

#ifdef PCL_OLD_KERNEL

/* Rounds of the loop that is verified once for the three paths of an alert. */
#define EMIT_ROUNDS 16u

/* Some steps of a path; whether they were the last. */
__noinline int emit_part(__u32 to)
{
	__u64 key = bpf_get_current_task();
	struct pcl_emit emit = {
		.event = bpf_map_lookup_elem(&drafts, &key),
		.task = task_state(current_task()),
		.to = to,
	};
	__u32 i;

	if (!emit.event || !emit.task)
		return 1;
	for (i = 0; i < EMIT_ROUNDS; i++)
		if (emit_step(i, &emit))
			return 1;
	return 0;
}

static long emit_parts(__u32 i, __u32 *to)
{
	return emit_part(*to);
}

/* As below. */
static __always_inline void emit_path(struct pcl_bpf_event *event, struct pcl_task *task,
				      const struct pcl_object *object, __u32 to)
{
	walk_init(task, object, ~0u);
	LOOP(PCL_LOOP_ROUNDS, emit_parts, &to);
	/* The loops ended before the path did. */
	if (task->walk.end == WALK_GOING)
		event->flags |= to == EMIT_SOURCE ? PCL_EVENT_SOURCE_CUT
				: to == EMIT_CWD  ? PCL_EVENT_CWD_CUT
						  : PCL_EVENT_OBJECT_CUT;
}

#else

/* Writes the components of a path, leaf first, into the event. */
__noinline int emit_path(struct pcl_bpf_event *event, struct pcl_task *task,
			 const struct pcl_object *object, __u32 to)
{
	struct pcl_emit emit = {.event = event, .task = task, .to = to};

	if (!event || !task || !object)
		return 0;
	walk_init(task, object, ~0u);
	LOOP(PCL_WALK_STEPS, emit_step, &emit);
	return 0;
}

#endif

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

static __always_inline bool cwd_of(struct task_struct *task, struct pcl_object *ret_cwd)
{
	ret_cwd->dentry = (__u64)BPF_CORE_READ(task, fs, pwd.dentry);
	ret_cwd->mnt = (__u64)BPF_CORE_READ(task, fs, pwd.mnt);
	return ret_cwd->dentry && ret_cwd->mnt;
}

/* The number that a task's own pid namespace has for its thread group. */
static __always_inline __u32 number_in_ns(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level), number = 0;

	bpf_core_read(&number, sizeof(number), &pid->numbers[level].nr);
	return number;
}

static __always_inline void fill_task(struct pcl_bpf_event *event, struct task_struct *task)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();

	event->time_ns = bpf_ktime_get_boot_ns();
	event->pid = (__u32)pid_tgid;
	event->tgid = pid_tgid >> 32;
	event->ppid = GET2(task, real_parent, tgid);
	event->uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event->pid_in_ns = number_in_ns(task);
	event->ppid_in_ns = number_in_ns(GET(task, real_parent));
}

/* --- how many --------------------------------------------------------------------------------- */

#define NS_PER_SECOND 1000000000ULL

static __always_inline void fill_bucket(struct pcl_bpf_bucket *bucket, __u64 now)
{
	__u64 waited = now - bucket->filled_ns, earned;
	__u32 burst = resident.control.alert_burst, rate = resident.control.alert_rate;

	/* So long ago that it is full; also keeps the product below from running over. */
	if (waited > 60 * NS_PER_SECOND) {
		bucket->tokens = burst;
		bucket->filled_ns = now;
		return;
	}
	earned = waited * rate / NS_PER_SECOND;
	if (!earned)
		return;
	bucket->filled_ns += earned * NS_PER_SECOND / rate;
	earned += bucket->tokens;
	bucket->tokens = earned > burst ? burst : (__u32)earned;
}

/*
 * Whether an alert of this rule may be sent; then ret_suppressed is how many before it were not.
 * Two CPUs may take one token: a bucket need not be exact, what is counted is.
 */
static __always_inline bool take_token(const struct pcl_alert *alert, __u32 *ret_suppressed)
{
	__u64 key = (__u64)alert->domain << 32 | alert->rule, now = bpf_ktime_get_boot_ns();
	struct pcl_bpf_bucket fresh = {.filled_ns = now, .tokens = resident.control.alert_burst};
	struct pcl_bpf_bucket *bucket;

	if (!resident.control.alert_rate)
		return true;
	bucket = bpf_map_lookup_elem(&buckets, &key);
	if (!bucket) {
		bpf_map_update_elem(&buckets, &key, &fresh, BPF_NOEXIST);
		bucket = bpf_map_lookup_elem(&buckets, &key);
	}
	if (!bucket)
		return true;
	fill_bucket(bucket, now);
	if (!bucket->tokens) {
		__sync_fetch_and_add(&bucket->suppressed, 1);
		return false;
	}
	bucket->tokens--;
	*ret_suppressed = bucket->suppressed;
	bucket->suppressed = 0;
	return true;
}

/* --- sending ---------------------------------------------------------------------------------- */

static __always_inline void fill_event(struct pcl_bpf_event *event, const struct pcl_alert *alert,
				       struct pcl_task *state)
{
	struct task_struct *task = current_task();
	struct pcl_object place;

	event->generation = alert->generation;
	event->rule = alert->rule;
	event->domain = alert->domain;
	event->flags = alert->flags;
	event->hook = alert->hook;
	event->access = alert->access;
	event->object_len = 0;
	event->source_len = 0;
	event->cwd_len = 0;
	fill_task(event, task);
	event->detail = state->detail;
	if (alert->object.dentry)
		emit_path(event, state, &alert->object, EMIT_OBJECT);
	if (executable_of(task, &place))
		emit_path(event, state, &place, EMIT_SOURCE);
	if (cwd_of(task, &place))
		emit_path(event, state, &place, EMIT_CWD);
}

/* 0, or not where there is no room for it. */
#ifdef PCL_OLD_KERNEL
static __always_inline long write_event(const struct pcl_alert *alert, struct pcl_task *state,
					__u32 suppressed)
{
	struct pcl_bpf_event *event, *fresh;
	__u64 key = bpf_get_current_task();
	__u32 zero = 0;
	long error = -1;

	fresh = bpf_map_lookup_elem(&blank_event, &zero);
	if (!fresh || bpf_map_update_elem(&drafts, &key, fresh, BPF_ANY))
		return -1;
	event = bpf_map_lookup_elem(&drafts, &key);
	if (event) {
		event->suppressed = suppressed;
		fill_event(event, alert, state);
		error = bpf_ringbuf_output(&events, event, sizeof(*event), 0);
	}
	bpf_map_delete_elem(&drafts, &key);
	return error;
}
#else
static __always_inline long write_event(const struct pcl_alert *alert, struct pcl_task *state,
					__u32 suppressed)
{
	struct pcl_bpf_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return -1;
	event->suppressed = suppressed;
	fill_event(event, alert, state);
	bpf_ringbuf_submit(event, 0);
	return 0;
}
#endif

/* Each alert is counted once: sent, lost or suppressed. */
static __always_inline int make_alert(const struct pcl_alert *alert, struct pcl_task *state)
{
	__u32 domain = alert->domain, suppressed = 0;
	struct pcl_bpf_tally *tally = bpf_map_lookup_elem(&tallies, &domain);

	if (!tally)
		return 0;
	if (!take_token(alert, &suppressed)) {
		__sync_fetch_and_add(&tally->suppressed, 1);
		return 0;
	}
	if (!write_event(alert, state, suppressed))
		__sync_fetch_and_add(&tally->sent, 1);
	else
		__sync_fetch_and_add(&tally->lost, 1);
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
