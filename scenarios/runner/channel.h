/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's end of the channel to the agent: frames of 4 bytes little-endian length and JSON on a
 * non-blocking socket. Never waits; the caller polls.
 */
#ifndef GNT_CHANNEL_H
#define GNT_CHANNEL_H

#include <jansson.h>
#include <stddef.h>

#include "base/diag.h"

struct gnt_channel_end {
	int fd; /* -1: closed */
	/* Bytes that came and are no whole frame yet. */
	char *in;
	size_t in_len, in_size;
	/* Bytes that have still to go. */
	char *out;
	size_t out_len, out_done;
};

void gnt_channel_fini(struct gnt_channel_end *channel);

/* Queues one message; only one may be under way. */
int gnt_channel_queue(struct gnt_channel_end *channel, const json_t *message);

/* Sends what the socket takes now. 0, or a negative errno when the other end is gone. */
int gnt_channel_push(struct gnt_channel_end *channel);

/*
 * One whole message if there is one: 0 and *ret_message, -EAGAIN when there is none yet, -ENODATA
 * when the other end is gone, -EBADMSG with diag when what came is no frame.
 */
int gnt_channel_pull(struct gnt_channel_end *channel, json_t **ret_message, struct pcl_diag *diag);

#endif
