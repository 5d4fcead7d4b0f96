/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KERNEL: records go to whoever registered as the audit daemon, else to the kernel's log (at most
 * so many a second, kernel.printk_ratelimit), and always to the listeners of a multicast group.
 */
#include "backend/audit_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"

#define KERNEL_LOG "/dev/kmsg"
#define DAEMON_LOG "/var/log/audit/audit.log"
/* What the kernel gives of one line of its log, and of one record. */
#define LINE_MAX_LEN 16384
/* A burst that the reader is not scheduled for. */
#define SOCKET_BUFFER (4 << 20)

struct line {
	uint64_t serial;
	size_t order; /* among those of one serial */
	char *text;
};

struct lines {
	const char *const *marks;
	struct line *items;
	size_t count;
	size_t logged; /* the first of them, sorted, are the kernel's own */
	uint64_t suppressed;
};

static void lines_fini(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i].text);
	free(lines->items);
}

bool pcl_audit_place_pass(struct pcl_audit_place *place, struct pcl_audit_place *at,
			  uint64_t serial)
{
	if (at->serial != serial)
		*at = (struct pcl_audit_place){.serial = serial};
	at->records++;
	if (serial < place->serial || (serial == place->serial && at->records <= place->records))
		return false;
	*place = *at;
	return true;
}

/* Where in text a record begins; NULL where it holds none that is wanted. */
static const char *find_record(const char *text, const char *const *marks, uint64_t *ret_serial)
{
	const char *at = strstr(text, "audit("), *said = at ? strstr(at, "): ") : NULL;

	if (!said || sscanf(at, "audit(%*u.%*u:%" SCNu64, ret_serial) != 1)
		return NULL;
	for (; *marks; marks++)
		if (!strncmp(said + strlen("): "), *marks, strlen(*marks)))
			return at;
	return NULL;
}

static int compare_serials(const void *a, const void *b)
{
	const struct line *one = a, *other = b;

	return one->serial < other->serial ? -1 : one->serial > other->serial;
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *one = a, *other = b;
	int order = compare_serials(one, other);

	return order ? order : one->order < other->order ? -1 : one->order > other->order;
}

static void sort_lines(struct lines *lines)
{
	if (lines->count)
		qsort(lines->items, lines->count, sizeof(*lines->items), compare_lines);
}

static int add_line(struct lines *lines, const char *text)
{
	struct line line = {.order = lines->count};
	const char *record = find_record(text, lines->marks, &line.serial);

	/* What a daemon that did not keep up left to the kernel's log may come to it later. */
	if (!record || (lines->logged &&
			bsearch(&line, lines->items, lines->logged, sizeof(line), compare_serials)))
		return 0;
	if (pcl_array_grow(&lines->items, lines->count, sizeof(line)))
		return -ENOMEM;
	line.text = strdup(record);
	if (!line.text)
		return -ENOMEM;
	line.text[strcspn(line.text, "\n")] = '\0';
	lines->items[lines->count++] = line;
	return 0;
}

/* --- the kernel's log ----------------------------------------------------------------------------
 */

/* KERNEL: bytes that are not printable, and the backslash, are written as \xNN. In place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		unsigned byte;

		if (at[0] == '\\' && at[1] == 'x' && sscanf(at + 2, "%2x", &byte) == 1) {
			*to++ = (char)byte;
			at += 3;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
}

/* "PRIORITY,SEQUENCE,TIME,FLAGS;TEXT\n KEY=VALUE...": the text is the first line. */
static int take_kernel_line(struct lines *lines, char *buffer)
{
	char *text = strchr(buffer, ';'), *suppressed;

	if (!text)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	suppressed = strstr(text, "kauditd_printk_skb: ");
	if (suppressed)
		lines->suppressed += strtoul(strchr(suppressed, ' '), NULL, 10);
	unescape(text);
	return add_line(lines, text);
}

