/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of sockets: whatever socket there is, its kind is one that every word of the language takes
 * or leaves as it does the socket.
 */
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "backend/bpf_lsm_kinds.h"
#include "base/cleanup.h"
#include "support.h"

static void check_socket(const struct pcl_socket_kinds *kinds, const struct pcl_socket *socket)
{
	unsigned kind = pcl_socket_kind_of(&kinds->tables, socket);

	assert_true(kind < kinds->count);
	for (int word = 0; word < PCL_PROTOCOL_COUNT; word++)
		if (pcl_protocol_matches((enum pcl_protocol)word, socket) !=
		    pcl_protocol_matches((enum pcl_protocol)word, &kinds->examples[kind]))
			fail_msg("socket %d, %d, %d is taken for one of kind %u", socket->family,
				 socket->type, socket->protocol, kind);
}

static void a_kind_stands_for_every_socket_of_it(void **state)
{
	const struct pcl_socket_kinds *kinds = *state;

	for (int family = 0; family < (int)PCL_SOCKET_FAMILIES + 2; family++)
		for (int type = 0; type < (int)PCL_SOCKET_TYPES; type++)
			for (int protocol = 0; protocol < (int)PCL_SOCKET_PROTOCOLS + 2; protocol++)
				check_socket(kinds, &(struct pcl_socket){family, type, protocol});
}

static void numbers_beyond_the_tables_have_a_kind(void **state)
{
	static const int numbers[] = {-1, INT_MAX, INT_MIN, 1000, 65535, 0x10000};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(numbers); i++) {
		check_socket(*state, &(struct pcl_socket){numbers[i], SOCK_STREAM, 0});
		check_socket(*state, &(struct pcl_socket){AF_INET, SOCK_STREAM, numbers[i]});
		check_socket(*state, &(struct pcl_socket){AF_PACKET, SOCK_RAW, numbers[i]});
	}
	check_socket(*state, &(struct pcl_socket){AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0});
}

static void no_two_kinds_are_alike(void **state)
{
	const struct pcl_socket_kinds *kinds = *state;

	assert_in_range(kinds->count, 2, PCL_SOCKET_KINDS_MAX);
	for (unsigned a = 0; a < kinds->count; a++)
		for (unsigned b = 0; b < a; b++) {
			bool differ = false;

			for (int word = 0; word < PCL_PROTOCOL_COUNT; word++)
				differ |= pcl_protocol_matches((enum pcl_protocol)word,
							       &kinds->examples[a]) !=
					  pcl_protocol_matches((enum pcl_protocol)word,
							       &kinds->examples[b]);
			assert_true(differ);
		}
}

static int make_kinds(void **state)
{
	struct pcl_socket_kinds *kinds = malloc(sizeof(*kinds));

	if (!kinds)
		return -1;
	pcl_socket_kinds_init(kinds);
	*state = kinds;
	return 0;
}

static int free_kinds(void **state)
{
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kind_stands_for_every_socket_of_it),
		cmocka_unit_test(numbers_beyond_the_tables_have_a_kind),
		cmocka_unit_test(no_two_kinds_are_alike),
	};

	return cmocka_run_group_tests_name("bpf_lsm-kinds", tests, make_kinds, free_kinds);
}
