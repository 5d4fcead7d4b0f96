/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks in the kernel's log and the taint word, so that the host can put what it reads on the
 * console down to what ran. Both files are opened at the start: a policy that is applied later may
 * guard them, and the agent is bound by it like everybody.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"

/* The host looks for it: scenarios/runner/console.h. */
#define MARK "gauntlet: mark "
/* KERNEL: loglevel=5 lets warnings (4) and worse through to the console. */
#define MARK_LEVEL "<4>"

static int kmsg_fd = -1;
static int tainted_fd = -1;

static void set_limit(const char *path, const char *value)
{
	int fd pcl_autoclose = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, value, strlen(value));
}

void agt_health_init(void)
{
	/*
	 * KERNEL: by default ten lines in five seconds, and the rest is dropped: of programs that
	 * write to the log, and of audit records that no daemon takes.
	 */
	set_limit("/proc/sys/kernel/printk_devkmsg", "on\n");
	set_limit("/proc/sys/kernel/printk_ratelimit", "0\n");
	kmsg_fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (kmsg_fd < 0)
		perror("agent: /dev/kmsg");
	tainted_fd = open("/proc/sys/kernel/tainted", O_RDONLY | O_CLOEXEC);
}

json_int_t agt_health_tainted(void)
{
	char text[32] = "";

	/* KERNEL: a read at offset 0 asks anew. */
	if (tainted_fd < 0 || pread(tainted_fd, text, sizeof(text) - 1, 0) <= 0)
		return -1;
	return strtoll(text, NULL, 10);
}

int agt_mark(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	char line[512];
	const char *text;
	json_int_t tainted = agt_health_tainted();
	int len, error = agt_text_member(request, "text", &text, diag);

	if (error)
		return error;
	len = snprintf(line, sizeof(line), MARK_LEVEL MARK "%s\n", text);
	if (len >= (int)sizeof(line) || strchr(text, '\n'))
		return pcl_diag_set(diag, -EINVAL, "mark: one line of at most %zu bytes",
				    sizeof(line) - sizeof(MARK_LEVEL MARK) - 1);
	/* One write is one record. */
	if (kmsg_fd < 0 || write(kmsg_fd, line, (size_t)len) != len)
		return pcl_diag_errno(diag, kmsg_fd < 0 ? -ENODEV : -errno, "mark: /dev/kmsg");
	if (tainted >= 0)
		(void)json_object_set_new(reply, "tainted", json_integer(tainted));
	return 0;
}
