/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bench: what none, floor and portcullis cost in each target, in wall clock and in guest
 * instructions. Boots its own VMs; leaves none.
 */
#ifndef GNT_BENCH_H
#define GNT_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "bench_plan.h"
#include "latency.h"
#include "target.h"
#include "verdict.h"
#include "vm.h"

#define GNT_BENCH_NS (1u << GNT_LATENCY_NS)
#define GNT_BENCH_GUEST_INSNS (1u << GNT_LATENCY_GUEST_INSNS)

#define GNT_BENCH_DEPTH_DEFAULT 6
#define GNT_BENCH_RULES_DEFAULT 100
/* Enough for a median and a spread, few enough that two targets take less than a minute: most of a
 * round goes into switching, since the kernel waits 0.1 s for each link that it lets go. */
#define GNT_BENCH_ROUNDS_DEFAULT 3

struct gnt_bench_options {
	const struct gnt_target *const *targets; /* borrowed */
	size_t target_count;
	const int *depths; /* borrowed; NULL: GNT_BENCH_DEPTH_DEFAULT alone */
	size_t depth_count;
	int rounds; /* wall clock only; counted instructions need one */
	enum gnt_bench_backend backend;
	int rules;
	int domains;		 /* as in struct gnt_bench_shape */
	unsigned units;		 /* GNT_BENCH_NS | GNT_BENCH_GUEST_INSNS */
	enum gnt_accel accel;	 /* wall clock only; counting is always under TCG */
	const char *kernel_path; /* instead of the targets' kernels, or NULL */
	const char *modules_dir; /* its modules, or NULL */
	const char *log_dir;	 /* gets a folder per VM; must exist */
	const char *guest_dir;	 /* as in gnt_vm_options */
	/* One line of progress or trouble about a target, without a newline; or NULL. */
	void (*say)(void *context, const char *target, const char *line);
	/* Called from the caller's thread for each guest that did its work; or NULL. */
	void (*booted)(void *context, const struct gnt_target *target, const struct gnt_vm *vm);
	void *context;
};

/*
 * Measures and appends rows; what could be measured is there even if something failed.
 * GNT_EXIT_OK; GNT_EXIT_UNEXPECTED where two boots did not count the same, or a contender was not
 * on or off as it should; GNT_EXIT_ENV_UNMET where a target cannot enforce; GNT_EXIT_PANIC, _HANG,
 * _INFRA for what befell a guest. Each has been said through say; the most serious is returned.
 */
enum gnt_exit gnt_bench_run(const struct gnt_bench_options *options, struct gnt_latency_rows *rows);

#endif
