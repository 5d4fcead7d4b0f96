/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statistics against values worked out by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/cleanup.h"
#include "bench/stats.h"

#define NEAR 1e-9

static void one_sample_is_everything(void **state)
{
	const double samples[] = {42.5};
	struct gnt_stats stats;

	(void)state;
	assert_int_equal(gnt_stats_compute(samples, 1, &stats), 0);
	assert_float_equal(stats.median, 42.5, NEAR);
	assert_float_equal(stats.p99, 42.5, NEAR);
	assert_float_equal(stats.iqr, 0, NEAR);
	assert_float_equal(stats.min, 42.5, NEAR);
	assert_float_equal(stats.max, 42.5, NEAR);
}

static void an_even_count_has_its_median_between(void **state)
{
	const double samples[] = {4, 1, 3, 2};
	struct gnt_stats stats;

	(void)state;
	assert_int_equal(gnt_stats_compute(samples, PCL_ARRAY_SIZE(samples), &stats), 0);
	assert_float_equal(stats.median, 2.5, NEAR);
	assert_float_equal(stats.mean, 2.5, NEAR);
	/* Quartiles at ranks 0.75 and 2.25: 1.75 and 3.25. */
	assert_float_equal(stats.iqr, 1.5, NEAR);
	/* Rank 2.97. */
	assert_float_equal(stats.p99, 3.97, NEAR);
}

static void an_outlier_moves_p99_and_not_the_median(void **state)
{
	double samples[101];
	struct gnt_stats stats;

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(samples); i++)
		samples[i] = 10;
	samples[3] = 1e6;
	samples[70] = 5000;
	assert_int_equal(gnt_stats_compute(samples, PCL_ARRAY_SIZE(samples), &stats), 0);
	assert_float_equal(stats.median, 10, NEAR);
	/* Rank 99 of 0 to 100: the second largest. */
	assert_float_equal(stats.p99, 5000, NEAR);
	assert_float_equal(stats.max, 1e6, NEAR);
	assert_float_equal(stats.mean, (99 * 10 + 5000 + 1e6) / 101, 1e-6);
	assert_float_equal(stats.iqr, 0, NEAR);
}

static void samples_keep_their_order(void **state)
{
	const double samples[] = {3, 1, 2};
	struct gnt_stats stats;

	(void)state;
	assert_int_equal(gnt_stats_compute(samples, PCL_ARRAY_SIZE(samples), &stats), 0);
	assert_float_equal(samples[0], 3, NEAR);
	assert_float_equal(samples[2], 2, NEAR);
	assert_float_equal(stats.median, 2, NEAR);
}

static void no_samples_are_refused(void **state)
{
	struct gnt_stats stats = {.median = 7};

	(void)state;
	assert_int_equal(gnt_stats_compute(NULL, 0, &stats), -EINVAL);
	assert_float_equal(stats.median, 7, NEAR);
}

static void quantiles_reach_both_ends(void **state)
{
	const double sorted[] = {1, 2, 3, 4, 5};

	(void)state;
	assert_float_equal(gnt_stats_quantile(sorted, 5, 0), 1, NEAR);
	assert_float_equal(gnt_stats_quantile(sorted, 5, 1), 5, NEAR);
	assert_float_equal(gnt_stats_quantile(sorted, 5, 0.25), 2, NEAR);
	assert_float_equal(gnt_stats_quantile(sorted, 5, 0.9), 4.6, NEAR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_sample_is_everything),
		cmocka_unit_test(an_even_count_has_its_median_between),
		cmocka_unit_test(an_outlier_moves_p99_and_not_the_median),
		cmocka_unit_test(samples_keep_their_order),
		cmocka_unit_test(no_samples_are_refused),
		cmocka_unit_test(quantiles_reach_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
