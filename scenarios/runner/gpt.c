/* SPDX-License-Identifier: Apache-2.0 */
/* Just enough of a GPT; its checksums are the firmware's business. */
#include "gpt.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define ENTRY_SIZE_MIN 128
#define ENTRY_NAME 56
#define NAME_LEN_MAX 36

static uint64_t read_le(const unsigned char *at, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0)
		value = value << 8 | at[bytes];
	return value;
}

/* A name is UTF-16; those that we look for are ASCII. */
static bool has_name(const unsigned char *entry, const char *name)
{
	size_t len = strlen(name);

	if (len > NAME_LEN_MAX)
		return false;
	for (size_t i = 0; i < NAME_LEN_MAX; i++) {
		uint64_t unit = read_le(entry + ENTRY_NAME + 2 * i, 2);

		if (i == len)
			return unit == 0;
		if (unit != (unsigned char)name[i])
			return false;
	}
	return true;
}

int gnt_gpt_find(const unsigned char *data, size_t len, const char *name, uint64_t *ret_offset,
		 uint64_t *ret_size)
{
	const unsigned char *header = data + GNT_SECTOR;
	uint64_t first_entry, count, entry_size;

	if (len < 2 * GNT_SECTOR || memcmp(header, "EFI PART", 8) != 0)
		return -EBADMSG;
	first_entry = read_le(header + 72, 8);
	count = read_le(header + 80, 4);
	entry_size = read_le(header + 84, 4);
	if (first_entry < 2 || first_entry > len / GNT_SECTOR || entry_size < ENTRY_SIZE_MIN ||
	    entry_size > len || count > len)
		return -EBADMSG;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = first_entry * GNT_SECTOR + i * entry_size;
		uint64_t first, last;

		if (at + ENTRY_SIZE_MIN > len)
			break;
		first = read_le(data + at + 32, 8);
		last = read_le(data + at + 40, 8);
		if (!has_name(data + at, name) || first == 0 || last < first ||
		    last >= UINT64_MAX / GNT_SECTOR)
			continue;
		*ret_offset = first * GNT_SECTOR;
		*ret_size = (last - first + 1) * GNT_SECTOR;
		return 0;
	}
	return -ENOENT;
}
