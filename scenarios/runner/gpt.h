/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds a partition by its name in the first sectors of a GPT disk.
 */
#ifndef GNT_GPT_H
#define GNT_GPT_H

#include <stddef.h>
#include <stdint.h>

#define GNT_SECTOR 512
/* Protective MBR, header, and as many entries as every partitioning tool makes. */
#define GNT_GPT_SECTORS 34

/* data holds the first GNT_GPT_SECTORS sectors. -ENOENT without the name, -EBADMSG without a GPT.
 */
int gnt_gpt_find(const unsigned char *data, size_t len, const char *name, uint64_t *ret_offset,
		 uint64_t *ret_size);

#endif
