/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts from the ring buffer. The place up to which it was read is kept by the kernel with the
 * pinned map, so a reader that comes later goes on where the last one stopped.
 */
#include "backend/bpf_lsm_events.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "backend/bpf_lsm_pins.h"
#include "base/cleanup.h"

static const char *const hook_names[] = {
	[PCL_HOOK_BPRM_CHECK] = "BPRM_CHECK_SECURITY",
	[PCL_HOOK_FILE_OPEN] = "FILE_OPEN",
	[PCL_HOOK_TRUNCATE] = "PATH_TRUNCATE",
	[PCL_HOOK_MKNOD] = "PATH_MKNOD",
	[PCL_HOOK_MKDIR] = "PATH_MKDIR",
	[PCL_HOOK_SYMLINK] = "PATH_SYMLINK",
	[PCL_HOOK_UNLINK] = "PATH_UNLINK",
	[PCL_HOOK_RMDIR] = "PATH_RMDIR",
	[PCL_HOOK_LINK] = "PATH_LINK",
	[PCL_HOOK_RENAME] = "PATH_RENAME",
	[PCL_HOOK_CHMOD] = "PATH_CHMOD",
	[PCL_HOOK_CHOWN] = "PATH_CHOWN",
	[PCL_HOOK_FILE_PERMISSION] = "FILE_PERMISSION",
	[PCL_HOOK_FILE_RECEIVE] = "FILE_RECEIVE",
	[PCL_HOOK_FILE_TRUNCATE] = "FILE_TRUNCATE",
	[PCL_HOOK_MMAP_FILE] = "MMAP_FILE",
	[PCL_HOOK_FILE_MPROTECT] = "FILE_MPROTECT",
	[PCL_HOOK_SETXATTR] = "INODE_SETXATTR",
	[PCL_HOOK_SETATTR] = "INODE_SETATTR",
	[PCL_HOOK_FILE_IOCTL] = "FILE_IOCTL",
	[PCL_HOOK_SOCKET_CREATE] = "SOCKET_CREATE",
	[PCL_HOOK_SOCKET_CONNECT] = "SOCKET_CONNECT",
	[PCL_HOOK_SOCKET_BIND] = "SOCKET_BIND",
	[PCL_HOOK_SOCKET_LISTEN] = "SOCKET_LISTEN",
	[PCL_HOOK_SOCKET_ACCEPT] = "SOCKET_ACCEPT",
	[PCL_HOOK_SOCKET_SENDMSG] = "SOCKET_SENDMSG",
	[PCL_HOOK_SOCKET_RECVMSG] = "SOCKET_RECVMSG",
	[PCL_HOOK_CAPABLE] = "CAPABLE",
	[PCL_HOOK_MOUNT] = "SB_MOUNT",
	[PCL_HOOK_MOVE_MOUNT] = "MOVE_MOUNT",
	[PCL_HOOK_UMOUNT] = "SB_UMOUNT",
	[PCL_HOOK_PIVOT_ROOT] = "SB_PIVOTROOT",
	[PCL_HOOK_SYS_ENTER] = "SYS_ENTER",
	[PCL_HOOK_EGRESS] = "CGROUP_SKB_EGRESS",
};
_Static_assert(PCL_ARRAY_SIZE(hook_names) == PCL_HOOK_COUNT, "a hook without a name");

