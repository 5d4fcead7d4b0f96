/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of kernel troubles that do not fail a run (scenarios/health.yaml). Each entry says which
 * kernels it is about and why it is allowed; one without a reason is refused, and a panic is never
 * allowed.
 */
#ifndef GNT_HEALTH_ALLOW_H
#define GNT_HEALTH_ALLOW_H

#include <stddef.h>

#include "base/diag.h"

struct gnt_finding;

struct gnt_health_entry {
	char *fingerprint; /* the whole of it, or NULL: any */
	char *pattern;	   /* part of the line, or NULL: any */
	char *from, *to;   /* kernel series, both included ("6.1", "6.12"); NULL: open */
	char *reason;
};

struct gnt_health_list {
	struct gnt_health_entry *entries;
	size_t count;
};

/* 0, or -errno with diag FILE:LINE:COLUMN. */
int gnt_health_list_load(const char *path, struct gnt_health_list *ret_list, struct pcl_diag *diag);
void gnt_health_list_fini(struct gnt_health_list *list);

/*
 * The first entry that allows the finding on a kernel of this release ("6.1.0-56-cloud-amd64"), or
 * NULL. list may be NULL.
 */
const struct gnt_health_entry *gnt_health_list_find(const struct gnt_health_list *list,
						    const struct gnt_finding *finding,
						    const char *release);

/* Compares a release with a series, as far as the series goes: "6.12.9" and "6.12" are equal. */
int gnt_health_compare_series(const char *release, const char *series);

#endif
