/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pattern matcher under libFuzzer: the first line is a pattern, the rest a text. Any pattern is
 * compiled or refused with a reason, its own examples match it, and a text ends in time.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/glob.h"

#define EXAMPLES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pcl_cleanup(pcl_glob_free) struct pcl_glob *glob = NULL;
	pcl_autofree char *pattern = strndup((const char *)data, size);
	const char *reason = NULL, *text = "";
	size_t offset = SIZE_MAX, prefix_len = 0;
	char *newline;

	if (!pattern)
		return 0;
	newline = strchr(pattern, '\n');
	if (newline) {
		*newline = '\0';
		text = newline + 1;
	}
	if (pcl_glob_new(pattern, &glob, &reason, &offset)) {
		if (!reason || offset > strlen(pattern))
			abort();
		return 0;
	}
	if (pcl_glob_match(glob, text) &&
	    strncmp(text, pcl_glob_prefix(glob, &prefix_len), prefix_len))
		abort();
	for (unsigned variant = 0; variant < EXAMPLES; variant++) {
		pcl_autofree char *example = NULL;

		if (!pcl_glob_example(glob, variant, &example) && !pcl_glob_match(glob, example))
			abort();
	}
	return 0;
}
