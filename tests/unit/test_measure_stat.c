/* SPDX-License-Identifier: MIT */
/*
 * Statistics, and the fit of a curve of throughput
 */
#include "measured.h"

#include "measure/stat.h"
#include "measure/usl.h"

/* --- statistics ------------------------------------------------------------------------------ */

static void test_median(void **state)
{
        const double odd[] = { 5, 1, 4, 2, 3 }, even[] = { 4, 1, 3, 2 }, one[] = { 7 };

        (void)state;
        assert_near(stat_median(odd, 5), 3, 0);
        assert_near(stat_median(even, 4), 2.5, 0);
        assert_near(stat_median(one, 1), 7, 0);
        assert_near(odd[0], 5, 0); /* they stay where they are */
}

static void test_interval(void **state)
{
        const double same[] = { 2, 2, 2, 2, 2 }, five[] = { 1, 2, 3, 4, 50 };
        double many[101];
        struct estimate estimate = stat_estimate(same, 5), again;

        (void)state;
        assert_near(estimate.median, 2, 0);
        assert_near(estimate.low, 2, 0);
        assert_near(estimate.high, 2, 0);

        /*
         * Of five values all of them are possible: 50 is the median of the draws in which it is
         * there three times, of which there are 5.8 %.
         */
        estimate = stat_estimate(five, 5);
        assert_near(estimate.median, 3, 0);
        assert_near(estimate.low, 1, 0);
        assert_near(estimate.high, 50, 0);

        /*
         * Of many the interval is that of the median of a uniform distribution: 50 +- 1.96 x 100 /
         * (2 sqrt(101)).
         */
        for (size_t i = 0; i < 101; i++)
                many[i] = (double)i;
        estimate = stat_estimate(many, 101);
        assert_near(estimate.median, 50, 0);
        assert_near(estimate.low, 40, 3);
        assert_near(estimate.high, 60, 3);
        again = stat_estimate(many, 101);
        assert_memory_equal(&estimate, &again, sizeof(again));
}

static void test_ratios(void **state)
{
        /* Rounds differ, the ratio within a round does not: that is why they are paired. */
        const double a[] = { 2, 4, 20, 6, 10 }, b[] = { 1, 2, 10, 3, 5 };
        struct estimate twice = stat_estimate_ratio(a, b, 5);
        struct estimate half = stat_estimate_ratio(b, a, 5);
        struct estimate unsure = { .median = 1.5, .low = 0.9, .high = 2 };

        (void)state;
        assert_near(twice.low, 2, 0);
        assert_near(twice.high, 2, 0);
        assert_true(stat_is_above_one(&twice, 0.05) && !stat_is_below_one(&twice, 0.05));
        assert_true(stat_is_below_one(&half, 0.05) && !stat_is_above_one(&half, 0.05));
        assert_false(stat_is_above_one(&twice, 1.5));
        assert_false(stat_is_above_one(&unsure, 0.05));
}

/* --- the fit --------------------------------------------------------------------------------- */

static size_t points_of(const struct usl *usl, struct usl_point *points)
{
        size_t n = 0;

        for (double at = 1; at <= 128; at *= 2)
                points[n++] = (struct usl_point){ at, usl_throughput(usl, at), 1000 };
        return n;
}

static void test_fit_finds_what_was_there(void **state)
{
        static const struct usl cases[] = {
                { .lambda = 50, .sigma = 0, .kappa = 0 },
                { .lambda = 50, .sigma = 0.02, .kappa = 0 },
                { .lambda = 3.5, .sigma = 0, .kappa = 0.001 },
                { .lambda = 995, .sigma = 0.0671, .kappa = 0.000152 },
                { .lambda = 200, .sigma = 0.3, .kappa = 0.02 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct usl_point points[10];
                struct usl usl;
                size_t n = points_of(&cases[i], points);

                assert_true(usl_fit(&usl, points, n));
                assert_near(usl.lambda, cases[i].lambda, 1e-9);
                assert_near(usl.sigma, cases[i].sigma, 1e-9);
                assert_near(usl.kappa, cases[i].kappa, 1e-9);
                assert_near(usl.deviation, 0, 1e-6);
        }
}

static void test_peak(void **state)
{
        struct usl usl = { .lambda = 1, .sigma = 0.1, .kappa = 0.001 };
        double peak = usl_peak(&usl);

        (void)state;
        assert_near(peak, 30, 1e-9);
        assert_true(usl_throughput(&usl, peak) > usl_throughput(&usl, peak - 1));
        assert_true(usl_throughput(&usl, peak) > usl_throughput(&usl, peak + 1));
        usl.kappa = 0;
        assert_true(isinf(usl_peak(&usl)));
}

/*
 * Four workers: a corner, which the law does not have. It says how badly it fits, and neither
 * parameter is negative.
 */
static void test_fit_tells_how_bad_it_is(void **state)
{
        struct usl_point points[8];
        struct usl usl;

        (void)state;
        for (size_t i = 0; i < LENGTH(points); i++) {
                double n = (double)(1 << i);

                points[i] = (struct usl_point){ n, fmin(n, 4) * 50, 100 };
        }
        assert_true(usl_fit(&usl, points, LENGTH(points)));
        assert_true(usl.deviation > 0.2);
        assert_true(usl.sigma >= 0 && usl.kappa >= 0);
}

/* A point with more behind it counts for more. */
static void test_fit_is_weighted(void **state)
{
        const struct usl truth = { .lambda = 100, .sigma = 0.05, .kappa = 0 };
        struct usl_point points[10];
        struct usl trusting, doubting;
        size_t n = points_of(&truth, points);

        (void)state;
        points[4].x *= 0.5; /* an outlier */
        assert_true(usl_fit(&trusting, points, n));
        points[4].weight = 1;
        assert_true(usl_fit(&doubting, points, n));
        assert_true(fabs(doubting.sigma - 0.05) < fabs(trusting.sigma - 0.05) / 10);
}

static void test_no_fit(void **state)
{
        const struct usl truth = { .lambda = 100, .sigma = 0.05, .kappa = 0 };
        struct usl_point points[10];
        struct usl usl;
        size_t n = points_of(&truth, points);

        (void)state;
        assert_false(usl_fit(&usl, points, 5));
        assert_false(usl_fit(&usl, points + 1, n - 1)); /* one at a time is not there */
        points[3].x = 0;
        assert_false(usl_fit(&usl, points, n));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_median),
                cmocka_unit_test(test_interval),
                cmocka_unit_test(test_ratios),
                cmocka_unit_test(test_fit_finds_what_was_there),
                cmocka_unit_test(test_peak),
                cmocka_unit_test(test_fit_tells_how_bad_it_is),
                cmocka_unit_test(test_fit_is_weighted),
                cmocka_unit_test(test_no_fit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