static int read_kernel_log(struct lines *lines)
{
	pcl_autoclose int fd = open(KERNEL_LOG, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	pcl_autofree char *buffer = malloc(LINE_MAX_LEN);
	int error = buffer ? 0 : -ENOMEM;

	if (fd < 0)
		return -errno;
	while (!error) {
		ssize_t len = read(fd, buffer, LINE_MAX_LEN - 1);

		/* KERNEL: EPIPE says that lines were overwritten, and the next read goes on. */
		if (len < 0 && (errno == EPIPE || errno == EINTR || errno == EINVAL))
			continue;
		if (len <= 0)
			return len < 0 && errno != EAGAIN ? -errno : 0;
		buffer[len] = '\0';
		error = take_kernel_line(lines, buffer);
	}
	return error;
}

static int read_daemon_log(struct lines *lines)
{
	pcl_autofclose FILE *file = fopen(DAEMON_LOG, "re");
	pcl_autofree char *line = NULL;
	size_t size = 0;
	int error = 0;

	while (file && !error && getline(&line, &size, file) >= 0)
		error = add_line(lines, line);
	return error;
}

int pcl_audit_stream_past(const char *const *marks, pcl_audit_line_fn fn, void *context,
			  uint64_t *ret_suppressed, struct pcl_diag *diag)
{
	struct lines lines pcl_cleanup(lines_fini) = {.marks = marks};
	int error = read_kernel_log(&lines);

	if (error)
		return pcl_diag_errno(diag, error, "cannot read " KERNEL_LOG);
	sort_lines(&lines);
	lines.logged = lines.count;
	if (read_daemon_log(&lines))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	sort_lines(&lines);
	for (size_t i = 0; i < lines.count && !error; i++)
		error = fn(lines.items[i].text, context);
	*ret_suppressed = lines.suppressed;
	return error;
}

/* --- listening
 * ------------------------------------------------------------------------------------ */

/* From its end on. */
static int listen_to_log(struct pcl_diag *diag)
{
	pcl_autoclose int fd = open(KERNEL_LOG, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		return pcl_diag_errno(diag, -errno,
				      "can neither listen to the audit stream (that needs "
				      "CAP_AUDIT_READ) nor follow " KERNEL_LOG);
	return pcl_take_fd(&fd);
}

int pcl_audit_stream_listen(struct pcl_diag *diag)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK,
					    .nl_groups = 1u << (AUDIT_NLGRP_READLOG - 1)};
	pcl_autoclose int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	const int size = SOCKET_BUFFER;

	/* A MAC policy may keep the group for a daemon of its own; the log is then what there is.
	 */
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return listen_to_log(diag);
	/* Without it the usual size holds. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return pcl_take_fd(&fd);
}

/* KERNEL: one record a message, the text behind the header and not terminated. */
static int take_message(char *buffer, size_t len, const char *const *marks, pcl_audit_line_fn fn,
			void *context)
{
	const char *record;
	uint64_t serial;

	if (len <= sizeof(struct nlmsghdr))
		return 0;
	record = find_record(buffer + sizeof(struct nlmsghdr), marks, &serial);
	return record ? fn(record, context) : 0;
}

static int take_log_line(char *buffer, const char *const *marks, pcl_audit_line_fn fn,
			 void *context, uint64_t *ret_lost)
{
	struct lines lines pcl_cleanup(lines_fini) = {.marks = marks};
	int error = take_kernel_line(&lines, buffer);

	*ret_lost += lines.suppressed;
	return error || !lines.count ? error : fn(lines.items[0].text, context);
}

static bool is_log(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode);
}

int pcl_audit_stream_follow(int fd, int timeout_ms, const char *const *marks, pcl_audit_line_fn fn,
			    const struct pcl_audit_beside *beside, void *context,
			    uint64_t *ret_lost, struct pcl_diag *diag)
{
	pcl_autofree char *buffer = malloc(LINE_MAX_LEN);
	bool log = is_log(fd);
	int error = 0;

	if (!buffer)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	while (!error) {
		struct pollfd wait[] = {
			{.fd = fd, .events = POLLIN},
			{.fd = beside ? *beside->fd : -1, .events = POLLIN},
		};
		int ready = poll(wait, PCL_ARRAY_SIZE(wait), timeout_ms);
		ssize_t len;

		if (ready <= 0)
			return ready < 0 ? -errno : 0;
		if (wait[1].revents)
			error = beside->ready(context);
		if (error || !wait[0].revents)
			continue;
		len = read(fd, buffer, LINE_MAX_LEN - 1);
		/* The socket's and the log's ways to say that there was more than they hold. */
		if (len < 0 && (errno == ENOBUFS || errno == EPIPE)) {
			(*ret_lost)++;
			continue;
		}
		if (len < 0)
			return errno == EINTR ? -EINTR
					      : pcl_diag_errno(diag, -errno, "the audit stream");
		buffer[len] = '\0';
		error = log ? take_log_line(buffer, marks, fn, context, ret_lost)
			    : take_message(buffer, (size_t)len, marks, fn, context);
	}
	return error;
}
