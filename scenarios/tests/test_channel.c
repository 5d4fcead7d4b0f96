/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames between host and guest, with a guest that sends in pieces, sends nonsense, or goes away.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "scenarios/runner/channel.h"

static struct gnt_channel_end host;
static int guest_fd;

static int setup(void **state)
{
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	host = (struct gnt_channel_end){.fd = pair[0]};
	guest_fd = pair[1];
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gnt_channel_fini(&host);
	if (guest_fd >= 0)
		(void)close(guest_fd);
	return 0;
}

static void send_bytes(const void *data, size_t len)
{
	assert_int_equal(write(guest_fd, data, len), len);
}

static void a_message_arrives_in_pieces(void **state)
{
	static const char frame[] = "\x0b\0\0\0{\"hello\":1}\x0b\0\0\0{\"hello\":2}";
	json_t *message = NULL;

	(void)state;
	for (size_t i = 0; i < 14; i++) {
		assert_int_equal(gnt_channel_pull(&host, &message, NULL), -EAGAIN);
		send_bytes(frame + i, 1);
	}
	/* The end of the first and the whole of the second in one go. */
	send_bytes(frame + 14, sizeof(frame) - 1 - 14);
	for (int i = 1; i <= 2; i++) {
		assert_int_equal(gnt_channel_pull(&host, &message, NULL), 0);
		assert_int_equal(json_integer_value(json_object_get(message, "hello")), i);
		json_decref(message);
	}
	assert_int_equal(gnt_channel_pull(&host, &message, NULL), -EAGAIN);
}

static void what_is_sent_is_a_frame(void **state)
{
	unsigned char head[4];
	char body[64] = "";
	json_t *message = json_pack("{s:s}", "op", "ping");

	(void)state;
	assert_int_equal(gnt_channel_queue(&host, message), 0);
	assert_int_equal(gnt_channel_push(&host), 0);
	assert_int_equal(read(guest_fd, head, 4), 4);
	assert_int_equal(head[0], strlen("{\"op\":\"ping\"}"));
	assert_int_equal(head[1] | head[2] | head[3], 0);
	assert_int_equal(read(guest_fd, body, sizeof(body) - 1), head[0]);
	assert_string_equal(body, "{\"op\":\"ping\"}");
	json_decref(message);
}

static void a_full_socket_is_no_error(void **state)
{
	size_t want = 4u << 20, got = 0;
	char *text pcl_autofree = malloc(want + 1);
	char buffer[65536];
	json_t *message;

	(void)state;
	memset(text, 'x', want);
	text[want] = '\0';
	message = json_pack("{s:s}", "t", text);
	assert_int_equal(gnt_channel_queue(&host, message), 0);
	json_decref(message);
	assert_int_equal(gnt_channel_push(&host), 0);
	assert_true(host.out_done < host.out_len);
	while (got < host.out_len) {
		ssize_t part = read(guest_fd, buffer, sizeof(buffer));

		assert_true(part > 0);
		got += (size_t)part;
		assert_int_equal(gnt_channel_push(&host), 0);
	}
	assert_int_equal(host.out_done, host.out_len);
}

static void nonsense_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *expected;
	} frames[] = {
		{"\xff\xff\xff\x7f{}", 6, "2147483647 bytes"},
		{"\0\0\0\0", 4, "0 bytes"},
		{"\2\0\0\0[]", 6, "no object"},
		{"\2\0\0\0}{", 6, "no object"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
		json_t *message = NULL;

		send_bytes(frames[i].bytes, frames[i].len);
		assert_int_equal(gnt_channel_pull(&host, &message, &diag), -EBADMSG);
		assert_non_null(strstr(pcl_diag_text(&diag), frames[i].expected));
		assert_null(message);
		host.in_len = 0;
	}
}

static void a_guest_that_left_is_noticed(void **state)
{
	json_t *message = NULL;

	(void)state;
	(void)close(guest_fd);
	guest_fd = -1;
	assert_int_equal(gnt_channel_pull(&host, &message, NULL), -ENODATA);
	message = json_pack("{s:i}", "x", 1);
	assert_int_equal(gnt_channel_queue(&host, message), 0);
	assert_int_equal(gnt_channel_push(&host), -EPIPE);
	json_decref(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_message_arrives_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_sent_is_a_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_socket_is_no_error, setup, teardown),
		cmocka_unit_test_setup_teardown(nonsense_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_guest_that_left_is_noticed, setup, teardown),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
