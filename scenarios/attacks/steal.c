/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steal id|PATH: gets hold of BPF objects of others. id: asks for a descriptor of every map,
 * program and link that the kernel has; the data is "maps GOT/ALL programs GOT/ALL links GOT/ALL".
 * PATH: of the one that is pinned there. ok: it got at least one.
 */
#include <linux/bpf.h>
#include <sys/syscall.h>

#include "replay.h"

#define USAGE "steal id|PATH"

struct kind {
	const char *name;
	int next;
	int get;
};

static const struct kind kinds[] = {
	{"maps", BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID},
	{"programs", BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID},
	{"links", BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID},
};

static long call(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* How many descriptors of a kind there were to be had; ret_all counts the objects. */
static int take_all(const struct kind *kind, int *ret_all)
{
	union bpf_attr attr;
	__u32 id = 0;
	int got = 0;

	*ret_all = 0;
	for (;;) {
		long fd;

		memset(&attr, 0, sizeof(attr));
		attr.start_id = id;
		if (call(kind->next, &attr) < 0)
			return got;
		id = attr.next_id;
		memset(&attr, 0, sizeof(attr));
		attr.map_id = id;
		fd = call(kind->get, &attr);
		++*ret_all;
		if (fd < 0)
			continue;
		got++;
		close((int)fd);
	}
}

static int by_id(void)
{
	int sum = 0, all_of_all = 0, len = 0;
	char text[256];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int all, got = take_all(&kinds[i], &all);

		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%s %d/%d", i ? " " : "",
				kinds[i].name, got, all);
		sum += got;
		all_of_all += all;
	}
	if (!all_of_all)
		return replay_broken("next_id", errno);
	return sum ? replay_done("get", text, (size_t)len) : replay_refused("get", EACCES);
}

static int by_path(const char *path)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.pathname = (__u64)(unsigned long)path;
	if (call(BPF_OBJ_GET, &attr) >= 0)
		return replay_done("get", path, strlen(path));
	return errno == EACCES || errno == EPERM ? replay_refused("get", errno)
						 : replay_broken("get", errno);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return replay_usage(USAGE);
	return strcmp(argv[1], "id") ? by_path(argv[1]) : by_id();
}
