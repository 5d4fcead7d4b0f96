/* SPDX-License-Identifier: Apache-2.0 */
/* One JSON object a line, both ways; events in between are of no interest here. See qmp.h. */
#include "qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cleanup.h"

/* The registers of many CPUs are some 100 KiB; what is longer is not QEMU's. */
#define LINE_MAX_LEN (4u << 20)
#define READ_CHUNK 16384

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void gnt_qmp_fini(struct gnt_qmp *qmp)
{
	pcl_closep(&qmp->fd);
	free(qmp->in);
	*qmp = (struct gnt_qmp){.fd = -1};
}

/* One more piece of input by the deadline. */
static int read_more(struct gnt_qmp *qmp, int64_t deadline, struct pcl_diag *diag)
{
	struct pollfd wait = {.fd = qmp->fd, .events = POLLIN};
	int64_t left = deadline - now_ms();
	ssize_t got;

	if (left <= 0 || poll(&wait, 1, (int)left) == 0)
		return pcl_diag_set(diag, -ETIMEDOUT, "QEMU's monitor does not answer");
	if (qmp->in_size - qmp->in_len < READ_CHUNK) {
		size_t size = 2 * qmp->in_size + READ_CHUNK;
		char *in = size <= LINE_MAX_LEN ? realloc(qmp->in, size) : NULL;

		if (!in)
			return pcl_diag_set(diag, -ENOMEM, "QEMU's monitor says too much");
		qmp->in = in;
		qmp->in_size = size;
	}
	got = recv(qmp->fd, qmp->in + qmp->in_len, qmp->in_size - qmp->in_len, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0)
		return pcl_diag_set(diag, -EIO, "QEMU's monitor is gone");
	qmp->in_len += (size_t)got;
	return 0;
}

/* The next line as JSON; what is none is NULL. */
static int read_object(struct gnt_qmp *qmp, int64_t deadline, json_t **ret_object,
		       struct pcl_diag *diag)
{
	char *newline;
	int error;

	while (!(newline = qmp->in_len ? memchr(qmp->in, '\n', qmp->in_len) : NULL)) {
		error = read_more(qmp, deadline, diag);
		if (error)
			return error;
	}
	*ret_object = json_loadb(qmp->in, (size_t)(newline - qmp->in), 0, NULL);
	qmp->in_len -= (size_t)(newline + 1 - qmp->in);
	memmove(qmp->in, newline + 1, qmp->in_len);
	return 0;
}

static int send_command(struct gnt_qmp *qmp, const char *command, json_t *arguments,
			struct pcl_diag *diag)
{
	json_t *request = json_pack("{s:s, s:o*}", "execute", command, "arguments", arguments);
	char *text pcl_autofree = request ? json_dumps(request, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;

	json_decref(request);
	if (!text)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	/* A command is shorter than any socket's buffer. */
	if (send(qmp->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		return pcl_diag_set(diag, -EIO, "QEMU's monitor is gone");
	return 0;
}

static int wait_answer(struct gnt_qmp *qmp, const char *command, int64_t deadline,
		       json_t **ret_result, struct pcl_diag *diag)
{
	for (;;) {
		json_t *object = NULL;
		const json_t *result, *refusal;
		int error = read_object(qmp, deadline, &object, diag);

		if (error)
			return error;
		result = json_object_get(object, "return");
		refusal = json_object_get(object, "error");
		if (result && ret_result)
			*ret_result = json_incref((json_t *)result);
		if (refusal) {
			const char *words = json_string_value(json_object_get(refusal, "desc"));

			error = pcl_diag_set(diag, -EREMOTEIO, "QEMU refuses %s: %s", command,
					     words ? words : "no reason given");
		}
		json_decref(object);
		if (result || refusal)
			return error;
	}
}

int gnt_qmp_run(struct gnt_qmp *qmp, const char *command, json_t *arguments, int timeout_ms,
		json_t **ret_result, struct pcl_diag *diag)
{
	int64_t deadline = now_ms() + timeout_ms;
	int error = 0;

	/* The greeting needs no answer of ours but this, and is skipped like an event. */
	if (!qmp->greeted) {
		error = send_command(qmp, "qmp_capabilities", NULL, diag);
		if (!error)
			error = wait_answer(qmp, "qmp_capabilities", deadline, NULL, diag);
		qmp->greeted = !error;
	}
	if (error) {
		json_decref(arguments);
		return error;
	}
	error = send_command(qmp, command, arguments, diag);
	return error ? error : wait_answer(qmp, command, deadline, ret_result, diag);
}

int gnt_qmp_monitor(struct gnt_qmp *qmp, const char *line, int timeout_ms, char **ret_text,
		    struct pcl_diag *diag)
{
	json_t *result = NULL;
	int error =
		gnt_qmp_run(qmp, "human-monitor-command", json_pack("{s:s}", "command-line", line),
			    timeout_ms, &result, diag);

	if (error)
		return error;
	*ret_text = strdup(json_is_string(result) ? json_string_value(result) : "");
	json_decref(result);
	return *ret_text ? 0 : pcl_diag_set(diag, -ENOMEM, "no memory");
}
