/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics over samples: order statistics, because latencies have long tails, and the mean, which
 * is what a long run costs in all. Pure, knows nothing of what was measured. NaN and infinity must
 * not be passed in.
 */
#ifndef GNT_BENCH_STATS_H
#define GNT_BENCH_STATS_H

#include <stddef.h>

struct gnt_stats {
	double median;
	double p99;
	double iqr; /* interquartile range: third quartile less first, the spread of the middle half
		     */
	double mean;
	double min;
	double max;
};

/*
 * The value below which `fraction` (0 to 1) of sorted samples lie, between two samples by linear
 * interpolation (rank fraction * (count - 1)), so 0.5 of an even count is the mean of the middle
 * two. sorted must be ascending and hold at least one sample.
 */
double gnt_stats_quantile(const double *sorted, size_t count, double fraction);

/* 0; -EINVAL without samples, -ENOMEM. samples keep their order. */
int gnt_stats_compute(const double *samples, size_t count, struct gnt_stats *ret_stats);

#endif
