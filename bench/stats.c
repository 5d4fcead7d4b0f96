/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order statistics on a sorted copy; samples are few thousand, so sorting is never the cost.
 */
#include "bench/stats.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static int compare_doubles(const void *left, const void *right)
{
	const double a = *(const double *)left;
	const double b = *(const double *)right;

	return (a > b) - (a < b);
}

double gnt_stats_quantile(const double *sorted, size_t count, double fraction)
{
	double rank, part;
	size_t below;

	assert(count > 0 && fraction >= 0 && fraction <= 1);
	rank = fraction * (double)(count - 1);
	below = (size_t)rank;
	part = rank - (double)below;
	if (below + 1 >= count)
		return sorted[count - 1];
	return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

int gnt_stats_compute(const double *samples, size_t count, struct gnt_stats *ret_stats)
{
	pcl_autofree double *sorted = NULL;
	double sum = 0;

	if (!count)
		return -EINVAL;
	sorted = calloc(count, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		sum += samples[i];
	memcpy(sorted, samples, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_doubles);
	*ret_stats = (struct gnt_stats){
		.median = gnt_stats_quantile(sorted, count, 0.5),
		.p99 = gnt_stats_quantile(sorted, count, 0.99),
		.iqr = gnt_stats_quantile(sorted, count, 0.75) -
		       gnt_stats_quantile(sorted, count, 0.25),
		.mean = sum / (double)count,
		.min = sorted[0],
		.max = sorted[count - 1],
	};
	return 0;
}
