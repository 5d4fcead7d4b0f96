/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one channel to the host: a virtio-serial port, or the second 8250 serial port where the
 * kernel has no virtio console. Both ways, a frame is 4 bytes of little-endian length, then JSON.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"

#define FRAME_MAX (8u << 20)
/* A port shows up within milliseconds of its driver; a slow host under emulation gets seconds. */
#define PORT_WAIT_MS 20000
#define PORT_NAME "portcullis.agent"
#define PORT_CLASS "/sys/class/virtio-ports"

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool port_has_name(const char *entry)
{
	char path[512], name[64] = "";
	FILE *file pcl_autofclose = NULL;

	(void)snprintf(path, sizeof(path), PORT_CLASS "/%s/name", entry);
	file = fopen(path, "re");
	if (!file || !fgets(name, sizeof(name), file))
		return false;
	name[strcspn(name, "\n")] = '\0';
	return strcmp(name, PORT_NAME) == 0;
}

static int find_port(void)
{
	DIR *dir pcl_autoclosedir = opendir(PORT_CLASS);
	const struct dirent *entry;
	char path[512];
	int fd;

	while (dir && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || !port_has_name(entry->d_name))
			continue;
		(void)snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}

/* KERNEL: the port's name arrives after the port; each step sends a uevent. */
static int wait_for_port(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int uevent_fd pcl_autoclose =
		socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	int64_t deadline = now_ms() + PORT_WAIT_MS;
	char event[4096];
	int fd;

	if (uevent_fd < 0 || bind(uevent_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	for (;;) {
		struct pollfd wait = {.fd = uevent_fd, .events = POLLIN};
		int64_t left = deadline - now_ms();

		fd = find_port();
		if (fd != -ENOENT || left <= 0)
			return fd;
		if (poll(&wait, 1, (int)left) > 0)
			(void)recv(uevent_fd, event, sizeof(event), MSG_DONTWAIT);
	}
}

static int open_serial(void)
{
	struct termios settings;
	int fd pcl_autoclose = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || tcgetattr(fd, &settings) < 0)
		return -errno;
	cfmakeraw(&settings);
	settings.c_cflag |= CLOCAL | CREAD;
	(void)cfsetspeed(&settings, B115200);
	if (tcsetattr(fd, TCSANOW, &settings) < 0)
		return -errno;
	return pcl_take_fd(&fd);
}

int agt_channel_open(const char *kind, int *ret_fd, struct pcl_diag *diag)
{
	char *word pcl_autofree = NULL;
	bool serial;
	int fd;

	if (!kind && agt_setup_word("gauntlet.channel", &word))
		kind = word;
	serial = kind && strcmp(kind, "serial") == 0;
	fd = serial ? open_serial() : wait_for_port();

	if (fd < 0)
		return pcl_diag_errno(diag, fd, "no channel to the host: %s",
				      serial ? "/dev/ttyS1" : "virtio port " PORT_NAME);
	*ret_fd = fd;
	return 0;
}

static int read_all(int fd, void *data, size_t len)
{
	char *at = data;

	while (len) {
		ssize_t got = read(fd, at, len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -ENODATA;
		at += got;
		len -= (size_t)got;
	}
	return 0;
}

static int write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t put = write(fd, at, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		at += put;
		len -= (size_t)put;
	}
	return 0;
}

/* A frame that is too long is read to its end, so that the next one is found. */
static int skip(int fd, size_t len)
{
	char buffer[4096];
	int error = 0;

	while (len && !error) {
		size_t part = len < sizeof(buffer) ? len : sizeof(buffer);

		error = read_all(fd, buffer, part);
		len -= part;
	}
	return error;
}

int agt_channel_receive(int fd, json_t **ret_message, struct pcl_diag *diag)
{
	unsigned char head[4];
	char *body pcl_autofree = NULL;
	json_error_t parse_error;
	json_t *message;
	size_t len;
	int error = read_all(fd, head, sizeof(head));

	if (error)
		return error;
	len = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
	body = len <= FRAME_MAX ? malloc(len + 1) : NULL;
	if (!body) {
		error = skip(fd, len);
		return error ? error
			     : pcl_diag_set(diag, -EBADMSG, "a frame of %zu bytes is too long",
					    len);
	}
	error = read_all(fd, body, len);
	if (error)
		return error;
	message = json_loadb(body, len, JSON_REJECT_DUPLICATES, &parse_error);
	if (!json_is_object(message)) {
		json_decref(message);
		return pcl_diag_set(diag, -EBADMSG, "the frame is no JSON object: %s",
				    parse_error.text);
	}
	*ret_message = message;
	return 0;
}

static pthread_mutex_t send_lock = PTHREAD_MUTEX_INITIALIZER;

int agt_channel_send(int fd, const json_t *message)
{
	char *body pcl_autofree = json_dumps(message, JSON_COMPACT);
	size_t len = body ? strlen(body) : 0;
	unsigned char head[4] = {(unsigned char)len, (unsigned char)(len >> 8),
				 (unsigned char)(len >> 16), (unsigned char)(len >> 24)};
	int error;

	if (!body)
		return -ENOMEM;
	if (len > FRAME_MAX)
		return -EMSGSIZE;
	(void)pthread_mutex_lock(&send_lock);
	error = write_all(fd, head, sizeof(head));
	if (!error)
		error = write_all(fd, body, len);
	(void)pthread_mutex_unlock(&send_lock);
	return error;
}
