/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames to and from the guest. The guest is where attacks run, so nothing that it sends is taken
 * on trust: lengths are limited before memory is spent.
 */
#include "channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

/* Two outputs of 1 MiB, escaped; the agent has the same number. */
#define FRAME_MAX (8u << 20)
#define HEAD_LEN 4u

void gnt_channel_fini(struct gnt_channel_end *channel)
{
	pcl_closep(&channel->fd);
	free(channel->in);
	free(channel->out);
	*channel = (struct gnt_channel_end){.fd = -1};
}

int gnt_channel_queue(struct gnt_channel_end *channel, const json_t *message)
{
	char *body pcl_autofree = json_dumps(message, JSON_COMPACT);
	size_t len = body ? strlen(body) : 0;
	char *frame;

	if (!body)
		return -ENOMEM;
	if (len > FRAME_MAX)
		return -EMSGSIZE;
	frame = malloc(HEAD_LEN + len);
	if (!frame)
		return -ENOMEM;
	for (size_t i = 0; i < HEAD_LEN; i++)
		frame[i] = (char)(len >> (8 * i));
	memcpy(frame + HEAD_LEN, body, len);
	free(channel->out);
	channel->out = frame;
	channel->out_len = HEAD_LEN + len;
	channel->out_done = 0;
	return 0;
}

int gnt_channel_push(struct gnt_channel_end *channel)
{
	while (channel->out_done < channel->out_len) {
		ssize_t put =
			send(channel->fd, channel->out + channel->out_done,
			     channel->out_len - channel->out_done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (put < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (put < 0)
			return -errno;
		channel->out_done += (size_t)put;
	}
	return 0;
}

static int grow(struct gnt_channel_end *channel, size_t need)
{
	size_t size = channel->in_size ? channel->in_size : 4096;
	char *in;

	while (size < need)
		size *= 2;
	if (size == channel->in_size)
		return 0;
	in = realloc(channel->in, size);
	if (!in)
		return -ENOMEM;
	channel->in = in;
	channel->in_size = size;
	return 0;
}

/* The length that the head announces, or 0 while the head is not whole. */
static size_t announced(const struct gnt_channel_end *channel)
{
	size_t len = 0;

	if (channel->in_len < HEAD_LEN)
		return 0;
	for (size_t i = 0; i < HEAD_LEN; i++)
		len |= (size_t)(unsigned char)channel->in[i] << (8 * i);
	return len;
}

static int take_frame(struct gnt_channel_end *channel, json_t **ret_message, struct pcl_diag *diag)
{
	size_t len = announced(channel);
	json_error_t parse_error;
	json_t *message;

	if (channel->in_len < HEAD_LEN)
		return -EAGAIN;
	if (len > FRAME_MAX || len < 2)
		return pcl_diag_set(diag, -EBADMSG, "the guest sent a frame of %zu bytes", len);
	if (channel->in_len < HEAD_LEN + len)
		return -EAGAIN;
	message = json_loadb(channel->in + HEAD_LEN, len, 0, &parse_error);
	channel->in_len -= HEAD_LEN + len;
	memmove(channel->in, channel->in + HEAD_LEN + len, channel->in_len);
	if (!json_is_object(message)) {
		json_decref(message);
		return pcl_diag_set(diag, -EBADMSG, "the guest sent a frame that is no object: %s",
				    parse_error.text);
	}
	*ret_message = message;
	return 0;
}

int gnt_channel_pull(struct gnt_channel_end *channel, json_t **ret_message, struct pcl_diag *diag)
{
	int error = take_frame(channel, ret_message, diag);

	while (error == -EAGAIN) {
		size_t want = announced(channel);
		ssize_t got;

		error = grow(channel, channel->in_len + (want > 4096 ? want : 4096));
		if (error)
			return pcl_diag_errno(diag, error, "channel");
		got = recv(channel->fd, channel->in + channel->in_len,
			   channel->in_size - channel->in_len, MSG_DONTWAIT);
		if (got < 0)
			return errno == EAGAIN || errno == EINTR ? -EAGAIN : -errno;
		if (got == 0)
			return -ENODATA;
		channel->in_len += (size_t)got;
		error = take_frame(channel, ret_message, diag);
	}
	return error;
}