struct reader {
	pcl_event_fn fn;
	void *context;
	uint64_t boot_to_utc_ns;
	char object[PCL_EVENT_TEXT_MAX];
	char source[PCL_EVENT_TEXT_MAX];
	char cwd[PCL_EVENT_TEXT_MAX];
	int result;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/*
 * What makes a time since boot one of the day. Who is interrupted between the two readings is off
 * by as much, so the closest of some counts.
 */
static uint64_t boot_to_utc(void)
{
	uint64_t offset = 0, closest = UINT64_MAX;

	for (int i = 0; i < 16; i++) {
		uint64_t before = now_ns(CLOCK_BOOTTIME), utc = now_ns(CLOCK_REALTIME);
		uint64_t between = now_ns(CLOCK_BOOTTIME) - before;

		if (between >= closest)
			continue;
		closest = between;
		offset = utc - before - between / 2;
	}
	return offset;
}

void pcl_bpf_event_path(const char *components, size_t len, bool rooted, char *ret_text)
{
	char *to = ret_text;

	if (!len && rooted)
		*to++ = '/';
	while (len) {
		size_t from = len - 1;

		/* Each component ends at a NUL; look for the one before. */
		while (from && components[from - 1])
			from--;
		if (rooted || to != ret_text)
			*to++ = '/';
		memcpy(to, components + from, len - 1 - from);
		to += len - 1 - from;
		len = from;
	}
	*to = '\0';
}

static unsigned flags_of(const struct pcl_bpf_event *raw)
{
	unsigned flags = 0;

	if (raw->flags & PCL_EVENT_REFUSED)
		flags |= PCL_EVENT_REFUSAL;
	if (raw->flags & PCL_EVENT_NAMELESS)
		flags |= PCL_EVENT_NO_NAME;
	if (raw->flags & PCL_EVENT_UNKNOWN)
		flags |= PCL_EVENT_NO_PATH;
	if (raw->flags & PCL_EVENT_BELOW)
		flags |= PCL_EVENT_RULE_BELOW;
	if (raw->flags & (PCL_EVENT_OBJECT_CUT | PCL_EVENT_SOURCE_CUT))
		flags |= PCL_EVENT_TRUNCATED;
	return flags;
}

static size_t at_most(size_t len, size_t max)
{
	return len < max ? len : max;
}

static int take_event(void *context, void *data, size_t len)
{
	struct reader *reader = context;
	const struct pcl_bpf_event *raw = data;
	char comm[PCL_EVENT_COMM_LEN + 1] = "";
	struct pcl_event event;

	if (len < sizeof(*raw) || raw->hook >= PCL_HOOK_COUNT || raw->access >= PCL_ACCESS_COUNT)
		return 0;
	memcpy(comm, raw->comm, PCL_EVENT_COMM_LEN);
	if (raw->access < PCL_BPF_ACCESS_COUNT)
		pcl_bpf_event_path(raw->object, at_most(raw->object_len, sizeof(raw->object)),
				   !(raw->flags & (PCL_EVENT_NAMELESS | PCL_EVENT_OBJECT_CUT)),
				   reader->object);
	else
		pcl_bpf_event_detail(raw, reader->object);
	pcl_bpf_event_path(raw->source, at_most(raw->source_len, sizeof(raw->source)),
			   raw->source_len && !(raw->flags & PCL_EVENT_SOURCE_CUT), reader->source);
	pcl_bpf_event_path(raw->cwd, at_most(raw->cwd_len, sizeof(raw->cwd)),
			   !(raw->flags & PCL_EVENT_CWD_CUT), reader->cwd);
	event = (struct pcl_event){
		.time_ns = raw->time_ns + reader->boot_to_utc_ns,
		.generation = raw->generation,
		.rule = raw->rule,
		.domain = raw->domain,
		.flags = flags_of(raw),
		.access = (enum pcl_access)raw->access,
		.hook = hook_names[raw->hook],
		.pid = raw->tgid,
		.ppid = raw->ppid,
		.uid = raw->uid,
		.pid_in_domain = raw->pid_in_ns,
		.ppid_in_domain = raw->ppid_in_ns,
		.suppressed = raw->suppressed,
		.comm = comm,
		.object = reader->object,
		.source = reader->source,
		.cwd = reader->cwd,
	};
	reader->result = reader->fn(&event, reader->context);
	/* libbpf stops at a negative value only. */
	return reader->result ? -ECANCELED : 0;
}

static void free_ring(struct ring_buffer **ring)
{
	ring_buffer__free(*ring);
}

int pcl_bpf_events_read(int timeout_ms, pcl_event_fn fn, void *context, struct pcl_diag *diag)
{
	pcl_cleanup(free_ring) struct ring_buffer *ring = NULL;
	pcl_cleanup(pcl_pins_close) struct pcl_pins pins;
	struct reader reader = {.fn = fn, .context = context};
	int got = pcl_pins_open(&pins, diag);

	if (got)
		return got == -ENOENT ? 0 : got;
	reader.boot_to_utc_ns = boot_to_utc();
	ring = ring_buffer__new(pins.map_fds[PCL_MAP_EVENTS], take_event, &reader, NULL);
	if (!ring)
		return pcl_diag_errno(diag, -errno, "bpf_lsm: cannot read the events");
	/* What is there already makes no poll wake up. */
	got = ring_buffer__consume(ring);
	while (got >= 0 && !reader.result) {
		got = ring_buffer__poll(ring, timeout_ms);
		if (got == 0 && timeout_ms >= 0)
			return 0;
	}
	if (reader.result)
		return reader.result;
	return got == -EINTR ? got : pcl_diag_errno(diag, got, "bpf_lsm: cannot read the events");
}
