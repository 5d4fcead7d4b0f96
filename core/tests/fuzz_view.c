/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node's view as text under libFuzzer: any text is taken or refused with an explanation, and what
 * is taken is sorted, with whole paths and known kinds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backend/selinux_plan.h"
#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct pcl_selinux_view *view)
{
	for (size_t i = 0; i < view->entry_count; i++) {
		const struct pcl_selinux_entry *entry = &view->entries[i];

		if (entry->path[0] != '/' || !entry->kind || !strchr("fdlcbsp", entry->kind) ||
		    (entry->context && !*entry->context) ||
		    (i && strcmp(view->entries[i - 1].path, entry->path) >= 0))
			abort();
	}
	if (!view->class_count)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_cleanup(pcl_selinux_view_free) struct pcl_selinux_view *view = NULL;
	pcl_autofree char *text = strndup((const char *)data, size);

	if (!text)
		return 0;
	if (!pcl_selinux_view_parse("view", text, &view, &diag))
		check(view);
	else if (!diag.text || view)
		abort();
	return 0;
}
