/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judges (bpf/judges.bpf.c): programs that take the place of functions of the hooks. Private to
 * the backend.
 */
#ifndef PCL_BACKEND_BPF_LSM_JUDGES_H
#define PCL_BACKEND_BPF_LSM_JUDGES_H

#include <bpf/libbpf.h>

#include "backend/bpf_lsm_load.h"
#include "base/diag.h"

/* Owned; NULL with errno where libbpf refuses. */
struct bpf_object *pcl_judges_open(enum pcl_bpf_flavour flavour,
				   const struct bpf_object_open_opts *options);

/* Loads them with the maps of hooks, which are loaded. 0 or a negative errno. */
int pcl_judges_load(struct bpf_object *judges, struct bpf_object *hooks);

/*
 * Puts each judge into every loaded hook that calls it, and pins that below dir, as
 * HOOK-JUDGE. Without its judge a hook refuses whatever is policed.
 */
int pcl_judges_seat(const struct pcl_bpf_object *object, const char *dir, struct pcl_diag *diag);

/* Takes the pins of the judges away that sit in the hook of that name. */
int pcl_judges_unseat(const char *hook, const char *dir, struct pcl_diag *diag);

#endif
