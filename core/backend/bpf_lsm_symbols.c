/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list has some hundred thousand lines of "ADDRESS TYPE NAME", so a line costs no more than
 * finding its end and comparing its length. It shows zeros to whom it does not want to tell them.
 */
#include "backend/bpf_lsm_symbols.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Far longer than a line. */
#define BUFFER_LEN (64u << 10)

/* How many of wanted the line is; a name is there once. */
static size_t parse_line(const char *line, size_t len, const struct pcl_symbol *wanted,
			 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t name_len = strlen(wanted[i].name);
		const char *name = line + len - name_len;

		if (len <= name_len || name[-1] != ' ' || memcmp(name, wanted[i].name, name_len))
			continue;
		*wanted[i].at = strtoull(line, NULL, 16);
		return 1;
	}
	return 0;
}

void pcl_symbols_parse(FILE *list, const struct pcl_symbol *wanted, size_t count)
{
	pcl_autofree char *buffer = malloc(BUFFER_LEN);
	size_t have = 0, got, found = 0;

	for (size_t i = 0; i < count; i++)
		*wanted[i].at = 0;
	while (buffer && (got = fread(buffer + have, 1, BUFFER_LEN - have, list))) {
		const char *line = buffer, *limit = buffer + have + got, *end;

		while ((end = memchr(line, '\n', (size_t)(limit - line)))) {
			/* KERNEL: modules' symbols, "NAME\t[MODULE]", come after its own. */
			if (end > line && end[-1] == ']')
				return;
			found += parse_line(line, (size_t)(end - line), wanted, count);
			if (found == count)
				return;
			line = end + 1;
		}
		have = (size_t)(limit - line);
		memmove(buffer, line, have);
	}
}

void pcl_symbols_find(const struct pcl_symbol *wanted, size_t count)
{
	pcl_autofclose FILE *list = fopen(PCL_SYMBOLS, "re");

	for (size_t i = 0; i < count; i++)
		*wanted[i].at = 0;
	if (list)
		pcl_symbols_parse(list, wanted, count);
}
