/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Families that no rule tells apart get one column, and so do protocols; a kind is then looked up
 * by family column, type and protocol column. Asking the model for every combination of numbers
 * would take too long, so columns are found first; a unit test asks for every combination.
 */
#include "backend/bpf_lsm_kinds.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(PCL_PROTOCOL_COUNT <= 16, "a bit per protocol word");

/* The sets of words that take the sockets which have a number in common, in some fixed order. */
struct row {
	uint16_t words[PCL_SOCKET_TYPES * PCL_SOCKET_COLUMNS];
};

static uint16_t words_of(int family, int type, int protocol)
{
	return (uint16_t)pcl_protocols_of(&(struct pcl_socket){family, type, protocol});
}

static void ask_protocol(int protocol, struct row *row)
{
	for (unsigned type = 0; type < PCL_SOCKET_TYPES; type++) {
		row->words[2 * type] = words_of(AF_INET, (int)type, protocol);
		row->words[2 * type + 1] = words_of(AF_INET6, (int)type, protocol);
	}
}

static void ask_family(int family, const int *protocols, unsigned protocol_count, struct row *row)
{
	for (unsigned type = 0; type < PCL_SOCKET_TYPES; type++)
		for (unsigned p = 0; p < protocol_count; p++)
			row->words[type * PCL_SOCKET_COLUMNS + p] =
				words_of(family, (int)type, protocols[p]);
}

/* Its column, of the count that there are; rows[count] is its own row. */
static unsigned find_column(const struct row *rows, unsigned count)
{
	unsigned column = 0;

	assert(count < PCL_SOCKET_COLUMNS);
	while (memcmp(&rows[column], &rows[count], sizeof(*rows)) != 0)
		column++;
	return column;
}

/* Columns as the first number that has each; returns how many. */
static unsigned find_protocols(struct pcl_bpf_kinds *tables, int first[PCL_SOCKET_COLUMNS])
{
	struct row rows[PCL_SOCKET_COLUMNS] = {0};
	unsigned count = 0;

	for (int protocol = 0; protocol < (int)PCL_SOCKET_PROTOCOLS; protocol++) {
		unsigned column;

		ask_protocol(protocol, &rows[count]);
		column = find_column(rows, count);
		if (column == count)
			first[count++] = protocol;
		tables->protocol[protocol] = (uint8_t)column;
	}
	return count;
}

static unsigned find_families(struct pcl_bpf_kinds *tables, const int *protocols,
			      unsigned protocol_count, int first[PCL_SOCKET_COLUMNS])
{
	struct row rows[PCL_SOCKET_COLUMNS] = {0};
	unsigned count = 0;

	for (int family = 0; family < (int)PCL_SOCKET_FAMILIES; family++) {
		unsigned column;

		ask_family(family, protocols, protocol_count, &rows[count]);
		column = find_column(rows, count);
		if (column == count)
			first[count++] = family;
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
