/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy that the bench applies: rules that do not match what is measured, and are not easy to
 * dismiss either.
 */
#ifndef GNT_BENCH_POLICY_H
#define GNT_BENCH_POLICY_H

#include <stdbool.h>

/* Fewer rules than this cannot hold one of each kind and class. */
#define GNT_BENCH_RULES_MIN 8
/* The largest set that is promised to be read. */
#define GNT_BENCH_RULES_MAX 100000

/* Exact file rule of every bench policy, beside the measured tree; reading it must be refused. */
#define GNT_BENCH_CANARY "/bench/locked-file"

/* The label of the container whose policy it is. */
#define GNT_BENCH_LABEL "bench"
/* And of those beside it, which have one rule each. */
#define GNT_BENCH_OTHER_LABEL "bench-other"

/*
 * A policy in YAML, of the host or of a container, with `rules` Block rules, half for files and
 * half for programs, mixed of exact paths, directories and recursive directories: first siblings in
 * every directory above the measured file at `depth` (bench/latency.c makes
 * /bench/d2/.../dDEPTH/file), and a plain directory rule on /bench itself, whose reach ends above
 * the file where depth is 2 or more; the rest lies elsewhere. For a container there is a second
 * policy, with one rule for those beside it. Owned; NULL without memory.
 */
char *gnt_bench_policy(int rules, int depth, bool container);

#endif
