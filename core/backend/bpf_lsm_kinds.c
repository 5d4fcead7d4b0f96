/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Families that no rule tells apart get one column, and so do protocols; a kind is then looked up
 * by family column, type and protocol column. Asking the model for every combination of numbers
 * would take a tenth of a second, so columns are found first; a unit test asks for every
 * combination.
 */
#include "backend/bpf_lsm_kinds.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(PCL_PROTOCOL_COUNT <= 16, "a bit per protocol word");

/* Bit per word of the language that takes the socket. */
static unsigned words_of(int family, int type, int protocol)
{
	const struct pcl_socket socket = {family, type, protocol};
	unsigned words = 0;

	for (int word = 0; word < PCL_PROTOCOL_COUNT; word++)
		if (pcl_protocol_matches((enum pcl_protocol)word, &socket))
			words |= 1u << word;
	return words;
}

static bool same_protocol(int a, int b)
{
	for (int type = 0; type < (int)PCL_SOCKET_TYPES; type++)
		if (words_of(AF_INET, type, a) != words_of(AF_INET, type, b) ||
		    words_of(AF_INET6, type, a) != words_of(AF_INET6, type, b))
			return false;
	return true;
}

/* Columns as the first number that has each; returns how many. */
static unsigned find_protocols(struct pcl_bpf_kinds *tables, int first[PCL_SOCKET_COLUMNS])
{
	unsigned count = 0;

	for (int protocol = 0; protocol < (int)PCL_SOCKET_PROTOCOLS; protocol++) {
		unsigned column = 0;

		while (column < count && !same_protocol(first[column], protocol))
			column++;
		if (column == count) {
			assert(count < PCL_SOCKET_COLUMNS);
			first[count++] = protocol;
		}
		tables->protocol[protocol] = (uint8_t)column;
	}
	return count;
}

static bool same_family(int a, int b, const int *protocols, unsigned protocol_count)
{
	for (int type = 0; type < (int)PCL_SOCKET_TYPES; type++)
		for (unsigned p = 0; p < protocol_count; p++)
			if (words_of(a, type, protocols[p]) != words_of(b, type, protocols[p]))
				return false;
	return true;
}

static unsigned find_families(struct pcl_bpf_kinds *tables, const int *protocols,
			      unsigned protocol_count, int first[PCL_SOCKET_COLUMNS])
{
	unsigned count = 0;

	for (int family = 0; family < (int)PCL_SOCKET_FAMILIES; family++) {
		unsigned column = 0;

		while (column < count &&
		       !same_family(first[column], family, protocols, protocol_count))
			column++;
		if (column == count) {
			assert(count < PCL_SOCKET_COLUMNS);
			first[count++] = family;
		}
		tables->family[family] = (uint8_t)column;
	}
	return count;
}

void pcl_socket_kinds_init(struct pcl_socket_kinds *kinds)
{
	int protocols[PCL_SOCKET_COLUMNS] = {0}, families[PCL_SOCKET_COLUMNS] = {0};
	unsigned words[PCL_SOCKET_KINDS_MAX] = {0};
	unsigned protocol_count, family_count;

	memset(kinds, 0, sizeof(*kinds));
	protocol_count = find_protocols(&kinds->tables, protocols);
	family_count = find_families(&kinds->tables, protocols, protocol_count, families);
	for (unsigned f = 0; f < family_count; f++)
		for (unsigned type = 0; type < PCL_SOCKET_TYPES; type++)
			for (unsigned p = 0; p < protocol_count; p++) {
				unsigned mask = words_of(families[f], (int)type, protocols[p]);
				unsigned kind = 0;

				while (kind < kinds->count && words[kind] != mask)
					kind++;
				if (kind == kinds->count) {
					assert(kind < PCL_SOCKET_KINDS_MAX);
					words[kind] = mask;
					kinds->examples[kind] =
						(struct pcl_socket){families[f], (int)type,
								    protocols[p]};
					kinds->count++;
				}
				kinds->tables.kind[f][type][p] = (uint8_t)kind;
			}
}

unsigned pcl_socket_kind_of(const struct pcl_bpf_kinds *tables, const struct pcl_socket *socket)
{
	unsigned family = (unsigned)socket->family, protocol = (unsigned)socket->protocol;

	family = family < PCL_SOCKET_FAMILIES ? family : PCL_SOCKET_FAMILIES - 1;
	protocol = protocol < PCL_SOCKET_PROTOCOLS ? protocol : PCL_SOCKET_PROTOCOLS - 1;
	return tables->kind[tables->family[family]][(unsigned)socket->type % PCL_SOCKET_TYPES]
			   [tables->protocol[protocol]];
}
